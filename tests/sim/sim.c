/*
 * sim.c - the planner against a fleet that fails, from seeds.
 *
 *   sim [--seeds N] [--first SEED] [--verbose]
 *
 * Invariants, checked after every step of every run:
 *  S1 same world, same snapshot: same bytes of the plan
 *  S2 no step makes more pods of a Deployment than replicas + maxSurge, unless
 *     there were more before, and then not more than before
 *  S3 no step of a rolling update takes availability below replicas -
 *     maxUnavailable
 *  S4 no two assigned pods have the same name; two pods of a name exist on
 * hosts only if one of the hosts is out of reach S5 within a bound after the
 * last fault everything is as wanted, and stays S6 when all goes well, what
 * happens is what plan_make() said
 */
#include "lib/num.h"
#include "reconciler/rollout/rollout.h"
#include "tests/sim/fleet.h"
#include "tests/sim/make.h"

#include <assert.h>
#include <stdio.h>

#define TICKS_FAULTS 60
/* grace of a lost host, roll-outs one by one, back-off of Jobs */
#define TICKS_CALM 1200
#define SEEDS_DEFAULT 2000

struct sim {
	uint64_t seed;
	unsigned int tick;
	bool verbose;
	struct fleet fleet;
	struct fleet_random random; /* of the scenario */
	struct arena *long_lived;   /* of the snapshot */
	struct snapshot want;
	unsigned int version[FLEET_OBJECTS_MAX];
	const char *failed;
};

#define CHECK(s, ok, id)                                                       \
	do {                                                                   \
		if (!(ok) && !(s)->failed)                                     \
			(s)->failed = (id);                                    \
	} while (0)

static struct int_or_string random_limit(struct fleet_random *r)
{
	static const char *const percents[] = {"0%", "25%", "50%", "100%"};

	if (fleet_chance(r, 50))
		return make_percent(percents[fleet_below(r, 4)]);
	return make_count((int64_t)fleet_below(r, 3));
}

static void random_deployment(struct sim *s, int i)
{
	struct fleet_random *r = &s->random;
	struct object *o;
	struct deployment *d;

	o = make_deployment(s->long_lived, &s->want, "shop",
			    arena_printf(s->long_lived, "web%d", i),
			    (int64_t)fleet_below(r, 7), "v0");
	d = &o->deployment;
	d->max_surge = random_limit(r);
	d->max_unavailable = random_limit(r);
	d->min_ready_s = (int64_t)fleet_below(r, 4);
	if (fleet_chance(r, 20))
		d->strategy = "Recreate";
}

static void random_world(struct sim *s)
{
	struct fleet_random *r = &s->random;
	int n = 1 + (int)fleet_below(r, 3);

	s->want = make_snapshot(s->long_lived, FLEET_OBJECTS_MAX);
	for (int i = 0; i < n; i++)
		random_deployment(s, i);
	if (fleet_chance(r, 50)) {
		struct object *o = make_daemonset(s->long_lived, &s->want,
						  "sys", "log", "v0");

		o->daemonset.max_surge = make_count((int64_t)fleet_below(r, 2));
	}
	if (fleet_chance(r, 40))
		make_job(s->long_lived, &s->want, "shop", "load",
			 1 + (int64_t)fleet_below(r, 2),
			 1 + (int64_t)fleet_below(r, 3), "v0");
	if (fleet_chance(r, 40))
		make_pod(s->long_lived, &s->want, "shop", "one", "v0");
	if (fleet_chance(r, 50))
		make_object(s->long_lived, &s->want, MANIFEST_CONFIGMAP, "shop",
			    "conf", "v0");
	make_sorted(&s->want);
}

static struct pod_template *template_of(struct object *o)
{
	switch (o->kind) {
	case MANIFEST_DEPLOYMENT:
		return &o->deployment.template;
	case MANIFEST_DAEMONSET:
		return &o->daemonset.template;
	case MANIFEST_JOB:
		return &o->job.template;
	case MANIFEST_POD:
		return &o->pod;
	default:
		return NULL;
	}
}

