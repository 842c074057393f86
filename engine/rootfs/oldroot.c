/*
 * oldroot.c - see oldroot.h.  Runs in the container's first process, in its own
 * mount namespace, before the chroot.  /proc/self/mountinfo is the host's
 * procfs still; it is read whole before anything is taken away.
 */
#include "engine/rootfs/oldroot.h"

#include "lib/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OLDROOT_DETACH 2 /* MNT_DETACH; see esys.c */

/* "\040" as the kernel writes a space; in place. */
static void oldroot_unescape(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' &&
		    s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 +
				       (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* A line of mountinfo: is it mounted on old, and not keep?  path: where. */
static bool oldroot_is_child(const char *line, uint64_t old, uint64_t keep,
			     char *path, size_t max)
{
	unsigned long long id, parent;
	int at = 0;
	size_t len;

	if (sscanf(line, "%llu %llu %*s %*s %n", &id, &parent, &at) < 2 ||
	    at == 0 || parent != old || id == old || id == keep)
		return false;
	len = strcspn(line + at, " ");
	if (len >= max)
		return false;
	memcpy(path, line + at, len);
	path[len] = '\0';
	oldroot_unescape(path);
	return true;
}

int oldroot_strip(const struct rootfs *r, struct err *err)
{
	char *line = NULL, path[4096];
	size_t size = 0;
	struct inroot_id old;
	int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	FILE *f = fopen("/proc/self/mountinfo", "re");
	int rc = 0;

	if (slash < 0 || f == NULL || inroot_id(slash, &old) < 0)
		rc = err_sys(err, errno, "read the old root's mounts");
	/* The one that is taken away is a line already read; those that
	 * follow do not move. */
	while (rc == 0 && getline(&line, &size, f) > 0)
		if (oldroot_is_child(line, old.mount, r->root_id.mount, path,
				     sizeof(path)) &&
		    sys_umount(path, OLDROOT_DETACH) < 0 && errno != ENOENT)
			rc = err_sys(err, errno, "--no-pivot: detach %s", path);
	free(line);
	if (f != NULL)
		(void)fclose(f);
	if (slash >= 0)
		(void)close(slash);
	return rc;
}
