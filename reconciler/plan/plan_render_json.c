/*
 * plan_render_json.c - a plan for machines: schema reconcile.plan/v1 of
 * docs/plan-format.md.  Pure; keys in a fixed order, so equal plans give equal
 * bytes.  Text of commits and hosts is escaped as in the text form, because
 * what reads this prints it sooner or later.
 */
#include "reconciler/plan/plan.h"

#include "lib/json.h"
#include "reconciler/plan/planout.h"

#include <stdlib.h>
#include <string.h>

#define STRING_BYTES (64 * 1024)

struct json_out {
	struct jsonw w;
	struct buf text; /* reused for each escaped string */
	const struct snapshot *want;
	const struct world *world;
};

/* key: escaped text, or null */
static void put_text(struct json_out *j, const char *key, const char *text)
{
	jsonw_key(&j->w, key);
	if (!text) {
		jsonw_null(&j->w);
		return;
	}
	buf_reset(&j->text);
	planout_safe(&j->text, text);
	jsonw_strn(&j->w, j->text.data ? j->text.data : "", j->text.len);
}

static void put_pos(struct json_out *j, const struct manifest_pos *pos)
{
	put_text(j, "path", pos->path);
	jsonw_kint(&j->w, "line", pos->line);
}

static void put_change(struct json_out *j, const struct plan_change *c)
{
	bool hash = planout_shows_hash(c);

	jsonw_obj(&j->w);
	jsonw_kstr(&j->w, "action", planout_action(c->action));
	jsonw_kstr(&j->w, "cause", planout_cause(c->cause));
	jsonw_kint(&j->w, "wave", c->wave);
	jsonw_kstr(&j->w, "kind", manifest_kind_name(c->kind));
	put_text(j, "namespace", c->namespace);
	put_text(j, "name", c->name);
	put_pos(j, &c->pos);
	put_text(j, "signer", c->signer);
	if (c->action == PLAN_START || c->action == PLAN_STOP) {
		put_text(j, "pod", c->pod);
		put_text(j, "host", c->host);
		put_text(j, "uid", c->uid);
		jsonw_kint(&j->w, "index", c->index);
		put_text(j, "template_hash", c->template_hash);
		put_text(j, "reason", c->reason);
	} else {
		put_text(j, "from_hash", hash ? c->from_hash : NULL);
		put_text(j, "to_hash", hash ? c->to_hash : NULL);
	}
	jsonw_obj_end(&j->w);
}

static void put_images(struct json_out *j, const struct object *o,
		       const struct container *items, size_t n, bool init)
{
	for (size_t i = 0; i < n; i++) {
		jsonw_obj(&j->w);
		jsonw_kstr(&j->w, "kind", manifest_kind_name(o->kind));
		put_text(j, "namespace", o->meta.namespace);
		put_text(j, "name", o->meta.name);
		put_text(j, "container", items[i].name);
		jsonw_kbool(&j->w, "init", init);
		put_text(j, "image", items[i].image);
		put_text(j, "digest", planout_digest(items[i].image, j->world));
		jsonw_obj_end(&j->w);
	}
}

/* Images of every workload that the plan creates, updates or starts pods of,
 * each workload once, in order of the first mention. */
static void put_all_images(struct json_out *j, const struct plan *p, bool *seen)
{
	jsonw_key(&j->w, "images");
	jsonw_arr(&j->w);
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_change *c = &p->changes[i];
		const struct object *o = planout_object(j->want, c);
		const struct pod_template *t = o ? manifest_template(o) : NULL;
		size_t at = t ? (size_t)(o - j->want->objects.items) : 0;

		if (!t || seen[at] || c->action == PLAN_DELETE ||
		    c->action == PLAN_STOP)
			continue;
		seen[at] = true;
		put_images(j, o, t->spec.init_containers,
			   t->spec.n_init_containers, true);
		put_images(j, o, t->spec.containers, t->spec.n_containers,
			   false);
	}
	jsonw_arr_end(&j->w);
}

static void put_diags(struct json_out *j, const struct diags *diags)
{
	jsonw_key(&j->w, "diagnostics");
	jsonw_arr(&j->w);
	for (size_t i = 0; diags && i < diags->n; i++) {
		const struct diag *d = &diags->items[i];

		jsonw_obj(&j->w);
		jsonw_kstr(&j->w, "code", d->code);
		jsonw_kstr(&j->w, "severity", planout_severity(d->severity));
		put_pos(j, &d->pos);
		jsonw_kint(&j->w, "column", d->pos.column);
		put_text(j, "pointer", d->pointer);
		put_text(j, "message", d->message);
		put_text(j, "fix", d->fix);
		jsonw_obj_end(&j->w);
	}
	jsonw_arr_end(&j->w);
}

static void put_summary(struct json_out *j, const struct plan *p)
{
	const struct {
		const char *key;
		size_t value;
	} rows[] = {
		{"objects_create", p->n_objects_create},
		{"objects_update", p->n_objects_update},
		{"objects_delete", p->n_objects_delete},
		{"objects_delete_percent", p->n_deleting_objects_percent},
		{"pods_start", p->n_pods_start},
		{"pods_stop", p->n_pods_stop},
		{"drift", p->n_drift},
		{"waves", p->waves},
	};

	jsonw_key(&j->w, "summary");
	jsonw_obj(&j->w);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		jsonw_kint(&j->w, rows[i].key, (int64_t)rows[i].value);
	jsonw_kbool(&j->w, "waiting", p->waiting);
	jsonw_kbool(&j->w, "stuck", p->stuck);
	jsonw_obj_end(&j->w);
}

int plan_render_json(const struct plan *p, const struct snapshot *want,
		     const struct world *w, const struct diags *diags,
		     struct buf *out, struct err *err)
{
	struct json_out j = {.want = want, .world = w};
	bool *seen = calloc(want ? want->objects.n + 1 : 1, sizeof(*seen));
	int r;

	if (!seen)
		return err_set(err, ERR_NOMEM, "plan of %zu changes", p->n);
	buf_init(&j.text, STRING_BYTES);
	jsonw_init(&j.w, out);
	jsonw_obj(&j.w);
	jsonw_kstr(&j.w, "schema", "reconcile.plan/v1");
	put_text(&j, "repository", want ? want->repository_id : NULL);
	put_text(&j, "ref", want ? want->ref : NULL);
	put_text(&j, "commit", want ? want->commit : NULL);
	put_text(&j, "signer", want ? want->signer : NULL);
	put_text(&j, "applied_commit", w ? w->applied_commit : NULL);
	put_summary(&j, p);
	jsonw_key(&j.w, "changes");
	jsonw_arr(&j.w);
	for (size_t i = 0; i < p->n; i++)
		put_change(&j, &p->changes[i]);
	jsonw_arr_end(&j.w);
	put_all_images(&j, p, seen);
	put_diags(&j, diags);
	jsonw_obj_end(&j.w);
	buf_putc(out, '\n');
	r = buf_check(&j.text, err);
	buf_release(&j.text);
	free(seen);
	return r < 0 ? r : buf_check(out, err);
}
