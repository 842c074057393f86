/*
 * kind_config.c - ConfigMap and Secret (core/v1; manifests.md 5.3).  Values of
 * a Secret never reach a diagnostic: its tables are marked secret.
 */
#include "manifest/kind.h"

#include "lib/encode.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

#define DATA_BYTES_MAX ((size_t)1 << 20)

/* --- reading the maps ----------------------------------------------------- */

/* base64 text without the line breaks that YAML block scalars bring. */
static size_t squeeze(char *dst, const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r\n", text[i]))
			dst[n++] = text[i];
	return n;
}

static bool from_base64(struct decode *d, const struct node *n,
			struct keyval *out)
{
	char *clean = arena_alloc(d->arena, (size_t)n->n + 1);
	size_t len = squeeze(clean, n->text, n->n);
	struct buf bytes;
	bool ok;

	buf_init(&bytes, DATA_BYTES_MAX);
	ok = encode_unbase64(&bytes, clean, len) && !bytes.failed;
	if (ok) {
		out->value = arena_strndup(
			d->arena, bytes.data ? bytes.data : "", bytes.len);
		out->len = bytes.len;
	}
	if (bytes.data)
		explicit_bzero(bytes.data, bytes.len);
	buf_release(&bytes);
	return ok;
}

static bool read_value(struct decode *d, const struct node *n, bool base64,
		       struct keyval *out)
{
	const char *text = decode_string(d, n);

	if (!text)
		return false;
	if (!base64) {
		out->value = text;
		out->len = n->n;
		return true;
	}
	if (from_base64(d, n, out))
		return true;
	decode_say(d, CODE_BASE64, DIAG_ERROR, n, NULL,
		   d->secret ? "put plain text into stringData"
			     : "put plain text into data",
		   "want base64 with padding, have other text");
	return false;
}

/* Appends the entries of one map to items; returns how many. */
static size_t read_map(struct decode *d, const struct node *map,
		       const char *name, bool base64, struct keyval *items)
{
	struct decode_step outer = {.up = d->step, .key = name};
	size_t count = 0;

	if (!map || map->type != NODE_MAP)
		return 0;
	for (uint32_t i = 0; i < map->n; i++) {
		const struct node *k = map->pairs[i].key;
		struct decode_step step = {.up = &outer, .key = k->text};
		const char *want = check_config_key(k->text);
		char safe[80];

		d->step = &step;
		if (want)
			decode_say(
				d, CODE_FORMAT, DIAG_ERROR, k, NULL, NULL,
				"want %s, have '%s'", want,
				text_safe(safe, sizeof(safe), k->text, k->n));
		items[count].key = k->text;
		if (read_value(d, map->pairs[i].value, base64, &items[count]))
			count++;
		d->step = outer.up;
	}
	return count;
}

static int by_key(const void *pa, const void *pb)
{
	const struct keyval *a = pa, *b = pb;

	return strcmp(a->key, b->key);
}

static bool has_key(const struct keyval *items, size_t n, const char *key)
{
	return bsearch(&(struct keyval){.key = key}, items, n, sizeof(*items),
		       by_key) != NULL;
}

/*
 * Reads the weak map and then the strong one.  A key in both: the strong one
 * wins (stringData over data), or it is an error (data and binaryData).
 */
static void read_both(struct decode *d, const struct node *n, const char *weak,
		      bool weak_base64, const char *strong, bool strong_base64,
		      bool strong_wins, struct keyvals *out)
{
	const struct node *a = node_get(n, weak), *b = node_get(n, strong);
	size_t max = (a && a->type == NODE_MAP ? a->n : 0) +
		     (b && b->type == NODE_MAP ? b->n : 0);
	struct keyval *items = arena_calloc(d->arena, max, sizeof(*items));
	struct keyval *more = arena_calloc(d->arena, max, sizeof(*items));
	size_t n_items = read_map(d, b, strong, strong_base64, items);
	size_t n_more = read_map(d, a, weak, weak_base64, more);
	size_t n_strong = n_items, total = 0;

	qsort(items, n_strong, sizeof(*items), by_key);
	for (size_t i = 0; i < n_more; i++) {
		if (!has_key(items, n_strong, more[i].key))
			items[n_items++] = more[i];
		else if (!strong_wins)
			decode_say(d, CODE_DUPLICATE_ITEM, DIAG_ERROR, a, weak,
				   "delete one of the two",
				   "key '%s' is in %s and in %s", more[i].key,
				   weak, strong);
	}
	qsort(items, n_items, sizeof(*items), by_key);
	for (size_t i = 0; i < n_items; i++)
		total += strlen(items[i].key) + items[i].len;
	if (total > DATA_BYTES_MAX)
		decode_say(d, CODE_SIZE, DIAG_ERROR, n, NULL, NULL,
			   "want at most 1 MiB of data, have %zu bytes", total);
	*out = (struct keyvals){items, n_items};
}

