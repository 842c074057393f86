/*
 * remote.c - see remote.h.
 *
 * libgit2 would store a pack that lacks what its objects name.  A store of
 * objects of our own, asked first, hands the bytes to pack.c instead, which is
 * where every pack is taken.
 */
#include "reconciler/fetch/remote.h"
#include "reconciler/fetch/bare.h"
#include "reconciler/fetch/pack.h"

#include <git2/sys/odb_backend.h>

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define SCHEME "wire"
#define BEFORE_ALL 1000 /* libgit2 has 1 and 2 */

struct remote {
	struct wire *wire; /* borrowed */
	git_smart_subtransport sub;
	git_smart_subtransport_stream stream;
	git_odb_backend backend;
	git_odb_writepack writer;
	const char *store; /* borrowed */
	git_oid want;
	struct pack_taker taker;
	struct budget budget; /* the taker's: the wire has counted the bytes */
};

static struct remote *of_stream(git_smart_subtransport_stream *stream)
{
	return (struct remote *)((char *)stream -
				 offsetof(struct remote, stream));
}

static int on_read(git_smart_subtransport_stream *stream, char *buffer,
		   size_t len, size_t *out_n)
{
	return wire_receive(of_stream(stream)->wire, buffer, len, out_n) < 0
		       ? -1
		       : 0;
}

static int on_write(git_smart_subtransport_stream *stream, const char *bytes,
		    size_t len)
{
	return wire_send(of_stream(stream)->wire, bytes, len) < 0 ? -1 : 0;
}

static void on_stream_free(git_smart_subtransport_stream *stream)
{
	(void)stream;
}

static int on_action(git_smart_subtransport_stream **out,
		     git_smart_subtransport *sub, const char *url,
		     git_smart_service_t action)
{
	struct remote *m =
		(struct remote *)((char *)sub - offsetof(struct remote, sub));

	(void)url;
	if (action != GIT_SERVICE_UPLOADPACK_LS &&
	    action != GIT_SERVICE_UPLOADPACK)
		return -1;
	if (wire_ask(m->wire, action == GIT_SERVICE_UPLOADPACK_LS
				      ? WIRE_ADVERT
				      : WIRE_UPLOAD) < 0)
		return -1;
	m->stream = (git_smart_subtransport_stream){.subtransport = sub,
						    .read = on_read,
						    .write = on_write,
						    .free = on_stream_free};
	*out = &m->stream;
	return 0;
}

static int on_close(git_smart_subtransport *sub)
{
	(void)sub;
	return 0;
}

static void on_sub_free(git_smart_subtransport *sub)
{
	(void)sub;
}

static int on_new(git_smart_subtransport **out, git_transport *owner,
		  void *param)
{
	struct remote *m = param;

	(void)owner;
	m->sub = (git_smart_subtransport){
		.action = on_action, .close = on_close, .free = on_sub_free};
	*out = &m->sub;
	return 0;
}

/* --- where the pack goes ---------------------------------------------------
 */

static struct remote *of_writer(git_odb_writepack *writer)
{
	return (struct remote *)((char *)writer -
				 offsetof(struct remote, writer));
}

/* The first cause stays, where explain() looks for it. */
static int pack_failed(struct remote *m, const struct err *why)
{
	if (m->wire->budget->why.code == 0)
		m->wire->budget->why = *why;
	return -1;
}

static int on_append(git_odb_writepack *writer, const void *bytes, size_t len,
		     git_indexer_progress *stats)
{
	struct remote *m = of_writer(writer);

	if (pack_take(&m->taker, bytes, len) < 0)
		return pack_failed(m, &m->taker.why);
	*stats = m->taker.stats;
	return 0;
}

static int on_commit(git_odb_writepack *writer, git_indexer_progress *stats)
{
	struct remote *m = of_writer(writer);
	struct err why = {0};

	if (pack_take_end(&m->taker, &m->want, &why) < 0)
		return pack_failed(m, &why);
	*stats = m->taker.stats;
	return 0;
}

static void on_writer_free(git_odb_writepack *writer)
{
	pack_take_release(&of_writer(writer)->taker);
}

