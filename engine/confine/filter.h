/*
 * filter.h - the seccomp filter of a config (runtime-spec, linux.seccomp).
 *
 * Compiled by the engine (libseccomp, as a balanced tree) while the container
 * is being set up, loaded by the container's first process right before exec.
 */
#ifndef ENGINE_CONFINE_FILTER_H
#define ENGINE_CONFINE_FILTER_H

#include "engine/spec/spec.h"
#include "lib/err.h"

#define FILTER_MAX_INSNS 32768
#define FILTER_INSN_BYTES 8

struct filter {
	void *bpf;	    /* owned: array of struct sock_filter */
	size_t n;	    /* instructions; 0: no filter */
	unsigned int flags; /* SECCOMP_FILTER_FLAG_* */
};

/* Pure: flags, and what SCMP_ACT_NOTIFY wants.  ERR_INPUT. */
int filter_check(const struct spec_seccomp *s, struct err *err);
/* Where the default is EPERM, numbers above the highest that the profile names
 * get ENOSYS instead, by architecture: a C library that probes for a call newer
 * than the profile then falls back.
 * s NULL: no filter.  ERR_INPUT names the rule; unknown system call names are
 * skipped, as the specification demands. */
int filter_compile(const struct spec_seccomp *s, struct filter *out,
		   struct err *err);
void filter_release(struct filter *f);
/* SCMP_ACT_NOTIFY is among its actions. */
bool filter_has_listener(const struct filter *f);
/* Needs no_new_privs or CAP_SYS_ADMIN.  *out_listener, only if the filter has
 * one: owned, closed on exec. */
int filter_load(const struct filter *f, int *out_listener, struct err *err);
/* Names for `features`; NULL past the end. */
const char *filter_action_name(size_t i);
const char *filter_op_name(size_t i);
const char *filter_arch_name(size_t i);
const char *filter_flag_name(size_t i);

#endif
