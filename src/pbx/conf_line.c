#include "pbx/conf_line.h"

#include <string.h>

#include "pbx/conf.h"

/* To Asterisk a blank is every byte up to the space. */
static bool is_blank(char byte)
{
	return (unsigned char)byte <= ' ';
}

static char *strip_blanks(char *text)
{
	size_t length;

	while (*text && is_blank(*text))
		text++;
	length = strlen(text);
	while (length && is_blank(text[length - 1]))
		length--;
	text[length] = '\0';
	return text;
}

void conf_line_strip(char *line, unsigned *depth)
{
	size_t kept = 0; /* bytes of the result */
	size_t from = 0; /* where the last comment began or ended */

	for (size_t i = 0; line[i]; i++) {
		bool is_escaped = line[i] == ';' && i > from && line[i - 1] == '\\';
		bool ends = *depth && i >= from + 2 && memcmp(line + i - 2, "--;", 3) == 0;
		bool begins = strncmp(line + i, ";--", 3) == 0 && line[i + 3] != '-';

		if (line[i] != ';' || is_escaped) {
			if (is_escaped && !*depth)
				kept--; /* the backslash */
			if (!*depth)
				line[kept++] = line[i];
		} else if (begins && *depth < CONF_COMMENTS_MAX) {
			++*depth;
			i += 2;
			from = i + 1;
		} else if (ends) {
			--*depth;
			from = i + 1;
		} else if (!*depth) {
			break;
		}
	}
	line[kept] = '\0';
}

/* [name], [name](options) */
static struct conf_line section_read(char *line)
{
	struct conf_line found = { .kind = CONF_LINE_SECTION, .name = line + 1 };
	char *close = strchr(line, ']');
	char *end;

	if (!close)
		return (struct conf_line){ 0 };
	*close = '\0';
	found.name = strip_blanks(found.name);
	found.value = close;
	end = close[1] == '(' ? strchr(close + 1, ')') : NULL;
	if (end) {
		*end = '\0';
		found.value = close + 2;
	}
	return found;
}

/* #name, #name argument, #name "argument", #name <argument> */
static struct conf_line command_read(char *line)
{
	struct conf_line found = { .kind = CONF_LINE_COMMAND, .name = line + 1 };
	char *end = found.name;
	size_t length;

	while (*end && !is_blank(*end))
		end++;
	found.value = *end ? strip_blanks(end + 1) : end;
	*end = '\0';
	length = strlen(found.value);
	if (length >= 2 && ((found.value[0] == '"' && found.value[length - 1] == '"') ||
				   (found.value[0] == '<' && found.value[length - 1] == '>'))) {
		found.value[length - 1] = '\0';
		found.value++;
	}
	return found;
}

struct conf_line conf_line_read(char *line)
{
	struct conf_line found = { .kind = CONF_LINE_SETTING };
	char *equals;

	line = strip_blanks(line);
	if (line[0] == '[')
		return section_read(line);
	if (line[0] == '#')
		return command_read(line);
	if (line[0] == '\\') /* so that a key may begin with [ or # */
		line++;
	equals = strchr(line, '=');
	if (!equals)
		return (struct conf_line){ 0 };
	found.appends = equals > line && equals[-1] == '+';
	equals[found.appends ? -1 : 0] = '\0';
	*equals = '\0';
	found.name = strip_blanks(line);
	found.value = strip_blanks(equals + 1 + (equals[1] == '>' && !found.appends));
	if (!found.name[0])
		return (struct conf_line){ 0 };
	return found;
}

char *conf_line_word(char **rest, char separator)
{
	char *word = *rest;
	char *end;

	if (!word)
		return NULL;
	end = strchr(word, separator);
	*rest = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return strip_blanks(word);
}
