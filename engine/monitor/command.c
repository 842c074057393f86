/*
 * command.c - see command.h.  Runs in reconcile-monitor.  Nothing hostile: the
 * names come from the agent of the same uid and were checked by main.c.
 */
#include "engine/monitor/command.h"
#include "engine/monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define SMALL_BYTES 512

/* Joins parts (NULL ends) into dst; -1 with ENAMETOOLONG. */
static int join(char *dst, size_t size, const char *const *parts)
{
	size_t at = 0;

	for (; *parts; parts++) {
		size_t n = strlen(*parts);

		if (n >= size - at) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(dst + at, *parts, n);
		at += n;
	}
	dst[at] = '\0';
	return 0;
}

/* posix_spawn(3) shares our memory until the engine is executed: no page
 * tables are copied for each start. */
static pid_t spawn(const char *const *argv, int out, int err)
{
	static const char *const envp[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
					   "LC_ALL=C", NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none;
	pid_t pid = -1;
	int r;

	(void)sigemptyset(&none);
	(void)posix_spawnattr_init(&attr);
	(void)posix_spawn_file_actions_init(&fa);
	r = posix_spawnattr_setsigmask(&attr, &none);
	if (r == 0)
		r = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(&fa, 0, "/dev/null",
						     O_RDWR, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&fa, out >= 0 ? out : 0,
						     1);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&fa, err >= 0 ? err : 0,
						     2);
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	if (r == 0)
		r = posix_spawn(&pid, argv[0], &fa, &attr,
				(char *const *)(uintptr_t)argv,
				(char *const *)(uintptr_t)envp);
	(void)posix_spawn_file_actions_destroy(&fa);
	(void)posix_spawnattr_destroy(&attr);
	errno = r;
	return r == 0 ? pid : -1;
}

pid_t command_start(const struct command_env *env, uint32_t op, uint32_t flags,
		    const char *name, int out, int err)
{
	char id[SMALL_BYTES], bundle[PATH_MAX], pid_file[PATH_MAX];
	char overlay[PATH_MAX], log[PATH_MAX];
	const char *const id_parts[] = {env->uid, ".", name, NULL};
	const char *const bundle_parts[] = {env->run_dir, "/c/", name, NULL};
	const char *const pid_parts[] = {bundle, "/pid", NULL};
	const char *const log_parts[] = {bundle, "/engine.log", NULL};
	const char *const over_parts[] = {bundle, "/overlay.json", NULL};
	const char *argv[16];
	size_t n = 0;

	if (join(id, sizeof(id), id_parts) < 0 ||
	    join(bundle, sizeof(bundle), bundle_parts) < 0 ||
	    join(pid_file, sizeof(pid_file), pid_parts) < 0 ||
	    join(log, sizeof(log), log_parts) < 0 ||
	    join(overlay, sizeof(overlay), over_parts) < 0)
		return -1;
	argv[n++] = env->engine;
	argv[n++] = "--root";
	argv[n++] = env->root;
	argv[n++] = "--log";
	argv[n++] = log;
	argv[n++] = op == MONITOR_RUN ? "run" : "delete";
	argv[n++] = op == MONITOR_RUN ? "--detach" : "--force";
	if (op == MONITOR_RUN) {
		argv[n++] = "--bundle";
		argv[n++] = bundle;
		argv[n++] = "--pid-file";
		argv[n++] = pid_file;
	}
	if (op == MONITOR_RUN && (flags & MONITOR_OVERLAY)) {
		argv[n++] = "--overlay";
		argv[n++] = overlay;
	}
	argv[n++] = id;
	argv[n] = NULL;
	return spawn(argv, out, err);
}

/* Opens c/NAME/file below the run folder. */
static int open_of(const struct command_env *env, const char *name,
		   const char *file, int flags)
{
	char path[SMALL_BYTES];
	const char *const parts[] = {"c/", name, "/", file, NULL};

	if (join(path, sizeof(path), parts) < 0)
		return -1;
	return openat(env->run_fd, path, flags | O_CLOEXEC);
}

static ssize_t read_small(int fd, char *buf, size_t size)
{
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (fd >= 0)
		(void)close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n;
}

static long number(const char *p)
{
	long v = 0;

	while (*p >= '0' && *p <= '9' && v < INT_MAX)
		v = v * 10 + (*p++ - '0');
	return v < INT_MAX ? v : 0;
}

pid_t command_pid(const struct command_env *env, const char *name)
{
	char text[32];

	(void)read_small(open_of(env, name, "pid", O_RDONLY | O_NOFOLLOW), text,
			 sizeof(text));
	return (pid_t)number(text);
}

void command_forget(const struct command_env *env, const char *name)
{
	char path[SMALL_BYTES];
	const char *const parts[] = {"c/", name, "/pid", NULL};

	if (join(path, sizeof(path), parts) == 0)
		(void)unlinkat(env->run_fd, path, 0);
}

int command_oom(const struct command_env *env, const char *name)
{
	char text[SMALL_BYTES];
	const char *p;

	(void)read_small(open_of(env, name, "memory-events", O_RDONLY), text,
			 sizeof(text));
	p = strstr(text, "oom_kill ");
	while (p && p != text && p[-1] != '\n')
		p = strstr(p + 1, "oom_kill ");
	return p && number(p + strlen("oom_kill ")) > 0;
}
