/* schema.c - see schema.h. */
#include "manifest/schema.h"

#include "lib/jsonw.h"
#include "lib/num.h"
#include "manifest/kind.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define TABLES_MAX 256
#define NAME_BYTES 96
#define INT_MAX_DEFAULT 2147483647
#define MODE_MAX 0777

#define LABEL "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
#define SUBDOMAIN LABEL "(\\." LABEL ")*"
#define KEY_NAME "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
#define TIME                                                                   \
	"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z"
#define QUANTITY                                                               \
	"^\\+?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)"                                  \
	"([numkMGTPE]|[KMGTPE]i|[eE][-+]?[0-9]+)?$"

/* Never narrower than the check (tests/unit/manifest/test_schema.c). */
static const struct {
	check_fn *check;
	const char *pattern;
} patterns[] = {
	{check_dns_label, "^" LABEL "$"},
	{check_dns_subdomain, "^" SUBDOMAIN "$"},
	{check_service_name, "^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$"},
	{check_label_key, "^(" SUBDOMAIN "/)?" KEY_NAME "$"},
	{check_label_value, "^(" KEY_NAME ")?$"},
	{check_port_name, "^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$"},
	{check_env_name, "^[-A-Za-z_.][-A-Za-z0-9_.]{0,252}$"},
	{check_env_prefix, "^([-A-Za-z_.][-A-Za-z0-9_.]{0,252})?$"},
	{check_config_key, "^[-A-Za-z0-9_.]{1,253}$"},
	{check_image, "^[A-Za-z0-9][-A-Za-z0-9_.:/]*(@sha256:[0-9a-f]{64})?$"},
	{check_absolute, "^/"},
	{check_mount_path, "^/[^:]*$"},
	{check_relative, "^[^/]"},
	{check_http_path, "^/[^ \t\r\n]*$"},
	{check_nonempty, "."},
	{check_percent, "^(100|[0-9]{1,2})%$"},
	{check_ref, "^refs/[-A-Za-z0-9_./]+$"},
	{check_repository_id, "^[A-Za-z0-9][-A-Za-z0-9_./:]{0,252}$"},
	{check_registry, "^[A-Za-z0-9][-A-Za-z0-9.]*(:[0-9]{1,5})?(/.+)?$"},
	{check_trust_time, "^" TIME "$"},
	{check_trust_openpgp, "^([0-9A-F]{40}|[0-9A-F]{64})$"},
	{check_trust_payload, "^sha256:[0-9a-f]{64}$"},
	{check_trust_san, "^(email|uri):."},
	{check_trust_issuer, "^https://"},
};

const char *schema_pattern(check_fn *check)
{
	for (size_t i = 0; i < FIELD_COUNT(patterns); i++)
		if (patterns[i].check == check)
			return patterns[i].pattern;
	return NULL;
}

struct schema {
	struct jsonw w;
	const struct table *tables[TABLES_MAX]; /* one definition each */
	size_t n;
};

/* --- definitions ---------------------------------------------------------- */

static size_t index_of(const struct schema *s, const struct table *t)
{
	size_t i = 0;

	while (i < s->n && s->tables[i] != t)
		i++;
	return i;
}

/* t and every table that it leads to. */
static void collect(struct schema *s, const struct table *t)
{
	if (index_of(s, t) < s->n)
		return;
	assert(s->n < TABLES_MAX);
	s->tables[s->n++] = t;
	for (size_t i = 0; i < t->n; i++)
		if (t->fields[i].table && t->fields[i].class <= FIELD_INERT)
			collect(s, t->fields[i].table);
}

/* Tables of one name are told apart by a number. */
static const char *name_of(const struct schema *s, const struct table *t,
			   char out[NAME_BYTES])
{
	size_t at = index_of(s, t), twin = 1;

	for (size_t i = 0; i < at; i++)
		twin += strcmp(s->tables[i]->name, t->name) == 0;
	(void)snprintf(out, NAME_BYTES, twin == 1 ? "%s" : "%s.%zu", t->name,
		       twin);
	for (char *p = out; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '.')
			*p = '_';
	return out;
}

