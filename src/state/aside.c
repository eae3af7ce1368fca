/* Databases that could not be used: they are renamed and kept until a person has looked at them. */
#include "state/db.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "state/store.h"

static const char ASIDE[] = ".corrupt-";
static const char NAME[] = "state.db.corrupt-";
static const char WAL[] = "-wal";

int aside_move(const char *path, int64_t now_s, char **ret_aside, struct error *err)
{
	cleanup_free char *wal = alloc_format("%s%s", path, WAL);
	cleanup_free char *shm = alloc_format("%s-shm", path);
	cleanup_free char *aside = NULL;
	cleanup_free char *aside_wal = NULL;
	time_t when = (time_t)now_s;
	struct tm tm;
	char date[32];

	if (!gmtime_r(&when, &tm) || !strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &tm))
		return error_set(err, "%s: no date for its copy", path);
	aside = alloc_format("%s%s%s", path, ASIDE, date);
	for (int i = 2; i < 100 && access(aside, F_OK) == 0; i++) {
		free(aside);
		aside = alloc_format("%s%s%s-%d", path, ASIDE, date, i);
	}
	aside_wal = alloc_format("%s%s", aside, WAL);
	if (rename(path, aside) < 0)
		return error_errno(err, errno, "cannot rename %s to %s", path, aside);
	if (rename(wal, aside_wal) < 0 && errno != ENOENT)
		return error_errno(err, errno, "cannot rename %s to %s", wal, aside_wal);
	if (unlink(shm) < 0 && errno != ENOENT)
		return error_errno(err, errno, "cannot remove %s", shm);
	*ret_aside = aside;
	aside = NULL;
	return 0;
}

/* Whether the name is that of a database set aside; its -wal file begins alike and is not counted.
 */
static bool is_aside(const char *name)
{
	return strncmp(name, NAME, strlen(NAME)) == 0 && !text_ends_in(name, WAL);
}

size_t store_find_aside(const char *dir, char ret_name[STORE_ASIDE_MAX])
{
	char newest[sizeof(((struct dirent *)0)->d_name)] = "";
	DIR *list = opendir(dir);
	const struct dirent *entry;
	size_t count = 0;

	while (list && (entry = readdir(list))) {
		if (!is_aside(entry->d_name))
			continue;
		count++;
		/* the name ends with the date, its year first: the last name is the newest */
		if (strcmp(entry->d_name, newest) > 0)
			text_format(newest, sizeof(newest), "%s", entry->d_name);
	}
	if (list)
		(void)closedir(list); /* closing a directory that was only read loses nothing */
	text_render_string(ret_name, STORE_ASIDE_MAX, newest);
	return count;
}
