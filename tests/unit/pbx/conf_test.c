#include "pbx/pbx_fixture.h"

#include "base/alloc.h"
#include "pbx/conf.h"
#include "pbx/conf_line.h"
#include "pbx/sources.h"

/* ---- the language: a file a.conf, and the sections that it has ---- */

/* Each section as "name:" or "name!:" for a template, its settings as "key=text@line" with the
 * letter of the file that has it, if it is not a.conf. Keys are their numbers' names here. */
static void describe(const struct conf *conf, char out[OUT_BYTES])
{
	static const char *const names[] = { [CONF_TYPE] = "type",
		[CONF_MATCH] = "match",
		[CONF_HOST] = "host",
		[CONF_PERMIT] = "permit",
		[CONF_CONTACT] = "contact" };

	out[0] = '\0';
	for (size_t i = 0; i < conf->n_sections; i++) {
		const struct conf_section *section = conf->sections[i];

		add_text(out, "%s%s:", section->name, section->is_template ? "!" : "");
		for (size_t k = 0; k < section->n_values; k++) {
			const struct conf_value *value = &section->values[k];
			const char *file = strrchr(value->at.file, '/') + 1;

			add_text(out, " %s=%s@%s%u", names[value->key], value->text,
				strcmp(file, "a.conf") == 0 ? "" : file, value->at.line);
		}
		add_text(out, "\n");
	}
}