static void put_ref(struct schema *s, const struct table *t)
{
	char name[NAME_BYTES], ref[NAME_BYTES + 16];

	(void)snprintf(ref, sizeof(ref), "#/definitions/%s",
		       name_of(s, t, name));
	jsonw_kstr(&s->w, "$ref", ref);
}

/* --- fields --------------------------------------------------------------- */

static bool is_required(const struct field *f)
{
	return (f->flags & FIELD_IS_REQUIRED) != 0;
}

/* A null means "not given"; where presence is the choice it is no value. */
static bool may_be_null(const struct field *f)
{
	return !is_required(f) && !f->variant;
}

static void put_types(struct schema *s, const char *a, const char *b, bool null)
{
	jsonw_key(&s->w, "type");
	if (!b && !null) {
		jsonw_str(&s->w, a);
		return;
	}
	jsonw_arr(&s->w);
	jsonw_str(&s->w, a);
	if (b)
		jsonw_str(&s->w, b);
	if (null)
		jsonw_str(&s->w, "null");
	jsonw_arr_end(&s->w);
}

static void put_values(struct schema *s, const char *const *values, bool null)
{
	jsonw_key(&s->w, "enum");
	jsonw_arr(&s->w);
	for (size_t i = 0; values[i]; i++)
		jsonw_str(&s->w, values[i]);
	if (null)
		jsonw_null(&s->w);
	jsonw_arr_end(&s->w);
}

static void put_text(struct schema *s, const struct field *f, bool null)
{
	const char *pattern = f->check ? schema_pattern(f->check) : NULL;

	put_types(s, "string", NULL, null);
	if (f->values)
		put_values(s, f->values, null);
	if (pattern)
		jsonw_kstr(&s->w, "pattern", pattern);
}

static void put_range(struct schema *s, const struct field *f)
{
	int64_t max = f->max		      ? f->max
		      : f->type == FIELD_MODE ? MODE_MAX
					      : INT_MAX_DEFAULT;

	jsonw_kint(&s->w, "minimum", f->min);
	jsonw_kint(&s->w, "maximum", max);
}

static void put_items(struct schema *s, const struct field *f)
{
	put_types(s, "array", NULL, may_be_null(f));
	jsonw_key(&s->w, "items");
	jsonw_obj(&s->w);
	if (f->type == FIELD_OBJS) {
		put_ref(s, f->table);
	} else if (f->type == FIELD_INTS) {
		put_types(s, "integer", NULL, false);
		put_range(s, f);
	} else {
		put_text(s, f, false);
	}
	jsonw_obj_end(&s->w);
}

static void put_map(struct schema *s, const struct field *f)
{
	const char *key = f->check_key ? schema_pattern(f->check_key)
			  : f->type != FIELD_MAP
				  ? schema_pattern(check_config_key)
				  : NULL;

	put_types(s, "object", NULL, may_be_null(f));
	if (key) {
		jsonw_key(&s->w, "propertyNames");
		jsonw_obj(&s->w);
		jsonw_kstr(&s->w, "pattern", key);
		jsonw_obj_end(&s->w);
	}
	jsonw_key(&s->w, "additionalProperties");
	jsonw_obj(&s->w);
	put_text(s, f, false);
	jsonw_obj_end(&s->w);
}

static void put_object(struct schema *s, const struct field *f)
{
	if (!may_be_null(f)) {
		put_ref(s, f->table);
		return;
	}
	jsonw_key(&s->w, "anyOf");
	jsonw_arr(&s->w);
	jsonw_obj(&s->w);
	put_ref(s, f->table);
	jsonw_obj_end(&s->w);
	jsonw_obj(&s->w);
	put_types(s, "null", NULL, false);
	jsonw_obj_end(&s->w);
	jsonw_arr_end(&s->w);
}

