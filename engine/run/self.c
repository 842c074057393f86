/* self.c - see self.h. */
#include "engine/run/self.h"

#include "engine/sys/esys.h"
#include "lib/file.h"
#include "lib/num.h"
#include "lib/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SELF_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int self_stand(struct err *err)
{
	struct pollfd std[] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};
	size_t i;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)sys_signal_default(SIGCHLD);
	if (poll(std, 3, 0) <= 0)
		return 0;
	for (i = 0; i < 3; i++)
		if ((std[i].revents & POLLNVAL) != 0 &&
		    open("/dev/null", O_RDWR) < 0)
			return err_sys(err, errno, "open /dev/null");
	return 0;
}

static unsigned int self_named(const char *file)
{
	static const char *const dirs[] = {"/dev/fd/", "/proc/self/fd/"};
	uint64_t n = 0;
	size_t i, len;

	for (i = 0; i < 2 && file != NULL; i++) {
		len = strlen(dirs[i]);
		if (strncmp(file, dirs[i], len) == 0 &&
		    num_parse_u64(file + len, strlen(file + len), INT_MAX, &n))
			return (unsigned int)n;
	}
	return 0;
}

int self_read(const char *file, size_t max, struct buf *out, struct err *err)
{
	unsigned int fd = self_named(file);

	if (fd > 0 || strcmp(file, "-") == 0)
		return file_read_fd((int)fd, max, out, err);
	return file_read(AT_FDCWD, file, max, out, err);
}

int self_shed(const char *preserve, unsigned int listen, const char *file,
	      unsigned int *out_n, struct err *err)
{
	unsigned int keep = self_named(file);
	uint64_t n = 0;
	unsigned int i, all;

	if (preserve != NULL &&
	    !num_parse_u64(preserve, strlen(preserve), SELF_FDS_MAX, &n))
		return err_set(err, ERR_INPUT, "--preserve-fds: want 0 to %d",
			       SELF_FDS_MAX);
	all = listen + (unsigned int)n;
	for (i = 3; i < 3 + all; i++)
		if (fcntl((int)i, F_GETFD) < 0)
			return err_set(err, ERR_INPUT,
				       "%s: descriptor %u is not open",
				       i < 3 + listen ? "LISTEN_FDS"
						      : "--preserve-fds",
				       i);
#ifndef GUARD_OFF_CLOSE
	i = 3 + all;
	if (keep > i && sys_close_range(i, keep - 1, 0) < 0)
		return err_sys(err, errno, "close_range");
	if (keep >= i)
		i = keep + 1;
	if (sys_close_range(i, ~0u, 0) < 0)
		return err_sys(err, errno, "close_range");
#endif
	*out_n = all;
	return 0;
}

static bool self_has(const struct spec_idmap *v, size_t n, uint32_t host_id)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (host_id >= v[i].host_id &&
		    host_id - v[i].host_id < v[i].size)
			return true;
	return false;
}

/* An access list would show its widest entry in the group's bits. */
static bool self_is_out_of_reach(const struct idmap *map, const struct stat *st)
{
#ifdef GUARD_OFF_SELF_REACH
	return map->n_uid > 0;
#endif
	return map->n_uid > 0 && map->n_gid > 0 &&
	       (st->st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
	       !self_has(map->uid, map->n_uid, st->st_uid) &&
	       !self_has(map->gid, map->n_gid, st->st_gid);
}

/* Where mounts may not be cloned (an ordinary user), a sealed copy in memory
 * does the same. */
static int self_copy(int fd, off_t size, int *out_copy, struct err *err)
{
	int copy = memfd_create("reconcile-engine",
				MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ssize_t n = 1;
	int r = 0;

	if (copy < 0)
		return err_sys(err, errno, "memfd_create");
	while (size > 0 && n > 0) {
		n = sendfile(copy, fd, NULL, (size_t)size);
		size -= n > 0 ? n : 0;
	}
	if (size > 0 || fcntl(copy, F_ADD_SEALS, SELF_SEALS) < 0)
		r = err_sys(err, errno, "copy our own executable");
	if (r < 0)
		(void)close(copy);
	else
		*out_copy = copy;
	return r;
}

/* What we may not write nor chmod, a container with no user namespace of its
 * own may not either. */
static bool self_is_beyond_us(const struct idmap *map, int fd,
			      const struct stat *st)
{
	return map->n_uid == 0 && st->st_uid != geteuid() &&
	       faccessat(fd, "", W_OK, AT_EACCESS | AT_EMPTY_PATH) < 0 &&
	       errno == EACCES;
}

static int self_cover_copy(const struct idmap *map, char *const *argv,
			   struct err *err)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int copy = -1, r = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		r = err_sys(err, errno, "open /proc/self/exe");
	else if (fcntl(fd, F_GET_SEALS) != SELF_SEALS &&
		 !self_is_beyond_us(map, fd, &st))
		r = self_copy(fd, st.st_size, &copy, err);
	if (copy >= 0) {
		(void)esys_fexec(copy, argv, environ);
		r = err_sys(err, errno, "execute ourselves");
		(void)close(copy);
	}
	if (fd >= 0)
		(void)close(fd);
	return r;
}

int self_cover(const struct idmap *map, char *const *argv, struct err *err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	struct statvfs vfs;
	struct stat st;
	int fd, r = 0;

#ifdef GUARD_OFF_SELF
	return 0;
#endif
	fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "open /proc/self/exe");
	/* covered already, or a read-only system; or out of reach */
	if ((fstatvfs(fd, &vfs) == 0 && (vfs.f_flag & ST_RDONLY) != 0) ||
	    (fstat(fd, &st) == 0 && self_is_out_of_reach(map, &st))) {
		(void)close(fd);
		return 0;
	}
	(void)close(fd);
	fd = esys_open_tree(AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE);
	if (fd < 0 && errno == EPERM)
		return self_cover_copy(map, argv, err);
	if (fd < 0)
		return err_sys(err, errno, "clone our own executable");
	if (esys_mount_setattr(fd, 0, &attr) < 0)
		r = err_sys(err, errno, "make our own executable read-only");
	if (r == 0) {
		(void)esys_fexec(fd, argv, environ);
		r = err_sys(err, errno, "execute ourselves");
	}
	(void)close(fd);
	return r;
}
