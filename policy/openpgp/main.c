/*
 * main.c - reconcile-openpgp: runs sqv for reconcile-verify.
 *
 * Started by reconcile-verify before that gives up starting programs, and only
 * when the trust root has OpenPGP on; descriptor 3 leads to it (frame.h).
 * Hostile: the signature and the payload, which are passed on and not looked
 * at.  No capability, no network, no file but sqv and its libraries; may start
 * programs, which get less (sqv.c).  Decides nothing.
 */
#include "lib/log.h"
#include "lib/msg.h"
#include "lib/sandbox.h"
#include "policy/openpgp/sqv.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define SOCK 3

/* Takes a part of the frame; false: it ends before. */
static bool take(const char **at, size_t *left, uint64_t len, const char **out)
{
	if (len > *left)
		return false;
	*out = *at;
	*at += len;
	*left -= len;
	return true;
}

static bool read_request(const struct msg *m, struct sqv_request *out)
{
	const char *at = m->payload.data;
	size_t left = m->payload.len;

	if (m->type != FRAME_CHECK || m->n_fds != 0 || left < sizeof(out->head))
		return false;
	memcpy(&out->head, at, sizeof(out->head));
	at += sizeof(out->head);
	left -= sizeof(out->head);
	if (out->head.n_certificates == 0 ||
	    out->head.n_certificates > OPENPGP_CERTS_MAX ||
	    !take(&at, &left, out->head.signature, &out->signature) ||
	    !take(&at, &left, out->head.payload, &out->payload))
		return false;
	for (size_t i = 0; i < out->head.n_certificates; i++)
		if (!take(&at, &left, out->head.certificates[i],
			  &out->certificates[i]))
			return false;
	return left == 0;
}

static int serve(const struct msg *m, int null, struct err *err)
{
	struct sqv_request request = {0};
	struct openpgp_answer answer;
	struct frame_answer head;
	struct err why = {0};
	struct buf out;
	int r;

	if (!read_request(m, &request))
		return err_set(err, ERR_PROTO, "frame of type %u, %zu bytes",
			       m->type, m->payload.len);
	buf_init(&out, sizeof(head) + OPENPGP_OUTPUT_MAX);
	if (sqv_run(&request, null, &answer, &why) < 0) {
		r = msg_send(SOCK, FRAME_FAILED, why.msg, strlen(why.msg), NULL,
			     0, err);
	} else {
		head = (struct frame_answer){.status = answer.status};
		buf_put(&out, &head, sizeof(head));
		buf_put(&out, answer.output, answer.len);
		r = msg_send(SOCK, FRAME_ANSWER, out.data, out.len, NULL, 0,
			     err);
	}
	buf_release(&out);
	return r;
}

int main(int argc, char **argv)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct err err = {0};
	struct msg m;
	int r;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)puts("reconcile-openpgp " RECONCILE_VERSION);
		return 0;
	}
	log_init("reconcile-openpgp", LOG_LEVEL_WARN);
	if (argc != 1 || null < 0 || fcntl(SOCK, F_SETFD, FD_CLOEXEC) < 0) {
		(void)fputs("reconcile-openpgp is started by reconcile-verify, "
			    "with a socket as descriptor 3\n",
			    stderr);
		return err_exit_status(ERR_INPUT);
	}
	msg_init(&m, FRAME_BYTES_MAX);
	r = sandbox_enter(&sqv_starter, &err);
	while (r == 0) {
		r = msg_recv(SOCK, &m, -1, &err);
		if (r == 0)
			r = serve(&m, null, &err);
	}
	msg_release(&m);
	if (r == ERR_NOTFOUND) /* the starter is done */
		return 0;
	log_line(LOG_LEVEL_ERROR, "openpgp.end", "code=%s reason=\"%s\"",
		 err_name(r), err.msg);
	return err_exit_status(r);
}
