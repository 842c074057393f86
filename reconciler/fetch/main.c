/*
 * main.c - reconcile-fetch: moves git objects into and out of bare stores.
 *
 * Started by the manager or a host's agent with a socket as descriptor 3
 * (fetch.proto); one request, then it ends, but for a poll, which is repeated
 * as long as the starter likes.  Hostile input: packs, and the git, HTTP and
 * TLS of a server.  Holds the credential of one repository.  May write below
 * one store and read below one source; no capability, no network (ssh and
 * reconcile-dial, started before the sandbox, have that).  What it delivers is
 * trusted by nobody: reconcile-verify decides.
 */
#include "lib/log.h"
#include "lib/msg.h"
#include "reconciler/fetch/job.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SOCK 3
#define TRIM_BYTES (8 << 20)
#define REQUEST_BYTES_MAX ((size_t)1 << 20)

static const struct {
	uint16_t type;
	int (*run)(int sock, const struct msg *m, struct err *err);
} requests[] = {
	{FETCH__MSG_TYPE__MSG_MIRROR, job_mirror},
	{FETCH__MSG_TYPE__MSG_PACK, job_pack},
	{FETCH__MSG_TYPE__MSG_INGEST, job_ingest},
	{FETCH__MSG_TYPE__MSG_POLL, job_poll},
};

static int send_error(const struct err *why)
{
	Fetch__Error e;
	uint8_t packed[ERR_MSG_BYTES + 64];
	char code[16];
	char text[ERR_MSG_BYTES];
	size_t len;

	(void)snprintf(code, sizeof(code), "%s", err_name(why->code));
	(void)snprintf(text, sizeof(text), "%s", why->msg);
	fetch__error__init(&e);
	e.code = code;
	e.message = text;
	len = fetch__error__pack(&e, packed);
	return msg_send(SOCK, FETCH__MSG_TYPE__MSG_ERROR, packed, len, NULL, 0,
			NULL);
}

static int dispatch(const struct msg *m, struct err *err)
{
	if (m->n_fds == 0)
		for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]);
		     i++)
			if (requests[i].type == m->type)
				return requests[i].run(SOCK, m, err);
	return err_set(err, ERR_PROTO, "want a request, have type %u", m->type);
}

int main(int argc, char **argv)
{
	struct err err = {0};
	struct msg m;
	int r;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)puts("reconcile-fetch " RECONCILE_VERSION);
		return 0;
	}
	if (argc != 1) {
		bool help = argc == 2 && strcmp(argv[1], "--help") == 0;

		(void)fputs("usage: reconcile-fetch [--version]\n"
			    "Started by reconcile and reconcile-agent with a "
			    "socket as descriptor 3; see reconcile-fetch(8).\n",
			    help ? stdout : stderr);
		return help ? 0 : err_exit_status(ERR_INPUT);
	}
	/* inflating takes and gives back the same 40 KiB for each object */
	(void)mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
	(void)mallopt(M_MMAP_THRESHOLD, TRIM_BYTES);
#ifndef GUARD_OFF_ENVIRONMENT
	/* proxies, authorities, key logs, configuration: libraries look there
	 */
	if (clearenv() != 0)
		return err_exit_status(ERR_SYS);
#endif
	(void)setenv("TZ", "UTC0", 1); /* unset, it would be read each time */
	tzset();
	log_init("reconcile-fetch", LOG_LEVEL_WARN);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* writing fails instead */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	msg_init(&m, REQUEST_BYTES_MAX);
	r = msg_recv(SOCK, &m, -1, &err);
	if (r == 0) {
		r = dispatch(&m, &err);
		if (r < 0)
			(void)send_error(&err);
	} else if (r == ERR_NOTFOUND) {
		r = 0; /* the starter changed its mind */
	} else {
		log_line(LOG_LEVEL_ERROR, "fetch.end", "code=%s reason=\"%s\"",
			 err_name(r), err.msg);
	}
	msg_release(&m);
	return err_exit_status(r);
}
