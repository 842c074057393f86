/*
 * err.h - the one error idiom of the project.
 *
 * Every function that can fail returns 0 or a negative code of ERR_LIST and
 * fills a struct err once, where the cause is known; callers that know more
 * put their words in front with err_wrap().  struct err is plain data of fixed
 * size, so a cloned child or a sandboxed sibling can send it with one write.
 *
 * Invariants: (1) msg is always NUL terminated; (2) err may be NULL in every
 * function here (the code is still returned); (3) a message never contains a
 * secret, and untrusted text in it has gone through text_escape().
 */
#ifndef LIB_ERR_H
#define LIB_ERR_H

#include <stdarg.h>

/* X(name, exit status of a program that ends with it, text) */
#define ERR_LIST(X)                                                            \
	X(INPUT, 3, "bad input")                                               \
	X(DENIED, 5, "refused by policy")                                      \
	X(TRUST, 4, "not trusted")                                             \
	X(LIMIT, 3, "over a limit")                                            \
	X(CONFLICT, 6, "in conflict")                                          \
	X(NOTFOUND, 7, "not found")                                            \
	X(AGAIN, 75, "try again later")                                        \
	X(NOMEM, 75, "out of memory")                                          \
	X(SYS, 7, "system call failed")                                        \
	X(AUDIT, 9, "audit record not written")                                \
	X(PROTO, 7, "peer broke the protocol")

#define ERR_ENUM(name, status, text) ERR_CODE_##name,
enum err_index { ERR_LIST(ERR_ENUM) ERR_CODE_COUNT };
#undef ERR_ENUM

/* ERR_INPUT == -1, ERR_DENIED == -2, ... : what functions return. */
enum {
	ERR_INPUT = -1 - ERR_CODE_INPUT,
	ERR_DENIED = -1 - ERR_CODE_DENIED,
	ERR_TRUST = -1 - ERR_CODE_TRUST,
	ERR_LIMIT = -1 - ERR_CODE_LIMIT,
	ERR_CONFLICT = -1 - ERR_CODE_CONFLICT,
	ERR_NOTFOUND = -1 - ERR_CODE_NOTFOUND,
	ERR_AGAIN = -1 - ERR_CODE_AGAIN,
	ERR_NOMEM = -1 - ERR_CODE_NOMEM,
	ERR_SYS = -1 - ERR_CODE_SYS,
	ERR_AUDIT = -1 - ERR_CODE_AUDIT,
	ERR_PROTO = -1 - ERR_CODE_PROTO,
};

#define ERR_MSG_BYTES 1024

struct err {
	int code;      /* 0 or ERR_* */
	int sys_errno; /* errno of the cause, 0 if none */
	char msg[ERR_MSG_BYTES];
};

/* Fills err and returns code (one of ERR_*). */
int err_set(struct err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* As err_set() with the text of sys_errno behind ": ".  Returns ERR_NOMEM for
 * ENOMEM, ERR_NOTFOUND for ENOENT, ERR_AGAIN for EAGAIN, else ERR_SYS. */
int err_sys(struct err *err, int sys_errno, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Puts "words: " in front of the message; returns err->code, ERR_SYS if err is
 * NULL (a function that must keep the code of its callee uses its own err). */
int err_wrap(struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Name ("INPUT") of a code, "OK" for 0, "UNKNOWN" otherwise; borrowed. */
const char *err_name(int code);
/* General text of a code ("bad input"); borrowed. */
const char *err_text(int code);
/* Exit status for a code of ERR_LIST, 0 for 0, 70 for unknown ones. */
int err_exit_status(int code);

#include "lib/banned.h"

#endif
