/*
 * client.c - the acting program's side.  Whatever goes wrong between us and the
 * writer is ERR_AUDIT: then nothing may be done.  After a broken exchange the
 * connection is not used again, because a late answer could be taken for the
 * answer to another request.
 */
#include "audit/client.h"
#include "audit/frame.h"
#include "audit/record.h"
#include "lib/arena.h"
#include "lib/msg.h"
#include "lib/proc.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WRITER "reconcile-audit"
#define OPEN_TIMEOUT_MS 60000 /* it may read a long log */
#define TIMEOUT_MS 30000      /* a slow disk, not a dead one */
#define CLOSE_TIMEOUT_MS 5000
#define ARENA_BYTES_MAX ((size_t)256 * 1024 * 1024)

struct audit_client {
	struct proc proc;
	int sock;
	bool broken;
	char witness_key[AUDIT_VKEY_BYTES];
	struct msg answer;
};

static int broken(struct audit_client *c, const char *why, struct err *err)
{
	c->broken = true;
	return err_set(err, ERR_AUDIT, "audit writer: %.900s", why);
}

/* The writer's own words, for the operator; never trusted as a format. */
static int refused(const struct audit_client *c, struct err *err)
{
	Audit__Error *m =
		audit__error__unpack(NULL, c->answer.payload.len,
				     (const uint8_t *)c->answer.payload.data);
	char words[512];
	int code = ERR_AUDIT;

	if (!m)
		return err_set(err, ERR_AUDIT, "audit writer: bad answer");
	if (m->code == ERR_INPUT)
		code = ERR_INPUT;
	(void)err_set(err, code, "%s",
		      text_safe(words, sizeof(words), m->msg, strlen(m->msg)));
	audit__error__free_unpacked(m, NULL);
	return code;
}

static int receive(struct audit_client *c, Audit__Frame want, int timeout_ms,
		   struct err *err)
{
	struct err cause = {0};

	if (msg_recv(c->sock, &c->answer, timeout_ms, &cause) < 0)
		return broken(c, cause.msg, err);
	if (c->answer.type == AUDIT__FRAME__FRAME_ERROR)
		return refused(c, err);
	if (c->answer.type != (uint16_t)want)
		return broken(c, "an answer to another question", err);
	return 0;
}

static int request(struct audit_client *c, Audit__Frame type,
		   const ProtobufCMessage *message, Audit__Frame want,
		   struct err *err)
{
	struct err cause = {0};
	int r;

	if (c->broken)
		return err_set(err, ERR_AUDIT,
			       "audit writer: not usable since an error");
	r = audit_frame_send(c->sock, type, message, &cause);
	if (r == ERR_INPUT)
		return err_set(err, r, "%.1000s", cause.msg);
	if (r < 0)
		return broken(c, cause.msg, err);
	return receive(c, want, TIMEOUT_MS, err);
}

/* Of the first frame. */
static int read_ready(struct audit_client *c, struct err *err)
{
	Audit__Ready *m =
		audit__ready__unpack(NULL, c->answer.payload.len,
				     (const uint8_t *)c->answer.payload.data);
	int r = 0;

	if (!m || strlen(m->witness_key) >= sizeof(c->witness_key))
		r = broken(c, "bad first frame", err);
	else
		(void)snprintf(c->witness_key, sizeof(c->witness_key), "%s",
			       m->witness_key);
	audit__ready__free_unpacked(m, NULL);
	return r;
}

int audit_client_open(const char *libexec, const char *dir,
		      const char *key_path, const char *origin,
		      struct audit_client **out, struct err *err)
{
	const char *args[] = {"--dir",	  dir,	  "--key", key_path,
			      "--origin", origin, NULL};
	struct audit_client *c = calloc(1, sizeof(*c));
	struct err cause = {0};
	int r;

	if (!c)
		return err_set(err, ERR_AUDIT, "audit writer: out of memory");
	msg_init(&c->answer, 64 * 1024);
	c->sock = -1;
	c->proc = (struct proc){.pid = -1, .pidfd = -1};
	r = proc_sibling(libexec, WRITER, args, &c->proc, &c->sock, &cause);
	if (r < 0)
		r = broken(c, cause.msg, err);
	else
		r = receive(c, AUDIT__FRAME__FRAME_READY, OPEN_TIMEOUT_MS, err);
	if (r == 0)
		r = read_ready(c, err);
	if (r < 0) {
		audit_client_close(c);
		return ERR_AUDIT;
	}
	*out = c;
	return 0;
}

static int read_ack(struct audit_client *c, size_t n, uint64_t *out_last,
		    struct err *err)
{
	Audit__Ack *ack =
		audit__ack__unpack(NULL, c->answer.payload.len,
				   (const uint8_t *)c->answer.payload.data);
	int r = 0;

