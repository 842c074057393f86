/*
 * rollback.c - `reconcile rollback --to REV`: back to what was, by going on.
 *
 * Makes a commit on top of HEAD with the tree of REV, but with HEAD's own
 * .reconcile/: trust, approvals and policy never go back.  Runs as the person
 * who signs, in their clone, with their git; hooks do not run.
 */
#include "reconciler/cli/cli.h"

#include "lib/text.h"
#include "reconciler/cli/capture.h"

#include <stdio.h>
#include <string.h>

#define GIT "/usr/bin/git"
#define ARGS_MAX 20
#define OUT_MAX ((size_t)1 << 20)
#define KEPT ".reconcile"

struct rollback {
	struct cli *cli;
	const char *dir;
	const char *to;	  /* as named */
	const char *head; /* ids */
	const char *target, *tree, *made;
};

/* Output in *out when it is not NULL; *out_status 0 or not. */
static int git(const struct rollback *b, const char *const *args,
	       const struct buf *input, struct buf *out, int *out_status,
	       struct err *err)
{
	const char *argv[ARGS_MAX] = {
		GIT,  "--no-replace-objects",	  "-C", b->dir,
		"-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"};
	size_t n = 8;

	while (*args != NULL && n + 1 < ARGS_MAX)
		argv[n++] = *args++;
	return capture_run(argv, input == NULL ? "" : input->data,
			   input == NULL ? 0 : input->len, out, out_status,
			   err);
}

/* One line; *out NULL when git says no. */
static int ask(const struct rollback *b, const char *const *args,
	       const struct buf *input, const char **out, struct err *err)
{
	struct buf line;
	int status = 0;
	int r;

	buf_init(&line, OUT_MAX);
	r = git(b, args, input, &line, &status, err);
	*out = NULL;
	if (r == 0 && status == 0)
		*out = arena_strndup(b->cli->arena,
				     line.len > 0 ? line.data : "",
				     line.len > 0 ? line.len - 1 : 0);
	buf_release(&line);
	return r;
}

static int find_commit(const struct rollback *b, const char *rev,
		       const char **out, struct err *err)
{
	const char *args[] = {"rev-parse",
			      "--verify",
			      "--quiet",
			      "--end-of-options",
			      arena_printf(b->cli->arena, "%s^{commit}", rev),
			      NULL};
	char safe[120];
	int r = ask(b, args, NULL, out, err);

	if (r == 0 && *out == NULL)
		r = err_set(err, ERR_INPUT, "%s names no commit in %s",
			    text_safe(safe, sizeof(safe), rev, strlen(rev)),
			    b->dir);
	return r;
}

static int check(struct rollback *b, struct err *err)
{
	static const char *const on[] = {"symbolic-ref", "--quiet", "HEAD",
					 NULL};
	static const char *const dirty[] = {"status", "--porcelain=v1",
					    "--untracked-files=no", NULL};
	const char *under[] = {"merge-base", "--is-ancestor", b->target,
			       b->head, NULL};
	const char *line = NULL;
	int r = ask(b, on, NULL, &line, err);

	if (r == 0 && line == NULL)
		r = err_set(err, ERR_INPUT,
			    "HEAD is on no branch: git switch to the one that "
			    "is followed");
	if (r == 0)
		r = ask(b, dirty, NULL, &line, err);
	if (r == 0 && (line == NULL || line[0] != '\0'))
		r = err_set(err, ERR_INPUT,
			    "the work tree has changes: commit or stash them "
			    "first");
	if (r == 0)
		r = ask(b, under, NULL, &line, err);
	if (r == 0 && line == NULL)
		r = err_set(err, ERR_INPUT,
			    "%.12s is not in the history of HEAD: a roll-back "
			    "goes to what was",
			    b->target);
	return r;
}

static int list(const struct rollback *b, const char *const *args,
		struct buf *out, struct err *err)
{
	int status = 0;
	int r = git(b, args, NULL, out, &status, err);

	return r == 0 && status != 0
		       ? err_set(err, ERR_SYS, "git ls-tree ended with %d",
				 status)
		       : r;
}

