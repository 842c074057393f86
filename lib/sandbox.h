/*
 * sandbox.h - what each program gives up before it reads its first byte:
 * no_new_privs, dropped capabilities, Landlock, rlimits and a seccomp filter,
 * in that order.  One const profile per program, in that program's folder.
 */
#ifndef LIB_SANDBOX_H
#define LIB_SANDBOX_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Named groups of system calls; SANDBOX_BASE (memory, read/write on open
 * descriptors, clocks, signals of its own, exit) is always allowed. */
enum {
	SANDBOX_FILE_READ = 1u
			    << 0, /* openat2/openat read-only, stat, getdents */
	SANDBOX_FILE_WRITE = 1u << 1, /* create, rename, unlink, fsync, flock */
	SANDBOX_CONNECT = 1u << 2,    /* socket, connect, getsockopt ... */
	SANDBOX_ACCEPT = 1u << 3,     /* accept4 on passed sockets */
	SANDBOX_SPAWN = 1u << 4,      /* clone, execve, wait, pidfd */
	SANDBOX_THREAD = 1u << 5,     /* clone with CLONE_THREAD (resolver) */
	SANDBOX_OWNER = 1u << 6,      /* chown, chmod, xattr, mknod, utimens */
	SANDBOX_NETLINK = 1u << 7,    /* AF_NETLINK sockets, setns */
	/* connect() does nothing and says EINPROGRESS: for a library that is
	 * given connected sockets (libcurl 7.88 connects them once more) */
	SANDBOX_CONNECTED = 1u << 8,
	SANDBOX_MEMORY_FILE = 1u << 9, /* memfd_create */
	/* This process becomes another program that is already chosen: what
	 * execve and a loader need, no process and no sandbox of its own.  The
	 * program inherits the profile. */
	SANDBOX_EXEC = 1u << 10,
	/* No filter, no no_new_privs, no core limit: only for the program that
	 * starts the engine, because all three are inherited by containers
	 * (the engine mounts, clones, and runs what may be set-user-id). */
	SANDBOX_NO_FILTER = 1u << 30,
};

/*
 * Filters, Landlock rules, limits and dropped capabilities are inherited by
 * what a program starts: a profile with SANDBOX_SPAWN must allow all that its
 * siblings' profiles allow (SPAWN itself has what a new program needs to load
 * and to enter its own sandbox).
 */

struct sandbox_path {
	const char *path; /* a path that is missing is skipped */
	bool write;
};

struct sandbox {
	const char *name;		  /* program, for messages */
	uint32_t allow;			  /* SANDBOX_* */
	const struct sandbox_path *paths; /* Landlock; all else is denied */
	size_t n_paths;
	bool landlock; /* false: no file-system rules */
	const uint16_t
		*tcp_ports; /* the only ones to connect to; needs landlock */
	size_t n_tcp_ports; /* 0: not limited */
	uint64_t keep_caps; /* bit n = capability n kept */
	size_t max_memory;  /* RLIMIT_AS in bytes, 0: unlimited */
	unsigned int max_files;	 /* RLIMIT_NOFILE, 0: as is */
	unsigned int max_cpu_s;	 /* RLIMIT_CPU: killed after it, 0: as is */
	uint64_t max_file_bytes; /* RLIMIT_FSIZE: EFBIG if the program ignores
				  * SIGXFSZ, 0: as is */
};

/* Before it, a program that uses OpenSSL calls hash_new() or
 * OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG) and sets locale and time
 * zone, if any: afterwards no configuration file can be opened.
 * After success a forbidden system call kills the process (SIGSYS); under
 * a sanitizer build neither filter nor Landlock is installed (but for what
 * SANDBOX_CONNECTED needs).  Missing Landlock
 * in the kernel is logged, not an error; anything else that fails is. */
int sandbox_enter(const struct sandbox *profile, struct err *err);

#endif
