/*
 * dial.h - frames between reconcile-dial and its starter, on descriptor 3 and
 * framed by lib/msg.h: each DIAL_ASK is answered by one of the others.
 */
#ifndef RECONCILER_DIAL_DIAL_H
#define RECONCILER_DIAL_DIAL_H

enum {
	DIAL_ASK = 1,	 /* empty */
	DIAL_DONE = 2,	 /* empty, with one connected TCP socket */
	DIAL_FAILED = 3, /* why, safe for people: try again later */
};

/* Resolving and connecting together: the starter waits this long at least. */
#define DIAL_WAIT_MS 20000

#endif
