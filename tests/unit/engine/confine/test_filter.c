/*
 * test_filter.c - the compiled program, simulated for all numbers of all
 * architectures, against the profile read by the letter (E58, E60, E61).
 */
#include "engine/confine/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/engine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#define X32_BIT 0x40000000u
#define NUMBERS 1200
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

struct world {
	struct arena *arena;
	struct spec spec;
	struct filter filter;
	int highest, highest_x86; /* numbers that the profile names */
};

/* --- a machine for the program ------------------------------------------- */

static uint32_t load(const struct seccomp_data *d, uint32_t at)
{
	uint32_t v;

	assert_true(at % 4 == 0 && at < sizeof(*d));
	memcpy(&v, (const char *)d + at, sizeof(v));
	return v;
}

static bool jumps(const struct sock_filter *i, uint32_t a)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return a == i->k;
	case BPF_JGT:
		return a > i->k;
	case BPF_JGE:
		return a >= i->k;
	case BPF_JSET:
		return (a & i->k) != 0;
	default:
		fail_msg("jump %x", i->code);
		return false;
	}
}

static uint32_t simulate(const struct filter *f, const struct seccomp_data *d)
{
	const struct sock_filter *prog = f->bpf;
	uint32_t a = 0;
	size_t pc;

	for (pc = 0; pc < f->n; pc++) {
		const struct sock_filter *i = &prog[pc];

		if (i->code == (BPF_LD | BPF_W | BPF_ABS))
			a = load(d, i->k);
		else if (i->code == (BPF_ALU | BPF_AND | BPF_K))
			a &= i->k;
		else if (i->code == (BPF_JMP | BPF_JA))
			pc += i->k;
		else if (BPF_CLASS(i->code) == BPF_JMP)
			pc += jumps(i, a) ? i->jt : i->jf;
		else if (i->code == (BPF_RET | BPF_K))
			return i->k;
		else
			fail_msg("instruction %x", i->code);
	}
	fail_msg("the program has no end");
	return 0;
}

/* --- the profile by the letter ---------------------------------------------
 */

static uint32_t action_of(const char *name, const struct decode_u64 *ret)
{
	uint32_t e = ret->set ? (uint32_t)ret->v : (uint32_t)EPERM;

	if (strcmp(name, "SCMP_ACT_ALLOW") == 0)
		return SECCOMP_RET_ALLOW;
	if (strcmp(name, "SCMP_ACT_ERRNO") == 0)
		return SECCOMP_RET_ERRNO | e;
	if (strcmp(name, "SCMP_ACT_TRACE") == 0)
		return SECCOMP_RET_TRACE | e;
	if (strcmp(name, "SCMP_ACT_KILL_PROCESS") == 0)
		return SECCOMP_RET_KILL_PROCESS;
	if (strcmp(name, "SCMP_ACT_TRAP") == 0)
		return SECCOMP_RET_TRAP;
	if (strcmp(name, "SCMP_ACT_LOG") == 0)
		return SECCOMP_RET_LOG;
	if (strcmp(name, "SCMP_ACT_NOTIFY") == 0)
		return SECCOMP_RET_USER_NOTIF;
	assert_true(strcmp(name, "SCMP_ACT_KILL") == 0 ||
		    strcmp(name, "SCMP_ACT_KILL_THREAD") == 0);
	return SECCOMP_RET_KILL_THREAD;
}

/* i386 and x32 have arguments of 32 bits. */
static bool holds(const struct spec_syscall_arg *c,
		  const struct seccomp_data *d)
{
	bool narrow =
		d->arch == AUDIT_ARCH_I386 || ((uint32_t)d->nr & X32_BIT) != 0;
	uint64_t v = narrow ? (uint32_t)d->args[c->index] : d->args[c->index];
	uint64_t w = c->value.v;

	if (strcmp(c->op, "SCMP_CMP_EQ") == 0)
		return v == w;
	if (strcmp(c->op, "SCMP_CMP_NE") == 0)
		return v != w;
	if (strcmp(c->op, "SCMP_CMP_LT") == 0)
		return v < w;
	if (strcmp(c->op, "SCMP_CMP_LE") == 0)
		return v <= w;
	if (strcmp(c->op, "SCMP_CMP_GT") == 0)
		return v > w;
	if (strcmp(c->op, "SCMP_CMP_GE") == 0)
		return v >= w;
	assert_string_equal(c->op, "SCMP_CMP_MASKED_EQ");
	return (v & w) == (c->value_two.v & w);
}

