#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dialect/tree.h"

/* A tree read from texts, each a file over those before it. */
struct fixture {
	struct dialect_names names;
	struct findings findings;
	struct dialect *tree;
	char paths[2][40]; /* kept to the end: an inode must not come back */
	size_t n_paths;
};

static void begin(struct fixture *f)
{
	*f = (struct fixture){ 0 };
	f->tree = dialect_new(&f->names, &f->findings);
}

static void read_text(struct fixture *f, const char *text)
{
	char *path = f->paths[f->n_paths++];
	int fd;

	(void)snprintf(path, sizeof(f->paths[0]), "/tmp/dialect_test.XXXXXX");
	fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
	dialect_read(f->tree, path);
}

static void end(struct fixture *f)
{
	for (size_t i = 0; i < f->n_paths; i++)
		assert_int_equal(unlink(f->paths[i]), 0);
	dialect_free(f->tree);
	dialect_names_done(&f->names);
	findings_done(&f->findings);
}

/* k of [s] with its tags replaced; text NULL after an error. */
static struct dialect_value get(struct fixture *f)
{
	struct dialect_view view = { .section = dialect_section(f->tree, "s") };
	const struct dialect_key *key = dialect_key(f->tree, view.section, "k");
	struct dialect_value value = { 0 };

	assert_non_null(key);
	if (dialect_resolve(f->tree, &view, key, &value, &f->findings) == 0 &&
		dialect_tags(f->tree, &view, &value, &f->findings) < 0)
		dialect_value_done(&value);
	return value;
}

/* Value NULL: an error whose text holds `what`. */
static const struct {
	const char *first;
	const char *second; /* NULL: one file only */
	const char *value;
	const char *what;
} rows[] = {
	{ "[s]\nK = v\n", NULL, "v", NULL },
	{ "[s]\nk = a\n  b\n\n\n", NULL, "a\nb", NULL },
	{ "[DEFAULT]\nk = d\n[s]\n", NULL, "d", NULL },
	{ "[s]\nk = 1%%\n", NULL, "1%", NULL },
	{ "[s]\nk = %(__name__)s\n", NULL, "s", NULL },
	{ "[DEFAULT]\nk = <%(X)s>\n[s]\nx = y\n", NULL, "<y>", NULL },
	{ "[s]\nk = %(o/x)s\ny = 2\n[o]\nx = %(y)s %(__name__)s\ny = 1\n", NULL, "2 s", NULL },
	{ "[s]\nk = %(o/x)s\n[o]\nx = %(y)s\ny = 1\n", NULL, NULL, "set nowhere" },
	{ "[DEFAULT]\nx = %(y)s\ny = 1\n[s]\ny = 2\nk = %(default/x)s\n", NULL, "2", NULL },
	{ "[DEFAULT]\nx = 1\n[s]\nx = 2\nk = %(default/x)s\n", NULL, "1", NULL },
	{ "[s]\nk = a\n", "[s]\nk = %(known/k)s b\n", "a b", NULL },
	{ "[DEFAULT]\nk = d\n", "[s]\nk = %(known/k)s b\n", "d b", NULL },
	{ "[s]\nk = %(known/k)s\n", NULL, NULL, "set nowhere" },
	{ "[s]\nk = %(x)s\nx = %(k)s\n", NULL, NULL, "leads back to itself" },
	{ "[s]\nk = %(x\n", NULL, NULL, "not closed" },
	{ "[s]\nk = 1%\n", NULL, NULL, "stands alone" },
	{ "[s]\nk = <x>\nx = 1\n", NULL, "1", NULL },
	{ "[s]\nk = <HOST> <F-X>a</F-X>\nhost = 1\n", NULL, "<HOST> <F-X>a</F-X>", NULL },
	{ "[s]\nk = <a-<b>>\na-c = 1\n[Init]\nb = c\n", NULL, "1", NULL },
	{ "[s]\nk = <lt_<b>/x>\nb = c\n[lt_c]\nx = 2\n", NULL, "2", NULL },
	{ "[s]\nk = (?P<x>a)(?<x>b)(?<!x>)\nx = 1\n", NULL, "(?P<x>a)(?<x>b)(?<!x>)", NULL },
	{ "[s]\nk = <x>\nx = a<x>\n", NULL, NULL, "leads back to itself" },
	{ "[s]\nk = <x>\nx = <y>\ny = <x>\n", NULL, NULL, "leads back to itself" },
	{ "[s]\nk = <known/x>\nx = 1\n", NULL, "1", NULL },
	{ "[s]\nx = 1\n", "[s]\nk = <known/x>\nx = 2\n", "1", NULL },
	{ "[s]\nk = %(o/x)s\n[o]\nx = %(y)s\ny = 1\n", NULL, NULL, "set nowhere" },
	/* no option says which family: the keys of its section are not looked at */
	{ "[s]\nk = <x>\n[Init]\nx = 4\n[Init?family=inet6]\nx = 6\n", NULL, "4", NULL },
	{ "[s]\nk = %(a)s\na = %(b)s\nb = %(c)s\nc = %(d)s\nd = %(e)s\ne = %(f)s\nf = %(g)s\n"
	  "g = %(h)s\nh = %(i)s\ni = 1\n",
		NULL, "1", NULL },
	{ "[s]\nk = %(a)s\na = %(b)s\nb = %(c)s\nc = %(d)s\nd = %(e)s\ne = %(f)s\nf = %(g)s\n"
	  "g = %(h)s\nh = %(i)s\ni = %(j)s\nj = 1\n",
		NULL, NULL, "nests deeper than 10" },
	/* quotation marks of a word processor: a rule may look for them */
	{ "[s]\nk = 1\nregex = \xe2\x80\x9cx\xe2\x80\x9d\n", NULL, "1", NULL },
	{ "[s]\nk = a \xe2\x80\x9cx\xe2\x80\x9d\n", NULL, "a \xe2\x80\x9cx\xe2\x80\x9d", NULL },
};

