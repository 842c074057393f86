/*
 * trust.c - what this host remembers of trust, in its own state folder: the
 * commit that it accepted last, the latest time that it saw, and how long the
 * commit in force is fresh.  The manager has no part in it.
 *
 *   accepting  the commit that is about to be accepted   } in this order,
 *   audit log  assignment.accept, trust.anchor           } see
 *   accepted   the ratchet                               }
 * policy/trust/ratchet.h clock      unix seconds, to ten minutes
 */
#include "agent/main/agent.h"
#include "audit/last.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/num.h"
#include "lib/text.h"
#include "policy/trust/ratchet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACCEPTED "accepted"
#define ACCEPTING "accepting"
#define CLOCK "clock"
#define CLOCK_STEP_S 600
#define VERIFY_MS 60000
#define REPLY_BYTES_MAX (64u << 20)
#define REASON_BYTES_MAX 1000

static const char *const ratchet_types[] = {"assignment.accept", "trust.anchor",
					    NULL};

/* --- the ratchet ----------------------------------------------------------
 */

/* "" when there is no such file, or no commit in it. */
static int read_commit(struct agent *a, const char *name, char out[65],
		       struct err *err)
{
	struct err why = {0};
	struct buf b;
	int r;

	out[0] = '\0';
	buf_init(&b, 66);
	r = agent_read(a->state_fd, name, 65, &b, &why);
	if (r == 0 && (text_is_hex(b.data, 40) || text_is_hex(b.data, 64)))
		(void)snprintf(out, 65, "%s", b.data);
	buf_release(&b);
	if (r < 0 && r != ERR_NOTFOUND)
		return err_set(err, r, "%s", why.msg);
	return 0;
}

static int put_commit(struct agent *a, const char *name, const char *commit,
		      struct err *err)
{
	return file_replace(a->state_fd, name, 0600, commit, strlen(commit),
			    err);
}

/* A note that outlives a crash here names what the ratchet has: harmless. */
int trust_accepted(struct agent *a, const char *commit, struct err *err)
{
	int r = put_commit(a, ACCEPTED, commit, err);

	if (r == 0)
		(void)unlinkat(a->state_fd, ACCEPTING, 0);
	return r;
}

static int last_logged(struct agent *a, struct audit_last *out, struct err *err)
{
	int fd = openat(a->state_fd, "audit",
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "audit log");
	r = audit_last(fd, ratchet_types, out, err);
	(void)close(fd);
	return r;
}

static void lose(struct agent *a, const char *logged)
{
	(void)snprintf(a->lost, sizeof(a->lost),
		       "T181 the audit log says %.64s, the state %.64s: "
		       "find out who removed or restored one of them, then "
		       "reconcile-agent anchor COMMIT",
		       logged[0] ? logged : "none",
		       a->accepted[0] ? a->accepted : "none");
	log_line(LOG_LEVEL_ERROR, "trust.lost", "reason=\"%s\"", a->lost);
}

int trust_load(struct agent *a, struct err *err)
{
	struct audit_last last = {0};
	char accepting[65];
	int r = read_commit(a, ACCEPTED, a->accepted, err);

	if (r == 0)
		r = read_commit(a, ACCEPTING, accepting, err);
	if (r == 0)
		r = last_logged(a, &last, err);
	if (r < 0)
		return r;
	switch (ratchet_judge(a->accepted, accepting, last.commit)) {
	case RATCHET_HOLDS:
		break;
	case RATCHET_BEHIND:
		(void)snprintf(a->accepted, sizeof(a->accepted), "%s",
			       accepting);
		r = trust_accepted(a, a->accepted, err);
		break;
	case RATCHET_LOST:
		lose(a, last.commit);
		break;
	}
	return r;
}

int trust_accepting(struct agent *a, const char *commit, struct err *err)
{
	if (strcmp(a->accepted, commit) == 0)
		return 0;
	return put_commit(a, ACCEPTING, commit, err);
}

/* --- the clock ------------------------------------------------------------
 */

static int put_clock(struct agent *a, int64_t now, struct err *err)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%lld", (long long)now);
	int r = file_replace(a->state_fd, CLOCK, 0600, text, (size_t)n, err);

	if (r == 0)
		a->clock = now;
	return r;
}

static int64_t read_clock(struct agent *a)
{
	uint64_t floor = 0;
	struct buf b;

	buf_init(&b, 32);
	if (agent_read(a->state_fd, CLOCK, 24, &b, NULL) < 0 ||
	    !num_parse_u64(b.data, b.len, INT64_MAX / 1000, &floor))
		floor = 0;
	buf_release(&b);
	return (int64_t)floor;
}

int64_t trust_now(struct agent *a)
{
	int64_t now = clock_unix_ms() / 1000;
	char latest[CLOCK_RFC3339_BYTES];
	struct err err = {0};

	if (a->clock == 0)
		a->clock = read_clock(a);
#ifndef GUARD_OFF_CLOCK_FLOOR
	if (now < a->clock) {
		if (!a->clock_told)
			log_line(LOG_LEVEL_WARN, "clock.back",
				 "seen=%s effect=\"keys are judged by it\"",
				 clock_rfc3339(a->clock * 1000, latest));
		a->clock_told = true;
		return a->clock;
	}
#else
	(void)latest;
#endif
	a->clock_told = false;
	if (now - a->clock >= CLOCK_STEP_S && put_clock(a, now, &err) < 0)
		log_line(LOG_LEVEL_WARN, "clock.store", "reason=\"%s\"",
			 err.msg);
	return now;
}

