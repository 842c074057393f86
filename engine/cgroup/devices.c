/* devices.c - see devices.h. */
#include "engine/cgroup/devices.h"

#include "engine/cgroup/cgfile.h"
#include "engine/sys/esys.h"
#include "lib/text.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#define ANY (-1)

struct devices_rule {
	char type; /* 'a', 'b' or 'c' */
	bool allow;
	int64_t major, minor; /* ANY */
	unsigned int access;  /* BPF_DEVCG_ACC_* */
};

#define RWM (BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE | BPF_DEVCG_ACC_MKNOD)

/* The nodes that rootfs makes, terminals of the container's own devpts. */
static const struct devices_rule devices_standard[] = {
	{'c', true, 1, 3, RWM}, {'c', true, 1, 5, RWM},
	{'c', true, 1, 7, RWM}, {'c', true, 1, 8, RWM},
	{'c', true, 1, 9, RWM}, {'c', true, 5, 0, RWM},
	{'c', true, 5, 2, RWM}, {'c', true, 136, ANY, RWM},
};

#define DEVICES_STANDARD                                                       \
	(sizeof(devices_standard) / sizeof(devices_standard[0]))

static int devices_rule(const struct spec_resources *res, size_t i,
			struct devices_rule *out, struct err *err)
{
	const struct spec_dev_rule *r;
	const char *c;

	if (i >= res->n_devices) {
		*out = devices_standard[i - res->n_devices];
		return 0;
	}
	r = &res->devices[i];
	*out = (struct devices_rule){.type = 'a',
				     .allow = r->allow,
				     .major = r->major.set ? r->major.v : ANY,
				     .minor = r->minor.set ? r->minor.v : ANY,
				     .access = 0};
	if (r->type != NULL && r->type[0] != '\0')
		out->type = r->type[0];
	if (strchr("abcu", out->type) == NULL ||
	    (r->type != NULL && r->type[0] != '\0' && r->type[1] != '\0'))
		return err_set(err, ERR_INPUT,
			       "resources: devices[%zu].type: want a, b or c",
			       i);
	if (out->type == 'u')
		out->type = 'c';
	for (c = r->access != NULL ? r->access : ""; *c != '\0'; c++) {
		if (strchr("rwm", *c) == NULL)
			return err_set(err, ERR_INPUT,
				       "resources: devices[%zu].access: want "
				       "r, w and m",
				       i);
		out->access |= *c == 'r'   ? (unsigned int)BPF_DEVCG_ACC_READ
			       : *c == 'w' ? (unsigned int)BPF_DEVCG_ACC_WRITE
					   : (unsigned int)BPF_DEVCG_ACC_MKNOD;
	}
	if (out->access == 0)
		out->access = RWM;
	return 0;
}

static bool devices_is_all(const struct devices_rule *r)
{
	return r->type == 'a' && r->major == ANY && r->minor == ANY &&
	       r->access == RWM;
}

static void devices_number(char *out, size_t len, int64_t n)
{
	if (n == ANY)
		(void)snprintf(out, len, "*");
	else
		(void)snprintf(out, len, "%" PRId64, n);
}

static int devices_put_v1(int dirfd, const struct devices_rule *r, char type,
			  struct err *err)
{
	char text[64], major[24], minor[24];

	devices_number(major, sizeof(major), r->major);
	devices_number(minor, sizeof(minor), r->minor);
	(void)snprintf(text, sizeof(text), "%c %s:%s %s%s%s", type, major,
		       minor, r->access & BPF_DEVCG_ACC_READ ? "r" : "",
		       r->access & BPF_DEVCG_ACC_WRITE ? "w" : "",
		       r->access & BPF_DEVCG_ACC_MKNOD ? "m" : "");
	return cgfile_write(dirfd, r->allow ? "devices.allow" : "devices.deny",
			    text, err);
}

int devices_write_v1(int dirfd, const struct spec_resources *res,
		     struct err *err)
{
	struct devices_rule rule;
	size_t i;
	int r = 0;

#ifdef GUARD_OFF_DEVICES
	return 0;
#endif
	r = cgfile_write(dirfd, "devices.deny", "a", err);
	for (i = 0; i < res->n_devices + DEVICES_STANDARD && r == 0; i++) {
		r = devices_rule(res, i, &rule, err);
		if (r < 0)
			break;
		if (devices_is_all(&rule)) {
			r = cgfile_write(dirfd,
					 rule.allow ? "devices.allow"
						    : "devices.deny",
					 "a", err);
			continue;
		}
		/* The kernel takes "a" only for everything. */
		if (rule.type == 'a') {
			r = devices_put_v1(dirfd, &rule, 'b', err);
			if (r == 0)
				r = devices_put_v1(dirfd, &rule, 'c', err);
			continue;
		}
		r = devices_put_v1(dirfd, &rule, rule.type, err);
	}
	return r;
}

struct devices_program {
	struct bpf_insn *out;
	size_t n, max;
};

