/*
 * pod.h - what the agent knows of one pod: plain data.
 *
 * The owner object and the strings live in the pod's own arena, so that a pod
 * does not depend on the snapshot that it came from.  Changed by the program
 * (agent/main) on events; read by machine.c, which decides, and by report.c.
 */
#ifndef AGENT_POD_POD_H
#define AGENT_POD_POD_H

#include "agent/code.h"
#include "agent/probe/probe.h"
#include "channel/agent.pb-c.h"
#include "lib/arena.h"
#include "manifest/manifest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POD_UID_BYTES 33
#define POD_TEXT_BYTES 512
#define POD_IMAGE_BYTES 72    /* "sha256:" and 64 hex */
#define POD_SANDBOX "sandbox" /* the monitor's name for it */

enum pod_container_state {
	POD_C_WAITING, /* not started, or to be started again */
	POD_C_STARTING,
	POD_C_RUNNING,
	POD_C_EXITED, /* the engine still holds its remains */
	POD_C_DELETING,
	POD_C_DONE, /* ended for good, remains gone */
};

struct pod;

struct pod_container {
	struct pod *owner;
	const struct container *spec; /* in the owner's template */
	bool init;
	char name[64];		   /* unique in the pod, for engine and logs */
	char pin[POD_IMAGE_BYTES]; /* from the assignment, "" none */
	char digest[POD_IMAGE_BYTES]; /* what runs */
	bool image_ready;
	bool pulling;
	unsigned int pull_fails;
	int64_t pull_at; /* not before */
	enum pod_container_state state;
	int pid;
	bool ever_ended;
	int exit_code, signal; /* of the last end */
	bool oom;
	unsigned int restarts;
	unsigned int fails; /* since the last long run: back-off */
	int64_t started_ms, ended_ms, start_at;
	int64_t gone_check_ms; /* look whether it was removed, 0 no */
	bool killed_term, killed_kill;
	int64_t kill_at; /* KILL if it still runs then, 0 not asked */
	bool ready, started;
	struct probe_state probes[PROBE_ROLES];
	uint32_t run_uid; /* inside; checked against runAsNonRoot */
	const char *why;  /* reason, a literal */
	char message[POD_TEXT_BYTES];
};

struct pod {
	struct arena *arena; /* owns the pod too */
	char uid[POD_UID_BYTES];
	const char *namespace, *name, *owner_kind, *owner_name;
	char template_hash[17];
	const char *commit;
	uint32_t index;
	struct object owner;
	const struct pod_template *tpl;
	struct pod_container *c; /* init containers first */
	size_t n_init, n;
	uint32_t range; /* number of its user id range */
	bool has_range;
	uint32_t ip; /* host order; 0 none */
	bool has_ip;
	/* progress */
	bool prepared, monitor_up, sandbox_up, net_up;
	bool busy;	  /* an act on the whole pod is under way */
	int64_t retry_at; /* of such an act, after a failure */
	unsigned int retry_fails;
	bool audited;  /* the intent is durable */
	bool stopping; /* to be removed */
	bool final;    /* all ended: SUCCEEDED or FAILED */
	bool lost;
	bool cleaned; /* nothing of it is left but the record */
	bool net_gone, sandbox_gone, monitor_gone;
	int sandbox_pid;
	int64_t created_ms, started_ms, ready_ms, stop_ms;
	bool deadline_hit;
	const char *reason; /* literal */
	char message[POD_TEXT_BYTES];
	void *io; /* of agent/main: sockets, jobs */
};

/* Makes a pod from an assignment that was judged; copies all.  *out owned:
 * pod_free().  owner_canonical: canonical JSON of the owner. */
int pod_new(const Channel__PodAssignment *a, const char *owner_canonical,
	    size_t owner_len, struct pod **out, struct err *err);
void pod_free(struct pod *p);
struct pod_container *pod_find(struct pod *p, const char *name);
Channel__Phase pod_phase(const struct pod *p);
bool pod_ready(const struct pod *p);
/* pod.json: what adoption needs.  Secrets are not in it. */
int pod_encode(const struct pod *p, const char *boot_id, struct buf *out,
	       struct err *err);
/* *out_same_boot: it was written since this boot. */
int pod_decode(const char *json, size_t len, const char *boot_id,
	       struct pod **out, bool *out_same_boot, struct err *err);
/* Bounded copy, escaped for people. */
void pod_message(char dst[POD_TEXT_BYTES], const char *text);

#endif
