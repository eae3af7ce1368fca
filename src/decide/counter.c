#include "decide/counter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ipmap.h"

enum {
	RANKS = 8, /* windows with 1, 2, ... 7 failures, and with 8 or more */
	RANK_SHARE = COUNTER_WINDOWS_MAX / 16, /* < 1 / RANKS: a full table has a rank with more */
	ALLOCATION_BYTES = 16,                 /* what malloc itself needs for a block, about */
	HEAP_FIRST = 64,
	EARLIER_FIRST = 3, /* 3 stamps are 24 bytes, malloc's smallest block */
	LINES_STEP = 4,
};

/* A stamp is 4 * seconds plus two bits, so that stamps sort by time. A failure that counts as n
 * makes n stamps, and only one of them has STAMP_FAILURE, by which failures are counted. That bit
 * sorts it behind the others of its second: when a full window drops its oldest stamps, it goes
 * last. */
static const int64_t AT_MAX_S = (int64_t)1 << 60;
static const int64_t STAMP_FAILURE = 2;
static const int64_t STAMP_PROVEN = 1;

struct line {
	char *text; /* owned */
	size_t length;
};

struct evidence {
	struct window *window;                /* borrowed; it owns this evidence */
	struct evidence *older;               /* borrowed; in the list of all evidence */
	struct evidence *newer;               /* borrowed */
	const char *rule;                     /* borrowed; outlives the counter */
	char *accounts[COUNTER_ACCOUNTS_MAX]; /* owned; the one tried last is the last */
	struct line *lines;                   /* owned, oldest first */
	uint16_t n_lines;
	uint16_t lines_room;
	uint16_t n_accounts;
};

/* The failures of one (jail, address): n_earlier + 1 stamps. `earlier` is sorted, and none of its
 * stamps is above `newest`. */
struct window {
	struct ip ip;
	uint16_t n_earlier;
	uint32_t jail;
	uint32_t slot; /* index in the heap of the jail */
	uint16_t earlier_room;
	uint16_t rank;             /* index of the list in counter->ranks that it is in */
	int64_t newest;            /* stamp */
	int64_t *earlier;          /* owned, stamps */
	struct window *older;      /* borrowed; of the same rank */
	struct window *newer;      /* borrowed */
	struct evidence *evidence; /* owned, NULL: none */
};

/* heap is a binary heap of the jail's windows: the last failure of heap[0] is the oldest one.
 * heap[i]->slot is i. */
struct jail {
	struct window **heap; /* owned */
	uint32_t n_heap;
	uint32_t room;
	uint32_t maxretry;
	uint32_t maxmatches; /* <= COUNTER_LINES_MAX */
	int64_t findtime_s;
};

/* Windows of one rank, in the order in which they were last touched. */
struct window_list {
	struct window *oldest;
	struct window *newest;
	uint32_t count;
};

struct counter {
	struct ipmap *map;  /* (ip, jail) → struct window, owned */
	struct jail *jails; /* owned */
	size_t n_jails;
	struct window_list ranks[RANKS];
	struct evidence *oldest; /* evidence in the order in which it was last added to */
	struct evidence *newest;
	size_t evidence_bytes;
};

static int64_t stamp_s(int64_t stamp)
{
	return stamp >> 2;
}

static int64_t stamp_of(int64_t at_s)
{
	return 4 * (at_s > AT_MAX_S ? AT_MAX_S : at_s < -AT_MAX_S ? -AT_MAX_S : at_s);
}

static void heap_set(struct jail *jail, uint32_t slot, struct window *window)
{
	jail->heap[slot] = window;
	window->slot = slot;
}

