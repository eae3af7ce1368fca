#ifndef VG_KEY_H
#define VG_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct config;
struct config_reader;
struct config_text;

/* Where the settings of a section are printed to: rows for a person, or lines of a file that would
 * be read back as the same settings. */
struct sheet {
	FILE *out;
	bool is_file;
	const struct config *config; /* borrowed; what is shown beside the jail; NULL for a file */
};
/* Prints a value of the key called name; name "" is one more value of the key before it. For a
 * person only the part of the name behind its last dot is printed. */
void sheet_row(struct sheet *sheet, const char *name, const char *value);
/* The same for a rule, whose backslashes are not doubled: somebody will read and copy it. */
void sheet_rule(struct sheet *sheet, const char *name, const char *rule);
/* The same for a length of time in seconds; < 0: for ever. */
void sheet_span(struct sheet *sheet, const char *name, int64_t span_s);

enum key_type {
	KEY_NAMED,   /* allowed; if it means something, the read() of another key reads it */
	KEY_CHECKED, /* a bool without effect: only a wrong value becomes a finding */
	KEY_BOOL,    /* bool */
	KEY_CHOICE,  /* bool: the second of two words */
	KEY_NUMBER,  /* uint32_t, from least to most */
	/* int64_t seconds, at least `least`; least -1: 1 or more, or any negative value, which is
	 * -1 (for ever); 0: not set */
	KEY_SPAN,
	KEY_STRING,    /* char *; NULL: not set */
	KEY_ADDRESSES, /* char *, `most` mail addresses; NULL: not set */
	KEY_TEXT,      /* struct config_text; text NULL: not set */
	KEY_LIST,      /* struct config_text *, and a size_t behind it: their number */
};

/* All that is known of one key stands in one row of one table. From the table sections are read,
 * unknown keys found and guessed, and values printed. Each row is described in man/voipguard.8,
 * too. */
struct key {
	const char *name;
	enum key_type type;
	size_t offset; /* of the value, in bytes, in the struct that the table describes (base) */
	int64_t initial;
	int64_t least;
	int64_t most;
	const char *wanted;   /* for a span: in words what it may be */
	const char *words[2]; /* for a choice */
	size_t needs;     /* offset of a bool; while that is false nothing is printed. 0: none */
	bool is_quiet;    /* it is never printed */
	const char *idle; /* why it has no effect with a parser; NULL: it has one */
	/* They are called in place of what the type says; NULL: the type decides. */
	void (*read)(struct config_reader *reader, const struct key *key, void *base);
	void (*print)(struct sheet *sheet, const struct key *key, const void *base);
};

struct key_table {
	const struct key *rows;
	size_t count;
};

/* Gives each value its initial one, which holds where no file sets the key. The struct at base is
 * all zero before. */
void key_init_all(const struct key_table *table, void *base);
/* Reads the keys of reader's section into base, in the order of the table. */
void key_read_all(struct config_reader *reader, const struct key_table *table, void *base);
/* For use in a row's read(): reads the value as its type says. It reads no KEY_LIST. */
void key_read_value(struct config_reader *reader, const struct key *key, void *base);
/* The same for a line of text that the caller has. It reads no KEY_ADDRESSES either. */
void key_read_text(struct config_reader *reader, const struct key *key,
	const struct config_text *text, void *base);
void key_print_all(struct sheet *sheet, const struct key_table *table, const void *base);
/* For use in a row's print(): prints the value as its type says. */
void key_print_value(struct sheet *sheet, const struct key *key, const void *base);

#endif
