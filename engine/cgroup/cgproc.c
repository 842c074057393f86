/* cgproc.c - see cgroup.h: the processes in a group. */
#include "engine/cgroup/cgfile.h"
#include "engine/cgroup/cgroup.h"
#include "lib/num.h"
#include "lib/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CGPROC_WAIT_MS 5
#define CGPROC_SHORT_ROUNDS 5 /* 0.2 ms, twice as long each time */
#define CGPROC_SHORT_NS 200000L
#define CGPROC_KILL_ROUNDS 2000
#define CGPROC_FREEZE_ROUNDS 400
#define CGPROC_PIDS_MAX 65536
#define CGPROC_DEPTH_MAX 64

struct cgproc_list {
	int error; /* errno of a group that could not be read */
	pid_t *v;
	size_t n, max;
};

/* The first rounds are short: most end at once. */
static void cgproc_pause(int round)
{
	struct timespec t = {.tv_nsec = CGPROC_WAIT_MS * 1000000L};

	if (round < CGPROC_SHORT_ROUNDS)
		t.tv_nsec = CGPROC_SHORT_NS << round;
	(void)nanosleep(&t, NULL);
}

int cgproc_enter(const struct cgroup *c, struct err *err)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (c->h[i].dir < 0 || c->h[i].v2)
			continue;
		if (cgfile_write(c->h[i].dir, "tasks", "0", err) < 0)
			return err_wrap(err, "%s", c->h[i].name);
	}
	return 0;
}

int cgproc_attach(const struct cgroup *c, pid_t pid, int skip_dir,
		  struct err *err)
{
	int dir = cgroup_v2_dir(c);
	char text[24];

	if (dir < 0 || dir == skip_dir)
		return 0;
	(void)snprintf(text, sizeof(text), "%d", pid);
	return cgfile_write(dir, "cgroup.procs", text, err);
}

int cgproc_attach_all(const struct cgroup *c, pid_t pid, struct err *err)
{
	char text[24];
	size_t i;

	(void)snprintf(text, sizeof(text), "%d", pid);
	for (i = 0; i < c->n; i++)
		if (c->h[i].dir >= 0 &&
		    cgfile_write(c->h[i].dir, "cgroup.procs", text, err) < 0)
			return err_wrap(err, "%s", c->h[i].name);
	return 0;
}

/* init's own group in the v2 hierarchy, which has to be below the
 * container's; owned. */
static int cgproc_of_init(const struct cgroup *c,
			  const struct cgroup_hierarchy *h, pid_t init)
{
	char name[64], text[4096];
	size_t len = strlen(c->path);
	char *at = text;

	(void)snprintf(name, sizeof(name), "/proc/%d/cgroup", init);
	if (cgfile_get(AT_FDCWD, name, text, sizeof(text)) <= 0)
		return -1;
	while (strncmp(at, "0::/", 4) != 0) {
		at = strchr(at, '\n');
		if (at == NULL)
			return -1;
		at++;
	}
	at += 4;
	at[strcspn(at, "\n")] = '\0';
	if (strncmp(at, c->path, len) != 0 || at[len] != '/')
		return -1;
	return cgroup_dir(h->dir, at + len + 1);
}

int cgproc_join(const struct cgroup *c, pid_t pid, pid_t init, struct err *err)
{
	char text[24];
	size_t i;
	int dir, r = cgproc_attach(c, pid, -1, err);

	for (i = 0; i < c->n && r < 0; i++) {
		dir = c->h[i].v2 ? cgproc_of_init(c, &c->h[i], init) : -1;
		if (dir < 0)
			continue;
		(void)snprintf(text, sizeof(text), "%d", pid);
		r = cgfile_write(dir, "cgroup.procs", text, err);
		(void)close(dir);
		break;
	}
	return r;
}

static const struct cgroup_hierarchy *cgproc_freezer(const struct cgroup *c,
						     bool *out_v2)
{
	const struct cgroup_hierarchy *v1 = NULL;
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (c->h[i].dir < 0)
			continue;
		if (c->h[i].v2 &&
		    faccessat(c->h[i].dir, "cgroup.freeze", F_OK, 0) == 0) {
			*out_v2 = true;
			return &c->h[i];
		}
		if (!c->h[i].v2 && strstr(c->h[i].name, "freezer") != NULL)
			v1 = &c->h[i];
	}
	*out_v2 = false;
	return v1;
}

