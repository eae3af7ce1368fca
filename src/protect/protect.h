#ifndef VG_PROTECT_H
#define VG_PROTECT_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct error;
struct guard;
struct ignore;
struct protected;
struct message_name;
struct store;
struct store_allow;

/* What ignoreip names beyond addresses: host names and files (DIALECT 6);
 * and the host names that a person has allowed.
 *
 * Names are asked for at the start and again when their answer is too old. Only an answer with
 * addresses changes what is protected: silence, SERVFAIL and "no such name" leave the last good
 * answer as it is, and that is kept in the database for the next start. An address that a newer
 * answer lacks stays protected for twice the answer's TTL, since others may hold the older answer
 * as long, and a pool of addresses gives out a few at a time. In the firewall role it stays until
 * the next engine, but for a name that is allowed for a time: there all ends with that time.
 *
 * Files are read at the start and when device, inode, size or times have changed; one that cannot
 * be read keeps its last entries. */
enum {
	IGNORE_NAMES_MAX = 256, /* more are left out, and said */
	IGNORE_FILES_MAX = 64,
	IGNORE_HOST_ADDRESSES_MAX = 64, /* of a name, former ones too: of these the oldest go */
	IGNORE_TTL_MIN_S = 60,          /* a TTL of 0 asks a name server for every call */
	IGNORE_TTL_MAX_S = 3600,
	IGNORE_RETRY_S = 30, /* after no answer */
	IGNORE_ASKED_MAX =
		16, /* questions on their way: others have their turn with the next tick */
	IGNORE_FILES_EVERY_S = 2,
};

struct ignore_events {
	/* Hands a question to the notifier; false: not now. */
	bool (*ask)(void *context, const struct message_name *question);
	/* One more address for the firewall role, or one that is protected for longer than it has
	 * heard; ttl_s 0: for ever. False: not now. */
	bool (*tell)(void *context, const struct ip *ip, const char *because, int64_t ttl_s);
	/* One sentence for the journal. */
	void (*note)(void *context, int priority, const char *text);
	void *context;
};

/* Reads the files of all enabled jails. config, guard and protected are borrowed. Nothing is told
 * or asked yet. */
struct ignore *ignore_new(const struct config *config, struct guard *guard,
	struct protected *protected, const struct ignore_events *events);
void ignore_free(struct ignore *ignore);

/* From here on answers are recorded in store (borrowed). */
void ignore_attach(struct ignore *ignore, struct store *store);
/* One address of the last good answer of an earlier run; names that nobody names any more are
 * forgotten. */
void ignore_load(struct ignore *ignore, const char *name, const struct ip *ip, int64_t now_s);

/* A name that a person protects: until for_s from now (0: for ever), over restarts. note may be
 * NULL. -1 with a sentence: no name, or too many. Disallow: -1 if there is no such entry; one that
 * ignoreip names too stays. A time that is shorter than an earlier one ends in the firewall role,
 * which takes nothing back, as the earlier one would have, or with the next engine. */
int ignore_allow(struct ignore *ignore, const char *name, int64_t for_s, const char *note,
	int64_t now_s, struct error *err);
int ignore_disallow(struct ignore *ignore, const char *name, struct error *err);
/* A row of an earlier run. */
void ignore_load_allow(struct ignore *ignore, const struct store_allow *allow, int64_t now_s);
/* Name number `index` allowed by hand, false: there are no more. Texts are borrowed. */
bool ignore_allowed(const struct ignore *ignore, size_t index, struct store_allow *ret_allow);

/* Reads files that have changed, asks what is due, lets go what is over, tells the firewall role
 * what it has not heard of. */
void ignore_tick(struct ignore *ignore, int64_t now_s);
/* A notifier has just started: what an earlier one was asked is asked again. */
void ignore_joined(struct ignore *ignore, int64_t now_s);
/* An answer of kind MESSAGE_NAME_PROTECT; one that was not asked for changes nothing. */
void ignore_answer(struct ignore *ignore, const struct message_name *answer, int64_t now_s);
/* Tells what waits for room; false: some still does. */
bool ignore_flush(struct ignore *ignore, int64_t now_s);

/* Whether everything that is named is protected; else what is not, rendered, in one sentence. */
bool ignore_is_well(const struct ignore *ignore, char *ret_text, size_t text_bytes);

#endif
