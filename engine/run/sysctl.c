/* sysctl.c - see sysctl.h. */
#include "engine/run/sysctl.h"

#include "engine/rootfs/newfs.h"
#include "lib/sys.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#define SYSCTL_NAME_BYTES 256

static const struct sysctl_row {
	const char *name; /* with a dot at its end: all below it */
	enum spec_ns_kind ns;
} sysctl_rows[] = {
	{"fs.mqueue.", SPEC_NS_IPC},
	{"kernel.domainname", SPEC_NS_UTS},
	{"kernel.hostname", SPEC_NS_UTS},
	{"kernel.msgmax", SPEC_NS_IPC},
	{"kernel.msgmnb", SPEC_NS_IPC},
	{"kernel.msgmni", SPEC_NS_IPC},
	{"kernel.sem", SPEC_NS_IPC},
	{"kernel.shm_rmid_forced", SPEC_NS_IPC},
	{"kernel.shmall", SPEC_NS_IPC},
	{"kernel.shmmax", SPEC_NS_IPC},
	{"kernel.shmmni", SPEC_NS_IPC},
	{"net.", SPEC_NS_NET},
};

static int sysctl_deny(struct err *err, int code, const char *name,
		       const char *why)
{
	char safe[128];

	return err_set(err, code, "config: linux.sysctl: \"%s\": %s",
		       text_safe(safe, sizeof(safe), name, strlen(name)), why);
}

int sysctl_check(const struct spec *s, const char *name, struct err *err)
{
	size_t i, len;

	len = strlen(name);
	if (len == 0 || len >= SYSCTL_NAME_BYTES || name[0] == '.' ||
	    name[0] == '/' || strstr(name, "..") != NULL ||
	    strstr(name, "//") != NULL)
		return sysctl_deny(err, ERR_INPUT, name, "no such name");
	for (i = 0; i < sizeof(sysctl_rows) / sizeof(sysctl_rows[0]); i++) {
		const struct sysctl_row *row = &sysctl_rows[i];
		size_t n = strlen(row->name);
		bool below = row->name[n - 1] == '.';

		if (strncmp(name, row->name, n) != 0 ||
		    (!below && name[n] != '\0'))
			continue;
		if (spec_ns_find(s, row->ns) != NULL)
			return 0;
		return sysctl_deny(err, ERR_DENIED, name,
				   "the container shares this namespace with "
				   "the host");
	}
	return sysctl_deny(err, ERR_DENIED, name,
			   "not a setting of a namespace");
}

static int sysctl_one(int proc, const char *name, const char *value,
		      struct err *err)
{
	char path[SYSCTL_NAME_BYTES + 8];
	struct open_how how = {.flags = O_WRONLY | O_CLOEXEC,
			       .resolve = RESOLVE_BENEATH |
					  RESOLVE_NO_SYMLINKS |
					  RESOLVE_NO_XDEV};
	size_t len = strlen(value);
	struct statfs st;
	char *c;
	int fd, rc = 0;

	(void)snprintf(path, sizeof(path), "sys/%s", name);
	/* "net.ipv4.conf.eth0/1.x": a slash stands for a dot in a name. */
	for (c = path + 4; *c != '\0'; c++)
		if (*c == '.' || *c == '/')
			*c = *c == '.' ? '/' : '.';
#ifdef GUARD_OFF_SYSCTL_PROC
	how.resolve = 0;
#endif
	fd = sys_openat2(proc, path, &how);
	if (fd < 0)
		return err_sys(err, errno, "sysctl %s", name);
#ifdef GUARD_OFF_SYSCTL_PROC
	st.f_type = PROC_SUPER_MAGIC;
#else
	if (fstatfs(fd, &st) < 0)
		st.f_type = 0;
#endif
	if (st.f_type != PROC_SUPER_MAGIC)
		rc = err_set(err, ERR_DENIED, "sysctl %s: not on procfs", name);
	else if (write(fd, value, len) != (ssize_t)len)
		rc = err_sys(err, errno, "sysctl %s", name);
	(void)close(fd);
	return rc;
}

int sysctl_write(const struct spec *s, struct err *err)
{
	const struct decode_strv *map = &s->linux_.sysctl;
	int proc = -1, rc = 0;
	size_t i;

	if (map->n == 0)
		return 0;
	for (i = 0; i + 1 < map->n && rc == 0; i += 2)
		rc = sysctl_check(s, map->v[i], err);
#ifdef GUARD_OFF_SYSCTL_PROC
	proc = open("proc", O_PATH | O_CLOEXEC);
#else
	if (rc == 0)
		rc = newfs_plain("proc", MOUNT_ATTR_NOSUID, &proc, err);
#endif
	for (i = 0; i + 1 < map->n && rc == 0; i += 2)
		rc = sysctl_one(proc, map->v[i], map->v[i + 1], err);
	if (proc >= 0)
		(void)close(proc);
	return rc;
}
