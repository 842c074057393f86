/* status.c - `reconcile status`. */
#include "reconciler/cli/reader.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/num.h"
#include "lib/text.h"
#include "reconciler/core/clockfloor.h"
#include "reconciler/core/fleet.h"
#include "reconciler/core/freshness.h"
#include "reconciler/core/observe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUT_MAX ((size_t)64 << 20)
#define CUT                                                                    \
	"\nNot all is shown: your roles give a part (T158; READERS in "        \
	"reconcile(1)).\n"

static const char *const phase_names[] = {
	[POD_UNKNOWN] = "unknown",   [POD_PENDING] = "pending",
	[POD_RUNNING] = "running",   [POD_SUCCEEDED] = "succeeded",
	[POD_FAILED] = "failed",     [POD_LOST] = "lost",
	[POD_STOPPING] = "stopping",
};

static const char *phase_name(int phase)
{
	return phase >= 0 && phase <= POD_STOPPING ? phase_names[phase]
						   : "unknown";
}

/* That a Job's pod has run; there is nothing of it any more. */
static bool is_record(const struct world_pod *p)
{
	return !p->assigned && !p->reported;
}

static const char *pod_word(const struct world_pod *p)
{
	if (!p->assigned && p->phase != POD_STOPPING)
		return "stray";
	return p->phase == POD_RUNNING && p->ready ? "ready"
						   : phase_name(p->phase);
}

static void age(int64_t since_ms, int64_t now_ms, char *out, size_t len)
{
	int64_t s = since_ms <= 0 ? -1 : (now_ms - since_ms) / 1000;

	if (s < 0)
		(void)snprintf(out, len, "-");
	else if (s < 120)
		(void)snprintf(out, len, "%llds", (long long)s);
	else if (s < 7200)
		(void)snprintf(out, len, "%lldm", (long long)(s / 60));
	else
		(void)snprintf(out, len, "%lldh", (long long)(s / 3600));
}

static void pods_text(struct buf *out, const struct world *w)
{
	char since[16];

	buf_printf(out, "\n%-40s %-12s %-10s %-15s %8s %5s\n", "POD", "HOST",
		   "STATE", "ADDRESS", "RESTARTS", "AGE");
	for (size_t i = 0; i < w->n_pods; i++) {
		const struct world_pod *p = &w->pods[i];
		char name[330];

		if (is_record(p))
			continue;
		(void)snprintf(name, sizeof(name), "%s/%s", p->namespace,
			       p->name);
		age(p->started_ms, w->now_ms, since, sizeof(since));
		buf_printf(out, "%-40s %-12s %-10s %-15s %8u %5s\n", name,
			   p->host, pod_word(p), p->ip == NULL ? "-" : p->ip,
			   p->restarts, since);
		if (p->reason != NULL && !p->ready && p->phase != POD_SUCCEEDED)
			buf_printf(out, "  %s\n", p->reason);
	}
}

static void hosts_text(struct buf *out, const struct world *w)
{
	static const char *const names[HOST_STATE_COUNT] = {
		"requested", "joined", "ready", "lost", "revoked"};

	for (size_t i = 0; i < w->n_hosts; i++) {
		const struct world_host *h = &w->hosts[i];
		size_t pods = 0;
		size_t ready = 0;

		for (size_t j = 0; j < w->n_pods; j++) {
			if (strcmp(w->pods[j].host, h->name) != 0 ||
			    is_record(&w->pods[j]))
				continue;
			pods++;
			ready += w->pods[j].ready;
		}
		buf_printf(out, "host %-20s %-9s %zu pods, %zu ready%s%s%s\n",
			   h->name, names[h->state], pods, ready,
			   h->cordoned ? ", cordoned" : "",
			   h->last_refusal != NULL ? ", refuses: " : "",
			   h->last_refusal != NULL ? h->last_refusal : "");
	}
}

static void services_text(struct buf *out, const struct world *w)
{
	for (size_t i = 0; i < w->n_services; i++)
		buf_printf(out, "service %s/%s %s\n", w->services[i].namespace,
			   w->services[i].name, w->services[i].cluster_ip);
}

static void pod_json(struct jsonw *j, const struct world_pod *p)
{
	jsonw_obj(j);
	jsonw_kstr(j, "namespace", p->namespace);
	jsonw_kstr(j, "name", p->name);
	jsonw_kstr(j, "uid", p->uid);
	jsonw_kstr(j, "ownerKind", p->owner_kind);
	jsonw_kstr(j, "ownerName", p->owner_name);
	jsonw_kstr(j, "templateHash", p->template_hash);
	jsonw_kstr(j, "host", p->host);
	jsonw_kstr(j, "commit", p->commit);
	jsonw_kstr(j, "state", pod_word(p));
	jsonw_kbool(j, "ready", p->ready);
	jsonw_kstr(j, "address", p->ip == NULL ? "" : p->ip);
	jsonw_kint(j, "restarts", (int64_t)p->restarts);
	jsonw_kstr(j, "reason", p->reason == NULL ? "" : p->reason);
	jsonw_obj_end(j);
}

