#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "asterisk/reader.h"

#include "asterisk/model.h"

/* Streams of records as Asterisk writes them, of phones and of strangers who know the reader's
 * rule: no address but the true sender's may come out of any of them, and no phone's record get
 * lost. MODEL_RECORDS=1000000 MODEL_SEED=7 build/unit/asterisk/model_test runs more of it. */

enum { RECORDS = 250000, STREAM_RECORDS = 24, STREAM_BYTES_MAX = STREAM_RECORDS * 8400 };

/* What the stranger may know of his server. */
enum age { AGE_MODERN, AGE_UNTOLD, AGE_OLD, AGES };

struct written {
	size_t start, end; /* in the stream */
	int64_t at_ms;
	struct ip ip;
	bool hostile, refused, cut;
	bool foreign; /* no record, but a message of another module, with a value of the stranger's
		       */
	int kind;     /* of kinds[] */
};

static const struct kind {
	const char *service, *event;
} kinds[] = {
	{ "PJSIP", "InvalidAccountID" },
	{ "PJSIP", "FailedACL" },
	{ "PJSIP", "ChallengeResponseFailed" },
	{ "PJSIP", "ChallengeSent" },
	{ "PJSIP", "SuccessfulAuth" },
	{ "AMI", "InvalidAccountID" },
	{ "AMI", "ChallengeResponseFailed" },
	{ "AMI", "InvalidPassword" },
	{ "AMI", "FailedACL" },
	{ "SIP", "InvalidPassword" },
	{ "SIP", "InvalidAccountID" },
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static uint64_t state;
static struct {
	unsigned long sent, charged, refused, cut;
} hostile[AGES][KINDS];
static unsigned long phones, glued_phones_lost, by_kind[ASTERISK_KINDS], records;

static uint32_t draw(uint32_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(((state >> 33) * below) >> 31);
}

#define PICK(list) ((list)[draw(sizeof(list) / sizeof((list)[0]))])

static const char *const addresses[] = { "192.0.2.140", "192.0.2.141", "198.51.100.1",
	"198.51.100.2", "203.0.113.9", "2001:db8::1", "2001:db8:f00::99", "192.0.2.2" };
enum { PHONES = 2 }; /* the first of them */

static const char *const pieces[] = { "\"", "\"", "\"", "\033", "\033", "m", "m", "\n", "\n", "\\",
	"\\\"", "oteAddress=\"", "oteAddress=", "Rem",
	"\",LocalAddress=\"IPV4/UDP/192.0.2.10/5060\"", ",RemoteAddress=\"", "\",SessionID=\"",
	"\",SessionID=\"x", ",ACLName=\"\"", ",ACLName=\"a\"", ",Challenge=\"",
	",Challenge=\"c\",Response=\"r\",ExpectedResponse=\"\"", "\",Challenge=\"", ",Response=\"",
	"\",Response=\"", "\",ExpectedResponse=\"\"", ",ExpectedResponse=\"\"",
	",SessionTV=\"1970-01-01T00:00:00.000+0000\"", ",UsingPassword=\"1\"",
	",ReceivedChallenge=\"", "\",ReceivedHash=\"", ",ReceivedHash=\"x\"", ",Challenge=\"\"",
	"x", " ", "[", "]", "] ", "\r", "[2026-11-23 09:42:55] SECURITY[74] res_security_log.c: ",
	"[] SECURITY[1] res_security_log.c: ", "res_security_log.c",
	"SECURITY[1]: res_security_log.c:1 a: ",
	"{\"logmsg\":{\"level\":\"SECURITY\",\"message\":\"", "\"}}",
	"[d] Asterisk 22.1.0 built by a @ b on a c running Linux on 2026-07-20 21:35:32 UTC",
	"h asterisk[1]: ", "\033[0m", "%22", "\xc3\xa9", "\xff" };

static void put(struct model_value *value, const char *text)
{
	size_t length = strlen(text);

	if (value->length + length > MODEL_VALUE_MAX)
		length = MODEL_VALUE_MAX - value->length;
	memcpy(value->text + value->length, text, length);
	value->length += length;
}

static void put_address(struct model_value *value)
{
	static const char *const transports[] = { "UDP", "TCP", "WSS" };
	const char *address = PICK(addresses);
	char text[100];

	(void)snprintf(text, sizeof(text), "%sIPV%c/%s/%s/5060%s", draw(4) ? "oteAddress=\"" : "",
		strchr(address, ':') ? '6' : '4', PICK(transports), address, draw(4) ? "\"" : "");
	put(value, text);
}

static void put_head(struct model_value *value)
{
	static const char *const stamps[] = { "2026-11-23T09:42:55.046+0000",
		"2099-01-01T00:00:00.000+0000", "1-1", "", "9", "1970-01-01T00:00:00.000+0000" };
	const struct kind *kind = &kinds[draw(KINDS)];
	static const char *const prefixes[] = { "\n[] SECURITY[1] res_security_log.c: ",
		"\n[2026-11-23 09:42:55] SECURITY[74] res_security_log.c: ",
		"\n[d] SECURITY[1]: res_security_log.c:1 f: ", "res_security_log.c",
		"res_security_log.c" };
	char text[300];

	if (draw(2))
		put(value, PICK(prefixes));
	(void)snprintf(text, sizeof(text),
		"SecurityEvent=\"%s\",EventTV=\"%s\",Severity=\"%s\",Service=\"%s\",EventVersion=\"%s\","
		"AccountID=\"",
		kind->event, PICK(stamps), draw(4) ? "Error" : "", kind->service,
		draw(4) ? "1" : "");
	put(value, text);
}

/* Whole ends and lines, as one who has read the rule would write them. */
static void put_end(struct model_value *value)
{
	static const char *const before[] = { "\",SessionID=\"", "",
		"\",SessionID=\"0x1\",LocalAddress=\"IPV6/TCP/::/1\",Rem",
		"\",LocalAddress=\"IPV4/UDP/192.0.2.10/5060\",Rem",
		"\",SessionID=\"\",LocalAddress=\"IPV4/UDP/192.0.2.10/5060\",Rem" };
	static const char *const behind[] = { "", ",ACLName=\"\"", ",Challenge=\"\"",
		",Challenge=\"\",Response=\"\",ExpectedResponse=\"\"",
		",Challenge=\"\",Response=\"", ",SessionTV=\"1-1\"", ",UsingPassword=\"1\"",
		",Challenge=\"1\",ReceivedChallenge=\"1\",ReceivedHash=\"1\"" };

	put(value, PICK(before));
	put_address(value);
	put(value, PICK(behind));
	if (!draw(3))
		put(value, "\n");
}

static void spoil(struct model_value *value, uint32_t most)
{
	uint32_t count = draw(most) + 1;

	value->length = 0;
	if (!draw(4))
		put(value, "\",ExpectedResponse=\"\"\n");
	for (uint32_t i = 0; i < count; i++)
		switch (draw(8)) {
		case 0:
			put_head(value);
			break;
		case 1:
		case 2:
			put_end(value);
			break;
		case 3:
			put_address(value);
			break;
		case 4:
			put_head(value);
			put_end(value);
			break;
		default:
			put(value, PICK(pieces));
		}
}

/* So that the record's end falls near the buffer's, or near a write's. */
static void pad(struct model_value *value)
{
	size_t length = (draw(4) ? 7500 : 3600) + draw(800);
	bool front = draw(2);

	if (value->length + length > MODEL_VALUE_MAX)
		return;
	if (front)
		memmove(value->text + length, value->text, value->length);
	memset(front ? value->text : value->text + value->length, draw(8) ? 'P' : 'm', length);
	value->length += length;
}

static void without(struct model_value *value, const char *bytes)
{
	size_t kept = 0;

	for (size_t i = 0; i < value->length; i++)
		if (!strchr(bytes, value->text[i]))
			value->text[kept++] = value->text[i];
	value->length = kept;
}

static void cut(struct model_value *value, size_t most)
{
	value->length = value->length < most ? value->length : most;
}

/* What stands between the quotes of a header's value: a quote needs a backslash. */
static void quote(struct model_value *value)
{
	struct model_value out = { .length = 0 };

	for (size_t i = 0; i < value->length && out.length + 2 < MODEL_VALUE_MAX; i++) {
		if (value->text[i] == '\\' && i + 1 < value->length && value->text[i + 1] != '\n')
			out.text[out.length++] = value->text[i++];
		else if (value->text[i] == '"' || value->text[i] == '\\')
			out.text[out.length++] = '\\';
		if (value->text[i] != '\n')
			out.text[out.length++] = value->text[i];
	}
	*value = out;
}

static bool is_utf8(const struct model_value *value)
{
	json_t *string = json_stringn(value->text, value->length);
	bool sound = string != NULL;

	json_decref(string);
	return sound;
}

static void behave(struct model_event *event)
{
	put(&event->account, "100");
	put(&event->session, event->service[0] == 'P' ? "9c55ab@192.0.2.140" : "0x7f2f9c076ba0");
	put(&event->challenge, event->service[0] == 'S'
				       ? "4a1b2c3d"
				       : "1795426955/125ef093c1e5309031ed915e34c801dc");
	put(&event->response, "00000000000000000000000000000000");
}

static void attack_pjsip(struct model_event *event, enum age age)
{
	if (model_is(event, NULL, "InvalidAccountID") && draw(2)) {
		spoil(&event->account, 3);
		cut(&event->account, 36);
	}
	if (draw(3)) {
		spoil(&event->session, 8);
		without(&event->session, "\r\n");
		if (!draw(12))
			pad(&event->session);
	}
	if (draw(2))
		spoil(&event->challenge, 3);
	if (draw(3))
		spoil(&event->response, 6);
	if (age != AGE_OLD) {
		quote(&event->challenge);
		quote(&event->response);
	}
	cut(&event->challenge, 63);
	cut(&event->response, 255);
}

/* What an old PJSIP allows at its worst: a whole line in one value. */
static void attack_old(struct model_event *event)
{
	struct model_value *value = &event->response;

	value->length = 0;
	if (draw(2))
		put(value, draw(2) ? "\",ExpectedResponse=\"\"" : "x");
	if (draw(4))
		put(value, "\n[] SECURITY[1] res_security_log.c: ");
	else
		put(value, "res_security_log.c");
	put_head(value);
	put_end(value);
	if (draw(2))
		put(value, "\n");
	cut(value, 255);
}

static void attack(struct model_event *event, enum age age)
{
	behave(event);
	if (strcmp(event->service, "PJSIP") == 0) {
		attack_pjsip(event, age);
		if (age == AGE_OLD && draw(2))
			attack_old(event);
	} else if (strcmp(event->service, "AMI") == 0) {
		if (model_is(event, NULL, "InvalidAccountID"))
			spoil(&event->account, 6);
		else
			spoil(&event->response, 6);
		without(&event->account, "\r\n");
		without(&event->response, "\r\n");
		cut(&event->account, 1000);
		cut(&event->response, 1000);
		if (!model_is(event, NULL, "InvalidAccountID") &&
			model_is(event, NULL, "ChallengeResponseFailed"))
			event->account.length = 0;
	} else {
		spoil(&event->account, 3);
		spoil(&event->challenge, 4);
		spoil(&event->response, 4);
		without(&event->account, "\r\n");
		without(&event->challenge, draw(2) ? "\r\n," : "\r\n\"");
		without(&event->response, draw(2) ? "\r\n," : "\r\n\"");
	}
}

static void compose(struct model_event *event, struct written *record, enum age age,
	enum model_shape shape, char remote[100])
{
	static const int zones[] = { 0, -240, 330 };
	static const char *const transports[] = { "UDP", "UDP", "TCP", "TLS", "WS", "WSS" };
	const char *address;
	bool ami;

	record->hostile = draw(3) != 0;
	record->kind = (int)draw(draw(3) ? 5 : KINDS);
	if (record->hostile && !draw(3))
		record->kind = 2;
	memset(event, 0, offsetof(struct model_event, account));
	event->account.length = event->session.length = 0;
	event->challenge.length = event->response.length = 0;
	event->service = kinds[record->kind].service;
	event->event = kinds[record->kind].event;
	ami = strcmp(event->service, "AMI") == 0;
	address = addresses[record->hostile ? PHONES + draw(4) : draw(PHONES)];
	assert_int_equal(ip_parse(address, strlen(address), &record->ip), 0);
	(void)snprintf(remote, 100, "IPV%c/%s/%s/%u", strchr(address, ':') ? '6' : '4',
		ami ? "TCP" : PICK(transports), address, draw(65536));
	event->remote = remote;
	event->local = ami ? "IPV6/TCP/::/5038" : "IPV4/UDP/192.0.2.10/5060";
	event->zone_minutes = PICK(zones);
	/* Asterisk up to 11, which no banner has named here */
	event->old_time =
		age == AGE_UNTOLD && event->service[0] != 'P' && shape != MODEL_JSON && !draw(4);
	event->at_ms = record->at_ms;
	if (record->hostile)
		attack(event, age);
	else
		behave(event);
	record->refused = !is_utf8(&event->account) || !is_utf8(&event->session) ||
			  !is_utf8(&event->challenge) || !is_utf8(&event->response);
}

static void begin(struct model_text *out, enum age age)
{
	if (age == AGE_MODERN)
		model_say(out, "[2026-11-23 09:42:54] Asterisk 22.10.1+dfsg built by nobody @ "
			       "buildd.debian.org on a unknown running Linux on 2026-07-20 "
			       "21:35:32 UTC\n");
	else if (age == AGE_OLD && draw(2))
		model_say(out, "[2026-11-23 09:42:54] Asterisk 16.16.1 built by nobody @ "
			       "buildd.debian.org on a unknown running Linux on 2021-07-20 "
			       "21:35:32 UTC\n");
}

/* What chan_iax2 says of a frame without a token, with the 255 bytes that it has for a name. */
static void write_foreign(enum model_shape shape, struct model_text *out)
{
	static struct model_value value;
	char line_text[MODEL_LINE_MAX];
	struct model_text line = { line_text, 0, sizeof(line_text) };

	spoil(&value, draw(2) ? 2 : 6);
	cut(&value, 255);
	model_say(&line,
		shape == MODEL_FILE
			? "[2026-11-23 09:42:55] ERROR[33] chan_iax2.c: "
			: "[Nov 23 09:42:55] ERROR[33]: chan_iax2.c:4797 handle_call_token: ");
	model_say(&line,
		"Call rejected, CallToken Support required. If unexpected, resolve by placing "
		"address 198.51.100.2 in the calltokenoptional list or setting user ");
	model_add(&line, value.text, value.length);
	model_say(&line, " requirecalltoken=no\n");
	model_strip(line_text);
	model_add(out, line_text, strlen(line_text));
}

static size_t make_stream(struct model_text *out, struct written *list, enum age age,
	enum model_shape shape)
{
	static struct model_event event;
	int64_t at_ms = 1795400000000 + draw(1000000);
	bool mixed = (shape == MODEL_FILE || shape == MODEL_PLAIN) && !draw(3);
	char remote[100];

	begin(out, age);
	for (size_t i = 0; i < STREAM_RECORDS; i++) {
		at_ms += draw(3000);
		list[i].at_ms = at_ms;
		compose(&event, &list[i], age, shape, remote);
		list[i].start = out->length;
		list[i].foreign = mixed && !draw(4);
		if (list[i].foreign) {
			list[i].hostile = list[i].refused = true;
			write_foreign(shape, out);
		} else if (!list[i].refused)
			model_write(shape, &event, out);
		else if (draw(2))
			model_say(out,
				"[2026-11-23 09:42:55] ERROR[33] security_events.c: Failed "
				"to issue security event of type ChallengeResponseFailed.\n");
		list[i].end = out->length;
		list[i].cut = !list[i].refused &&
			      (out->length == list[i].start || out->text[out->length - 1] != '\n' ||
				      out->length - list[i].start >= MODEL_LINE_MAX - 1);
	}
	return STREAM_RECORDS;
}

static const struct written *at(const struct written *list, size_t offset)
{
	for (size_t i = 0; i < STREAM_RECORDS; i++)
		if (offset >= list[i].start && offset < list[i].end)
			return &list[i];
	return NULL;
}

/* A line of another level stands before this place. */
static bool is_mixed(const struct written *list, size_t offset)
{
	for (size_t i = 0; i < STREAM_RECORDS; i++)
		if (list[i].foreign && list[i].start <= offset)
			return true;
	return false;
}

static void complain(const char *what, enum age age, enum model_shape shape, uint64_t seed,
	const char *line, size_t length)
{
	print_message("seed %llu age %d shape %d: %s:\n", (unsigned long long)seed, age, shape,
		what);
	for (size_t i = 0; i < length; i++)
		if (line[i] < ' ' || line[i] > '~')
			print_message("\\x%02x", (unsigned char)line[i]);
		else
			print_message("%c", line[i]);
	print_message("\n");
	fail();
}

/* One line of the stream, from `start` to its newline at `end`. In syslog all of PJSIP is given up.
 */
static const struct written *judge(const struct written *list, enum model_shape shape, size_t start,
	size_t end, enum asterisk_kind kind, const struct asterisk_record *record,
	const char **ret_wrong)
{
	const struct written *first = at(list, start);
	const struct written *owner = at(list, end);

	if (kind != ASTERISK_RECORD) {
		if (owner && !owner->hostile && !owner->refused && owner->start == start &&
			shape != MODEL_SYSLOG)
			*ret_wrong = asterisk_kind_text(kind);
		return NULL;
	}
	if (!owner || owner->refused || !ip_equal(&record->ip, &owner->ip))
		*ret_wrong = "charged to another";
	else if (record->at_ms < first->at_ms || record->at_ms > owner->at_ms)
		*ret_wrong = "another time";
	else if (record->proven && is_mixed(list, start))
		*ret_wrong = "proven in a mixed file";
	return owner;
}

static void count(const struct written *list, const bool *charged, enum age age,
	enum model_shape shape)
{
	for (size_t i = 0; i < STREAM_RECORDS; i++) {
		const struct written *record = &list[i];

		records++;
		if (record->hostile) {
			hostile[age][record->kind].sent++;
			hostile[age][record->kind].refused += record->refused;
			hostile[age][record->kind].charged += charged[i];
			hostile[age][record->kind].cut += record->cut && !charged[i];
			continue;
		}
		phones++;
		if (i && list[i - 1].hostile && !charged[i] && shape != MODEL_SYSLOG)
			glued_phones_lost++;
	}
}

static void run_stream(struct model_text *out, uint64_t seed)
{
	struct asterisk *reader = asterisk_new();
	struct written list[STREAM_RECORDS];
	bool charged[STREAM_RECORDS] = { false };
	enum model_shape shape;
	enum age age;

	state = seed * 0x9e3779b97f4a7c15u + 1;
	(void)draw(2);
	shape = (enum model_shape)draw(MODEL_SHAPES);
	shape = draw(3) ? shape : MODEL_FILE;
	age = (enum age)draw(AGES);
	out->length = 0;
	(void)make_stream(out, list, age, shape);
	for (size_t start = 0; start < out->length;) {
		const char *newline = memchr(out->text + start, '\n', out->length - start);
		size_t end = newline ? (size_t)(newline - out->text) : 0;
		struct asterisk_record record;
		enum asterisk_kind kind;
		const struct written *owner;
		const char *wrong = NULL;

		if (!newline) /* a cut record: no line, and none is read */
			break;
		kind = asterisk_read(reader, out->text + start, end - start, 0, &record);
		owner = judge(list, shape, start, end, kind, &record, &wrong);
		by_kind[kind]++;
		if (owner)
			charged[owner - list] = true;
		if (wrong)
			complain(wrong, age, shape, seed, out->text + start, end - start);
		start = end + 1;
	}
	count(list, charged, age, shape);
	asterisk_free(reader);
}

static void report(void)
{
	static const char *const ages[] = { "modern", "modern, no banner", "old" };

	for (int age = 0; age < AGES; age++)
		for (int i = 0; i < KINDS; i++)
			print_message(
				"%-18s %-5s %-24s %7lu hostile: %7lu charged, %6lu not written, %5lu cut, "
				"%6lu given up\n",
				ages[age], kinds[i].service, kinds[i].event, hostile[age][i].sent,
				hostile[age][i].charged, hostile[age][i].refused,
				hostile[age][i].cut,
				hostile[age][i].sent - hostile[age][i].charged -
					hostile[age][i].refused - hostile[age][i].cut);
	for (int kind = 0; kind < ASTERISK_KINDS; kind++)
		print_message("%s %lu; ", asterisk_kind_text((enum asterisk_kind)kind),
			by_kind[kind]);
	print_message("\n%lu records, %lu of phones, of which %lu behind a cut record were lost\n",
		records, phones, glued_phones_lost);
}

static unsigned long from_environment(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

static void streams(void **unused)
{
	unsigned long most = from_environment("MODEL_RECORDS", RECORDS);
	uint64_t seed = from_environment("MODEL_SEED", 20261125) * 1000003u;
	struct model_text out = { malloc(STREAM_BYTES_MAX), 0, STREAM_BYTES_MAX };

	(void)unused;
	assert_non_null(out.text);
	while (records < most)
		run_stream(&out, seed++);
	report();
	free(out.text);
	/* what a modern server writes of a wrong password is charged, whatever stands in it */
	assert_true(hostile[AGE_MODERN][2].charged * 10 > hostile[AGE_MODERN][2].sent * 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
