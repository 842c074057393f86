/* log.c - see log.h. */
#include "engine/main/log.h"

#include "lib/clock.h"
#include "lib/jsonw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOG_LINE_BYTES 65536

int log_init(struct log *l, const char *path, const char *format, bool debug,
	     struct err *err)
{
	*l = (struct log){.fd = -1, .debug = debug};
	if (format != NULL && strcmp(format, "json") == 0)
		l->json = true;
	else if (format != NULL && format[0] != '\0' &&
		 strcmp(format, "text") != 0)
		return err_set(err, ERR_INPUT,
			       "--log-format: want text or json");
	if (path == NULL || path[0] == '\0')
		return 0;
	l->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (l->fd < 0)
		return err_sys(err, errno, "--log %s", path);
	return 0;
}

void log_release(struct log *l)
{
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
}

/* The text form quotes as JSON does, which its readers undo. */
static void log_line(const struct log *l, int fd, const char *level,
		     const char *msg)
{
	char now[CLOCK_RFC3339_BYTES];
	struct jsonw w;
	struct buf b;

	(void)clock_rfc3339(clock_unix_ms(), now);
	buf_init(&b, LOG_LINE_BYTES);
	jsonw_init(&w, &b);
	if (l->json) {
		jsonw_obj(&w);
		jsonw_kstr(&w, "level", level);
		jsonw_kstr(&w, "msg", msg);
		jsonw_kstr(&w, "time", now);
		jsonw_obj_end(&w);
	} else {
		buf_printf(&b, "time=\"%s\" level=%s msg=", now, level);
		jsonw_str(&w, msg);
	}
	buf_putc(&b, '\n');
	if (buf_check(&b, NULL) == 0)
		(void)!write(fd, b.data, b.len);
	buf_release(&b);
}

void log_error(const struct log *l, const struct err *why)
{
	(void)fprintf(stderr, "reconcile-engine: %s: %s\n", err_name(why->code),
		      why->msg);
	if (l->fd >= 0)
		log_line(l, l->fd, "error", why->msg);
}

void log_warning(void *log, const char *text)
{
	const struct log *l = log;

	log_line(l, l->fd >= 0 ? l->fd : 2, "warning", text);
}

void log_debug(void *log, const char *what, const char *name)
{
	const struct log *l = log;
	char msg[256];

	if (!l->debug)
		return;
	(void)snprintf(msg, sizeof(msg), "%s %s", what, name);
	log_line(l, l->fd >= 0 ? l->fd : 2, "debug", msg);
}
