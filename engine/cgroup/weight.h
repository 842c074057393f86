/*
 * weight.h - shares and weights of cgroup v1 on the scales of v2.  Pure.
 */
#ifndef ENGINE_CGROUP_WEIGHT_H
#define ENGINE_CGROUP_WEIGHT_H

#include <stdint.h>

/* cpu.shares 2..262144 to cpu.weight 1..10000.  The two defaults, 1024 and
 * 100, meet: what runc 1.4, crun 1.23 and Kubernetes 1.35 agreed on instead of
 * the straight line between the ends, which made 39 of 1024. */
uint64_t weight_cpu(uint64_t shares);
/* blkio.weight 10..1000 to io.weight 1..10000, a straight line. */
uint64_t weight_io(uint64_t weight);

#endif
