/*
 * oci_config.c - see oci_config.h.  Runs in reconcile-pull; hostile input.
 * Strings of the image later become argv, environment and paths of a container
 * and are never interpreted here; what could break a file format or a path
 * (control characters in user, "..", no leading '/') is refused (E22, E25).
 */
#include "engine/image/oci_config.h"

#include "engine/image/digest.h"
#include "lib/json.h"
#include "lib/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32
#define SCALAR_BYTES_MAX 4096

struct reader {
	struct arena *arena;
	struct err *err;
};

static int too_many(const struct reader *rd, const char *key, size_t n)
{
	return err_set(rd->err, ERR_LIMIT,
		       "config: %s: want at most %d items, have %zu", key,
		       OCI_CONFIG_ITEMS_MAX, n);
}

/* A list of strings; absent and null are empty. */
static int list(const struct reader *rd, const json_t *obj, const char *key,
		struct oci_strings *out)
{
	const json_t *v = json_object_get(obj, key);
	size_t n = json_array_size(v);
	size_t i;

	*out = (struct oci_strings){0};
	if (!v || json_is_null(v))
		return 0;
	if (!json_is_array(v))
		return err_set(rd->err, ERR_INPUT, "config: %s: want a list",
			       key);
	if (n > OCI_CONFIG_ITEMS_MAX)
		return too_many(rd, key, n);
	out->items = arena_calloc(rd->arena, n ? n : 1, sizeof(char *));
	for (i = 0; i < n; i++) {
		const char *s = json_string_value(json_array_get(v, i));

		if (!s)
			return err_set(rd->err, ERR_INPUT,
				       "config: %s[%zu]: want a string", key,
				       i);
		out->items[i] = arena_strdup(rd->arena, s);
	}
	out->n = n;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The keys of an object whose values mean nothing ({"/data": {}}). */
static int keys(const struct reader *rd, const json_t *obj, const char *key,
		struct oci_strings *out)
{
	json_t *v = json_object_get(obj, key);
	size_t n = json_object_size(v);
	const char *name;
	json_t *unused;

	*out = (struct oci_strings){0};
	if (!v || json_is_null(v))
		return 0;
	if (!json_is_object(v))
		return err_set(rd->err, ERR_INPUT, "config: %s: want an object",
			       key);
	if (n > OCI_CONFIG_ITEMS_MAX)
		return too_many(rd, key, n);
	out->items = arena_calloc(rd->arena, n ? n : 1, sizeof(char *));
	json_object_foreach(v, name, unused)
	{
		out->items[out->n++] = arena_strdup(rd->arena, name);
	}
	qsort(out->items, out->n, sizeof(char *), by_name);
	return 0;
}

static bool has_control(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	}
	return false;
}

/* A short text without control characters; absent is "". */
static int scalar(const struct reader *rd, const json_t *obj, const char *key,
		  const char **out)
{
	const json_t *v = json_object_get(obj, key);
	const char *s = json_string_value(v);

	*out = "";
	if (!v || json_is_null(v))
		return 0;
	if (!s)
		return err_set(rd->err, ERR_INPUT, "config: %s: want a string",
			       key);
	if (strlen(s) > SCALAR_BYTES_MAX || has_control(s))
		return err_set(rd->err, ERR_INPUT,
			       "config: %s: want at most %d bytes and no "
			       "control characters",
			       key, SCALAR_BYTES_MAX);
	*out = arena_strdup(rd->arena, s);
	return 0;
}

static bool has_dotdot(const char *path)
{
	const char *p = path;

	while ((p = strstr(p, "..")) != NULL) {
		bool starts = p == path || p[-1] == '/';

		if (starts && (p[2] == '/' || p[2] == '\0'))
			return true;
		p += 2;
	}
	return false;
}

static int check_volumes(const struct reader *rd, const struct oci_strings *v)
{
	char shown[128];
	size_t i;

	for (i = 0; i < v->n; i++) {
		const char *p = v->items[i];

		if (p[0] == '/' && !has_dotdot(p) && !has_control(p))
			continue;
		text_safe(shown, sizeof(shown), p, strlen(p));
		return err_set(rd->err, ERR_INPUT,
			       "config: Volumes: want an absolute path without "
			       "\"..\", have \"%s\"",
			       shown);
	}
	return 0;
}