/* AND of the conditions, but OR where two are about one argument. */
static bool matches(const struct spec_syscall *c, const struct seccomp_data *d)
{
	size_t i, k, n = 0;
	bool same = false;

	for (i = 0; i < c->n_args; i++) {
		n += holds(&c->args[i], d);
		for (k = 0; k < i; k++)
			same |= c->args[i].index == c->args[k].index;
	}
	return same ? n > 0 : n == c->n_args;
}

static bool has_arch(const struct spec_seccomp *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->archs.n; i++)
		if (strcmp(s->archs.v[i], name) == 0)
			return true;
	return false;
}

/* libseccomp's token for what the kernel would say, 0: refused. */
static uint32_t arch_of(const struct spec_seccomp *s,
			const struct seccomp_data *d)
{
	if (d->arch == seccomp_arch_native()) {
		if (d->arch != AUDIT_ARCH_X86_64 ||
		    ((uint32_t)d->nr & X32_BIT) == 0)
			return d->arch;
		return has_arch(s, "SCMP_ARCH_X32") ? SCMP_ARCH_X32 : 0;
	}
	if (d->arch == AUDIT_ARCH_I386)
		return has_arch(s, "SCMP_ARCH_X86") ? SCMP_ARCH_X86 : 0;
	return 0;
}

static const struct spec_syscall *rule_of(const struct spec_seccomp *s,
					  uint32_t arch,
					  const struct seccomp_data *d,
					  bool *out_named)
{
	char *name = seccomp_syscall_resolve_num_arch(arch, d->nr);
	const struct spec_syscall *rule = NULL;
	size_t i, k;

	*out_named = false;
	for (i = 0; i < s->n_calls && name != NULL && rule == NULL; i++)
		for (k = 0; k < s->calls[i].names.n; k++) {
			if (strcmp(s->calls[i].names.v[k], name) != 0)
				continue;
			*out_named = true;
			if (matches(&s->calls[i], d))
				rule = &s->calls[i];
		}
	free(name);
	return rule;
}

static int highest_of(const struct spec_seccomp *s, uint32_t arch)
{
	struct seccomp_data d = {.nr = NUMBERS};
	bool named = false;

	while (d.nr > 0 && !named) {
		d.nr--;
		(void)rule_of(s, arch, &d, &named);
	}
	return named ? d.nr : -1;
}

static uint32_t by_letter(const struct world *w, const struct seccomp_data *d)
{
	const struct spec_seccomp *s = w->spec.linux_.seccomp;
	uint32_t fallback = action_of(s->default_action, &s->default_errno);
	uint32_t arch = arch_of(s, d);
	int highest = arch == SCMP_ARCH_X86 ? w->highest_x86 : w->highest;
	const struct spec_syscall *rule;
	bool named = false;

	if (arch == 0)
		return SECCOMP_RET_KILL_PROCESS;
	rule = rule_of(s, arch, d, &named);
	if (rule != NULL)
		return action_of(rule->action, &rule->errno_ret);
	if (fallback == (SECCOMP_RET_ERRNO | EPERM) && highest >= 0 &&
	    d->nr > highest && (uint32_t)d->nr < X32_BIT)
		return SECCOMP_RET_ERRNO | ENOSYS;
	return fallback;
}

/* --- comparing ---------------------------------------------------------------
 */

