#ifndef VG_LOGINS_H
#define VG_LOGINS_H

#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* From which addresses users are logged in by SSH: by logind's sessions, or by utmp where there is
 * no logind. Both are written after the user has authenticated; a mere connection is in neither. A
 * session whose remote host is a name and not an address (UseDNS of sshd_config) protects nobody,
 * because whoever owns an address chooses the name that DNS gives for it. */

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

/* True: it is a user's session by SSH that has not ended, and remote_host is not NULL. */
bool logins_session_counts(const struct logins_session *session);

/* What the functions below call back with: the address of a login, or (ip NULL) the name of one
 * that has no address. */
typedef void logins_each(void *context, const struct ip *ip, const char *name);

/* Calls back for each record of utmp whose login comes from an address and whose process lives; an
 * address may come more than once. Without the file there is no login, which is success. -1 with a
 * sentence: it cannot be read, or has too many records; what was called back before is valid. */
int logins_utmp(const char *path, logins_each *each, void *context, struct error *err);

/* The same for logind's sessions or, if LOGINS_SESSIONS does not exist, for utmp_path. A session
 * with a name is called back too. */
int logins_list(const char *utmp_path, logins_each *each, void *context, struct error *err);

/* The addresses of the logins at the last looks: each stays for LOGINS_KEEP_S after its last
 * session was seen, so that an admin whose connection breaks can come back. */
enum { LOGINS_KEEP_S = 600, LOGINS_MAX = 1024 };
struct logins {
	size_t count;
	struct {
		struct ip ip;
		int64_t until_s;
	} entries[LOGINS_MAX];
};

/* Takes in an address that is logged in at now_s (CLOCK_BOOTTIME). True: it was not in the list. If
 * that is full, the address is left out. */
bool logins_add(struct logins *logins, const struct ip *ip, int64_t now_s);
/* Removes the addresses whose time is over. True: there was one. */
bool logins_expire(struct logins *logins, int64_t now_s);

#endif
