#include "base/clock.h"
#include "base/text.h"
#include "engine/parts.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "decide/bans.h"
#include "decide/guard.h"
#include "decide/letter.h"
#include "engine/outbox.h"
#include "engine/start_config.h"
#include "follow/journal.h"
#include "follow/tail.h"
#include "process/launch.h"
#include "process/messages.h"
#include "protect/protect.h"
#include "state/store.h"
#include "wire/nonces.h"
#include "wire/wire.h"

void health_set(struct engine *engine, enum control_part part, bool ok, const char *text)
{
	engine->health[part].ok = ok;
	text_format(engine->health[part].text, sizeof(engine->health[part].text), "%s", text);
}

/* The configuration is well if no jail was left out, and if every name and file in ignoreip has an
 * answer: until then, whom it names is not protected. */
static void check_config(struct engine *engine)
{
	char text[CONTROL_HEALTH_TEXT_MAX];
	char ignored[CONTROL_HEALTH_TEXT_MAX / 2];
	bool well = protect_is_well(engine->protect, ignored, sizeof(ignored));
	const char *broken = engine->broken ? engine->broken : "";

	if (well)
		protect_trunks_text(engine->protect, ignored, sizeof(ignored));
	text_format(text, sizeof(text), "%s%s%s", ignored, ignored[0] && broken[0] ? "; " : "",
		broken); /* too long: cut */
	health_set(engine, CONTROL_CONFIG, well && !broken[0], text);
}

/* A database that could not be used and was set aside is shown until somebody has moved or removed
 * it, over restarts too: what it holds may be wanted, and only a person can say. */
void health_check_state(struct engine *engine)
{
	const char *dir = engine->options->state_dir;
	char text[CONTROL_HEALTH_TEXT_MAX] = "";
	char name[STORE_ASIDE_MAX];
	char more[32] = "";
	size_t count = store_find_aside(dir, name);

	if (count > 1)
		text_format(more, sizeof(more), " (and %zu more)", count - 1);
	if (count)
		text_format(text, sizeof(text),
			"%s%s%s/%s%s could not be used and is set aside: its counters, allowed "
			"addresses and history are not in use; move or remove it when it is no "
			"longer needed",
			engine->state_trouble, engine->state_trouble[0] ? "; " : "", dir, name,
			more); /* too long: cut */
	else
		text_format(text, sizeof(text), "%s", engine->state_trouble);
	health_set(engine, CONTROL_STATE, text[0] == '\0', text);
}

/* For tail_files: the first log that cannot be read, in a sentence. */
static void tell_unreadable(void *context, const struct tail_file_info *info)
{
	char *text = context;

	if (info->state == TAIL_UNREADABLE && !text[0])
		text_format(text, CONTROL_HEALTH_TEXT_MAX,
			"cannot read %s: see the journal for the "
			"group that may",
			text_shown_string(info->path).text);
}

void health_check(struct engine *engine)
{
	char text[CONTROL_HEALTH_TEXT_MAX] = "";
	const char *mail_text;
	bool well = outbox_is_well(engine->state.outbox, &mail_text);

	tail_files(engine->state.tail, tell_unreadable, text);
	if (!text[0] && engine->journal)
		text_format(text, sizeof(text), "%s",
			engine->journal_trouble ? engine->journal_trouble
						: journal_trouble(engine->journal));
	health_set(engine, CONTROL_ENGINE, text[0] == '\0',
		text[0] ? text : engine->start.sandbox_text);
	health_set(engine, CONTROL_MAIL, well, mail_text);
	health_check_state(engine);
	health_check_wire(engine);
	check_config(engine);
}

/* Why no challenge can prove a source now, in a sentence; "": it can. */
static void wire_text(const struct engine *engine, char *text, size_t text_bytes)
{
	const struct wire_counts *counts = wire_counts(engine->wire);

	text[0] = '\0';
	if (engine->dry_run)
		text_format(text, text_bytes, "dry run: no firewall is touched");
	else if (engine->wire_trouble[0])
		text_format(text, text_bytes, "%s", engine->wire_trouble);
	else if (!nonces_can_prove(wire_nonces(engine->wire), clock_boot_s()))
		text_format(text, text_bytes,
			"after a start or lost copies no challenge proves for %d s",
			NONCES_DOUBT_S);
	else if (counts->foreign && !counts->answers)
		text_format(text, text_bytes,
			"challenges leave UDP port %u, which sip_port does not name",
			counts->foreign_port);
}

void health_check_wire(struct engine *engine)
{
	struct control_health *health = &engine->wire_health;

	if (!engine->wire)
		return;
	wire_text(engine, health->text, sizeof(health->text));
	health->ok = health->text[0] == '\0';
}

void health_send_alive(struct engine *engine)
{
	struct message alive = { .type = MESSAGE_ALIVE };
	struct message status = { .type = MESSAGE_STATUS };
	uint32_t bans = 0;

	for (size_t i = 0; i < guard_jails(engine->guard); i++)
		bans += bans_count(guard_bans(engine->guard), (uint32_t)i);
	text_format(status.text, sizeof(status.text), "%zu jails, %u bans%s",
		guard_active_jails(engine->guard), bans, engine->dry_run ? " (dry run)" : "");
	/* either may fail: a full pair means that the firewall role has records of ours to read,
	 * which count as a sign of life, and five seconds later the next two follow */
	(void)message_send(LAUNCH_PARENT_FD, &alive, -1, NULL);
	(void)message_send(LAUNCH_PARENT_FD, &status, -1, NULL);
	engine->next_alive_s = (int64_t)(clock_boot_us() / 1000000) + MESSAGE_ALIVE_S;
}

void health_tell_broken(struct engine *engine)
{
	const struct config_mail *mail = &engine->start.config->mail;
	struct letter letter;

	free(engine->broken);
	engine->broken = start_config_broken_text(&engine->start);
	if (!engine->broken[0] || !mail->dest)
		return;
	start_config_broken_letter(&engine->start, &letter);
	outbox_add(engine->state.outbox, clock_wall_s(), mail->dest, mail->sender, &letter);
}
