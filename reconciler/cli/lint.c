/*
 * lint.c - `reconcile lint PATH...`: files of a work tree before they are
 * committed.  Files are only read here, without following links, and parsed by
 * reconcile-verify; a .reconcile/policy.yaml above the first path judges them.
 */
#include "reconciler/cli/cli.h"

#include "lib/file.h"
#include "lib/json.h"
#include "lib/text.h"
#include "policy/verify/verify.pb-c.h"
#include "reconciler/core/siblings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUT_MAX ((size_t)64 << 20)
#define FILES_MAX 20000
#define FILE_BYTES_MAX ((size_t)4 << 20)
#define BYTES_MAX ((size_t)15 << 20) /* one request */
#define DEPTH_MAX 32
#define POLICY ".reconcile/policy.yaml"
#define TRUST ".reconcile/trust.yaml"

struct lint {
	struct cli *cli;
	struct manifest_input *files;
	size_t n, bytes;
	struct diags diags; /* of what is no plain file */
	const char *top;    /* folder that .reconcile is in; NULL */
	bool whole;
};

static int add(struct lint *l, int dir, const char *name, const char *path,
	       struct err *err)
{
	struct buf b;
	int r;

	if (l->n == FILES_MAX)
		return err_set(err, ERR_LIMIT, "want at most %d files",
			       FILES_MAX);
	buf_init(&b, FILE_BYTES_MAX);
	r = file_read(dir, name, FILE_BYTES_MAX, &b, err);
	if (r == 0 && l->bytes + b.len > BYTES_MAX)
		r = err_set(err, ERR_LIMIT, "want at most %zu bytes in all",
			    BYTES_MAX);
	if (r == 0) {
		l->files[l->n++] = (struct manifest_input){
			.path = arena_strdup(l->cli->arena, path),
			.bytes = arena_memdup(l->cli->arena,
					      b.len > 0 ? b.data : "", b.len),
			.len = b.len,
		};
		l->bytes += b.len;
	}
	buf_release(&b);
	return r < 0 && r != ERR_LIMIT ? cli_no_such(r, err) : r;
}

static bool ends_in(const char *name, const char *tail)
{
	size_t n = strlen(name), k = strlen(tail);

	return n > k && strcmp(name + n - k, tail) == 0;
}

static void complain(struct lint *l, const char *path, const char *code,
		     enum diag_severity severity, const char *fix,
		     const char *text)
{
	struct manifest_pos pos = {.path = arena_strdup(l->cli->arena, path)};

	diags_add(&l->diags, code, severity, pos, NULL, fix, "%s", text);
}

static bool is_kustomize(const char *name)
{
	return strcmp(name, "kustomization.yaml") == 0 ||
	       strcmp(name, "kustomization.yml") == 0;
}

static int walk(struct lint *l, int dir, const char *path, int depth,
		struct err *err);

/* As in a commit: names with a dot in front are not manifests, links are an
 * error, a kustomization is judged when it is committed. */
static int visit(struct lint *l, int dir, const char *name, const char *path,
		 int depth, struct err *err)
{
	struct stat st;

	if (name[0] == '.')
		return 0;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "%s", path);
	if (S_ISDIR(st.st_mode)) {
		int sub =
			openat(dir, name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int r = sub < 0 ? err_sys(err, errno, "%s", path)
				: walk(l, sub, path, depth + 1, err);

		return r;
	}
	if (!S_ISREG(st.st_mode)) {
		complain(l, path, "T170", l->whole ? DIAG_WARNING : DIAG_ERROR,
			 "replace links and submodules by plain files",
			 "want a folder or a plain file");
		return 0;
	}
	if (is_kustomize(name)) {
		complain(l, path, "T174", DIAG_NOTE, NULL,
			 "not looked at: a commit may have it when it only "
			 "lists resources");
		return 0;
	}
	return ends_in(name, ".yaml") || ends_in(name, ".yml") ||
			       ends_in(name, ".json")
		       ? add(l, dir, name, path, err)
		       : 0;
}

/* dir is consumed. */
static int walk(struct lint *l, int dir, const char *path, int depth,
		struct err *err)
{
	struct dirent **names = NULL;
	int n = depth > DEPTH_MAX
			? 0
			: scandirat(dir, ".", &names, NULL, alphasort);
	int r = 0;

	if (depth > DEPTH_MAX)
		r = err_set(err, ERR_LIMIT, "%s: want at most %d folders deep",
			    path, DEPTH_MAX);
	else if (n < 0)
		r = err_sys(err, errno, "%s", path);
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = visit(l, dir, names[i]->d_name,
				  strcmp(path, ".") == 0
					  ? names[i]->d_name
					  : arena_printf(l->cli->arena, "%s/%s",
							 path,
							 names[i]->d_name),
				  depth, err);
		free(names[i]);
	}
	free(names);
	(void)close(dir);
	return r;
}

/* The folder above path that has a policy; NULL when there is none. */
static const char *find_top(struct cli *cli, const char *path)
{
	char *at = realpath(path, NULL);
	const char *found = NULL;
	char *slash;

	while (at != NULL && found == NULL && at[0] != '\0') {
		if (access(arena_printf(cli->arena, "%s/" POLICY, at), F_OK) ==
		    0)
			found = arena_strdup(cli->arena, at);
		slash = strrchr(at, '/');
		*slash = '\0';
	}
	free(at);
	return found;
}