/* What is known of trust without asking anybody. */
struct trust_line {
	const char *accepted;
	int64_t fresh_until; /* 0: no limit */
	bool stale;
};

static int read_trust(struct core *core, struct arena *arena,
		      struct trust_line *out, struct err *err)
{
	const char *known = NULL;
	int64_t now = 0;
	int r = state_get(core->state, "accepted", arena, &out->accepted, err);

	if (r == 0)
		r = freshness_recall(core, arena, &known, &out->fresh_until,
				     err);
	if (r == 0)
		r = clockfloor_now(core, &now, err);
	out->stale = freshness_is_over(out->fresh_until, now);
	return r;
}

static void trust_text(struct buf *out, const struct trust_line *t,
		       const struct world *w, struct arena *arena)
{
	char until[CLOCK_RFC3339_BYTES];

	buf_printf(out, "commit accepted %.12s, converged %.12s\n",
		   t->accepted == NULL ? "-" : t->accepted,
		   w->applied_commit == NULL ? "-" : w->applied_commit);
	if (t->stale)
		buf_printf(out, "stale: %s\n",
			   freshness_words(arena, t->fresh_until));
	else if (t->fresh_until != 0)
		buf_printf(out, "fresh until %s\n",
			   clock_rfc3339(t->fresh_until * 1000, until));
}

static void status_json(struct buf *out, const struct world *w,
			const struct trust_line *t, bool cut)
{
	const char *accepted = t->accepted;
	char until[CLOCK_RFC3339_BYTES];
	struct jsonw j;

	jsonw_init(&j, out);
	jsonw_obj(&j);
	jsonw_kstr(&j, "schema", "reconcile.status/v1");
	jsonw_kstr(&j, "acceptedCommit", accepted == NULL ? "" : accepted);
	jsonw_kstr(&j, "appliedCommit",
		   w->applied_commit == NULL ? "" : w->applied_commit);
	jsonw_kstr(&j, "freshUntil",
		   t->fresh_until == 0
			   ? ""
			   : clock_rfc3339(t->fresh_until * 1000, until));
	jsonw_kbool(&j, "stale", t->stale);
	jsonw_kbool(&j, "partial", cut);
	jsonw_key(&j, "pods");
	jsonw_arr(&j);
	for (size_t i = 0; i < w->n_pods; i++)
		if (!is_record(&w->pods[i]))
			pod_json(&j, &w->pods[i]);
	jsonw_arr_end(&j);
	jsonw_key(&j, "services");
	jsonw_arr(&j);
	for (size_t i = 0; i < w->n_services; i++) {
		jsonw_obj(&j);
		jsonw_kstr(&j, "namespace", w->services[i].namespace);
		jsonw_kstr(&j, "name", w->services[i].name);
		jsonw_kstr(&j, "clusterIP", w->services[i].cluster_ip);
		jsonw_obj_end(&j);
	}
	jsonw_arr_end(&j);
	jsonw_obj_end(&j);
	buf_putc(out, '\n');
}

int status_command(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	struct trust_line trust = {0};
	struct err unused = {0};
	struct readers readers;
	struct core core;
	struct world w;
	struct buf out;
	bool json = false;
	bool cut = false;
	int r = cli_json(cli, &json, err);

	if (r == 0)
		r = reader_open(cli, &core, &readers, err);
	if (r < 0)
		return r;
	buf_init(&out, OUT_MAX);
	(void)fleet_open(&core, false, &unused);
	r = observe_world(&core, cli->arena, &w, err);
	if (r == 0)
		r = reader_filter(&readers, &w, &cut, err);
	if (r == 0)
		r = read_trust(&core, cli->arena, &trust, err);
	if (r == 0 && json) {
		status_json(&out, &w, &trust, cut);
	} else if (r == 0) {
		trust_text(&out, &trust, &w, cli->arena);
		hosts_text(&out, &w);
		services_text(&out, &w);
		pods_text(&out, &w);
		if (cut)
			buf_puts(&out, CUT);
	}
	if (r == 0)
		r = cli_print(&out, err);
	buf_release(&out);
	core_close(&core);
	return r;
}
