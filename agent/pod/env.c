/*
 * env.c - see env.h.  Runs in reconcile-agent.  Names and values come from
 * verified manifests and from the image's configuration (hostile: bounded by
 * the image store, checked here for '=' and NUL).
 */
#include "agent/pod/env.h"
#include "lib/buf.h"

#include <string.h>

struct maker {
	struct env_list *list;
	struct arena *arena;
	const struct objects *objects;
	const struct env_facts *facts;
};

const char *env_get(const struct env_list *list, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < list->n; i++)
		if (strncmp(list->items[i], name, n) == 0 &&
		    list->items[i][n] == '=')
			return list->items[i] + n + 1;
	return NULL;
}

static const char *get_n(const struct env_list *list, const char *name,
			 size_t n)
{
	for (size_t i = 0; i < list->n; i++)
		if (strncmp(list->items[i], name, n) == 0 &&
		    list->items[i][n] == '=')
			return list->items[i] + n + 1;
	return NULL;
}

const char *env_expand(const struct env_list *list, const char *text,
		       struct arena *arena)
{
	const char *p = text, *end, *value, *out;
	struct buf b;

	if (!strchr(text, '$'))
		return text;
	buf_init(&b, ENV_BYTES_MAX);
	while (*p) {
		if (p[0] == '$' && p[1] == '$') {
			buf_putc(&b, '$');
			p += 2;
			continue;
		}
		end = p[0] == '$' && p[1] == '(' ? strchr(p, ')') : NULL;
		value = end ? get_n(list, p + 2, (size_t)(end - p - 2)) : NULL;
		if (value) {
			buf_puts(&b, value);
			p = end + 1;
		} else if (end) {
			buf_put(&b, p, (size_t)(end + 1 - p));
			p = end + 1;
		} else {
			buf_putc(&b, *p++);
		}
	}
	out = b.failed ? text
		       : arena_strndup(arena, b.data ? b.data : "", b.len);
	buf_release(&b);
	return out;
}

static int set(struct maker *m, const char *name, const char *value, size_t len,
	       struct err *err)
{
	size_t n = strlen(name), i;
	char *item;

	if (memchr(value, '\0', len))
		return err_set(err, ERR_INPUT,
			       "variable %s: value has a NUL byte", name);
	item = arena_alloc(m->arena, n + len + 2);
	memcpy(item, name, n);
	item[n] = '=';
	memcpy(item + n + 1, value, len);
	for (i = 0; i < m->list->n; i++)
		if (strncmp(m->list->items[i], item, n + 1) == 0)
			break;
	if (i == ENV_MAX)
		return err_set(err, ERR_LIMIT, "want at most %d variables",
			       ENV_MAX);
	m->list->items[i] = item;
	if (i == m->list->n)
		m->list->n++;
	return 0;
}

static const struct keyvals *source(const struct maker *m, int kind,
				    const char *name)
{
	const struct object *o = manifest_find(
		m->objects,
		kind == ENV_SECRET ? MANIFEST_SECRET : MANIFEST_CONFIGMAP,
		m->facts->namespace, name);

	if (!o)
		return NULL;
	return kind == ENV_SECRET ? &o->secret.data : &o->configmap.data;
}

static const char *kind_text(int kind)
{
	return kind == ENV_SECRET ? "Secret" : "ConfigMap";
}

/* As Kubernetes: keys that are no C identifier are left out. */
static bool is_name(const char *s)
{
	if (*s == '\0' || (*s >= '0' && *s <= '9'))
		return false;
	for (; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		      (*s >= '0' && *s <= '9') || *s == '_' || *s == '-' ||
		      *s == '.'))
			return false;
	return true;
}

static int add_from(struct maker *m, const struct env_from *f, struct err *err)
{
	const struct keyvals *kv = source(m, f->source, f->ref_name);
	int r = 0;

	if (!kv && !f->optional)
		return err_set(err, ERR_NOTFOUND, "envFrom: no %s %s/%s",
			       kind_text(f->source), m->facts->namespace,
			       f->ref_name);
	for (size_t i = 0; kv && r == 0 && i < kv->n; i++) {
		const char *name = arena_printf(m->arena, "%s%s", f->prefix,
						kv->items[i].key);

		if (is_name(name))
			r = set(m, name, kv->items[i].value, kv->items[i].len,
				err);
	}
	return r;
}

