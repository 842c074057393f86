/* manager.c - see manager.h. */
#include "engine/cgroup/manager.h"

#include "engine/cgroup/cgfile.h"
#include "engine/systemd/systemd.h"
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANAGER_WAIT_MS (2 * SYSTEMD_JOB_MS)
#define MANAGER_LEAVE_MS 5000

/* The first line of our id map: ids of the host are our own. */
static bool manager_is_host(void)
{
	char text[64];
	unsigned int inside = 1, outside = 1, size = 0;

	if (cgfile_get(AT_FDCWD, "/proc/self/uid_map", text, sizeof(text)) <= 0)
		return true;
	inside = (unsigned int)strtoul(text, NULL, 10);
	outside = (unsigned int)strtoul(text + 10, NULL, 10);
	size = (unsigned int)strtoul(text + 21, NULL, 10);
	return inside == 0 && outside == 0 && size == UINT32_MAX;
}

int manager_init(struct manager *m, const char *self, struct err *err)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	struct stat st;

	*m = (struct manager){.self = self, .sock = -1};
	if (lstat("/run/systemd/system", &st) < 0 || !S_ISDIR(st.st_mode))
		return err_set(err, ERR_NOTFOUND,
			       "--systemd-cgroup: no systemd runs here; use "
			       "--cgroup-manager cgroupfs");
	m->user = geteuid() != 0 || !manager_is_host();
	if (m->user &&
	    (dir == NULL || dir[0] != '/' || strlen(dir) >= sizeof(m->runtime)))
		return err_set(err, ERR_INPUT,
			       "--systemd-cgroup: want XDG_RUNTIME_DIR, to "
			       "find the systemd of this user");
	if (m->user)
		(void)snprintf(m->runtime, sizeof(m->runtime), "%s", dir);
	return 0;
}

/* Our own folder has it; as a read-only copy of ourselves we know that from
 * our name alone. */
static const char *manager_folder(const struct manager *m, char *out,
				  size_t len)
{
	char probe[PATH_MAX + sizeof(SYSTEMD_PROGRAM)];
	ssize_t n = readlink("/proc/self/exe", out, len - 1);
	char *slash;
	int i;

	out[n > 0 ? n : 0] = '\0';
	for (i = 0; i < 2; i++) {
		if (i == 1)
			(void)snprintf(out, len, "%s",
				       m->self != NULL ? m->self : "");
		slash = strrchr(out, '/');
		if (out[0] != '/' || slash == NULL)
			continue;
		*slash = '\0';
		(void)snprintf(probe, sizeof(probe), "%s/" SYSTEMD_PROGRAM,
			       out);
		if (access(probe, X_OK) == 0)
			return out;
	}
	return RECONCILE_LIBEXEC;
}

static int manager_reply(int sock, struct systemd_reply *out, struct err *err)
{
	struct pollfd p = {.fd = sock, .events = POLLIN};
	size_t used = 0;
	ssize_t n;

	while (used < sizeof(*out)) {
		if (poll(&p, 1, MANAGER_WAIT_MS) <= 0)
			return err_set(err, ERR_AGAIN,
				       SYSTEMD_PROGRAM ": no answer");
		n = read(sock, (char *)out + used, sizeof(*out) - used);
		if (n <= 0)
			return err_set(err, ERR_PROTO,
				       SYSTEMD_PROGRAM ": ended early");
		used += (size_t)n;
	}
	out->err.msg[sizeof(out->err.msg) - 1] = '\0';
	out->cgroup[sizeof(out->cgroup) - 1] = '\0';
	return out->err.code < 0
		       ? err_set(err, out->err.code, "%s", out->err.msg)
		       : 0;
}

/* One request; *keeper and *out_sock owned on success. */
static int manager_ask(const struct manager *m, const char *const *args,
		       const char *properties, struct proc *keeper,
		       int *out_sock, struct systemd_reply *reply,
		       struct err *err)
{
	char folder[PATH_MAX];
	int r = proc_sibling(manager_folder(m, folder, sizeof(folder)),
			     SYSTEMD_PROGRAM, args, keeper, out_sock, err);