/* A new commit: a template or a number changes, or an object goes. */
static void random_commit(struct sim *s)
{
	struct fleet_random *r = &s->random;
	size_t i = (size_t)fleet_below(r, s->want.objects.n);
	struct object *o = &s->want.objects.items[i];
	struct pod_template *t = template_of(o);
	const char *version = arena_printf(s->long_lived, "%s-v%u",
					   o->meta.name, ++s->version[i]);

	if (s->want.objects.n > 2 && fleet_chance(r, 10)) {
		s->want.objects.n--;
		memmove(o, o + 1,
			(s->want.objects.n - i) * sizeof(struct object));
		return;
	}
	make_hash(o->hash, version);
	if (o->kind == MANIFEST_DEPLOYMENT && fleet_chance(r, 40))
		o->deployment.replicas = (int64_t)fleet_below(r, 7);
	else if (t)
		make_hash(t->hash, version);
}

static void random_fault(struct sim *s)
{
	struct fleet *f = &s->fleet;
	struct fleet_random *r = &s->random;
	struct fleet_host *h = &f->hosts[fleet_below(r, f->n_hosts)];

	switch (fleet_below(r, 6)) {
	case 0:
	case 1:
		fleet_break_pod(f, (size_t)fleet_below(r, 40),
				fleet_chance(r, 70));
		break;
	case 2:
		h->up = !h->up;
		h->lost_since_ms = h->up ? 0 : f->now_ms;
		break;
	case 3:
		h->draining = !h->draining;
		break;
	case 4:
		f->now_ms += (int64_t)fleet_below(r, 400000);
		break;
	default:
		random_commit(s);
		break;
	}
}

struct tally {
	int64_t assigned, available;
};

static bool counts_available(const struct fleet *f, const struct fleet_pod *p,
			     const struct object *o)
{
	return p->assigned && f->hosts[p->host].up && p->seen &&
	       p->seen_phase == POD_RUNNING && p->seen_ready &&
	       f->now_ms - p->seen_ready_ms >= o->deployment.min_ready_s * 1000;
}

static struct tally tally_of(const struct fleet *f, const struct object *o)
{
	struct tally t = {0, 0};

	for (size_t i = 0; i < FLEET_PODS_MAX; i++) {
		const struct fleet_pod *p = &f->pods[i];

		if (!p->used || strcmp(p->owner, o->meta.name) != 0)
			continue;
		t.assigned += p->assigned;
		t.available += counts_available(f, p, o);
	}
	return t;
}

static void check_limits(struct sim *s, const struct object *o,
			 struct tally before)
{
	struct tally after = tally_of(&s->fleet, o);
	int64_t surge, unavailable, most, least;

	rollout_limits(&o->deployment, &surge, &unavailable);
	if (strcmp(o->deployment.strategy, "Recreate") == 0) {
		most = o->deployment.replicas;
		least = 0;
	} else {
		most = o->deployment.replicas + surge;
		least = o->deployment.replicas - unavailable;
	}
	CHECK(s,
	      after.assigned <=
		      (before.assigned > most ? before.assigned : most),
	      "S2 more pods than replicas + maxSurge");
	CHECK(s,
	      after.available >=
		      (before.available < least ? before.available : least),
	      "S3 availability below replicas - maxUnavailable");
}

static void check_names(struct sim *s)
{
	const struct fleet *f = &s->fleet;

	for (size_t i = 0; i < FLEET_PODS_MAX; i++)
		for (size_t k = 0; f->pods[i].used && k < i; k++) {
			const struct fleet_pod *a = &f->pods[i];
			const struct fleet_pod *b = &f->pods[k];
			bool same = b->used && strcmp(a->name, b->name) == 0 &&
				    strcmp(a->ns, b->ns) == 0;

			if (!same)
				continue;
			CHECK(s, !(a->assigned && b->assigned),
			      "S4 two assigned pods of one name");
			CHECK(s,
			      !(a->there && b->there) ||
				      !f->hosts[a->host].up ||
				      !f->hosts[b->host].up ||
				      f->hosts[a->host].stale ||
				      f->hosts[b->host].stale ||
				      a->host == b->host || a->stopping ||
				      b->stopping || s->fleet.loss_percent,
			      "S4 two pods of one name");
		}
}

static void check_indices(struct sim *s, const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_change *c = &p->changes[i];
		const struct object *o = manifest_find(
			&s->want.objects, c->kind, c->namespace, c->name);

		CHECK(s,
		      c->action != PLAN_START ||
			      (o && c->index < plan_pods_max(o)),
		      "S7 index that a host would refuse");
	}
}

