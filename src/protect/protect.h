#ifndef VG_PROTECT_H
#define VG_PROTECT_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct error;
struct guard;
struct protect;
struct protected;
struct message_name;
struct store;
struct store_allow;

/* What ignoreip names beyond addresses: host names and files; and what a person has allowed.
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
	PROTECT_ALLOWS_MAX = 1000, /* by hand */
	PROTECT_NAMES_MAX = 256,   /* more are left out, and said */
	PROTECT_FILES_MAX = 64,
	PROTECT_HOST_ADDRESSES_MAX = 64, /* of a name, former ones too: of these the oldest go */
	PROTECT_TTL_MIN_S = 60,          /* a TTL of 0 asks a name server for every call */
	PROTECT_TTL_MAX_S = 3600,
	PROTECT_RETRY_S = 30, /* after no answer */
	PROTECT_ASKED_MAX =
		16, /* questions on their way: others have their turn with the next tick */
	PROTECT_FILES_EVERY_S = 2,
};

struct protect_events {
	/* Hands a question to the notifier; false: not now. */
	bool (*ask)(void *context, const struct message_name *question);
	/* One more address for the firewall role, or one that is protected for longer than it has
	 * heard; ttl_s 0: for ever. False: not now. */
	bool (*tell)(void *context, const struct ip *ip, const char *because, int64_t ttl_s);
	void *context;
};

/* Reads the files of all enabled jails. config, guard and protected are borrowed. Nothing is told
 * or asked yet. */
struct protect *protect_new(const struct config *config, struct guard *guard,
	struct protected *protected, const struct protect_events *events);
void protect_free(struct protect *protect);

/* From here on answers are recorded in store (borrowed). */
void protect_attach(struct protect *protect, struct store *store);
/* One address of the last good answer of an earlier run, however old that is; names that nobody
 * names any more are forgotten. */
void protect_load_address(struct protect *protect, const char *name, const struct ip *ip);

/* Reads what a person allows: an address or a prefix, or a host name (ret_ip->family 0). -1 with a
 * sentence: neither, or one that is ignore_words_is_wide: a slip must not open all to everybody. */
int protect_word(const char *word, bool may_be_wide, struct ip *ret_ip, struct error *err);
/* Protects what the word names until for_s from now (0: for ever), over restarts, and lifts its
 * bans. note may be NULL. -1 with a sentence: no such word, too wide, a negative time or one of
 * more than 3000 years, or too many. Disallow: -1 if there is no such entry; a name that ignoreip
 * has too stays. The firewall role takes nothing back: there an entry ends with the time that it
 * was first told, or with the next engine. */
int protect_allow(struct protect *protect, const char *word, int64_t for_s, const char *note,
	int64_t now_s, struct error *err);
int protect_disallow(struct protect *protect, const char *word, struct error *err);
/* A row of an earlier run. */
void protect_load_allow(struct protect *protect, const struct store_allow *allow, int64_t now_s);
/* Entry number `index`, oldest first, NULL: there are no more. Names are in lower case, the note is
 * as it was given. */
const struct store_allow *protect_allowed(const struct protect *protect, size_t index);

/* Reads files that have changed, asks what is due, lets go what is over, tells the firewall role
 * what it has not heard of. */
void protect_tick(struct protect *protect, int64_t now_s);
/* A notifier has just started: what an earlier one was asked is asked again. */
void protect_joined(struct protect *protect, int64_t now_s);
/* An answer of kind MESSAGE_NAME_PROTECT; one that was not asked for changes nothing. */
void protect_answer(struct protect *protect, const struct message_name *answer, int64_t now_s);
/* Tells what waits for room; false: some still does. */
bool protect_flush(struct protect *protect, int64_t now_s);

/* Whether everything that is named is protected; else what is not, rendered, in one sentence. */
bool protect_is_well(const struct protect *protect, char *ret_text, size_t text_bytes);

#endif