/* --- ConfigMap ------------------------------------------------------------ */

static void finish_configmap(struct decode *d, const struct node *n, void *obj)
{
	struct object *o = obj;

	read_both(d, n, "binaryData", true, "data", false, false,
		  &o->configmap.data);
}

static const struct field configmap_fields[] = {
	KIND_API_VERSION,
	FIELD_AT(FIELD_DATA64, "binaryData", object, configmap.data,
		 .doc = "Base64; no key may be in data too."),
	FIELD_AT(FIELD_DATA, "data", object, configmap.data,
		 .doc = "Text; with binaryData at most 1 MiB."),
	FIELD_AT(FIELD_BOOL, "immutable", object, configmap.immutable,
		 .fallback = "false", .doc = "A change means replace."),
	KIND_KIND,
	KIND_METADATA(kind_meta_table),
};
const struct table kind_config_configmap_table = {
	.name = "ConfigMap",
	.fields = configmap_fields,
	.n = FIELD_COUNT(configmap_fields),
	.finish = finish_configmap,
};

/* --- Secret --------------------------------------------------------------- */

/* Keys that a type of Secret needs. */
static const struct {
	const char *type;
	const char *keys[2];
	bool any; /* one of them is enough */
} types[] = {
	{"Opaque", {NULL, NULL}, false},
	{"kubernetes.io/basic-auth", {"username", "password"}, true},
	{"kubernetes.io/dockerconfigjson", {".dockerconfigjson", NULL}, false},
	{"kubernetes.io/ssh-auth", {"ssh-privatekey", NULL}, false},
	{"kubernetes.io/tls", {"tls.crt", "tls.key"}, false},
};

static void check_type(struct decode *d, const struct node *n,
		       const struct secret *s)
{
	for (size_t i = 0; i < FIELD_COUNT(types); i++) {
		size_t have = 0, want = 0;

		if (strcmp(s->type, types[i].type) != 0)
			continue;
		for (size_t k = 0; k < 2 && types[i].keys[k]; k++) {
			want++;
			have += has_key(s->data.items, s->data.n,
					types[i].keys[k]);
		}
		if (have == want || (types[i].any && have > 0))
			return;
		decode_say(d, CODE_REQUIRED, DIAG_ERROR, n, NULL, NULL,
			   "type %s needs the key%s '%s'%s%s%s", s->type,
			   want > 1 ? "s" : "", types[i].keys[0],
			   want > 1 ? (types[i].any ? " or '" : " and '") : "",
			   want > 1 ? types[i].keys[1] : "",
			   want > 1 ? "'" : "");
	}
}

static void finish_secret(struct decode *d, const struct node *n, void *obj)
{
	struct object *o = obj;

	read_both(d, n, "data", true, "stringData", false, true,
		  &o->secret.data);
	check_type(d, n, &o->secret);
}

static const struct field secret_fields[] = {
	KIND_API_VERSION,
	FIELD_AT(FIELD_DATA64, "data", object, secret.data,
		 .deviation = "D9: a plain Secret in git is refused unless "
			      "the signed policy allows it",
		 .doc = "Base64."),
	FIELD_AT(FIELD_BOOL, "immutable", object, secret.immutable,
		 .fallback = "false", .doc = "A change means replace."),
	KIND_KIND,
	KIND_METADATA(kind_meta_table),
	FIELD_LATER("sops", "1.0",
		    "encrypted Secrets are not decrypted yet; do not commit "
		    "plain ones instead"),
	FIELD_AT(FIELD_DATA, "stringData", object, secret.data,
		 .doc = "Text; wins over data."),
	FIELD_AT(FIELD_STR, "type", object, secret.type, .fallback = "Opaque",
		 .values = FIELD_VALUES("Opaque", "kubernetes.io/basic-auth",
					"kubernetes.io/dockerconfigjson",
					"kubernetes.io/ssh-auth",
					"kubernetes.io/tls"),
		 .doc = "Each type but Opaque requires its keys."),
};
const struct table kind_config_secret_table = {
	.name = "Secret",
	.fields = secret_fields,
	.n = FIELD_COUNT(secret_fields),
	.secret = true,
	.finish = finish_secret,
};
