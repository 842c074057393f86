/*
 * fuzz_yaml - hostile bytes through the whole of manifest_load(); what decodes
 * without an error must survive its canonical form and the snapshot.
 */
#include "manifest/manifest.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)1 << 30)
#define SNAPSHOT_BYTES ((size_t)256 << 20)
#define DIAGS_MAX 100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void there_and_back(const struct objects *set, struct arena *arena)
{
	struct snapshot s = {.objects = *set}, back;
	struct err err;
	struct buf out;

	for (size_t i = 0; i < set->n; i++) {
		const struct object *o = &set->items[i];
		struct object copy;

		if (manifest_from_canonical(o->canonical, o->canonical_len,
					    arena, &copy, &err) < 0 ||
		    strcmp(copy.hash, o->hash) != 0)
			abort();
	}
	buf_init(&out, SNAPSHOT_BYTES);
	if (snapshot_encode(&s, &out, &err) < 0 ||
	    snapshot_decode(out.data, out.len, arena, &back, &err) < 0 ||
	    back.objects.n != set->n)
		abort();
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest_input in = {
		.path = "fuzz.yaml", .bytes = (const char *)data, .len = size};
	struct arena *arena = arena_new(ARENA_BYTES);
	struct objects set = {0};
	struct diags diags;
	struct snapshot s;
	struct object o;
	struct err err;
	struct buf text;

	diags_init(&diags, arena, DIAGS_MAX);
	if (manifest_load(&in, 1, "default", arena, &diags, &set, &err) == 0) {
		manifest_check_references(&set, &diags);
		there_and_back(&set, arena);
		buf_init(&text, SNAPSHOT_BYTES);
		diags_print_text(&diags, &text);
		buf_release(&text);
	}
	/* the readers of sibling bytes must refuse, never fall */
	(void)manifest_from_canonical((const char *)data, size, arena, &o,
				      &err);
	(void)snapshot_decode((const char *)data, size, arena, &s, &err);
	arena_free(arena);
	return 0;
}