/* Entries of REV but KEPT, then HEAD's KEPT; git sorts them. */
static int make_tree(struct rollback *b, struct err *err)
{
	const char *theirs[] = {"ls-tree", "-z", b->target, NULL};
	const char *kept[] = {"ls-tree", "-z", b->head, "--", KEPT, NULL};
	static const char *const mktree[] = {"mktree", "-z", NULL};
	const char *head_tree = NULL;
	struct buf all, in;
	int r;

	buf_init(&all, OUT_MAX);
	buf_init(&in, OUT_MAX);
	r = list(b, theirs, &all, err);
	for (size_t at = 0; r == 0 && at < all.len;) {
		const char *e = all.data + at;
		const char *name = memchr(e, '\t', all.len - at);
		size_t len = strnlen(e, all.len - at - 1) + 1;

		if (name == NULL || strcmp(name + 1, KEPT) != 0)
			buf_put(&in, e, len);
		at += len;
	}
	if (r == 0)
		r = list(b, kept, &in, err);
	if (r == 0)
		r = buf_check(&in, err);
	if (r == 0)
		r = ask(b, mktree, &in, &b->tree, err);
	if (r == 0 && b->tree == NULL)
		r = err_set(err, ERR_SYS, "git mktree failed");
	if (r == 0)
		r = ask(b, (const char *[]){"rev-parse", "HEAD^{tree}", NULL},
			NULL, &head_tree, err);
	if (r == 0 && head_tree != NULL && strcmp(head_tree, b->tree) == 0)
		r = err_set(err, ERR_INPUT,
			    "nothing to do: outside .reconcile/ HEAD is as "
			    "%.12s was",
			    b->target);
	buf_release(&all);
	buf_release(&in);
	return r;
}

static int commit(struct rollback *b, struct err *err)
{
	const char *message = arena_printf(
		b->cli->arena,
		"Roll back to %.12s\n\nThe tree of %s, with .reconcile/ as it "
		"is now.",
		b->target, b->target);
	const char *args[] = {"commit-tree", b->tree, "-p",    b->head,
			      "-S",	     "-m",    message, NULL};
	int r = ask(b, args, NULL, &b->made, err);

	if (r == 0 && b->made == NULL)
		r = err_set(err, ERR_INPUT,
			    "git could not sign (its message is above). "
			    "Nothing has changed; by hand: git merge --ff-only "
			    "$(git commit-tree %s -p HEAD -S -m 'Roll back to "
			    "%.12s')",
			    b->tree, b->target);
	return r;
}

static int advance(struct rollback *b, struct err *err)
{
	const char *args[] = {"merge", "--ff-only", "--quiet", b->made, NULL};
	const char *line = NULL;
	int r = ask(b, args, NULL, &line, err);

	if (r == 0 && line == NULL)
		r = err_set(err, ERR_INPUT,
			    "commit %s is made and signed, but the branch "
			    "could not be moved to it (git's message is "
			    "above): git merge --ff-only %.12s",
			    b->made, b->made);
	return r;
}

int rollback_command(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	const char *dir = opt_get(&cli->values, "repo");
	struct rollback b = {.cli = cli,
			     .dir = dir != NULL ? dir : ".",
			     .to = opt_get(&cli->values, "to")};
	int r;

	if (b.to == NULL)
		return err_set(err, ERR_INPUT,
			       "want --to REV: what to go back to");
	r = find_commit(&b, "HEAD", &b.head, err);
	if (r == 0)
		r = find_commit(&b, b.to, &b.target, err);
	if (r == 0)
		r = check(&b, err);
	if (r == 0)
		r = make_tree(&b, err);
	if (r == 0)
		r = commit(&b, err);
	if (r == 0)
		r = advance(&b, err);
	if (r < 0)
		return r;
	(void)printf("Commit %.12s has the content of %.12s again; "
		     ".reconcile/ stays as it is.\n"
		     "Look at it, then push: git show --stat; git push\n",
		     b.made, b.target);
	return 0;
}
