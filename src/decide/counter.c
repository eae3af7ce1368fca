#include "decide/counter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ipmap.h"
#include "decide/heap.h"
#include "decide/ranked.h"

enum {
	ALLOCATION_BYTES = 16, /* what malloc itself needs for a block, about */
	EARLIER_FIRST = 3,     /* 3 stamps are 24 bytes, malloc's smallest block */
	TEXTS_STEP = 4,
};

/* A stamp is 4 * seconds plus two bits, so that stamps sort by time. A failure that counts as n
 * makes n stamps, and only one of them has STAMP_FAILURE, by which failures are counted. That bit
 * sorts it behind the others of its second: when a full window drops its oldest stamps, it goes
 * last. */
static const int64_t AT_MAX_S = (int64_t)1 << 60;
static const int64_t STAMP_FAILURE = 2;
static const int64_t STAMP_PROVEN = 1;

/* The first is the oldest. */
struct texts {
	struct counter_text *list; /* owned, and so are the bytes */
	uint16_t count;
	uint16_t room;
};

struct evidence {
	struct window *window; /* borrowed; it owns this evidence */
	TAILQ_ENTRY(evidence) others;
	const char *rule;      /* borrowed; outlives the counter */
	struct texts accounts; /* distinct; the one tried last is the last */
	struct texts lines;
};

/* The failures of one (jail, address): n_earlier + 1 stamps. `earlier` is sorted, and none of its
 * stamps is above `newest`. */
struct window {
	struct ranked in; /* the table */
	uint32_t slot;    /* index in the heap of its jail */
	uint16_t n_earlier;
	uint16_t earlier_room;
	int64_t newest;            /* stamp */
	int64_t *earlier;          /* owned, stamps */
	struct evidence *evidence; /* owned, NULL: none */
};

/* windows.count is how many windows the jail has. */
struct jail {
	struct heap windows; /* of struct window, by the last failure */
	uint32_t maxretry;
	uint32_t maxmatches; /* <= COUNTER_LINES_MAX */
	int64_t findtime_s;
};

struct counter {
	struct ranked_table windows; /* of struct window, owned, ranked by the stamps */
	struct jail jails[COUNTER_JAILS_MAX];
	size_t n_jails;                           /* all that are set have smaller numbers */
	TAILQ_HEAD(evidences, evidence) evidence; /* in the order in which it was last added to */
	size_t evidence_bytes;
};

/* Of evidence without its texts: the struct itself, and malloc's needs for it and for two lists. */
static const size_t EVIDENCE_BYTES = sizeof(struct evidence) + 3 * ALLOCATION_BYTES;

static int64_t stamp_s(int64_t stamp)
{
	return stamp >> 2;
}

static int64_t stamp_of(int64_t at_s)
{
	return 4 * (at_s > AT_MAX_S ? AT_MAX_S : at_s < -AT_MAX_S ? -AT_MAX_S : at_s);
}

static struct heap_key window_key(void *item)
{
	struct window *window = item;

	return (struct heap_key){ window->newest, &window->slot };
}

static void text_drop(struct counter *counter, struct texts *texts, size_t i)
{
	counter->evidence_bytes -= texts->list[i].length + 1 + ALLOCATION_BYTES;
	free(texts->list[i].bytes);
	texts->count--;
	memmove(texts->list + i, texts->list + i + 1, (texts->count - i) * sizeof(*texts->list));
}

static void texts_done(struct counter *counter, struct texts *texts)
{
	while (texts->count)
		text_drop(counter, texts, texts->count - 1U);
	counter->evidence_bytes -= texts->room * sizeof(*texts->list);
	free(texts->list);
}

static void text_add(struct counter *counter, struct texts *texts, const char *bytes, size_t length)
{
	if (texts->count == texts->room) {
		counter->evidence_bytes += TEXTS_STEP * sizeof(*texts->list);
		texts->room += TEXTS_STEP;
		texts->list = alloc_grow(texts->list, texts->room, sizeof(*texts->list));
	}
	counter->evidence_bytes += length + 1 + ALLOCATION_BYTES;
	texts->list[texts->count++] =
		(struct counter_text){ .bytes = alloc_bytes(bytes, length), .length = length };
}

static void evidence_drop(struct counter *counter, struct evidence *evidence)
{
	texts_done(counter, &evidence->lines);
	texts_done(counter, &evidence->accounts);
	counter->evidence_bytes -= EVIDENCE_BYTES;
	TAILQ_REMOVE(&counter->evidence, evidence, others);
	evidence->window->evidence = NULL;
	free(evidence);
}

