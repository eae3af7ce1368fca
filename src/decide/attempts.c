#include "decide/parts.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/ipmap.h"
#include "decide/counter.h"
#include "state/store.h"

enum { OPENERS_MAX = 2 /* lines of an attempt before its ChallengeResponseFailed */ };

/* No log has a later or earlier time (2^50 s are 35 million years), and such a time in ms still
 * fits into 64 bits. */
static const int64_t AT_MAX_S = (int64_t)1 << 50;

/* An attempt whose further lines may still come. */
struct attempt {
	struct ip unit;
	uint32_t jail;
	uint64_t session; /* 0: the attempt has ended */
	int64_t at_ms;    /* time of its first line */
	uint32_t weight;  /* of its failure; 0: inside a ban, for no window */
	unsigned lines;   /* so many have come, 1 to OPENERS_MAX */
	bool proven;      /* a line of it came from a source that cannot be forged */
};

/* A ring of the last attempts. ring[next] is the one that began longest ago and is overwritten
 * next. by_unit finds each attempt that has not ended, by its unit and session_tag(). Where two of
 * a unit have the same tag, only the later one is remembered. */
struct attempts {
	struct attempt ring[ATTEMPTS_MAX];
	size_t next;
	struct ipmap *by_unit; /* (unit, tag) → struct attempt in ring */
};

struct attempts *attempts_new(void)
{
	struct attempts *attempts = alloc_zero(sizeof(*attempts));

	attempts->by_unit = ipmap_new(ATTEMPTS_MAX);
	return attempts;
}

void attempts_free(struct attempts *attempts)
{
	ipmap_free(attempts->by_unit);
	free(attempts);
}

/* What tells the attempts of one unit apart. A caller may choose a Call-ID that gives the tag of
 * another one; but that only shortens the memory of attempts from his own address. */
static uint32_t session_tag(uint32_t jail, uint64_t session)
{
	return (uint32_t)(session ^ session >> 32) ^ jail << 23; /* jails are below 512 */
}

void attempts_check(const struct attempts *attempts)
{
	size_t live = 0;

	for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
		const struct attempt *attempt = &attempts->ring[i];

		if (!attempt->session)
			continue;
		live++;
		assert(attempt->lines >= 1 && attempt->lines <= OPENERS_MAX);
		assert(ipmap_get(attempts->by_unit, &attempt->unit,
			       session_tag(attempt->jail, attempt->session)) == attempt);
	}
	assert(live == ipmap_count(attempts->by_unit) && attempts->next < ATTEMPTS_MAX);
}

static struct attempt *attempt_find(const struct guard *guard, const struct guard_offence *offence)
{
	struct attempt *attempt = ipmap_get(guard->attempts->by_unit, &offence->unit,
		session_tag(offence->jail, offence->session));

	return attempt && attempt->session == offence->session && attempt->jail == offence->jail
		       ? attempt
		       : NULL;
}

static void attempt_end(struct attempts *attempts, struct attempt *attempt)
{
	(void)ipmap_remove(attempts->by_unit, &attempt->unit,
		session_tag(attempt->jail, attempt->session)); /* returns `attempt` */
	attempt->session = 0;
}

static void attempt_begin(struct guard *guard, const struct guard_offence *offence, uint32_t weight)
{
	struct attempts *attempts = guard->attempts;
	struct attempt *attempt = &attempts->ring[attempts->next];
	uint32_t tag = session_tag(offence->jail, offence->session);
	struct attempt *old = ipmap_get(attempts->by_unit, &offence->unit, tag);

	if (old)
		attempt_end(attempts, old);
	if (attempt->session)
		attempt_end(attempts, attempt);
	*attempt = (struct attempt){ .unit = offence->unit,
		.jail = offence->jail,
		.session = offence->session,
		.at_ms = offence->at_ms,
		.weight = weight,
		.lines = 1,
		.proven = offence->proven };
	(void)ipmap_put(attempts->by_unit, &attempt->unit, tag, attempt); /* there is room */
	attempts->next = (attempts->next + 1) % ATTEMPTS_MAX;
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

static void line_record(const struct guard *guard, const struct guard_offence *offence,
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

static bool may_begin(const struct guard_offence *offence)
{
	return offence->session &&
	       (offence->event == HIT_UNKNOWN_ACCOUNT || offence->event == HIT_ACL);
}

bool attempts_join(struct guard *guard, const struct guard_offence *offence)
{
	bool is_last = offence->event == HIT_GUESS;
	struct attempt *attempt;

	if (!offence->session || (!is_last && !may_begin(offence)))
		return false;
	attempt = attempt_find(guard, offence);
	if (!attempt || offence->at_ms < attempt->at_ms - ATTEMPTS_MS ||
		offence->at_ms > attempt->at_ms + ATTEMPTS_MS)
		return false;
	if (!is_last && attempt->lines == OPENERS_MAX)
		return false;
	attempt_join(guard, attempt, offence->proven, is_last);
	line_record(guard, offence, STORE_JOINED, offence->session, is_last);
	return true;
}

void attempts_count(struct guard *guard, const struct guard_offence *offence, uint32_t weight)
{
	bool is_first = may_begin(offence);

	if (is_first)
		attempt_begin(guard, offence, weight);
	if (weight)
		line_record(guard, offence, STORE_FAILURE, is_first ? offence->session : 0, weight);
	else if (is_first)
		line_record(guard, offence, STORE_INSIDE, offence->session, 0);
}

void attempts_load(struct guard *guard, uint32_t jail, const struct store_failure *row)
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
