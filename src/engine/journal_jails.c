#include "base/clock.h"
#include "engine/parts.h"

#include <stdlib.h>
#include <syslog.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "decide/guard.h"
#include "engine/start_config.h"
#include "follow/journal.h"
#include "state/store.h"

static void on_entry(void *context, int reader, const struct line *line)
{
	struct engine *engine = context;

	guard_entry(engine->guard, engine->journal_jails[reader], line, clock_wall_s());
}

/* A jail without a reader does not end the engine: the other jails guard. Of several such jails the
 * status shows the last, the log has all. */
static void tell_trouble(struct engine *engine, const struct config_jail *jail,
	const struct error *err)
{
	struct shown shown = text_shown_string(jail->name);

	log_line(LOG_ERR, "jail %s: %s", shown.text, err->text);
	free(engine->journal_trouble);
	engine->journal_trouble = alloc_format("jail %s: %s", shown.text, err->text);
}

/* Makes the reader of one jail. It goes on behind the entry whose cursor is in the database;
 * without one it starts one findtime ago, as older entries could not count. */
static void open_jail(struct engine *engine, size_t number, const struct config_jail *jail)
{
	const struct config_journal *match = &jail->filter.match;
	cleanup_free const char **words = alloc_array(match->n_words + 1, sizeof(*words));
	struct journal_source source = { .path = jail->journal.path,
		.files = (const char *const *)jail->journal.files,
		.n_files = jail->journal.n_files,
		.flags = jail->journal.flags,
		.namespace = jail->journal.namespace,
		.words = words,
		.n_words = match->n_words };
	int64_t since_ms = (clock_wall_s() - jail->findtime_s) * 1000;
	char cursor[STORE_CURSOR_MAX];
	struct error err;
	int reader = -1;

	for (size_t i = 0; i < match->n_words; i++)
		words[i] = match->words[i].text;
	if (store_read_cursor(engine->state.store, jail->name, cursor, &err) == 0)
		reader = journal_add(engine->journal, &source, cursor[0] ? cursor : NULL, since_ms,
			&err);
	if (reader < 0) {
		tell_trouble(engine, jail, &err);
		return;
	}
	engine->journal_jails =
		alloc_grow(engine->journal_jails, (size_t)reader + 1, sizeof(size_t));
	engine->journal_jails[reader] = number;
}

int journal_jails_open(struct engine *engine, struct error *err)
{
	const struct config *config = engine->start.config;
	struct journal_callbacks callbacks = { on_entry, log_note, engine };

	for (size_t i = 0; i < config->n_jails; i++) {
		const struct config_jail *jail = &config->jails[i];
		int number = guard_find_jail(engine->guard, jail->name);
		struct guard_jail_info info;

		guard_jail_info(engine->guard, (size_t)number, clock_wall_s(), &info);
		if (!info.active || !info.journal)
			continue;
		if (!engine->journal && journal_new(&callbacks, &engine->journal, err) < 0)
			return -1;
		open_jail(engine, (size_t)number, jail);
	}
	return 0;
}

bool journal_jails_read(struct engine *engine, bool scan)
{
	if (!engine->journal || (!scan && !engine->journal_ready))
		return false;
	engine->journal_ready = journal_read(engine->journal);
	return engine->journal_ready;
}

static void save_cursor(void *context, int reader, const char *cursor)
{
	struct engine *engine = context;
	struct guard_jail_info info;

	guard_jail_info(engine->guard, engine->journal_jails[reader], clock_wall_s(), &info);
	store_cursor(engine->state.store, info.name, cursor);
}

void journal_jails_save(struct engine *engine)
{
	if (engine->journal)
		journal_cursors(engine->journal, save_cursor, engine);
}

void journal_jails_close(struct engine *engine)
{
	journal_free(engine->journal);
	free(engine->journal_jails);
	free(engine->journal_trouble);
}
