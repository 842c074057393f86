/*
 * warn.h - where a library tells what went wrong without being an error: the
 * program that called decides what becomes of it.
 */
#ifndef LIB_WARN_H
#define LIB_WARN_H

struct warn {
	void (*say)(void *ctx, const char *text);
	void *ctx;
};

/* w or its say NULL: nobody listens. */
void warn_say(const struct warn *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
