#ifndef VG_LOGINS_H
#define VG_LOGINS_H

#include "base/ip.h"

#include <stdbool.h>

struct error;

/* From which addresses users are logged in by SSH: by logind's sessions, or by utmp where there is
 * no logind. Both are written after the user has authenticated; a mere connection is in neither. A
 * session whose remote host is a name and not an address is left out, because whoever owns an
 * address chooses the name that DNS gives for it. */

#define LOGINS_SESSIONS "/run/systemd/sessions"
#define LOGINS_UTMP "/run/utmp"

/* More sessions or records than this are left out; the functions then return -1, and the sentence
 * says so. */
enum { LOGINS_SESSIONS_MAX = 1024, LOGINS_RECORDS_MAX = 4096 };

/* What logind knows about a session, as in sd-login(3); a text that it does not know is NULL. */
struct logins_session {
	bool is_remote;
	const char *service;
	const char *class;
	const char *state;
	const char *remote_host;
};

/* True: it is a user's session by SSH that has not ended; *ret_ip is the address that it comes
 * from. Else *ret_ip is not to be used. */
bool logins_session_ip(const struct logins_session *session, struct ip *ret_ip);

/* Calls back for each record of utmp whose login comes from an address and whose process lives; an
 * address may come more than once. Without the file there is no login, which is success. -1 with a
 * sentence: it cannot be read, or has too many records; what was called back before is valid. */
int logins_utmp(const char *path, void (*each)(void *context, const struct ip *ip), void *context,
	struct error *err);

/* The same for logind's sessions or, if LOGINS_SESSIONS does not exist, for utmp_path. */
int logins_list(const char *utmp_path, void (*each)(void *context, const struct ip *ip),
	void *context, struct error *err);

#endif
