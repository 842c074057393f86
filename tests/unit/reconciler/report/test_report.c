/* The model of reports: findings, their order and fingerprints; each format of
 * one small report.  Hostile text is tests/attack/output.t. */
#include "reconciler/report/format.h"

#include "tests/sim/make.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct fixture {
	struct arena *a;
	struct diags diags;
	struct report_requirement q[2];
	struct report_commit c[2];
	struct report r;
	struct snapshot from, to;
	struct world none;
	struct diags plan_diags;
	struct plan plan;
	struct err err;
	struct buf out;
};

static const char *const paths[] = {".reconcile/trust.yaml"};
static const char *const alice[] = {"alice@example.org"};
static const char *const others[] = {"bob@example.org", "carol@example.org"};
#define HEX "1111111111111111111111111111111111111111"

static void make_trust(struct fixture *f)
{
	f->q[0] = (struct report_requirement){
		.from = "",
		.to = HEX,
		.rule = "root",
		.paths = paths,
		.n_paths = 1,
		.paths_total = 1,
		.threshold = 2,
		.have = alice,
		.n_have = 1,
		.could = others,
		.n_could = 2,
		.code = "T190",
		.message = "root: want 2 people",
		.fix = "reconcile trust approve " HEX,
	};
	f->q[1] = f->q[0];
	f->q[1].rule = "rules[0]";
	f->q[1].met = true;
	f->q[1].code = f->q[1].message = f->q[1].fix = "";
	f->c[0] = (struct report_commit){
		HEX,   "alice@example.org", "SHA256:x", "OK", "",
		"ssh", "sha256:",	    "good"};
	f->c[1] = (struct report_commit){"2222222222222222222222222222222222222"
					 "222",
					 "",
					 "",
					 "T110",
					 "the commit is not signed",
					 "",
					 "",
					 "bad"};
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct manifest_pos pos = {"apps/web.yaml", 3, 5};

	f->a = arena_new((size_t)1 << 28);
	buf_init(&f->out, 1 << 20);
	diags_init(&f->diags, f->a, 100);
	diags_add(&f->diags, "M222", DIAG_NOTE, pos, "/a", NULL, "a note");
	diags_add(&f->diags, "P201", DIAG_ERROR, pos, "/b", "use another",
		  "an error of policy");
	diags_add(&f->diags, "M221", DIAG_WARNING, pos, NULL, NULL, "a slip");
	make_trust(f);
	f->from = make_snapshot(f->a, 10);
	f->to = make_snapshot(f->a, 10);
	make_object(f->a, &f->to, MANIFEST_CONFIGMAP, "shop", "conf", "c");
	diags_init(&f->plan_diags, f->a, 10);
	assert_int_equal(plan_compare(&f->from, &f->to, f->a, &f->plan_diags,
				      &f->plan, &f->err),
			 0);
	f->r = (struct report){
		.base = "main",
		.head = "HEAD",
		.base_id = HEX,
		.head_id = HEX,
		.exit = 5,
		.judged = true,
		.refused_policy = true,
		.trust_version = 3,
		.verified = 2,
		.requirements = f->q,
		.n_requirements = 2,
		.commits = f->c,
		.n_commits = 2,
		.diags = &f->diags,
		.plan = &f->plan,
		.want = &f->to,
		.world = &f->none,
		.plan_diags = &f->plan_diags,
	};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	buf_release(&f->out);
	arena_free(f->a);
	free(f);
	return 0;
}

static const char *render(struct fixture *f, const char *name)
{
	const struct format *format = NULL;
	struct format_ask ask = {0};

	buf_reset(&f->out);
	assert_int_equal(format_find(name, &format, &f->err), 0);
	assert_int_equal(format->render(&f->r, &ask, &f->out, &f->err), 0);
	return f->out.data;
}

