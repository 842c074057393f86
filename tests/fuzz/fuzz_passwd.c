/*
 * fuzz_passwd - the passwd file of an image, from which HOME comes.  What is
 * found is a path of one line: it begins with '/' and has no newline, colon or
 * NUL; and it stands in the input.
 */
#include "engine/run/progenv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t ids[] = {0, 5, 1000, UINT32_MAX};
	struct arena *arena = arena_new(PROGENV_PASSWD_MAX_BYTES + 4096);
	const char *home;
	size_t i;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		home = progenv_home((const char *)data, size, ids[i], arena);
		if (home != NULL &&
		    (home[0] != '/' || strpbrk(home, "\n:") != NULL ||
		     memmem(data, size, home, strlen(home)) == NULL))
			abort();
	}
	arena_free(arena);
	return 0;
}
