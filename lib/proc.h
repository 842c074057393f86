/*
 * proc.h - starting siblings: fork and exec with a clean environment, exactly
 * the descriptors given, and a pidfd to wait on.
 */
#ifndef LIB_PROC_H
#define LIB_PROC_H

#include "lib/err.h"

#include <stddef.h>
#include <stdbool.h>
#include <sys/types.h>

struct proc_spec {
	const char *path;	 /* executable, absolute */
	const char *const *argv; /* NULL terminated, argv[0] included */
	const char *const
		*envp;	/* NULL: PATH=/usr/sbin:/usr/bin:/sbin:/bin, LC_ALL=C */
	const int *fds; /* become 3, 4, 5 ... in the child */
	size_t n_fds;
	int in, out, err;     /* 0..2 of the child; -1: /dev/null */
	bool new_session;     /* setsid() */
	bool die_with_parent; /* PR_SET_PDEATHSIG(SIGKILL) */
};

struct proc {
	pid_t pid;
	int pidfd;
};

int proc_spawn(const struct proc_spec *spec, struct proc *out, struct err *err);
/* Starts a sibling by name ("reconcile-verify") with one end of a new
 * socketpair as descriptor 3; *out_sock owned.  libexec NULL: see
 * proc_libexec(). */
int proc_sibling(const char *libexec, const char *name, const char *const *args,
		 struct proc *out, int *out_sock, struct err *err);
/* Directory that holds the siblings: that of /proc/self/exe when it has
 * "reconcile-verify" in it, else RECONCILE_LIBEXEC of the build.  Writes into
 * out. */
int proc_libexec(char *out, size_t len, struct err *err);
/* Waits and, on success, reaps and closes; *out_status is the exit status, or
 * 128+signal. timeout_ms -1: none; ERR_AGAIN after it. */
int proc_wait(struct proc *p, int timeout_ms, int *out_status, struct err *err);
/* SIGKILL by pidfd, reaps, closes; no effect after proc_wait(). */
void proc_kill(struct proc *p);

#endif
