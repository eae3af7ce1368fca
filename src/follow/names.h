#ifndef VG_NAMES_H
#define VG_NAMES_H

#include <stdbool.h>
#include <stdint.h>

struct tail;
struct tail_name;

/* From patterns to files: which paths there are, and which followed file each leads to. */

/* Could a pattern lead through `name` in `directory`: does that path match it, or its first
 * components? */
bool tail_name_matters(const struct tail *tail, const char *directory, const char *name);
/* Sets `patterns` (TAIL_WORDS words) to the numbers of those that match path; false: none does. */
bool tail_name_patterns(const struct tail *tail, const char *path, uint64_t *patterns);
struct tail_name *tail_name_find(const struct tail *tail, const char *path);

/* Watches the directories and looks for names that are new or gone. */
void tail_name_list(struct tail *tail);
/* Ties each name to the file it leads to now, and opens those not followed yet. */
void tail_name_resolve(struct tail *tail);
void tail_name_free_all(struct tail *tail);

#endif
