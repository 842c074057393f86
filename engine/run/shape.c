/* shape.c - see shape.h. */
#include "engine/run/shape.h"

#include "engine/confine/attr.h"
#include "engine/confine/lsm.h"
#include "lib/sys.h"

#include <errno.h>

/* In a user namespace of its own the process has all of them. */
static int shape_caps(struct run *r, struct err *err)
{
	uint64_t effective = CAPS_ALL, have = CAPS_ALL;

	if (spec_ns_find(&r->spec, SPEC_NS_USER) == NULL &&
	    sys_capget(&effective, &have) < 0)
		return err_sys(err, errno, "capget");
	caps_read(r->spec.process->caps, have, &r->opt.warn, &r->caps);
	return 0;
}

int shape_read(struct run *r, struct err *err)
{
	const struct spec_process *p = r->spec.process;
	int rc = attr_check(p, &r->spec.linux_, err);

	if (rc == 0)
		rc = filter_check(r->spec.linux_.seccomp, err);
	if (rc == 0)
		rc = lsm_check(p, r->spec.linux_.mount_label, err);
	if (rc == 0)
		rc = lsm_proc(p, &r->label_fd, err);
	return rc < 0 ? rc : shape_caps(r, err);
}

int shape_apply(struct run *r, struct err *err)
{
	return attr_apply(r->child.pid, r->spec.process, err);
}
