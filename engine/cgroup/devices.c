/* devices.c - see devices.h. */
#include "engine/cgroup/devices.h"

#include "engine/cgroup/cgfile.h"
#include "engine/sys/esys.h"
#include "lib/num.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#define ANY DEVICES_ANY

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

static unsigned int devices_access(char c)
{
	return c == 'r'	  ? (unsigned int)BPF_DEVCG_ACC_READ
	       : c == 'w' ? (unsigned int)BPF_DEVCG_ACC_WRITE
	       : c == 'm' ? (unsigned int)BPF_DEVCG_ACC_MKNOD
			  : 0;
}

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
		if (devices_access(*c) == 0)
			return err_set(err, ERR_INPUT,
				       "resources: devices[%zu].access: want "
				       "r, w and m",
				       i);
		out->access |= devices_access(*c);
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

/* devices.allow and devices.deny of a group, opened once; one write a rule. */
struct devices_files {
	int allow, deny;
};

static int devices_open(int dirfd, struct devices_files *f, struct err *err)
{
	f->allow = openat(dirfd, "devices.allow",
			  O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (f->allow < 0)
		return err_sys(err, errno, "cgroup: open devices.allow");
	f->deny = openat(dirfd, "devices.deny",
			 O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (f->deny >= 0)
		return 0;
	(void)close(f->allow);
	return err_sys(err, errno, "cgroup: open devices.deny");
}

static void devices_close(const struct devices_files *f)
{
	(void)close(f->allow);
	(void)close(f->deny);
}

static int devices_put(const struct devices_files *f, bool allow,
		       const char *text, struct err *err)
{
	size_t len = strlen(text);

	if (write(allow ? f->allow : f->deny, text, len) == (ssize_t)len)
		return 0;
	return err_sys(err, errno, "cgroup: write \"%s\" to devices.%s", text,
		       allow ? "allow" : "deny");
}

static int devices_put_rule(const struct devices_files *f,
			    const struct devices_rule *r, struct err *err)
{
	char text[64], major[24], minor[24];

	if (devices_is_all(r))
		return devices_put(f, r->allow, "a", err);
	devices_number(major, sizeof(major), r->major);
	devices_number(minor, sizeof(minor), r->minor);
	(void)snprintf(text, sizeof(text), "%c %s:%s %s%s%s", r->type, major,
		       minor, r->access & BPF_DEVCG_ACC_READ ? "r" : "",
		       r->access & BPF_DEVCG_ACC_WRITE ? "w" : "",
		       r->access & BPF_DEVCG_ACC_MKNOD ? "m" : "");
	return devices_put(f, r->allow, text, err);
}

int devices_write_v1(int dirfd, const struct spec_resources *res,
		     struct err *err)
{
	struct devices_files f;
	struct devices_rule rule, block;
	size_t i;
	int r;

#ifdef GUARD_OFF_DEVICES
	return 0;
#endif
	r = devices_open(dirfd, &f, err);
	if (r < 0)
		return r;
	r = devices_put(&f, false, "a", err);
	for (i = 0; i < res->n_devices + DEVICES_STANDARD && r == 0; i++) {
		r = devices_rule(res, i, &rule, err);
		/* The kernel takes "a" only for everything. */
		if (r == 0 && rule.type == 'a' && !devices_is_all(&rule)) {
			block = rule;
			block.type = 'b';
			rule.type = 'c';
			r = devices_put_rule(&f, &block, err);
		}
		if (r == 0)
			r = devices_put_rule(&f, &rule, err);
	}
	devices_close(&f);
	return r;
}

static struct devices_rule *devices_same(struct devices_set *set,
					 const struct devices_rule *r)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (set->v[i].type == r->type && set->v[i].major == r->major &&
		    set->v[i].minor == r->minor)
			return &set->v[i];
	return NULL;
}

/* As the kernel's v1 list does it: a rule meets only its own kind. */
static int devices_apply(struct devices_set *set, const struct devices_rule *r,
			 struct err *err)
{
	struct devices_rule *have = devices_same(set, r);

	set->odd = set->odd || (set->all && !r->allow);
	if (set->all || (have == NULL && !r->allow))
		return 0;
	if (have == NULL && set->n == DEVICES_SET_MAX)
		return err_set(err, ERR_LIMIT,
			       "resources: devices: too many rules");
	if (have == NULL)
		set->v[set->n++] = *r;
	else if (r->allow)
		have->access |= r->access;
	else
		have->access &= ~r->access;
	if (have != NULL && have->access == 0)
		*have = set->v[--set->n];
	return 0;
}

int devices_effect(const struct spec_resources *res, struct devices_set *out,
		   struct err *err)
{
	struct devices_rule rule, block;
	size_t i;
	int r = 0;

	out->n = 0;
	out->all = out->odd = false;
	for (i = 0; i < res->n_devices + DEVICES_STANDARD && r == 0; i++) {
		r = devices_rule(res, i, &rule, err);
		if (r == 0 && devices_is_all(&rule)) {
			out->n = 0;
			out->odd = false;
			out->all = rule.allow;
			continue;
		}
		block = rule;
		block.type = 'b';
		if (r == 0 && rule.type == 'a') {
			rule.type = 'c';
			r = devices_apply(out, &block, err);
		}
		if (r == 0)
			r = devices_apply(out, &rule, err);
	}
	return r;
}

/* "*" or a number, up to the character end. */
static const char *devices_parse(const char *at, char end, int64_t *out)
{
	size_t len = strcspn(at, (const char[]){end, '\n', '\0'});

	*out = ANY;
	if (at[len] != end ||
	    (at[0] != '*' && !num_parse_i64(at, len, 0, INT32_MAX, out)))
		return NULL;
	return at + len + 1;
}

/* "c 1:3 rwm", a line of devices.list. */
static bool devices_line(const char *at, struct devices_rule *out)
{
	*out = (struct devices_rule){.type = at[0], .allow = true};
	if (at[0] == '\0' || at[1] != ' ')
		return false;
	at = devices_parse(at + 2, ':', &out->major);
	if (at != NULL)
		at = devices_parse(at, ' ', &out->minor);
	for (; at != NULL && devices_access(*at) != 0; at++)
		out->access |= devices_access(*at);
	return out->access != 0;
}

static void devices_now(int dirfd, struct devices_set *out)
{
	char text[32768];
	struct devices_rule rule;
	const char *at = text;

	*out = (struct devices_set){.odd = true};
	if (cgfile_get(dirfd, "devices.list", text, sizeof(text)) < 0)
		return;
	out->odd = false;
	for (; at != NULL && *at != '\0'; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!devices_line(at, &rule))
			continue;
		if (devices_is_all(&rule))
			out->all = true;
		else if (out->n < DEVICES_SET_MAX)
			out->v[out->n++] = rule;
		else
			out->odd = true;
	}
}

