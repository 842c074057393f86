/*
 * make.h - makes snapshots and worlds by hand, for the tests of the pure core.
 * Everything lives in one arena.  Defaults are those of the manifest layer.
 */
#ifndef TESTS_SIM_MAKE_H
#define TESTS_SIM_MAKE_H

#include "lib/arena.h"
#include "manifest/manifest.h"
#include "reconciler/world.h"

#include <stdlib.h>
#include <string.h>

#define MAKE_NOW_MS INT64_C(1800000000000)
#define MAKE_DIGEST                                                            \
	"@sha256:"                                                             \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Room for n objects, hosts and pods; the policy admits registry.test. */
static inline struct snapshot make_snapshot(struct arena *a, size_t n)
{
	static const char *registries[] = {"registry.test"};
	struct snapshot s = {
		.repository_id = "test",
		.ref = "refs/heads/main",
		.commit = "1111111111111111111111111111111111111111",
		.signer = "alice@example.com",
		.commit_time = MAKE_NOW_MS / 1000,
		.policy = {.repository_id = "test",
			   .ref = "refs/heads/main",
			   .manifests_path = ".",
			   .default_namespace = "default",
			   .pod_security = "baseline",
			   .allowed_registries = {registries, 1},
			   .require_digest = true,
			   .max_delete_percent = 30,
			   .placement = "spread"},
	};

	s.objects.items = arena_calloc(a, n + 1, sizeof(struct object));
	return s;
}

static inline void make_hash(char out[17], const char *seed)
{
	unsigned long long h = 1469598103934665603ULL;

	for (; *seed; seed++)
		h = (h ^ (unsigned char)*seed) * 1099511628211ULL;
	(void)snprintf(out, 17, "%016llx", h);
}

static inline struct container make_container(const char *name)
{
	return (struct container){
		.name = name,
		.image = "registry.test/app:1" MAKE_DIGEST,
		.image_pull_policy = "IfNotPresent",
		.resources = {MANIFEST_UNSET, MANIFEST_UNSET, MANIFEST_UNSET,
			      MANIFEST_UNSET},
		.security = {.run_as_user = MANIFEST_UNSET,
			     .run_as_group = MANIFEST_UNSET,
			     .run_as_non_root = TRI_UNSET,
			     .read_only_root_filesystem = TRI_UNSET,
			     .allow_privilege_escalation = TRI_UNSET,
			     .privileged = TRI_UNSET},
	};
}

static inline void make_template(struct arena *a, struct pod_template *t,
				 const char *hash_seed)
{
	make_hash(t->hash, hash_seed);
	t->spec = (struct pod_spec){
		.restart_policy = "Always",
		.termination_grace_s = 30,
		.active_deadline_s = MANIFEST_UNSET,
		.service_account = "default",
		.security = {.run_as_user = MANIFEST_UNSET,
			     .run_as_group = MANIFEST_UNSET,
			     .fs_group = MANIFEST_UNSET,
			     .run_as_non_root = TRI_UNSET},
		.host_users = TRI_UNSET,
	};
	t->spec.containers = arena_calloc(a, 1, sizeof(struct container));
	t->spec.containers[0] = make_container("app");
	t->spec.n_containers = 1;
}

static inline struct object *make_object(struct arena *a, struct snapshot *s,
					 enum manifest_kind kind,
					 const char *ns, const char *name,
					 const char *hash_seed)
{
	struct object *o = &s->objects.items[s->objects.n++];

	*o = (struct object){.kind = kind,
			     .meta = {.name = name, .namespace = ns},
			     .pos = {"app.yaml", 1, 1},
			     .signer = "alice@example.com"};
	make_hash(o->hash, arena_printf(a, "%s/%s", name, hash_seed));
	return o;
}

static inline struct int_or_string make_count(int64_t n)
{
	return (struct int_or_string){.num = n};
}

static inline struct int_or_string make_percent(const char *text)
{
	return (struct int_or_string){.is_string = true, .text = text};
}

/* hash_seed changes the object's hash, template_seed that of its pods. */
static inline struct object *make_deployment(struct arena *a,
					     struct snapshot *s, const char *ns,
					     const char *name, int64_t replicas,
					     const char *template_seed)
{
	struct object *o = make_object(
		a, s, MANIFEST_DEPLOYMENT, ns, name,
		arena_printf(a, "%s/%lld", template_seed, (long long)replicas));

	o->deployment = (struct deployment){
		.replicas = replicas,
		.strategy = "RollingUpdate",
		.max_surge = make_percent("25%"),
		.max_unavailable = make_percent("25%"),
		.progress_deadline_s = 600,
		.revision_history_limit = 10,
	};
	make_template(a, &o->deployment.template, template_seed);
	return o;
}

