/*
 * file.c - whole files by descriptor and relative name; atomic replacement.
 * Names come from the caller's code, contents may be hostile.  Linked into
 * static programs too: nothing but system calls and struct buf.
 */
#include "lib/file.h"
#include "lib/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES_MIN ((size_t)4 * 1024)
#define READ_BYTES_MAX ((size_t)256 * 1024)
/* deeper folders are moved up before they are removed: one descriptor a level
 */
#define REMOVE_DEPTH_MAX 32

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

int file_read_fd(int fd, size_t max, struct buf *out, struct err *err)
{
	size_t chunk = READ_BYTES_MIN, total = 0;

	if (out->failed)
		return buf_check(out, err);
	for (;;) {
		size_t room = least(max - total, out->max - out->len);
		size_t have = out->cap - out->len;
		size_t want = least(have > 1 ? have - 1 : chunk, room);
		char probe[1];
		char *p = want > 0 ? buf_reserve(out, want) : probe;
		ssize_t n;

		if (!p)
			return err_set(err, ERR_NOMEM, "out of memory");
		n = read(fd, p, want > 0 ? want : 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "read");
		if (n == 0)
			return 0;
		if (want == 0)
			return err_set(err, ERR_LIMIT,
				       "want at most %zu bytes, have more",
				       least(max, out->max));
		buf_commit(out, (size_t)n);
		total += (size_t)n;
		chunk = least(chunk * 2, READ_BYTES_MAX);
	}
}

int file_read(int dirfd, const char *name, size_t max, struct buf *out,
	      struct err *err)
{
	struct stat st;
	int fd, r;

	/* O_NONBLOCK: a FIFO put in place of the file must not hang us */
	fd = openat(dirfd, name,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == ELOOP)
		return err_set(err, ERR_INPUT,
			       "%s: want a regular file, have a link", name);
	if (fd < 0)
		return err_sys(err, errno, "open %s", name);
	if (fstat(fd, &st) < 0) {
		r = err_sys(err, errno, "stat %s", name);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		r = err_set(err, ERR_INPUT, "%s: want a regular file", name);
		goto out;
	}
	/* a hint: one more, so that the end is seen without growing again */
	if (st.st_size > 0 && (size_t)st.st_size < least(max, out->max))
		(void)buf_reserve(out, (size_t)st.st_size + 1);
	r = file_read_fd(fd, max, out, err);
	if (r < 0 && err)
		r = err_wrap(err, "%s", name);
out:
	(void)close(fd);
	return r;
}

int file_write_fd(int fd, const void *bytes, size_t len, struct err *err)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "write");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The folder part of name, opened: the entry in it must be durable too. */
static int open_parent(int dirfd, const char *name, struct err *err)
{
	const char *slash = strrchr(name, '/');
	char dir[PATH_MAX];
	size_t len;
	int fd;

	if (!slash) {
		memcpy(dir, ".", 2);
	} else {
		len = slash == name ? 1 : (size_t)(slash - name);
		if (len >= sizeof(dir))
			return err_set(err, ERR_LIMIT, "path too long");
		memcpy(dir, name, len);
		dir[len] = '\0';
	}
	fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "open %s", dir);
	return fd;
}

static int open_temp(int dir, char name[NAME_MAX + 1], mode_t mode,
		     struct err *err)
{
	for (int i = 0; i < 100; i++) {
		uint64_t r = 0;
		int fd;

		if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
			return err_sys(err, errno, "getrandom");
		(void)snprintf(name, NAME_MAX + 1, ".tmp-%016llx",
			       (unsigned long long)r);
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			    mode);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			return err_sys(err, errno, "create a temporary file");
	}
	return err_set(err, ERR_SYS, "no free temporary name");
}

int file_replace(int dirfd, const char *name, mode_t mode, const void *bytes,
		 size_t len, struct err *err)
{
	const char *slash = strrchr(name, '/');
	const char *base = slash ? slash + 1 : name;
	char temp[NAME_MAX + 1] = "";
	int dir, fd = -1;
	int r;

	dir = open_parent(dirfd, name, err);
	if (dir < 0)
		return dir;
	r = fd = open_temp(dir, temp, mode, err);
	if (fd < 0) {
		temp[0] = '\0';
		goto out;
	}
	r = file_write_fd(fd, bytes, len, err);
	if (r < 0)
		goto out;
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0) {
		r = err_sys(err, errno, "fsync");
		goto out;
	}
	if (renameat(dir, temp, dir, base) < 0) {
		r = err_sys(err, errno, "rename");
		goto out;
	}
	temp[0] = '\0';
	if (fsync(dir) < 0)
		r = err_sys(err, errno, "fsync of the folder");
out:
	if (fd >= 0)
		(void)close(fd);
	if (temp[0] != '\0')
		(void)unlinkat(dir, temp, 0);
	(void)close(dir);
	if (r < 0 && err)
		(void)err_wrap(err, "%s", name);
	return r;
}

