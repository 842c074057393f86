/*
 * admission.c - may it run: applies the table of the Pod Security Standards
 * (pss.c) at the level of each namespace, and the policy's gates (gates.c).
 *
 * In reconcile-verify on the manager and on every host; no privilege; hostile
 * are the objects, namespace labels included.  Invariants: (1) the level of the
 * policy at the newest version is always judged, whatever a label says, so a
 * label can only add refusals; (2) containers and init containers go through
 * the same rows (K19); (3) every object is judged, so all refusals of a commit
 * come at once.
 */
#include "policy/admission/admission.h"

#include "lib/num.h"
#include "lib/text.h"
#include "policy/admission/gates.h"
#include "policy/admission/pss.h"

#include <assert.h>

#include <stdio.h>
#include <string.h>

#define LABEL_PREFIX "pod-security.kubernetes.io/"
#define POINTER_BYTES 256
#define QUOTE_BYTES 128

struct judged_level {
	int level; /* enum admission_level; privileged: no check */
	int minor;
};

/* What applies in one namespace. */
struct namespace_rules {
	const char *name;
	struct judged_level enforce, warn, audit;
};

struct judge {
	const struct snapshot *s;
	const struct cluster_policy *policy;
	struct judged_level floor; /* the policy's own level */
	struct namespace_rules ns;
	bool have_ns;
	struct diags *diags;
	const struct object *o;
	size_t mark; /* diagnostics before this object */
};

static const char *const level_names[] = {"privileged", "baseline",
					  "restricted"};

bool admission_level_parse(const char *text, int *out_level)
{
	for (int i = 0; text && i < 3; i++)
		if (strcmp(text, level_names[i]) == 0) {
			*out_level = i;
			return true;
		}
	return false;
}

const char *admission_level_name(int level)
{
	assert(level >= 0 && level < 3);
	return level_names[level];
}

/* "latest" or "v1.N"; a newer N than the table's is judged by the newest. */
static bool version_parse(const char *text, int *out_minor)
{
	uint64_t n;

	if (strcmp(text, "latest") == 0) {
		*out_minor = PSS_MINOR_LATEST;
		return true;
	}
	if (strncmp(text, "v1.", 3) != 0 ||
	    !num_parse_u64(text + 3, strlen(text + 3), 999, &n))
		return false;
	*out_minor = n > PSS_MINOR_LATEST ? PSS_MINOR_LATEST : (int)n;
	return true;
}

static void label_error(struct judge *j, const struct object *ns,
			const char *key, const char *value, const char *want)
{
	char quoted[QUOTE_BYTES];

	diags_add(j->diags, "P210", DIAG_ERROR, ns->pos, "/metadata/labels",
		  "write the value exactly, in lower case",
		  "Namespace label " LABEL_PREFIX "%s: want %s, have \"%s\"",
		  key, want,
		  text_safe(quoted, sizeof(quoted), value, strlen(value)));
}

/* Reads MODE and MODE-version of a Namespace; what cannot be read is judged as
 * restricted, and reported when report is set. */
static struct judged_level label_level(struct judge *j, const struct object *ns,
				       const char *mode, bool report)
{
	struct judged_level l = {ADMISSION_PRIVILEGED, PSS_MINOR_LATEST};
	char key[64], version_key[64], version_name[24];
	const char *level, *version;

	(void)snprintf(key, sizeof(key), LABEL_PREFIX "%s", mode);
	(void)snprintf(version_key, sizeof(version_key),
		       LABEL_PREFIX "%s-version", mode);
	level = manifest_label(&ns->meta.labels, key);
	version = manifest_label(&ns->meta.labels, version_key);
	if (level && !admission_level_parse(level, &l.level)) {
		l.level = ADMISSION_RESTRICTED;
		if (report)
			label_error(j, ns, mode, level,
				    "privileged, baseline or restricted");
	}
	if (version && !version_parse(version, &l.minor)) {
		l.minor = PSS_MINOR_LATEST;
		(void)snprintf(version_name, sizeof(version_name), "%s-version",
			       mode);
		if (report)
			label_error(j, ns, version_name, version,
				    "latest or v1.N");
	}
	return l;
}

/* Labels of a Namespace object itself: errors, and a note when it asks for
 * less than the policy demands. */
static void check_namespace(struct judge *j, const struct object *ns)
{
	struct judged_level l = label_level(j, ns, "enforce", true);

	(void)label_level(j, ns, "warn", true);
	(void)label_level(j, ns, "audit", true);
	if (manifest_label(&ns->meta.labels, LABEL_PREFIX "enforce") &&
	    l.level < j->floor.level)
		diags_add(j->diags, "P211", DIAG_WARNING, ns->pos,
			  "/metadata/labels", "remove the label",
			  "Namespace label " LABEL_PREFIX
			  "enforce: %s has no effect, the policy demands %s",
			  admission_level_name(l.level),
			  admission_level_name(j->floor.level));
}

