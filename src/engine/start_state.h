#ifndef VG_START_STATE_H
#define VG_START_STATE_H

#include <stdint.h>

struct config;
struct error;
struct guard;
struct protect;
struct outbox;
struct store;
struct tail;
struct tail_callbacks;

/* The last step before an engine guards: opens the database, gives its rows to the parts that keep
 * them in memory, and sets up the logs where an earlier run stopped reading. */
struct start_state {
	/* All owned; a caller that gives {0} can free them after a failure. */
	struct store *store;
	struct tail *tail;
	struct outbox *outbox;
};

/* config, guard and protect are borrowed and outlive what is made; callbacks are copied. now_s:
 * wall seconds. -1: *ret_state holds what had been made, and the caller frees it. No line has been
 * read on return. */
int start_state(const char *state_dir, const struct config *config, struct guard *guard,
	struct protect *protect, const struct tail_callbacks *callbacks, int64_t now_s,
	struct start_state *ret_state, struct error *err);

#endif
