#include "base/mail_address.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "base/error.h"
#include "base/text.h"

enum { LOCAL_MAX = 64 }; /* RFC 5321 4.5.3.1.1 */

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

/* Says whether the text can stand before the @: words with dots between them, such as "first.last"
 * (dot-atom, RFC 5322 3.2.3). */
static bool is_local_part(const char *text, size_t length)
{
	if (!length || length > LOCAL_MAX || text[0] == '.' || text[length - 1] == '.')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '.' && text[i - 1] == '.')
			return false;
		if (!ascii_is_word(text[i]) && !strchr(".!#$%&'*+-/=?^`{|}~", text[i]))
			return false;
	}
	return true;
}

static bool is_domain(const char *text)
{
	size_t length = strlen(text);
	bool literal = length > 2 && text[0] == '[' && text[length - 1] == ']';

	if (literal)
		return strspn(text + 1, "0123456789abcdefABCDEFIPv.:") == length - 2;
	if (!length || text[0] == '.' || text[0] == '-' || text[length - 1] == '.' ||
		strstr(text, ".."))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!ascii_is_word(text[i]) && text[i] != '.' && text[i] != '-')
			return false;
	return true;
}

static int part_error(struct error *err, const char *part, size_t length, const char *what)
{
	return error_set(err, "'%s' is not a mail address: %s", text_shown(part, length).text,
		what);
}

static int parse_address(const char *text, size_t length, const char *host, struct mailbox *mailbox,
	struct error *err)
{
	const char *at = memchr(text, '@', length);
	size_t local = at ? (size_t)(at - text) : length;
	int written;

	if (!is_local_part(text, local))
		return part_error(err, text, length, "expected name@domain in plain ASCII");
	if (at)
		written = snprintf(mailbox->address, sizeof(mailbox->address), "%.*s", (int)length,
			text);
	else
		written = snprintf(mailbox->address, sizeof(mailbox->address), "%.*s@%s",
			(int)length, text, host);
	if (written < 0 || (size_t)written >= sizeof(mailbox->address))
		return part_error(err, text, length, "it is longer than 254 bytes");
	if (!is_domain(mailbox->address + local + 1))
		return part_error(err, text, length, "what follows the @ is no domain");
	return 0;
}

static void trim(const char **text, size_t *length)
{
	while (*length && ((*text)[0] == ' ' || (*text)[0] == '\t')) {
		(*text)++;
		(*length)--;
	}
	while (*length && ((*text)[*length - 1] == ' ' || (*text)[*length - 1] == '\t'))
		(*length)--;
}

static int parse_mailbox(const char *part, size_t length, const char *host, struct mailbox *mailbox,
	struct error *err)
{
	const char *open = memchr(part, '<', length);
	const char *name = part;
	size_t name_length = open ? (size_t)(open - part) : 0;

	*mailbox = (struct mailbox){ .name = "" };
	if (!open)
		return parse_address(part, length, host, mailbox, err);
	if (part[length - 1] != '>')
		return part_error(err, part, length, "it has '<' and does not end in '>'");
	trim(&name, &name_length);
	if (name_length >= 2 && name[0] == '"' && name[name_length - 1] == '"') {
		name++;
		name_length -= 2;
	}
	if (name_length > MAILBOX_NAME_MAX)
		return part_error(err, part, length, "the name is longer than 100 bytes");
	memcpy(mailbox->name, name, name_length);
	if (strpbrk(mailbox->name, "\"\\<>"))
		return part_error(err, part, length, "the name has a quote, backslash or bracket");
	return parse_address(open + 1, (size_t)(part + length - open) - 2, host, mailbox, err);
}

/* Length of the entry at text: it ends at a comma outside quotes, or at the end. */
static size_t part_length(const char *text)
{
	bool quoted = false;
	size_t i = 0;

	for (; text[i] && (quoted || text[i] != ','); i++)
		if (text[i] == '"')
			quoted = !quoted;
	return i;
}

int mailbox_parse(const char *text, const char *host, struct mailboxes *ret_mailboxes,
	size_t *ret_wrong, struct error *err)
{
	struct mailboxes found = { .count = 0 };
	const char *rest = text;
	bool more = true;

	if (ret_wrong)
		*ret_wrong = 0;
	if (has_control(text))
		return part_error(err, text, strlen(text), "it has a control character");
	while (more) {
		const char *part = rest;
		size_t length = part_length(rest);

		more = rest[length] == ',';
		rest += length + 1;
		trim(&part, &length);
		if (ret_wrong)
			*ret_wrong = (size_t)(part - text);
		if (!length)
			return error_set(err, "a mail address is missing%s",
				*text ? " beside a comma" : "");
		if (found.count == MAILBOX_LIST_MAX)
			return error_set(err, "more than %d mail addresses", MAILBOX_LIST_MAX);
		if (parse_mailbox(part, length, host, &found.list[found.count], err) < 0)
			return -1;
		found.count++;
	}
	*ret_mailboxes = found;
	return 0;
}
