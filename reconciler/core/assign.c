/*
 * assign.c - see assign.h.  Each host gets the same facts in the same order, so
 * equal stores give equal bytes.
 */
#include "reconciler/core/assign.h"

#include "lib/num.h"
#include "reconciler/core/fetcher.h"
#include "reconciler/core/siblings.h"
#include "reconciler/core/tagged.h"

#include <stdlib.h>
#include <string.h>

#define PACK_MAX (1u << 30)
#define CHUNK_BYTES (1u << 20)
#define GONE 1

int assign_next_epoch(struct core *c, uint64_t *out, struct err *err)
{
	struct arena *arena = arena_new(4096);
	const char *text = NULL;
	uint64_t epoch = 0;
	int r = state_get(c->state, "epoch", arena, &text, err);

	if (r == 0 && text != NULL &&
	    !num_parse_u64(text, strlen(text), INT64_MAX - 1, &epoch))
		r = err_set(err, ERR_INPUT, "state: epoch is not a number");
	if (r == 0)
		r = state_set(c->state, "epoch",
			      arena_printf(arena, "%llu",
					   (unsigned long long)epoch + 1),
			      err);
	if (r == 0)
		*out = epoch + 1;
	arena_free(arena);
	return r;
}

bool assign_is_stale(struct core *c, const struct world_host *h,
		     const char *commit)
{
	const struct fleet_host *l = fleet_find(c->fleet, h->name);

	if (l == NULL || !l->connected || l->report == NULL)
		return false;
	return l->sent_epoch == 0 || l->report->epoch < l->sent_epoch ||
	       h->accepted_commit == NULL ||
	       strcmp(h->accepted_commit, commit) != 0;
}

/* Hosts that have the same commit get the same pack: it is made once. */
static int make_pack(struct core *c, const char *want, const char *have,
		     struct err *err)
{
	struct fleet_pack *p = &c->fleet->pack;

	if (strcmp(p->want, want) == 0 && strcmp(p->have, have) == 0)
		return 0;
	p->want[0] = '\0';
	buf_release(&p->bytes);
	buf_init(&p->bytes, PACK_MAX);
	if (fetcher_pack(c->conf, c->libexec, want, have, &p->bytes, err) < 0)
		return err->code;
	(void)snprintf(p->want, sizeof(p->want), "%s", want);
	(void)snprintf(p->have, sizeof(p->have), "%s", have);
	return 0;
}

static int send_chunks(struct core *c, const char *host, const char *commit,
		       struct err *err)
{
	const struct buf *pack = &c->fleet->pack.bytes;
	const struct fleet_host *h = fleet_find(c->fleet, host);
	unsigned int session = h->n_sessions;
	char id[65];
	uint32_t chunk = 0;
	size_t at = 0;
	int r = 0;

	(void)snprintf(id, sizeof(id), "%s", commit);
	while (r == 0 && at < pack->len) {
		Channel__Pack m;
		size_t n = pack->len - at < CHUNK_BYTES ? pack->len - at
							: CHUNK_BYTES;

		channel__pack__init(&m);
		m.commit = id;
		m.chunk = chunk++;
		m.data.data = (uint8_t *)pack->data + at;
		m.data.len = n;
		at += n;
		m.last = at == pack->len;
		r = fleet_send(c, host, CHANNEL__MSG_TYPE__MSG_PACK, &m.base,
			       err);
		if (r == 0)
			r = fleet_wait_room(c, host, err);
		h = fleet_find(c->fleet, host); /* the list may have grown */
		if (r == 0 && (!h->connected || h->n_sessions != session))
			return GONE; /* its next session has no part of it */
	}
	return r;
}

/* 0, an error, or GONE: the session ended meanwhile, the next turn sends all.
 */
static int send_pack(struct core *c, const char *host, const char *commit,
		     const char *tag, struct err *err)
{
	const char *want = tag != NULL ? tag : commit;
	struct fleet_host *h = fleet_find(c->fleet, host);
	const char *have = h->report != NULL  ? h->report->accepted_commit
			   : h->hello != NULL ? h->hello->accepted_commit
					      : "";
	int r;

	if (h->sent_commit != NULL && strcmp(h->sent_commit, commit) == 0)
		return 0;
	if (strcmp(have, commit) != 0) {
		r = make_pack(c, want, have, err);
		if (r == 0)
			r = send_chunks(c, host, want, err);
		if (r != 0)
			return r;
	}
	h = fleet_find(c->fleet, host);
	free(h->sent_commit);
	h->sent_commit = strdup(commit);
	return h->sent_commit != NULL ? 0 : err_set(err, ERR_NOMEM, "commit");
}

static char *text(struct arena *arena, const char *s)
{
	return arena_strdup(arena, s == NULL ? "" : s);
}

static const char *pin_of(const struct world *w, const char *image)
{
	for (size_t i = 0; i < w->n_pins; i++)
		if (strcmp(w->pins[i].image, image) == 0)
			return w->pins[i].digest;
	return NULL;
}

