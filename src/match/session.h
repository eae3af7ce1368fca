#ifndef VG_SESSION_H
#define VG_SESSION_H

#include "match/groups.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sessions: the lines that say the same by F-MLFID are of one connection, and what one of them says
 * (the address, the user) holds for the later ones.
 *
 * Anybody outside can open sessions, so there are few. One that comes when there are SESSIONS_MAX
 * throws out the oldest (the one opened first, whatever was heard of it since), and each ends
 * SESSION_S after it was opened, by the time of the lines; both as in fail2ban. The next line of a
 * session that was thrown out is as the first of a new one: the address is not known if that line
 * does not say it, so that somebody goes uncounted, and nobody is charged for another. Nor are ids
 * longer than SESSION_ID_MAX remembered: two of them that begin alike would become one. Values are
 * cut to HIT_TEXT_MAX. */
enum {
	SESSIONS_MAX = 100,
	SESSION_S = 300,
	SESSION_ID_MAX = 1024,
};

struct session;
struct sessions;

struct sessions *sessions_new(void);
void sessions_free(struct sessions *sessions);

/* A line with an F-MLFID: *groups becomes what the session knows, with what the line says over it,
 * and stays readable until the next call. n_lines: how many lines the rule took. True: this is a
 * failure, and *ret_lines lines tell of it. False: it is none (F-NOFAIL or F-MLFGAINED, in a
 * session that neither owes a failure nor has had several users). */
bool session_merge(struct sessions *sessions, struct groups *groups, unsigned user,
	unsigned n_lines, int64_t at_s, unsigned *ret_lines);
/* The failure of the last session_merge had no address: the session owes it until one is known. */
void session_owe(struct sessions *sessions);

#endif
