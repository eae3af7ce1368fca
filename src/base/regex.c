#include "base/regex.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/pattern.h"
#include "base/text.h"

/* Room that JIT code has for backtracking; a match that needs more ends as REGEX_LIMIT. Only pages
 * that a match has touched take memory. */
enum { JIT_STACK_FIRST_BYTES = 32 * 1024, JIT_STACK_MAX_BYTES = 256 * 1024 };

struct regex {
	pcre2_code *code;
	pcre2_code *ascii; /* compiled without UTF, for subjects that are all ASCII, as most are;
			      NULL: there is none */
	pcre2_match_data *match;
	pcre2_match_context *limits;
	pcre2_jit_stack *stack; /* NULL without JIT */
	bool *negative;         /* owned; NULL unless traced: see lookarounds_find() */
	size_t pattern_length;  /* 0 unless traced */
	const char *names;      /* PCRE2's table: each row is two bytes of number, the name, NUL */
	uint32_t name_bytes;    /* size of a row */
	uint32_t n_names;
	bool is_anchored; /* a match begins at the start of the subject, if there is one */
};

static int compile_error(int code, const char *what, struct error *err)
{
	PCRE2_UCHAR text[160];

	/* -1 means that the text was cut, which will do */
	(void)pcre2_get_error_message(code, text, sizeof(text));
	return error_set(err, "%s%s", what, (const char *)text);
}

/* extra is options of pcre2_compile() such as PCRE2_UTF, or 0. */
static pcre2_code *code_new(const char *pattern, uint32_t extra, bool ignore_case,
	size_t *ret_offset, struct error *err)
{
	uint32_t options = extra | PCRE2_NEVER_BACKSLASH_C | (ignore_case ? PCRE2_CASELESS : 0);
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	pcre2_code *code;
	PCRE2_SIZE offset = 0;
	int number = 0;

	*ret_offset = 0;
	if (strlen(pattern) > REGEX_PATTERN_BYTES_MAX) {
		pcre2_compile_context_free(context);
		error_set(err, "longer than %d bytes", REGEX_PATTERN_BYTES_MAX);
		return NULL;
	}
	if (context)
		pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &number, &offset,
		context);
	pcre2_compile_context_free(context);
	if (!code) {
		*ret_offset = offset;
		compile_error(number, "", err);
	}
	return code;
}

/* Where there is no JIT for this machine, the interpreter of PCRE2 runs under the same limits. */
static int jit_compile(struct regex *regex, struct error *err)
{
	uint32_t has_jit = 0;
	int rc;

	if (pcre2_config(PCRE2_CONFIG_JIT, &has_jit) < 0 || !has_jit)
		return 0;
	rc = pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
	if (rc)
		return compile_error(rc, "JIT: ", err);
	regex->stack = pcre2_jit_stack_create(JIT_STACK_FIRST_BYTES, JIT_STACK_MAX_BYTES, NULL);
	if (!regex->stack)
		return error_set(err, "JIT: no memory for a stack");
	pcre2_jit_stack_assign(regex->limits, NULL, regex->stack);
	return 0;
}

static bool is_ascii(const char *bytes, size_t length)
{
	uint64_t high = 0;
	uint64_t words[4];
	size_t at = 0;

	for (; at + sizeof(words) <= length; at += sizeof(words)) {
		memcpy(words, bytes + at, sizeof(words));
		high |= words[0] | words[1] | words[2] | words[3];
	}
	for (; at < length; at++)
		high |= (unsigned char)bytes[at];
	return !(high & 0x8080808080808080ULL);
}

/* Compiles the pattern a second time, without UTF: such code is about a tenth faster, since it need
 * not find out where a character ends. For a subject that is all ASCII it gives the same result if
 * the pattern is ASCII too: characters are bytes; \d, \w and \s are ASCII in both; \xNN of 0x80 or
 * more is a character that the subject does not hold; the other case of an ASCII letter is ASCII,
 * or is not in the subject. A pattern with constructs that exist in UTF only does not compile this
 * way: then, or if memory is short, regex->ascii stays NULL, and the other code is used. */
static void ascii_compile(struct regex *regex, const char *pattern, bool ignore_case)
{
	size_t offset;

	if (!is_ascii(pattern, strlen(pattern)))
		return;
	regex->ascii = code_new(pattern, 0, ignore_case, &offset, NULL);
	if (!regex->ascii || !regex->stack || !pcre2_jit_compile(regex->ascii, PCRE2_JIT_COMPLETE))
		return;
	pcre2_code_free(regex->ascii);
	regex->ascii = NULL;
}

