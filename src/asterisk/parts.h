#ifndef VG_ASTERISK_PARTS_H
#define VG_ASTERISK_PARTS_H

/* Inside the reader: asterisk_head.c knows how a record begins, asterisk_tail.c how it ends,
 * asterisk.c puts both together and deals with lines. */

#include "asterisk/reader.h"

enum {
	ASTERISK_HEADS_MAX = 64,     /* of one line; more: given up */
	ASTERISK_ACCOUNT_BYTES = 36, /* what PJSIP leaves of an account that it does not know */
};

/* A place in a text. */
struct asterisk_cursor {
	const char *at;
	const char *end;
};

struct asterisk_head {
	const char *start; /* SecurityEvent= */
	const char *end;   /* behind AccountID=" */
	struct asterisk_piece event;
	struct asterisk_piece service;
	int64_t at_ms;
	bool dated;
	bool iso; /* EventTV is of Asterisk 12 and later */
};

/* Steps over text, or stays. */
bool asterisk_take(struct asterisk_cursor *c, const char *text);
/* Steps over bytes that fit; false: fewer than `least` of them. ret may be NULL. */
bool asterisk_take_run(struct asterisk_cursor *c, bool (*fits)(char), size_t least,
	struct asterisk_piece *ret);
/* Steps over ,NAME="value" with a value of bytes that fit. ret may be NULL. */
bool asterisk_take_field(struct asterisk_cursor *c, const char *name, bool (*fits)(char),
	struct asterisk_piece *ret);
bool asterisk_is_digit(char c);
bool asterisk_is_word(char c); /* letters, digits, _ and - */
bool asterisk_is_stamp(char c);
bool asterisk_is(struct asterisk_piece piece, const char *text);
/* The first text in [at, end), NULL: none. */
const char *asterisk_find(const char *at, const char *end, const char *text);

/* Steps over all that stands before SecurityEvent= at the start of a line; false: no such line.
 * *ret_syslog: it is what Asterisk sends to syslog, where no date of its own stands. */
bool asterisk_take_prefix(struct asterisk_cursor *c, bool *ret_syslog);
/* Behind DATE HOST asterisk[pid]: , which a journal puts before each line of a message; or the
 * line. */
const char *asterisk_skip_syslog(struct asterisk_cursor line);
bool asterisk_read_head(struct asterisk_cursor c, struct asterisk_head *ret);
/* Every head in the line, of which the first is at `first`. A head inside the line (glue, or a
 * stranger's) has at least the file's name in front. Returns how many, ASTERISK_HEADS_MAX + 1 at
 * most: too many. */
size_t asterisk_find_heads(struct asterisk_cursor line, const char *first,
	struct asterisk_head heads[ASTERISK_HEADS_MAX + 1]);

/* A whole record begins inside the line, which is none itself. */
bool asterisk_has_record(struct asterisk_cursor line);

/* The major version in the line that Asterisk writes when it opens a file; 0: another line. */
unsigned asterisk_read_banner(struct asterisk_cursor line);

/* heads[at] with the text's end. modern: PJSIP's values behind the address hold no bare quote.
 * False: it does not read as a record of that kind. */
bool asterisk_read_record(const struct asterisk_head *heads, size_t count, size_t at,
	const char *end, bool modern, struct asterisk_record *ret);
/* Records of this kind can be read at all. */
bool asterisk_is_known(const struct asterisk_head *head);

#endif
