#ifndef VG_READER_H
#define VG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

/* The structured reader of the records that Asterisk writes at its level SECURITY: who did it,
 * when, and whether that is proven. It reads them so that nobody who can put bytes into a record
 * decides whom it names, and nobody who can put bytes into another message writes one that proves
 * anything. One pass over the line, no regex. It knows the records of Asterisk 1.8 to 22 (PJSIP,
 * AMI, and chan_sip up to 20) out of a file, [plain] or [json] ones too, and a console's out of the
 * journal; what goes through syslog(3) it reads as ASTERISK_SYSLOG.
 *
 * A record is one line. This one is from a file, broken here to be read:
 *
 *   [2026-11-23 08:51:05] SECURITY[74] res_security_log.c: SecurityEvent="ChallengeResponseFailed",
 *   EventTV="2026-11-23T08:51:05.686+0000",Severity="Error",Service="PJSIP",EventVersion="1",
 *   AccountID="100",SessionID="9c55@198.51.100.1",LocalAddress="IPV4/UDP/192.0.2.10/5060",
 *   RemoteAddress="IPV4/UDP/198.51.100.1/58247",Challenge="1795423865/4477",Response="c9c5",
 *   ExpectedResponse=""
 *
 * Its head is all up to AccountID=" and its tail all from oteAddress=" on.
 *
 * What a caller chooses in it, before anybody knows who he is:
 *
 *   AccountID of PJSIP's InvalidAccountID   36 bytes; quotes, newlines and ESC among them
 *   SessionID of PJSIP (the Call-ID)        any length; quotes and ESC, but no line break
 *   Challenge and Response of PJSIP         63 and 255 bytes; a quote only behind a backslash (OLD)
 *   AccountID of chan_sip                   250 bytes; quotes and newlines
 *   ReceivedChallenge and ReceivedHash of chan_sip   up to their closing quote, or a comma
 *   AccountID of AMI's InvalidAccountID, Response of AMI   1 KiB; quotes
 *
 * Asterisk writes all of these as they come. Its logger then cuts a line at 8191 bytes and leaves
 * out the newline, so that the next record goes on in the same line. It deletes everything from an
 * ESC to the next "m". And a record with a value that is not UTF-8 is not written at all.
 *
 * The rule that holds against all of it, and why:
 *
 * HEAD. Asterisk writes every byte from the start of the line to AccountID=" before the first byte
 * that a caller chose. So the head has to be exact, and its date is never empty.
 *
 * TAIL. Behind the address stand fields whose bytes are the server's own, or (Challenge and
 * Response of PJSIP) a caller's without a bare quote. So the text from oteAddress=" to the end of
 * the record, matched exactly and anchored at that end, cannot be a caller's. The match begins with
 * oteAddress because an ESC may have deleted all up to the m of RemoteAddress, but nothing behind
 * that m.
 *
 * COMPLETE. A record that ends with the address has ",SessionID=" behind its last head, or its
 * LocalAddress stands whole before the address. Without this condition an AccountID of 36 bytes
 * that looks like an address and ends in a newline, such as oteAddress="IPV4/UDP/192.0.2.1/1",
 * would end the line and the record. No other tail has room in 36 bytes.
 *
 * SHORT. Other modules write a caller's value into the same file, newlines too: up to 255 bytes
 * (the name of a user in a single frame of IAX2, without an account or an answer, makes an ERROR).
 * That is room for a head and an address, but not for a whole record, which with any usual date has
 * 260 bytes and more. So a line of 255 bytes is no record. One of up to 300 has to be whole: its
 * date of the form that this file has, all fields in their order, SessionID and LocalAddress among
 * them. What an ESC may have deleted may be missing in a longer one only, and in [json] nothing
 * may, where an ESC deletes nothing. A caller who has his own short record broken by an ESC is
 * counted as ASTERISK_FORGED.
 *
 * MIXED. A file that gets other levels (NOTICE, WARNING, ERROR, VERBOSE, DEBUG) may hold longer
 * values of that kind, and whole records of a caller's. What it says counts, but proves nothing:
 * `proven` is false from the first such line on, and true again at the first line of the next file.
 * The line that a caller's text stands in is itself of such a level, and comes before that text. It
 * is known by more of Asterisk's own words (date, level, thread, source file, text) than the 36
 * bytes of an account have room for: else a caller could take a clean file its proof. In [json] a
 * value cannot end its line, so that objects of other levels do not matter. When reading begins in
 * the middle of a file, asterisk_mark() of the time before tells; without one, and in a journal,
 * nothing is proven.
 *
 * THREAD. One thread writes all records, usually from start to stop, so that the n of SECURITY[n]
 * tells of forgers who do not know it. It is no proof: in a container it is the same at each start.
 * And no reason not to count: a reload of res_security_log changes it, and writes no banner. A
 * record of another thread than the one before is told (ASTERISK_THREAD), but not right after a
 * banner; until 64 records in a row were of one thread, nothing is proven. So a reload is told
 * once.
 *
 * AMI. In its ChallengeResponseFailed a caller's bytes stand only behind the address, so this
 * record is read from its head, and only where it is the first of its line.
 *
 * GLUE. A cut record has no newline, so that several records may stand in one line. The last head
 * whose kind of tail ends the line is the one that the tail belongs to. A head may also be a
 * caller's, inside a SessionID: it cannot move the address, since the address and the tail stand
 * behind the last of all heads. The time is that of the first head, the only one that is the
 * server's for sure. A message of another level may go on behind a cut record as well, and show a
 * caller's value with the end of a record and a newline. So a line that holds, behind its first
 * head, what such a message begins with is given up, and for 64 records nothing is proven; not
 * AMI's answer, whose address stands before all that. A caller can write the same into his Call-ID,
 * and is counted as ASTERISK_FORGED then.
 *
 * SYSLOG. There each record is a line, a cut one too, and the caller chooses where it is cut: a
 * record of PJSIP is charged to nobody.
 *
 * ESC. An ESC with no m behind it stays, and if an earlier one was taken out, the bytes before it
 * come twice. It can stand only behind the true address (the Rem of RemoteAddress has an m) or in a
 * cut record. What comes twice ends with the line's own end, so the last oteAddress=" with a tail
 * is still the true one.
 *
 * OLD. PJSIP before pjproject 2.12 decodes %22 and %0a in a nonce or response that is not quoted,
 * so that these two values hold bare quotes and newlines. Then the same bytes can be a record of A,
 * who wrote the end of B's record into his Response, or a record of B, who wrote the beginning of
 * A's into his Call-ID: neither is charged. And a short line behind such a record may be the rest
 * of its Response. The banner at the head of a file tells whether Asterisk is that old; without a
 * banner it is taken to be, unless another log of the same Asterisk tells (asterisk_suppose). In a
 * mixed file a line like a banner may be a caller's: it makes no old Asterisk a new one, and tells
 * nothing of other logs.
 *
 * CHAN_SIP decodes the extension, and writes up to 250 bytes of it as AccountID, which is room for
 * a record's end and a newline. What follows in the log is then the true end of that record,
 * without a head, for which there is no room besides (%22 for a quote).
 *
 * No reader of text can hold out against a value with room for newlines and a whole record between
 * them, 270 bytes. The HTTP manager (webenabled) has one in the records themselves; of other
 * modules older ones of PJSIP, which show malformed packets whole: there MIXED leaves a claim, and
 * no proof. In [json] a newline stays inside its string: the safest log is a [json] file that gets
 * the level SECURITY and no other. */

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
	ASTERISK_THREAD,    /* no line is of this kind: a record may be it besides, other_thread */
	ASTERISK_KINDS,
};

