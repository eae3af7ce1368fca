#include "config/unproven.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/ports.h"
#include "base/text.h"
#include "config/config.h"
#include "config/key.h"
#include "config/values.h"

static const char *const words[] = {
	[UNPROVEN_PORTS] = "ports",
	[UNPROVEN_JAIL] = "jail",
	[UNPROVEN_ALERT] = "alert",
};

/* SIP (5160 and 5161 are chan_sip's beside PJSIP in FreePBX), IAX2, the manager interface, and the
 * HTTP server of both. */
static const struct {
	uint8_t protocol;
	const char *ports;
} asterisk_ports[] = {
	{ IPPROTO_UDP, "4569,5060,5061,5160,5161" },
	{ IPPROTO_TCP, "5038,5060,5061,5160,5161,8088,8089" },
};

static void narrow_to_asterisk(struct config_jail *jail)
{
	struct error err;

	jail->n_narrow = 0;
	for (size_t i = 0; i < sizeof(asterisk_ports) / sizeof(asterisk_ports[0]); i++) {
		int rc = scope_parse(asterisk_ports[i].protocol, asterisk_ports[i].ports,
			&jail->narrow[jail->n_narrow++], &err);

		assert(rc == 0);
		(void)rc; /* the lists above are well formed */
	}
}

void unproven_read(struct config_reader *reader, const struct key *key, void *base)
{
	struct config_text word = values_scalar(reader, key->name);
	struct config_jail *jail = base;
	size_t choice = 0;

	while (word.text && choice < sizeof(words) / sizeof(words[0]) &&
		strcmp(word.text, words[choice]) != 0)
		choice++;
	if (choice < sizeof(words) / sizeof(words[0]))
		jail->unproven = (enum unproven)choice;
	else
		values_error(reader, &word.at, "unproven: '%s' is none of ports, jail, alert",
			text_shown_string(word.text).text);
	free(word.text);
	jail->doubts = jail->filter.parser.text || jail->filter.proof == PROOF_NONE;
	memcpy(jail->narrow, jail->scopes, sizeof(jail->narrow));
	jail->n_narrow = jail->n_scopes;
	if (jail->filter.parser.text && jail->unproven == UNPROVEN_PORTS && jail->n_scopes == 1 &&
		jail->scopes[0].protocol == 0)
		narrow_to_asterisk(jail);
}

void unproven_print(struct sheet *sheet, const struct key *key, const void *base)
{
	const struct config_jail *jail = base;
	char text[SCOPE_TEXT_MAX];

	if (sheet->is_file ? jail->unproven == UNPROVEN_PORTS : !jail->doubts || !jail->bans)
		return;
	sheet_row(sheet, key->name, words[jail->unproven]);
	for (size_t i = 0;
		!sheet->is_file && jail->unproven != UNPROVEN_ALERT && i < jail->n_narrow; i++)
		sheet_row(sheet, i ? "" : "it closes", scope_format(&jail->narrow[i], text));
}
