#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/error.h"
#include "dialect/bracket.h"

static void options_of_all_shapes(void **state)
{
	static const char text[] = "  f[a=1, b=\"x,]y\"]\n [c='z', d=]\nnext";
	size_t offset = 0;
	size_t wrong = 0;
	struct error err;
	struct bracket call;

	(void)state;
	assert_int_equal(bracket_parse(text, &offset, &call, &wrong, &err), 0);
	assert_string_equal(call.name, "f");
	assert_int_equal(call.offset, 2);
	assert_int_equal(call.n_options, 4);
	assert_string_equal(bracket_find(&call, "a")->value, "1");
	assert_int_equal(bracket_find(&call, "a")->value_offset, 6);
	assert_string_equal(bracket_find(&call, "b")->value, "x,]y");
	assert_string_equal(bracket_find(&call, "c")->value, "z");
	assert_string_equal(bracket_find(&call, "d")->value, "");
	assert_null(bracket_find(&call, "e"));
	bracket_done(&call);
	assert_int_equal(bracket_parse(text, &offset, &call, &wrong, &err), 0);
	assert_string_equal(call.name, "next");
	bracket_done(&call);
	assert_int_equal(bracket_parse(text, &offset, &call, &wrong, &err), 0);
	assert_null(call.name);
	bracket_done(&call);
}

static void wrong_ones_say_where(void **state)
{
	static const struct {
		const char *text;
		size_t wrong;
		const char *what;
	} rows[] = { { "f[a=1", 5, "not closed" }, { "f[a=\"1]", 4, "not closed" },
		{ "f[a]", 2, "no option" }, { "f[a=1]g[b=2]", 6, "directly" },
		{ "f g", 2, "directly" }, { "f # g", 2, "not with '#'" },
		{ "f[a=1,b]", 6, "in quotes" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t offset = 0;
		size_t wrong = 0;
		struct error err;
		struct bracket call;

		assert_int_equal(bracket_parse(rows[i].text, &offset, &call, &wrong, &err), -1);
		assert_int_equal(wrong, rows[i].wrong);
		assert_non_null(strstr(err.text, rows[i].what));
		assert_int_equal(offset, strlen(rows[i].text));
		bracket_done(&call);
	}
}

/* Of a list of actions; each row is what is left after one call. */
static void a_list_may_share_a_line(void **state)
{
	static const char text[] = "a[x=1] b\n  c [y=2]\n[z=3] d # e\nf";
	static const char *const names[] = { "a", "b", "c", NULL, "f" };
	size_t offset = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t wrong = 0;
		struct error err;
		struct bracket call;
		int rc = bracket_next(text, &offset, &call, &wrong, &err);

		assert_int_equal(rc, names[i] ? 0 : -1);
		if (names[i])
			assert_string_equal(call.name, names[i]);
		else
			assert_string_equal(text + wrong, "# e\nf");
		if (i == 2)
			assert_int_equal(call.n_options, 2);
		bracket_done(&call);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_of_all_shapes),
		cmocka_unit_test(wrong_ones_say_where),
		cmocka_unit_test(a_list_may_share_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
