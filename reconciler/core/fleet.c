/*
 * fleet.c - the core's end of the channel's local socket (channel/local.proto).
 *
 * Frames of hosts were checked by reconcile-channel and are typed here; what a
 * host says is filed under the name that its certificate has.
 */
#include "reconciler/core/fleet.h"

#include "channel/client.h"
#include "lib/clock.h"
#include "lib/text.h"
#include "reconciler/core/hostframe.h"
#include "reconciler/core/join.h"
#include "reconciler/core/membership.h"
#include "reconciler/core/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ATTACH_MS 5000
#define START_MS 5000
#define ROOM_MS 60000
#define LOG_MAX (8u << 20)
#define WORLD_ARENA ((size_t)1 << 30)

/* FNV-1a: names come from certificates that we issued. */
static size_t name_slot(const char *name, size_t mask)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(1099511628211);
	return (size_t)h & mask;
}

/* Without an index (too few hosts for one): one after the other. */
struct fleet_host *fleet_find(const struct fleet *f, const char *name)
{
	if (f == NULL)
		return NULL;
	if (f->slots != NULL) {
		size_t at = name_slot(name, f->slot_mask);

		for (; f->slots[at] != 0; at = (at + 1) & f->slot_mask)
			if (strcmp(f->hosts[f->slots[at] - 1].name, name) == 0)
				return &f->hosts[f->slots[at] - 1];
		return NULL;
	}
	for (size_t i = 0; i < f->n_hosts; i++)
		if (strcmp(f->hosts[i].name, name) == 0)
			return &f->hosts[i];
	return NULL;
}

static void index_add(struct fleet *f, size_t i)
{
	size_t at = name_slot(f->hosts[i].name, f->slot_mask);

	while (f->slots[at] != 0)
		at = (at + 1) & f->slot_mask;
	f->slots[at] = (uint32_t)i + 1;
}

/* Room for twice the hosts, so that half of the slots stay empty. */
static bool hosts_grow(struct fleet *f)
{
	size_t cap = f->cap_hosts == 0 ? 16 : f->cap_hosts * 2;
	struct fleet_host *hosts = realloc(f->hosts, cap * sizeof(*hosts));
	uint32_t *slots;

	if (hosts == NULL)
		return false;
	f->hosts = hosts;
	slots = calloc(2 * cap, sizeof(*slots));
	if (slots == NULL)
		return false;
	free(f->slots);
	f->slots = slots;
	f->slot_mask = 2 * cap - 1;
	f->cap_hosts = cap;
	for (size_t i = 0; i < f->n_hosts; i++)
		index_add(f, i);
	return true;
}

/* Only what changes a host's state is an event: a core that attaches hears of
 * every connected host again. */
static int host_transition(struct core *c, const char *name, int state,
			   const char *type, const char *why, struct err *err)
{
	struct arena *arena = arena_new(1u << 20);
	struct state_host h;
	int r = 0;

	if (c->audit == NULL ||
	    state_host_get(c->state, name, arena, &h, NULL) < 0 ||
	    h.host.state == state || h.host.state == HOST_REVOKED)
		goto out;
	r = record_fact(c, type, NULL, name, "ok", why, err);
	h.host.state = state;
	h.host.lost_since_ms = state == HOST_LOST ? clock_unix_ms() : 0;
	if (r == 0)
		r = state_host_put(c->state, &h, err);
out:
	arena_free(arena);
	return r;
}

/* What was assigned before this core came: the epoch in the store. */
static uint64_t stored_epoch(struct core *c, const char *name)
{
	struct arena *arena = arena_new(1u << 20);
	struct state_host h;
	uint64_t epoch = 0;

	if (state_host_get(c->state, name, arena, &h, NULL) == 0)
		epoch = h.host.epoch;
	arena_free(arena);
	return epoch;
}

static struct fleet_host *host_add(struct core *c, const char *name)
{
	struct fleet *f = c->fleet;
	struct fleet_host *h = fleet_find(f, name);

	if (h != NULL)
		return h;
	if (f->n_hosts == f->cap_hosts && !hosts_grow(f))
		return NULL;
	h = &f->hosts[f->n_hosts];
	*h = (struct fleet_host){.name = strdup(name),
				 .sent_epoch = stored_epoch(c, name)};
	if (h->name == NULL)
		return NULL;
	index_add(f, f->n_hosts++);
	return h;
}

