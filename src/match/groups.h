#ifndef VG_GROUPS_H
#define VG_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

struct error;
struct rule;
struct hit;

/* Groups: the named parts of a rule, such as F-USER, and what they match. A filter with more names
 * than GROUPS_MAX is an error; what is longer of tuples is cut. */
enum { GROUPS_MAX = 64, GROUP_TUPLES_BYTES_MAX = 1024 };

/* The numbers of the names that mean something to us; those of a filter's other names follow. */
enum group {
	GROUP_FID,
	GROUP_IP4,
	GROUP_IP6,
	GROUP_DNS,
	GROUP_CIDR,
	GROUP_CONTENT,
	GROUP_MLFID,     /* F-MLFID: which session the line belongs to */
	GROUP_MLFFORGET, /* F-MLFFORGET: the session ends */
	GROUP_MLFGAINED, /* F-MLFGAINED: somebody was let in */
	GROUP_NOFAIL,    /* F-NOFAIL: the line helps, but is no failure */
	GROUPS_KNOWN,
};

/* The names of all rules of one filter. A name's number is its index. Zero is empty. */
struct groups_names {
	char *list[GROUPS_MAX]; /* owned */
	size_t count;           /* 0, or those of enum group and more */
};

void groups_names_init(struct groups_names *names);
void groups_names_done(struct groups_names *names);
/* The number of name, which is added if it is new. -1: there are GROUPS_MAX already. */
int groups_names_add(struct groups_names *names, const char *name, unsigned *ret_number,
	struct error *err);

struct group_value {
	/* borrowed, not NUL-ended; NULL: the group took no part in the hit, or the rule has none */
	const char *text;
	size_t length;
	bool is_named; /* the rule has such a group, which counts also if it took no part */
};

/* What a rule has found in a line, by the names' numbers. */
struct groups {
	struct group_value values[GROUPS_MAX];
	char tuples[GROUP_TUPLES_BYTES_MAX]; /* the text of values that are made of several */
	size_t tuples_length;
};

/* Reads the groups of rule's last hit on input. F-ALT_x fills x where that is empty, in the order
 * of their names; x and then its F-TUPLE_x, in their order, become "('a', 'b')", with None for one
 * that took no part. */
void groups_read(struct groups *ret_groups, const struct rule *rule, const char *input);
/* Takes over from `under` (prefregex) every group that the rule of `groups` (a failregex) does not
 * have. One that it has and that took no part hides the one below. under outlives groups. */
void groups_fill(struct groups *groups, const struct groups *under);

/* Fills in who and the fields of *hit; the values stay where groups has them. Who is the first of
 * F-ID, IP4, IP6 and DNS that took part, but a name that is to be looked up goes before an F-ID.
 * hit->ip is the address found, also where an F-ID says who. False: nobody is named. */
bool groups_hit(const struct groups *groups, const struct groups_names *names, enum usedns usedns,
	struct hit *hit);

#endif
