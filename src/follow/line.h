#ifndef VG_LINE_H
#define VG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One line of a log and what surrounds it. Whoever reads a log fills it in; it is handed on as it
 * is, to the guard, to each jail's filter, and there to the reader of Asterisk's records. All of it
 * is borrowed for the call. Zero means "not so" or "not known" in each field but the text. */
struct line {
	const char *text; /* without its newline, not NUL-ended; it may hold any byte */
	size_t length;

	/* The file that the line stands in: lines of one path come in their order and may belong
	 * together. NULL: a log that has no name. */
	const char *path;
	const uint64_t *patterns; /* the set of the numbers of tail's patterns that match path */
	/* A number that a reader of the line may set, kept with the file's position and handed on
	 * to the file that follows it under its path; 0 at first. What asterisk_mark() tells of the
	 * file. NULL: nobody would keep it. */
	uint32_t *mark;
	/* So many bytes of the file can be read behind the line's newline, at text + length + 1:
	 * all that are there by now, or at least TAIL_AHEAD_BYTES. 0 behind a cut one. */
	size_t ahead;

	/* The line is longer than TAIL_LINE_MAX (JOURNAL_LINE_MAX): text is its start. A client may
	 * have chosen where the text ends. */
	bool cut;
	/* No line, but a piece of the rest of one that was cut. The pieces come in their order, up
	 * to that line's newline, and after a restart without its start; of the journal none come.
	 * Whoever judges lines passes over them. */
	bool rest;
	bool open;    /* it is the file's last; no newline has ended it, and none will */
	bool at_head; /* it is the file's first, and nothing was cut off before it */
	/* It is the file's first, but reading begins further on: it only tells of the file. Such a
	 * line comes once a run, before the file's others. */
	bool only_head;
	bool first_read; /* the file is read from its head for the first time: lines may be old */
	bool dated;      /* the log itself, not the text, says when: at_ms */
	int64_t at_ms;
};

#endif
