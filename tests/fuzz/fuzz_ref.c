/*
 * fuzz_ref - image references: what parses has a normal form that parses to the
 * same, and whose parts keep the digest grammar.
 */
#include "engine/image/ref.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1);
	char normal[IMAGE_REF_BYTES], again[IMAGE_REF_BYTES];
	struct image_ref ref, back;
	struct err err;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	(void)digest_is_valid(text);
	if (image_ref_parse(text, &ref, &err) == 0) {
		(void)image_ref_format(&ref, normal);
		if (image_ref_parse(normal, &back, &err) < 0 ||
		    strcmp(image_ref_format(&back, again), normal) != 0 ||
		    strcmp(ref.host, back.host) != 0 ||
		    strcmp(ref.path, back.path) != 0 ||
		    strcmp(ref.tag, back.tag) != 0 ||
		    strcmp(ref.digest, back.digest) != 0)
			abort();
		if (ref.digest[0] && !digest_is_valid(ref.digest))
			abort();
		if (strstr(ref.path, "..") || ref.path[0] == '/' ||
		    strpbrk(normal, " \n\t\\\"'"))
			abort();
		(void)image_ref_endpoint(&ref);
	}
	free(text);
	return 0;
}
