/*
 * pace.h - sending to hosts no faster than they take it: what the manager
 * program's client keeps of each host that is connected.  Pure but for memory;
 * the frames go out by a function of the caller's.
 *
 * Invariant: at most CHANNEL_CLIENT_AHEAD_MAX, or PACE_FREE_BYTES and one
 * frame, have been sent beyond what the host has taken.  The channel says what
 * was taken once a MiB, so something is always under way to be said when a
 * frame has to wait.
 */
#ifndef CHANNEL_PACE_H
#define CHANNEL_PACE_H

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

#define PACE_FREE_BYTES (1u << 20)

struct pace;

typedef int pace_out(void *ctx, const char *host, uint16_t type,
		     const void *payload, size_t len, struct err *err);

struct pace *pace_new(void);	/* NULL: no memory */
void pace_free(struct pace *p); /* NULL allowed */
/* A session of host begins: nothing sent, nothing kept.  ERR_NOMEM. */
int pace_up(struct pace *p, const char *host, struct err *err);
void pace_down(struct pace *p, const char *host);
/* Sends now, or keeps a copy; nothing for a host that is not up.  ERR_LIMIT,
 * ERR_NOMEM, or what out returns. */
int pace_send(struct pace *p, const char *host, uint16_t type,
	      const void *payload, size_t len, pace_out *out, void *ctx,
	      struct err *err);
/* The host has taken `taken` bytes since pace_up(): sends what may go now. */
int pace_room(struct pace *p, const char *host, uint64_t taken, pace_out *out,
	      void *ctx, struct err *err);

#endif
