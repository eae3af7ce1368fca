/* A mail about a ban says whether the kernel holds the ban. So it waits for the firewall role's
 * answer, LETTER_WAIT_S at most. */
#include "decide/parts.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "config/config.h"
#include "decide/letter.h"

enum {
	LETTERS_MAX = 1000, /* of more, the oldest leaves without the kernel's answer */
	LETTER_WAIT_S = 5,
};

struct waiting_letter {
	struct ip ip;
	uint32_t jail;
	int64_t deadline_s;
	struct letter letter;
	TAILQ_ENTRY(waiting_letter) others;
};

const char *guard_jail_dest(const struct guard *guard, const struct guard_jail *jail)
{
	return jail->config ? jail->config->mail_dest : guard->config->mail.dest;
}

const char *guard_jail_sender(const struct guard *guard, const struct guard_jail *jail)
{
	return jail->config ? jail->config->mail_sender : guard->config->mail.sender;
}

/* Takes the letter out of the list, adds the kernel's answer to it, hands it on to be sent, and
 * frees it. failure: see letter_add_kernel. */
static void letter_leave(struct guard *guard, struct waiting_letter *waiting, int failure,
	int64_t now_s)
{
	const struct guard_jail *jail = &guard->jails[waiting->jail];

	if (!guard->dry_run)
		letter_add_kernel(&waiting->letter, &waiting->ip, failure, now_s);
	if (guard->events.alert)
		guard->events.alert(guard->events.context, now_s, guard_jail_dest(guard, jail),
			guard_jail_sender(guard, jail), &waiting->letter);
	TAILQ_REMOVE(&guard->letters, waiting, others);
	guard->n_letters--;
	free(waiting);
}

void waiting_letters_add(struct guard *guard, const struct ban *ban,
	const struct counter_window *window, int64_t now_s)
{
	const struct guard_jail *jail = &guard->jails[ban->jail];
	struct waiting_letter *waiting;

	if (!guard_jail_dest(guard, jail) || (jail->config && !jail->config->bans))
		return;
	waiting = alloc_zero(sizeof(*waiting));
	waiting->ip = ban->ip;
	waiting->jail = ban->jail;
	waiting->deadline_s = now_s + LETTER_WAIT_S;
	letter_ban(&waiting->letter, jail->name, jail->config, ban, window, guard->host,
		guard->dry_run);
	TAILQ_INSERT_TAIL(&guard->letters, waiting, others);
	guard->n_letters++;
	if (guard->dry_run || guard->n_letters > LETTERS_MAX)
		letter_leave(guard, TAILQ_FIRST(&guard->letters), -1, now_s);
}

void waiting_letters_answered(struct guard *guard, const struct ip *ip, int64_t now_s)
{
	struct waiting_letter *next = TAILQ_FIRST(&guard->letters);

	while (next) {
		struct waiting_letter *waiting = next;
		const struct ban *ban = bans_find(guard->bans, waiting->jail, ip);
		int refused = 0;

		next = TAILQ_NEXT(next, others);
		if (ip_equal(&waiting->ip, ip) &&
			(!ban || bans_in_kernel(guard->bans, ban, &refused) || refused))
			letter_leave(guard, waiting, ban ? refused : EPERM, now_s);
	}
}

void waiting_letters_tick(struct guard *guard, int64_t now_s)
{
	struct waiting_letter *first;

	while ((first = TAILQ_FIRST(&guard->letters)) && first->deadline_s <= now_s)
		letter_leave(guard, first, -1, now_s);
}

void waiting_letters_done(struct guard *guard)
{
	struct waiting_letter *first;

	while ((first = TAILQ_FIRST(&guard->letters))) {
		TAILQ_REMOVE(&guard->letters, first, others);
		free(first);
	}
}
