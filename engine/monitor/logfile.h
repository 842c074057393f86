/*
 * logfile.h - one container's log: "RFC3339Nano stream tag text" lines as of
 * the Kubernetes CRI log format, tag F for a whole line, P for a part of one.
 *
 * Bounded (threat E67): at MONITOR_LOG_BYTES_MAX the file becomes NAME.log.1,
 * replacing the one before.  Opened by name below a folder that no container
 * sees, never through a link.
 */
#ifndef ENGINE_MONITOR_LOGFILE_H
#define ENGINE_MONITOR_LOGFILE_H

#include <stddef.h>
#include <stdint.h>

struct logfile {
	int dirfd; /* borrowed */
	int fd;	   /* -1 closed */
	uint64_t size;
	const char *name; /* borrowed: the container's */
};

void logfile_init(struct logfile *l, int dirfd, const char *name);
void logfile_release(struct logfile *l);
/* Opens for appending; 0 or -1 with errno. */
int logfile_open(struct logfile *l);
/* Writes what a container wrote; stream is "stdout" or "stderr".  A full disk
 * loses text, never blocks the container. */
void logfile_write(struct logfile *l, const char *stream, const char *bytes,
		   size_t len);

#endif
