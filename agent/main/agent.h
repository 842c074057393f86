/*
 * agent.h - the one state of reconcile-agent and what its files do for each
 * other.  Everything runs in one thread on one libevent loop; all functions
 * are called from it.
 */
#ifndef AGENT_MAIN_AGENT_H
#define AGENT_MAIN_AGENT_H

#include "agent/assign.h"
#include "agent/main/config.h"
#include "agent/net/net.h"
#include "agent/pod/machine.h"
#include "agent/pod/pod.h"
#include "agent/pod/pool.h"
#include "audit/client.h"
#include "channel/agent.pb-c.h"
#include "engine/image/image.h"
#include "engine/monitor/monitor.h"
#include "lib/err.h"
#include "lib/msg.h"
#include "lib/proc.h"
#include "manifest/manifest.h"
#include "policy/verify/verify.pb-c.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#define AGENT_PODS_MAX 1024
#define AGENT_COALESCE_MS 20
#define AGENT_REPORT_MS 10000
#define AGENT_QUEUE_MAX 1024 /* audit events waiting for the next batch */
#define AGENT_STARTS_MAX 8   /* engines at work at once */

struct agent;

/* A sibling program with its socket; .event is NULL when it is not running. */
struct agent_sibling {
	struct proc proc;
	int sock;
	struct event *event; /* sock is readable */
	struct msg in;
};

/* A request to reconcile-net that waits for its answer. */
struct agent_net_call {
	void (*done)(struct agent *a, void *ctx, const struct net_reply *reply,
		     int fd); /* fd consumed, -1 none */
	void *ctx;
	struct agent_net_call *next;
};

struct agent_snapshot {
	struct arena *arena; /* NULL: none */
	struct snapshot want;
	int64_t fresh_until; /* unix seconds; 0: no limit */
};

/* Per pod, behind struct pod.io. */
struct agent_pod {
	struct agent *agent;
	struct pod *pod;
	int run_fd, disk_fd;	  /* -1 */
	char *run_dir, *disk_dir; /* in the pod's arena */
	int conn;		  /* to its monitor, -1 */
	struct event *conn_event;
	struct proc monitor;	 /* pid 0 when adopted */
	struct image_job **jobs; /* one a container, NULL */
	struct event **job_events;
	struct image_info *infos; /* arena NULL: not loaded */
	bool ending;		  /* monitor was told to end */
	bool start_told;	  /* outcome of the start is recorded */
	bool clean_told;
	unsigned int engines; /* requests on their way in its monitor */
};

struct agent_probe; /* probes.c */

struct agent {
	struct config conf;
	struct arena *arena;
	struct event_base *base;
	struct event *turn, *turn_timer, *report_timer, *beat_timer;
	struct event *link_timer, *net_timer, *on_term, *on_int;
	int state_fd, run_fd, lock_fd, git_lock;
	char boot_id[64];
	uint64_t session, sequence;
	/* from the join */
	Verify__TrustRoot *trust;
	Channel__JoinReply *join;
	struct assign_host host;
	uint32_t pod_cidr, pod_prefix, gateway;
	/* ratchet and assignment in force */
	char accepted[65];
	char lost[320]; /* why nothing may be accepted; "" */
	int64_t clock;	/* latest time stored, unix seconds */
	bool clock_told, stale;
	uint64_t epoch;
	Channel__Assignment *now;   /* NULL at first */
	struct agent_snapshot snap; /* of now->commit */
	/* being verified */
	Channel__Assignment *next;
	bool next_is_restore; /* read from disk at start */
	char asked[65];	      /* commit that verify works on */
	struct agent_sibling link, net, verify, fetch;
	struct agent_net_call *net_first, *net_last;
	uint32_t net_id;
	bool net_ready, link_up;
	unsigned int link_fails, net_fails;
	uint64_t pack_frames;
	bool pack_refused;
	char pack_commit[65];
	struct audit_client *audit;
	int64_t audit_retry_at;
	struct audit_event *queue; /* strings in queue_arena */
	size_t n_queue;
	struct arena *queue_arena;
	struct image_store *images;
	struct pool ranges, addresses;
	struct pod *pods[AGENT_PODS_MAX];
	size_t n_pods;
	unsigned int engines; /* at work now */
	uint64_t replays;     /* assignments ignored */
	uint8_t services_hash[32];
	bool dirty;		    /* something to report */
	struct agent_probe *probes; /* list */
	bool stopping;
};

/* --- agent.c --- */
int agent_init(struct agent *a, struct err *err);
/* Folders, lock, join and audit log, for a command while the agent does not
 * run. */
int agent_init_offline(struct agent *a, struct err *err);
int agent_run(struct agent *a, struct err *err);
void agent_release(struct agent *a);
/* Reads what the join pinned, from our own copies.  ERR_NOTFOUND: none. */
int agent_load_join(struct agent *a, struct err *err);
/* Something changed: decide soon, report soon. */
void agent_kick(struct agent *a);
int64_t agent_now(void); /* CLOCK_BOOTTIME ms: all decisions */
/* "H201 text" into dst, escaped: what people see begins with the stable code.
 */
void agent_coded(char dst[POD_TEXT_BYTES], enum code_id code, const char *text);
struct agent_pod *agent_io(struct pod *p);
/* Reads a whole small file below a folder; ERR_NOTFOUND. */
/* Replaces a file by rename, without waiting for the disk: for what has no
 * meaning after a crash of the machine. */