	if (r < 0)
		return r;
	r = file_write_fd(*out_sock, properties, strlen(properties) + 1, err);
	if (r == 0)
		r = manager_reply(*out_sock, reply, err);
	if (r < 0) {
		(void)close(*out_sock);
		proc_kill(keeper);
	}
	return r;
}

/* The same where nothing is to be held. */
static int manager_do(const struct manager *m, const char *const *args,
		      const char *properties, struct systemd_reply *reply,
		      struct err *err)
{
	struct proc keeper = {.pidfd = -1};
	int sock = -1, status;
	int r = manager_ask(m, args, properties, &keeper, &sock, reply, err);

	if (r < 0)
		return r;
	(void)close(sock);
	if (proc_wait(&keeper, MANAGER_LEAVE_MS, &status, NULL) < 0)
		proc_kill(&keeper);
	return 0;
}

int manager_scope(const struct manager *m, const char *cgroups_path,
		  const char *id, struct scope *out, struct err *err)
{
	const char *args[] = {"where", m->runtime, NULL};
	struct systemd_reply reply;
	char path[CGROUP_PATH_BYTES];
	int r = scope_init(cgroups_path, id,
			   m->user ? "user.slice" : "system.slice", out, err);

	if (r < 0 || !m->user)
		return r;
	r = manager_do(m, args, "", &reply, err);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s", out->path);
	if (snprintf(out->path, sizeof(out->path), "%s/%s", reply.cgroup,
		     path) >= (int)sizeof(out->path))
		return err_set(err, ERR_LIMIT, "systemd: group too long");
	return 0;
}

int manager_start(struct manager *m, const struct scope *scope, const char *id,
		  const struct cgroup *c, const struct spec_resources *res,
		  struct err *err)
{
	char text[SCOPE_NAME_BYTES];
	const char *args[] = {"start", scope->unit, scope->slice,
			      text,    NULL,	    NULL};
	struct systemd_reply reply;
	struct buf b;
	int r;

	(void)snprintf(text, sizeof(text), "reconcile container %s", id);
	args[4] = m->user ? m->runtime : NULL;
	buf_init(&b, SYSTEMD_REQUEST_BYTES - 1);
	buf_printf(&b, "OOMPolicy continue\n");
	r = scope_properties(res, c->v2_only, !m->user, &b, err);
	if (r == 0)
		r = manager_ask(m, args, b.data, &m->keeper, &m->sock, &reply,
				err);
	buf_release(&b);
	if (r == 0 &&
	    strcmp(reply.cgroup + (reply.cgroup[0] == '/'), c->path) != 0)
		r = err_set(err, ERR_SYS,
			    "systemd: the group of %s is %s, want /%s",
			    scope->unit, reply.cgroup, c->path);
	return r;
}

void manager_leave(struct manager *m)
{
	int status;

	if (m->keeper.pid <= 0)
		return;
	(void)close(m->sock);
	if (proc_wait(&m->keeper, MANAGER_LEAVE_MS, &status, NULL) < 0)
		proc_kill(&m->keeper);
}

int manager_update(const struct manager *m, const char *unit,
		   const struct cgroup *c, const struct spec_resources *res,
		   struct err *err)
{
	const char *args[] = {"set", unit, m->user ? m->runtime : NULL, NULL};
	struct systemd_reply reply;
	struct buf b;
	int r;

	buf_init(&b, SYSTEMD_REQUEST_BYTES - 1);
	r = scope_properties(res, c->v2_only, res->n_devices > 0, &b, err);
	if (r == 0 && b.len > 0)
		r = manager_do(m, args, b.data, &reply, err);
	buf_release(&b);
	return r;
}

int manager_stop(const struct manager *m, const char *unit, struct err *err)
{
	const char *args[] = {"stop", unit, m->user ? m->runtime : NULL, NULL};
	struct systemd_reply reply;

	return manager_do(m, args, "", &reply, err);
}
