#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "decide/counter.h"

static uint64_t random_state;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static struct ip ip_numbered(uint32_t number)
{
	uint8_t bytes[16] = { 0x20, 0x01, 0x0d, 0xb8 };

	memcpy(bytes + 4, &number, sizeof(number));
	return ip_from_bytes(6, bytes);
}

static struct counter *counter_of(uint32_t maxretry, int64_t findtime_s)
{
	struct counter *counter = counter_new();

	counter_jail(counter, 0, maxretry, findtime_s, maxretry);
	return counter;
}

static void threshold_is_exact(void **state)
{
	static const struct {
		uint32_t maxretry;
		int64_t findtime_s;
		int64_t at_s[6];
		size_t n;
		bool reached;
		int64_t reached_s;
	} rows[] = {
		{ 1, 10, { 5 }, 1, true, 5 },
		{ 1, 0, { 5 }, 1, true, 5 },
		{ 3, 10, { 0, 5, 10 }, 3, true, 10 },
		{ 3, 10, { 0, 5, 11 }, 3, false, 0 },
		{ 3, 10, { 0, 5, 11, 15 }, 4, true, 15 },
		{ 3, 10, { 0, 5, 11, 16 }, 4, false, 0 },
		{ 3, 10, { 10, 5, 0 }, 3, true, 10 },
		{ 3, 10, { 11, 5, 0 }, 3, false, 0 },
		{ 3, 10, { 11, 5, 0, 1 }, 4, true, 11 },
		{ 3, 10, { 7, 7, 7 }, 3, true, 7 },
		{ 2, 10, { 0, 1, 2 }, 3, true, 2 },
		{ 2, 10, { INT64_MAX, INT64_MIN }, 2, false, 0 },
		{ 2, 10, { -20, -10 }, 2, true, -10 },
	};
	struct ip ip = ip_numbered(1);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct counter *counter = counter_of(rows[i].maxretry, rows[i].findtime_s);
		int64_t reached_s = 0;
		bool reached = false;

		for (size_t j = 0; j < rows[i].n; j++)
			reached =
				counter_add(counter, 0, &ip, rows[i].at_s[j], 1, NULL, &reached_s);
		assert_int_equal(reached, rows[i].reached);
		if (reached)
			assert_int_equal(reached_s, rows[i].reached_s);
		counter_free(counter);
	}
	counter_free(NULL);
}

/* Window by window what the header says, kept as plain arrays and searched from end to end. */
enum { MODEL_JAILS = 3, MODEL_IPS = 12, MODEL_ROOM = 64, MODEL_STEPS = 60000 };

struct model_window {
	int64_t at_s[MODEL_ROOM];
	bool proven[MODEL_ROOM];
	size_t n;
};

struct model {
	struct model_window windows[MODEL_JAILS][MODEL_IPS];
	uint32_t maxretry[MODEL_JAILS];
	int64_t findtime_s[MODEL_JAILS];
};

static void model_remove(struct model_window *window, size_t i)
{
	window->n--;
	memmove(window->at_s + i, window->at_s + i + 1, (window->n - i) * sizeof(int64_t));
	memmove(window->proven + i, window->proven + i + 1, (window->n - i) * sizeof(bool));
}

static void model_sort_in(struct model_window *window, int64_t at_s, bool proven)
{
	size_t i = window->n++;

	for (; i > 0 && (window->at_s[i - 1] > at_s ||
				(window->at_s[i - 1] == at_s && window->proven[i - 1] > proven));
		i--) {
		window->at_s[i] = window->at_s[i - 1];
		window->proven[i] = window->proven[i - 1];
	}
	window->at_s[i] = at_s;
	window->proven[i] = proven;
}

static bool model_add(struct model *model, uint32_t jail, uint32_t ip, int64_t at_s, bool proven)
{
	struct model_window *window = &model->windows[jail][ip];

	model_sort_in(window, at_s, proven);
	while (window->n > model->maxretry[jail] ||
		window->at_s[window->n - 1] - window->at_s[0] > model->findtime_s[jail])
		model_remove(window, 0);
	return window->n == model->maxretry[jail];
}