static void put_type(struct schema *s, const struct field *f)
{
	bool null = may_be_null(f);

	switch ((enum field_type)f->type) {
	case FIELD_STR:
	case FIELD_ENUM:
		put_text(s, f, null);
		break;
	case FIELD_BOOL:
	case FIELD_TRI:
		put_types(s, "boolean", NULL, null);
		break;
	case FIELD_INT:
	case FIELD_MODE:
		put_types(s, "integer", NULL, null);
		put_range(s, f);
		break;
	case FIELD_INT_OR_STR:
		put_types(s, "integer", "string", null);
		put_range(s, f);
		if (f->check && schema_pattern(f->check))
			jsonw_kstr(&s->w, "pattern", schema_pattern(f->check));
		break;
	case FIELD_CPU:
	case FIELD_BYTES:
		put_types(s, "string", "number", null);
		jsonw_kstr(&s->w, "pattern", QUANTITY);
		break;
	case FIELD_STRS:
	case FIELD_INTS:
	case FIELD_OBJS:
		put_items(s, f);
		break;
	case FIELD_MAP:
	case FIELD_DATA:
	case FIELD_DATA64:
		put_map(s, f);
		break;
	case FIELD_OBJ:
		put_object(s, f);
		break;
	case FIELD_TYPE_COUNT:
		break;
	}
}

static void put_default(struct schema *s, const struct field *f)
{
	int64_t n = 0;

	if (!f->fallback)
		return;
	jsonw_key(&s->w, "default");
	if (f->type == FIELD_BOOL || f->type == FIELD_TRI)
		jsonw_bool(&s->w, f->fallback[0] == 't');
	else if (f->type != FIELD_STR && f->type != FIELD_ENUM &&
		 num_parse_i64(f->fallback, strlen(f->fallback), 0, INT64_MAX,
			       &n))
		jsonw_int(&s->w, n);
	else
		jsonw_str(&s->w, f->fallback);
}

static void put_description(struct schema *s, const struct field *f)
{
	const char *want = f->check ? f->check("\x01") : NULL;
	struct buf b;

	buf_init(&b, 4096);
	if (f->doc)
		buf_puts(&b, f->doc);
	if (want)
		buf_printf(&b, "%sWant %s.", b.len ? " " : "", want);
	if (f->class == FIELD_GATED)
		buf_printf(&b, "%sThe signed policy must allow it.",
			   b.len ? " " : "");
	if (f->deviation)
		buf_printf(&b, "%s%s.", b.len ? " " : "", f->deviation);
	if (b.len && !b.failed) {
		jsonw_key(&s->w, "description");
		jsonw_strn(&s->w, b.data, b.len);
	}
	buf_release(&b);
}

/* What has no effect here may be there with nothing in it, except where
 * presence is the choice. */
static void put_refused(struct schema *s, const struct table *t,
			const struct field *f)
{
	char text[512];

	if (f->class == FIELD_DROPPED) {
		jsonw_kstr(&s->w, "description",
			   "Written by a server; dropped with a warning.");
		return;
	}
	(void)snprintf(text, sizeof(text), "%s%s%s: %s.",
		       f->class == FIELD_NOT_YET ? "No effect before release "
						 : "Not supported",
		       f->class == FIELD_NOT_YET ? f->since : "", "",
		       f->hint ? f->hint : "delete it");
	jsonw_kstr(&s->w, "description", text);
	jsonw_key(&s->w, "enum");
	jsonw_arr(&s->w);
	jsonw_null(&s->w);
	if (!t->variant) {
		jsonw_obj(&s->w);
		jsonw_obj_end(&s->w);
		jsonw_arr(&s->w);
		jsonw_arr_end(&s->w);
	}
	jsonw_arr_end(&s->w);
}

