/*
 * tty.h - a terminal in the foreground: the container's process has a new pty
 * (E35: never the caller's terminal), and we carry bytes between that one and
 * our standard input and output.
 *
 *   stdin ---> [in] ---> master ~~~ slave of the process
 *   stdout <-- [out] <-- master
 *
 * Each direction holds one buffer and reads only when that is empty, so a slow
 * reader slows the writer.  Where standard input is a terminal it is raw
 * meanwhile, and as it was again after tty_release(): fore.h turns whatever
 * signal would end us into one for the container.
 */
#ifndef ENGINE_RUN_TTY_H
#define ENGINE_RUN_TTY_H

#include "lib/err.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#define TTY_CHUNK 4096
#define TTY_POLLS 4

struct tty_pump {
	int from, to; /* -1: over */
	size_t len, at;
	char bytes[TTY_CHUNK];
};

struct tty {
	int master; /* owned; -1: no terminal, all calls do nothing */
	int out;    /* owned: standard output, not blocking where we may */
	bool raw;
	struct termios saved;
	struct tty_pump in_pump, out_pump;
};

void tty_init(struct tty *t);
/* Takes the master from sock (see passfd.h) and gives it the size of the
 * caller's terminal, if there is one. */
int tty_take(struct tty *t, int sock, struct err *err);
/* Begins to carry: standard input becomes raw. */
int tty_begin(struct tty *t, struct err *err);
/* Raw again, after something else had our terminal (SIGCONT). */
void tty_again(struct tty *t);
/* The caller's terminal has another size. */
void tty_resize(const struct tty *t);
/* Fills p (TTY_POLLS of them) with what to wait for, and carries what is
 * there.  Errors of either side end that direction, nothing else. */
void tty_want(const struct tty *t, struct pollfd *p);
void tty_carry(struct tty *t, const struct pollfd *p);
/* The process has ended: what it had written before. */
void tty_drain(struct tty *t);
void tty_release(struct tty *t);

#endif
