#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "asterisk/reader.h"
#include "base/times.h"

static const char *text_of(const json_t *truth, const char *key)
{
	const char *text = json_string_value(json_object_get(truth, key));

	return text ? text : "";
}

static bool is_offence(const struct asterisk_record *record)
{
	static const char *const events[] = { "FailedACL", "InvalidAccountID",
		"ChallengeResponseFailed", "InvalidPassword" };

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (record->event.length == strlen(events[i]) &&
			memcmp(record->event.text, events[i], record->event.length) == 0)
			return true;
	return false;
}

static unsigned wrong, missed, missed_optional, hits;

static void check_line(struct asterisk *reader, const char *name, const json_t *truth,
	const char *line, size_t length)
{
	const char *offender = text_of(truth, "offender");
	struct asterisk_record record;
	enum asterisk_kind kind = asterisk_read(reader, line, length, 0, &record);
	int number = (int)json_integer_value(json_object_get(truth, "line"));
	char address[IP_TEXT_MAX] = "";
	char at[UTC_TEXT_MAX] = "";

	if (kind == ASTERISK_RECORD && is_offence(&record)) {
		ip_format(&record.ip, address);
		utc_format_ms(record.at_ms, at);
	}
	if (address[0] && strcmp(address, offender)) {
		print_message("%s:%d: charged %s, not '%s'\n", name, number, address, offender);
		wrong++;
	} else if (address[0] && strncmp(at, text_of(truth, "time"), 19)) {
		print_message("%s:%d: at %s, not %s\n", name, number, at, text_of(truth, "time"));
		wrong++;
	} else if (!address[0] && *offender) {
		bool optional = json_is_true(json_object_get(truth, "optional"));

		print_message("%s:%d: %s, missed %s%s (%s)\n", name, number,
			asterisk_kind_text(kind), offender, optional ? " (optional)" : "",
			text_of(truth, "note"));
		missed += !optional;
		missed_optional += optional;
	} else {
		hits += address[0] != 0;
	}
}

static void check_log(const char *name)
{
	struct asterisk *reader = asterisk_new();
	char path[200];
	char *line = NULL;
	char *truth_line = NULL;
	size_t room = 0;
	size_t truth_room = 0;
	ssize_t length;
	FILE *log;
	FILE *truths;

	(void)snprintf(path, sizeof(path), "tests/corpus/asterisk/%s.log", name);
	log = fopen(path, "re");
	(void)snprintf(path, sizeof(path), "tests/corpus/asterisk/%s.truth.jsonl", name);
	truths = fopen(path, "re");
	assert_non_null(log);
	assert_non_null(truths);
	while ((length = getline(&line, &room, log)) > 0) {
		json_t *truth;

		assert_true(getline(&truth_line, &truth_room, truths) > 0);
		truth = json_loads(truth_line, 0, NULL);
		assert_non_null(truth);
		length -= line[length - 1] == '\n';
		check_line(reader, name, truth, line, (size_t)length);
		json_decref(truth);
	}
	free(line);
	free(truth_line);
	(void)fclose(log);
	(void)fclose(truths);
	asterisk_free(reader);
}

static void captures(void **state)
{
	static const char *const logs[] = { "classic", "default-mixed", "isoms", "isotz", "dst",
		"newyear", "slow", "burst", "json", "inject", "rotate-messages.0",
		"rotate-messages.moved", "rotate-messages.copied", "rotate-messages" };

	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
		check_log(logs[i]);
	print_message("%u hits, %u wrong, %u missed, %u optional missed\n", hits, wrong, missed,
		missed_optional);
	assert_int_equal(wrong, 0);
	assert_int_equal(missed, 0);
	assert_true(hits >= 215);
}

/* ---- rows: lines of one reader, and what the last of them is ----
 * tests/asterisk_clauses takes each clause of the rule out and shows the row that goes wrong. No
 * row can show the limits of 63 and 255 bytes of nonce and response: without them a longer value
 * only puts the address outside of the bytes in which it has to be alone. */

#define HEAD_AT(event, stamp, service)                                                             \
	"SecurityEvent=\"" event "\",EventTV=\"" stamp "\",Severity=\"Error\",Service=\"" service  \
	"\",EventVersion=\"1\",AccountID=\""
#define STAMP "2026-11-23T08:51:05.686+0000"
#define HEAD(event) HEAD_AT(event, STAMP, "PJSIP")
#define FILE_PREFIX "[2026-11-23 08:51:05] SECURITY[74] res_security_log.c: "
#define SYSLOG_PREFIX                                                                              \
	"Nov 23 08:51:05 pbx asterisk[811]: SECURITY[74]: res_security_log.c:114 in f: "
#define PLAIN_TAIL "res_security_log.c:114 security_event_stasis_cb: "
#define LOCAL "\",LocalAddress=\"IPV4/UDP/192.0.2.10/5060\",Rem"
#define FROM(address) "oteAddress=\"IPV4/UDP/" address "/5060\""
#define A "198.51.100.1" /* the sender */
#define B "192.0.2.140"  /* whom he would like to see banned */
#define NONCE "1795426955/125ef093c1e5309031ed915e34c801dc"
#define MD5 "e31210cfbb00000000000000000000ab"
#define TINY "oteAddress=\"IPV4/UDP/" B "/1\"" /* 35 bytes */
#define ANSWER(nonce, response)                                                                    \
	",Challenge=\"" nonce "\",Response=\"" response "\",ExpectedResponse=\"\""
#define SESSION(id) "\",SessionID=\"" id
#define PLAINLY SESSION("9c55@" A) LOCAL FROM(A)
#define NO_ACCOUNT HEAD("InvalidAccountID") "9999" PLAINLY
#define WRONG(session, nonce, response)                                                            \
	HEAD("ChallengeResponseFailed") "100" SESSION(session) LOCAL FROM(A) ANSWER(nonce, response)
#define BANNER(version)                                                                            \
	"[2026-11-23 08:00:00] Asterisk " version                                                  \
	" built by nobody @ buildd on a unknown running "                                          \
	"Linux on 2026-07-20 21:35:32 UTC\n"
#define NEW BANNER("22.10.1+dfsg")
#define OLD BANNER("16.16.1")
#define SIP_WRONG(account, received, hash)                                                         \
	HEAD_AT("InvalidPassword", STAMP, "SIP")                                                   \
	account SESSION("0x7f00") LOCAL FROM(                                                      \
		A) ",Challenge=\"4a1b\",ReceivedChallenge=\"" received "\",ReceivedHash=\"" hash   \
		   "\""
#define AMI_WRONG(response)                                                                        \
	HEAD_AT("ChallengeResponseFailed", STAMP, "AMI")                                           \
	SESSION("0x7f2f")                                                                          \
	"\",LocalAddress=\"IPV6/TCP/::/5038\",RemoteAddress=\"IPV4/TCP/" A "/3\""                  \
	",Challenge=\"181\",Response=\"" response                                                  \
	"\",ExpectedResponse=\"4492\",SessionTV=\"1970-01-01T00:00:00.000+0000\""
/* A head and an end that pass the rule, for a value of 255 bytes. */
#define SHORT_HEAD(event)                                                                          \
	"SecurityEvent=\"" event                                                                   \
	"\",EventTV=\"1-1\",Severity=\"Error\",Service=\"PJSIP\",EventVersion=\"1\",AccountID=\""
/* A whole line as short as they come, with a date of this file's form. */
#define SHORT_PREFIX "[1-1-1 1:1:1] SECURITY[74] res_security_log.c: "
#define SHORTLY(address)                                                                           \
	SESSION("")                                                                                \
	"\",LocalAddress=\"IPV4/UDP/1.1.1.1/1\",RemoteAddress=\"IPV4/UDP/" address "/1\""
#define FAKE_LINE SHORT_PREFIX HEAD("FailedACL") SHORTLY(B) ",ACLName=\"\""
#define X60 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define NO_ACCOUNT_LONG HEAD("InvalidAccountID") "9999" SESSION("9c55@" A X60) LOCAL FROM(A)
#define AMI_TINY HEAD_AT("InvalidPassword", STAMP, "AMI") "oteAddress=\"IPV4/TCP/" B "/1\""
#define NOTICE                                                                                     \
	"[2026-11-23 08:51:05] NOTICE[33] chan_iax2.c: Host 198.51.100.1 failed to authenticate"
