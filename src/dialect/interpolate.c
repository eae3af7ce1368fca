/* Replaces %(x)s and <tag> in values: a part of dialect/tree.h. */
#include "dialect/tree.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/text.h"

enum { NAME_MAX_BYTES = 200 };

/* The state of one call of dialect_resolve or dialect_tags. */
struct resolver {
	const struct dialect *tree;
	struct dialect_view view;
	struct findings *findings; /* NULL: problems are not reported */
	struct dialect_value out;
	const struct dialect_key *stack[DIALECT_DEPTH_MAX + 1];
	unsigned depth;
	unsigned steps;
};

/* What a name stands for: a value that is resolved already, or a key whose value is still to be
 * resolved with the variables of a section. */
struct target {
	const struct dialect_value *value;
	const struct dialect_key *key;
	const struct dialect_section *section; /* NULL: that in which the name was asked for */
};

const struct dialect_option *dialect_option(const struct dialect_view *view, const char *name)
{
	for (size_t i = view->n_options; i > 0; i--)
		if (strcmp(view->options[i - 1].name, name) == 0)
			return &view->options[i - 1];
	return NULL;
}

static const struct dialect_section *find_section(const struct dialect *tree, const char *name)
{
	for (size_t i = 0; i < tree->n_sections; i++)
		if (strcasecmp(tree->sections[i]->name, name) == 0)
			return tree->sections[i];
	return NULL;
}

/* Finds what %(known/name)s stands for: the value that `asker`, the key in whose value it stands,
 * has replaced (as a .local file replaces one of a .conf file), else that of [DEFAULT]. asker is
 * NULL where a tag, <known/name>, asks. */
static const struct dialect_key *find_known(const struct dialect *tree,
	const struct dialect_view *view, const struct dialect_key *asker, const char *name)
{
	const struct dialect_section *defaults = dialect_section(tree, "DEFAULT");
	const struct dialect_key *own = dialect_own_key(view->section, name);
	const struct dialect_key *fallback = dialect_own_key(defaults, name);

	if (asker && strcmp(asker->name, name) == 0 && asker->known)
		return asker->known;
	if (asker && strcmp(asker->name, name) == 0)
		return fallback == asker || view->section == defaults ? NULL : fallback;
	if (own)
		return own->known ? own->known : own;
	return fallback && fallback->known ? fallback->known : fallback;
}

static bool find_target(const struct dialect *tree, const struct dialect_view *view,
	const struct dialect_key *asker, const char *name, struct target *ret)
{
	const struct dialect_option *option = dialect_option(view, name);
	const char *slash = strrchr(name, '/');
	cleanup_free char *section = NULL;

	*ret = (struct target){ .value = option ? &option->value : NULL };
	if (ret->value)
		return true;
	if (!slash) {
		ret->key = dialect_key(tree, view->section, name);
		return ret->key != NULL;
	}
	section = alloc_bytes(name, (size_t)(slash - name));
	if (strcmp(section, "known") == 0) {
		ret->key = find_known(tree, view, asker, slash + 1);
		return ret->key != NULL;
	}
	ret->section = find_section(tree, section);
	if (ret->section)
		ret->key = dialect_key(tree, ret->section, slash + 1);
	return ret->key != NULL;
}

static int complain(struct findings *findings, const struct position *at, const char *name,
	const char *what)
{
	if (findings)
		(void)finding_error(findings, at, "'%s' %s", text_shown_string(name).text, what);
	return -1;
}

static bool is_whole_line(const char *text, size_t from, size_t to)
{
	return (from == 0 || text[from - 1] == '\n') && (text[to] == '\0' || text[to] == '\n');
}

/* Reads "%(name)s" at raw->text[at]; name becomes lower case, *ret_end is the offset behind it.
 * False: it is not closed, or longer than NAME_MAX_BYTES. */
static bool read_reference(const struct dialect_value *raw, size_t at, char name[NAME_MAX_BYTES],
	size_t *ret_end)
{
	const char *start = raw->text + at + 2;
	const char *close = strchr(start, ')');
	size_t length = close ? (size_t)(close - start) : 0;

	if (!close || close[1] != 's' || !length || length >= NAME_MAX_BYTES)
		return false;
	memcpy(name, start, length);
	name[length] = '\0';
	(void)ascii_lower_string(name);
	*ret_end = at + length + 4;
	return true;
}

static int add_text(struct resolver *r, const struct dialect_value *value, size_t from, size_t to,
	const struct position *use)
{
	struct position at = use ? *use : dialect_at(value, from);

	if (r->out.length + (to - from) > DIALECT_VALUE_BYTES_MAX)
		return complain(r->findings, &at, r->stack[0]->name,
			"grows beyond 256 KiB when its variables are replaced");
	dialect_append(&r->out, value, from, to, use);
	return 0;
}

/* The reference at [from, to) of value has been replaced. If a ; cut its line, the last span of the
 * result remembers the cut, so that a finding about it can still tell. */
