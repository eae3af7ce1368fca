/* tests/hostile/NAME.txt belongs to filters/NAME.conf: lines of its log in which the texts that a
 * client chooses are marked,
 *
 *     «NAME:WRITTEN:MAX=TEXT»
 *
 * so that WRITTEN says how the service writes such a text (see escapes[]), MAX how many bytes of it
 * at most (left out: any number), and TEXT is an ordinary one. In each mark of each line hostile
 * texts are put, one after another: long ones, and such as look like the server's words with the
 * address 203.0.113.77. The filter has to name 203.0.113.5, which stands in the line, and never
 * another address. Remarks before a line, for that line:
 *
 *     # silent: FIELD/TEXT: why          nothing is named here, and it cannot be helped
 *     # either: FIELD/TEXT: why          nothing, or the true address
 *
 * (FIELD/TEXT is a pattern; the text's name is printed where it fails), and from their line on:
 *
 *     # options: mode=aggressive         of the filter
 *     # ipv4: why                        no other address is tried
 *     # cut: 8192                        so long lines are cut on their way: the text is also made
 *                                        so long that the cut comes right behind its address
 *
 * Each rule must hit a line with ordinary texts. */
/* cmocka.h wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fnmatch.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/findings.h"
#include "base/ip.h"
#include "config/config.h"
#include "follow/line.h"
#include "follow/tail.h"
#include "match/filter.h"
#include "match/hostile_writers.h"

enum { LINES_MAX = 64, FIELDS_MAX = 8, TEXTS_MAX = 200, SETS_MAX = 8 };
enum { EXCEPTIONS_MAX = 16, RULES_MAX = 100, TOLD_MAX = 12, NAME_MAX_BYTES = 64 };

#define TRUE_ADDRESS "203.0.113.5"
#define TRUE_ADDRESS_6 "2001:db8:bad::5"
#define OTHER_ADDRESS "203.0.113.77"

static const int64_t now_s = 1798800000;

/* ---- the lines of a file ---- */

struct field {
	char name[NAME_MAX_BYTES];
	size_t escape; /* in escapes[] */
	size_t max;    /* bytes of the client's */
	struct text plain;
	struct text behind; /* the line's text from here to the next mark or the end */
};

struct exception {
	char *pattern; /* owned */
	bool either;
};

/* The filter with one set of options. */
struct set {
	char *call; /* owned */
	struct config *config;
	struct filter_def def;
	struct filter *filter;
	bool seen[RULES_MAX]; /* rules that hit, from 1 */
};

struct sample {
	unsigned number; /* of its line in the file */
	struct set *set; /* borrowed */
	size_t cut;      /* 0: at no length */
	bool only_ipv4;
	struct text start;
	struct field fields[FIELDS_MAX];
	size_t n_fields;
	struct exception exceptions[EXCEPTIONS_MAX];
	size_t n_exceptions;
};

/* A hostile text, as the client sends it. */
struct hostile {
	char name[NAME_MAX_BYTES];
	struct text text;
};

struct table {
	const char *name; /* of the filter */
	struct sample samples[LINES_MAX];
	size_t n_samples;
	struct set sets[SETS_MAX];
	size_t n_sets;
	struct hostile hostile[TEXTS_MAX];
	size_t n_hostile;
	const char *address; /* the true one */
	size_t tried;
	size_t failed;
};

static void filter_renew(struct set *set)
{
	struct findings findings = { 0 };

	filter_free(set->filter);
	set->filter = filter_new(&set->def, &findings);
	assert_non_null(set->filter);
	findings_done(&findings);
}

static struct set *set_of(struct table *table, const char *options)
{
	cleanup_free char *call = alloc_format(*options ? "%s[%s]" : "%s%s", table->name, options);
	struct findings findings = { 0 };
	struct set *set;

	for (size_t i = 0; i < table->n_sets; i++)
		if (!strcmp(table->sets[i].call, call))
			return &table->sets[i];
	assert_true(table->n_sets < SETS_MAX);
	set = &table->sets[table->n_sets++];
	set->call = alloc_string(call);
	if (!config_load_filter(NULL, "filters", call, false, &set->config, &set->def, &findings))
		set->filter = filter_new(&set->def, &findings);
	if (!set->filter || findings.count)
		fail_msg("%s: %s", call, findings.count ? findings.list[0].text : "");
	findings_done(&findings);
	return set;
}