/* --- freshness ------------------------------------------------------------
 */

bool trust_is_over(int64_t fresh_until, int64_t now)
{
#ifdef GUARD_OFF_FRESHNESS
	(void)fresh_until;
	(void)now;
	return false;
#else
	return fresh_until != 0 && now > fresh_until;
#endif
}

bool trust_is_stale(struct agent *a)
{
	return a->snap.arena &&
	       trust_is_over(a->snap.fresh_until, trust_now(a));
}

void trust_beat(struct agent *a)
{
	bool stale = trust_is_stale(a);
	char until[CLOCK_RFC3339_BYTES];

	if (stale == a->stale)
		return;
	a->stale = stale;
	clock_rfc3339(a->snap.fresh_until * 1000, until);
	record_about(a, stale ? "trust.stale" : "trust.fresh", AUDIT_FACT, "",
		     a->accepted, stale ? "T146" : "", stale ? until : "");
	(void)record_flush(a, NULL);
	log_line(stale ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
		 stale ? "trust.stale" : "trust.fresh", "until=%s", until);
	agent_kick(a);
}

/* --- reconcile-agent anchor -----------------------------------------------
 */

static int ask_there(struct agent *a, int sock, const char *commit,
		     struct err *err)
{
	Verify__VerifyRequest q;
	Verify__VerifyReply *m = NULL;
	uint8_t packed[8192];
	char repo[4200], target[65];
	struct msg in;
	int r;

	verify__verify_request__init(&q);
	(void)snprintf(repo, sizeof(repo), "%s/git", a->conf.state_dir);
	(void)snprintf(target, sizeof(target), "%s", commit);
	q.mode = VERIFY__VERIFY_REQUEST__MODE__UNTRUSTED;
	q.repository_path = repo;
	q.target = target;
	msg_init(&in, REPLY_BYTES_MAX);
	r = msg_send(sock, VERIFY__MSG_TYPE__MSG_VERIFY_REQUEST, packed,
		     verify__verify_request__pack(&q, packed), NULL, 0, err);
	if (r == 0)
		r = msg_recv(sock, &in, VERIFY_MS, err);
	if (r == 0)
		m = verify__verify_reply__unpack(
			NULL, in.payload.len, (const uint8_t *)in.payload.data);
	if (r == 0 &&
	    (!m || strcmp(m->commit, commit) != 0 ||
	     m->verdict == VERIFY__VERIFY_REPLY__VERDICT__FAILED ||
	     m->verdict == VERIFY__VERIFY_REPLY__VERDICT__REFUSED_TRUST))
		r = err_set(err, ERR_INPUT,
			    "commit %s is not among what this host has: name "
			    "one that it was sent, or forget everything with "
			    "reset --purge and join again",
			    commit);
	verify__verify_reply__free_unpacked(m, NULL);
	msg_release(&in);
	return r;
}

static int is_there(struct agent *a, const char *commit, struct err *err)
{
	static const char *const args[] = {NULL};
	struct proc proc;
	int sock, r;

	r = proc_sibling(a->conf.libexec, "reconcile-verify", args, &proc,
			 &sock, err);
	if (r < 0)
		return r;
	r = ask_there(a, sock, commit, err);
	(void)close(sock);
	proc_kill(&proc);
	return r;
}

static int move(struct agent *a, const char *commit, const char *reason,
		struct err *err)
{
	struct audit_last last = {0};
	char before[200];
	int r = last_logged(a, &last, err);

	(void)snprintf(before, sizeof(before), "state %s, log %s",
		       a->accepted[0] ? a->accepted : "none",
		       last.commit[0] ? last.commit : "none");
	if (r == 0)
		r = put_commit(a, ACCEPTING, commit, err);
	if (r == 0) {
		record_about(a, "trust.anchor", AUDIT_FACT, before, commit, "",
			     reason);
		r = record_flush(a, err);
	}
	if (r == 0)
		r = trust_accepted(a, commit, err);
	if (r == 0)
		r = put_clock(a, clock_unix_ms() / 1000, err);
	if (r == 0)
		(void)fprintf(stderr, "Trust goes on from %s (before: %s).\n",
			      commit, before);
	return r;
}

int trust_anchor(struct agent *a, const char *commit, const char *reason,
		 struct err *err)
{
	char safe[120];
	int r;

	if (!text_is_hex(commit, 40))
		return err_set(
			err, ERR_INPUT,
			"want a whole commit id (40 lower-case hex "
			"digits), have \"%s\"",
			text_safe(safe, sizeof(safe), commit, strlen(commit)));
	if (reason && strlen(reason) > REASON_BYTES_MAX)
		return err_set(err, ERR_INPUT,
			       "want --reason of at most %d bytes",
			       REASON_BYTES_MAX);
	r = agent_init_offline(a, err);
	if (r == 0)
		r = read_commit(a, ACCEPTED, a->accepted, err);
	if (r == 0)
		r = is_there(a, commit, err);
	if (r == 0)
		r = move(a, commit, reason, err);
	agent_release(a);
	return r;
}
