/* probe.c - see probe.h. Pure. */
#include "agent/probe/probe.h"

#define SOON_ASKS 8
#define SOON_MS 20
#define LATER_MS 150

const struct probe *probe_of(const struct container *c, enum probe_role role)
{
	switch (role) {
	case PROBE_STARTUP:
		return &c->startup;
	case PROBE_LIVENESS:
		return &c->liveness;
	default:
		return &c->readiness;
	}
}

void probe_begin(const struct container *c, struct probe_state s[PROBE_ROLES],
		 int64_t now_ms)
{
	for (int i = 0; i < PROBE_ROLES; i++) {
		const struct probe *p = probe_of(c, (enum probe_role)i);

		s[i] = (struct probe_state){0};
		s[i].passed = p->kind == PROBE_NONE;
		if (p->kind != PROBE_NONE)
			s[i].next_ms = now_ms + p->initial_delay_s * 1000;
	}
}

int probe_due(const struct container *c,
	      const struct probe_state s[PROBE_ROLES], bool started,
	      int64_t now_ms, int64_t *out_wake_ms)
{
	for (int i = 0; i < PROBE_ROLES; i++) {
		const struct probe *p = probe_of(c, (enum probe_role)i);

		if (p->kind == PROBE_NONE || s[i].asking ||
		    (i == PROBE_STARTUP) == started)
			continue;
		if (s[i].next_ms <= now_ms)
			return i;
		if (s[i].next_ms < *out_wake_ms)
			*out_wake_ms = s[i].next_ms;
	}
	return -1;
}

/* Readiness that has not come yet is asked for again soon, a few times: it is
 * what a roll-out waits for, and failing costs nothing.  The other two keep
 * to the period, since their failures kill. */
static int64_t pause_ms(const struct probe *p, enum probe_role role,
			const struct probe_state *s)
{
	int64_t full = p->period_s * 1000;

	if (role != PROBE_READINESS || s->passed || s->bad == 0)
		return full;
	if (s->bad <= SOON_ASKS)
		return SOON_MS;
	return s->bad <= 2 * SOON_ASKS ? LATER_MS : full;
}

enum probe_verdict probe_answer(const struct probe *p, enum probe_role role,
				struct probe_state *s, bool ok, int64_t now_ms)
{
	s->asking = false;
	s->ok = ok ? s->ok + 1 : 0;
	s->bad = ok ? 0 : s->bad + 1;
	s->next_ms = now_ms + pause_ms(p, role, s);
	if (ok && s->ok >= (unsigned int)p->success_threshold) {
		s->passed = true;
		return PROBE_PASSED;
	}
	if (!ok && s->bad >= (unsigned int)p->failure_threshold) {
		s->passed = false;
		return PROBE_FAILED;
	}
	return PROBE_SAME;
}
