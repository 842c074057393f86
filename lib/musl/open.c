/*
 * open.c - open(2) in one system call.  musl's own sets close-on-exec a second
 * time, by fcntl(2), for kernels before 2.6.23; the engine opens some thirty
 * files for each container.  Linked into programs against musl alone.
 */
#include <fcntl.h>
#include <stdarg.h>

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return openat(AT_FDCWD, path, flags, mode);
}
