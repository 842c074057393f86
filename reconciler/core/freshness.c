/* freshness.c - see freshness.h. */
#include "reconciler/core/freshness.h"

#include "lib/clock.h"
#include "lib/num.h"
#include "reconciler/core/record.h"

#include <string.h>

bool freshness_is_over(int64_t until, int64_t now)
{
#ifdef GUARD_OFF_FRESHNESS
	(void)until;
	(void)now;
	return false;
#else
	return until != 0 && now > until;
#endif
}

const char *freshness_words(struct arena *arena, int64_t until)
{
	char text[CLOCK_RFC3339_BYTES];

	return arena_printf(arena,
			    "T146 the repository was fresh until %s: nothing "
			    "new is taken until a newer commit comes (git "
			    "commit --allow-empty -S); if one is there, "
			    "somebody withholds it",
			    clock_rfc3339(until * 1000, text));
}

int freshness_recall(struct core *c, struct arena *arena,
		     const char **out_commit, int64_t *out_until,
		     struct err *err)
{
	const char *text = NULL;
	const char *blank;
	uint64_t until = 0;
	int r = state_get(c->state, "fresh", arena, &text, err);

	if (r < 0)
		return r;
	*out_commit = NULL;
	*out_until = 0;
	blank = text == NULL ? NULL : strchr(text, ' ');
	if (blank == NULL || !num_parse_u64(blank + 1, strlen(blank + 1),
					    INT64_MAX / 1000, &until))
		return 0;
	*out_commit = arena_strndup(arena, text, (size_t)(blank - text));
	*out_until = (int64_t)until;
	return 0;
}

static int put_changed(struct core *c, const char *key, const char *value,
		       bool *out_changed, struct arena *arena, struct err *err)
{
	const char *before = NULL;
	int r = state_get(c->state, key, arena, &before, err);

	*out_changed =
		r == 0 && strcmp(before == NULL ? "" : before, value) != 0;
	return *out_changed ? state_set(c->state, key, value, err) : r;
}

int freshness_note(struct core *c, const struct pass_target *t,
		   struct arena *arena, struct err *err)
{
	const char *before = NULL;
	bool was, changed = false;
	struct record one = {
		.type = t->stale ? "trust.stale" : "trust.fresh",
		.phase = RECORD_FACT,
		.actor = "reconcile",
		.commit = t->commit,
		.result = t->stale ? "stale" : "ok",
		.reason = t->stale ? freshness_words(arena, t->fresh_until)
				   : NULL,
	};
	int r = state_get(c->state, "stale", arena, &before, err);

	was = before != NULL && before[0] != '\0';
	if (r == 0 && was != t->stale)
		r = record_put(c, &one, 1, err);
	if (r == 0)
		r = put_changed(c, "stale", t->stale ? t->commit : "", &changed,
				arena, err);
	if (r == 0)
		r = put_changed(c, "fresh",
				arena_printf(arena, "%s %lld", t->commit,
					     (long long)t->fresh_until),
				&changed, arena, err);
	return r;
}
