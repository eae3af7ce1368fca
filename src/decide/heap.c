#include "decide/heap.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { ROOM_FIRST = 64 };

static int64_t key_at(const struct heap *heap, uint32_t slot)
{
	return heap->key(heap->list[slot]).key;
}

static void item_place(struct heap *heap, uint32_t slot, void *item)
{
	heap->list[slot] = item;
	*heap->key(item).slot = slot;
}

void heap_done(struct heap *heap)
{
	free(heap->list);
	*heap = (struct heap){ .key = heap->key };
}

void heap_settle(struct heap *heap, void *item)
{
	const int64_t key = heap->key(item).key;
	uint32_t slot = *heap->key(item).slot;

	while (slot > 0 && key_at(heap, (slot - 1) / 2) > key) {
		item_place(heap, slot, heap->list[(slot - 1) / 2]);
		slot = (slot - 1) / 2;
	}
	for (;;) {
		uint32_t child = 2 * slot + 1;

		if (child + 1 < heap->count && key_at(heap, child + 1) < key_at(heap, child))
			child++;
		if (child >= heap->count || key_at(heap, child) >= key)
			break;
		item_place(heap, slot, heap->list[child]);
		slot = child;
	}
	item_place(heap, slot, item);
}

void heap_add(struct heap *heap, void *item)
{
	if (heap->count == heap->room) {
		heap->room = heap->room ? 2 * heap->room : ROOM_FIRST;
		heap->list = alloc_grow(heap->list, heap->room, sizeof(*heap->list));
	}
	item_place(heap, heap->count++, item);
	heap_settle(heap, item);
}

void heap_remove(struct heap *heap, void *item)
{
	uint32_t slot = *heap->key(item).slot;
	void *last = heap->list[--heap->count];

	if (last == item)
		return;
	item_place(heap, slot, last);
	heap_settle(heap, last);
}

void *heap_first(const struct heap *heap)
{
	return heap->count ? heap->list[0] : NULL;
}

void heap_check(const struct heap *heap)
{
	for (uint32_t i = 0; i < heap->count; i++) {
		assert(*heap->key(heap->list[i]).slot == i);
		assert(i == 0 || key_at(heap, (i - 1) / 2) <= key_at(heap, i));
	}
}
