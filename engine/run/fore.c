/* fore.c - see fore.h. */
#include "engine/run/fore.h"

#include "engine/sys/esys.h"
#include "lib/sys.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* All but those that report a fault of ours, stop us, or are none of the
 * container's business. */
static void fore_set(sigset_t *set)
{
	static const int kept[] = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,
				   SIGTRAP, SIGABRT, SIGSYS,  SIGCHLD,
				   SIGTSTP, SIGTTIN, SIGTTOU, SIGURG};
	size_t i;

	(void)sigfillset(set);
	for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		(void)sigdelset(set, kept[i]);
}

int fore_block(struct err *err)
{
	sigset_t set;

	fore_set(&set);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(err, errno, "sigprocmask");
	return 0;
}

void fore_child(void)
{
	sigset_t set;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		(void)sys_signal_default(sig);
	(void)sigemptyset(&set);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
}

static void fore_signals(int fd, int pidfd, struct tty *t)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		int sig = (int)info.ssi_signo;

		if (sig == SIGCONT)
			tty_again(t);
		if (sig == SIGWINCH)
			tty_resize(t);
		else if (sig != SIGPIPE)
			(void)sys_pidfd_signal(pidfd, sig);
	}
}

int fore_wait(int pidfd, struct tty *t, int *out_status, struct err *err)
{
	struct pollfd p[2 + TTY_POLLS] = {{.fd = pidfd, .events = POLLIN},
					  {.events = POLLIN}};
	sigset_t set;
	int r = 0;

	fore_set(&set);
	p[1].fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p[1].fd < 0)
		return err_sys(err, errno, "signalfd");
	do {
		tty_want(t, p + 2);
		if (poll(p, 2 + TTY_POLLS, -1) < 0) {
			if (errno == EINTR)
				continue;
			r = err_sys(err, errno, "poll");
			break;
		}
		fore_signals(p[1].fd, pidfd, t);
		tty_carry(t, p + 2);
	} while (p[0].revents == 0);
	(void)close(p[1].fd);
	tty_drain(t);
	if (r == 0 && esys_waitid_pidfd(pidfd, out_status, 0) < 0)
		r = err_sys(err, errno, "wait");
	return r;
}