static void put_field(struct schema *s, const struct table *t,
		      const struct field *f)
{
	jsonw_key(&s->w, f->name);
	jsonw_obj(&s->w);
	if (f->class > FIELD_INERT) {
		put_refused(s, t, f);
	} else {
		put_description(s, f);
		/* beside a $ref everything else is ignored in draft 7 */
		put_type(s, f);
		put_default(s, f);
	}
	jsonw_obj_end(&s->w);
}

/* --- tables --------------------------------------------------------------- */

static void put_choice(struct schema *s, const char *name)
{
	jsonw_obj(&s->w);
	jsonw_key(&s->w, "required");
	jsonw_arr(&s->w);
	jsonw_str(&s->w, name);
	jsonw_arr_end(&s->w);
	jsonw_obj_end(&s->w);
}

static void put_choices(struct schema *s, const struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->fields[i].variant && t->fields[i].class <= FIELD_INERT)
			put_choice(s, t->fields[i].name);
}

/* Exactly one of the fields that choose, or at most one. */
static void put_variants(struct schema *s, const struct table *t)
{
	if (!t->variant)
		return;
	jsonw_key(&s->w, "oneOf");
	jsonw_arr(&s->w);
	put_choices(s, t);
	if (!t->variant_required) {
		jsonw_obj(&s->w);
		jsonw_key(&s->w, "not");
		jsonw_obj(&s->w);
		jsonw_key(&s->w, "anyOf");
		jsonw_arr(&s->w);
		put_choices(s, t);
		jsonw_arr_end(&s->w);
		jsonw_obj_end(&s->w);
		jsonw_obj_end(&s->w);
	}
	jsonw_arr_end(&s->w);
}

static void put_required(struct schema *s, const struct table *t)
{
	bool any = false;

	for (size_t i = 0; i < t->n; i++)
		any = any || is_required(&t->fields[i]);
	if (!any)
		return;
	jsonw_key(&s->w, "required");
	jsonw_arr(&s->w);
	for (size_t i = 0; i < t->n; i++)
		if (is_required(&t->fields[i]))
			jsonw_str(&s->w, t->fields[i].name);
	jsonw_arr_end(&s->w);
}

static void put_constant(struct schema *s, const char *name, const char *value)
{
	jsonw_key(&s->w, name);
	jsonw_obj(&s->w);
	put_types(s, "string", NULL, false);
	jsonw_key(&s->w, "enum");
	jsonw_arr(&s->w);
	jsonw_str(&s->w, value);
	jsonw_arr_end(&s->w);
	jsonw_obj_end(&s->w);
}

/* row NULL: not a whole document. */
static void put_table(struct schema *s, const struct table *t,
		      const struct kind_row *row)
{
	put_types(s, "object", NULL, false);
	if (row)
		jsonw_kstr(&s->w, "description", row->doc);
	jsonw_kbool(&s->w, "additionalProperties", false);
	put_required(s, t);
	put_variants(s, t);
	jsonw_key(&s->w, "properties");
	jsonw_obj(&s->w);
	for (size_t i = 0; i < t->n; i++) {
		const struct field *f = &t->fields[i];

		if (row && strcmp(f->name, "kind") == 0)
			put_constant(s, "kind", row->name);
		else if (row && strcmp(f->name, "apiVersion") == 0)
			put_constant(s, "apiVersion", row->api_version);
		else
			put_field(s, t, f);
	}
	jsonw_obj_end(&s->w);
}

static const struct kind_row *row_of(const struct table *t)
{
	for (int i = 0; i < MANIFEST_KIND_COUNT; i++)
		if (kind_get((enum manifest_kind)i)->table == t)
			return kind_get((enum manifest_kind)i);
	return NULL;
}

static void put_definitions(struct schema *s)
{
	char name[NAME_BYTES];

	jsonw_key(&s->w, "definitions");
	jsonw_obj(&s->w);
	for (size_t i = 0; i < s->n; i++) {
		jsonw_key(&s->w, name_of(s, s->tables[i], name));
		jsonw_obj(&s->w);
		put_table(s, s->tables[i], row_of(s->tables[i]));
		jsonw_obj_end(&s->w);
	}
	jsonw_obj_end(&s->w);
}

