#ifndef VG_IGNORE_WORDS_H
#define VG_IGNORE_WORDS_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>

struct error;
struct findings;
struct position;

/* Reads the words of fail2ban's ignoreip, and of the files that ignoreip names. They say whom no
 * jail bans. */
enum {
	IGNORE_WORDS_ADDRESSES_MAX = 65536, /* of one file; more are an error */
	IGNORE_WORDS_NAMES_MAX = 256,       /* of one file; each is looked up again and again */
};

enum ignore_words_kind {
	IGNORE_WORDS_ADDRESS, /* ADDR, ADDR/LEN, ADDR/MASK */
	IGNORE_WORDS_NAME,    /* a host name, to be looked up */
	IGNORE_WORDS_FILE,    /* file:PATH */
};

/* Says what kind the word is; *ret_ip is filled in for an address. -1: it is none of these, and err
 * says why. */
int ignore_words_word(const char *word, enum ignore_words_kind *ret_kind, struct ip *ret_ip,
	struct error *err);
/* The path in "file:/PATH" or "file:///PATH", as a pointer into word, which must begin with
 * "file:". What it points to begins with exactly one /; any other byte there means that the path is
 * not absolute, which is not allowed. */
const char *ignore_words_path(const char *word);

/* A network is wide if it is larger than any that a registry gives to one owner (IPv4 /8, IPv6
 * /16): whoever protects it protects strangers, too. */
enum { IGNORE_WORDS_WIDE4_BITS = 8, IGNORE_WORDS_WIDE6_BITS = 16 };
bool ignore_words_is_wide(const struct ip *ip);
/* Adds the warning that ignoreip has this wide network. */
void ignore_words_warn_wide(const struct ip *ip, const struct position *at,
	struct findings *findings);

struct ignore_words {
	struct ip *addresses; /* owned, in the order of the file */
	size_t n_addresses;
	char **names; /* owned */
	size_t n_names;
};

/* Reads the text of a file that ignoreip names: entries with blanks, commas or newlines between; a
 * # or ; at the start of a line or behind a blank begins a comment. An entry that cannot be read is
 * an error among the findings, with file, line and column, and the others are in *ret_list all the
 * same; a wide network is a warning. Returns -1 if there was an error, because somebody may lack
 * protection. The caller calls ignore_words_done in any case. */
int ignore_words_parse(const char *text, size_t length, const char *file,
	struct ignore_words *ret_list, struct findings *findings);
void ignore_words_done(struct ignore_words *list);

#endif