#define JSON_HEADER                                                                                    \
	"{\"hostname\":\"\",\"timestamp\":\"2026-11-23 09:36:05.160\",\"identifiers\":{\"lwp\":74,"    \
	"\"callid\":\"\"},\"logmsg\":{\"location\":{\"filename\":\"res_security_log.c\",\"function\":" \
	"\"security_event_stasis_cb\",\"line\":114},"
#define JSON_OF(level, message) JSON_HEADER "\"level\":\"" level "\",\"message\":\"" message "\"}}"
#define JSON_HEAD                                                                                  \
	"SecurityEvent=\\\"InvalidAccountID\\\",EventTV=\\\"" STAMP                                \
	"\\\",Severity=\\\"Error\\\",Service=\\\"PJSIP\\\",EventVersion=\\\"1\\\",AccountID=\\\""
#define JSON_END(address)                                                                          \
	"\\\",SessionID=\\\"x\\\",LocalAddress=\\\"IPV4/UDP/192.0.2.10/5060\\\",RemoteAddress="    \
	"\\\"IPV4/UDP/" address "/5060\\\"\\n"

static const struct row {
	const char *name;
	const char *lines; /* newlines between them */
	enum asterisk_kind kind;
	const char *address; /* NULL: nobody */
} rows[] = {
	/* ---- prefixes ---- */
	{ "file", FILE_PREFIX NO_ACCOUNT, ASTERISK_RECORD, A },
	{ "file, a date of another form",
		"[1795423865] SECURITY[7] res_security_log.c: " NO_ACCOUNT, ASTERISK_RECORD, A },
	{ "plain", "[Nov 23 08:51:05] SECURITY[74]: " PLAIN_TAIL NO_ACCOUNT, ASTERISK_RECORD, A },
	{ "syslog", SYSLOG_PREFIX SIP_WRONG("100", "4a1b", MD5), ASTERISK_RECORD, A },
	{ "syslog, RFC 3339",
		"2026-11-23T08:51:05.686123+01:00 pbx.example.org asterisk[811]: "
		"SECURITY[74]: res_security_log.c:114 in f: " AMI_WRONG("x"),
		ASTERISK_RECORD, A },
	{ "syslog, cut behind another's address", SYSLOG_PREFIX NO_ACCOUNT, ASTERISK_SYSLOG, NULL },
	{ "syslog, the same in another's head",
		SYSLOG_PREFIX HEAD("InvalidAccountID") "1" SESSION("res_security_log.c")
			SIP_WRONG("100", "4a1b", MD5),
		ASTERISK_SYSLOG, NULL },
	{ "syslog, no failure", SYSLOG_PREFIX HEAD("ChallengeSent") "1" PLAINLY ",Challenge=\"\"",
		ASTERISK_OTHER, NULL },
	{ "journal", "asterisk[811]: [Nov 23 08:51:05] SECURITY[74]: " PLAIN_TAIL NO_ACCOUNT,
		ASTERISK_RECORD, A },
	{ "journal, colours",
		"asterisk[811]: [Nov 23 08:51:05] \033[1;35mSECURITY\033[0m[74]: \033[1;37m"
		"res_security_log.c\033[0m:\033[1;37m114\033[0m \033[1;37mf\033[0m: " NO_ACCOUNT,
		ASTERISK_RECORD, A },
	{ "journal, colours by rsyslog",
		"asterisk[811]: [Nov 23 08:51:05] #033[1;35mSECURITY#033[0m[74]: #033[1;37m"
		"res_security_log.c#033[0m:#033[1;37m114#033[0m #033[1;37mf#033[0m: " NO_ACCOUNT,
		ASTERISK_RECORD, A },
	{ "no prefix", NO_ACCOUNT, ASTERISK_OTHER, NULL },
	{ "another file's", "[d] SECURITY[7] chan_sip.c: " NO_ACCOUNT, ASTERISK_OTHER, NULL },
	{ "another level", "[d] NOTICE[7] res_security_log.c: " NO_ACCOUNT, ASTERISK_OTHER, NULL },
	{ "no thread", "[d] SECURITY[] res_security_log.c: " NO_ACCOUNT, ASTERISK_OTHER, NULL },
	{ "a space too many", " " FILE_PREFIX NO_ACCOUNT, ASTERISK_GLUED, NULL },
	{ "a quote in the date", "[\"] SECURITY[7] res_security_log.c: " NO_ACCOUNT, ASTERISK_GLUED,
		NULL },
	{ "empty", "", ASTERISK_OTHER, NULL },
	{ "carriage return", FILE_PREFIX NO_ACCOUNT "\r", ASTERISK_RECORD, A },
	{ "banner", NEW, ASTERISK_OTHER, NULL },
	{ "not UTF-8",
		"[d] ERROR[33] security_events.c: Failed to issue security event of type "
		"ChallengeResponseFailed.",
		ASTERISK_NOT_UTF8, NULL },
	{ "discarded", "Logging resumed.  250 messages discarded.", ASTERISK_DISCARDED, NULL },
	/* ---- heads ---- */
	{ "unknown event", FILE_PREFIX HEAD("MemoryLimit") "1" PLAINLY, ASTERISK_UNKNOWN, NULL },
	{ "unknown service", FILE_PREFIX HEAD_AT("InvalidAccountID", STAMP, "IAX2") "1" PLAINLY,
		ASTERISK_UNKNOWN, NULL },
	{ "RequestBadFormat, its account behind the address",
		FILE_PREFIX
		"SecurityEvent=\"RequestBadFormat\",EventTV=\"" STAMP "\",Severity="
		"\"Error\",Service=\"AMI\",EventVersion=\"1\",SessionID=\"0x1\",LocalAddress="
		"\"IPV4/TCP/192.0.2.10/5038\",RemoteAddress=\"IPV4/TCP/" A "/5\",AccountID=\"a\"",
		ASTERISK_FORGED, NULL },
	{ "undated", FILE_PREFIX HEAD_AT("InvalidAccountID", "9", "PJSIP") "1" PLAINLY,
		ASTERISK_UNDATED, NULL },
	{ "only a head", FILE_PREFIX HEAD("FailedACL"), ASTERISK_CUT, NULL },
	{ "half a head", FILE_PREFIX "SecurityEvent=\"FailedACL\",Ev", ASTERISK_FORGED, NULL },
	/* ---- ends ---- */
	{ "acl", FILE_PREFIX HEAD("FailedACL") "1" PLAINLY ",ACLName=\"a-b_1\"", ASTERISK_RECORD,
		A },
	{ "acl with a space", FILE_PREFIX HEAD("FailedACL") "1" PLAINLY ",ACLName=\"a b\"",
		ASTERISK_FORGED, NULL },
	{ "answer", FILE_PREFIX WRONG("x", NONCE, MD5), ASTERISK_RECORD, A },
	{ "challenge", FILE_PREFIX HEAD("ChallengeSent") "1" PLAINLY ",Challenge=\"\"",
		ASTERISK_RECORD, A },
	{ "success", FILE_PREFIX HEAD("SuccessfulAuth") "1" PLAINLY ",UsingPassword=\"1\"",
		ASTERISK_RECORD, A },
	{ "more behind it", FILE_PREFIX NO_ACCOUNT " ", ASTERISK_FORGED, NULL },
	{ "sip", FILE_PREFIX SIP_WRONG("100", "4a1b", MD5), ASTERISK_RECORD, A },
	{ "sip, an ESC from the first value into the second, which ends in m",
		FILE_PREFIX HEAD_AT("InvalidPassword", STAMP, "SIP") "res_security_log.c" HEAD(
			"InvalidAccountID") SESSION("0x7f00")
			LOCAL FROM(A) ",Challenge=\"4a1b\",ReceivedChallenge=\"x" FROM(B),
		ASTERISK_GLUED, NULL },
	{ "sip, a quote in a value", FILE_PREFIX SIP_WRONG("100", "a\"b", "x\""), ASTERISK_RECORD,
		A },
	{ "sip, a hash like an address",
		FILE_PREFIX SIP_WRONG(
			"\"[] SECURITY[1] res_security_log.c: " SHORT_HEAD("InvalidAccountID"), "x",
			"\""
			"oteAddress=\"IPV4/UDP/" B "/5060"),
		ASTERISK_GLUED, NULL },
	{ "ami account",
		FILE_PREFIX HEAD_AT("InvalidAccountID", STAMP, "AMI") "a" SESSION(
			"0x7f") "\",LocalAddress=\"IPV6/TCP/::/5038\",RemoteAddress=\"IPV4/TCP/" A
				"/1\",SessionTV=\"1970-01-01T00:00:00.000+0000\"",
		ASTERISK_RECORD, A },
	{ "ami answer", FILE_PREFIX AMI_WRONG("x"), ASTERISK_RECORD, A },
	{ "ami answer, another address in it",
		FILE_PREFIX AMI_WRONG("x\",Rem" FROM(B) ",Challenge=\"1\",Response=\""),
		ASTERISK_RECORD, A },
	{ "ami answer, a head in it",
		FILE_PREFIX AMI_WRONG(
			"res_security_log.c" SHORT_HEAD("FailedACL") SESSION("") FROM(B)),
		ASTERISK_RECORD, A },
	{ "ami answer, an ESC in it", FILE_PREFIX AMI_WRONG("\033"), ASTERISK_RECORD, A },
	{ "mapped address",
		FILE_PREFIX HEAD("InvalidAccountID") "1" SESSION("x") LOCAL
		"oteAddress=\"IPV6/UDP/::ffff:" A "/5060\"",
		ASTERISK_RECORD, A },
	{ "IPv6",
		FILE_PREFIX HEAD("InvalidAccountID") "1" SESSION("x") LOCAL
		"oteAddress=\"IPV6/WSS/2001:db8::1/5060\"",
		ASTERISK_RECORD, "2001:db8::1" },
	{ "IPv6 in an IPv4 field",
		FILE_PREFIX HEAD("InvalidAccountID") "1" SESSION("x") LOCAL
		"oteAddress=\"IPV4/UDP/2001:db8::1/5060\"",
		ASTERISK_FORGED, NULL },
	{ "no address",
		FILE_PREFIX HEAD("InvalidAccountID") "1" SESSION("x") LOCAL
		"oteAddress=\"IPV4/UDP/256.1.1.1/5060\"",
		ASTERISK_FORGED, NULL },
	/* ---- a value that holds another end ---- */
	{ "quotes in the Call-ID",
		FILE_PREFIX HEAD("InvalidAccountID") "1" SESSION("x") LOCAL FROM(B) LOCAL FROM(A),
		ASTERISK_RECORD, A },
	{ "the same behind a nonce, new",
		NEW FILE_PREFIX WRONG("x" LOCAL FROM(B) ANSWER("c", "r"), NONCE, MD5),
		ASTERISK_RECORD, A },
	{ "the same before an address that cannot be read, new",
		NEW FILE_PREFIX HEAD("ChallengeResponseFailed") "100" SESSION("x") LOCAL FROM(B)
			ANSWER("c", "r") LOCAL
		"oteAddress=\"IPV6/UDP/fe80::1%eth0/5060\"" ANSWER(NONCE, MD5),
		ASTERISK_FORGED, NULL },
	{ "the same, of an unknown age",
		FILE_PREFIX WRONG("x" LOCAL FROM(B) ANSWER("c", "r"), "", ""), ASTERISK_FORGED,
		NULL },
	{ "a Response with a bare quote, old",
		OLD FILE_PREFIX WRONG("x", "n", LOCAL FROM(B) ",Challenge=\"\",Response=\""),
		ASTERISK_FORGED, NULL },
	{ "escaped quotes",
		NEW FILE_PREFIX WRONG("x", "n\\\"x\\\\",
			"r\\\",Rem oteAddress=\\\"IPV4/UDP/" B "/5060"),
		ASTERISK_RECORD, A },
	{ "an ami head in the Call-ID",
		FILE_PREFIX
			HEAD("InvalidAccountID") "1" SESSION("res_security_log.c") "SecurityEvent=\"ChallengeResponseFailed\",EventTV=\"1-1\",Severity=\"\",Service=\"AMI\",EventVersion=\"\",AccountID=\"" SESSION(
				"0x1") LOCAL FROM(B) ",Challenge=\"" PLAINLY,
		ASTERISK_RECORD, A },
	/* ---- ESC ---- */
	{ "LocalAddress eaten", FILE_PREFIX HEAD("InvalidAccountID") "1" SESSION("abc" X60) FROM(A),
		ASTERISK_RECORD, A },
	{ "SessionID eaten",
		FILE_PREFIX HEAD("ChallengeResponseFailed") "1" LOCAL FROM(A) ANSWER("", MD5),
		ASTERISK_RECORD, A },
	{ "another's address before it",
		FILE_PREFIX HEAD("InvalidAccountID") "1" SESSION("x") LOCAL FROM(B) "," FROM(A),
		ASTERISK_RECORD, A },
	{ "one that stays, new", NEW FILE_PREFIX WRONG("x", NONCE, "\033"), ASTERISK_RECORD, A },
	{ "one that stays, old", OLD FILE_PREFIX WRONG("x", NONCE, "\033"), ASTERISK_FORGED, NULL },
	{ "between nonce and response, new",
		NEW FILE_PREFIX HEAD("ChallengeResponseFailed") "100" SESSION("x")
			LOCAL FROM(A) ",Challenge=\"\",ExpectedResponse=\"\"",
		ASTERISK_RECORD, A },
	{ "a fake head, and all behind it eaten, new",
		NEW FILE_PREFIX HEAD("ChallengeResponseFailed") "100" SESSION("res_security_log.c")
			SHORT_HEAD("FailedACL") FROM(A) ANSWER(NONCE, MD5),
		ASTERISK_RECORD, A },
	/* ---- 36 bytes of account ---- */
	{ "an address and a newline", FILE_PREFIX HEAD("InvalidAccountID") "" TINY, ASTERISK_CUT,
		NULL },
	{ "and its rest", FILE_PREFIX HEAD("InvalidAccountID") TINY "\n" SESSION("x") LOCAL FROM(A),
		ASTERISK_RECORD, A },
	{ "the same behind a cut record",
		FILE_PREFIX HEAD("FailedACL") "1" SESSION("EEE")
			FILE_PREFIX HEAD("InvalidAccountID") TINY,
		ASTERISK_GLUED, NULL },
	/* ---- newlines ---- */
	{ "joined", FILE_PREFIX HEAD("InvalidAccountID") "a\nb\n\nc" PLAINLY, ASTERISK_RECORD, A },
	{ "a prefix in it", FILE_PREFIX HEAD("InvalidAccountID") "a\n[d] SECURITY[1] " PLAINLY,
		ASTERISK_RECORD, A },
	{ "what begins a message of another level in it",
		FILE_PREFIX HEAD("InvalidAccountID") "a\n[d] NOTICE[1] " PLAINLY, ASTERISK_REST,
		NULL },
	{ "more than 36 bytes",
		FILE_PREFIX HEAD(
			"InvalidAccountID") "a\n0123456789012345678901234567890123456789" PLAINLY,
		ASTERISK_REST, NULL },
	{ "a whole prefix in it",
		FILE_PREFIX HEAD(
			"InvalidAccountID") "\n[] SECURITY[1] res_security_log.c: " PLAINLY,
		ASTERISK_RECORD, A },
	{ "another event", FILE_PREFIX HEAD("FailedACL") "a\n" PLAINLY ",ACLName=\"\"",
		ASTERISK_OTHER, NULL },
	{ "a record between",
		FILE_PREFIX HEAD("InvalidAccountID") "a\n" FILE_PREFIX NO_ACCOUNT "\nb" PLAINLY,
		ASTERISK_OTHER, NULL },
	/* ---- glue ---- */
	{ "glued", FILE_PREFIX HEAD("FailedACL") "1" SESSION("EEE") FILE_PREFIX NO_ACCOUNT,
		ASTERISK_RECORD, A },
	{ "a phone's behind an attacker's",
		FILE_PREFIX HEAD("ChallengeResponseFailed") "1" SESSION("EEE")
			FILE_PREFIX HEAD("ChallengeSent") "1" PLAINLY ",Challenge=\"\"",
		ASTERISK_RECORD, A },
	{ "behind a rest, and not the first",
		NEW FILE_PREFIX HEAD(
			"FailedACL") "1" PLAINLY
				     "\n\",SessionID=\"EEE" FILE_PREFIX WRONG("x", NONCE, MD5),
		ASTERISK_GLUED, NULL },
	{ "the same, cut too",
		NEW FILE_PREFIX HEAD(
			"FailedACL") "1" PLAINLY
				     "\n\",SessionID=\"EEE" FILE_PREFIX HEAD(
					     "ChallengeResponseFailed") "1" SESSION("EEE")
					     FILE_PREFIX HEAD("InvalidAccountID"),
		ASTERISK_GLUED, NULL },
	{ "in colours, behind a rest in the journal",
		"asterisk[811]: \",SessionID=\"EEE[Nov 23 08:51:05] \033[1;35mSECURITY\033[0m[74]: "
		"\033[1;37mres_security_log.c\033[0m:\033[1;37m114\033[0m \033[1;37mf\033[0m: " NO_ACCOUNT,
		ASTERISK_GLUED, NULL },
	{ "behind a rest that looks like a prefix",
		"[d] SECURITY[1] res_security_log.c: \",SessionID=\"EEE" FILE_PREFIX NO_ACCOUNT,
		ASTERISK_GLUED, NULL },
	{ "a message of another level behind it, and a caller's end",
		FILE_PREFIX HEAD("InvalidAccountID") "1" SESSION("EEE") NOTICE
		" " LOCAL FROM(B) "\n",
		ASTERISK_FORGED, NULL },
	{ "the same, [plain], and a call",
		FILE_PREFIX HEAD("InvalidAccountID") "1" SESSION(
			X60) "[d] OWN[33][C-00000001]: x.c:1 f: " LOCAL FROM(B) "\n",
		ASTERISK_FORGED, NULL },
	{ "the same in colours",
		"asterisk[811]: " FILE_PREFIX HEAD("InvalidAccountID") "1" SESSION(
			X60) "[d] \033[1;33mWARNING\033[0m[74]: x.c:1 f: " LOCAL FROM(B) "\n",
		ASTERISK_FORGED, NULL },
	{ "the same, and a caller's head",
		FILE_PREFIX HEAD("InvalidAccountID") "1" SESSION("EEE") NOTICE
		"res_security_log.c" SHORT_HEAD("FailedACL") SHORTLY(B) ",ACLName=\"x\"\n",
		ASTERISK_GLUED, NULL },
	{ "another level in AMI's answer", FILE_PREFIX AMI_WRONG(NOTICE), ASTERISK_RECORD, A },
	{ "another level in a Call-ID of JSON",
		JSON_OF("SECURITY", JSON_HEAD "9\\\",SessionID=\\\"" NOTICE JSON_END(A)),
		ASTERISK_RECORD, A },
	{ "no end for any",
		FILE_PREFIX HEAD("FailedACL") "1" SESSION("E")
			FILE_PREFIX HEAD("FailedACL") "1" PLAINLY,
		ASTERISK_GLUED, NULL },
	/* ---- a whole line, or a head, in a Response before pjproject 2.12 ---- */
	{ "line, old", OLD FILE_PREFIX WRONG("x", NONCE, "\n" FAKE_LINE), ASTERISK_FORGED, NULL },
	{ "line behind a whole record, old", OLD FILE_PREFIX WRONG("x", NONCE, "") "\n" FAKE_LINE,
		ASTERISK_FORGED, NULL },
	{ "line, with a banner of its own, old",
		OLD FILE_PREFIX WRONG("x", NONCE, "") "\n" NEW FAKE_LINE, ASTERISK_FORGED, NULL },
	{ "a banner in a Response, old",
		OLD FILE_PREFIX WRONG("x", NONCE, "") "\n" NEW FILE_PREFIX WRONG("x", "n",
			LOCAL FROM(B) ",Challenge=\"\",Response=\""),
		ASTERISK_FORGED, NULL },
	{ "line in a journal, old",
		OLD FILE_PREFIX WRONG("x", NONCE,
			"") "\nNov 23 08:51:05 a-rather-long-name-of-a-host.example.org asterisk[811]: " FAKE_LINE,
		ASTERISK_FORGED, NULL },
	{ "line cut and glued, old",
		OLD FILE_PREFIX WRONG("x", NONCE,
			"") "\n"
			    "[d] SECURITY[1] res_security_log.c: " AMI_WRONG("x")
				    FILE_PREFIX NO_ACCOUNT,
		ASTERISK_GLUED, NULL },
	{ "head behind a joined rest, old",
		OLD FILE_PREFIX HEAD("InvalidAccountID") "\n" SESSION("EEE")
			FILE_PREFIX WRONG("x", NONCE, "\n" FAKE_LINE),
		ASTERISK_FORGED, NULL },
	{ "head, old",
		OLD FILE_PREFIX HEAD(
			"ChallengeResponseFailed") "1" PLAINLY
						   ",Challenge=\"\",Response=\"res_security_log.c" SHORT_HEAD(
							   "InvalidAccountID") SESSION("") FROM(B),
		ASTERISK_GLUED, NULL },
	{ "short, but of a new one",
		NEW FILE_PREFIX WRONG("x", NONCE, "") "\n" SHORT_PREFIX HEAD("FailedACL")
			SHORTLY(A) ",ACLName=\"\"",
		ASTERISK_RECORD, A },
	/* ---- a line that has room in a value of another module ---- */
	{ "an address for an account, no date",
		"[] SECURITY[1] res_security_log.c: " AMI_TINY ",SessionTV=\"\"", ASTERISK_GLUED,
		NULL },
	{ "an address for an account", FILE_PREFIX AMI_TINY ",SessionTV=\"1-1\"", ASTERISK_CUT,
		NULL },
	{ "the same, cut off by an ESC in a long line",
		FILE_PREFIX HEAD_AT("InvalidPassword", STAMP, "AMI") X60 X60
		"oteAddress=\"IPV4/TCP/" A "/1\",SessionTV=\"1-1\"",
		ASTERISK_RECORD, A },
	{ "no SessionTV in it",
		FILE_PREFIX HEAD_AT("InvalidPassword", STAMP, "AMI") X60 X60
		"oteAddress=\"IPV4/TCP/" A "/1\",SessionTV=\"\"",
		ASTERISK_CUT, NULL },
	{ "no LocalAddress", FILE_PREFIX HEAD("InvalidAccountID") "1" SESSION("") FROM(B),
		ASTERISK_FORGED, NULL },
	{ "a LocalAddress without a port",
		FILE_PREFIX HEAD("InvalidAccountID") "1" SESSION(
			"") "\",LocalAddress=\"IPV4/UDP/1.1.1.1\",Rem" FROM(B),
		ASTERISK_FORGED, NULL },
	{ "no SessionID", FILE_PREFIX HEAD("FailedACL") "1" LOCAL FROM(B) ",ACLName=\"x\"",
		ASTERISK_CUT, NULL },
	{ "an answer to AMI without its end",
		SHORT_PREFIX HEAD_AT("ChallengeResponseFailed", STAMP, "AMI")
			SESSION("0x1") "\",LocalAddress=\"IPV4/TCP/1.1.1.1/1\",Rem" FROM(
				B) ",Challenge=\"\"",
		ASTERISK_FORGED, NULL },
	{ "whole, and as long as a value",
		"[d] SECURITY[1] res_security_log.c: " SHORT_HEAD("FailedACL")
			SHORTLY(B) ",ACLName=\"\"",
		ASTERISK_FORGED, NULL },
	{ "whole, and longer than a value",
		SHORT_PREFIX HEAD("FailedACL") SHORTLY(A) ",ACLName=\"\"", ASTERISK_RECORD, A },
	{ "whole, its date as the banner's",
		NEW SHORT_PREFIX HEAD("FailedACL") SHORTLY(A) ",ACLName=\"\"", ASTERISK_RECORD, A },
	{ "whole, its date not as the banner's",
		NEW "[Nov 23 08:51:05] SECURITY[1] res_security_log.c: " HEAD("FailedACL")
			SHORTLY(B) ",ACLName=\"\"",
		ASTERISK_FORGED, NULL },
	{ "whole, its date not as a notice's",
		NOTICE "\n[Nov 23 08:51:05] SECURITY[1] res_security_log.c: " HEAD("FailedACL")
			SHORTLY(B) ",ACLName=\"\"",
		ASTERISK_FORGED, NULL },
	{ "whole, its date not as the last record's",
		NEW "[Nov 23 08:51:05] SECURITY[74] res_security_log.c: " NO_ACCOUNT_LONG
		    "\n" SHORT_PREFIX HEAD("FailedACL") SHORTLY(B) ",ACLName=\"\"",
		ASTERISK_FORGED, NULL },
	{ "long, its date not as the banner's",
		NEW "[Nov 23 08:51:05] SECURITY[74] res_security_log.c: " NO_ACCOUNT_LONG,
		ASTERISK_RECORD, A },
	/* ---- JSON ---- */
	{ "json", JSON_OF("SECURITY", JSON_HEAD "9" JSON_END(A)), ASTERISK_RECORD, A },
	{ "json, newline, ESC and a head in it",
		JSON_OF("SECURITY",
			JSON_HEAD "a\\n\\u001b"
				  "[d] SECURITY[1] res_security_log.c: " JSON_HEAD "b" JSON_END(A)),
		ASTERISK_RECORD, A },
	{ "json, NUL in it", JSON_OF("SECURITY", JSON_HEAD "a\\u0000b" JSON_END(A)),
		ASTERISK_RECORD, A },
	{ "json, as long as a value",
		"{\"identifiers\":{\"lwp\":1},\"logmsg\":{\"level\":\"SECURITY\",\"message\":\""
		"SecurityEvent=\\\"FailedACL\\\",EventTV=\\\"1-1\\\",Severity=\\\"Error\\\","
		"Service=\\\"PJSIP\\\",EventVersion=\\\"1\\\",AccountID=\\\"\\\",SessionID=\\\""
		"\\\",LocalAddress=\\\"IPV4/UDP/1.1.1.1/1\\\",RemoteAddress=\\\"IPV4/UDP/" B
		"/1\\\",ACLName=\\\"\\\"\"}}",
		ASTERISK_FORGED, NULL },
	{ "json, no LocalAddress",
		JSON_OF("SECURITY",
			JSON_HEAD "9\\\",SessionID=\\\"x" X60 X60 "\\\",RemoteAddress=\\\"IPV4"
				  "/UDP/" B "/5060\\\"\\n"),
		ASTERISK_FORGED, NULL },
	{ "json, no Response",
		NEW JSON_OF("SECURITY",
			"SecurityEvent=\\\"ChallengeResponseFailed\\\",EventTV=\\\"" STAMP
			"\\\",Severity=\\\"Error\\\",Service=\\\"PJSIP\\\",EventVersion=\\\"1\\\","
			"AccountID=\\\"1\\\",SessionID=\\\"x\\\",LocalAddress=\\\"IPV4/UDP/1.1.1.1/1\\\","
			"RemoteAddress=\\\"IPV4/UDP/" B "/1\\\",Challenge=\\\"\\\",ExpectedResponse"
			"=\\\"\\\""),
		ASTERISK_FORGED, NULL },
	{ "json, no thread",
		"{\"a\":\"" X60 X60 "\",\"logmsg\":{\"level\":\"SECURITY\",\"message\":\"" JSON_HEAD
		"9" JSON_END(B) "\"}}",
		ASTERISK_FORGED, NULL },
	{ "json, another level", JSON_OF("NOTICE", JSON_HEAD "9" JSON_END(A)), ASTERISK_OTHER,
		NULL },
	{ "json, a key twice", JSON_OF("SECURITY", "\",\"message\":\"" JSON_HEAD "9" JSON_END(A)),
		ASTERISK_FORGED, NULL },
	{ "json, nested deeper", "{\"a\":" JSON_OF("SECURITY", JSON_HEAD "9" JSON_END(A)) "}",
		ASTERISK_FORGED, NULL },
	{ "json, not UTF-8", JSON_OF("SECURITY", JSON_HEAD "\xff" JSON_END(A)), ASTERISK_FORGED,
		NULL },
	{ "json, cut", "{\"logmsg\":{\"level\":\"SECURITY\",\"message\":\"" JSON_HEAD "9",
		ASTERISK_FORGED, NULL },
	{ "json, more behind it", JSON_OF("SECURITY", JSON_HEAD "9" JSON_END(A)) "x",
		ASTERISK_FORGED, NULL },
	{ "json, a number", "{\"logmsg\":{\"level\":\"SECURITY\",\"message\":1}}", ASTERISK_OTHER,
		NULL },
};

