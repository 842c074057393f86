/*
 * fuzz_jsonp - the pull parser beside jansson: what one takes the other takes,
 * but for what is known: jansson (as json_read() calls it) refuses duplicate
 * keys, reals out of range and integers over 2^63 - 1.
 */
#include "lib/json.h"
#include "lib/jsonp.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)64 << 20)
#define BYTES_MAX ((size_t)1 << 20)
#define DEPTH_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const known[] = {"duplicate", "too big", "too small",
					    "overflow",	 "range",   "NUL"};
	struct arena *a = arena_new(ARENA_BYTES);
	struct err mine = {0}, theirs = {0};
	json_t *v = NULL;
	struct jsonp p;
	bool taken;
	size_t i;
	int r;

	if (size > BYTES_MAX)
		size = BYTES_MAX;
	jsonp_init(&p, (const char *)data, size, DEPTH_MAX, a, &mine);
	taken = jsonp_skip(&p) == 0 && jsonp_end(&p) == 0;
	r = json_read((const char *)data, size, BYTES_MAX, DEPTH_MAX, &v,
		      &theirs);
	if (r == 0) {
		json_decref(v);
		if (!taken)
			abort();
	} else if (taken && r != ERR_LIMIT) {
		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (strstr(theirs.msg, known[i]) != NULL)
				break;
		if (i == sizeof(known) / sizeof(known[0]))
			abort();
	}
	arena_free(a);
	return 0;
}
