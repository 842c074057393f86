/*
 * devices.h - which device nodes the container may use: the list of v1, or
 * the same as a BPF program for v2.  E38.
 */
#ifndef ENGINE_CGROUP_DEVICES_H
#define ENGINE_CGROUP_DEVICES_H

#include "engine/spec/spec.h"
#include "lib/err.h"

#define DEVICES_PROGRAM_MAX 4096

struct bpf_insn;

/* Everything denied, then the rules in order, then the standard nodes. */
int devices_write_v1(int dirfd, const struct spec_resources *res,
		     struct err *err);
int devices_attach_v2(int dirfd, const struct spec_resources *res,
		      struct err *err);
/* The program alone (pure).  max in instructions; *out_n how many. */
int devices_program(const struct spec_resources *res, struct bpf_insn *out,
		    size_t max, size_t *out_n, struct err *err);

#endif