/* Opens component name below dir, making it first if it is missing. */
static int step_into(int dir, const char *name, mode_t mode, bool follow,
		     struct err *err)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int fd;

	if (strcmp(name, "..") == 0)
		return err_set(err, ERR_INPUT, "path has \"..\"");
	if (mkdirat(dir, name, mode) < 0 && errno != EEXIST)
		return err_sys(err, errno, "mkdir %s", name);
	fd = openat(dir, name, flags | (follow ? 0 : O_NOFOLLOW));
	if (fd < 0)
		return err_sys(err, errno, "open folder %s", name);
	return fd;
}

int file_mkdirs(int dirfd, const char *path, mode_t mode, int *out_fd,
		struct err *err)
{
	bool absolute = path[0] == '/';
	/* an administrator's path may have links, one below a given folder not
	 */
	bool follow = absolute || dirfd == AT_FDCWD;
	char name[NAME_MAX + 1];
	int fd;

	fd = openat(absolute ? AT_FDCWD : dirfd, absolute ? "/" : ".",
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "open %s", absolute ? "/" : ".");
	while (*path != '\0') {
		size_t len = strcspn(path, "/");
		int next;

		if (len > NAME_MAX) {
			(void)close(fd);
			return err_set(err, ERR_LIMIT, "name too long");
		}
		memcpy(name, path, len);
		name[len] = '\0';
		path += len + (path[len] == '/' ? 1 : 0);
		if (len == 0 || strcmp(name, ".") == 0)
			continue;
		next = step_into(fd, name, mode, follow, err);
		(void)close(fd);
		if (next < 0)
			return next;
		fd = next;
	}
	*out_fd = fd;
	return 0;
}

int file_lock(int dirfd, const char *name, int *out_fd, struct err *err)
{
	int fd, saved;

	fd = openat(dirfd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	if (fd < 0)
		return err_sys(err, errno, "open %s", name);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*out_fd = fd;
		return 0;
	}
	saved = errno;
	(void)close(fd);
	if (saved == EWOULDBLOCK)
		return err_set(err, ERR_AGAIN, "%s: held by another process",
			       name);
	return err_sys(err, saved, "lock %s", name);
}

/* --- removing a tree ------------------------------------------------------ */

struct removal {
	int top;       /* folder that holds the tree */
	uint64_t next; /* number for names moved up */
	bool moved;    /* something was moved up in this round */
};

static int remove_entry(struct removal *rm, int dir, const char *name,
			int depth, struct err *err);

static int open_below(int dir, const char *name)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW,
		.resolve =
			RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};

	return sys_openat2(dir, name, &how);
}

static int remove_children(struct removal *rm, int fd, int depth,
			   struct err *err)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (!d) {
		r = err_sys(err, errno, "fdopendir");
		(void)close(fd);
		return r;
	}
	while (r == 0 && (errno = 0, e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		r = remove_entry(rm, dirfd(d), e->d_name, depth, err);
	}
	if (r == 0 && errno != 0)
		r = err_sys(err, errno, "readdir");
	(void)closedir(d);
	return r;
}

/* Too deep for one descriptor a level: hang the folder under the top. */
static int move_up(struct removal *rm, int dir, const char *name,
		   struct err *err)
{
	char to[64];
	int r;

	do {
		(void)snprintf(to, sizeof(to), ".deep-%llu",
			       (unsigned long long)rm->next++);
		r = sys_rename_new(dir, name, rm->top, to);
	} while (r < 0 && errno == EEXIST);
	if (r < 0)
		return err_sys(err, errno, "rename of a deep folder");
	rm->moved = true;
	return 0;
}

static int remove_entry(struct removal *rm, int dir, const char *name,
			int depth, struct err *err)
{
	int fd, r;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_sys(err, errno, "unlink");
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return err_sys(err, errno, "rmdir");
	if (depth >= REMOVE_DEPTH_MAX)
		return move_up(rm, dir, name, err);
	fd = open_below(dir, name);
	if (fd < 0)
		return err_sys(err, errno, "open folder");
	r = remove_children(rm, fd, depth + 1, err);
	if (r < 0)
		return r;
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0)
		return err_sys(err, errno, "rmdir");
	return 0;
}

/* The tree `base`, an entry of the folder parent. */
static int remove_below(int parent, const char *base, struct err *err)
{
	struct removal rm = {.top = -1};
	int r;

	if (unlinkat(parent, base, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_sys(err, errno, "unlink");
	rm.top = open_below(parent, base);
	if (rm.top < 0)
		return err_sys(err, errno, "open folder");
	do {
		int fd =
			openat(rm.top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		rm.moved = false;
		r = fd < 0 ? err_sys(err, errno, "open folder")
			   : remove_children(&rm, fd, 0, err);
	} while (r == 0 && rm.moved);
	(void)close(rm.top);
	if (r == 0 && unlinkat(parent, base, AT_REMOVEDIR) < 0)
		r = err_sys(err, errno, "rmdir");
	return r;
}

int file_remove_tree(int dirfd, const char *name, struct err *err)
{
	const char *slash = strrchr(name, '/');
	int parent = open_parent(dirfd, name, err);
	int r;

	if (parent < 0)
		return parent == ERR_NOTFOUND ? 0 : parent;
	r = remove_below(parent, slash ? slash + 1 : name, err);
	(void)close(parent);
	if (r < 0 && err)
		(void)err_wrap(err, "%s", name);
	return r;
}
