/*
 * state.h - what the manager remembers between passes: the ratchet, hosts,
 * join tokens, pods and where they were placed, applied objects, addresses.
 *
 * SQLite, WAL, synchronous=FULL, prepared constant statements only.  No secret
 * value reaches it: of a join token it keeps the SHA-256, of a Secret the hash
 * of its canonical form.  One writer at a time: the lock of
 * core_open().
 */
#ifndef RECONCILER_STATE_H
#define RECONCILER_STATE_H

#include "lib/arena.h"
#include "lib/err.h"
#include "reconciler/world.h"

struct state;

struct state_host { /* the rest of a host, beyond world_host */
	struct world_host host;
	int64_t cidr_index; /* n-th block of the pod CIDR, from 0 */
	const char *serial; /* of the valid certificate; NULL */
	int64_t not_after;  /* unix seconds */
	int64_t joined_ms;
};

struct state_token {
	const char *id;		   /* 32 hex */
	const char *secret_sha256; /* 64 hex */
	const char *host;
	int64_t expires; /* unix seconds */
	bool used;
	struct keyvals labels;
	struct taint *taints;
	size_t n_taints;
};

/* Opens dir/state.db, made and migrated when missing (not when readonly:
 * ERR_NOTFOUND then).  A damaged file is ERR_INPUT and left as it is. */
int state_open(const char *dir, bool readonly, struct state **out,
	       struct err *err);
void state_close(struct state *s);
int state_begin(struct state *s, struct err *err);
int state_commit(struct state *s, struct err *err);
void state_rollback(struct state *s);

/* Single values: "accepted", "applied", "epoch", "converged".  *out is in the
 * arena, NULL when absent. */
int state_get(struct state *s, const char *key, struct arena *arena,
	      const char **out, struct err *err);
int state_set(struct state *s, const char *key, const char *value,
	      struct err *err);

/* Hosts, pods, objects, services and applied_commit; now_ms and pins are the
 * caller's to fill. */
int state_world(struct state *s, struct arena *arena, struct world *out,
		struct err *err);

int state_host_get(struct state *s, const char *name, struct arena *arena,
		   struct state_host *out, struct err *err); /* ERR_NOTFOUND */
int state_host_put(struct state *s, const struct state_host *h,
		   struct err *err);
/* Sets the epoch assigned last; nothing when there is no such host. */
int state_host_epoch(struct state *s, const char *name, uint64_t epoch,
		     struct err *err);
int state_host_delete(struct state *s, const char *name, struct err *err);
/* Lowest block of the pod CIDR that no host has. */
int state_host_block(struct state *s, int64_t *out, struct err *err);

int state_token_put(struct state *s, const struct state_token *t,
		    struct err *err);
int state_token_get(struct state *s, const char *id, struct arena *arena,
		    struct state_token *out, struct err *err);
int state_token_use(struct state *s, const char *id, struct err *err);
/* Ends every token of that host. */
int state_token_end(struct state *s, const char *host, struct err *err);

/* Serials of certificates that are revoked and not yet expired. */
int state_revoked_add(struct state *s, const char *serial, int64_t not_after,
		      struct err *err);
int state_revoked_list(struct state *s, int64_t now, struct arena *arena,
		       const char ***out, size_t *out_n, struct err *err);

/* Rows that are not assigned are the record of Job pods that have run. */
int state_pod_put(struct state *s, const struct world_pod *p, struct err *err);
int state_pod_delete(struct state *s, const char *uid, struct err *err);
/* Replaces the list of applied objects / of service addresses. */
int state_objects_set(struct state *s, const struct world_object *items,
		      size_t n, struct err *err);
int state_services_set(struct state *s, const struct world_service *items,
		       size_t n, struct err *err);

#endif
