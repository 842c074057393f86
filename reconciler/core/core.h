/*
 * core.h - the event machine of the manager: one pass, or passes without end.
 *
 * Runs in `reconcile` (user reconcile, no capability).  It parses only typed
 * frames of its siblings: reconcile-fetch (git transport), reconcile-verify
 * (objects, signatures, YAML), reconcile-pull (registries), reconcile-channel
 * (hosts) and reconcile-audit (the log).
 *
 * Invariants: (1) nothing is sent to a host before its intent is durable in the
 * audit log; (2) the ratchet (accepted commit) only moves to descendants that
 * reconcile-verify accepted; (3) epochs only rise; (4) one core at a time holds
 * the lock of the state folder.
 */
#ifndef RECONCILER_CORE_H
#define RECONCILER_CORE_H

#include "lib/arena.h"
#include "lib/err.h"
#include "manifest/manifest.h"
#include "reconciler/core/conf.h"
#include "reconciler/plan/plan.h"
#include "reconciler/state/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit_client;
struct fetcher;
struct fleet;

/* Exit statuses of `reconcile`, reconcile(1). */
enum core_exit {
	CORE_EXIT_DONE = 0,
	CORE_EXIT_PENDING = 2,
	CORE_EXIT_MANIFEST = 3,
	CORE_EXIT_TRUST = 4,
	CORE_EXIT_POLICY = 5,
	CORE_EXIT_SAFEGUARD = 6,
	CORE_EXIT_APPLY = 7,
	CORE_EXIT_INCOMPLETE = 8,
	CORE_EXIT_AUDIT = 9,
	CORE_EXIT_STALE_PLAN = 10,
	CORE_EXIT_AGAIN = 75,
};

/* How the core speaks to a person or a log; lines come without newline. */
struct core_ui {
	void (*line)(void *ctx, const char *line); /* facts */
	void (*progress)(void *ctx,
			 const char *line); /* replaced by the next */
	void *ctx;
};

struct core {
	const struct core_conf *conf;
	const char *libexec; /* NULL: proc_libexec() */
	struct core_ui ui;
	struct state *state;
	int lock_fd;		    /* -1: read-only core */
	struct audit_client *audit; /* NULL: read-only core */
	struct fleet *fleet;	    /* NULL until fleet_open() */
	struct fetcher *fetcher;    /* kept by a daemon; NULL */
	int64_t patience_s;	    /* below host.wait_s; -1: no limit */
	bool maintained; /* the channel has not read its new files yet */
	bool anchored;	 /* anchor_load() has compared state and log */
	bool clock_told; /* that the clock is behind */
};

/* Opens the state (and, unless readonly, takes the lock and opens the audit
 * log).  ERR_AGAIN when another reconcile holds the lock. */
int core_open(const struct core_conf *conf, const struct core_ui *ui,
	      bool readonly, struct core *out, struct err *err);
void core_close(struct core *c);
/* Speaks one line through the ui; text must be escaped already. */
void core_say(const struct core *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void core_progress(const struct core *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
