/* machine.c - see machine.h.  Pure; runs in reconcile-agent. */
#include "agent/pod/machine.h"

#include <stdio.h>
#include <string.h>

static const struct machine_do nothing = {.act = MACHINE_WAIT};

static void wake_at(int64_t *wake_ms, int64_t at)
{
	if (at < *wake_ms)
		*wake_ms = at;
}

int64_t machine_backoff_ms(unsigned int fails)
{
	int64_t ms = MACHINE_BACKOFF_FIRST_MS;

	if (fails <= 1)
		return 0;
	for (unsigned int i = 2; i < fails && ms < MACHINE_BACKOFF_MAX_MS; i++)
		ms *= 2;
	return ms < MACHINE_BACKOFF_MAX_MS ? ms : MACHINE_BACKOFF_MAX_MS;
}

/* Is this end the last one of the container. */
static bool ends_for_good(const struct pod *p, const struct pod_container *c)
{
	const char *policy = p->tpl->spec.restart_policy;

	if (p->stopping || p->deadline_hit || p->final)
		return true;
	if (c->init)
		return c->exit_code == 0 || strcmp(policy, "Never") == 0;
	if (strcmp(policy, "Always") == 0)
		return false;
	return c->exit_code == 0 || strcmp(policy, "Never") == 0;
}

void machine_started(struct pod *p, struct pod_container *c, int pid,
		     int64_t now_ms)
{
	c->state = POD_C_RUNNING;
	c->pid = pid;
	c->started_ms = now_ms;
	c->why = "";
	c->message[0] = '\0';
	c->killed_term = c->killed_kill = false;
	c->kill_at = 0;
	c->gone_check_ms = 0;
	probe_begin(c->spec, c->probes, now_ms);
	c->started = c->probes[PROBE_STARTUP].passed;
	c->ready = c->started && c->probes[PROBE_READINESS].passed;
	if (p->started_ms == 0)
		p->started_ms = now_ms;
}

void machine_exited(struct pod *p, struct pod_container *c, int exit_code,
		    int signal, bool oom, int64_t now_ms)
{
	(void)p;
	if (now_ms - c->started_ms >= MACHINE_BACKOFF_RESET_MS)
		c->fails = 0;
	c->state = POD_C_EXITED;
	c->pid = 0;
	c->ever_ended = true;
	c->exit_code = signal != 0 ? 128 + signal : exit_code;
	c->signal = signal;
	c->oom = oom;
	c->ended_ms = now_ms;
	c->ready = c->started = false;
	c->fails++;
	c->why = oom ? "OOMKilled" : c->exit_code == 0 ? "Completed" : "Error";
	c->gone_check_ms = now_ms + MACHINE_GONE_CHECK_MS;
}

void machine_deleted(struct pod *p, struct pod_container *c, int64_t now_ms)
{
	int64_t delay;

	if (c->ever_ended && ends_for_good(p, c)) {
		c->state = POD_C_DONE;
		return;
	}
	if (p->stopping) {
		c->state = POD_C_DONE;
		return;
	}
	delay = machine_backoff_ms(c->fails);
	c->state = POD_C_WAITING;
	c->start_at = now_ms + delay;
	if (c->ever_ended)
		c->restarts++;
	if (delay > 0 && c->ever_ended) {
		/* The cause stays in sight, unless the program told its own. */
		if (c->message[0] == '\0')
			(void)snprintf(c->message, sizeof(c->message),
				       "the last run ended with %s, exit "
				       "status %d",
				       c->why, c->exit_code);
		c->why = "CrashLoopBackOff";
	}
}

void machine_start_failed(struct pod *p, struct pod_container *c,
			  const char *why, const char *message, int64_t now_ms)
{
	c->fails++;
	c->why = why;
	pod_message(c->message, message);
	/* whatever the engine left of the attempt */
	c->state = POD_C_EXITED;
	c->gone_check_ms = 0;
	c->start_at = now_ms + machine_backoff_ms(c->fails + 1);
	(void)p;
}

