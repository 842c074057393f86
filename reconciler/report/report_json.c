/*
 * report_json.c - a report for machines: schema reconcile.report/v1, which is
 * docs/schema/report-v1.json.  Pure; keys in a fixed order.  Text is escaped as
 * in the text form, because what reads this prints it sooner or later.
 */
#include "reconciler/report/format.h"

#include "lib/json.h"
#include "lib/jsonw.h"
#include "reconciler/report/safe.h"

#include <string.h>

#define ARENA_BYTES ((size_t)512 << 20)
#define PLAN_BYTES ((size_t)256 << 20)

struct json_out {
	struct jsonw w;
	struct arena *arena;
};

static void put_words(struct json_out *j, const char *key, const char *text)
{
	jsonw_kstr(&j->w, key,
		   text == NULL ? NULL : safe_words(j->arena, text));
}

static void put_list(struct json_out *j, const char *key,
		     const char *const *items, size_t n)
{
	jsonw_key(&j->w, key);
	jsonw_arr(&j->w);
	for (size_t i = 0; i < n; i++)
		jsonw_str(&j->w, safe_words(j->arena, items[i]));
	jsonw_arr_end(&j->w);
}

static void put_revision(struct json_out *j, const char *key, const char *name,
			 const char *id)
{
	jsonw_key(&j->w, key);
	jsonw_obj(&j->w);
	jsonw_kstr(&j->w, "name",
		   name == NULL ? NULL : safe_name(j->arena, name));
	jsonw_kstr(&j->w, "commit",
		   id == NULL ? NULL : safe_name(j->arena, id));
	jsonw_obj_end(&j->w);
}

static void put_requirement(struct json_out *j,
			    const struct report_requirement *q)
{
	jsonw_obj(&j->w);
	put_words(j, "rule", q->rule);
	jsonw_kbool(&j->w, "met", q->met);
	put_words(j, "from", q->from);
	put_words(j, "to", q->to);
	put_list(j, "paths", q->paths, q->n_paths);
	jsonw_kint(&j->w, "paths_total", (int64_t)q->paths_total);
	jsonw_kint(&j->w, "threshold", q->threshold);
	put_list(j, "have", q->have, q->n_have);
	put_list(j, "could", q->could, q->n_could);
	put_words(j, "code", q->code);
	put_words(j, "message", q->message);
	put_words(j, "fix", q->fix);
	jsonw_obj_end(&j->w);
}

static void put_commit(struct json_out *j, const struct report_commit *c)
{
	jsonw_obj(&j->w);
	put_words(j, "commit", c->commit);
	put_words(j, "subject", c->subject);
	put_words(j, "code", c->code);
	put_words(j, "reason", c->reason);
	put_words(j, "signer", c->signer);
	put_words(j, "key", c->key);
	put_words(j, "format", c->format);
	put_words(j, "payload", c->payload);
	jsonw_obj_end(&j->w);
}

static const char *trust_word(const struct report *r)
{
	if (!r->judged)
		return "unknown";
	return report_missing(r) == 0 && !r->refused_trust ? "met" : "missing";
}

static void put_trust(struct json_out *j, const struct report *r)
{
	jsonw_key(&j->w, "trust");
	jsonw_obj(&j->w);
	jsonw_kint(&j->w, "version", (int64_t)r->trust_version);
	jsonw_kint(&j->w, "commits_verified", (int64_t)r->verified);
	put_list(j, "facts", r->facts, r->n_facts);
	jsonw_key(&j->w, "requirements");
	jsonw_arr(&j->w);
	for (size_t i = 0; i < r->n_requirements; i++)
		put_requirement(j, &r->requirements[i]);
	jsonw_arr_end(&j->w);
	jsonw_key(&j->w, "commits");
	jsonw_arr(&j->w);
	for (size_t i = 0; i < r->n_commits; i++)
		put_commit(j, &r->commits[i]);
	jsonw_arr_end(&j->w);
	jsonw_obj_end(&j->w);
}

static void put_finding(struct json_out *j, const struct report_finding *f)
{
	static const char *const names[] = {"error", "warning", "note"};

	jsonw_obj(&j->w);
	put_words(j, "code", f->code);
	jsonw_kstr(&j->w, "severity", names[f->severity]);
	jsonw_kstr(&j->w, "path",
		   f->path == NULL ? NULL : safe_name(j->arena, f->path));
	jsonw_kint(&j->w, "line", f->line);
	jsonw_kint(&j->w, "column", f->column);
	jsonw_kstr(&j->w, "pointer", f->pointer);
	jsonw_kstr(&j->w, "message", f->message);
	jsonw_kstr(&j->w, "fix", f->fix);
	jsonw_obj_end(&j->w);
}

static void put_findings(struct json_out *j, const struct report *r)
{
	const struct report_finding *items = NULL;
	size_t n = 0;

	report_findings(r, j->arena, &items, &n);
	jsonw_key(&j->w, "findings");
	jsonw_arr(&j->w);
	for (size_t i = 0; i < n; i++)
		put_finding(j, &items[i]);
	jsonw_arr_end(&j->w);
}

/* The plan as it is of its own: reconcile.plan/v1. */
static int put_plan(struct json_out *j, const struct report *r, struct err *err)
{
	struct buf plan;
	int ret = 0;

	jsonw_kstr(&j->w, "no_plan", r->plan == NULL ? r->no_plan : NULL);
	jsonw_key(&j->w, "plan");
	if (r->plan == NULL) {
		jsonw_null(&j->w);
		return 0;
	}
	buf_init(&plan, PLAN_BYTES);
	ret = plan_render_json(r->plan, r->want, r->world, r->plan_diags, &plan,
			       err);
	if (ret == 0)
		jsonw_raw(&j->w, plan.data, plan.len - 1);
	buf_release(&plan);
	return ret;
}

int report_json(const struct report *r, const struct format_ask *ask,
		struct buf *out, struct err *err)
{
	struct json_out j = {.arena = arena_new(ARENA_BYTES)};
	int ret;

	(void)ask;
	jsonw_init(&j.w, out);
	jsonw_obj(&j.w);
	jsonw_kstr(&j.w, "schema", "reconcile.report/v1");
	put_revision(&j, "base", r->base, r->base_id);
	put_revision(&j, "head", r->head, r->head_id);
	jsonw_key(&j.w, "verdict");
	jsonw_obj(&j.w);
	jsonw_kint(&j.w, "exit", r->exit);
	jsonw_kstr(&j.w, "trust", trust_word(r));
	jsonw_kbool(&j.w, "manifests", !r->refused_manifest);
	jsonw_kbool(&j.w, "policy", !r->refused_policy);
	jsonw_obj_end(&j.w);
	put_trust(&j, r);
	put_findings(&j, r);
	ret = put_plan(&j, r, err);
	jsonw_obj_end(&j.w);
	buf_putc(out, '\n');
	arena_free(j.arena);
	return ret < 0 ? ret : buf_check(out, err);
}
