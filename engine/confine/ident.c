/* ident.c - see ident.h.  Runs in the container, after pivot_root. */
#include "engine/confine/ident.h"

#include "engine/sys/esys.h"
#include "lib/sys.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IDENT_GROUPS_MAX 65536

static const struct {
	const char *name;
	int which;
} ident_rlimits[] = {
	{"RLIMIT_AS", RLIMIT_AS},
	{"RLIMIT_CORE", RLIMIT_CORE},
	{"RLIMIT_CPU", RLIMIT_CPU},
	{"RLIMIT_DATA", RLIMIT_DATA},
	{"RLIMIT_FSIZE", RLIMIT_FSIZE},
	{"RLIMIT_LOCKS", RLIMIT_LOCKS},
	{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
	{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
	{"RLIMIT_NICE", RLIMIT_NICE},
	{"RLIMIT_NOFILE", RLIMIT_NOFILE},
	{"RLIMIT_NPROC", RLIMIT_NPROC},
	{"RLIMIT_RSS", RLIMIT_RSS},
	{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
	{"RLIMIT_RTTIME", RLIMIT_RTTIME},
	{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
	{"RLIMIT_STACK", RLIMIT_STACK},
};

int ident_rlimit(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(ident_rlimits) / sizeof(ident_rlimits[0]); i++)
		if (strcmp(name, ident_rlimits[i].name) == 0)
			return ident_rlimits[i].which;
	return -1;
}

int ident_set_rlimits(const struct spec_process *p, struct err *err)
{
	char safe[64];
	size_t i;

	for (i = 0; i < p->n_rlimits; i++) {
		const struct spec_rlimit *l = &p->rlimits[i];
		struct rlimit lim = {.rlim_cur = l->soft.v,
				     .rlim_max = l->hard.v};
		int which = ident_rlimit(l->type);

		(void)text_safe(safe, sizeof(safe), l->type, strlen(l->type));
		if (which < 0)
			return err_set(err, ERR_INPUT,
				       "process.rlimits: unknown %s", safe);
		if (esys_prlimit(0, which, &lim, NULL) < 0)
			return err_sys(err, errno, "set %s", safe);
	}
	return 0;
}

int ident_set_user(const struct spec_user *u, bool keep_caps, struct err *err)
{
	if (keep_caps && sys_prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_sys(err, errno, "keep capabilities");
	if (u->groups.n > IDENT_GROUPS_MAX)
		return err_set(err, ERR_LIMIT, "process.user: groups");
#ifndef GUARD_OFF_GROUPS
	/* In a user namespace that forbids it there are none to be dropped
	 * either, unless some were asked for. */
	if (setgroups(u->groups.n, u->groups.v) < 0 &&
	    (errno != EPERM || u->groups.n > 0))
		return err_sys(err, errno, "setgroups");
#endif
	if (setresgid(u->gid, u->gid, u->gid) < 0)
		return err_sys(err, errno, "setgid %u", u->gid);
	if (setresuid(u->uid, u->uid, u->uid) < 0)
		return err_sys(err, errno, "setuid %u", u->uid);
	if (u->umask.set)
		(void)umask((mode_t)(u->umask.v & 0777));
	else
		(void)umask(0022);
	return 0;
}

int ident_set_cwd(const char *cwd, struct err *err)
{
	char now[4096], safe[160];
	int fd, r;
	long n;

	(void)text_safe(safe, sizeof(safe), cwd, strlen(cwd));
#ifndef GUARD_OFF_CWD
	fd = sys_open_in_root(AT_FDCWD, cwd, O_PATH | O_DIRECTORY, 0);
#else
	fd = open(cwd, O_PATH | O_DIRECTORY | O_CLOEXEC);
#endif
	if (fd < 0 && errno == ELOOP)
		return err_set(err, ERR_DENIED,
			       "process.cwd: %s: a working directory must not "
			       "be reached through /proc or in circles",
			       safe);
	if (fd < 0)
		return err_sys(err, errno, "process.cwd: %s", safe);
	r = fchdir(fd);
	(void)close(fd);
	if (r < 0)
		return err_sys(err, errno, "process.cwd: %s", safe);
	n = syscall(SYS_getcwd, now, sizeof(now));
	if (n < 0)
		return err_sys(err, errno, "process.cwd: getcwd");
#ifndef GUARD_OFF_CWD
	if (now[0] != '/')
		return err_set(err, ERR_DENIED,
			       "process.cwd: %s is outside the container",
			       safe);
#endif
	return 0;
}

static const char *ident_get(const struct spec_process *p, const char *name)
{
	size_t len = strlen(name), i;

	for (i = p->env.n; i-- > 0;)
		if (strncmp(p->env.v[i], name, len) == 0 &&
		    p->env.v[i][len] == '=')
			return p->env.v[i] + len + 1;
	return NULL;
}

static int ident_try(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno;
	if (!S_ISREG(st.st_mode))
		return EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

int ident_fail(int why, const char *program, struct err *err)
{
	static const struct {
		int why, code;
		const char *text;
	} rows[] = {
		{ENOENT, ERR_NOTFOUND, "no such file or directory"},
		{EACCES, ERR_DENIED, "permission denied"},
		{ENOEXEC, ERR_INPUT, "exec format error"},
		{ENOTDIR, ERR_INPUT, "not a directory"},
	};
	char safe[160];
	size_t i;

	(void)text_safe(safe, sizeof(safe), program, strlen(program));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].why == why)
			return err_set(err, rows[i].code, "exec: %s: %s", safe,
				       rows[i].text);
	return err_sys(err, why, "exec: %s", safe);
}

/* create looks for the program before it has entered the working directory. */
static const char *ident_at(const struct spec_process *p, struct arena *arena,
			    const char *path)
{
	return path[0] == '/' ? path
			      : arena_printf(arena, "%s/%s", p->cwd, path);
}

int ident_find(const struct spec_process *p, struct arena *arena,
	       const char **out, struct err *err)
{
	const char *name = p->args.v[0];
	const char *path = ident_get(p, "PATH");
	int last = ENOENT, now;
	char safe[160];

	if (strchr(name, '/') != NULL) {
		*out = name;
		last = ident_try(ident_at(p, arena, name));
		if (last == 0)
			return 0;
		return ident_fail(last, name, err);
	}
	if (path == NULL)
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
		       "/sbin:/bin";
	while (name[0] != '\0' && *path != '\0') {
		size_t len = strcspn(path, ":");
		const char *full =
			arena_printf(arena, "%.*s/%s", (int)len, path, name);

		now = len > 0 ? ident_try(ident_at(p, arena, full)) : ENOENT;
		if (now == 0) {
			*out = full;
			return 0;
		}
		if (now == EACCES)
			last = EACCES;
		path += len;
		if (*path == ':')
			path++;
	}
	if (last == ENOENT)
		return err_set(
			err, ERR_NOTFOUND,
			"exec: %s: executable file not found in $PATH",
			text_safe(safe, sizeof(safe), name, strlen(name)));
	return ident_fail(last, name, err);
}