static void model_prove(struct model_window *window, int64_t at_s)
{
	size_t i = window->n;

	while (i > 0 && (window->at_s[i - 1] != at_s || window->proven[i - 1]))
		i--;
	if (i > 0)
		window->proven[i - 1] = true;
}

static void model_compare(const struct model *model, const struct counter *counter, int64_t now_s)
{
	for (uint32_t jail = 0; jail < MODEL_JAILS; jail++) {
		uint32_t current = 0;

		for (uint32_t i = 0; i < MODEL_IPS; i++) {
			struct model_window window = model->windows[jail][i];
			struct counter_window got;
			struct ip ip = ip_numbered(i);
			bool proven = true;

			while (window.n > model->maxretry[jail] ||
				(window.n && now_s - window.at_s[0] > model->findtime_s[jail]))
				model_remove(&window, 0);
			assert_int_equal(counter_get(counter, jail, &ip, now_s, &got),
				window.n > 0);
			current += window.n > 0;
			if (!window.n)
				continue;
			for (size_t j = 0; j < window.n; j++)
				proven &= window.proven[j];
			assert_int_equal(got.failures, window.n);
			assert_int_equal(got.first_s, window.at_s[0]);
			assert_int_equal(got.last_s, window.at_s[window.n - 1]);
			assert_int_equal(got.proven, proven);
			assert_true(got.n_lines <= 9);
		}
		assert_int_equal(counter_current(counter, jail, now_s), current);
	}
}

static size_t model_expire(struct model *model, int64_t now_s)
{
	size_t dropped = 0;

	for (uint32_t jail = 0; jail < MODEL_JAILS; jail++)
		for (uint32_t i = 0; i < MODEL_IPS; i++) {
			struct model_window *window = &model->windows[jail][i];

			if (window->n &&
				now_s - window->at_s[window->n - 1] > model->findtime_s[jail]) {
				window->n = 0;
				dropped++;
			}
		}
	return dropped;
}

static void model_jail(struct model *model, struct counter *counter, uint32_t jail)
{
	model->maxretry[jail] = (uint32_t)(random_next() % 9 + 1);
	model->findtime_s[jail] = (int64_t)(random_next() % 40);
	counter_jail(counter, jail, model->maxretry[jail], model->findtime_s[jail],
		model->maxretry[jail]);
}

static void model_step(struct model *model, struct counter *counter, int64_t now_s)
{
	uint32_t jail = random_next() % MODEL_JAILS;
	uint32_t i = random_next() % MODEL_IPS;
	unsigned act = random_next() % 200;
	struct ip ip = ip_numbered(i);
	int64_t reached_s = -1;

	if (act == 0) {
		model_jail(model, counter, jail);
	} else if (act < 5) {
		counter_clear(counter, jail, &ip);
		model->windows[jail][i].n = 0;
	} else if (act < 15) {
		assert_int_equal(counter_expire(counter, now_s, SIZE_MAX),
			model_expire(model, now_s));
	} else if (act < 35) {
		int64_t at_s = now_s - (int64_t)(random_next() % 50);

		counter_prove(counter, jail, &ip, at_s, 1);
		model_prove(&model->windows[jail][i], at_s);
	} else {
		struct counter_evidence evidence = { .line = "line",
			.line_length = 4,
			.account = "100",
			.account_length = 3,
			.proven = act % 4 != 0 };
		int64_t at_s = now_s - (int64_t)(act % 3 ? 0 : random_next() % 50);
		bool reached = counter_add(counter, jail, &ip, at_s, 1, act % 8 ? &evidence : NULL,
			&reached_s);

		assert_int_equal(reached, model_add(model, jail, i, at_s, act % 4 != 0));
		if (reached)
			assert_int_equal(reached_s,
				model->windows[jail][i].at_s[model->maxretry[jail] - 1]);
	}
}

static void random_steps_agree_with_the_model(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct model *model = alloc_zero(sizeof(*model));
		struct counter *counter = counter_new();
		int64_t now_s = 1000;

		random_state = seed * 2654435761U;
		for (uint32_t jail = 0; jail < MODEL_JAILS; jail++)
			model_jail(model, counter, jail);
		for (int i = 0; i < MODEL_STEPS; i++) {
			now_s += (int64_t)(random_next() % 3);
			model_step(model, counter, now_s);
			if (i % 16 == 0)
				model_compare(model, counter, now_s);
		}
		counter_free(counter);
		free(model);
	}
}

