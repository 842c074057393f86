/*
 * job_poll.c - the one request that is repeated.  Its sandbox is narrower than
 * that of the others: no file at all, but for the folder of a file:// URL.
 */
#include "lib/sandbox.h"
#include "reconciler/fetch/job.h"
#include "reconciler/fetch/poll.h"

#include <stdio.h>
#include <stdlib.h>

#define MEMORY_BYTES ((size_t)512 << 20)
#define TIMEOUT_MS 20000u
#define BYTES_MAX ((uint64_t)256 << 20) /* of a server that lists every ref */

static int enter(const struct origin *o, struct err *err)
{
	const struct sandbox_path paths[] = {{o->folder, false}};
	const struct sandbox profile = {
		.name = "reconcile-fetch",
		.allow =
			o->wire == NULL ? SANDBOX_FILE_READ : SANDBOX_CONNECTED,
		.paths = paths,
		.n_paths = o->wire == NULL ? 1 : 0,
		.landlock = true,
		.max_memory = MEMORY_BYTES,
		.max_files = 64,
	};

	return sandbox_enter(&profile, err);
}

static int answer(int sock, const struct poll *p, char *id, struct err *err)
{
	Fetch__Head head;
	uint8_t packed[128];

	fetch__head__init(&head);
	head.commit = id;
	head.bytes = p->origin->budget.bytes;
	head.whole_list = p->origin->wire != NULL && !p->v2;
	return msg_send(sock, FETCH__MSG_TYPE__MSG_HEAD, packed,
			fetch__head__pack(&head, packed), NULL, 0, err);
}

/* 1: the starter wants another one; 0: it is gone. */
static int wait_for_more(int sock, const struct poll *p, struct err *err)
{
	struct msg m;
	int r;

	if (!poll_goes_on(p))
		return 0;
	msg_init(&m, 0);
	r = msg_recv(sock, &m, -1, err);
	if (r == ERR_NOTFOUND)
		r = 0;
	else if (r == 0 && (m.type != FETCH__MSG_TYPE__MSG_POLL || m.n_fds > 0))
		r = err_set(err, ERR_PROTO, "want a poll, have type %u",
			    m.type);
	else if (r == 0)
		r = 1;
	msg_release(&m);
	return r;
}

static int serve(int sock, const Fetch__MirrorRequest *req,
		 struct origin *origin, struct err *err)
{
	char id[LSREFS_ID];
	struct poll p;
	int r;

	poll_init(&p, origin, req->ref);
	do {
		budget_init(&origin->budget,
			    req->max_bytes != 0 ? req->max_bytes : BYTES_MAX,
			    req->timeout_ms != 0 ? req->timeout_ms
						 : TIMEOUT_MS);
		r = poll_ask(&p, id, err);
		if (r == 0)
			r = answer(sock, &p, id, err);
		if (r == 0)
			r = wait_for_more(sock, &p, err);
	} while (r == 1);
	poll_release(&p);
	return r;
}

int job_poll(int sock, const struct msg *m, struct err *err)
{
	Fetch__MirrorRequest *req = fetch__mirror_request__unpack(
		NULL, m->payload.len, (const uint8_t *)m->payload.data);
	struct origin *origin = calloc(1, sizeof(*origin));
	int r = 0;

	if (req == NULL || origin == NULL)
		r = err_set(err, ERR_PROTO, "the request does not unpack");
	if (r == 0)
		r = origin_open(req, true, origin, err);
	if (r == 0)
		r = enter(origin, err);
	if (r == 0)
		r = serve(sock, req, origin, err);
	if (origin != NULL)
		origin_release(origin);
	free(origin);
	if (req != NULL)
		fetch__mirror_request__free_unpacked(req, NULL);
	return r;
}
