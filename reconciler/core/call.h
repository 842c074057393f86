/*
 * call.h - one sibling program that is asked something: start, send, next
 * frame, end.
 */
#ifndef RECONCILER_CORE_CALL_H
#define RECONCILER_CORE_CALL_H

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/msg.h"
#include "lib/proc.h"

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

struct call {
	struct proc proc;
	int sock;
	struct msg msg; /* the last frame */
};

/* Also after a failure: call_end(). */
int call_start(struct call *c, const char *libexec, const char *name,
	       struct err *err);
int call_send(struct call *c, uint16_t type, const ProtobufCMessage *m,
	      struct err *err);
/* ERR_PROTO when it ended instead. */
int call_next(struct call *c, struct err *err);
/* It ends by itself when its socket is closed, or is killed. */
void call_end(struct call *c);
/* ERR_* of a name that a sibling sends, ERR_SYS if there is none. */
int call_code(const char *name);
/* Text of our own, for protobuf's char * members, which it only reads. */
char *call_text(struct arena *arena, const char *s);

#endif
