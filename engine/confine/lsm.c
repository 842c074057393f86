/* lsm.c - see lsm.h. */
#include "engine/confine/lsm.h"

#include "lib/sys.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LSM_LABEL_MAX 4000 /* the kernel takes one page */
#define LSM_APPARMOR "/sys/module/apparmor/parameters/enabled"
#define LSM_SELINUX "/sys/fs/selinux"

static bool lsm_given(const char *label)
{
	return label != NULL && label[0] != '\0';
}

static bool lsm_has_apparmor(void)
{
	char on = 'N';
	int fd = open(LSM_APPARMOR, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, &on, 1) != 1)
		on = 'N';
	(void)close(fd);
	return on == 'Y';
}

static bool lsm_has_selinux(void)
{
	struct statfs st;

	return statfs(LSM_SELINUX, &st) == 0 &&
	       (unsigned long)st.f_type == SELINUX_MAGIC;
}

static int lsm_check_one(const char *name, const char *label, const char *lsm,
			 bool (*has)(void), struct err *err)
{
	const char *c;

	if (!lsm_given(label))
		return 0;
	for (c = label; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			break;
	if (*c != '\0' || c - label > LSM_LABEL_MAX)
		return err_set(err, ERR_INPUT,
			       "config: %s: want at most %d characters, no "
			       "white space",
			       name, LSM_LABEL_MAX);
	if (!has())
		return err_set(err, ERR_INPUT,
			       "config: %s: this kernel runs without %s; leave "
			       "it out",
			       name, lsm);
	return 0;
}

int lsm_check(const struct spec_process *p, const char *mount_label,
	      struct err *err)
{
	int r = lsm_check_one("process.apparmorProfile", p->apparmor,
			      "AppArmor", lsm_has_apparmor, err);

	if (r == 0)
		r = lsm_check_one("process.selinuxLabel", p->selinux, "SELinux",
				  lsm_has_selinux, err);
	if (r == 0)
		r = lsm_check_one("linux.mountLabel", mount_label, "SELinux",
				  lsm_has_selinux, err);
	if (r == 0 && lsm_given(p->apparmor) && lsm_given(p->selinux))
		r = err_set(err, ERR_INPUT,
			    "config: process.apparmorProfile and selinuxLabel: "
			    "want one of them");
	return r;
}

int lsm_proc(const struct spec_process *p, int *out_proc, struct err *err)
{
	struct statfs st;
	int fd;

	*out_proc = -1;
	if (!lsm_given(p->apparmor) && !lsm_given(p->selinux))
		return 0;
	fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "open /proc");
	if (fstatfs(fd, &st) < 0 || st.f_type != PROC_SUPER_MAGIC) {
		(void)close(fd);
		return err_set(err, ERR_DENIED, "/proc: not a procfs");
	}
	*out_proc = fd;
	return 0;
}

int lsm_open(const struct spec_process *p, int proc, int *out_fd,
	     struct err *err)
{
	struct open_how how = {.flags = O_WRONLY | O_CLOEXEC,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV |
					  RESOLVE_NO_MAGICLINKS};
	int fd = -1, saved;

	*out_fd = -1;
	if (proc < 0)
		return 0;
#ifdef GUARD_OFF_LSM_PROC
	how.resolve = 0;
	(void)close(proc);
	proc = open("/proc", O_PATH | O_CLOEXEC);
#endif
	/* Beside another module that labels too, AppArmor has its own. */
	if (lsm_given(p->apparmor))
		fd = sys_openat2(proc, "thread-self/attr/apparmor/exec", &how);
	if (fd < 0)
		fd = sys_openat2(proc, "thread-self/attr/exec", &how);
	saved = errno;
	(void)close(proc);
	if (fd < 0)
		return err_sys(err, saved, "label of the process: attr/exec");
	*out_fd = fd;
	return 0;
}

int lsm_write(const struct spec_process *p, int fd, struct err *err)
{
	bool apparmor = lsm_given(p->apparmor);
	const char *label = apparmor ? p->apparmor : p->selinux;
	char text[LSM_LABEL_MAX + 16], safe[160];
	int n;

	if (fd < 0)
		return 0;
	n = snprintf(text, sizeof(text), "%s%s", apparmor ? "exec " : "",
		     label);
	if (write(fd, text, (size_t)n) != n)
		return err_sys(
			err, errno, "process.%s %s",
			apparmor ? "apparmorProfile" : "selinuxLabel",
			text_safe(safe, sizeof(safe), label, strlen(label)));
	(void)close(fd);
	return 0;
}
