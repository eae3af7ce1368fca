#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *must(void *memory)
{
	static const char message[] = "<2>voipguard: out of memory\n";
	ssize_t ignored;

	if (memory)
		return memory;
	ignored = write(STDERR_FILENO, message, sizeof(message) - 1);
	(void)ignored; /* the process ends anyway */
	_exit(70);
}

void *alloc_zero(size_t size_bytes)
{
	return must(calloc(1, size_bytes ? size_bytes : 1));
}

void *alloc_array(size_t count, size_t size_bytes)
{
	return must(calloc(count ? count : 1, size_bytes ? size_bytes : 1));
}

void *alloc_grow(void *memory, size_t count, size_t size_bytes)
{
	return must(reallocarray(memory, count ? count : 1, size_bytes ? size_bytes : 1));
}

void *alloc_room(void *items, size_t count, size_t *room, size_t size_bytes)
{
	enum { ROOM_FIRST = 64 };

	if (count < *room)
		return items;
	*room = *room ? 2 * *room : ROOM_FIRST;
	return alloc_grow(items, *room, size_bytes);
}

char *alloc_string(const char *text)
{
	return must(strdup(text));
}

char *alloc_bytes(const void *bytes, size_t length)
{
	char *copy = must(malloc(length + 1));

	if (length)
		memcpy(copy, bytes, length);
	copy[length] = '\0';
	return copy;
}

char *alloc_format(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	return must(length < 0 ? NULL : text);
}

void alloc_cleanup_free(void *pointer)
{
	void *memory;

	memcpy(&memory, pointer, sizeof(memory));
	free(memory);
}

void alloc_cleanup_close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* no write is pending: a failure loses nothing */
}

void alloc_cleanup_file(void *pointer)
{
	FILE *file;

	memcpy(&file, pointer, sizeof(file));
	if (file)
		(void)fclose(file); /* the file was only read, or its writes were checked before */
}
