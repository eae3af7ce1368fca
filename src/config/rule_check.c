#include "config/rule_check.h"

#include <string.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "base/findings.h"
#include "base/pattern.h"
#include "base/text.h"
#include "config/config.h"
#include "config/values.h"
#include "dialect/tags.h"
#include "dialect/tree.h"

enum {
	DEPTH_MAX = 32, /* of brackets; what lies deeper is not judged */
	WORD_LETTERS_MIN = 3,
	NAMES_MAX = 512, /* more keys than that are not guessed among */
};

/* Can somebody whose text a daemon logs, a user name for example, choose the address that a rule
 * finds? Only the rule's text is known here, so only two shapes are reported, both of which let
 * such a text stand for what the daemon writes:
 *
 *   SHAPE_ANYWHERE   "refused <HOST>" has neither ^ in front nor $ behind the address, so a client
 *                    need only call itself "refused 192.0.2.1". ^.* in front is no ^, .*$ behind
 *                    is no $.
 *   SHAPE_RUNS_OVER  "^login of .* from <HOST>" has the daemon's words, then .* .+ \S+ or the like,
 *                    then the address, and no $. With .*? the rule takes the first " from ", which
 *                    may be part of the name; with .* it takes the last one, which is wrong as soon
 *                    as the daemon writes more behind the address.
 *
 * These are not reported: "^login of .* from <HOST>$" and "from <HOST>( port \d+)?$", in which the
 * address comes last, behind what a client says; "^<HOST> ", before which nothing stands; "^refused
 * '[^']*' at <HOST>", whose text ends at a mark that daemons escape; and "^\S+ \S+ daemon: " in
 * front of the first word, which is the prefix of a log. */
enum shape { SHAPE_FIXED, SHAPE_ANYWHERE, SHAPE_RUNS_OVER };

/* What stands in the rule before the place that the scan has reached. Where alternatives of a group
 * differ, each member has the value that is worse for safety. */
struct path {
	bool anchored; /* ^, and no .* between it and the first word */
	bool worded;   /* at least one word that the daemon writes has come */
	bool loose;    /* .* or the like has come behind such a word, before the address */
	bool narrow;   /* \S* or the like has come there, too */
	bool found;    /* the address has come */
	bool open;     /* .* or the like has come behind the address */
	bool closed;   /* $ has come */
};

struct level {
	struct path entry;
	struct path worst; /* of the alternatives that have ended; valid if has_worst */
	bool has_worst;
};

struct scan {
	const char *at;
	struct path path;
	struct level levels[DEPTH_MAX];
	unsigned depth;
	unsigned letters; /* that stand directly before this place */
	enum shape shape;
	bool starts;         /* ^ stands for the place where the daemon's text begins */
	const char *content; /* the tag that is looked for; NULL: an address is */
	bool content_anchored;
};

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Length of "<F-USER>" or "</F-USER>", the brackets of a group, or of "<F-PORT/>", which is one
 * word; 0: no such tag. */
static size_t tag_length(const char *text)
{
	size_t length = 1 + (text[0] && text[1] == '/');

	if (text[0] != '<' || strncmp(text + length, "F-", 2) != 0)
		return 0;
	length += strcspn(text + length, ">");
	return text[length] ? length + 1 : 0;
}

/* The length of a quantifier such as "*", "+?" or "{2,5}"; 0: there is none. *ret_many: it has no
 * upper limit; *ret_optional: it also allows none. */
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
		scan->shape = SHAPE_ANYWHERE;
	else if ((path->loose || path->narrow) && scan->shape == SHAPE_FIXED)
		scan->shape = SHAPE_RUNS_OVER;
}

/* Behind "|" the next alternative begins where the group did. */
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

	/* of alternatives with and without the address only the former are judged */
	if (level->has_worst && level->worst.found == scan->path.found)
		scan->path = worse(level->worst, scan->path);
	else if (level->has_worst && level->worst.found)
		scan->path = level->worst;
	scan->at += quantifier_length(scan->at, &many, &optional);
	if (!optional || scan->path.found != level->entry.found)
		return;
	scan->path.worded = level->entry.worded;
	scan->path.narrow = level->entry.narrow; /* a client cannot add an optional field */
	scan->path.anchored = scan->path.anchored && level->entry.anchored;
	scan->path.closed = level->entry.closed;
}

/* Returns 2 if the atom matches any byte, as "." does; 1: any but blanks, as \S does; 0: only
 * some. */
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

