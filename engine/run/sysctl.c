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
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define SYSCTL_NAME_BYTES 256

static const struct sysctl_row {
	const char *name; /* with a dot at its end: all below it */
	enum spec_ns_kind ns;
} sysctl_rows[] = {
	{"fs.mqueue.", SPEC_NS_IPC},
	{"kernel.domainname", SPEC_NS_UTS},
	{"kernel.msgmax", SPEC_NS_IPC},
	{"kernel.msgmnb", SPEC_NS_IPC},
	{"kernel.msgmni", SPEC_NS_IPC},
	{"kernel.sem", SPEC_NS_IPC},
	{"kernel.shm_rmid_forced", SPEC_NS_IPC},
	{"kernel.shmall", SPEC_NS_IPC},
	{"kernel.shmmax", SPEC_NS_IPC},
	{"kernel.shmmni", SPEC_NS_IPC},
	{"net.", SPEC_NS_NET},
	{"user.", SPEC_NS_USER},
};

static int sysctl_deny(struct err *err, int code, const char *name,
		       const char *why)
{
	char safe[128];

	return err_set(err, code, "config: linux.sysctl: \"%s\": %s",
		       text_safe(safe, sizeof(safe), name, strlen(name)), why);
}

static void sysctl_swap(char *name)
{
	for (; *name != '\0'; name++)
		if (*name == '.' || *name == '/')
			*name = *name == '.' ? '/' : '.';
}

/* As sysctl(8): "net.ipv4.conf.eth0/1.x" is "net/ipv4/conf/eth0.1/x"; the first
 * of the two characters that comes separates.  False: no name of either form.
 */
static bool sysctl_dots(const char *name, char out[SYSCTL_NAME_BYTES])
{
	size_t len = strlen(name);

	if (len == 0 || len >= SYSCTL_NAME_BYTES ||
	    strchr("./", name[0]) != NULL ||
	    strchr("./", name[len - 1]) != NULL || strstr(name, "..") != NULL ||
	    strstr(name, "//") != NULL)
		return false;
	memcpy(out, name, len + 1);
	if (name[strcspn(name, "./")] == '/')
		sysctl_swap(out);
	return true;
}

/* Not ours alone, or joined by a path that leads to where we are ourselves. */
static bool sysctl_is_shared(const struct spec *s, enum spec_ns_kind kind)
{
	const struct spec_ns *ns = spec_ns_find(s, kind);
	struct stat theirs, ours;
	char path[64];

	if (ns == NULL)
		return true;
	if (ns->path == NULL || ns->path[0] == '\0')
		return false;
#ifdef GUARD_OFF_SYSCTL_JOINED
	return false;
#endif
	(void)snprintf(path, sizeof(path), "/proc/self/ns/%s",
		       spec_ns_rows()[kind].proc);
	return stat(ns->path, &theirs) < 0 || stat(path, &ours) < 0 ||
	       (theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino);
}

int sysctl_check(const struct spec *s, const char *name, struct err *err)
{
	char dots[SYSCTL_NAME_BYTES];
	size_t i;

	if (!sysctl_dots(name, dots))
		return sysctl_deny(err, ERR_INPUT, name, "no such name");
	if (strcmp(dots, "kernel.hostname") == 0)
		return sysctl_deny(err, ERR_INPUT, name,
				   "the config's own member is hostname");
	for (i = 0; i < sizeof(sysctl_rows) / sizeof(sysctl_rows[0]); i++) {
		const struct sysctl_row *row = &sysctl_rows[i];
		size_t n = strlen(row->name);
		bool below = row->name[n - 1] == '.';

		if (strncmp(dots, row->name, n) != 0 ||
		    (!below && dots[n] != '\0'))
			continue;
		if (!sysctl_is_shared(s, row->ns))
			return 0;
		return sysctl_deny(err, ERR_DENIED, name,
				   "the container shares this namespace with "
				   "the host");
	}
	return sysctl_deny(err, ERR_DENIED, name,
			   "not a setting of a namespace");
}

int sysctl_check_all(const struct spec *s, struct err *err)
{
	const struct decode_strv *map = &s->linux_.sysctl;
	size_t i;
	int rc = 0;

	for (i = 0; i + 1 < map->n && rc == 0; i += 2)
		rc = sysctl_check(s, map->v[i], err);
	return rc;
}

static int sysctl_one(int sys, const char *name, const char *value,
		      struct err *err)
{
	char path[SYSCTL_NAME_BYTES], safe[128];
	struct open_how how = {.flags = O_WRONLY | O_CLOEXEC,
			       .resolve = RESOLVE_BENEATH |
					  RESOLVE_NO_SYMLINKS |
					  RESOLVE_NO_XDEV};
	size_t len = strlen(value);
	struct statfs st;
	int fd = -1, rc = 0;

	(void)text_safe(safe, sizeof(safe), name, strlen(name));
#ifdef GUARD_OFF_SYSCTL_PROC
	how.resolve = 0;
#endif
	if (sysctl_dots(name, path)) {
		sysctl_swap(path);
		fd = sys_openat2(sys, path, &how);
	}
	if (fd < 0)
		return err_sys(err, errno, "sysctl %s", safe);
#ifdef GUARD_OFF_SYSCTL_PROC
	st.f_type = PROC_SUPER_MAGIC;
#else
	if (fstatfs(fd, &st) < 0)
		st.f_type = 0;
#endif
	if (st.f_type != PROC_SUPER_MAGIC)
		rc = err_set(err, ERR_DENIED, "sysctl %s: not on procfs", safe);
	else if (write(fd, value, len) != (ssize_t)len)
		rc = err_sys(err, errno, "sysctl %s", safe);
	(void)close(fd);
	return rc;
}

int sysctl_write(const struct spec *s, struct err *err)
{
	const struct decode_strv *map = &s->linux_.sysctl;
	int proc = -1, rc = 0, sys;
	size_t i;

	if (map->n == 0)
		return 0;
#ifdef GUARD_OFF_SYSCTL_PROC
	proc = open("proc", O_PATH | O_CLOEXEC);
#else
	rc = newfs_plain("proc", MOUNT_ATTR_NOSUID, &proc, err);
#endif
	if (rc < 0)
		return rc;
	sys = openat(proc, "sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (sys < 0)
		rc = err_sys(err, errno, "sysctl");
	for (i = 0; i + 1 < map->n && rc == 0; i += 2)
		rc = sysctl_one(sys, map->v[i], map->v[i + 1], err);
	if (sys >= 0)
		(void)close(sys);
	(void)close(proc);
	return rc;
}
