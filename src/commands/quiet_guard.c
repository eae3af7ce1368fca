#include "commands/quiet_guard.h"

#include <stddef.h>
#include <stdint.h>

#include "decide/guard.h"

static void no_alert(void *context, int64_t now_s, const char *dest, const char *sender,
	const struct letter *letter)
{
	(void)context, (void)now_s, (void)dest, (void)sender, (void)letter;
}

static void no_note(void *context, int priority, const char *text)
{
	(void)context, (void)priority, (void)text;
}

struct guard *quiet_guard_new(const struct config *config, struct protected *protected,
	bool dry_run, void (*note)(void *context, int priority, const char *text),
	struct findings *findings)
{
	struct guard_events events = { .alert = no_alert, .note = note ? note : no_note };

	return guard_new(config, protected, dry_run, &events, findings);
}
