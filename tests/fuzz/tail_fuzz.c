/* Following a log over the borders of chunks: lines of any lengths, written in pieces, with reads
 * and restarts in between, are those that stand in the log, and each step is one forward. Input: as
 * tests/unit/follow/tail_model.h says. */
#include "fuzz.h"

#include "follow/tail_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct model model;
	int free_fd = fuzz_free_fd();

	model_run(&model, bytes, length);
	fuzz_need(!model.fault, model.fault);
	fuzz_need(fuzz_free_fd() == free_fd, "no descriptor is left open");
	return 0;
}
