#include "firewall/logins.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
#include <utmp.h>

#include <systemd/sd-login.h>

#include "base/alloc.h"
#include "base/error.h"

#define READING_SESSION "reading a session in " LOGINS_SESSIONS

static bool is_one_of(const char *text, const char *const *known)
{
	for (; text && *known; known++)
		if (strcmp(text, *known) == 0)
			return true;
	return false;
}

bool logins_session_counts(const struct logins_session *session)
{
	static const char *const services[] = { "sshd", NULL };
	/* See pam_systemd(8): from systemd 256 on root's sessions are "user-early"; systemd 258 has
	 * the "light" classes. */
	static const char *const classes[] = { "user", "user-early", "user-light",
		"user-early-light", NULL };
	static const char *const states[] = { "active", "online", NULL };

	return session->is_remote && is_one_of(session->service, services) &&
	       is_one_of(session->class, classes) && is_one_of(session->state, states) &&
	       session->remote_host;
}

/* ---- logind ---- */

/* ENXIO, ENOENT: the session has ended since it was listed; ENODATA: logind does not know it. */
static bool is_unsaid(int rc)
{
	return rc == -ENXIO || rc == -ENODATA || rc == -ENOENT;
}

static int session_tell(const char *id, logins_each *each, void *context, struct error *err)
{
	static int (*const getters[])(const char *id, char **ret_text) = { sd_session_get_service,
		sd_session_get_class, sd_session_get_state, sd_session_get_remote_host };
	enum { TEXTS = sizeof(getters) / sizeof(getters[0]) };
	char *texts[TEXTS] = { NULL };
	int rc = sd_session_is_remote(id);
	struct ip ip;

	if (rc == 0 || rc == -EINVAL || is_unsaid(rc)) /* EINVAL: no session's file */
		return 0;
	for (size_t i = 0; i < TEXTS && rc >= 0; i++) {
		rc = getters[i](id, &texts[i]);
		rc = is_unsaid(rc) ? 0 : rc; /* the text stays NULL */
	}
	if (rc >= 0 && logins_session_counts(&(struct logins_session){ true, texts[0], texts[1],
			       texts[2], texts[3] }))
		each(context, ip_parse(texts[3], strlen(texts[3]), &ip) == 0 ? &ip : NULL,
			texts[3]);
	for (size_t i = 0; i < TEXTS; i++)
		free(texts[i]);
	return rc < 0 ? error_errno(err, -rc, READING_SESSION) : 0;
}

static int sessions_list(logins_each *each, void *context, struct error *err)
{
	char **ids = NULL;
	int count = sd_get_sessions(&ids);
	int rc = 0;

	if (count < 0 && is_unsaid(count))
		return 0;
	if (count < 0)
		return error_errno(err, -count, "listing the sessions in " LOGINS_SESSIONS);
	for (int i = 0; i < count; i++) {
		if (i < LOGINS_SESSIONS_MAX)
			rc |= session_tell(ids[i], each, context, err);
		free(ids[i]);
	}
	free(ids);
	if (rc == 0 && count > LOGINS_SESSIONS_MAX)
		return error_set(err, "more than %d sessions: the rest is left out",
			LOGINS_SESSIONS_MAX);
	return rc;
}

/* ---- utmp ---- */

/* utmp(5): an IPv4 address is in the first of the four words, and the other three are 0. */
static bool record_ip(const struct utmp *record, struct ip *ret_ip)
{
	static const int32_t none[4];
	const int32_t *words = record->ut_addr_v6;

	_Static_assert(sizeof(record->ut_addr_v6) == sizeof(none), "an IPv6 address");
	if (memcmp(words, none, sizeof(none)) == 0)
		return false;
	*ret_ip = ip_from_bytes(memcmp(words + 1, none, sizeof(none) - sizeof(*words)) == 0 ? 4 : 6,
		words);
	return true;
}

/* When a connection is lost without a logout, the record stays; its process is then gone. EPERM: it
 * lives, and belongs to another user. */
static bool is_alive(pid_t pid)
{
	return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
}

int logins_utmp(const char *path, logins_each *each, void *context, struct error *err)
{
	cleanup_file FILE *file = fopen(path, "re");
	struct utmp record;
	struct ip ip;

	if (!file && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (!file)
		return error_errno(err, errno, "opening %s", path);
	for (size_t seen = 0; fread(&record, sizeof(record), 1, file) == 1; seen++) {
		if (seen == LOGINS_RECORDS_MAX)
			return error_set(err, "%s: more than %d records: the rest is left out",
				path, LOGINS_RECORDS_MAX);
		if (record.ut_type == USER_PROCESS && record_ip(&record, &ip) &&
			is_alive(record.ut_pid))
			each(context, &ip, NULL);
	}
	return ferror(file) ? error_errno(err, errno, "reading %s", path) : 0;
}

int logins_list(const char *utmp_path, logins_each *each, void *context, struct error *err)
{
	if (access(LOGINS_SESSIONS, F_OK) == 0)
		return sessions_list(each, context, err);
	return logins_utmp(utmp_path, each, context, err);
}

/* ---- the last looks ---- */

bool logins_add(struct logins *logins, const struct ip *ip, int64_t now_s)
{
	size_t i = 0;

	while (i < logins->count && !ip_equal(&logins->entries[i].ip, ip))
		i++;
	if (i == LOGINS_MAX)
		return false;
	logins->entries[i].ip = *ip;
	logins->entries[i].until_s = now_s + LOGINS_KEEP_S;
	if (i < logins->count)
		return false;
	logins->count++;
	return true;
}

bool logins_expire(struct logins *logins, int64_t now_s)
{
	size_t kept = 0;
	bool removed;

	for (size_t i = 0; i < logins->count; i++)
		if (logins->entries[i].until_s > now_s)
			logins->entries[kept++] = logins->entries[i];
	removed = kept < logins->count;
	logins->count = kept;
	return removed;
}