/* Places the window, which is at slot, where its newest stamp belongs in the heap. */
static void heap_settle(struct jail *jail, uint32_t slot, struct window *window)
{
	while (slot > 0 && jail->heap[(slot - 1) / 2]->newest > window->newest) {
		heap_set(jail, slot, jail->heap[(slot - 1) / 2]);
		slot = (slot - 1) / 2;
	}
	for (;;) {
		uint32_t child = 2 * slot + 1;

		if (child + 1 < jail->n_heap &&
			jail->heap[child + 1]->newest < jail->heap[child]->newest)
			child++;
		if (child >= jail->n_heap || jail->heap[child]->newest >= window->newest)
			break;
		heap_set(jail, slot, jail->heap[child]);
		slot = child;
	}
	heap_set(jail, slot, window);
}

static void heap_add(struct jail *jail, struct window *window)
{
	if (jail->n_heap == jail->room) {
		jail->room = jail->room ? 2 * jail->room : HEAP_FIRST;
		jail->heap = alloc_grow(jail->heap, jail->room, sizeof(struct window *));
	}
	jail->n_heap++;
	heap_settle(jail, jail->n_heap - 1, window);
}

static void heap_remove(struct jail *jail, const struct window *window)
{
	struct window *last = jail->heap[--jail->n_heap];

	if (last != window)
		heap_settle(jail, window->slot, last);
}

static void list_remove(struct counter *counter, struct window *window)
{
	struct window_list *list = &counter->ranks[window->rank];

	*(window->older ? &window->older->newer : &list->oldest) = window->newer;
	*(window->newer ? &window->newer->older : &list->newest) = window->older;
	list->count--;
}

static void list_append(struct counter *counter, struct window *window)
{
	struct window_list *list;

	window->rank = window->n_earlier < RANKS - 1 ? window->n_earlier : RANKS - 1;
	list = &counter->ranks[window->rank];
	window->older = list->newest;
	window->newer = NULL;
	*(list->newest ? &list->newest->newer : &list->oldest) = window;
	list->newest = window;
	list->count++;
}

static void evidence_unlink(struct counter *counter, struct evidence *evidence)
{
	*(evidence->older ? &evidence->older->newer : &counter->oldest) = evidence->newer;
	*(evidence->newer ? &evidence->newer->older : &counter->newest) = evidence->older;
}

static void evidence_append(struct counter *counter, struct evidence *evidence)
{
	evidence->older = counter->newest;
	evidence->newer = NULL;
	*(counter->newest ? &counter->newest->newer : &counter->oldest) = evidence;
	counter->newest = evidence;
}

static void text_drop(struct counter *counter, char *text, size_t length)
{
	counter->evidence_bytes -= length + 1 + ALLOCATION_BYTES;
	free(text);
}

static char *text_keep(struct counter *counter, const char *bytes, size_t length)
{
	counter->evidence_bytes += length + 1 + ALLOCATION_BYTES;
	return alloc_bytes(bytes, length);
}

static void evidence_drop_line(struct counter *counter, struct evidence *evidence)
{
	text_drop(counter, evidence->lines[0].text, evidence->lines[0].length);
	evidence->n_lines--;
	memmove(evidence->lines, evidence->lines + 1, evidence->n_lines * sizeof(struct line));
}

static void evidence_drop_account(struct counter *counter, struct evidence *evidence, size_t i)
{
	text_drop(counter, evidence->accounts[i], strlen(evidence->accounts[i]));
	evidence->n_accounts--;
	memmove(evidence->accounts + i, evidence->accounts + i + 1,
		(evidence->n_accounts - i) * sizeof(char *));
}

static void evidence_drop(struct counter *counter, struct evidence *evidence)
{
	while (evidence->n_lines)
		evidence_drop_line(counter, evidence);
	while (evidence->n_accounts)
		evidence_drop_account(counter, evidence, evidence->n_accounts - 1U);
	counter->evidence_bytes -= sizeof(*evidence) + 2 * ALLOCATION_BYTES +
				   evidence->lines_room * sizeof(struct line);
	evidence_unlink(counter, evidence);
	evidence->window->evidence = NULL;
	free(evidence->lines);
	free(evidence);
}