static void rows_resolve(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f;
		struct dialect_value value;

		begin(&f);
		read_text(&f, rows[i].first);
		if (rows[i].second)
			read_text(&f, rows[i].second);
		value = get(&f);
		if (rows[i].value) {
			assert_non_null(value.text);
			assert_string_equal(value.text, rows[i].value);
			assert_int_equal(f.findings.count, 0);
		} else {
			assert_null(value.text);
			assert_true(f.findings.count >= 1);
			assert_non_null(strstr(f.findings.list[0].text, rows[i].what));
		}
		dialect_value_done(&value);
		end(&f);
	}
}

static void check_place(const struct dialect_value *value, const char *text, unsigned line,
	unsigned column)
{
	struct position at;

	assert_non_null(strstr(value->text, text));
	at = dialect_at(value, (size_t)(strstr(value->text, text) - value->text));
	assert_int_equal(at.line, line);
	assert_int_equal(at.column, column);
}

static void bytes_keep_their_places(void **state)
{
	struct dialect_value value;
	struct fixture f;

	(void)state;
	begin(&f);
	read_text(&f, "[s]\nx = one\n    two\ny = mid\nk = first word\n  %(x)s\n"
		      "  a %(y)s b\n  cut ; off\n");
	value = get(&f);
	assert_string_equal(value.text, "first word\none\ntwo\na mid b\ncut");
	check_place(&value, "first", 5, 5);
	check_place(&value, "word", 5, 11);
	check_place(&value, "one", 2, 5); /* alone in its line: where it was written */
	check_place(&value, "two", 3, 5);
	check_place(&value, "a mid", 7, 3);
	check_place(&value, "mid", 7, 5); /* inside a line: where it is asked for */
	check_place(&value, "id b", 7, 5);
	check_place(&value, " b", 7, 10);
	check_place(&value, "cut", 8, 3);
	dialect_value_done(&value);
	end(&f);
}

/* What an option says comes first, then the family that it names. */
static void options_choose(void **state)
{
	static const struct {
		char name[8];
		const char *value;
		const char *wanted;
	} options[] = { { "family", "inet6", "6 2" }, { "family", "inet4", "4 2" },
		{ "x", "5", "5 2" }, { "y", "5", "4 5 2" } };

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct position at = { .file = "" };
		struct dialect_option option = { strdup(options[i].name),
			dialect_value_of(options[i].value, strlen(options[i].value), &at) };
		struct dialect_view view = { .options = &option, .n_options = 1 };
		struct dialect_value value;
		struct fixture f;

		begin(&f);
		read_text(&f, i == 3 ? "[s]\nk = <x> <y> <known/y>\ny = 2\n[Init]\nx = 4\n"
				     : "[s]\nk = <x> <y>\ny = 2\n[Init]\nx = 4\n"
				       "[Init?family=inet6]\nx = 6\n");
		view.section = dialect_section(f.tree, "s");
		assert_int_equal(dialect_resolve(f.tree, &view, dialect_own_key(view.section, "k"),
					 &value, &f.findings),
			0);
		assert_int_equal(dialect_tags(f.tree, &view, &value, &f.findings), 0);
		assert_string_equal(value.text, options[i].wanted);
		dialect_value_done(&value);
		dialect_value_done(&option.value);
		free(option.name);
		end(&f);
	}
}

/* 300 KiB by a few lines, and by a tag. */
static void values_are_bounded(void **state)
{
	static const char *const last[] = { "k = %(a)s%(a)s%(a)s%(a)s%(a)s%(a)s\n",
		"k = <a><a><a><a><a><a>\n" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		char *text = calloc(1, 64 * 1024);
		struct dialect_value value;
		struct fixture f;

		assert_non_null(text);
		strcpy(text, "[s]\na = ");
		for (int line = 0; line < 5; line++) {
			memset(text + strlen(text), 'x', 10 * 1024);
			strcat(text, "\n  ");
		}
		strcat(text, "\n");
		strcat(text, last[i]);
		begin(&f);
		read_text(&f, text);
		value = get(&f);
		assert_null(value.text);
		assert_int_equal(f.findings.count, 1);
		assert_non_null(strstr(f.findings.list[0].text, "256 KiB"));
		assert_int_equal(f.findings.list[0].line, 8);
		end(&f);
		free(text);
	}
}

static void expansion_is_bounded(void **state)
{
	char text[4096] = "[s]\nk = %(a0)s\n";
	struct dialect_value value;
	struct fixture f;

	(void)state;
	for (int i = 0; i < 8; i++) {
		size_t used = strlen(text);

		(void)snprintf(text + used, sizeof(text) - used, "a%d = ", i);
		for (int j = 0; j < 10; j++) {
			used = strlen(text);
			(void)snprintf(text + used, sizeof(text) - used, "%%(a%d)s", i + 1);
		}
		used = strlen(text);
		(void)snprintf(text + used, sizeof(text) - used, "\n");
	}
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "a8 =\n");
	begin(&f);
	read_text(&f, text);
	value = get(&f);
	assert_null(value.text);
	assert_non_null(strstr(f.findings.list[0].text, "too many replacements"));
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_resolve),
		cmocka_unit_test(bytes_keep_their_places),
		cmocka_unit_test(options_choose),
		cmocka_unit_test(values_are_bounded),
		cmocka_unit_test(expansion_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
