#ifndef VG_LOG_H
#define VG_LOG_H

#include <stdbool.h>
#include <syslog.h>

/* The log that voipguard itself writes. Each line is one write() to standard error. If that leads
 * to the journal, the line begins with a priority, "<3>"; else with "voipguard-ROLE: " and perhaps
 * "error: " or "warning: ". A line over 2 KiB is cut. Callers pass text from outside through
 * text_render() first. */

/* Says whose lines follow, and finds out where they go. role is a literal: "firewall", "engine",
 * "notifier", or NULL for the client. */
void log_open(const char *role);

void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* log_line() in the form of a callback; context is not used. */
void log_note(void *context, int priority, const char *text);

#endif
