/*
 * fuzz_json - the strict JSON reader, and the writer against it: any UTF-8
 * text that is written as a string is read back unchanged.
 */
#include "lib/json.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

#define BYTES_MAX ((size_t)1 << 20)
#define DEPTH_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void there_and_back(const char *text, size_t len, bool inert)
{
	json_t *v = NULL;
	struct jsonw w;
	struct err err;
	struct buf out;

	buf_init(&out, BYTES_MAX * 8);
	jsonw_init(&w, &out);
	w.inert = inert;
	jsonw_arr(&w);
	jsonw_strn(&w, text, len);
	jsonw_arr_end(&w);
	if (buf_check(&out, &err) < 0 ||
	    json_read(out.data, out.len, out.max, DEPTH_MAX, &v, &err) < 0 ||
	    json_string_length(json_array_get(v, 0)) != len ||
	    memcmp(json_string_value(json_array_get(v, 0)), text, len) != 0)
		abort();
	json_decref(v);
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	json_t *v = NULL;
	struct err err;
	struct buf out;

	if (json_read(text, size, BYTES_MAX, DEPTH_MAX, &v, &err) == 0)
		json_decref(v);
	if (size && size <= BYTES_MAX && text_is_utf8(text, size)) {
		there_and_back(text, size, false);
		there_and_back(text, size, true);
	}
	buf_init(&out, BYTES_MAX * 8);
	if (size)
		text_escape(&out, text, size);
	for (size_t i = 0; i < out.len; i++)
		if ((unsigned char)out.data[i] < ' ')
			abort();
	buf_release(&out);
	return 0;
}
