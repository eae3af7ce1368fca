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

/* The numbers of the names that have a meaning here; the other names of a filter's rules have the
 * numbers behind these. */
enum group {
	GROUP_FID,
	GROUP_IP4,
	GROUP_IP6,
	GROUP_DNS,
	GROUP_CIDR,
	GROUP_CONTENT,
	GROUP_MLFID,     /* F-MLFID: which session the line belongs to */
	GROUP_MLFFORGET, /* F-MLFFORGET: the session ends */
	GROUP_MLFGAINED, /* F-MLFGAINED: the client was let in */
	GROUP_NOFAIL,    /* F-NOFAIL: the line belongs to an attempt, but is no failure */
	GROUPS_KNOWN,
};

/* The names of all groups in the rules of one filter. The number of a name is its index. All zero
 * is empty. */
struct groups_names {
	char *list[GROUPS_MAX]; /* owned */
	size_t count;           /* 0, or at least those of enum group */
};

void groups_names_init(struct groups_names *names);
void groups_names_done(struct groups_names *names);
/* Finds the number of name, which is added if it is new. -1: there are GROUPS_MAX names already;
 * err says so. */
int groups_names_add(struct groups_names *names, const char *name, unsigned *ret_number,
	struct error *err);

struct group_value {
	/* borrowed, not NUL-ended; NULL: the group took no part in the hit, or the rule has none */
	const char *text;
	size_t length;
	bool is_named; /* the rule has such a group, which counts also if it took no part */
};

/* What a rule has found in a line; the index is the number of the name. */
struct groups {
	struct group_value values[GROUPS_MAX];
	char tuples[GROUP_TUPLES_BYTES_MAX]; /* the text of values that are made of several */
	size_t tuples_length;
};

/* Reads the groups of rule's last hit on input. F-ALT_x fills in x where that is empty; several do
 * so in the order of their names. Then x and its F-TUPLE_x, in the same order, are joined as Python
 * prints a tuple: "('a', 'b')", with None for one that took no part. */
void groups_read(struct groups *ret_groups, const struct rule *rule, const char *input);
/* Adds from `under` (the hit of prefregex) every group that the rule of `groups` (a failregex) does
 * not have. A group that this rule has but that took no part still hides the one of `under`. under
 * must outlive groups. */
void groups_fill(struct groups *groups, const struct groups *under);

/* Fills in who and the fields of *hit, whose texts stay where groups has them. Who is the first of
 * F-ID, IP4, IP6 and DNS that took part, except that a name to look up comes before an F-ID.
 * hit->ip is the address that was found, even where an F-ID says who. False: the line names
 * nobody. */
bool groups_hit(const struct groups *groups, const struct groups_names *names, enum usedns usedns,
	struct hit *hit);

#endif
