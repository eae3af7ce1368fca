/* A filter out of the input, and lines for it. Input: rules, an empty line, log lines. A rule line
 * begins with what it is: f(ailregex), i(gnoreregex), p(refregex), d(atepattern), z(one); u: names
 * may match <HOST>; m: two lines at once, j: a filter of the journal. Without d no line has a date.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/findings.h"
#include "config/config.h"
#include "follow/line.h"
#include "match/filter.h"

enum { RULES_MAX = 16, LINES_MAX = 40 };

/* The definition and the memory of its texts. */
struct rules {
	struct filter_def def;
	struct config_text fails[RULES_MAX];
	struct config_text ignores[RULES_MAX];
	struct config_text dates[RULES_MAX];
	char *owned[RULES_MAX];
	size_t n_owned;
};

static void rule_add(struct rules *rules, char *text)
{
	struct config_text rule = { text + (*text != '\0'), { "fuzz.conf", 1, 3 } };

	rules->owned[rules->n_owned++] = text;
	switch (*text) {
	case 'f':
		rules->fails[rules->def.n_failregex++] = rule;
		break;
	case 'i':
		rules->ignores[rules->def.n_ignoreregex++] = rule;
		break;
	case 'd':
		rules->dates[rules->def.n_datepattern++] = rule;
		break;
	case 'p':
		rules->def.prefregex = rule;
		break;
	case 'z':
		rules->def.logtimezone = rule;
		break;
	case 'u':
		rules->def.usedns = text[1] == 'r' ? USEDNS_RAW : USEDNS_YES;
		break;
	case 'm':
		rules->def.maxlines = 2 + (text[1] & 7U);
		break;
	case 'j':
		rules->def.journal = true;
		break;
	}
}

static void rules_read(struct rules *rules, struct fuzz_input *input)
{
	static char none[] = "{NONE}";

	*rules = (struct rules){ .def = { .maxlines = 1, .usedns = USEDNS_NO } };
	rules->def.name = rules->def.path = none;
	rules->def.failregex = rules->fails;
	rules->def.ignoreregex = rules->ignores;
	rules->def.datepattern = rules->dates;
	while (rules->n_owned < RULES_MAX) {
		char *text = fuzz_text(input, '\n');

		rule_add(rules, text);
		if (!*text)
			break;
	}
	if (!rules->def.n_datepattern)
		rules->dates[rules->def.n_datepattern++] = (struct config_text){ .text = none };
}

static void hit_check(const struct rules *rules, const struct filter *filter, const struct hit *hit)
{
	fuzz_need(hit->rule <= rules->def.n_failregex, "one of the rules");
	fuzz_touch(filter_rule_text(filter, hit->rule), 1);
	fuzz_need(hit->at_ms <= FUZZ_NOW_S * INT64_C(1000) + 999, "not in the future");
	if (!hit->rule) /* ignored before any rule was tried */
		return;
	fuzz_need(hit->host && hit->host_length, "names somebody");
	fuzz_need(hit->host_length <= HIT_TEXT_MAX && hit->account_length <= HIT_TEXT_MAX, "cut");
	fuzz_touch(hit->host, hit->host_length);
	if (hit->account)
		fuzz_touch(hit->account, hit->account_length);
	fuzz_need(hit->ip.family == 0 || hit->ip.family == 4 || hit->ip.family == 6, "a family");
	if (hit->ip.family) {
		struct ip masked = ip_mask(&hit->ip, hit->ip.bits);

		fuzz_need(ip_equal(&masked, &hit->ip), "no bits behind the prefix");
	}
	fuzz_need(hit->n_fields <= HIT_FIELDS_MAX, "bounded fields");
	for (size_t i = 0; i < hit->n_fields; i++) {
		fuzz_need(*hit->fields[i].name && hit->fields[i].length &&
				  hit->fields[i].length <= HIT_TEXT_MAX,
			"a field says something");
		fuzz_touch(hit->fields[i].value, hit->fields[i].length);
	}
}

static enum filter_result match_check(const struct rules *rules, struct filter *filter,
	const char *line, size_t length)
{
	struct hit hit;
	enum filter_result result = filter_match(filter,
		&(struct line){ .text = line, .length = length }, FUZZ_NOW_S, &hit);

	if (result != FILTER_MISS)
		hit_check(rules, filter, &hit);
	if (filter_match(filter,
		    &(struct line){ .text = line, .length = length, .dated = true, .at_ms = 1000 },
		    FUZZ_NOW_S, &hit) != FILTER_MISS)
		hit_check(rules, filter, &hit);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct fuzz_input input = { bytes, length };
	struct findings findings = { 0 };
	struct filter *filter;
	struct rules rules;

	rules_read(&rules, &input);
	filter = filter_new(&rules.def, &findings);
	fuzz_need(filter || findings.errors, "says why not");
	for (size_t i = 0; i < findings.count; i++)
		fuzz_need_shown(findings.list[i].text);
	for (int i = 0; i < LINES_MAX && filter && !fuzz_is_at_end(&input); i++) {
		size_t line_length;
		char *line = fuzz_piece(&input, '\n', &line_length);

		(void)match_check(&rules, filter, line, line_length);
		free(line);
	}
	filter_free(filter);
	findings_done(&findings);
	for (size_t i = 0; i < rules.n_owned; i++)
		free(rules.owned[i]);
	return 0;
}
