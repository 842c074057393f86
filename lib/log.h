/* log.h - key=value lines on standard error (journald reads them). */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

/* program: a literal.  Before this call: "reconcile", LOG_LEVEL_WARN. */
void log_init(const char *program, enum log_level level);
/* "error", "warn", "info", "debug"; false if none of them. */
bool log_level_parse(const char *text, enum log_level *out);
/* One fact a line: log_line(LOG_LEVEL_INFO, "pod.start", "pod=%s ms=%d", ...).
 * Values must already be escaped (text_safe). */
void log_line(enum log_level level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
