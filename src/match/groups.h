#ifndef VG_GROUPS_H
#define VG_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

struct error;
struct rule;
struct hit;

/* More names in one filter: an error. Longer tuples are cut. */
enum { GROUPS_MAX = 64, GROUP_TUPLES_BYTES_MAX = 1024 };

/* Names that mean something to us; the others of a filter follow. */
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

/* The names of all rules of one filter: a name's number is its index. Zero is empty. */
struct groups_names {
	char *list[GROUPS_MAX]; /* owned */
	size_t count;           /* 0, or those of enum group and more */
};

void groups_names_init(struct groups_names *names);
void groups_names_done(struct groups_names *names);
/* The number of name, a new one if need be. -1: GROUPS_MAX. */
int groups_names_add(struct groups_names *names, const char *name, unsigned *ret_number,
	struct error *err);

struct group_value {
	const char *text; /* borrowed, not NUL-ended; NULL: took no part, or no such group */
	size_t length;
	bool is_named; /* the rule has such a group: then it counts also without text */
};

/* What a rule has found in a line, by the names' numbers. */
struct groups {
	struct group_value values[GROUPS_MAX];
	char tuples[GROUP_TUPLES_BYTES_MAX]; /* where values that are made of several lie */
	size_t tuples_length;
};

/* The groups of rule's last hit on input: F-ALT_x fills x where that is empty, in order of the
 * names; x and then its F-TUPLE_x, in order, become "('a', 'b')", None for those without part. */
void groups_read(struct groups *ret_groups, const struct rule *rule, const char *input);
/* Takes over from `under` every group that it has no name for: prefregex comes under failregex like
 * this. A group that the rule names and that took no part hides the one below. under outlives
 * groups. */
void groups_fill(struct groups *groups, const struct groups *under);

/* Says who in *hit, and the fields; the values stay where groups has them. Who is the first of
 * F-ID, IP4, IP6, DNS that took part; a name that is to be looked up goes before an F-ID. hit->ip
 * is the address found, also where an F-ID says who. False: nobody is named. */
bool groups_hit(const struct groups *groups, const struct groups_names *names, enum usedns usedns,
	struct hit *hit);

#endif
