#include "wire/sip_answer.h"

#include "base/ascii.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum {
	IP4_HEADER_BYTES = 20,
	IP6_HEADER_BYTES = 40,
	UDP_HEADER_BYTES = 8,
	EXTENSIONS_MAX = 8, /* headers between IPv6 and UDP; the host's own packets have none */
};

/* Bytes that are read from their front; `left` counts those from `at` on. */
struct span {
	const uint8_t *at;
	size_t left;
	bool is_cut; /* the packet goes on, and what is here ends before it */
};

static uint16_t word_at(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void skip(struct span *span, size_t count)
{
	span->at += count;
	span->left -= count;
}

/* Takes the IPv4 header away, and what the packet has behind its end. */
static enum sip_answer_kind read_ip4(struct span *packet, struct sip_answer *answer)
{
	const uint8_t *header = packet->at;
	size_t header_bytes, total;

	if (packet->left < IP4_HEADER_BYTES)
		return SIP_ANSWER_UNREADABLE;
	if (header[9] != IPPROTO_UDP || word_at(header + 6) & 0x1fff)
		return SIP_ANSWER_OTHER; /* 0x1fff: a later fragment, which has no UDP header */
	header_bytes = (size_t)(header[0] & 0xf) * 4;
	total = word_at(header + 2);
	if (header_bytes < IP4_HEADER_BYTES || total < header_bytes || packet->left < header_bytes)
		return SIP_ANSWER_UNREADABLE;
	packet->is_cut =
		packet->left < total || word_at(header + 6) & 0x2000; /* fragments follow */
	answer->to = ip_from_bytes(4, header + 16);
	packet->left = packet->left < total ? packet->left : total;
	skip(packet, header_bytes);
	return SIP_ANSWER_READ;
}

/* Takes one extension header away: *type says which it is, and then what follows it. */
static enum sip_answer_kind read_extension(struct span *packet, uint8_t *type)
{
	size_t bytes;

	if (packet->left < 8)
		return SIP_ANSWER_UNREADABLE;
	switch (*type) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_DSTOPTS:
		bytes = ((size_t)packet->at[1] + 1) * 8;
		break;
	case IPPROTO_ROUTING:
		/* with segments left, the destination is only the next stop */
		if (packet->at[3])
			return SIP_ANSWER_UNREADABLE;
		bytes = ((size_t)packet->at[1] + 1) * 8;
		break;
	case IPPROTO_FRAGMENT:
		if (word_at(packet->at + 2) & 0xfff8)
			return SIP_ANSWER_OTHER;                      /* a later fragment */
		packet->is_cut = packet->is_cut || packet->at[3] & 1; /* fragments follow */
		bytes = 8;
		break;
	default:
		return SIP_ANSWER_OTHER;
	}
	if (packet->left < bytes)
		return SIP_ANSWER_UNREADABLE;
	*type = packet->at[0];
	skip(packet, bytes);
	return SIP_ANSWER_READ;
}

static enum sip_answer_kind read_ip6(struct span *packet, struct sip_answer *answer)
{
	const uint8_t *header = packet->at;
	size_t total;
	uint8_t type;

	if (packet->left < IP6_HEADER_BYTES)
		return SIP_ANSWER_UNREADABLE;
	type = header[6];
	total = IP6_HEADER_BYTES + (size_t)word_at(header + 4);
	packet->is_cut = packet->left < total;
	answer->to = ip_from_bytes(6, header + 24);
	packet->left = packet->left < total ? packet->left : total;
	skip(packet, IP6_HEADER_BYTES);
	for (int i = 0; i < EXTENSIONS_MAX && type != IPPROTO_UDP; i++) {
		enum sip_answer_kind kind = read_extension(packet, &type);

		if (kind != SIP_ANSWER_READ)
			return kind;
	}
	return type == IPPROTO_UDP ? SIP_ANSWER_READ : SIP_ANSWER_UNREADABLE;
}

/* Leaves the SIP message in packet. */
static enum sip_answer_kind read_udp(struct span *packet, struct sip_answer *answer)
{
	size_t length;

	if (packet->left < UDP_HEADER_BYTES)
		return SIP_ANSWER_UNREADABLE;
	length = word_at(packet->at + 4);
	if (length < UDP_HEADER_BYTES || (length > packet->left && !packet->is_cut))
		return SIP_ANSWER_UNREADABLE;
	packet->is_cut = packet->is_cut || length > packet->left;
	answer->from_port = word_at(packet->at);
	packet->left = length < packet->left ? length : packet->left;
	skip(packet, UDP_HEADER_BYTES);
	return SIP_ANSWER_READ;
}

static enum sip_answer_kind read_headers(struct span *packet, struct sip_answer *answer)
{
	enum sip_answer_kind kind = SIP_ANSWER_OTHER;
	uint8_t version = packet->left ? packet->at[0] >> 4 : 0;

	if (version == 4)
		kind = read_ip4(packet, answer);
	else if (version == 6)
		kind = read_ip6(packet, answer);
	return kind == SIP_ANSWER_READ ? read_udp(packet, answer) : kind;
}