static bool cgproc_state_is(const struct cgroup_hierarchy *h, bool v2,
			    bool frozen)
{
	if (v2)
		return cgfile_has(h->dir, "cgroup.events",
				  frozen ? "frozen 1" : "frozen 0");
	return cgfile_has(h->dir, "freezer.state",
			  frozen ? "FROZEN" : "THAWED");
}

bool cgproc_is_frozen(const struct cgroup *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		const struct cgroup_hierarchy *h = &c->h[i];

		if (h->dir < 0)
			continue;
		if (h->v2 ? cgfile_has(h->dir, "cgroup.freeze", "1")
			  : strstr(h->name, "freezer") != NULL &&
				    cgproc_state_is(h, false, true))
			return true;
	}
	return false;
}

/* By whatever means somebody froze it; only for what is to die. */
static void cgproc_thaw(const struct cgroup *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (c->h[i].dir < 0)
			continue;
		if (c->h[i].v2)
			(void)cgfile_put(c->h[i].dir, "cgroup.freeze", "0");
		else if (strstr(c->h[i].name, "freezer") != NULL)
			(void)cgfile_put(c->h[i].dir, "freezer.state",
					 "THAWED");
	}
}

int cgproc_peek_frozen(const char *root, const char *path)
{
	static const struct {
		const char *above, *file, *frozen;
	} places[] = {
		{"unified/", "cgroup.freeze", "1"},
		{"freezer/", "freezer.state", "FROZEN"},
		{"", "cgroup.freeze", "1"},
	};
	int top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), dir;
	char name[CGROUP_PATH_BYTES + 16];
	int result = -1;
	size_t i;

	for (i = 0; i < 3 && top >= 0 && result <= 0; i++) {
		if (i == 2 && result == 0)
			break; /* v1 or hybrid: its root has no such group */
		(void)snprintf(name, sizeof(name), "%s%s", places[i].above,
			       path);
		dir = sys_open_beneath(top, name, O_PATH | O_DIRECTORY, 0);
		if (dir < 0)
			continue;
		result = cgfile_has(dir, places[i].file, places[i].frozen);
		(void)close(dir);
	}
	if (top >= 0)
		(void)close(top);
	return result;
}

int cgproc_freeze(const struct cgroup *c, bool frozen, struct err *err)
{
	bool v2 = false;
	const struct cgroup_hierarchy *h = cgproc_freezer(c, &v2);
	const char *file = v2 ? "cgroup.freeze" : "freezer.state";
	const char *value = frozen ? "FROZEN" : "THAWED";
	int i;

	if (h == NULL)
		return err_set(err, ERR_NOTFOUND,
			       "cgroup: nothing here can freeze");
	if (v2)
		value = frozen ? "1" : "0";
	for (i = 0; i < CGPROC_FREEZE_ROUNDS; i++) {
		int r = cgfile_write(h->dir, file, value, err);

		if (r < 0)
			return r;
		if (cgproc_state_is(h, v2, frozen))
			return 0;
		cgproc_pause(i);
	}
	if (frozen)
		(void)cgfile_put(h->dir, file, v2 ? "0" : "THAWED");
	return err_set(err, ERR_AGAIN, "cgroup: not %s after %d ms",
		       frozen ? "frozen" : "thawed",
		       CGPROC_FREEZE_ROUNDS * CGPROC_WAIT_MS);
}

/* A group that is just removed has no processes; nor has, for us, one with
 * threads in it alone. */
static void cgproc_failed(struct cgproc_list *list, int sys_errno)
{
	if (sys_errno != ENOENT && sys_errno != ENODEV &&
	    sys_errno != EOPNOTSUPP)
		list->error = sys_errno;
}

static void cgproc_read(int dir, struct cgproc_list *list)
{
	char text[16384];
	uint64_t pid;
	char *at = text, *end;

	if (cgfile_get(dir, "cgroup.procs", text, sizeof(text)) < 0)
		cgproc_failed(list, errno);
	while ((end = strchr(at, '\n')) != NULL) {
		if (num_parse_u64(at, (size_t)(end - at), INT32_MAX, &pid) &&
		    pid > 0 && list->n < list->max)
			list->v[list->n++] = (pid_t)pid;
		at = end + 1;
	}
}

