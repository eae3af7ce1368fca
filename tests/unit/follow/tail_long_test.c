#include "follow/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "follow/line.h"
#include "follow/tail.h"
#include "follow/tail_model.h"

/* Lines beyond the limit, and lines at the borders of what is read at once. */
enum { LIMIT_S = 60, FAR_BYTES = 200000, SCRIPTS = 400, SCRIPT_BYTES_MAX = 200 };

static struct model model;

/* A hang is a failure. */
static int set_up(void **state)
{
	(void)state;
	(void)alarm(LIMIT_S);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)alarm(0);
	return 0;
}

/* One line of that many bytes, with that many before it and behind it in lines of 99. */
static void follow_one(size_t before, size_t bytes, size_t behind, bool open, bool again)
{
	model_begin(&model);
	for (size_t i = 0; i < before; i += 100)
		model_add(&model, 99);
	model_add(&model, bytes);
	for (size_t i = 0; i < behind; i += 100)
		model_add(&model, 99);
	if (open)
		model_leave_open(&model);
	if (again) { /* after each chunk */
		model_write(&model, SIZE_MAX);
		while (model_read(&model))
			model_restart(&model);
		model_restart(&model);
	}
	if (!model.fault)
		model_finish(&model, true);
	model_end(&model);
	if (model.fault)
		fail_msg("%zu bytes behind %zu, before %zu%s%s: does not hold: %s", bytes, before,
			behind, open ? ", open" : "", again ? ", restarts" : "", model.fault);
}

static void test_sizes(void **state)
{
	static const size_t sizes[] = { TAIL_LINE_MAX - 1, TAIL_LINE_MAX, TAIL_LINE_MAX + 1,
		TAIL_CHUNK_BYTES - TAIL_LINE_MAX, TAIL_CHUNK_BYTES - TAIL_AHEAD_BYTES - 2,
		TAIL_CHUNK_BYTES - TAIL_AHEAD_BYTES - 1, TAIL_CHUNK_BYTES - TAIL_AHEAD_BYTES, 65100,
		TAIL_CHUNK_BYTES - 1, TAIL_CHUNK_BYTES, TAIL_CHUNK_BYTES + 1, TAIL_BUFFER_BYTES - 1,
		TAIL_BUFFER_BYTES, TAIL_BUFFER_BYTES + 1, TAIL_CHUNK_BYTES + 65100,
		2 * TAIL_CHUNK_BYTES - 1, 2 * TAIL_CHUNK_BYTES, 2 * TAIL_CHUNK_BYTES + 1,
		3 * TAIL_CHUNK_BYTES - TAIL_AHEAD_BYTES };
	static const size_t before[] = { 0, 100, TAIL_WINDOW_MAX, TAIL_CHUNK_BYTES };
	static const size_t behind[] = { 0, 100, TAIL_AHEAD_BYTES, 2000, FAR_BYTES };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t j = 0; j < sizeof(before) / sizeof(before[0]); j++)
			for (size_t k = 0; k < sizeof(behind) / sizeof(behind[0]); k++)
				for (unsigned bits = 0; bits < 4; bits++)
					follow_one(before[j], sizes[i], behind[k], bits & 1,
						bits & 2);
}

/* Any lengths, any writes: what tests/fuzz/tail_fuzz.c looks for, the same in every run. */
static void test_scripts(void **state)
{
	uint8_t script[SCRIPT_BYTES_MAX];
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < SCRIPTS; i++) {
		const size_t length = 8 + (size_t)i % (SCRIPT_BYTES_MAX - 8);

		for (size_t j = 0; j < length; j++) {
			seed = seed * 1664525 + 1013904223; /* Numerical Recipes */
			script[j] = (uint8_t)(seed >> 24);
		}
		script[0] %= 16; /* some of it is left for the writes */
		model_run(&model, script, length);
		if (model.fault)
			fail_msg("script %d does not hold: %s", i, model.fault);
	}
}

/* ---- over the whole of tail ---- */

/* Lines as "[text]", a cut one as "[#length]"; the last position told. */
struct run {
	struct tail *tail;
	char log[64];
	char text[256];
	struct tail_position position;
};

