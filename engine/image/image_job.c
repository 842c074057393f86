/*
 * image_job.c - the work on one image as a state machine that never waits.
 * Runs in the agent as root.  Its children parse hostile bytes and may have
 * been taken over: each of their frames is checked against the state, anything
 * else ends the child and the job.
 *
 *          cached                          cached
 *   LOCK ----------> DONE <---------------------------------+
 *    | lock taken     ^                                     |
 *    v                | no layer missing     RESOLVED, resolve_only or known
 *   PULL ---PULL_DONE-+--> MAP --MAPPED--> UNPACK --DONE--> next layer
 *
 * Legal frames by state are the table `moves`.  A timer bounds each state.
 */
#include "engine/image/image_child.h"

#include "engine/image/oci_doc.h"
#include "lib/msg.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define LOCK_POLL_MS 50
#define TOTAL_SECONDS 900u
#define GRACE_SECONDS 3
#define UNPACKED_BYTES_MAX (32ull << 30)
#define ENTRIES_MAX 1000000u
#define NAME_BYTES_MAX 4095u
#define DEPTH_MAX 512u
#define RATIO_MAX 200u

enum job_state {
	JOB_LOCK,
	JOB_PULL,
	JOB_MAP,
	JOB_UNPACK,
	JOB_DONE,
	JOB_FAILED,
};

struct image_job {
	struct image_store *store;
	struct image_request request; /* strings in the arena */
	struct arena *arena;
	struct image_ref ref;
	enum job_state state;
	int epoll, timer, lock;
	struct image_child child;
	struct image_layer_temp temp;
	int blob;
	char resolved[DIGEST_BYTES];
	Image__PullDone *image;
	size_t layer; /* being unpacked */
};

static const char *const state_names[] = {
	[JOB_LOCK] = "waiting for another pull of the image",
	[JOB_PULL] = "pull",
	[JOB_MAP] = "unpack",
	[JOB_UNPACK] = "unpack",
	[JOB_DONE] = "done",
	[JOB_FAILED] = "failed",
};

/* --- life ------------------------------------------------------------------
 */

static void copy_request(struct image_job *j, const struct image_request *q)
{
	const char *user = q->username ? q->username : "";
	const char *pass = q->password ? q->password : "";

	j->request = *q;
	j->request.reference = NULL;
	j->request.ca_pem =
		arena_memdup(j->arena, q->ca_len ? q->ca_pem : "", q->ca_len);
	j->request.username = arena_strdup(j->arena, user);
	j->request.password = arena_strdup(j->arena, pass);
}