static void account_add(struct counter *counter, struct evidence *evidence, const char *account,
	size_t length)
{
	if (length > COUNTER_ACCOUNT_BYTES_MAX)
		length = COUNTER_ACCOUNT_BYTES_MAX;
	length = strnlen(account, length);
	for (size_t i = 0; i < evidence->n_accounts; i++) {
		const char *known = evidence->accounts[i];

		if (strlen(known) == length && memcmp(known, account, length) == 0) {
			evidence_drop_account(counter, evidence, i);
			break;
		}
	}
	if (evidence->n_accounts == COUNTER_ACCOUNTS_MAX)
		evidence_drop_account(counter, evidence, 0);
	evidence->accounts[evidence->n_accounts++] = text_keep(counter, account, length);
}

static void line_add(struct counter *counter, struct evidence *evidence, const char *line,
	size_t length, uint32_t maxmatches)
{
	if (length > COUNTER_LINE_BYTES_MAX)
		length = COUNTER_LINE_BYTES_MAX;
	while (evidence->n_lines >= maxmatches)
		evidence_drop_line(counter, evidence);
	if (evidence->n_lines == evidence->lines_room) {
		counter->evidence_bytes += LINES_STEP * sizeof(struct line);
		evidence->lines_room += LINES_STEP;
		evidence->lines =
			alloc_grow(evidence->lines, evidence->lines_room, sizeof(struct line));
	}
	evidence->lines[evidence->n_lines++] =
		(struct line){ .text = text_keep(counter, line, length), .length = length };
}

static void evidence_add(struct counter *counter, struct window *window,
	const struct counter_evidence *added)
{
	struct evidence *evidence = window->evidence;

	if (evidence) {
		evidence_unlink(counter, evidence);
	} else {
		evidence = alloc_zero(sizeof(*evidence));
		evidence->window = window;
		window->evidence = evidence;
		counter->evidence_bytes += sizeof(*evidence) + 2 * ALLOCATION_BYTES;
	}
	evidence_append(counter, evidence);
	evidence->rule = added->rule;
	if (added->line && counter->jails[window->jail].maxmatches)
		line_add(counter, evidence, added->line, added->line_length,
			counter->jails[window->jail].maxmatches);
	if (added->account && added->account_length)
		account_add(counter, evidence, added->account, added->account_length);
	while (counter->evidence_bytes > COUNTER_EVIDENCE_BYTES_MAX)
		evidence_drop(counter, counter->oldest);
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
	while (evidence->n_lines > failures)
		evidence_drop_line(counter, evidence);
	while (failures == 1 && evidence->n_accounts > 1)
		evidence_drop_account(counter, evidence, 0);
}

static void window_drop(struct counter *counter, struct window *window)
{
	if (window->evidence)
		evidence_drop(counter, window->evidence);
	heap_remove(&counter->jails[window->jail], window);
	list_remove(counter, window);
	(void)ipmap_remove(counter->map, &window->ip, window->jail); /* returns `window` */
	free(window->earlier);
	free(window);
}

static void window_evict(struct counter *counter)
{
	size_t rank = 0;

	while (rank < RANKS - 1 && counter->ranks[rank].count <= RANK_SHARE)
		rank++;
	window_drop(counter, counter->ranks[rank].oldest);
}

static struct window *window_new(struct counter *counter, uint32_t jail, const struct ip *ip,
	int64_t stamp)
{
	struct window *window;

	if (ipmap_count(counter->map) == COUNTER_WINDOWS_MAX)
		window_evict(counter);
	window = alloc_zero(sizeof(*window));
	*window = (struct window){ .ip = *ip, .jail = jail, .newest = stamp };
	(void)ipmap_put(counter->map, ip, jail, window); /* there is room */
	heap_add(&counter->jails[jail], window);
	list_append(counter, window);
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

	counter->map = ipmap_new(COUNTER_WINDOWS_MAX);
	return counter;
}