static enum asterisk_kind read_lines(struct asterisk *reader, const char *lines, size_t length,
	struct asterisk_record *record)
{
	enum asterisk_kind kind = ASTERISK_OTHER;
	const char *end = lines + length;

	for (;;) {
		const char *newline = memchr(lines, '\n', (size_t)(end - lines));

		kind = asterisk_read(reader, lines, (size_t)((newline ? newline : end) - lines), 0,
			record);
		if (!newline || newline + 1 == end)
			return kind;
		lines = newline + 1;
	}
}

static void each_row(void **state)
{
	unsigned bad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct asterisk *reader = asterisk_new();
		struct asterisk_record record;
		enum asterisk_kind kind =
			read_lines(reader, row->lines, strlen(row->lines), &record);
		char address[IP_TEXT_MAX] = "";

		if (kind == ASTERISK_RECORD)
			ip_format(&record.ip, address);
		if (kind != row->kind || strcmp(address, row->address ? row->address : "")) {
			print_message("%s: %s, '%s'\n", row->name, asterisk_kind_text(kind),
				address);
			bad++;
		}
		asterisk_free(reader);
	}
	assert_int_equal(bad, 0);
}

/* What an old one's value may end with is charged only where a line is sure to begin. */
static void beginnings(void **state)
{
	static const char rest[] = FAKE_LINE;
	static const char banner[] = NEW;
	static const struct {
		unsigned major;
		bool at_head;
		bool has_banner;
		enum asterisk_kind kind;
	} cases[] = {
		{ 0, true, false, ASTERISK_RECORD },
		{ 0, false, false, ASTERISK_FORGED },
		{ 19, false, false, ASTERISK_FORGED },
		{ 20, false, false, ASTERISK_RECORD },
		{ 0, false, true, ASTERISK_RECORD },
		{ 19, false, true, ASTERISK_FORGED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct asterisk *reader = asterisk_new();
		struct asterisk_record record;

		asterisk_begin(reader, cases[i].major, cases[i].at_head);
		if (cases[i].has_banner)
			asterisk_learn(reader, banner, sizeof(banner) - 2); /* no newline */
		if (asterisk_read(reader, rest, sizeof(rest) - 1, 0, &record) != cases[i].kind)
			fail_msg("case %zu", i);
		assert_int_equal(asterisk_version(reader), cases[i].major        ? cases[i].major
							   : cases[i].has_banner ? 22
										 : 0);
		asterisk_free(reader);
	}
}

/* A record that is no failure, glued to a cut one whose end would be the same. */
static void not_the_end_of_another(void **state)
{
	static const char *const lines[] = {
		FILE_PREFIX HEAD("InvalidAccountID") "1" SESSION("EEE")
			FILE_PREFIX HEAD_AT("SessionLimit", STAMP, "SIP") "1" PLAINLY,
		FILE_PREFIX HEAD("InvalidAccountID") "1" SESSION(
			"res_security_log.c") HEAD_AT("InvalidAccountID", STAMP, "AMI")
			FILE_PREFIX HEAD_AT("SessionLimit", STAMP,
				"AMI") "1" PLAINLY ",SessionTV=\"1970-01-01T00:00:00.000+0000\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct asterisk *reader = asterisk_new();
		struct asterisk_record record;

		if (asterisk_read(reader, lines[i], strlen(lines[i]), 0, &record) ==
				ASTERISK_RECORD &&
			is_offence(&record))
			fail_msg("case %zu", i);
		asterisk_free(reader);
	}
}

/* Reads line, behind whose newline `ahead` stands. */
static enum asterisk_kind read_before(struct asterisk *reader, const char *line, const char *ahead,
	struct asterisk_record *record)
{
	static char text[2048]; /* the record's pieces lie in it */

	assert_true((size_t)snprintf(text, sizeof(text), "%s\n%s", line, ahead) < sizeof(text));
	return asterisk_read(reader, text, strlen(line), strlen(ahead), record);
}

/* chan_sip's account may hold a newline: what stands behind the line tells. */
static void going_on(void **state)
{
	static const char fake[] = FILE_PREFIX HEAD_AT("InvalidAccountID", STAMP,
		"SIP") "x" SESSION("0x1") LOCAL FROM(B);
	static const struct {
		const char *ahead;
		enum asterisk_kind kind;
	} cases[] = {
		{ "", ASTERISK_RECORD },
		{ "@h" SESSION("0x7f") LOCAL FROM(A) "\n", ASTERISK_FORGED },
		{ "[d] NOTICE[1] x.c: y\nz" SESSION("0x7f") LOCAL FROM(A) "\n", ASTERISK_FORGED },
		{ "\n\n\n" SESSION("0x7f"), ASTERISK_FORGED },
		{ FILE_PREFIX HEAD_AT("ChallengeSent", STAMP, "SIP") "100" SESSION("0x7f"),
			ASTERISK_RECORD },
		{ "[d] NOTICE[1] x.c: y\n" FILE_PREFIX HEAD("FailedACL") "1" SESSION("a"),
			ASTERISK_RECORD },
		{ NEW, ASTERISK_RECORD },
	};
	char account[300];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct asterisk *reader = asterisk_new();
		struct asterisk_record record;

		if (read_before(reader, fake, cases[i].ahead, &record) != cases[i].kind)
			fail_msg("case %zu", i);
		/* of the next line nothing has been said, and others' values have no newline */
		assert_int_equal(asterisk_read(reader, fake, sizeof(fake) - 1, 0, &record),
			ASTERISK_RECORD);
		assert_int_equal(read_before(reader, FILE_PREFIX NO_ACCOUNT, cases[1].ahead,
					 &record),
			ASTERISK_RECORD);
		asterisk_free(reader);
	}
	/* the longest rest of a value */
	for (int length = 255; length <= 400; length += 145) {
		struct asterisk *reader = asterisk_new();
		struct asterisk_record record;
		int used = snprintf(account, sizeof(account) - 20, "%*s", length, "x");

		(void)snprintf(account + (used < 270 ? used : 270), 20, SESSION("0x7f"));
		assert_int_equal(read_before(reader, fake, account, &record),
			length == 255 ? ASTERISK_FORGED : ASTERISK_RECORD);
		asterisk_free(reader);
	}
}