static void add_pins(Channel__PodAssignment *m, const struct container *list,
		     size_t n, const struct world *w, struct arena *arena)
{
	for (size_t i = 0; i < n; i++) {
		const char *digest = pin_of(w, list[i].image);
		Channel__ImagePin *pin;

		if (digest == NULL)
			continue;
		pin = arena_alloc(arena, sizeof(*pin));
		channel__image_pin__init(pin);
		pin->container = text(arena, list[i].name);
		pin->digest = text(arena, digest);
		m->images[m->n_images++] = pin;
	}
}

/* Digests for images written by tag; the host compares them with its own. */
static void pod_pins(Channel__PodAssignment *m, const struct world_pod *p,
		     const struct snapshot *want, const struct world *w,
		     struct arena *arena)
{
	const struct pod_template *t = NULL;
	enum manifest_kind kind;
	const struct object *o;

	if (manifest_kind_from_name(p->owner_kind, &kind) < 0)
		return;
	o = manifest_find(&want->objects, kind, p->namespace, p->owner_name);
	if (o != NULL)
		t = manifest_template(o);
	if (t == NULL || strcmp(t->hash, p->template_hash) != 0)
		return;
	m->images = arena_calloc(
		arena, t->spec.n_containers + t->spec.n_init_containers,
		sizeof(*m->images));
	add_pins(m, t->spec.init_containers, t->spec.n_init_containers, w,
		 arena);
	add_pins(m, t->spec.containers, t->spec.n_containers, w, arena);
}

static void fill_pods(Channel__Assignment *m, const char *host,
		      const struct snapshot *want, const struct world *w,
		      struct arena *arena)
{
	m->pods = arena_calloc(arena, w->n_pods, sizeof(*m->pods));
	for (size_t i = 0; i < w->n_pods; i++) {
		const struct world_pod *p = &w->pods[i];
		Channel__PodAssignment *a;

		if (!p->assigned || strcmp(p->host, host) != 0)
			continue;
		a = arena_alloc(arena, sizeof(*a));
		channel__pod_assignment__init(a);
		a->uid = text(arena, p->uid);
		a->namespace_ = text(arena, p->namespace);
		a->name = text(arena, p->name);
		a->owner_kind = text(arena, p->owner_kind);
		a->owner_name = text(arena, p->owner_name);
		a->template_hash = text(arena, p->template_hash);
		a->index = p->index;
		a->commit = text(arena, p->commit);
		pod_pins(a, p, want, w, arena);
		m->pods[m->n_pods++] = a;
	}
}

static void fill_services(Channel__Assignment *m, const struct world *w,
			  struct arena *arena)
{
	m->services = arena_calloc(arena, w->n_services, sizeof(*m->services));
	for (size_t i = 0; i < w->n_services; i++) {
		Channel__ServiceAssignment *s = arena_alloc(arena, sizeof(*s));

		channel__service_assignment__init(s);
		s->namespace_ = text(arena, w->services[i].namespace);
		s->name = text(arena, w->services[i].name);
		s->cluster_ip = text(arena, w->services[i].cluster_ip);
		m->services[m->n_services++] = s;
	}
}

int assign_reserve(struct core *c, const char *host, uint64_t epoch,
		   struct err *err)
{
	return state_host_epoch(c->state, host, epoch, err);
}

void assign_mark(struct core *c, const char *host, uint64_t epoch)
{
	struct fleet_host *h = fleet_find(c->fleet, host);

	if (h != NULL)
		h->sent_epoch = epoch;
}

int assign_send(struct core *c, const char *host, const char *commit,
		uint64_t epoch, const struct snapshot *want,
		const struct world *w, struct err *err)
{
	Channel__Assignment m;
	struct fleet_host *h = fleet_find(c->fleet, host);
	struct arena *arena = NULL;
	const char *tag = NULL;
	int r;

	channel__assignment__init(&m);
	if (h == NULL || !h->connected)
		return 0;
	arena = arena_new((size_t)256 << 20);
	r = tagged_get(c, commit, arena, &tag, err);
	if (r == 0)
		r = send_pack(c, host, commit, tag, err);
	if (r != 0) {
		arena_free(arena);
		return r == GONE ? 0 : err_wrap(err, "host %s", host);
	}
	m.epoch = epoch;
	m.commit = text(arena, commit);
	m.tag = text(arena, tag);
	m.host = text(arena, host);
	fill_pods(&m, host, want, w, arena);
	fill_services(&m, w, arena);
	r = fleet_send(c, host, CHANNEL__MSG_TYPE__MSG_ASSIGNMENT, &m.base,
		       err);
	arena_free(arena);
	if (r == 0)
		fleet_find(c->fleet, host)->given_epoch = epoch;
	return r < 0 ? err_wrap(err, "host %s", host) : 0;
}

bool assign_is_given(const struct fleet_host *l, const char *commit)
{
	return l->sent_commit != NULL && strcmp(l->sent_commit, commit) == 0 &&
	       l->given_epoch > 0 && l->given_epoch == l->sent_epoch;
}
