/*
 * run.c - the life of a struct run and the table of run.h.  The order of the
 * rows is the order of the work; `why` says what would break elsewhere.
 */
#include "engine/run/child.h"
#include "engine/run/group.h"
#include "engine/run/hooks.h"
#include "engine/run/host.h"
#include "engine/run/final.h"
#include "engine/run/shape.h"
#include "engine/run/tell.h"
#include "engine/run/rootless.h"
#include "engine/run/spaces.h"

#include "engine/confine/filter.h"

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct run_step run_steps[] = {
	{"decode", RUN_ENGINE, "-", host_decode, NULL,
	 "all JSON is read and checked before anything is touched"},
	{"namespaces", RUN_ENGINE, "-", spaces_open, NULL,
	 "opened with the host's view, before any of them is entered"},
	{"cover", RUN_ENGINE, "CAP_SYS_ADMIN", host_cover, NULL,
	 "we begin again from a read-only mount: nothing is done yet"},
	{"claim-id", RUN_ENGINE, "state directory", host_claim, host_undo_claim,
	 "the directory is the lock against a second container of this id"},
	{"look", RUN_ENGINE, "-", group_look, NULL,
	 "a group with processes in it is somebody else's"},
	{"record-intent", RUN_ENGINE, "state directory", host_record,
	 hooks_undo,
	 "before the first side effect, so that delete can undo it"},
	{"cgroup", RUN_ENGINE, "root of the cgroup tree", group_make,
	 group_undo, "must stand before a process can be put in"},
	{"limits", RUN_ENGINE, "root of the cgroup tree", group_limits, NULL,
	 "the first process must never run without its limits"},
	{"sources", RUN_ENGINE, "CAP_SYS_ADMIN", host_sources, NULL,
	 "host paths are resolved by the host's process, never inside"},
	{"sockets", RUN_ENGINE, "state directory", host_sockets, NULL,
	 "the child inherits them by the clone"},
	{"clone", RUN_ENGINE, "CAP_SYS_ADMIN", host_clone, host_undo_clone,
	 "all that it needs is open now"},
	{"remember", RUN_ENGINE, "state directory", host_remember, NULL,
	 "before the child may do anything"},
	{"id-maps", RUN_ENGINE, "CAP_SETUID, CAP_SETGID", spaces_maps, NULL,
	 "only the host's side may map more than one id"},
	{"cgroup-attach", RUN_ENGINE, "root of the cgroup tree", group_attach,
	 NULL, "before the child makes its cgroup namespace"},
	{"idmap-mounts", RUN_ENGINE, "CAP_SYS_ADMIN", spaces_binds, NULL,
	 "needs the child's user namespace and the host's privilege"},
	{"net-devices", RUN_ENGINE, "CAP_NET_ADMIN", spaces_netdevs, NULL,
	 "the namespace stands, and nothing runs in it yet"},
	{"oom-score", RUN_ENGINE, "CAP_SYS_RESOURCE to lower it", host_oom,
	 NULL, "the child may not lower its own"},
	{"go", RUN_ENGINE, "-", host_go, NULL, "the child works from here on"},
	{"filter", RUN_ENGINE, "-", host_filter, NULL,
	 "found or compiled while the child mounts"},
	{"hooks-runtime", RUN_ENGINE, "the host's root", hooks_early, NULL,
	 "prestart and createRuntime: namespaces stand, nothing is pivoted"},
	{"await", RUN_ENGINE, "-", host_await, NULL,
	 "the child stands still, all of it is made"},
	{"shape", RUN_ENGINE, "CAP_SYS_NICE, CAP_SYS_RESOURCE to raise",
	 shape_apply, NULL, "inside a user namespace it could not"},
	{"ready", RUN_ENGINE, "-", host_ready, NULL,
	 "the child has everything; it gets its filter"},
	{"pidfd", RUN_ENGINE, "-", tell_pidfd, NULL,
	 "a client watches it without a race for the pid"},
	{"pid-file", RUN_ENGINE, "-", tell_pid_file, tell_undo_pid_file,
	 "callers take it as the sign that create has worked"},
	{"keep", RUN_ENGINE, "-", host_keep, NULL,
	 "from here on the child lives without us"},

	{"hide", RUN_CHILD, "-", child_hide, NULL,
	 "nobody in a joined namespace may look into us"},
	{"cgroup-enter", RUN_CHILD, "root of the cgroup tree", child_cgroup,
	 NULL, "while our ids are the host's; v2 we were born into"},
	{"time-namespace", RUN_CHILD, "CAP_SYS_TIME inside", child_time_ns,
	 NULL, "with its offsets, while /proc is the host's"},
	{"label-open", RUN_CHILD, "-", child_label, NULL,
	 "by the host's /proc, before anything can lie over it"},
	{"wait-go", RUN_CHILD, "-", child_wait, NULL, "no id is mapped before"},
	{"ids", RUN_CHILD, "CAP_SETUID inside", child_ids, NULL,
	 "files are made as the container's root"},
	{"session", RUN_CHILD, "-", child_session, NULL,
	 "away from the caller's terminal and keys"},
	{"cgroup-namespace", RUN_CHILD, "CAP_SYS_ADMIN inside", child_cgroup_ns,
	 NULL, "its root is the group we are in now"},
	{"names", RUN_CHILD, "CAP_SYS_ADMIN inside", child_names, NULL,
	 "host and domain name of the new uts namespace"},
	{"loopback", RUN_CHILD, "CAP_NET_ADMIN inside", child_loopback, NULL,
	 "a new network namespace has its lo down"},
	{"sources-inside", RUN_CHILD, "CAP_SYS_ADMIN inside", rootless_sources,
	 NULL, "rootless: where the engine itself may not clone mounts"},
	{"root", RUN_CHILD, "CAP_SYS_ADMIN inside", child_root, NULL,
	 "all destinations are resolved in it"},
	{"mounts", RUN_CHILD, "CAP_SYS_ADMIN inside", child_mounts, NULL,
	 "procfs and sysfs want the old tree still visible"},
	{"dev", RUN_CHILD, "CAP_MKNOD or clones", child_dev, NULL,
	 "on the container's /dev, after it is mounted"},
	{"console", RUN_CHILD, "-", child_console, NULL,
	 "from the container's own devpts"},
	{"make-cwd", RUN_CHILD, "-", child_make_cwd, NULL,
	 "behind the mounts, before the root is read-only"},
	{"hooks-container", RUN_CHILD, "as root inside", child_hooks, NULL,
	 "createContainer: in the namespaces, before the pivot"},
	{"sysctl", RUN_CHILD, "root inside", child_sysctl, NULL,
	 "through a procfs of our own, before /proc/sys is read-only"},
	{"pivot", RUN_CHILD, "CAP_SYS_ADMIN inside", child_pivot, NULL,
	 "the host's tree is gone from here on"},
	{"masks", RUN_CHILD, "CAP_SYS_ADMIN inside", child_masks, NULL,
	 "over what the mounts brought"},
	{"finish", RUN_CHILD, "CAP_SYS_ADMIN inside", child_finish, NULL,
	 "read-only flags come when nothing is to be created any more"},
	{"join-mounts", RUN_CHILD, "CAP_SYS_ADMIN", child_join_mounts, NULL,
	 "a detached root can be worked on only from where it was made"},
	{"find", RUN_CHILD, "-", child_find, NULL,
	 "a missing program is an error of create, not of start"},
	{"tell-ready", RUN_CHILD, "-", child_ready, NULL,
	 "the engine answers with the filter"},

	{"cwd", RUN_START, "-", final_cwd, NULL,
	 "proven to be inside; before limits leave no descriptor for it"},
	{"limits-own", RUN_START, "CAP_SYS_RESOURCE to raise", final_limits,
	 NULL, "while we may still raise them"},
	{"bounding", RUN_START, "CAP_SETPCAP inside", final_bounding, NULL,
	 "CAP_SETPCAP is lost with the user id"},
	{"user", RUN_START, "CAP_SETUID, CAP_SETGID inside", final_user, NULL,
	 "groups, gid, uid, umask"},
	{"cwd-again", RUN_START, "-", final_cwd_again, NULL,
	 "where the container's root may not go its user may"},
	{"program", RUN_START, "-", final_program, NULL,
	 "looked for as that user, by calls that the filter may not have"},
	{"hooks-start", RUN_START, "-", child_start_hooks, NULL,
	 "startContainer: as that user, with no more than the program's "
	 "rights"},
	{"close", RUN_START, "-", final_close, NULL,
	 "nothing inherited but 0, 1, 2 and what was declared"},
	{"label", RUN_START, "-", final_label, NULL,
	 "not for the hooks; a filter need not allow it"},
	{"filter-early", RUN_START, "CAP_SYS_ADMIN inside", final_filter_early,
	 NULL, "without no_new_privs it needs the capability"},
	{"capabilities", RUN_START, "-", final_caps, NULL,
	 "nothing is left afterwards but what was asked for"},
	{"no-new-privs", RUN_START, "-", final_nnp, NULL,
	 "the filter needs it"},
	{"filter-late", RUN_START, "-", final_filter_late, NULL,
	 "last, so that it need not allow the steps above"},
	{"exec", RUN_START, "-", final_exec, NULL, "-"},
};

