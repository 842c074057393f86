/* host.c - `reconcile host ...`: operators' commands, each one audited. */
#include "reconciler/cli/reader.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/num.h"
#include "lib/text.h"
#include "reconciler/core/address.h"
#include "reconciler/core/fleet.h"
#include "reconciler/core/membership.h"
#include "reconciler/core/observe.h"
#include "reconciler/core/record.h"

#include <stdio.h>
#include <string.h>

#define OUT_MAX ((size_t)16 << 20)

static const char *const state_names[HOST_STATE_COUNT] = {
	[HOST_REQUESTED] = "requested", [HOST_JOINED] = "joined",
	[HOST_READY] = "ready",		[HOST_LOST] = "lost",
	[HOST_REVOKED] = "revoked",
};

/* The addresses of the host's pods, for whoever routes to them. */
static const char *pod_block(struct cli *cli, struct core *core,
			     const char *name)
{
	struct state_host full;
	const char *block = "";

	if (state_host_get(core->state, name, cli->arena, &full, NULL) == 0)
		(void)address_host_block(cli->conf.pod_cidr, full.cidr_index,
					 cli->arena, &block, NULL);
	return block;
}

static void host_json(struct jsonw *j, const struct world_host *h,
		      const char *block)
{
	jsonw_obj(j);
	jsonw_kstr(j, "name", h->name);
	jsonw_kstr(j, "state", state_names[h->state]);
	jsonw_kstr(j, "podCIDR", block);
	jsonw_kbool(j, "cordoned", h->cordoned);
	jsonw_kbool(j, "draining", h->draining);
	jsonw_kint(j, "cpuMilli", h->cpu_m);
	jsonw_kint(j, "memoryBytes", h->memory);
	jsonw_kint(j, "epoch", (int64_t)h->epoch);
	jsonw_kstr(j, "acceptedCommit",
		   h->accepted_commit == NULL ? "" : h->accepted_commit);
	jsonw_kstr(j, "lastRefusal",
		   h->last_refusal == NULL ? "" : h->last_refusal);
	jsonw_obj_end(j);
}

static void host_text(struct buf *out, const struct world_host *h,
		      const char *block)
{
	buf_printf(out, "%-20s %-10s %-9s %6lldm %8lldMi %-18s %.12s\n",
		   h->name, state_names[h->state],
		   h->draining	 ? "draining"
		   : h->cordoned ? "cordoned"
				 : "-",
		   (long long)h->cpu_m, (long long)(h->memory >> 20), block,
		   h->accepted_commit == NULL ? "-" : h->accepted_commit);
	if (h->last_refusal != NULL)
		buf_printf(out, "  refuses: %s\n", h->last_refusal);
}

static int list_hosts(struct cli *cli, struct core *core, const struct world *w,
		      struct err *err)
{
	struct jsonw j;
	struct buf out;
	bool json = false;
	int r = cli_json(cli, &json, err);

	if (r < 0)
		return r;
	buf_init(&out, OUT_MAX);
	if (json) {
		jsonw_init(&j, &out);
		jsonw_arr(&j);
		for (size_t i = 0; i < w->n_hosts; i++)
			host_json(&j, &w->hosts[i],
				  pod_block(cli, core, w->hosts[i].name));
		jsonw_arr_end(&j);
		buf_putc(&out, '\n');
	} else {
		buf_printf(&out, "%-20s %-10s %-9s %7s %10s %-18s %s\n", "HOST",
			   "STATE", "NEW PODS", "CPU", "MEMORY", "PODS",
			   "COMMIT");
		for (size_t i = 0; i < w->n_hosts; i++)
			host_text(&out, &w->hosts[i],
				  pod_block(cli, core, w->hosts[i].name));
	}
	r = cli_print(&out, err);
	buf_release(&out);
	return r;
}

int host_list_command(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	struct world w;
	struct core core;
	struct access_ask nodes = {"list", "", "nodes", "", "", ""};
	struct readers readers;
	struct err unused = {0};
	int r = reader_open(cli, &core, &readers, err);

	if (r < 0)
		return r;
	if (!readers_may(&readers, &nodes))
		r = readers_refuse(&readers, &nodes, err);
	if (r == 0)
		(void)fleet_open(&core, false, &unused);
	if (r == 0)
		r = observe_world(&core, cli->arena, &w, err);
	if (r == 0)
		r = list_hosts(cli, &core, &w, err);
	core_close(&core);
	return r;
}

/* KEY=VALUE of --label; the value may be empty. */
static int label_parse(const char *text, struct arena *arena,
		       struct keyval *out, struct err *err)
{
	const char *eq = strchr(text, '=');
	size_t n = eq == NULL ? 0 : (size_t)(eq - text);

	if (n == 0 || n > 253 || strlen(eq + 1) > 63 ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789-_./") != n ||
	    strspn(eq + 1,
		   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		   "0123456789-_.") != strlen(eq + 1))
		return err_set(
			err, ERR_INPUT,
			"want KEY=VALUE of letters, digits, '-', '_' and "
			"'.', have \"%s\"",
			text);
	out->key = arena_strndup(arena, text, n);
	out->value = arena_strdup(arena, eq + 1);
	out->len = strlen(eq + 1);
	return 0;
}

