#include "asterisk/record_end.h"

#include <string.h>

enum {
	ADDRESS_BYTES_MAX = 64,
	LOCAL_BYTES_MAX = 160,    /* of ",LocalAddress="...",Rem */
	CHALLENGE_BYTES_MAX = 63, /* what PJSIP copies of the caller's */
	RESPONSE_BYTES_MAX = 255,
	LAST_BYTES = 450, /* of a record that may hold bare quotes: see is_alone */
};

static bool is_hex(char c)
{
	return asterisk_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_address(char c)
{
	return is_hex(c) || c == '.' || c == ':';
}

/* ,NAME="value" with a value as PJSIP copies it from a quoted string: a quote stands in it only
 * behind a backslash. It is cut at `most` bytes, where the last may be a backslash alone. */
static bool take_quoted(struct asterisk_cursor *c, const char *name, size_t most,
	struct asterisk_piece *ret)
{
	const char *start;

	if (!asterisk_take(c, ",") || !asterisk_take(c, name) || !asterisk_take(c, "=\""))
		return false;
	start = c->at;
	while (c->at < c->end && *c->at != '"') {
		size_t step = *c->at == '\\' && (size_t)(c->at - start) + 1 < most ? 2 : 1;

		if ((size_t)(c->at - start) + step > most || (size_t)(c->end - c->at) < step)
			return false;
		c->at += step;
	}
	*ret = (struct asterisk_piece){ start, (size_t)(c->at - start) };
	return asterisk_take(c, "\"");
}

/* 0: there is no such port. */
static uint16_t port_of(struct asterisk_piece digits)
{
	uint32_t port = 0;

	for (size_t i = 0; i < digits.length && port <= UINT16_MAX; i++)
		port = port * 10 + (uint32_t)(digits.text[i] - '0');
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* oteAddress="IPV4/UDP/192.0.2.1/5060" */
static bool take_remote(struct asterisk_cursor *c, struct asterisk_record *record)
{
	static const char *const transports[] = { "UDP", "TCP", "TLS", "WSS", "WS" };
	struct asterisk_piece address;
	struct asterisk_piece port;
	bool six;

	if (!asterisk_take(c, "oteAddress=\"IPV"))
		return false;
	six = asterisk_take(c, "6");
	if ((!six && !asterisk_take(c, "4")) || !asterisk_take(c, "/"))
		return false;
	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
		record->transport = (struct asterisk_piece){ c->at, strlen(transports[i]) };
		if (asterisk_take(c, transports[i]) && asterisk_take(c, "/"))
			break;
		c->at = record->transport.text;
		if (i + 1 == sizeof(transports) / sizeof(transports[0]))
			return false;
	}
	if (!asterisk_take_run(c, is_address, 1, &address) || address.length > ADDRESS_BYTES_MAX ||
		ip_parse(address.text, address.length, &record->ip) < 0 || !asterisk_take(c, "/") ||
		!asterisk_take_run(c, asterisk_is_digit, 1, &port))
		return false;
	record->port = port_of(port);
	/* an IPv4 address that was written as ::ffff:192.0.2.1 is IPv4 by now, in an IPV6 field */
	return asterisk_take(c, "\"") && (six || record->ip.family == 4);
}

static bool tail_nothing(struct asterisk_cursor *c, struct asterisk_record *record)
{
	(void)c, (void)record;
	return true;
}

static bool tail_acl(struct asterisk_cursor *c, struct asterisk_record *record)
{
	(void)record;
	return asterisk_take_field(c, "ACLName", asterisk_is_word, NULL);
}

static bool tail_session_tv(struct asterisk_cursor *c, struct asterisk_record *record)
{
	struct asterisk_cursor next = *c;
	struct asterisk_piece stamp;

	(void)record;
	if (asterisk_take_field(&next, "ACLName", asterisk_is_word, NULL))
		*c = next;
	return asterisk_take_field(c, "SessionTV", asterisk_is_stamp, &stamp) && stamp.length;
}

/* Where the values hold no bare quote, ,Challenge=" behind an address and this end of the line are
 * the server's. An ESC in the values may have deleted what is between, or doubled it. */
static bool tail_modern(struct asterisk_cursor *c, struct asterisk_record *record)
{
	static const char end[] = "\",ExpectedResponse=\"\"";
	struct asterisk_cursor next = *c;

	if (!asterisk_take(c, ",Challenge=\"") || (size_t)(c->end - c->at) < sizeof(end) - 1 ||
		memcmp(c->end - (sizeof(end) - 1), end, sizeof(end) - 1) != 0)
		return false;
	c->at = c->end;
	if (!take_quoted(&next, "Challenge", CHALLENGE_BYTES_MAX, &record->challenge))
		record->challenge = (struct asterisk_piece){ 0 };
	return true;
}

static bool tail_response(struct asterisk_cursor *c, struct asterisk_record *record)
{
	struct asterisk_piece response;

	return take_quoted(c, "Challenge", CHALLENGE_BYTES_MAX, &record->challenge) &&
	       take_quoted(c, "Response", RESPONSE_BYTES_MAX, &response) &&
	       asterisk_take(c, ",ExpectedResponse=\"\"");
}

/* A value up to the text `next`. chan_sip reads one to its closing quote, or to a comma, so that it
 * never holds both, as a text that looks like the end of a record would. */
static bool take_sip(struct asterisk_cursor *c, const char *next, struct asterisk_piece *ret)
{
	const char *stop = asterisk_find(c->at, c->end, next);

	if (!stop)
		return false;
	*ret = (struct asterisk_piece){ c->at, (size_t)(stop - c->at) };
	c->at = stop + strlen(next);
	return !memchr(ret->text, '"', ret->length) || !memchr(ret->text, ',', ret->length);
}

static bool tail_sip_password(struct asterisk_cursor *c, struct asterisk_record *record)
{
	struct asterisk_piece received;
	struct asterisk_cursor hash;

	if (!asterisk_take_field(c, "Challenge", asterisk_is_word, &record->challenge) ||
		!asterisk_take(c, ",ReceivedChallenge=\"") ||
		!take_sip(c, "\",ReceivedHash=\"", &received) ||
		asterisk_find(received.text, c->end, "oteAddress=\""))
		return false; /* the last address is read: behind a caller's stands the server's */
	hash = *c;
	c->at = c->end;
	record->proven = received.length && received.length == record->challenge.length &&
			 memcmp(received.text, record->challenge.text, received.length) == 0;
	return hash.at < hash.end && hash.end[-1] == '"' &&
	       (!memchr(hash.at, '"', (size_t)(hash.end - hash.at - 1)) ||
		       !memchr(hash.at, ',', (size_t)(hash.end - hash.at)));
}

static bool tail_challenge_sent(struct asterisk_cursor *c, struct asterisk_record *record)
{
	return asterisk_take_field(c, "Challenge", asterisk_is_word, &record->challenge);
}

static bool tail_success(struct asterisk_cursor *c, struct asterisk_record *record)
{
	struct asterisk_cursor next;

	(void)record;
	if (!asterisk_take_field(c, "UsingPassword", asterisk_is_digit, NULL))
		return false;
	next = *c;
	if (asterisk_take_field(&next, "SessionTV", asterisk_is_stamp, NULL))
		*c = next;
	return true;
}

/* How the records of each kind end. SessionLimit is no failure: it is here because it ends as
 * InvalidAccountID does, and a record of that kind may stand before it in the same line. */
static const struct shape {
	const char *service;
	const char *event;
	bool (*tail)(struct asterisk_cursor *c, struct asterisk_record *record);
	bool bare_quotes; /* a value behind the address may hold them before pjproject 2.12 */
} shapes[] = {
	{ "PJSIP", "InvalidAccountID", tail_nothing, false },
	{ "PJSIP", "FailedACL", tail_acl, false },
	{ "PJSIP", "ChallengeResponseFailed", tail_response, true },
	{ "PJSIP", "ChallengeSent", tail_challenge_sent, false },
	{ "PJSIP", "SuccessfulAuth", tail_success, false },
	{ "SIP", "InvalidAccountID", tail_nothing, false },
	{ "SIP", "FailedACL", tail_acl, false },
	{ "SIP", "InvalidPassword", tail_sip_password, false },
	{ "SIP", "ChallengeResponseFailed", tail_response, false },
	{ "SIP", "ChallengeSent", tail_challenge_sent, false },
	{ "SIP", "SuccessfulAuth", tail_success, false },
	{ "SIP", "SessionLimit", tail_nothing, false },
	{ "AMI", "InvalidAccountID", tail_session_tv, false },
	{ "AMI", "InvalidPassword", tail_session_tv, false },
	{ "AMI", "FailedACL", tail_session_tv, false },
	{ "AMI", "SuccessfulAuth", tail_success, false },
	{ "AMI", "SessionLimit", tail_session_tv, false },
};

static const struct shape *shape_of(const struct asterisk_head *head)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (asterisk_is(head->service, shapes[i].service) &&
			asterisk_is(head->event, shapes[i].event))
			return &shapes[i];
	return NULL;
}