static void enter_namespace(struct judge *j, const char *name)
{
	const struct judged_level none = {ADMISSION_PRIVILEGED,
					  PSS_MINOR_LATEST};
	const struct object *ns;

	if (j->have_ns && strcmp(j->ns.name, name) == 0)
		return;
	j->have_ns = true;
	j->ns = (struct namespace_rules){name, none, none, none};
	ns = manifest_find(&j->s->objects, MANIFEST_NAMESPACE, NULL, name);
	if (!ns)
		return;
	j->ns.enforce = label_level(j, ns, "enforce", false);
	j->ns.warn = label_level(j, ns, "warn", false);
	j->ns.audit = label_level(j, ns, "audit", false);
}

/* The same finding already reported for this object (at a stricter severity,
 * because errors come first)? */
static bool known_finding(const struct judge *j, const char *code,
			  const char *pointer)
{
	for (size_t i = j->mark; i < j->diags->n; i++) {
		const struct diag *d = &j->diags->items[i];

		if (d->pointer && strcmp(d->code, code) == 0 &&
		    strcmp(d->pointer, pointer) == 0)
			return true;
	}
	return false;
}

struct scope_pos {
	const char *list; /* "containers"; NULL: the pod */
	const char *what; /* for people: "container", "pod" */
	size_t index;
	const char *name;
	struct manifest_pos pos;
};

static void run_row(struct judge *j, const struct pss_row *row,
		    const struct pss_subject *subject, struct judged_level at,
		    enum diag_severity severity, const struct scope_pos *where)
{
	struct pss_finding f = {.field = ""};
	char pointer[POINTER_BYTES], name[QUOTE_BYTES];
	const char *base = gates_spec_pointer(j->o->kind);

	if (!row->bad(subject, &f))
		return;
	if (where->list)
		(void)snprintf(pointer, sizeof(pointer), "%s/%s/%zu/%s", base,
			       where->list, where->index, f.field);
	else
		(void)snprintf(pointer, sizeof(pointer), "%s/%s", base,
			       f.field);
	if (known_finding(j, row->code, pointer))
		return;
	diags_add(j->diags, row->code, severity, gates_pos(where->pos, j->o),
		  pointer, row->instead,
		  "pod security %s/%s: %s%s%s: want %s, have %s",
		  admission_level_name(at.level), row->id, where->what,
		  where->name ? " " : "",
		  where->name ? text_safe(name, sizeof(name), where->name,
					  strlen(where->name))
			      : "",
		  row->want, f.have);
}

static void run_containers(struct judge *j, const struct pss_row *row,
			   struct pss_subject subject, struct judged_level at,
			   enum diag_severity severity, bool init)
{
	const struct container *items =
		init ? subject.spec->init_containers : subject.spec->containers;
	size_t n = init ? subject.spec->n_init_containers
			: subject.spec->n_containers;

	for (size_t i = 0; i < n; i++) {
		struct scope_pos where = {
			init ? "initContainers" : "containers",
			init ? "init container" : "container", i, items[i].name,
			items[i].security.pos};

		if (!where.pos.path)
			where.pos = items[i].pos;
		subject.container = &items[i];
		run_row(j, row, &subject, at, severity, &where);
	}
}

/* Every row in force at one level and version, over one pod. */
static void run_level(struct judge *j, const struct pod_template *t,
		      struct judged_level at, enum diag_severity severity)
{
	struct pss_subject subject = {.spec = &t->spec,
				      .annotations = &t->meta.annotations,
				      .minor = at.minor};
	struct scope_pos pod = {NULL, "pod", 0, NULL, t->spec.pos};
	size_t n;
	const struct pss_row *rows = pss_rows(&n);

	for (size_t r = 0; r < n; r++) {
		const struct pss_row *row = &rows[r];

		if (!pss_applies(row, at.level, at.minor))
			continue;
		if (row->scope & PSS_POD)
			run_row(j, row, &subject, at, severity, &pod);
		if (row->scope & PSS_CONTAINER) {
			run_containers(j, row, subject, at, severity, false);
#ifndef GUARD_OFF_ADMISSION_INIT
			run_containers(j, row, subject, at, severity, true);
#endif
		}
		for (size_t i = 0;
		     row->scope & PSS_VOLUME && i < t->spec.n_volumes; i++) {
			struct scope_pos where = {"volumes", "volume", i,
						  t->spec.volumes[i].name,
						  t->spec.volumes[i].pos};
			struct pss_subject v = subject;

			v.volume = &t->spec.volumes[i];
			run_row(j, row, &v, at, severity, &where);
		}
	}
}

