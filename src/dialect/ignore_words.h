#ifndef VG_IGNORE_WORDS_H
#define VG_IGNORE_WORDS_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>

struct error;
struct findings;
struct position;

/* The words of fail2ban's ignoreip, and of the files that ignoreip names, say whom no jail bans. */
enum {
	IGNORE_WORDS_ADDRESSES_MAX = 65536, /* of one file; more is an error */
	IGNORE_WORDS_NAMES_MAX = 256,       /* of one file: each is asked for again and again */
};

enum ignore_words_kind {
	IGNORE_WORDS_ADDRESS, /* ADDR, ADDR/LEN, ADDR/MASK */
	IGNORE_WORDS_NAME,    /* a host name, to be looked up */
	IGNORE_WORDS_FILE,    /* file:PATH */
};

/* Says what the word is; *ret_ip is filled for an address. -1 with a sentence: none of these. */
int ignore_words_word(const char *word, enum ignore_words_kind *ret_kind, struct ip *ret_ip,
	struct error *err);
/* The path in "file:/PATH" or "file:///PATH"; a pointer into word. It begins with one /, else it
 * is not absolute, which no such file may be. */
const char *ignore_words_path(const char *word);

/* A network is wide if it is larger than any that a registry has given away (IPv4 /8, IPv6 /16):
 * whoever protects it protects strangers, not friends. */
enum { IGNORE_WORDS_WIDE4_BITS = 8, IGNORE_WORDS_WIDE6_BITS = 16 };
bool ignore_words_is_wide(const struct ip *ip);
/* Warns that ignoreip has a wide network. */
void ignore_words_warn_wide(const struct ip *ip, const struct position *at,
	struct findings *findings);

struct ignore_words {
	struct ip *addresses; /* owned, in the order of the file */
	size_t n_addresses;
	char **names; /* owned */
	size_t n_names;
};

/* Reads such a file's text: entries with blanks, commas or newlines between; a # or ; at the start
 * of a line or behind a blank begins a comment. What cannot be read is an error among the findings,
 * with file, line and column; the rest is in *ret_list all the same, to be freed by
 * ignore_words_done; an entry that is too wide is a warning. Returns -1 if there was such an error:
 * somebody may lack protection. */
int ignore_words_parse(const char *text, size_t length, const char *file,
	struct ignore_words *ret_list, struct findings *findings);
void ignore_words_done(struct ignore_words *list);

#endif