static bool is_ami_response(const struct asterisk_head *head)
{
	return asterisk_is(head->service, "AMI") &&
	       asterisk_is(head->event, "ChallengeResponseFailed");
}

/* IPV4/UDP/192.0.2.10/5060 */
static bool take_local(struct asterisk_cursor *c)
{
	return asterisk_take(c, "IPV") && asterisk_take_run(c, asterisk_is_digit, 1, NULL) &&
	       asterisk_take(c, "/") && asterisk_take_run(c, asterisk_is_word, 1, NULL) &&
	       asterisk_take(c, "/") && asterisk_take_run(c, is_address, 1, NULL) &&
	       asterisk_take(c, "/") && asterisk_take_run(c, asterisk_is_digit, 1, NULL);
}

/* Where ",LocalAddress="IPV4/UDP/192.0.2.10/5060",Rem begins that ends at `at`; NULL: none does. */
static const char *local_before(const char *start, const char *at)
{
	static const char key[] = "\",LocalAddress=\"";
	const char *found = NULL;
	struct asterisk_cursor c;

	/* the longest is known: no other place is looked at */
	for (const char *from = at - start > LOCAL_BYTES_MAX ? at - LOCAL_BYTES_MAX : start;
		(from = asterisk_find(from, at, key)) != NULL; from++)
		found = from;
	if (!found)
		return NULL;
	c = (struct asterisk_cursor){ found + sizeof(key) - 1, at };
	return take_local(&c) && asterisk_take(&c, "\",Rem") && c.at == at ? found : NULL;
}

