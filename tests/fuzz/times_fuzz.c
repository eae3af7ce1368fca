/* duration_parse() and duration_format(). */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/times.h"

static const int64_t LIMIT_S = 100000000000;

static void format_check(int64_t duration_s)
{
	char *out = malloc(DURATION_TEXT_MAX); /* of its own: the sanitizer knows its end */

	fuzz_need(out, "memory");
	fuzz_need(duration_format(duration_s, out) == out, "returns out");
	fuzz_need(*out && strlen(out) < DURATION_TEXT_MAX, "fits");
	fuzz_need_shown(out);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct fuzz_input input = { bytes, length };
	char *text = fuzz_text(&input, '\0');
	struct error err = { "" };
	int64_t seconds = 12345;
	int64_t any;
	int rc = duration_parse(text, &seconds, &err);

	if (rc == 0) {
		fuzz_need(seconds > -LIMIT_S && seconds < LIMIT_S, "a span of some thousand years");
		format_check(seconds);
	} else {
		fuzz_need(rc == -1 && seconds == 12345, "no result on failure");
		fuzz_need(err.text[0], "says why");
		fuzz_need_shown(err.text);
	}
	any = (int64_t)((uint64_t)fuzz_number(&input) << 32 | fuzz_number(&input));
	format_check(any);
	free(text);
	return 0;
}
