/*
 * world.h - what is known of the fleet: hosts, the pods assigned to them and
 * what the hosts report.  Plain data; filled by reconciler/core from the state
 * store and the hosts' reports, read by the pure planner and scheduler.
 */
#ifndef RECONCILER_WORLD_H
#define RECONCILER_WORLD_H

#include "manifest/types.h"

/* The life of a host (threats T19).  Legal moves: docs/hosts.md. */
enum host_state {
	HOST_REQUESTED, /* token issued */
	HOST_JOINED,	/* has a certificate, never reported yet */
	HOST_READY,	/* connected and reporting */
	HOST_LOST,	/* no connection */
	HOST_REVOKED,	/* certificate revoked; pods are placed elsewhere */
	HOST_STATE_COUNT
};

struct taint {
	const char *key, *value, *effect;
};

struct world_host {
	const char *name;
	int state;     /* enum host_state */
	bool cordoned; /* no new pods */
	bool draining; /* pods move away, within disruption limits */
	struct keyvals labels;
	struct taint *taints;
	size_t n_taints;
	int64_t cpu_m, memory, pods_max;
	uint64_t epoch;		     /* in force on the host */
	const char *accepted_commit; /* NULL */
	int64_t lost_since_ms;	     /* LOST: since when (unix ms), else 0 */
	bool settled;
	const char *last_refusal; /* NULL; escaped text */
};

enum pod_phase { /* order of channel.Phase */
		 POD_UNKNOWN,
		 POD_PENDING,
		 POD_RUNNING,
		 POD_SUCCEEDED,
		 POD_FAILED,
		 POD_LOST,
		 POD_STOPPING
};

struct world_pod {
	const char *uid;
	const char *namespace, *name;
	const char *owner_kind, *owner_name;
	const char *template_hash;
	unsigned int index;
	const char *host;
	const char *commit;
	bool assigned; /* in the host's assignment according to our state;
			  one that leaves it becomes POD_STOPPING until
			  the host reports no more of it */
	bool reported; /* in the host's last report */
	int phase;     /* enum pod_phase; UNKNOWN while never reported */
	bool ready;
	int64_t ready_ms;   /* unix ms, 0 */
	int64_t unready_ms; /* unix ms since when it is not ready any more; 0:
			       it is ready, or never was.  A roll-out deadline
			       counts from here. */
	int64_t started_ms;
	int64_t created_ms;  /* when assigned */
	int64_t finished_ms; /* unix ms when first seen SUCCEEDED or FAILED,
				0: not known (then no ttl applies).  A pod of
				a Job that SUCCEEDED stays in the world after
				its STOP, unassigned: it is the record that
				the Job has run. */
	unsigned int restarts;
	const char *ip;	       /* NULL */
	const char *reason;    /* NULL; escaped */
	int64_t cpu_m, memory; /* effective requests, for the scheduler */
};

struct world_object { /* what was applied last */
	enum manifest_kind kind;
	const char *namespace, *name;
	const char *hash;
};

struct world_service {
	const char *namespace, *name, *cluster_ip;
};

struct world_pin { /* image as written -> digest it stands for now */
	const char *image, *digest;
};

struct world {
	int64_t now_ms;		    /* unix ms */
	const char *applied_commit; /* NULL at first */
	struct world_host *hosts;   /* sorted by name */
	size_t n_hosts;
	struct world_pod *pods; /* sorted by namespace, name */
	size_t n_pods;
	struct world_object *objects; /* sorted by kind, namespace, name */
	size_t n_objects;
	struct world_service *services;
	size_t n_services;
	struct world_pin *pins;
	size_t n_pins;
};

#endif
