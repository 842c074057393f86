/*
 * fields.c - labels and taints as text columns.  Keys and values were checked
 * against the Kubernetes grammar when they entered, so '=' ':' and newline
 * cannot be inside them.
 */
#include "reconciler/state/private.h"

#include "lib/arena.h"

#include <string.h>

void fields_put_labels(struct buf *out, const struct keyvals *labels)
{
	for (size_t i = 0; i < labels->n; i++)
		buf_printf(out, "%s=%s\n", labels->items[i].key,
			   labels->items[i].value);
}

void fields_put_taints(struct buf *out, const struct taint *taints, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s=%s:%s\n", taints[i].key, taints[i].value,
			   taints[i].effect);
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

void fields_get_labels(const char *text, struct arena *arena,
		       struct keyvals *out)
{
	size_t n = count_lines(text);

	out->items = arena_calloc(arena, n, sizeof(*out->items));
	out->n = 0;
	while (out->n < n) {
		const char *eq = strchr(text, '=');
		const char *nl = strchr(text, '\n');

		if (eq == NULL || nl == NULL || eq > nl)
			break;
		out->items[out->n++] = (struct keyval){
			.key = arena_strndup(arena, text, (size_t)(eq - text)),
			.value = arena_strndup(arena, eq + 1,
					       (size_t)(nl - eq - 1)),
			.len = (size_t)(nl - eq - 1),
		};
		text = nl + 1;
	}
}

void fields_get_taints(const char *text, struct arena *arena,
		       struct taint **out, size_t *out_n)
{
	size_t n = count_lines(text);
	size_t used = 0;

	*out = arena_calloc(arena, n, sizeof(**out));
	while (used < n) {
		const char *eq = strchr(text, '=');
		const char *colon = eq == NULL ? NULL : strchr(eq, ':');
		const char *nl = colon == NULL ? NULL : strchr(colon, '\n');

		if (nl == NULL)
			break;
		(*out)[used++] = (struct taint){
			.key = arena_strndup(arena, text, (size_t)(eq - text)),
			.value = arena_strndup(arena, eq + 1,
					       (size_t)(colon - eq - 1)),
			.effect = arena_strndup(arena, colon + 1,
						(size_t)(nl - colon - 1)),
		};
		text = nl + 1;
	}
	*out_n = used;
}
