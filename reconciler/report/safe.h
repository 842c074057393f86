/*
 * safe.h - untrusted text made inert, once and for all formats: no character
 * that moves a cursor or is not seen, no newline, and nothing that a CI runner
 * takes for a command.  What a format needs beyond that is its renderer's.
 *
 * Pure.
 */
#ifndef RECONCILER_REPORT_SAFE_H
#define RECONCILER_REPORT_SAFE_H

#include "lib/arena.h"
#include "lib/buf.h"

/* Of raw bytes: a path, a name.  NULL gives "". */
void safe_put(struct buf *out, const char *text);
const char *safe_name(struct arena *arena, const char *text);
/* Of words in which what is hostile has been escaped before: a backslash
 * stays. */
const char *safe_words(struct arena *arena, const char *text);

#endif
