/*
 * schedule.h - where a pod goes: a table of filters, then a table of scores.
 *
 * Pure, in the program reconcile without privilege; host labels and taints come
 * from the operator, pod specs from signed manifests.  Equal inputs give the
 * same host: ties go to the host whose name sorts first.
 *
 * Life: schedule_init() over a world, then schedule_owner() once a workload,
 * schedule_place() a pod, schedule_use()/schedule_release() as pods come and
 * go.  Everything lives in the caller's arena.
 */
#ifndef RECONCILER_SCHEDULE_SCHEDULE_H
#define RECONCILER_SCHEDULE_SCHEDULE_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "manifest/types.h"
#include "reconciler/world.h"

#define SCHEDULE_FILTERS_MAX 12
#define SCHEDULE_NOWHERE (-1)

struct schedule_host {
	const struct world_host *host; /* borrowed */
	bool any; /* fits everything (comparing two revisions) */
	int64_t cpu_m, memory, pods; /* in use */
	unsigned int owner_mark;     /* owner_pods is of this owner */
	int64_t owner_pods;
};

struct schedule {
	struct schedule_host *hosts; /* in order of world.hosts, by name */
	size_t n_hosts;
	bool binpack;
	unsigned int owner; /* of schedule_owner() */
};

struct schedule_request {
	const struct pod_spec *spec;
	int64_t cpu_m, memory; /* effective requests */
	bool daemon;	       /* a cordon does not keep it away */
};

/* Why hosts did not fit, a count for each filter in table order. */
struct schedule_refusal {
	size_t n_hosts;
	size_t by_filter[SCHEDULE_FILTERS_MAX];
};

/* Hosts of w, nothing in use yet. */
void schedule_init(struct schedule *s, const struct world *w, bool binpack,
		   struct arena *arena);
/* Index of the host of that name, SCHEDULE_NOWHERE if there is none. */
int schedule_host_index(const struct schedule *s, const char *name);
/* A new workload begins: no pod of it is counted on any host. */
void schedule_owner(struct schedule *s);
/* A pod of the current workload is on that host (spread counts it). */
void schedule_owner_has(struct schedule *s, int host);
/* Index of the best host or SCHEDULE_NOWHERE, then *out_why says why. */
int schedule_place(const struct schedule *s, const struct schedule_request *req,
		   struct schedule_refusal *out_why);
/* Does this one host fit?  resources: count capacity too. */
bool schedule_fits(const struct schedule *s, int host,
		   const struct schedule_request *req, bool resources);
/* Fills why for one host that does not fit; returns SCHEDULE_NOWHERE. */
int schedule_why(const struct schedule *s, int host,
		 const struct schedule_request *req,
		 struct schedule_refusal *out_why);
void schedule_use(struct schedule *s, int host, int64_t cpu_m, int64_t memory);
void schedule_release(struct schedule *s, int host, int64_t cpu_m,
		      int64_t memory);
/* "0/3 hosts fit: 2 insufficient cpu, 1 cordoned" */
void schedule_refusal_text(const struct schedule_refusal *why, struct buf *out);
/* Effective requests of a pod: the sum of its containers, or the largest init
 * container if that is more.  Not given counts as 0; saturates. */
void schedule_requests(const struct pod_spec *spec, int64_t *out_cpu_m,
		       int64_t *out_memory);
/* Name of filter i for tests and documents, NULL behind the last. */
const char *schedule_filter_name(size_t i);

#endif
