/*
 * daemonset.c - the state machine of a DaemonSet: one pod on every host that
 * fits.  Pure, no privilege.
 *
 * Per host:  EMPTY --start--> STARTING --available--> STEADY
 *            STEADY --template--> (surge: second pod starts, old one stops when
 *            it is available) or (old one stops, then the new one starts)
 *
 * Invariants: (1) at most maxUnavailable wanted hosts are without an available
 * pod because of a step; (2) a pod stays while its host is only disconnected;
 * (3) a name, fixed by host and template, is used by one pod at a time.
 */
#include "reconciler/rollout/step.h"

#include <string.h>

struct at_host {
	struct step_pod *current, *outdated; /* alive */
	bool name_taken;
	bool available;
	bool lost_here; /* a dead one was stopped: replacing is drift */
	bool held;	/* a failed pod keeps its place for now */
};

struct daemon {
	struct step step;
	const struct daemonset *d;
	struct at_host *hosts;
	int64_t surge, unavailable;
	int64_t n_unavailable, n_surging;
};

static bool is_alive(const struct step_pod *p)
{
	return !p->stopped &&
	       (p->class == STEP_WAITING || p->class == STEP_AVAILABLE);
}

/* A second alive pod of the same sort on a host is surplus. */
static void place_alive(struct daemon *r, struct step_pod *p)
{
	struct at_host *h = &r->hosts[p->pod->host];
	struct step_pod **slot = p->current ? &h->current : &h->outdated;
	struct step_pod *worse = *slot;

	if (worse && worse->class < p->class)
		*slot = p;
	else if (worse)
		worse = p;
	else
		*slot = p;
	if (worse)
		step_stop(&r->step, worse, false, "second pod on the host");
	h->available |= p->class == STEP_AVAILABLE;
}

static void sort_pods(struct daemon *r)
{
	for (size_t i = 0; i < r->step.n; i++) {
		struct step_pod *p = &r->step.pods[i];
		bool has_host = p->pod->host >= 0;
		bool over = step_hold_over(&r->step, p);

		if (is_alive(p) && has_host)
			place_alive(r, p);
		if ((p->class == STEP_DEAD || p->class == STEP_DONE) &&
		    p->pod->pod.assigned && over) {
			step_stop(&r->step, p, true,
				  p->class == STEP_DONE
					  ? "ended"
					  : step_dead_reason(&r->step, p));
			if (has_host)
				r->hosts[p->pod->host].lost_here = true;
		}
		if (!has_host)
			continue;
		r->hosts[p->pod->host].held |= !over;
		r->hosts[p->pod->host].name_taken |=
			p->current && !p->stopped && step_holds_name(p);
		if (p->stopped && p->current && step_holds_name(p))
			r->hosts[p->pod->host].name_taken = true;
	}
}

static void count_hosts(struct daemon *r)
{
	int64_t wanted = 0;

	for (size_t i = 0; i < r->step.in->n_hosts; i++) {
		if (!r->step.in->hosts[i].wanted)
			continue;
		wanted++;
		r->n_unavailable += !r->hosts[i].available;
		r->n_surging += r->hosts[i].current && r->hosts[i].outdated;
	}
	r->surge = rollout_amount(&r->d->max_surge, wanted, true);
	r->unavailable = rollout_amount(&r->d->max_unavailable, wanted, true);
	if (r->surge == 0 && r->unavailable == 0)
		r->unavailable = 1;
}

static void stop_at(struct daemon *r, struct step_pod *p, const char *reason)
{
	step_stop(&r->step, p, false, reason);
}

static void start_at(struct daemon *r, size_t i, const char *reason)
{
	struct at_host *h = &r->hosts[i];

	r->step.out->waiting = true;
	if (h->name_taken || h->held)
		return;
	step_start(&r->step, 0, r->step.in->hosts[i].index, h->lost_here,
		   h->lost_here ? "replaces a lost pod" : reason);
}

/* The host has an outdated pod and OnDelete does not protect it. */
static void roll_host(struct daemon *r, size_t i)
{
	struct at_host *h = &r->hosts[i];

	r->step.out->waiting = true;
	if (h->current && h->current->class == STEP_AVAILABLE) {
		stop_at(r, h->outdated, "rolling update");
		return;
	}
	if (r->surge > 0) {
		if (!h->current && r->n_surging < r->surge) {
			r->n_surging++;
			start_at(r, i, "rolling update");
		}
		return;
	}
	if (h->outdated->class == STEP_AVAILABLE) {
		if (r->n_unavailable >= r->unavailable)
			return;
		r->n_unavailable++;
	}
	stop_at(r, h->outdated, "rolling update");
}

static void step_host(struct daemon *r, size_t i)
{
	const struct rollout_host *host = &r->step.in->hosts[i];
	struct at_host *h = &r->hosts[i];
	bool on_delete =
		r->d->strategy && strcmp(r->d->strategy, "OnDelete") == 0;

	if (!host->wanted) {
		if (h->current && !h->current->pod->host_lost)
			stop_at(r, h->current, "host does not fit any more");
		if (h->outdated && !h->outdated->pod->host_lost)
			stop_at(r, h->outdated, "host does not fit any more");
		return;
	}
	if (h->outdated && !on_delete)
		roll_host(r, i);
	else if (!h->outdated && !h->current)
		start_at(r, i, "start");
	else if (h->current && h->current->class != STEP_AVAILABLE)
		r->step.out->waiting = true;
}

void daemonset_step(const struct rollout_input *in, struct rollout *out)
{
	struct daemon r = {.d = &in->object->daemonset};

	step_init(&r.step, in, out, r.d->min_ready_s);
	r.hosts = arena_calloc(out->scratch, in->n_hosts + 1, sizeof(*r.hosts));
	step_stop_strays(&r.step);
	sort_pods(&r);
	count_hosts(&r);
	for (size_t i = 0; i < in->n_hosts; i++)
		step_host(&r, i);
}
