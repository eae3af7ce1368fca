#include "decide/parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/siphash.h"
#include "decide/counter.h"
#include "state/store.h"

enum {
	OPENERS_MAX = 2, /* lines of an attempt before its ChallengeResponseFailed */
	KEY_BYTES = sizeof(uint64_t) + sizeof(uint32_t) + 2 + sizeof(((struct ip *)0)->bytes),
};

/* No log has a later or earlier time (2^50 s are 35 million years), and such a time in ms still
 * fits into 64 bits. */
static const int64_t AT_MAX_S = (int64_t)1 << 50;

/* An attempt whose further lines may still come. */
struct attempt {
	struct ip unit;
	uint16_t next; /* the next of the same bucket, as index + 1; 0: none */
	uint16_t bucket;
	uint32_t jail;
	uint64_t session; /* 0: the attempt has ended and is in no bucket */
	int64_t at_ms;    /* time of its first line */
	uint32_t weight;  /* of its failure; 0: inside a ban, for no window */
	unsigned lines;   /* so many have come, 1 to OPENERS_MAX */
	bool proven;      /* a line of it came from a source that cannot be forged */
};

/* A ring of the last attempts with a hash table over it. ring[next] is the one that began longest
 * ago and is overwritten next. Each attempt that has not ended is in the chain that starts at
 * heads[its bucket]. Of one (jail, unit, session) there is at most one attempt, the latest. */
struct guard_attempts {
	struct attempt ring[GUARD_ATTEMPTS_MAX];
	uint16_t heads[GUARD_ATTEMPTS_MAX]; /* first of each bucket, as index + 1; 0: none */
	size_t next;
};

struct guard_attempts *guard_attempts_new(void)
{
	return alloc_zero(sizeof(struct guard_attempts));
}

void guard_attempts_free(struct guard_attempts *attempts)
{
	free(attempts);
}

void guard_attempts_check(const struct guard_attempts *attempts)
{
	size_t live = 0;
	size_t reached = 0;

	for (size_t i = 0; i < GUARD_ATTEMPTS_MAX; i++) {
		uint16_t link = attempts->heads[i];

		live += attempts->ring[i].session != 0;
		for (; link && reached <= GUARD_ATTEMPTS_MAX; reached++) {
			const struct attempt *attempt = &attempts->ring[link - 1];

			assert(attempt->session && attempt->bucket == i);
			assert(attempt->lines >= 1 && attempt->lines <= OPENERS_MAX);
			link = attempt->next;
		}
	}
	assert(live == reached && attempts->next < GUARD_ATTEMPTS_MAX);
}

/* The hash has a secret key: the caller chooses the Call-ID, and hit->session is a hash of it
 * without a key, so that he could otherwise fill one bucket on purpose. */
static uint16_t bucket_of(const struct guard *guard, const struct guard_offence *offence)
{
	uint8_t bytes[KEY_BYTES];
	uint8_t *at = bytes;

	memcpy(at, &offence->session, sizeof(offence->session));
	at += sizeof(offence->session);
	memcpy(at, &offence->jail, sizeof(offence->jail));
	at += sizeof(offence->jail);
	*at++ = offence->unit.family;
	*at++ = offence->unit.bits;
	memcpy(at, offence->unit.bytes, sizeof(offence->unit.bytes));
	return (uint16_t)(siphash(store_key(guard->store), bytes, sizeof(bytes)) %
			  GUARD_ATTEMPTS_MAX);
}

static struct attempt *attempt_find(const struct guard *guard, const struct guard_offence *offence)
{
	struct guard_attempts *attempts = guard->attempts;
	uint16_t link = attempts->heads[bucket_of(guard, offence)];

	while (link) {
		struct attempt *attempt = &attempts->ring[link - 1];

		if (attempt->session == offence->session && attempt->jail == offence->jail &&
			ip_equal(&attempt->unit, &offence->unit))
			return attempt;
		link = attempt->next;
	}
	return NULL;
}

static void attempt_end(struct guard_attempts *attempts, struct attempt *attempt)
{
	uint16_t *link = &attempts->heads[attempt->bucket];

	while (&attempts->ring[*link - 1] != attempt)
		link = &attempts->ring[*link - 1].next;
	*link = attempt->next;
	attempt->session = 0;
}

