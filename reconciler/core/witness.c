/*
 * witness.c - see witness.h.
 *
 *   late answers -> pin keys -> checkpoint -> offer -> wait -> judge ->
 * cosigned
 *
 * Hosts may be hostile: a host speaks for itself only, a cosignature counts
 * when it verifies by the key that was pinned, and a refusal is believed,
 * because silence about it is what an attacker of the log would want.
 */
#include "reconciler/core/witness.h"

#include "audit/checkpoint.h"
#include "audit/client.h"
#include "audit/proof.h"
#include "audit/witness.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/text.h"
#include "reconciler/core/audit_log.h"
#include "reconciler/core/fleet.h"
#include "reconciler/core/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 500
#define OFFERS_MAX 2 /* to a host in one pass: the second after STALE */
/* Cosignatures in the file, below AUDIT_NOTE_SIGS_MAX. */
#define LINES_MAX 120
#define OFFER_NAME "witness-offer"
#define WHY_BYTES 700

struct round {
	struct core *c;
	struct arena *arena;
	int dirfd; /* the log's folder */
	struct audit_vkey log;
	const char *note; /* offered last; NULL none */
	struct audit_checkpoint cp;
	struct audit_proof proof; /* from proof_from to cp.size */
	uint64_t proof_from;	  /* 0: none made */
	bool fresh;		  /* a cosignature was stored */
	const char *refusal;
};

const char *witness_key_name(const char *host, struct arena *arena)
{
	return arena_printf(arena, "witness-key:%s", host);
}

const char *witness_name(const char *host, struct arena *arena)
{
	return arena_printf(arena, "witness:%s", host);
}

int witness_forget(struct core *c, const char *host, struct err *err)
{
	struct arena *arena = arena_new(1u << 16);
	int r = state_set(c->state, witness_key_name(host, arena), "", err);

	arena_free(arena);
	return r;
}

/* "" when the store has none. */
static int stored(struct round *w, const char *name, const char **out,
		  struct err *err)
{
	const char *value = NULL;
	int r = state_get(w->c->state, name, w->arena, &value, err);

	*out = value != NULL ? value : "";
	return r;
}

/* --- keys ------------------------------------------------------------------
 */

/* The host's key text if it is one, for cosignatures, and in its own name. */
static const char *own_key(struct round *w, const struct fleet_host *h)
{
	const ProtobufCBinaryData *k = &h->hello->witness_key;
	const char *text =
		arena_strndup(w->arena, (const char *)k->data, k->len);
	struct audit_vkey key;

	if (audit_key_parse(text, &key, NULL) < 0 ||
	    key.type != AUDIT_KEY_WITNESS ||
	    strcmp(key.name,
		   arena_printf(w->arena, "reconcile/host/%s", h->name)) != 0)
		return NULL;
	return text;
}

/* Loud each time, recorded once for each new key. */
static int key_changed(struct round *w, const char *host, const char *key,
		       struct err *err)
{
	const char *name = arena_printf(w->arena, "witness-alarm:%s", host);
	const char *before = NULL;
	int r = stored(w, name, &before, err);

	core_say(w->c,
		 "ALARM: host %s shows another witness key than before; its "
		 "cosignatures do not count. Unless you replaced the host, "
		 "revoke it; if you did, join it anew",
		 host);
	if (r < 0 || strcmp(before, key) == 0)
		return r;
	r = record_fact(w->c, "witness.key", key, host, "refused",
			"another key than at first sight", err);
	return r < 0 ? r : state_set(w->c->state, name, key, err);
}

static int pin_key(struct round *w, const struct fleet_host *h, struct err *err)
{
	const char *name = witness_key_name(h->name, w->arena);
	const char *before = NULL;
	const char *key;
	int r;

	if (!h->connected || h->hello == NULL || h->hello->witness_key.len == 0)
		return 0;
	key = own_key(w, h);
	if (key == NULL) {
		core_say(w->c, "host %s: its witness key is none", h->name);
		return 0;
	}
	r = stored(w, name, &before, err);
	if (r < 0 || strcmp(before, key) == 0)
		return r;
	if (before[0] != '\0')
		return key_changed(w, h->name, key, err);
	r = record_fact(w->c, "witness.key", key, h->name, "pinned", NULL, err);
	return r < 0 ? r : state_set(w->c->state, name, key, err);
}

