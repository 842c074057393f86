/*
 * pod.c - see pod.h.  pod.json is written and read by this file alone; it is
 * root's own file, and still decoded strictly.
 */
#include "agent/pod/pod.h"
#include "lib/json.h"
#include "lib/text.h"

#include <stdio.h>
#include <string.h>

#define POD_ARENA_BYTES (16u << 20)
#define POD_JSON_BYTES_MAX (8u << 20)
#define POD_JSON_DEPTH 40
#define POD_FORMAT 1

void pod_message(char dst[POD_TEXT_BYTES], const char *text)
{
	(void)text_safe(dst, POD_TEXT_BYTES, text, strlen(text));
}

static void set_text(char *dst, size_t size, const char *src)
{
	(void)snprintf(dst, size, "%s", src ? src : "");
}

static void add_containers(struct pod *p, const struct container *list,
			   size_t n, bool init)
{
	for (size_t i = 0; i < n; i++) {
		struct pod_container *c = &p->c[p->n++];

		c->owner = p;
		c->spec = &list[i];
		c->init = init;
		/* One name for both lists in folders and logs; a label is at
		 * most 63, so a clash with "sandbox" is told apart by "-". */
		set_text(c->name, sizeof(c->name), list[i].name);
		if (strcmp(c->name, POD_SANDBOX) == 0)
			set_text(c->name, sizeof(c->name), POD_SANDBOX "-1");
		c->why = "ContainerCreating";
		c->exit_code = -1;
	}
}

/* Decodes the owner and lays out the containers. */
static int dress(struct pod *p, const char *owner, size_t len, struct err *err)
{
	char *copy = arena_strndup(p->arena, owner, len);
	const struct pod_spec *spec;
	int r = manifest_from_canonical(copy, len, p->arena, &p->owner, err);

	if (r < 0)
		return err_wrap(err, "owner of the pod");
	p->tpl = manifest_template(&p->owner);
	if (!p->tpl)
		return err_set(err, ERR_INPUT, "owner has no pod template");
	p->owner.canonical = copy;
	p->owner.canonical_len = len;
	spec = &p->tpl->spec;
	p->n_init = spec->n_init_containers;
	p->c = arena_calloc(p->arena, p->n_init + spec->n_containers,
			    sizeof(*p->c));
	add_containers(p, spec->init_containers, spec->n_init_containers, true);
	add_containers(p, spec->containers, spec->n_containers, false);
	return 0;
}

static struct pod *blank(void)
{
	struct arena *a = arena_new(POD_ARENA_BYTES);
	struct pod *p = arena_alloc(a, sizeof(*p));

	p->arena = a;
	p->reason = "";
	return p;
}

void pod_free(struct pod *p)
{
	if (p)
		arena_free(p->arena);
}

struct pod_container *pod_find(struct pod *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->c[i].name, name) == 0)
			return &p->c[i];
	return NULL;
}

int pod_new(const Channel__PodAssignment *a, const char *owner_canonical,
	    size_t owner_len, struct pod **out, struct err *err)
{
	struct pod *p = blank();
	int r;

	set_text(p->uid, sizeof(p->uid), a->uid);
	p->namespace = arena_strdup(p->arena, a->namespace_);
	p->name = arena_strdup(p->arena, a->name);
	p->owner_kind = arena_strdup(p->arena, a->owner_kind);
	p->owner_name = arena_strdup(p->arena, a->owner_name);
	set_text(p->template_hash, sizeof(p->template_hash), a->template_hash);
	p->commit = arena_strdup(p->arena, a->commit);
	p->index = a->index;
	r = dress(p, owner_canonical, owner_len, err);
	for (size_t i = 0; r == 0 && i < a->n_images; i++)
		for (size_t k = 0; k < p->n; k++)
			if (strcmp(p->c[k].spec->name,
				   a->images[i]->container) == 0)
				set_text(p->c[k].pin, sizeof(p->c[k].pin),
					 a->images[i]->digest);
	if (r < 0)
		pod_free(p);
	else
		*out = p;
	return r;
}

