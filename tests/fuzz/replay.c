/* Runs a fuzz target over files, without libFuzzer: for machines that only check what was found
 * before. Usage: TARGET FILE...; the last line is the number of files. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BYTES_MAX = 65536, LIMIT_S = 20 };

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "r");
		uint8_t *bytes = malloc(BYTES_MAX);
		uint8_t *exact;
		size_t length;

		if (!file || !bytes) {
			perror(argv[i]);
			return EXIT_FAILURE;
		}
		length = fread(bytes, 1, BYTES_MAX, file);
		(void)fclose(file);
		exact = realloc(bytes, length ? length : 1);
		(void)alarm(LIMIT_S); /* a hang is a failure */
		(void)LLVMFuzzerTestOneInput(exact, length);
		(void)alarm(0);
		free(exact);
	}
	printf("%d\n", argc - 1);
	return EXIT_SUCCESS;
}
