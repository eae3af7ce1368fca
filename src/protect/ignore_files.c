#include "protect/parts.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/findings.h"
#include "base/protected.h"
#include "base/text.h"
#include "decide/guard.h"
#include "dialect/ini.h"

enum { SHOWN_MAX = 100 };

/* Sets what is wrong with the file ("": nothing). It is logged once, not at each look. */
static void set_trouble(const struct protect *protect, struct protect_file *file, const char *text)
{
	if (strcmp(file->trouble, text) == 0)
		return;
	text_format(file->trouble, sizeof(file->trouble), "%s", text);
	if (text[0])
		guard_note(protect->guard, LOG_ERR, "%s", file->trouble);
}

static void cannot_read(const struct protect *protect, struct protect_file *file, const char *why)
{
	char text[PROTECT_TROUBLE_MAX];
	char shown[SHOWN_MAX]; /* short, so that the rest is not cut */

	text_format(text, sizeof(text), "ignoreip: '%s': %s: %s",
		text_render_string(shown, sizeof(shown), file->path), why,
		file->list.n_addresses || file->list.n_names ? "its last entries stay protected"
							     : "nobody that it names is protected");
	set_trouble(protect, file, text);
}

static bool is_as_before(const struct protect_file *file, const struct stat *status)
{
	const struct stat *last = &file->status;

	return file->seen && last->st_dev == status->st_dev && last->st_ino == status->st_ino &&
	       last->st_size == status->st_size && last->st_mtim.tv_sec == status->st_mtim.tv_sec &&
	       last->st_mtim.tv_nsec == status->st_mtim.tv_nsec &&
	       last->st_ctim.tv_sec == status->st_ctim.tv_sec &&
	       last->st_ctim.tv_nsec == status->st_ctim.tv_nsec;
}

/* Logs how many entries of the file are wrong, and the first of them. */
static void tell_findings(const struct protect *protect, struct protect_file *file,
	const struct findings *findings)
{
	char text[PROTECT_TROUBLE_MAX] = "";
	cleanup_free char *first = NULL;

	for (size_t i = 0; i < findings->count && !first; i++)
		if (findings->list[i].is_error)
			first = finding_format(&findings->list[i]);
	if (first)
		text_format(text, sizeof(text), "%zu entr%s not protected: %s", findings->errors,
			findings->errors == 1 ? "y is" : "ies are", first);
	set_trouble(protect, file, text);
}

/* Reads the file if it has changed; true: it was read. A file that could not be read is tried each
 * time: a directory above it may become accessible, of which the file's own times show nothing. */
static bool file_read(const struct protect *protect, struct protect_file *file)
{
	struct findings findings = { 0 };
	cleanup_free char *bytes = NULL;
	struct ignore_words list;
	struct stat status;
	struct error err;
	size_t length;

	if (stat(file->path, &status) < 0) {
		file->seen = false;
		cannot_read(protect, file, strerror(errno));
		return false;
	}
	if (is_as_before(file, &status))
		return false;
	/* These are the times from before reading: if somebody writes the file meanwhile, they
	 * differ, and it is read again. */
	file->status = status;
	file->seen = true;
	if (ini_load(file->path, &bytes, &length, &err) < 0) {
		file->seen = false;
		cannot_read(protect, file, err.text);
		return false;
	}
	(void)ignore_words_parse(bytes, length, file->path, &list, &findings); /* told below */
	ignore_words_done(&file->list);
	file->list = list;
	tell_findings(protect, file, &findings);
	findings_done(&findings);
	return true;
}

static void protect_file(struct protect *protect, const struct protect_file *file)
{
	char because[PROTECTED_BECAUSE_MAX];
	char shown[SHOWN_MAX];

	text_format(because, sizeof(because), "ignoreip %s",
		text_render_string(shown, sizeof(shown), file->path));
	for (size_t i = 0; i < file->list.n_addresses; i++)
		telling_protect(protect, &file->list.addresses[i], because, PROTECTED_BY_FILE, 0);
}

bool ignore_files_read(struct protect *protect)
{
	bool any = false;

	for (size_t i = 0; i < protect->n_files; i++)
		any = file_read(protect, &protect->files[i]) || any;
	if (!any)
		return false;
	protect->is_full = false;
	protected_clear(protect->protected, PROTECTED_BY_FILE);
	for (size_t i = 0; i < protect->n_files; i++)
		protect_file(protect, &protect->files[i]);
	return true;
}

void ignore_files_done(struct protect *protect)
{
	for (size_t i = 0; i < protect->n_files; i++)
		ignore_words_done(&protect->files[i].list);
}