/* --- offering --------------------------------------------------------------
 */

/* Size that the host cosigned last, 0 none; *out_same_key: with the key that
 * is pinned now. */
static int last_size(struct round *w, const char *host, uint64_t *out,
		     bool *out_same_key, struct err *err)
{
	struct audit_checkpoint cp = {.size = 0};
	const char *note = NULL;
	const char *key = NULL;
	struct audit_vkey vkey;
	size_t n = 0;
	int r = stored(w, witness_name(host, w->arena), &note, err);

	if (r == 0)
		r = stored(w, witness_key_name(host, w->arena), &key, err);
	if (r < 0)
		return r;
	if (note[0] != '\0' && audit_checkpoint_open(note, NULL, &cp, NULL) < 0)
		cp.size = 0; /* damaged: the host says from where */
	*out = cp.size;
	*out_same_key =
		cp.size > 0 && audit_key_parse(key, &vkey, NULL) == 0 &&
		audit_witness_count(note, &w->log, &vkey, 1, &n, NULL) == 0 &&
		n == 1;
	return 0;
}

/* Nearly all hosts ask for the same one. */
static int proof_from(struct round *w, uint64_t old_size, struct err *err)
{
	int r;

	if (old_size == w->proof_from)
		return 0;
	r = audit_proof_consistency(w->dirfd, old_size, w->cp.size, &w->proof,
				    err);
	w->proof_from = r == 0 ? old_size : 0;
	return r;
}

static int offer(struct round *w, struct fleet_host *h, uint64_t old_size,
		 struct err *err)
{
	Channel__Checkpoint m = CHANNEL__CHECKPOINT__INIT;
	ProtobufCBinaryData hashes[AUDIT_PROOF_MAX];
	int r;

	m.note.data = (uint8_t *)(uintptr_t)w->note;
	m.note.len = strlen(w->note);
	m.old_size = old_size;
	/* A log that is shorter has no proof; the host's refusal is wanted. */
	if (old_size > 0 && old_size < w->cp.size) {
		r = proof_from(w, old_size, err);
		if (r < 0)
			return r;
		for (size_t i = 0; i < w->proof.n; i++)
			hashes[i] = (ProtobufCBinaryData){
				.data = w->proof.hashes[i],
				.len = AUDIT_HASH_BYTES};
		m.consistency = hashes;
		m.n_consistency = w->proof.n;
	}
	h->offers++;
	h->offer_waits = true;
	return fleet_send(w->c, h->name, CHANNEL__MSG_TYPE__MSG_CHECKPOINT,
			  &m.base, err);
}

static int offer_first(struct round *w, struct fleet_host *h, struct err *err)
{
	uint64_t size = 0;
	bool same_key = false;
	int r;

	h->offers = 0;
	h->offer_waits = false;
	if (!h->connected || h->hello == NULL || h->hello->witness_key.len == 0)
		return 0;
	r = last_size(w, h->name, &size, &same_key, err);
	return r < 0 ? r : offer(w, h, size, err);
}

static int make_note(struct round *w, struct err *err)
{
	char *note = NULL;
	int r = audit_client_checkpoint(w->c->audit, &note, err);

	if (r < 0)
		return r;
	w->note = arena_strdup(w->arena, note);
	free(note);
	r = audit_checkpoint_open(w->note, &w->log, &w->cp, err);
	return r < 0 ? r : state_set(w->c->state, OFFER_NAME, w->note, err);
}

/* --- answers ---------------------------------------------------------------
 */

/* The host cosigned more than it remembers: its memory was set back. */
static int memory_lost(struct round *w, const struct fleet_host *h,
		       struct err *err)
{
	uint64_t known = 0;
	bool same_key = false;
	const char *why;
	int r = last_size(w, h->name, &known, &same_key, err);

