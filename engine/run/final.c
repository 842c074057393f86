/*
 * final.c - see final.h.  Runs in the container.  After final_caps() the
 * process has no more rights than its program will have.
 */
#include "engine/run/final.h"

#include "engine/confine/attr.h"
#include "engine/confine/ident.h"
#include "engine/confine/lsm.h"
#include "engine/run/progenv.h"
#include "engine/run/notify.h"
#include "engine/sys/esys.h"
#include "lib/sys.h"
#include "lib/text.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

int final_limits(struct run *r, struct err *err)
{
	int rc = ident_set_rlimits(r->spec.process, err);

	if (rc == 0)
		rc = attr_self(&r->spec.linux_, err);
	return rc;
}

int final_bounding(struct run *r, struct err *err)
{
#ifdef GUARD_OFF_BOUNDING
	(void)r;
	(void)err;
	return 0;
#else
	return caps_drop_bounding(&r->caps, err);
#endif
}

static bool final_is_early(const struct run *r)
{
	return !r->spec.process->no_new_privileges && r->filter.n > 0;
}

/* So that a program that is not root can open /dev/stderr again: its ends of
 * pipes become its own, as clients expect; files and devices stay as they
 * are. */
static void final_own_pipes(const struct spec_user *u)
{
	struct stat st;
	int fd;

	for (fd = 0; fd < 3; fd++)
		if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
			(void)!fchown(fd, u->uid, (gid_t)-1);
}

int final_user(struct run *r, struct err *err)
{
	bool keep = (r->caps.permitted | r->caps.ambient |
		     r->caps.inheritable) != 0;

	if (r->spec.process->user.uid != 0)
		final_own_pipes(&r->spec.process->user);
	return ident_set_user(&r->spec.process->user, keep || final_is_early(r),
			      err);
}

/* Before the limits, which may leave no descriptor to find a way with.  Where
 * the container's root cannot go, its user may. */
int final_cwd(struct run *r, struct err *err)
{
	(void)err;
	r->env = progenv_make(r);
	r->in_cwd = ident_set_cwd(r->spec.process->cwd, NULL) == 0;
	return 0;
}

int final_cwd_again(struct run *r, struct err *err)
{
	return r->in_cwd ? 0 : ident_set_cwd(r->spec.process->cwd, err);
}

/* CAP_DAC_OVERRIDE comes with the capabilities: then execve has to say. */
int final_program(struct run *r, struct err *err)
{
	char *path = r->spec.process->args.v[0];

	if ((r->caps.effective & UINT64_C(1) << CAP_DAC_OVERRIDE) != 0 &&
	    path[0] == '/') {
		r->program = path;
		return 0;
	}
	return ident_find(r->spec.process, r->arena, &r->program, err);
}

/* Marks rather than closes: the link must live to carry an error of execve;
 * execve itself then closes all of them (E04). */
int final_close(struct run *r, struct err *err)
{
#ifndef GUARD_OFF_CLOSE
	if (sys_close_range(3 + r->opt.preserve_fds, ~0u, CLOSE_RANGE_CLOEXEC) <
	    0)
		return err_sys(err, errno, "close_range");
#else
	(void)r;
	(void)err;
#endif
	return 0;
}

int final_label(struct run *r, struct err *err)
{
	return lsm_write(r->spec.process, r->label_fd, err);
}

/* Kept over the change of ids for the sake of the filter alone; for a user
 * other than 0 that change has emptied the effective set. */
int final_filter_early(struct run *r, struct err *err)
{
	const uint64_t admin = UINT64_C(1) << CAP_SYS_ADMIN;

	if (!final_is_early(r))
		return 0;
	if (r->spec.process->user.uid != 0 &&
	    sys_capset(admin, r->caps.permitted | admin, r->caps.inheritable) <
		    0)
		return err_sys(err, errno, "raise CAP_SYS_ADMIN");
	return notify_load(r, err);
}

int final_caps(struct run *r, struct err *err)
{
#ifdef GUARD_OFF_CAPS
	(void)r;
	(void)err;
	return 0;
#else
	return caps_apply(&r->caps, err);
#endif
}

int final_nnp(struct run *r, struct err *err)
{
	if (r->spec.process->no_new_privileges &&
	    sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, errno, "no_new_privs");
	return 0;
}

int final_filter_late(struct run *r, struct err *err)
{
	if (!r->spec.process->no_new_privileges)
		return 0;
	return notify_load(r, err);
}

/* All of the steps above that take rights away, for a hook.  A listener is the
 * program's alone. */
int final_confine(void *run, struct err *err)
{
	struct run r = *(struct run *)run;
	int rc;

	if (filter_has_listener(&r.filter))
		r.filter = (struct filter){.n = 0};
	rc = final_filter_early(&r, err);
	if (rc == 0)
		rc = final_caps(&r, err);
	if (rc == 0)
		rc = final_nnp(&r, err);
	if (rc == 0)
		rc = final_filter_late(&r, err);
	return rc;
}

int final_exec(struct run *r, struct err *err)
{
	(void)esys_execve(r->program, r->spec.process->args.v, r->env);
	return ident_fail(errno, r->program, err);
}

int final_terminal(int tty, uid_t owner, struct err *err)
{
	int i;

	if (owner != 0 && fchown(tty, owner, (gid_t)-1) < 0)
		return err_sys(err, errno, "owner of the terminal");

	if (ioctl(tty, TIOCSCTTY, 0) < 0)
		return err_sys(err, errno, "controlling terminal");
	for (i = 0; i < 3; i++)
		if (dup2(tty, i) < 0)
			return err_sys(err, errno, "dup2");
	return 0;
}
