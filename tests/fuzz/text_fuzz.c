/* text_render(): whatever comes in, what goes out fits and can be shown. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct fuzz_input input = { bytes, length };
	size_t room = 8 + fuzz_byte(&input);
	char *out = malloc(room);
	char *all = malloc(4 * input.left + 8);

	fuzz_need(out && all, "memory");
	fuzz_need(text_render(out, room, input.at, input.left) == out, "returns out");
	fuzz_need(strlen(out) < room, "fits");
	fuzz_need_shown(out);
	fuzz_need(!strchr(out, '\n'), "one line");
	(void)text_render(all, 4 * input.left + 8, input.at, input.left);
	fuzz_need_shown(all);
	if (strlen(all) < room)
		fuzz_need(!strcmp(all, out), "the room does not change what fits");
	else
		fuzz_need(!strncmp(all, out, strlen(out) - 3) &&
				  !strcmp(out + strlen(out) - 3, "..."),
			"what does not fit ends in dots");
	free(out);
	free(all);
	return 0;
}
