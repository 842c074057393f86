/*
 * refs.c - every name that an object uses must be in the same commit.
 * Kubernetes would leave the pod pending; here it is an error before anything
 * runs.  Pure.
 */
#include "manifest/refs.h"

#include "manifest/codes.h"

#include <string.h>

#define DEFAULT_NAMESPACE "default"

struct refs {
	const struct objects *set;
	struct diags *diags;
	bool complete; /* everything decoded */
	const struct object *from;
};

/* A place where a ConfigMap or Secret is named. */
struct ref {
	enum manifest_kind kind;
	const char *name;
	const char *key; /* NULL: the whole */
	bool optional;
	struct manifest_pos pos;
	const char *what; /* "env", "volume" */
};

static const struct keyvals *data_of(const struct object *o)
{
	return o->kind == MANIFEST_SECRET ? &o->secret.data
					  : &o->configmap.data;
}

static void check_ref(const struct refs *c, const struct ref *r)
{
	const struct object *to;
	const char *kind = manifest_kind_name(r->kind);
	const char *ns = c->from->meta.namespace;

	if (r->optional || !r->name)
		return;
	to = manifest_find(c->set, r->kind, ns, r->name);
	if (!to) {
		if (c->complete)
			diags_add(c->diags, codes_id(CODE_REF_OBJECT),
				  DIAG_ERROR, r->pos, NULL,
				  "add it to the commit, or mark the "
				  "reference optional: true",
				  "%s of %s %s/%s names %s %s, which is not "
				  "in the commit",
				  r->what, manifest_kind_name(c->from->kind),
				  ns, c->from->meta.name, kind, r->name);
		return;
	}
	if (!r->key || manifest_label(data_of(to), r->key))
		return;
	diags_add(c->diags, codes_id(CODE_REF_KEY), DIAG_ERROR, r->pos, NULL,
		  "add the key, or mark the reference optional: true",
		  "%s of %s %s/%s names key %s of %s %s, which it does not "
		  "have",
		  r->what, manifest_kind_name(c->from->kind), ns,
		  c->from->meta.name, r->key, kind, r->name);
}

static void check_container(const struct refs *c, const struct container *k)
{
	for (size_t i = 0; i < k->n_env; i++) {
		const struct env_var *e = &k->env[i];

		if (e->source != ENV_CONFIGMAP && e->source != ENV_SECRET)
			continue;
		check_ref(c, &(struct ref){.kind = e->source == ENV_SECRET
							   ? MANIFEST_SECRET
							   : MANIFEST_CONFIGMAP,
					   .name = e->ref_name,
					   .key = e->ref_key,
					   .optional = e->optional,
					   .pos = e->pos,
					   .what = "env"});
	}
	for (size_t i = 0; i < k->n_env_from; i++) {
		const struct env_from *e = &k->env_from[i];

		check_ref(c, &(struct ref){.kind = e->source == ENV_SECRET
							   ? MANIFEST_SECRET
							   : MANIFEST_CONFIGMAP,
					   .name = e->ref_name,
					   .optional = e->optional,
					   .pos = e->pos,
					   .what = "envFrom"});
	}
}

static void check_volume(const struct refs *c, const struct volume *v)
{
	struct ref r = {.kind = v->kind == VOLUME_SECRET ? MANIFEST_SECRET
							 : MANIFEST_CONFIGMAP,
			.name = v->ref_name,
			.optional = v->optional,
			.pos = v->pos,
			.what = "volume"};

	if (v->kind != VOLUME_CONFIGMAP && v->kind != VOLUME_SECRET)
		return;
	if (v->n_items == 0)
		check_ref(c, &r);
	for (size_t i = 0; i < v->n_items; i++) {
		r.key = v->items[i].key;
		check_ref(c, &r);
		if (!manifest_find(c->set, r.kind, c->from->meta.namespace,
				   r.name ? r.name : ""))
			return;
	}
}

static void check_pod(const struct refs *c, const struct pod_spec *s)
{
	for (size_t i = 0; i < s->n_init_containers; i++)
		check_container(c, &s->init_containers[i]);
	for (size_t i = 0; i < s->n_containers; i++)
		check_container(c, &s->containers[i]);
	for (size_t i = 0; i < s->n_volumes; i++)
		check_volume(c, &s->volumes[i]);
}

static void check_namespace(const struct refs *c)
{
	const char *ns = c->from->meta.namespace;

	if (!ns || strcmp(ns, DEFAULT_NAMESPACE) == 0 || !c->complete ||
	    manifest_find(c->set, MANIFEST_NAMESPACE, NULL, ns))
		return;
	diags_add(c->diags, codes_id(CODE_REF_NAMESPACE), DIAG_ERROR,
		  c->from->pos, "/metadata/namespace",
		  "add a Namespace object to the commit",
		  "%s %s/%s is in namespace %s, which is not in the commit",
		  manifest_kind_name(c->from->kind), ns, c->from->meta.name,
		  ns);
}

static bool pod_has_port(const struct pod_spec *s, const char *name,
			 const char *protocol)
{
	for (size_t i = 0; i < s->n_containers; i++)
		for (size_t j = 0; j < s->containers[i].n_ports; j++) {
			const struct container_port *p =
				&s->containers[i].ports[j];

			if (p->name && strcmp(p->name, name) == 0 &&
			    strcmp(p->protocol, protocol) == 0)
				return true;
		}
	return false;
}

/* Kinds that have a pod template. */
static const enum manifest_kind templated[] = {
	MANIFEST_POD, MANIFEST_DEPLOYMENT, MANIFEST_DAEMONSET, MANIFEST_JOB};
#define N_TEMPLATED (sizeof(templated) / sizeof(templated[0]))

