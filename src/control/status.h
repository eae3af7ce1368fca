#ifndef VG_STATUS_H
#define VG_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control_engine;
struct guard;
struct json_t;
struct message;
struct status;

/* The answer to `status`: collects the kernel's counters of the newest bans, then becomes the
 * JSON object that voipguard(8) documents. */

/* Serial numbers that one status uses, from the one it is given. */
enum { STATUS_SERIALS = 4096 };

/* engine and jail (NULL: all) are borrowed. */
struct status *status_new(const struct control_engine *engine, const char *jail, uint32_t serial);
void status_free(struct status *status);
/* Sends what has not been asked yet; true when every answer is there. */
bool status_ask(struct status *status);
/* False: the answer is not for this status. */
bool status_counters(struct status *status, const struct message *record);
/* The answer to `jails`: the names of those that run. A new reference. */
struct json_t *status_jails(const struct guard *guard, int64_t now_s);
/* The answer to `jail`: what one jail is set to, whom it ignores, those allowed by hand among them.
 * A new reference. */
struct json_t *status_jail(const struct control_engine *engine, size_t jail, int64_t now_s);
/* A new reference. */
struct json_t *status_json(const struct status *status, int64_t now_s);

#endif