static bool begins_with(const struct span *span, const char *text)
{
	size_t length = strlen(text);

	return span->left >= length && memcmp(span->at, text, length) == 0;
}

/* Whether the line is the header of this name, in any case of its letters. If so, the name, the
 * colon and the spaces around it are taken away. */
static bool take_name(struct span *line, const char *name)
{
	size_t length = strlen(name);
	size_t i;

	if (line->left < length)
		return false;
	for (i = 0; i < length; i++)
		if (ascii_lower((char)line->at[i]) != name[i])
			return false;
	while (i < line->left && (line->at[i] == ' ' || line->at[i] == '\t'))
		i++;
	if (i == line->left || line->at[i] != ':')
		return false;
	for (i++; i < line->left && (line->at[i] == ' ' || line->at[i] == '\t'); i++)
		;
	skip(line, i);
	return true;
}

/* Takes a line off the message, without its CR LF. False: none ends there. */
static bool take_line(struct span *message, struct span *ret_line)
{
	const uint8_t *end = memmem(message->at, message->left, "\r\n", 2);

	if (!end)
		return false;
	*ret_line = (struct span){ .at = message->at, .left = (size_t)(end - message->at) };
	skip(message, ret_line->left + 2);
	return true;
}

/* Takes the value of a parameter off the line, and leaves the line behind it; a quoted one without
 * its quotes. A backslash in quotes takes the byte after it along. False: its quotes do not end. */
static bool take_value(struct span *line, struct span *ret_value)
{
	bool is_quoted = line->left > 0 && line->at[0] == '"';
	size_t end;

	if (is_quoted)
		skip(line, 1);
	for (end = 0; end < line->left && line->at[end] != (is_quoted ? '"' : ','); end++)
		if (is_quoted && line->at[end] == '\\')
			end++;
	if (end > line->left || (is_quoted && end == line->left))
		return false;
	*ret_value = (struct span){ .at = line->at, .left = end };
	skip(line, end + is_quoted);
	return true;
}

/* Reads the parameters of a challenge, 'realm="asterisk",nonce="...",algorithm=MD5'. False: they
 * have another form, or there are too many nonces. */
static bool read_parameters(struct span line, struct sip_answer *answer)
{
	while (line.left) {
		struct span name = { .at = line.at };
		struct span value;
		bool is_nonce;

		if (line.at[0] == ',' || line.at[0] == ' ' || line.at[0] == '\t') {
			skip(&line, 1);
			continue;
		}
		while (name.left < line.left &&
			(ascii_is_word((char)line.at[name.left]) || line.at[name.left] == '-'))
			name.left++;
		skip(&line, name.left);
		if (!name.left || !line.left || line.at[0] != '=')
			return false;
		skip(&line, 1);
		is_nonce = name.left == strlen("nonce") &&
			   strncasecmp((const char *)name.at, "nonce", name.left) == 0;
		if (!take_value(&line, &value))
			return false;
		if (!is_nonce)
			continue;
		if (answer->n_nonces == SIP_ANSWER_NONCES_MAX)
			return false;
		answer->nonces[answer->n_nonces++] = (struct sip_nonce){ value.at, value.left };
	}
	return true;
}

/* Reads the header lines, behind the status line. True: they have the shape that the header of this
 * file describes. */
static bool read_lines(struct span message, struct sip_answer *answer)
{
	size_t cseqs = 0;
	struct span line;

	while (take_line(&message, &line)) {
		if (!line.left)
			return message.left == 0 && cseqs == 1;
		if (line.at[0] == ' ' || line.at[0] == '\t')
			return false;
		if (take_name(&line, "cseq")) {
			cseqs++;
		} else if (take_name(&line, "www-authenticate") ||
			   take_name(&line, "proxy-authenticate")) {
			if (!cseqs)
				return false;
			if (line.left > strlen("Digest ") &&
				strncasecmp((const char *)line.at, "Digest ", strlen("Digest ")) ==
					0) {
				skip(&line, strlen("Digest "));
				if (!read_parameters(line, answer))
					return false;
			}
		}
	}
	return false;
}

enum sip_answer_kind sip_answer_read(const void *packet, size_t length,
	struct sip_answer *ret_answer)
{
	struct span message = { .at = packet, .left = length };
	struct sip_answer answer = { 0 };
	enum sip_answer_kind kind = read_headers(&message, &answer);
	struct span line;

	if (kind != SIP_ANSWER_READ)
		return kind;
	if (message.is_cut && message.left < strlen("SIP/2.0 401 "))
		return SIP_ANSWER_UNREADABLE;
	if (!begins_with(&message, "SIP/2.0 401 ") && !begins_with(&message, "SIP/2.0 407 "))
		return SIP_ANSWER_OTHER; /* whole or not, it gives no nonce away */
	if (message.is_cut || !take_line(&message, &line) || !read_lines(message, &answer))
		return SIP_ANSWER_UNREADABLE;
	*ret_answer = answer;
	return SIP_ANSWER_READ;
}
