/*
 * without.c - runs a program on a kernel that lacks something: a seccomp filter
 * lets the named system calls fail, for the program and all that it starts.
 *
 * usage: without ERRNO NAME... -- PROGRAM ARG...
 * ERRNO: ENOSYS (an older kernel), EPERM or ENOSPC (forbidden, a limit of 0).
 * "userns" as NAME: unshare() of a user namespace; clone3 cannot be looked
 * into and is named by itself.  Needs CAP_SYS_ADMIN (no_new_privs is not set,
 * so that what is measured is the missing call alone).
 */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	int value;
} numbers[] = {{"ENOSYS", ENOSYS}, {"EPERM", EPERM}, {"ENOSPC", ENOSPC}};

static int errno_of(const char *name)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(numbers[i].name, name) == 0)
			return numbers[i].value;
	return -1;
}

static int forbid(scmp_filter_ctx f, const char *name, int value)
{
	uint32_t act = SCMP_ACT_ERRNO((uint32_t)value);
	int nr;

	if (strcmp(name, "userns") == 0)
		return seccomp_rule_add(f, act, SCMP_SYS(unshare), 1,
					SCMP_A0(SCMP_CMP_MASKED_EQ,
						CLONE_NEWUSER, CLONE_NEWUSER));
	nr = seccomp_syscall_resolve_name(name);
	return nr == __NR_SCMP_ERROR ? -EINVAL
				     : seccomp_rule_add(f, act, nr, 0);
}

int main(int argc, char **argv)
{
	int value = argc > 1 ? errno_of(argv[1]) : -1;
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	int i = 2, r = 0;

	if (!f || value < 0) {
		(void)fprintf(stderr, "want ERRNO NAME... -- PROGRAM\n");
		return 2;
	}
	for (; r == 0 && i < argc && strcmp(argv[i], "--") != 0; i++) {
		r = forbid(f, argv[i], value);
		if (r < 0)
			(void)fprintf(stderr, "%s: %s\n", argv[i],
				      strerror(-r));
	}
	if (r == 0)
		r = seccomp_attr_set(f, SCMP_FLTATR_CTL_NNP, 0);
	if (r == 0)
		r = seccomp_load(f);
	if (r < 0 || i + 1 >= argc) {
		(void)fprintf(stderr, "filter: %s\n", strerror(-r));
		return 2;
	}
	(void)execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 127;
}