static void account_add(struct counter *counter, struct texts *accounts, const char *account,
	size_t length)
{
	if (length > COUNTER_ACCOUNT_BYTES_MAX)
		length = COUNTER_ACCOUNT_BYTES_MAX;
	length = strnlen(account, length);
	for (size_t i = 0; i < accounts->count; i++) {
		const struct counter_text *known = &accounts->list[i];

		if (known->length == length && memcmp(known->bytes, account, length) == 0) {
			text_drop(counter, accounts, i);
			break;
		}
	}
	if (accounts->count == COUNTER_ACCOUNTS_MAX)
		text_drop(counter, accounts, 0);
	text_add(counter, accounts, account, length);
}

static void line_add(struct counter *counter, struct texts *lines, const char *line, size_t length,
	uint32_t maxmatches)
{
	while (lines->count >= maxmatches)
		text_drop(counter, lines, 0);
	text_add(counter, lines, line,
		length < COUNTER_LINE_BYTES_MAX ? length : COUNTER_LINE_BYTES_MAX);
}

static void evidence_add(struct counter *counter, struct window *window,
	const struct counter_evidence *added)
{
	struct evidence *evidence = window->evidence;

	if (evidence) {
		TAILQ_REMOVE(&counter->evidence, evidence, others);
	} else {
		evidence = alloc_zero(sizeof(*evidence));
		evidence->window = window;
		window->evidence = evidence;
		counter->evidence_bytes += EVIDENCE_BYTES;
	}
	TAILQ_INSERT_TAIL(&counter->evidence, evidence, others);
	evidence->rule = added->rule;
	if (added->line && counter->jails[window->in.jail].maxmatches)
		line_add(counter, &evidence->lines, added->line, added->line_length,
			counter->jails[window->in.jail].maxmatches);
	if (added->account && added->account_length)
		account_add(counter, &evidence->accounts, added->account, added->account_length);
	while (counter->evidence_bytes > COUNTER_EVIDENCE_BYTES_MAX)
		evidence_drop(counter, TAILQ_FIRST(&counter->evidence));
}

/* How many failures the window has from earlier[first] on; each is one, whatever its weight. */
static uint32_t window_failures(const struct window *window, size_t first)
{
	uint32_t count = (window->newest & STAMP_FAILURE) != 0;

	for (size_t i = first; i < window->n_earlier; i++)
		count += (window->earlier[i] & STAMP_FAILURE) != 0;
	return count;
}

/* Drops lines of failures that the window no longer holds (too old, or beyond maxretry). When a
 * single failure is left, all accounts but the one tried last go, too. */
static void evidence_trim(struct counter *counter, const struct window *window)
{
	struct evidence *evidence = window->evidence;
	uint32_t failures;

	if (!evidence)
		return;
	failures = window_failures(window, 0);
	while (evidence->lines.count > failures)
		text_drop(counter, &evidence->lines, 0);
	while (failures == 1 && evidence->accounts.count > 1)
		text_drop(counter, &evidence->accounts, 0);
}

static void window_drop(struct counter *counter, struct window *window)
{
	if (window->evidence)
		evidence_drop(counter, window->evidence);
	heap_remove(&counter->jails[window->in.jail].windows, window);
	ranked_remove(&counter->windows, &window->in);
	free(window->earlier);
	free(window);
}

static struct window *window_new(struct counter *counter, uint32_t jail, const struct ip *ip,
	int64_t stamp)
{
	struct window *victim = ranked_victim(&counter->windows);
	struct window *window = alloc_zero(sizeof(*window));

	if (victim)
		window_drop(counter, victim);
	*window = (struct window){ .in = { .ip = *ip, .jail = jail }, .newest = stamp };
	ranked_add(&counter->windows, &window->in, 1);
	heap_add(&counter->jails[jail].windows, window);
	return window;
}

/* Index of the first stamp in `earlier` that counts at at_s: it is within findtime, and one of the
 * newest maxretry. */
static size_t window_first(const struct window *window, const struct jail *jail, int64_t at_s)
{
	size_t first = window->n_earlier > jail->maxretry - 1
			       ? window->n_earlier - (jail->maxretry - 1)
			       : 0;

	while (first < window->n_earlier &&
		at_s - stamp_s(window->earlier[first]) > jail->findtime_s)
		first++;
	return first;
}

