#ifndef VG_RESUME_H
#define VG_RESUME_H

#include <stdint.h>

struct config;
struct error;
struct guard;
struct ignore;
struct outbox;
struct store;
struct tail;
struct tail_callbacks;

/* The one way into service: opens the database, gives its rows to the parts, and follows the logs
 * from where an earlier run stood. */
struct resumed {
	struct store *store;
	struct tail *tail;
	struct outbox *outbox;
};

/* config, guard and ignore are borrowed and outlive what is made. Also after a failure (-1) the
 * caller owns what *ret_resumed holds. No line is read yet. */
int resume_state(const char *state_dir, const struct config *config, struct guard *guard,
	struct ignore *ignore, const struct tail_callbacks *callbacks, int64_t now_s,
	struct resumed *ret_resumed, struct error *err);

#endif