static void begin(struct schema *s, const char *title, struct buf *out)
{
	jsonw_init(&s->w, out);
	jsonw_obj(&s->w);
	jsonw_kstr(&s->w, "$schema", "http://json-schema.org/draft-07/schema#");
	jsonw_kstr(&s->w, "title", title);
}

static int end(struct schema *s, struct buf *out, struct err *err)
{
	put_definitions(s);
	jsonw_obj_end(&s->w);
	buf_putc(out, '\n');
	return buf_check(out, err);
}

/* --- schemas -------------------------------------------------------------- */

int schema_kind(enum manifest_kind kind, struct buf *out, struct err *err)
{
	const struct kind_row *row = kind_get(kind);
	struct schema s = {.n = 0};

	collect(&s, row->table);
	begin(&s, row->name, out);
	jsonw_key(&s.w, "allOf");
	jsonw_arr(&s.w);
	jsonw_obj(&s.w);
	put_ref(&s, row->table);
	jsonw_obj_end(&s.w);
	jsonw_arr_end(&s.w);
	return end(&s, out, err);
}

static void put_case(struct schema *s, const struct kind_row *row)
{
	jsonw_obj(&s->w);
	jsonw_key(&s->w, "if");
	jsonw_obj(&s->w);
	jsonw_key(&s->w, "properties");
	jsonw_obj(&s->w);
	put_constant(s, "kind", row->name);
	jsonw_obj_end(&s->w);
	jsonw_obj_end(&s->w);
	jsonw_key(&s->w, "then");
	jsonw_obj(&s->w);
	put_ref(s, row->table);
	jsonw_obj_end(&s->w);
	jsonw_obj_end(&s->w);
}

/* A list of alternatives would make every message about every kind. */
int schema_all(struct buf *out, struct err *err)
{
	struct schema s = {.n = 0};

	for (int i = 0; i < MANIFEST_KIND_COUNT; i++)
		collect(&s, kind_get((enum manifest_kind)i)->table);
	begin(&s, "manifests of reconcile", out);
	put_types(&s, "object", NULL, false);
	jsonw_key(&s.w, "required");
	jsonw_arr(&s.w);
	jsonw_str(&s.w, "apiVersion");
	jsonw_str(&s.w, "kind");
	jsonw_arr_end(&s.w);
	jsonw_key(&s.w, "properties");
	jsonw_obj(&s.w);
	jsonw_key(&s.w, "kind");
	jsonw_obj(&s.w);
	jsonw_key(&s.w, "enum");
	jsonw_arr(&s.w);
	for (int i = 0; i < MANIFEST_KIND_COUNT; i++)
		jsonw_str(&s.w, kind_get((enum manifest_kind)i)->name);
	jsonw_arr_end(&s.w);
	jsonw_obj_end(&s.w);
	jsonw_obj_end(&s.w);
	jsonw_key(&s.w, "allOf");
	jsonw_arr(&s.w);
	for (int i = 0; i < MANIFEST_KIND_COUNT; i++)
		put_case(&s, kind_get((enum manifest_kind)i));
	jsonw_arr_end(&s.w);
	return end(&s, out, err);
}

void schema_file_name(enum manifest_kind kind, char *out, size_t len)
{
	const struct kind_row *row = kind_get(kind);
	const char *slash = strchr(row->api_version, '/');
	size_t group = slash ? strcspn(row->api_version, "./") : 0;

	(void)snprintf(out, len, "%s-%.*s%s%s.json", row->name, (int)group,
		       row->api_version, slash ? "-" : "",
		       slash ? slash + 1 : row->api_version);
	for (char *p = out; *p; p++)
		*p = (char)tolower((unsigned char)*p);
}