static void host_forget_session(struct fleet_host *h)
{
	channel__hello__free_unpacked(h->hello, NULL);
	channel__report__free_unpacked(h->report, NULL);
	channel__cosignature__free_unpacked(h->cosignature, NULL);
	free(h->sent_commit);
	h->cosignature = NULL;
	h->offer_waits = false;
	h->hello = NULL;
	h->report = NULL;
	h->sent_commit = NULL;
	h->connected = false;
	h->given_epoch = 0;
	h->given = 0;
	h->taken = 0;
}

int fleet_send(struct core *c, const char *host, uint32_t type,
	       const ProtobufCMessage *message, struct err *err)
{
	struct fleet_host *h = fleet_find(c->fleet, host);
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes;
	int r;

	if (h == NULL || !h->connected)
		return 0;
	bytes = malloc(len > 0 ? len : 1);
	if (bytes == NULL)
		return err_set(err, ERR_NOMEM, "host frame");
	(void)protobuf_c_message_pack(message, bytes);
	r = channel_client_send_host(c->fleet->client, host, (uint16_t)type,
				     bytes, len, err);
	free(bytes);
	h->given += len;
	return r;
}

int fleet_wait_room(struct core *c, const char *host, struct err *err)
{
	int64_t until = clock_boot_ms() + ROOM_MS;
	bool changed = false;
	int r = 0;

	while (r == 0) {
		const struct fleet_host *h = fleet_find(c->fleet, host);

		if (h == NULL || !h->connected ||
		    h->given - h->taken <= CHANNEL_CLIENT_AHEAD_MAX)
			break;
		if (clock_boot_ms() > until)
			return err_set(err, ERR_AGAIN,
				       "host %s takes no more data", host);
		r = fleet_poll(c, 100, &changed, err);
	}
	return r;
}

int fleet_cut(struct core *c, const char *host, const char *reason,
	      struct err *err)
{
	int r = channel_client_reload(c->fleet->client, err);

	return r < 0 ? r
		     : channel_client_cut(c->fleet->client, host, reason, err);
}

int fleet_reload(struct core *c, struct err *err)
{
	int r = 0;

	if (c->maintained && c->fleet != NULL)
		r = channel_client_reload(c->fleet->client, err);
	if (r == 0)
		c->maintained = false;
	return r;
}

int fleet_answer_join(struct core *c, uint64_t id,
		      const Channel__JoinReply *reply, struct err *err)
{
	size_t len = channel__join_reply__get_packed_size(reply);
	uint8_t *bytes = malloc(len > 0 ? len : 1);
	int r;

	if (bytes == NULL)
		return err_set(err, ERR_NOMEM, "join answer");
	(void)channel__join_reply__pack(reply, bytes);
	r = channel_client_join_answer(c->fleet->client, id, bytes, len, err);
	free(bytes);
	return r;
}

/* --- what the channel says --------------------------------------------------
 */

static int on_host_up(struct core *c, const struct channel_event *e,
		      struct err *err)
{
	struct fleet_host *h = host_add(c, e->host);

	if (h == NULL)
		return err_set(err, ERR_NOMEM, "host");
	host_forget_session(h);
	h->connected = true;
	h->n_sessions++;
	(void)text_safe(h->address, sizeof(h->address), e->address,
			strlen(e->address));
	return host_transition(c, h->name, HOST_READY, "host.up", h->address,
			       err);
}

static int on_host_down(struct core *c, const struct channel_event *e,
			struct err *err)
{
	struct fleet_host *h = fleet_find(c->fleet, e->host);
	char why[256];

	if (h == NULL)
		return 0;
	host_forget_session(h);
	(void)text_safe(why, sizeof(why), e->reason, strlen(e->reason));
	return host_transition(c, h->name, HOST_LOST, "host.down", why, err);
}

static int on_host_frame(struct core *c, const struct channel_event *e,
			 struct err *err)
{
	struct fleet_host *h = fleet_find(c->fleet, e->host);

	return h == NULL ? 0
			 : hostframe_handle(c, h, e->type, e->payload, e->len,
					    err);
}

static int on_join_asked(struct core *c, const struct channel_event *e,
			 struct err *err)
{
	char from[80];

	if (c->audit == NULL)
		return 0; /* a reader decides nothing */
	(void)text_safe(from, sizeof(from), e->address, strlen(e->address));
	return join_request(c, e->id, e->payload, e->len, from, err);
}

