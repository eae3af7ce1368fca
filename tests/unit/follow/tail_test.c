#include "follow/tail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "follow/line.h"

enum { SEEN_MAX = 20000, STORED_MAX = 512, NAME_MAX_BYTES = 256, PATTERNS = 3 };

struct stored {
	char path[NAME_MAX_BYTES];
	struct tail_position position;
};

/* What a run has handed over, and the rows a database would hold. */
struct world {
	char directory[64];
	const char *patterns[PATTERNS];
	bool from_head;
	struct tail *tail;
	char heads[256]; /* "PATH:LINE " each, without the directory */
	char at_head[256];
	char open[256];
	size_t n_seen;
	int seen[SEEN_MAX];
	bool first_read[SEEN_MAX];
	uint64_t last_patterns;
	uint32_t last_mark; /* the greatest line of one digit so far */
	char last_path[NAME_MAX_BYTES];
	size_t n_stored;
	struct stored stored[STORED_MAX];
	size_t n_notes;
	char note[1024];
};

static struct world world;

/* Adds "NAME:LINE " to text. */
static void note_line(char *text, const struct line *line)
{
	size_t used = strlen(text);

	(void)snprintf(text + used, sizeof(world.heads) - used, "%s:%.*s ",
		strrchr(line->path, '/') + 1, (int)line->length, line->text); /* cut */
}

static void on_line(void *context, const struct line *line)
{
	struct world *to = context;
	char text[64];

	if (line->only_head) {
		note_line(to->heads, line);
		return;
	}
	if (line->at_head)
		note_line(to->at_head, line);
	if (line->open)
		note_line(to->open, line);
	if (line->length == 6 && *line->mark < (uint32_t)(line->text[5] - '0'))
		*line->mark = (uint32_t)(line->text[5] - '0');
	to->last_mark = *line->mark;
	assert_true(line->length < sizeof(text));
	memcpy(text, line->text, line->length);
	text[line->length] = '\0';
	assert_true(to->n_seen < SEEN_MAX);
	assert_int_equal(strncmp(text, "line ", 5), 0);
	to->seen[to->n_seen] = (int)strtol(text + 5, NULL, 10);
	to->first_read[to->n_seen++] = line->first_read;
	to->last_patterns = line->patterns[0];
	(void)snprintf(to->last_path, sizeof(to->last_path), "%s", line->path);
}

static void on_note(void *context, int priority, const char *text)
{
	struct world *to = context;

	(void)priority;
	to->n_notes++;
	(void)snprintf(to->note, sizeof(to->note), "%s", text);
}

static void on_position(void *context, const struct tail_position *position)
{
	struct world *to = context;
	size_t i;

	for (i = 0; i < to->n_stored; i++)
		if (strcmp(to->stored[i].path, position->path) == 0)
			break;
	if (position->offset < 0) {
		if (i < to->n_stored)
			to->stored[i] = to->stored[--to->n_stored];
		return;
	}
	assert_true(i < STORED_MAX);
	if (i == to->n_stored)
		to->n_stored++;
	(void)snprintf(to->stored[i].path, sizeof(to->stored[i].path), "%s", position->path);
	to->stored[i].position = *position;
}

static void start(bool known)
{
	const struct tail_callbacks callbacks = { .line = on_line,
		.note = on_note,
		.context = &world };
	char path[NAME_MAX_BYTES];
	struct error err;
	size_t i;

	assert_int_equal(tail_new(&callbacks, &world.tail, &err), 0);
	for (i = 0; i < world.n_stored; i++) {
		world.stored[i].position.path = world.stored[i].path;
		tail_restore(world.tail, &world.stored[i].position);
	}
	for (i = 0; i < PATTERNS && world.patterns[i]; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", world.directory, world.patterns[i]);
		assert_int_equal(tail_add(world.tail, path, world.from_head, known, &err), i);
	}
	(void)tail_reconcile(world.tail, true, 0);
}