static int names_read(struct regex *regex, struct error *err)
{
	PCRE2_SPTR names = NULL;
	uint32_t groups = 0;
	uint32_t options = 0;

	if (pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &names) ||
		pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &regex->n_names) ||
		pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &regex->name_bytes) ||
		pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &groups) ||
		pcre2_pattern_info(regex->code, PCRE2_INFO_ALLOPTIONS, &options))
		return error_set(err, "cannot be inspected");
	if (groups > REGEX_GROUPS_MAX)
		return error_set(err, "more than %d groups", REGEX_GROUPS_MAX);
	regex->names = (const char *)names;
	regex->is_anchored = options & PCRE2_ANCHORED;
	return 0;
}

void regex_free(struct regex *regex)
{
	if (!regex)
		return;
	pcre2_jit_stack_free(regex->stack);
	pcre2_match_context_free(regex->limits);
	pcre2_match_data_free(regex->match);
	pcre2_code_free(regex->ascii);
	pcre2_code_free(regex->code);
	free(regex->negative);
	free(regex);
}

/* Makes all of a regex but the code, of which it takes ownership. */
static struct regex *regex_of(pcre2_code *code, struct error *err)
{
	struct regex *regex = alloc_zero(sizeof(*regex));

	regex->code = code;
	regex->match = pcre2_match_data_create_from_pattern(code, NULL);
	regex->limits = pcre2_match_context_create(NULL);
	if (!regex->match || !regex->limits) {
		error_set(err, "no memory");
		regex_free(regex);
		return NULL;
	}
	pcre2_set_heap_limit(regex->limits, REGEX_HEAP_KIB_MAX);
	return regex;
}

int regex_new(const char *pattern, bool ignore_case, struct regex **ret_regex, size_t *ret_offset,
	struct error *err)
{
	pcre2_code *code = code_new(pattern, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF, ignore_case,
		ret_offset, err);
	struct regex *regex = code ? regex_of(code, err) : NULL;

	if (!regex)
		return -1;
	if (jit_compile(regex, err) || names_read(regex, err)) {
		regex_free(regex);
		return -1;
	}
	ascii_compile(regex, pattern, ignore_case);
	*ret_regex = regex;
	return 0;
}

/* Says for each byte of the pattern whether it stands inside a negative lookaround, "(?!" or
 * "(?<!": true from the byte behind its opening parenthesis up to the closing one. The caller frees
 * the array. */
static bool *lookarounds_find(const char *pattern)
{
	bool *inside = alloc_array(strlen(pattern) + 1, sizeof(*inside));
	size_t end = 0;

	for (size_t at = 0; pattern[at]; at++) {
		inside[at] = at < end;
		if (at >= end &&
			(!strncmp(pattern + at, "(?!", 3) || !strncmp(pattern + at, "(?<!", 4)))
			end = at + pattern_group(pattern + at);
	}
	return inside;
}

int regex_new_traced(const char *pattern, bool ignore_case, struct regex **ret_regex,
	size_t *ret_offset, struct error *err)
{
	/* a start that PCRE2 skips by an optimisation would call no callout */
	pcre2_code *code = code_new(pattern,
		PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_AUTO_CALLOUT | PCRE2_NO_START_OPTIMIZE,
		ignore_case, ret_offset, err);
	struct regex *regex = code ? regex_of(code, err) : NULL;

	if (!regex)
		return -1;
	regex->negative = lookarounds_find(pattern);
	regex->pattern_length = strlen(pattern);
	*ret_regex = regex;
	return 0;
}

/* How many steps the next match may take, on a subject of so many bytes. */
static void steps_limit(struct regex *regex, size_t for_bytes)
{
	const size_t more = for_bytes < UINT32_MAX / 2 ? for_bytes : UINT32_MAX / 2;
	const uint32_t steps = REGEX_STEPS_MAX + (uint32_t)more;

	(void)pcre2_set_match_limit(regex->limits, steps); /* these cannot fail */
	(void)pcre2_set_depth_limit(regex->limits, steps);
}

struct tracer {
	const bool *negative;
	size_t pattern_length;
	struct regex_reach *reach;
};

/* Returns a copy of subject in which each byte that is not part of well-formed UTF-8 is SUB (0x1a),
 * so that all offsets stay the same; NULL if there is no such byte. Without this, PCRE2 lets no
 * match go across such a byte: ".*" would stop there. The caller frees it. */
static char *bytes_substituted(const char *subject, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)subject;
	char *copy = NULL;
	uint32_t character;
	size_t step;

	for (size_t at = 0; at < length; at += step ? step : 1) {
		step = text_sequence(bytes + at, length - at, &character);
		if (step)
			continue;
		if (!copy) {
			copy = alloc_array(length, 1);
			memcpy(copy, subject, length);
		}
		copy[at] = '\x1a';
	}
	return copy;
}