/* What is in from and not in what set allows. */
static int devices_difference(const struct devices_files *f,
			      struct devices_set *from, struct devices_set *set,
			      bool allow, struct err *err)
{
	struct devices_rule rule;
	size_t i;
	int r = 0;

	for (i = 0; i < from->n && r == 0; i++) {
		const struct devices_rule *other =
			devices_same(set, &from->v[i]);

		rule = from->v[i];
		rule.allow = allow;
		rule.access &= other != NULL ? ~other->access : ~0u;
		if (rule.access != 0)
			r = devices_put_rule(f, &rule, err);
	}
	return r;
}

/* A list that is written anew would take everything away for a moment, and is
 * refused where there are groups below. */
int devices_update_v1(int dirfd, const struct spec_resources *res,
		      struct err *err)
{
	struct devices_set now, want;
	struct devices_files f;
	int r = devices_effect(res, &want, err);

	if (r < 0)
		return r;
	devices_now(dirfd, &now);
	if (now.all && want.all && !want.odd)
		return 0;
	if (now.all || now.odd || want.all || want.odd)
		return devices_write_v1(dirfd, res, err);
	r = devices_open(dirfd, &f, err);
	if (r < 0)
		return r;
	r = devices_difference(&f, &now, &want, false, err);
	if (r == 0)
		r = devices_difference(&f, &want, &now, true, err);
	devices_close(&f);
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

/* True if the program behind fd is one of ours. */
static bool devices_is_ours(int fd)
{
	struct bpf_prog_info info;
	union bpf_attr attr;

	memset(&info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uint64_t)(uintptr_t)&info;
	return esys_bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) == 0 &&
	       strcmp(info.name, DEVICES_NAME) == 0;
}

