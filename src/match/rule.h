#ifndef VG_RULE_H
#define VG_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "match/groups.h"
#include "match/literals.h"

struct config_text;
struct date;
struct date_found;
struct filter_def;
struct findings;
struct regex;

enum {
	RULE_GROUPS_MAX = 64, /* named groups of one rule; more: an error */
	RULE_LIST_MAX = 1000, /* of one kind in one filter; more: an error */
};

enum rule_group_kind {
	GROUP_PLAIN,
	GROUP_ALTERNATIVE, /* F-ALT_NAME, F-ALT_NAME_1: the value of NAME if that is empty */
	GROUP_TUPLE,       /* F-TUPLE_NAME, F-TUPLE_NAME_1: a part of NAME */
};

struct rule_group {
	unsigned number; /* of the group in the regex */
	unsigned name;   /* number among the filter's names; an alternative has that of NAME */
	enum rule_group_kind kind;
};

/* One failregex, ignoreregex or prefregex, compiled. */
struct rule {
	const struct config_text *source; /* borrowed */
	struct regex *regex;              /* owned */
	struct rule_group *groups;        /* owned; in order of their names in the rule */
	size_t n_groups;
	unsigned *skipped; /* owned: numbers of the groups that <SKIPLINES> has made, in order */
	size_t n_skipped;
	struct literals_needed literals; /* a line without all of them cannot match */
	uint64_t limit_hits;             /* lines on which the match was given up at its limit */
};

/* All rules of one kind of a filter. */
struct rules {
	const char *kind;  /* name of the key: "failregex" */
	struct rule *list; /* owned */
	size_t count;
};

/* How the rules of one filter are read. */
struct rule_options {
	bool usedns;                    /* <HOST> matches names, too */
	bool multiline;                 /* ^ and $ match at each line */
	unsigned maxlines;              /* lines that a rule sees at once */
	const struct literals_cut *cut; /* borrowed */
	struct groups_names *names;     /* borrowed; the names in the rules are added to it */
	struct literals *literals;      /* borrowed; the literals of the rules are added to it */
};

/* Compiles the rules of one kind. One that does not compile becomes a finding, and is left out. The
 * caller calls rules_done. */
void rules_init(struct rules *ret_rules, const char *kind, const struct config_text *texts,
	size_t count, const struct rule_options *options, struct findings *findings);
void rules_done(struct rules *rules);

bool rule_has(const struct rule *rule, enum group group);
/* True if the rule has a group that says who did it, or of which session the line is. */
bool rule_has_id(const struct rule *rule);

/* Compiles the datepatterns of def, or the built-in formats if it has none. The caller frees the
 * result by date_free. NULL: an error was added to the findings. */
struct date *rule_date_new(const struct filter_def *def, struct findings *findings);

/* True if the date stands at the start of the line, perhaps behind a bracket or blank. */
bool rule_date_leads(const struct date_found *found, const char *line);

#endif