/* OLD: a value with bare quotes behind the address can look like an address, or like a head and an
 * address. So an address is safe only if no other stands in the last bytes of the line; and an ESC
 * that has stayed may have made those bytes more. */
static bool is_alone(const char *start, const char *address, const char *end)
{
	const char *from = end - start > LAST_BYTES ? end - LAST_BYTES : start;
	const char *first = asterisk_find(from, end, "oteAddress=\"");

	return first == address && !asterisk_find(address + 1, end, "oteAddress=\"") &&
	       !memchr(start, '\033', (size_t)(end - start));
}

/* Any record of the line may: a caller can have put a head of another kind into his value. */
static bool may_hold_quotes(const struct asterisk_head *heads, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct shape *shape = shape_of(&heads[i]);

		if (shape && shape->bare_quotes)
			return true;
	}
	return false;
}

/* The last address in [start, end) from which a tail reaches the end; NULL: there is none.
 * tail_modern passes over anything, so that only the very last address can be the server's. */
static const char *find_tail(const struct shape *shape, const char *start, const char *end,
	struct asterisk_rule rule, struct asterisk_record *record)
{
	static const char key[] = "oteAddress=\"";
	bool (*tail)(struct asterisk_cursor *, struct asterisk_record *) =
		rule.modern && !rule.whole && shape->bare_quotes ? tail_modern : shape->tail;