static int trace(pcre2_callout_block *block, void *context)
{
	const struct tracer *tracer = context;
	struct regex_reach *reach = tracer->reach;

	if (tracer->negative[block->pattern_position] || block->pattern_position < reach->pattern ||
		(block->pattern_position == reach->pattern &&
			block->current_position <= reach->subject))
		return 0;
	reach->pattern = block->pattern_position;
	reach->item = tracer->pattern_length - block->pattern_position;
	if (block->next_item_length < reach->item) /* not 0 behind a (?i) at the end */
		reach->item = block->next_item_length;
	reach->subject = block->current_position;
	return 0;
}

void regex_reach(struct regex *regex, const char *subject, size_t length,
	struct regex_reach *ret_reach)
{
	struct tracer tracer = { regex->negative, regex->pattern_length, ret_reach };
	cleanup_free char *copy = bytes_substituted(subject, length);

	if (copy)
		subject = copy;
	*ret_reach = (struct regex_reach){ 0 };
	steps_limit(regex, length);
	(void)pcre2_set_callout(regex->limits, trace, &tracer); /* cannot fail */
	ret_reach->is_whole = pcre2_match(regex->code, (PCRE2_SPTR)subject, length, 0, 0,
				      regex->match, regex->limits) > 0;
	(void)pcre2_set_callout(regex->limits, NULL, NULL);
}

enum regex_result regex_match(struct regex *regex, const char *subject, size_t length)
{
	bool ascii = is_ascii(subject, length);
	cleanup_free char *copy = ascii ? NULL : bytes_substituted(subject, length);
	const pcre2_code *code = regex->ascii && ascii ? regex->ascii : regex->code;
	PCRE2_SPTR text = (PCRE2_SPTR)(copy ? copy : subject);
	int rc;

	steps_limit(regex, length);
	rc = regex->stack ? pcre2_jit_match(code, text, length, 0, 0, regex->match, regex->limits)
			  : pcre2_match(code, text, length, 0, 0, regex->match, regex->limits);
	if (rc > 0)
		return REGEX_HIT;
	return rc == PCRE2_ERROR_NOMATCH ? REGEX_MISS : REGEX_LIMIT;
}

/* PCRE2_PARTIAL_HARD ends a search as soon as it looks at the end of the subject, be it for $, for
 * \b or in a lookahead, so what it says without that is true of each longer subject too. */
enum regex_result regex_match_head(struct regex *regex, const char *subject, size_t length)
{
	cleanup_free char *copy = NULL;
	int rc;

	/* at most three bytes of a character whose end is not there */
	for (int i = 0; i < 3 && length && (unsigned char)subject[length - 1] >= 0x80; i++)
		length--;
	copy = bytes_substituted(subject, length);
	steps_limit(regex, length * 4);
	/* without JIT, which would need code of its own for this */
	rc = pcre2_match(regex->code, (PCRE2_SPTR)(copy ? copy : subject), length, 0,
		PCRE2_PARTIAL_HARD | PCRE2_NO_JIT, regex->match, regex->limits);
	if (rc > 0)
		return pcre2_get_ovector_pointer(regex->match)[1] < length ? REGEX_HIT : REGEX_OPEN;
	if (rc == PCRE2_ERROR_PARTIAL)
		return REGEX_OPEN;
	if (rc != PCRE2_ERROR_NOMATCH)
		return REGEX_LIMIT;
	return regex->is_anchored ? REGEX_MISS : REGEX_OPEN;
}

bool regex_group(const struct regex *regex, unsigned group, size_t *ret_start, size_t *ret_length)
{
	const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(regex->match);

	if (group >= pcre2_get_ovector_count(regex->match) || ends[2 * group] == PCRE2_UNSET)
		return false;
	/* \K inside a lookaround can put the end before the start */
	if (ends[2 * group + 1] < ends[2 * group])
		return false;
	*ret_start = ends[2 * group];
	*ret_length = ends[2 * group + 1] - ends[2 * group];
	return true;
}

unsigned regex_name_count(const struct regex *regex)
{
	return regex->n_names;
}

const char *regex_name(const struct regex *regex, unsigned index, unsigned *ret_group)
{
	const char *row = regex->names + (size_t)index * regex->name_bytes;

	*ret_group = (unsigned)(unsigned char)row[0] << 8 | (unsigned char)row[1];
	return row + 2;
}

unsigned regex_group_number(const struct regex *regex, const char *name)
{
	int number = pcre2_substring_number_from_name(regex->code, (PCRE2_SPTR)name);

	return number > 0 ? (unsigned)number : 0;
}
