/* clockfloor.c - see clockfloor.h. */
#include "reconciler/core/clockfloor.h"

#include "lib/clock.h"
#include "lib/num.h"

#include <stdio.h>
#include <string.h>

#define STEP_S 600

static int put(struct core *c, int64_t now, struct err *err)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)now);
	return state_set(c->state, "clock", text, err);
}

static int read_floor(struct core *c, int64_t *out, struct err *err)
{
	struct arena *arena = arena_new(4096);
	const char *text = NULL;
	uint64_t floor = 0;
	int r = state_get(c->state, "clock", arena, &text, err);

	if (r == 0 && text != NULL &&
	    !num_parse_u64(text, strlen(text), INT64_MAX / 1000, &floor))
		r = err_set(err, ERR_INPUT, "state: clock is no number");
	arena_free(arena);
	if (r == 0)
		*out = (int64_t)floor;
	return r;
}

int clockfloor_now(struct core *c, int64_t *out, struct err *err)
{
	int64_t now = clock_unix_ms() / 1000;
	char latest[CLOCK_RFC3339_BYTES];
	int64_t floor = 0;
	int r = read_floor(c, &floor, err);

	if (r < 0)
		return r;
#ifndef GUARD_OFF_CLOCK_FLOOR
	if (now < floor) {
		if (!c->clock_told)
			core_say(c,
				 "note: the clock is behind %s, which was "
				 "seen before: that time counts for keys "
				 "until the clock has passed it",
				 clock_rfc3339(floor * 1000, latest));
		c->clock_told = true;
		*out = floor;
		return 0;
	}
#else
	(void)latest;
#endif
	c->clock_told = false;
	*out = now;
	return c->lock_fd >= 0 && now - floor >= STEP_S ? put(c, now, err) : 0;
}

int clockfloor_reset(struct core *c, struct err *err)
{
	return put(c, clock_unix_ms() / 1000, err);
}