static inline struct object *make_daemonset(struct arena *a, struct snapshot *s,
					    const char *ns, const char *name,
					    const char *template_seed)
{
	struct object *o =
		make_object(a, s, MANIFEST_DAEMONSET, ns, name, template_seed);

	o->daemonset = (struct daemonset){.strategy = "RollingUpdate",
					  .max_unavailable = make_count(1),
					  .max_surge = make_count(0)};
	make_template(a, &o->daemonset.template, template_seed);
	return o;
}

static inline struct object *make_job(struct arena *a, struct snapshot *s,
				      const char *ns, const char *name,
				      int64_t parallelism, int64_t completions,
				      const char *template_seed)
{
	struct object *o =
		make_object(a, s, MANIFEST_JOB, ns, name, template_seed);

	o->job = (struct job){.parallelism = parallelism,
			      .completions = completions,
			      .backoff_limit = 6,
			      .active_deadline_s = MANIFEST_UNSET,
			      .ttl_after_finished_s = MANIFEST_UNSET};
	make_template(a, &o->job.template, template_seed);
	o->job.template.spec.restart_policy = "Never";
	return o;
}

static inline struct object *make_pod(struct arena *a, struct snapshot *s,
				      const char *ns, const char *name,
				      const char *template_seed)
{
	struct object *o =
		make_object(a, s, MANIFEST_POD, ns, name, template_seed);

	make_template(a, &o->pod, template_seed);
	return o;
}

static inline int make_by_identity(const void *pa, const void *pb)
{
	const struct object *a = pa, *b = pb;
	int r = a->kind < b->kind ? -1 : a->kind > b->kind;

	if (r == 0)
		r = strcmp(a->meta.namespace ? a->meta.namespace : "",
			   b->meta.namespace ? b->meta.namespace : "");
	return r ? r : strcmp(a->meta.name, b->meta.name);
}

static inline void make_sorted(struct snapshot *s)
{
	qsort(s->objects.items, s->objects.n, sizeof(struct object),
	      make_by_identity);
}

static inline struct world make_world(struct arena *a, size_t n_hosts,
				      size_t n_pods, size_t n_objects)
{
	struct world w = {.now_ms = MAKE_NOW_MS};

	w.hosts = arena_calloc(a, n_hosts + 1, sizeof(struct world_host));
	w.pods = arena_calloc(a, n_pods + 1, sizeof(struct world_pod));
	w.objects = arena_calloc(a, n_objects + 1, sizeof(struct world_object));
	for (size_t i = 0; i < n_hosts; i++)
		w.hosts[w.n_hosts++] = (struct world_host){
			.name = arena_printf(a, "h%03zu", i),
			.state = HOST_READY,
			.cpu_m = 64000,
			.memory = INT64_C(64) << 30,
			.pods_max = 250};
	return w;
}

/* As if every object of s had been applied. */
static inline void make_applied(struct world *w, const struct snapshot *s)
{
	w->n_objects = 0;
	for (size_t i = 0; i < s->objects.n; i++)
		w->objects[w->n_objects++] = (struct world_object){
			s->objects.items[i].kind,
			s->objects.items[i].meta.namespace,
			s->objects.items[i].meta.name,
			s->objects.items[i].hash};
}

/* A ready pod of o, assigned and reported. */
static inline struct world_pod *
make_running(struct arena *a, struct world *w, const struct object *o,
	     const char *name, unsigned int index, const char *host)
{
	struct world_pod *p = &w->pods[w->n_pods++];

	*p = (struct world_pod){
		.uid = arena_printf(a, "%032zu", w->n_pods),
		.namespace = o->meta.namespace,
		.name = name,
		.owner_kind = manifest_kind_name(o->kind),
		.owner_name = o->meta.name,
		.template_hash = manifest_template(o)->hash,
		.index = index,
		.host = host,
		.assigned = true,
		.reported = true,
		.phase = POD_RUNNING,
		.ready = true,
		.ready_ms = MAKE_NOW_MS - 60000,
		.started_ms = MAKE_NOW_MS - 61000,
		.created_ms = MAKE_NOW_MS - 62000,
	};
	return p;
}

#endif
