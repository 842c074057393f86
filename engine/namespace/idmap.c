/* idmap.c - see idmap.h. */
#include "engine/namespace/idmap.h"

#include "engine/sys/esys.h"
#include "lib/file.h"
#include "lib/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define IDMAP_MAX_BYTES (IDMAP_LINES_MAX * 36)

static int idmap_write_one(pid_t pid, const char *file,
			   const struct spec_idmap *v, size_t n,
			   struct err *err)
{
	char path[64], text[IDMAP_MAX_BYTES];
	size_t len = 0, i;
	ssize_t done;
	int fd;

	if (n == 0 || n > IDMAP_LINES_MAX)
		return err_set(err, ERR_INPUT,
			       "%s: want 1 to %d mappings, have %zu", file,
			       IDMAP_LINES_MAX, n);
	for (i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"%u %u %u\n", v[i].container_id,
					v[i].host_id, v[i].size);
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "open %s", path);
	done = write(fd, text, len);
	if (done != (ssize_t)len) {
		int saved = errno;

		(void)close(fd);
		return err_sys(err, saved, "write %s", path);
	}
	(void)close(fd);
	return 0;
}

int idmap_write(pid_t pid, const struct idmap *map, struct err *err)
{
	int r = idmap_write_one(pid, "uid_map", map->uid, map->n_uid, err);

	if (r == 0)
		r = idmap_write_one(pid, "gid_map", map->gid, map->n_gid, err);
	return r;
}

/* A child that only waits to be killed; joined >= 0: in that user namespace,
 * else in a new one.  Its pidfd is enough to find, kill and reap it; should
 * the engine die first, the end of hold ends the child too. */
static pid_t idmap_child(int joined, int *out_pidfd, int *out_hold)
{
	int ready[2], hold[2];
	struct clone_args args = {
		.flags = CLONE_PIDFD |
			 (joined < 0 ? (uint64_t)CLONE_NEWUSER : 0),
		.pidfd = (uint64_t)(uintptr_t)out_pidfd,
		.exit_signal = SIGCHLD,
	};
	char byte = 0;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return -1;
	if (pipe2(hold, O_CLOEXEC) < 0) {
		(void)close(ready[0]);
		(void)close(ready[1]);
		return -1;
	}
	pid = esys_clone3(&args);
	if (pid == 0) {
		(void)close(ready[0]);
		(void)close(hold[1]);
		if (joined >= 0 && sys_setns(joined, CLONE_NEWUSER) < 0)
			_exit(1);
		if (write(ready[1], &byte, 1) != 1)
			_exit(1);
		(void)close(ready[1]);
		(void)!read(hold[0], &byte, 1);
		_exit(0);
	}
	(void)close(ready[1]);
	(void)close(hold[0]);
	*out_hold = hold[1];
	if (pid > 0 && read(ready[0], &byte, 1) != 1)
		errno = EPERM; /* the map file will say the same */
	(void)close(ready[0]);
	return pid;
}

static void idmap_end(int pidfd, int hold)
{
	int status;

	(void)close(hold);
	if (pidfd < 0)
		return;

	(void)sys_pidfd_signal(pidfd, SIGKILL);
	(void)esys_waitid_pidfd(pidfd, &status, 0);
	(void)close(pidfd);
}

int idmap_namespace(const struct idmap *map, int *out_fd, struct err *err)
{
	char path[64];
	int pidfd = -1, hold = -1;
	pid_t pid = idmap_child(-1, &pidfd, &hold);
	int fd = -1, r;

	if (pid < 0) {
		r = err_sys(err, errno, "clone a user namespace");
		(void)close(hold);
		return r;
	}
	r = idmap_write(pid, map, err);
	if (r == 0) {
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			r = err_sys(err, errno, "open %s", path);
	}
	idmap_end(pidfd, hold);
	if (r == 0)
		*out_fd = fd;
	return r;
}

static int idmap_read_one(pid_t pid, const char *file, struct arena *arena,
			  const struct spec_idmap **out, size_t *out_n,
			  struct err *err)
{
	struct spec_idmap *v = arena_calloc(arena, IDMAP_LINES_MAX, sizeof(*v));
	char path[64];
	size_t n = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	f = fopen(path, "re");
	if (f == NULL)
		return err_sys(err, errno, "open %s", path);
	while (n < IDMAP_LINES_MAX && fscanf(f, "%u %u %u", &v[n].container_id,
					     &v[n].host_id, &v[n].size) == 3)
		n++;
	(void)fclose(f);
	*out = v;
	*out_n = n;
	return 0;
}

int idmap_read_pid(pid_t pid, struct arena *arena, struct idmap *out,
		   struct err *err)
{
	struct idmap map = {.uid = NULL};
	int r = idmap_read_one(pid, "uid_map", arena, &map.uid, &map.n_uid,
			       err);

	if (r == 0)
		r = idmap_read_one(pid, "gid_map", arena, &map.gid, &map.n_gid,
				   err);
	if (r == 0)
		*out = map;
	return r;
}

/* The process that path names, 0 if it names none. */
static pid_t idmap_owner(const char *path)
{
	char again[64];
	int pid = 0;

	if (path == NULL || sscanf(path, "/proc/%d/", &pid) != 1 || pid <= 0)
		return 0;
	(void)snprintf(again, sizeof(again), "/proc/%d/ns/user", pid);
	return strcmp(path, again) == 0 ? pid : 0;
}

/* A process cannot come back into a user namespace that it left for one of
 * its own: in it before and after means in it all the time. */
static bool idmap_is_in(int userns_fd, const char *path)
{
	struct stat a, b;

	return stat(path, &a) == 0 && fstat(userns_fd, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int idmap_read(int userns_fd, const char *path, struct arena *arena,
	       struct idmap *out, struct err *err)
{
	int pidfd = -1, hold = -1;
	pid_t pid = idmap_owner(path);
	int r;

	if (pid > 0 && idmap_read_pid(pid, arena, out, NULL) == 0 &&
	    idmap_is_in(userns_fd, path))
		return 0;
	pid = idmap_child(userns_fd, &pidfd, &hold);
	if (pid < 0) {
		r = err_sys(err, errno, "clone");
		(void)close(hold);
		return r;
	}
	r = idmap_read_pid(pid, arena, out, err);
	idmap_end(pidfd, hold);
	return r;
}

int64_t idmap_host(const struct spec_idmap *v, size_t n, uint32_t id)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (id >= v[i].container_id &&
		    id - v[i].container_id < v[i].size)
			return (int64_t)v[i].host_id + (id - v[i].container_id);
	return -1;
}