	if (r < 0 || !same_key || h->cosignature->size >= known)
		return r;
	why = arena_printf(w->arena, "it cosigned %llu entries, remembers %llu",
			   (unsigned long long)known,
			   (unsigned long long)h->cosignature->size);
	core_say(w->c, "ALARM: host %s forgot what it had cosigned: %s",
		 h->name, why);
	return record_fact(w->c, "witness.forget", NULL, h->name, "alarm", why,
			   err);
}

/* While the round waits: STALE is answered at once, all else is kept. */
static int sort_answers(struct round *w, bool *out_waiting, struct err *err)
{
	struct fleet *f = w->c->fleet;
	bool waiting = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->n_hosts; i++) {
		struct fleet_host *h = &f->hosts[i];
		const Channel__Cosignature *m = h->cosignature;

		if (m != NULL)
			h->offer_waits = false;
		if (m != NULL && h->offers < OFFERS_MAX &&
		    m->verdict == CHANNEL__COSIGNATURE__VERDICT__STALE) {
			r = memory_lost(w, h, err);
			if (r == 0)
				r = offer(w, h, m->size, err);
			channel__cosignature__free_unpacked(h->cosignature,
							    NULL);
			h->cosignature = NULL;
		}
		waiting = waiting || (h->connected && h->offer_waits);
	}
	*out_waiting = waiting;
	return r;
}

static int wait_for_answers(struct round *w, struct err *err)
{
	int64_t until = clock_boot_ms() + WAIT_MS;
	bool waiting = true;
	bool changed = false;
	int r = sort_answers(w, &waiting, err);

	while (r == 0 && waiting) {
		int64_t left = until - clock_boot_ms();

		if (left <= 0)
			break;
		r = fleet_poll(w->c, (int)left, &changed, err);
		if (r == 0)
			r = sort_answers(w, &waiting, err);
	}
	return r;
}

static int take_line(struct round *w, const struct fleet_host *h,
		     struct err *err)
{
	const ProtobufCBinaryData *line = &h->cosignature->note;
	const char *text = arena_printf(
		w->arena, "%s%s", w->note != NULL ? w->note : "",
		arena_strndup(w->arena, (const char *)line->data, line->len));
	const char *key = NULL;
	struct audit_vkey vkey;
	size_t n = 0;
	int r = stored(w, witness_key_name(h->name, w->arena), &key, err);

	if (r < 0)
		return r;
	if (w->note == NULL || h->cosignature->size != w->cp.size)
		return 0; /* of an offer before the last */
	if (audit_key_parse(key, &vkey, NULL) < 0 ||
	    audit_witness_count(text, &w->log, &vkey, 1, &n, NULL) < 0 ||
	    n != 1) {
		core_say(w->c, "host %s: its cosignature is not good", h->name);
		return 0;
	}
	w->fresh = true;
	return state_set(w->c->state, witness_name(h->name, w->arena), text,
			 err);
}

static int take_refusal(struct round *w, const struct fleet_host *h,
			struct err *err)
{
	char why[WHY_BYTES];

	(void)text_safe(why, sizeof(why), h->cosignature->refused,
			strlen(h->cosignature->refused));
	core_say(w->c,
		 "ALARM: host %s refuses to cosign the audit log: %s. The log "
		 "is not what this host saw before: run `reconcile audit "
		 "verify`, and trust neither the log nor this manager until "
		 "you know why",
		 h->name, why);
	if (w->refusal == NULL)
		w->refusal = arena_printf(
			w->arena, "host %s refuses to cosign the audit log: %s",
			h->name, why);
	return record_fact(w->c, "witness.refuse", NULL, h->name, "refused",
			   why, err);
}

static int take_answer(struct round *w, struct fleet_host *h, struct err *err)
{
	char why[WHY_BYTES];
	int r = 0;

	switch (h->cosignature->verdict) {
	case CHANNEL__COSIGNATURE__VERDICT__COSIGNED:
		r = take_line(w, h, err);
		break;
	case CHANNEL__COSIGNATURE__VERDICT__STALE:
		break; /* the next offer begins where it says */
	case CHANNEL__COSIGNATURE__VERDICT__ROLLBACK:
	case CHANNEL__COSIGNATURE__VERDICT__FORK:
	case CHANNEL__COSIGNATURE__VERDICT__UNSIGNED:
		r = take_refusal(w, h, err);
		break;
	default:
		(void)text_safe(why, sizeof(why), h->cosignature->refused,
				strlen(h->cosignature->refused));
		core_say(w->c, "host %s could not cosign: %s", h->name, why);
		break;
	}
	channel__cosignature__free_unpacked(h->cosignature, NULL);
	h->cosignature = NULL;
	return r;
}