/* Reads «NAME:WRITTEN:MAX=TEXT», of which text is what stands between the marks. */
static void field_read(struct field *field, const char *path, unsigned number, const char *text,
	size_t length)
{
	cleanup_free char *copy = alloc_bytes(text, length);
	char *plain = strchr(copy, '=');
	char *written = strchr(copy, ':');
	char *max;

	if (!plain || !written || plain < written)
		fail_msg("%s:%u: cannot be read: %s", path, number, copy);
	*plain++ = '\0';
	*written++ = '\0';
	max = strchr(written, ':');
	if (max)
		*max++ = '\0';
	(void)snprintf(field->name, sizeof(field->name), "%s", copy);
	field->max = max ? strtoul(max, NULL, 10) : SIZE_MAX;
	text_add_string(&field->plain, plain);
	while (field->escape < sizeof(escapes) / sizeof(*escapes) &&
		strcmp(escapes[field->escape].name, written))
		field->escape++;
	if (field->escape == sizeof(escapes) / sizeof(*escapes))
		fail_msg("%s:%u: nobody writes like '%s'", path, number, written);
}

static void sample_read(struct sample *sample, const char *path, const char *line)
{
	static const char open[] = "\xc2\xab";
	static const char close[] = "\xc2\xbb";
	struct text *part = &sample->start;

	text_add_string(part, "");
	for (;;) {
		const char *mark = strstr(line, open);
		const char *end = mark ? strstr(mark, close) : NULL;

		text_add(part, line, mark ? (size_t)(mark - line) : strlen(line));
		if (!mark)
			return;
		assert_non_null(end);
		assert_true(sample->n_fields < FIELDS_MAX);
		field_read(&sample->fields[sample->n_fields], path, sample->number,
			mark + strlen(open), (size_t)(end - mark) - strlen(open));
		part = &sample->fields[sample->n_fields++].behind;
		text_add_string(part, "");
		line = end + strlen(close);
	}
}

/* The text behind "# WORD: ", or NULL. */
static const char *remark(const char *line, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(line, "# ", 2) || strncmp(line + 2, word, length) || line[2 + length] != ':')
		return NULL;
	line += 3 + length;
	return line + strspn(line, " ");
}

static void exception_add(struct sample *sample, const char *text, bool either)
{
	struct exception *exception = &sample->exceptions[sample->n_exceptions++];

	assert_true(sample->n_exceptions < EXCEPTIONS_MAX);
	if (!strchr(text, ':'))
		fail_msg("without a reason: %s", text);
	exception->pattern = alloc_bytes(text, strcspn(text, ":"));
	exception->either = either;
}

static void table_read(struct table *table, const char *path)
{
	FILE *file = fopen(path, "re");
	char options[NAME_MAX_BYTES] = "";
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	size_t cut = 0;
	bool only_ipv4 = false;
	unsigned number = 0;

	if (!file)
		fail_msg("%s is missing", path);
	while ((length = getline(&line, &room, file)) > 0) {
		struct sample *sample = &table->samples[table->n_samples];
		const char *text;

		assert_true(table->n_samples + 1 < LINES_MAX);
		number++;
		line[length -= line[length - 1] == '\n'] = '\0';
		if ((text = remark(line, "silent")) || (text = remark(line, "either")))
			exception_add(sample, text, remark(line, "either") != NULL);
		else if ((text = remark(line, "options")))
			(void)snprintf(options, sizeof(options), "%s", text);
		else if ((text = remark(line, "cut")))
			cut = strtoul(text, NULL, 10);
		only_ipv4 |= remark(line, "ipv4") != NULL;
		if (!*line || *line == '#')
			continue;
		sample->number = number;
		sample->cut = cut;
		sample->only_ipv4 = only_ipv4;
		sample->set = set_of(table, options);
		sample_read(sample, path, line);
		table->n_samples++;
	}
	free(line);
	(void)fclose(file);
}

static void table_done(struct table *table)
{
	for (size_t i = 0; i < table->n_samples; i++) {
		struct sample *sample = &table->samples[i];

		free(sample->start.bytes);
		for (size_t k = 0; k < sample->n_fields; k++) {
			free(sample->fields[k].plain.bytes);
			free(sample->fields[k].behind.bytes);
		}
		for (size_t k = 0; k < sample->n_exceptions; k++)
			free(sample->exceptions[k].pattern);
	}
	for (size_t i = 0; i < table->n_sets; i++) {
		filter_free(table->sets[i].filter);
		config_free(table->sets[i].config);
		free(table->sets[i].call);
	}
}

/* ---- lines that are made of them ---- */

