/* inroot.c - see inroot.h. */
#include "engine/rootfs/inroot.h"

#include "lib/sys.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INROOT_PATH_BYTES 4096

int inroot_open(int root, const char *path, int flags)
{
	return sys_open_in_root(root, path, flags, 0);
}

int inroot_open_plain(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS,
	};

	return sys_openat2(root, path, &how);
}

static int inroot_create(int dirfd, const char *name, enum inroot_kind kind)
{
	int fd;

	if (kind == INROOT_DIR)
		return mkdirat(dirfd, name, 0755);
	fd = openat(dirfd, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	(void)close(fd);
	return 0;
}

/* Makes prefix (whose parent exists) if it is missing.  ".." in a part that
 * does not exist is refused: there is nothing it could mean. */
static int inroot_step(int root, char *prefix, enum inroot_kind kind)
{
	char *slash = strrchr(prefix, '/');
	const char *name = slash != NULL ? slash + 1 : prefix;
	int dirfd, r, saved;
	int fd = inroot_open(root, prefix, O_PATH);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (strcmp(name, "..") == 0 || strcmp(name, ".") == 0) {
		errno = ENOENT;
		return -1;
	}
	if (slash != NULL)
		*slash = '\0';
	dirfd = inroot_open(root,
			    slash != NULL && prefix[0] != '\0' ? prefix : "/",
			    O_PATH | O_DIRECTORY);
	if (slash != NULL)
		*slash = '/';
	if (dirfd < 0)
		return -1;
	r = inroot_create(dirfd, name, kind);
	saved = errno;
	(void)close(dirfd);
	if (r < 0 && saved != EEXIST) {
		errno = saved;
		return -1;
	}
	return inroot_open(root, prefix, O_PATH);
}

static int inroot_fail(struct err *err, int saved, const char *path)
{
	char safe[160];

	(void)text_safe(safe, sizeof(safe), path, strlen(path));
	if (saved == ELOOP || saved == EXDEV)
		return err_set(err, ERR_DENIED,
			       "%s: the path has a link that leads out or in "
			       "circles",
			       safe);
	return err_sys(err, saved, "%s in the container", safe);
}

int inroot_make(int root, const char *path, enum inroot_kind kind, int *out_fd,
		struct err *err)
{
	char work[INROOT_PATH_BYTES];
	size_t len = strlen(path);
	char *end;
	int fd;

	fd = inroot_open(root, path, O_PATH);
	if (fd >= 0) {
		*out_fd = fd;
		return 0;
	}
	if (errno != ENOENT)
		return inroot_fail(err, errno, path);
	while (len > 1 && path[len - 1] == '/')
		len--;
	if (len >= sizeof(work))
		return inroot_fail(err, ENAMETOOLONG, path);
	memcpy(work, path, len);
	work[len] = '\0';
	end = work;
	while (end != NULL) {
		while (*end == '/')
			end++;
		end = strchr(end, '/');
		if (end != NULL)
			*end = '\0';
		fd = inroot_step(root, work, end != NULL ? INROOT_DIR : kind);
		if (fd < 0)
			return inroot_fail(err, errno, path);
		if (end == NULL)
			break;
		(void)close(fd);
		*end = '/';
	}
	*out_fd = fd;
	return 0;
}

int inroot_parent(int root, const char *path, int *out_fd,
		  const char **out_name, struct err *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	char dir[INROOT_PATH_BYTES] = "/";
	size_t len = slash != NULL ? (size_t)(slash - path) : 0;

	if (name[0] == '\0' || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0 || len >= sizeof(dir))
		return inroot_fail(err, EINVAL, path);
	if (len > 0) {
		memcpy(dir, path, len);
		dir[len] = '\0';
	}
	*out_name = name;
	return inroot_make(root, dir, INROOT_DIR, out_fd, err);
}

bool inroot_same(int fd_a, int fd_b)
{
	struct statx a, b;
	const unsigned int want = STATX_INO | STATX_MNT_ID;

	if (sys_statx(fd_a, want, &a) < 0 || sys_statx(fd_b, want, &b) < 0)
		return false;
	return a.stx_ino == b.stx_ino && a.stx_mnt_id == b.stx_mnt_id &&
	       a.stx_dev_major == b.stx_dev_major &&
	       a.stx_dev_minor == b.stx_dev_minor;
}