struct asterisk_piece {
	const char *text; /* not NUL-ended */
	size_t length;
};

/* The pieces lie in the line that was read, or in the reader's own copy until its next call. */
struct asterisk_record {
	struct asterisk_piece text; /* from SecurityEvent= on, as the rules of a filter see it */
	struct asterisk_piece event;
	struct asterisk_piece service;
	struct asterisk_piece transport;
	struct asterisk_piece account; /* a caller's bytes: to be shown, never to be trusted */
	struct asterisk_piece session; /* the same; empty if an ESC has deleted it */
	struct asterisk_piece challenge;
	struct ip ip;
	uint16_t port; /* 0: none that exists */
	int64_t at_ms; /* EventTV */
	/* The source cannot be forged: the attempt came over a connection, or (chan_sip) its answer
	 * repeats the challenge that the server sent to that address; and nobody but Asterisk's
	 * level SECURITY can have written the text (MIXED, THREAD). */
	bool proven;
	bool other_thread; /* it is not of the thread that the record before it was of (THREAD) */
	/* Its line holds another head before its own: that of a cut record, of which nothing is
	 * left, or one that a caller has written into a value. */
	bool behind_head;
};

/* The reader of one log. It keeps the version of Asterisk, whether the file is mixed, and the
 * beginning of a record that a newline inside a value has broken. */