/* Adds text with one address in place of the true one. */
static void text_add_for(struct text *out, const struct text *text, const char *address)
{
	const char *at = text->bytes;
	const char *found;

	while ((found = strstr(at, TRUE_ADDRESS))) {
		text_add(out, at, (size_t)(found - at));
		text_add_string(out, address);
		at = found + strlen(TRUE_ADDRESS);
	}
	text_add_string(out, at);
}

/* Adds `text` as the service writes it for the field. */
static void value_add(struct text *out, const struct field *field, const struct text *text)
{
	for (size_t i = 0; i < text->length && i < field->max; i++)
		escapes[field->escape].write(out, (unsigned char)text->bytes[i]);
}

/* Adds the line up to the field, with ordinary texts before it. */
static void head_add(struct text *out, const struct sample *sample, size_t field,
	const char *address)
{
	text_add_for(out, &sample->start, address);
	for (size_t i = 0; i < field; i++) {
		value_add(out, &sample->fields[i], &sample->fields[i].plain);
		text_add_for(out, &sample->fields[i].behind, address);
	}
}

/* Adds the line from behind the field on. */
static void rest_add(struct text *out, const struct sample *sample, size_t field,
	const char *address)
{
	text_add_for(out, &sample->fields[field].behind, address);
	for (size_t i = field + 1; i < sample->n_fields; i++) {
		value_add(out, &sample->fields[i], &sample->fields[i].plain);
		text_add_for(out, &sample->fields[i].behind, address);
	}
}

/* ---- hostile texts ---- */

static struct text *hostile_new(struct table *table, const char *name)
{
	struct hostile *hostile = &table->hostile[table->n_hostile++];

	assert_true(table->n_hostile < TEXTS_MAX);
	*hostile = (struct hostile){ 0 };
	(void)snprintf(hostile->name, sizeof(hostile->name), "%s", name);
	return &hostile->text;
}

static void hostile_add(struct table *table, const char *name, const char *text)
{
	text_add_string(hostile_new(table, name), text);
}

static void hostile_done(struct table *table)
{
	while (table->n_hostile)
		free(table->hostile[--table->n_hostile].text.bytes);
}

static void pads_make(struct table *table)
{
	static const struct {
		const char *name;
		const char *piece;
	} kinds[] = { { "plain", "a" }, { "quote", "\"" }, { "backslash", "\\" }, { "blank", " " },
		{ "byte", "\xff" }, { "slash", "/" }, { "bracket", "[" }, { "close", "} " },
		{ "from", " from " }, { "colon", ": " } };
	static const size_t lengths[] = { 4000, 8100, 20000 };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		for (size_t k = 0; k < sizeof(lengths) / sizeof(*lengths); k++) {
			char name[NAME_MAX_BYTES];
			struct text *text;

			(void)snprintf(name, sizeof(name), "pad-%s-%zu", kinds[i].name, lengths[k]);
			text = hostile_new(table, name);
			while (text->length < lengths[k])
				text_add_string(text, kinds[i].piece);
		}
}

static void words_make(struct table *table)
{
	hostile_add(table, "from", "x from " OTHER_ADDRESS);
	hostile_add(table, "from-port", "x from " OTHER_ADDRESS " port 22");
	hostile_add(table, "rhost", "x rhost=" OTHER_ADDRESS);
	hostile_add(table, "rhost-user", "x rhost=" OTHER_ADDRESS "  user=x");
	hostile_add(table, "host-tag", OTHER_ADDRESS " <HOST>");
	hostile_add(table, "address", OTHER_ADDRESS);
	hostile_add(table, "square", "x] [" OTHER_ADDRESS "]");
	hostile_add(table, "round", "x) (" OTHER_ADDRESS ")");
	hostile_add(table, "angle", "x> <" OTHER_ADDRESS ">");
	hostile_add(table, "quoted", "x\" \"" OTHER_ADDRESS "\"");
	hostile_add(table, "single", "x' '" OTHER_ADDRESS "'");
	hostile_add(table, "client", "x\", client: " OTHER_ADDRESS ", server: x");
	hostile_add(table, "mkdir", "x] OK MKDIR: Client \"" OTHER_ADDRESS "\", \"/x");
}

/* The lines of the filter with another address. */
static void lines_make(struct table *table, const struct sample *sample)
{
	for (size_t i = 0; i < table->n_samples; i++) {
		const struct sample *other = &table->samples[i];
		char name[NAME_MAX_BYTES];
		struct text *text;

		if (other->set != sample->set)
			continue;
		(void)snprintf(name, sizeof(name), "line-%u", other->number);
		head_add(hostile_new(table, name), other, other->n_fields, OTHER_ADDRESS);
		(void)snprintf(name, sizeof(name), "newline-%u", other->number);
		text = hostile_new(table, name);
		text_add_string(text, "x\n");
		head_add(text, other, other->n_fields, OTHER_ADDRESS);
		text_add_string(text, "\n");
	}
}

