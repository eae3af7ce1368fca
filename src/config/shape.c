#include "config/shape.h"

#include <stddef.h>
#include <string.h>

enum { DEPTH_MAX = 32, WORD_LETTERS_MIN = 3 };

/* One way through the rule, up to some place. Of alternatives the worse counts, bit by bit. */
struct path {
	bool anchored; /* ^ and no .* before the first word */
	bool worded;   /* a word of the daemon has been */
	bool loose;    /* behind such a word and before the address stands .* or the like */
	bool narrow;   /* … stands \S* or the like */
	bool found;    /* the address has been */
	bool open;     /* a catch-all stands behind the address */
	bool closed;   /* $ */
};

struct level {
	struct path entry;
	struct path worst; /* of the alternatives that are over; valid if any is */
	bool has_worst;
};

struct scan {
	const char *at;
	struct path path;
	struct level levels[DEPTH_MAX];
	unsigned depth;
	unsigned letters; /* in a row */
	enum config_shape shape;
	bool starts;
	const char *content; /* the tag that counts as the address; NULL: addresses do */
	bool content_anchored;
};

static bool begins(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static size_t address_length(const char *text)
{
	static const char *const tags[] = { "<HOST>", "<ADDR>", "<SUBNET>", "<IP4>", "<IP6>",
		"<DNS>", "<F-ID/>" };
	static const char *const groups[] = { "<F-ID>", "(?P<host>", "(?P<ip4>", "(?P<ip6>",
		"(?P<dns>", "(?P<fid>" };

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (begins(text, tags[i]))
			return strlen(tags[i]);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (begins(text, groups[i]))
			return 1; /* its bracket is read as any other */
	return 0;
}

/* "<F-USER>" and "</F-USER>" are brackets of a group, "<F-PORT/>" is one word. */
static size_t tag_length(const char *text)
{
	size_t length = 1 + (text[0] && text[1] == '/');

	if (text[0] != '<' || strncmp(text + length, "F-", 2) != 0)
		return 0;
	length += strcspn(text + length, ">");
	return text[length] ? length + 1 : 0;
}

/* Behind the class that begins at text. */
static size_t class_length(const char *text)
{
	size_t at = 1 + (text[1] == '^');

	at += text[at] == ']';
	while (text[at] && text[at] != ']')
		at += text[at] == '\\' && text[at + 1] ? 2 : 1;
	return text[at] ? at + 1 : at;
}

static size_t atom_length(const char *text)
{
	if (text[0] == '\\' && text[1])
		return 2;
	return text[0] == '[' ? class_length(text) : 1;
}

/* Of "*", "+?", "{2,5}"; *ret_many: without an end, *ret_optional: none is enough. */
static size_t quantifier_length(const char *text, bool *ret_many, bool *ret_optional)
{
	size_t length = 0;

	*ret_many = text[0] == '*' || text[0] == '+';
	*ret_optional = text[0] == '*' || text[0] == '?';
	if (*ret_many || *ret_optional) {
		length = 1;
	} else if (text[0] == '{' && strspn(text + 1, "0123456789,") &&
		   text[1 + strspn(text + 1, "0123456789,")] == '}') {
		length = 2 + strspn(text + 1, "0123456789,");
		*ret_many = text[length - 2] == ',';
		*ret_optional = text[1] == ',' || text[1] == '0';
	}
	if (length)
		length += text[length] == '?' || text[length] == '+';
	return length;
}

/* The closing bracket of the group that begins at text, or the end. */
static size_t group_length(const char *text)
{
	unsigned depth = 0;
	size_t at = 0;

	while (text[at]) {
		depth += text[at] == '(';
		if (text[at] == ')' && --depth == 0)
			return at + 1;
		at += atom_length(text + at);
	}
	return at;
}

static struct path worse(struct path a, struct path b)
{
	return (struct path){
		.anchored = a.anchored && b.anchored,
		.worded = a.worded && b.worded,
		.loose = a.loose || b.loose,
		.narrow = a.narrow || b.narrow,
		.found = a.found || b.found,
		.open = a.open || b.open,
		.closed = a.closed && b.closed,
	};
}

static void judge(struct scan *scan)
{
	const struct path *path = &scan->path;
	bool is_end = path->closed && !path->open;

	if (!path->found || is_end)
		return;
	if (!path->anchored || !scan->starts)
		scan->shape = CONFIG_SHAPE_ANYWHERE;
	else if ((path->loose || path->narrow) && scan->shape == CONFIG_SHAPE_FIXED)
		scan->shape = CONFIG_SHAPE_RUNS_OVER;
}

/* "|": the next alternative begins where this group did. */
static void alternate(struct scan *scan)
{
	struct level *level = &scan->levels[scan->depth];

	if (scan->depth == 0)
		judge(scan);
	level->worst = level->has_worst ? worse(level->worst, scan->path) : scan->path;
	level->has_worst = true;
	scan->path = level->entry;
}

static void open_group(struct scan *scan)
{
	scan->levels[++scan->depth] = (struct level){ .entry = scan->path };
}

static void close_group(struct scan *scan)
{
	struct level *level = &scan->levels[scan->depth--];
	bool many;
	bool optional;

	/* an alternative that has the address is the one to be judged */
	if (level->has_worst && level->worst.found == scan->path.found)
		scan->path = worse(level->worst, scan->path);
	else if (level->has_worst && level->worst.found)
		scan->path = level->worst;
	scan->at += quantifier_length(scan->at, &many, &optional);
	if (!optional || scan->path.found != level->entry.found)
		return;
	scan->path.worded = level->entry.worded;
	scan->path.narrow = level->entry.narrow; /* an optional field is a daemon's */
	scan->path.anchored = scan->path.anchored && level->entry.anchored;
	scan->path.closed = level->entry.closed;
}

/* Takes any text (.), or any without blanks (\S): 2, 1; else 0. */
static int reach_of(const char *atom, size_t length)
{
	static const char *const any[] = { ".", "[\\s\\S]", "[\\S\\s]", "[^\\n]", "[\\w\\W]" };
	static const char *const some[] = { "\\S", "[^\\s]", "[^ ]", "\\D", "\\W" };

	for (size_t i = 0; i < sizeof(any) / sizeof(any[0]); i++)
		if (strlen(any[i]) == length && strncmp(any[i], atom, length) == 0)
			return 2;
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		if (strlen(some[i]) == length && strncmp(some[i], atom, length) == 0)
			return 1;
	return 0;
}

static void take_catch_all(struct scan *scan, int reach)
{
	const char *next = scan->at + (scan->at[0] == ' ');
	/* \S+ in brackets is a field of the daemon's own; "name (address)" names a host */
	bool is_field = next[0] == ']' || (next[0] == '\\' && next[1] && strchr("()[]", next[1]));

	if (scan->path.found)
		scan->path.open |= reach == 2;
	else if (!scan->path.worded)
		scan->path.anchored &= reach < 2;
	else if (reach == 2)
		scan->path.loose = true;
	else if (!is_field)
		scan->path.narrow = true;
}

static bool is_letter(const char *atom, size_t length)
{
	return length == 1 && ((*atom >= 'a' && *atom <= 'z') || (*atom >= 'A' && *atom <= 'Z'));
}

static void take_atom(struct scan *scan)
{
	const char *atom = scan->at;
	size_t length = atom_length(atom);
	bool many;
	bool optional;
	int reach = reach_of(atom, length);

	scan->at += length;
	scan->at += quantifier_length(scan->at, &many, &optional);
	scan->letters = is_letter(atom, length) && !optional ? scan->letters + 1 : 0;
	scan->path.worded |= scan->letters >= WORD_LETTERS_MIN;
	if (many && reach)
		take_catch_all(scan, reach);
}

/* Things that take no bytes of the line, or stand for an address. True: it was one. */
static bool take_mark(struct scan *scan)
{
	const char *at = scan->at;
	size_t address = scan->content ? 0 : address_length(at);
	size_t length = 0;

	if (scan->content && begins(at, scan->content)) {
		scan->content_anchored = scan->path.anchored && !scan->path.loose;
		scan->at += strlen(at);
		return true;
	}
	if (address) {
		scan->path.found = true;
		scan->at += address > 1 ? address : 0;
		if (address > 1)
			return true;
	}
	if (begins(at, "<SKIPLINES>")) { /* the next line begins */
		scan->path.anchored = true;
		scan->path.loose = false;
		scan->path.narrow = false;
		length = strlen("<SKIPLINES>");
	} else if (at[0] == '^' || begins(at, "\\A")) {
		scan->path.anchored = true;
		length = atom_length(at);
	} else if (at[0] == '$' || begins(at, "\\Z") || begins(at, "\\z")) {
		scan->path.closed = true;
		length = atom_length(at);
	} else if (begins(at, "(?=") || begins(at, "(?!") || begins(at, "(?<=") ||
		   begins(at, "(?<!") || begins(at, "(?#")) {
		length = group_length(at);
	}
	scan->at += length;
	return length > 0;
}

/* Behind "(", "(?:", "(?P<name>", "(?i:", "<F-USER>". */
static size_t opening_length(const char *at)
{
	size_t length = 1;

	if (at[0] == '<')
		return tag_length(at);
	if (at[1] != '?')
		return 1;
	length = 2 + strcspn(at + 2, ":>)(");
	return length + (at[length] == ':' || at[length] == '>');
}

/* False: too deep. */
static bool take_bracket(struct scan *scan)
{
	const char *at = scan->at;
	size_t length = opening_length(at);

	scan->letters = 0;
	if (*at == ')' || (*at == '<' && at[1] == '/')) {
		scan->at += *at == ')' ? 1 : length;
		if (scan->depth > 0)
			close_group(scan);
		return true;
	}
	scan->at += length;
	if (*at == '(' && *scan->at == ')' && at[1] == '?') { /* (?i) */
		scan->at++;
		return true;
	}
	if (*at == '<' && at[length - 2] == '/')
		return true;
	if (scan->depth + 1 >= DEPTH_MAX)
		return false;
	open_group(scan);
	return true;
}

static void scan_rule(struct scan *scan)
{
	while (*scan->at) {
		if (take_mark(scan)) {
			scan->letters = 0;
			continue;
		}
		if (*scan->at == '(' || *scan->at == ')' || tag_length(scan->at)) {
			if (!take_bracket(scan))
				return;
		} else if (*scan->at == '|') {
			scan->letters = 0;
			scan->at++;
			alternate(scan);
		} else {
			take_atom(scan);
		}
	}
	judge(scan);
}

enum config_shape config_shape_of(const char *rule, bool starts)
{
	struct scan scan = { .at = rule, .starts = starts };

	if (strstr(rule, "<F-NOFAIL") || strstr(rule, "<F-MLFFORGET") ||
		strstr(rule, "<F-MLFGAINED"))
		return CONFIG_SHAPE_FIXED;
	scan_rule(&scan);
	return scan.shape;
}

bool config_shape_starts(const char *prefregex)
{
	struct scan scan = { .at = prefregex, .starts = true, .content = "<F-CONTENT>" };

	scan_rule(&scan);
	return scan.content_anchored;
}