static void compile(struct world *w, const char *seccomp)
{
	struct err err = {0};
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_printf(&b,
		   "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"x\"},"
		   "\"process\":{\"cwd\":\"/\",\"args\":[\"a\"]},\"linux\":{"
		   "\"namespaces\":[{\"type\":\"mount\"}],\"seccomp\":%s}}",
		   seccomp);
	w->arena = arena_new(1 << 22);
	assert_int_equal(spec_read(b.data, b.len, w->arena, &w->spec, &err), 0);
	assert_int_equal(filter_check(w->spec.linux_.seccomp, &err), 0);
	assert_int_equal(
		filter_compile(w->spec.linux_.seccomp, &w->filter, &err), 0);
	w->highest = highest_of(w->spec.linux_.seccomp, seccomp_arch_native());
	w->highest_x86 = highest_of(w->spec.linux_.seccomp, SCMP_ARCH_X86);
	buf_release(&b);
}

static void discard(struct world *w)
{
	filter_release(&w->filter);
	arena_free(w->arena);
}

static void same(const struct world *w, struct seccomp_data d)
{
	uint32_t want = by_letter(w, &d);
	uint32_t have = simulate(&w->filter, &d);

	if (want != have)
		fail_msg("arch %x nr %d args %llx %llx: want %x, have %x",
			 d.arch, d.nr, (unsigned long long)d.args[0],
			 (unsigned long long)d.args[1], want, have);
}

/* i386 has socketcall and ipc, behind which libseccomp puts the rules of many
 * calls. */
static bool multiplexer(uint32_t arch, int nr)
{
	return arch == AUDIT_ARCH_I386 && (nr == 102 || nr == 117);
}

static void same_all(const struct world *w)
{
	static const uint32_t archs[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386,
					 AUDIT_ARCH_AARCH64, AUDIT_ARCH_S390};
	static const uint32_t bits[] = {0, X32_BIT};
	static const uint64_t args[] = {
		0, 1, 38, 0x20000, 0xffffffff, 0x10000000, UINT64_MAX};
	size_t a, b, i;
	int nr;

	for (a = 0; a < COUNT(archs); a++)
		for (b = 0; b < COUNT(bits); b++)
			for (nr = 0; nr < NUMBERS; nr++) {
				if (multiplexer(archs[a], nr))
					continue;
				for (i = 0; i < COUNT(args); i++)
					same(w, (struct seccomp_data){
							.nr = nr | (int)bits[b],
							.arch = archs[a],
							.args = {args[i]}});
			}
}

static void test_default(void **state)
{
	struct world w = {.arena = NULL};
	struct buf b;
	uint64_t i;

	(void)state;
	buf_init(&b, 1 << 20);
	engine_seccomp_default_json(&b);
	compile(&w, b.data);
	same_all(&w);
	/* E61: verdicts by argument, as a table would have them. */
	for (i = 0; i <= 64; i++) {
		struct seccomp_data d = {
			.nr = seccomp_syscall_resolve_name("socket"),
			.arch = seccomp_arch_native(),
			.args = {i}};
		bool good = i == 1 || i == 2 || i == 10 || i == 16;

		assert_int_equal(simulate(&w.filter, &d),
				 good ? SECCOMP_RET_ALLOW
				      : SECCOMP_RET_ERRNO | EPERM);
	}
	for (i = 0; i < 64; i++) {
		struct seccomp_data d = {
			.nr = seccomp_syscall_resolve_name("clone"),
			.arch = seccomp_arch_native(),
			.args = {UINT64_C(1) << i}};
		bool ns = i == 17 || (i >= 25 && i <= 30);

		assert_int_equal(simulate(&w.filter, &d),
				 ns ? SECCOMP_RET_ERRNO | EPERM
				    : SECCOMP_RET_ALLOW);
	}
	buf_release(&b);
	discard(&w);
}

