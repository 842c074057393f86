/*
 * fuzz_oci_config - image configurations; volumes that are accepted stay inside
 * the root, and every list has as many items as it says.
 */
#include "engine/image/oci_config.h"
#include "engine/image/digest.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)256 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct oci_strings *s)
{
	if (s->n > OCI_CONFIG_ITEMS_MAX)
		abort();
	for (size_t i = 0; i < s->n; i++)
		if (strlen(s->items[i]) > OCI_CONFIG_BYTES_MAX)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct oci_config c;
	struct err err;

	if (oci_config_parse((const char *)data, size, "linux", "amd64", arena,
			     &c, &err) == 0) {
		walk(&c.entrypoint);
		walk(&c.cmd);
		walk(&c.env);
		walk(&c.exposed_ports);
		walk(&c.diff_ids);
		for (size_t i = 0; i < c.volumes.n; i++)
			if (c.volumes.items[i][0] != '/' ||
			    strstr(c.volumes.items[i], "/../"))
				abort();
		for (size_t i = 0; i < c.diff_ids.n; i++)
			if (!digest_is_valid(c.diff_ids.items[i]))
				abort();
		if (!c.user || !c.working_dir || !c.stop_signal)
			abort();
	}
	arena_free(arena);
	return 0;
}
