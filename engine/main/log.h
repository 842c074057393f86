/*
 * log.h - lines in the form that clients of OCI runtimes read: an error for
 * --log and standard error, with --debug also what is done.  No argument,
 * environment or path of a container is written (E70), except in errors.
 */
#ifndef ENGINE_MAIN_LOG_H
#define ENGINE_MAIN_LOG_H

#include "lib/err.h"

#include <stdbool.h>

struct log {
	int fd; /* owned; -1: none */
	bool json, debug;
};

/* path NULL: standard error alone.  ERR_INPUT for a format that is neither
 * "text" nor "json". */
int log_init(struct log *l, const char *path, const char *format, bool debug,
	     struct err *err);
void log_release(struct log *l);
void log_error(const struct log *l, const struct err *why);
/* What the specification wants logged where nothing fails.  log: a struct
 * log; without --log to standard error. */
void log_warning(void *log, const char *text);
/* Only with --debug; without --log to standard error.  log: a struct log. */
void log_debug(void *log, const char *what, const char *name);

#endif
