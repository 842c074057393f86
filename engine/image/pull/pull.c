/*
 * pull.c - see pull.h.  Runs in reconcile-pull; all answers are hostile.
 *
 *   reference --GET--> index or manifest --hash--> [pick --GET--> manifest
 *   --hash-->] config --hash--> layers --hash--> blobs/<hex>
 *
 * Invariants: (1) a document is parsed only after its digest matched, when one
 * is known; (2) an index leads to a manifest, never to another index;
 * (3) sizes are capped before a transfer begins and while it runs.
 */
#include "engine/image/pull/pull.h"

#include "engine/image/oci_config.h"
#include "engine/image/oci_doc.h"
#include "engine/image/pull/blob.h"
#include "engine/image/pull/registry.h"
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/msg.h"

#include <stdlib.h>
#include <string.h>

#define LAYER_BYTES_MAX (8ull << 30)
#define IMAGE_BYTES_MAX (16ull << 30)
#define STALL_SECONDS 30
#define TOTAL_SECONDS 900
#define ARENA_BYTES ((size_t)64 << 20)

static const char *const accept_types[] = {
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.docker.distribution.manifest.v2+json",
	NULL,
};

struct pull {
	const Image__PullRequest *request;
	int blobs;
	int sock;
	struct image_ref ref;
	struct registry *registry;
	struct arena *arena;
	struct http_answer answer;
	char reference_digest[DIGEST_BYTES];
	struct oci_descriptor manifest, config;
	struct oci_descriptor layers[OCI_DOC_LAYERS_MAX];
	size_t n_layers;
	struct oci_config typed;
};

static int to_buf(void *ctx, const char *bytes, size_t len, struct err *err)
{
	buf_put(ctx, bytes, len);
	return buf_check(ctx, err);
}

static int check_bytes(const struct buf *b, const char *digest,
		       const char *what, struct err *err)
{
	char have[DIGEST_BYTES];

	digest_of(b->data ? b->data : "", b->len, have);
#ifndef GUARD_OFF_DOC_DIGEST
	if (strcmp(have, digest) != 0)
		return err_set(err, ERR_TRUST, "%s: want digest %s, have %s",
			       what, digest, have);
#else
	(void)digest;
	(void)what;
	(void)err;
#endif
	return 0;
}

/* A manifest, index or config into memory; digest "" when only a tag is known.
 * size 0: unknown. */
static int get_small(struct pull *p, const char *kind, const char *name,
		     const char *digest, uint64_t size, struct buf *out,
		     struct err *err)
{
	bool doc = strcmp(kind, "manifests") == 0;
	struct http_sink sink = {
		.write = to_buf, .ctx = out, .max = OCI_DOC_BYTES_MAX};
	int r;

	if (size > OCI_DOC_BYTES_MAX)
		return err_set(err, ERR_LIMIT,
			       "%s %s: want at most %u bytes, have %llu", kind,
			       digest, OCI_DOC_BYTES_MAX,
			       (unsigned long long)size);
	buf_reset(out);
	r = registry_get(p->registry, kind, name, doc ? accept_types : NULL,
			 &sink, &p->answer, err);
	if (r < 0)
		return r;
	if (size && out->len != size)
		return err_set(err, ERR_TRUST,
			       "%s %s: want %llu bytes, have %zu", kind, digest,
			       (unsigned long long)size, out->len);
	return digest[0] ? check_bytes(out, digest, kind, err) : 0;
}

static int open_doc(struct pull *p, const struct buf *b, struct oci_doc **out,
		    struct err *err)
{
	int r = oci_doc_new(b->data ? b->data : "", b->len,
			    p->answer.content_type, out, err);

	return r < 0 ? err_wrap(err, "manifest of %s", p->ref.path) : 0;
}

static int send_resolved(struct pull *p, struct err *err)
{
	Image__PullResolved m;
	uint8_t packed[256];

	image__pull_resolved__init(&m);
	m.digest = p->reference_digest;
	return msg_send(p->sock, IMAGE__FRAME__FRAME_PULL_RESOLVED, packed,
			image__pull_resolved__pack(&m, packed), NULL, 0, err);
}

static int send_progress(struct pull *p, const struct oci_descriptor *d,
			 bool reused, struct err *err)
{
	Image__PullProgress m;
	uint8_t packed[256];
	char digest[DIGEST_BYTES];

	image__pull_progress__init(&m);
	memcpy(digest, d->digest, sizeof(digest));
	m.digest = digest;
	m.bytes = d->size;
	m.reused = reused;
	return msg_send(p->sock, IMAGE__FRAME__FRAME_PULL_PROGRESS, packed,
			image__pull_progress__pack(&m, packed), NULL, 0, err);
}

