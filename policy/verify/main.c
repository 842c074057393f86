/*
 * main.c - reconcile-verify: who signed it, what does it say, may it run.
 *
 * Started by the manager or by a host's agent with a socket as descriptor 3
 * (verify.proto).  Hostile input: every object of the repository.  Holds
 * nothing; may read below one repository.  The first request names that
 * repository; it is read before the sandbox closes, because Landlock needs the
 * path, and comes from the trusted side of the socket.  All later requests must
 * name the same one.  When the trust root has OpenPGP on, reconcile-openpgp is
 * started then too, the only program that this one starts.
 */
#include "lib/log.h"
#include "lib/msg.h"
#include "lib/sandbox.h"
#include "policy/verify/openpgp_run.h"
#include "policy/verify/store.h"
#include "policy/verify/verify.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define SOCK 3
#define TRIM_BYTES (8 << 20)
#define REQUEST_BYTES_MAX ((size_t)16 << 20)
#define MEMORY_BYTES ((size_t)2 << 30)

struct server {
	char *repository;	       /* owned; NULL until the first request */
	struct openpgp_runner openpgp; /* started with it, or not at all */
};

/* Programs can be started only before the sandbox closes. */
static int enter(struct server *s, const char *path, bool openpgp,
		 struct err *err)
{
	const struct sandbox_path paths[] = {{path, false}};
	const struct sandbox profile = {
		.name = "reconcile-verify",
		.allow = SANDBOX_FILE_READ,
		.paths = paths,
		.n_paths = 1,
		.landlock = true,
		.max_memory = MEMORY_BYTES,
		.max_files = 64,
	};
	int r;

	s->repository = strdup(path);
	if (s->repository == NULL)
		return err_set(err, ERR_NOMEM, "first request");
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return err_set(err, ERR_SYS, "OpenSSL does not start");
	r = openpgp ? openpgp_run_start(&s->openpgp, NULL, err) : 0;
	if (r == 0)
		r = sandbox_enter(&profile, err);
	if (r < 0)
		return r;
	return store_library_init(err);
}

/* A proposal without a trust root asks what the base's own policy says, and
 * that may name such keys. */
static bool wants_openpgp(const Verify__VerifyRequest *req)
{
	return req->root != NULL
		       ? req->root->openpgp
		       : req->mode == VERIFY__VERIFY_REQUEST__MODE__PROPOSAL;
}

/* One request in m to one reply on the socket. */
static int serve(struct server *s, const struct msg *m, struct err *err)
{
	Verify__VerifyRequest *req = NULL;
	struct buf reply;
	int r = 0;

	buf_init(&reply, MSG_PAYLOAD_MAX);
	if (m->type != VERIFY__MSG_TYPE__MSG_VERIFY_REQUEST || m->n_fds != 0) {
		r = err_set(err, ERR_PROTO, "want a request, have type %u",
			    m->type);
		goto out;
	}
	req = verify__verify_request__unpack(NULL, m->payload.len,
					     (const uint8_t *)m->payload.data);
	if (req == NULL) {
		r = err_set(err, ERR_PROTO, "the request does not unpack");
		goto out;
	}
	if (s->repository == NULL)
		r = enter(s, req->repository_path, wants_openpgp(req), err);
	else if (strcmp(s->repository, req->repository_path) != 0)
		r = err_set(err, ERR_PROTO,
			    "one process verifies one repository");
	if (r == 0)
		r = verify_answer(req,
				  s->openpgp.run.run != NULL ? &s->openpgp.run
							     : NULL,
				  &reply, err);
	if (r == 0)
		r = msg_send(SOCK, VERIFY__MSG_TYPE__MSG_VERIFY_REPLY,
			     reply.data, reply.len, NULL, 0, err);
out:
	if (req != NULL)
		verify__verify_request__free_unpacked(req, NULL);
	buf_release(&reply);
	return r;
}

int main(int argc, char **argv)
{
	struct server s = {0};
	struct err err = {0};
	struct msg m;
	int r;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)puts("reconcile-verify " RECONCILE_VERSION);
		return 0;
	}
	if (argc != 1) {
		bool help = argc == 2 && strcmp(argv[1], "--help") == 0;

		(void)fputs("usage: reconcile-verify [--version]\n"
			    "Started by reconcile and reconcile-agent with a "
			    "socket as descriptor 3; see "
			    "reconcile-verify(8).\n",
			    help ? stdout : stderr);
		return help ? 0 : err_exit_status(ERR_INPUT);
	}
	/* inflating takes and gives back the same 40 KiB for each object */
	(void)mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
	(void)mallopt(M_MMAP_THRESHOLD, TRIM_BYTES);
	log_init("reconcile-verify", LOG_LEVEL_WARN);
	do {
		msg_init(&m, REQUEST_BYTES_MAX);
		r = msg_recv(SOCK, &m, -1, &err);
		if (r == 0)
			r = serve(&s, &m, &err);
		msg_release(&m);
	} while (r == 0);
	openpgp_run_stop(&s.openpgp);
	free(s.repository);
	if (r == ERR_NOTFOUND) /* the starter is done */
		return 0;
	log_line(LOG_LEVEL_ERROR, "verify.end", "code=%s reason=\"%s\"",
		 err_name(r), err.msg);
	return err_exit_status(r);
}