/* What stands behind a mark in a line of the filter, with another address, so that the text seems
 * to end, and the server to go on: all of it, up to the address, and up to the address at the place
 * where a long line is cut. */
static void tails_make(struct table *table, const struct sample *sample)
{
	for (size_t i = 0; i < table->n_samples; i++) {
		const struct sample *other = &table->samples[i];

		for (size_t k = 0; other->set == sample->set && k < other->n_fields; k++) {
			char name[NAME_MAX_BYTES];
			struct text *text;
			const char *end;

			(void)snprintf(name, sizeof(name), "tail-%u-%zu", other->number, k);
			text = hostile_new(table, name);
			text_add_string(text, "x");
			rest_add(text, other, k, OTHER_ADDRESS);
			end = strstr(text->bytes, OTHER_ADDRESS);
			if (!end)
				continue;
			(void)snprintf(name, sizeof(name), "half-%u-%zu", other->number, k);
			text_add(hostile_new(table, name), text->bytes,
				(size_t)(end - text->bytes) + strlen(OTHER_ADDRESS));
		}
	}
}

/* Makes the texts of tails_make() that end at the address so long that a line that is cut on its
 * way ends there. */
static void cuts_make(struct table *table, const struct sample *sample, size_t field)
{
	const size_t n = table->n_hostile;
	struct text head = { 0 };

	if (!sample->cut)
		return;
	head_add(&head, sample, field, table->address);
	for (size_t i = 0; i < n; i++) {
		const struct text *half = &table->hostile[i].text;
		char name[NAME_MAX_BYTES];
		struct text written = { 0 };
		struct text *text;

		if (strncmp(table->hostile[i].name, "half", 4) != 0)
			continue;
		(void)snprintf(name, sizeof(name), "cut%s", table->hostile[i].name + 4);
		value_add(&written, &sample->fields[field], half);
		text = hostile_new(table, name);
		half = &table->hostile[i].text;
		while (head.length + written.length + text->length < sample->cut)
			text_add_string(text, "x");
		text_add(text, half->bytes, half->length);
		free(written.bytes);
	}
	free(head.bytes);
}

/* ---- judging ---- */

/* What the filter says of one text in one field. */
struct verdict {
	bool hit;   /* the true address */
	bool other; /* or another */
	char host[NAME_MAX_BYTES];
};

static void piece_judge(const struct table *table, const struct sample *sample, const char *piece,
	size_t length, struct verdict *verdict)
{
	struct line line = { .text = piece, .length = length };
	struct hit hit;

	if (sample->cut && line.length > sample->cut)
		line.length = sample->cut;
	if (line.length > TAIL_LINE_MAX) {
		line.length = TAIL_LINE_MAX;
		line.cut = true;
	}
	if (filter_match(sample->set->filter, &line, now_s, &hit) != FILTER_HIT)
		return;
	sample->set->seen[hit.rule < RULES_MAX ? hit.rule : 0] = true;
	if (hit.host_length == strlen(table->address) &&
		!memcmp(hit.host, table->address, hit.host_length)) {
		verdict->hit = true;
		return;
	}
	verdict->other = true;
	(void)snprintf(verdict->host, sizeof(verdict->host), "%.*s", (int)hit.host_length,
		hit.host);
}

/* A newline that the service has left makes several lines of one. */
static struct verdict line_judge(const struct table *table, const struct sample *sample,
	const struct text *line)
{
	struct verdict verdict = { 0 };
	const char *at = line->bytes;
	const char *end = at + line->length;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t length = (size_t)((newline ? newline : end) - at);

		piece_judge(table, sample, at, length, &verdict);
		at += length + 1;
	}
	return verdict;
}

static const struct exception *exception_find(const struct sample *sample, const char *what)
{
	for (size_t i = 0; i < sample->n_exceptions; i++)
		if (fnmatch(sample->exceptions[i].pattern, what, 0) == 0)
			return &sample->exceptions[i];
	return NULL;
}

