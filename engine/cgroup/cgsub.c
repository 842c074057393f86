/* cgsub.c - see cgroup.h: the caller goes into a group below the container's.
 */
#include "engine/cgroup/cgfile.h"
#include "engine/cgroup/cgroup.h"
#include "lib/sys.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* E31: beneath the container's group, whatever the path says. */
static int cgsub_move(const struct cgroup_hierarchy *h, const char *path,
		      struct err *err)
{
	char safe[160];
	int dir, r;

	(void)text_safe(safe, sizeof(safe), path, strlen(path));
	while (*path == '/')
		path++;
	dir = sys_open_beneath(h->dir, *path != '\0' ? path : ".",
			       O_PATH | O_DIRECTORY, 0);
	if (dir < 0)
		return err_sys(err, errno, "--cgroup: %s in %s", safe, h->name);
	r = cgfile_write(dir, "cgroup.procs", "0", err);
	(void)close(dir);
	return r < 0 ? err_wrap(err, "--cgroup: %s in %s", safe, h->name) : 0;
}

/* controllers NULL: every hierarchy. */
static int cgsub_one(const struct cgroup *c, const char *controllers,
		     size_t len, const char *path, struct err *err)
{
	bool found = false;
	char safe[64];
	size_t i;
	int r = 0;

	for (i = 0; i < c->n && r == 0; i++) {
		if (c->h[i].dir < 0 ||
		    (controllers != NULL &&
		     !cgfile_listed(c->h[i].name, controllers, len, ',')))
			continue;
		found = true;
		r = cgsub_move(&c->h[i], path, err);
	}
	if (r == 0 && !found)
		r = err_set(err, ERR_INPUT,
			    "--cgroup: the container has no group of "
			    "controller \"%s\"",
			    text_safe(safe, sizeof(safe), controllers, len));
	return r;
}

int cgsub_enter(const struct cgroup *c, const char *const *where, size_t n,
		struct err *err)
{
	size_t i;
	int r = 0;

	for (i = 0; i < n && r == 0; i++) {
		const char *colon = strchr(where[i], ':');
		const char *at = where[i];

		if (colon == NULL && n > 1)
			return err_set(err, ERR_INPUT,
				       "--cgroup: more than one wants "
				       "CONTROLLER: before each path");
		if (colon == NULL)
			r = cgsub_one(c, NULL, 0, at, err);
		while (colon != NULL && at < colon && r == 0) {
			size_t len = strcspn(at, ",:");

			r = cgsub_one(c, at, len, colon + 1, err);
			at += len + 1;
		}
	}
	return r;
}
