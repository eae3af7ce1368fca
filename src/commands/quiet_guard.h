#ifndef VG_QUIET_GUARD_H
#define VG_QUIET_GUARD_H

#include <stdbool.h>

struct config;
struct findings;
struct guard;
struct protected;

/* guard_new() for a command: this guard sends no mail and looks up no name. note (NULL: nobody) is
 * called with a sentence for each ban and unban; its context is NULL. */
struct guard *quiet_guard_new(const struct config *config, struct protected *protected,
	bool dry_run, void (*note)(void *context, int priority, const char *text),
	struct findings *findings);

#endif
