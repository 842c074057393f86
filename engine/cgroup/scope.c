/* scope.c - see scope.h. */
#include "engine/cgroup/scope.h"

#include "engine/cgroup/devices.h"
#include "engine/cgroup/limits.h"
#include "engine/cgroup/weight.h"
#include "lib/num.h"
#include "lib/text.h"

#include <inttypes.h>
#include <linux/bpf.h>
#include <string.h>

#define SCOPE_PREFIX "reconcile"
#define SCOPE_PERCENT_US 10000 /* of a second */
#define SCOPE_PERIOD_US 100000 /* the kernel's default */
#define SCOPE_MASK_BITS 8192

static int scope_bad(struct err *err, const char *what, const char *text)
{
	char safe[128];

	return err_set(err, ERR_INPUT, "linux.cgroupsPath: \"%s\": %s",
		       text_safe(safe, sizeof(safe), text, strlen(text)), what);
}

static bool scope_is_name(const char *s)
{
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@")] ==
	       '\0';
}

/* "a-b.slice" is a.slice/a-b.slice, "-.slice" the root. */
static int scope_expand(const char *slice, char *out, size_t max,
			struct err *err)
{
	size_t len = strlen(slice), used = 0, i;
	static const char want[] = "want the name of a slice";

	if (len <= 6 || strcmp(slice + len - 6, ".slice") != 0 ||
	    !scope_is_name(slice))
		return scope_bad(err, want, slice);
	len -= 6;
	out[0] = '\0';
	if (len == 1 && slice[0] == '-')
		return 0;
	for (i = 0; i <= len; i++) {
		if (i < len && slice[i] != '-')
			continue;
		if (i == 0 || slice[i - 1] == '-')
			return scope_bad(err, want, slice);
		used += (size_t)snprintf(out + used, max - used, "%.*s.slice/",
					 (int)i, slice);
		if (used >= max)
			return scope_bad(err, "too long", slice);
	}
	return 0;
}

static int scope_set(struct scope *s, const char *prefix, size_t prefix_len,
		     const char *name, struct err *err)
{
	size_t len = strlen(name);
	int n;

	if (len > 6 && strcmp(name + len - 6, ".slice") == 0)
		return scope_bad(err, "a container is a scope, not a slice",
				 name);
	n = snprintf(s->unit, sizeof(s->unit), "%.*s%s%s.scope",
		     (int)prefix_len, prefix, prefix_len > 0 ? "-" : "", name);
	if (len == 0 || n >= (int)sizeof(s->unit) || !scope_is_name(s->unit))
		return scope_bad(err, "want the name of a unit", name);
	n = scope_expand(s->slice, s->path, sizeof(s->path), err);
	if (n < 0)
		return n;
	len = strlen(s->path);
	if (snprintf(s->path + len, sizeof(s->path) - len, "%s", s->unit) >=
	    (int)(sizeof(s->path) - len))
		return scope_bad(err, "too long", name);
	return 0;
}

int scope_init(const char *cgroups_path, const char *id, const char *slice,
	       struct scope *out, struct err *err)
{
	const char *path = cgroups_path != NULL ? cgroups_path : "";
	const char *first = strchr(path, ':');
	const char *second = first != NULL ? strchr(first + 1, ':') : NULL;

	*out = (struct scope){.unit = ""};
	if (path[0] == '\0') {
		(void)snprintf(out->slice, sizeof(out->slice), "%s", slice);
		return scope_set(out, SCOPE_PREFIX, strlen(SCOPE_PREFIX), id,
				 err);
	}
	if (second == NULL || strchr(second + 1, ':') != NULL)
		return scope_bad(err,
				 "want SLICE:PREFIX:NAME, as the systemd "
				 "driver takes it",
				 path);
	if (first - path >= (long)sizeof(out->slice))
		return scope_bad(err, "too long", path);
	if (first == path)
		(void)snprintf(out->slice, sizeof(out->slice), "%s", slice);
	else
		memcpy(out->slice, path, (size_t)(first - path));
	return scope_set(out, first + 1, (size_t)(second - first - 1),
			 second + 1, err);
}

static void scope_number(struct buf *out, const char *name, int64_t v)
{
	if (v < 0)
		buf_printf(out, "%s infinity\n", name);
	else
		buf_printf(out, "%s %" PRId64 "\n", name, v);
}

/* Microseconds in each second, rounded up to whole percents; -1: all. */
static int64_t scope_quota(int64_t quota, uint64_t period)
{
	int64_t us;

	if (quota <= 0 || quota > INT64_MAX / 1000000 || period == 0)
		return -1;
	us = quota * 1000000 / (int64_t)period;
	return (us + SCOPE_PERCENT_US - 1) / SCOPE_PERCENT_US *
	       SCOPE_PERCENT_US;
}

