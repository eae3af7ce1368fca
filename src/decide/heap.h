#ifndef VG_HEAP_H
#define VG_HEAP_H

#include <stdint.h>

/* A binary heap: of all items in it, it knows the one with the smallest key. The items stay the
 * caller's, who tells by heap->key what an item's key is, and where the item keeps its index in the
 * heap. */
struct heap_key {
	int64_t key;
	uint32_t *slot;
};

/* No item has a smaller key than list[0], nor than its parent: list[(i - 1) / 2] is that of
 * list[i]. The slot of list[i] is i. To be made with `key` set and all else zero. */
struct heap {
	struct heap_key (*key)(void *item);
	void **list; /* owned */
	uint32_t count;
	uint32_t room;
};

void heap_done(struct heap *heap);
void heap_add(struct heap *heap, void *item);
/* The item must be in the heap. */
void heap_remove(struct heap *heap, void *item);
/* The key of an item in the heap has become another. */
void heap_settle(struct heap *heap, void *item);
/* The item with the smallest key; NULL: the heap is empty. */
void *heap_first(const struct heap *heap);

/* Asserts the invariants; for tests. */
void heap_check(const struct heap *heap);

#endif
