#include "dialect/ignore_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/findings.h"
#include "base/host_name.h"
#include "base/text.h"

enum { SHOWN_MAX = 160 };

static const char FILE_WORD[] = "file:";

const char *ignore_words_path(const char *word)
{
	const char *path = word + strlen(FILE_WORD);

	while (path[0] == '/' && path[1] == '/')
		path++;
	return path;
}

int ignore_words_word(const char *word, enum ignore_words_kind *ret_kind, struct ip *ret_ip,
	struct error *err)
{
	char shown[SHOWN_MAX];

	if (strncmp(word, FILE_WORD, strlen(FILE_WORD)) == 0) {
		if (ignore_words_path(word)[0] != '/')
			return error_set(err, "'%s' names no absolute path: write file:/PATH",
				text_render_string(shown, sizeof(shown), word));
		*ret_kind = IGNORE_WORDS_FILE;
		return 0;
	}
	if (host_name_is_valid(word, strlen(word))) {
		*ret_kind = IGNORE_WORDS_NAME;
		return 0;
	}
	if (ip_parse_prefix(word, ret_ip, err) < 0)
		return -1;
	*ret_kind = IGNORE_WORDS_ADDRESS;
	return 0;
}

bool ignore_words_is_wide(const struct ip *ip)
{
	return ip->bits < (ip->family == 4 ? IGNORE_WORDS_WIDE4_BITS : IGNORE_WORDS_WIDE6_BITS);
}

void ignore_words_warn_wide(const struct ip *ip, const struct position *at,
	struct findings *findings)
{
	/* 2000::/3, from which all public IPv6 addresses come (RFC 3587) */
	static const struct ip unicast6 = { .family = 6, .bits = 3, .bytes = { 0x20 } };
	bool is_all = ip->family == 4 ? ip->bits == 0 : ip_contains(ip, &unicast6);
	char address[IP_TEXT_MAX];

	ip_format(ip, address);
	if (is_all)
		finding_warning(findings, at,
			"ignoreip: %s is everybody: no IPv%d address is ever banned", address,
			ip->family);
	else
		finding_warning(findings, at,
			"ignoreip: %s is a large part of the Internet, and nobody in it is ever "
			"banned",
			address);
}

/* Adds one word. -1: it is not in the list, and err says why. */
static int add_word(struct ignore_words *list, const char *word, const struct position *at,
	struct findings *findings, struct error *err)
{
	enum ignore_words_kind kind;
	char shown[SHOWN_MAX];
	struct ip ip;

	if (ignore_words_word(word, &kind, &ip, err) < 0)
		return -1;
	switch (kind) {
	case IGNORE_WORDS_ADDRESS:
		if (list->n_addresses == IGNORE_WORDS_ADDRESSES_MAX)
			return error_set(err, "more than %d addresses", IGNORE_WORDS_ADDRESSES_MAX);
		/* the room doubles: growing it by one each time would copy the list each time */
		if ((list->n_addresses & (list->n_addresses - 1)) == 0)
			list->addresses = alloc_grow(list->addresses,
				list->n_addresses ? list->n_addresses * 2 : 1,
				sizeof(list->addresses[0]));
		list->addresses[list->n_addresses++] = ip;
		if (ignore_words_is_wide(&ip))
			ignore_words_warn_wide(&ip, at, findings);
		return 0;
	case IGNORE_WORDS_NAME:
		if (list->n_names == IGNORE_WORDS_NAMES_MAX)
			return error_set(err, "more than %d names", IGNORE_WORDS_NAMES_MAX);
		list->names = alloc_grow(list->names, list->n_names + 1, sizeof(list->names[0]));
		list->names[list->n_names++] = alloc_string(word);
		return 0;
	case IGNORE_WORDS_FILE:
		break;
	}
	return error_set(err, "'%s': such a file names no other files",
		text_render_string(shown, sizeof(shown), word));
}

static bool is_separator(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
}

int ignore_words_parse(const char *text, size_t length, const char *file,
	struct ignore_words *ret_list, struct findings *findings)
{
	struct position at = { .file = file, .line = 1 };
	size_t line_start = 0;
	int rc = 0;

	*ret_list = (struct ignore_words){ 0 };
	for (size_t i = 0; i < length;) {
		size_t from = i;
		struct error err;

		if (is_separator(text[i])) {
			if (text[i++] == '\n') {
				at.line++;
				line_start = i;
			}
			continue;
		}
		if (text[i] == '#' || text[i] == ';') {
			while (i < length && text[i] != '\n')
				i++;
			continue;
		}
		while (i < length && !is_separator(text[i]))
			i++;
		cleanup_free char *word = alloc_bytes(text + from, i - from);
		at.column = (unsigned)(from - line_start) + 1;
		if (add_word(ret_list, word, &at, findings, &err) == 0)
			continue;
		rc = finding_error(findings, &at, "ignoreip: %s", err.text);
	}
	return rc;
}

void ignore_words_done(struct ignore_words *list)
{
	for (size_t i = 0; i < list->n_names; i++)
		free(list->names[i]);
	free(list->names);
	free(list->addresses);
	*list = (struct ignore_words){ 0 };
}