static const struct {
	const char *what;
	const char *text;
	const char *sections;
	const char *findings;
	const char *b; /* b.conf; NULL: there is none */
	const char *c; /* sub/c.conf */
} rows[] = {
	{ "nothing", "", "", "", NULL, NULL },
	{ "= and => are the same, keys are in either case, others are dropped",
		"[a]\nHost = x\nhost => y\n secret=z\nhost=>w", "a: host=x@2 host=y@3 host=w@5\n",
		"", NULL, NULL },
	{ "a setting before the first section, and lines that are nothing",
		"host=x\n[a]\nword\n=y\n[b\nhost=z\n[c]x\n", "a: host=z@6\nc:\n", "", NULL, NULL },
	{ "a mark of UTF-8, CR LF", "\xef\xbb\xbf[a]\r\nhost = x \r\n", "a: host=x@2\n", "", NULL,
		NULL },
	{ "comments, and semicolons that are none",
		"; [x]\n[a] ; b\nhost=x\\;y;z\nhost=a\\;b\\;c ; d\n;host=w\n",
		"a: host=x;y@3 host=a;b;c@4\n", "", NULL, NULL },
	{ "a comment over lines, and what is left on its lines",
		"[a]\nhost=x;-- y\nhost=1\n--; host=2\nhost=z ;-- in --; w\n",
		"a: host=x@2 host=2@4 host=z  w@5\n", "", NULL, NULL },
	{ "a comment in a comment", "[a]\n;-- one ;-- two\nhost=1\n--;\nhost=2 ; x\n--;\nhost=3\n",
		"a: host=3@7\n", "", NULL, NULL },
	{ "a line of dashes begins none", "[a]\n;------\nhost=1\n;-------;\nhost=2\n",
		"a: host=1@3 host=2@5\n", "", NULL, NULL },
	{ "a comment that nothing ends", "[a]\nhost=1\n;--\nhost=2\n", "a: host=1@2\n", "", NULL,
		NULL },
	{ "a template, its heirs, in the order of their settings",
		"[t](!)\nhost=1\n[u](!)\nhost=2\n[a](t,u)\nhost=3\n[b]( U )\n",
		"t!: host=1@2\nu!: host=2@4\na: host=1@2 host=2@4 host=3@6\nb: host=2@4\n", "",
		NULL, NULL },
	{ "a template has at that place what it has so far",
		"[t](!)\nhost=1\n[a](t)\n[t](+)\nhost=2\n[b](t)\n",
		"t!: host=1@2 host=2@5\na: host=1@2\nb: host=1@2 host=2@5\n", "", NULL, NULL },
	{ "an ordinary section gives its settings, too", "[a]\nhost=1\n[b](a,!)\n[c](b)\n",
		"a: host=1@2\nb!: host=1@2\nc: host=1@2\n", "", NULL, NULL },
	{ "a section inherits from the one before it of its name", "[a]\nhost=1\n[a](a)\nhost=2\n",
		"a: host=1@2\na: host=1@2 host=2@4\n", "", NULL, NULL },
	{ "two of one name are two, and (+) goes on with the first",
		"[a]\ntype=x\n[a]\ntype=y\n[a](+)\nhost=1\n", "a: type=x@2 host=1@6\na: type=y@4\n",
		"", NULL, NULL },
	{ "or with the one that has the setting",
		"[a](!)\ntype=y\n[a]\ntype=x\n[a]\ntype=y\n[a]\ntype=y\n[a](+TYPE=Y)\nhost=1\n"
		"[a](+type=y&host=1)\nhost=2\n",
		"a!: type=y@2\na: type=x@4\na: type=y@6 host=1@10 host=2@12\na: type=y@8\n", "",
		NULL, NULL },
	{ "(+) prefers what is no template", "[a](!)\nhost=1\n[a]\n[a](+)\nhost=2\n",
		"a!: host=1@2\na: host=2@5\n", "", NULL, NULL },
	{ "a filter by what is not kept fits, one by nothing too",
		"[a]\ntype=x\n[a]\ntype=y\n[a](+context=z)\nhost=1\n[a](+type=y&templates=include)\n"
		"host=2\n[a](+type)\nhost=3\n",
		"a: type=x@2 host=1@6 host=3@10\na: type=y@4 host=2@8\n", "", NULL, NULL },
	{ "what Asterisk would refuse is said, and read", "[a](nobody)\nhost=1\n[b](+)\nhost=2\n",
		"a: host=1@2\nb: host=2@4\n",
		"/a.conf:1:1: warning: there is no section 'nobody' to inherit from: Asterisk "
		"refuses this file\n"
		"/a.conf:3:1: warning: there is no section 'b' to add to: Asterisk refuses this "
		"file\n",
		NULL, NULL },
	{ "+= appends to the last value", "[a]\nhost=1\nhost=2\nhost+=,3\nmatch += 4\n",
		"a: host=1@2 host=2,3@3 match=4@5\n", "", NULL, NULL },
	{ "an escaped key", "[a]\n\\host=1\n", "a: host=1@2\n", "", NULL, NULL },
	{ "an included file begins in the open section and leaves it open",
		"[a]\n#include b.conf\nhost=2\n", "a: host=1@b.conf1 host=2@3\nb: host=3@b.conf3\n",
		"", "host=1\n[b]\nhost=3\n", NULL },
	{ "a second one begins in the section that the first one has opened",
		"[a]\n#include b.conf\nhost=2\n#include sub/c.conf\nhost=4\n",
		"a: host=2@3 host=4@5\nb: host=1@b.conf2 host=3@c.conf1\n", "", "[b]\nhost=1\n",
		"host=3\n" },
	{ "quotes, a directory, #tryinclude, and #INCLUDE; what is no command",
		"[a]\n#include \"sub/c.conf\"\n#INCLUDE <b.conf>\n#tryinclude none.conf\n#includes "
		"b.conf\n#\n#include\n",
		"a: host=c@c.conf1 host=b@b.conf1\n", "", "host=b", "host=c" },
	{ "wildcards, sorted",
		"[a]\n#include [bx].con?\n#include sub/*.conf\n#include {b,x}.conf\n",
		"a: host=b@b.conf1 host=c@c.conf1 host=b@b.conf1\n", "", "host=b", "host=c" },
	{ "what is missing",
		"#include none.conf\n#include *.none\n#tryinclude *.none\n[a]\nhost=1\n",
		"a: host=1@5\n",
		"/a.conf:1:1: warning: '/none.conf' does not exist: Asterisk refuses the file that "
		"includes it\n"
		"/a.conf:2:1: warning: no file fits '/*.none': Asterisk refuses the file that "
		"includes it\n",
		NULL, NULL },
	{ "#exec is not run", "[a]\n#exec \"/bin/sh -c 'echo host=1'\"\n", "a:\n",
		"/a.conf:2:1: warning: #exec is never run here: what it would add is not known\n",
		NULL, NULL },
	{ "a file that includes itself", "[a]\nhost=1\n#include b.conf\nhost=2\n",
		"a: host=1@2 host=b@b.conf3 host=2@4\n",
		"/b.conf:1:1: warning: '/a.conf' includes itself: not read again\n"
		"/b.conf:2:1: warning: '/b.conf' includes itself: not read again\n",
		"#include a.conf\n#include b.conf\nhost=b\n", NULL },
	{ "a directory is no file", "[a]\n#include sub\nhost=1\n", "a: host=1@3\n",
		"/sub: warning: not read: no regular file\n", NULL, "" },
	{ "too many wildcards", "#include */*/*/x\n#include {{{a,b},c},d}\n", "",
		"/a.conf:1:1: warning: '/*/*/*/x' has too many wildcards: not read\n"
		"/a.conf:2:1: warning: '/{{{a,b},c},d}' has too many wildcards: not read\n",
		NULL, NULL },
	{ "names are shown safely",
		"[a](x\x1b[2J)\n[b\x1b"
		"b](+)\n#include c\x1b"
		"c.conf\n",
		"a:\nb\x1b"
		"b:\n",
		"/a.conf:1:1: warning: there is no section 'x\\x1b[2J' to inherit from: Asterisk "
		"refuses this file\n"
		"/a.conf:2:1: warning: there is no section 'b\\x1bb' to add to: Asterisk refuses "
		"this file\n"
		"/a.conf:3:1: warning: '/c\\x1bc.conf' does not exist: Asterisk refuses the file "
		"that includes it\n",
		NULL, NULL },
};

