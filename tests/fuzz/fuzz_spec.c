/* fuzz_spec - config.json of a bundle, as a client of the engine may make it.
 */
#include "engine/spec/spec.h"

#include <stdlib.h>

#define ARENA_BYTES ((size_t)512 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct spec_resources resources;
	struct spec_process process;
	struct spec spec;
	struct err err;

	if (spec_read((const char *)data, size, arena, &spec, &err) == 0)
		for (int kind = 0; kind < SPEC_NS_COUNT; kind++)
			(void)spec_ns_find(&spec, (enum spec_ns_kind)kind);
	(void)spec_read_process((const char *)data, size, arena, &process,
				&err);
	(void)spec_read_resources((const char *)data, size, arena, &resources,
				  &err);
	arena_free(arena);
	return 0;
}
