/*
 * limits.h - resources of a config as (controller, file, value), for v1 or
 * v2.  Pure: a table and conversions; what is written where is decided here
 * and tested without a kernel.  Conversions v1 to v2 as the runtime community
 * does them (runtime-spec config-linux.md; cgroup v2 in runc and crun).
 */
#ifndef ENGINE_CGROUP_LIMITS_H
#define ENGINE_CGROUP_LIMITS_H

#include "engine/spec/spec.h"
#include "lib/err.h"

#include <stdbool.h>

#define LIMITS_MAX 128
#define LIMITS_VALUE_BYTES 128
#define LIMITS_FILE_BYTES 64

struct limits_item {
	const char *controller; /* "cpu"; static */
	char file[LIMITS_FILE_BYTES];
	char value[LIMITS_VALUE_BYTES];
	/* File to try where the first does not exist or does not serve that
	 * device; with other_value, if that is not empty. */
	const char *other;
	char other_value[LIMITS_VALUE_BYTES];
	/* cpu.max: value is the second word, the first one stays. */
	bool keep_first;
};

struct limits {
	struct limits_item v[LIMITS_MAX];
	size_t n;
};

/* The members of unified are in the v2 list alone, with controller "".
 * ERR_INPUT for values that cannot be meant, ERR_LIMIT for too many. */
int limits_list(const struct spec_resources *res, bool v2, struct limits *out,
		struct err *err);
/* cpu.shares 2..262144 to cpu.weight 1..10000. */
uint64_t limits_cpu_weight(uint64_t shares);
/* blkio.weight 10..1000 to io.weight 1..10000. */
uint64_t limits_io_weight(uint64_t weight);

#endif
