/* filter.c - see filter.h. */
#include "engine/confine/filter.h"

#include "engine/sys/esys.h"
#include "lib/file.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct filter_action {
	const char *name;
	uint32_t action;
	bool has_errno;
} filter_actions[] = {
	{"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW, false},
	{"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0), true},
	{"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD, false},
	{"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS, false},
	{"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD, false},
	{"SCMP_ACT_LOG", SCMP_ACT_LOG, false},
	{"SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY, false},
	{"SCMP_ACT_TRACE", SCMP_ACT_TRACE(0), true},
	{"SCMP_ACT_TRAP", SCMP_ACT_TRAP, false},
};

static const struct filter_op {
	const char *name;
	enum scmp_compare op;
} filter_ops[] = {
	{"SCMP_CMP_EQ", SCMP_CMP_EQ},
	{"SCMP_CMP_GE", SCMP_CMP_GE},
	{"SCMP_CMP_GT", SCMP_CMP_GT},
	{"SCMP_CMP_LE", SCMP_CMP_LE},
	{"SCMP_CMP_LT", SCMP_CMP_LT},
	{"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
	{"SCMP_CMP_NE", SCMP_CMP_NE},
};

/* All of the specification; libseccomp need not know each. */
static const char *const filter_archs[] = {
	"SCMP_ARCH_AARCH64",	 "SCMP_ARCH_ARM",    "SCMP_ARCH_LOONGARCH64",
	"SCMP_ARCH_M68K",	 "SCMP_ARCH_MIPS",   "SCMP_ARCH_MIPS64",
	"SCMP_ARCH_MIPS64N32",	 "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64",
	"SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64",
	"SCMP_ARCH_PPC",	 "SCMP_ARCH_PPC64",  "SCMP_ARCH_PPC64LE",
	"SCMP_ARCH_RISCV64",	 "SCMP_ARCH_S390",   "SCMP_ARCH_S390X",
	"SCMP_ARCH_SH",		 "SCMP_ARCH_SHEB",   "SCMP_ARCH_X32",
	"SCMP_ARCH_X86",	 "SCMP_ARCH_X86_64",
};

/* Those that a kernel of ours can run.  Code for others would only make the
 * filter longer: their calls cannot come, and would be killed. */
static const struct filter_arch {
	const char *name;
	uint32_t arch;
} filter_here[] = {
#if defined(__x86_64__)
	{"SCMP_ARCH_X86_64", SCMP_ARCH_X86_64},
	{"SCMP_ARCH_X86", SCMP_ARCH_X86},
	{"SCMP_ARCH_X32", SCMP_ARCH_X32},
#elif defined(__aarch64__)
	{"SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64},
	{"SCMP_ARCH_ARM", SCMP_ARCH_ARM},
#else
#error "name the architectures of this machine here"
#endif
};

#define FILTER_X32_BIT 0x40000000u
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct {
	const char *name;
	unsigned int flag;
} filter_flags[] = {
	{"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
	{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
	{"SECCOMP_FILTER_FLAG_TSYNC", 0}, /* one thread: nothing to do */
	{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
	 SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
};

const char *filter_action_name(size_t i)
{
	return i < COUNT(filter_actions) ? filter_actions[i].name : NULL;
}

const char *filter_op_name(size_t i)
{
	return i < COUNT(filter_ops) ? filter_ops[i].name : NULL;
}

const char *filter_arch_name(size_t i)
{
	return i < COUNT(filter_archs) ? filter_archs[i] : NULL;
}

const char *filter_flag_name(size_t i)
{
	return i < COUNT(filter_flags) ? filter_flags[i].name : NULL;
}

static int filter_unknown(struct err *err, const char *what, const char *name)
{
	char safe[64];

	return err_set(err, ERR_INPUT, "config: linux.seccomp: %s \"%s\"", what,
		       text_safe(safe, sizeof(safe), name, strlen(name)));
}

static int filter_action(const char *name, const struct decode_u64 *ret,
			 uint32_t *out, struct err *err)
{
	size_t i;

	for (i = 0; i < COUNT(filter_actions); i++) {
		if (strcmp(name, filter_actions[i].name) != 0)
			continue;
		*out = filter_actions[i].action;
		if (!filter_actions[i].has_errno && ret->set && ret->v != 0)
			return filter_unknown(err, "errnoRet goes not with",
					      name);
		if (ret->set && ret->v > 0xffff)
			return filter_unknown(err, "errnoRet too large for",
					      name);
		if (filter_actions[i].has_errno)
			*out |= ret->set ? (uint32_t)ret->v : (uint32_t)EPERM;
		return 0;
	}
	return filter_unknown(err, "unknown action", name);
}

static bool filter_known_arch(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(filter_archs); i++)
		if (strcmp(name, filter_archs[i]) == 0)
			return true;
	return false;
}

static bool filter_has_arch(const struct spec_seccomp *s,
			    const struct filter_arch *a)
{
	size_t i;

	for (i = 0; i < s->archs.n; i++)
		if (strcmp(s->archs.v[i], a->name) == 0)
			return true;
	return false;
}

static int filter_add_archs(scmp_filter_ctx ctx, const struct spec_seccomp *s,
			    struct err *err)
{
	size_t i;
	int r;

	for (i = 0; i < s->archs.n; i++)
		if (!filter_known_arch(s->archs.v[i]))
			return filter_unknown(err, "unknown architecture",
					      s->archs.v[i]);
	for (i = 0; i < COUNT(filter_here); i++) {
		if (!filter_has_arch(s, &filter_here[i]))
			continue;
		r = seccomp_arch_add(ctx, filter_here[i].arch);
		if (r < 0 && r != -EEXIST)
			return err_sys(err, -r, "seccomp: add %s",
				       filter_here[i].name);
	}
	return 0;
}

static int filter_args(const struct spec_syscall *call,
		       struct scmp_arg_cmp out[6], struct err *err)
{
	size_t i, k;

	if (call->n_args > 6)
		return filter_unknown(err, "more than 6 conditions for",
				      call->names.n > 0 ? call->names.v[0]
							: "");
	for (i = 0; i < call->n_args; i++) {
		const struct spec_syscall_arg *a = &call->args[i];

		for (k = 0; k < COUNT(filter_ops); k++)
			if (strcmp(a->op, filter_ops[k].name) == 0)
				break;
		if (k == COUNT(filter_ops) || a->index > 5)
			return filter_unknown(err, "bad condition", a->op);
		out[i].arg = a->index;
		out[i].op = filter_ops[k].op;
		out[i].datum_a = a->value.v;
		out[i].datum_b = a->value_two.v;
	}
	return 0;
}

static bool filter_same_arg(const struct spec_syscall *call)
{
	size_t i, k;

	for (i = 0; i < call->n_args; i++)
		for (k = i + 1; k < call->n_args; k++)
			if (call->args[i].index == call->args[k].index)
				return true;
	return false;
}

/* Conditions of one rule are joined by AND; libseccomp takes one comparison
 * an argument, so that several of the same argument become several rules, as
 * the other runtimes do (they are then joined by OR, see E61). */
static int filter_add_rule(scmp_filter_ctx ctx, uint32_t action, int nr,
			   const struct spec_syscall *call,
			   const struct scmp_arg_cmp *args)
{
	unsigned int n = (unsigned int)call->n_args, i;
	int r = 0;

	if (!filter_same_arg(call))
		return seccomp_rule_add_array(ctx, action, nr, n, args);
	for (i = 0; i < n && r == 0; i++)
		r = seccomp_rule_add_array(ctx, action, nr, 1, &args[i]);
	return r;
}

static int filter_add_call(scmp_filter_ctx ctx, const struct spec_syscall *call,
			   uint32_t fallback, struct err *err)
{
	struct scmp_arg_cmp args[6] = {{.arg = 0}};
	uint32_t action = 0;
	size_t i;
	int r;

	r = filter_action(call->action, &call->errno_ret, &action, err);
	if (r == 0)
		r = filter_args(call, args, err);
	if (r < 0)
		return r;
	if (action == fallback)
		return 0;
	for (i = 0; i < call->names.n; i++) {
		int nr = seccomp_syscall_resolve_name(call->names.v[i]);

		if (nr == __NR_SCMP_ERROR)
			continue;
		r = filter_add_rule(ctx, action, nr, call, args);
		if (r < 0 && r != -EEXIST && r != -EDOM)
			return err_sys(err, -r, "seccomp: rule for %s",
				       call->names.v[i]);
	}
	return 0;
}

static bool filter_notifies(const struct spec_seccomp *s)
{
	size_t i;

	for (i = 0; i < s->n_calls; i++)
		if (strcmp(s->calls[i].action, "SCMP_ACT_NOTIFY") == 0)
			return true;
	return false;
}

/* Without a listener nobody waits, and the kernel takes this flag for an
 * error. */
static int filter_read_flags(const struct spec_seccomp *s, unsigned int *out,
			     struct err *err)
{
	unsigned int flags = 0;
	size_t i, k;

	for (i = 0; i < s->flags.n; i++) {
		for (k = 0; k < COUNT(filter_flags); k++)
			if (strcmp(s->flags.v[i], filter_flags[k].name) == 0)
				break;
		if (k == COUNT(filter_flags))
			return filter_unknown(err, "unsupported flag",
					      s->flags.v[i]);
		flags |= filter_flags[k].flag;
	}
	if (filter_notifies(s))
		flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	else
		flags &= ~(unsigned int)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	*out = flags;
	return 0;
}

/* The listener gets its descriptor before the program begins; `write` and a
 * default are refused since the other runtimes need the one and cannot do the
 * other: such a profile would work nowhere else. */
static int filter_check_notify(const struct spec_seccomp *s, struct err *err)
{
	bool path = s->listener_path != NULL && s->listener_path[0] != '\0';
	size_t i, k;

	if (s->listener_metadata != NULL && s->listener_metadata[0] != '\0' &&
	    !path)
		return err_set(err, ERR_INPUT,
			       "config: linux.seccomp.listenerMetadata wants "
			       "listenerPath");
	if (strcmp(s->default_action, "SCMP_ACT_NOTIFY") == 0)
		return err_set(err, ERR_INPUT,
			       "config: linux.seccomp: SCMP_ACT_NOTIFY cannot "
			       "be used as default action");
	if (!filter_notifies(s))
		return 0;
	if (!path)
		return err_set(err, ERR_INPUT,
			       "config: linux.seccomp: SCMP_ACT_NOTIFY wants "
			       "listenerPath");
	for (i = 0; i < s->n_calls; i++)
		for (k = 0; k < s->calls[i].names.n; k++)
			if (strcmp(s->calls[i].action, "SCMP_ACT_NOTIFY") ==
				    0 &&
			    strcmp(s->calls[i].names.v[k], "write") == 0)
				return err_set(
					err, ERR_INPUT,
					"config: linux.seccomp: "
					"SCMP_ACT_NOTIFY cannot be used for "
					"the write syscall");
	return 0;
}

int filter_check(const struct spec_seccomp *s, struct err *err)
{
	unsigned int flags;
	int r;

	if (s == NULL)
		return 0;
	r = filter_check_notify(s, err);
	return r < 0 ? r : filter_read_flags(s, &flags, err);
}

/* See filter.h, ENOSYS: the instructions that go in front. */
static void filter_put_front(struct buf *b, uint32_t arch, int highest)
{
	const struct sock_filter front[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FILTER_X32_BIT, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)highest, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};

	buf_put(b, front, sizeof(front));
}

/* i386 has the calls of sockets and System V IPC twice: for those libseccomp
 * has negative numbers of its own, the kernel 359 to 402. */
#define FILTER_PSEUDO (-1000)
#define FILTER_MULTIPLEXED_LAST 402

static int filter_highest(const struct spec_seccomp *s, uint32_t arch)
{
	int highest = -1;
	size_t i, k;

	for (i = 0; i < s->n_calls; i++)
		for (k = 0; k < s->calls[i].names.n; k++) {
			int nr = seccomp_syscall_resolve_name_arch(
				arch, s->calls[i].names.v[k]);

			if (nr < __NR_SCMP_ERROR && nr > FILTER_PSEUDO)
				nr = FILTER_MULTIPLEXED_LAST;
			if (nr > highest)
				highest = nr;
		}
	return highest;
}

/* x32 has the numbers and the identity of x86-64 with one bit more: what it
 * does not know stays with the filter. */
static void filter_put_fronts(struct buf *b, const struct spec_seccomp *s)
{
	size_t i;
	int highest;

	for (i = 0; i < COUNT(filter_here); i++) {
		const struct filter_arch *a = &filter_here[i];

		if (a->arch == SCMP_ARCH_X32 ||
		    (a->arch != seccomp_arch_native() &&
		     !filter_has_arch(s, a)))
			continue;
		highest = filter_highest(s, a->arch);
		if (highest >= 0)
			filter_put_front(b, a->arch, highest);
	}
}

static int filter_export(scmp_filter_ctx ctx, const struct spec_seccomp *s,
			 uint32_t fallback, struct filter *out, struct err *err)
{
	struct buf b;
	int fd = memfd_create("filter", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "memfd_create");
	buf_init(&b, FILTER_MAX_INSNS * FILTER_INSN_BYTES);
	if (fallback == SCMP_ACT_ERRNO(EPERM))
		filter_put_fronts(&b, s);
	r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		r = err_sys(err, -r, "seccomp: compile");
	else if (lseek(fd, 0, SEEK_SET) < 0)
		r = err_sys(err, errno, "seccomp: compile");
	else
		r = file_read_fd(fd, FILTER_MAX_INSNS * FILTER_INSN_BYTES, &b,
				 err);
	(void)close(fd);
	if (r == 0) {
		out->n = b.len / FILTER_INSN_BYTES;
		out->bpf = buf_steal(&b, NULL);
	}
	buf_release(&b);
	return r;
}

int filter_compile(const struct spec_seccomp *s, struct filter *out,
		   struct err *err)
{
	struct filter f = {.bpf = NULL};
	scmp_filter_ctx ctx;
	uint32_t fallback = 0;
	size_t i;
	int r;

	*out = f;
	if (s == NULL)
		return 0;
	r = filter_action(s->default_action, &s->default_errno, &fallback, err);
	if (r == 0)
		r = filter_read_flags(s, &f.flags, err);
	if (r < 0)
		return r;
	ctx = seccomp_init(fallback);
	if (ctx == NULL)
		return err_set(err, ERR_NOMEM, "seccomp: no memory");
	r = filter_add_archs(ctx, s, err);
	/* Other ABIs are not an error to be handled but an attack (E60). */
	if (r == 0)
		(void)seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
				       SCMP_ACT_KILL_PROCESS);
	if (r == 0)
		(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (i = 0; i < s->n_calls && r == 0; i++)
		r = filter_add_call(ctx, &s->calls[i], fallback, err);
	if (r == 0)
		r = filter_export(ctx, s, fallback, &f, err);
	seccomp_release(ctx);
	if (r == 0)
		*out = f;
	return r;
}

void filter_release(struct filter *f)
{
	free(f->bpf);
	*f = (struct filter){.bpf = NULL};
}

bool filter_has_listener(const struct filter *f)
{
	return (f->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
}

int filter_load(const struct filter *f, int *out_listener, struct err *err)
{
	struct sock_fprog prog = {.len = (unsigned short)f->n,
				  .filter = f->bpf};
	int fd;

	if (f->n == 0)
		return 0;
	if (f->n > FILTER_MAX_INSNS)
		return err_set(err, ERR_LIMIT, "seccomp: %zu instructions",
			       f->n);
	fd = esys_seccomp(SECCOMP_SET_MODE_FILTER, f->flags, &prog);
	if (fd < 0)
		return err_sys(err, errno, "seccomp: load %zu instructions",
			       f->n);
	if (filter_has_listener(f))
		*out_listener = fd;
	return 0;
}