/* What podman and docker send: three architectures, all actions. */
static void test_many_archs(void **state)
{
	struct world w = {.arena = NULL};
	size_t alone;

	(void)state;
	compile(&w,
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":["
		"\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"],"
		"\"syscalls\":[{\"names\":[\"read\",\"write\",\"openat\","
		"\"close\",\"mmap\",\"mmap2\",\"socket\",\"clone\",\"futex\","
		"\"futex_time64\",\"nothing_of_that_name\"],"
		"\"action\":\"SCMP_ACT_ALLOW\"},"
		"{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_KILL\"},"
		"{\"names\":[\"umount2\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"}"
		","
		"{\"names\":[\"ptrace\"],\"action\":\"SCMP_ACT_TRACE\","
		"\"errnoRet\":77},"
		"{\"names\":[\"reboot\"],\"action\":\"SCMP_ACT_TRAP\"},"
		"{\"names\":[\"getpid\"],\"action\":\"SCMP_ACT_LOG\"},"
		"{\"names\":[\"chmod\"],\"action\":\"SCMP_ACT_ERRNO\","
		"\"errnoRet\":38},"
		"{\"names\":[\"personality\"],\"action\":\"SCMP_ACT_ALLOW\","
		"\"args\":[{\"index\":0,\"value\":4294967295,"
		"\"op\":\"SCMP_CMP_EQ\"}]}]}");
	same_all(&w);
	alone = w.filter.n;
	discard(&w);
	/* What cannot run here costs nothing. */
	compile(&w, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":["
		    "\"SCMP_ARCH_S390X\",\"SCMP_ARCH_LOONGARCH64\","
		    "\"SCMP_ARCH_SHEB\",\"SCMP_ARCH_PPC64\"],\"syscalls\":[{"
		    "\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}]}");
	same_all(&w);
	assert_true(w.filter.n < alone);
	discard(&w);
}

/* The tree with no rule, one, a node and one more. */
static void test_sizes(void **state)
{
	static const char *const some[] = {"read",   "write", "close", "getpid",
					   "getuid", "mmap",  "mount", "futex",
					   "stat",   "fork",  "vfork"};
	size_t n, i;

	(void)state;
	for (n = 0; n <= COUNT(some); n++) {
		struct world w = {.arena = NULL};
		struct buf b;

		buf_init(&b, 1 << 20);
		buf_puts(&b, "{\"defaultAction\":\"SCMP_ACT_ALLOW\","
			     "\"syscalls\":[");
		for (i = 0; i < n; i++)
			buf_printf(&b,
				   "%s{\"names\":[\"%s\"],"
				   "\"action\":\"SCMP_ACT_ERRNO\"}",
				   i > 0 ? "," : "", some[i]);
		buf_puts(&b, "]}");
		compile(&w, b.data);
		same_all(&w);
		buf_release(&b);
		discard(&w);
	}
}

/* One rule for getpid with these conditions, at values around each bound. */
static void by_condition(const char *args)
{
	static const uint64_t bounds[] = {
		0,	    1,		9,	     10,	  11,
		0x7fffffff, 0xffffffff, 0x100000000, 0x10000000a, UINT64_MAX};
	struct world w = {.arena = NULL};
	struct buf b;
	size_t i, k;

	buf_init(&b, 1 << 20);
	buf_printf(&b,
		   "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{"
		   "\"names\":[\"getpid\"],\"action\":\"SCMP_ACT_ERRNO\","
		   "\"args\":[%s]}]}",
		   args);
	compile(&w, b.data);
	for (i = 0; i < COUNT(bounds); i++)
		for (k = 0; k < COUNT(bounds); k++)
			same(&w, (struct seccomp_data){
					 .nr = seccomp_syscall_resolve_name(
						 "getpid"),
					 .arch = seccomp_arch_native(),
					 .args = {bounds[i], bounds[k]}});
	buf_release(&b);
	discard(&w);
}

static void test_operators(void **state)
{
	static const char *const values[] = {"0", "10", "4294967295",
					     "4294967306"};
	const char *op;
	char arg[200];
	size_t i, k;

	(void)state;
	for (i = 0; (op = filter_op_name(i)) != NULL; i++)
		for (k = 0; k < COUNT(values); k++) {
			(void)snprintf(arg, sizeof(arg),
				       "{\"index\":0,\"value\":%s,"
				       "\"valueTwo\":8,\"op\":\"%s\"}",
				       values[k], op);
			by_condition(arg);
		}
	/* Two arguments: AND.  One argument twice: OR, as documented; two
	 * "not equal" then match everything. */
	by_condition("{\"index\":0,\"value\":10,\"op\":\"SCMP_CMP_GE\"},"
		     "{\"index\":1,\"value\":9,\"op\":\"SCMP_CMP_EQ\"}");
	by_condition("{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},"
		     "{\"index\":0,\"value\":10,\"op\":\"SCMP_CMP_EQ\"}");
	by_condition("{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_NE\"},"
		     "{\"index\":0,\"value\":10,\"op\":\"SCMP_CMP_NE\"}");
}

