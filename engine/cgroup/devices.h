/*
 * devices.h - which device nodes the container may use: the list of v1, or
 * the same as a BPF program for v2.  E38.
 */
#ifndef ENGINE_CGROUP_DEVICES_H
#define ENGINE_CGROUP_DEVICES_H

#include "engine/spec/spec.h"
#include "lib/err.h"

#define DEVICES_PROGRAM_MAX 4096
#define DEVICES_PROGRAMS_MAX 64	     /* of one group */
#define DEVICES_NAME "reconcile_dev" /* by which we know our own again */
#define DEVICES_SET_MAX 512
#define DEVICES_ANY (-1)

struct bpf_insn;

struct devices_rule {
	char type; /* 'a', 'b' or 'c' */
	bool allow;
	int64_t major, minor; /* DEVICES_ANY */
	unsigned int access;  /* BPF_DEVCG_ACC_* */
};

/* What is allowed in the end. */
struct devices_set {
	struct devices_rule v[DEVICES_SET_MAX];
	size_t n;
	bool all; /* everything is, and v is empty */
	bool odd; /* all but something that v does not tell */
};

/* Everything denied, then the rules in order, then the standard nodes. */
int devices_write_v1(int dirfd, const struct spec_resources *res,
		     struct err *err);
/* The same in a group that is in use: what stays allowed is never denied in
 * between. */
int devices_update_v1(int dirfd, const struct spec_resources *res,
		      struct err *err);
/* replace: programs that an earlier call attached to this group go. */
int devices_attach_v2(int dirfd, const struct spec_resources *res, bool replace,
		      struct err *err);
/* The program alone (pure).  max in instructions; *out_n how many. */
int devices_program(const struct spec_resources *res, struct bpf_insn *out,
		    size_t max, size_t *out_n, struct err *err);
/* The rules as a set (pure). */
int devices_effect(const struct spec_resources *res, struct devices_set *out,
		   struct err *err);

#endif