#define RUN_STEPS (sizeof(run_steps) / sizeof(run_steps[0]))

const struct run_step *run_step(size_t i)
{
	return i < RUN_STEPS ? &run_steps[i] : NULL;
}

int run_side(struct run *r, enum run_side side, struct err *err)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < RUN_STEPS && rc == 0; i++) {
		if (run_steps[i].side != side)
			continue;
		if (side == RUN_ENGINE && r->opt.note != NULL)
			r->opt.note(r->opt.note_ctx, "step", run_steps[i].name);
		rc = run_steps[i].act(r, err);
	}
	if (rc == 0)
		return 0;
	/* i is one behind the step that failed; that one may have done half
	 * of its work, so its undo runs too. */
	while (i-- > 0)
		if (run_steps[i].side == side && run_steps[i].undo != NULL)
			run_steps[i].undo(r);
	return rc;
}

void run_init(struct run *r, const struct run_options *opt)
{
	*r = (struct run){.opt = *opt,
			  .root_fd = -1,
			  .dir_fd = -1,
			  .bundle_fd = -1,
			  .start_fd = -1,
			  .console_fd = -1,
			  .tty_fd = -1,
			  .label_fd = -1,
			  .link = {-1, -1},
			  .child = {.cgroup_fd = -1, .pidfd = -1},
			  .log_fd = -1};
	r->arena = arena_new(RUN_ARENA_BYTES);
	buf_init(&r->config, SPEC_MAX_BYTES);
	ns_init(&r->ns);
	prepare_init(&r->rootfs);
}

static void run_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void run_made(struct run *r)
{
	prepare_release(&r->rootfs);
	ns_release(&r->ns);
	run_close(&r->bundle_fd);
	run_close(&r->start_fd);
	run_close(&r->console_fd);
	run_close(&r->tty_fd);
	run_close(&r->label_fd);
	run_close(&r->link[0]);
	run_close(&r->link[1]);
	run_close(&r->child.pidfd);
}

void run_release(struct run *r)
{
	run_made(r);
	manager_leave(&r->manager);
	cgroup_release(&r->cgroup);
	filter_release(&r->filter);
	run_close(&r->root_fd);
	run_close(&r->dir_fd);
	if (r->shared != NULL)
		(void)munmap(r->shared, RUN_SHARED_BYTES);
	buf_release(&r->config);
	arena_free(r->arena);
}
