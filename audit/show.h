/*
 * show.h - reading entries for people.  Order of the file; shows what is there
 * and does not judge it (verify.h does).
 */
#ifndef AUDIT_SHOW_H
#define AUDIT_SHOW_H

#include "audit/event.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

struct audit_filter {	  /* NULL, 0: any; all given must match */
	const char *type; /* exact, or a prefix that ends in '.' */
	const char *object, *host, *change, *commit, *actor;
	uint64_t first, last;	    /* sequence numbers, inclusive */
	int64_t since_ms, until_ms; /* Unix time, inclusive */
};

struct audit_entry { /* borrowed until the callback returns */
	uint64_t seq;
	int64_t time_ms;
	struct audit_event event;
	const char *line; /* the record itself, without newline */
	size_t line_len;
};

/* Calls each() for every matching entry; a result other than 0 ends the loop
 * and is returned.  ERR_AUDIT names a line that is no record. */
int audit_show(int dirfd, const struct audit_filter *filter,
	       int (*each)(void *ctx, const struct audit_entry *entry,
			   struct err *err),
	       void *ctx, struct err *err);

#endif