/* The caller frees the result by conf_free() and calls sources_done(). */
static struct conf *read_dir(const char *dir, struct sources *sources, struct findings *findings)
{
	*sources = (struct sources){ .dir = dir, .findings = findings };
	return conf_read(sources, "a.conf");
}

static void sources_done(struct sources *sources)
{
	for (size_t i = 0; i < sources->n_files; i++)
		free(sources->files[i].path);
	free(sources->files);
	findings_done(sources->findings);
}

static void rows_give_sections(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct findings findings = { 0 };
		struct sources sources;
		char found[OUT_BYTES];
		char dir[DIR_BYTES];
		char out[OUT_BYTES];
		struct conf *conf;

		dir_make(dir);
		put(dir, "a.conf", rows[i].text);
		if (rows[i].b)
			put(dir, "b.conf", rows[i].b);
		if (rows[i].c)
			put(dir, "sub/c.conf", rows[i].c);
		conf = read_dir(dir, &sources, &findings);
		assert_true(conf->is_read);
		describe(conf, out);
		findings_text(&findings, dir, found);
		if (strcmp(out, rows[i].sections) != 0)
			fail_msg("%s:\n%s", rows[i].what, out);
		if (strcmp(found, rows[i].findings) != 0)
			fail_msg("%s:\n%s", rows[i].what, found);
		conf_free(conf);
		sources_done(&sources);
		dir_remove(dir);
	}
}

static void switches(void **state)
{
	static const struct {
		const char *text;
		bool on;
	} words[] = { { "yes", true }, { "On", true }, { "1", true }, { "t", true },
		{ "no", false }, { "", false }, { "2", false }, { "yes!", false } };

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char text[] = "xxxxxx";
		struct conf_value value = { .key = CONF_ENABLED, .text = text };
		const struct conf_section section = { .values = &value, .n_values = 1 };

		(void)snprintf(text, sizeof(text), "%s", words[i].text);
		assert_int_equal(conf_is_on(&section, CONF_ENABLED), words[i].on);
	}
	assert_false(conf_is_on(&(struct conf_section){ 0 }, CONF_ENABLED));
}