static void check_object(struct judge *j, const struct object *o)
{
	const struct pod_template *t = manifest_template(o);

	j->o = o;
	j->mark = j->diags->n;
	gates_check(j->policy, o, j->diags);
	if (o->kind == MANIFEST_NAMESPACE)
		check_namespace(j, o);
	if (!t)
		return;
	enter_namespace(j, o->meta.namespace ? o->meta.namespace : "");
	run_level(j, t, j->floor, DIAG_ERROR);
	run_level(j, t, j->ns.enforce, DIAG_ERROR);
	run_level(j, t, j->ns.warn, DIAG_WARNING);
	run_level(j, t, j->ns.audit, DIAG_WARNING);
}

int admission_check_under(const struct snapshot *s,
			  const struct cluster_policy *policy,
			  struct diags *diags, struct err *err)
{
	struct judge j = {.s = s,
			  .policy = policy,
			  .floor = {ADMISSION_BASELINE, PSS_MINOR_LATEST},
			  .diags = diags};

	if (policy->pod_security &&
	    !admission_level_parse(policy->pod_security, &j.floor.level))
		return err_set(err, ERR_INPUT,
			       "policy podSecurity: want privileged, baseline "
			       "or restricted");
	for (size_t i = 0; i < s->objects.n; i++)
		check_object(&j, &s->objects.items[i]);
	return 0;
}

int admission_check(const struct snapshot *s, struct diags *diags,
		    struct err *err)
{
	return admission_check_under(s, &s->policy, diags, err);
}

/* Kubernetes core/v1 Toleration: empty key with Exists tolerates all. */
static bool toleration_matches(const struct toleration *t, const char *key,
			       const char *value, const char *effect)
{
	bool exists = t->op && strcmp(t->op, "Exists") == 0;

	if (t->effect && t->effect[0] && strcmp(t->effect, effect) != 0)
		return false;
	if (!t->key || !t->key[0])
		return exists;
	if (strcmp(t->key, key) != 0)
		return false;
	return exists || strcmp(t->value ? t->value : "", value) == 0;
}

bool admission_tolerates(const struct pod_spec *spec, const char *key,
			 const char *value, const char *effect)
{
	for (size_t i = 0; i < spec->n_tolerations; i++)
		if (toleration_matches(&spec->tolerations[i], key, value,
				       effect))
			return true;
	return false;
}

bool admission_host_fits(const struct pod_spec *spec,
			 const struct keyvals *host_labels,
			 const char *const *taint_keys,
			 const char *const *taint_values,
			 const char *const *taint_effects, size_t n_taints,
			 struct buf *why)
{
	if (!manifest_labels_match(&spec->node_selector, host_labels)) {
		if (why)
			buf_puts(why, "nodeSelector does not match the labels "
				      "of the host");
		return false;
	}
	for (size_t i = 0; i < n_taints; i++) {
		const char *value = taint_values[i] ? taint_values[i] : "";
		const char *effect = taint_effects[i] ? taint_effects[i] : "";

		if (strcmp(effect, "PreferNoSchedule") == 0 ||
		    admission_tolerates(spec, taint_keys[i], value, effect))
			continue;
		if (why) {
			buf_puts(why, "taint not tolerated: ");
			text_escape(why, taint_keys[i], strlen(taint_keys[i]));
			buf_putc(why, '=');
			text_escape(why, value, strlen(value));
			buf_putc(why, ':');
			text_escape(why, effect, strlen(effect));
		}
		return false;
	}
	return true;
}

static void explain_print(struct buf *out, const char *code, const char *id,
			  const char *field, const char *want,
			  const char *instead)
{
	buf_printf(out, "%s %s\n  field:   %s\n  wanted:  %s\n  instead: %s\n",
		   code, id, field, want, instead);
}

int admission_explain(const char *code, struct buf *out, struct err *err)
{
	char quoted[QUOTE_BYTES];
	size_t n_pss, n_gates;
	const struct pss_row *pss = pss_rows(&n_pss);
	const struct gates_row *gates = gates_rows(&n_gates);

	for (size_t i = 0; i < n_pss; i++)
		if (strcmp(pss[i].code, code) == 0 ||
		    strcmp(pss[i].id, code) == 0) {
			explain_print(out, pss[i].code, pss[i].id, pss[i].field,
				      pss[i].want, pss[i].instead);
			buf_printf(out,
				   "  level:   %s of the Pod Security "
				   "Standards, since v1.%d\n",
				   admission_level_name(pss[i].level),
				   pss[i].since);
			return buf_check(out, err);
		}
	for (size_t i = 0; i < n_gates; i++)
		if (strcmp(gates[i].code, code) == 0 ||
		    strcmp(gates[i].id, code) == 0) {
			explain_print(out, gates[i].code, gates[i].id,
				      gates[i].field, gates[i].want,
				      gates[i].instead);
			return buf_check(out, err);
		}
	return err_set(err, ERR_NOTFOUND,
		       "want a code P101 to P211 or a rule id, have \"%s\"",
		       text_safe(quoted, sizeof(quoted), code, strlen(code)));
}