static void expiry_is_oldest_first_and_bounded(void **state)
{
	struct counter *counter = counter_of(3, 10);
	struct counter_window window;
	int64_t reached_s;

	(void)state;
	counter_jail(counter, 1, 3, 20, 3);
	for (uint32_t i = 0; i < 50; i++) {
		struct ip ip = ip_numbered(i);

		assert_false(
			counter_add(counter, i % 2, &ip, 100 + (i * 7) % 50, 1, NULL, &reached_s));
	}
	assert_int_equal(counter_current(counter, 0, 200), 0);
	assert_int_equal(counter_expire(counter, 200, 10), 10);
	for (uint32_t i = 0; i < 50; i++) {
		struct ip ip = ip_numbered(i);
		int64_t at_s = 100 + (i * 7) % 50;

		assert_int_equal(counter_get(counter, i % 2, &ip, at_s, &window), at_s >= 110);
	}
	assert_int_equal(counter_expire(counter, 200, SIZE_MAX), 40);
	assert_int_equal(counter_expire(counter, 200, SIZE_MAX), 0);
	counter_free(counter);
}

static void evidence_is_the_newest_and_cut(void **state)
{
	enum { LINES = 10 };
	struct counter *counter = counter_of(20, 100);
	struct ip ip = ip_numbered(1);
	struct counter_window window;
	char line[COUNTER_LINE_BYTES_MAX + 50];
	int64_t reached_s;

	(void)state;
	counter_jail(counter, 0, 20, 100, LINES);
	memset(line, 'x', sizeof(line));
	for (int i = 0; i < 15; i++) {
		char account[COUNTER_ACCOUNT_BYTES_MAX + 10];
		struct counter_evidence evidence = { line, sizeof(line), account, sizeof(account),
			i % 2 ? "odd" : "even", true };

		line[0] = (char)('a' + i);
		memset(account, 'y', sizeof(account));
		account[0] = (char)('a' + (i == 14 ? 8 : i));
		assert_false(counter_add(counter, 0, &ip, i, 1, &evidence, &reached_s));
	}
	assert_true(counter_get(counter, 0, &ip, 15, &window));
	assert_string_equal(window.rule, "even");
	assert_int_equal(window.n_lines, LINES);
	for (size_t i = 0; i < window.n_lines; i++) {
		assert_int_equal(window.lines[i].bytes[0], 'a' + 5 + i);
		assert_int_equal(window.lines[i].length, COUNTER_LINE_BYTES_MAX);
		assert_int_equal(strlen(window.lines[i].bytes), COUNTER_LINE_BYTES_MAX);
	}
	assert_int_equal(window.n_accounts, COUNTER_ACCOUNTS_MAX);
	for (size_t i = 0; i < window.n_accounts; i++) {
		assert_int_equal(window.accounts[i].bytes[0], "ghjklmni"[i]);
		assert_int_equal(strlen(window.accounts[i].bytes), COUNTER_ACCOUNT_BYTES_MAX);
	}
	/* a window that begins anew forgets the old one's evidence */
	assert_false(counter_add(counter, 0, &ip, 1000, 1,
		&(struct counter_evidence){ "new", 3, "acc", 3, NULL, false }, &reached_s));
	assert_true(counter_get(counter, 0, &ip, 1000, &window));
	assert_int_equal(window.n_lines, 1);
	assert_string_equal(window.lines[0].bytes, "new");
	assert_int_equal(window.n_accounts, 1);
	assert_string_equal(window.accounts[0].bytes, "acc");
	assert_string_equal(window.rule, "");
	assert_false(window.proven);
	counter_free(counter);
}