/* --- refusals
 * ------------------------------------------------------------------ */

static char none[] = "SCMP_ACT_ALLOW", deny[] = "SCMP_ACT_ERRNO",
	    notify[] = "SCMP_ACT_NOTIFY", odd[] = "odd", path[] = "/x",
	    write_name[] = "write", mkdir_name[] = "mkdir";

static void refused(struct spec_seccomp s, const char *want)
{
	struct filter f = {.bpf = NULL};
	struct err err = {0};
	int r = filter_check(&s, &err);

	if (r == 0)
		r = filter_compile(&s, &f, &err);
	assert_int_equal(r, ERR_INPUT);
	assert_non_null(strstr(err.msg, want));
	assert_null(f.bpf);
}

static void test_refusals(void **state)
{
	char *odds[] = {odd, NULL}, *writes[] = {write_name, NULL};
	char *mkdirs[] = {mkdir_name, NULL};
	struct decode_u64 two = {2, true}, big = {0x10000, true};
	struct spec_syscall call = {.names = {mkdirs, 1}, .action = notify};
	struct spec_seccomp s = {.default_action = none};

	(void)state;
	refused((struct spec_seccomp){.default_action = odd},
		"unknown action \"odd\"");
	refused((struct spec_seccomp){.default_action = none,
				      .default_errno = two},
		"errnoRet goes not with \"SCMP_ACT_ALLOW\"");
	refused((struct spec_seccomp){.default_action = deny,
				      .default_errno = big},
		"errnoRet too large");
	refused((struct spec_seccomp){.default_action = none,
				      .archs = {odds, 1}},
		"unknown architecture \"odd\"");
	refused((struct spec_seccomp){.default_action = none,
				      .flags = {odds, 1}},
		"unsupported flag \"odd\"");
	refused((struct spec_seccomp){.default_action = none,
				      .listener_metadata = odd},
		"listenerMetadata wants listenerPath");
	refused((struct spec_seccomp){.default_action = notify,
				      .listener_path = path},
		"cannot be used as default action");
	s.calls = &call;
	s.n_calls = 1;
	refused(s, "wants listenerPath");
	s.listener_path = path;
	call.names.v = writes;
	refused(s, "cannot be used for the write syscall");
}

static void test_flags(void **state)
{
	char all[][48] = {"SECCOMP_FILTER_FLAG_LOG",
			  "SECCOMP_FILTER_FLAG_TSYNC",
			  "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
	char *flags[] = {all[0], all[1], all[2], NULL};
	char *mkdirs[] = {mkdir_name, NULL};
	struct spec_syscall call = {.names = {mkdirs, 1}, .action = deny};
	struct spec_seccomp s = {.default_action = none,
				 .flags = {flags, 3},
				 .listener_path = path,
				 .calls = &call,
				 .n_calls = 1};
	struct filter f;

	(void)state;
	assert_int_equal(filter_compile(&s, &f, NULL), 0);
	assert_int_equal(f.flags, SECCOMP_FILTER_FLAG_LOG);
	assert_false(filter_has_listener(&f));
	filter_release(&f);
	call.action = notify;
	assert_int_equal(filter_compile(&s, &f, NULL), 0);
	assert_int_equal(f.flags, SECCOMP_FILTER_FLAG_LOG |
					  SECCOMP_FILTER_FLAG_NEW_LISTENER |
					  (1u << 5));
	assert_true(filter_has_listener(&f));
	filter_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_many_archs),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_operators),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
