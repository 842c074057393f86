/*
 * fuzz_filter - linux.seccomp of a config, as a client may make it, down to the
 * program for the kernel: what is accepted has a size that the kernel takes,
 * and comes out the same when it is compiled again.
 */
#include "engine/confine/filter.h"
#include "lib/buf.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct spec_seccomp *s)
{
	struct filter one = {.n = 0}, two = {.n = 0};
	struct err err;

	if (filter_compile(s, &one, &err) < 0) {
		if (err.code >= 0 || err.msg[0] == '\0')
			abort();
		return;
	}
	if (one.n > FILTER_MAX_INSNS || filter_compile(s, &two, &err) < 0 ||
	    one.n != two.n || one.flags != two.flags ||
	    (one.n > 0 &&
	     memcmp(one.bpf, two.bpf, one.n * FILTER_INSN_BYTES) != 0))
		abort();
	filter_release(&one);
	filter_release(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct spec spec;
	struct buf b;
	struct err err;

	buf_init(&b, SPEC_MAX_BYTES);
	buf_puts(&b, "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"x\"},"
		     "\"process\":{\"cwd\":\"/\",\"args\":[\"a\"]},"
		     "\"linux\":{\"namespaces\":[{\"type\":\"mount\"}],"
		     "\"seccomp\":");
	buf_put(&b, data, size);
	buf_puts(&b, "}}");
	if (buf_check(&b, NULL) == 0 &&
	    spec_read(b.data, b.len, arena, &spec, &err) == 0 &&
	    spec.linux_.seccomp != NULL)
		check(spec.linux_.seccomp);
	buf_release(&b);
	arena_free(arena);
	return 0;
}
