/* log.h - key=value lines on standard error (journald reads them). */
#ifndef LIB_LOG_H
#define LIB_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_init(const char *program, enum log_level level);
/* One fact a line: log_line(LOG_LEVEL_INFO, "pod.start", "pod=%s ms=%d", ...).
 * Values must already be escaped (text_safe). */
void log_line(enum log_level level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
