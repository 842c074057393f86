/* limits.c - see limits.h. */
#include "engine/cgroup/limits.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

struct limits_job {
	struct limits *out;
	bool v2;
	struct err *err;
};

uint64_t limits_cpu_weight(uint64_t shares)
{
	if (shares < 2)
		shares = 2;
	if (shares > 262144)
		shares = 262144;
	return 1 + ((shares - 2) * 9999) / 262142;
}

uint64_t limits_io_weight(uint64_t weight)
{
	if (weight < 10)
		weight = 10;
	if (weight > 1000)
		weight = 1000;
	return 1 + ((weight - 10) * 9999) / 990;
}

static int limits_add(struct limits_job *j, const char *controller,
		      const char *file, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int limits_add(struct limits_job *j, const char *controller,
		      const char *file, const char *fmt, ...)
{
	struct limits_item *item;
	va_list ap;
	int n;

	if (j->out->n == LIMITS_MAX)
		return err_set(j->err, ERR_LIMIT, "resources: over %d settings",
			       LIMITS_MAX);
	item = &j->out->v[j->out->n];
	*item = (struct limits_item){.controller = controller};
	if (snprintf(item->file, sizeof(item->file), "%s", file) >=
	    (int)sizeof(item->file))
		return err_set(j->err, ERR_INPUT, "resources: name too long");
	va_start(ap, fmt);
	n = vsnprintf(item->value, sizeof(item->value), fmt, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof(item->value))
		return err_set(j->err, ERR_INPUT, "resources: value too long");
	j->out->n++;
	return 0;
}

/* -1 is "no limit": "max" in v2, -1 in v1. */
static int limits_amount(struct limits_job *j, const char *controller,
			 const char *file_v1, const char *file_v2, int64_t v)
{
	const char *file = j->v2 ? file_v2 : file_v1;

	if (v < -1)
		return err_set(j->err, ERR_INPUT,
			       "resources: %s: want at least -1", controller);
	if (v == -1 && j->v2)
		return limits_add(j, controller, file, "max");
	return limits_add(j, controller, file, "%" PRId64, v);
}

/* Without a period the kernel keeps the one that is set. */
static int limits_cpu_max(struct limits_job *j, const struct spec_cpu *c,
			  bool period)
{
	char quota[24] = "max";
	int r;

	if (c->quota.set && c->quota.v > 0)
		(void)snprintf(quota, sizeof(quota), "%" PRId64, c->quota.v);
	if (c->quota.set && c->quota.v != 0 && period)
		return limits_add(j, "cpu", "cpu.max", "%s %" PRIu64, quota,
				  c->period.v);
	if (c->quota.set && c->quota.v != 0)
		return limits_add(j, "cpu", "cpu.max", "%s", quota);
	if (!period)
		return 0;
	r = limits_add(j, "cpu", "cpu.max", "%" PRIu64, c->period.v);
	if (r == 0)
		j->out->v[j->out->n - 1].keep_first = true;
	return r;
}

static int limits_cpu(struct limits_job *j, const struct spec_cpu *c)
{
	bool period = c->period.set && c->period.v != 0;
	int r = 0;

	if (c->shares.set && c->shares.v != 0)
		r = j->v2 ? limits_add(j, "cpu", "cpu.weight", "%" PRIu64,
				       limits_cpu_weight(c->shares.v))
			  : limits_add(j, "cpu", "cpu.shares", "%" PRIu64,
				       c->shares.v);
	if (r == 0 && c->idle.set)
		r = limits_add(j, "cpu", "cpu.idle", "%" PRId64, c->idle.v);
	if (r < 0)
		return r;
	if (j->v2)
		return limits_cpu_max(j, c, period);
	if (period)
		r = limits_add(j, "cpu", "cpu.cfs_period_us", "%" PRIu64,
			       c->period.v);
	if (r == 0 && c->quota.set && c->quota.v != 0)
		r = limits_add(j, "cpu", "cpu.cfs_quota_us", "%" PRId64,
			       c->quota.v < 0 ? -1 : c->quota.v);
	return r;
}

static int limits_cpu_more(struct limits_job *j, const struct spec_cpu *c)
{
	int r = 0;

	if (c->burst.set)
		r = limits_add(j, "cpu",
			       j->v2 ? "cpu.max.burst" : "cpu.cfs_burst_us",
			       "%" PRIu64, c->burst.v);
	if (r == 0 && c->rt_period.set && c->rt_period.v != 0)
		r = limits_add(j, "cpu", "cpu.rt_period_us", "%" PRIu64,
			       c->rt_period.v);
	if (r == 0 && c->rt_runtime.set && c->rt_runtime.v != 0)
		r = limits_add(j, "cpu", "cpu.rt_runtime_us", "%" PRId64,
			       c->rt_runtime.v);
	if (r == 0 && c->cpus != NULL && c->cpus[0] != '\0')
		r = limits_add(j, "cpuset", "cpuset.cpus", "%s", c->cpus);
	if (r == 0 && c->mems != NULL && c->mems[0] != '\0')
		r = limits_add(j, "cpuset", "cpuset.mems", "%s", c->mems);
	return r;
}

/* v1 counts memory and swap together, v2 swap alone. */
static int limits_swap(struct limits_job *j, const struct spec_memory *m)
{
	if (!m->swap.set || m->swap.v == 0)
		return 0;
	if (!j->v2 || m->swap.v == -1)
		return limits_amount(j, "memory", "memory.memsw.limit_in_bytes",
				     "memory.swap.max", m->swap.v);
	if (!m->limit.set || m->limit.v <= 0 || m->swap.v < m->limit.v)
		return err_set(j->err, ERR_INPUT,
			       "resources: memory.swap: want a memory.limit "
			       "of at most that");
	return limits_add(j, "memory", "memory.swap.max", "%" PRId64,
			  m->swap.v - m->limit.v);
}

static int limits_memory(struct limits_job *j, const struct spec_memory *m)
{
	int r = 0;

	if (m->limit.set && m->limit.v != 0)
		r = limits_amount(j, "memory", "memory.limit_in_bytes",
				  "memory.max", m->limit.v);
	if (r == 0)
		r = limits_swap(j, m);
	if (r == 0 && m->reservation.set && m->reservation.v != 0)
		r = limits_amount(j, "memory", "memory.soft_limit_in_bytes",
				  "memory.low", m->reservation.v);
	if (r < 0)
		return r;
	if (j->v2 &&
	    ((m->kernel.set && m->kernel.v > 0) ||
	     (m->kernel_tcp.set && m->kernel_tcp.v > 0) || m->swappiness.set ||
	     (m->disable_oom_killer.set && m->disable_oom_killer.v)))
		return err_set(j->err, ERR_INPUT,
			       "resources: memory: kernel, kernelTCP, "
			       "swappiness and disableOOMKiller do not exist "
			       "in cgroup v2");
	if (m->kernel.set && m->kernel.v > 0)
		r = limits_add(j, "memory", "memory.kmem.limit_in_bytes",
			       "%" PRId64, m->kernel.v);
	if (r == 0 && m->kernel_tcp.set && m->kernel_tcp.v > 0)
		r = limits_add(j, "memory", "memory.kmem.tcp.limit_in_bytes",
			       "%" PRId64, m->kernel_tcp.v);
	if (r == 0 && m->swappiness.set)
		r = limits_add(j, "memory", "memory.swappiness", "%" PRIu64,
			       m->swappiness.v);
	if (r == 0 && m->disable_oom_killer.set && m->disable_oom_killer.v)
		r = limits_add(j, "memory", "memory.oom_control", "1");
	return r;
}

static int limits_rates(struct limits_job *j, const struct spec_weight_dev *v,
			size_t n, const char *file_v1, const char *key_v2)
{
	size_t i;
	int r = 0;

	for (i = 0; i < n && r == 0; i++) {
		if (j->v2)
			r = limits_add(j, "io", "io.max",
				       "%" PRId64 ":%" PRId64 " %s=%" PRIu64,
				       v[i].major.v, v[i].minor.v, key_v2,
				       v[i].rate.v);
		else
			r = limits_add(j, "blkio", file_v1,
				       "%" PRId64 ":%" PRId64 " %" PRIu64,
				       v[i].major.v, v[i].minor.v, v[i].rate.v);
	}
	return r;
}

/* BFQ's file takes the number as it is; where only the cost model has weights
 * they go from 1 to 10000.  device: "" or "MAJ:MIN ". */
static int limits_weight(struct limits_job *j, const char *device,
			 const char *file_v1, const char *bfq_v1,
			 uint64_t weight)
{
	struct limits_item *item;
	int r = limits_add(j, j->v2 ? "io" : "blkio",
			   j->v2 ? "io.bfq.weight" : file_v1, "%s%" PRIu64,
			   device, weight);

	if (r < 0)
		return r;
	item = &j->out->v[j->out->n - 1];
	item->other = j->v2 ? "io.weight" : bfq_v1;
	if (j->v2)
		(void)snprintf(item->other_value, sizeof(item->other_value),
			       "%s%" PRIu64, device, limits_io_weight(weight));
	return 0;
}

static int limits_weights(struct limits_job *j, const struct spec_block *b)
{
	char device[48];
	int r = 0;
	size_t i;

	if (b->weight.set && b->weight.v != 0)
		r = limits_weight(j, "", "blkio.weight", "blkio.bfq.weight",
				  b->weight.v);
	if (r == 0 && b->leaf_weight.set && b->leaf_weight.v != 0)
		r = limits_add(j, "blkio", "blkio.leaf_weight", "%" PRIu64,
			       b->leaf_weight.v);
	for (i = 0; i < b->n_weights && r == 0; i++) {
		const struct spec_weight_dev *w = &b->weights[i];

		(void)snprintf(device, sizeof(device),
			       "%" PRId64 ":%" PRId64 " ", w->major.v,
			       w->minor.v);
		r = limits_weight(j, device, "blkio.weight_device",
				  "blkio.bfq.weight_device", w->weight.v);
	}
	return r;
}

static int limits_block(struct limits_job *j, const struct spec_block *b)
{
	int r = limits_weights(j, b);

	if (r == 0)
		r = limits_rates(j, b->rbps, b->n_rbps,
				 "blkio.throttle.read_bps_device", "rbps");
	if (r == 0)
		r = limits_rates(j, b->wbps, b->n_wbps,
				 "blkio.throttle.write_bps_device", "wbps");
	if (r == 0)
		r = limits_rates(j, b->riops, b->n_riops,
				 "blkio.throttle.read_iops_device", "riops");
	if (r == 0)
		r = limits_rates(j, b->wiops, b->n_wiops,
				 "blkio.throttle.write_iops_device", "wiops");
	return r;
}

/* A name that will be part of a file name must not lead elsewhere. */
static bool limits_is_name(const char *s)
{
	return s[0] != '\0' && s[0] != '.' && strchr(s, '/') == NULL &&
	       strlen(s) < LIMITS_FILE_BYTES / 2;
}

static int limits_hugepages(struct limits_job *j, const struct spec_hugepage *v,
			    size_t n)
{
	char file[LIMITS_FILE_BYTES];
	size_t i;
	int r = 0;

	for (i = 0; i < n && r == 0; i++) {
		if (!limits_is_name(v[i].size))
			return err_set(j->err, ERR_INPUT,
				       "resources: hugepageLimits[%zu]: "
				       "pageSize",
				       i);
		(void)snprintf(file, sizeof(file),
			       j->v2 ? "hugetlb.%.31s.max"
				     : "hugetlb.%.31s.limit_in_bytes",
			       v[i].size);
		r = limits_add(j, "hugetlb", file, "%" PRIu64, v[i].limit.v);
	}
	return r;
}

static int limits_unified(struct limits_job *j, const struct decode_strv *map)
{
	size_t i;
	int r = 0;

	for (i = 0; j->v2 && i + 1 < map->n && r == 0; i += 2) {
		if (!limits_is_name(map->v[i]) ||
		    strchr(map->v[i], '.') == NULL)
			return err_set(j->err, ERR_INPUT,
				       "resources: unified: want "
				       "CONTROLLER.FILE");
		r = limits_add(j, "", map->v[i], "%s", map->v[i + 1]);
	}
	return r;
}

int limits_list(const struct spec_resources *res, bool v2, struct limits *out,
		struct err *err)
{
	struct limits_job j = {.out = out, .v2 = v2, .err = err};
	int r;

	out->n = 0;
	r = limits_cpu(&j, &res->cpu);
	if (r == 0)
		r = limits_cpu_more(&j, &res->cpu);
	if (r == 0)
		r = limits_memory(&j, &res->memory);
	if (r == 0 && res->pids.limit.set && res->pids.limit.v != 0)
		r = res->pids.limit.v < 0
			    ? limits_add(&j, "pids", "pids.max", "max")
			    : limits_add(&j, "pids", "pids.max", "%" PRId64,
					 res->pids.limit.v);
	if (r == 0)
		r = limits_block(&j, &res->block);
	if (r == 0)
		r = limits_hugepages(&j, res->hugepages, res->n_hugepages);
	if (r == 0)
		r = limits_unified(&j, &res->unified);
	return r;
}
