/*
 * fetcher.c - see fetcher.h.
 *
 * A kept reconcile-fetch only looks: it has no store.  What is new is brought
 * by a fresh one, so that no parser of packs outlives its input.
 */
#include "reconciler/core/fetcher.h"

#include "lib/file.h"
#include "lib/log.h"
#include "lib/text.h"
#include "reconciler/core/call.h"
#include "reconciler/core/siblings.h"
#include "reconciler/fetch/fetch.pb-c.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HEX 40
#define PROGRAM "reconcile-fetch"
#define STAMP_BYTES 512

struct fetcher {
	struct call call;
	bool alive;
	bool said; /* that the server lists every ref */
	char stamp[STAMP_BYTES];
};

/* The server's "no" and "not there" are about our configuration, not about
 * policy or a host (exit status 3). */
static int fetch_code(int code)
{
	return code == ERR_NOTFOUND || code == ERR_DENIED ? ERR_INPUT : code;
}

static int fetch_answer(struct call *c, struct arena *arena,
			const char **out_commit, bool *out_whole_list,
			struct err *err)
{
	const uint8_t *bytes = (const uint8_t *)c->msg.payload.data;
	int r = 0;

	if (c->msg.type == FETCH__MSG_TYPE__MSG_ERROR) {
		Fetch__Error *e =
			fetch__error__unpack(NULL, c->msg.payload.len, bytes);

		r = e == NULL ? err_set(err, ERR_PROTO, "error frame")
			      : err_set(err, fetch_code(call_code(e->code)),
					"%s", e->message);
		fetch__error__free_unpacked(e, NULL);
	} else if (c->msg.type == FETCH__MSG_TYPE__MSG_HEAD) {
		Fetch__Head *h =
			fetch__head__unpack(NULL, c->msg.payload.len, bytes);

		if (h == NULL || !text_is_hex(h->commit, HEX))
			r = err_set(err, ERR_PROTO, "head frame");
		else
			*out_commit = arena_strdup(arena, h->commit);
		*out_whole_list = h != NULL && h->whole_list;
		fetch__head__free_unpacked(h, NULL);
	} else {
		r = err_set(err, ERR_PROTO, "unexpected frame %u", c->msg.type);
	}
	return r;
}

static void fill_request(const struct core_conf *conf, struct arena *arena,
			 Fetch__MirrorRequest *q)
{
	fetch__mirror_request__init(q);
	q->url = call_text(arena, conf->repository_url);
	q->ref = call_text(arena, conf->repository_ref);
	q->ssh_key = call_text(arena, conf->ssh_key);
	q->ssh_known_hosts = call_text(arena, conf->ssh_known_hosts);
	q->ca_file = call_text(arena, conf->ca_file);
	q->server_key = call_text(arena, conf->server_key);
	q->credential_file = call_text(arena, conf->credential_file);
}

static int ask(struct call *c, const Fetch__MirrorRequest *q, uint16_t type,
	       struct arena *arena, const char **out_commit,
	       bool *out_whole_list, struct err *err)
{
	int r = q != NULL ? call_send(c, type, &q->base, err)
			  : msg_send(c->sock, type, "", 0, NULL, 0, err);

	if (r == 0)
		r = call_next(c, err);
	return r < 0 ? r
		     : fetch_answer(c, arena, out_commit, out_whole_list, err);
}

static int mirror(const struct core *core, struct arena *arena,
		  const char **out_commit, struct err *err)
{
	const struct core_conf *conf = core->conf;
	Fetch__MirrorRequest q;
	bool any = false;
	struct call c;
	int r = call_start(&c, core->libexec, PROGRAM, err);

	if (r == 0) {
		fill_request(conf, arena, &q);
		q.store_path = call_text(arena, siblings_mirror(conf, arena));
		q.timeout_ms = (uint32_t)conf->fetch_timeout_s * 1000;
		r = ask(&c, &q, FETCH__MSG_TYPE__MSG_MIRROR, arena, out_commit,
			&any, err);
	}
	call_end(&c);
	return r;
}

/* --- the kept one ----------------------------------------------------------
 */

