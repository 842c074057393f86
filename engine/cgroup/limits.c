/* limits.c - see limits.h. */
#include "engine/cgroup/limits.h"

#include "engine/cgroup/weight.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

struct limits_job {
	const struct spec_resources *res;
	struct limits *out;
	enum limits_controller controller;
	bool v2;
	struct err *err;
};

static const struct {
	const char *v1, *v2;
} limits_names[LIMITS_CONTROLLERS] = {
	[LIMITS_CPUSET] = {"cpuset", "cpuset"},
	[LIMITS_CPU] = {"cpu", "cpu"},
	[LIMITS_MEMORY] = {"memory", "memory"},
	[LIMITS_PIDS] = {"pids", "pids"},
	[LIMITS_BLOCK] = {"blkio", "io"},
	[LIMITS_HUGETLB] = {"hugetlb", "hugetlb"},
	[LIMITS_RDMA] = {"rdma", "rdma"},
	[LIMITS_NET_CLS] = {"net_cls", NULL},
	[LIMITS_NET_PRIO] = {"net_prio", NULL},
};

const char *limits_name(enum limits_controller c, bool v2)
{
	return v2 ? limits_names[c].v2 : limits_names[c].v1;
}

/* The next item, not counted yet; NULL when there are too many. */
static struct limits_item *limits_new(struct limits_job *j, const char *file)
{
	struct limits_item *item;

	if (j->out->n == LIMITS_MAX ||
	    strlen(file) >= sizeof(j->out->v[0].file)) {
		(void)err_set(j->err, ERR_LIMIT, "resources: over %d settings",
			      LIMITS_MAX);
		return NULL;
	}
	item = &j->out->v[j->out->n];
	memset(item, 0, sizeof(*item));
	item->controller = j->controller;
	item->v2 = j->v2;
	item->value = item->text;
	(void)snprintf(item->file, sizeof(item->file), "%s", file);
	return item;
}

static int limits_add(struct limits_job *j, const char *file, const char *fmt,
		      ...) __attribute__((format(printf, 3, 4)));

static int limits_add(struct limits_job *j, const char *file, const char *fmt,
		      ...)
{
	struct limits_item *item = limits_new(j, file);
	va_list ap;
	int n;

	if (item == NULL)
		return ERR_LIMIT;
	va_start(ap, fmt);
	n = vsnprintf(item->text, sizeof(item->text), fmt, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof(item->text))
		return err_set(j->err, ERR_INPUT, "resources: value too long");
	j->out->n++;
	return 0;
}

/* A value of the config as it is, of any length. */
static int limits_add_text(struct limits_job *j, const char *file,
			   const char *value)
{
	struct limits_item *item = limits_new(j, file);

	if (item == NULL)
		return ERR_LIMIT;
	item->value = value;
	j->out->n++;
	return 0;
}

static struct limits_item *limits_last(struct limits_job *j)
{
	return &j->out->v[j->out->n - 1];
}

static int limits_add_group(struct limits_job *j, enum limits_group group,
			    const char *file, int64_t value)
{
	int r = limits_add(j, file, "%" PRId64, value);

	if (r == 0)
		limits_last(j)->group = group;
	return r;
}

/* -1 is "no limit": "max" in v2, -1 in v1. */
static int limits_amount(struct limits_job *j, const char *what,
			 const char *file, int64_t v)
{
	if (v < -1)
		return err_set(j->err, ERR_INPUT,
			       "resources: %s: want at least -1", what);
	if (v == -1 && j->v2)
		return limits_add(j, file, "max");
	return limits_add(j, file, "%" PRId64, v);
}

static int limits_cpuset(struct limits_job *j)
{
	const struct spec_cpu *c = &j->res->cpu;
	int r = 0;

	if (c->cpus != NULL && c->cpus[0] != '\0')
		r = limits_add_text(j, "cpuset.cpus", c->cpus);
	if (r == 0 && c->mems != NULL && c->mems[0] != '\0')
		r = limits_add_text(j, "cpuset.mems", c->mems);
	return r;
}

