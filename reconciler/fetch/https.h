/*
 * https.h - a wire over HTTP/1.1 and TLS: libcurl, built with OpenSSL, on
 * sockets that reconcile-dial opens.
 *
 * One host, one repository.  TLS 1.2 or newer; the chain must end in the given
 * authorities and nothing else, the name or address must be in the
 * certificate's subject alternative names, and if keys are pinned, the server's
 * must be one of them (A67).  No redirect is followed (A68), no proxy, cookie,
 * netrc or variable of the environment has a say.  The connection is kept;
 * when it is gone or an hour old, the next turn opens another.
 */
#ifndef RECONCILER_FETCH_HTTPS_H
#define RECONCILER_FETCH_HTTPS_H

#include "lib/buf.h"
#include "lib/err.h"
#include "reconciler/fetch/credential.h"
#include "reconciler/fetch/dialer.h"
#include "reconciler/fetch/https_answer.h"
#include "reconciler/fetch/url.h"
#include "reconciler/fetch/wire.h"

#include <curl/curl.h>
#include <stdbool.h>

#define HTTPS_URL_BYTES 1536

struct https_files { /* absolute paths and texts, "" for none */
	const char *ca, *server_key, *credential;
};

struct https {
	struct wire wire;
	struct url url;
	struct dialer dialer;
	CURLM *multi;
	CURL *easy;
	struct curl_slist *address; /* that no name is looked up */
	struct buf ca;
	char server_key[512];
	char credential[CREDENTIAL_HEADER_BYTES];
	char detail[CURL_ERROR_SIZE];
	/* the turn */
	enum wire_turn turn;
	struct curl_slist *headers;
	struct buf request, answer;
	size_t answer_at;
	bool started, paused, done;
	CURLcode result;
	struct https_answer head;
};

/* Before the sandbox.  What fails later is ERR_AGAIN (unreachable, overloaded),
 * ERR_TRUST (TLS), ERR_DENIED (credential), ERR_NOTFOUND (repository),
 * ERR_INPUT (a redirect), ERR_PROTO (no git server), ERR_LIMIT. */
int https_start(struct https *h, const struct url *url,
		const struct https_files *files, struct budget *budget,
		struct err *err);

#endif
