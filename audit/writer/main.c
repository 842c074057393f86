/*
 * main.c - reconcile-audit: the only process that writes the log in a folder.
 *
 * It holds the folder's descriptor and the checkpoint key, no capability, and
 * parses only the fixed frames of its one client on descriptor 3.  Whatever it
 * cannot write it refuses; a client that breaks framing ends it.  It signs a
 * checkpoint when asked, each CHECKPOINT_EVERY entries, and before it ends; and
 * it cosigns the checkpoints of another log that extend what it cosigned.
 */
#include "audit/frame.h"
#include "audit/key.h"
#include "audit/log.h"
#include "audit/witness_state.h"
#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/msg.h"
#include "lib/opt.h"
#include "lib/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCK 3
#define CHECKPOINT_EVERY 4096
#define ARENA_BYTES_MAX ((size_t)256 * 1024 * 1024)

static const struct opt options[] = {
	{"dir", 0, "DIR", "folder of the log"},
	{"key", 0, "FILE",
	 "Ed25519 key (PEM, mode 0600) that signs checkpoints"},
	{"origin", 0, "NAME", "name of this log"},
};
static const struct opt_command commands[] = {
	{"", "", "", options, sizeof(options) / sizeof(options[0]), 0, 0, NULL},
};
static const struct opt_program program = {
	"reconcile-audit",
	"Write the audit log of a folder.  Started by reconcile and by "
	"reconcile-agent\nwith a socket as descriptor 3; of no use by hand.",
	NULL,
	0,
	commands,
	1,
};

struct writer {
	struct audit_log *log;
	struct audit_key *key;
	const char *origin;
	int dirfd, keyfd;
};

static int send_error(int code, const char *text, struct err *err)
{
	char copy[ERR_MSG_BYTES];
	Audit__Error m;

	audit__error__init(&m);
	(void)snprintf(copy, sizeof(copy), "%s", text);
	m.code = code;
	m.msg = copy;
	return audit_frame_send(SOCK, AUDIT__FRAME__FRAME_ERROR, &m.base, err);
}

static int send_ready(const struct writer *w, struct err *err)
{
	struct audit_log_state s = audit_log_state(w->log);
	Audit__Ready m;
	char text[AUDIT_VKEY_BYTES];
	struct audit_vkey witness;
	int r = audit_key_public(w->key, AUDIT_KEY_WITNESS, w->origin, &witness,
				 err);

	if (r < 0)
		return r;
	audit_key_format(&witness, text);
	audit__ready__init(&m);
	m.witness_key = text;
	m.last_seq = s.last_seq;
	m.head.data = s.head;
	m.head.len = sizeof(s.head);
	m.recovered_bytes = s.recovered_bytes;
	return audit_frame_send(SOCK, AUDIT__FRAME__FRAME_READY, &m.base, err);
}

static int do_checkpoint(struct writer *w, const struct msg *m, struct err *err)
{
	Audit__Checkpoint answer;
	struct buf note;
	int r;

	(void)m;
	audit__checkpoint__init(&answer);
	buf_init(&note, 8192);
	r = audit_log_checkpoint(w->log, &note, err);
	if (r < 0) {
		r = send_error(r, err->msg, err);
	} else {
		answer.note = note.data;
		r = audit_frame_send(SOCK, AUDIT__FRAME__FRAME_CHECKPOINT,
				     &answer.base, err);
	}
	buf_release(&note);
	return r;
}

static int append_batch(struct writer *w, const Audit__Append *batch,
			Audit__Ack *ack, struct err *err)
{
	struct arena *arena = arena_new(ARENA_BYTES_MAX);
	struct audit_event *events;
	size_t n;
	int r;

	n = audit_frame_to_events(arena, batch, &events);
	r = audit_log_append(w->log, events, n, clock_unix_ms(),
			     &ack->first_seq, err);
	arena_free(arena);
	return r;
}

static int do_append(struct writer *w, const struct msg *m, struct err *err)
{
	Audit__Append *batch = audit__append__unpack(
		NULL, m->payload.len, (const uint8_t *)m->payload.data);
	Audit__Ack ack = AUDIT__ACK__INIT;
	struct audit_log_state s;
	struct buf ignored;
	int r;

	if (!batch)
		return err_set(err, ERR_PROTO, "a batch that is no message");
	r = append_batch(w, batch, &ack, err);
	audit__append__free_unpacked(batch, NULL);
	if (r < 0)
		return send_error(r, err->msg, err);
	s = audit_log_state(w->log);
	ack.last_seq = s.last_seq;
	ack.head.data = s.head;
	ack.head.len = sizeof(s.head);
	r = audit_frame_send(SOCK, AUDIT__FRAME__FRAME_ACK, &ack.base, err);
	if (r == 0 && audit_log_unsigned(w->log) >= CHECKPOINT_EVERY) {
		buf_init(&ignored, 8192);
		(void)audit_log_checkpoint(w->log, &ignored, err);
		buf_release(&ignored);
	}
	return r;
}

static bool read_proof(const Audit__Witness *m, struct audit_proof *out)
{
	if (m->n_consistency > AUDIT_PROOF_MAX)
		return false;
	for (size_t i = 0; i < m->n_consistency; i++) {
		if (m->consistency[i].len != AUDIT_HASH_BYTES)
			return false;
		memcpy(out->hashes[i], m->consistency[i].data,
		       AUDIT_HASH_BYTES);
	}
	out->n = m->n_consistency;
	return true;
}

static int send_cosignature(struct audit_witness_answer *a, struct buf *line,
			    struct err *err)
{
	Audit__Cosignature m;

