#ifndef VG_LETTER_H
#define VG_LETTER_H

#include <stdbool.h>
#include <stdint.h>

struct ban;
struct config_jail;
struct counter_window;
struct ip;

/* A longer body would be cut on its way (MAIL_RATE_BODY_MAX in engine/mail_rate.h) at its end,
 * which says how to undo the ban. */
enum { LETTER_SUBJECT_MAX = 512, LETTER_BODY_MAX = 8 * 1024 };

/* A mail: what a person gets to read about a ban (who, why, until when, how to undo it) or about
 * another event. All text from outside is rendered; times are local ones with their zone, as in
 * "2026-03-29 14:05:00 +0200". */
struct letter {
	char subject[LETTER_SUBJECT_MAX];
	char body[LETTER_BODY_MAX]; /* without room, log lines are left out and counted */
};

/* Writes the mail about a ban. jail NULL: the ban was made by hand. window NULL: nothing but the
 * ban itself is known. host: this machine's name. */
void letter_ban(struct letter *ret_letter, const char *jail_name, const struct config_jail *jail,
	const struct ban *ban, const struct counter_window *window, const char *host, bool dry_run);
/* Appends what the kernel has answered. failure 0: it holds the ban since at_s; an errno value: it
 * has refused it; -1: it has not answered yet. */
void letter_add_kernel(struct letter *letter, const struct ip *ip, int failure, int64_t at_s);
/* Writes the mail about an address that would have been banned. because: what protects it; NULL: it
 * may be forged. */
void letter_spared(struct letter *ret_letter, const char *jail_name, const struct config_jail *jail,
	const struct counter_window *window, const char *because, const char *host);
/* Writes the mail about unreadable lines: more than `lines` within findtime ("10m") tell of
 * attempts without an address that can be trusted. kinds says how many of which kind there were:
 * "cut 12, not-utf8 9". */
void letter_blind(struct letter *ret_letter, const char *jail_name, unsigned lines,
	const char *findtime, const char *kinds, const char *host);
/* Writes the mail about jails that were left out because of an error. findings: the errors, one a
 * line; those that find no room are left out. */
void letter_broken(struct letter *ret_letter, const char *host, const char *findings);

#endif
