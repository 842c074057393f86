/*
 * state.h - what survives between two commands: one directory (0700) for each
 * container below --root.
 *
 *   state.json   intent, written once, before the first side effect
 *   config.json  the config as it was at create
 *   init.json    pid and start time of the first process, written once
 *   start.sock   the first process listens here until `start`
 *
 * Invariants: (1) no file is ever rewritten; (2) whatever exists outside was
 * announced in state.json before; (3) a process is a pid with its start time,
 * signalled through a pidfd (E69).
 */
#ifndef ENGINE_STATE_STATE_H
#define ENGINE_STATE_STATE_H

#include "engine/spec/decode.h"
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/jsonw.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define STATE_ROOT "/run/reconcile/engine"
#define STATE_ID_MAX 128
#define STATE_SOCKET "start.sock"

enum state_status {
	STATE_CREATING,
	STATE_CREATED,
	STATE_RUNNING,
	STATE_PAUSED,
	STATE_STOPPED
};

struct state {
	char *id, *bundle, *rootfs, *cgroup, *created, *version;
	char *unit;	     /* of systemd; NULL or "": none */
	pid_t pid;	     /* 0: none was recorded */
	uint64_t start_time; /* field 22 of /proc/PID/stat */
	/* of the config, so that it need not be read for them */
	struct decode_strv annotations;
	bool poststart, poststop; /* there are such hooks */
};

/* [a-zA-Z0-9][a-zA-Z0-9_.+-]*, at most 128, no "..".  ERR_INPUT. */
int state_check_id(const char *id, struct err *err);
int state_open_root(const char *root, bool create, int *out_fd,
		    struct err *err);
/* ERR_CONFLICT if it exists; *out_fd owned. */
int state_claim(int root_fd, const char *id, int *out_fd, struct err *err);
/* ERR_NOTFOUND "container "x" does not exist"; *out_fd owned. */
int state_open(int root_fd, const char *id, int *out_fd, struct err *err);
int state_remove(int root_fd, const char *id, struct err *err);
int state_write_intent(int dir, const struct state *s, const void *config,
		       size_t config_len, struct err *err);
int state_write_init(int dir, pid_t pid, uint64_t start_time, struct err *err);
/* The member "annotations", left out when there are none. */
void state_annotations(struct jsonw *w, const struct state *s);
/* What is missing (a creation that died early) is NULL or 0. */
int state_read(int dir, struct arena *arena, struct state *out,
	       struct err *err);
/* *out_dead, with errno ESRCH if there is no such process and another one if
 * that could not be found out. */
uint64_t state_start_time(pid_t pid, bool *out_dead);
/* Opens a pidfd for exactly the recorded process; -1 with errno, ESRCH if it is
 * gone. */
int state_pidfd(const struct state *s);
/* paused is looked up by the caller (cgroup). */
int state_status(int dir, const struct state *s, enum state_status *out,
		 struct err *err);
const char *state_status_name(enum state_status status);

#endif
