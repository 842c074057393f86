/* poll.c - see poll.h.  Runs in reconcile-fetch after its sandbox. */
#include "reconciler/fetch/poll.h"

#include "reconciler/fetch/source.h"

#include <git2/oid.h>
#include <string.h>

#define READ_BYTES 16384
#define IN_BYTES ((size_t)PKTLINE_MAX + READ_BYTES)

void poll_init(struct poll *p, struct origin *origin, const char *ref)
{
	*p = (struct poll){.origin = origin, .ref = ref};
	buf_init(&p->in, IN_BYTES);
}

void poll_release(struct poll *p)
{
	buf_release(&p->in);
}

/* More bytes behind those that are there; *out_n 0 at the end. */
static int fill(struct poll *p, size_t *out_n, struct err *err)
{
	char *room = buf_reserve(&p->in, READ_BYTES);
	int r;

	if (room == NULL)
		return err_set(err, ERR_NOMEM, "answer");
	r = wire_receive(p->origin->wire, room, READ_BYTES, out_n);
	if (r < 0)
		return wire_explain(p->origin->wire, "ask the server", NULL,
				    err);
	buf_commit(&p->in, *out_n);
	return 0;
}

/* All whole lines; 1 at the last one, behind which nothing may come. */
static int take_lines(struct poll *p, struct lsrefs *l, struct err *err)
{
	struct pktline line;
	size_t at = 0;
	size_t used = 0;
	int r;

	do {
		r = pktline_parse(p->in.data + at, p->in.len - at, &line, &used,
				  err);
		at += used;
		if (r == 0 && used > 0)
			r = lsrefs_take(l, &line, err);
	} while (r == 0 && used > 0);
	if (r == 1 && at < p->in.len)
		return err_set(err, ERR_PROTO,
			       "the server says more than it was asked");
	memmove(p->in.data, p->in.data + at, p->in.len - at);
	p->in.len -= at;
	return r;
}

/* An answer of its own has an end, which lets the connection be kept. */
static int read_end(struct poll *p, struct err *err)
{
	size_t n = 0;
	int r = p->origin->wire->rpc ? fill(p, &n, err) : 0;

	if (r == 0 && n > 0)
		r = err_set(err, ERR_PROTO,
			    "the server says more than it was asked");
	return r;
}

static int read_answer(struct poll *p, struct lsrefs *l, struct err *err)
{
	size_t n = 0;
	int r;

	buf_reset(&p->in);
	do {
		r = fill(p, &n, err);
		if (r == 0 && n == 0)
			return wire_explain(p->origin->wire, "ask the server",
					    NULL, err);
		if (r == 0)
			r = take_lines(p, l, err);
	} while (r == 0);
	return r < 0 ? r : read_end(p, err);
}

static int ask_advert(struct poll *p, struct lsrefs *l, struct err *err)
{
	struct wire *w = p->origin->wire;
	int r = wire_ask(w, WIRE_ADVERT_V2);

	if (r < 0)
		return wire_explain(w, "reach the server", NULL, err);
	lsrefs_init(l, p->ref, LSREFS_ADVERT);
	r = read_answer(p, l, err);
	if (r < 0)
		return r;
	p->asked = true;
	p->v2 = l->v2;
	p->object_format = l->object_format;
	return 0;
}

static int ask_list(struct poll *p, struct lsrefs *l, struct err *err)
{
	struct wire *w = p->origin->wire;
	char request[LSREFS_REQUEST_BYTES];
	int r;

	lsrefs_init(l, p->ref, LSREFS_LIST);
	l->object_format = p->object_format;
	r = wire_ask(w, WIRE_COMMAND);
	if (r == 0)
		r = wire_send(w, request, lsrefs_request(l, request));
	if (r < 0)
		return wire_explain(w, "ask the server", NULL, err);
	return read_answer(p, l, err);
}

static int ask_wire(struct poll *p, char out_id[LSREFS_ID], struct err *err)
{
	struct lsrefs l = {0};
	int r = 0;

	if (!p->asked || !p->v2)
		r = ask_advert(p, &l, err);
	if (r == 0 && p->v2)
		r = ask_list(p, &l, err);
	if (r == 0 && !l.found)
		r = err_set(err, ERR_NOTFOUND, "the server has no ref %s",
			    p->ref);
	if (r == 0)
		memcpy(out_id, l.id, LSREFS_ID);
	return r;
}

int poll_ask(struct poll *p, char out_id[LSREFS_ID], struct err *err)
{
	git_oid id;
	int r;

	if (p->origin->wire != NULL)
		return ask_wire(p, out_id, err);
	r = source_read_ref(p->origin->folder, p->ref, &id, err);
	if (r == 0)
		(void)git_oid_tostr(out_id, LSREFS_ID, &id);
	return r;
}

bool poll_goes_on(const struct poll *p)
{
	const struct wire *w = p->origin->wire;

	return w == NULL || w->rpc || p->v2;
}
