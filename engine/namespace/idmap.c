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
#define IDMAP_WORD_BYTES 12

static int idmap_put(pid_t pid, const char *file, const char *text, size_t len,
		     struct err *err)
{
	char path[64];
	ssize_t done;
	int fd, r = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "open %s", path);
	done = write(fd, text, len);
	if (done != (ssize_t)len)
		r = err_sys(err, errno, "write %s", path);
	(void)close(fd);
	return r;
}

/* The two programs that may give a user the ranges of /etc/subuid and
 * /etc/subgid.  They are set-user-id and look for themselves who asks. */
static const struct idmap_file {
	const char *name, *program;
} idmap_files[] = {
	{"uid_map", "/usr/bin/newuidmap"},
	{"gid_map", "/usr/bin/newgidmap"},
};

static int idmap_exec(const struct idmap_file *f, char **argv, struct err *err)
{
	char *none[] = {NULL};
	int pidfd = -1, status = 0;
	struct clone_args args = {.flags = CLONE_PIDFD,
				  .exit_signal = SIGCHLD,
				  .pidfd = (uint64_t)(uintptr_t)&pidfd};
	pid_t pid = esys_clone3(&args);

	if (pid < 0)
		return err_sys(err, errno, "clone3");
	if (pid == 0) {
		if (sys_close_range(3, ~0u, 0) >= 0)
			(void)esys_execve(f->program, argv, none);
		_exit(127);
	}
	if (esys_waitid_pidfd(pidfd, &status, 0) < 0)
		status = -1;
	(void)close(pidfd);
	if (status == 127)
		return err_set(err, ERR_NOTFOUND,
			       "rootless: more than one id wants %s",
			       f->program);
	if (status != 0)
		return err_set(err, ERR_DENIED,
			       "rootless: %s: exit status %d (want the ids "
			       "in /etc/subuid and /etc/subgid)",
			       f->program, status);
	return 0;
}

static int idmap_by_program(pid_t pid, const struct idmap_file *f,
			    const struct spec_idmap *v, size_t n,
			    struct err *err)
{
	char words[3 * IDMAP_LINES_MAX + 1][IDMAP_WORD_BYTES];
	char *argv[3 * IDMAP_LINES_MAX + 3];
	char name[32];
	size_t i, k = 0;

	(void)snprintf(name, sizeof(name), "%s", f->program);
	(void)snprintf(words[k++], IDMAP_WORD_BYTES, "%d", pid);
	for (i = 0; i < n; i++) {
		(void)snprintf(words[k++], IDMAP_WORD_BYTES, "%u",
			       v[i].container_id);
		(void)snprintf(words[k++], IDMAP_WORD_BYTES, "%u",
			       v[i].host_id);
		(void)snprintf(words[k++], IDMAP_WORD_BYTES, "%u", v[i].size);
	}
	argv[0] = name;
	for (i = 0; i < k; i++)
		argv[1 + i] = words[i];
	argv[1 + k] = NULL;
	return idmap_exec(f, argv, err);
}

/* A user may map his own id alone, and his group only after the namespace has
 * given up setgroups(2). */
static bool idmap_is_own(const struct spec_idmap *v, size_t n, uint32_t id)
{
	return n == 1 && v[0].size == 1 && v[0].host_id == id;
}

static int idmap_write_one(pid_t pid, const struct idmap_file *f,
			   const struct spec_idmap *v, size_t n,
			   struct err *err)
{
	const bool group = f == &idmap_files[1];
	char text[IDMAP_MAX_BYTES];
	struct err first = {0};
	size_t len = 0, i;
	int r;

	if (n == 0 || n > IDMAP_LINES_MAX)
		return err_set(err, ERR_INPUT,
			       "%s: want 1 to %d mappings, have %zu", f->name,
			       IDMAP_LINES_MAX, n);
	for (i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"%u %u %u\n", v[i].container_id,
					v[i].host_id, v[i].size);
	r = idmap_put(pid, f->name, text, len, &first);
	if (r < 0 && first.sys_errno == EPERM) {
		if (!idmap_is_own(v, n, group ? getegid() : geteuid()))
			return idmap_by_program(pid, f, v, n, err);
		if (group &&
		    idmap_put(pid, "setgroups", "deny", 4, &first) == 0)
			r = idmap_put(pid, f->name, text, len, &first);
	}
	if (r < 0 && err != NULL)
		*err = first;
	return r;
}

int idmap_write(pid_t pid, const struct idmap *map, struct err *err)
{
	int r = idmap_write_one(pid, &idmap_files[0], map->uid, map->n_uid,
				err);

	if (r == 0)
		r = idmap_write_one(pid, &idmap_files[1], map->gid, map->n_gid,
				    err);
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
