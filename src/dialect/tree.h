#ifndef VG_TREE_H
#define VG_TREE_H

#include "base/findings.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* fail2ban's configuration dialect: a tree of sections and keys merged over files, with
 * includes, overrides and interpolation. Source of the rules: jail.conf(5), fail2ban's
 * client/configparserinc.py and Python's configparser, as observed. */
enum {
	DIALECT_FILES_MAX = 1000, /* of one tree */
	DIALECT_INCLUDE_DEPTH_MAX = 10,
	DIALECT_SECTIONS_MAX = 2000,          /* of one tree */
	DIALECT_KEYS_MAX = 2000,              /* of one section */
	DIALECT_VALUE_BYTES_MAX = 256 * 1024, /* after interpolation */
	DIALECT_DEPTH_MAX = 10,               /* of %(x)s, as in ConfigParser */
	DIALECT_STEPS_MAX = 20000,            /* replacements in one value */
	DIALECT_ROUNDS_MAX = 25,              /* of <tag>, as in fail2ban */
	DIALECT_DIRS_MAX = 4,
};

/* File names, each kept once; positions point to them. Zero is empty. */
struct dialect_names {
	char **list; /* owned */
	size_t count;
};
const char *dialect_name(struct dialect_names *names, const char *path);
void dialect_names_done(struct dialect_names *names);

/* Where the bytes from offset on come from. A fixed span is a replacement inside a line: all of
 * it counts as the place where it was asked for. */
struct dialect_span {
	size_t offset;
	struct position at;
	unsigned cut_column; /* of the ; that cut this line, 0: none */
	bool fixed;
};

/* A value and the way back to the files. Spans are sorted by offset; the first is at 0. */
struct dialect_value {
	char *text; /* owned; NULL: not set */
	size_t length;
	struct dialect_span *spans; /* owned */
	size_t n_spans;
};

struct dialect_key {
	char *name; /* lower case */
	struct position at;
	struct dialect_value value; /* raw */
	struct dialect_key *known;  /* owned: what this one replaced; NULL: nothing */
};

struct dialect_section {
	char *name;
	struct position at;
	bool broken;               /* a line of it could not be read, or stands twice */
	struct dialect_key **keys; /* owned, in order of first appearance */
	size_t n_keys;
};

/* A value that is given from outside and comes first, already resolved. */
struct dialect_option {
	char *name;
	struct dialect_value value;
};

/* Where a reference looks: options, then the section, then [DEFAULT]; a <tag> in [Init] as well,
 * between the last two. */
struct dialect_view {
	const struct dialect_section *section; /* NULL: [DEFAULT] alone */
	const struct dialect_option *options;
	size_t n_options;
};

struct dialect;

/* names and findings are borrowed and outlive the tree. */
struct dialect *dialect_new(struct dialect_names *names, struct findings *findings);
void dialect_free(struct dialect *tree);
/* An include that is not beside its file is looked for here too. */
void dialect_add_dir(struct dialect *tree, const char *dir);
/* A key of [DEFAULT] that is in no file. */
void dialect_preset(struct dialect *tree, const char *key, const char *text);
/* Reads one file over what is there, with its includes. Problems are findings. */
void dialect_read(struct dialect *tree, const char *path);
/* A file could not be read or a whole include is missing: nothing in it is sure. */
bool dialect_is_broken(const struct dialect *tree);

size_t dialect_count(const struct dialect *tree);
const struct dialect_section *dialect_section_at(const struct dialect *tree, size_t index);
const struct dialect_section *dialect_section(const struct dialect *tree, const char *name);
/* The key itself or [DEFAULT]'s, NULL: neither. section may be NULL. */
const struct dialect_key *dialect_key(const struct dialect *tree,
	const struct dialect_section *section, const char *name);
/* In the section itself only. */
const struct dialect_key *dialect_own_key(const struct dialect_section *section, const char *name);
/* Some value of the tree asks for it by %(name)s, %(section/name)s or <name>. */
bool dialect_is_referenced(const struct dialect *tree, const char *name);

/* Replaces %(x)s in the value of key. -1: said in findings (NULL: in silence). */
int dialect_resolve(const struct dialect *tree, const struct dialect_view *view,
	const struct dialect_key *key, struct dialect_value *ret_value, struct findings *findings);
/* Replaces <tag> in place; unknown ones stay. -1: said in findings, value unchanged. */
int dialect_tags(const struct dialect *tree, const struct dialect_view *view,
	struct dialect_value *value, struct findings *findings);

/* The place of one byte; offset may be the length. */
struct position dialect_at(const struct dialect_value *value, size_t offset);
/* The place of the ; that cut one of the lines in [from, to]. False: none was. */
bool dialect_cut(const struct dialect_value *value, size_t from, size_t to,
	struct position *ret_at);
/* Adds a text that stands at one place, and ends there by a ; in cut_column (0: none does). */
void dialect_add(struct dialect_value *out, const char *text, size_t length,
	const struct position *at, unsigned cut_column);
/* A value made of one text at one place. */
struct dialect_value dialect_value_of(const char *text, size_t length, const struct position *at);
/* Adds the bytes [from, to) of a value. They keep their places (use NULL), or all count as use. */
void dialect_append(struct dialect_value *out, const struct dialect_value *value, size_t from,
	size_t to, const struct position *use);
void dialect_value_done(struct dialect_value *value);

#endif