static int taint_parse(const char *text, struct arena *arena, struct taint *out,
		       struct err *err)
{
	static const char *const effects[] = {"NoSchedule", "PreferNoSchedule",
					      "NoExecute"};
	const char *colon = strrchr(text, ':');
	struct keyval kv;
	int r;

	for (size_t i = 0; colon != NULL && i < 3; i++) {
		if (strcmp(colon + 1, effects[i]) != 0)
			continue;
		r = label_parse(
			arena_strndup(arena, text, (size_t)(colon - text)),
			arena, &kv, err);
		if (r == 0)
			*out = (struct taint){kv.key, kv.value, effects[i]};
		return r;
	}
	return err_set(err, ERR_INPUT,
		       "want KEY=VALUE:NoSchedule, :PreferNoSchedule or "
		       ":NoExecute, have \"%s\"",
		       text);
}

static int token_options(struct cli *cli, struct membership_token *t,
			 struct err *err)
{
	const char *ttl = opt_get(&cli->values, "ttl");
	uint64_t seconds = 600;
	int r = 0;

	if (ttl != NULL &&
	    (!num_parse_u64(ttl, strlen(ttl), 86400, &seconds) || seconds == 0))
		return err_set(err, ERR_INPUT,
			       "want --ttl from 1 to 86400, have \"%s\"", ttl);
	*t = (struct membership_token){.host = cli_operand(cli, 0),
				       .ttl_s = (int64_t)seconds};
	t->labels.items = arena_calloc(cli->arena, cli->values.n_given,
				       sizeof(*t->labels.items));
	t->taints = arena_calloc(cli->arena, cli->values.n_given,
				 sizeof(*t->taints));
	for (size_t i = 0; r == 0 && i < cli->values.n_given; i++) {
		const char *name = cli->values.given[i].opt->name;
		const char *arg = cli->values.given[i].arg;

		if (strcmp(name, "label") == 0)
			r = label_parse(arg, cli->arena,
					&t->labels.items[t->labels.n++], err);
		else if (strcmp(name, "taint") == 0)
			r = taint_parse(arg, cli->arena,
					&t->taints[t->n_taints++], err);
	}
	return r;
}

int host_token_command(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	struct membership_token t;
	const char *token = NULL;
	struct core core;
	int r = token_options(cli, &t, err);

	if (r == 0)
		r = cli_open(cli, false, &core, err);
	if (r < 0)
		return r;
	r = membership_token(&core, &t, cli->arena, &token, err);
	core_close(&core);
	if (r == 0)
		(void)printf("%s\n", token);
	return r;
}

/* Cordon, uncordon and drain differ in a row of this table only. */
struct host_mark {
	const char *type;
	bool cordoned, draining;
	const char *done;
};

static int mark_host(struct cli *cli, const struct host_mark *mark,
		     struct err *err)
{
	const char *name = cli_operand(cli, 0);
	struct record_act act;
	struct state_host h;
	struct core core;
	int r = cli_open(cli, false, &core, err);

	if (r < 0)
		return r;
	r = cli_no_such(state_host_get(core.state, name, cli->arena, &h, err),
			err);
	if (r == 0 && h.host.state == HOST_REVOKED)
		r = err_set(err, ERR_INPUT, "host %s is revoked", name);
	if (r == 0)
		r = record_begin(&core, mark->type, name, NULL, &act, err);
	if (r == 0) {
		h.host.cordoned = mark->cordoned;
		h.host.draining = mark->draining;
		r = record_end(&core, &act, state_host_put(core.state, &h, err),
			       err);
	}
	core_close(&core);
	if (r == 0)
		(void)printf("%s: %s\n", name, mark->done);
	return r;
}

int host_cordon_command(void *ctx, struct err *err)
{
	static const struct host_mark mark = {"host.cordon", true, false,
					      "no new pods"};

	return mark_host(ctx, &mark, err);
}

int host_uncordon_command(void *ctx, struct err *err)
{
	static const struct host_mark mark = {"host.uncordon", false, false,
					      "takes pods again"};

	return mark_host(ctx, &mark, err);
}

int host_drain_command(void *ctx, struct err *err)
{
	static const struct host_mark mark = {
		"host.drain", true, true,
		"its pods move away in the next pass"};

	return mark_host(ctx, &mark, err);
}

int host_revoke_command(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	const char *reason = opt_get(&cli->values, "reason");
	struct err why = {0};
	struct core core;
	int attached;
	int r = cli_open(cli, false, &core, err);

	if (r < 0)
		return r;
	attached = fleet_open(&core, false, &why);
	r = cli_no_such(membership_revoke(&core, cli_operand(cli, 0),
					  reason == NULL ? "not given" : reason,
					  err),
			err);
	core_close(&core);
	if (r < 0)
		return r;
	if (attached < 0 && attached != ERR_NOTFOUND)
		return err_set(err, ERR_AGAIN,
			       "%s is revoked, but its session could not be "
			       "cut (%s): run the command again",
			       cli_operand(cli, 0), why.msg);
	(void)printf("%s: revoked; its pods move in the next pass\n",
		     cli_operand(cli, 0));
	return 0;
}
