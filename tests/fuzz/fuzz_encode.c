/*
 * fuzz_encode - hex and base64: what decodes has exactly one spelling, and any
 * bytes come back from both.
 */
#include "lib/encode.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(const char *text, size_t len, char *hex, uint8_t *raw)
{
	struct buf bytes, back;

	buf_init(&bytes, len + 8);
	buf_init(&back, len * 2 + 8);
	if (len % 2 == 0 && encode_unhex(raw, text, len)) {
		encode_hex(hex, raw, len / 2);
		if (strlen(hex) != len || memcmp(hex, text, len) != 0)
			abort();
	}
	if (encode_unbase64(&bytes, text, len)) {
		encode_base64(&back, bytes.data ? bytes.data : "", bytes.len);
		if (back.len != len ||
		    (len && memcmp(back.data, text, len) != 0))
			abort();
	} else if (bytes.len != 0) {
		abort();
	}
	buf_release(&bytes);
	buf_release(&back);
}

static void encode(const uint8_t *data, size_t size, char *hex, uint8_t *raw)
{
	struct buf text, back;

	buf_init(&text, size * 2 + 8);
	buf_init(&back, size + 8);
	encode_hex(hex, data, size);
	encode_base64(&text, data, size);
	if (!encode_unhex(raw, hex, size * 2) ||
	    (size && memcmp(raw, data, size) != 0) ||
	    !encode_unbase64(&back, text.data ? text.data : "", text.len) ||
	    back.len != size || (size && memcmp(back.data, data, size) != 0))
		abort();
	buf_release(&text);
	buf_release(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *hex = malloc(size * 2 + 1);
	uint8_t *raw = malloc(size + 1);

	if (hex && raw) {
		decode((const char *)data, size, hex, raw);
		encode(data, size, hex, raw);
	}
	free(hex);
	free(raw);
	return 0;
}
