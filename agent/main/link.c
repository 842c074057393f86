/*
 * link.c - the channel: frames of reconcile-link.  What arrives was unpacked
 * and packed again by it, and is still the manager's word: nothing here is
 * believed beyond its form.
 */
#include "agent/main/agent.h"
#include "lib/log.h"
#include "lib/text.h"
#include "reconciler/fetch/fetch.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_BYTES_MAX (4u << 20)
#define RESPAWN_MS 1000
#define PACK_BYTES_MAX (1ull << 30)

static void on_link(evutil_socket_t fd, short what, void *ctx);

void link_send(struct agent *a, uint16_t type, const void *payload, size_t len)
{
	struct err err = {0};

	if (!sibling_is_up(&a->link))
		return;
	if (msg_send(a->link.sock, type, payload, len, NULL, 0, &err) < 0)
		log_line(LOG_LEVEL_WARN, "link.send", "reason=\"%s\"", err.msg);
}

void link_refuse(struct agent *a, uint64_t epoch, const char *commit,
		 const char *pod, enum code_id code, const char *why)
{
	Channel__Refusal m;
	char commit_copy[80], pod_copy[400], code_copy[16], why_copy[512];
	uint8_t *packed;

	channel__refusal__init(&m);
	(void)snprintf(commit_copy, sizeof(commit_copy), "%s", commit);
	(void)snprintf(pod_copy, sizeof(pod_copy), "%s", pod);
	(void)snprintf(code_copy, sizeof(code_copy), "%s", code_id(code));
	(void)snprintf(why_copy, sizeof(why_copy), "%s: %s", code_text(code),
		       why);
	log_line(LOG_LEVEL_WARN, "refuse",
		 "epoch=%llu code=%s pod=%s reason=\"%s\"",
		 (unsigned long long)epoch, code_copy, pod_copy, why_copy);
	record_about(a, "refuse", AUDIT_FACT, pod_copy, commit_copy, code_copy,
		     why_copy);
	m.epoch = epoch;
	m.commit = commit_copy;
	m.pod = pod_copy;
	m.code = code_copy;
	m.reason = why_copy;
	packed = malloc(channel__refusal__get_packed_size(&m));
	if (packed)
		link_send(a, CHANNEL__MSG_TYPE__MSG_REFUSAL, packed,
			  channel__refusal__pack(&m, packed));
	free(packed);
	agent_kick(a);
}

/* --- objects -----------------------------------------------------------------
 */

static void ingest_failed(struct agent *a, const char *why)
{
	if (!a->pack_refused)
		link_refuse(a, 0, a->pack_commit, "", CODE_PACK, why);
	a->pack_refused = true;
	sibling_stop(&a->fetch);
	verify_begin(a); /* an assignment may wait for the objects: refuse it */
}

static void on_fetch(evutil_socket_t fd, short what, void *ctx)
{
	struct agent *a = ctx;
	struct err err = {0};
	int r = msg_recv(a->fetch.sock, &a->fetch.in, 0, &err);

	(void)fd;
	(void)what;
	if (r == ERR_AGAIN)
		return;
	if (r == 0 && a->fetch.in.type == FETCH__MSG_TYPE__MSG_HEAD) {
		sibling_stop(&a->fetch);
		verify_begin(a);
		return;
	}
	if (r == 0 && a->fetch.in.type == FETCH__MSG_TYPE__MSG_ERROR) {
		Fetch__Error *e = fetch__error__unpack(
			NULL, a->fetch.in.payload.len,
			(const uint8_t *)a->fetch.in.payload.data);
		char safe[200];

		ingest_failed(a,
			      text_safe(safe, sizeof(safe), e ? e->message : "",
					e ? strlen(e->message) : 0));
		fetch__error__free_unpacked(e, NULL);
		return;
	}
	ingest_failed(a, r < 0 ? err.msg : "unexpected frame");
}

static int ingest_begin(struct agent *a, const char *commit, struct err *err)
{
	static const char *const args[] = {NULL};
	Fetch__IngestRequest q;
	uint8_t packed[8192];
	char store[4200];
	size_t n;
	int r;

	fetch__ingest_request__init(&q);
	sibling_stop(&a->fetch);
	a->pack_frames = 0;
	a->pack_refused = false;
	(void)snprintf(a->pack_commit, sizeof(a->pack_commit), "%.64s", commit);
	(void)snprintf(store, sizeof(store), "%s/git", a->conf.state_dir);
	q.store_path = store;
	q.max_bytes = PACK_BYTES_MAX;
	q.want = a->pack_commit;
	r = sibling_start(a, &a->fetch, "reconcile-fetch", args, 1u << 20,
			  on_fetch, err);
	if (r < 0)
		return r;
	n = fetch__ingest_request__pack(&q, packed);
	return msg_send(a->fetch.sock, FETCH__MSG_TYPE__MSG_INGEST, packed, n,
			NULL, 0, err);
}

