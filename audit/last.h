/*
 * last.h - the newest entry of given types, looked for from the end of a log
 * folder, so that a long log costs no more than what came after the entry.
 * Says what is there and does not judge it (verify.h does).
 */
#ifndef AUDIT_LAST_H
#define AUDIT_LAST_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIT_LAST_COMMIT 80

struct audit_last {
	bool found;
	uint64_t seq;
	int64_t time_ms;
	char commit[AUDIT_LAST_COMMIT]; /* "" when it has none, or a long one */
};

/* types: NULL-terminated.  A folder without a log has no such entry; a torn
 * last line is not looked at.  ERR_AUDIT: a line of it is no entry. */
int audit_last(int dirfd, const char *const *types, struct audit_last *out,
	       struct err *err);

#endif
