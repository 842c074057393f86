/*
 * lsm.h - process.apparmorProfile, process.selinuxLabel, linux.mountLabel.
 *
 * The label of the next execve is written to a file of procfs that is the
 * process's own (attr/exec).  Invariants: (1) that file is opened below a
 * descriptor of the host's /proc, never by a path of the container, where
 * another file might lie over it (E17, E18, E19); (2) a label that cannot be
 * given is an error: nothing runs unconfined that should not.
 */
#ifndef ENGINE_CONFINE_LSM_H
#define ENGINE_CONFINE_LSM_H

#include "engine/spec/spec.h"
#include "lib/err.h"

/* Grammar, and whether this kernel has what they want.  Reads nothing when
 * nothing is wanted.  mount_label may be NULL.  ERR_INPUT. */
int lsm_check(const struct spec_process *p, const char *mount_label,
	      struct err *err);
/* On the host: its /proc, owned; -1 when no label is wanted. */
int lsm_proc(const struct spec_process *p, int *out_proc, struct err *err);
/* The process to be, by that descriptor (consumed): its own attribute, owned.
 * It alone can write there, also after its ids have changed. */
int lsm_open(const struct spec_process *p, int proc, int *out_fd,
	     struct err *err);
/* For the next execve.  fd -1: nothing is wanted. */
int lsm_write(const struct spec_process *p, int fd, struct err *err);

#endif