/* ---- what is not read ---- */

static void check_findings(const char *dir, const char *expected, size_t n_sections, int error)
{
	struct findings findings = { 0 };
	struct sources sources;
	char found[OUT_BYTES];
	struct conf *conf = read_dir(dir, &sources, &findings);

	findings_text(&findings, dir, found);
	assert_string_equal(found, expected);
	assert_int_equal(conf->n_sections, n_sections);
	assert_int_equal(sources.files[0].error, error);
	assert_int_equal(conf->is_read, error == 0);
	conf_free(conf);
	sources_done(&sources);
}

static void files_that_are_none(void **state)
{
	char dir[DIR_BYTES];
	char path[128];
	char *large = alloc_zero(PBX_FILE_BYTES_MAX + 1);

	(void)state;
	dir_make(dir);
	(void)snprintf(path, sizeof(path), "%s/a.conf", dir);
	check_findings(dir, "", 0, ENOENT);
	put_bytes(dir, "a.conf", "[a]\n\0[b]\n", 9);
	check_findings(dir, "/a.conf: warning: not read: a binary file (NUL byte)\n", 0, EILSEQ);
	memset(large, '\n', PBX_FILE_BYTES_MAX + 1);
	memcpy(large, "[a]", 3);
	put_bytes(dir, "a.conf", large, PBX_FILE_BYTES_MAX);
	check_findings(dir, "", 1, 0);
	put_bytes(dir, "a.conf", large, PBX_FILE_BYTES_MAX + 1);
	check_findings(dir, "/a.conf: warning: not read: too large for a configuration\n", 0,
		EFBIG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0); /* nobody writes into it: opening must not wait */
	check_findings(dir, "/a.conf: warning: not read: no regular file\n", 0, EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("a.conf", path), 0);
	check_findings(dir, "/a.conf: warning: not read: Too many levels of symbolic links\n", 0,
		ELOOP);
	if (geteuid() != 0) { /* root may read it */
		assert_int_equal(unlink(path), 0);
		put(dir, "a.conf", "[a]\n");
		assert_int_equal(chmod(path, 0), 0);
		check_findings(dir, "/a.conf: warning: not read: Permission denied\n", 0, EACCES);
	}
	free(large);
	dir_remove(dir);
}

static void all_files_have_a_limit(void **state)
{
	char *large = alloc_zero(PBX_FILE_BYTES_MAX);
	char dir[DIR_BYTES];

	(void)state;
	dir_make(dir);
	memset(large, '\n', PBX_FILE_BYTES_MAX);
	put_bytes(dir, "b.conf", large, PBX_FILE_BYTES_MAX);
	put(dir, "a.conf",
		"#include b.conf\n#include b.conf\n#include b.conf\n#include b.conf\n[a]\n");
	check_findings(dir, "/b.conf: warning: not read: too large for a configuration\n", 1, 0);
	free(large);
	dir_remove(dir);
}

static void lines_have_a_limit(void **state)
{
	char text[2 * CONF_LINE_BYTES_MAX];
	char dir[DIR_BYTES];

	(void)state;
	dir_make(dir);
	memset(text, 'x', sizeof(text));
	memcpy(text, "[", 1);
	memcpy(text + CONF_LINE_BYTES_MAX - 1, "]\n", 3);
	put(dir, "a.conf", text);
	check_findings(dir, "", 1, 0);
	text[CONF_LINE_BYTES_MAX - 1] = 'x';
	memcpy(text + CONF_LINE_BYTES_MAX, "]\n", 3);
	put(dir, "a.conf", text);
	check_findings(dir,
		"/a.conf:1:1: warning: longer than 8190 bytes: not read, by Asterisk neither\n", 0,
		0);
	dir_remove(dir);
}