static int compare_place(const struct object *o, enum manifest_kind kind,
			 const char *ns)
{
	if (o->kind != kind)
		return o->kind < kind ? -1 : 1;
	return strcmp(o->meta.namespace ? o->meta.namespace : "", ns);
}

/* Index of the first object of kind in ns, or where it would be: the set is
 * sorted by kind and namespace. */
static size_t first_of(const struct objects *set, enum manifest_kind kind,
		       const char *ns)
{
	size_t lo = 0, hi = set->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare_place(&set->items[mid], kind, ns) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* How many templates the Service selects, and how many of them have the named
 * port (port NULL: none is asked for). */
static size_t selected(const struct refs *c, const struct service_port *port,
		       size_t *out_with_port)
{
	const char *ns = c->from->meta.namespace;
	size_t n = 0;

	*out_with_port = 0;
	for (size_t k = 0; ns && k < N_TEMPLATED; k++)
		for (size_t i = first_of(c->set, templated[k], ns);
		     i < c->set->n &&
		     compare_place(&c->set->items[i], templated[k], ns) == 0;
		     i++) {
			const struct pod_template *t =
				manifest_template(&c->set->items[i]);

			if (!manifest_labels_match(&c->from->service.selector,
						   &t->meta.labels))
				continue;
			n++;
			if (port &&
			    pod_has_port(&t->spec, port->target_port.text,
					 port->protocol))
				(*out_with_port)++;
		}
	return n;
}

static void check_service(const struct refs *c)
{
	const struct service *s = &c->from->service;
	size_t with_port, n = selected(c, NULL, &with_port);

	if (n == 0) {
		if (c->complete)
			diags_add(c->diags, codes_id(CODE_SELECTOR_EMPTY),
				  DIAG_WARNING, c->from->pos, "/spec/selector",
				  NULL,
				  "Service %s/%s selects no pod template of "
				  "the commit",
				  c->from->meta.namespace, c->from->meta.name);
		return;
	}
	for (size_t i = 0; i < s->n_ports; i++) {
		const struct service_port *p = &s->ports[i];

		if (!p->target_port.is_string || !p->target_port.text)
			continue;
		(void)selected(c, p, &with_port);
		if (with_port > 0)
			continue;
		diags_add(c->diags, codes_id(CODE_REF_PORT), DIAG_ERROR,
			  c->from->pos, "/spec/ports",
			  "name a container port so, or write its number",
			  "Service %s/%s wants port '%s' (%s), which no pod "
			  "that it selects has",
			  c->from->meta.namespace, c->from->meta.name,
			  p->target_port.text, p->protocol);
	}
}

static const struct selector *selector_of(const struct object *o)
{
	if (o->kind == MANIFEST_DEPLOYMENT)
		return &o->deployment.selector;
	return o->kind == MANIFEST_DAEMONSET ? &o->daemonset.selector : NULL;
}

static void say_overlap(const struct refs *c, const struct object *a,
			const struct object *b)
{
	diags_add(c->diags, codes_id(CODE_SELECTOR_OVERLAP), DIAG_ERROR, a->pos,
		  "/spec/selector", "give each its own labels",
		  "%s %s/%s also selects the pods of %s %s",
		  manifest_kind_name(a->kind), a->meta.namespace, a->meta.name,
		  manifest_kind_name(b->kind), b->meta.name);
}

/* Two controllers of a namespace that select each other's pods. */
static void check_overlap(const struct refs *c)
{
	const struct object *a = c->from;
	const struct selector *s = selector_of(a);
	const char *ns = a->meta.namespace;

	for (size_t k = 0; s && ns && k < N_TEMPLATED; k++)
		for (size_t i = first_of(c->set, templated[k], ns);
		     i < c->set->n &&
		     compare_place(&c->set->items[i], templated[k], ns) == 0;
		     i++) {
			const struct object *b = &c->set->items[i];

			if (b == a || !selector_of(b) ||
			    !manifest_selector_matches(
				    s, &manifest_template(b)->meta.labels))
				continue;
			say_overlap(c, a, b);
			return;
		}
}

/* A role that comes later would grant what nobody looked at. */
static void check_role(const struct refs *c)
{
	const struct object *o = c->from;
	const struct rbac_binding *b = &o->binding;
	bool local = b->role_kind == RBAC_ROLE;
	enum manifest_kind kind = local ? MANIFEST_ROLE : MANIFEST_CLUSTERROLE;

	if (!c->complete || !b->role ||
	    manifest_find(c->set, kind, local ? o->meta.namespace : NULL,
			  b->role))
		return;
	diags_add(c->diags, codes_id(CODE_REF_OBJECT), DIAG_ERROR, b->role_pos,
		  "/roleRef/name", "add it to the commit",
		  "%s %s%s%s gives %s %s, which is not in the commit",
		  manifest_kind_name(o->kind),
		  o->meta.namespace ? o->meta.namespace : "",
		  o->meta.namespace ? "/" : "", o->meta.name,
		  manifest_kind_name(kind), b->role);
}

void refs_check(const struct objects *set, struct diags *diags)
{
	struct refs c = {
		.set = set, .diags = diags, .complete = diags->n_errors == 0};

	for (size_t i = 0; i < set->n; i++) {
		const struct object *o = &set->items[i];
		const struct pod_template *t = manifest_template(o);

		c.from = o;
		check_namespace(&c);
		if (t)
			check_pod(&c, &t->spec);
		if (o->kind == MANIFEST_SERVICE)
			check_service(&c);
		if (o->kind == MANIFEST_ROLEBINDING ||
		    o->kind == MANIFEST_CLUSTERROLEBINDING)
			check_role(&c);
		check_overlap(&c);
	}
	diags_sort(diags);
}
