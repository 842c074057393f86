/*
 * json.c - strict reading through jansson (jsonw.c writes).  What is read is
 * hostile: size and depth are checked before the parser sees the bytes.
 */
#include "lib/json.h"
#include "lib/text.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* jansson would open /dev/urandom for the seed of its hash tables, which a
 * sandboxed process must not; only the first call has an effect. */
static int seed_tables(struct err *err)
{
	unsigned int seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return err_set(err, ERR_SYS, "no random bytes");
	json_object_seed(seed ? seed : 1);
	return 0;
}

static int check_depth(const char *bytes, size_t len, int max_depth,
		       struct err *err)
{
	bool quoted = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = bytes[i];

		if (c == '\0')
			return err_set(err, ERR_INPUT,
				       "JSON: NUL byte at offset %zu", i);
		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
			continue;
		}
		if (c == '"')
			quoted = true;
		else if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		if (depth > max_depth)
			return err_set(err, ERR_LIMIT,
				       "JSON: want at most %d levels, have "
				       "more at offset %zu",
				       max_depth, i);
	}
	return 0;
}

int json_read(const char *bytes, size_t len, size_t max_bytes, int max_depth,
	      json_t **out, struct err *err)
{
	char safe[JSON_ERROR_TEXT_LENGTH * 2];
	json_error_t je;
	json_t *root;
	int r;

	if (len > max_bytes)
		return err_set(err, ERR_LIMIT,
			       "JSON: want at most %zu bytes, have %zu",
			       max_bytes, len);
	r = check_depth(bytes, len, max_depth, err);
	if (r == 0)
		r = seed_tables(err);
	if (r < 0)
		return r;
	root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
			  &je);
	if (!root)
		return err_set(err, ERR_INPUT, "JSON:%d:%d: %s", je.line,
			       je.column,
			       text_safe(safe, sizeof(safe), je.text,
					 strlen(je.text)));
	*out = root;
	return 0;
}