void machine_done(struct pod *p)
{
	p->busy = false;
	p->retry_fails = 0;
	p->retry_at = 0;
	if (!p->lost && !p->final) {
		p->reason = "";
		p->message[0] = '\0';
	}
}

void machine_failed(struct pod *p, const char *why, const char *message,
		    int64_t now_ms)
{
	p->busy = false;
	p->retry_fails++;
	p->retry_at = now_ms + (p->retry_fails == 1
					? 500
					: machine_backoff_ms(p->retry_fails));
	p->reason = why;
	pod_message(p->message, message);
}

void machine_unhealthy(struct pod *p, struct pod_container *c, const char *why,
		       int64_t now_ms)
{
	(void)p;
	if (c->state == POD_C_RUNNING && c->kill_at == 0) {
		c->kill_at = now_ms;
		c->why = why;
	}
}

void machine_stop(struct pod *p, int64_t now_ms)
{
	if (p->stopping)
		return;
	p->stopping = true;
	p->stop_ms = now_ms;
	p->retry_at = 0;
	p->retry_fails = 0;
}

/* TERM at once, KILL after the grace period. */
static bool end_container(struct pod *p, struct pod_container *c,
			  int64_t since_ms, int64_t now_ms, int64_t *wake_ms,
			  struct machine_do *out)
{
	int64_t hard = since_ms + p->tpl->spec.termination_grace_s * 1000;

	if (!c->killed_term && hard > since_ms) {
		c->killed_term = true;
		*out = (struct machine_do){MACHINE_KILL, c, SIGTERM};
		return true;
	}
	if (now_ms >= hard && !c->killed_kill) {
		c->killed_kill = true;
		*out = (struct machine_do){MACHINE_KILL, c, SIGKILL};
		return true;
	}
	if (!c->killed_kill)
		wake_at(wake_ms, hard);
	return false;
}

/* Ends and removes what is left of the pod; final pods keep their record. */
static struct machine_do undo_next(struct pod *p, int64_t now_ms,
				   int64_t *wake_ms)
{
	int64_t since = p->stop_ms;
	struct machine_do d = nothing;
	bool left = false;

	for (size_t i = 0; i < p->n; i++) {
		struct pod_container *c = &p->c[i];

		if (c->state == POD_C_WAITING)
			c->state = POD_C_DONE;
		left = left || c->state != POD_C_DONE;
		if (c->state == POD_C_RUNNING && p->monitor_up &&
		    end_container(p, c, since, now_ms, wake_ms, &d))
			return d;
		if (c->state == POD_C_EXITED) {
			c->state = POD_C_DELETING;
			return (struct machine_do){MACHINE_DELETE, c, 0};
		}
	}
	if (left)
		return nothing;
	if (!p->sandbox_gone)
		return (struct machine_do){MACHINE_SANDBOX_END, NULL, 0};
	if (!p->net_gone)
		return (struct machine_do){MACHINE_DETACH, NULL, 0};
	if (!p->monitor_gone)
		return (struct machine_do){MACHINE_MONITOR_END, NULL, 0};
	if (!p->cleaned)
		return (struct machine_do){MACHINE_CLEAN, NULL, 0};
	return nothing;
}

static struct machine_do images_next(struct pod *p, int64_t now_ms,
				     int64_t *wake_ms, bool *out_ready)
{
	bool ready = true;

	for (size_t i = 0; i < p->n; i++) {
		struct pod_container *c = &p->c[i];

		if (c->image_ready)
			continue;
		ready = false;
		if (c->pulling)
			continue;
		if (now_ms >= c->pull_at) {
			c->pulling = true;
			*out_ready = false;
			return (struct machine_do){MACHINE_PULL, c, 0};
		}
		wake_at(wake_ms, c->pull_at);
	}
	*out_ready = ready;
	return nothing;
}

