#ifndef VG_READER_H
#define VG_READER_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The structured reader of Asterisk's SECURITY events: who did it, when, how proven, read so that
 * nobody who can put bytes into a value decides it. Asterisk writes values without escaping, cuts
 * at 8191 bytes without a newline, deletes from ESC to the next "m", and lets newlines through;
 * the rule that holds against all of it is in asterisk.c. One pass over the line, no regex.
 * Formats: res_security_log of Asterisk 1.8 to 22 (chan_sip to 20, PJSIP, AMI), as file, [plain],
 * [json], or a console's out of the journal; what goes through syslog(3) is ASTERISK_SYSLOG. */

/* What a line is. Only ASTERISK_RECORD counts for somebody. */
enum asterisk_kind {
	ASTERISK_OTHER,     /* no SECURITY record, nor a part of one */
	ASTERISK_RECORD,    /* read soundly */
	ASTERISK_SYSLOG,    /* read, but its end may be its caller's: PJSIP's, sent to syslog */
	ASTERISK_CUT,       /* begins a record and does not end it */
	ASTERISK_REST,      /* belongs to the record before it, which could not be joined */
	ASTERISK_GLUED,     /* heads of which none is sure to have the line's end */
	ASTERISK_FORGED,    /* a record that Asterisk does not write so */
	ASTERISK_UNDATED,   /* EventTV cannot be read */
	ASTERISK_UNKNOWN,   /* an event of another kind: its address is not known to be safe */
	ASTERISK_NOT_UTF8,  /* "Failed to issue security event": a value was not UTF-8 */
	ASTERISK_DISCARDED, /* the logger says that it has thrown lines away */
	ASTERISK_KINDS,
};

struct asterisk_piece {
	const char *text; /* not NUL-ended */
	size_t length;
};

/* Pieces point into the line given, or into the reader's own copy, until its next call. */
struct asterisk_record {
	struct asterisk_piece text; /* from SecurityEvent= on, as the rules of a filter see it */
	struct asterisk_piece event;
	struct asterisk_piece service;
	struct asterisk_piece transport;
	struct asterisk_piece account; /* hostile bytes, for show only */
	struct asterisk_piece session; /* the same; empty if it was eaten */
	struct asterisk_piece challenge;
	struct ip ip;
	int64_t at_ms; /* EventTV */
	bool proven; /* the source cannot be forged: a connection, or its answer to our challenge */
	/* Its line holds another head before its own: that of a cut record, of which nothing is
	 * left, or one that a caller has written into a value. */
	bool behind_head;
};

/* Keeps the beginning of a record that a newline inside a value has broken. */
struct asterisk;

struct asterisk *asterisk_new(void);
void asterisk_free(struct asterisk *reader);

/* Reading begins (again), at_head: with a file's first line, else in the middle. major: Asterisk's
 * version there, from asterisk_version() of who read it before; 0: not known. */
void asterisk_begin(struct asterisk *reader, unsigned major, bool at_head);
/* The first line of a log that is read from further on: it may be a banner. */
void asterisk_learn(struct asterisk *reader, const char *line, size_t length);
/* Asterisk's major version as the last banner told, 0: none has come. Up to 19 an answer's values
 * may hold bare quotes and newlines, and more records are given up; without a banner too. */
unsigned asterisk_version(const struct asterisk *reader);

/* One line, without its newline; any bytes. One reader for each log, and its lines in order, from
 * the first unless asterisk_begin says otherwise. A line that its bringer has cut, or begun in the
 * middle of another (a journal's _LINE_BREAK=line-max), must not come here: a sender chooses where.
 * ahead: so many bytes of the log can be read behind the line's newline, at line + length + 1; they
 * tell whether that newline is the record's own.
 * *ret_record is filled for ASTERISK_RECORD and ASTERISK_SYSLOG. */
enum asterisk_kind asterisk_read(struct asterisk *reader, const char *line, size_t length,
	size_t ahead, struct asterisk_record *ret_record);

/* The next line may end a record that a newline has broken. */
bool asterisk_waits(const struct asterisk *reader);

/* A line is missing here: nothing is joined over it. */
void asterisk_gap(struct asterisk *reader);

/* A word: "cut", "forged" ... */
const char *asterisk_kind_text(enum asterisk_kind kind);
/* What it means, for people: half a sentence about a line of that kind. */
const char *asterisk_kind_why(enum asterisk_kind kind);
/* Lines of that kind come when somebody makes records unreadable, or too many. */
bool asterisk_kind_is_blind(enum asterisk_kind kind);

#endif
