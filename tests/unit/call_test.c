#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "call.h"
#include "error.h"

static void options_of_all_shapes(void **state)
{
	static const char text[] = "  f[a=1, b=\"x,]y\"]\n [c='z', d=]\nnext";
	size_t offset = 0;
	size_t wrong = 0;
	struct error err;
	struct call call;

	(void)state;
	assert_int_equal(call_parse(text, &offset, &call, &wrong, &err), 0);
	assert_string_equal(call.name, "f");
	assert_int_equal(call.offset, 2);
	assert_int_equal(call.n_options, 4);
	assert_string_equal(call_find(&call, "a")->value, "1");
	assert_int_equal(call_find(&call, "a")->value_offset, 6);
	assert_string_equal(call_find(&call, "b")->value, "x,]y");
	assert_string_equal(call_find(&call, "c")->value, "z");
	assert_string_equal(call_find(&call, "d")->value, "");
	assert_null(call_find(&call, "e"));
	call_done(&call);
	assert_int_equal(call_parse(text, &offset, &call, &wrong, &err), 0);
	assert_string_equal(call.name, "next");
	call_done(&call);
	assert_int_equal(call_parse(text, &offset, &call, &wrong, &err), 0);
	assert_null(call.name);
	call_done(&call);
}

static void wrong_ones_say_where(void **state)
{
	static const struct {
		const char *text;
		size_t wrong;
		const char *what;
	} rows[] = { { "f[a=1", 5, "not closed" }, { "f[a=\"1]", 4, "not closed" },
		{ "f[a]", 2, "no option" }, { "f[a=1]g[b=2]", 6, "directly" },
		{ "f g", 2, "directly" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t offset = 0;
		size_t wrong = 0;
		struct error err;
		struct call call;

		assert_int_equal(call_parse(rows[i].text, &offset, &call, &wrong, &err), -1);
		assert_int_equal(wrong, rows[i].wrong);
		assert_non_null(strstr(err.text, rows[i].what));
		assert_int_equal(offset, strlen(rows[i].text));
		call_done(&call);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_of_all_shapes),
		cmocka_unit_test(wrong_ones_say_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
