#ifndef VG_HIT_H
#define VG_HIT_H

#include "config/config.h"
#include "match/groups.h"

#include <stdbool.h>

struct hit;

/* Says who in *hit, and the fields; the values stay where groups has them. Who is the first of
 * F-ID, IP4, IP6, DNS that took part; a name that is to be looked up goes before an F-ID. hit->ip
 * is the address found, also where an F-ID says who. False: nobody is named. */
bool filter_hit_read(const struct filter_groups *groups, const struct filter_names *names,
	enum usedns usedns, struct hit *hit);

#endif