struct field {
	const char *path;
	size_t offset;
};

static const struct field fields[] = {
	{"metadata.name", offsetof(struct env_facts, name)},
	{"metadata.namespace", offsetof(struct env_facts, namespace)},
	{"metadata.uid", offsetof(struct env_facts, uid)},
	{"spec.nodeName", offsetof(struct env_facts, node_name)},
	{"spec.serviceAccountName",
	 offsetof(struct env_facts, service_account)},
	{"status.podIP", offsetof(struct env_facts, pod_ip)},
	{"status.podIPs", offsetof(struct env_facts, pod_ip)},
	{"status.hostIP", offsetof(struct env_facts, host_ip)},
	{"status.hostIPs", offsetof(struct env_facts, host_ip)},
};

/* metadata.labels['key'] and metadata.annotations['key']. */
static const char *map_field(const struct maker *m, const char *path)
{
	const struct keyvals *map = m->facts->labels;
	const char *p = path + strcspn(path, "["), *value;
	size_t n = strlen(path);
	char *key;

	if (strncmp(path, "metadata.annotations[", 21) == 0)
		map = m->facts->annotations;
	else if (strncmp(path, "metadata.labels[", 16) != 0)
		return NULL;
	if (n < 5 || p[1] != '\'' || strcmp(path + n - 2, "']") != 0 ||
	    path + n - 2 < p + 2)
		return NULL;
	key = arena_strndup(m->arena, p + 2, (size_t)(path + n - 2 - (p + 2)));
	value = manifest_label(map, key);
	return value ? value : "";
}

static const char *field_value(const struct maker *m, const char *path)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(fields[i].path, path) == 0) {
			const char *v;

			memcpy(&v, (const char *)m->facts + fields[i].offset,
			       sizeof(v));
			return v ? v : "";
		}
	return map_field(m, path);
}

static int add_var(struct maker *m, const struct env_var *v, struct err *err)
{
	const struct keyvals *kv;
	const char *text;

	if (v->source == ENV_VALUE) {
		text = env_expand(m->list, v->value ? v->value : "", m->arena);
		return set(m, v->name, text, strlen(text), err);
	}
	if (v->source == ENV_FIELD) {
		text = field_value(m, v->field_path);
		if (!text)
			return err_set(err, ERR_INPUT,
				       "variable %s: no field %s", v->name,
				       v->field_path);
		return set(m, v->name, text, strlen(text), err);
	}
	kv = source(m, v->source, v->ref_name);
	for (size_t i = 0; kv && i < kv->n; i++)
		if (strcmp(kv->items[i].key, v->ref_key) == 0)
			return set(m, v->name, kv->items[i].value,
				   kv->items[i].len, err);
	if (v->optional)
		return 0;
	return err_set(err, ERR_NOTFOUND, "variable %s: no key %s in %s %s/%s",
		       v->name, v->ref_key, kind_text(v->source),
		       m->facts->namespace, v->ref_name);
}

int env_make(const struct container *c, const struct objects *objects,
	     const struct env_facts *facts, const char *const *image_env,
	     size_t n_image_env, struct arena *arena, struct env_list *out,
	     struct err *err)
{
	struct env_list list = {
		.items = arena_calloc(arena, ENV_MAX, sizeof(*list.items))};
	struct maker m = {&list, arena, objects, facts};
	int r = 0;

	for (size_t i = 0; r == 0 && i < n_image_env; i++) {
		const char *eq = strchr(image_env[i], '=');

		if (eq && eq != image_env[i])
			r = set(&m,
				arena_strndup(arena, image_env[i],
					      (size_t)(eq - image_env[i])),
				eq + 1, strlen(eq + 1), err);
	}
	for (size_t i = 0; r == 0 && i < c->n_env_from; i++)
		r = add_from(&m, &c->env_from[i], err);
	for (size_t i = 0; r == 0 && i < c->n_env; i++)
		r = add_var(&m, &c->env[i], err);
	if (r == 0)
		*out = list;
	return r;
}
