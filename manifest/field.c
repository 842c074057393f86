/* field.c - questions about field tables; pure. */
#include "manifest/field.h"

#include "lib/text.h"

#include <string.h>

#define NAMES_MAX 128

const struct field *field_find(const struct table *t, const char *name)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int r = strcmp(name, t->fields[mid].name);

		if (r == 0)
			return &t->fields[mid];
		if (r < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

const char *field_type_name(const struct field *f)
{
	static const char *const names[FIELD_TYPE_COUNT] = {
		[FIELD_STR] = "string",
		[FIELD_BOOL] = "boolean",
		[FIELD_TRI] = "boolean",
		[FIELD_INT] = "integer",
		[FIELD_MODE] = "file mode (integer, octal allowed)",
		[FIELD_ENUM] = "string",
		[FIELD_INT_OR_STR] = "integer or string",
		[FIELD_CPU] = "CPU quantity",
		[FIELD_BYTES] = "byte quantity",
		[FIELD_STRS] = "list of strings",
		[FIELD_INTS] = "list of integers",
		[FIELD_MAP] = "map of strings",
		[FIELD_DATA] = "map of strings",
		[FIELD_DATA64] = "map of base64 strings",
		[FIELD_OBJ] = "object",
		[FIELD_OBJS] = "list of objects",
	};

	return names[f->type];
}

const char *field_class_name(enum field_class c)
{
	static const char *const names[FIELD_CLASS_COUNT] = {
		[FIELD_IMPLEMENTED] = "implemented",
		[FIELD_GATED] = "gated by policy",
		[FIELD_INERT] = "inert",
		[FIELD_DROPPED] = "dropped with a warning",
		[FIELD_NOT_YET] = "not yet",
		[FIELD_REFUSED] = "not supported",
	};

	return names[c];
}

static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* "readonlyRootfs" is far from "readOnlyRootFilesystem" by edits, and yet the
 * same: the name that shares the longest beginning, at least half of word. */
static const char *by_prefix(const char *word, const char *const *names,
			     size_t n)
{
	size_t best = strlen(word) / 2 > 5 ? strlen(word) / 2 : 5;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (word[k] && fold(word[k]) == fold(names[i][k]))
			k++;
		if (k > best) {
			best = k;
			found = names[i];
		}
	}
	return found;
}

const char *field_nearest(const struct table *t, const char *word)
{
	const char *names[NAMES_MAX], *near;
	size_t n = 0;

	for (size_t i = 0; i < t->n && n < NAMES_MAX; i++)
		if (t->fields[i].class != FIELD_REFUSED)
			names[n++] = t->fields[i].name;
	near = text_nearest(word, names, n);
	return near ? near : by_prefix(word, names, n);
}

size_t field_n_values(const char *const *values)
{
	size_t n = 0;

	while (values && values[n])
		n++;
	return n;
}
