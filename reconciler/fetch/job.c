/*
 * job.c - see job.h.
 */
#include "reconciler/fetch/job.h"
#include "lib/file.h"
#include "lib/sandbox.h"
#include "lib/text.h"
#include "reconciler/fetch/bare.h"
#include "reconciler/fetch/budget.h"
#include "reconciler/fetch/origin.h"
#include "reconciler/fetch/pack.h"
#include "reconciler/fetch/remote.h"
#include "reconciler/fetch/source.h"

#include <git2.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_BYTES ((size_t)1 << 30)
#define CPU_S 300 /* killed; the manager goes on with what it had */
#define FILE_SLACK_BYTES ((uint64_t)256 << 20) /* the index of a pack */
#define FRAME_BYTES ((size_t)1 << 20)
#define HAVES_MAX 256
#define PATH_BYTES 4096

static int enter(const struct sandbox_path *paths, size_t n, uint64_t max_bytes,
		 struct err *err)
{
	const struct sandbox profile = {
		.name = "reconcile-fetch",
		.allow = SANDBOX_FILE_READ | SANDBOX_FILE_WRITE |
			 SANDBOX_CONNECTED,
		.paths = paths,
		.n_paths = n,
		.landlock = true,
		.max_memory = MEMORY_BYTES,
		.max_files = 256,
		.max_cpu_s = CPU_S,
		.max_file_bytes = max_bytes + FILE_SLACK_BYTES,
	};
	int r = sandbox_enter(&profile, err);

	return r < 0 ? r : bare_library_init(err);
}

static int check_store(const char *path, struct err *err)
{
	if (path[0] != '/' || strlen(path) > PATH_BYTES - 256)
		return err_set(err, ERR_INPUT, "want an absolute store path");
	return 0;
}

static int parse_id(const char *hex, git_oid *out, struct err *err)
{
	char shown[80];

	if (!text_is_hex(hex, BARE_HEX - 1) || git_oid_fromstr(out, hex) < 0)
		return err_set(
			err, ERR_INPUT,
			"want a commit id of 40 hex digits, have \"%s\"",
			text_safe(shown, sizeof(shown), hex, strlen(hex)));
	return 0;
}

static int send_head(int sock, const git_oid *id, uint64_t bytes, bool changed,
		     struct err *err)
{
	Fetch__Head head;
	char hex[BARE_HEX];
	uint8_t packed[128];
	size_t len;

	fetch__head__init(&head);
	(void)git_oid_tostr(hex, sizeof(hex), id);
	head.commit = hex;
	head.bytes = bytes;
	head.changed = changed;
	len = fetch__head__pack(&head, packed);
	return msg_send(sock, FETCH__MSG_TYPE__MSG_HEAD, packed, len, NULL, 0,
			err);
}

/* --- MIRROR -----------------------------------------------------------------
 */

struct mirror {
	const Fetch__MirrorRequest *req;
	struct origin origin;
	git_oid have, id;
	bool has;
};

static int mirror_file(struct mirror *m, struct err *err)
{
	const char *source = m->origin.folder;
	struct pack_taker taker = {0};
	bool any = false;
	int r;

	r = source_read_ref(source, m->req->ref, &m->id, err);
	if (r < 0 || (m->has && git_oid_equal(&m->have, &m->id)))
		return r;
	r = pack_take_begin(m->req->store_path, &m->origin.budget, &taker, err);
	if (r == 0)
		r = pack_make(source, &m->id, &m->have, m->has ? 1 : 0,
			      pack_take, &taker, &any, err);
	if (r < 0 && taker.why.code != 0) {
		*err = taker.why;
		r = err->code;
	}
	if (r == 0)
		r = pack_take_end(&taker, &m->id, err);
	pack_take_release(&taker);
	return r;
}

static int mirror_run(struct mirror *m, int sock, struct err *err)
{
	const char *store = m->req->store_path;
	struct origin *o = &m->origin;
	const struct sandbox_path paths[] = {{store, true}, {o->folder, false}};
	bool changed = false;
	int r;

	r = enter(paths, o->wire == NULL ? 2 : 1, o->budget.max_bytes, err);
	if (r < 0)
		return r;
	m->has = bare_mirror_read(store, &m->have);
	if (o->wire == NULL)
		r = mirror_file(m, err);
	else
		r = remote_fetch(o->wire, store, m->req->ref,
				 m->has ? &m->have : NULL, &m->id, err);
	changed = !m->has || !git_oid_equal(&m->have, &m->id);
	if (r == 0 && changed)
		r = bare_mirror_write(store, &m->id, err);
	if (r < 0)
		return r;
	return send_head(sock, &m->id, o->budget.bytes, changed, err);
}

int job_mirror(int sock, const struct msg *m, struct err *err)
{
	Fetch__MirrorRequest *req = fetch__mirror_request__unpack(
		NULL, m->payload.len, (const uint8_t *)m->payload.data);
	struct mirror *mirror = calloc(1, sizeof(*mirror));
	int r;

	if (req == NULL || mirror == NULL) {
		r = err_set(err, ERR_PROTO, "the request does not unpack");
		goto out;
	}
	mirror->req = req;
	r = check_store(req->store_path, err);
	if (r == 0)
		r = origin_open(req, false, &mirror->origin, err);
	if (r == 0)
		r = bare_create(req->store_path, err);
	if (r == 0)
		r = mirror_run(mirror, sock, err);
	origin_release(&mirror->origin);
out:
	free(mirror);
	if (req != NULL)
		fetch__mirror_request__free_unpacked(req, NULL);
	return r;
}

