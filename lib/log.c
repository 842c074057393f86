/*
 * log.c - key=value lines on standard error, one write each.  The level and
 * the program's name are the only state of lib/ (the name is set once).
 */
#include "lib/log.h"
#include "lib/err.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 4096

static volatile sig_atomic_t log_threshold = LOG_LEVEL_WARN;
static const char *log_program = "reconcile";

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void log_init(const char *program, enum log_level level)
{
	log_program = program;
	log_threshold = (sig_atomic_t)level;
}

bool log_level_parse(const char *text, enum log_level *out)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]);
	     i++)
		if (strcmp(text, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	return false;
}

void log_line(enum log_level level, const char *event, const char *fmt, ...)
{
	char line[LINE_BYTES];
	size_t used;
	va_list ap;
	int n;

	if ((sig_atomic_t)level > log_threshold)
		return;
	n = snprintf(line, sizeof(line) - 1, "program=%s level=%s event=%s ",
		     log_program, level_names[level], event);
	if (n < 0 || (size_t)n >= sizeof(line) - 1)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line + n, sizeof(line) - 1 - (size_t)n, fmt, ap);
	va_end(ap);
	used = strlen(line);
	/* whatever came in: one fact stays one line */
	for (size_t i = 0; i < used; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[used++] = '\n';
	/* a log that cannot be written is nobody's error */
	if (write(STDERR_FILENO, line, used) < 0)
		return;
}