/* As many lines as maxmatches says, never more than the cap. */
static void lines_are_as_many_as_asked(void **state)
{
	static const struct {
		uint32_t maxmatches;
		size_t lines;
	} rows[] = { { 0, 0 }, { 1, 1 }, { 7, 7 }, { 50, 50 }, { 1000000, COUNTER_LINES_MAX } };
	struct ip ip = ip_numbered(1);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct counter *counter = counter_new();
		struct counter_window window;
		int64_t reached_s;

		counter_jail(counter, 0, 120, 1000, rows[i].maxmatches);
		for (int k = 0; k < 119; k++) {
			char line = (char)k;

			(void)counter_add(counter, 0, &ip, k, 1,
				&(struct counter_evidence){ &line, 1, NULL, 0, "r", true },
				&reached_s);
		}
		assert_true(counter_get(counter, 0, &ip, 119, &window));
		assert_int_equal(window.failures, 119);
		assert_int_equal(window.n_lines, rows[i].lines);
		for (size_t k = 0; k < window.n_lines; k++)
			assert_int_equal(window.lines[k].bytes[0], 119 - window.n_lines + k);
		counter_free(counter);
	}
}

/* Failures (maxretry 10, findtime 100) that count as more than one. */
static const struct {
	struct {
		int at_s;
		uint32_t weight;
	} adds[6];
	int n;
	int reached; /* at which of them; -1: at none */
	uint32_t failures;
	uint32_t counted;
} weighed[] = {
	{ { { 0, 2 }, { 0, 2 }, { 1, 2 }, { 1, 2 } }, 4, -1, 4, 8 },
	{ { { 0, 2 }, { 1, 2 }, { 2, 2 }, { 3, 2 }, { 4, 2 } }, 5, 4, 5, 10 },
	{ { { 0, 3 }, { 1, 3 }, { 2, 3 }, { 3, 3 } }, 4, 3, 4, 10 },
	{ { { 0, 9 } }, 1, -1, 1, 9 },
	{ { { 0, 9 }, { 0, 1 } }, 2, 1, 2, 10 },
	{ { { 0, 10 } }, 1, 0, 1, 10 },
	{ { { 0, 1000000 } }, 1, 0, 1, 10 },
	{ { { 0, 0 } }, 1, -1, 1, 1 },
	{ { { 5, 3 }, { 0, 3 }, { 3, 3 } }, 3, -1, 3, 9 }, /* out of order */
	{ { { 0, 5 }, { 101, 5 } }, 2, -1, 1, 5 },
	{ { { 0, 5 }, { 100, 5 } }, 2, 1, 2, 10 },
};

/* Each failure proven from the start, or afterwards. */
static void failures_have_weights(void **state)
{
	struct ip ip = ip_numbered(1);
	size_t rows = sizeof(weighed) / sizeof(weighed[0]);

	(void)state;
	for (size_t run = 0; run < 2 * rows; run++) {
		size_t i = run / 2;
		struct counter *counter = counter_of(10, 100);
		struct counter_window window;
		int latest = 0;
		int reached = -1;

		for (int k = 0; k < weighed[i].n; k++) {
			struct counter_evidence evidence = { "x", 1, "a", 1, "r", run % 2 };
			int64_t reached_s;

			latest =
				weighed[i].adds[k].at_s > latest ? weighed[i].adds[k].at_s : latest;
			if (counter_add(counter, 0, &ip, weighed[i].adds[k].at_s,
				    weighed[i].adds[k].weight, &evidence, &reached_s)) {
				reached = k;
				assert_int_equal(reached_s, latest);
			}
		}
		for (int k = 0; k < weighed[i].n && run % 2 == 0; k++)
			counter_prove(counter, 0, &ip, weighed[i].adds[k].at_s,
				weighed[i].adds[k].weight);
		assert_true(counter_get(counter, 0, &ip, latest, &window));
		if (reached != weighed[i].reached || window.failures != weighed[i].failures ||
			window.counted != weighed[i].counted || window.n_lines != window.failures ||
			!window.proven)
			fail_msg("row %zu: reached %d, %u failures that count %u, %zu lines", i,
				reached, window.failures, window.counted, window.n_lines);
		counter_free(counter);
	}
}

