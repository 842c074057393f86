/*
 * frame.h - the frames of audit.proto: packing on both ends, and the events of
 * a hostile client as struct audit_event.
 */
#ifndef AUDIT_FRAME_H
#define AUDIT_FRAME_H

#include "audit/audit.pb-c.h"
#include "audit/event.h"
#include "lib/arena.h"
#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

#define AUDIT_FRAME_MAX ((size_t)32 * 1024 * 1024)

/* Sends a message of audit.proto as one frame. */
int audit_frame_send(int sock, Audit__Frame type,
		     const ProtobufCMessage *message, struct err *err);
/* Events as a message; both trees live in arena and borrow the texts. */
Audit__Append *audit_frame_from_events(struct arena *arena,
				       const struct audit_event *events,
				       size_t n);
/* The other way; borrows from message.  *out_events in arena. */
size_t audit_frame_to_events(struct arena *arena, const Audit__Append *message,
			     struct audit_event **out_events);

#endif
