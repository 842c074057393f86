/*
 * openpgp_run.c - see openpgp_run.h.
 */
#include "policy/verify/openpgp_run.h"

#include "lib/msg.h"
#include "lib/text.h"
#include "policy/openpgp/frame.h"

#include <string.h>
#include <unistd.h>

#define PROGRAM "reconcile-openpgp"
#define TIMEOUT_MS 30000

static int failed(struct verdict *v, const char *why, size_t len)
{
	char shown[200];

	return verdict_fail(v, TCODE_OPENPGP_FAILED, "%s",
			    text_safe(shown, sizeof(shown), why, len));
}

static void pack(const struct openpgp_job *job, struct buf *out)
{
	struct frame_check head = {.not_before = job->not_before,
				   .not_after = job->not_after,
				   .signature = job->signature.len,
				   .n_certificates = job->n_certificates};

	for (size_t i = 0; i < job->n_parts; i++)
		head.payload += job->parts[i].len;
	for (size_t i = 0; i < job->n_certificates; i++)
		head.certificates[i] = strlen(job->certificates[i]);
	buf_put(out, &head, sizeof(head));
	buf_put(out, job->signature.bytes, job->signature.len);
	for (size_t i = 0; i < job->n_parts; i++)
		buf_put(out, job->parts[i].at, job->parts[i].len);
	for (size_t i = 0; i < job->n_certificates; i++)
		buf_puts(out, job->certificates[i]);
}

static int unpack(const struct msg *m, struct openpgp_answer *out,
		  struct verdict *v)
{
	struct frame_answer head;
	size_t len = m->payload.len;

	if (m->type == FRAME_FAILED)
		return failed(v, m->payload.data, len);
	if (m->type != FRAME_ANSWER || len < sizeof(head) ||
	    len > sizeof(head) + sizeof(out->output))
		return failed(v, "the answer is malformed", 23);
	memcpy(&head, m->payload.data, sizeof(head));
	out->status = (int)head.status;
	out->len = len - sizeof(head);
	memcpy(out->output, m->payload.data + sizeof(head), out->len);
	return 0;
}

static int ask(void *ctx, const struct openpgp_job *job,
	       struct openpgp_answer *out, struct verdict *v)
{
	struct openpgp_runner *runner = ctx;
	struct err err = {0};
	struct buf frame;
	struct msg m;
	int r;

	buf_init(&frame, FRAME_BYTES_MAX);
	msg_init(&m, sizeof(struct frame_answer) + OPENPGP_OUTPUT_MAX);
	pack(job, &frame);
	r = buf_check(&frame, &err);
	if (r == 0)
		r = msg_send(runner->sock, FRAME_CHECK, frame.data, frame.len,
			     NULL, 0, &err);
	if (r == 0)
		r = msg_recv(runner->sock, &m, TIMEOUT_MS, &err);
	r = r < 0 ? failed(v, err.msg, strlen(err.msg)) : unpack(&m, out, v);
	msg_release(&m);
	buf_release(&frame);
	return r;
}

int openpgp_run_start(struct openpgp_runner *r, const char *libexec,
		      struct err *err)
{
	int code =
		proc_sibling(libexec, PROGRAM, NULL, &r->proc, &r->sock, err);

	if (code == 0)
		r->run = (struct openpgp_run){.run = ask, .ctx = r};
	return code;
}

void openpgp_run_stop(struct openpgp_runner *r)
{
	if (r->run.run == NULL)
		return;
	(void)close(r->sock);
	r->run.run = NULL;
}
