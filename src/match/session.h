#ifndef VG_SESSION_H
#define VG_SESSION_H

#include "match/groups.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lines of one connection, told by what F-MLFID found: what one line says (the address, the user)
 * holds for the later ones. Somebody outside can open sessions at will, so there are few:
 * a session that comes when there are SESSIONS_MAX throws out the oldest of them (the one opened
 * first, whatever was heard of it since), and one ends SESSION_S after it was opened, by the time
 * of the lines; both as in fail2ban. A thrown-out session's next line is as the first of a new
 * one: an address that it has not said itself is not known then, so that somebody goes uncounted,
 * and nobody is charged for another. Ids longer than SESSION_ID_MAX are not remembered, for the
 * same reason: cut, two could be one. Values are cut to HIT_TEXT_MAX. */
enum {
	SESSIONS_MAX = 100,
	SESSION_S = 300,
	SESSION_ID_MAX = 1024,
};

struct session;
struct sessions;

struct sessions *sessions_new(void);
void sessions_free(struct sessions *sessions);

/* A line with an F-MLFID: its groups become those of the session with what the line says over
 * them; they stay readable until the next call. n_lines: how many lines the rule took.
 * True: this is a failure, and *ret_lines lines speak of it. False: it is none (F-NOFAIL or
 * F-MLFGAINED, and neither did the session owe a failure nor has it had several users). */
bool session_merge(struct sessions *sessions, struct groups *groups, unsigned user,
	unsigned n_lines, int64_t at_s, unsigned *ret_lines);
/* The failure just told had no address: the session owes it, until one is known. */
void session_owe(struct sessions *sessions);

#endif
