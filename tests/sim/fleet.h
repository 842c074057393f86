/*
 * fleet.h - a simulated manager state and its hosts: assignments travel out,
 * reports travel back, both may be lost or come twice; a manual clock.  Every
 * random choice comes from one seed, so a run repeats exactly.
 */
#ifndef TESTS_SIM_FLEET_H
#define TESTS_SIM_FLEET_H

#include "reconciler/plan/plan.h"

#define FLEET_HOSTS_MAX 5
#define FLEET_PODS_MAX 512
#define FLEET_OBJECTS_MAX 16
#define FLEET_NAME 96
#define FLEET_TICK_MS 1000

struct fleet_random {
	uint64_t state;
};

uint64_t fleet_below(struct fleet_random *r, uint64_t n);
/* true with a probability of percent */
bool fleet_chance(struct fleet_random *r, unsigned int percent);

struct fleet_pod {
	bool used;
	char uid[33], ns[FLEET_NAME], name[FLEET_NAME];
	char owner_kind[16], owner[FLEET_NAME], hash[17];
	unsigned int index;
	int host;
	int64_t cpu_m, memory, created_ms;
	bool assigned;
	/* on the host */
	bool there; /* containers or remains of them */
	bool stopping;
	int phase;
	bool ready;
	int64_t ready_ms, ready_at_ms, ends_at_ms, gone_at_ms;
	/* as last reported */
	bool seen;
	int seen_phase;
	bool seen_ready;
	int64_t seen_ready_ms, finished_ms;
};

struct fleet_host {
	char name[8];
	bool up; /* connected */
	bool draining;
	bool stale; /* was cut off, has no new assignment yet */
	int64_t lost_since_ms;
	bool wants[FLEET_PODS_MAX]; /* assignment last received */
};

struct fleet_applied {
	enum manifest_kind kind;
	char ns[FLEET_NAME], name[FLEET_NAME], hash[17];
};

struct fleet {
	struct fleet_random random;
	int64_t now_ms;
	struct fleet_host hosts[FLEET_HOSTS_MAX];
	size_t n_hosts;
	struct fleet_pod pods[FLEET_PODS_MAX];
	unsigned long next_uid;
	struct fleet_applied applied[FLEET_OBJECTS_MAX * 4];
	size_t n_applied;
	unsigned int loss_percent; /* of messages, each way */
	unsigned int slow_ms;	   /* longest time to readiness */
	bool ideal; /* what starts is ready at once, what stops is gone */
};

void fleet_init(struct fleet *f, uint64_t seed, size_t n_hosts);
/* The world as the manager knows it; strings borrowed from f. */
void fleet_world(const struct fleet *f, struct arena *a, struct world *out);
/* Makes the first n changes durable, as the manager does. */
void fleet_apply(struct fleet *f, const struct plan *p, size_t n,
		 const struct snapshot *want);
/* One tick: assignments out, life of pods, reports back. */
void fleet_tick(struct fleet *f);
/* The fault of a pod: ends FAILED, or is removed behind the host's back. */
void fleet_break_pod(struct fleet *f, size_t pod, bool remove);

#endif