static int take(struct lint *l, const char *path, struct err *err)
{
	const char *top = find_top(l->cli, path);
	char *real = NULL;
	struct stat st;
	char safe[200];
	int dir;

	text_safe(safe, sizeof(safe), path, strlen(path));
	if (lstat(path, &st) < 0)
		return cli_no_such(err_sys(err, errno, "%s", safe), err);
	if (l->top == NULL)
		l->top = top;
	else if (top != NULL && strcmp(top, l->top) != 0)
		return err_set(err, ERR_INPUT,
			       "%s belongs to the policy of %s, paths before "
			       "it to that of %s: name them in two commands",
			       safe, top, l->top);
	if (!S_ISDIR(st.st_mode))
		return add(l, AT_FDCWD, path, path, err);
	real = realpath(path, NULL);
	if (real != NULL && top != NULL && strcmp(real, top) == 0)
		l->whole = true;
	free(real);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* the whole is named as in a commit */
	return dir < 0 ? err_sys(err, errno, "%s", safe)
		       : walk(l, dir, l->whole ? "." : path, 0, err);
}

static bool has(const struct lint *l, const char *tail)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->files[i].path, tail) == 0 ||
		    ends_in(l->files[i].path,
			    arena_printf(l->cli->arena, "/%s", tail)))
			return true;
	return false;
}

/* The policy judges also when it was not named; the trust policy is looked at
 * with the whole. */
static int add_policies(struct lint *l, struct err *err)
{
	const char *policy, *trust;
	int r = 0;

	if (l->top == NULL)
		return 0;
	policy = arena_printf(l->cli->arena, "%s/" POLICY, l->top);
	trust = arena_printf(l->cli->arena, "%s/" TRUST, l->top);
	if (!has(l, POLICY))
		r = add(l, AT_FDCWD, policy, l->whole ? POLICY : policy, err);
	if (r == 0 && l->whole && !has(l, TRUST) && access(trust, F_OK) == 0)
		r = add(l, AT_FDCWD, trust, TRUST, err);
	return r;
}

static int ask(struct lint *l, struct verdict *v, struct err *err)
{
	struct cli *cli = l->cli;
	struct verify_args args = {
		.repository = "",
		.mode = VERIFY__VERIFY_REQUEST__MODE__LINT,
		.inputs = l->files,
		.n_inputs = l->n,
		.whole = l->whole,
	};
	int r = 0;

	if (opt_get(&cli->values, "config") != NULL)
		r = cli_load(cli, err);
	if (cli->conf.libexec != NULL && *cli->conf.libexec == '\0')
		cli->conf.libexec = NULL;
	if (r == 0)
		r = siblings_verify(&cli->conf, cli->conf.libexec, &args,
				    cli->arena, v, err);
	for (size_t i = 0; r == 0 && i < l->diags.n; i++) {
		const struct diag *d = &l->diags.items[i];

		diags_add(&v->diags, d->code, d->severity, d->pos, NULL, d->fix,
			  "%s", d->message);
	}
	if (r == 0)
		diags_sort(&v->diags);
	return r;
}

static void put_json(const struct lint *l, const struct verdict *v,
		     struct buf *out)
{
	static const char *const severities[] = {"error", "warning", "note"};
	struct jsonw j;

	jsonw_init(&j, out);
	jsonw_obj(&j);
	jsonw_kstr(&j, "schema", "reconcile.lint/v1");
	jsonw_kint(&j, "files", (int64_t)l->n);
	jsonw_kint(&j, "errors", (int64_t)v->diags.n_errors);
	jsonw_key(&j, "diagnostics");
	jsonw_arr(&j);
	for (size_t i = 0; i < v->diags.n; i++) {
		const struct diag *d = &v->diags.items[i];

		jsonw_obj(&j);
		jsonw_kstr(&j, "code", d->code);
		jsonw_kstr(&j, "severity", severities[d->severity]);
		jsonw_kstr(&j, "path", d->pos.path);
		jsonw_kint(&j, "line", d->pos.line);
		jsonw_kint(&j, "column", d->pos.column);
		jsonw_kstr(&j, "pointer", d->pointer);
		jsonw_kstr(&j, "message", d->message);
		jsonw_kstr(&j, "fix", d->fix);
		jsonw_obj_end(&j);
	}
	jsonw_arr_end(&j);
	jsonw_obj_end(&j);
	buf_putc(out, '\n');
}

static int print(struct lint *l, const struct verdict *v, struct err *err)
{
	bool json = false;
	struct buf out;
	int r = cli_json(l->cli, &json, err);

	if (r < 0)
		return r;
	buf_init(&out, OUT_MAX);
	if (json) {
		put_json(l, v, &out);
	} else {
		diags_print_text(&v->diags, &out);
		buf_printf(&out, "%zu file%s, %zu error%s%s.\n", l->n,
			   l->n == 1 ? "" : "s", v->diags.n_errors,
			   v->diags.n_errors == 1 ? "" : "s",
			   l->top == NULL ? "; no " POLICY " above judges them"
					  : "");
	}
	r = cli_print(&out, err);
	buf_release(&out);
	return r;
}

int lint_command(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	struct lint l = {.cli = cli};
	struct verdict v;
	int r = 0;

	l.files = arena_calloc(cli->arena, FILES_MAX, sizeof(*l.files));
	diags_init(&l.diags, cli->arena, 1000);
	for (size_t i = 0; r == 0 && i < cli->values.n_operands; i++)
		r = take(&l, cli_operand(cli, i), err);
	if (r == 0)
		r = add_policies(&l, err);
	if (r == 0)
		r = ask(&l, &v, err);
	if (r == 0)
		r = print(&l, &v, err);
	if (r == 0 && v.diags.n_errors > 0)
		cli->exit =
			v.kind == VERIFY__VERIFY_REPLY__VERDICT__REFUSED_POLICY
				? CORE_EXIT_POLICY
				: CORE_EXIT_MANIFEST;
	return r;
}
