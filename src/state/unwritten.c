#include "state/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "state/unwritten.h"

/* The one copy of the name of a jail. Names are never dropped before the end, as few jails make
 * many rows. */
static const char *jail_keep(struct unwritten *unwritten, const char *jail)
{
	for (size_t i = 0; i < unwritten->n_jails; i++)
		if (strcmp(unwritten->jails[i], jail) == 0)
			return unwritten->jails[i];
	unwritten->jails = alloc_room(unwritten->jails, unwritten->n_jails, &unwritten->jails_room,
		sizeof(char *));
	unwritten->jails[unwritten->n_jails] = alloc_string(jail);
	return unwritten->jails[unwritten->n_jails++];
}

void *unwritten_row(const struct unwritten *unwritten, enum row_kind kind, size_t index)
{
	return (char *)unwritten->lists[kind].rows + index * row_layouts[kind].bytes;
}

static void texts_copy(struct unwritten *unwritten, enum row_kind kind, void *row)
{
	for (size_t i = 0; row_layouts[kind].columns[i].type; i++) {
		const char **text = row_text(kind, row, i);

		if (text && row_layouts[kind].columns[i].type == COLUMN_JAIL)
			*text = jail_keep(unwritten, *text);
		else if (text)
			*text = alloc_string(*text ? *text : "");
	}
}

static void texts_free(enum row_kind kind, void *row)
{
	for (size_t i = 0; row_layouts[kind].columns[i].type; i++) {
		const char **text = row_text(kind, row, i);

		/* allocated by texts_copy; const is for the readers only */
		if (text && row_layouts[kind].columns[i].type != COLUMN_JAIL)
			free((void *)(uintptr_t)*text);
	}
}

void unwritten_remove(struct unwritten *unwritten, enum row_kind kind, size_t first, size_t count)
{
	struct unwritten_list *list = &unwritten->lists[kind];

	for (size_t i = first; i < first + count; i++)
		texts_free(kind, unwritten_row(unwritten, kind, i));
	list->count -= count;
	if (list->count > first)
		memmove(unwritten_row(unwritten, kind, first),
			unwritten_row(unwritten, kind, first + count),
			(list->count - first) * row_layouts[kind].bytes);
}

/* The index of the row with the same keys, or the number of rows: there is none. */
static size_t find_same(const struct unwritten *unwritten, enum row_kind kind, void *row)
{
	size_t keys = row_layouts[kind].keys;
	size_t count = unwritten->lists[kind].count;

	for (size_t i = 0; keys && i < count; i++) {
		void *other = unwritten_row(unwritten, kind, i);
		size_t same = 0;

		while (same < keys &&
			strcmp(*row_text(kind, row, same), *row_text(kind, other, same)) == 0)
			same++;
		if (same == keys)
			return i;
	}
	return count;
}

void unwritten_add(struct unwritten *unwritten, enum row_kind kind, const void *row)
{
	const struct row_layout *layout = &row_layouts[kind];
	struct unwritten_list *list = &unwritten->lists[kind];
	size_t place = find_same(unwritten, kind, (void *)(uintptr_t)row);
	void *kept;

	if (place < list->count) {
		texts_free(kind, unwritten_row(unwritten, kind, place));
	} else {
		if (layout->max && list->count == layout->max) {
			unwritten_remove(unwritten, kind, 0, layout->dropped);
			unwritten->lost += layout->dropped;
		}
		list->rows = alloc_room(list->rows, list->count, &list->room, layout->bytes);
		place = list->count++;
	}
	kept = unwritten_row(unwritten, kind, place);
	memcpy(kept, row, layout->bytes);
	texts_copy(unwritten, kind, kept);
}

void unwritten_clear(struct unwritten *unwritten)
{
	for (int kind = 0; kind < ROW_KINDS; kind++)
		unwritten_remove(unwritten, kind, 0, unwritten->lists[kind].count);
}

void unwritten_done(struct unwritten *unwritten)
{
	unwritten_clear(unwritten);
	for (int kind = 0; kind < ROW_KINDS; kind++)
		free(unwritten->lists[kind].rows);
	for (size_t i = 0; i < unwritten->n_jails; i++)
		free(unwritten->jails[i]);
	free(unwritten->jails);
	*unwritten = (struct unwritten){ .lost = unwritten->lost };
}
