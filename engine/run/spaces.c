/* spaces.c - see spaces.h. */
#include "engine/run/spaces.h"

#include "engine/namespace/netdev.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

int spaces_open(struct run *r, struct err *err)
{
	int rc = ns_open(&r->spec, &r->ns, err);
	bool new_user = (r->ns.create & CLONE_NEWUSER) != 0;

	if (rc < 0)
		return rc;
	if (new_user && (r->map.n_uid == 0 || r->map.n_gid == 0))
		return err_set(err, ERR_INPUT,
			       "config: a new user namespace wants "
			       "linux.uidMappings and gidMappings");
	if (r->ns.fd[SPEC_NS_USER] >= 0)
		return idmap_read(r->ns.fd[SPEC_NS_USER],
				  spec_ns_find(&r->spec, SPEC_NS_USER)->path,
				  r->arena, &r->map, err);
	if (!new_user)
		r->map = (struct idmap){.n_uid = 0};
	return 0;
}

int spaces_maps(struct run *r, struct err *err)
{
	if ((r->ns.create & CLONE_NEWUSER) == 0)
		return 0;
	return idmap_write(r->child.pid, &r->map, err);
}

int spaces_binds(struct run *r, struct err *err)
{
	char path[64];
	int fd = -1, rc;
	size_t i;

	for (i = 0; i < r->rootfs.n_mounts; i++)
		if (r->rootfs.mounts[i].opt.idmap)
			break;
	if (i == r->rootfs.n_mounts)
		return 0;
	if (r->map.n_uid > 0) {
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/user",
			       r->child.pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(err, errno, "open %s", path);
	}
	rc = prepare_map_binds(&r->rootfs, fd, err);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

int spaces_netdevs(struct run *r, struct err *err)
{
	const struct spec_linux *l = &r->spec.linux_;
	char path[64];
	int fd, rc;

	if (l->n_netdevs == 0)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", r->child.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "open %s", path);
	rc = netdev_move(l->netdevs, l->n_netdevs, fd, err);
	(void)close(fd);
	return rc;
}