/* Everything before the first container. */
static struct machine_do rise_next(struct pod *p, int64_t now_ms,
				   int64_t *wake_ms, bool *out_up)
{
	bool images = false;
	struct machine_do d = images_next(p, now_ms, wake_ms, &images);

	*out_up = false;
	if (d.act != MACHINE_WAIT || !images)
		return d;
	if (p->prepared && p->monitor_up && p->sandbox_up && p->net_up) {
		*out_up = true;
		return nothing;
	}
	if (now_ms < p->retry_at) {
		wake_at(wake_ms, p->retry_at);
		return nothing;
	}
	if (!p->prepared)
		d.act = MACHINE_PREPARE;
	else if (!p->monitor_up)
		d.act = MACHINE_MONITOR;
	else if (!p->sandbox_up)
		d.act = MACHINE_SANDBOX;
	else
		d.act = MACHINE_ATTACH;
	return d;
}

static struct machine_do container_next(struct pod *p, struct pod_container *c,
					int64_t now_ms, int64_t *wake_ms)
{
	struct machine_do d = nothing;

	switch (c->state) {
	case POD_C_WAITING:
		if (now_ms >= c->start_at) {
			c->state = POD_C_STARTING;
			return (struct machine_do){MACHINE_RUN, c, 0};
		}
		wake_at(wake_ms, c->start_at);
		break;
	case POD_C_EXITED:
		if (now_ms < c->gone_check_ms) {
			wake_at(wake_ms, c->gone_check_ms);
			break;
		}
		c->state = POD_C_DELETING;
		return (struct machine_do){MACHINE_DELETE, c, 0};
	case POD_C_RUNNING:
		if (c->kill_at != 0 &&
		    end_container(p, c, c->kill_at, now_ms, wake_ms, &d))
			return d;
		break;
	default:
		break;
	}
	return nothing;
}

/* True when all that matters has ended for good. */
static bool all_ended(const struct pod *p)
{
	for (size_t i = 0; i < p->n_init; i++)
		if (p->c[i].state == POD_C_DONE && p->c[i].exit_code != 0)
			return true; /* a failed init container ends the pod */
	for (size_t i = 0; i < p->n; i++)
		if (p->c[i].state != POD_C_DONE)
			return false;
	return true;
}

static void check_deadline(struct pod *p, int64_t now_ms, int64_t *wake_ms)
{
	int64_t at = p->created_ms + p->tpl->spec.active_deadline_s * 1000;

	if (p->tpl->spec.active_deadline_s == MANIFEST_UNSET || p->final)
		return;
	if (now_ms < at) {
		wake_at(wake_ms, at);
		return;
	}
	p->deadline_hit = true;
	p->final = true;
	p->stop_ms = now_ms;
	p->reason = "DeadlineExceeded";
}

struct machine_do machine_next(struct pod *p, int64_t now_ms, int64_t *wake_ms)
{
	struct machine_do d;
	bool up;

	if (p->busy || p->cleaned)
		return nothing;
	if (!p->stopping && !p->lost)
		check_deadline(p, now_ms, wake_ms);
	if (p->stopping || p->final) {
		if (now_ms < p->retry_at && p->retry_fails > 0) {
			wake_at(wake_ms, p->retry_at);
			return nothing;
		}
		return undo_next(p, now_ms, wake_ms);
	}
	if (p->lost || !p->audited)
		return nothing;
	d = rise_next(p, now_ms, wake_ms, &up);
	if (!up)
		return d;
	for (size_t i = 0; i < p->n; i++) {
		struct pod_container *c = &p->c[i];

		d = container_next(p, c, now_ms, wake_ms);
		if (d.act != MACHINE_WAIT)
			return d;
		if (c->init && c->state != POD_C_DONE)
			return nothing; /* one after the other */
		if (c->init && c->exit_code != 0)
			break;
	}
	if (all_ended(p)) {
		p->final = true;
		p->stop_ms = now_ms;
		return undo_next(p, now_ms, wake_ms);
	}
	return nothing;
}
