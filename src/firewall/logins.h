#ifndef VG_LOGINS_H
#define VG_LOGINS_H

#include "base/ip.h"

#include <stdbool.h>

struct error;

/* From which addresses users are logged in: logind's sessions, or utmp where there is no logind.
 * Both are written by those who let a user in, after he has proven who he is; a connection alone
 * is in neither. A host that is there by its name counts for nobody: who owns an address chooses
 * its name. */

#define LOGINS_SESSIONS "/run/systemd/sessions"
#define LOGINS_UTMP "/run/utmp"

/* More are not looked at: -1, and the sentence says so. */
enum { LOGINS_SESSIONS_MAX = 1024, LOGINS_RECORDS_MAX = 4096 };

/* What logind says of a session; a text that it does not say is NULL. */
struct logins_session {
	bool is_remote;
	const char *service;
	const char *class;
	const char *state;
	const char *remote_host;
};

/* Whether it is a user's session by SSH that has not ended. Then *ret_ip is where from. */
bool logins_session_ip(const struct logins_session *session, struct ip *ret_ip);

/* Calls back for each record of a login from an address whose process lives; an address may come
 * more than once. No file: no login. -1: it could not be read or was too much; what was called
 * back holds. */
int logins_utmp(const char *path, void (*each)(void *context, const struct ip *ip), void *context,
	struct error *err);

/* The same for logind's sessions, or where LOGINS_SESSIONS does not exist for utmp_path. */
int logins_list(const char *utmp_path, void (*each)(void *context, const struct ip *ip),
	void *context, struct error *err);

#endif