static uint64_t scope_period(const struct spec_cpu *cpu)
{
	return cpu->period.set && cpu->period.v != 0 ? cpu->period.v
						     : SCOPE_PERIOD_US;
}

void scope_round(struct spec_cpu *cpu)
{
	uint64_t period = scope_period(cpu);
	int64_t us;

	if (!cpu->quota.set || cpu->quota.v <= 0 || period > 1000000)
		return;
	us = scope_quota(cpu->quota.v, period);
	if (us > 0)
		cpu->quota.v = us * (int64_t)period / 1000000;
}

static void scope_put_quota(struct buf *out, const struct spec_cpu *cpu)
{
	bool quota = cpu->quota.set && cpu->quota.v != 0;
	bool period = cpu->period.set && cpu->period.v != 0;

	if (period)
		scope_number(out, "CPUQuotaPeriodUSec", (int64_t)cpu->period.v);
	if (quota || period)
		scope_number(
			out, "CPUQuotaPerSecUSec",
			quota ? scope_quota(cpu->quota.v, scope_period(cpu))
			      : -1);
}

/* "0-3,8" to bytes, the lowest first, in hexadecimal. */
static int scope_mask(struct buf *out, const char *name, const char *list,
		      struct err *err)
{
	unsigned char bits[SCOPE_MASK_BITS / 8] = {0};
	uint64_t from = 0, to = 0, i;
	size_t n = 0, len, dash;

	for (; *list != '\0'; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		dash = strcspn(list, "-,");
		if (!num_parse_u64(list, dash, SCOPE_MASK_BITS - 1, &from))
			break;
		to = from;
		if (dash < len &&
		    !num_parse_u64(list + dash + 1, len - dash - 1,
				   SCOPE_MASK_BITS - 1, &to))
			break;
		for (i = from; i <= to; i++) {
			bits[i / 8] |= (unsigned char)(1u << i % 8);
			n = i / 8 + 1 > n ? i / 8 + 1 : n;
		}
	}
	if (*list != '\0' || n == 0)
		return err_set(err, ERR_INPUT,
			       "resources: %s: want a list of numbers and "
			       "ranges",
			       name);
	buf_printf(out, "%s ", name);
	for (i = 0; i < n; i++)
		buf_printf(out, "%02x", bits[i]);
	buf_putc(out, '\n');
	return 0;
}

static void scope_memory(struct buf *out, const struct spec_memory *m, bool v2)
{
	bool swap = m->swap.set && m->swap.v != 0;
	int64_t v = -1;

	if (m->limit.set && m->limit.v != 0)
		scope_number(out, v2 ? "MemoryMax" : "MemoryLimit", m->limit.v);
	if (!v2)
		return;
	if (m->reservation.set && m->reservation.v != 0)
		scope_number(out, "MemoryLow", m->reservation.v);
	/* limits_list() refuses what cannot be. */
	if ((m->limit.set && m->limit.v == -1 && !swap) ||
	    (swap &&
	     limits_swap_v2(m->swap.v, m->limit.set ? m->limit.v : 0, &v)))
		scope_number(out, "MemorySwapMax", v);
}

static int scope_cpu(struct buf *out, const struct spec_cpu *cpu, bool v2,
		     struct err *err)
{
	int r = 0;

	/* systemd knows an idle group as one of the weight 0. */
	if (v2 && cpu->idle.set && cpu->idle.v == 1)
		scope_number(out, "CPUWeight", 0);
	else if (cpu->shares.set && cpu->shares.v != 0)
		scope_number(out, v2 ? "CPUWeight" : "CPUShares",
			     (int64_t)(v2 ? weight_cpu(cpu->shares.v)
					  : cpu->shares.v));
	scope_put_quota(out, cpu);
	if (cpu->cpus != NULL && cpu->cpus[0] != '\0')
		r = scope_mask(out, "AllowedCPUs", cpu->cpus, err);
	if (r == 0 && cpu->mems != NULL && cpu->mems[0] != '\0')
		r = scope_mask(out, "AllowedMemoryNodes", cpu->mems, err);
	return r;
}

static void scope_device(struct buf *out, const struct devices_rule *r)
{
	const char *type = r->type == 'b' ? "block" : "char";

	if (r->major == DEVICES_ANY && r->minor != DEVICES_ANY)
		return; /* systemd has no word for it */
	if (r->major == DEVICES_ANY)
		buf_printf(out, "DeviceAllow %s-* ", type);
	else if (r->minor == DEVICES_ANY)
		buf_printf(out, "DeviceAllow %s-%" PRId64 " ", type, r->major);
	else
		buf_printf(out, "DeviceAllow /dev/%s/%" PRId64 ":%" PRId64 " ",
			   type, r->major, r->minor);
	buf_printf(out, "%s%s%s\n", r->access & BPF_DEVCG_ACC_READ ? "r" : "",
		   r->access & BPF_DEVCG_ACC_WRITE ? "w" : "",
		   r->access & BPF_DEVCG_ACC_MKNOD ? "m" : "");
}