static void scan_catch_all(struct scan *scan, int reach)
{
	const char *next = scan->at + (scan->at[0] == ' ');
	/* a daemon itself writes "[\S+]", and a host's name in "\S+ (address)" */
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

static void scan_atom(struct scan *scan)
{
	const char *atom = scan->at;
	size_t length = pattern_piece(atom);
	bool many;
	bool optional;
	int reach = reach_of(atom, length);

	scan->at += length;
	scan->at += quantifier_length(scan->at, &many, &optional);
	scan->letters = length == 1 && ascii_is_letter(*atom) && !optional ? scan->letters + 1 : 0;
	scan->path.worded |= scan->letters >= WORD_LETTERS_MIN;
	if (many && reach)
		scan_catch_all(scan, reach);
}

/* Reads what takes no byte of the line, such as ^, or stands for an address. False: neither stands
 * here. */
static bool scan_mark(struct scan *scan)
{
	const char *at = scan->at;
	size_t length = 0;
	enum tags_kind kind = scan->content ? TAGS_OTHER : tags_kind(at, &length);

	if (scan->content && starts_with(at, scan->content)) {
		scan->content_anchored = scan->path.anchored && !scan->path.loose;
		scan->at += strlen(at);
		return true;
	}
	scan->path.found |= kind == TAGS_ADDRESS || kind == TAGS_ADDRESS_GROUP;
	if (kind == TAGS_ADDRESS) {
		scan->at += length;
		return true;
	}
	length = 0;
	if (starts_with(at, "<SKIPLINES>")) { /* the next line begins */
		scan->path.anchored = true;
		scan->path.loose = false;
		scan->path.narrow = false;
		length = strlen("<SKIPLINES>");
	} else if (at[0] == '^' || starts_with(at, "\\A")) {
		scan->path.anchored = true;
		length = pattern_piece(at);
	} else if (at[0] == '$' || starts_with(at, "\\Z") || starts_with(at, "\\z")) {
		scan->path.closed = true;
		length = pattern_piece(at);
	} else if (starts_with(at, "(?=") || starts_with(at, "(?!") || starts_with(at, "(?<=") ||
		   starts_with(at, "(?<!") || starts_with(at, "(?#")) {
		length = pattern_group(at);
	}
	scan->at += length;
	return length > 0;
}

/* The length of the opening of a group, such as "(", "(?:", "(?P<name>", "(?i:" or "<F-USER>". */
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

/* False: it nests too deep. */
static bool scan_bracket(struct scan *scan)
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
		if (scan_mark(scan)) {
			scan->letters = 0;
			continue;
		}
		if (*scan->at == '(' || *scan->at == ')' || tag_length(scan->at)) {
			if (!scan_bracket(scan))
				return;
		} else if (*scan->at == '|') {
			scan->letters = 0;
			scan->at++;
			alternate(scan);
		} else {
			scan_atom(scan);
		}
	}
	judge(scan);
}

/* The worst of the rule's alternatives. starts: the text that the rule is matched with begins where
 * the daemon's text begins, so that its ^ means something. A rule without an address, one that is
 * no failure (F-NOFAIL, F-MLFFORGET, F-MLFGAINED), or one that nests too deep is SHAPE_FIXED. */
static enum shape shape_of(const char *rule, bool starts)
{
	struct scan scan = { .at = rule, .starts = starts };

	if (strstr(rule, "<F-NOFAIL") || strstr(rule, "<F-MLFFORGET") ||
		strstr(rule, "<F-MLFGAINED"))
		return SHAPE_FIXED;
	scan_rule(&scan);
	return scan.shape;
}

/* Says whether what the prefregex passes on begins at a fixed place of the line. */
static bool hands_on_start(const char *prefregex)
{
	struct scan scan = { .at = prefregex, .starts = true, .content = "<F-CONTENT>" };

	scan_rule(&scan);
	return scan.content_anchored;
}

/* ---- the rules of one filter ---- */

struct rules {
	struct config_reader *reader;
	bool address_elsewhere; /* the prefregex or the parser finds it */
	bool is_used;           /* a rule that can be fooled is reported */
	bool starts;            /* as of shape_of() */
};

/* Says whether two delimiters touch each other, as if a tag between them were lost. */
static bool lost_tag(const char *rule)
{
	static const char *const gaps[] = { "/.+?//", "?//", "+//", "*//", "''", "\"\"",
		"':", "\\[\\]", "\\(\\)", " $", "from  " };

	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++)
		if (strstr(rule, gaps[i]))
			return true;
	return false;
}