static void test_worst_first(void **state)
{
	static const char *const order[] = {"T110", "T190", "P201", "M221",
					    "M222"};
	struct fixture *f = *state;
	const struct report_finding *items = NULL;
	size_t n = 0;

	report_findings(&f->r, f->a, &items, &n);
	assert_int_equal(n, 5);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(items[i].code, order[i]);
	assert_string_equal(items[0].message,
			    "commit 222222222222 (bad): the commit is not "
			    "signed");
	assert_string_equal(items[1].message, "root: want 2 people");
	assert_string_equal(items[1].path, ".reconcile/trust.yaml");
	assert_string_equal(report_trust(&f->r, f->a),
			    "1 of 2 requirements met, 1 commit not trusted");
	assert_int_equal(report_missing(&f->r), 2);
}

/* In a pass the requirements and the commits are diagnostics, too. */
static void test_nothing_twice(void **state)
{
	struct fixture *f = *state;
	struct manifest_pos nowhere = {0};
	const struct report_finding *items = NULL;
	struct diags content;
	size_t n = 0;

	diags_add(&f->diags, f->q[0].code, DIAG_ERROR, nowhere, NULL, NULL,
		  "%s", f->q[0].message);
	diags_add(&f->diags, "T110", DIAG_ERROR, nowhere, NULL, NULL,
		  "commit %s: not signed", f->c[1].commit);
	report_findings(&f->r, f->a, &items, &n);
	assert_int_equal(n, 5);
	report_content(&f->r, f->a, &content);
	assert_int_equal(content.n, 4);
	assert_int_equal(content.n_errors, 2);
}

static void test_fingerprints(void **state)
{
	struct fixture *f = *state;
	struct report_finding items[] = {
		{DIAG_ERROR, "M201", "a", 1, 1, "/x", "m", NULL},
		{DIAG_ERROR, "M201", "a", 9, 1, "/x", "m", NULL},
		{DIAG_ERROR, "M201", "b", 1, 1, "/x", "m", NULL},
	};
	const char *first = report_fingerprint(items, 0, f->a);

	assert_int_equal(strlen(first), 64);
	assert_string_not_equal(first, report_fingerprint(items, 1, f->a));
	assert_string_not_equal(first, report_fingerprint(items, 2, f->a));
	items[0].line = 4; /* lines moved: still the same finding */
	assert_string_equal(first, report_fingerprint(items, 0, f->a));
}

static void test_text(void **state)
{
	assert_string_equal(
		render(*state, "text"),
		"trust: 1 of 2 requirements met, 1 commit not trusted, by "
		"version 3 of the trust policy\n"
		"  missing  root: 1 of 2 for .reconcile/trust.yaml (T190)\n"
		"      signed: alice@example.org\n"
		"      could sign: bob@example.org, carol@example.org\n"
		"      do: reconcile trust approve " HEX "\n"
		"  met      rules[0]: 1 of 2 for .reconcile/trust.yaml\n"
		"      signed: alice@example.org\n"
		"  commit 222222222222 \"bad\"\n"
		"      T110: the commit is not signed\n"
		"\n"
		"apps/web.yaml:3:5: note M222: /a: a note\n"
		"apps/web.yaml:3:5: error P201: /b: an error of policy (fix: "
		"use another)\n"
		"apps/web.yaml:3:5: warning M221: a slip\n"
		"1 error.\n"
		"\n"
		"commit 111111111111 signed by alice@example.com\n"
		"\n"
		"namespace shop\n"
		"  + ConfigMap conf  intent  app.yaml:1  signed by "
		"alice@example.com\n"
		"\n"
		"Plan: 1 object to create, 0 to update, 0 to delete, 0 pods to "
		"start, 0 to stop.\n");
}

static void test_no_plan(void **state)
{
	struct fixture *f = *state;

	f->r.plan = NULL;
	f->r.no_plan = "of a reason";
	f->r.base_id = ""; /* shorter than what is shown of one */
	assert_non_null(strstr(render(f, "text"), "No plan: of a reason.\n"));
	assert_non_null(strstr(render(f, "json"),
			       "\"no_plan\":\"of a reason\",\"plan\":null"));
	assert_non_null(
		strstr(render(f, "markdown"), "| Plan | none could be made |"));
	assert_non_null(strstr(render(f, "github"), "none could be made"));
}