static void line_check(struct table *table, const struct sample *sample, const char *field,
	const char *name, const struct text *line)
{
	const struct verdict verdict = line_judge(table, sample, line);
	cleanup_free char *what = alloc_format("%s/%s", field, name);
	const struct exception *exception = exception_find(sample, what);
	const char *fault = NULL;

	if (sample->set->def.parser.text) /* a broken one waits for its rest */
		filter_renew(sample->set);
	table->tried++;
	if (verdict.other)
		fault = "names another address";
	else if (verdict.hit && exception && !exception->either)
		fault = "names the true address, which is said to be impossible";
	else if (!verdict.hit && !exception)
		fault = "names nobody";
	if (fault && table->failed++ < TOLD_MAX)
		print_error("not ok - %s:%u (%s): %s %s %s\n", table->name, sample->number,
			table->address, what, fault, verdict.host);
}

static void field_check(struct table *table, const struct sample *sample, size_t field)
{
	if (!strcmp(table->address, TRUE_ADDRESS)) /* the other takes no other way */
		pads_make(table);
	words_make(table);
	lines_make(table, sample);
	tails_make(table, sample);
	cuts_make(table, sample, field);
	for (size_t i = 0; i < table->n_hostile; i++) {
		struct text line = { 0 };

		head_add(&line, sample, field, table->address);
		value_add(&line, &sample->fields[field], &table->hostile[i].text);
		rest_add(&line, sample, field, table->address);
		line_check(table, sample, sample->fields[field].name, table->hostile[i].name,
			&line);
		free(line.bytes);
	}
	hostile_done(table);
}

/* The same text in each field. */
static void all_check(struct table *table, const struct sample *sample)
{
	if (sample->n_fields > 1)
		pads_make(table);
	for (size_t i = 0; i < table->n_hostile; i++) {
		struct text line = { 0 };

		text_add_for(&line, &sample->start, table->address);
		for (size_t k = 0; k < sample->n_fields; k++) {
			value_add(&line, &sample->fields[k], &table->hostile[i].text);
			text_add_for(&line, &sample->fields[k].behind, table->address);
		}
		line_check(table, sample, "all", table->hostile[i].name, &line);
		free(line.bytes);
	}
	hostile_done(table);
}

static void samples_check(struct table *table, const char *address)
{
	table->address = address;
	for (size_t i = 0; i < table->n_samples; i++) {
		const struct sample *sample = &table->samples[i];
		struct text line = { 0 };

		if (sample->only_ipv4 && strcmp(address, TRUE_ADDRESS) != 0)
			continue;
		head_add(&line, sample, sample->n_fields, address);
		line_check(table, sample, "-", "ordinary", &line);
		free(line.bytes);
		for (size_t k = 0; k < sample->n_fields; k++)
			field_check(table, sample, k);
		if (!strcmp(address, TRUE_ADDRESS))
			all_check(table, sample);
	}
}

/* Has the rule hit with any set of options? */
static bool text_seen(const struct table *table, const char *text)
{
	for (size_t i = 0; i < table->n_sets; i++) {
		const struct set *set = &table->sets[i];

		for (unsigned rule = 1; *filter_rule_text(set->filter, rule); rule++)
			if (set->seen[rule] && !strcmp(filter_rule_text(set->filter, rule), text))
				return true;
	}
	return false;
}

static void seen_check(struct table *table)
{
	for (size_t i = 0; i < table->n_sets; i++) {
		const struct set *set = &table->sets[i];

		for (unsigned rule = 1; *filter_rule_text(set->filter, rule); rule++)
			if (!text_seen(table, filter_rule_text(set->filter, rule)) &&
				table->failed++ < TOLD_MAX)
				print_error("not ok - %s: no line for rule %u of %s\n", table->name,
					rule, set->call);
	}
}

static size_t filter_check(const char *name)
{
	struct table *table = alloc_zero(sizeof(*table));
	cleanup_free char *path = alloc_format("tests/hostile/%s.txt", name);
	size_t failed;

	table->name = name;
	table_read(table, path);
	samples_check(table, TRUE_ADDRESS);
	samples_check(table, TRUE_ADDRESS_6);
	seen_check(table);
	failed = table->failed;
	print_message("%s - %s: %zu of %zu\n", failed ? "not ok" : "ok", name,
		table->tried - failed, table->tried);
	table_done(table);
	free(table);
	return failed;
}

static void shipped_filters(void **state)
{
	size_t failed = 0;
	glob_t files;

	(void)state;
	assert_int_equal(glob("filters/*.conf", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *start = strrchr(files.gl_pathv[i], '/') + 1;
		cleanup_free char *name = alloc_format("%.*s", (int)(strlen(start) - 5), start);

		if (!strstr(name, "common")) /* holds text for others */
			failed += filter_check(name);
	}
	globfree(&files);
	assert_int_equal(failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(shipped_filters) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