static void copy_cut(struct resolver *r, const struct dialect_value *value, size_t from, size_t to)
{
	struct dialect_span *last = &r->out.spans[r->out.n_spans - 1];
	struct position cut;

	if (dialect_cut(value, from, to, &cut) && last->at.line == cut.line &&
		last->at.file == cut.file)
		last->cut_column = cut.column;
}

/* Says whether the reference at [from, to) is a whole line, of which no ; cut off a part: then each
 * byte of its value keeps its own place in the files. */
static bool is_alone(const struct dialect_value *value, size_t from, size_t to)
{
	struct position cut;

	return is_whole_line(value->text, from, to) && !dialect_cut(value, from, to, &cut);
}

/* Adds the name of the section: what %(__name__)s stands for. */
static int add_name(struct resolver *r, const struct position *at)
{
	const char *name = r->view.section ? r->view.section->name : "DEFAULT";
	struct dialect_value value = dialect_value_of(name, strlen(name), at);
	int rc = add_text(r, &value, 0, value.length, at);

	dialect_value_done(&value);
	return rc;
}

static bool is_on_stack(const struct resolver *r, const struct dialect_key *key)
{
	for (unsigned i = 0; i < r->depth; i++)
		if (r->stack[i] == key)
			return true;
	return false;
}

static int check_step(struct resolver *r, const struct position *at, const char *name,
	const struct target *target)
{
	if (target->key && is_on_stack(r, target->key))
		return complain(r->findings, at, name, "leads back to itself");
	if (r->depth > DIALECT_DEPTH_MAX - 1)
		return complain(r->findings, at, name, "nests deeper than 10 variables");
	if (++r->steps > DIALECT_STEPS_MAX)
		return complain(r->findings, at, name, "needs too many replacements");
	return 0;
}

/* Adds the text up to the next %, and a "%%" as one %; moves *at behind what was added. -1: a %
 * stands alone, or the value is too long; this is in the findings. */
static int add_plain(struct resolver *r, const struct dialect_value *raw, size_t *at,
	const struct position *use)
{
	const char *percent = strchr(raw->text + *at, '%');
	size_t end = percent ? (size_t)(percent - raw->text) : raw->length;
	struct position place;

	if (end > *at && add_text(r, raw, *at, end, use) < 0)
		return -1;
	*at = end;
	if (!percent || percent[1] == '(')
		return 0;
	place = dialect_at(raw, end);
	if (percent[1] != '%')
		return complain(r->findings, &place, "%",
			"stands alone: write %% for a percent sign, or %(name)s");
	*at = end + 2;
	return add_text(r, raw, end, end + 1, use);
}

/* Reads the reference at *at, moves *at behind it, and adds what it stands for, unless that is a
 * key: then *ret has it, and the caller expands it. *io_use is the place that all of the result
 * counts as; NULL: its bytes keep their own places. */
static int add_reference(struct resolver *r, const struct dialect_key *asker, size_t *at,
	struct position *place, const struct position **io_use, struct target *ret)
{
	const struct dialect_value *raw = &asker->value;
	size_t start = *at;
	char name[NAME_MAX_BYTES];

	*ret = (struct target){ 0 };
	*place = *io_use ? **io_use : dialect_at(raw, start);
	if (!read_reference(raw, start, name, at))
		return complain(r->findings, place, "%(", "is not closed by )s");
	if (strcmp(name, "__name__") == 0)
		return add_name(r, place);
	if (!find_target(r->tree, &r->view, asker, name, ret))
		return complain(r->findings, place, name, "is asked for by %(…)s but set nowhere");
	if (check_step(r, place, name, ret) < 0)
		return -1;
	if (!*io_use && !is_alone(raw, start, *at))
		*io_use = place;
	if (!ret->value)
		return 0;
	if (add_text(r, ret->value, 0, ret->value->length, *io_use) < 0)
		return -1;
	copy_cut(r, raw, start, *at);
	return 0;
}

/* Adds the value of key with its references replaced. use is the place that all of it counts as;
 * NULL: its bytes keep their own places. */
static int expand(struct resolver *r, const struct dialect_key *key, const struct position *use)
{
	const struct dialect_value *raw = &key->value;
	size_t at = 0;
	int rc = 0;

	r->stack[r->depth++] = key;
	while (rc == 0 && at < raw->length) {
		const struct position *inner = use;
		struct position place;
		struct target target;
		size_t start = at;

		if (raw->text[at] != '%' || raw->text[at + 1] != '(') {
			rc = add_plain(r, raw, &at, use);
			continue;
		}
		rc = add_reference(r, key, &at, &place, &inner, &target);
		if (rc < 0 || !target.key)
			continue;
		/* the value of another section is read with the variables of this one, too */
		rc = expand(r, target.key, inner);
		copy_cut(r, raw, start, at);
	}
	r->depth--;
	return rc;
}

int dialect_resolve(const struct dialect *tree, const struct dialect_view *view,
	const struct dialect_key *key, struct dialect_value *ret_value, struct findings *findings)
{
	struct resolver r = { .tree = tree, .view = *view, .findings = findings };

	r.out = dialect_value_of("", 0, &key->at);
	if (expand(&r, key, NULL) < 0) {
		dialect_value_done(&r.out);
		return -1;
	}
	*ret_value = r.out;
	return 0;
}

