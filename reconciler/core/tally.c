/* tally.c - see tally.h. */
#include "reconciler/core/tally.h"

#include "reconciler/core/assign.h"
#include "reconciler/core/fleet.h"

#include <string.h>

static bool refuses(const struct fleet_host *l)
{
	return l != NULL && l->refusal != NULL && l->sent_epoch > 0 &&
	       l->refused_epoch >= l->sent_epoch;
}

static bool has_pods(const struct world *w, const char *host)
{
	for (size_t j = 0; j < w->n_pods; j++)
		if (w->pods[j].assigned && strcmp(w->pods[j].host, host) == 0)
			return true;
	return false;
}

/* Connected, but not heard of in this session, or behind. */
static bool is_behind(struct core *c, const struct world_host *h,
		      const struct fleet_host *l, const char *commit)
{
	return h->state == HOST_READY && l != NULL && l->connected &&
	       (l->report == NULL || assign_is_stale(c, h, commit));
}

static void tally_host(struct core *c, const struct world *w,
		       const struct world_host *h, const char *commit,
		       struct arena *arena, struct tally *t)
{
	const struct fleet_host *l = fleet_find(c->fleet, h->name);

	if (refuses(l)) {
		t->refused++;
		t->first = arena_printf(arena, "host %s refuses: %s", h->name,
					l->refusal);
	} else if (h->state == HOST_LOST && has_pods(w, h->name)) {
		t->lost_with_pods++;
		t->first = arena_printf(arena, "host %s is not connected",
					h->name);
	} else if (is_behind(c, h, l, commit)) {
		t->behind++;
		t->first = arena_printf(arena, "host %s has not confirmed",
					h->name);
	}
}

/* Pods that something is still expected of: not those of hosts that are gone
 * or refuse. */
static void tally_pod(struct core *c, const struct world_pod *p,
		      struct arena *arena, struct tally *t)
{
	const struct fleet_host *l = fleet_find(c->fleet, p->host);

	if ((p->assigned && (p->ready || p->phase == POD_SUCCEEDED)) ||
	    (!p->assigned && !p->reported) || l == NULL || !l->connected ||
	    refuses(l))
		return;
	t->not_ready++;
	if (t->first == NULL)
		t->first = arena_printf(arena, "pod %s/%s on %s is not %s%s%s",
					p->namespace, p->name, p->host,
					p->assigned ? "ready" : "gone yet",
					p->reason != NULL ? ": " : "",
					p->reason != NULL ? p->reason : "");
}

void tally_hosts(struct core *c, const struct world *w, const char *commit,
		 struct arena *arena, struct tally *t)
{
	*t = (struct tally){0};
	for (size_t i = 0; i < w->n_hosts; i++)
		tally_host(c, w, &w->hosts[i], commit, arena, t);
	for (size_t j = 0; j < w->n_pods; j++)
		tally_pod(c, &w->pods[j], arena, t);
}