static void test_json(void **state)
{
	struct fixture *f = *state;
	json_error_t e;
	json_t *root =
		json_loads(render(f, "json"), JSON_REJECT_DUPLICATES, &e);
	json_t *q;

	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "schema")),
			    "reconcile.report/v1");
	q = json_array_get(
		json_object_get(json_object_get(root, "trust"), "requirements"),
		0);
	assert_false(json_boolean_value(json_object_get(q, "met")));
	assert_int_equal(json_array_size(json_object_get(q, "could")), 2);
	assert_int_equal(json_array_size(json_object_get(root, "findings")), 5);
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(root, "plan"), "schema")),
			    "reconcile.plan/v1");
	json_decref(root);
}

static void test_github(void **state)
{
	assert_string_equal(
		render(*state, "github"),
		"::error file=.reconcile/trust.yaml,title=reconcile "
		"T110::commit 222222222222 (bad): the commit is not signed\n"
		"::error file=.reconcile/trust.yaml,title=reconcile "
		"T190::root: want 2 people%0Afix: reconcile trust approve " HEX
		"\n"
		"::error file=apps/web.yaml,line=3,col=5,title=reconcile "
		"P201::/b: an error of policy%0Afix: use another\n"
		"::warning file=apps/web.yaml,line=3,col=5,title=reconcile "
		"M221::a slip\n"
		"::notice file=apps/web.yaml,line=3,col=5,title=reconcile "
		"M222::/a: a note\n"
		"::notice title=reconcile::trust: 1 of 2 requirements met, 1 "
		"commit not trusted; plan: 1 to create, 0 to update, 0 to "
		"delete; 0 pods to start, 0 to stop\n");
}

static void test_equal_inputs_equal_bytes(void **state)
{
	struct fixture *f = *state;
	size_t n = 0;
	const struct format *all = format_list(&n);

	for (size_t i = 0; i < n; i++) {
		char *first = strdup(render(f, all[i].name));

		assert_string_equal(first, render(f, all[i].name));
		free(first);
	}
	assert_int_equal(n, 7);
}

static void test_unknown_format(void **state)
{
	const struct format *format = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(format_find("sarfi", &format, &err), ERR_INPUT);
	assert_non_null(strstr(err.msg, "did you mean sarif?"));
	assert_int_equal(format_find("\x1b", &format, &err), ERR_INPUT);
	assert_non_null(strstr(err.msg, "\\x1b"));
}

static void test_A99_secret_in_no_format(void **state)
{
	struct fixture *f = *state;
	struct object *o =
		make_object(f->a, &f->to, MANIFEST_SECRET, "shop", "key", "s");
	const char *canary = getenv("RECONCILE_CANARY");
	struct keyval kv = {"token", canary ? canary : "canary", 0};
	size_t n = 0;
	const struct format *all = format_list(&n);

	kv.len = strlen(kv.value);
	o->secret.data = (struct keyvals){&kv, 1};
	o->canonical = arena_printf(f->a, "{\"data\":\"%s\"}", kv.value);
	make_sorted(&f->to);
	assert_int_equal(plan_compare(&f->from, &f->to, f->a, &f->plan_diags,
				      &f->plan, &f->err),
			 0);
	for (size_t i = 0; i < n; i++)
		assert_null(strstr(render(f, all[i].name), kv.value));
	assert_non_null(strstr(render(f, "text"), "+ Secret key"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_worst_first),	T(test_nothing_twice),
		T(test_fingerprints),	T(test_text),
		T(test_no_plan),	T(test_json),
		T(test_github),		T(test_equal_inputs_equal_bytes),
		T(test_unknown_format), T(test_A99_secret_in_no_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
