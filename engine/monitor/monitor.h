/*
 * monitor.h - fixed frames between reconcile-monitor and the agent.
 *
 * A unix SOCK_SEQPACKET socket in the pod's run folder; one frame is one
 * packet, always whole, both ends on one machine and of one build, so the
 * structs travel as they are.  Only a peer with the monitor's own uid is
 * heard.  One agent at a time: a new connection replaces the one before.
 *
 * After connect the monitor sends one MONITOR_RECORD for each container it
 * knows and then MONITOR_READY.  Each request is answered by exactly one event
 * of the container named; MONITOR_EXITED comes by itself.
 *
 * The same struct monitor_event, one a slot, is the state file `state` of the
 * run folder: what was last known when a monitor is gone.
 */
#ifndef ENGINE_MONITOR_MONITOR_H
#define ENGINE_MONITOR_MONITOR_H

#include <stdint.h>

#define MONITOR_NAME_BYTES 64 /* DNS label and NUL */
#define MONITOR_CONTAINERS_MAX 32
#define MONITOR_LOG_BYTES_MAX (10 << 20)
#define MONITOR_SOCKET "monitor.sock"
#define MONITOR_STATE "state"
/* Descriptors a monitor is started with. */
enum { MONITOR_FD_LISTEN = 3, MONITOR_FD_RUN = 4, MONITOR_FD_LOGS = 5 };

/*
 * argv: reconcile-monitor ENGINE ENGINE_ROOT RUN_DIR POD_UID
 * The container `name` has its bundle in RUN_DIR/c/name, the engine's id
 * POD_UID.name, its log in LOGS/name.log (and name.log.1).  A file
 * `overlay.json` is handed to the engine with --overlay when MONITOR_OVERLAY
 * is set; `memory-events` in the bundle, when there, is the cgroup file with
 * the line "oom_kill N".
 */
enum monitor_op {
	MONITOR_RUN = 1, /* -> STARTED or FAILED */
	MONITOR_KILL,	 /* arg: signal, to the first process -> KILLED */
	MONITOR_DELETE,	 /* engine delete --force -> DELETED */
	MONITOR_END,	 /* no container lives: end -> closed */
};

enum { MONITOR_OVERLAY = 1u << 0, MONITOR_NO_LOG = 1u << 1 };

struct monitor_request {
	uint32_t op; /* enum monitor_op */
	int32_t arg;
	uint32_t flags;
	uint32_t reserved; /* 0 */
	char name[MONITOR_NAME_BYTES];
};

enum monitor_kind {
	MONITOR_RECORD = 1,
	MONITOR_READY,	 /* pid: the monitor's own */
	MONITOR_STARTED, /* pid */
	MONITOR_FAILED,	 /* exit_code of the engine */
	MONITOR_EXITED,	 /* exit_code or signal */
	MONITOR_KILLED,	 /* exit_code: 0, or errno */
	MONITOR_DELETED, /* exit_code of the engine */
	MONITOR_REFUSED, /* bad request: exit_code is an errno */
};

enum monitor_state {
	MONITOR_NEW,
	MONITOR_RUNNING,
	MONITOR_ENDED,
	MONITOR_GONE
};

struct monitor_event {
	uint32_t kind;	   /* enum monitor_kind */
	uint32_t state;	   /* enum monitor_state */
	int32_t pid;	   /* of the container's first process, 0 none */
	int32_t exit_code; /* -1 when ended by a signal */
	int32_t signal;	   /* 0 */
	uint32_t oom;	   /* the kernel killed for memory */
	uint32_t starts;   /* times started by this monitor */
	uint32_t reserved;
	int64_t time_ms; /* unix time of the last change */
	char name[MONITOR_NAME_BYTES];
};

#endif
