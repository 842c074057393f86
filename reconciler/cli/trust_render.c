/* trust_render.c - see trust_render.h. */
#include "reconciler/cli/trust_render.h"

#include "lib/clock.h"
#include "lib/json.h"
#include "reconciler/report/safe.h"

#include <string.h>

#define FORMAT "reconcile.trust/v1"
#define COLUMN 34

/* --- the keys ------------------------------------------------------------- */

struct fill {
	const struct trust_view *view;
	struct trust_line *lines;
	size_t n, max;
};

static void add(struct fill *f, const struct trust_key *keys, size_t n,
		const char *owner, const char *use)
{
	for (size_t i = 0; i < n; i++, f->n++)
		if (f->n < f->max)
			f->lines[f->n] = (struct trust_line){
				.owner = owner,
				.use = use,
				.key = &keys[i],
				.id = f->view->keys[f->n],
				.revoked = f->view->revoked[f->n]};
}

int trust_render_lines(const struct trust_spec *spec,
		       const struct trust_view *view, struct arena *arena,
		       const struct trust_line **out, size_t *out_n,
		       struct err *err)
{
	struct fill f = {.view = view, .max = view->n_keys};

	f.lines = arena_calloc(arena, f.max, sizeof(f.lines[0]));
	for (size_t i = 0; i < spec->n_people; i++)
		add(&f, spec->people[i].keys, spec->people[i].n_keys,
		    spec->people[i].name, "person");
	for (size_t i = 0; i < spec->n_carriers; i++)
		add(&f, spec->carriers[i].keys, spec->carriers[i].n_keys,
		    spec->carriers[i].name, "carrier");
	add(&f, spec->freshness_keys, spec->n_freshness_keys, "freshness",
	    "freshness");
	if (f.n != f.max)
		return err_set(err, ERR_PROTO, "%zu keys, and what tells %zu",
			       f.n, f.max);
	*out = f.lines;
	*out_n = f.n;
	return 0;
}

static const char *const kinds[] = {
	[TRUST_KEY_SSH] = "ssh",
	[TRUST_KEY_SSH_CA] = "sshCertificateAuthority",
	[TRUST_KEY_X509] = "x509",
	[TRUST_KEY_OPENPGP] = "openpgp",
};

/* --- text ----------------------------------------------------------------- */

static void put_list(struct buf *out, const struct strings *list)
{
	for (size_t i = 0; i < list->n; i++) {
		buf_puts(out, i > 0 ? ", " : "");
		safe_put_name(out, list->items[i]);
	}
}

static bool passed(const char *time, int64_t now)
{
	int64_t ms;

	return time != NULL && clock_parse_rfc3339(time, &ms) &&
	       ms / 1000 <= now;
}

/* Under what name a key signs, and when. */
static void put_key(struct buf *out, const struct trust_line *l, int64_t now)
{
	const struct trust_key *k = l->key;
	size_t type = k->ssh != NULL ? strcspn(k->ssh, " ") : 0;

	buf_puts(out, "    ");
	if (k->kind == TRUST_KEY_SSH_CA)
		buf_puts(out, "certificates of ");
	if (type > 0)
		buf_put(out, k->ssh, type);
	else
		buf_puts(out, kinds[k->kind]);
	buf_printf(out, " %s", l->id);
	if (k->kind == TRUST_KEY_SSH_CA) {
		buf_puts(out, " as ");
		put_list(out, &k->principals);
	}
	if (k->kind == TRUST_KEY_X509) {
		safe_put_name(out, k->x509_identity);
		if (k->x509_issuer != NULL) {
			buf_puts(out, " issued by ");
			safe_put_name(out, k->x509_issuer);
		}
	}
	if (k->valid_after != NULL)
		buf_printf(out, ", from %s", k->valid_after);
	if (k->valid_before != NULL)
		buf_printf(out, ", until %s", k->valid_before);
	if (k->no_touch_required)
		buf_puts(out, ", untouched too");
	if (k->pin_required)
		buf_puts(out, ", with PIN only");
	if (l->revoked)
		buf_puts(out, "  REVOKED");
	else if (passed(k->valid_before, now))
		buf_puts(out, "  OVER");
	else if (k->valid_after != NULL && !passed(k->valid_after, now))
		buf_puts(out, "  NOT YET");
	buf_putc(out, '\n');
}

