/*
 * stream.h - frames over a non-blocking descriptor, with or without TLS, in an
 * event loop.  Reads a header, asks the owner whether it will have the frame,
 * and only then stores the payload; a frame that was cut off is never acted
 * upon.  What cannot be written at once waits in a queue with a hard bound.
 *
 *   HANDSHAKE --ready()--> OPEN --finish--> FLUSHING --closed()--> dead
 *       \____________________\__________________\____closed()____/
 *
 * Runs in reconcile-channel and reconcile-link.  Bytes of the peer are hostile.
 *
 * Invariants: (1) closed() is called exactly once, never from inside a call
 * of the owner's into this module; after it the owner calls stream_free();
 * (2) stream_free() is allowed in every callback; (3) the queue never holds
 * more than max_queue bytes and one frame.
 */
#ifndef CHANNEL_STREAM_H
#define CHANNEL_STREAM_H

#include "lib/err.h"

#include <event2/event.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream;

struct stream_ops {
	/* The handshake is over (only with TLS).  Negative: closed. */
	int (*ready)(void *ctx, struct err *err);
	/* header: 8 bytes as received.  Says how long the payload is; negative
	 * ends the stream. */
	int (*header)(void *ctx, const uint8_t *header, uint32_t *out_len,
		      struct err *err);
	/* A whole frame; payload borrowed until return.  Negative ends it. */
	int (*frame)(void *ctx, uint16_t type, const uint8_t *payload,
		     size_t len, struct err *err);
	/* The queue is empty after it was not; may be NULL. */
	void (*drained)(void *ctx);
	/* why: ERR_NOTFOUND when the peer closed, 0 after stream_finish(). */
	void (*closed)(void *ctx, const struct err *why);
};

/* fd and ssl (NULL: none) consumed, also on failure.  *out owned.  ERR_NOMEM.
 */
int stream_new(struct event_base *base, int fd, SSL *ssl,
	       const struct stream_ops *ops, void *ctx, size_t max_queue,
	       struct stream **out, struct err *err);
void stream_free(struct stream *s); /* NULL allowed */
/* Sends or queues one frame.  ERR_LIMIT: the queue is full, nothing was
 * queued.  Errors of the connection come by closed(). */
int stream_send(struct stream *s, uint16_t type, const void *payload,
		size_t len, struct err *err);
/* Stops (true) or resumes reading. */
void stream_pause(struct stream *s, bool pause);
/* Writes what is queued, then closes. */
void stream_finish(struct stream *s);
size_t stream_queued(const struct stream *s); /* bytes */

#endif