static int on_write_pack(git_odb_writepack **out, git_odb_backend *backend,
			 git_odb *odb, git_indexer_progress_cb progress,
			 void *payload)
{
	struct remote *m = (struct remote *)((char *)backend -
					     offsetof(struct remote, backend));
	struct err why = {0};

	(void)odb;
	(void)progress;
	(void)payload;
	m->budget = *m->wire->budget;
	m->budget.bytes = 0;
	if (pack_take_begin(m->store, &m->budget, &m->taker, &why) < 0)
		return pack_failed(m, &why);
	m->writer = (git_odb_writepack){.backend = backend,
					.append = on_append,
					.commit = on_commit,
					.free = on_writer_free};
	*out = &m->writer;
	return 0;
}

static void on_backend_free(git_odb_backend *backend)
{
	(void)backend; /* part of struct remote */
}

static int take_packs(struct remote *m, git_repository *repo)
{
	git_odb *odb = NULL;
	int r = git_odb_init_backend(&m->backend, GIT_ODB_BACKEND_VERSION);

	m->backend.writepack = on_write_pack;
	m->backend.free = on_backend_free;
	if (r == 0)
		r = git_repository_odb(&odb, repo);
	if (r == 0)
		r = git_odb_add_backend(odb, &m->backend, BEFORE_ALL);
	git_odb_free(odb);
	return r;
}

/* --- the fetch -------------------------------------------------------------
 */

static int explain(struct remote *m, const char *step, struct err *err)
{
	const git_error *e = git_error_last();

	return wire_explain(m->wire, step, e != NULL ? e->message : NULL, err);
}

static int find_ref(git_remote *remote, const char *ref, git_oid *out,
		    struct err *err)
{
	const git_remote_head **heads = NULL;
	size_t n = 0;

	if (git_remote_ls(&heads, &n, remote) < 0)
		return bare_error(err, ERR_AGAIN, "list the server's refs");
	for (size_t i = 0; i < n; i++)
		if (strcmp(heads[i]->name, ref) == 0) {
			*out = heads[i]->oid;
			return 0;
		}
	return err_set(err, ERR_NOTFOUND, "the server has no ref %s", ref);
}

static int download(struct remote *m, git_remote *remote, const char *ref,
		    struct err *err)
{
	git_fetch_options opts;
	char spec[600];
	char *specs[] = {spec};
	git_strarray list = {specs, 1};

	(void)snprintf(spec, sizeof(spec), "+%s:" BARE_MIRROR_REF, ref);
	if (git_fetch_options_init(&opts, GIT_FETCH_OPTIONS_VERSION) < 0)
		return bare_error(err, ERR_SYS, "fetch options");
	opts.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	if (git_remote_download(remote, &list, &opts) < 0)
		return explain(m, "receive objects", err);
	return 0;
}

int remote_fetch(struct wire *wire, const char *store_path, const char *ref,
		 const git_oid *have, git_oid *out_id, struct err *err)
{
	struct remote m = {.wire = wire, .store = store_path};
	git_smart_subtransport_definition definition = {
		.callback = on_new, .rpc = wire->rpc, .param = &m};
	git_repository *repo = NULL;
	git_remote *remote = NULL;
	int r;

	if (git_transport_register(SCHEME, git_transport_smart, &definition) <
		    0 ||
	    git_repository_open_bare(&repo, store_path) < 0 ||
	    take_packs(&m, repo) < 0 ||
	    git_remote_create_anonymous(&remote, repo, SCHEME "://server/x") <
		    0) {
		r = bare_error(err, ERR_SYS, store_path);
		goto out;
	}
	if (git_remote_connect(remote, GIT_DIRECTION_FETCH, NULL, NULL, NULL) <
	    0) {
		r = explain(&m, "reach the server", err);
		goto out;
	}
	r = find_ref(remote, ref, &m.want, err);
	if (r == 0 && (have == NULL || !git_oid_equal(have, &m.want)))
		r = download(&m, remote, ref, err);
	if (r == 0)
		*out_id = m.want;
out:
	git_remote_free(remote);
	git_repository_free(repo);
	return r;
}