/* What the reference names: hashed, and bound to the header's digest. */
static int get_reference(struct pull *p, struct buf *out, struct err *err)
{
	const char *digest = p->ref.digest;
	const char *told = p->answer.content_digest;
	int r;

	r = get_small(p, "manifests", digest[0] ? digest : p->ref.tag, digest,
		      0, out, err);
	if (r < 0)
		return r;
	digest_of(out->data ? out->data : "", out->len, p->reference_digest);
	if (digest_is_valid(told) && strcmp(told, p->reference_digest) != 0)
		return err_set(err, ERR_TRUST,
			       "manifest: registry says digest %s, have %s",
			       told, p->reference_digest);
	if (digest[0])
		memcpy(p->reference_digest, digest, DIGEST_BYTES);
	return 0;
}

/* Ends with p->config and p->layers of the platform's manifest. */
static int resolve(struct pull *p, struct err *err)
{
	struct oci_doc *doc = NULL;
	struct buf bytes;
	int r;

	buf_init(&bytes, OCI_DOC_BYTES_MAX);
	r = get_reference(p, &bytes, err);
	if (r == 0)
		r = open_doc(p, &bytes, &doc, err);
	if (r < 0)
		goto out;
	memcpy(p->manifest.digest, p->reference_digest, DIGEST_BYTES);
	r = send_resolved(p, err);
	if (r < 0 || p->request->resolve_only)
		goto out;
	if (oci_doc_role(doc) == OCI_ROLE_INDEX) {
		r = oci_doc_pick(doc, p->request->os, p->request->architecture,
				 &p->manifest, err);
		oci_doc_free(doc);
		doc = NULL;
		if (r == 0)
			r = get_small(p, "manifests", p->manifest.digest,
				      p->manifest.digest, p->manifest.size,
				      &bytes, err);
		if (r == 0)
			r = open_doc(p, &bytes, &doc, err);
		if (r == 0 && oci_doc_role(doc) != OCI_ROLE_MANIFEST)
			r = err_set(err, ERR_INPUT,
				    "index leads to another index");
	}
	if (r == 0)
		r = oci_doc_manifest(doc, &p->config, p->layers, &p->n_layers,
				     err);
out:
	oci_doc_free(doc);
	buf_release(&bytes);
	return r;
}

static int get_config(struct pull *p, struct err *err)
{
	struct buf bytes;
	int r;

	buf_init(&bytes, OCI_CONFIG_BYTES_MAX);
	r = get_small(p, "blobs", p->config.digest, p->config.digest,
		      p->config.size, &bytes, err);
	if (r == 0)
		r = oci_config_parse(bytes.data ? bytes.data : "", bytes.len,
				     p->request->os, p->request->architecture,
				     p->arena, &p->typed, err);
	if (r == 0 && p->typed.diff_ids.n != p->n_layers)
		r = err_set(err, ERR_INPUT,
			    "config: want %zu diff_ids as the manifest has "
			    "layers, have %zu",
			    p->n_layers, p->typed.diff_ids.n);
	buf_release(&bytes);
	return r;
}

static int check_sizes(const struct pull *p, struct err *err)
{
	uint64_t one = p->request->max_layer_bytes;
	uint64_t all = p->request->max_image_bytes;
	uint64_t sum = 0;
	size_t i;

	one = one ? one : LAYER_BYTES_MAX;
	all = all ? all : IMAGE_BYTES_MAX;
	for (i = 0; i < p->n_layers; i++) {
		uint64_t size = p->layers[i].size;

		if (size > one)
			return err_set(err, ERR_LIMIT,
				       "layers[%zu]: want at most %llu bytes, "
				       "have %llu",
				       i, (unsigned long long)one,
				       (unsigned long long)size);
		if (size > all - sum)
			return err_set(err, ERR_LIMIT,
				       "image: want at most %llu bytes of "
				       "layers, have more",
				       (unsigned long long)all);
		sum += size;
	}
	return 0;
}

static int to_blob(void *ctx, const char *bytes, size_t len, struct err *err)
{
	return blob_write(ctx, bytes, len, err);
}

static int get_blob(struct pull *p, const struct oci_descriptor *d,
		    struct err *err)
{
	struct blob blob = {.dir = -1, .fd = -1};
	struct http_sink sink = {
		.write = to_blob, .ctx = &blob, .max = d->size + 1};
	int r;

	r = blob_init(&blob, p->blobs, d->digest, d->size, err);
	if (r == 0)
		r = registry_get(p->registry, "blobs", d->digest, NULL, &sink,
				 &p->answer, err);
	if (r == 0)
		r = blob_commit(&blob, err);
	blob_release(&blob);
	return r;
}

