#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"

static void test_zero(void **state)
{
	static const size_t sizes[] = { 0, 1, 7, 4096, 1 << 20 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		cleanup_free unsigned char *memory = alloc_zero(sizes[i]);
		cleanup_free unsigned char *array = alloc_array(sizes[i], 2);

		assert_non_null(memory);
		assert_non_null(array);
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(memory[k] | array[k] | array[sizes[i] + k], 0);
	}
	free(alloc_array(0, 0));
	free(alloc_array(3, 0));
}

static void test_grow(void **state)
{
	uint32_t *numbers = NULL;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		numbers = alloc_grow(numbers, i + 1, sizeof(*numbers));
		numbers[i] = i;
	}
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(numbers[i], i);
	numbers = alloc_grow(numbers, 0, sizeof(*numbers));
	assert_non_null(numbers);
	free(numbers);
}

static void test_room(void **state)
{
	uint32_t *numbers = NULL;
	size_t room = 0;
	size_t moves = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		size_t before = room;

		numbers = alloc_room(numbers, i, &room, sizeof(*numbers));
		assert_true(room > i);
		moves += room != before;
		numbers[i] = i;
	}
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(numbers[i], i);
	assert_true(moves < 10);
	free(numbers);
}

static void test_copies(void **state)
{
	const char source[] = "ab\0cd";
	cleanup_free char *string = alloc_string(source);
	cleanup_free char *bytes = alloc_bytes(source, 5);
	cleanup_free char *part = alloc_bytes(source + 3, 1);
	cleanup_free char *none = alloc_bytes(NULL, 0);

	(void)state;
	assert_ptr_not_equal(string, source);
	assert_string_equal(string, "ab");
	assert_memory_equal(bytes, "ab\0cd", 6);
	assert_string_equal(part, "c");
	assert_string_equal(none, "");
}

static void test_format(void **state)
{
	cleanup_free char *text = alloc_format("%s-%d", "x", 5);
	cleanup_free char *empty = alloc_format("%s", "");
	cleanup_free char *wide = alloc_format("%*s", 100000, "");

	(void)state;
	assert_string_equal(text, "x-5");
	assert_string_equal(empty, "");
	assert_int_equal(strlen(wide), 100000);
}

/* A product that overflows must not become a small block. */
static void overflow_array(void)
{
	free(alloc_array(SIZE_MAX / 2 + 1, 2));
}

static void overflow_grow(void)
{
	free(alloc_grow(NULL, SIZE_MAX / 16 + 2, 16));
}

static void overflow_grow_old(void)
{
	free(alloc_grow(alloc_zero(16), SIZE_MAX, SIZE_MAX));
}

static void test_overflow(void **state)
{
	static void (*const acts[])(void) = { overflow_array, overflow_grow, overflow_grow_old };

	(void)state;
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		int status = 0;
		int ends[2];
		char text[64];
		ssize_t got;
		pid_t pid;

		assert_int_equal(pipe(ends), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			(void)dup2(ends[1], STDERR_FILENO);
			acts[i]();
			_exit(0);
		}
		(void)close(ends[1]);
		got = read(ends[0], text, sizeof(text) - 1);
		(void)close(ends[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		assert_true(got > 0);
		text[got] = '\0';
#ifndef __SANITIZE_ADDRESS__ /* which ends the process itself, in its own words */
		assert_true(WIFEXITED(status));
		assert_string_equal(text, "<2>voipguard: out of memory\n");
#endif
	}
}

static void use_locals(int fd, int out_fd)
{
	cleanup_free char *memory = alloc_string("x");
	cleanup_close int closed = fd;
	cleanup_file FILE *file = fdopen(out_fd, "w");
	cleanup_free char *no_memory = NULL;
	cleanup_close int no_fd = -1;
	cleanup_file FILE *no_file = NULL;

	assert_non_null(memory);
	assert_true(closed >= 0);
	assert_non_null(file);
	assert_null(no_memory);
	assert_int_equal(no_fd, -1);
	assert_null(no_file);
	assert_true(fputs("kept", file) >= 0);
}

static void test_cleanup(void **state)
{
	int first = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char text[8] = "";
	int ends[2];

	(void)state;
	assert_true(first >= 0);
	assert_int_equal(pipe(ends), 0);
	use_locals(first, ends[1]);
	assert_int_equal(fcntl(first, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(fcntl(ends[1], F_GETFD), -1);
	assert_int_equal(read(ends[0], text, sizeof(text)), 4);
	assert_string_equal(text, "kept");
	(void)close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zero),
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_cleanup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
