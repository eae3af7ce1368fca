#ifndef VG_LETTER_H
#define VG_LETTER_H

#include <stdbool.h>
#include <stdint.h>

struct ban;
struct config_jail;
struct counter_window;
struct ip;

/* A body of 8192 bytes is as much as a mail takes: its end says how to undo the ban. */
enum { LETTER_SUBJECT_MAX = 512, LETTER_BODY_MAX = 8 * 1024 };

/* What a person gets to read about a ban: who, why, until when, how to undo it. Rendered text,
 * times in local time with zone. */
struct letter {
	char subject[LETTER_SUBJECT_MAX];
	char body[LETTER_BODY_MAX]; /* too many or too long lines are left out, and it says so */
};

/* jail NULL: the ban was made by hand. window NULL: nothing is known but the ban itself.
 * host: this machine's name. */
void letter_ban(struct letter *ret_letter, const char *jail_name, const struct config_jail *jail,
	const struct ban *ban, const struct counter_window *window, const char *host, bool dry_run);
/* Appends what the kernel said: failure 0 = it holds the ban since at_s; -1 = no word yet. */
void letter_add_kernel(struct letter *letter, const struct ip *ip, int failure, int64_t at_s);
/* Many lines of Asterisk's log name nobody soundly: more than `lines` within findtime; kinds: how
 * many of which kind there were. */
void letter_blind(struct letter *ret_letter, const char *jail_name, unsigned lines,
	const char *findtime, const char *kinds, const char *host);
/* Jails that were left out at start, and how to see why. */
void letter_broken(struct letter *ret_letter, const char *host, const char *findings);

#endif
