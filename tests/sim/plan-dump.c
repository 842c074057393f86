/*
 * plan-dump - what admission and plan make of files, for the golden tests: no
 * git, no host, no trust.
 *
 *	plan-dump [-j] [-a] [-n HOSTS] [-f FROM.yaml] TO.yaml...
 *
 * -j JSON, -a admission only, -n plan on that many empty hosts (3), -f compare
 * two versions instead.  A ClusterPolicy among the documents is the policy.
 * Exit: 0, 3 manifest, 5 policy, 7 plan.
 */
#include "lib/num.h"
#include "policy/admission/admission.h"
#include "reconciler/plan/plan.h"
#include "tests/sim/make.h"

#include <stdio.h>
#include <unistd.h>

#define FILE_BYTES (1 << 20)
#define FILES_MAX 16
#define DIAGS_MAX 1000
#define HOSTS_MAX 100

struct dump {
	struct arena *arena;
	struct diags diags;
	struct buf out;
	bool json, admission_only;
	uint64_t n_hosts;
	const char *from;
};

static int read_input(struct dump *d, const char *path,
		      struct manifest_input *out, struct err *err)
{
	char *bytes = arena_alloc(d->arena, FILE_BYTES);
	FILE *f = fopen(path, "re");

	if (!f)
		return err_set(err, ERR_NOTFOUND, "%s", path);
	*out = (struct manifest_input){
		.path = path, .bytes = bytes, .signer = "alice@example.com"};
	out->len = fread(bytes, 1, FILE_BYTES, f);
	(void)fclose(f);
	return 0;
}

static int load(struct dump *d, char *const *paths, size_t n,
		struct snapshot *out, struct err *err)
{
	struct manifest_input in[FILES_MAX];
	struct objects set = {NULL, 0};
	int r = 0;

	*out = make_snapshot(d->arena, 0);
	for (size_t i = 0; i < n && r == 0; i++)
		r = read_input(d, paths[i], &in[i], err);
	if (r == 0)
		r = manifest_load(in, n, "default", d->arena, &d->diags, &set,
				  err);
	if (r < 0)
		return r;
	if (set.n > 0 && set.items[set.n - 1].kind == MANIFEST_CLUSTERPOLICY)
		out->policy = set.items[--set.n].policy;
	out->objects = set;
	manifest_check_references(&set, &d->diags);
	return 0;
}

static int plan(struct dump *d, const struct snapshot *to, struct err *err)
{
	struct world w = make_world(d->arena, d->n_hosts, 0, 0);
	struct plan_style style = {false, 100};
	struct snapshot from;
	struct plan p;
	char *path[] = {arena_strdup(d->arena, d->from)};
	int r;

	if (d->from)
		r = load(d, path, 1, &from, err);
	else
		r = plan_make(to, &w, d->arena, &d->diags, &p, err);
	if (r == 0 && d->from)
		r = plan_compare(&from, to, d->arena, &d->diags, &p, err);
	if (r < 0)
		return r;
	diags_sort(&d->diags);
	return d->json ? plan_render_json(&p, to, &w, &d->diags, &d->out, err)
		       : plan_render_text(&p, to, &w, &d->diags, &style,
					  &d->out, err);
}

static int run(struct dump *d, char *const *paths, size_t n, struct err *err)
{
	struct snapshot to;
	int r = load(d, paths, n, &to, err);
	int status = 3;

	if (r == 0 && d->diags.n_errors == 0) {
		r = admission_check(&to, &d->diags, err);
		status = 5;
	}
	if (r < 0)
		return r;
	if (d->diags.n_errors > 0 || d->admission_only) {
		diags_sort(&d->diags);
		diags_print_text(&d->diags, &d->out);
		return d->diags.n_errors > 0 ? status : 0;
	}
	r = plan(d, &to, err);
	return r < 0 ? r : d->diags.n_errors > 0 ? 7 : 0;
}

int main(int argc, char **argv)
{
	struct dump d = {.n_hosts = 3};
	struct err err = {0};
	int c, status;

	while ((c = getopt(argc, argv, "jan:f:")) != -1)
		if (c == 'j')
			d.json = true;
		else if (c == 'a')
			d.admission_only = true;
		else if (c == 'f')
			d.from = optarg;
		else if (c != 'n' || !num_parse_u64(optarg, strlen(optarg),
						    HOSTS_MAX, &d.n_hosts))
			return 3;
	if (argc == optind || argc - optind > FILES_MAX)
		return 3;
	d.arena = arena_new((size_t)1 << 28);
	diags_init(&d.diags, d.arena, DIAGS_MAX);
	buf_init(&d.out, (size_t)1 << 24);
	status = run(&d, argv + optind, (size_t)(argc - optind), &err);
	(void)fwrite(d.out.data ? d.out.data : "", 1, d.out.len, stdout);
	if (status < 0)
		fprintf(stderr, "plan-dump: %s\n", err.msg);
	buf_release(&d.out);
	arena_free(d.arena);
	return status < 0 ? err_exit_status(status) : status;
}