/* Says whether the < at text[at] belongs to a group of a regex, "(?P<name>", "(?<name>" or "(?<=",
 * and so begins no tag. */
static bool is_group(const char *text, size_t at)
{
	return (at >= 2 && text[at - 1] == '?' && text[at - 2] == '(') ||
	       (at >= 3 && text[at - 1] == 'P' && text[at - 2] == '?' && text[at - 3] == '(');
}

/* The key of that name in the section; but if there is an option family, say with the value inet6,
 * and a section [Init?family=inet6] sets the key, that one. */
static const struct dialect_key *find_conditional(const struct resolver *r,
	const struct dialect_section *section, const char *name)
{
	const struct dialect_option *family = dialect_option(&r->view, "family");
	cleanup_free char *longer =
		family ? alloc_format("%s?family=%s", name, family->value.text) : NULL;
	const struct dialect_key *key = longer ? dialect_own_key(section, longer) : NULL;

	return key ? key : dialect_own_key(section, name);
}

/* Finds the value of a tag, resolved; the caller frees it. False: there is no such tag, and it
 * stays as it is. */
static bool find_tag(struct resolver *r, const char *name, struct dialect_value *ret_value)
{
	static const char *const known = "known/";
	const struct dialect_option *option = dialect_option(&r->view, name);
	struct dialect_view init = r->view;
	struct target target;

	if (option) {
		*ret_value = (struct dialect_value){ 0 };
		dialect_append(ret_value, &option->value, 0, option->value.length, NULL);
		return true;
	}
	init.section = dialect_section(r->tree, "Init");
	target.key = find_conditional(r, r->view.section, name);
	target.section = NULL;
	if (!target.key) {
		target.key = find_conditional(r, init.section, name);
		target.section = target.key ? init.section : NULL;
	}
	if (!target.key && strncmp(name, known, strlen(known)) == 0 &&
		dialect_option(&r->view, name + strlen(known)))
		target.key = dialect_key(r->tree, r->view.section, name + strlen(known));
	if (!target.key && !find_target(r->tree, &r->view, NULL, name, &target))
		return false;
	if (target.section)
		init.section = target.section;
	return dialect_resolve(r->tree, target.section ? &init : &r->view, target.key, ret_value,
		       r->findings) == 0;
}

/* Finds the next "<name>" from *at on that has no < inside; *at becomes its offset, *ret_end that
 * behind it. False: there is none. */
static bool next_tag(const char *text, size_t *at, char name[NAME_MAX_BYTES], size_t *ret_end)
{
	for (const char *open = text + *at; (open = strchr(open, '<')) != NULL; open++) {
		size_t length = strcspn(open + 1, "<> \t\n");
		size_t start = (size_t)(open - text);

		if (open[1 + length] != '>' || !length || length >= NAME_MAX_BYTES ||
			is_group(text, start))
			continue;
		memcpy(name, open + 1, length);
		name[length] = '\0';
		*at = start;
		*ret_end = start + length + 2;
		return true;
	}
	return false;
}

/* Replaces the tags of *value once, with r->out as the result. *ret_changed: at least one was
 * replaced. -1: this is in the findings. */
static int replace_tags(struct resolver *r, const struct dialect_value *value, bool *ret_changed)
{
	char name[NAME_MAX_BYTES];
	size_t done = 0;
	size_t at = 0;
	size_t end;

	*ret_changed = false;
	r->out = dialect_value_of("", 0, &value->spans[0].at);
	while (next_tag(value->text, &at, name, &end)) {
		struct position place = dialect_at(value, at);
		bool whole = is_alone(value, at, end);
		struct dialect_value text;
		int rc;

		if (!find_tag(r, name, &text)) {
			at++;
			continue;
		}
		rc = ++r->steps > DIALECT_STEPS_MAX
			     ? complain(r->findings, &place, name, "needs too many replacements")
			     : add_text(r, value, done, at, NULL);
		if (rc == 0)
			rc = add_text(r, &text, 0, text.length, whole ? NULL : &place);
		dialect_value_done(&text);
		if (rc < 0)
			return -1;
		copy_cut(r, value, at, end);
		*ret_changed = true;
		done = end;
		at = end;
	}
	return add_text(r, value, done, value->length, NULL);
}

int dialect_tags(const struct dialect *tree, const struct dialect_view *view,
	struct dialect_value *value, struct findings *findings)
{
	struct dialect_key asked = { .name = (char[]){ "value" } };
	struct resolver r = { .tree = tree, .view = *view, .findings = findings };
	struct position at = dialect_at(value, 0);
	bool changed = true;

	r.stack[0] = &asked;
	for (int round = 0; changed && round < DIALECT_ROUNDS_MAX; round++) {
		if (replace_tags(&r, value, &changed) < 0) {
			dialect_value_done(&r.out);
			return -1;
		}
		dialect_value_done(value);
		*value = r.out;
	}
	if (changed)
		return complain(findings, &at, "<tag>",
			"leads back to itself: replaced 25 times without an end");
	return 0;
}
