/*
 * limits.h - resources of a config as (controller, file, value), each for the
 * version of cgroups that has its controller.  Pure: a table and conversions;
 * what is written where is decided here and tested without a kernel.
 * Conversions v1 to v2 as the runtime community does them (runtime-spec
 * config-linux.md; cgroup v2 in runc and crun).
 */
#ifndef ENGINE_CGROUP_LIMITS_H
#define ENGINE_CGROUP_LIMITS_H

#include "engine/spec/spec.h"
#include "lib/err.h"

#include <stdbool.h>

#define LIMITS_MAX 128
#define LIMITS_VALUE_BYTES 80
#define LIMITS_FILE_BYTES 64

enum limits_controller {
	LIMITS_CPUSET,
	LIMITS_CPU,
	LIMITS_MEMORY,
	LIMITS_PIDS,
	LIMITS_BLOCK,
	LIMITS_HUGETLB,
	LIMITS_RDMA,
	LIMITS_NET_CLS,
	LIMITS_NET_PRIO,
	LIMITS_UNIFIED, /* members of `unified`: v2, the file names it */
	LIMITS_CONTROLLERS
};

/* Files whose values are checked against each other: those that the kernel
 * refuses are tried again when the others of the group are written. */
enum limits_group {
	LIMITS_ALONE,
	LIMITS_BANDWIDTH, /* quota, period, burst */
	LIMITS_REALTIME,  /* runtime, period */
	LIMITS_MEMSW	  /* memory, memory and swap */
};

struct limits_item {
	enum limits_controller controller;
	enum limits_group group;
	bool v2;
	/* The file may be missing: what the value says is true then. */
	bool optional;
	/* cpu.max: value is the second word, the first one stays. */
	bool keep_first;
	char file[LIMITS_FILE_BYTES];
	/* One line is one write.  Of the config, or points to text. */
	const char *value;
	char text[LIMITS_VALUE_BYTES];
	/* File to try where the first does not exist or does not serve that
	 * device; with other_value, if that is not empty. */
	const char *other;
	char other_value[LIMITS_VALUE_BYTES];
};

/* Not to be copied: items point into themselves. */
struct limits {
	struct limits_item v[LIMITS_MAX];
	size_t n;
};

/* Name of the controller; NULL where this version has none. */
const char *limits_name(enum limits_controller c, bool v2);
/* v1: bits 1 << enum limits_controller of those that a v1 hierarchy has; the
 * others are written for v2.  ERR_INPUT for values that cannot be meant or
 * have no place in v2, ERR_LIMIT for too many.  Values are borrowed from
 * res. */
int limits_list(const struct spec_resources *res, unsigned int v1,
		struct limits *out, struct err *err);
/* memory.swap.max for a limit of memory and swap together; -1: none.  False
 * if that cannot be. */
bool limits_swap_v2(int64_t swap, int64_t limit, int64_t *out);

#endif