/* a.conf -> 1.conf -> ... -> 12.conf, each with a section. */
static void depth_has_a_limit(void **state)
{
	char dir[DIR_BYTES];

	(void)state;
	dir_make(dir);
	for (int i = 0; i <= 12; i++) {
		char name[32];
		char text[64];

		(void)snprintf(name, sizeof(name), i ? "%d.conf" : "a.conf", i);
		(void)snprintf(text, sizeof(text), "[%d]\n#include %d.conf\n", i, i + 1);
		put(dir, name, text);
	}
	check_findings(dir,
		"/10.conf:2:1: warning: files include each other more than 10 deep: '/11.conf' is "
		"not read\n",
		11, 0);
	dir_remove(dir);
}

/* Each of ten files includes the next one twice: 2047 readings would be 1023 too many. */
static void loads_have_a_limit(void **state)
{
	struct findings findings = { 0 };
	struct sources sources;
	char found[OUT_BYTES];
	char dir[DIR_BYTES];
	struct conf *conf;

	(void)state;
	dir_make(dir);
	for (int i = 0; i <= 10; i++) {
		char name[32];
		char text[128];

		(void)snprintf(name, sizeof(name), i ? "%d.conf" : "a.conf", i);
		(void)snprintf(text, sizeof(text), "#include %d.conf\n#include %d.conf\n%s", i + 1,
			i + 1, i ? "" : "#include 1.conf\n");
		put(dir, name, i < 10 ? text : "[x]\n");
	}
	conf = read_dir(dir, &sources, &findings);
	assert_int_equal(sources.n_loads, CONF_LOADS_MAX);
	findings_text(&findings, dir, found);
	assert_non_null(strstr(found, "more than 2000 files: the rest is not read"));
	conf_free(conf);
	sources_done(&sources);
	dir_remove(dir);
}

/* Templates that inherit twice from the one before double their settings. */
static void settings_have_a_limit(void **state)
{
	char text[4096] = "[0]\nhost=x\n";
	struct findings findings = { 0 };
	struct sources sources;
	char dir[DIR_BYTES];
	struct conf *conf;

	(void)state;
	dir_make(dir);
	for (int i = 1; i < 60; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "[%d](%d,%d)\n", i,
			i - 1, i - 1);
	put(dir, "a.conf", text);
	conf = read_dir(dir, &sources, &findings);
	assert_int_equal(conf->n_sections, 60);
	assert_int_equal(conf->n_values, CONF_VALUES_MAX);
	assert_int_equal(conf->sections[20]->n_values, CONF_SECTION_VALUES_MAX);
	assert_int_equal(findings.count, 1);
	conf_free(conf);
	sources_done(&sources);
	dir_remove(dir);
}

static void warnings_have_a_limit(void **state)
{
	struct findings findings = { 0 };
	struct sources sources;
	char dir[DIR_BYTES];
	char text[1024] = "";
	struct conf *conf;

	(void)state;
	dir_make(dir);
	for (int i = 0; i < 60; i++)
		memcpy(text + 8 * i, "#exec x\n", 9);
	put(dir, "a.conf", text);
	conf = read_dir(dir, &sources, &findings);
	assert_int_equal(findings.count, PBX_WARNINGS_MAX + 1);
	assert_string_equal(findings.list[PBX_WARNINGS_MAX].text,
		"there are more warnings from here on");
	conf_free(conf);
	sources_done(&sources);
	dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_give_sections),
		cmocka_unit_test(switches),
		cmocka_unit_test(files_that_are_none),
		cmocka_unit_test(all_files_have_a_limit),
		cmocka_unit_test(lines_have_a_limit),
		cmocka_unit_test(depth_has_a_limit),
		cmocka_unit_test(loads_have_a_limit),
		cmocka_unit_test(settings_have_a_limit),
		cmocka_unit_test(warnings_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
