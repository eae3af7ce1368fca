#include "config/values.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/mail_address.h"
#include "base/text.h"
#include "config/config.h"

enum { SENTENCE_MAX = 1200 };

void values_error(struct config_reader *reader, const struct position *at, const char *format, ...)
{
	char text[SENTENCE_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* cut on purpose */
	va_end(args);
	reader->broken = true;
	(void)finding_error(reader->findings, at, "%s", text);
}

bool values_get(struct config_reader *reader, const char *key_name, struct dialect_value *ret_value)
{
	const struct dialect_key *key = dialect_key(reader->tree, reader->view.section, key_name);

	if (!key)
		return false;
	if (dialect_resolve(reader->tree, &reader->view, key, ret_value, reader->findings) == 0)
		return true;
	reader->broken = true;
	return false;
}

struct config_text values_scalar(struct config_reader *reader, const char *key)
{
	struct config_text text = { 0 };
	struct dialect_value value;
	struct position at;
	size_t from;
	char *newline;

	if (!values_get(reader, key, &value))
		return text;
	from = strspn(value.text, " \t\n");
	newline = strchr(value.text + from, '\n');
	text.at = dialect_at(&value, from);
	if (newline) {
		at = dialect_at(&value, (size_t)(newline - value.text) + 1);
		values_error(reader, &at,
			"this line is indented and so continues the value of '%s', which has one "
			"line only; start it at the beginning of the line if it is a key",
			key);
	} else if (value.text[from]) {
		text.text = alloc_string(value.text + from);
	}
	dialect_value_done(&value);
	return text;
}

struct position values_at(const struct config_reader *reader, const char *key_name, size_t offset)
{
	const struct dialect_key *key = dialect_key(reader->tree, reader->view.section, key_name);
	struct dialect_value value;
	struct position at;

	if (dialect_resolve(reader->tree, &reader->view, key, &value, NULL) < 0)
		return key->at;
	at = dialect_at(&value, strspn(value.text, " \t\n") + offset);
	dialect_value_done(&value);
	return at;
}

const char *values_comment_hint(const char *text)
{
	return strchr(text, '#') ? "; a comment behind a value begins with ' ;', not with '#'" : "";
}

struct shown values_guess(const char *word, const char *const *names, size_t count,
	const char *otherwise)
{
	const char *guess = guess_word(word, names, count);
	struct shown shown = { 0 };

	if (guess)
		text_format(shown.text, sizeof(shown.text), ": did you mean '%s'?", guess);
	else
		text_format(shown.text, sizeof(shown.text), "%s", otherwise);
	return shown;
}

int values_truth(const char *text)
{
	static const char *const words[] = { "0", "off", "false", "no", "1", "on", "true", "yes" };

	for (int i = 0; i < 8; i++)
		if (strcasecmp(text, words[i]) == 0)
			return i / 4;
	return -1;
}

bool values_parse_number(const char *text, unsigned long *ret_number)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || *end || text[0] < '0' || text[0] > '9')
		return false;
	*ret_number = number;
	return true;
}

/* fail2ban's jail.conf has "root@<fq-hostname>": a bare name means the same. */
static void drop_host(char *text)
{
	static const char host[] = "@<fq-hostname>";
	char *at;

	while ((at = strstr(text, host)) != NULL)
		memmove(at, at + strlen(host), strlen(at + strlen(host)) + 1);
}

int values_check_mail(char *text, size_t most, size_t *ret_wrong, struct error *err)
{
	cleanup_free struct mailboxes *found = alloc_zero(sizeof(*found));

	drop_host(text);
	if (mailbox_parse(text, "localhost", found, ret_wrong, err) < 0)
		return -1;
	*ret_wrong = 0;
	if (found->count > most)
		return error_set(err, "%zu mail addresses, where %zu can be", found->count, most);
	return 0;
}

void values_addresses(struct config_reader *reader, const char *key, size_t most, char **io_text)
{
	struct config_text text = values_scalar(reader, key);
	struct position at;
	struct error err;
	size_t wrong;

	if (!text.text)
		return;
	if (values_check_mail(text.text, most, &wrong, &err) == 0) {
		free(*io_text);
		*io_text = text.text;
		return;
	}
	at = values_at(reader, key, wrong);
	(void)finding_error(reader->findings, &at, "%s: %s%s", key, err.text,
		values_comment_hint(text.text));
	free(text.text);
}

bool values_is_empty(const struct dialect_value *value)
{
	return !value->text[strspn(value->text, " \t\n")];
}
