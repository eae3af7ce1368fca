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
struct pbx;
struct store;
struct store_allow;

/* Who is never banned, beyond the plain addresses in ignoreip: the host names and files that
 * ignoreip names, the trunks of Asterisk's own configuration, and what a person has allowed with
 * "voipguard allow".
 *
 * Host names are looked up at the start, and again when their answer is older than its TTL. Only an
 * answer with addresses changes what is protected. No answer, SERVFAIL or "no such name" leave the
 * last good answer as it is; the database keeps that for the next start. An address that a newer
 * answer lacks stays protected for twice the answer's TTL: other resolvers may keep the older
 * answer as long, and a name server with a pool of addresses gives a few of them at a time. The
 * firewall role protects such an address until the next engine starts; if its name was allowed by
 * hand for a time, only until that time is over.
 *
 * Files are read at the start, and again when device, inode, size or times have changed. A file
 * that cannot be read keeps its last entries. Asterisk's files (pbx/pbx.h) are looked at as often;
 * they are read again when two looks have found the same change, or after a minute of changes. */
enum {
	PROTECT_ALLOWS_MAX = 1000,       /* entries by hand */
	PROTECT_NAMES_MAX = 256,         /* more are left out, which is logged */
	PROTECT_FILES_MAX = 64,          /* the same */
	PROTECT_HOST_ADDRESSES_MAX = 64, /* of a name, with former ones, which go first */
	PROTECT_TTL_MIN_S = 60,          /* also of a shorter TTL: one of 0 means to ask always */
	PROTECT_TTL_MAX_S = 3600,
	PROTECT_RETRY_S = 30, /* a name without an answer is asked for again after so long */
	PROTECT_ASKED_MAX =
		16, /* questions without an answer yet; further ones wait for a later tick */
	PROTECT_FILES_EVERY_S = 2,  /* so often files are looked at */
	PROTECT_PBX_WAITS_MAX = 30, /* looks at Asterisk's files while they change */
};

struct protect_events {
	/* Hands a question, which looks up a name, to the notifier. False: not now, try again. */
	bool (*ask)(void *context, const struct message_name *question);
	/* Tells the firewall role to protect ip for ttl_s from now (0: for ever); it may protect it
	 * already, for a shorter time. False: not now, try again. */
	bool (*tell)(void *context, const struct ip *ip, const char *because, int64_t ttl_s);
	void *context;
};

/* Reads the ignoreip files of all enabled jails and protects what they hold. Nothing is asked or
 * told yet. config, guard and protected are borrowed and outlive it; events is copied. */
struct protect *protect_new(const struct config *config, struct guard *guard,
	struct protected *protected, const struct protect_events *events);
void protect_free(struct protect *protect);

/* Takes pbx, Asterisk's configuration as it was read before this process was confined (NULL: it is
 * not to be read), and protects its trunks from now on. To be called before protect_attach. */
void protect_trunks(struct protect *protect, struct pbx *pbx);
/* How many trunks are protected, as a sentence for the status; "" if none is. */
void protect_trunks_text(const struct protect *protect, char *ret_text, size_t text_bytes);
/* From here on answers are recorded in store (borrowed). */
void protect_attach(struct protect *protect, struct store *store);
/* Takes in one address that a name had in the last good answer of an earlier run, however old that
 * is. A name that nobody names any more is deleted from the database. */
void protect_load_address(struct protect *protect, const char *name, const struct ip *ip);

/* Reads what a person allows: "192.0.2.1", "192.0.2.0/24", or a host name (ret_ip->family is then
 * 0). Returns -1 with a sentence in err if it is none of these, or, unless may_be_wide, a prefix
 * that ignore_words_is_wide: a slip like "0.0.0.0/1" must not let everybody in. */
int protect_word(const char *word, bool may_be_wide, struct ip *ret_ip, struct error *err);
/* Protects what the word names for for_s seconds from now (0: for ever), also after a restart, and
 * lifts its bans; an older entry of the same word is replaced. note is copied and may be NULL.
 * Returns -1 with a sentence in err if protect_word fails, for_s is negative or more than 3000
 * years, or there are too many entries. */
int protect_allow(struct protect *protect, const char *word, int64_t for_s, const char *note,
	int64_t now_s, struct error *err);
/* Ends such an entry; -1 with a sentence in err: there is none. A name stays protected if ignoreip
 * has it, too. The firewall role cannot be told to end a protection: there it lasts for the longest
 * time that it has been told, or until the next engine starts. */
int protect_disallow(struct protect *protect, const char *word, struct error *err);
/* Takes in an entry of an earlier run; one whose time is over is deleted from the database. */
void protect_load_allow(struct protect *protect, const struct store_allow *allow, int64_t now_s);
/* Entry number `index` from 0, in the order they were allowed; NULL: there are no more. It is valid
 * until the next call that may change entries. Names are in lower case, notes as given. */
const struct store_allow *protect_allowed(const struct protect *protect, size_t index);

/* To be called every second or so: reads files that have changed, ends what is over, asks for names
 * whose answer is too old, and tells the firewall role what it has not heard of. */
void protect_tick(struct protect *protect, int64_t now_s);
/* A notifier has just started: questions that an earlier one has not answered are asked again. */
void protect_joined(struct protect *protect, int64_t now_s);
/* Takes an answer of kind MESSAGE_NAME_PROTECT; one to no open question changes nothing. */
void protect_answer(struct protect *protect, const struct message_name *answer, int64_t now_s);
/* Tells the firewall role some of what waits in the queue. False: the queue is not empty yet. */
bool protect_flush(struct protect *protect, int64_t now_s);

/* Whether everything that should be protected is. (The name of a trunk that has no address is only
 * logged: who wrote it has not asked for protection.) If not, *ret_text (of text_bytes) is one
 * sentence, rendered, about the first thing that is not; else it is "". */
bool protect_is_well(const struct protect *protect, char *ret_text, size_t text_bytes);

#endif
