/* rootless.c - see rootless.h. */
#include "engine/run/rootless.h"

#include "engine/run/host.h"
#include "engine/sys/esys.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first user namespace has the same number in every kernel. */
#define ROOTLESS_INIT_USER_INO 0xEFFFFFFDu

static bool rootless_auto(void)
{
	struct stat st;

	if (geteuid() != 0)
		return true;
	return stat("/proc/self/ns/user", &st) == 0 &&
	       st.st_ino != ROOTLESS_INIT_USER_INO;
}

int rootless_find(const char *word, bool *out, struct err *err)
{
	char safe[64];

	if (word == NULL || strcmp(word, "auto") == 0)
		*out = rootless_auto();
	else if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)
		*out = word[0] == 't';
	else
		return err_set(
			err, ERR_INPUT,
			"--rootless: want auto, true or false, have \"%s\"",
			text_safe(safe, sizeof(safe), word, strlen(word)));
	return 0;
}

const char *rootless_root(char *out, size_t max)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	int n;

	if (dir != NULL && dir[0] == '/')
		n = snprintf(out, max, "%s/reconcile/engine", dir);
	else if (geteuid() != 0)
		n = snprintf(out, max, "/run/user/%u/reconcile/engine",
			     geteuid());
	else
		return NULL;
	return n > 0 && (size_t)n < max ? out : NULL;
}

/* May we make a directory in the deepest part of path that exists? */
static bool rootless_may_make(int root, const char *path)
{
	char work[CGROUP_PATH_BYTES];
	char *slash;

	(void)snprintf(work, sizeof(work), "%s", path);
	while (faccessat(root, work, F_OK, 0) < 0) {
		slash = strrchr(work, '/');
		if (slash == NULL)
			return faccessat(root, ".", W_OK, AT_EACCESS) == 0;
		*slash = '\0';
	}
	return faccessat(root, work, W_OK, AT_EACCESS) == 0;
}

void rootless_cgroups(struct cgroup *c)
{
	size_t i, kept = 0;

	for (i = 0; i < c->n; i++) {
		if (rootless_may_make(c->h[i].root, c->path))
			c->h[kept++] = c->h[i];
		else
			(void)close(c->h[i].root);
	}
	c->n = kept;
	if (kept > 0)
		return;
	c->v2_only = false;
	c->path[0] = '\0';
}

bool rootless_wants_limits(const struct spec_resources *res)
{
	static const struct spec_resources none;
	struct spec_resources have;

	memcpy(&have, res, sizeof(have)); /* padding too: made of zeros */
	have.devices = NULL;
	have.n_devices = 0;
	if (have.n_hugepages == 0)
		have.hugepages = NULL;
	if (have.n_rdma == 0)
		have.rdma = NULL;
	if (have.unified.n == 0)
		have.unified.v = NULL;
	return memcmp(&have, &none, sizeof(none)) != 0;
}

int rootless_check(const struct run *r, struct err *err)
{
	const char *what = NULL;

	if (r->rootfs.overlay != NULL)
		what = "--overlay";
	else if (r->spec.linux_.n_netdevs > 0)
		what = "linux.netDevices";
	else if (spec_is_detached(&r->spec))
		what = "a container without a mount namespace";
	if (what != NULL)
		return err_set(err, ERR_INPUT, "rootless: %s: want root", what);
	return 0;
}

bool rootless_is_shut_out(void)
{
	int fd = esys_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE);

	if (fd >= 0)
		(void)close(fd);
	return fd < 0 && errno == EPERM;
}

/* Our own namespace's view: a descriptor from the engine's is of another. */
static int rootless_reopen(struct run *r, struct err *err)
{
	char path[CGROUP_PATH_BYTES + CGROUP_NAME_BYTES + 32];
	struct cgroup_hierarchy *h;
	size_t i;

	(void)close(r->bundle_fd);
	r->bundle_fd = open(r->state.bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->bundle_fd < 0)
		return err_sys(err, errno, "bundle %s", r->state.bundle);
	for (i = 0; i < r->cgroup.n; i++) {
		h = &r->cgroup.h[i];
		if (h->dir < 0)
			continue;
		(void)snprintf(path, sizeof(path), CGROUP_ROOT "/%s/%s",
			       h->name, r->cgroup.path);
		(void)close(h->dir);
		h->dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (h->dir < 0)
			return err_sys(err, errno, "open %s", path);
	}
	return 0;
}

int rootless_sources(struct run *r, struct err *err)
{
	size_t i;
	int rc;

	if (!r->inside)
		return 0;
	rc = rootless_reopen(r, err);
	if (rc == 0)
		rc = host_take_sources(r, err);
	for (i = 0; i < r->rootfs.n_mounts && rc == 0; i++)
		if (r->rootfs.mounts[i].opt.idmap)
			rc = err_set(err, ERR_INPUT,
				     "rootless: id-mapped mounts want root");
	return rc;
}
