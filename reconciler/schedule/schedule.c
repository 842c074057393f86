/*
 * schedule.c - filters and scores of hosts.  Pure, no privilege; the only
 * hostile values are requests, which saturate instead of wrapping.
 */
#include "reconciler/schedule/schedule.h"

#include "lib/buf.h"
#include "manifest/manifest.h"
#include "policy/admission/admission.h"

#include <assert.h>
#include <string.h>

#define SCORE_MAX 100

static int64_t add_sat(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

typedef bool filter_fn(const struct schedule_host *h,
		       const struct schedule_request *req);

static bool fits_state(const struct schedule_host *h,
		       const struct schedule_request *req)
{
	(void)req;
	return h->host->state == HOST_READY;
}

/* As in Kubernetes a cordon keeps everything away but DaemonSet pods. */
static bool fits_cordon(const struct schedule_host *h,
			const struct schedule_request *req)
{
	return req->daemon || !h->host->cordoned;
}

static bool fits_drain(const struct schedule_host *h,
		       const struct schedule_request *req)
{
	return req->daemon || !h->host->draining;
}

static bool fits_taints(const struct schedule_host *h,
			const struct schedule_request *req)
{
	for (size_t i = 0; i < h->host->n_taints; i++) {
		const struct taint *t = &h->host->taints[i];
		const char *effect = t->effect ? t->effect : "";

		if (strcmp(effect, "PreferNoSchedule") != 0 &&
		    !admission_tolerates(req->spec, t->key,
					 t->value ? t->value : "", effect))
			return false;
	}
	return true;
}

static bool fits_selector(const struct schedule_host *h,
			  const struct schedule_request *req)
{
	return req->spec->node_selector.n == 0 ||
	       manifest_labels_match(&req->spec->node_selector,
				     &h->host->labels);
}

static bool fits_name(const struct schedule_host *h,
		      const struct schedule_request *req)
{
	return !req->spec->node_name ||
	       strcmp(req->spec->node_name, h->host->name) == 0;
}

static bool fits_cpu(const struct schedule_host *h,
		     const struct schedule_request *req)
{
	return req->cpu_m == 0 ||
	       add_sat(h->cpu_m, req->cpu_m) <= h->host->cpu_m;
}

static bool fits_memory(const struct schedule_host *h,
			const struct schedule_request *req)
{
	return req->memory == 0 ||
	       add_sat(h->memory, req->memory) <= h->host->memory;
}

static bool fits_pods(const struct schedule_host *h,
		      const struct schedule_request *req)
{
	(void)req;
	return h->pods < h->host->pods_max;
}

/* The first filter that refuses gives the reason; so the order is from what an
 * operator decided to what is used up. */
static const struct {
	const char *name;
	filter_fn *fits;
	bool resources;
	const char *reason;
} filters[] = {
	{"state", fits_state, false, "not ready"},
	{"cordon", fits_cordon, false, "cordoned"},
	{"drain", fits_drain, false, "draining"},
	{"nodeName", fits_name, false, "not the host of nodeName"},
	{"nodeSelector", fits_selector, false, "nodeSelector does not match"},
	{"taints", fits_taints, false, "taint not tolerated"},
	{"cpu", fits_cpu, true, "insufficient cpu"},
	{"memory", fits_memory, true, "insufficient memory"},
	{"pods", fits_pods, true, "maximum of pods reached"},
};
#define N_FILTERS (sizeof(filters) / sizeof(filters[0]))
static_assert(N_FILTERS <= SCHEDULE_FILTERS_MAX, "by_filter holds them all");

const char *schedule_filter_name(size_t i)
{
	return i < N_FILTERS ? filters[i].name : NULL;
}

typedef int64_t score_fn(const struct schedule *s,
			 const struct schedule_host *h,
			 const struct schedule_request *req);

/* Part of whole in 0..SCORE_MAX. */
static int64_t share(int64_t part, int64_t whole)
{
	if (whole <= 0 || part <= 0)
		return 0;
	if (part >= whole)
		return SCORE_MAX;
	if (part > INT64_MAX / SCORE_MAX) /* then whole is far above it too */
		return part / (whole / SCORE_MAX);
	return part * SCORE_MAX / whole;
}

static int64_t score_spread(const struct schedule *s,
			    const struct schedule_host *h,
			    const struct schedule_request *req)
{
	int64_t n = h->owner_mark == s->owner ? h->owner_pods : 0;

	(void)req;
	return -n * SCORE_MAX;
}

static int64_t used_share(const struct schedule_host *h,
			  const struct schedule_request *req)
{
	int64_t cpu = share(add_sat(h->cpu_m, req->cpu_m), h->host->cpu_m);
	int64_t mem = share(add_sat(h->memory, req->memory), h->host->memory);

	return (cpu + mem) / 2;
}

static int64_t score_free(const struct schedule *s,
			  const struct schedule_host *h,
			  const struct schedule_request *req)
{
	(void)s;
	return SCORE_MAX - used_share(h, req);
}

static int64_t score_full(const struct schedule *s,
			  const struct schedule_host *h,
			  const struct schedule_request *req)
{
	(void)s;
	return used_share(h, req);
}

/* Pods without requests must be told apart too: fewest, or most, pods. */
static int64_t score_few_pods(const struct schedule *s,
			      const struct schedule_host *h,
			      const struct schedule_request *req)
{
	(void)s, (void)req;
	return -h->pods;
}

static int64_t score_many_pods(const struct schedule *s,
			       const struct schedule_host *h,
			       const struct schedule_request *req)
{
	(void)s, (void)req;
	return h->pods;
}

/* cpu and memory used alike: no host full of one and empty of the other. */
static int64_t score_balance(const struct schedule *s,
			     const struct schedule_host *h,
			     const struct schedule_request *req)
{
	int64_t cpu = share(add_sat(h->cpu_m, req->cpu_m), h->host->cpu_m);
	int64_t mem = share(add_sat(h->memory, req->memory), h->host->memory);

	(void)s;
	return SCORE_MAX - (cpu > mem ? cpu - mem : mem - cpu);
}

static int64_t score_taints(const struct schedule *s,
			    const struct schedule_host *h,
			    const struct schedule_request *req)
{
	int64_t avoided = 0;

	(void)s;
	for (size_t i = 0; i < h->host->n_taints; i++) {
		const struct taint *t = &h->host->taints[i];

		if (t->effect && strcmp(t->effect, "PreferNoSchedule") == 0 &&
		    !admission_tolerates(req->spec, t->key,
					 t->value ? t->value : "", t->effect))
			avoided++;
	}
	return -avoided * SCORE_MAX;
}

/* Weight under placement "spread" and "binpack". */
static const struct {
	const char *name;
	score_fn *score;
	int64_t weight[2];
} scores[] = {
	{"spread", score_spread, {1000, 0}},
	{"preferNoSchedule", score_taints, {300, 300}},
	{"free", score_free, {10, 0}},
	{"full", score_full, {0, 100}},
	{"balance", score_balance, {2, 2}},
	{"fewPods", score_few_pods, {1, 0}},
	{"manyPods", score_many_pods, {0, 1}},
};
#define N_SCORES (sizeof(scores) / sizeof(scores[0]))

void schedule_init(struct schedule *s, const struct world *w, bool binpack,
		   struct arena *arena)
{
	*s = (struct schedule){
		.hosts = arena_calloc(arena, w->n_hosts + 1, sizeof(*s->hosts)),
		.n_hosts = w->n_hosts,
		.binpack = binpack,
	};
	for (size_t i = 0; i < w->n_hosts; i++)
		s->hosts[i].host = &w->hosts[i];
}

int schedule_host_index(const struct schedule *s, const char *name)
{
	size_t lo = 0, hi = s->n_hosts;

	while (name && lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int r = strcmp(name, s->hosts[mid].host->name);

		if (r == 0)
			return (int)mid;
		if (r < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return SCHEDULE_NOWHERE;
}

void schedule_owner(struct schedule *s)
{
	s->owner++;
}

void schedule_owner_has(struct schedule *s, int host)
{
	struct schedule_host *h;

	if (host < 0)
		return;
	h = &s->hosts[host];
	if (h->owner_mark != s->owner) {
		h->owner_mark = s->owner;
		h->owner_pods = 0;
	}
	h->owner_pods++;
}

/* Index of the first filter that refuses, N_FILTERS if none does. */
static size_t refused_by(const struct schedule_host *h,
			 const struct schedule_request *req, bool resources)
{
	if (h->any)
		return N_FILTERS;
	for (size_t i = 0; i < N_FILTERS; i++)
		if ((resources || !filters[i].resources) &&
		    !filters[i].fits(h, req))
			return i;
	return N_FILTERS;
}

bool schedule_fits(const struct schedule *s, int host,
		   const struct schedule_request *req, bool resources)
{
	return host >= 0 &&
	       refused_by(&s->hosts[host], req, resources) == N_FILTERS;
}

int schedule_why(const struct schedule *s, int host,
		 const struct schedule_request *req,
		 struct schedule_refusal *out_why)
{
	size_t by = refused_by(&s->hosts[host], req, true);

	*out_why = (struct schedule_refusal){.n_hosts = 1};
	if (by < N_FILTERS)
		out_why->by_filter[by] = 1;
	return SCHEDULE_NOWHERE;
}

static int64_t score_of(const struct schedule *s, const struct schedule_host *h,
			const struct schedule_request *req)
{
	int64_t sum = 0;

	for (size_t i = 0; i < N_SCORES; i++)
		if (scores[i].weight[s->binpack] != 0)
			sum += scores[i].weight[s->binpack] *
			       scores[i].score(s, h, req);
	return sum;
}

int schedule_place(const struct schedule *s, const struct schedule_request *req,
		   struct schedule_refusal *out_why)
{
	struct schedule_refusal why = {.n_hosts = s->n_hosts};
	int64_t best_score = 0;
	int best = SCHEDULE_NOWHERE;

	for (size_t i = 0; i < s->n_hosts; i++) {
		size_t by = refused_by(&s->hosts[i], req, true);
		int64_t score;

		if (by < N_FILTERS) {
			why.by_filter[by]++;
			continue;
		}
		score = score_of(s, &s->hosts[i], req);
		if (best == SCHEDULE_NOWHERE || score > best_score) {
			best = (int)i;
			best_score = score;
		}
	}
	if (best == SCHEDULE_NOWHERE)
		*out_why = why;
	return best;
}

void schedule_use(struct schedule *s, int host, int64_t cpu_m, int64_t memory)
{
	if (host < 0)
		return;
	s->hosts[host].cpu_m = add_sat(s->hosts[host].cpu_m, cpu_m);
	s->hosts[host].memory = add_sat(s->hosts[host].memory, memory);
	s->hosts[host].pods++;
}

void schedule_release(struct schedule *s, int host, int64_t cpu_m,
		      int64_t memory)
{
	if (host < 0)
		return;
	s->hosts[host].cpu_m -= cpu_m;
	s->hosts[host].memory -= memory;
	s->hosts[host].pods--;
}

void schedule_refusal_text(const struct schedule_refusal *why, struct buf *out)
{
	const char *sep = ": ";

	if (why->n_hosts == 0) {
		buf_puts(out, "there is no host");
		return;
	}
	buf_printf(out, "0/%zu hosts fit", why->n_hosts);
	for (size_t i = 0; i < N_FILTERS; i++) {
		if (why->by_filter[i] == 0)
			continue;
		buf_printf(out, "%s%zu %s", sep, why->by_filter[i],
			   filters[i].reason);
		sep = ", ";
	}
}

static int64_t request_or_limit(int64_t request, int64_t limit)
{
	if (request >= 0)
		return request;
	return limit >= 0 ? limit : 0;
}

void schedule_requests(const struct pod_spec *spec, int64_t *out_cpu_m,
		       int64_t *out_memory)
{
	int64_t cpu = 0, memory = 0;

	for (size_t i = 0; i < spec->n_containers; i++) {
		const struct resources *r = &spec->containers[i].resources;

		cpu = add_sat(cpu, request_or_limit(r->cpu_request_m,
						    r->cpu_limit_m));
		memory = add_sat(memory, request_or_limit(r->memory_request,
							  r->memory_limit));
	}
	for (size_t i = 0; i < spec->n_init_containers; i++) {
		const struct resources *r = &spec->init_containers[i].resources;
		int64_t c = request_or_limit(r->cpu_request_m, r->cpu_limit_m);
		int64_t m =
			request_or_limit(r->memory_request, r->memory_limit);

		cpu = c > cpu ? c : cpu;
		memory = m > memory ? m : memory;
	}
	*out_cpu_m = cpu;
	*out_memory = memory;
}
