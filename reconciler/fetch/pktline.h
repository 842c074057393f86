/*
 * pktline.h - the framing of the git protocol (gitprotocol-common(5)): four hex
 * digits of length, themselves included, then that many bytes less four.
 *
 * Stricter than git: lower-case digits only, no 0003, nothing over 65520
 * bytes, no empty line (0004), which git says not to send.  Pure.
 */
#ifndef RECONCILER_FETCH_PKTLINE_H
#define RECONCILER_FETCH_PKTLINE_H

#include "lib/err.h"

#include <stddef.h>

#define PKTLINE_MAX 65520
#define PKTLINE_HEAD 4

enum pktline_kind {
	PKTLINE_DATA,
	PKTLINE_FLUSH, /* 0000 */
	PKTLINE_DELIM, /* 0001 */
	PKTLINE_END,   /* 0002 */
};

struct pktline {
	enum pktline_kind kind;
	const char *data; /* borrowed from the bytes; NULL if not DATA */
	size_t len;	  /* without head */
};

/* The line that bytes begin with.  *out_used 0: more bytes are needed, *out is
 * untouched then.  ERR_PROTO: no line begins so. */
int pktline_parse(const char *bytes, size_t len, struct pktline *out,
		  size_t *out_used, struct err *err);
/* Text as a line into out; returns its whole length.  Text must fit. */
size_t pktline_format(char *out, size_t out_len, const char *text);

#endif