void counter_free(struct counter *counter)
{
	if (!counter)
		return;
	for (size_t i = 0; i < RANKS; i++)
		while (counter->ranks[i].newest)
			window_drop(counter, counter->ranks[i].newest);
	for (size_t i = 0; i < counter->n_jails; i++)
		free(counter->jails[i].heap);
	free(counter->jails);
	ipmap_free(counter->map);
	free(counter);
}

void counter_jail(struct counter *counter, uint32_t jail, uint32_t maxretry, int64_t findtime_s,
	uint32_t maxmatches)
{
	assert(jail < COUNTER_JAILS_MAX);
	assert(maxretry >= 1 && maxretry <= COUNTER_RETRY_MAX);
	if (jail >= counter->n_jails) {
		counter->jails = alloc_grow(counter->jails, jail + 1, sizeof(*counter->jails));
		memset(counter->jails + counter->n_jails, 0,
			(jail + 1 - counter->n_jails) * sizeof(*counter->jails));
		counter->n_jails = jail + 1;
	}
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
	struct window *window = ipmap_get(counter->map, ip, jail);
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
	list_remove(counter, window);
	window_trim(window, of);
	heap_settle(&counter->jails[jail], window->slot, window);
	list_append(counter, window);
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
	struct window *window = ipmap_get(counter->map, ip, jail);

	if (!window || !stamps_prove(window, stamp_of(at_s) + STAMP_FAILURE, 1))
		return;
	if (weight > 1) /* fewer are found if the window has dropped some as too old */
		(void)stamps_prove(window, stamp_of(at_s), weight - 1);
	heap_settle(&counter->jails[jail], window->slot, window);
}

bool counter_get(const struct counter *counter, uint32_t jail, const struct ip *ip, int64_t now_s,
	struct counter_window *ret_window)
{
	const struct window *window = ipmap_get(counter->map, ip, jail);
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
		.ip = window->ip,
		.jail = jail,
		.failures = window_failures(window, first),
		.counted = (uint32_t)(window->n_earlier - first + 1),
		.first_s = stamp_s(
			first < window->n_earlier ? window->earlier[first] : window->newest),
		.last_s = stamp_s(window->newest),
		.proven = proven != 0,
		.rule = evidence && evidence->rule ? evidence->rule : "",
	};
	for (size_t i = 0; evidence && i < evidence->n_lines; i++) {
		ret_window->lines[i] = evidence->lines[i].text;
		ret_window->line_lengths[i] = evidence->lines[i].length;
		ret_window->n_lines++;
	}
	for (size_t i = 0; evidence && i < evidence->n_accounts; i++)
		ret_window->accounts[ret_window->n_accounts++] = evidence->accounts[i];
	return true;
}

void counter_clear(struct counter *counter, uint32_t jail, const struct ip *ip)
{
	struct window *window = ipmap_get(counter->map, ip, jail);

	if (window)
		window_drop(counter, window);
}

/* There is a window at slot whose last failure is older than findtime. */
static bool is_stale(const struct jail *jail, uint32_t slot, int64_t now_s)
{
	return slot < jail->n_heap && now_s - stamp_s(jail->heap[slot]->newest) > jail->findtime_s;
}

size_t counter_expire(struct counter *counter, int64_t now_s, size_t limit)
{
	size_t dropped = 0;

	for (; dropped < limit; dropped++) {
		struct window *oldest = NULL;

		for (size_t i = 0; i < counter->n_jails; i++) {
			const struct jail *jail = &counter->jails[i];

			if (is_stale(jail, 0, now_s) &&
				(!oldest || jail->heap[0]->newest < oldest->newest))
				oldest = jail->heap[0];
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
	if (jail >= counter->n_jails)
		return 0;
	return counter->jails[jail].n_heap - count_stale(&counter->jails[jail], 0, now_s);
}