/* Takes away those of ours that were there before; systemd's stay. */
static int devices_detach_old(int dirfd, const uint32_t *ids, uint32_t n,
			      struct err *err)
{
	union bpf_attr attr;
	uint32_t i;
	int fd, r = 0;

	for (i = 0; i < n && r == 0; i++) {
		memset(&attr, 0, sizeof(attr));
		attr.prog_id = ids[i];
		fd = esys_bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr));
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return err_sys(err, errno, "cgroup: device program");
		memset(&attr, 0, sizeof(attr));
		attr.target_fd = (uint32_t)dirfd;
		attr.attach_bpf_fd = (uint32_t)fd;
		attr.attach_type = BPF_CGROUP_DEVICE;
		if (devices_is_ours(fd) &&
		    esys_bpf(BPF_PROG_DETACH, &attr, sizeof(attr)) < 0)
			r = err_sys(err, errno,
				    "cgroup: detach the device program");
		(void)close(fd);
	}
	return r;
}

static int devices_query(int dirfd, uint32_t *ids, uint32_t *out_n,
			 struct err *err)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)dirfd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uint64_t)(uintptr_t)ids;
	attr.query.prog_cnt = DEVICES_PROGRAMS_MAX;
	if (esys_bpf(BPF_PROG_QUERY, &attr, sizeof(attr)) < 0)
		return err_sys(err, errno, "cgroup: list device programs");
	*out_n = attr.query.prog_cnt;
	return 0;
}

static int devices_load(const struct spec_resources *res, int *out_prog,
			struct err *err)
{
	struct bpf_insn insns[DEVICES_PROGRAM_MAX];
	union bpf_attr load;
	size_t n = 0;
	int r = devices_program(res, insns, DEVICES_PROGRAM_MAX, &n, err);

	if (r < 0)
		return r;
	memset(&load, 0, sizeof(load));
	load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	load.insns = (uint64_t)(uintptr_t)insns;
	load.insn_cnt = (uint32_t)n;
	load.license = (uint64_t)(uintptr_t) "Apache-2.0";
	memcpy(load.prog_name, DEVICES_NAME, sizeof(DEVICES_NAME));
	*out_prog = esys_bpf(BPF_PROG_LOAD, &load, sizeof(load));
	if (*out_prog < 0)
		return err_sys(err, errno, "cgroup: load the device program");
	return 0;
}

/* All programs of a group have to allow: between the two steps of a
 * replacement less is allowed, never more. */
int devices_attach_v2(int dirfd, const struct spec_resources *res, bool replace,
		      struct err *err)
{
	uint32_t old[DEVICES_PROGRAMS_MAX], n = 0;
	union bpf_attr attach;
	int prog = -1, r = 0;

#ifdef GUARD_OFF_DEVICES
	return 0;
#endif
	if (replace)
		r = devices_query(dirfd, old, &n, err);
	if (r == 0)
		r = devices_load(res, &prog, err);
	if (r < 0)
		return r;
	memset(&attach, 0, sizeof(attach));
	attach.target_fd = (uint32_t)dirfd;
	attach.attach_bpf_fd = (uint32_t)prog;
	attach.attach_type = BPF_CGROUP_DEVICE;
	attach.attach_flags = BPF_F_ALLOW_MULTI;
	if (esys_bpf(BPF_PROG_ATTACH, &attach, sizeof(attach)) < 0)
		r = err_sys(err, errno, "cgroup: attach the device program");
	if (r == 0)
		r = devices_detach_old(dirfd, old, n, err);
	(void)close(prog);
	return r;
}
