/*
 * safe.h - untrusted text made inert, once and for all formats: no character
 * that moves a cursor or is not seen, no newline, and nothing that a CI runner
 * takes for a command (text_inert()).  What a format needs beyond that is its
 * renderer's.  Pure; NULL is "".
 */
#ifndef RECONCILER_REPORT_SAFE_H
#define RECONCILER_REPORT_SAFE_H

#include "lib/arena.h"
#include "lib/buf.h"

/* Of raw bytes: a path, a name. */
const char *safe_name(struct arena *arena, const char *text);
/* Of words in which what is hostile has been escaped before. */
const char *safe_words(struct arena *arena, const char *text);
void safe_put_name(struct buf *out, const char *text);
void safe_put_words(struct buf *out, const char *text);
/* How many bytes of text fit into max without cutting a character. */
size_t safe_fit(const char *text, size_t max);

#endif