static int watch(struct image_job *j, int fd, struct err *err)
{
	struct epoll_event e = {.events = EPOLLIN, .data = {.fd = fd}};

	if (epoll_ctl(j->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		return err_sys(err, errno, "epoll_ctl");
	return 0;
}

static int set_timer(struct image_job *j, int64_t ms, struct err *err)
{
	struct itimerspec t = {
		.it_value = {.tv_sec = (time_t)(ms / 1000),
			     .tv_nsec = (long)(ms % 1000) * 1000000L},
	};

	if (timerfd_settime(j->timer, 0, &t, NULL) < 0)
		return err_sys(err, errno, "timerfd_settime");
	return 0;
}

static int set_deadline(struct image_job *j, struct err *err)
{
	uint32_t s = j->request.total_seconds;

	/* two transfers: a blob, and a token for it */
	return set_timer(
		j,
		((int64_t)(s ? s : TOTAL_SECONDS) * 2 + GRACE_SECONDS) * 1000,
		err);
}

int image_job_new(struct image_store *store,
		  const struct image_request *request, struct image_job **out,
		  struct err *err)
{
	struct image_job *j = calloc(1, sizeof(*j));
	int r;

	if (!j)
		return err_set(err, ERR_NOMEM, "out of memory");
	j->store = store;
	j->epoll = j->timer = j->lock = j->blob = -1;
	j->temp = (struct image_layer_temp){.lock = -1, .fs = -1};
	image_child_init(&j->child);
	j->arena = arena_new((size_t)64 << 20);
	r = image_ref_parse(request->reference, &j->ref, err);
	if (r == 0) {
		copy_request(j, request);
		j->epoll = epoll_create1(EPOLL_CLOEXEC);
		j->timer = timerfd_create(CLOCK_MONOTONIC,
					  TFD_NONBLOCK | TFD_CLOEXEC);
		if (j->epoll < 0 || j->timer < 0)
			r = err_sys(err, errno, "epoll and timer of a job");
	}
	if (r == 0)
		r = watch(j, j->timer, err);
	if (r < 0) {
		image_job_free(j);
		return r;
	}
	*out = j;
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* Everything that belongs to a state in the middle. */
static void drop_work(struct image_job *j)
{
	image_child_release(&j->child);
	image_store_temp_release(j->store, &j->temp);
	close_fd(&j->blob);
	close_fd(&j->lock);
}

/* A failure leaves nothing: what was fetched for this image goes too. */
static void drop_blobs(struct image_job *j)
{
	size_t i;

	if (j->state != JOB_MAP && j->state != JOB_UNPACK)
		return;
	for (i = j->layer; i < j->image->n_layers; i++)
		image_store_drop_blob(j->store,
				      j->image->layers[i]->blob_digest);
}

void image_job_free(struct image_job *j)
{
	char *secret;

	if (!j)
		return;
	drop_work(j);
	close_fd(&j->timer);
	close_fd(&j->epoll);
	image__pull_done__free_unpacked(j->image, NULL);
	secret = (char *)(uintptr_t)j->request.password;
	if (secret)
		explicit_bzero(secret, strlen(secret));
	arena_free(j->arena);
	free(j);
}

int image_job_fd(const struct image_job *j)
{
	return j->epoll;
}

/* --- what the moves do -----------------------------------------------------
 */

static int start_pull(struct image_job *j, struct err *err)
{
	const struct image_request *q = &j->request;
	Image__PullRequest m;
	char reference[IMAGE_REF_BYTES], os[] = "linux", arch[] = "amd64";
	int r;

	image__pull_request__init(&m);
	m.reference = reference;
	image_ref_format(&j->ref, reference);
	m.ca_pem =
		(ProtobufCBinaryData){q->ca_len, (void *)(uintptr_t)q->ca_pem};
	m.username = (ProtobufCBinaryData){strlen(q->username),
					   (void *)(uintptr_t)q->username};
	m.password = (ProtobufCBinaryData){strlen(q->password),
					   (void *)(uintptr_t)q->password};
	m.insecure_http = q->insecure_http;
	m.resolve_only = q->resolve_only;
	m.os = os;
	m.architecture = arch;
	m.max_layer_bytes = q->max_layer_bytes;
	m.max_image_bytes = q->max_image_bytes;
	m.stall_seconds = q->stall_seconds;
	m.total_seconds = q->total_seconds;
	r = image_store_list_layers(j->store, j->arena, &m.have, &m.n_have,
				    err);
	if (r == 0)
		r = image_child_pull(&j->child, j->store, &m, err);
	if (r == 0)
		r = watch(j, j->child.sock, err);
	if (r == 0)
		r = set_deadline(j, err);
	j->state = JOB_PULL;
	return r;
}

static int finish(struct image_job *j, struct err *err)
{
	int r = 0;

	if (j->image)
		r = image_store_save(j->store, j->image, err);
	drop_work(j);
	j->state = JOB_DONE;
	return r;
}

static int start_unpack(struct image_job *j, struct err *err)
{
	const Image__Layer *l = j->image->layers[j->layer];
	int r;

	r = image_store_open_blob(j->store, l->blob_digest, l->size, &j->blob,
				  err);
	if (r == 0)
		r = image_store_temp_init(j->store, &j->temp, err);
	if (r == 0)
		r = image_child_unpack(&j->child, j->store, j->blob, j->temp.fs,
				       err);
	if (r == 0)
		r = watch(j, j->child.sock, err);
	if (r == 0)
		r = set_deadline(j, err);
	j->state = JOB_MAP;
	return r;
}

/* The next layer that is missing, or the end. */
static int next_layer(struct image_job *j, struct err *err)
{
	for (; j->layer < j->image->n_layers; j->layer++) {
		const Image__Layer *l = j->image->layers[j->layer];

		if (!image_store_has_layer(j->store, l->diff_id))
			return start_unpack(j, err);
		image_store_drop_blob(j->store, l->blob_digest);
	}
	return finish(j, err);
}

static int try_lock(struct image_job *j, struct err *err)
{
	int r;

	if (j->ref.digest[0] && !j->request.resolve_only &&
	    image_store_load(j->store, j->ref.digest, &j->image, NULL) == 0) {
		j->state = JOB_DONE;
		return 0;
	}
	if (j->lock < 0) {
		r = image_store_lock(j->store, &j->ref, &j->lock, err);
		if (r == ERR_AGAIN)
			return set_timer(j, LOCK_POLL_MS, err);
		if (r < 0)
			return r;
		/* its holder may have finished since the look above */
		return try_lock(j, err);
	}
	return start_pull(j, err);
}

static int on_resolved(struct image_job *j, const struct msg *m,
		       struct err *err)
{
	Image__PullResolved *p = image__pull_resolved__unpack(
		NULL, m->payload.len, (const uint8_t *)m->payload.data);
	const char *want = j->ref.digest;
	int r = 0;

	if (!p || !digest_is_valid(p->digest) ||
	    (want[0] && strcmp(want, p->digest) != 0))
		r = err_set(err, ERR_PROTO, "pull resolved to another digest");
	else
		memcpy(j->resolved, p->digest, DIGEST_BYTES);
	image__pull_resolved__free_unpacked(p, NULL);
	if (r < 0)
		return r;
	if (j->request.resolve_only ||
	    image_store_load(j->store, j->resolved, &j->image, NULL) == 0) {
		drop_work(j);
		j->state = JOB_DONE;
	}
	return 0;
}

static int on_progress(struct image_job *j, const struct msg *m,
		       struct err *err)
{
	(void)m;
	return set_deadline(j, err);
}

static bool layer_ok(const Image__Layer *l)
{
	const struct oci_type *t = oci_type_find(l->media_type);

	return t && t->role == OCI_ROLE_LAYER &&
	       digest_is_valid(l->blob_digest) && digest_is_valid(l->diff_id);
}

static int on_pull_done(struct image_job *j, const struct msg *m,
			struct err *err)
{
	Image__PullDone *d = image__pull_done__unpack(
		NULL, m->payload.len, (const uint8_t *)m->payload.data);
	bool ok = d && d->config && d->n_layers <= OCI_DOC_LAYERS_MAX &&
		  digest_is_valid(d->manifest_digest) &&
		  digest_is_valid(d->config_digest) && j->resolved[0] &&
		  strcmp(d->reference_digest, j->resolved) == 0;
	size_t i;

	for (i = 0; ok && i < d->n_layers; i++)
		ok = layer_ok(d->layers[i]);
	j->image = d;
	if (!ok)
		return err_set(err, ERR_PROTO, "pull answered nonsense");
	image_child_release(&j->child);
	return next_layer(j, err);
}

static int on_mapped(struct image_job *j, const struct msg *m, struct err *err)
{
	const struct image_request *q = &j->request;
	const Image__Layer *l = j->image->layers[j->layer];
	Image__UnpackRequest u;

	(void)m;
	image__unpack_request__init(&u);
	u.media_type = l->media_type;
	u.diff_id = l->diff_id;
	u.max_bytes = q->max_unpacked_bytes ? q->max_unpacked_bytes
					    : UNPACKED_BYTES_MAX;
	u.max_entries = q->max_entries ? q->max_entries : ENTRIES_MAX;
	u.max_name_bytes = NAME_BYTES_MAX;
	u.max_depth = DEPTH_MAX;
	u.max_ratio = q->max_ratio ? q->max_ratio : RATIO_MAX;
	j->state = JOB_UNPACK;
	return image_child_map(&j->child, j->store, &u, err);
}

static int on_unpack_done(struct image_job *j, const struct msg *m,
			  struct err *err)
{
	const Image__Layer *l = j->image->layers[j->layer];
	int r;

	(void)m;
	image_child_release(&j->child);
	r = image_store_temp_commit(j->store, &j->temp, l->diff_id, err);
	if (r < 0)
		return r;
	image_store_temp_release(j->store, &j->temp);
	close_fd(&j->blob);
	image_store_drop_blob(j->store, l->blob_digest);
	j->layer++;
	return next_layer(j, err);
}

static int on_failed(struct image_job *j, const struct msg *m, struct err *err)
{
	Image__Failed *f = image__failed__unpack(
		NULL, m->payload.len, (const uint8_t *)m->payload.data);
	int r;

	if (!f || strcmp(err_name(f->code), "UNKNOWN") == 0 || f->code >= 0)
		r = err_set(err, ERR_PROTO, "%s: failed without a reason",
			    state_names[j->state]);
	else if (j->state == JOB_PULL)
		r = err_set(err, f->code, "%.900s", f->msg);
	else
		r = err_set(err, f->code, "layer %.19s: %.800s",
			    j->image->layers[j->layer]->diff_id, f->msg);
	if (f && err)
		err->sys_errno = f->sys_errno;
	image__failed__free_unpacked(f, NULL);
	return r;
}

/* --- frames ----------------------------------------------------------------
 */

static const struct move {
	enum job_state state;
	uint16_t frame;
	int (*act)(struct image_job *j, const struct msg *m, struct err *err);
} moves[] = {
	{JOB_PULL, IMAGE__FRAME__FRAME_PULL_RESOLVED, on_resolved},
	{JOB_PULL, IMAGE__FRAME__FRAME_PULL_PROGRESS, on_progress},
	{JOB_PULL, IMAGE__FRAME__FRAME_PULL_DONE, on_pull_done},
	{JOB_PULL, IMAGE__FRAME__FRAME_FAILED, on_failed},
	{JOB_MAP, IMAGE__FRAME__FRAME_UNPACK_MAPPED, on_mapped},
	{JOB_MAP, IMAGE__FRAME__FRAME_FAILED, on_failed},
	{JOB_UNPACK, IMAGE__FRAME__FRAME_UNPACK_DONE, on_unpack_done},
	{JOB_UNPACK, IMAGE__FRAME__FRAME_FAILED, on_failed},
};

static int act_on(struct image_job *j, const struct msg *m, struct err *err)
{
	size_t i;

	for (i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		if (moves[i].state == j->state && moves[i].frame == m->type)
			return moves[i].act(j, m, err);
	}
	return err_set(err, ERR_PROTO, "%s: frame %u is not allowed",
		       state_names[j->state], (unsigned int)m->type);
}

static int child_ended(struct image_job *j, struct err *err)
{
	int status = -1;

	(void)proc_wait(&j->child.proc, 1000, &status, NULL);
	return err_set(err, ERR_SYS,
		       "%s: the program ended without an answer (status %d)",
		       state_names[j->state], status);
}

static int read_frames(struct image_job *j, struct err *err)
{
	bool have = true;
	struct msg m;
	int r;

	msg_init(&m, IMAGE_CHILD_FRAME_MAX);
	r = image_child_receive(&j->child, err);
	/* whole frames that came before the end were acted on then */
	if (r == ERR_NOTFOUND)
		r = child_ended(j, err);
	while (r == 0 && have) {
		r = image_child_frame(&j->child, &m, &have, err);
		if (r == 0 && have)
			r = act_on(j, &m, err);
	}
	msg_release(&m);
	return r;
}

static int on_timer(struct image_job *j, struct err *err)
{
	uint64_t n;

	if (read(j->timer, &n, sizeof(n)) < 0)
		return errno == EAGAIN ? 0 : err_sys(err, errno, "timer");
	if (j->state == JOB_LOCK)
		return try_lock(j, err);
	return err_set(err, ERR_AGAIN, "%s: no end in time",
		       state_names[j->state]);
}

static int turn(struct image_job *j, struct err *err)
{
	struct epoll_event events[2];
	int n = epoll_wait(j->epoll, events, 2, 0);
	int r = 0;
	int i;

	if (n < 0 && errno != EINTR)
		return err_sys(err, errno, "epoll_wait");
	if (j->state == JOB_LOCK && n <= 0)
		return try_lock(j, err);
	for (i = 0; r == 0 && i < n && j->state != JOB_DONE; i++) {
		if (events[i].data.fd == j->timer)
			r = on_timer(j, err);
		else if (events[i].data.fd == j->child.sock)
			r = read_frames(j, err);
	}
	return r;
}

int image_job_step(struct image_job *j, bool *out_done, struct err *err)
{
	char shown[IMAGE_REF_BYTES];
	struct err own;
	int r;

	assert(j->state != JOB_FAILED);
	err = err ? err : &own;
	r = j->state == JOB_DONE ? 0 : turn(j, err);
	if (r < 0) {
		drop_blobs(j);
		drop_work(j);
		j->state = JOB_FAILED;
		return err_wrap(err, "image %s",
				image_ref_format(&j->ref, shown));
	}
	*out_done = j->state == JOB_DONE;
	return 0;
}

/* --- result ----------------------------------------------------------------
 */

static struct image_strings strings(struct arena *a, char **items, size_t n)
{
	const char **copy = arena_calloc(a, n ? n : 1, sizeof(*copy));
	size_t i;

	for (i = 0; i < n; i++)
		copy[i] = arena_strdup(a, items[i]);
	return (struct image_strings){copy, n};
}

/* Topmost first; a layer that appears again below hides nothing more. */
static void fill_lower_dirs(const struct image_job *j, struct image_info *out)
{
	size_t n = j->image->n_layers;
	const char **dirs = arena_calloc(out->arena, n ? n : 1, sizeof(*dirs));
	size_t used = 0;
	size_t i, k;

	for (i = n; i-- > 0;) {
		const char *dir = arena_printf(
			out->arena, "%s/layers/%s/fs", j->store->path,
			digest_hex(j->image->layers[i]->diff_id));

		for (k = 0; k < used && strcmp(dirs[k], dir) != 0; k++)
			;
		if (k == used)
			dirs[used++] = dir;
	}
	out->lower_dirs = (struct image_strings){dirs, used};
}

static void fill_config(const Image__Config *c, struct image_info *out)
{
	struct arena *a = out->arena;

	out->config = (struct image_config){
		.entrypoint = strings(a, c->entrypoint, c->n_entrypoint),
		.cmd = strings(a, c->cmd, c->n_cmd),
		.env = strings(a, c->env, c->n_env),
		.volumes = strings(a, c->volumes, c->n_volumes),
		.exposed_ports =
			strings(a, c->exposed_ports, c->n_exposed_ports),
		.user = arena_strdup(a, c->user),
		.working_dir = arena_strdup(a, c->working_dir),
		.stop_signal = arena_strdup(a, c->stop_signal),
	};
}

void image_job_take(struct image_job *j, struct image_info *out)
{
	assert(j->state == JOB_DONE);
	*out = (struct image_info){.arena = arena_new((size_t)64 << 20)};
	if (!j->image) {
		memcpy(out->reference_digest, j->resolved, DIGEST_BYTES);
		return;
	}
	memcpy(out->reference_digest, j->image->reference_digest, DIGEST_BYTES);
	memcpy(out->manifest_digest, j->image->manifest_digest, DIGEST_BYTES);
	memcpy(out->config_digest, j->image->config_digest, DIGEST_BYTES);
	fill_lower_dirs(j, out);
	fill_config(j->image->config, out);
}