int agent_write(int dirfd, const char *name, const struct buf *b,
		struct err *err);
int agent_read(int dirfd, const char *name, size_t max, struct buf *out,
	       struct err *err);

/* --- sibling.c --- */
int sibling_start(struct agent *a, struct agent_sibling *s, const char *name,
		  const char *const *args, size_t max_frame,
		  event_callback_fn on_read, struct err *err);
/* Ends it and frees what it had. */
void sibling_stop(struct agent_sibling *s);
bool sibling_is_up(const struct agent_sibling *s);

/* --- record.c: audit --- */
/* Queued for the next batch; type is a literal. */
void record_fact(struct agent *a, const char *type, enum audit_phase phase,
		 const struct pod *p, const char *why, const char *message);
/* As above about no pod. */
void record_about(struct agent *a, const char *type, enum audit_phase phase,
		  const char *object, const char *commit, const char *why,
		  const char *message);
/* Writes the queue durably now.  Nothing may be done when it fails. */
int record_flush(struct agent *a, struct err *err);

/* --- link.c --- */
void link_open(struct agent *a);
void link_send(struct agent *a, uint16_t type, const void *payload, size_t len);
void link_refuse(struct agent *a, uint64_t epoch, const char *commit,
		 const char *pod, enum code_id code, const char *why);

/* --- verify.c --- */
/* Starts the host's own verification of a->next. */
void verify_begin(struct agent *a);

/* --- trust.c: the memory of trust --- */
/* The ratchet, held against the audit log: a->accepted, or a->lost. */
int trust_load(struct agent *a, struct err *err);
/* Before the record of an assignment of commit, and after it. */
int trust_accepting(struct agent *a, const char *commit, struct err *err);
int trust_accepted(struct agent *a, const char *commit, struct err *err);
/* Unix seconds for validity, never before the latest that was stored. */
int64_t trust_now(struct agent *a);
bool trust_is_over(int64_t fresh_until, int64_t now);
/* Of the commit in force. */
bool trust_is_stale(struct agent *a);
/* Now and then: records when that changes. */
void trust_beat(struct agent *a);
/* `reconcile-agent anchor`; reason may be NULL. */
int trust_anchor(struct agent *a, const char *commit, const char *reason,
		 struct err *err);

/* --- apply.c --- */
/* a->next was accepted with this snapshot (consumed). */
void apply_accepted(struct agent *a, struct agent_snapshot *snap);
void apply_refused(struct agent *a, enum code_id code, const char *why);
int apply_restore(struct agent *a, struct err *err);
int apply_store(struct agent *a, const Channel__Assignment *as,
		struct err *err);

/* --- netcall.c --- */
int netcall_open(struct agent *a, struct err *err);
void netcall_send(struct agent *a, uint16_t type, void *frame, size_t len,
		  int fd,
		  void (*done)(struct agent *, void *, const struct net_reply *,
			       int),
		  void *ctx);
void netcall_services(struct agent *a);

/* --- images.c --- */
void images_pull(struct pod *p, struct pod_container *c);
void images_release(struct agent_pod *io);

/* --- act.c, prepare.c, spec.c --- */
void act_turn(struct agent *a);
void act_save(struct pod *p);
int prepare_pod(struct pod *p, struct err *err);
int prepare_open(struct agent *a, struct pod *p, struct err *err);
int prepare_container(struct pod *p, struct pod_container *c,
		      enum code_id *out_code, struct err *err);
/* Fresh upper and work folders. */
int prepare_layer(struct pod *p, struct pod_container *c, struct err *err);
int prepare_clean(struct pod *p, struct err *err);
/* The record of a final pod that is not assigned any more. */
void prepare_forget(struct pod *p);
void prepare_volume_env(struct pod *p, void *volume_env);
uint32_t prepare_base(const struct pod *p);
int spec_sandbox(struct pod *p, struct buf *out, struct err *err);
int spec_container(struct pod *p, struct pod_container *c, struct buf *out,
		   enum code_id *out_code, struct err *err);

/* --- watch.c: monitors --- */
int watch_spawn(struct pod *p, struct err *err);
int watch_connect(struct pod *p, struct err *err);
int watch_send(struct pod *p, enum monitor_op op, const char *name, int arg,
	       unsigned int flags, struct err *err);
void watch_release(struct agent_pod *io);

/* --- adopt.c --- */
int adopt_all(struct agent *a, struct err *err);
int adopt_add(struct agent *a, struct pod *p, struct err *err);
void adopt_drop(struct agent *a, struct pod *p);

/* --- probes.c --- */
/* Starts a probe that is due; the answer comes as an event. */
void probes_ask(struct pod *p, struct pod_container *c, int role);
void probes_drop(struct agent *a, const struct pod *p);

/* --- report.c --- */
void report_send(struct agent *a);
void report_status_file(struct agent *a);
void report_hello(struct agent *a);

/* --- logs.c --- */
void logs_answer(struct agent *a, const Channel__LogRequest *q);

/* --- witness.c --- */
void witness_answer(struct agent *a, const Channel__Checkpoint *m);

/* --- commands.c --- */
/* again: although this host has joined before. */
int commands_join(struct config *conf, const char *token, bool again,
		  struct err *err);
int commands_status(const struct config *conf, struct err *err);
int commands_reset(struct config *conf, bool purge, struct err *err);

#endif