/* Says whether the rule is a single <tag>, which a key of that name should have replaced. */
static bool is_lone_tag(const char *rule)
{
	size_t length = strspn(rule + (*rule == '<'), "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return *rule == '<' && length > 0 && strcmp(rule + 1 + length, ">") == 0;
}

static size_t collect_names(const struct dialect_section *section, const char **names, size_t count)
{
	for (size_t i = 0; section && i < section->n_keys && count < NAMES_MAX; i++)
		names[count++] = section->keys[i]->name;
	return count;
}

/* With a mode that does not exist, "<mdre-MODE>" stays as it is: no rule, for want of an address,
 * or, where the prefregex has the address (is_rule), a rule that never hits. */
static void say_lone_tag(const struct rules *rules, const char *rule, bool is_rule,
	const struct position *at)
{
	const struct dialect *tree = rules->reader->tree;
	cleanup_free char *tag = alloc_bytes(rule + 1, strlen(rule) - 2);
	const char *names[NAMES_MAX];
	size_t count = collect_names(dialect_section(tree, "Definition"), names, 0);
	const char *guess;
	char hint[128] = "";

	count = collect_names(dialect_section(tree, "Init"), names, count);
	guess = guess_word(tag, names, count);
	if (guess)
		text_format(hint, sizeof(hint), ": did you mean <%s>?", guess);
	if (is_rule)
		finding_warning(rules->reader->findings, at,
			"%s is set nowhere, so this rule never hits%s",
			text_shown_string(rule).text, hint);
	else
		values_error(rules->reader, at, "%s is set nowhere, so this is no rule%s",
			text_shown_string(rule).text, hint);
}

/* What seems to have happened to the rule's <HOST>; NULL: nothing that is known. */
static const char *host_slip(const char *rule)
{
	if (strcasestr(rule, "&lt;HOST"))
		return "a web page wrote &lt; and &gt; for < and >: write <HOST>";
	if (strcasestr(rule, "<HOST>"))
		return "<HOST> is written in capitals";
	if (strstr(rule, "<HOST"))
		return "the > of <HOST> is missing";
	return NULL;
}

/* A bracket stays open, or a quotation mark has no partner. */
static bool is_unbalanced(const char *rule)
{
	bool in_class = false;
	int depth = 0;
	int quotes = 0;

	for (const char *c = rule; *c; c++) {
		if (*c == '\\' && c[1]) {
			c++;
			continue;
		}
		quotes += *c == '"';
		if (in_class)
			in_class = *c != ']';
		else if (*c == '[')
			in_class = true;
		else
			depth += (*c == '(') - (*c == ')');
	}
	return depth != 0 || in_class || quotes % 2 != 0;
}

static void check_shape(const struct rules *rules, const char *rule, bool starts,
	const struct position *at)
{
	switch (shape_of(rule, starts)) {
	case SHAPE_FIXED:
		break;
	case SHAPE_ANYWHERE:
		finding_warning(rules->reader->findings, at,
			"this rule can be fooled: it matches anywhere in a line, also inside what a "
			"client calls itself, and so a client can have any address banned; begin it "
			"with ^ and the text in front, or end it with $ behind the address");
		break;
	case SHAPE_RUNS_OVER:
		finding_warning(rules->reader->findings, at,
			"this rule can be fooled: what stands before the address matches any text, "
			"also a second address that a client writes into its name, and so a client "
			"can have any address banned; go on to the end of the line and end it with "
			"$, without .* behind the address");
		break;
	}
}

static void check_rule(const struct rules *rules, const struct dialect_value *value, size_t from,
	size_t to)
{
	cleanup_free char *rule = alloc_bytes(value->text + from, to - from);
	bool has_address = rules->address_elsewhere || tags_say_who(rule);
	struct position at = dialect_at(value, from);
	struct position cut_at;
	bool is_cut = dialect_cut(value, from, to, &cut_at);
	const char *slip = host_slip(rule);
	const struct shown shown = text_shown_string(rule);

	if (is_lone_tag(rule) && !tags_say_who(rule) && !slip)
		say_lone_tag(rules, rule, has_address, &at);
	else if (!has_address && is_cut)
		values_error(rules->reader, &cut_at,
			"the ' ;' begins a comment and cuts the rule, which now has no address: "
			"write '\\;' for a semicolon");
	else if (!has_address && slip)
		values_error(rules->reader, &at, "the rule '%s' has no address: %s", shown.text,
			slip);
	else if (!has_address && lost_tag(rule))
		values_error(rules->reader, &at,
			"the rule '%s' has no address: <HOST> seems to be lost, as when a rule is "
			"copied from a web page",
			shown.text);
	else if (!has_address)
		values_error(rules->reader, &at,
			"the rule '%s' has no address: put <HOST> where it stands in the line",
			shown.text);
	else if (is_cut && is_unbalanced(rule))
		finding_warning(rules->reader->findings, &cut_at,
			"the ' ;' begins a comment and cuts the rule in the middle: "
			"write '\\;' for a semicolon");
	else if (rules->is_used && tags_say_who(rule))
		check_shape(rules, rule, rules->starts, &at);
}

void rule_check(struct config_reader *reader, const struct dialect_value *value,
	const struct filter_def *def, bool is_used)
{
	const char *prefix = def->prefregex.text;
	struct rules rules = {
		.reader = reader,
		.address_elsewhere = def->parser.text || (prefix && tags_say_who(prefix)),
		.is_used = is_used && !def->parser.text, /* a parser finds the address itself */
		.starts = !prefix || !strstr(prefix, "<F-CONTENT>") || hands_on_start(prefix),
	};
	size_t from;
	size_t to;
	size_t at = 0;

	if (rules.is_used && prefix && tags_say_who(prefix))
		check_shape(&rules, prefix, true, &def->prefregex.at);
	while (dialect_next_line(value, &at, &from, &to))
		check_rule(&rules, value, from, to);
}
