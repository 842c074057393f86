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
#define INROOT_LINKS_MAX 40

int inroot_open(int root, const char *path, int flags)
{
#ifdef GUARD_OFF_INROOT
	path += strspn(path, "/");
	return openat(root, path[0] != '\0' ? path : ".", flags | O_CLOEXEC);
#else
	return sys_open_in_root(root, path, flags, 0);
#endif
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

/* S_IFREG by mknod: one call makes the file, and leaves nothing open. */
static int inroot_create(int dirfd, const char *name, enum inroot_kind kind)
{
	if (kind == INROOT_DIR)
		return mkdirat(dirfd, name, 0755);
	return mknodat(dirfd, name, S_IFREG | 0644, 0);
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

/* Opens as much of path as exists; *rest: what is missing of it, "" if
 * nothing.  The root itself always exists. */
static int inroot_longest(int root, const char *path, const char **rest)
{
	char work[INROOT_PATH_BYTES];
	size_t len = strlen(path);
	int fd = inroot_open(root, path, O_PATH);

	*rest = path + len;
	while (fd < 0 && errno == ENOENT && len > 0) {
		while (len > 0 && path[len - 1] == '/')
			len--;
		while (len > 0 && path[len - 1] != '/')
			len--;
		memcpy(work, path, len);
		work[len] = '\0';
		*rest = path + len;
		fd = inroot_open(root, len > 0 ? work : "/", O_PATH);
	}
	return fd;
}

/* What could not be opened and cannot be made is a link to nothing: path
 * becomes what it means, so that its target is made, inside the root. */
static int inroot_follow(int dirfd, char *path, const char *name, size_t len)
{
	char target[INROOT_PATH_BYTES], next[INROOT_PATH_BYTES], one[256];
	size_t before = (size_t)(name - path);
	ssize_t n;
	int done;

	if (len >= sizeof(one)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(one, name, len);
	one[len] = '\0';
	n = readlinkat(dirfd, one, target, sizeof(target));
	if (n < 0) /* EINVAL: no link; somebody else has made it just now */
		return errno == EINVAL ? 0 : -1;
	if (target[0] == '/')
		before = 0;
	done = snprintf(next, sizeof(next), "%.*s%.*s%s", (int)before, path,
			(int)n, target, name + len);
	if (done < 0 || (size_t)done >= sizeof(next)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(path, next, (size_t)done + 1);
	return 0;
}

/* "." and ".." in what does not exist: nothing they could mean. */
static bool inroot_has_dots(const char *rest)
{
	size_t len;

	for (; *rest != '\0'; rest += len + strspn(rest + len, "/")) {
		len = strcspn(rest, "/");
		if (len <= 2 && strncmp(rest, "..", len) == 0)
			return true;
	}
	return false;
}

/* Makes what is missing (rest, inside path) below *fd.  1: path was a link and
 * has been rewritten, begin again. */
static int inroot_extend(int *fd, char *path, const char *rest,
			 enum inroot_kind kind)
{
	if (inroot_has_dots(rest)) {
		errno = ENOENT;
		return -1;
	}
	while (*rest != '\0') {
		size_t len = strcspn(rest, "/");
		size_t skip = len + strspn(rest + len, "/");
		char name[256];
		int next;

		if (len >= sizeof(name)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, rest, len);
		name[len] = '\0';
		if (inroot_create(*fd, name,
				  rest[skip] != '\0' ? INROOT_DIR : kind) < 0) {
			if (errno != EEXIST)
				return -1;
			return inroot_follow(*fd, path, rest, len) < 0 ? -1 : 1;
		}
		next = openat(*fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -1;
		(void)close(*fd);
		*fd = next;
		rest += skip;
	}
	return 0;
}

int inroot_make(int root, const char *path, enum inroot_kind kind, int *out_fd,
		struct err *err)
{
	char work[INROOT_PATH_BYTES];
	const char *rest;
	int links, fd, r = 1;

	if (strlen(path) >= sizeof(work))
		return inroot_fail(err, ENAMETOOLONG, path);
	memcpy(work, path, strlen(path) + 1);
	for (links = 0; r == 1; links++) {
		fd = links < INROOT_LINKS_MAX
			     ? inroot_longest(root, work, &rest)
			     : -1;
		if (fd < 0)
			return inroot_fail(
				err, links < INROOT_LINKS_MAX ? errno : ELOOP,
				path);
		r = inroot_extend(&fd, work, rest, kind);
		if (r != 0) {
			int saved = errno;

			(void)close(fd);
			if (r < 0)
				return inroot_fail(err, saved, path);
		}
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

int inroot_id(int fd, struct inroot_id *out)
{
	struct statx sx;

	if (sys_statx(fd, STATX_TYPE | STATX_INO | STATX_MNT_ID, &sx) < 0)
		return -1;
	*out = (struct inroot_id){.ino = sx.stx_ino,
				  .mount = sx.stx_mnt_id,
				  .major = sx.stx_dev_major,
				  .minor = sx.stx_dev_minor,
				  .dir = S_ISDIR(sx.stx_mode)};
	return 0;
}

bool inroot_same(const struct inroot_id *a, const struct inroot_id *b)
{
	return a->ino == b->ino && a->mount == b->mount &&
	       a->major == b->major && a->minor == b->minor;
}
