/*
 * logfile.c - container logs.  Runs in reconcile-monitor; the text is hostile,
 * so it is copied byte by byte and never interpreted but for the line feed.
 * No stdio: the monitor's memory is paid once a pod.
 */
#include "engine/monitor/logfile.h"
#include "engine/monitor/monitor.h"

#include <fcntl.h>
#include <stdio.h> /* renameat() only */
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define NAME_BYTES (MONITOR_NAME_BYTES + 8)
#define STAMP_BYTES 64

void logfile_init(struct logfile *l, int dirfd, const char *name)
{
	*l = (struct logfile){.dirfd = dirfd, .fd = -1, .name = name};
}

void logfile_release(struct logfile *l)
{
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
}

static void file_name(char out[NAME_BYTES], const char *name,
		      const char *suffix)
{
	size_t n = strnlen(name, MONITOR_NAME_BYTES - 1);

	memcpy(out, name, n);
	memcpy(out + n, suffix, strlen(suffix) + 1);
}

int logfile_open(struct logfile *l)
{
	char name[NAME_BYTES];
	struct stat st;

	if (l->fd >= 0)
		return 0;
	file_name(name, l->name, ".log");
	l->fd = openat(l->dirfd, name,
		       O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC |
			       O_NONBLOCK,
		       0640);
	if (l->fd < 0 || fstat(l->fd, &st) < 0)
		return -1;
	l->size = (uint64_t)st.st_size;
	return 0;
}

static void rotate(struct logfile *l)
{
	char from[NAME_BYTES], to[NAME_BYTES];

	file_name(from, l->name, ".log");
	file_name(to, l->name, ".log.1");
	logfile_release(l);
	(void)renameat(l->dirfd, from, l->dirfd, to);
	(void)logfile_open(l);
}

static char *put_num(char *p, int64_t v, int digits)
{
	for (int i = digits - 1; i >= 0; i--) {
		p[i] = (char)('0' + v % 10);
		v /= 10;
	}
	return p + digits;
}

/* Days since 1970-01-01 to a date of the Gregorian calendar (years counted
 * from March, so that the leap day is the last of a year). */
static void civil(int64_t days, int64_t *y, int64_t *m, int64_t *d)
{
	int64_t era, doe, yoe, doy, mp;

	days += 719468;
	era = days / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = yoe + era * 400 + (*m <= 2 ? 1 : 0);
}

/* "2026-11-22T08:11:00.123456789Z stdout F "; returns its length. */
static size_t stamp(char out[STAMP_BYTES], const char *stream, char tag)
{
	struct timespec ts = {0};
	int64_t y, m, d, s;
	char *p = out;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	civil(ts.tv_sec / 86400, &y, &m, &d);
	s = ts.tv_sec % 86400;
	p = put_num(p, y, 4);
	*p++ = '-';
	p = put_num(p, m, 2);
	*p++ = '-';
	p = put_num(p, d, 2);
	*p++ = 'T';
	p = put_num(p, s / 3600, 2);
	*p++ = ':';
	p = put_num(p, s / 60 % 60, 2);
	*p++ = ':';
	p = put_num(p, s % 60, 2);
	*p++ = '.';
	p = put_num(p, ts.tv_nsec, 9);
	*p++ = 'Z';
	*p++ = ' ';
	memcpy(p, stream, 6);
	p += 6;
	*p++ = ' ';
	*p++ = tag;
	*p++ = ' ';
	return (size_t)(p - out);
}

static void write_line(struct logfile *l, const char *stream, char tag,
		       const char *bytes, size_t len)
{
	char head[STAMP_BYTES], nl = '\n';
	struct iovec iov[3];
	ssize_t n;

	if (l->size >= MONITOR_LOG_BYTES_MAX)
		rotate(l);
	if (l->fd < 0)
		return;
	iov[0] = (struct iovec){head, stamp(head, stream, tag)};
	iov[1] = (struct iovec){(void *)(uintptr_t)bytes, len};
	iov[2] = (struct iovec){&nl, 1};
	n = writev(l->fd, iov, 3);
	if (n > 0)
		l->size += (uint64_t)n;
}

void logfile_write(struct logfile *l, const char *stream, const char *bytes,
		   size_t len)
{
	const char *end = bytes + len;

	while (bytes < end) {
		const char *nl = memchr(bytes, '\n', (size_t)(end - bytes));

		if (!nl) {
			write_line(l, stream, 'P', bytes,
				   (size_t)(end - bytes));
			return;
		}
		write_line(l, stream, 'F', bytes, (size_t)(nl - bytes));
		bytes = nl + 1;
	}
}