static void times(void **state)
{
	static const struct {
		const char *stamp;
		const char *utc; /* NULL: none */
	} cases[] = {
		{ STAMP, "2026-11-23T08:51:05.686" },
		{ "2026-11-23T08:51:05.686-0400", "2026-11-23T12:51:05.686" },
		{ "2026-11-23T02:51:05.686+0530", "2026-11-22T21:21:05.686" },
		{ "2016-12-31T23:59:60.500+0000", "2017-01-01T00:00:00.500" },
		{ "1380558241-52", "2013-09-30T16:24:01Z" },
		{ "1380558241-520000", "2013-09-30T16:24:01.520" },
		{ "2026-11-23T08:51:05.686", NULL },
		{ "2026-11-23T08:51:05.686+00:00", NULL },
		{ "2026-11-23T08:51:05.686+1900", NULL },
		{ "2026-13-23T08:51:05.686+0000", NULL },
		{ "2026-11-23T24:51:05.686+0000", NULL },
		{ "1969-11-23T08:51:05.686+0000", NULL },
		{ "2026-11-23T08:51:05.6860+0000", NULL },
		{ "123456789012-1", NULL },
		{ "1380558241-1234567", NULL },
		{ "1380558241", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct asterisk *reader = asterisk_new();
		struct asterisk_record record;
		char line[1000];
		char utc[UTC_TEXT_MAX];
		enum asterisk_kind kind;

		(void)snprintf(line, sizeof(line),
			FILE_PREFIX
			"SecurityEvent=\"InvalidAccountID\",EventTV=\"%s\",Severity="
			"\"Error\",Service=\"PJSIP\",EventVersion=\"1\",AccountID=\"1" PLAINLY,
			cases[i].stamp);
		kind = asterisk_read(reader, line, strlen(line), 0, &record);
		assert_int_equal(kind, cases[i].utc ? ASTERISK_RECORD : ASTERISK_UNDATED);
		if (cases[i].utc) {
			utc_format_ms(record.at_ms, utc);
			assert_memory_equal(utc, cases[i].utc, strlen(cases[i].utc));
		}
		asterisk_free(reader);
	}
}

/* A head that a sender has made, far in the future or with no date, moves no time. */
static void the_first_head_has_the_time(void **state)
{
	static const char *const stamps[] = { "2099-01-01T00:00:00.000+0000", "9", "1-1" };

	(void)state;
	for (size_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++) {
		struct asterisk *reader = asterisk_new();
		struct asterisk_record record;
		char line[1000];
		char utc[UTC_TEXT_MAX];

		(void)snprintf(line, sizeof(line),
			FILE_PREFIX HEAD("InvalidAccountID") "1" SESSION(
				"res_security_log.c") "SecurityEvent=\"FailedACL\",EventTV=\"%s\",Severity=\"\",Service=\"PJSIP\","
						      "EventVersion=\"\",AccountID=\"" PLAINLY,
			stamps[i]);
		assert_int_equal(asterisk_read(reader, line, strlen(line), 0, &record),
			ASTERISK_RECORD);
		utc_format_ms(record.at_ms, utc);
		assert_memory_equal(utc, "2026-11-23T08:51:05.686", 23);
		asterisk_free(reader);
	}
}

static void proofs(void **state)
{
	static const struct {
		const char *line;
		bool proven;
	} cases[] = {
		{ FILE_PREFIX WRONG("x", NONCE, MD5), false },
		{ FILE_PREFIX HEAD("InvalidAccountID") "1" SESSION("x") LOCAL
			"oteAddress=\"IPV4/TCP/" A "/5\"",
			true },
		{ FILE_PREFIX SIP_WRONG("1", "4a1b", "x"), true },
		{ FILE_PREFIX SIP_WRONG("1", "4a1c", "x"), false },
		{ FILE_PREFIX SIP_WRONG("1", "", "x"), false },
		/* a stranger's own end claims TCP, or an equal challenge */
		{ FILE_PREFIX HEAD("InvalidAccountID") "1" SESSION("x") LOCAL
			"oteAddress=\"IPV4/TCP/" B "/5\"" LOCAL FROM(A),
			false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct asterisk *reader = asterisk_new();
		struct asterisk_record record;

		assert_int_equal(asterisk_read(reader, cases[i].line, strlen(cases[i].line), 0,
					 &record),
			ASTERISK_RECORD);
		assert_int_equal(record.proven, cases[i].proven);
		asterisk_free(reader);
	}
}

#define BY_TCP HEAD("InvalidAccountID") "1" SESSION("x" X60) LOCAL "oteAddress=\"IPV4/TCP/" A "/5\""
#define TCP FILE_PREFIX BY_TCP
#define TCP_OF(thread) "[2026-11-23 08:51:05] SECURITY[" thread "] res_security_log.c: " BY_TCP
#define GLUED_NOTICE FILE_PREFIX HEAD("FailedACL") "1" SESSION(X60) NOTICE
#define JSON_TCP                                                                                   \
	JSON_OF("SECURITY",                                                                        \
		JSON_HEAD "9\\\",SessionID=\\\"x\\\",LocalAddress=\\\"IPV4/TCP/1.1.1.1/"           \
			  "5060\\\",RemoteAddress=\\\"IPV4/TCP/" A "/5060\\\"\\n")

/* Whether the text of a record proves anything after these lines. */
static void mixed(void **state)
{
	/* an account has room for the first; the others begin as another line does */
	static const char *const inside[] = {
		FILE_PREFIX HEAD("InvalidAccountID") "\n[d] NOTICE[1] a.c: 34567890123456" PLAINLY,
		"[d] NOTICE[1] a.c: 3456789012345678",
		"x" NOTICE,
		"[] NOTICE[33] chan_iax2.c: Host 198.51.100.1 failed to authenticate",
	};
	static const struct {
		const char *before;
		bool proven;
	} cases[] = {
		{ NEW, true },
		{ NEW TCP, true },
		{ "", true },
		{ NOTICE, false },
		{ NEW NOTICE "\n" TCP "\n" NEW, false },
		{ "[Nov 23 08:51:05] ERROR[7][C-0000001f] a.c: no more than this", false },
		{ "[Nov 23 08:51:05] VERBOSE[7]: res/x.c:12 f: to be read", false },
		{ "[1] OWN[1] app.c: a level that a module has made", false },
		{ "asterisk[811]: [Nov 23 08:51:05] \033[1;33mWARNING\033[0m[74]: \033[1;37mx.c"
		  "\033[0m:\033[1;37m114\033[0m \033[1;37mf\033[0m: something",
			false },
		{ FILE_PREFIX HEAD("InvalidAccountID") "\n" NOTICE, false },
		{ "[2026-11-23 08:51:05] NOTICE[33][C-00000001] Ext. 100: @ a: what a dialplan logs",
			false },
		{ "[d] NOTICE chan_iax2.c: Host 198.51.100.1 failed to authenticate", true },
		/* in [json] a value cannot end its line */
		{ JSON_OF("NOTICE", "SecurityEvent=x"), true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static const char *const records[] = { TCP, JSON_TCP };

		for (size_t k = 0; k < 2; k++) {
			struct asterisk *reader = asterisk_new();
			struct asterisk_record record;

			(void)read_lines(reader, cases[i].before, strlen(cases[i].before), &record);
			if (asterisk_is_clean(reader) != cases[i].proven)
				fail_msg("case %zu", i);
			assert_int_equal(asterisk_read(reader, records[k], strlen(records[k]), 0,
						 &record),
				ASTERISK_RECORD);
			if (record.proven != cases[i].proven)
				fail_msg("case %zu, record %zu", i, k);
			asterisk_free(reader);
		}
	}
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		struct asterisk *reader = asterisk_new();
		struct asterisk_record record;

		(void)read_lines(reader, inside[i], strlen(inside[i]), &record);
		assert_true(asterisk_is_clean(reader));
		/* for a while */
		assert_int_equal(asterisk_read(reader, TCP, strlen(TCP), 0, &record),
			ASTERISK_RECORD);
		assert_false(record.proven);
		asterisk_free(reader);
	}
}

/* What is known of a file after a restart, and of the next one. */
static void mixed_later(void **state)
{
	static const struct {
		const char *before; /* NULL: nothing is known of it */
		bool at_head;
		bool proven;
	} cases[] = { { NULL, false, false }, { NULL, true, true }, { "x", false, true },
		{ "x", true, true }, { NOTICE, false, false }, { NOTICE, true, true },
		{ NEW, false, true }, { NEW NOTICE, false, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct asterisk *reader = asterisk_new();
		struct asterisk_record record;
		uint32_t mark = 0;

		if (cases[i].before) {
			(void)read_lines(reader, cases[i].before, strlen(cases[i].before), &record);
			mark = asterisk_mark(reader);
		}
		asterisk_begin(reader, mark, cases[i].at_head);
		assert_int_equal(asterisk_read(reader, TCP, strlen(TCP), 0, &record),
			ASTERISK_RECORD);
		if (record.proven != cases[i].proven)
			fail_msg("case %zu", i);
		asterisk_free(reader);
	}
}

/* In a mixed file a line like a banner may be a caller's: it makes no server a new one. */
static void mixed_banner(void **state)
{
	static const struct {
		const char *before;
		unsigned version;
	} cases[] = { { OLD NEW, 22 }, { OLD NOTICE "\n" NEW, 16 }, { NOTICE "\n" NEW, 0 },
		{ NEW NOTICE "\n" OLD, 16 }, { NEW NOTICE "\n" NEW, 22 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct asterisk *reader = asterisk_new();
		struct asterisk_record record;

		(void)read_lines(reader, cases[i].before, strlen(cases[i].before), &record);
		assert_int_equal(asterisk_version(reader), cases[i].version);
		asterisk_free(reader);
	}
}

/* What other logs say, and what stands before a record whose nonce holds a whole line. */
static void supposed(void **state)
{
	static const char leak[] = FILE_PREFIX WRONG("x", NONCE, "");
	static const char quoted[] =
		FILE_PREFIX WRONG("x" LOCAL FROM(B) ANSWER("c", "r"), NONCE, MD5);
	static const struct {
		const char *before;
		unsigned supposed;
		enum asterisk_kind kind;
	} cases[] = {
		{ "", 0, ASTERISK_FORGED },
		{ "", 22, ASTERISK_RECORD },
		{ "", 18, ASTERISK_FORGED },
		{ NEW, 18, ASTERISK_RECORD },
		{ OLD, 22, ASTERISK_FORGED },
		{ NEW NOTICE, 18, ASTERISK_FORGED },
		{ NEW NOTICE, 22, ASTERISK_RECORD },
		{ OLD NOTICE, 22, ASTERISK_FORGED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct asterisk *reader = asterisk_new();
		struct asterisk_record record;

		asterisk_suppose(reader, cases[i].supposed);
		(void)read_lines(reader, cases[i].before, strlen(cases[i].before), &record);
		if (asterisk_read(reader, quoted, sizeof(quoted) - 1, 0, &record) != cases[i].kind)
			fail_msg("case %zu", i);
		/* that it is old after all holds for the line before, too */
		if (cases[i].supposed == 22 && cases[i].kind == ASTERISK_RECORD) {
			(void)asterisk_read(reader, leak, sizeof(leak) - 1, 0, &record);
			asterisk_suppose(reader, 18);
			assert_int_equal(asterisk_read(reader, FAKE_LINE, strlen(FAKE_LINE), 0,
						 &record),
				ASTERISK_FORGED);
		}
		asterisk_free(reader);
	}
}

/* Another thread is told once, and proves nothing until it is the only one. */
static void threads(void **state)
{
	static const struct {
		const char *line;
		unsigned times;
		bool other;  /* the first of them */
		bool proven; /* the last of them */
	} steps[] = {
		{ TCP, 3, false, true },
		{ TCP_OF("1"), 1, true, false },
		{ TCP, 1, true, false },
		{ TCP, 63, false, false },
		{ TCP, 1, false, true },
		{ TCP_OF("75"), 65, true, true }, /* a reload of the module */
		{ NEW, 1, false, false },
		{ TCP_OF("75"), 1, false, true }, /* a reload of the logger */
		{ NEW, 1, false, false },
		{ TCP_OF("9000000"), 64, false, false }, /* a restart */
		{ TCP_OF("9000000"), 1, false, true },
		{ GLUED_NOTICE, 1, false, false },
		{ TCP_OF("9000000"), 63, false, false },
		{ TCP_OF("9000000"), 1, false, true },
		{ JSON_TCP, 1, true, false },
		{ TCP, 1, false, false },
		{ TCP_OF("3"), 1, true, false },
	};
	static const char joined[] = FILE_PREFIX HEAD("InvalidAccountID") "a\nb" SESSION(X60) LOCAL
		"oteAddress=\"IPV4/TCP/" A "/5\"";
	struct asterisk *reader = asterisk_new();
	struct asterisk_record record;

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		enum asterisk_kind kind = ASTERISK_OTHER;

		for (unsigned n = 0; n < steps[i].times; n++) {
			record = (struct asterisk_record){ 0 };
			kind = read_lines(reader, steps[i].line, strlen(steps[i].line), &record);
			if (record.other_thread != (steps[i].other && !n))
				fail_msg("row %zu, time %u", i, n);
		}
		assert_int_equal(kind, !strcmp(steps[i].line, NEW)            ? ASTERISK_OTHER
				       : !strcmp(steps[i].line, GLUED_NOTICE) ? ASTERISK_CUT
									      : ASTERISK_RECORD);
		if (record.proven != steps[i].proven)
			fail_msg("row %zu", i);
	}
	assert_int_equal(read_lines(reader, joined, strlen(joined), &record), ASTERISK_RECORD);
	assert_true(record.other_thread && !record.proven);
	/* in a new file none is known */
	asterisk_begin(reader, 0, true);
	assert_int_equal(asterisk_read(reader, TCP_OF("4"), strlen(TCP_OF("4")), 0, &record),
		ASTERISK_RECORD);
	assert_true(!record.other_thread && record.proven);
	asterisk_free(reader);
}

/* prefix, head, `length` bytes in all, and an end that a sender has put where a line is cut. */
static enum asterisk_kind read_long(const char *prefix, size_t length, char fill)
{
	static const char end[] = LOCAL FROM(B);
	struct asterisk *reader = asterisk_new();
	struct asterisk_record record;
	char *line = malloc(length);
	size_t head = (size_t)snprintf(line, length, "%s%s", prefix,
		HEAD("InvalidAccountID") "1" SESSION(""));
	enum asterisk_kind kind;

	memset(line + head, fill, length - head);
	memcpy(line + length - (sizeof(end) - 1), end, sizeof(end) - 1);
	kind = asterisk_read(reader, line, length, 0, &record);
	asterisk_free(reader);
	free(line);
	return kind;
}

static void long_lines(void **state)
{
	static const char journal[] = "pbx asterisk[811]: [d] SECURITY[74]: res_security_log.c:114 "
				      "f: ";

	(void)state;
	assert_int_equal(read_long(FILE_PREFIX, 8191, 'E'), ASTERISK_RECORD);
	assert_int_equal(read_long(FILE_PREFIX, 16383, 'E'), ASTERISK_RECORD);
	assert_int_equal(read_long(FILE_PREFIX, 16384, 'E'), ASTERISK_CUT);
	assert_int_equal(read_long(journal, 8000, 'E'), ASTERISK_RECORD);
	assert_int_equal(read_long(journal, 8192, 'E'), ASTERISK_CUT);
	assert_int_equal(read_long(FILE_PREFIX, 1000, '\0'), ASTERISK_FORGED);
}

/* More newlines than an account has bytes, and more bytes than Asterisk's buffer. */
static void joining_ends(void **state)
{
	static const char start[] = FILE_PREFIX HEAD("InvalidAccountID");
	static const char end[] = PLAINLY;
	static char big[9000];
	struct asterisk *reader = asterisk_new();
	struct asterisk_record record;

	(void)state;
	memset(big, 'E', sizeof(big));
	assert_int_equal(asterisk_read(reader, start, strlen(start), 0, &record), ASTERISK_CUT);
	for (int i = 0; i < 36; i++)
		assert_int_equal(asterisk_read(reader, "", 0, 0, &record), ASTERISK_REST);
	assert_int_equal(asterisk_read(reader, end, strlen(end), 0, &record), ASTERISK_REST);
	assert_int_equal(asterisk_read(reader, end, strlen(end), 0, &record), ASTERISK_OTHER);
	assert_int_equal(asterisk_read(reader, start, strlen(start), 0, &record), ASTERISK_CUT);
	assert_int_equal(asterisk_read(reader, big, sizeof(big), 0, &record), ASTERISK_REST);
	assert_int_equal(asterisk_read(reader, end, strlen(end), 0, &record), ASTERISK_OTHER);
	asterisk_free(reader);
}

/* A rest too long to be joined ends in an answer that is glued to it, and that leaks a line. */
static void a_rest_leaks(void **state)
{
	static const char start[] = FILE_PREFIX HEAD("InvalidAccountID");
	static const char leaking[] = FILE_PREFIX WRONG("x", NONCE, "");
	static char rest[8192 + sizeof(leaking)];
	struct asterisk *reader = asterisk_new();
	struct asterisk_record record;

	(void)state;
	memset(rest, 'E', 8192);
	memcpy(rest + 8192, leaking, sizeof(leaking) - 1);
	assert_int_equal(asterisk_read(reader, start, strlen(start), 0, &record), ASTERISK_CUT);
	assert_int_equal(asterisk_read(reader, rest, sizeof(rest) - 1, 0, &record), ASTERISK_REST);
	assert_int_equal(asterisk_read(reader, FAKE_LINE, strlen(FAKE_LINE), 0, &record),
		ASTERISK_FORGED);
	asterisk_free(reader);
}

/* More heads than are looked at: in a text the line is given up, in [json] they are only text. */
static void many_heads(void **state)
{
	static char text[12000];
	static char json[20000];
	size_t length = (size_t)snprintf(text, sizeof(text), FILE_PREFIX);
	struct asterisk *reader = asterisk_new();
	struct asterisk_record record;
	json_t *line;

	(void)state;
	for (int i = 0; i < 65; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
			i ? "res_security_log.c" : "",
			i ? SHORT_HEAD("FailedACL") : HEAD("InvalidAccountID"));
	(void)snprintf(text + length, sizeof(text) - length, "%s", PLAINLY);
	assert_int_equal(asterisk_read(reader, text, strlen(text), 0, &record), ASTERISK_GLUED);
	line = json_pack("{s:{s:i},s:{s:s,s:s}}", "identifiers", "lwp", 74, "logmsg", "level",
		"SECURITY", "message", text + sizeof(FILE_PREFIX) - 1);
	length = json_dumpb(line, json, sizeof(json), JSON_COMPACT);
	assert_int_equal(asterisk_read(reader, json, length, 0, &record), ASTERISK_RECORD);
	json_decref(line);
	asterisk_free(reader);
}

static double now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void speed(void **state)
{
	static char text[100000];
	FILE *log = fopen("tests/corpus/asterisk/classic.log", "re");
	struct asterisk *reader = asterisk_new();
	struct asterisk_record record;
	double plain_s = 0;
	double read_s = 0;
	unsigned long lines = 0;
	unsigned long found = 0;
	size_t length;

	(void)state;
	assert_non_null(log);
	length = fread(text, 1, sizeof(text), log);
	(void)fclose(log);
	for (int pass = 0; pass < 400; pass++) {
		bool plain = pass % 2;
		double start_s = now_s();

		for (size_t at = 0; at < length; lines += !plain) {
			const char *newline = memchr(text + at, '\n', length - at);
			size_t end = newline ? (size_t)(newline - text) : length;

			if (!plain)
				found += asterisk_read(reader, text + at, end - at, 0, &record) ==
					 ASTERISK_RECORD;
			at = end + 1;
		}
		*(plain ? &plain_s : &read_s) += now_s() - start_s;
	}
	print_message("%.0f lines/s, %.2f us a line; memchr alone %.2f us; %lu of %lu read\n",
		(double)lines / read_s, read_s * 1e6 / (double)lines, plain_s * 1e6 / (double)lines,
		found, lines);
	asterisk_free(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(captures),
		cmocka_unit_test(each_row),
		cmocka_unit_test(beginnings),
		cmocka_unit_test(going_on),
		cmocka_unit_test(not_the_end_of_another),
		cmocka_unit_test(times),
		cmocka_unit_test(the_first_head_has_the_time),
		cmocka_unit_test(proofs),
		cmocka_unit_test(mixed),
		cmocka_unit_test(mixed_later),
		cmocka_unit_test(mixed_banner),
		cmocka_unit_test(threads),
		cmocka_unit_test(supposed),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(joining_ends),
		cmocka_unit_test(a_rest_leaks),
		cmocka_unit_test(many_heads),
		cmocka_unit_test(speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
