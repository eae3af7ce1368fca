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
	bool journal;             /* the jail reads the journal: logtype is that, else file */
	bool fail2ban;            /* the tree is one of fail2ban's: its defaults hold */
	struct config_told *told; /* what is said once a run; NULL: nothing is */
};

/* How this differs from fail2ban, for all jails alike. */
struct config_told {
	bool window;
	bool from_end;
};

/* Values that are given from outside and come first. */
struct config_options {
	struct dialect_option *list; /* owned; of those of one name the last one counts */
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

/* Reads the filter that value names. -1: said in the findings. Call filter_def_close in any
 * case. jail may be NULL; its keys that are options of the filter become options. */
int filter_def_open(const struct config_place *place, const struct dialect_value *value,
	const struct config_reader *jail, struct config_filter *ret_filter);
void filter_def_close(struct config_filter *filter);
/* False: no such file; says nothing. */
bool filter_def_exists(const struct config_place *place, const char *name);

/* The values of the filter as "known/KEY", for a jail's %(known/failregex)s. The caller calls
 * filter_def_free_options. */
void filter_def_known(const struct config_filter *filter, struct config_options *ret_options);
void filter_def_free_options(struct config_options *options);

/* Fills ret_def: values of the jail (NULL: none) before the filter's. Wrong ones are findings and
 * set broken in filter->reader. is_used: see rule_check(). */
void filter_def_read(struct config_filter *filter, struct config_reader *jail, bool is_used,
	struct filter_def *ret_def);
void filter_def_done(struct filter_def *def);

#endif
