/*
 * err.c - filling and prefixing struct err.  Runs in every process, also in
 * cloned children: no heap, no locale, no state.
 */
#include "lib/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct err_row {
	const char *name;
	const char *text;
	int status;
};

#define ERR_ROW(n, s, t) [ERR_CODE_##n] = {.name = #n, .text = t, .status = s},
static const struct err_row err_rows[ERR_CODE_COUNT] = {ERR_LIST(ERR_ROW)};
#undef ERR_ROW

#define EXIT_UNKNOWN 70 /* EX_SOFTWARE of sysexits.h */

static const struct err_row *row_of(int code)
{
	if (code >= 0 || code < -ERR_CODE_COUNT)
		return NULL;
	return &err_rows[-1 - code];
}

static void set_message(struct err *err, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void set_message(struct err *err, const char *fmt, va_list ap)
{
	if (vsnprintf(err->msg, sizeof(err->msg), fmt, ap) < 0)
		err->msg[0] = '\0';
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	err->code = code;
	err->sys_errno = 0;
	va_start(ap, fmt);
	set_message(err, fmt, ap);
	va_end(ap);
	return code;
}

static int code_of_errno(int sys_errno)
{
	switch (sys_errno) {
	case ENOMEM:
		return ERR_NOMEM;
	case ENOENT:
		return ERR_NOTFOUND;
	case EAGAIN:
		return ERR_AGAIN;
	default:
		return ERR_SYS;
	}
}

int err_sys(struct err *err, int sys_errno, const char *fmt, ...)
{
	int code = code_of_errno(sys_errno);
	size_t used;
	va_list ap;

	if (!err)
		return code;
	err->code = code;
	err->sys_errno = sys_errno;
	va_start(ap, fmt);
	set_message(err, fmt, ap);
	va_end(ap);
	used = strlen(err->msg);
	(void)snprintf(err->msg + used, sizeof(err->msg) - used, ": %s",
		       strerror(sys_errno));
	return code;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char old[ERR_MSG_BYTES];
	size_t used;
	va_list ap;

	if (!err)
		return ERR_SYS;
	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	set_message(err, fmt, ap);
	va_end(ap);
	used = strlen(err->msg);
	/* too long: the cause, at the end, is what may be cut */
	(void)snprintf(err->msg + used, sizeof(err->msg) - used, ": %s", old);
	return err->code;
}

const char *err_name(int code)
{
	const struct err_row *row = row_of(code);

	if (code == 0)
		return "OK";
	return row ? row->name : "UNKNOWN";
}

const char *err_text(int code)
{
	const struct err_row *row = row_of(code);

	if (code == 0)
		return "done";
	return row ? row->text : "unknown error";
}

int err_exit_status(int code)
{
	const struct err_row *row = row_of(code);

	if (code == 0)
		return 0;
	return row ? row->status : EXIT_UNKNOWN;
}