Channel__Phase pod_phase(const struct pod *p)
{
	bool failed = p->deadline_hit;

	if (p->lost)
		return CHANNEL__PHASE__LOST;
	if (p->final) {
		for (size_t i = 0; i < p->n; i++)
			failed = failed || p->c[i].exit_code != 0;
		return failed ? CHANNEL__PHASE__FAILED
			      : CHANNEL__PHASE__SUCCEEDED;
	}
	if (p->stopping)
		return CHANNEL__PHASE__STOPPING;
	for (size_t i = p->n_init; i < p->n; i++)
		if (p->c[i].started_ms == 0)
			return CHANNEL__PHASE__PENDING;
	return CHANNEL__PHASE__RUNNING;
}

bool pod_ready(const struct pod *p)
{
	if (p->stopping || p->final || p->lost)
		return false;
	for (size_t i = p->n_init; i < p->n; i++)
		if (p->c[i].state != POD_C_RUNNING || !p->c[i].ready)
			return false;
	return p->n > p->n_init;
}

static void put_container(struct jsonw *w, const struct pod_container *c)
{
	jsonw_obj(w);
	jsonw_kstr(w, "name", c->name);
	jsonw_kstr(w, "pin", c->pin);
	jsonw_kstr(w, "digest", c->digest);
	jsonw_kint(w, "restarts", c->restarts);
	jsonw_kint(w, "fails", c->fails);
	jsonw_kint(w, "uid", c->run_uid);
	jsonw_kbool(w, "ended", c->ever_ended);
	jsonw_kint(w, "exit", c->exit_code);
	jsonw_kbool(w, "done", c->state == POD_C_DONE);
	jsonw_kstr(w, "message", c->message);
	jsonw_obj_end(w);
}

int pod_encode(const struct pod *p, const char *boot_id, struct buf *out,
	       struct err *err)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_obj(&w);
	jsonw_kint(&w, "format", POD_FORMAT);
	jsonw_kstr(&w, "boot", boot_id);
	jsonw_kstr(&w, "uid", p->uid);
	jsonw_kstr(&w, "namespace", p->namespace);
	jsonw_kstr(&w, "name", p->name);
	jsonw_kstr(&w, "ownerKind", p->owner_kind);
	jsonw_kstr(&w, "ownerName", p->owner_name);
	jsonw_kstr(&w, "templateHash", p->template_hash);
	jsonw_kstr(&w, "commit", p->commit);
	jsonw_kint(&w, "index", p->index);
	jsonw_kint(&w, "range", p->has_range ? (int64_t)p->range : -1);
	jsonw_kint(&w, "ip", p->has_ip ? (int64_t)p->ip : -1);
	jsonw_kint(&w, "created", p->created_ms);
	jsonw_kint(&w, "started", p->started_ms);
	jsonw_kbool(&w, "prepared", p->prepared);
	jsonw_kbool(&w, "stopping", p->stopping);
	jsonw_kbool(&w, "final", p->final);
	jsonw_kbool(&w, "lost", p->lost);
	jsonw_kbool(&w, "cleaned", p->cleaned);
	jsonw_kbool(&w, "deadline", p->deadline_hit);
	jsonw_key(&w, "containers");
	jsonw_arr(&w);
	for (size_t i = 0; i < p->n; i++)
		put_container(&w, &p->c[i]);
	jsonw_arr_end(&w);
	jsonw_key(&w, "owner");
	jsonw_raw(&w, p->owner.canonical, p->owner.canonical_len);
	jsonw_obj_end(&w);
	return buf_check(out, err);
}

/* Members with their checks; *bad stays true once one is not as written. */
static const char *text_of(const json_t *o, const char *key, bool *bad)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_string(v)) {
		*bad = true;
		return "";
	}
	return json_string_value(v);
}

static int64_t int_of(const json_t *o, const char *key, bool *bad)
{
	const json_t *v = json_object_get(o, key);

	*bad = *bad || !json_is_integer(v);
	return json_is_integer(v) ? json_integer_value(v) : 0;
}