	if (!ack || ack->last_seq - ack->first_seq != n - 1)
		r = broken(c, "acknowledged other than it was given", err);
	else if (out_last)
		*out_last = ack->last_seq;
	if (ack)
		audit__ack__free_unpacked(ack, NULL);
	return r;
}

int audit_client_append(struct audit_client *c,
			const struct audit_event *events, size_t n,
			uint64_t *out_last_seq, struct err *err)
{
	struct arena *arena;
	int r = 0;

	if (n == 0 || n > AUDIT_BATCH_MAX)
		return err_set(err, ERR_INPUT,
			       "audit batch: want 1 to %d events, have %zu",
			       AUDIT_BATCH_MAX, n);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = audit_record_check(&events[i], false, err);
	if (r < 0)
		return r;
	arena = arena_new(ARENA_BYTES_MAX);
	r = request(c, AUDIT__FRAME__FRAME_APPEND,
		    &audit_frame_from_events(arena, events, n)->base,
		    AUDIT__FRAME__FRAME_ACK, err);
	arena_free(arena);
	return r < 0 ? r : read_ack(c, n, out_last_seq, err);
}

int audit_client_checkpoint(struct audit_client *c, char **out_note,
			    struct err *err)
{
	Audit__CheckpointRequest ask = AUDIT__CHECKPOINT_REQUEST__INIT;
	Audit__Checkpoint *m;
	char *note = NULL;
	int r;

	r = request(c, AUDIT__FRAME__FRAME_CHECKPOINT_REQUEST, &ask.base,
		    AUDIT__FRAME__FRAME_CHECKPOINT, err);
	if (r < 0)
		return r;
	m = audit__checkpoint__unpack(NULL, c->answer.payload.len,
				      (const uint8_t *)c->answer.payload.data);
	if (m)
		note = strdup(m->note);
	if (m)
		audit__checkpoint__free_unpacked(m, NULL);
	if (!note)
		return broken(c, "bad checkpoint", err);
	if (out_note)
		*out_note = note;
	else
		free(note);
	return 0;
}

const char *audit_client_witness_key(const struct audit_client *c)
{
	return c->witness_key;
}

static int read_cosignature(struct audit_client *c,
			    struct audit_witness_answer *out, char **out_line,
			    struct err *err)
{
	Audit__Cosignature *m = audit__cosignature__unpack(
		NULL, c->answer.payload.len,
		(const uint8_t *)c->answer.payload.data);
	char *line = NULL;
	int r = 0;

	if (m && m->verdict == AUDIT__VERDICT__COSIGNED)
		line = strdup(m->line);
	if (!m || (int)m->verdict < 0 ||
	    (int)m->verdict > AUDIT_WITNESS_UNSIGNED ||
	    (m->verdict == AUDIT__VERDICT__COSIGNED && !line)) {
		r = broken(c, "bad cosignature", err);
		free(line);
	} else {
		out->verdict = (enum audit_witness_verdict)m->verdict;
		out->size = m->size;
		(void)text_safe(out->why, sizeof(out->why), m->why,
				strlen(m->why));
		*out_line = line;
	}
	audit__cosignature__free_unpacked(m, NULL);
	return r;
}

int audit_client_witness(struct audit_client *c,
			 const struct audit_witness_ask *ask,
			 struct audit_witness_answer *out, char **out_line,
			 struct err *err)
{
	ProtobufCBinaryData hashes[AUDIT_PROOF_MAX];
	Audit__Witness m;
	char *note = strdup(ask->note), *key = strdup(ask->log_key);
	int r;

	if (!note || !key) {
		r = err_set(err, ERR_NOMEM, "out of memory");
		goto out;
	}
	for (size_t i = 0; i < ask->proof->n; i++)
		hashes[i] = (ProtobufCBinaryData){
			.data = (uint8_t *)(uintptr_t)ask->proof->hashes[i],
			.len = AUDIT_HASH_BYTES};
	audit__witness__init(&m);
	m.note = note;
	m.log_key = key;
	m.old_size = ask->old_size;
	m.consistency = hashes;
	m.n_consistency = ask->proof->n;
	r = request(c, AUDIT__FRAME__FRAME_WITNESS, &m.base,
		    AUDIT__FRAME__FRAME_COSIGNATURE, err);
	if (r == 0)
		r = read_cosignature(c, out, out_line, err);
out:
	free(note);
	free(key);
	return r;
}

void audit_client_close(struct audit_client *c)
{
	int status;

	if (!c)
		return;
	if (c->sock >= 0)
		(void)close(c->sock); /* it ends when it has signed */
	if (c->proc.pidfd >= 0 &&
	    proc_wait(&c->proc, CLOSE_TIMEOUT_MS, &status, NULL) < 0)
		proc_kill(&c->proc);
	msg_release(&c->answer);
	free(c);
}