	for (const char *at = end - (sizeof(key) - 1); at >= start; at--) {
		struct asterisk_cursor c = { at, end };

		if (*at != 'o' || memcmp(at, key, sizeof(key) - 1) != 0)
			continue;
		record->proven = false;
		if (take_remote(&c, record) && tail(&c, record) && c.at == end)
			return at;
		if (tail == tail_modern)
			return NULL;
	}
	return NULL;
}

static void record_fill(const struct asterisk_head *head, const char *local, const char *end,
	struct asterisk_record *record)
{
	static const char key[] = "\",SessionID=\"";
	const char *session = asterisk_find(head->end, local, key);

	record->text = (struct asterisk_piece){ head->start, (size_t)(end - head->start) };
	record->event = head->event;
	record->service = head->service;
	record->account = (struct asterisk_piece){ head->end,
		(size_t)((session ? session : local) - head->end) };
	record->session = (struct asterisk_piece){ 0 };
	if (session && session + sizeof(key) - 1 <= local)
		record->session = (struct asterisk_piece){ session + sizeof(key) - 1,
			(size_t)(local - session - (sizeof(key) - 1)) };
	record->proven = record->proven || !asterisk_is(record->transport, "UDP");
}

/* The last fields of AMI's wrong answer to a challenge, behind a Response of any bytes. */
static bool has_ami_end(const char *at, const char *end)
{
	static const char key[] = "\",ExpectedResponse=\"";
	struct asterisk_cursor c = { NULL, end };

	while ((at = asterisk_find(at, end, key)))
		c.at = at += sizeof(key) - 1;
	return c.at && asterisk_take_run(&c, is_hex, 1, NULL) && asterisk_take(&c, "\"") &&
	       tail_session_tv(&c, NULL) && c.at == end;
}

/* AMI's wrong answer to a challenge, from the first head of the line, which is the server's. */
static bool read_ami_response(const struct asterisk_head *head, const char *end, bool whole,
	struct asterisk_record *record)
{
	const char *quote = memchr(head->end, '"', (size_t)(end - head->end));
	struct asterisk_cursor c = { quote, end };
	const char *local;

	if (!quote || !asterisk_take(&c, "\",SessionID=\"0x") ||
		!asterisk_take_run(&c, is_hex, 1, NULL))
		return false;
	local = c.at;
	if (!asterisk_take(&c, "\",LocalAddress=\""))
		return false;
	if (!take_local(&c) || !asterisk_take(&c, "\",Rem") || !take_remote(&c, record) ||
		!asterisk_take(&c, ",Challenge=\"") || (whole && !has_ami_end(c.at, end)))
		return false;
	record_fill(head, local, end, record);
	return true;
}

bool asterisk_read_record(const struct asterisk_head *heads, size_t count, size_t at,
	const char *end, struct asterisk_rule rule, struct asterisk_record *record)
{
	const struct asterisk_head *head = &heads[at];
	const struct shape *shape = shape_of(head);
	const char *last = heads[count - 1].end;
	const char *address;
	const char *local;

	*record = (struct asterisk_record){ 0 };
	if (is_ami_response(head))
		return at == 0 && read_ami_response(head, end, rule.whole, record);
	address = shape && !rule.foreign ? find_tail(shape, last, end, rule, record) : NULL;
	if (!address || (!rule.modern && may_hold_quotes(heads, count) &&
				!is_alone(heads[0].end, address, end)))
		return false;
	local = local_before(last, address);
	if (rule.whole && (!local || !asterisk_find(last, local, "\",SessionID=\"")))
		return false;
	/* A caller's values behind the address of chan_sip may look like an address alone, for that
	 * holds no comma; an ESC can take out the name of the second. */
	if (!local && shape->tail == tail_nothing &&
		(!asterisk_find(last, address, "\",SessionID=\"") ||
			asterisk_find(last, address, "\",ReceivedChallenge=\"")))
		return false;
	record_fill(head, local ? local : address, end, record);
	return true;
}

bool asterisk_is_known(const struct asterisk_head *head)
{
	return shape_of(head) || is_ami_response(head);
}
