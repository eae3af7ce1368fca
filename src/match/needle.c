#include "match/needle.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "match/rule.h"

static size_t needle_add(struct filter_needles *needles, const struct literal *literal)
{
	for (size_t i = 0; i < needles->count; i++)
		if (!strcmp(needles->list[i].literal->bytes, literal->bytes))
			return i;
	needles->list = alloc_grow(needles->list, needles->count + 1, sizeof(*needles->list));
	needles->list[needles->count] = (struct filter_needle){ .literal = literal };
	return needles->count++;
}

static void rule_add(struct filter_needles *needles, struct filter_rule *rule)
{
	for (size_t i = 0; i < rule->n_literals; i++) {
		rule->needles[i] = needle_add(needles, &rule->literals[i]);
		needles->list[rule->needles[i]].users++;
	}
}

static void rule_order(const struct filter_needles *needles, struct filter_rule *rule)
{
	for (size_t i = 1; i < rule->n_literals; i++) {
		size_t index = rule->needles[i];
		size_t users = needles->list[index].users;
		size_t at = i;

		for (; at && needles->list[rule->needles[at - 1]].users < users; at--)
			rule->needles[at] = rule->needles[at - 1];
		rule->needles[at] = index;
	}
}

void filter_needles_add(struct filter_needles *needles, struct filter_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rule_add(needles, &rules[i]);
}

void filter_needles_order(const struct filter_needles *needles, struct filter_rule *rules,
	size_t count)
{
	for (size_t i = 0; i < count; i++)
		rule_order(needles, &rules[i]);
}

void filter_needles_done(struct filter_needles *needles)
{
	free(needles->list);
	*needles = (struct filter_needles){ 0 };
}

void filter_needles_next(struct filter_needles *needles)
{
	needles->text_number++;
}

bool filter_needles_allow(struct filter_needles *needles, const struct filter_rule *rule,
	const char *text, size_t length)
{
	for (size_t i = 0; i < rule->n_literals; i++) {
		struct filter_needle *needle = &needles->list[rule->needles[i]];

		if (needle->text_number != needles->text_number) {
			needle->text_number = needles->text_number;
			needle->found = prefilter_has(needle->literal, text, length);
		}
		if (!needle->found)
			return false;
	}
	return true;
}

bool filter_rule_needs(const struct filter_rule *rule, const struct literal *literal)
{
	for (size_t i = 0; i < rule->n_literals; i++)
		if (strstr(rule->literals[i].bytes, literal->bytes))
			return true;
	return false;
}

bool filter_rules_need(const struct filter_rule *rules, size_t count, const struct literal *literal)
{
	for (size_t i = 0; i < count; i++)
		if (!filter_rule_needs(&rules[i], literal))
			return false;
	return true;
}
