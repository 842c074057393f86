/*
 * verify.c - the host's own judgement of a commit: reconcile-verify, against
 * the trust root of the join and this host's own ratchet.  The manager's
 * opinion plays no part.
 */
#include "agent/main/agent.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

#define REPLY_BYTES_MAX (64u << 20)
#define SNAPSHOT_ARENA_BYTES (512u << 20)

static void refuse_verdict(struct agent *a, const Verify__VerifyReply *m)
{
	const char *code = "", *text = m->error;
	char why[ASSIGN_WHY_BYTES], safe[160];

	for (size_t i = 0; i < m->n_commits; i++)
		if (strcmp(m->commits[i]->code, "OK") != 0) {
			code = m->commits[i]->code;
			text = m->commits[i]->reason;
			break;
		}
	if (code[0] == '\0' && m->n_diagnostics > 0) {
		code = m->diagnostics[0]->code;
		text = m->diagnostics[0]->message;
	}
	(void)snprintf(why, sizeof(why), "%.16s %s",
		       code[0] ? code : m->error_code,
		       text_safe(safe, sizeof(safe), text, strlen(text)));
	apply_refused(a, CODE_COMMIT, why);
}

static bool is_accepted(const struct agent *a, const Verify__VerifyReply *m)
{
#ifdef GUARD_OFF_VERIFY
	if (m->snapshot.len > 0)
		return true;
#endif
	return m->verdict == VERIFY__VERIFY_REPLY__VERDICT__ACCEPTED &&
	       strcmp(m->commit, a->next->commit) == 0;
}

/* A commit that is first seen when it is stale: a manager that replays what it
 * kept back (A27). */
static bool is_late(struct agent *a, const Verify__VerifyReply *m)
{
	char why[ASSIGN_WHY_BYTES], until[CLOCK_RFC3339_BYTES];

	if (strcmp(a->accepted, m->commit) == 0 ||
	    !trust_is_over(m->fresh_until, trust_now(a)))
		return false;
	(void)snprintf(why, sizeof(why),
		       "T146 first seen now, but was fresh until %s only",
		       clock_rfc3339(m->fresh_until * 1000, until));
	apply_refused(a, CODE_COMMIT, why);
	return true;
}

static void take_reply(struct agent *a, const struct msg *in)
{
	struct agent_snapshot snap = {0};
	struct err err = {0};
	Verify__VerifyReply *m = verify__verify_reply__unpack(
		NULL, in->payload.len, (const uint8_t *)in->payload.data);

	if (!m || in->type != VERIFY__MSG_TYPE__MSG_VERIFY_REPLY) {
		apply_refused(a, CODE_COMMIT,
			      "reconcile-verify broke its "
			      "protocol");
		goto out;
	}
	if (!is_accepted(a, m)) {
		refuse_verdict(a, m);
		goto out;
	}
	if (is_late(a, m))
		goto out;
	snap.arena = arena_new(SNAPSHOT_ARENA_BYTES);
	snap.fresh_until = m->fresh_until;
	if (snapshot_decode((const char *)m->snapshot.data, m->snapshot.len,
			    snap.arena, &snap.want, &err) < 0) {
		arena_free(snap.arena);
		apply_refused(a, CODE_COMMIT, err.msg);
		goto out;
	}
	apply_accepted(a, &snap);
out:
	verify__verify_reply__free_unpacked(m, NULL);
}

/* The reply names the commit; is_accepted() compares it. */
static char *target_of(const Channel__Assignment *as)
{
	return *as->tag != '\0' ? as->tag : as->commit;
}

static void on_verify(evutil_socket_t fd, short what, void *ctx)
{
	struct agent *a = ctx;
	struct agent_sibling done;
	struct err err = {0};
	int r = msg_recv(a->verify.sock, &a->verify.in, 0, &err);

	(void)fd;
	(void)what;
	if (r == ERR_AGAIN)
		return;
	done = a->verify;
	a->verify = (struct agent_sibling){0};
	/* another assignment came meanwhile: its commit has its own turn */
	if (a->next && strcmp(a->asked, target_of(a->next)) != 0)
		verify_begin(a);
	else if (a->next && r == 0)
		take_reply(a, &done.in);
	else if (a->next)
		apply_refused(a, CODE_COMMIT, err.msg);
	sibling_stop(&done);
}

static int send_request(struct agent *a, struct err *err)
{
	Verify__VerifyRequest q;
	char repo[4200];
	uint8_t *packed;
	size_t n;
	int r;

	verify__verify_request__init(&q);
	(void)snprintf(repo, sizeof(repo), "%s/git", a->conf.state_dir);
	q.mode = VERIFY__VERIFY_REQUEST__MODE__FULL;
	q.repository_path = repo;
	q.root = a->trust;
	q.accepted = a->accepted;
	q.target = target_of(a->next);
	(void)snprintf(a->asked, sizeof(a->asked), "%s", q.target);
	q.now = trust_now(a);
	q.want_snapshot = true;
	q.head_only = strcmp(a->accepted, a->next->commit) == 0;
	n = verify__verify_request__get_packed_size(&q);
	packed = malloc(n);
	if (!packed)
		return err_set(err, ERR_NOMEM, "out of memory");
	(void)verify__verify_request__pack(&q, packed);
	r = msg_send(a->verify.sock, VERIFY__MSG_TYPE__MSG_VERIFY_REQUEST,
		     packed, n, NULL, 0, err);
	free(packed);
	return r;
}

void verify_begin(struct agent *a)
{
	static const char *const args[] = {NULL};
	struct err err = {0};
	int r;

	if (!a->next || sibling_is_up(&a->verify) || sibling_is_up(&a->fetch))
		return;
	if (a->lost[0]) {
		apply_refused(a, CODE_RATCHET, a->lost);
		return;
	}
	/* This very commit was verified by this process: its snapshot is at
	 * hand, and nothing of it can have changed. */
	if (a->snap.arena &&
	    strcmp(a->snap.want.commit, a->next->commit) == 0) {
		apply_accepted(a, NULL);
		return;
	}
	r = sibling_start(a, &a->verify, "reconcile-verify", args,
			  REPLY_BYTES_MAX, on_verify, &err);
	if (r == 0)
		r = send_request(a, &err);
	if (r < 0) {
		sibling_stop(&a->verify);
		apply_refused(a, CODE_COMMIT, err.msg);
	}
}
