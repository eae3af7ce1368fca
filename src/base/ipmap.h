#ifndef VG_IPMAP_H
#define VG_IPMAP_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A hash map from (address or prefix, tag) to a pointer that the caller owns. Seeded at random, so
 * that an outsider cannot choose collisions; grows in steps, so that no insert stalls; holds at
 * most `cap` entries, then ipmap_put refuses and the caller evicts by its own policy. */
struct ipmap;

struct ipmap *ipmap_new(size_t cap);
/* Values are not freed. */
void ipmap_free(struct ipmap *map);
void *ipmap_get(const struct ipmap *map, const struct ip *ip, uint32_t tag);
/* Sets or replaces; value is not NULL. False: the map is full and nothing changed. */
bool ipmap_put(struct ipmap *map, const struct ip *ip, uint32_t tag, void *value);
/* Returns what was there, or NULL. */
void *ipmap_remove(struct ipmap *map, const struct ip *ip, uint32_t tag);
size_t ipmap_count(const struct ipmap *map);
/* Every entry once, in no order; *cursor starts at 0. NULL at the end. Between calls the entry
 * just returned may be removed, nothing else. */
void *ipmap_next(const struct ipmap *map, size_t *cursor);

#endif