static void cgproc_walk(int dir, struct cgproc_list *list, int depth)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;

	if (d == NULL) {
		cgproc_failed(list, errno);
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	cgproc_read(dir, list);
	while (depth < CGPROC_DEPTH_MAX &&
	       (errno = 0, e = readdir(d)) != NULL) {
		int sub;

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		sub = openat(dir, e->d_name,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub < 0) {
			cgproc_failed(list, errno);
			continue;
		}
		cgproc_walk(sub, list, depth + 1);
		(void)close(sub);
	}
	if (e == NULL && errno != 0)
		cgproc_failed(list, errno);
	(void)closedir(d);
}

bool cgproc_any(int dir)
{
	pid_t one[1];
	struct cgproc_list list = {.v = one, .max = 1};

	cgproc_walk(dir, &list, 0);
	return list.n > 0 || list.error != 0;
}

/* The hierarchy that nobody moves processes out of by accident: v2, else the
 * one for devices or pids, else the first. */
static const struct cgroup_hierarchy *cgproc_main(const struct cgroup *c)
{
	const struct cgroup_hierarchy *h = NULL;
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (c->h[i].dir < 0)
			continue;
		if (c->h[i].v2)
			return &c->h[i];
		if (h == NULL || strstr(c->h[i].name, "devices") != NULL ||
		    strstr(c->h[i].name, "pids") != NULL)
			h = &c->h[i];
	}
	return h;
}

int cgproc_pids(const struct cgroup *c, pid_t *out, size_t max, size_t *out_n,
		struct err *err)
{
	const struct cgroup_hierarchy *h = cgproc_main(c);
	struct cgproc_list list = {.v = out, .max = max};

	if (h == NULL)
		return err_set(err, ERR_NOTFOUND, "cgroup: %s is not there",
			       c->path);
	cgproc_walk(h->dir, &list, 0);
	if (list.error != 0)
		return err_sys(err, list.error, "cgroup: processes of %s",
			       c->path);
	*out_n = list.n;
	return 0;
}

/* E69: the pid is looked up again after its pidfd is held; only a process
 * that is still in the group is signalled. */
static void cgproc_signal_one(const struct cgroup_hierarchy *h, pid_t pid,
			      int sig, struct cgproc_list *all)
{
	int pidfd = sys_pidfd_open(pid);
	pid_t again[1024];
	struct cgproc_list list = {.v = again, .max = 1024};
	size_t i;

	if (pidfd < 0)
		return;
	cgproc_walk(h->dir, &list, 0);
	if (list.error != 0)
		all->error = list.error;
	for (i = 0; i < list.n; i++)
		if (again[i] == pid)
			(void)sys_pidfd_signal(pidfd, sig);
	(void)close(pidfd);
}

int cgproc_signal(const struct cgroup *c, int sig, struct err *err)
{
	const struct cgroup_hierarchy *h = cgproc_main(c);
	pid_t pids[1024];
	struct cgproc_list list = {.v = pids, .max = 1024};
	size_t i;

	if (h == NULL)
		return err_set(err, ERR_NOTFOUND, "cgroup: %s is not there",
			       c->path);
	cgproc_walk(h->dir, &list, 0);
	for (i = 0; i < list.n; i++)
		cgproc_signal_one(h, pids[i], sig, &list);
	if (list.error != 0)
		return err_sys(err, list.error, "cgroup: processes of %s",
			       c->path);
	return 0;
}

/* Empty, with all that is below. */
static bool cgproc_empty(const struct cgroup_hierarchy *h)
{
	if (h->v2 && cgfile_has(h->dir, "cgroup.events", "populated 0"))
		return true;
	return !cgproc_any(h->dir);
}

int cgproc_kill(const struct cgroup *c, struct err *err)
{
	const struct cgroup_hierarchy *h = cgproc_main(c);
	int i;

	for (i = 0; h != NULL && i < CGPROC_KILL_ROUNDS; i++) {
		if (cgproc_empty(h))
			return 0;
		if (!h->v2 || cgfile_put(h->dir, "cgroup.kill", "1") < 0) {
			/* A frozen group cannot fork away from the signals. */
			(void)cgproc_freeze(c, true, NULL);
			(void)cgproc_signal(c, SIGKILL, NULL);
		}
		/* v1 keeps even a killed process in the freezer. */
		cgproc_thaw(c);
		cgproc_pause(i);
	}
	if (h == NULL)
		return 0;
	return err_set(err, ERR_AGAIN,
		       "cgroup: processes in %s survive SIGKILL for %d s",
		       c->path, CGPROC_KILL_ROUNDS * CGPROC_WAIT_MS / 1000);
}
