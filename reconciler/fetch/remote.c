/*
 * remote.c - see remote.h.
 */
#include "reconciler/fetch/remote.h"
#include "reconciler/fetch/bare.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define SCHEME "wire"

struct remote {
	struct wire *wire; /* borrowed */
	git_smart_subtransport sub;
	git_smart_subtransport_stream stream;
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

static int on_progress(const git_indexer_progress *stats, void *payload)
{
	struct remote *m = payload;
	struct err *why = &m->wire->budget->why;

#ifndef GUARD_OFF_BUDGET
	if (stats->total_objects > BUDGET_OBJECTS) {
		(void)err_set(why, ERR_LIMIT,
			      "want at most %u objects, the pack says %u",
			      BUDGET_OBJECTS, stats->total_objects);
		return GIT_EUSER;
	}
#else
	(void)stats;
	(void)why;
#endif
	return 0;
}

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
	opts.callbacks.transfer_progress = on_progress;
	opts.callbacks.payload = m;
	if (git_remote_download(remote, &list, &opts) < 0)
		return explain(m, "receive objects", err);
	return 0;
}

int remote_fetch(struct wire *wire, const char *store_path, const char *ref,
		 const git_oid *have, git_oid *out_id, struct err *err)
{
	struct remote m = {.wire = wire};
	git_smart_subtransport_definition definition = {
		.callback = on_new, .rpc = wire->rpc, .param = &m};
	git_repository *repo = NULL;
	git_remote *remote = NULL;
	git_oid id;
	int r;

	if (git_transport_register(SCHEME, git_transport_smart, &definition) <
		    0 ||
	    git_repository_open_bare(&repo, store_path) < 0 ||
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
	r = find_ref(remote, ref, &id, err);
	if (r == 0 && (have == NULL || !git_oid_equal(have, &id)))
		r = download(&m, remote, ref, err);
	if (r == 0)
		*out_id = id;
out:
	git_remote_free(remote);
	git_repository_free(repo);
	return r;
}
