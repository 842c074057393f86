/* tty.c - see tty.h. */
#include "engine/run/tty.h"

#include "engine/run/passfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define TTY_DRAIN_ROUNDS 256

enum { TTY_IN_READ, TTY_IN_WRITE, TTY_OUT_READ, TTY_OUT_WRITE };

void tty_init(struct tty *t)
{
	*t = (struct tty){.master = -1, .out = -1};
}

void tty_resize(const struct tty *t)
{
	struct winsize ws;
	int fd;

	for (fd = 0; fd < 3 && t->master >= 0; fd++) {
		if (ioctl(fd, TIOCGWINSZ, &ws) < 0)
			continue;
		(void)ioctl(t->master, TIOCSWINSZ, &ws);
		return;
	}
}

/* Lines end as the program ends them: what they become for a person is the
 * work of the caller's own terminal, and a file or a pipe wants them so. */
static void tty_keep_lines(int master)
{
	struct termios mode;

	if (tcgetattr(master, &mode) < 0)
		return;
	mode.c_oflag &= ~(tcflag_t)ONLCR;
	(void)tcsetattr(master, TCSANOW, &mode);
}

int tty_take(struct tty *t, int sock, struct err *err)
{
	int r = passfd_receive(sock, &t->master, err);

	if (r < 0)
		return r;
	if (fcntl(t->master, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, errno, "terminal");
	tty_keep_lines(t->master);
	tty_resize(t);
	return 0;
}

/* O_NONBLOCK belongs to the open file, which we share with the caller: so an
 * open file of our own, where the kind allows one.  A write of what poll()
 * said there is room for then never holds up a signal. */
static int tty_own_output(void)
{
	struct stat st;
	int fd = -1;

	if (fstat(1, &st) == 0 && (isatty(1) || S_ISFIFO(st.st_mode)))
		fd = open("/proc/self/fd/1",
			  O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd >= 0 ? fd : fcntl(1, F_DUPFD_CLOEXEC, 3);
}

static void tty_raw(struct tty *t)
{
	struct termios raw = t->saved;

	cfmakeraw(&raw);
	raw.c_oflag = t->saved.c_oflag;
	t->raw = tcsetattr(0, TCSADRAIN, &raw) == 0;
}

int tty_begin(struct tty *t, struct err *err)
{
	if (t->master < 0)
		return 0;
	t->out = tty_own_output();
	if (t->out < 0)
		return err_sys(err, errno, "standard output");
	t->in_pump.from = 0;
	t->in_pump.to = t->out_pump.from = t->master;
	t->out_pump.to = t->out;
	if (tcgetattr(0, &t->saved) == 0)
		tty_raw(t);
	return 0;
}

void tty_again(struct tty *t)
{
	if (t->raw)
		tty_raw(t);
}

static void tty_pump_want(const struct tty_pump *m, struct pollfd *in,
			  struct pollfd *out)
{
	bool empty = m->at == m->len;

	*in = (struct pollfd){.fd = empty ? m->from : -1, .events = POLLIN};
	*out = (struct pollfd){.fd = empty ? -1 : m->to, .events = POLLOUT};
}

void tty_want(const struct tty *t, struct pollfd *p)
{
	int i;

	for (i = 0; i < TTY_POLLS; i++)
		p[i].fd = -1;
	if (t->master < 0)
		return;
	tty_pump_want(&t->in_pump, &p[TTY_IN_READ], &p[TTY_IN_WRITE]);
	tty_pump_want(&t->out_pump, &p[TTY_OUT_READ], &p[TTY_OUT_WRITE]);
}

static bool tty_later(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* False: nothing was there. */
static bool tty_fill(struct tty_pump *m)
{
	ssize_t n = read(m->from, m->bytes, sizeof(m->bytes));

	if (tty_later(n))
		return false;
	if (n <= 0)
		m->from = -1;
	m->at = 0;
	m->len = n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* A side that takes no more: the other one is emptied all the same. */
static bool tty_empty(struct tty_pump *m)
{
	ssize_t n = m->to < 0 ? (ssize_t)(m->len - m->at)
			      : write(m->to, m->bytes + m->at, m->len - m->at);

	if (tty_later(n))
		return false;
	if (n < 0)
		m->to = -1;
	else
		m->at += (size_t)n;
	return true;
}

static void tty_pump_carry(struct tty_pump *m, bool readable, bool writable)
{
	if (readable && tty_fill(m))
		writable = true;
	if (writable || m->to < 0)
		while (m->at < m->len && tty_empty(m))
			;
}

void tty_carry(struct tty *t, const struct pollfd *p)
{
	if (t->master < 0)
		return;
	tty_pump_carry(&t->in_pump, p[TTY_IN_READ].revents != 0,
		       p[TTY_IN_WRITE].revents != 0);
	tty_pump_carry(&t->out_pump, p[TTY_OUT_READ].revents != 0,
		       p[TTY_OUT_WRITE].revents != 0);
}

void tty_drain(struct tty *t)
{
	struct pollfd p = {.events = POLLOUT};
	struct tty_pump *m = &t->out_pump;
	int i;

	if (t->master < 0)
		return;
	/* No more than a pty can hold: others may still write to it. */
	for (i = 0; i < TTY_DRAIN_ROUNDS &&
		    (m->at < m->len || (m->from >= 0 && tty_fill(m)));
	     i++) {
		p.fd = m->to;
		if (tty_empty(m) || poll(&p, 1, -1) >= 0 || errno == EINTR)
			continue;
		break;
	}
}

void tty_release(struct tty *t)
{
	if (t->raw)
		(void)tcsetattr(0, TCSADRAIN, &t->saved);
	if (t->out >= 0)
		(void)close(t->out);
	if (t->master >= 0)
		(void)close(t->master);
	tty_init(t);
}
