#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOG_LINE_MAX = 2048 };

static const char *log_role;
static bool log_to_journal;

/* JOURNAL_STREAM is "DEVICE:INODE" of the stream that connects a unit to the journal. Every process
 * that the unit starts inherits the variable, even when its standard error leads elsewhere, so the
 * numbers have to be compared (systemd.exec(5)). */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device;
	unsigned long long inode;
	struct stat info;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(fd, &info) == 0 && info.st_dev == device && info.st_ino == inode;
}

void log_open(const char *role)
{
	log_role = role;
	log_to_journal = is_journal(STDERR_FILENO);
}

static const char *priority_word(int priority)
{
	return priority <= LOG_ERR ? "error: " : priority == LOG_WARNING ? "warning: " : "";
}

void log_line(int priority, const char *format, ...)
{
	char line[LOG_LINE_MAX];
	va_list args;
	int used;
	int more;

	if (log_to_journal)
		used = snprintf(line, sizeof(line), "<%d>%s%s", priority, log_role ? log_role : "",
			log_role ? ": " : "");
	else
		used = snprintf(line, sizeof(line), "voipguard%s%s: %s", log_role ? "-" : "",
			log_role ? log_role : "", priority_word(priority));
	va_start(args, format);
	more = vsnprintf(line + used, sizeof(line) - (size_t)used - 1, format, args);
	va_end(args);
	used += more < 0 ? 0 : more;
	if (used > LOG_LINE_MAX - 2)
		used = LOG_LINE_MAX - 2;
	line[used++] = '\n';
	while (write(STDERR_FILENO, line, (size_t)used) < 0 && errno == EINTR)
		;
}

void log_note(void *context, int priority, const char *text)
{
	(void)context;
	log_line(priority, "%s", text);
}
