/*
 * report-dump - a report full of one text, in one format, for the suites that
 * look for what a hostile commit could do to it.
 *
 *	report-dump FORMAT FILE N
 *
 * Every word that can come from a commit, a host or reconcile-verify is the
 * text of FILE; there are N findings of each severity, N requirements and N
 * objects to create.  With FILE "-" the words are harmless.
 */
#include "lib/file.h"
#include "lib/num.h"
#include "reconciler/report/format.h"
#include "tests/sim/make.h"

#include <fcntl.h>
#include <stdio.h>

#define ARENA_BYTES ((size_t)1 << 31)
#define TEXT_MAX (1u << 16)
#define OUT_MAX ((size_t)1 << 30)

struct dump {
	struct arena *arena;
	const char *text;
	size_t n;
	struct diags diags, plan_diags;
	struct snapshot want;
	struct world world;
	struct plan plan;
	struct report report;
};

static void make_diags(struct dump *d)
{
	static const char *const codes[] = {"M201", "P201", "M222"};
	struct manifest_pos pos = {.path = d->text, .line = 3, .column = 7};

	diags_init(&d->diags, d->arena, 3 * d->n + 1);
	for (size_t i = 0; i < 3 * d->n; i++) {
		pos.line = (unsigned int)(i / 3 + 1);
		diags_add(&d->diags, codes[i % 3], (enum diag_severity)(i % 3),
			  pos, d->text, d->text, "%s", d->text);
	}
}

static void make_trust(struct dump *d)
{
	const char **names = arena_calloc(d->arena, 2, sizeof(const char *));
	struct report_requirement *q = arena_calloc(d->arena, d->n, sizeof(*q));
	struct report_commit *c = arena_calloc(d->arena, d->n, sizeof(*c));
	const char *t = d->text;

	names[0] = names[1] = t;
	for (size_t i = 0; i < d->n; i++) {
		q[i] = (struct report_requirement){
			t, t,	  t, names, 2,	    9, 3, names,
			1, names, 2, i % 2, "T190", t, t};
		c[i] = (struct report_commit){t, t, t, "T110", t, "ssh", t, t};
	}
	d->report.requirements = q;
	d->report.commits = c;
	d->report.facts = names;
	d->report.n_requirements = d->report.n_commits = d->n;
	d->report.n_facts = 2;
}

static int make_plan(struct dump *d, struct err *err)
{
	struct object *o;

	d->want = make_snapshot(d->arena, d->n + 1);
	d->world = make_world(d->arena, 1, 10 * d->n + 10, 10 * d->n + 10);
	d->world.hosts[0].name = d->text;
	for (size_t i = 0; i < d->n; i++) {
		o = make_deployment(
			d->arena, &d->want, d->text,
			arena_printf(d->arena, "%s%06zu", d->text, i), 1, "v1");
		o->signer = o->pos.path = d->text;
		o->deployment.template.spec.containers[0].name = d->text;
		o->deployment.template.spec.containers[0].image = d->text;
	}
	make_sorted(&d->want);
	d->want.signer = d->want.ref = d->want.repository_id = d->text;
	diags_init(&d->plan_diags, d->arena, 1000);
	return plan_make(&d->want, &d->world, d->arena, &d->plan_diags,
			 &d->plan, err);
}

static int dump(struct dump *d, const char *name, struct buf *out,
		struct err *err)
{
	const struct format *format = NULL;
	struct format_ask ask = {0};
	int r = format_find(name, &format, err);

	d->report = (struct report){
		.base = d->text,
		.head = d->text,
		.base_id = d->text,
		.head_id = d->text,
		.exit = 3,
		.judged = true,
		.refused_manifest = true,
		.diags = &d->diags,
		.plan = &d->plan,
		.want = &d->want,
		.world = &d->world,
		.plan_diags = &d->plan_diags,
	};
	make_diags(d);
	make_trust(d);
	if (r == 0)
		r = make_plan(d, err);
	return r < 0 ? r : format->render(&d->report, &ask, out, err);
}

int main(int argc, char **argv)
{
	struct dump d = {.arena = arena_new(ARENA_BYTES), .text = "harmless"};
	struct err err = {0};
	struct buf text, out;
	uint64_t n = 0;
	int r = 0;

	if (argc != 4 || !num_parse_u64(argv[3], strlen(argv[3]), 100000, &n))
		return 2;
	d.n = (size_t)n;
	buf_init(&text, TEXT_MAX);
	buf_init(&out, OUT_MAX);
	if (strcmp(argv[2], "-") != 0) {
		r = file_read(AT_FDCWD, argv[2], TEXT_MAX, &text, &err);
		d.text = text.data;
	}
	if (r == 0)
		r = dump(&d, argv[1], &out, &err);
	if (r == 0)
		(void)fwrite(out.data, 1, out.len, stdout);
	else
		(void)fprintf(stderr, "%s\n", err.msg);
	buf_release(&text);
	buf_release(&out);
	arena_free(d.arena);
	return r == 0 ? 0 : 1;
}