static void window_trim(struct window *window, const struct jail *jail)
{
	size_t first = window_first(window, jail, stamp_s(window->newest));

	if (!first)
		return;
	window->n_earlier = (uint16_t)(window->n_earlier - first);
	memmove(window->earlier, window->earlier + first,
		window->n_earlier * sizeof(*window->earlier));
	if (window->n_earlier == 0) {
		free(window->earlier);
		window->earlier = NULL;
		window->earlier_room = 0;
	}
}

static void window_insert(struct window *window, int64_t stamp)
{
	size_t place = window->n_earlier;

	if (window->n_earlier == window->earlier_room) {
		window->earlier_room = (uint16_t)(window->earlier_room * 2 + EARLIER_FIRST);
		window->earlier =
			alloc_grow(window->earlier, window->earlier_room, sizeof(*window->earlier));
	}
	if (stamp >= window->newest) {
		window->earlier[place] = window->newest;
		window->newest = stamp;
	} else {
		for (; place > 0 && window->earlier[place - 1] > stamp; place--)
			window->earlier[place] = window->earlier[place - 1];
		window->earlier[place] = stamp;
	}
	window->n_earlier++;
}

struct counter *counter_new(void)
{
	struct counter *counter = alloc_zero(sizeof(*counter));

	ranked_init(&counter->windows, COUNTER_WINDOWS_MAX);
	TAILQ_INIT(&counter->evidence);
	return counter;
}

void counter_free(struct counter *counter)
{
	struct window *window;
	size_t cursor = 0;

	if (!counter)
		return;
	while ((window = ipmap_next(counter->windows.map, &cursor)))
		window_drop(counter, window);
	for (size_t i = 0; i < counter->n_jails; i++)
		heap_done(&counter->jails[i].windows);
	ranked_done(&counter->windows);
	free(counter);
}

void counter_jail(struct counter *counter, uint32_t jail, uint32_t maxretry, int64_t findtime_s,
	uint32_t maxmatches)
{
	assert(jail < COUNTER_JAILS_MAX);
	assert(maxretry >= 1 && maxretry <= COUNTER_RETRY_MAX);
	if (jail >= counter->n_jails)
		counter->n_jails = jail + 1;
	counter->jails[jail].windows.key = window_key;
	counter->jails[jail].maxretry = maxretry;
	counter->jails[jail].findtime_s = findtime_s;
	counter->jails[jail].maxmatches =
		maxmatches < COUNTER_LINES_MAX ? maxmatches : COUNTER_LINES_MAX;
}

bool counter_add(struct counter *counter, uint32_t jail, const struct ip *ip, int64_t at_s,
	uint32_t weight, const struct counter_evidence *evidence, int64_t *ret_reached_s)
{
	int64_t filler = stamp_of(at_s) + (evidence && evidence->proven ? STAMP_PROVEN : 0);
	int64_t stamp = filler + STAMP_FAILURE;
	struct window *window = ranked_find(&counter->windows, jail, ip);
	const struct jail *of;

	assert(jail < counter->n_jails && counter->jails[jail].maxretry);
	of = &counter->jails[jail];
	if (weight > of->maxretry)
		weight = of->maxretry;
	if (!window)
		window = window_new(counter, jail, ip, stamp);
	else
		window_insert(window, stamp);
	for (uint32_t i = 1; i < weight; i++)
		window_insert(window, filler);
	window_trim(window, of);
	heap_settle(&counter->jails[jail].windows, window);
	ranked_touch(&counter->windows, &window->in, window->n_earlier + 1U);
	if (evidence)
		evidence_add(counter, window, evidence);
	evidence_trim(counter, window);
	if (window->n_earlier + 1U < of->maxretry)
		return false;
	*ret_reached_s = stamp_s(window->newest);
	return true;
}

/* Adds STAMP_PROVEN to at most n stamps that are equal to `stamp`. It takes the last of them, since
 * the bit makes them larger, and the window has to stay sorted. Returns how many it found. */
static uint32_t stamps_prove(struct window *window, int64_t stamp, uint32_t n)
{
	size_t end = window->n_earlier;
	uint32_t left = n;

	if (left && window->newest == stamp) {
		window->newest += STAMP_PROVEN;
		left--;
	}
	while (end > 0 && window->earlier[end - 1] > stamp)
		end--;
	for (; left && end > 0 && window->earlier[end - 1] == stamp; left--, end--)
		window->earlier[end - 1] += STAMP_PROVEN;
	return n - left;
}

