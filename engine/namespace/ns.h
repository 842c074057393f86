/*
 * ns.h - namespaces created and joined, and the clone that does both.
 *
 * Joining: every descriptor is opened first, with the host's view.  What is
 * owned by another user namespace than the container's has to be joined while
 * we still have the host's privileges, the user namespace then, the rest
 * (owned by it) last.  Any join happens in a helper that shares our
 * descriptors and ends; the container's first process is its sibling
 * (CLONE_PARENT), so that it is our child in both cases.
 */
#ifndef ENGINE_NAMESPACE_NS_H
#define ENGINE_NAMESPACE_NS_H

#include "engine/spec/spec.h"
#include "lib/err.h"

#include <sys/types.h>

struct ns_plan {
	int fd[SPEC_NS_COUNT];	     /* owned; -1: not joined */
	bool by_host[SPEC_NS_COUNT]; /* not owned by the joined user ns */
	uint64_t create;	     /* CLONE_NEW* for clone3 */
	bool create_cgroup;	     /* later, by unshare in the child */
	bool create_time;	     /* likewise */
};

struct ns_child {
	int (*run)(void *arg); /* its result is the exit status */
	void *arg;
	int cgroup_fd; /* CLONE_INTO_CGROUP, -1: none */
	pid_t pid;     /* out */
	int pidfd;     /* out, owned */
};

void ns_init(struct ns_plan *p);
void ns_release(struct ns_plan *p);
/* ERR_INPUT if a path is no namespace of its type. */
int ns_open(const struct spec *s, struct ns_plan *p, struct err *err);
/* Any to be joined but a mount namespace: that one the first process enters
 * itself, when its root stands. */
bool ns_joins(const struct ns_plan *p);
/* Into a new time namespace with these offsets.  alone: nobody whom we do not
 * know shares a namespace with us. */
int ns_time(const struct spec_offsets *o, bool alone, struct err *err);
int ns_clone(const struct ns_plan *p, struct ns_child *c, struct err *err);
/* As a helper would, for exec: joins all of these by the container's pidfd,
 * then clones the child. */
int ns_enter(int pidfd, uint64_t flags, struct ns_child *c, struct err *err);

#endif
