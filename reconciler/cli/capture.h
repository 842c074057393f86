/*
 * capture.h - a program of the person who asks (git, ssh-keygen), with that
 * person's environment and terminal: bytes in, output back.
 */
#ifndef RECONCILER_CLI_CAPTURE_H
#define RECONCILER_CLI_CAPTURE_H

#include "lib/buf.h"
#include "lib/err.h"

#define CAPTURE_INPUT_MAX 32768 /* fits a pipe: it is written at once */

/* argv[0] is absolute.  Standard error is the person's.  *out_status is the
 * exit status; ERR_LIMIT when the output does not fit. */
int capture_run(const char *const *argv, const char *input, size_t input_len,
		struct buf *out, int *out_status, struct err *err);

#endif