/* Without a period the kernel keeps the one that is set. */
static int limits_cpu_max(struct limits_job *j, const struct spec_cpu *c)
{
	bool period = c->period.set && c->period.v != 0;
	bool quota = c->quota.set && c->quota.v != 0;
	char text[48] = "max";
	size_t used = 3;
	int r;

	if (!quota && !period)
		return 0;
	if (quota && c->quota.v > 0)
		used = (size_t)snprintf(text, sizeof(text), "%" PRId64,
					c->quota.v);
	if (quota && period)
		(void)snprintf(text + used, sizeof(text) - used, " %" PRIu64,
			       c->period.v);
	if (!quota)
		(void)snprintf(text, sizeof(text), "%" PRIu64, c->period.v);
	r = limits_add(j, "cpu.max", "%s", text);
	if (r == 0) {
		limits_last(j)->group = LIMITS_BANDWIDTH;
		limits_last(j)->keep_first = !quota;
	}
	return r;
}

static int limits_bandwidth(struct limits_job *j, const struct spec_cpu *c)
{
	const char *burst = j->v2 ? "cpu.max.burst" : "cpu.cfs_burst_us";
	int r = 0;

	if (j->v2)
		r = limits_cpu_max(j, c);
	if (!j->v2 && c->period.set && c->period.v != 0)
		r = limits_add_group(j, LIMITS_BANDWIDTH, "cpu.cfs_period_us",
				     (int64_t)c->period.v);
	if (r == 0 && !j->v2 && c->quota.set && c->quota.v != 0)
		r = limits_add_group(j, LIMITS_BANDWIDTH, "cpu.cfs_quota_us",
				     c->quota.v < 0 ? -1 : c->quota.v);
	if (r < 0 || !c->burst.set)
		return r;
	r = limits_add_group(j, LIMITS_BANDWIDTH, burst, (int64_t)c->burst.v);
	if (r == 0)
		limits_last(j)->optional = c->burst.v == 0;
	return r;
}

static int limits_realtime(struct limits_job *j, const struct spec_cpu *c)
{
	bool period = c->rt_period.set && c->rt_period.v != 0;
	bool runtime = c->rt_runtime.set && c->rt_runtime.v != 0;
	int r = 0;

	if ((period || runtime) && j->v2)
		return err_set(j->err, ERR_INPUT,
			       "resources: cpu: realtimeRuntime and "
			       "realtimePeriod do not exist in cgroup v2");
	if (period)
		r = limits_add_group(j, LIMITS_REALTIME, "cpu.rt_period_us",
				     (int64_t)c->rt_period.v);
	if (r == 0 && runtime)
		r = limits_add_group(j, LIMITS_REALTIME, "cpu.rt_runtime_us",
				     c->rt_runtime.v);
	return r;
}

static int limits_shares(struct limits_job *j, const struct spec_cpu *c)
{
	if (!c->shares.set || c->shares.v == 0)
		return 0;
	if (j->v2)
		return limits_add(j, "cpu.weight", "%" PRIu64,
				  weight_cpu(c->shares.v));
	/* The kernel would take the nearest that it has. */
	if (c->shares.v < 2 || c->shares.v > 262144)
		return err_set(j->err, ERR_INPUT,
			       "resources: cpu.shares: want 2 to 262144");
	return limits_add(j, "cpu.shares", "%" PRIu64, c->shares.v);
}

/* An idle group has no weight: the kernel refuses one. */
static int limits_cpu(struct limits_job *j)
{
	const struct spec_cpu *c = &j->res->cpu;
	bool wakes = c->idle.set && c->idle.v == 0;
	int r = 0;

	if (wakes) {
		r = limits_add(j, "cpu.idle", "0");
		if (r == 0)
			limits_last(j)->optional = true;
	}
	if (r == 0)
		r = limits_shares(j, c);
	if (r == 0 && c->idle.set && !wakes)
		r = limits_add(j, "cpu.idle", "%" PRId64, c->idle.v);
	if (r == 0)
		r = limits_realtime(j, c);
	if (r == 0)
		r = limits_bandwidth(j, c);
	return r;
}