static int on_room(struct core *c, const struct channel_event *e,
		   struct err *err)
{
	struct fleet_host *h = fleet_find(c->fleet, e->host);

	(void)err;
	if (h != NULL)
		h->taken = e->sent;
	return 0;
}

static int on_denied(struct core *c, const struct channel_event *e,
		     struct err *err)
{
	char why[300];
	char from[80];

	if (c->audit == NULL)
		return 0;
	(void)text_safe(from, sizeof(from), e->address, strlen(e->address));
	(void)text_safe(why, sizeof(why), e->reason, strlen(e->reason));
	return record_fact(c, "channel.deny", from, NULL, "refused", why, err);
}

static int (*const events[])(struct core *c, const struct channel_event *e,
			     struct err *err) = {
	[CHANNEL_EVENT_HOST_UP] = on_host_up,
	[CHANNEL_EVENT_HOST_DOWN] = on_host_down,
	[CHANNEL_EVENT_HOST_FRAME] = on_host_frame,
	[CHANNEL_EVENT_JOIN_ASKED] = on_join_asked,
	[CHANNEL_EVENT_READY] = NULL,
	[CHANNEL_EVENT_HOST_ROOM] = on_room,
	[CHANNEL_EVENT_DENIED] = on_denied,
	[CHANNEL_EVENT_RELOADED] = NULL,
};

/* One event; ERR_AGAIN when none came within timeout_ms. */
static int next_event(struct core *c, int timeout_ms,
		      enum channel_event_kind *out_kind, struct err *err)
{
	struct channel_event e;
	int r = channel_client_recv(c->fleet->client, timeout_ms, &e, err);

	if (r == ERR_NOTFOUND)
		return err_set(err, ERR_SYS, "reconcile-channel has ended");
	if (r < 0)
		return r;
	*out_kind = e.kind;
	if ((size_t)e.kind < sizeof(events) / sizeof(events[0]) &&
	    events[e.kind] != NULL)
		r = events[e.kind](c, &e, err);
	channel_client_event_release(&e);
	return r;
}

int fleet_poll(struct core *c, int timeout_ms, bool *out_changed,
	       struct err *err)
{
	enum channel_event_kind kind;
	struct err none = {0};
	bool changed = false;
	int r = next_event(c, timeout_ms, &kind, &none);

	while (r == 0) {
		changed = true;
		r = next_event(c, 0, &kind, &none);
	}
	if (r != ERR_AGAIN) {
		*err = none;
		return r;
	}
	*out_changed = changed;
	return 0;
}

/* --- attaching --------------------------------------------------------------
 */

static int start_channel(struct core *c, const char *path, struct arena *arena,
			 struct err *err)
{
	char libexec[4096];
	const char *argv[10];
	struct proc_spec spec = {.argv = argv,
				 .in = -1,
				 .out = -1,
				 .err = STDERR_FILENO,
				 .die_with_parent = true};
	int r = 0;

	if (c->libexec == NULL)
		r = proc_libexec(libexec, sizeof(libexec), err);
	else
		(void)snprintf(libexec, sizeof(libexec), "%s", c->libexec);
	if (r < 0)
		return r;
	(void)mkdir(c->conf->run_dir, 0700);
	spec.path = arena_printf(arena, "%s/reconcile-channel", libexec);
	argv[0] = "reconcile-channel";
	argv[1] = "--socket";
	argv[2] = path;
	argv[3] = "--listen";
	argv[4] = c->conf->listen;
	argv[5] = "--pki";
	argv[6] = membership_channel_dir(c->conf, arena);
	argv[7] = "--log-level";
	argv[8] = "warn";
	argv[9] = NULL;
	r = proc_spawn(&spec, &c->fleet->channel, err);
	if (r < 0)
		return r;
	c->fleet->own_channel = true;
	return channel_client_open(path, START_MS, &c->fleet->client, err);
}

static int attach(struct core *c, struct err *err)
{
	int64_t until = clock_boot_ms() + ATTACH_MS;
	enum channel_event_kind kind = 0;
	int r = 0;

	while (r == 0 && kind != CHANNEL_EVENT_READY) {
		int64_t left = until - clock_boot_ms();

		r = left <= 0 ? err_set(err, ERR_AGAIN,
					"reconcile-channel does not answer")
			      : next_event(c, (int)left, &kind, err);
	}
	return r;
}