struct asterisk;

struct asterisk *asterisk_new(void);
void asterisk_free(struct asterisk *reader);

/* Reading begins, or begins anew: with the first line of a file (at_head), or in the middle. mark:
 * what asterisk_mark() told when the log was read before; 0: nothing is known. Then, in the middle,
 * nothing is proven by the file's text, since what came before may have been of other levels. */
void asterisk_begin(struct asterisk *reader, uint32_t mark, bool at_head);
/* What is to be known of the log when it is read on later: the version, and whether a line of
 * another level has come since the file's first line. */
uint32_t asterisk_mark(const struct asterisk *reader);
/* No line of another level has come since the file's first line; or one has. Neither: reading began
 * in its middle. */
bool asterisk_is_clean(const struct asterisk *reader);
bool asterisk_is_mixed(const struct asterisk *reader);
/* The first line of a log that is read from further on: it may be a banner. */
void asterisk_learn(struct asterisk *reader, const char *line, size_t length);
/* The major version of Asterisk by the log's last banner, 0: there was none. Up to 19, and without
 * a banner, more records are given up (OLD). */
unsigned asterisk_version(const struct asterisk *reader);
/* The version that the banners of other logs of the same Asterisk tell, 0: none. It holds where
 * this log has no banner, and in a file that is mixed, or may be, if it is older than the banner.
 */
void asterisk_suppose(struct asterisk *reader, unsigned major);

/* Reads one line, without its newline; it may hold any byte. The lines of a log come in their
 * order, from the first on unless asterisk_begin says otherwise. A line that is cut, or that begins
 * in the middle of another (_LINE_BREAK=line-max in the journal), must not come here: a caller
 * chooses where that is. ahead: so many bytes of the log can be read behind the line's newline, at
 * line + length + 1; they tell whether that newline is the record's own. *ret_record is filled for
 * ASTERISK_RECORD and ASTERISK_SYSLOG. */
enum asterisk_kind asterisk_read(struct asterisk *reader, const char *line, size_t length,
	size_t ahead, struct asterisk_record *ret_record);

/* A newline has broken a record: the next line may end it. */
bool asterisk_waits(const struct asterisk *reader);

/* A line is missing here: what stands before it and behind it is not joined, and for a while
 * nothing is proven. */
void asterisk_gap(struct asterisk *reader);

/* A word: "cut", "forged" ... */
const char *asterisk_kind_text(enum asterisk_kind kind);
/* What it means, for people: half a sentence about a line of that kind. */
const char *asterisk_kind_why(enum asterisk_kind kind);
/* Lines of that kind come when somebody makes records unreadable, or too many. */
bool asterisk_kind_is_blind(enum asterisk_kind kind);

#endif