bool limits_swap_v2(int64_t swap, int64_t limit, int64_t *out)
{
	if (swap == -1 || limit == -1) {
		*out = swap;
		return true;
	}
	if (limit <= 0 || swap < limit)
		return false;
	*out = swap - limit;
	return true;
}

/* v1 counts memory and swap together, v2 swap alone.  No limit of memory and
 * none given for swap means none for both. */
static int limits_swap(struct limits_job *j, const struct spec_memory *m)
{
	bool none = m->limit.set && m->limit.v == -1;
	bool given = m->swap.set && m->swap.v != 0;
	int64_t v = -1;
	int r;

	if (!given && !none)
		return 0;
	if (given && j->v2 &&
	    !limits_swap_v2(m->swap.v, m->limit.set ? m->limit.v : 0, &v))
		return err_set(j->err, ERR_INPUT,
			       "resources: memory.swap: want a memory.limit "
			       "of at most that");
	if (given && !j->v2)
		v = m->swap.v;
	r = limits_amount(
		j, "memory.swap",
		j->v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes", v);
	if (r < 0)
		return r;
	limits_last(j)->group = j->v2 ? LIMITS_ALONE : LIMITS_MEMSW;
	/* A kernel that does not count swap has none to be limited. */
	limits_last(j)->optional = j->v2 ? v <= 0 : !given;
	return 0;
}

static int limits_memory_v1(struct limits_job *j, const struct spec_memory *m)
{
	int r = 0;

	if (m->swappiness.set && m->swappiness.v != UINT64_MAX) {
		if (m->swappiness.v > 100)
			return err_set(j->err, ERR_INPUT,
				       "resources: memory.swappiness: want 0 "
				       "to 100");
		r = limits_add(j, "memory.swappiness", "%" PRIu64,
			       m->swappiness.v);
	}
	if (r == 0 && m->disable_oom_killer.set && m->disable_oom_killer.v)
		r = limits_add(j, "memory.oom_control", "1");
	return r;
}

static int limits_memory_v2(struct limits_job *j, const struct spec_memory *m)
{
	if ((m->swappiness.set && m->swappiness.v != UINT64_MAX) ||
	    (m->disable_oom_killer.set && m->disable_oom_killer.v))
		return err_set(j->err, ERR_INPUT,
			       "resources: memory: swappiness and "
			       "disableOOMKiller do not exist in cgroup v2");
	return 0;
}

/* memory.kernel and kernelTCP are not written, as nowhere: the kernel has
 * dropped the first, the specification advises against both. */
static int limits_memory(struct limits_job *j)
{
	const struct spec_memory *m = &j->res->memory;
	int r = 0;

	if (m->use_hierarchy.set && !m->use_hierarchy.v)
		return err_set(j->err, ERR_INPUT,
			       "resources: memory.useHierarchy: want true: "
			       "groups always count what is below them");
	if (m->limit.set && m->limit.v != 0) {
		r = limits_amount(j, "memory.limit",
				  j->v2 ? "memory.max"
					: "memory.limit_in_bytes",
				  m->limit.v);
		if (r == 0 && !j->v2)
			limits_last(j)->group = LIMITS_MEMSW;
	}
	if (r == 0)
		r = limits_swap(j, m);
	if (r == 0 && m->reservation.set && m->reservation.v != 0)
		r = limits_amount(j, "memory.reservation",
				  j->v2 ? "memory.low"
					: "memory.soft_limit_in_bytes",
				  m->reservation.v);
	if (r < 0)
		return r;
	return j->v2 ? limits_memory_v2(j, m) : limits_memory_v1(j, m);
}

/* 0 is 1: systemd knows no 0, and a group with a process in it has one. */
static int limits_pids(struct limits_job *j)
{
	const struct decode_i64 *n = &j->res->pids.limit;

	if (!n->set)
		return 0;
	if (n->v < 0)
		return limits_add(j, "pids.max", "max");
	return limits_add(j, "pids.max", "%" PRId64, n->v == 0 ? 1 : n->v);
}

/* In v1 a rate of 0 takes the limit away, in v2 "max" does. */
static int limits_rates(struct limits_job *j, const struct spec_weight_dev *v,
			size_t n, const char *file_v1, const char *key_v2)
{
	char device[48];
	size_t i;
	int r = 0;

	for (i = 0; i < n && r == 0; i++) {
		(void)snprintf(device, sizeof(device), "%" PRId64 ":%" PRId64,
			       v[i].major.v, v[i].minor.v);
		if (!j->v2)
			r = limits_add(j, file_v1, "%s %" PRIu64, device,
				       v[i].rate.v);
		else if (v[i].rate.v == 0)
			r = limits_add(j, "io.max", "%s %s=max", device,
				       key_v2);
		else
			r = limits_add(j, "io.max", "%s %s=%" PRIu64, device,
				       key_v2, v[i].rate.v);
	}
	return r;
}

/* BFQ's file takes the number as it is; where only the cost model has weights
 * they go from 1 to 10000.  device: "" or "MAJ:MIN ". */
static int limits_weight(struct limits_job *j, const char *device,
			 const char *file_v1, const char *bfq_v1,
			 const struct decode_u64 *weight)
{
	struct limits_item *item;
	int r;

	if (!weight->set || weight->v == 0)
		return 0;
	r = limits_add(j, j->v2 ? "io.bfq.weight" : file_v1, "%s%" PRIu64,
		       device, weight->v);
	if (r < 0)
		return r;
	item = limits_last(j);
	item->other = j->v2 ? "io.weight" : bfq_v1;
	if (j->v2)
		(void)snprintf(item->other_value, sizeof(item->other_value),
			       "%s%" PRIu64, device, weight_io(weight->v));
	return 0;
}

static int limits_leaf_weight(struct limits_job *j, const char *device,
			      const char *file, const struct decode_u64 *weight)
{
	if (!weight->set || weight->v == 0)
		return 0;
	if (j->v2)
		return err_set(j->err, ERR_INPUT,
			       "resources: blockIO: leafWeight does not exist "
			       "in cgroup v2");
	return limits_add(j, file, "%s%" PRIu64, device, weight->v);
}

static int limits_weights(struct limits_job *j, const struct spec_block *b)
{
	char device[48];
	size_t i;
	int r = limits_weight(j, "", "blkio.weight", "blkio.bfq.weight",
			      &b->weight);

	if (r == 0)
		r = limits_leaf_weight(j, "", "blkio.leaf_weight",
				       &b->leaf_weight);
	for (i = 0; i < b->n_weights && r == 0; i++) {
		const struct spec_weight_dev *w = &b->weights[i];

		(void)snprintf(device, sizeof(device),
			       "%" PRId64 ":%" PRId64 " ", w->major.v,
			       w->minor.v);
		r = limits_weight(j, device, "blkio.weight_device",
				  "blkio.bfq.weight_device", &w->weight);
		if (r == 0)
			r = limits_leaf_weight(j, device,
					       "blkio.leaf_weight_device",
					       &w->leaf_weight);
	}
	return r;
}

static int limits_block(struct limits_job *j)
{
	const struct spec_block *b = &j->res->block;
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

/* What is used, and, where the kernel counts it (5.7), what is reserved. */
static int limits_hugetlb(struct limits_job *j)
{
	static const char *const v1[] = {"hugetlb.%s.limit_in_bytes",
					 "hugetlb.%s.rsvd.limit_in_bytes"};
	static const char *const v2[] = {"hugetlb.%s.max",
					 "hugetlb.%s.rsvd.max"};
	const struct spec_hugepage *v = j->res->hugepages;
	char file[LIMITS_FILE_BYTES];
	size_t i, k;
	int r = 0;

	for (i = 0; i < j->res->n_hugepages && r == 0; i++) {
		if (!limits_is_name(v[i].size))
			return err_set(j->err, ERR_INPUT,
				       "resources: hugepageLimits[%zu]: "
				       "pageSize",
				       i);
		for (k = 0; k < 2 && r == 0; k++) {
			const char *at = (j->v2 ? v2 : v1)[k];
			size_t head = strcspn(at, "%");

			(void)snprintf(file, sizeof(file), "%.*s%s%s",
				       (int)head, at, v[i].size, at + head + 2);
			r = limits_add(j, file, "%" PRIu64, v[i].limit.v);
			if (r == 0)
				limits_last(j)->optional = k == 1;
		}
	}
	return r;
}

static int limits_rdma(struct limits_job *j)
{
	char text[2][40];
	size_t i;
	int r = 0;

	for (i = 0; i < j->res->n_rdma && r == 0; i++) {
		const struct spec_rdma *v = &j->res->rdma[i];

		text[0][0] = text[1][0] = '\0';
		if (v->handles.set)
			(void)snprintf(text[0], sizeof(text[0]),
				       " hca_handle=%" PRIu64, v->handles.v);
		if (v->objects.set)
			(void)snprintf(text[1], sizeof(text[1]),
				       " hca_object=%" PRIu64, v->objects.v);
		if (!limits_is_name(v->device) ||
		    strpbrk(v->device, " \n") != NULL ||
		    (!v->handles.set && !v->objects.set))
			return err_set(j->err, ERR_INPUT,
				       "resources: rdma: want the name of a "
				       "device with hcaHandles or hcaObjects");
		r = limits_add(j, "rdma.max", "%s%s%s", v->device, text[0],
			       text[1]);
	}
	return r;
}

static int limits_network(struct limits_job *j)
{
	return err_set(j->err, ERR_INPUT,
		       "resources: network: classID and priorities want the "
		       "hierarchies net_cls and net_prio of cgroup v1; v2 has "
		       "none: use nftables by cgroup path");
}

static int limits_net_cls(struct limits_job *j)
{
	const struct decode_u64 *id = &j->res->network.class_id;

	if (!id->set || id->v == 0)
		return 0;
	return j->v2 ? limits_network(j)
		     : limits_add(j, "net_cls.classid", "%" PRIu64, id->v);
}

static int limits_net_prio(struct limits_job *j)
{
	const struct spec_network *n = &j->res->network;
	size_t i;
	int r = 0;

	if (n->n_priorities > 0 && j->v2)
		return limits_network(j);
	for (i = 0; i < n->n_priorities && r == 0; i++)
		r = limits_add(j, "net_prio.ifpriomap", "%.32s %u",
			       n->priorities[i].name,
			       n->priorities[i].priority);
	return r;
}

static int limits_unified(struct limits_job *j)
{
	const struct decode_strv *map = &j->res->unified;
	size_t i;
	int r = 0;

	for (i = 0; i + 1 < map->n && r == 0; i += 2) {
		if (!limits_is_name(map->v[i]) ||
		    strchr(map->v[i], '.') == NULL)
			return err_set(j->err, ERR_INPUT,
				       "resources: unified: want "
				       "CONTROLLER.FILE");
		r = limits_add_text(j, map->v[i], map->v[i + 1]);
	}
	return r;
}

static int (*const limits_rows[LIMITS_CONTROLLERS])(struct limits_job *) = {
	[LIMITS_CPUSET] = limits_cpuset,     [LIMITS_CPU] = limits_cpu,
	[LIMITS_MEMORY] = limits_memory,     [LIMITS_PIDS] = limits_pids,
	[LIMITS_BLOCK] = limits_block,	     [LIMITS_HUGETLB] = limits_hugetlb,
	[LIMITS_RDMA] = limits_rdma,	     [LIMITS_NET_CLS] = limits_net_cls,
	[LIMITS_NET_PRIO] = limits_net_prio, [LIMITS_UNIFIED] = limits_unified,
};

int limits_list(const struct spec_resources *res, unsigned int v1,
		struct limits *out, struct err *err)
{
	struct limits_job j = {.res = res, .out = out, .err = err};
	size_t i;
	int r = 0;

	out->n = 0;
	for (i = 0; i < LIMITS_CONTROLLERS && r == 0; i++) {
		j.controller = (enum limits_controller)i;
		j.v2 = (v1 & 1u << i) == 0;
		r = limits_rows[i](&j);
	}
	return r;
}
