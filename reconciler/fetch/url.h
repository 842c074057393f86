/*
 * url.h - the strict grammar of repository URLs (A69, G11).
 *
 *   file:///absolute/path
 *   ssh://[user@]host[:port]/path
 *   https://host[:port]/path
 *
 * host is a name or an IPv4 address.  Nothing else: no ext::, git://, http://,
 * scp-like form, credentials, percent escapes, queries, control bytes, or parts
 * that begin with a dash.  Pure.
 */
#ifndef RECONCILER_FETCH_URL_H
#define RECONCILER_FETCH_URL_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

#define URL_PATH_MAX 1024

enum url_kind { URL_FILE, URL_SSH, URL_HTTPS };

struct url {
	enum url_kind kind;
	char user[64]; /* "" if none */
	char host[256];
	uint16_t port; /* 0: default */
	char path[URL_PATH_MAX];
};

/* ERR_INPUT, with what to write instead. */
int url_parse(const char *text, struct url *out, struct err *err);
/* "refs/..." as git-check-ref-format(1) and without what a shell, a revision
 * or a path could read otherwise (A44).  ERR_INPUT. */
int url_check_ref(const char *ref, struct err *err);

#endif
