#ifndef VG_FILTER_DEF_H
#define VG_FILTER_DEF_H

#include "config/values.h"
#include "dialect/bracket.h"
#include "dialect/tree.h"

#include <stdbool.h>

struct filter_def;

/* Where filters are looked for, in this order: dir/filters, dir/filter.d, shipped_dir. */
struct config_place {
	const char *dir; /* NULL: only shipped ones */
	const char *shipped_dir;
	struct dialect_names *names;
	struct findings *findings;
	bool journal;  /* the jail reads the journal: logtype is journal then, else file */
	bool fail2ban; /* the tree is in fail2ban's layout: its defaults hold */
	struct config_told *told; /* which hints were given already; NULL: none is given */
};

/* Hints at differences from fail2ban that concern all jails alike: each is given once in a run, and
 * then true here. */
struct config_told {
	bool window;
	bool from_end;
};

/* Values that come from outside of the files and count before them. */
struct config_options {
	struct dialect_option *list; /* owned; of several of one name the last one counts */
	size_t count;
};

/* One filter's files, read for one jail. */
struct config_filter {
	struct dialect *tree;          /* owned */
	struct bracket call;           /* owned */
	char *path;                    /* owned */
	struct config_options options; /* owned: those of the call, of the jail, logtype */
	struct config_reader reader;   /* of [Definition], with the options */
	const struct dialect_section *sections[2]; /* [Init], [Definition]; NULL: it has none */
};

/* Reads the files of the filter that value names. jail may be NULL; those of its keys that are
 * options of the filter become options. -1: the findings say why. The caller calls filter_def_close
 * in any case. */
int filter_def_open(const struct config_place *place, const struct dialect_value *value,
	const struct config_reader *jail, struct config_filter *ret_filter);
void filter_def_close(struct config_filter *filter);
/* True if there is a filter of that name. It adds no finding. */
bool filter_def_exists(const struct config_place *place, const char *name);

/* Gives the values of the filter as options called "known/KEY", for %(known/failregex)s in a jail.
 * The caller calls filter_def_free_options. */
void filter_def_known(const struct config_filter *filter, struct config_options *ret_options);
void filter_def_free_options(struct config_options *options);

/* Fills in ret_def; values of the jail (NULL: none) count before the filter's. A wrong one becomes
 * a finding and sets broken in filter->reader. is_used is as for rule_check(). The caller calls
 * filter_def_done. */
void filter_def_read(struct config_filter *filter, struct config_reader *jail, bool is_used,
	struct filter_def *ret_def);
void filter_def_done(struct filter_def *def);

#endif