static void on_line(void *context, const struct line *line)
{
	struct run *run = context;
	size_t used = strlen(run->text);

	if (line->only_head || line->rest)
		return;
	if (line->cut)
		(void)snprintf(run->text + used, sizeof(run->text) - used, "[#%zu]", line->length);
	else
		(void)snprintf(run->text + used, sizeof(run->text) - used, "[%.*s]",
			(int)line->length, line->text); /* what is cut off is missed below */
}

static void on_note(void *context, int priority, const char *text)
{
	(void)context, (void)priority, (void)text;
}

static void on_position(void *context, const struct tail_position *position)
{
	struct run *run = context;

	run->position = *position;
	run->position.path = run->log;
}

static void put(const struct run *run, const char *bytes, size_t length)
{
	int fd = open(run->log, O_WRONLY | O_APPEND | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	assert_int_equal(close(fd), 0);
}

static void start(struct run *run)
{
	const struct tail_callbacks callbacks = { .line = on_line,
		.note = on_note,
		.context = run };
	struct error err;

	assert_int_equal(tail_new(&callbacks, &run->tail, &err), 0);
	if (run->position.path)
		tail_restore(run->tail, &run->position);
	assert_int_equal(tail_add(run->tail, run->log, true, false, &err), 0);
}

/* Keeps the position, which may be inside a line. */
static void stop(struct run *run)
{
	tail_positions(run->tail, false, on_position, run);
	tail_free(run->tail);
}

/* The daemon's way: with a budget of one chunk, and without one. */
static void test_tail(void **state)
{
	static const size_t sizes[] = { TAIL_LINE_MAX + 1, 65100, TAIL_CHUNK_BYTES, 200000 };
	static char big[200000];
	char directory[] = "/tmp/tail_long_test.XXXXXX";
	struct run run = { 0 };

	(void)state;
	assert_non_null(mkdtemp(directory));
	memset(big, 'x', sizeof(big));
	for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		int steps = 0;

		run = (struct run){ 0 };
		(void)snprintf(run.log, sizeof(run.log), "%s/log", directory); /* fits */
		put(&run, "one\n", 4);
		put(&run, big, sizes[i / 2]);
		put(&run, "\ntwo\n", 5);
		put(&run, big, 1000);
		put(&run, "\n", 1);
		start(&run);
		while (tail_reconcile(run.tail, !steps, i % 2) && steps < 10)
			steps++;
		assert_true(steps < 10);
		assert_int_equal(strncmp(run.text, "[one][#61440][two][xxx", 22), 0);
		assert_int_equal(tail_cut_lines(run.tail), 1);
		tail_free(run.tail);
		assert_int_equal(unlink(run.log), 0);
	}
	assert_int_equal(rmdir(directory), 0);
}

/* A restart inside a line that was cut: its rest is no line of its own. */
static void test_restart(void **state)
{
	static const size_t sizes[] = { TAIL_LINE_MAX + 1, 65100, TAIL_CHUNK_BYTES, 200000 };
	static const char *const rests[] = { "\ntwo\n", "forged\ntwo\n" };
	static char big[200000];
	char directory[] = "/tmp/tail_long_test.XXXXXX";
	struct run run = { 0 };

	(void)state;
	assert_non_null(mkdtemp(directory));
	memset(big, 'x', sizeof(big));
	for (size_t i = 0; i < 4 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		const size_t size = sizes[i / 4];
		const char *rest = rests[i % 2];

		run = (struct run){ 0 };
		(void)snprintf(run.log, sizeof(run.log), "%s/log", directory); /* fits */
		put(&run, "one\n", 4);
		put(&run, big, size);
		if (i & 2) /* else the restart finds the line unended */
			put(&run, rest, strlen(rest));
		start(&run);
		(void)tail_reconcile(run.tail, true, 1);
		stop(&run);
		if (!(i & 2))
			put(&run, rest, strlen(rest));
		start(&run);
		(void)tail_reconcile(run.tail, true, 0);
		assert_string_equal(run.text, "[one][#61440][two]");
		tail_free(run.tail);
		assert_int_equal(unlink(run.log), 0);
	}
	assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sizes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_scripts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_restart, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
