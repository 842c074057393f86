/* anchor.c - see anchor.h. */
#include "reconciler/core/anchor.h"

#include "audit/last.h"
#include "lib/text.h"
#include "policy/trust/ratchet.h"
#include "reconciler/core/audit_log.h"
#include "reconciler/core/clockfloor.h"
#include "reconciler/core/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const ratchet_types[] = {"commit.accept", "trust.anchor",
					    NULL};

/* What the log says was accepted last; NULL: nothing. */
static int last_logged(struct core *c, struct arena *arena, const char **out,
		       struct err *err)
{
	const char *path = audit_log_dir(c->conf, arena);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct audit_last last = {0};
	int r = 0;

	if (fd < 0 && errno != ENOENT)
		return err_sys(err, errno, "open %s", path);
	if (fd >= 0) {
		r = audit_last(fd, ratchet_types, &last, err);
		(void)close(fd);
	}
	if (r == 0)
		*out = last.found ? arena_strdup(arena, last.commit) : NULL;
	return r;
}

static const char *shown(struct arena *arena, const char *commit)
{
	char safe[80];

	if (commit == NULL || commit[0] == '\0')
		return "none";
	return arena_strdup(
		arena, text_safe(safe, sizeof(safe), commit, strlen(commit)));
}

static int lost(struct arena *arena, const char *accepted, const char *logged,
		struct err *err)
{
	return err_set(err, ERR_TRUST,
		       "T181 what was accepted last is not known any more: "
		       "the audit log says %s, the state says %s; somebody "
		       "removed or restored one of them. Find out who, then "
		       "name the commit to go on from: `reconcile trust "
		       "anchor COMMIT --reason TEXT`%s%s",
		       shown(arena, logged), shown(arena, accepted),
		       logged != NULL ? "; by the log it is " : "",
		       logged != NULL ? shown(arena, logged) : "");
}

/* The note has served: without it, whoever takes the ratchet away is seen. */
static int put_accepted(struct core *c, const char *commit, struct err *err)
{
	int r = state_begin(c->state, err);

	if (r == 0)
		r = state_set(c->state, "accepted", commit, err);
	if (r == 0)
		r = state_set(c->state, "accepting", "", err);
	if (r == 0)
		r = state_commit(c->state, err);
	if (r < 0)
		state_rollback(c->state);
	return r;
}

int anchor_load(struct core *c, struct arena *arena, const char **out,
		struct err *err)
{
	const char *accepted = NULL;
	const char *accepting = NULL;
	const char *logged = NULL;
	int r = state_get(c->state, "accepted", arena, &accepted, err);

	if (r == 0 && !c->anchored)
		r = state_get(c->state, "accepting", arena, &accepting, err);
	if (r == 0 && !c->anchored)
		r = last_logged(c, arena, &logged, err);
	if (r < 0)
		return r;
	/* under the lock, log and state change by us alone */
	if (!c->anchored)
		switch (ratchet_judge(accepted, accepting, logged)) {
		case RATCHET_HOLDS:
			break;
		case RATCHET_BEHIND:
			accepted = logged;
			if (c->lock_fd >= 0)
				r = put_accepted(c, logged, err);
			break;
		case RATCHET_LOST:
			return lost(arena, accepted, logged, err);
		}
	c->anchored = r == 0 && c->lock_fd >= 0;
	if (r == 0)
		*out = accepted;
	return r;
}

/* The note comes first: a log that says more than the state does is then known
 * to be a crash. */
static int move(struct core *c, const struct record *one, struct err *err)
{
	int r = state_set(c->state, "accepting", one->commit, err);

	if (r == 0)
		r = record_put(c, one, 1, err);
	return r < 0 ? r : put_accepted(c, one->commit, err);
}

int anchor_advance(struct core *c, const char *accepted, const char *commit,
		   const char *signer, struct err *err)
{
	struct record one = {
		.type = "commit.accept",
		.phase = RECORD_FACT,
		.actor = signer,
		.commit = commit,
		.result = "ok",
	};

	if (accepted != NULL && strcmp(accepted, commit) == 0)
		return 0;
	return move(c, &one, err);
}

int anchor_words(struct core *c, struct arena *arena, const char **out_state,
		 const char **out_log, struct err *err)
{
	const char *accepted = NULL;
	const char *logged = NULL;
	int r = state_get(c->state, "accepted", arena, &accepted, err);

	if (r == 0)
		r = last_logged(c, arena, &logged, err);
	if (r < 0)
		return r;
	*out_state = shown(arena, accepted);
	*out_log = shown(arena, logged);
	return 0;
}

int anchor_set(struct core *c, const char *commit, const char *reason,
	       struct err *err)
{
	struct arena *arena = arena_new(1u << 16);
	const char *state = "none";
	const char *log = "none";
	struct record one = {
		.type = "trust.anchor",
		.phase = RECORD_FACT,
		.actor = "operator",
		.commit = commit,
		.result = "ok",
		.reason = reason,
	};
	int r = anchor_words(c, arena, &state, &log, err);

	if (r == 0) {
		one.object =
			arena_printf(arena, "state %s, log %s", state, log);
		r = move(c, &one, err);
	}
	if (r == 0)
		r = clockfloor_reset(c, err);
	c->anchored = r == 0;
	arena_free(arena);
	return r;
}
