#ifndef VG_TREE_H
#define VG_TREE_H

#include "base/findings.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Reads fail2ban's configuration dialect: a tree of sections and keys that is merged from several
 * files, with includes, values that replace others, and variables. The rules are those of
 * jail.conf(5), of fail2ban's client/configparserinc.py and of Python's configparser, as
 * observed. */
enum {
	DIALECT_FILES_MAX = 1000, /* of one tree */
	DIALECT_INCLUDE_DEPTH_MAX = 10,
	DIALECT_SECTIONS_MAX = 2000,          /* of one tree */
	DIALECT_KEYS_MAX = 2000,              /* of one section */
	DIALECT_VALUE_BYTES_MAX = 256 * 1024, /* after interpolation */
	DIALECT_DEPTH_MAX = 10,               /* of %(x)s inside each other, as in ConfigParser */
	DIALECT_STEPS_MAX = 20000,            /* replacements in one value */
	DIALECT_ROUNDS_MAX = 25,              /* passes over <tag>s, as in fail2ban */
	DIALECT_DIRS_MAX = 4,
};

/* The names of the files that were read, each kept once, so that positions can point to them. All
 * zero is empty. */
struct dialect_names {
	char **list; /* owned */
	size_t count;
};
const char *dialect_name(struct dialect_names *names, const char *path);
void dialect_names_done(struct dialect_names *names);

/* Says where the bytes of a value from offset on come from. A fixed span is the text that replaced
 * a reference inside a line: all its bytes count as the place of that reference. In another span
 * each byte has a column of its own. */
struct dialect_span {
	size_t offset;
	struct position at;
	unsigned cut_column; /* of the ; that cut off the rest of this line; 0: none */
	bool fixed;
};

/* A value, and for each of its bytes the place in the files that it comes from. Spans are sorted by
 * offset; the first is at 0. */
struct dialect_value {
	char *text; /* owned; NULL: not set */
	size_t length;
	struct dialect_span *spans; /* owned */
	size_t n_spans;
};

struct dialect_key {
	char *name; /* lower case */
	struct position at;
	struct dialect_value value; /* with its references not yet replaced */
	struct dialect_key *known;  /* owned: the key that this one has replaced; NULL: none */
};

struct dialect_section {
	char *name;
	struct position at;
	bool broken;               /* a line of it could not be read, or one file has it twice */
	struct dialect_key **keys; /* owned, in order of first appearance */
	size_t n_keys;
};

/* A value that comes from outside of the tree, such as [mode=x] behind the name of a filter. It is
 * resolved already, and counts before every key. */
struct dialect_option {
	char *name;
	struct dialect_value value;
};

/* Where %(x)s looks for x: among the options, then in the section, then in [DEFAULT]. A <tag> looks
 * in [Init], too, after the section and before [DEFAULT]. */
struct dialect_view {
	const struct dialect_section *section; /* NULL: [DEFAULT] alone */
	const struct dialect_option *options;
	size_t n_options;
};

/* The option of that name; of several the one that counts. NULL: none. */
const struct dialect_option *dialect_option(const struct dialect_view *view, const char *name);

struct dialect_source;

/* A tree. Outside of dialect/ only sections and broken are read. */
struct dialect {
	struct dialect_section **sections; /* owned, in order of first appearance */
	size_t n_sections;
	bool broken; /* a file or an include is missing: any section may lack something */
	struct dialect_names *names;    /* borrowed; must outlive it */
	struct findings *findings;      /* borrowed; must outlive it */
	struct dialect_source *sources; /* owned */
	size_t n_sources;
	char *dirs[DIALECT_DIRS_MAX]; /* owned; in which an include is looked for besides */
	size_t n_dirs;
};

/* Makes an empty tree. */
struct dialect *dialect_new(struct dialect_names *names, struct findings *findings);
void dialect_free(struct dialect *tree);
/* Adds a directory in which an include is looked for that is not beside the file which names it.
 * Beyond DIALECT_DIRS_MAX of them it does nothing. */
void dialect_add_dir(struct dialect *tree, const char *dir);
/* Sets a key of [DEFAULT] as if a file had done so. */
void dialect_preset(struct dialect *tree, const char *key, const char *text);
/* Reads one file, with its includes, over what the tree holds: its values replace those of the same
 * key. Problems become findings. */
void dialect_read(struct dialect *tree, const char *path);

const struct dialect_section *dialect_section(const struct dialect *tree, const char *name);
/* The key of the section, else that of [DEFAULT]; NULL: neither has it. section may be NULL. name
 * is in lower case. */
const struct dialect_key *dialect_key(const struct dialect *tree,
	const struct dialect_section *section, const char *name);
/* The key of the section alone; NULL: there is none. section may be NULL. */
const struct dialect_key *dialect_own_key(const struct dialect_section *section, const char *name);
/* True if some value of the tree refers to the key by %(name)s, %(section/name)s or <name>. */
bool dialect_is_referenced(const struct dialect *tree, const char *name);

/* Replaces %(x)s in the value of key, which itself stays as it is; the caller frees *ret_value by
 * dialect_value_done. -1: the problem is in findings (NULL: it is not reported). */
int dialect_resolve(const struct dialect *tree, const struct dialect_view *view,
	const struct dialect_key *key, struct dialect_value *ret_value, struct findings *findings);
/* Replaces <tag> in value itself; tags that nothing is known of stay. -1: the problem is in
 * findings (NULL: it is not reported), and value holds a valid text, to be freed as ever. */
int dialect_tags(const struct dialect *tree, const struct dialect_view *view,
	struct dialect_value *value, struct findings *findings);

/* The place in the files of the byte at offset, which may be the length. */
struct position dialect_at(const struct dialect_value *value, size_t offset);
/* The place of the ; that cut off the end of one of the lines in [from, to]. False: none was
 * cut. */
bool dialect_cut(const struct dialect_value *value, size_t from, size_t to,
	struct position *ret_at);
/* Adds a text whose first byte stands at `at` in a file, and which a ; in column cut_column ends
 * (0: none does). */
void dialect_add(struct dialect_value *out, const char *text, size_t length,
	const struct position *at, unsigned cut_column);
/* Makes a value of one text that stands at one place in a file. */
struct dialect_value dialect_value_of(const char *text, size_t length, const struct position *at);
/* Adds the bytes [from, to) of value to out. Each keeps its own place if use is NULL; else all of
 * them count as the place `use`. */
void dialect_append(struct dialect_value *out, const struct dialect_value *value, size_t from,
	size_t to, const struct position *use);
/* Finds the next line of value, from *io_at on, that is not empty: [*ret_from, *ret_to), without
 * the blanks around it. *io_at becomes its end. False: there are no more. */
bool dialect_next_line(const struct dialect_value *value, size_t *io_at, size_t *ret_from,
	size_t *ret_to);
/* Copies the next word of value, from *io_at on, and moves *io_at behind it; blanks are the bytes
 * that stand between words. The caller frees it; NULL: there are no more. */
char *dialect_next_word(const struct dialect_value *value, const char *blanks, size_t *io_at,
	struct position *ret_at);
void dialect_value_done(struct dialect_value *value);

#endif
