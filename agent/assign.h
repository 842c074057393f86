/*
 * assign.h - does an assignment follow from the signed manifests?  Pure.
 *
 * The manager is a courier that may have been taken over: it chooses which of
 * the pods that the commit asks for run here, and nothing else.  Each field of
 * a pod is therefore either checked against the verified snapshot or not used.
 */
#ifndef AGENT_ASSIGN_H
#define AGENT_ASSIGN_H

#include "agent/code.h"
#include "channel/agent.pb-c.h"
#include "lib/arena.h"
#include "manifest/manifest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ASSIGN_WHY_BYTES 256
#define ASSIGN_PODS_MAX 1024

/* What the host knows of itself; all borrowed. */
struct assign_host {
	const char *name;
	uint64_t epoch; /* highest ever accepted */
	/* The assignment is the one in force, read from this host\'s own disk
	 * after a boot: a pod made from an older commit is made again, if it
	 * follows from this one too. */
	bool restoring;
	struct keyvals labels;
	const char *const *taint_keys;
	const char *const *taint_values;
	const char *const *taint_effects;
	size_t n_taints;
	uint32_t service_cidr, service_prefix; /* 0: none */
};

/* A pod that this host already has. */
struct assign_known {
	const char *uid, *namespace, *name, *template_hash;
};

enum assign_result {
	ASSIGN_MAKE, /* new, follows from the commit */
	ASSIGN_KEEP, /* is here already, unchanged */
	ASSIGN_REFUSE,
};

struct assign_verdict {
	const Channel__PodAssignment *pod; /* borrowed */
	const struct object *owner; /* in the snapshot; NULL for an old one */
	enum assign_result result;
	enum code_id code; /* of a refusal */
	char why[ASSIGN_WHY_BYTES];
};

/* Before anything is read of it: is it newer, and for this host.  True, or
 * false with *out_code (CODE_REPLAY is ignored, the rest is refused). */
bool assign_accepts(const Channel__Assignment *a,
		    const struct assign_host *host, enum code_id *out_code);
/* One verdict a pod, in order, in the arena. */
struct assign_verdict *assign_judge(const Channel__Assignment *a,
				    const struct snapshot *want,
				    const struct assign_host *host,
				    const struct assign_known *known,
				    size_t n_known, struct arena *arena);
/* Name that pod `index` of this owner must have. */
const char *assign_pod_name(struct arena *arena, const struct object *owner,
			    unsigned int index, const char *host);
/* Indexes are below this. */
unsigned int assign_pods_max(const struct object *owner);
/* A service of the assignment: exists, and its address is in the network and
 * nobody else's. */
bool assign_service_ok(const Channel__Assignment *a, size_t i,
		       const struct snapshot *want,
		       const struct assign_host *host);
/* "a.b.c.d" to host byte order; false if not exactly that. */
bool assign_ipv4(const char *text, uint32_t *out);
/* "a.b.c.d/n" with no bit set behind the prefix. */
bool assign_cidr(const char *text, uint32_t *out_net, uint32_t *out_prefix);

#endif