static void begin(const char *pattern)
{
	memset(&world, 0, sizeof(world));
	(void)snprintf(world.directory, sizeof(world.directory), "/tmp/tail_test.XXXXXX");
	assert_non_null(mkdtemp(world.directory));
	world.patterns[0] = pattern;
}

static void remove_tree(const char *path, int depth)
{
	const struct dirent *entry;
	char below[NAME_MAX_BYTES + 300];
	DIR *directory = depth < 5 ? opendir(path) : NULL;

	while (directory && (entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		if (unlink(below) && strlen(below) < NAME_MAX_BYTES)
			remove_tree(below, depth + 1);
	}
	if (directory)
		(void)closedir(directory);
	(void)rmdir(path);
}

static void end(void)
{
	tail_free(world.tail);
	world.tail = NULL;
	remove_tree(world.directory, 0);
}

static void restart(void)
{
	tail_positions(world.tail, true, on_position, &world);
	tail_free(world.tail);
	start(true);
}

static const char *in_directory(const char *name, int which)
{
	static char paths[2][NAME_MAX_BYTES];

	(void)snprintf(paths[which], sizeof(paths[which]), "%s/%s", world.directory, name);
	return paths[which];
}

static void append(const char *name, const char *text)
{
	int fd = open(in_directory(name, 0), O_WRONLY | O_APPEND | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static void append_lines(const char *name, int from, int to)
{
	char text[32];

	for (; from <= to; from++) {
		(void)snprintf(text, sizeof(text), "line %d\n", from);
		append(name, text);
	}
}

static void copy(const char *from, const char *to, int how)
{
	char bytes[65536];
	int in = open(in_directory(from, 0), O_RDONLY);
	int out = open(in_directory(to, 1), O_WRONLY | O_CREAT | how, 0600);
	ssize_t n;

	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(out, bytes, (size_t)n), n);
	assert_int_equal(close(in) | close(out), 0);
}

/* Waits for two steps of the clock that stamps files (4 ms each at 250 Hz): rotations are never
 * that close to one another, and order is told by birth. */
static void next_stamp(void)
{
	struct timespec now;
	long last = 0;
	int steps = 0;
	long i;

	for (i = 0; i < 100000000 && steps < 3; i++) {
		assert_int_equal(clock_gettime(CLOCK_REALTIME_COARSE, &now), 0);
		steps += now.tv_nsec != last;
		last = now.tv_nsec;
	}
}

/* A step that is the follower's. */
static void do_tail_step(const char *op, const char *a)
{
	int i;

	if (strcmp(op, "event") == 0)
		(void)tail_reconcile(world.tail, false, 0);
	else if (strcmp(op, "scan") == 0)
		for (i = 0; i < (*a ? (int)strtol(a, NULL, 10) : 1); i++)
			(void)tail_reconcile(world.tail, true, 0);
	else if (strcmp(op, "restart") == 0)
		restart();
	else if (strcmp(op, "down") == 0) {
		tail_positions(world.tail, true, on_position, &world);
		tail_free(world.tail);
		world.tail = NULL;
	} else if (strcmp(op, "up") == 0)
		start(true);
	else if (strcmp(op, "first") == 0)
		start(false);
	else
		fail_msg("no such step: %s", op);
}

/* One step of a scenario: an operation and up to two words. */
static void do_step(const char *op, const char *a, const char *b)
{
	const char *dash = strchr(b, '-');

	if (strcmp(op, "mv") == 0 || strcmp(op, "cp") == 0 || strcmp(op, "over") == 0)
		next_stamp();
	if (strcmp(op, "w") == 0)
		append_lines(a, (int)strtol(b, NULL, 10),
			(int)strtol(dash ? dash + 1 : b, NULL, 10));
	else if (strcmp(op, "half") == 0)
		append(a, b);
	else if (strcmp(op, "line") == 0)
		append(a, "line "), append(a, b);
	else if (strcmp(op, "end") == 0)
		append(a, "\n");
	else if (strcmp(op, "mv") == 0)
		assert_int_equal(rename(in_directory(a, 0), in_directory(b, 1)), 0);
	else if (strcmp(op, "cp") == 0)
		copy(a, b, O_EXCL);
	else if (strcmp(op, "over") == 0) /* what `cp` does where the copy's name exists */
		copy(a, b, O_TRUNC);
	else if (strcmp(op, "ln") == 0)
		assert_int_equal(link(in_directory(a, 0), in_directory(b, 1)), 0);
	else if (strcmp(op, "sym") == 0)
		assert_int_equal(symlink(a, in_directory(b, 1)), 0);
	else if (strcmp(op, "trunc") == 0)
		assert_int_equal(truncate(in_directory(a, 0), 0), 0);
	else if (strcmp(op, "rm") == 0)
		assert_int_equal(unlink(in_directory(a, 0)), 0);
	else if (strcmp(op, "mkdir") == 0)
		assert_int_equal(mkdir(in_directory(a, 0), 0700), 0);
	else
		do_tail_step(op, a);
}

static void run_steps(const char *steps)
{
	char step[128];
	char op[16], a[40], b[40];
	size_t length;

	while (*steps) {
		length = strcspn(steps, ";");
		assert_true(length < sizeof(step));
		memcpy(step, steps, length);
		step[length] = '\0';
		op[0] = a[0] = b[0] = '\0';
		(void)sscanf(step, "%15s %39s %39s", op, a, b);
		if (op[0])
			do_step(op, a, b);
		steps += length + (steps[length] == ';');
	}
}

/* "1-3 7" stands for 1 2 3 7. */
static bool is_seen(const char *name, const char *want)
{
	size_t at = 0;
	char *next;
	long from, to;
	bool same = true;
	size_t i;

	while (*want) {
		from = to = strtol(want, &next, 10);
		if (*next == '-')
			to = strtol(next + 1, &next, 10);
		for (; from <= to; from++, at++)
			same = same && at < world.n_seen && world.seen[at] == from;
		want = next + strspn(next, " ");
	}
	if (same && at == world.n_seen)
		return true;
	print_message("%s: got", name);
	for (i = 0; i < world.n_seen; i++)
		print_message(" %d", world.seen[i]);
	print_message("\n");
	return false;
}

static void expect(const char *name, const char *want)
{
	assert_true(is_seen(name, want));
}

static const struct {
	const char *pattern;
	const char *steps; /* the run begins with lines 1 to 3 in log, from its head */
	const char *want;
} scenarios[] = {
	/* plain */
	{ "log", "w log 4-5;event", "1-5" },
	{ "log", "line log 4;event;end log;event;w log 5;event", "1-5" },
	{ "log", "restart;w log 4;event;restart;restart;w log 5;scan", "1-5" },
	{ "log", "line log 4;event;restart;end log;event", "1-4" },
	/* rename */
	{ "log", "mv log log.1;w log.1 4;event;w log 5;event", "1-5" },
	{ "log", "w log 4;mv log log.1;w log 5;event", "1-5" },
	{ "log", "mv log log.1;w log 4;event;w log.1 5;event;w log 6;event", "1-6" },
	{ "log", "mv log log.1;w log.1 4;w log 5;event;scan 70;w log 6;event", "1-6" },
	{ "log", "mv log log.1;event;w log.1 4;event;scan 100;w log.1 5;event", "1-5" },
	{ "log", "line log 4;event;mv log log.1;w log 5;event;scan 70", "1-3 5 4" },
	{ "log", "line log 4;mv log log.1;w log 5;event;restart;scan 70;restart", "1-3 5 4" },
	{ "log", "mv log log.1;event;restart;w log.1 4;event;w log 5;event", "1-5" },
	{ "log", "mv log log.1;w log.1 4;w log 5;restart;w log.1 6;w log 7;scan;restart", "1-7" },
	{ "log", "mkdir old;mv log old/x;w log 4;event;w old/x 5;event;restart;w old/x 6;scan",
		"1-6" },
	{ "log", "mv log log.1;w log 4;mv log.1 log.2;mv log log.1;w log 5;event", "1-5" },
	{ "log", "mv log log.1;w log 4;event;mv log.1 log.2;mv log log.1;w log.1 5;w log 6;event",
		"1-6" },
	/* rename while down */
	{ "log", "down;w log 4;up", "1-4" },
	{ "log", "down;w log 4;mv log log.1;w log 5;up", "1-5" },
	{ "log", "down;w log 4;mv log log.1;up;w log.1 5;scan;w log 6;event", "1-6" },
	{ "log", "down;w log 4;mv log log.1;w log 5;mv log.1 log.2;mv log log.1;w log 6;up",
		"1-6" },
	{ "log", "mv log log.1;w log 4;event;down;w log.1 5;mv log.1 log.2;up", "1-5" },
	{ "log*", "down;w log 4;mv log log.1;w log 5;up", "1-5" },
	/* truncation */
	{ "log", "trunc log;w log 4;event", "1-4" },
	{ "log", "trunc log;w log 4-9;event", "1-9" },
	{ "log", "trunc log;event;w log 4-9;event;trunc log;scan;w log 10;event", "1-10" },
	{ "log", "cp log log.1;trunc log;w log 4-9;event", "1-9" },
	{ "log", "w log 4;cp log log.1;trunc log;w log 5;event", "1-5" },
	{ "log", "w log 4-9;cp log log.1;trunc log;w log 10-30;event;restart", "1-30" },
	{ "log", "down;w log 4;cp log log.1;trunc log;w log 5;up;restart", "1-5" },
	{ "log", "down;cp log log.1;trunc log;w log 4-9;up;scan 3;restart", "1-9" },
	{ "log", "down;trunc log;w log 4-9;up", "1-9" },
	{ "log", "line log 4;cp log log.1;trunc log;w log 5;event", "1-5" },
	{ "log", "cp log log.1;trunc log;w log 4;cp log log.2;trunc log;w log 5;event", "1-5" },
	{ "log",
		"cp log log.1;trunc log;w log 4;event;cp log log.2;trunc log;w log 5;event;"
		"scan 3;over log log.1;trunc log;w log 6;event;scan 3;restart",
		"1-6" },
	{ "log",
		"cp log log.1;trunc log;w log 4;event;cp log log.2;trunc log;w log 5;event;"
		"scan 3;down;over log log.1;trunc log;w log 6;up;scan 3;restart",
		"1-6" },
	{ "log",
		"cp log log.1;trunc log;w log 4;event;cp log log.2;trunc log;w log 5;event;"
		"over log log.1;trunc log;w log 6;event;over log log.2;trunc log;w log 7;scan 3;restart",
		"1-7" },
	{ "log",
		"w log 4;cp log log.1;trunc log;w log 5;event;w log 6;cp log log.2;trunc log;w log 7;event;"
		"w log 8;over log log.1;trunc log;w log 9;event;w log 10;over log log.2;trunc log;w log 11;scan 3;restart",
		"1-11" },
	{ "log",
		"cp log log.1;trunc log;w log 4-8;event;over log log.1;trunc log;w log 9;event;scan 3;restart",
		"1-9" },
	{ "log",
		"cp log log.1;trunc log;w log 4-8;event;w log 9;over log log.1;trunc log;w log 10;event;scan 3;restart",
		"1-10" },
	{ "log",
		"cp log log.1;trunc log;event;w log 4-8;event;over log log.1;event;trunc log;event;w log 9;event;scan 3;restart",
		"1-9" },
	{ "log",
		"cp log log.1;trunc log;w log 4-8;event;over log log.1;event;w log 9;event;scan 3;restart",
		"1-9" },
	{ "log",
		"w log 4;cp log log.1;trunc log;w log 5;event;w log 6;over log log.1;trunc log;w log 7;"
		"event;scan 3;restart",
		"1-7" },
	{ "log",
		"cp log log.1;trunc log;w log 4-8;event;over log log.1;event;w log 9;trunc log;w log 10;"
		"event;scan 3;restart",
		"1-8 10" },
	{ "log",
		"w log 4;cp log log.1;trunc log;w log 5;event;restart;w log 6;event;over log log.1;"
		"trunc log;w log 7;event;scan 3;restart",
		"1-7" },
	{ "log*", "cp log log.1;event;trunc log;w log 4;event;scan 3;restart;scan", "1-4" },
	{ "log*",
		"cp log log.1;trunc log;w log 4;scan;over log log.1;trunc log;w log 5;scan;w log 6;scan 3;"
		"restart",
		"1-6" },
	{ "log*",
		"cp log log.1;trunc log;w log 4;scan;restart;over log log.1;trunc log;w log 5;event;scan 3;"
		"restart",
		"1-5" },
	{ "log*",
		"cp log log.1;trunc log;w log 4-8;event;over log log.1;trunc log;w log 9;event;scan 3;"
		"restart",
		"1-9" },
	{ "log*",
		"cp log log.1;trunc log;event;w log 4-8;event;over log log.1;event;trunc log;event;"
		"w log 9;event;scan 3;restart",
		"1-9" },
	{ "log*", "w log 4;cp log log.1;trunc log;w log 5;scan;restart;scan", "1-5" },
	{ "log*", "w log 4;cp log log.1;scan;trunc log;scan;w log 5;scan;restart", "1-5" },
	/* another file */
	{ "log", "rm log;w log 4;event", "1-4" },
	{ "log", "w log 4;rm log;w log 5;event", "1-5" },
	{ "log", "rm log;event;scan;w log 4;event;restart", "1-4" },
	{ "log", "down;rm log;w log 4-9;up", "1-9" },
	{ "log", "down;rm log;up;w log 4;event", "1-4" },
	{ "log", "w new 4;mv new log;event;w log 5;event", "1-5" },
	/* names */
	{ "log*", "mv log log.1;w log 4;event;w log.1 5;event;scan 100;w log.1 6;scan", "1-6" },
	{ "log*",
		"mv log log.1;w log 4;scan 90;restart;scan;mv log.1 log.2;mv log log.1;w log 5;scan",
		"1-5" },
	{ "l*", "w l2 4;event;w l2 5;event;rm l2;event;w l2 6;event", "1-6" },
	{ "l*", "ln log lag;event;w lag 4;event;restart", "1-4" },
	{ "l*", "sym log lag;event;w log 4;event;restart", "1-4" },
	{ "d/*/x", "mkdir d;event;mkdir d/e;event;w d/e/x 4;event;w d/e/x 5;event;restart", "4-5" },
	{ "d/x", "mkdir d;w d/x 4;event;mv d e;mkdir d;w d/x 5;event;w e/x 6;event", "4-6" },
	{ "d/x", "mkdir d;w d/x 4;event;rm d/x;w d/x 5;scan;restart", "4-5" },
	{ "s", "mkdir d;w d/r 4;sym d/r s;event;mv d/r d/r.1;w d/r.1 5;w d/r 6;scan;restart",
		"4-6" },
	{ "s", "mkdir d;w d/r 4;sym d/r s;event;w d/r 5;cp d/r d/r.1;trunc d/r;w d/r 6;event",
		"4-6" },
};

static void test_scenarios(void **state)
{
	size_t failed = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		begin(scenarios[i].pattern);
		world.from_head = true;
		append_lines("log", 1, 3);
		start(false);
		run_steps(scenarios[i].steps);
		failed += !is_seen(scenarios[i].steps, scenarios[i].want);
		end();
	}
	assert_int_equal(failed, 0);
}

static void test_first_run(void **state)
{
	static const struct {
		bool from_head;
		bool known;
		const char *want;
		bool first_read; /* of the first line seen */
	} rows[] = {
		{ false, false, "4-5", false },
		{ true, false, "1-5", true },
		{ false, true, "1-5", true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin("log");
		world.from_head = rows[i].from_head;
		append_lines("log", 1, 3);
		append("log", "line 4");
		start(rows[i].known);
		append("log", "\n");
		append_lines("log", 5, 5);
		(void)tail_reconcile(world.tail, false, 0);
		expect("first run", rows[i].want);
		assert_int_equal(world.first_read[0], rows[i].first_read);
		assert_false(world.first_read[world.n_seen - 1]);
		end();
	}
}

static void test_two_patterns(void **state)
{
	(void)state;
	begin("log");
	world.patterns[1] = "l*";
	world.patterns[2] = "other";
	world.from_head = true;
	append_lines("log", 1, 2);
	start(false);
	expect("two patterns", "1-2");
	assert_int_equal(world.last_patterns, 3);
	assert_string_equal(world.last_path, in_directory("log", 0));
	end();
}

static void test_budget(void **state)
{
	size_t i;

	(void)state;
	begin("l*");
	world.from_head = true;
	append_lines("l1", 1, 1);
	start(false);
	for (i = 2; i < 12; i += 2) {
		append_lines("l1", (int)i, (int)i);
		append_lines("l2", (int)i + 1, (int)i + 1);
	}
	i = 0;
	while (tail_reconcile(world.tail, false, 1) && i++ < 100)
		;
	assert_true(i > 0 && i < 100);
	assert_int_equal(world.n_seen, 11);
	end();
}

struct info {
	size_t n;
	enum tail_state state;
	int64_t offset;
	int64_t lag_bytes;
};

static void on_info(void *context, const struct tail_file_info *info)
{
	struct info *to = context;

	to->n++;
	to->state = info->state;
	to->offset = info->offset;
	to->lag_bytes = info->lag_bytes;
	assert_int_equal(info->patterns[0], 1);
}

static struct info look(void)
{
	struct info info = { 0 };

	tail_files(world.tail, on_info, &info);
	return info;
}

static void test_files(void **state)
{
	(void)state;
	begin("log");
	start(false);
	assert_int_equal(look().n, 1);
	assert_int_equal(look().state, TAIL_WAITING);
	run_steps("w log 1;event;half log abc;event");
	assert_int_equal(look().state, TAIL_FOLLOWING);
	assert_int_equal(look().offset, 7);
	assert_int_equal(look().lag_bytes, 3);
	assert_int_equal(world.n_notes, 0);
	run_steps("trunc log;event");
	assert_int_equal(look().state, TAIL_GAP);
	assert_int_equal(look().n, 1);
	assert_int_equal(world.n_notes, 1);
	end();
}

static void test_gap_after_restart(void **state)
{
	(void)state;
	begin("log");
	world.from_head = true;
	append_lines("log", 1, 2);
	start(false);
	run_steps("down;rm log;w log 3;up");
	expect("gap", "1-3");
	assert_int_equal(look().state, TAIL_GAP);
	assert_non_null(strstr(world.note, "lost"));
	end();
}

/* Rows of files that are gone or done with do not pile up. */
static void test_forgotten(void **state)
{
	int i;
	char steps[64];

	(void)state;
	begin("log");
	world.from_head = true;
	append_lines("log", 1, 1);
	start(false);
	for (i = 2; i < 20; i++) {
		(void)snprintf(steps, sizeof(steps), "mv log log.%d;w log %d;scan;restart;scan 62",
			i, i);
		run_steps(steps);
	}
	expect("forgotten", "1-19");
	tail_positions(world.tail, true, on_position, &world);
	assert_int_equal(world.n_stored, 1);
	end();
}

static void check_unreadable(void)
{
	begin("d/log");
	run_steps("mkdir d;w d/log 1-2");
	assert_int_equal(chmod(in_directory("d/log", 0), 0), 0);
	start(true);
	run_steps("scan 3");
	assert_int_equal(look().state, TAIL_UNREADABLE);
	assert_int_equal(world.n_notes, 1);
	assert_non_null(strstr(world.note, "group"));
	assert_int_equal(chmod(in_directory("d/log", 0), 0600), 0);
	(void)tail_reconcile(world.tail, false, 0);
	expect("readable", "1-2");
	assert_int_equal(chmod(in_directory("d", 0), 0), 0);
	run_steps("scan 3");
	assert_int_equal(look().n, 2);
	assert_int_equal(chmod(in_directory("d", 0), 0700), 0);
	run_steps("w d/log 3;scan");
	expect("readable", "1-3");
	end();
}

/* As an ordinary user: root reads everything. */
static void test_unreadable(void **state)
{
	int status = 0;
	pid_t pid;

	(void)state;
	if (getuid() != 0) {
		check_unreadable();
		return;
	}
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (setgid(65534) || setuid(65534))
			_exit(2);
		check_unreadable();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_refused(void **state)
{
	struct error err;

	(void)state;
	begin("log");
	assert_int_equal(mkfifo(in_directory("log", 0), 0600), 0);
	start(false);
	run_steps("scan 3");
	assert_int_equal(look().state, TAIL_UNREADABLE);
	assert_int_equal(world.n_notes, 1);
	assert_int_equal(tail_add(world.tail, "relative/log", false, false, &err), -1);
	run_steps("rm log;w log 1;event");
	expect("after a fifo", "1");
	end();
}

static void on_root(void *context, const char *root)
{
	char *to = context;

	(void)snprintf(to + strlen(to), 1024 - strlen(to), "[%s]", root);
}

static void test_roots(void **state)
{
	char roots[1024] = "";
	char want[1024];

	(void)state;
	begin("log");
	run_steps("mkdir a;mkdir a/b;mkdir c;w c/real 1;sym ../../c/real a/b/log");
	tail_roots(in_directory("a/b/*", 0), on_root, roots);
	(void)snprintf(want, sizeof(want), "[%s/a][%s/c]", world.directory, world.directory);
	assert_string_equal(roots, want);
	roots[0] = '\0';
	tail_roots(in_directory("no/such/log", 0), on_root, roots);
	(void)snprintf(want, sizeof(want), "[%s]", world.directory);
	assert_string_equal(roots, want);
	end();
}

static void check_order(const char *pattern, const char *steps)
{
	size_t i;

	for (i = 0; i < world.n_seen; i++)
		if (world.seen[i] != (int)i + 1)
			fail_msg("pattern %s: line %d in place of %zu after: %s", pattern,
				world.seen[i], i + 1, steps);
}

/* Random operations; each line exactly once and, as old files are quiet, in order. */
static void torture(unsigned int seed, const char *pattern)
{
	char steps[96];
	int line = 1;
	int serial = 0, i;

	begin(pattern);
	world.from_head = true;
	append_lines("log", line, line);
	start(false);
	for (i = 0; i < 150; i++) {
		switch (rand_r(&seed) % 12) {
		case 0:
			serial++;
			(void)snprintf(steps, sizeof(steps), "mv log log.%d", serial);
			break;
		case 1:
			serial++;
			(void)snprintf(steps, sizeof(steps), "cp log log.%d;trunc log", serial);
			break;
		case 2:
			(void)snprintf(steps, sizeof(steps), "event;trunc log");
			break;
		case 3:
			(void)snprintf(steps, sizeof(steps), "scan;rm log");
			break;
		case 4:
			(void)snprintf(steps, sizeof(steps), "restart");
			break;
		case 5:
			serial++;
			(void)snprintf(steps, sizeof(steps), "down;mv log log.%d;w log %d;up",
				serial, ++line);
			break;
		case 6:
			serial++;
			(void)snprintf(steps, sizeof(steps),
				"w log %d;down;cp log log.%d;trunc log;up", line + 1, serial);
			line++;
			break;
		case 7:
			(void)snprintf(steps, sizeof(steps), "scan %d",
				1 + (int)(rand_r(&seed) % 70));
			break;
		default:
			(void)snprintf(steps, sizeof(steps), "w log %d-%d;event", line + 1,
				line + 3);
			line += 3;
		}
		run_steps(steps);
		line++;
		append_lines("log", line, line);
		run_steps(rand_r(&seed) % 2 ? "event" : "scan");
		check_order(pattern, steps);
	}
	run_steps("restart;scan");
	check_order(pattern, "the end");
	assert_int_equal(world.n_seen, line);
	end();
}

/* What a reader of one log is told about where its lines come from. */
static void test_heads_and_marks(void **state)
{
	static const struct {
		const char *steps;
		const char *heads;
		const char *at_head;
		uint32_t mark;
	} rows[] = {
		/* from its first line, while it stands and when it comes later */
		{ "up;w log 1-2;scan;w log 3;scan", "", "log:line 1 ", 3 },
		/* from its end, and again after a restart: the mark is kept */
		{ "w log 3-8;first;w log 11;scan", "log:line 3 ", "", 0 },
		{ "w log 1-2;first;w log 3;scan;restart;w log 11;scan", "log:line 1 log:line 1 ",
			"", 3 },
		/* the next file of its name has its mark and its own first line */
		{ "up;w log 1-5;scan;mv log log.1;w log.1 6;w log 11;scan", "",
			"log:line 1 log:line 11 ", 6 },
		{ "up;w log 1-5;scan;down;mv log log.1;w log.1 6;w log 11;up;scan", "log:line 1 ",
			"log:line 1 log:line 11 ", 6 },
		/* what stands first after a truncation need not begin with a line */
		{ "up;w log 1-5;scan;cp log log.1;trunc log;w log 11;scan", "log:line 1 ",
			"log:line 1 ", 5 },
		{ "up;w log 1-5;scan;w log 6;cp log log.1;trunc log;w log 11;scan", "log:line 1 ",
			"log:line 1 ", 6 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin("log");
		run_steps(rows[i].steps);
		if (strcmp(world.heads, rows[i].heads) || strcmp(world.at_head, rows[i].at_head) ||
			world.last_mark != rows[i].mark)
			fail_msg("%s: heads '%s', at head '%s', mark %u", rows[i].steps,
				world.heads, world.at_head, world.last_mark);
		end();
	}
}

/* A last line that nobody ends is handed over when its file is done with. */
static void test_open_lines(void **state)
{
	static const struct {
		const char *steps;
		const char *open;
	} rows[] = {
		{ "up;line log 1;scan;end log;scan", "" },
		{ "up;w log 1;line log 2;scan;scan 3", "" },
		{ "up;line log 1;scan;mv log log.1;w log 2;scan 70", "log:line 1 " },
		{ "up;w log 1;line log 2;scan;cp log log.1;trunc log;w log 3;scan 3",
			"log:line 2 " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin("log");
		run_steps(rows[i].steps);
		if (strcmp(world.open, rows[i].open))
			fail_msg("%s: open '%s'", rows[i].steps, world.open);
		end();
	}
}

static void test_torture(void **state)
{
	const char *given = getenv("TAIL_TEST_SEED");
	unsigned int seed =
		given ? (unsigned int)strtoul(given, NULL, 10) : 1; /* the same in every run */
	unsigned int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		print_message("TAIL_TEST_SEED=%u\n", seed + i);
		torture(seed + i, "log");
		torture(seed + i, "log*");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenarios),
		cmocka_unit_test(test_first_run),
		cmocka_unit_test(test_two_patterns),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_gap_after_restart),
		cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_roots),
		cmocka_unit_test(test_heads_and_marks),
		cmocka_unit_test(test_open_lines),
		cmocka_unit_test(test_torture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
