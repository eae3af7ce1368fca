#ifndef VG_IPMAP_H
#define VG_IPMAP_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A hash map from an address or prefix, together with a number (the tag), to a pointer that stays
 * the caller's. The hash has a random seed, so that an outsider cannot choose addresses that
 * collide. The map grows in small steps, so that no single insert is slow. It holds at most `cap`
 * entries: then ipmap_put refuses, and the caller decides which entry to remove. */
struct ipmap;

struct ipmap *ipmap_new(size_t cap);
/* The values are not freed. map may be NULL. */
void ipmap_free(struct ipmap *map);
void *ipmap_get(const struct ipmap *map, const struct ip *ip, uint32_t tag);
/* Adds the entry, or replaces the value of the one that is there; value is not NULL. False: the map
 * is full and nothing changed. */
bool ipmap_put(struct ipmap *map, const struct ip *ip, uint32_t tag, void *value);
/* Removes the entry and returns its value, or NULL if there was none. */
void *ipmap_remove(struct ipmap *map, const struct ip *ip, uint32_t tag);
size_t ipmap_count(const struct ipmap *map);
/* Returns the value of every entry once, in no particular order, then NULL. *cursor is 0 before the
 * first call. Between two calls the entry just returned may be removed; no other change is
 * allowed. */
void *ipmap_next(const struct ipmap *map, size_t *cursor);

#endif
