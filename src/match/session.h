#ifndef VG_SESSION_H
#define VG_SESSION_H

#include "match/groups.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sessions: lines in which F-MLFID matches the same text are of one connection, and what one of
 * them says (the address, the user) holds for the later ones.
 *
 * Anybody outside can open sessions, so their number is limited. One more than SESSIONS_MAX removes
 * the oldest (the one opened first, whenever its last line came), and each ends SESSION_S seconds
 * after it was opened, by the time of the lines; both as in fail2ban. The next line of a session
 * that was removed is like the first line of a new one: if that line does not name the address, the
 * failure goes uncounted, but no other address is charged with it. Ids longer than SESSION_ID_MAX
 * bytes are not remembered at all, because two that begin alike would become one if they were cut.
 * Values are cut to HIT_TEXT_MAX bytes. */
enum {
	SESSIONS_MAX = 100,
	SESSION_S = 300,
	SESSION_ID_MAX = 1024,
};

struct session;
struct sessions;

struct sessions *sessions_new(void);
void sessions_free(struct sessions *sessions);

/* Takes a line that has an F-MLFID: *groups becomes what is known of its session, updated by what
 * this line says, and can be read until the next call. user is the number of the name "user";
 * n_lines is how many lines the rule matched; at_s is the time of the line in seconds since the
 * epoch. True: this is a failure, and *ret_lines lines tell of it. False: it is none (F-NOFAIL or
 * F-MLFGAINED, in a session that neither owes a failure nor has had several users). */
bool session_merge(struct sessions *sessions, struct groups *groups, unsigned user,
	unsigned n_lines, int64_t at_s, unsigned *ret_lines);
/* Says that the failure of the last session_merge had no address: the session owes this failure
 * until a line names one. */
void session_owe(struct sessions *sessions);

#endif