static bool bool_of(const json_t *o, const char *key, bool *bad)
{
	const json_t *v = json_object_get(o, key);

	*bad = *bad || !json_is_boolean(v);
	return json_is_true(v);
}

static void read_container(const json_t *o, struct pod *p, bool *bad)
{
	struct pod_container *c = pod_find(p, text_of(o, "name", bad));

	if (!c) {
		*bad = true;
		return;
	}
	set_text(c->pin, sizeof(c->pin), text_of(o, "pin", bad));
	set_text(c->digest, sizeof(c->digest), text_of(o, "digest", bad));
	c->restarts = (unsigned int)int_of(o, "restarts", bad);
	c->fails = (unsigned int)int_of(o, "fails", bad);
	c->run_uid = (uint32_t)int_of(o, "uid", bad);
	c->ever_ended = bool_of(o, "ended", bad);
	c->exit_code = (int)int_of(o, "exit", bad);
	if (bool_of(o, "done", bad))
		c->state = POD_C_DONE;
	set_text(c->message, sizeof(c->message), text_of(o, "message", bad));
	c->image_ready = c->digest[0] != '\0';
}

static void read_fields(const json_t *o, struct pod *p, bool *bad)
{
	int64_t range = int_of(o, "range", bad), ip = int_of(o, "ip", bad);

	set_text(p->uid, sizeof(p->uid), text_of(o, "uid", bad));
	p->namespace = arena_strdup(p->arena, text_of(o, "namespace", bad));
	p->name = arena_strdup(p->arena, text_of(o, "name", bad));
	p->owner_kind = arena_strdup(p->arena, text_of(o, "ownerKind", bad));
	p->owner_name = arena_strdup(p->arena, text_of(o, "ownerName", bad));
	set_text(p->template_hash, sizeof(p->template_hash),
		 text_of(o, "templateHash", bad));
	p->commit = arena_strdup(p->arena, text_of(o, "commit", bad));
	p->index = (uint32_t)int_of(o, "index", bad);
	p->has_range = range >= 0;
	p->range = range >= 0 ? (uint32_t)range : 0;
	p->has_ip = ip >= 0;
	p->ip = ip >= 0 ? (uint32_t)ip : 0;
	p->created_ms = int_of(o, "created", bad);
	p->started_ms = int_of(o, "started", bad);
	p->prepared = bool_of(o, "prepared", bad);
	p->stopping = bool_of(o, "stopping", bad);
	p->final = bool_of(o, "final", bad);
	p->lost = bool_of(o, "lost", bad);
	p->cleaned = bool_of(o, "cleaned", bad);
	p->deadline_hit = bool_of(o, "deadline", bad);
	p->audited = true;
}

int pod_decode(const char *json, size_t len, const char *boot_id,
	       struct pod **out, bool *out_same_boot, struct err *err)
{
	struct pod *p = blank();
	json_t *o = NULL, *list, *item;
	char *owner = NULL;
	bool bad = false, same = false;
	size_t i;
	int r = json_read(json, len, POD_JSON_BYTES_MAX, POD_JSON_DEPTH, &o,
			  err);

	if (r < 0)
		goto out;
	bad = int_of(o, "format", &bad) != POD_FORMAT;
	same = strcmp(text_of(o, "boot", &bad), boot_id) == 0;
	read_fields(o, p, &bad);
	owner = json_dumps(json_object_get(o, "owner"), JSON_COMPACT);
	if (bad || !owner || !text_is_hex(p->uid, POD_UID_BYTES - 1)) {
		r = err_set(err, ERR_INPUT,
			    "pod.json: not as this program "
			    "writes it");
		goto out;
	}
	r = dress(p, owner, strlen(owner), err);
	list = json_object_get(o, "containers");
	if (r == 0)
		json_array_foreach(list, i, item) read_container(item, p, &bad);
	if (r == 0 && bad)
		r = err_set(err, ERR_INPUT,
			    "pod.json: containers differ from "
			    "those of the owner");
out:
	free(owner);
	json_decref(o);
	if (r < 0) {
		pod_free(p);
	} else {
		*out_same_boot = same;
		*out = p;
	}
	return r;
}
