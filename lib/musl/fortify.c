/*
 * fortify.c - what Debian's static libseccomp wants of glibc and musl has not.
 *
 * It was compiled with _FORTIFY_SOURCE, which turns its one use of fprintf into
 * this twin (interface: LSB core, "__fprintf_chk"); flag asks glibc to look for
 * %n, which musl's printf has no reason to.  The link fails when a new version
 * wants another.  Linked into programs against musl alone.
 */
#include <stdarg.h>
#include <stdio.h>

int __fprintf_chk(FILE *f, int flag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

int __fprintf_chk(FILE *f, int flag, const char *fmt, ...)
{
	va_list ap;
	int n;

	(void)flag;
	va_start(ap, fmt);
	n = vfprintf(f, fmt, ap);
	va_end(ap);
	return n;
}