static bool is_had(const struct pull *p, const char *diff_id)
{
	size_t i;

	for (i = 0; i < p->request->n_have; i++) {
		if (strcmp(p->request->have[i], diff_id) == 0)
			return true;
	}
	return false;
}

static int get_layers(struct pull *p, struct err *err)
{
	size_t i;
	int r;

	for (i = 0; i < p->n_layers; i++) {
		const struct oci_descriptor *d = &p->layers[i];
		bool reused = is_had(p, p->typed.diff_ids.items[i]) ||
			      blob_exists(p->blobs, d->digest, d->size);

		r = reused ? 0 : get_blob(p, d, err);
		if (r < 0)
			return err_wrap(err, "layers[%zu]", i);
		r = send_progress(p, d, reused, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static Image__Config *config_message(struct pull *p)
{
	const struct oci_config *c = &p->typed;
	Image__Config *m = arena_alloc(p->arena, sizeof(*m));

	image__config__init(m);
	m->entrypoint = c->entrypoint.items;
	m->n_entrypoint = c->entrypoint.n;
	m->cmd = c->cmd.items;
	m->n_cmd = c->cmd.n;
	m->env = c->env.items;
	m->n_env = c->env.n;
	m->volumes = c->volumes.items;
	m->n_volumes = c->volumes.n;
	m->exposed_ports = c->exposed_ports.items;
	m->n_exposed_ports = c->exposed_ports.n;
	m->user = arena_strdup(p->arena, c->user);
	m->working_dir = arena_strdup(p->arena, c->working_dir);
	m->stop_signal = arena_strdup(p->arena, c->stop_signal);
	return m;
}

static int send_done(struct pull *p, struct err *err)
{
	Image__PullDone m;
	Image__Layer **layers =
		arena_calloc(p->arena, p->n_layers + 1, sizeof(*layers));
	uint8_t *packed;
	size_t i;

	for (i = 0; i < p->n_layers; i++) {
		layers[i] = arena_alloc(p->arena, sizeof(**layers));
		image__layer__init(layers[i]);
		layers[i]->blob_digest =
			arena_strdup(p->arena, p->layers[i].digest);
		layers[i]->diff_id = p->typed.diff_ids.items[i];
		layers[i]->media_type =
			arena_strdup(p->arena, p->layers[i].type->name);
		layers[i]->size = p->layers[i].size;
	}
	image__pull_done__init(&m);
	m.reference_digest = p->reference_digest;
	m.manifest_digest = p->manifest.digest;
	m.config_digest = p->config.digest;
	m.layers = layers;
	m.n_layers = p->n_layers;
	m.config = config_message(p);
	packed = arena_alloc(p->arena, image__pull_done__get_packed_size(&m));
	return msg_send(p->sock, IMAGE__FRAME__FRAME_PULL_DONE, packed,
			image__pull_done__pack(&m, packed), NULL, 0, err);
}

static int open_registry(struct pull *p, struct err *err)
{
	const Image__PullRequest *q = p->request;
	struct http_config config = {
		.ca_pem = q->ca_pem.data,
		.ca_len = q->ca_pem.len,
		.insecure_http = q->insecure_http,
		.stall_seconds = q->stall_seconds ? (long)q->stall_seconds
						  : STALL_SECONDS,
		.total_seconds = q->total_seconds ? (long)q->total_seconds
						  : TOTAL_SECONDS,
	};
	struct registry_credential credential = {
		.username = (const char *)q->username.data,
		.username_len = q->username.len,
		.password = (const char *)q->password.data,
		.password_len = q->password.len,
	};
	int r = image_ref_parse(q->reference, &p->ref, err);

	return r < 0 ? r
		     : registry_new(&p->ref, &config, &credential, &p->registry,
				    err);
}

int pull_run(const Image__PullRequest *request, int blobs, int sock,
	     struct err *err)
{
	struct pull *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return err_set(err, ERR_NOMEM, "out of memory");
	p->request = request;
	p->blobs = blobs;
	p->sock = sock;
	p->arena = arena_new(ARENA_BYTES);
	r = open_registry(p, err);
	if (r == 0)
		r = resolve(p, err);
	if (r < 0 || request->resolve_only)
		goto out;
	r = get_config(p, err);
	if (r == 0)
		r = check_sizes(p, err);
	if (r == 0)
		r = get_layers(p, err);
	if (r == 0)
		r = send_done(p, err);
out:
	registry_free(p->registry);
	arena_free(p->arena);
	free(p);
	return r;
}