static int take_answers(struct round *w, struct err *err)
{
	struct fleet *f = w->c->fleet;
	int r = state_begin(w->c->state, err);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < f->n_hosts; i++)
		if (f->hosts[i].cosignature != NULL)
			r = take_answer(w, &f->hosts[i], err);
	if (r == 0)
		r = state_commit(w->c->state, err);
	if (r < 0)
		state_rollback(w->c->state);
	return r;
}

/* --- the file --------------------------------------------------------------
 */

/* Every stored cosignature of the note that was offered last. */
static int write_file(struct round *w, struct err *err)
{
	size_t len = strlen(w->note);
	size_t lines = 0;
	struct world world;
	struct buf out;
	int r = state_world(w->c->state, w->arena, &world, err);

	if (r < 0)
		return r;
	buf_init(&out, 64u << 10);
	buf_put(&out, w->note, len);
	for (size_t i = 0; r == 0 && lines < LINES_MAX && i < world.n_hosts;
	     i++) {
		const char *note = NULL;

		r = stored(w, witness_name(world.hosts[i].name, w->arena),
			   &note, err);
		if (r == 0 && strncmp(note, w->note, len) == 0) {
			buf_puts(&out, note + len);
			lines++;
		}
	}
	if (r == 0)
		r = buf_check(&out, err);
	if (r == 0)
		r = file_replace(w->dirfd, WITNESS_FILE, 0600, out.data,
				 out.len, err);
	buf_release(&out);
	return r;
}

/* --- a round ---------------------------------------------------------------
 */

static int open_round(struct round *w, struct err *err)
{
	const char *dir = audit_log_dir(w->c->conf, w->arena);
	const char *vkey = NULL;
	int r = audit_log_vkey(w->c->conf, w->arena, &vkey, err);

	if (r == 0)
		r = audit_key_parse(vkey, &w->log, err);
	if (r == 0)
		r = state_get(w->c->state, OFFER_NAME, w->arena, &w->note, err);
	if (r < 0)
		return r;
	if (w->note != NULL &&
	    audit_checkpoint_open(w->note, &w->log, &w->cp, NULL) < 0)
		w->note = NULL; /* of another key: nothing late counts */
	w->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return w->dirfd < 0 ? err_sys(err, errno, "open %s", dir) : 0;
}

static int new_round(struct round *w, struct err *err)
{
	struct fleet *f = w->c->fleet;
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->n_hosts; i++)
		r = pin_key(w, &f->hosts[i], err);
	if (r == 0)
		r = make_note(w, err);
	for (size_t i = 0; r == 0 && i < f->n_hosts; i++)
		r = offer_first(w, &f->hosts[i], err);
	if (r == 0)
		r = wait_for_answers(w, err);
	return r < 0 ? r : take_answers(w, err);
}

static bool any_answer(const struct fleet *f)
{
	for (size_t i = 0; i < f->n_hosts; i++)
		if (f->hosts[i].cosignature != NULL)
			return true;
	return false;
}

int witness_offer(struct core *c, bool acted, struct arena *arena,
		  const char **out_refusal, struct err *err)
{
	struct round w = {.c = c, .arena = arena, .dirfd = -1};
	int r;

	if (c->fleet == NULL || c->audit == NULL ||
	    (!acted && !any_answer(c->fleet)))
		return 0;
	r = open_round(&w, err);
	if (r == 0)
		r = take_answers(&w, err);
	if (r == 0 && acted)
		r = new_round(&w, err);
	if (r == 0 && w.fresh)
		r = write_file(&w, err);
	if (w.dirfd >= 0)
		(void)close(w.dirfd);
	if (r == 0 && w.refusal != NULL)
		*out_refusal = w.refusal;
	return r < 0 ? err_wrap(err, "witnesses") : 0;
}
