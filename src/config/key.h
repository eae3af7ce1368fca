#ifndef VG_KEY_H
#define VG_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct config;
struct config_reader;
struct config_text;

/* What a section comes down to, as text: rows for a person, or the lines of a file in which they
 * would be read as the same. */
struct sheet {
	FILE *out;
	bool is_file;
	const struct config *config; /* borrowed; what is shown beside the jail; NULL for a file */
};
/* Prints a value of the key called name; name "": one more value of the key above. For a person a
 * name is what stands behind its last dot. */
void sheet_row(struct sheet *sheet, const char *name, const char *value);
/* The same for a rule, which keeps its backslashes: it is to be read and copied. */
void sheet_rule(struct sheet *sheet, const char *name, const char *rule);
/* A length of time, < 0: for ever. */
void sheet_span(struct sheet *sheet, const char *name, int64_t span_s);

enum key_type {
	KEY_NAMED,   /* may stand there; if it has a meaning, the reader of another key knows it */
	KEY_CHECKED, /* a bool that has no effect: only a wrong value is told */
	KEY_BOOL,    /* bool */
	KEY_NUMBER,  /* uint32_t, from least to most */
	/* int64_t seconds, at least `least`; least -1: 1 or more, or any negative value, which is
	 * -1 (for ever); 0: not set */
	KEY_SPAN,
	KEY_STRING,    /* char *; NULL: not set */
	KEY_ADDRESSES, /* char *, `most` mail addresses; NULL: not set */
	KEY_TEXT,      /* struct config_text; text NULL: not set */
	KEY_LIST,      /* struct config_text *, and a size_t behind it: their number */
};

/* One key: all that is known of it stands in one row of one table, from which sections are read,
 * unknown keys told and guessed, and values printed. Each row stands in man/voipguard.8 too. */
struct key {
	const char *name;
	enum key_type type;
	size_t offset; /* of the value in the struct that the table is of (its base) */
	int64_t initial;
	int64_t least;
	int64_t most;
	const char *wanted; /* of a span: says in words what it may be */
	size_t needs;       /* offset of a bool without which nothing is printed; 0: none */
	bool is_quiet;      /* nothing is printed */
	const char *idle;   /* why it has no effect with a parser; NULL: it has */
	/* In place of what the type says; NULL: that. */
	void (*read)(struct config_reader *reader, const struct key *key, void *base);
	void (*print)(struct sheet *sheet, const struct key *key, const void *base);
};

struct key_table {
	const struct key *rows;
	size_t count;
};

/* The row of that name; NULL: there is none. */
const struct key *key_find(const struct key_table *table, const char *name);

/* Gives each value what it is where no file says anything. Base is zero before. */
void key_init_all(const struct key_table *table, void *base);
/* Reads the keys of reader's section in the order of the table. */
void key_read_all(struct config_reader *reader, const struct key_table *table, void *base);
/* For a row's read(): reads by the type alone. It reads no list. */
void key_read_value(struct config_reader *reader, const struct key *key, void *base);
/* The same of one line of text that was found elsewhere. It reads no addresses either. */
void key_read_text(struct config_reader *reader, const struct key *key,
	const struct config_text *text, void *base);
void key_print_all(struct sheet *sheet, const struct key_table *table, const void *base);
/* For a row's print(): prints by the type alone. */
void key_print_value(struct sheet *sheet, const struct key *key, const void *base);

#endif