/* What it has read when it began: it is started again when that changes. */
static void stamp_files(const struct core_conf *conf, char out[STAMP_BYTES])
{
	const char *const files[] = {conf->ssh_key, conf->ssh_known_hosts,
				     conf->ca_file, conf->credential_file};
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct stat st = {0};

		if (files[i][0] != '\0')
			(void)stat(files[i], &st);
		at += (size_t)snprintf(
			out + at, STAMP_BYTES - at, "%llu:%lld:%lld.%ld;",
			(unsigned long long)st.st_ino, (long long)st.st_size,
			(long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	}
}

static void end_kept(struct fetcher *f)
{
	if (f->alive)
		call_end(&f->call);
	f->alive = false;
}

/* On the connection that is there; it may have been closed meanwhile. */
static int poll_again(struct fetcher *f, struct arena *arena,
		      const char **out_commit, struct err *err)
{
	bool any = false;
	int r = ask(&f->call, NULL, FETCH__MSG_TYPE__MSG_POLL, arena,
		    out_commit, &any, err);

	if (r < 0)
		end_kept(f);
	return r;
}

static int poll_first(const struct core *core, struct fetcher *f,
		      struct arena *arena, const char **out_commit,
		      struct err *err)
{
	Fetch__MirrorRequest q;
	bool whole = false;
	int r = call_start(&f->call, core->libexec, PROGRAM, err);

	f->alive = true;
	if (r == 0) {
		fill_request(core->conf, arena, &q);
		r = ask(&f->call, &q, FETCH__MSG_TYPE__MSG_POLL, arena,
			out_commit, &whole, err);
	}
	if (r < 0)
		end_kept(f);
	if (r == 0 && whole && !f->said) {
		f->said = true;
		log_line(LOG_LEVEL_WARN, "fetch.poll",
			 "msg=\"the git server does not speak protocol version "
			 "2: each look lists all its refs\"");
	}
	return r;
}

static int look(const struct core *core, struct arena *arena,
		const char **out_commit, struct err *err)
{
	struct fetcher *f = core->fetcher;
	char stamp[STAMP_BYTES];

	stamp_files(core->conf, stamp);
	if (strcmp(stamp, f->stamp) != 0)
		end_kept(f);
	memcpy(f->stamp, stamp, sizeof(stamp));
	if (f->alive && poll_again(f, arena, out_commit, err) == 0)
		return 0;
	return poll_first(core, f, arena, out_commit, err);
}

/* Is it what the mirror has?  Its objects were there before its name. */
static bool is_mirrored(const struct core_conf *conf, struct arena *arena,
			const char *commit)
{
	const char *path = arena_printf(arena, "%s/refs/reconcile/mirror",
					siblings_mirror(conf, arena));
	struct buf text;
	bool same;

	buf_init(&text, HEX + 1);
	same = file_read(AT_FDCWD, path, HEX + 1, &text, NULL) == 0 &&
	       text.len == HEX + 1 && memcmp(text.data, commit, HEX) == 0;
	buf_release(&text);
	return same;
}

struct fetcher *fetcher_new(void)
{
	return calloc(1, sizeof(struct fetcher));
}

void fetcher_free(struct fetcher *f)
{
	if (f != NULL)
		end_kept(f);
	free(f);
}

int fetcher_head(const struct core *core, struct arena *arena,
		 const char **out_commit, struct err *err)
{
	const char *commit = NULL;
	int r = 0;

	if (core->fetcher != NULL)
		r = look(core, arena, &commit, err);
	if (r == 0 &&
	    (commit == NULL || !is_mirrored(core->conf, arena, commit)))
		r = mirror(core, arena, &commit, err);
	if (r < 0)
		return err_wrap(err, "fetch %s", core->conf->repository_url);
	*out_commit = commit;
	return 0;
}

int fetcher_pack(const struct core_conf *conf, const char *libexec,
		 const char *want, const char *have, struct buf *out,
		 struct err *err)
{
	Fetch__PackRequest q;
	struct arena *arena = arena_new(1u << 16);
	const char *unused = NULL;
	bool any = false;
	char *haves[1];
	struct call c;
	int r = call_start(&c, libexec, "reconcile-fetch", err);

	fetch__pack_request__init(&q);
	if (r < 0)
		goto out;
	q.store_path = call_text(arena, siblings_mirror(conf, arena));
	q.want = call_text(arena, want);
	if (have != NULL && have[0] != '\0') {
		haves[0] = call_text(arena, have);
		q.have = haves;
		q.n_have = 1;
	}
	r = call_send(&c, FETCH__MSG_TYPE__MSG_PACK, &q.base, err);
	while (r == 0 && (r = call_next(&c, err)) == 0 &&
	       c.msg.type == FETCH__MSG_TYPE__MSG_PACK_DATA)
		buf_put(out, c.msg.payload.data, c.msg.payload.len);
	if (r == 0 && c.msg.type != FETCH__MSG_TYPE__MSG_DONE)
		r = fetch_answer(&c, arena, &unused, &any, err);
	if (r == 0)
		r = buf_check(out, err);
out:
	call_end(&c);
	arena_free(arena);
	return r < 0 ? err_wrap(err, "pack %s", want) : 0;
}
