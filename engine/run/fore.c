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

static void fore_set(sigset_t *set)
{
	static const int passed[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
				     SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH};
	size_t i;

	(void)sigemptyset(set);
	for (i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		(void)sigaddset(set, passed[i]);
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

int fore_wait(int pidfd, int *out_status, struct err *err)
{
	struct signalfd_siginfo info;
	sigset_t set;
	struct pollfd p[2] = {{.fd = pidfd, .events = POLLIN},
			      {.events = POLLIN}};
	bool done = false;
	int r = 0;

	fore_set(&set);
	p[1].fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p[1].fd < 0)
		return err_sys(err, errno, "signalfd");
	while (!done && r == 0) {
		if (poll(p, 2, -1) < 0) {
			if (errno != EINTR)
				r = err_sys(err, errno, "poll");
			continue;
		}
		while (read(p[1].fd, &info, sizeof(info)) ==
		       (ssize_t)sizeof(info))
			(void)sys_pidfd_signal(pidfd, (int)info.ssi_signo);
		if (p[0].revents == 0)
			continue;
		done = true;
		if (esys_waitid_pidfd(pidfd, out_status, 0) < 0)
			r = err_sys(err, errno, "wait");
	}
	(void)close(p[1].fd);
	return r;
}