static void check_same_bytes(struct sim *s, const struct world *w,
			     const struct plan *p, struct arena *a)
{
	struct plan again;
	struct diags diags;
	struct buf one, two;
	struct err err = {0};

	diags_init(&diags, a, 100);
	buf_init(&one, (size_t)1 << 24);
	buf_init(&two, (size_t)1 << 24);
	CHECK(s, plan_step(&s->want, w, a, &diags, &again, &err) == 0, "S1");
	(void)plan_render_json(p, &s->want, w, NULL, &one, &err);
	(void)plan_render_json(&again, &s->want, w, NULL, &two, &err);
	CHECK(s, one.len == two.len && memcmp(one.data, two.data, one.len) == 0,
	      "S1 other bytes of the same plan");
	buf_release(&one);
	buf_release(&two);
}

/* One pass of the manager.  Returns true when nothing is left to do. */
static bool manager_pass(struct sim *s, bool crash)
{
	struct arena *a = arena_new((size_t)1 << 28);
	struct tally before[FLEET_OBJECTS_MAX];
	struct objects *set = &s->want.objects;
	struct diags diags;
	struct world w;
	struct plan p;
	struct err err = {0};
	size_t n;

	fleet_world(&s->fleet, a, &w);
	diags_init(&diags, a, 100);
	if (plan_step(&s->want, &w, a, &diags, &p, &err) < 0) {
		fprintf(stderr, "plan_step: %s\n", err.msg);
		CHECK(s, false, "plan_step failed");
		arena_free(a);
		return false;
	}
	if (s->tick % 16 == 0)
		check_same_bytes(s, &w, &p, a);
	for (size_t i = 0; i < set->n; i++)
		before[i] = tally_of(&s->fleet, &set->items[i]);
	n = crash ? (size_t)fleet_below(&s->random, p.n + 1) : p.n;
	fleet_apply(&s->fleet, &p, n, &s->want);
	for (size_t i = 0; i < set->n && !crash; i++)
		if (set->items[i].kind == MANIFEST_DEPLOYMENT)
			check_limits(s, &set->items[i], before[i]);
	check_names(s);
	check_indices(s, &p);
	if (s->verbose) {
		struct buf b;

		buf_init(&b, (size_t)1 << 24);
		(void)plan_render_text(&p, &s->want, &w, &diags, NULL, &b,
				       &err);
		printf("tick %u\n%s", s->tick, b.data ? b.data : "");
		buf_release(&b);
	}
	arena_free(a);
	return p.n == 0 && !p.waiting && !p.stuck;
}

/* As wanted: every Deployment has its number of available current pods. */
static void check_converged(struct sim *s)
{
	const struct fleet *f = &s->fleet;

	for (size_t i = 0; i < s->want.objects.n; i++) {
		const struct object *o = &s->want.objects.items[i];
		const struct pod_template *t = manifest_template(o);
		int64_t n = 0, other = 0, done = 0;

		if (!t)
			continue;
		for (size_t k = 0; k < FLEET_PODS_MAX; k++) {
			const struct fleet_pod *p = &f->pods[k];

			/* what a Job did counts, also on a host since left */
			if (!p->used || strcmp(p->owner, o->meta.name) != 0 ||
			    (!p->assigned && p->phase != POD_SUCCEEDED))
				continue;
			if (strcmp(p->hash, t->hash) != 0)
				other += p->assigned;
			else if (p->phase == POD_SUCCEEDED)
				done++;
			else
				n += p->ready;
		}
		if (s->verbose)
			printf("%s: %lld ready, %lld done, %lld older, of "
			       "%lld\n",
			       o->meta.name, (long long)n, (long long)done,
			       (long long)other,
			       (long long)o->deployment.replicas);
		CHECK(s, other == 0, "S5 pods of an older template remain");
		if (o->kind == MANIFEST_DEPLOYMENT)
			CHECK(s, n == o->deployment.replicas,
			      "S5 Deployment has another number of pods");
		if (o->kind == MANIFEST_DAEMONSET)
			CHECK(s, n == (int64_t)f->n_hosts,
			      "S5 DaemonSet is not on every host");
		if (o->kind == MANIFEST_JOB)
			CHECK(s, done >= o->job.completions,
			      "S5 Job has not its completions");
	}
}

static void calm_down(struct sim *s)
{
	s->fleet.loss_percent = 0;
	for (size_t h = 0; h < s->fleet.n_hosts; h++) {
		s->fleet.hosts[h].up = true;
		s->fleet.hosts[h].draining = false;
		s->fleet.hosts[h].lost_since_ms = 0;
	}
	/* what was started during faults may have failed for good */
	for (size_t i = 0; i < s->want.objects.n; i++)
		if (s->want.objects.items[i].kind == MANIFEST_JOB)
			s->want.objects.items[i].job.backoff_limit = 100;
}