/* systemd has lists of what is allowed only.  All but something: in v2 it
 * restricts nothing, our own program does; in v1, where there is one list and
 * systemd may write it anew, it is told to allow nothing. */
static int scope_devices(struct buf *out, const struct spec_resources *res,
			 bool v2, struct err *err)
{
	struct devices_set set;
	bool all;
	size_t i;
	int r = devices_effect(res, &set, err);

	if (r < 0)
		return r;
	all = set.all && (v2 || !set.odd);
	buf_printf(out, "DeviceAllow -\nDevicePolicy %s\n",
		   all ? "auto" : "strict");
	for (i = 0; i < set.n; i++)
		scope_device(out, &set.v[i]);
	return 0;
}

static const struct {
	const char *file, *property;
	bool mask;
} scope_unified_rows[] = {
	{"cpu.weight", "CPUWeight", false},
	{"cpuset.cpus", "AllowedCPUs", true},
	{"cpuset.mems", "AllowedMemoryNodes", true},
	{"memory.high", "MemoryHigh", false},
	{"memory.low", "MemoryLow", false},
	{"memory.max", "MemoryMax", false},
	{"memory.min", "MemoryMin", false},
	{"memory.swap.max", "MemorySwapMax", false},
	{"pids.max", "TasksMax", false},
};

static int scope_unified_cpu(struct buf *out, const char *value,
			     struct err *err)
{
	struct spec_cpu cpu = {.quota = {.v = -1, .set = true}};
	size_t len = strcspn(value, " ");
	uint64_t n = 0;

	if (strncmp(value, "max", len) != 0) {
		if (!num_parse_u64(value, len, INT64_MAX, &n))
			return err_set(err, ERR_INPUT,
				       "resources: unified: cpu.max");
		cpu.quota.v = (int64_t)n;
	}
	value += len + strspn(value + len, " ");
	cpu.period = (struct decode_u64){.v = SCOPE_PERIOD_US, .set = true};
	if (*value != '\0' &&
	    !num_parse_u64(value, strlen(value), 1000000, &cpu.period.v))
		return err_set(err, ERR_INPUT, "resources: unified: cpu.max");
	scope_put_quota(out, &cpu);
	return 0;
}

/* Files that systemd has a property for; the others are written alone. */
static int scope_unified(struct buf *out, const char *file, const char *value,
			 struct err *err)
{
	uint64_t n = 0;
	size_t i;

	if (strcmp(file, "cpu.max") == 0)
		return scope_unified_cpu(out, value, err);
	if (strcmp(file, "cpu.idle") == 0 && strcmp(value, "1") == 0)
		scope_number(out, "CPUWeight", 0);
	for (i = 0;
	     i < sizeof(scope_unified_rows) / sizeof(scope_unified_rows[0]);
	     i++) {
		const char *name = scope_unified_rows[i].property;

		if (strcmp(file, scope_unified_rows[i].file) != 0)
			continue;
		if (scope_unified_rows[i].mask)
			return scope_mask(out, name, value, err);
		if (strcmp(value, "max") == 0)
			scope_number(out, name, -1);
		else if (num_parse_u64(value, strlen(value), INT64_MAX, &n))
			scope_number(out, name, (int64_t)n);
		else
			return err_set(err, ERR_INPUT,
				       "resources: unified: %s: want a number "
				       "or max",
				       file);
	}
	return 0;
}

int scope_properties(const struct spec_resources *res, bool v2,
		     bool with_devices, struct buf *out, struct err *err)
{
	const struct decode_i64 *pids = &res->pids.limit;
	size_t i;
	int r = with_devices ? scope_devices(out, res, v2, err) : 0;

	if (r == 0)
		scope_memory(out, &res->memory, v2);
	if (r == 0)
		r = scope_cpu(out, &res->cpu, v2, err);
	if (r == 0 && !v2 && res->block.weight.set && res->block.weight.v != 0)
		scope_number(out, "BlockIOWeight",
			     (int64_t)res->block.weight.v);
	if (r == 0 && pids->set)
		scope_number(out, "TasksMax", pids->v == 0 ? 1 : pids->v);
	for (i = 0; v2 && r == 0 && i + 1 < res->unified.n; i += 2)
		r = scope_unified(out, res->unified.v[i], res->unified.v[i + 1],
				  err);
	return r == 0 ? buf_check(out, err) : r;
}
