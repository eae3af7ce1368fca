#ifndef VG_CONF_H
#define VG_CONF_H

#include "base/findings.h"

#include <stdbool.h>
#include <stddef.h>

struct sources;

/* Reads a file in the language that all configuration files of Asterisk have
 * (docs.asterisk.org/Fundamentals/Asterisk-Configuration/Asterisk-Configuration-Files):
 *
 *   ; comment              to the end of the line; \; is a semicolon
 *   ;-- ... --;            a comment over lines, which may hold others; ;--- begins none
 *   [name]                 a section; another one of the same name is a section of its own
 *   [name](!)              a template: only its heirs have its settings
 *   [name](a,b)            inherits the settings that a and b have so far, before its own
 *   [name](+)              goes on with the first section of that name that is no template
 *   [name](+type=aor)      goes on with the first of that name that has this setting
 *   key = value            the same as key => value; keys in either case
 *   key += more            appends to the last value of that key
 *   #include file          reads that file here, with file, "file" or <file>, absolute or from the
 *                          configuration's directory, also with *, ?, [] and {a,b}
 *   #tryinclude file       the same, and the file may be missing
 *   #exec program          is never run here: a finding says so
 *
 * An included file begins in the section that was opened last, be it in another included file; the
 * file that includes it then goes on in its own. (Tried with Asterisk 22.) Where Asterisk would
 * refuse the whole file (no such template, include or section) the rest of it is read all the same.
 * Sections are found by name in either case. What one reading may take is limited; beyond that the
 * rest is not read, and a finding says so. */
enum {
	CONF_DEPTH_MAX = 10,   /* of files that include files, as in Asterisk */
	CONF_LOADS_MAX = 2000, /* files in one reading of all, each as often as it is included */
	CONF_LINE_BYTES_MAX = 8190, /* as in Asterisk; a longer line is left out */
	CONF_SECTIONS_MAX = 100000,
	CONF_VALUES_MAX = 200000, /* inherited ones and each += too */
	CONF_SECTION_VALUES_MAX = 10000,
	CONF_COMMENTS_MAX = 128,      /* comments in comments */
	CONF_VALUE_BYTES_MAX = 65536, /* with all that += appends; more is cut */
	CONF_WILD_PARTS_MAX = 2,      /* parts of a path with *, ? or [; braces in it */
};

/* The settings that are kept. All others, with the passwords among them, are dropped as they are
 * read. Several spellings may mean the same: "outboundproxy", "endpoint/outbound_proxy". */
enum conf_key {
	CONF_TYPE,
	CONF_MATCH,
	CONF_CONTACT,
	CONF_SERVER_URI,
	CONF_OUTBOUND_PROXY,
	CONF_REMOTE_HOSTS,
	CONF_HOST,
	CONF_PERMIT,
	CONF_DENY,
	CONF_REGISTER,
	CONF_PROTOCOL,
	CONF_BIND,
	CONF_BINDADDR,
	CONF_BINDPORT,
	CONF_TCPENABLE,
	CONF_TCPBINDADDR,
	CONF_TLSENABLE,
	CONF_TLSBINDADDR,
	CONF_TLSBINDPORT,
	CONF_ENABLED,
};

struct conf_value {
	enum conf_key key;
	char *text;         /* owned; without blanks at either end */
	struct position at; /* the file is a path of the sources */
};

struct conf_section {
	char *name; /* owned */
	bool is_template;
	struct conf_value *values; /* owned; inherited ones first */
	size_t n_values;
	struct conf_section *next_same; /* borrowed; the next one of that name */
	struct conf_section *last_same; /* borrowed; the last, known to the first alone */
};

struct conf {
	struct conf_section **sections; /* owned, in the order of the files */
	size_t n_sections;
	size_t n_values;
	void *names;  /* owned by tsearch(3): the first section of each name */
	bool is_read; /* the file itself could be read */
};

/* Reads dir/name of the sources. Without that file it is empty, which is no finding. */
struct conf *conf_read(struct sources *sources, const char *name);
void conf_free(struct conf *conf);

/* The last value of that key, NULL: none. */
const struct conf_value *conf_last(const struct conf_section *section, enum conf_key key);
/* Its text, "" if there is none. */
const char *conf_text(const struct conf_section *section, enum conf_key key);
/* The first section of that name; NULL: none. */
struct conf_section *conf_find(const struct conf *conf, const char *name);
/* Whether the value of a switch is on, by ast_true() of Asterisk: yes, true, y, t, 1, on. */
bool conf_is_on(const struct conf_section *section, enum conf_key key);

#endif
