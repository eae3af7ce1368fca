#ifndef VG_BANS_H
#define VG_BANS_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The ban table: who is banned by which jail until when, and, derived from it, which elements the
 * kernel's nftables sets should hold. A ban of one address in a jail with two scopes (port lists)
 * wants two elements; bans of two jails with one scope share one. A jail has two lists of scopes: a
 * proven ban closes one, and an unproven one, whose address may be forged, the other, which may be
 * narrower. The table is also the send queue:
 * a change stays queued until it has been handed to the firewall role, and an element counts as
 * held once that role has confirmed it. Times are wall-clock seconds. */
struct bans;

enum {
	BANS_MAX = 500000, /* beyond, see bans_overflow() */
	BAN_JAILS_MAX = 512,
	BAN_JAIL_SCOPES_MAX = 4,
	BAN_ACCOUNT_MAX = 64,
	BAN_NOTE_MAX = 96,
};

/* One ban of one jail. An expired ban has ended by the clock, but is kept until the log has been
 * read past its end: a line that is read only now but was written during the ban must not count
 * towards the next one. */
struct ban {
	struct ip ip;
	uint32_t jail;
	int64_t since_s;
	int64_t until_s;   /* 0: permanent */
	uint32_t failures; /* that led to it */
	bool proven;       /* all of them came from sources that cannot be forged */
	bool expired;
	char account[BAN_ACCOUNT_MAX]; /* tried last; bytes as in the log, NUL-ended */
	char note[BAN_NOTE_MAX];       /* of a ban by hand; "": none */
	uint32_t number;               /* 3: the third of its address; 0: no bantime.increment */
	uint32_t row_number;           /* the same within its own jail; stored in the database */
	int64_t row;                   /* id of its row in the database, 0: none yet */
	uint32_t slot;                 /* for bans.c: the index in its heap */
};

struct bans *bans_new(void);
void bans_free(struct bans *bans);

/* Numbers of scopes. */
struct ban_scopes {
	uint8_t list[BAN_JAIL_SCOPES_MAX];
	size_t count;
};

/* Sets the scopes that the proven and the unproven bans of this jail close. To be called before the
 * jail's first ban. */
void bans_jail(struct bans *bans, uint32_t jail, const struct ban_scopes *proven,
	const struct ban_scopes *unproven);

/* Adds a copy, or replaces the ban of the same (jail, address): what only the old one wanted is
 * lifted. The table owns the result, which is valid until the ban ends; NULL: the table is full. */
struct ban *bans_add(struct bans *bans, const struct ban *ban);
/* The ban that should be ended to make room in a full table: the unproven one that would end first;
 * for a proven ban, without one, the proven one that would. So forged addresses free nobody. NULL:
 * there is room, or no such ban has an end. */
struct ban *bans_overflow(const struct bans *bans, bool proven);
/* The ban of (jail, address), an expired one too; NULL: none. */
struct ban *bans_find(const struct bans *bans, uint32_t jail, const struct ip *ip);
/* Ends a ban and frees it. lift: also has its elements deleted in the kernel, unless another jail's
 * ban wants them; without lift they are left to the kernel's own timeout. */
void bans_end(struct bans *bans, struct ban *ban, bool lift);
/* Marks the ban as expired: it is no longer in the kernel and not shown, but bans_find still finds
 * it. */
void bans_expire(struct bans *bans, struct ban *ban);
/* Ends all expired bans. */
void bans_drop_expired(struct bans *bans);

/* The ban that ends next; NULL: all are permanent or expired. */
struct ban *bans_first_end(const struct bans *bans);
/* Iterates over all bans, expired ones too, in no order; *cursor starts at 0. NULL: no more. The
 * ban just returned may be ended meanwhile, others may not. */
struct ban *bans_next(const struct bans *bans, size_t *cursor);
/* How many bans the jail has, without expired ones. */
uint32_t bans_count(const struct bans *bans, uint32_t jail);

/* A change for the kernel: hold the element for ttl_s from now, or (lift) delete it. */
struct ban_change {
	uint8_t scope;
	struct ip ip;
	bool lift;
	int64_t ttl_s; /* 0: permanent, or a lift */
};
/* Gives the first queued change; false: there is none. It stays the first until bans_sent. */
bool bans_peek(struct bans *bans, int64_t now_s, struct ban_change *ret_change);
/* The first queued change (there must be one) has been handed to the firewall role. */
void bans_sent(struct bans *bans);
/* Takes in the firewall role's answer to a change. lift: the change was a lift. failure: 0 or an
 * errno value. Returns false if no change of this element is waiting for an answer. */
bool bans_held(struct bans *bans, uint8_t scope, const struct ip *ip, bool lift, int failure);
/* Whether all elements of this ban are in the kernel, as the answers have it. *ret_failure (may be
 * NULL): errno value with which the kernel has refused one of them, 0: none. */
bool bans_in_kernel(const struct bans *bans, const struct ban *ban, int *ret_failure);
/* Queues again what the kernel has refused. To be called when its trouble seems to be over, after a
 * full set or a deleted table for instance. */
void bans_retry(struct bans *bans);
/* Whether a change of this element is waiting to be sent or answered. */
bool bans_has_change(const struct bans *bans, uint8_t scope, const struct ip *ip);
/* A ban that wants this element, of any jail; NULL: none does. */
struct ban *bans_of_element(const struct bans *bans, uint8_t scope, const struct ip *ip);
/* The kernel holds this element though no ban wants it: it is deleted there. */
void bans_lift_element(struct bans *bans, uint8_t scope, const struct ip *ip);
/* How many changes are waiting to be sent or answered. */
size_t bans_waiting(const struct bans *bans);
/* The scopes that this ban closes. */
const struct ban_scopes *bans_scopes(const struct bans *bans, const struct ban *ban);

/* Asserts the invariants; for tests. */
void bans_check(const struct bans *bans);

#endif