/* struct bpf_insn by its layout in memory: its registers are bit fields. */
static void devices_emit(struct devices_program *p, uint8_t code, uint8_t dst,
			 uint8_t src, int16_t off, int32_t imm)
{
	uint64_t raw = code | (uint64_t)(dst & 0xf) << 8 |
		       (uint64_t)(src & 0xf) << 12 |
		       (uint64_t)(uint16_t)off << 16 |
		       (uint64_t)(uint32_t)imm << 32;

	if (p->n < p->max)
		memcpy(&p->out[p->n], &raw, sizeof(raw));
	p->n++;
}

/* r2 type, r3 access wanted, r4 major, r5 minor. */
static void devices_emit_head(struct devices_program *p)
{
	const uint8_t load = BPF_LDX | BPF_W | BPF_MEM;

	devices_emit(p, load, 2, 1, 0, 0);
	devices_emit(p, BPF_ALU | BPF_MOV | BPF_X, 3, 2, 0, 0);
	devices_emit(p, BPF_ALU | BPF_AND | BPF_K, 2, 0, 0, 0xffff);
	devices_emit(p, BPF_ALU | BPF_RSH | BPF_K, 3, 0, 0, 16);
	devices_emit(p, load, 4, 1, 4, 0);
	devices_emit(p, load, 5, 1, 8, 0);
}

/* One rule: its conditions jump over its verdict.  An allow must cover all
 * that is wanted, a deny bites on any of it. */
static void devices_emit_rule(struct devices_program *p,
			      const struct devices_rule *r)
{
	size_t jumps[4], n = 0, i;

	if (r->type != 'a') {
		jumps[n++] = p->n;
		devices_emit(p, BPF_JMP | BPF_JNE | BPF_K, 2, 0, 0,
			     r->type == 'b' ? BPF_DEVCG_DEV_BLOCK
					    : BPF_DEVCG_DEV_CHAR);
	}
	if (r->access != RWM) {
		devices_emit(p, BPF_ALU | BPF_MOV | BPF_X, 1, 3, 0, 0);
		devices_emit(p, BPF_ALU | BPF_AND | BPF_K, 1, 0, 0,
			     (int32_t)r->access);
		jumps[n++] = p->n;
		if (r->allow)
			devices_emit(p, BPF_JMP | BPF_JNE | BPF_X, 1, 3, 0, 0);
		else
			devices_emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0, 0);
	}
	if (r->major != ANY) {
		jumps[n++] = p->n;
		devices_emit(p, BPF_JMP | BPF_JNE | BPF_K, 4, 0, 0,
			     (int32_t)r->major);
	}
	if (r->minor != ANY) {
		jumps[n++] = p->n;
		devices_emit(p, BPF_JMP | BPF_JNE | BPF_K, 5, 0, 0,
			     (int32_t)r->minor);
	}
	devices_emit(p, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, r->allow);
	devices_emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	for (i = 0; i < n; i++)
		if (jumps[i] < p->max)
			p->out[jumps[i]].off = (int16_t)(p->n - jumps[i] - 1);
}

/* The last rule that speaks of a device decides, so it is asked first; after
 * one that speaks of all, the earlier ones are never reached. */
int devices_program(const struct spec_resources *res, struct bpf_insn *out,
		    size_t max, size_t *out_n, struct err *err)
{
	struct devices_program p = {.out = out, .max = max};
	size_t i = res->n_devices + DEVICES_STANDARD;
	struct devices_rule rule = {.type = 'c'};
	int r;

	devices_emit_head(&p);
	while (i-- > 0) {
		r = devices_rule(res, i, &rule, err);
		if (r < 0)
			return r;
		devices_emit_rule(&p, &rule);
		if (devices_is_all(&rule))
			break;
	}
	if (!devices_is_all(&rule)) {
		devices_emit(&p, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
		devices_emit(&p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	}
	if (p.n > max)
		return err_set(err, ERR_LIMIT,
			       "resources: devices: too many rules");
	*out_n = p.n;
	return 0;
}

int devices_attach_v2(int dirfd, const struct spec_resources *res,
		      struct err *err)
{
	struct bpf_insn insns[DEVICES_PROGRAM_MAX];
	union bpf_attr load, attach;
	size_t n = 0;
	int prog, r;

#ifdef GUARD_OFF_DEVICES
	return 0;
#endif
	r = devices_program(res, insns, DEVICES_PROGRAM_MAX, &n, err);
	if (r < 0)
		return r;
	memset(&load, 0, sizeof(load));
	load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	load.insns = (uint64_t)(uintptr_t)insns;
	load.insn_cnt = (uint32_t)n;
	load.license = (uint64_t)(uintptr_t) "Apache-2.0";
	prog = esys_bpf(BPF_PROG_LOAD, &load, sizeof(load));
	if (prog < 0)
		return err_sys(err, errno, "cgroup: load the device program");
	memset(&attach, 0, sizeof(attach));
	attach.target_fd = (uint32_t)dirfd;
	attach.attach_bpf_fd = (uint32_t)prog;
	attach.attach_type = BPF_CGROUP_DEVICE;
	attach.attach_flags = BPF_F_ALLOW_MULTI;
	if (esys_bpf(BPF_PROG_ATTACH, &attach, sizeof(attach)) < 0)
		r = err_sys(err, errno, "cgroup: attach the device program");
	(void)close(prog);
	return r;
}
