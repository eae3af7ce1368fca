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
	GROUP_ALTERNATIVE, /* F-ALT_NAME, F-ALT_NAME_1: NAME if that is empty */
	GROUP_TUPLE,       /* F-TUPLE_NAME, F-TUPLE_NAME_1: a part of NAME */
};

struct rule_group {
	unsigned number; /* of the regex's group */
	unsigned name;   /* among the filter's; an alternative has NAME's */
	enum rule_group_kind kind;
};

/* One failregex, ignoreregex or prefregex, compiled. */
struct rule {
	const struct config_text *source; /* borrowed */
	struct regex *regex;              /* owned */
	struct rule_group *groups;        /* owned; in order of their names in the rule */
	size_t n_groups;
	unsigned *skipped; /* owned: numbers of the groups that <SKIPLINES> made, in order */
	size_t n_skipped;
	struct literals_needed literals; /* all of them must be in the line */
	uint64_t limit_hits;             /* lines on which it gave up */
};

/* All rules of one kind. */
struct rules {
	const char *kind;  /* the key: "failregex" */
	struct rule *list; /* owned */
	size_t count;
};

/* How the rules of one filter are read. */
struct rule_options {
	bool usedns;                    /* <HOST> takes names */
	bool multiline;                 /* ^ and $ hold at each line */
	unsigned maxlines;              /* that the rule sees at once */
	const struct literals_cut *cut; /* borrowed */
	struct groups_names *names;     /* borrowed; the rules' names are added */
	struct literals *literals;      /* borrowed; their literals are added */
};

/* What does not compile is a finding, and is left out. */
void rules_init(struct rules *ret_rules, const char *kind, const struct config_text *texts,
	size_t count, const struct rule_options *options, struct findings *findings);
void rules_done(struct rules *rules);

bool rule_has(const struct rule *rule, enum group group);
/* It has a group that says who, or of which session. */
bool rule_has_id(const struct rule *rule);

/* Compiles the datepatterns of def, or the default templates. NULL: an error was added. */
struct date *rule_date_new(const struct filter_def *def, struct findings *findings);

/* Whether the date stands at the start of the line, but for a bracket or blank. */
bool rule_date_leads(const struct date_found *found, const char *line);

#endif
