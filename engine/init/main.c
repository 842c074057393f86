/*
 * main.c - reconcile-init: the process that holds a pod's namespaces.
 *
 * Runs as the first process of the pod's sandbox container, without any
 * capability, with the pod's user namespace around it.  It reads nothing: it
 * sleeps, reaps what the kernel hands to it (it is process 1 for every
 * container of a pod with shareProcessNamespace) and ends on TERM or INT.
 *
 * There is one in every pod for as long as the pod lives, so it is built
 * without the C library: five system calls, a few pages resident instead of
 * the 670 KiB that a static libc start-up touches (measured).
 */
#if !defined(__x86_64__) && !defined(__aarch64__)
#error "reconcile-init: the entry code is written for x86-64 and aarch64"
#endif

#include <asm/unistd.h>
#include <linux/prctl.h>

/* Without the library there is no stack protector cookie to compare with. */
#define BARE __attribute__((no_stack_protector))
#ifdef RECONCILE_SAN
#define ENTRY(text) _Static_assert(1, "main() is the entry")
#else
#define ENTRY(text) __asm__(text)
#endif

enum { SIG_INT = 2, SIG_TERM = 15, SIG_CHLD = 17, HOW_BLOCK = 0 };
enum { WAIT_NO_HANG = 1, ERRNO_INTR = 4, SIGSET_BYTES = 8 };

#if defined(__x86_64__)
static BARE long call4(long n, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return ret;
}
ENTRY(".globl _start\n_start:\n\txor %ebp,%ebp\n\tand $-16,%rsp\n"
      "\tcall init_run\n\thlt\n");
#else
static BARE long call4(long n, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3)
			 : "memory");
	return x0;
}
ENTRY(".globl _start\n_start:\n\tmov x29,#0\n\tbl init_run\n\tbrk #0\n");
#endif

void init_run(void) __attribute__((noreturn, used, visibility("hidden")));

static BARE void reap_all(void)
{
	long pid;

	do {
		pid = call4(__NR_wait4, -1, 0, WAIT_NO_HANG, 0);
	} while (pid > 0 || pid == -ERRNO_INTR);
}

BARE void init_run(void)
{
	unsigned long set = 1ul << (SIG_INT - 1) | 1ul << (SIG_TERM - 1) |
			    1ul << (SIG_CHLD - 1);
	long sig = call4(__NR_rt_sigprocmask, HOW_BLOCK, (long)&set, 0,
			 SIGSET_BYTES);

	(void)call4(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0);
	while (sig >= 0 || sig == -ERRNO_INTR) {
		sig = call4(__NR_rt_sigtimedwait, (long)&set, 0, 0,
			    SIGSET_BYTES);
		if (sig == SIG_CHLD)
			reap_all();
		else if (sig > 0)
			break;
	}
	for (;;)
		(void)call4(__NR_exit_group, sig > 0 ? 0 : 1, 0, 0, 0);
}

#ifdef RECONCILE_SAN
int main(void)
{
	init_run();
}
#endif
