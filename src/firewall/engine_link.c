#include "firewall/parts.h"

#include <string.h>

#include "base/text.h"

void firewall_tell(struct firewall *firewall, const struct message *record)
{
	if (firewall->current)
		(void)child_send(&firewall->current->child, record, -1); /* the queue has room */
}

void firewall_tell_health(struct firewall *firewall, enum message_part part, int failure,
	const char *text)
{
	struct message record = { .type = MESSAGE_HEALTH, .number = part, .failure = failure };
	struct health *health = &firewall->health[part];

	health->failure = failure;
	(void)text_format(health->text, sizeof(health->text), "%s", text);
	memcpy(record.text, health->text, sizeof(record.text));
	firewall_tell(firewall, &record);
}

void firewall_tell_failures(struct firewall *firewall)
{
	for (enum message_part part = 0; part < MESSAGE_PARTS; part++) {
		const struct health health = firewall->health[part];

		if (health.failure)
			firewall_tell_health(firewall, part, health.failure, health.text);
	}
}

void firewall_tell_element(struct firewall *firewall, enum message_type type, uint8_t scope,
	const struct ip *ip, int64_t ttl_s)
{
	struct message record = { .type = type, .ip = *ip, .ttl_s = ttl_s };
	const struct link *link = firewall->current;

	for (uint32_t number = 0; link && number < link->n_scopes; number++)
		if (link->scopes[number] == scope) {
			record.number = number;
			firewall_tell(firewall, &record);
			return;
		}
}