void counter_prove(struct counter *counter, uint32_t jail, const struct ip *ip, int64_t at_s,
	uint32_t weight)
{
	struct window *window = ranked_find(&counter->windows, jail, ip);

	if (!window || !stamps_prove(window, stamp_of(at_s) + STAMP_FAILURE, 1))
		return;
	if (weight > 1) /* fewer are found if the window has dropped some as too old */
		(void)stamps_prove(window, stamp_of(at_s), weight - 1);
	heap_settle(&counter->jails[jail].windows, window);
}

bool counter_get(const struct counter *counter, uint32_t jail, const struct ip *ip, int64_t now_s,
	struct counter_window *ret_window)
{
	const struct window *window = ranked_find(&counter->windows, jail, ip);
	const struct evidence *evidence = window ? window->evidence : NULL;
	size_t first;
	int64_t proven;

	if (!window || now_s - stamp_s(window->newest) > counter->jails[jail].findtime_s)
		return false;
	first = window_first(window, &counter->jails[jail], now_s);
	proven = window->newest & STAMP_PROVEN;
	for (size_t i = first; i < window->n_earlier; i++)
		proven &= window->earlier[i];
	*ret_window = (struct counter_window){
		.ip = window->in.ip,
		.jail = jail,
		.failures = window_failures(window, first),
		.counted = (uint32_t)(window->n_earlier - first + 1),
		.first_s = stamp_s(
			first < window->n_earlier ? window->earlier[first] : window->newest),
		.last_s = stamp_s(window->newest),
		.proven = proven != 0,
		.rule = evidence && evidence->rule ? evidence->rule : "",
	};
	if (evidence) {
		ret_window->lines = evidence->lines.list;
		ret_window->n_lines = evidence->lines.count;
		ret_window->accounts = evidence->accounts.list;
		ret_window->n_accounts = evidence->accounts.count;
	}
	return true;
}

void counter_clear(struct counter *counter, uint32_t jail, const struct ip *ip)
{
	struct window *window = ranked_find(&counter->windows, jail, ip);

	if (window)
		window_drop(counter, window);
}

void counter_clear_unproven(struct counter *counter, uint32_t jail, const struct ip *ip)
{
	struct window *window = ranked_find(&counter->windows, jail, ip);
	uint16_t kept = 0;

	if (!window)
		return;
	for (size_t i = 0; i < window->n_earlier; i++)
		if (window->earlier[i] & STAMP_PROVEN)
			window->earlier[kept++] = window->earlier[i];
	window->n_earlier = kept;
	if (!(window->newest & STAMP_PROVEN)) {
		if (!kept) {
			window_drop(counter, window);
			return;
		}
		window->newest = window->earlier[--window->n_earlier];
	}
	heap_settle(&counter->jails[jail].windows, window);
	ranked_touch(&counter->windows, &window->in, window->n_earlier + 1U);
	evidence_trim(counter, window);
}

/* There is a window at slot whose last failure is older than findtime. */
static bool is_stale(const struct jail *jail, uint32_t slot, int64_t now_s)
{
	const struct window *window = slot < jail->windows.count ? jail->windows.list[slot] : NULL;

	return window && now_s - stamp_s(window->newest) > jail->findtime_s;
}

size_t counter_expire(struct counter *counter, int64_t now_s, size_t limit)
{
	size_t dropped = 0;

	for (; dropped < limit; dropped++) {
		struct window *oldest = NULL;

		for (size_t i = 0; i < counter->n_jails; i++) {
			const struct jail *jail = &counter->jails[i];
			struct window *first = heap_first(&jail->windows);

			if (is_stale(jail, 0, now_s) && (!oldest || first->newest < oldest->newest))
				oldest = first;
		}
		if (!oldest)
			break;
		window_drop(counter, oldest);
	}
	return dropped;
}

/* Counts the stale windows at slot and below. Below a window that is not stale no window is, since
 * this is a heap: only stale ones and their children are visited. The recursion is as deep as the
 * heap, 20 levels for COUNTER_WINDOWS_MAX windows. */
static uint32_t count_stale(const struct jail *jail, uint32_t slot, int64_t now_s)
{
	if (!is_stale(jail, slot, now_s))
		return 0;
	return 1 + count_stale(jail, 2 * slot + 1, now_s) + count_stale(jail, 2 * slot + 2, now_s);
}

uint32_t counter_current(const struct counter *counter, uint32_t jail, int64_t now_s)
{
	return counter->jails[jail].windows.count - count_stale(&counter->jails[jail], 0, now_s);
}
