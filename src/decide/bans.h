#ifndef VG_BANS_H
#define VG_BANS_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The ban table: who is banned by which jail until when, and, derived from it, which elements
 * the kernel should hold. The table is also the send queue: a change stays queued until it has been
 * handed to the firewall role, and an element is held once that role has said so. */
struct bans;

enum {
	BANS_MAX = 500000, /* full: the ban that would end first ends now (bans_overflow) */
	BAN_JAILS_MAX = 512,
	BAN_JAIL_SCOPES_MAX = 4,
	BAN_ACCOUNT_MAX = 64,
	BAN_NOTE_MAX = 96,
};

/* One ban of one jail. until_s 0: permanent. An expired one has ended by the clock, but the log is
 * still being caught up: lines stamped inside it must not count. */
struct ban {
	struct ip ip;
	uint32_t jail;
	int64_t since_s;
	int64_t until_s;
	uint32_t failures;
	bool proven;
	bool expired;
	char account[BAN_ACCOUNT_MAX]; /* raw bytes up to the NUL */
	char note[BAN_NOTE_MAX];
	uint32_t number; /* which one of its address this is, by bantime.increment; 0: no matter */
	uint32_t row_number; /* which one of (jail, address) */
	int64_t row;         /* of the database */
	size_t slot;         /* its place in the heap of ends; SIZE_MAX: permanent or expired */
};

struct bans *bans_new(void);
void bans_free(struct bans *bans);

/* The scopes (numbers < 256) that a ban of this jail closes. Before its first ban. */
void bans_jail(struct bans *bans, uint32_t jail, const uint8_t *scopes, size_t n_scopes);

/* Adds a copy, or replaces the ban of the same (jail, address). Valid until it ends. */
struct ban *bans_add(struct bans *bans, const struct ban *ban);
/* A full table: the ban that bans_add would push out, NULL while there is room. */
struct ban *bans_overflow(const struct bans *bans);
struct ban *bans_find(const struct bans *bans, uint32_t jail, const struct ip *ip);
/* Ends a ban and frees it. lift: also takes the element out of the kernel, unless another
 * jail's ban keeps it; otherwise the kernel's own timeout does. */
void bans_end(struct bans *bans, struct ban *ban, bool lift);
/* Marks the ban as expired: no longer in the kernel, not shown, still bans_find-able. */
void bans_expire(struct bans *bans, struct ban *ban);
void bans_drop_expired(struct bans *bans);

/* The ban that ends next, NULL if none has an end. */
struct ban *bans_first_end(const struct bans *bans);
/* Every ban once (expired ones too); *cursor starts at 0; the one just returned may be ended. */
struct ban *bans_next(const struct bans *bans, size_t *cursor);
/* Without expired ones. */
uint32_t bans_count(const struct bans *bans, uint32_t jail);

struct ban_change {
	uint8_t scope;
	struct ip ip;
	bool lift;
	int64_t ttl_s; /* 0: permanent */
};
/* The next change for the kernel, false if there is none. It stays first until bans_sent. */
bool bans_peek(struct bans *bans, int64_t now_s, struct ban_change *ret_change);
void bans_sent(struct bans *bans);
/* The firewall role's answer. lift: it was a lift. failure: 0 or an errno value. Returns false if
 * nobody waits for it. */
bool bans_held(struct bans *bans, uint8_t scope, const struct ip *ip, bool lift, int failure);
/* All elements of this ban are in the kernel as far as we know. *ret_failure (may be NULL): the
 * errno value of the last refusal, 0 if none. */
bool bans_in_kernel(const struct bans *bans, const struct ban *ban, int *ret_failure);
/* Elements that were refused are sent once more: the kernel is well again, and may hold them by
 * now. */
void bans_retry(struct bans *bans);
/* A change of this element waits to be sent or to be answered. */
bool bans_has_change(const struct bans *bans, uint8_t scope, const struct ip *ip);
/* A jail whose ban wants this element, or NULL. */
struct ban *bans_of_element(const struct bans *bans, uint8_t scope, const struct ip *ip);
/* Elements that the kernel should hold, and lifts not yet acknowledged. */
size_t bans_waiting(const struct bans *bans);
/* Which scopes a ban of jail closes. */
size_t bans_scopes(const struct bans *bans, uint32_t jail, uint8_t ret_scopes[BAN_JAIL_SCOPES_MAX]);

/* Asserts the invariants; for tests. */
void bans_check(const struct bans *bans);

#endif
