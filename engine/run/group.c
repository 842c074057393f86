/* group.c - see group.h.  Runs on the host. */
#include "engine/run/group.h"

#include "engine/rootfs/dev.h"
#include "engine/run/rootless.h"

#include <string.h>

static int group_path(struct run *r, const char **out, struct err *err)
{
	const char *path = r->spec.linux_.cgroups_path;
	int rc;

	if (r->opt.systemd) {
		rc = manager_init(&r->manager, r->opt.argv[0], err);
		if (rc == 0)
			rc = manager_scope(&r->manager, path, r->opt.id,
					   &r->scope, err);
		*out = r->scope.path;
		return rc;
	}
	/* Only an absolute one is below the roots of the hierarchies. */
	if (path == NULL || path[0] == '\0')
		path = r->opt.id;
	if (path[0] != '/')
		path = arena_printf(r->arena, CGROUP_DEFAULT "/%s", path);
	*out = path;
	return 0;
}

int group_look(struct run *r, struct err *err)
{
	const char *path = NULL;
	int rc = group_path(r, &path, err);

	if (rc < 0)
		return rc;
	rc = cgroup_init(&r->cgroup, CGROUP_ROOT, false, path, err);
	r->cgroup.marks = r->root_fd;
	if (r->opt.rootless && !r->opt.systemd) {
		rootless_cgroups(&r->cgroup);
		rc = rc == ERR_NOTFOUND ? 0 : rc;
	}
	if (rc == 0 && r->manager.user && !r->cgroup.v2_only)
		rc = err_set(err, ERR_INPUT,
			     "--systemd-cgroup: a user has no scopes in "
			     "cgroup v1");
	if (rc == 0)
		rc = cgroup_look(&r->cgroup, err);
	return rc;
}

/* What is asked for, with the rules of the devices that are made. */
static struct spec_resources group_resources(struct run *r)
{
	struct spec_resources res = dev_rules(&r->spec, r->arena);

	if (r->opt.systemd)
		scope_round(&res.cpu);
	return res;
}

int group_make(struct run *r, struct err *err)
{
	const struct spec_resources res = group_resources(r);
	int rc = 0;

	if (r->opt.systemd)
		rc = manager_start(&r->manager, &r->scope, r->opt.id,
				   &r->cgroup, &res, err);
	return rc < 0 ? rc : cgmake_create(&r->cgroup, err);
}

void group_undo(struct run *r)
{
	manager_leave(&r->manager);
	(void)cgproc_kill(&r->cgroup, NULL);
	if (r->opt.systemd)
		(void)manager_stop(&r->manager, r->scope.unit, NULL);
	(void)cgmake_remove(&r->cgroup, NULL);
}

int group_limits(struct run *r, struct err *err)
{
	const struct spec_resources res = group_resources(r);
	const bool rootless = r->opt.rootless;
	int rc;

	if (rootless && !rootless_wants_limits(&res))
		return 0;
	if (rootless && r->cgroup.n == 0)
		return err_set(err, ERR_INPUT,
			       "rootless: linux.resources: no control group is "
			       "ours to write; leave limits out");
	if (res.memory.kernel.set || res.memory.kernel_tcp.set)
		warn_say(&r->opt.warn,
			 "resources: memory: kernel and kernelTCP are not "
			 "applied: the kernel has no such limits any more");
	rc = cglimit_write(&r->cgroup, &res, err);
	if (rc == 0 && !rootless)
		rc = cglimit_devices(&r->cgroup, &res, false, err);
	return rc;
}

/* A scope may not be empty before the first process is in all of it. */
int group_attach(struct run *r, struct err *err)
{
	int rc;

	if (!r->opt.systemd)
		return cgproc_attach(&r->cgroup, r->child.pid,
				     r->child.cgroup_fd, err);
	rc = cgproc_attach_all(&r->cgroup, r->child.pid, err);
	manager_leave(&r->manager);
	return rc;
}

static bool group_has_unit(const struct life *l)
{
	return l->state.unit != NULL && l->state.unit[0] != '\0';
}

int group_remove(struct life *l, struct err *err)
{
	struct manager m;
	int rc = 0;

	if (group_has_unit(l)) {
		rc = manager_init(&m, l->self, err);
		if (rc == 0)
			rc = manager_stop(&m, l->state.unit, err);
	}
	return rc < 0 ? rc : cgmake_remove(&l->cgroup, err);
}

int group_update(struct life *l, const struct spec_resources *res,
		 struct err *err)
{
	struct spec_resources full = *res;
	struct manager m;
	int rc = cglimit_complete(&l->cgroup, &full, err);

	if (rc == 0 && group_has_unit(l)) {
		scope_round(&full.cpu);
		rc = manager_init(&m, l->self, err);
		if (rc == 0)
			rc = manager_update(&m, l->state.unit, &l->cgroup,
					    &full, err);
	}
	return rc < 0 ? rc : cglimit_update(&l->cgroup, &full, err);
}