static int check_env(const struct reader *rd, const struct oci_strings *env)
{
	char shown[64];
	size_t i;

	for (i = 0; i < env->n; i++) {
		const char *eq = strchr(env->items[i], '=');

		if (eq && eq != env->items[i])
			continue;
		text_safe(shown, sizeof(shown), env->items[i],
			  strlen(env->items[i]));
		return err_set(rd->err, ERR_INPUT,
			       "config: Env[%zu]: want NAME=value, have \"%s\"",
			       i, shown);
	}
	return 0;
}

static int read_config(const struct reader *rd, const json_t *c,
		       struct oci_config *out)
{
	int r;

	if (c && !json_is_object(c) && !json_is_null(c))
		return err_set(rd->err, ERR_INPUT, "config: want an object");
	if ((r = list(rd, c, "Entrypoint", &out->entrypoint)) < 0 ||
	    (r = list(rd, c, "Cmd", &out->cmd)) < 0 ||
	    (r = list(rd, c, "Env", &out->env)) < 0 ||
	    (r = keys(rd, c, "Volumes", &out->volumes)) < 0 ||
	    (r = keys(rd, c, "ExposedPorts", &out->exposed_ports)) < 0 ||
	    (r = scalar(rd, c, "User", &out->user)) < 0 ||
	    (r = scalar(rd, c, "WorkingDir", &out->working_dir)) < 0 ||
	    (r = scalar(rd, c, "StopSignal", &out->stop_signal)) < 0)
		return r;
	r = check_env(rd, &out->env);
	if (r == 0)
		r = check_volumes(rd, &out->volumes);
	return r;
}

static int read_diff_ids(const struct reader *rd, const json_t *root,
			 struct oci_config *out)
{
	const json_t *rootfs = json_object_get(root, "rootfs");
	const char *type = json_string_value(json_object_get(rootfs, "type"));
	size_t i;
	int r;

	if (!type || strcmp(type, "layers") != 0)
		return err_set(rd->err, ERR_INPUT,
			       "config: rootfs.type: want \"layers\"");
	r = list(rd, rootfs, "diff_ids", &out->diff_ids);
	for (i = 0; r == 0 && i < out->diff_ids.n; i++)
		r = digest_check(out->diff_ids.items[i],
				 "config: rootfs.diff_ids", rd->err);
	return r;
}

static int check_platform(const json_t *root, const char *os, const char *arch,
			  struct err *err)
{
	const char *o = json_string_value(json_object_get(root, "os"));
	const char *a =
		json_string_value(json_object_get(root, "architecture"));
	char so[48], sa[48];

	if (!o || !a)
		return err_set(err, ERR_INPUT,
			       "config: os and architecture are required");
	if (strcmp(o, os) == 0 && strcmp(a, arch) == 0)
		return 0;
	return err_set(err, ERR_NOTFOUND, "image is for %s/%s, want %s/%s",
		       text_safe(so, sizeof(so), o, strlen(o)),
		       text_safe(sa, sizeof(sa), a, strlen(a)), os, arch);
}

int oci_config_parse(const char *bytes, size_t len, const char *os,
		     const char *arch, struct arena *arena,
		     struct oci_config *out, struct err *err)
{
	struct reader rd = {.arena = arena, .err = err};
	struct oci_config c = {0};
	json_t *root = NULL;
	int r;

	r = json_read(bytes, len, OCI_CONFIG_BYTES_MAX, DEPTH_MAX, &root, err);
	if (r < 0)
		return err_wrap(err, "config");
	if (!json_is_object(root))
		r = err_set(err, ERR_INPUT, "config: want a JSON object");
	if (r == 0)
		r = check_platform(root, os, arch, err);
	if (r == 0)
		r = read_config(&rd, json_object_get(root, "config"), &c);
	if (r == 0)
		r = read_diff_ids(&rd, root, &c);
	if (r == 0)
		*out = c;
	json_decref(root);
	return r;
}