static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void evidence_is_bounded(void **state)
{
	enum { ADDRESSES = 100000 };
	struct counter *counter = counter_of(5, 100);
	struct counter_window window;
	char line[COUNTER_LINE_BYTES_MAX] = "REGISTER";
	size_t before = heap_bytes();
	struct ip ip;
	int64_t reached_s;

	(void)state;
	for (uint32_t i = 0; i < ADDRESSES; i++) {
		ip = ip_numbered(i);
		(void)counter_add(counter, 0, &ip, 1, 1,
			&(struct counter_evidence){ line, sizeof(line), "100", 3, "r", true },
			&reached_s);
	}
	/* the windows themselves cost less than 200 bytes each */
	assert_true(heap_bytes() - before < COUNTER_EVIDENCE_BYTES_MAX + ADDRESSES * 200);
	assert_true(counter_get(counter, 0, &ip, 1, &window));
	assert_int_equal(window.n_lines, 1);
	ip = ip_numbered(0);
	assert_true(counter_get(counter, 0, &ip, 1, &window));
	assert_int_equal(window.failures, 1);
	assert_int_equal(window.n_lines, 0);
	counter_free(counter);
}

#ifdef __SANITIZE_ADDRESS__
enum { FLOOD = 2 * COUNTER_WINDOWS_MAX }; /* ten times slower */
#else
enum { FLOOD = 10 * COUNTER_WINDOWS_MAX };
#endif

static void flood_evicts_its_like_and_memory_stands(void **state)
{
	struct counter *counter = counter_of(5, 3600);
	struct counter_window window;
	struct ip slow = ip_numbered(UINT32_MAX);
	struct ip first = ip_numbered(0);
	int64_t reached_s;
	size_t full = 0;

	(void)state;
	(void)counter_add(counter, 0, &slow, 1, 1, NULL, &reached_s);
	(void)counter_add(counter, 0, &slow, 1, 1, NULL, &reached_s);
	for (uint32_t i = 0; i < FLOOD; i++) {
		struct ip ip = ip_numbered(i);

		(void)counter_add(counter, 0, &ip, 2, 1, NULL, &reached_s);
		if (i == COUNTER_WINDOWS_MAX)
			full = heap_bytes();
	}
	assert_true(heap_bytes() <= full + 4096);
	assert_int_equal(counter_current(counter, 0, 2), COUNTER_WINDOWS_MAX);
	assert_false(counter_get(counter, 0, &first, 2, &window));
	assert_true(counter_get(counter, 0, &slow, 2, &window));
	assert_int_equal(window.failures, 2);
	counter_free(counter);
}

/* Every place is taken by a window with two failures; newcomers still reach maxretry in turns. */
static void newcomers_keep_a_share(void **state)
{
	enum { NEWCOMERS = 1000 };
	struct counter *counter = counter_of(3, 3600);
	struct counter_window window;
	int64_t reached_s;

	(void)state;
	for (uint32_t i = 0; i < COUNTER_WINDOWS_MAX; i++) {
		struct ip ip = ip_numbered(i);

		(void)counter_add(counter, 0, &ip, 1, 1, NULL, &reached_s);
		(void)counter_add(counter, 0, &ip, 1, 1, NULL, &reached_s);
	}
	for (uint32_t round = 1; round <= 3; round++)
		for (uint32_t i = 0; i < NEWCOMERS; i++) {
			struct ip ip = ip_numbered(COUNTER_WINDOWS_MAX + i);

			assert_int_equal(counter_add(counter, 0, &ip, 2, 1, NULL, &reached_s),
				round == 3);
			assert_true(counter_get(counter, 0, &ip, 2, &window));
			assert_int_equal(window.failures, round);
		}
	assert_int_equal(counter_current(counter, 0, 2), COUNTER_WINDOWS_MAX);
	counter_free(counter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threshold_is_exact),
		cmocka_unit_test(random_steps_agree_with_the_model),
		cmocka_unit_test(expiry_is_oldest_first_and_bounded),
		cmocka_unit_test(evidence_is_the_newest_and_cut),
		cmocka_unit_test(lines_are_as_many_as_asked),
		cmocka_unit_test(failures_have_weights),
		cmocka_unit_test(evidence_is_bounded),
		cmocka_unit_test(flood_evicts_its_like_and_memory_stands),
		cmocka_unit_test(newcomers_keep_a_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
