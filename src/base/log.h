#ifndef VG_LOG_H
#define VG_LOG_H

#include <stdbool.h>
#include <syslog.h>

/* Our own log: standard error, one write a line, with journal priorities ("<3>") when the other
 * end is the journal (JOURNAL_STREAM) and plain words otherwise. Lines over 2 KiB are cut.
 * Text from outside goes through text_render() before it comes here. */

/* role is a literal: "firewall", "engine", "notifier", or NULL for the client. */
void log_open(const char *role);

void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* log_line() as a callback. */
void log_note(void *context, int priority, const char *text);

#endif