/* --- PACK --------------------------------------------------------------------
 */

struct sender {
	int sock;
	struct buf frame;
	struct err *err;
};

static int flush_frame(struct sender *s)
{
	int r = 0;

	if (s->frame.len > 0)
		r = msg_send(s->sock, FETCH__MSG_TYPE__MSG_PACK_DATA,
			     s->frame.data, s->frame.len, NULL, 0, s->err);
	buf_reset(&s->frame);
	return r;
}

static int send_bytes(void *ctx, const void *bytes, size_t len)
{
	struct sender *s = ctx;
	const char *at = bytes;
	int r = 0;

	while (r == 0 && len > 0) {
		size_t n = FRAME_BYTES - s->frame.len;

		n = n < len ? n : len;
		buf_put(&s->frame, at, n);
		r = buf_check(&s->frame, s->err);
		at += n;
		len -= n;
		if (r == 0 && s->frame.len == FRAME_BYTES)
			r = flush_frame(s);
	}
	return r;
}

static int pack_haves(const Fetch__PackRequest *req, git_oid *have, size_t *n)
{
	for (size_t i = 0; i < req->n_have; i++) {
		if (*n == HAVES_MAX)
			return 0; /* more only make the pack smaller */
		if (parse_id(req->have[i], &have[*n], NULL) == 0)
			(*n)++;
	}
	return 0;
}

static int pack_run(int sock, const Fetch__PackRequest *req, git_oid *have,
		    struct err *err)
{
	const struct sandbox_path paths[] = {{req->store_path, false}};
	struct sender s = {.sock = sock, .err = err};
	size_t n_have = 0;
	bool any = false;
	git_oid want;
	int r;

	r = check_store(req->store_path, err);
	if (r == 0)
		r = enter(paths, 1, 0, err);
	if (r == 0)
		r = parse_id(req->want, &want, err);
	if (r < 0)
		return r;
	(void)pack_haves(req, have, &n_have);
	buf_init(&s.frame, FRAME_BYTES);
	r = pack_make(req->store_path, &want, have, n_have, send_bytes, &s,
		      &any, err);
	if (r == 0)
		r = flush_frame(&s);
	if (r == 0)
		r = msg_send(sock, FETCH__MSG_TYPE__MSG_DONE, "", 0, NULL, 0,
			     err);
	buf_release(&s.frame);
	return r;
}

int job_pack(int sock, const struct msg *m, struct err *err)
{
	Fetch__PackRequest *req = fetch__pack_request__unpack(
		NULL, m->payload.len, (const uint8_t *)m->payload.data);
	git_oid *have = calloc(HAVES_MAX, sizeof(*have));
	int r;

	if (req == NULL || have == NULL)
		r = err_set(err, ERR_PROTO, "the request does not unpack");
	else
		r = pack_run(sock, req, have, err);
	free(have);
	if (req != NULL)
		fetch__pack_request__free_unpacked(req, NULL);
	return r;
}

/* --- INGEST ------------------------------------------------------------------
 */

static int receive_pack(int sock, struct pack_taker *taker, struct err *err)
{
	struct msg m;
	int r;

	do {
		msg_init(&m, FRAME_BYTES);
		r = msg_recv(sock, &m, budget_left_ms(taker->budget), err);
		if (r == 0 && m.type == FETCH__MSG_TYPE__MSG_DONE)
			r = 1;
		else if (r == 0 && m.type != FETCH__MSG_TYPE__MSG_PACK_DATA)
			r = err_set(err, ERR_PROTO, "want pack data, have %u",
				    m.type);
		else if (r == 0) {
			r = pack_take(taker, m.payload.data, m.payload.len);
			if (r < 0)
				*err = taker->why;
		}
		msg_release(&m);
	} while (r == 0);
	return r == 1 ? 0 : r;
}

static int ingest_run(int sock, const Fetch__IngestRequest *req,
		      struct err *err)
{
	const struct sandbox_path paths[] = {{req->store_path, true}};
	struct pack_taker *taker = calloc(1, sizeof(*taker));
	struct budget budget;
	git_oid want;
	int r;

	if (taker == NULL)
		return err_set(err, ERR_NOMEM, "ingest");
	budget_init(&budget, req->max_bytes, 0);
	r = check_store(req->store_path, err);
	if (r == 0)
		r = bare_create(req->store_path, err);
	if (r == 0)
		r = enter(paths, 1, budget.max_bytes, err);
	if (r == 0)
		r = parse_id(req->want, &want, err);
	if (r == 0)
		r = pack_take_begin(req->store_path, &budget, taker, err);
	if (r == 0)
		r = receive_pack(sock, taker, err);
	if (r == 0)
		r = pack_take_end(taker, &want, err);
	if (r == 0)
		r = send_head(sock, &want, budget.bytes, taker->bytes > 0, err);
	pack_take_release(taker);
	free(taker);
	return r;
}

int job_ingest(int sock, const struct msg *m, struct err *err)
{
	Fetch__IngestRequest *req = fetch__ingest_request__unpack(
		NULL, m->payload.len, (const uint8_t *)m->payload.data);
	int r;

	if (req == NULL)
		return err_set(err, ERR_PROTO, "the request does not unpack");
	r = ingest_run(sock, req, err);
	fetch__ingest_request__free_unpacked(req, NULL);
	return r;
}
