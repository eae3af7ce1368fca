/* "name[a=1]" of filters and actions. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "dialect/bracket.h"

static void call_check(const struct bracket *call, size_t length)
{
	fuzz_need(call->n_options <= BRACKET_OPTIONS_MAX, "a bounded list");
	fuzz_need(!call->name || call->offset <= length, "the name is in the text");
	if (call->name)
		fuzz_touch(call->name, strlen(call->name));
	for (size_t i = 0; i < call->n_options; i++) {
		const struct bracket_option *option = &call->options[i];

		fuzz_need(option->name && option->value, "an option has both");
		fuzz_need(option->name_offset <= length && option->value_offset <= length,
			"options are in the text");
		fuzz_need(strlen(option->name) + strlen(option->value) <= length, "no longer");
		fuzz_need(bracket_find(call, option->name) != NULL, "finds what it has");
	}
}

static void read_all(const char *text,
	int (*next)(const char *, size_t *, struct bracket *, size_t *, struct error *))
{
	size_t length = strlen(text);
	size_t offset = 0;
	bool more = true;

	for (size_t rounds = 0; more; rounds++) {
		struct error err = { "" };
		struct bracket call;
		size_t before = offset;
		size_t wrong = 0;
		int rc = next(text, &offset, &call, &wrong, &err);

		if (rc < 0) {
			fuzz_need(wrong <= length && err.text[0], "says what and where");
			fuzz_need_shown(err.text);
		} else {
			call_check(&call, length);
			fuzz_need(offset <= length && offset >= before, "moves on");
			fuzz_need(!call.name || offset > before, "does not stand still");
		}
		more = rc == 0 && call.name;
		fuzz_need(rounds <= length + 1, "comes to an end");
		bracket_done(&call);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct fuzz_input input = { bytes, length };
	char *text = fuzz_text(&input, '\0');

	read_all(text, bracket_parse);
	read_all(text, bracket_next);
	free(text);
	return 0;
}
