/*
 * fleet.h - the hosts as the core sees them: who is connected, what each
 * reported last, and the frames that go to them.
 *
 * Everything a host says is about that host only: its name comes from the
 * channel, which has it from the certificate.
 */
#ifndef RECONCILER_CORE_FLEET_H
#define RECONCILER_CORE_FLEET_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/proc.h"
#include "reconciler/core/core.h"
#include "reconciler/world.h"

#include "channel/agent.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

struct fleet_host {
	char *name; /* owned */
	bool connected;
	unsigned int n_sessions; /* that began; tells one from the next */
	Channel__Hello *hello;	 /* owned, NULL until it came */
	Channel__Report *report; /* owned, NULL until it came */
	char *sent_commit;    /* which it has since this session; owned, NULL */
	uint64_t sent_epoch;  /* reserved for it last, or restored */
	uint64_t given_epoch; /* sent in this session; 0 none */
	char *refusal;	      /* last refusal text; owned, NULL */
	uint64_t refused_epoch;
	Channel__Cosignature *cosignature; /* owned, NULL; witness.c takes it */
	int offers;			   /* of the newest checkpoint */
	bool offer_waits;		   /* for its answer */
	uint64_t given, taken; /* payload bytes sent, and passed on */
	char address[64];
};

struct fleet_pack { /* the pack made last */
	char want[65], have[65];
	struct buf bytes;
};

struct fleet {
	struct fleet_pack pack;
	struct channel_client *client;
	struct fleet_host *hosts; /* in order of appearance */
	size_t n_hosts, cap_hosts;
	uint32_t *slots; /* by name: 1 + position in hosts, 0 empty; NULL */
	size_t slot_mask;
	bool own_channel;    /* we started it, we end it */
	struct proc channel; /* when own_channel */
	/* the LogRequest and its answer */
	uint64_t log_id;
	char log_host[64];
	struct buf log;
	char log_error[256];
	bool log_done;
};

/* Attaches to the channel at run_dir/channel.sock, or starts one when none
 * answers and may_start.  ERR_AGAIN: another core is attached.  ERR_NOTFOUND:
 * no channel and may_start false. */
int fleet_open(struct core *c, bool may_start, struct err *err);
void fleet_close(struct core *c);
/* Handles everything that has arrived; waits up to timeout_ms for the first.
 * *out_changed: the world may look different now. */
int fleet_poll(struct core *c, int timeout_ms, bool *out_changed,
	       struct err *err);
struct fleet_host *fleet_find(const struct fleet *f, const char *name);
/* Sends one message of agent.proto to a host (no-op when not connected). */
int fleet_send(struct core *c, const char *host, uint32_t type,
	       const ProtobufCMessage *message, struct err *err);
/* Waits until the host can take another megabyte of bulk data. */
int fleet_wait_room(struct core *c, const char *host, struct err *err);
/* Closes a host's session now (revocation), and has the channel read the CRL
 * again. */
int fleet_cut(struct core *c, const char *host, const char *reason,
	      struct err *err);
/* Has the channel read its certificate and CRL when they were renewed. */
int fleet_reload(struct core *c, struct err *err);
int fleet_answer_join(struct core *c, uint64_t id,
		      const Channel__JoinReply *reply, struct err *err);

#endif
