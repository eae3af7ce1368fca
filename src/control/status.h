#ifndef VG_STATUS_H
#define VG_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ban;
struct control_engine;
struct guard;
struct guard_jail_info;
struct json_t;
struct message;
struct status;

/* The answers to `status`, `jails` and `jail`, whose JSON voipguard(8) documents. A status asks the
 * firewall role for the kernel's counters of the newest bans: call status_new, then status_ask
 * until all answers are there (or for as long as one likes to wait), then status_json. */

/* A status numbers its queries serial, serial + 1, ...: at most so many, so that the next status
 * begins this much higher. */
enum { STATUS_SERIALS = 4096 };

/* engine and jail (the name of one jail, NULL: all) are borrowed and outlive the status. Sends
 * nothing. A dry run asks for no counters. */
struct status *status_new(const struct control_engine *engine, const char *jail, uint32_t serial);
void status_free(struct status *status);
/* Sends the queries that are left, as far as the pair has room. True: every answer is there. */
bool status_ask(struct status *status);
/* Takes a MESSAGE_COUNTERS. False: it answers no query of this status. */
bool status_counters(struct status *status, const struct message *record);
/* What is known of a ban without asking the kernel: in_kernel is true if the firewall role has
 * acknowledged every element, and the kernel has not said since that one is missing. A new
 * reference. */
struct json_t *status_ban(const struct control_engine *engine, const struct ban *ban,
	const struct guard_jail_info *info);
/* The answer to `jails`: the names of the jails that run. A new reference, as of the next two. */
struct json_t *status_jails(const struct guard *guard, int64_t now_s);
/* The answer to `jail`: the settings of jail number `jail`, and the addresses that it ignores, with
 * those that a person has allowed. */
struct json_t *status_jail(const struct control_engine *engine, size_t jail, int64_t now_s);
/* The answer to `status`, with the counters that have come so far. now_s: wall seconds. */
struct json_t *status_json(const struct status *status, int64_t now_s);

#endif