	audit__cosignature__init(&m);
	m.verdict = (Audit__Verdict)a->verdict;
	if (line->len > 0)
		m.line = line->data;
	m.size = a->size;
	m.why = a->why;
	return audit_frame_send(SOCK, AUDIT__FRAME__FRAME_COSIGNATURE, &m.base,
				err);
}

static int do_witness(struct writer *w, const struct msg *in, struct err *err)
{
	Audit__Witness *m = audit__witness__unpack(
		NULL, in->payload.len, (const uint8_t *)in->payload.data);
	struct audit_witness_answer answer;
	struct audit_proof proof = {.n = 0};
	struct audit_witness_ask ask = {.proof = &proof};
	struct buf line;
	int r;

	buf_init(&line, 4096);
	if (!m || !read_proof(m, &proof)) {
		r = err_set(err, ERR_PROTO, "a checkpoint that is no message");
		goto out;
	}
	ask.note = m->note;
	ask.log_key = m->log_key;
	ask.old_size = m->old_size;
	r = audit_witness_state_answer(w->dirfd, &ask, w->key, w->origin,
				       clock_unix_ms() / 1000, &line, &answer,
				       err);
	if (r == 0)
		r = buf_check(&line, err);
	r = r < 0 ? send_error(r, err->msg, err)
		  : send_cosignature(&answer, &line, err);
out:
	audit__witness__free_unpacked(m, NULL);
	buf_release(&line);
	return r;
}

/* What a client may ask; anything else ends the conversation. */
static const struct {
	Audit__Frame type;
	int (*run)(struct writer *w, const struct msg *m, struct err *err);
} requests[] = {
	{AUDIT__FRAME__FRAME_APPEND, do_append},
	{AUDIT__FRAME__FRAME_CHECKPOINT_REQUEST, do_checkpoint},
	{AUDIT__FRAME__FRAME_WITNESS, do_witness},
};

static int serve_one(struct writer *w, const struct msg *m, struct err *err)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (m->type == (uint16_t)requests[i].type && m->n_fds == 0)
			return requests[i].run(w, m, err);
	return err_set(err, ERR_PROTO, "a frame of type %u is not allowed",
		       m->type);
}

static int serve(struct writer *w, struct err *err)
{
	struct msg m;
	int r = 0;

	msg_init(&m, AUDIT_FRAME_MAX);
	while (r == 0) {
		r = msg_recv(SOCK, &m, -1, err);
		if (r == ERR_NOTFOUND) {
			r = 0; /* the client has gone: the ordinary end */
			break;
		}
		if (r == 0)
			r = serve_one(w, &m, err);
	}
	msg_release(&m);
	return r;
}

static int open_places(const struct opt_values *v, struct writer *w,
		       struct err *err)
{
	const char *dir = opt_get(v, "dir"), *key = opt_get(v, "key");
	struct stat st;
	int r;

	if (!dir || !key || !opt_get(v, "origin"))
		return err_set(err, ERR_INPUT, "want --dir, --key, --origin");
	if (fstat(SOCK, &st) < 0 || !S_ISSOCK(st.st_mode))
		return err_set(err, ERR_INPUT,
			       "want a socket as descriptor 3; this program "
			       "is started by others");
	r = file_mkdirs(AT_FDCWD, dir, 0700, &w->dirfd, err);
	if (r < 0)
		return r;
	w->keyfd = open(key, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (w->keyfd < 0)
		return err_sys(err, errno, "open audit key %s", key);
	return 0;
}

static int confine(const char *dir, struct err *err)
{
	const struct sandbox_path paths[] = {{dir, true}};
	const struct sandbox profile = {
		.name = "reconcile-audit",
		.allow = SANDBOX_FILE_READ | SANDBOX_FILE_WRITE,
		.paths = paths,
		.n_paths = 1,
		.landlock = true,
		.max_memory = (size_t)1 << 30,
		.max_files = 32,
	};

	hash_free(hash_new()); /* OpenSSL starts while it may */
	return sandbox_enter(&profile, err);
}

static int run(const struct opt_values *v, struct writer *w, struct err *err)
{
	struct buf last;
	int r;

	w->origin = opt_get(v, "origin");
	r = open_places(v, w, err);
	if (r == 0)
		r = confine(opt_get(v, "dir"), err);
	if (r == 0)
		r = audit_key_load_fd(w->keyfd, &w->key, err);
	if (r == 0)
		r = audit_log_open(w->dirfd, opt_get(v, "origin"), w->key,
				   clock_unix_ms(), &w->log, err);
	if (r < 0) {
		(void)send_error(r, err->msg, NULL);
		return r;
	}
	r = send_ready(w, err);
	if (r == 0)
		r = serve(w, err);
	if (audit_log_unsigned(w->log) > 0) {
		struct err ignored = {0};

		buf_init(&last, 8192);
		(void)audit_log_checkpoint(w->log, &last, &ignored);
		buf_release(&last);
	}
	return r;
}

int main(int argc, char **argv)
{
	struct writer w = {.dirfd = -1, .keyfd = -1};
	struct opt_values v;
	struct err err = {0};
	int r;

	log_init("reconcile-audit", LOG_LEVEL_WARN);
	(void)umask(077);
	r = opt_parse(&program, argc, argv, &v, &err);
	if (r == 0 && opt_get(&v, "help")) {
		opt_help(&program, NULL, stdout);
		return 0;
	}
	if (r == 0)
		r = run(&v, &w, &err);
	audit_log_close(w.log);
	audit_key_free(w.key);
	if (r < 0)
		log_line(LOG_LEVEL_ERROR, "audit.end", "code=%s reason=\"%s\"",
			 err_name(r), err.msg);
	return err_exit_status(r);
}