static void take_pack(struct agent *a, const Channel__Pack *m)
{
	struct err err = {0};
	int r = 0;

	if (!text_is_hex(m->commit, 40) && !text_is_hex(m->commit, 64)) {
		link_refuse(a, 0, "", "", CODE_PACK, "commit is no object id");
		return;
	}
	if (m->chunk == 0)
		r = ingest_begin(a, m->commit, &err);
	else if (a->pack_refused || !sibling_is_up(&a->fetch) ||
		 m->chunk != a->pack_frames ||
		 strcmp(m->commit, a->pack_commit) != 0)
		return; /* out of order: the manager begins again */
	a->pack_frames++;
	if (r == 0 && m->data.len > 0)
		r = msg_send(a->fetch.sock, FETCH__MSG_TYPE__MSG_PACK_DATA,
			     m->data.data, m->data.len, NULL, 0, &err);
	if (r == 0 && m->last)
		r = msg_send(a->fetch.sock, FETCH__MSG_TYPE__MSG_DONE, "", 0,
			     NULL, 0, &err);
	if (r < 0)
		ingest_failed(a, err.msg);
}

/* --- assignment
 * ---------------------------------------------------------------- */

static void take_assignment(struct agent *a, Channel__Assignment *m)
{
	enum code_id code = CODE_REPLAY;

	if (!assign_accepts(m, &a->host, &code)) {
		if (code == CODE_REPLAY)
			a->replays++;
		else
			link_refuse(a, m->epoch, "", "", code, "see host name");
		channel__assignment__free_unpacked(m, NULL);
		return;
	}
	if (m->n_pods > ASSIGN_PODS_MAX ||
	    (!text_is_hex(m->commit, 40) && !text_is_hex(m->commit, 64)) ||
	    (*m->tag != '\0' && !text_is_hex(m->tag, 40))) {
		link_refuse(a, m->epoch, "", "", CODE_GRAMMAR,
			    "commit is no object id, or too many pods");
		channel__assignment__free_unpacked(m, NULL);
		return;
	}
	if (a->next)
		channel__assignment__free_unpacked(a->next, NULL);
	a->next = m;
	a->next_is_restore = false;
	if (!sibling_is_up(&a->fetch))
		verify_begin(a);
}

static void take_frame(struct agent *a, const struct msg *in)
{
	const uint8_t *data = (const uint8_t *)in->payload.data;
	size_t len = in->payload.len;
	Channel__Checkpoint *cp;
	Channel__LogRequest *log;
	Channel__LinkState *state;
	Channel__Assignment *as;
	Channel__Pack *pack;

	switch (in->type) {
	case CHANNEL__MSG_TYPE__MSG_ASSIGNMENT:
		as = channel__assignment__unpack(NULL, len, data);
		if (as)
			take_assignment(a, as);
		break;
	case CHANNEL__MSG_TYPE__MSG_PACK:
		pack = channel__pack__unpack(NULL, len, data);
		if (pack)
			take_pack(a, pack);
		channel__pack__free_unpacked(pack, NULL);
		break;
	case CHANNEL__MSG_TYPE__MSG_LOG_REQUEST:
		log = channel__log_request__unpack(NULL, len, data);
		if (log)
			logs_answer(a, log);
		channel__log_request__free_unpacked(log, NULL);
		break;
	case CHANNEL__MSG_TYPE__MSG_CHECKPOINT:
		cp = channel__checkpoint__unpack(NULL, len, data);
		if (cp)
			witness_answer(a, cp);
		channel__checkpoint__free_unpacked(cp, NULL);
		break;
	case CHANNEL__MSG_TYPE__MSG_LINK_STATE:
		state = channel__link_state__unpack(NULL, len, data);
		if (state && state->connected) {
			a->link_up = true;
			report_hello(a);
			report_send(a);
		} else {
			a->link_up = false;
		}
		if (state)
			log_line(LOG_LEVEL_INFO, "link.state", "connected=%d",
				 state->connected);
		if (state && state->host[0] != '\0' &&
		    strcmp(state->host, a->conf.name) != 0)
			log_line(LOG_LEVEL_ERROR, "link.name",
				 "reason=\"the certificate is for another "
				 "name than %s: assignments will be refused\"",
				 a->conf.name);
		channel__link_state__free_unpacked(state, NULL);
		break;
	default:
		break; /* Welcome: nothing to decide by it */
	}
}

static void respawn(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	link_open(ctx);
}

static void retry_later(struct agent *a)
{
	unsigned int n = a->link_fails < 5 ? a->link_fails : 5;
	struct timeval tv = {.tv_sec = (1 << n) >> 1, .tv_usec = 200000};

	a->link_fails++;
	a->link_up = false;
	if (!a->link_timer)
		a->link_timer = evtimer_new(a->base, respawn, a);
	if (a->link_timer)
		(void)evtimer_add(a->link_timer, &tv);
}

static void on_link(evutil_socket_t fd, short what, void *ctx)
{
	struct agent *a = ctx;
	struct err err = {0};
	int r = msg_recv(a->link.sock, &a->link.in, 0, &err);

	(void)fd;
	(void)what;
	if (r == ERR_AGAIN)
		return;
	if (r == 0) {
		a->link_fails = 0;
		take_frame(a, &a->link.in);
		return;
	}
	log_line(LOG_LEVEL_WARN, "link.end", "reason=\"%s\"", err.msg);
	sibling_stop(&a->link);
	retry_later(a);
}

void link_open(struct agent *a)
{
	char dir[4200];
	const char *args[] = {"--dir", dir, NULL};
	struct err err = {0};

	(void)snprintf(dir, sizeof(dir), "%s/link", a->conf.state_dir);
	if (sibling_start(a, &a->link, "reconcile-link", args, FRAME_BYTES_MAX,
			  on_link, &err) < 0) {
		log_line(LOG_LEVEL_ERROR, "link.start", "reason=\"%s\"",
			 err.msg);
		retry_later(a);
	}
}
