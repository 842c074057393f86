/*
 * witness.c - this host as a witness of the manager's audit log (threats A95,
 * A96).  The checkpoint is the manager's word; reconcile-audit holds it against
 * what this host cosigned before, and remembers.  A refusal is in this host's
 * own log before the manager hears of it.
 */
#include "agent/main/agent.h"
#include "audit/proof.h"
#include "audit/witness_state.h"
#include "lib/log.h"
#include "lib/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_BYTES 640

static const struct {
	Channel__Cosignature__Verdict verdict;
	enum code_id code;
	bool refusal; /* recorded */
} verdicts[] = {
	[AUDIT_WITNESS_COSIGNED] = {CHANNEL__COSIGNATURE__VERDICT__COSIGNED, 0,
				    false},
	[AUDIT_WITNESS_STALE] = {CHANNEL__COSIGNATURE__VERDICT__STALE,
				 CODE_WITNESS_STALE, false},
	[AUDIT_WITNESS_ROLLBACK] = {CHANNEL__COSIGNATURE__VERDICT__ROLLBACK,
				    CODE_WITNESS_ROLLBACK, true},
	[AUDIT_WITNESS_FORK] = {CHANNEL__COSIGNATURE__VERDICT__FORK,
				CODE_WITNESS_FORK, true},
	[AUDIT_WITNESS_UNSIGNED] = {CHANNEL__COSIGNATURE__VERDICT__UNSIGNED,
				    CODE_WITNESS_KEY, true},
};

static void send_answer(struct agent *a, const Channel__Cosignature *m)
{
	uint8_t *packed = malloc(channel__cosignature__get_packed_size(m));

	if (packed)
		link_send(a, CHANNEL__MSG_TYPE__MSG_COSIGNATURE, packed,
			  channel__cosignature__pack(m, packed));
	free(packed);
}

static bool read_proof(const Channel__Checkpoint *m, struct audit_proof *out)
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

/* Bytes as text; a zero byte ends it, and what is left is no signed note. */
static char *text_of(ProtobufCBinaryData bytes)
{
	return bytes.len == 0 ? strdup("")
			      : strndup((const char *)bytes.data, bytes.len);
}

/* The name of the manager's log: the key text as far as its first '+'. */
static void record_refusal(struct agent *a, const char *key, enum code_id code,
			   const char *why)
{
	char name[AUDIT_NAME_MAX + 1];
	struct err err = {0};

	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(key, "+"), key);
	log_line(LOG_LEVEL_ERROR, "witness.refuse", "code=%s reason=\"%s\"",
		 code_id(code), why);
	record_about(a, "witness.refuse", AUDIT_FACT, name, "", code_id(code),
		     why);
	(void)record_flush(a, &err); /* it has said so itself */
}

static int cosign(struct agent *a, const Channel__Checkpoint *m,
		  struct audit_witness_answer *out, char **out_line,
		  const char *key, struct err *err)
{
	struct audit_proof proof = {.n = 0};
	char *note = text_of(m->note);
	const struct audit_witness_ask ask = {
		.note = note,
		.log_key = key,
		.old_size = m->old_size,
		.proof = &proof,
	};
	int r;

	if (!note)
		r = err_set(err, ERR_NOMEM, "checkpoint");
	else if (!read_proof(m, &proof))
		r = err_set(err, ERR_PROTO, "a proof that is none");
	else
		r = audit_client_witness(a->audit, &ask, out, out_line, err);
	free(note);
	return r;
}

void witness_answer(struct agent *a, const Channel__Checkpoint *m)
{
	struct audit_witness_answer answer = {.why = ""};
	Channel__Cosignature reply;
	char *key = text_of(a->join->audit_key), *line = NULL;
	enum code_id code = CODE_WITNESS_FAILED;
	char refused[WHY_BYTES] = "";
	struct err err = {0};
	int r = key ? cosign(a, m, &answer, &line, key, &err)
		    : err_set(&err, ERR_NOMEM, "checkpoint");

	channel__cosignature__init(&reply);
	reply.refused = refused;
	reply.size = answer.size;
	reply.verdict = CHANNEL__COSIGNATURE__VERDICT__FAILED;
	if (r == 0) {
		code = verdicts[answer.verdict].code;
		reply.verdict = verdicts[answer.verdict].verdict;
	} else {
		(void)snprintf(answer.why, sizeof(answer.why), "%.500s",
			       err.msg);
	}
	if (line) {
		reply.note.data = (uint8_t *)line;
		reply.note.len = strlen(line);
	} else {
		(void)snprintf(refused, sizeof(refused), "%s %s: %s",
			       code_id(code), code_text(code), answer.why);
		if (r < 0 || verdicts[answer.verdict].refusal)
			record_refusal(a, key ? key : "", code, answer.why);
	}
	send_answer(a, &reply);
	free(line);
	free(key);
	/* The end of a pass is when this host's own log gets its signature too.
	 */
	if (audit_client_checkpoint(a->audit, NULL, &err) < 0)
		log_line(LOG_LEVEL_WARN, "audit.checkpoint", "reason=\"%s\"",
			 err.msg);
}