static void run_faults(struct sim *s)
{
	for (s->tick = 0; s->tick < TICKS_FAULTS && !s->failed; s->tick++) {
		if (s->tick > 5 && fleet_chance(&s->random, 25))
			random_fault(s);
		(void)manager_pass(s, fleet_chance(&s->random, 5));
		fleet_tick(&s->fleet);
	}
	calm_down(s);
	fleet_tick(&s->fleet); /* what is known is true again */
	for (; s->tick < TICKS_FAULTS + TICKS_CALM && !s->failed; s->tick++) {
		bool done = manager_pass(s, false);

		if (done)
			break;
		fleet_tick(&s->fleet);
	}
	CHECK(s, s->tick < TICKS_FAULTS + TICKS_CALM, "S5 does not converge");
	fleet_tick(&s->fleet);
	CHECK(s, s->failed || manager_pass(s, false), "S5 does not stay");
	if (!s->failed)
		check_converged(s);
}

/* What plan_make() said of wave n is what the n-th pass does. */
static void run_prediction(struct sim *s)
{
	struct arena *a = arena_new((size_t)1 << 28);
	struct diags diags;
	struct world w;
	struct plan all, now;
	struct err err = {0};
	size_t at = 0;

	s->fleet.ideal = true;
	fleet_world(&s->fleet, a, &w);
	diags_init(&diags, a, 100);
	CHECK(s, plan_make(&s->want, &w, a, &diags, &all, &err) == 0, "S6");
	for (unsigned int wave = 1; wave <= all.waves && !s->failed; wave++) {
		fleet_world(&s->fleet, a, &w);
		CHECK(s, plan_step(&s->want, &w, a, &diags, &now, &err) == 0,
		      "S6");
		for (size_t i = 0; i < now.n && !s->failed; i++, at++) {
			const struct plan_change *x = &now.changes[i];
			const struct plan_change *y = &all.changes[at];

			CHECK(s,
			      at < all.n && y->wave == wave &&
				      x->action == y->action &&
				      x->cause == y->cause &&
				      strcmp(x->name, y->name) == 0,
			      "S6 another change than planned");
			if (x->pod && !s->failed)
				CHECK(s,
				      strcmp(x->pod, y->pod) == 0 &&
					      strcmp(x->host, y->host) == 0,
				      "S6 another pod than planned");
		}
		fleet_apply(&s->fleet, &now, now.n, &s->want);
		fleet_tick(&s->fleet);
		s->fleet.now_ms += 10000; /* minReadySeconds pass */
		fleet_tick(&s->fleet);
	}
	CHECK(s, at == all.n, "S6 fewer changes than planned");
	arena_free(a);
}

static bool run_seed(uint64_t seed, bool verbose)
{
	struct sim *s = calloc(1, sizeof(*s));
	bool ok;

	assert(s);
	s->seed = seed;
	s->verbose = verbose;
	s->random.state = seed * 2 + 1;
	s->long_lived = arena_new((size_t)1 << 28);
	fleet_init(&s->fleet, seed, 1 + (size_t)fleet_below(&s->random, 4));
	random_world(s);
	run_prediction(s);
	random_commit(s);
	run_prediction(s);
	s->fleet.ideal = false;
	s->fleet.loss_percent = (unsigned int)fleet_below(&s->random, 3) * 15;
	if (!s->failed)
		run_faults(s);
	ok = !s->failed;
	if (!ok)
		printf("not ok seed %llu tick %u: %s\n",
		       (unsigned long long)seed, s->tick, s->failed);
	arena_free(s->long_lived);
	free(s);
	return ok;
}

int main(int argc, char **argv)
{
	uint64_t seeds = SEEDS_DEFAULT, start_at = 1, failed = 0;
	bool verbose = false;

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		size_t len = strlen(value);

		if (strcmp(argv[i], "--verbose") == 0)
			verbose = true;
		else if (strcmp(argv[i], "--seeds") == 0 &&
			 num_parse_u64(value, len, UINT32_MAX, &seeds))
			i++;
		else if (strcmp(argv[i], "--first") == 0 &&
			 num_parse_u64(value, len, UINT32_MAX, &start_at))
			i++;
		else
			return 3;
	}
	for (uint64_t k = 0; k < seeds; k++)
		failed += !run_seed(start_at + k, verbose);
	printf("%llu passed, %llu failed, 0 skipped\n",
	       (unsigned long long)(seeds - failed),
	       (unsigned long long)failed);
	return failed ? 1 : 0;
}
