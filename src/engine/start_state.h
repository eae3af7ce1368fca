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

/* The one way into service: opens the database, gives its rows to the parts, and follows the logs
 * from where an earlier run stood. */
struct start_state {
	struct store *store;
	struct tail *tail;
	struct outbox *outbox;
};

/* config, guard and protect are borrowed and outlive what is made. Also after a failure (-1) the
 * caller owns what *ret_state holds. No line is read yet. */
int start_state(const char *state_dir, const struct config *config, struct guard *guard,
	struct protect *protect, const struct tail_callbacks *callbacks, int64_t now_s,
	struct start_state *ret_state, struct error *err);

#endif
