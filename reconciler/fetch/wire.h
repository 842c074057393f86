/*
 * wire.h - a conversation with the git-upload-pack of a server, whatever
 * carries it: ssh.h or https.h.
 *
 * A turn is ask, send as often as needed, receive until its end.  Over ssh all
 * turns are one stream; over https (`rpc`) each is a request with an answer of
 * its own.  Everything runs inside the sandbox, where there is no network but
 * what was opened before, or what reconcile-dial opens.
 */
#ifndef RECONCILER_FETCH_WIRE_H
#define RECONCILER_FETCH_WIRE_H

#include "lib/err.h"
#include "reconciler/fetch/budget.h"

#include <stdbool.h>
#include <stddef.h>

enum wire_turn {
	WIRE_ADVERT,	/* what refs there are, version 0 */
	WIRE_ADVERT_V2, /* what the server can do, version 2 if it can that */
	WIRE_UPLOAD,	/* want and have lines, answered by a pack */
	WIRE_COMMAND,	/* a command of version 2 */
};

struct wire;

struct wire_ops {
	int (*ask)(struct wire *w, enum wire_turn turn);
	int (*send)(struct wire *w, const void *bytes, size_t len);
	/* *out_n 0: the end */
	int (*receive)(struct wire *w, void *buffer, size_t len, size_t *out_n);
	/* More about a failure than the budget's why has; may be NULL. */
	int (*explain)(struct wire *w, const char *step, const char *said,
		       struct err *err);
	void (*release)(struct wire *w);
};

struct wire {
	const struct wire_ops *ops;
	struct budget *budget; /* borrowed; its why holds the first cause */
	bool rpc;
};

/* Each returns 0 or the negative code that w->budget->why has. */
int wire_ask(struct wire *w, enum wire_turn turn);
int wire_send(struct wire *w, const void *bytes, size_t len);
int wire_receive(struct wire *w, void *buffer, size_t len, size_t *out_n);
/* The cause of what failed in `step`, in *err; said (or NULL) is what a library
 * has to say about it.  Returns its code. */
int wire_explain(struct wire *w, const char *step, const char *said,
		 struct err *err);

#endif