/* Those that a pass waits for: of a channel that we started, which knows nobody
 * yet, all that live; of one that was there, those that were connected when a
 * core saw them last. */
static bool is_missing(const struct fleet *f, const struct world_host *w)
{
	const struct fleet_host *h = fleet_find(f, w->name);

	if (w->state == HOST_REVOKED || w->state == HOST_REQUESTED ||
	    (!f->own_channel && w->state != HOST_READY))
		return false;
	return h == NULL || !h->connected || h->report == NULL;
}

static int wait_for_hosts(struct core *c, struct err *err)
{
	int64_t limit_s =
		c->patience_s >= 0 && c->patience_s < c->conf->host_wait_s
			? c->patience_s
			: c->conf->host_wait_s;
	int64_t until = clock_boot_ms() + limit_s * 1000;
	struct arena *arena = arena_new(WORLD_ARENA);
	struct world w;
	bool changed = false;
	int r = state_world(c->state, arena, &w, err);

	while (r == 0 && clock_boot_ms() < until) {
		size_t missing = 0;

		for (size_t i = 0; i < w.n_hosts; i++)
			missing += is_missing(c->fleet, &w.hosts[i]);
		if (missing == 0)
			break;
		core_progress(c, "waiting for %zu hosts", missing);
		r = fleet_poll(c, 250, &changed, err);
	}
	arena_free(arena);
	return r;
}

/* A host whose session ended while no core was attached: the transition is
 * recorded now. */
static int record_absent(struct core *c, struct err *err)
{
	struct arena *arena = arena_new(WORLD_ARENA);
	struct world w;
	int r = state_world(c->state, arena, &w, err);

	for (size_t i = 0; r == 0 && i < w.n_hosts; i++) {
		const struct fleet_host *h =
			fleet_find(c->fleet, w.hosts[i].name);

		if (w.hosts[i].state == HOST_READY &&
		    (h == NULL || !h->connected))
			r = host_transition(c, w.hosts[i].name, HOST_LOST,
					    "host.down", "not connected", err);
	}
	arena_free(arena);
	return r;
}

/* Whoever only looks leaves the channel soon: who holds the lock waits. */
static int open_client(struct core *c, const char *path, struct err *err)
{
	int64_t until = clock_boot_ms() + (c->lock_fd >= 0 ? ATTACH_MS : 0);
	int r;

	while ((r = channel_client_open(path, 0, &c->fleet->client, err)) ==
		       ERR_CONFLICT &&
	       clock_boot_ms() < until)
		(void)usleep(20000);
	return r;
}

int fleet_open(struct core *c, bool may_start, struct err *err)
{
	struct arena *arena = arena_new(1u << 16);
	const char *path =
		arena_printf(arena, "%s/channel.sock", c->conf->run_dir);
	struct fleet *f = calloc(1, sizeof(*f));
	int r;

	if (f == NULL) {
		arena_free(arena);
		return err_set(err, ERR_NOMEM, "fleet");
	}
	buf_init(&f->log, LOG_MAX);
	c->fleet = f;
	r = open_client(c, path, err);
	if (r == ERR_AGAIN && may_start)
		r = start_channel(c, path, arena, err);
	else if (r == ERR_AGAIN)
		r = err_set(err, ERR_NOTFOUND,
			    "no reconcile-channel answers at %s", path);
	else if (r == ERR_CONFLICT)
		r = err_set(err, ERR_AGAIN,
			    "another reconcile is attached to the channel");
	if (r == 0)
		r = attach(c, err);
	if (r == 0 && may_start)
		r = wait_for_hosts(c, err);
	if (r == 0 && may_start && c->audit != NULL)
		r = record_absent(c, err);
	if (r < 0)
		fleet_close(c);
	arena_free(arena);
	return r;
}

void fleet_close(struct core *c)
{
	struct fleet *f = c->fleet;

	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n_hosts; i++) {
		host_forget_session(&f->hosts[i]);
		free(f->hosts[i].refusal);
		free(f->hosts[i].name);
	}
	free(f->hosts);
	free(f->slots);
	channel_client_close(f->client);
	buf_release(&f->log);
	buf_release(&f->pack.bytes);
	if (f->own_channel)
		proc_kill(&f->channel);
	free(f);
	c->fleet = NULL;
}