/* The keys of one owner; names are unique over people, carriers, freshness. */
static void put_keys(struct buf *out, const struct trust_line *lines, size_t n,
		     const char *owner, int64_t now)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(lines[i].owner, owner) == 0)
			put_key(out, &lines[i], now);
}

static bool has(const struct strings *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

/* "2 of admins, carol (with touch)" */
static void put_who(struct buf *out, const struct trust_rule *rule)
{
	buf_printf(out, "%lld of ", (long long)rule->threshold);
	put_list(out, &rule->roles);
	if (rule->roles.n > 0 && rule->people.n > 0)
		buf_puts(out, ", ");
	put_list(out, &rule->people);
	if (rule->require.n > 0)
		buf_printf(out, "  by hardware key%s%s",
			   has(&rule->require, "Touch") ? ", touched" : "",
			   has(&rule->require, "PIN") ? ", with PIN" : "");
	buf_putc(out, '\n');
}

static void put_rules(struct buf *out, const struct trust_spec *s)
{
	buf_puts(out, "\nwho may change what (the first that fits decides)\n");
	buf_printf(out, "  %-*s ", COLUMN, ".reconcile/trust.yaml");
	put_who(out, &s->root);
	buf_printf(out, "  %-*s %s\n", COLUMN, ".reconcile/approvals/**",
		   "anybody: an approval is worth its signature");
	for (size_t i = 0; i < s->n_rules; i++) {
		const struct strings *paths = &s->rules[i].paths;

		for (size_t k = 0; k < paths->n; k++) {
			size_t before = out->len, width;

			buf_puts(out, "  ");
			safe_put_name(out, paths->items[k]);
			width = out->len - before - 2;
			buf_printf(out, "%*s",
				   width < COLUMN ? (int)(COLUMN - width) + 1
						  : 1,
				   "");
			put_who(out, &s->rules[i]);
		}
	}
	buf_printf(out, "  %-*s %s\n", COLUMN, "anything else", "nobody");
	if (strcmp(s->authorization, "RBAC") == 0)
		buf_puts(out, "  and only what the Roles in the repository "
			      "allow them (authorization: RBAC)\n");
}

static void put_revoked(struct buf *out, const struct trust_spec *s)
{
	buf_printf(out, "\nrevoked, as of %s\n", s->revoked_as_of);
	for (size_t i = 0; i < s->n_revoked; i++) {
		buf_printf(out, "  %s", s->revoked[i].fingerprint);
		if (s->revoked[i].reason != NULL) {
			buf_puts(out, "  ");
			safe_put_name(out, s->revoked[i].reason);
		}
		buf_putc(out, '\n');
	}
	if (s->revoked_krl != NULL)
		buf_puts(out, "  what the binary KRL says\n");
	for (size_t i = 0; i < s->revoked_payloads.n; i++)
		buf_printf(out, "  commit %s\n", s->revoked_payloads.items[i]);
	if (s->n_revoked + s->revoked_payloads.n == 0 && s->revoked_krl == NULL)
		buf_puts(out, "  nothing\n");
}

static void put_carriers(struct buf *out, const struct trust_spec *s,
			 const struct trust_line *lines, size_t n, int64_t now)
{
	if (s->n_carriers > 0)
		buf_puts(out, "\ncarriers (known, but nobody)\n");
	for (size_t i = 0; i < s->n_carriers; i++) {
		const struct trust_carrier *c = &s->carriers[i];

		buf_puts(out, "  ");
		safe_put_name(out, c->name);
		buf_printf(out, ": %s%s%s\n",
			   has(&c->accept, "Merge") ? "merges" : "",
			   c->accept.n > 1 ? ", " : "",
			   has(&c->accept, "Squash") ? "squashed commits" : "");
		put_keys(out, lines, n, c->name, now);
	}
	if (s->freshness_max_age == NULL)
		return;
	buf_printf(out,
		   "\nfreshness\n  the newest commit is at most %s old%s\n",
		   s->freshness_max_age,
		   s->n_freshness_keys > 0 ? "; only to say so:" : "");
	put_keys(out, lines, n, "freshness", now);
}

void trust_render_text(const struct trust_spec *spec,
		       const struct trust_view *view,
		       const struct trust_line *lines, size_t n_lines,
		       int64_t now, struct buf *out)
{
	buf_printf(out, "trust.policy = %s\nversion %lld, expires %s%s\n",
		   view->digest, (long long)spec->version, spec->expires,
		   passed(spec->expires, now) ? "  EXPIRED" : "");
	buf_puts(out, "\npeople\n");
	for (size_t i = 0; i < spec->n_people; i++) {
		buf_puts(out, "  ");
		safe_put_name(out, spec->people[i].name);
		buf_putc(out, '\n');
		put_keys(out, lines, n_lines, spec->people[i].name, now);
	}
	if (spec->n_roles > 0)
		buf_puts(out, "\nroles\n");
	for (size_t i = 0; i < spec->n_roles; i++) {
		buf_puts(out, "  ");
		safe_put_name(out, spec->roles[i].name);
		buf_puts(out, ": ");
		put_list(out, &spec->roles[i].people);
		buf_putc(out, '\n');
	}
	put_rules(out, spec);
	put_carriers(out, spec, lines, n_lines, now);
	put_revoked(out, spec);
}

/* --- JSON ----------------------------------------------------------------- */

static void json_key(struct jsonw *w, const struct trust_line *l)
{
	jsonw_obj(w);
	jsonw_kstr(w, "owner", l->owner);
	jsonw_kstr(w, "use", l->use);
	jsonw_kstr(w, "kind", kinds[l->key->kind]);
	if (*l->id != '\0')
		jsonw_kstr(w, "fingerprint", l->id);
	if (l->key->x509_identity != NULL)
		jsonw_kstr(w, "identity", l->key->x509_identity);
	jsonw_kbool(w, "revoked", l->revoked);
	jsonw_obj_end(w);
}

static void json_diag(struct jsonw *w, const struct diag *d)
{
	static const char *const words[] = {[DIAG_ERROR] = "error",
					    [DIAG_WARNING] = "warning",
					    [DIAG_NOTE] = "note"};

	jsonw_obj(w);
	jsonw_kstr(w, "code", d->code);
	jsonw_kstr(w, "severity", words[d->severity]);
	if (d->pos.path != NULL)
		jsonw_kstr(w, "path", d->pos.path);
	if (d->pos.line > 0) {
		jsonw_kint(w, "line", d->pos.line);
		jsonw_kint(w, "column", d->pos.column);
	}
	if (d->pointer != NULL)
		jsonw_kstr(w, "pointer", d->pointer);
	jsonw_kstr(w, "message", d->message);
	if (d->fix != NULL)
		jsonw_kstr(w, "fix", d->fix);
	jsonw_obj_end(w);
}

void trust_render_json(const struct trust_view *view,
		       const struct trust_line *lines, size_t n_lines,
		       const struct diags *diags, struct buf *out)
{
	struct jsonw w;

	jsonw_init(&w, out);
	w.inert = true;
	jsonw_obj(&w);
	jsonw_kstr(&w, "format", FORMAT);
	jsonw_kbool(&w, "acceptable", diags->n_errors == 0);
	if (view != NULL) {
		jsonw_kstr(&w, "digest", view->digest);
		if (*view->before != '\0')
			jsonw_kstr(&w, "before", view->before);
		jsonw_key(&w, "keys");
		jsonw_arr(&w);
		for (size_t i = 0; i < n_lines; i++)
			json_key(&w, &lines[i]);
		jsonw_arr_end(&w);
		jsonw_key(&w, "policy");
		jsonw_raw(&w, view->canonical, view->canonical_len);
	}
	jsonw_key(&w, "diagnostics");
	jsonw_arr(&w);
	for (size_t i = 0; i < diags->n; i++)
		json_diag(&w, &diags->items[i]);
	jsonw_arr_end(&w);
	jsonw_obj_end(&w);
}
