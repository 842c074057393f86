/* warn.c - see warn.h. */
#include "lib/warn.h"

#include "lib/err.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

void warn_say(const struct warn *w, const char *fmt, ...)
{
	char text[ERR_MSG_BYTES];
	va_list ap;

	if (w == NULL || w->say == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	w->say(w->ctx, text);
}