static void attempt_begin(struct guard *guard, const struct guard_offence *offence, uint32_t weight)
{
	struct guard_attempts *attempts = guard->attempts;
	struct attempt *old = attempt_find(guard, offence);
	struct attempt *attempt = &attempts->ring[attempts->next];
	uint16_t bucket = bucket_of(guard, offence);

	if (old)
		attempt_end(attempts, old);
	if (attempt->session)
		attempt_end(attempts, attempt);
	*attempt = (struct attempt){ .unit = offence->unit,
		.next = attempts->heads[bucket],
		.bucket = bucket,
		.jail = offence->jail,
		.session = offence->session,
		.at_ms = offence->at_ms,
		.weight = weight,
		.lines = 1,
		.proven = offence->proven };
	attempts->heads[bucket] = (uint16_t)(attempts->next + 1);
	attempts->next = (attempts->next + 1) % GUARD_ATTEMPTS_MAX;
}

static void attempt_join(struct guard *guard, struct attempt *attempt, bool proven, bool is_last)
{
	attempt->lines++;
	if (proven && !attempt->proven && attempt->weight)
		counter_prove(guard->counter, attempt->jail, &attempt->unit, attempt->at_ms / 1000,
			attempt->weight);
	attempt->proven = attempt->proven || proven;
	if (is_last)
		attempt_end(guard->attempts, attempt);
}

static void record(const struct guard *guard, const struct guard_offence *offence,
	enum store_kind kind, uint64_t session, int64_t value)
{
	struct store_failure row = { .jail = guard->jails[offence->jail].name,
		.ip = offence->unit,
		.at_s = offence->at_ms / 1000,
		.kind = kind,
		.session = session,
		.value = value,
		.proven = offence->proven,
		.ms = (int16_t)(session ? offence->at_ms % 1000 : 0) };

	store_failure(guard->store, &row);
}

static bool begins(const struct guard_offence *offence)
{
	return offence->session &&
	       (offence->event == HIT_UNKNOWN_ACCOUNT || offence->event == HIT_ACL);
}

bool guard_attempt_joins(struct guard *guard, const struct guard_offence *offence)
{
	bool is_last = offence->event == HIT_GUESS;
	struct attempt *attempt;

	if (!offence->session || (!is_last && !begins(offence)))
		return false;
	attempt = attempt_find(guard, offence);
	if (!attempt || offence->at_ms < attempt->at_ms - GUARD_ATTEMPT_MS ||
		offence->at_ms > attempt->at_ms + GUARD_ATTEMPT_MS)
		return false;
	if (!is_last && attempt->lines == OPENERS_MAX)
		return false;
	attempt_join(guard, attempt, offence->proven, is_last);
	record(guard, offence, STORE_JOINED, offence->session, is_last);
	return true;
}

void guard_attempt_count(struct guard *guard, const struct guard_offence *offence, uint32_t weight)
{
	bool is_first = begins(offence);

	if (is_first)
		attempt_begin(guard, offence, weight);
	if (weight)
		record(guard, offence, STORE_FAILURE, is_first ? offence->session : 0, weight);
	else if (is_first)
		record(guard, offence, STORE_INSIDE, offence->session, 0);
}

void guard_attempt_load(struct guard *guard, uint32_t jail, const struct store_failure *row)
{
	struct guard_offence offence = { .unit = row->ip,
		.jail = jail,
		.session = row->session,
		.proven = row->proven };
	struct attempt *attempt;

	/* A row without a session began no attempt. A time beyond the limits was never written by
	 * us: the file is damaged. */
	if (!row->session || row->at_s > AT_MAX_S || row->at_s < -AT_MAX_S)
		return;
	offence.at_ms = row->at_s * 1000 + row->ms;
	switch (row->kind) {
	case STORE_FAILURE:
		attempt_begin(guard, &offence,
			row->value > 1 && row->value <= COUNTER_RETRY_MAX ? (uint32_t)row->value
									  : 1);
		break;
	case STORE_INSIDE:
		attempt_begin(guard, &offence, 0);
		break;
	case STORE_JOINED: /* the row of the attempt that it joined may have expired */
		attempt = attempt_find(guard, &offence);
		if (attempt)
			attempt_join(guard, attempt, row->proven, row->value != 0);
		break;
	case STORE_UNBAN:
	case STORE_BAN:
		break;
	}
}
