#ifndef VG_FILTER_H
#define VG_FILTER_H

#include "asterisk/reader.h"
#include "base/findings.h"
#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filter;
struct filter_def;
struct records;
struct findings;
struct line;

/* Further fields of a rule are dropped; hosts and values are cut to HIT_TEXT_MAX bytes. */
enum { HIT_FIELDS_MAX = 16, HIT_TEXT_MAX = 256 };

enum filter_result {
	FILTER_MISS,    /* no rule matches, or the line alone is no failure (F-NOFAIL) */
	FILTER_HIT,     /* a failure */
	FILTER_IGNORED, /* an ignoreregex matches */
};

/* A name and the value that a rule found for it ("user" by F-USER), in this line or in an earlier
 * one of the same session. All texts of a hit belong to the filter and hold until its next call. */
struct hit_field {
	const char *name;
	const char *value;
	size_t length;
};

/* What an event in the security log of Asterisk tells of the attempt. */
enum hit_event {
	HIT_PLAIN,           /* any other record or line */
	HIT_GUESS,           /* ChallengeResponseFailed, InvalidPassword */
	HIT_UNKNOWN_ACCOUNT, /* InvalidAccountID */
	HIT_ACL,             /* FailedACL */
};

/* How sure it is that the attempt came from the address in the line. */
enum hit_proof {
	HIT_UNPROVEN, /* The address may be forged, or the log does not tell. The hit counts. */
	HIT_PROVEN,   /* It has answered a handshake or the server's challenge. The hit counts. */
	/* A caller may have written the end of the record, with the address (ASTERISK_SYSLOG). The
	 * hit is charged to nobody. */
	HIT_DOUBTFUL,
};

struct hit {
	struct ip ip; /* family 0: the rule found only a name or an id, or no valid address */
	/* Whom the hit is about, as text, not NUL-ended: the F-ID, else the address, else the
	 * name. */
	const char *host;
	size_t host_length;
	bool host_is_name; /* host is a name to look up: ip is empty, and usedns is yes or warn */
	bool has_time;
	int64_t at_ms;    /* milliseconds since the epoch; without a date it is now_s * 1000 */
	unsigned rule;    /* index of the failregex, from 1 */
	unsigned n_lines; /* lines of the log that tell of it: several in a session or with maxlines
			   */
	const char *account; /* F-USER or AccountID as it stands there, not NUL-ended; NULL: none */
	size_t account_length;
	struct hit_field fields[HIT_FIELDS_MAX];
	size_t n_fields;
	enum hit_proof proof;
	/* Of a record of Asterisk, for whoever can prove its source by them: the nonce that the
	 * caller names, "UDP" ..., and the port that he has sent from. Empty and 0 else. */
	struct asterisk_piece challenge;
	struct asterisk_piece transport;
	uint16_t port;
	uint64_t session; /* a hash of PJSIP's SessionID, the same after a restart; 0: none */
	enum hit_event event;
};

/* With `parser = asterisk-security` asterisk_read() reads each line first. The rules then see the
 * text of a record, and only say whether it counts: who, when and the fields (event, service,
 * transport, account, session, challenge) come from the reader. If a rule gives up at its limit on
 * the record of a failure, the record counts, so that nobody can hide an attempt by making its
 * record long. */

/* Compiles every rule of def (with JIT). A rule that does not compile becomes a finding with
 * PCRE2's message and the column. def must outlive the filter. NULL: an error was added to the
 * findings. */
struct filter *filter_new(const struct filter_def *def, struct findings *findings);
void filter_free(struct filter *filter);

/* Judges one line. now_s is the current time in seconds since the epoch: it completes dates without
 * a year, stands for the date of lines that have none, and replaces a date in the future (at_ms <=
 * now_s * 1000 + 999).
 *
 * With maxlines > 1 the rules see the last lines together, in the order of the calls, and a line
 * without a date has that of the line before, if that is younger than a minute. With F-MLFID the
 * lines of one session are judged together. The time of a hit is that of the line that completes
 * it.
 *
 * In a dated line no date is looked for, and none is cut out. From a line of the journal (a filter
 * with logtype = journal) none is cut out either; a date at the start of its message only gives its
 * time. An only_head line is a miss, and so is a rest.
 *
 * Of a line that was cut off only the start is known, and only what is true of it whatever follows
 * counts (regex_match_head): a failregex (and prefregex) hits if it has found all that it asks for
 * without looking at the end. So one that ends in $ or .* never does, nor one with a lookahead that
 * may go as far; one that ends in a fixed text, behind which the line may go on, does. The line is
 * IGNORED then unless each ignoreregex surely does not match, which only one that begins with ^ and
 * fails before the end can say: no padding gets a line past an ignoreregex, and a filter with
 * others than that never counts a line that was cut. With maxlines > 1 such a line is a miss, and
 * no part of the buffer. With a parser it is for the parser to judge.
 *
 * *ret_hit is filled in for HIT and IGNORED; after MISS only `rule` has a meaning: the rule that
 * took the line as a part of a session, 0: none. The filter keeps state: one call at a time. */
enum filter_result filter_match(struct filter *filter, const struct line *line, int64_t now_s,
	struct hit *ret_hit);

/* The text of failregex number `rule` (from 1) as it stands in the file, for people. */
const char *filter_rule_text(const struct filter *filter, unsigned rule);
/* What the filter's parser has made of the lines (match/records.h), borrowed; of a filter without a
 * parser: nothing. */
const struct records *filter_records(const struct filter *filter);

/* How often a rule hit its match limit on a line since filter_new. */
uint64_t filter_limit_hits(const struct filter *filter);
struct filter_limited {
	const char *kind; /* "failregex" ... */
	unsigned number;  /* from 1 */
	struct position at;
	uint64_t lines;
};
/* Tells on how many lines rule number `index` (from 0, over all kinds) has given up. False: there
 * are no more rules. */
bool filter_limited(const struct filter *filter, size_t index, struct filter_limited *ret);

#endif
