/*
 * kernel.c - see kernel.h.  Each call is made with arguments that no kernel
 * accepts, so nothing happens; only the error is looked at.  A filter of a
 * surrounding container often answers EPERM where the call is unknown to it.
 */
#include "lib/kernel.h"
#include "lib/buf.h"
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define LIMIT_BYTES_MAX 64
#define NAMES_BYTES_MAX 600

struct need {
	const char *name, *since;
	long nr;
	bool privileged; /* EPERM may mean: not for this caller */
	long a, b;	 /* bad arguments; the rest is 0 */
};

static const struct need needs[] = {
	{"pidfd_send_signal", "5.1", SYS_pidfd_send_signal, false, -1, 0},
	{"fsopen", "5.2", SYS_fsopen, true, 0, -1},
	{"fsconfig", "5.2", SYS_fsconfig, true, -1, -1},
	{"fsmount", "5.2", SYS_fsmount, true, -1, -1},
	{"move_mount", "5.2", SYS_move_mount, true, -1, 0},
	{"open_tree", "5.2", SYS_open_tree, true, -1, 0},
	{"pidfd_open", "5.3", SYS_pidfd_open, false, -1, 0},
	{"clone3", "5.3", SYS_clone3, false, 0, 0},
	{"openat2", "5.6", SYS_openat2, false, -1, 0},
	{"close_range", "5.9", SYS_close_range, false, 1, 0},
	{"mount_setattr", "5.12", SYS_mount_setattr, true, -1, 0},
	{"seccomp", "3.17", SYS_seccomp, false, -1, 0},
};

static bool lacks(const struct need *n)
{
	if (syscall(n->nr, n->a, n->b, 0L, 0L, 0L, 0L) >= 0)
		return false;
	return errno == ENOSYS ||
	       (errno == EPERM && (!n->privileged || geteuid() == 0));
}

int kernel_check_calls(struct err *err)
{
	struct utsname u = {0};
	struct buf names;
	int r = 0;

	buf_init(&names, NAMES_BYTES_MAX);
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (lacks(&needs[i]))
			buf_printf(&names, "%s%s (Linux %s)",
				   names.len > 0 ? ", " : "", needs[i].name,
				   needs[i].since);
	(void)uname(&u);
	if (names.len > 0)
		r = err_sys(err, ENOSYS,
			    "this kernel lacks %s: want Linux 5.12 or newer "
			    "and no filter around us that forbids it, have "
			    "%.60s",
			    names.data, u.release);
	buf_release(&names);
	return r;
}

int kernel_check_userns(const char *proc, struct err *err)
{
	char path[256];
	struct buf b;
	int r;

	(void)snprintf(path, sizeof(path), "%s/self/ns/user", proc);
	if (access(path, F_OK) < 0)
		return err_sys(err, ENOSYS,
			       "this kernel lacks user namespaces: want "
			       "CONFIG_USER_NS");
	(void)snprintf(path, sizeof(path), "%s/sys/user/max_user_namespaces",
		       proc);
	buf_init(&b, LIMIT_BYTES_MAX);
	r = file_read(AT_FDCWD, path, LIMIT_BYTES_MAX, &b, NULL);
	if (r == 0 && b.len > 0 && b.data[0] == '0')
		r = err_sys(err, ENOSPC,
			    "user namespaces are switched off: want sysctl "
			    "user.max_user_namespaces above 0, have 0");
	else
		r = 0; /* not to be read is not switched off */
	buf_release(&b);
	return r;
}
