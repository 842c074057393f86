/*
 * trust_approve.c - `reconcile trust approve`: signs that one agrees with a
 * change, and puts the file where every verifier finds it.
 *
 * Runs as the person who approves, in their clone.  git says which commits are
 * meant, reconcile-verify which trees, ssh-keygen signs; nothing of the
 * repository runs.  The work tree may be a hostile proposal that is checked
 * out: no link in it is followed.
 */
#include "reconciler/cli/cli.h"

#include "lib/file.h"
#include "lib/text.h"
#include "policy/trust/approval_names.h"
#include "policy/verify/verify.pb-c.h"
#include "reconciler/cli/capture.h"
#include "reconciler/core/siblings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GIT "/usr/bin/git"
#define SSH_KEYGEN "/usr/bin/ssh-keygen"
#define LINE_MAX_BYTES 65536
#define NAME_MAX_BYTES 200
#define TREE_HEX 40

struct approve {
	struct cli *cli;
	const char *dir;	 /* the clone, or a folder in it */
	const char *top, *store; /* its work tree; its objects */
	const char *head, *base; /* commits; base "": from nothing */
	const char *name;	 /* of the file */
	const char *key;	 /* a file */
	char made[64];		 /* a key file that was made here */
	struct verdict verdict;
	const char *tree; /* that is approved, hex */
	struct buf signature;
};

/* One line that git prints; *out NULL when it says no. */
static int ask_git(struct approve *a, const char *const *args, const char **out,
		   struct err *err)
{
	const char *argv[12] = {GIT, "-C", a->dir};
	size_t n = 3;
	struct buf line;
	int status = 0;
	int r;

	while (*args != NULL && n + 1 < sizeof(argv) / sizeof(argv[0]))
		argv[n++] = *args++;
	buf_init(&line, LINE_MAX_BYTES);
	r = capture_run(argv, "", 0, &line, &status, err);
	*out = NULL;
	if (r == 0 && status == 0 && line.len > 1)
		*out = arena_strndup(a->cli->arena, line.data, line.len - 1);
	buf_release(&line);
	return r;
}

static int find_clone(struct approve *a, struct err *err)
{
	static const char *const top[] = {"rev-parse", "--show-toplevel", NULL};
	static const char *const store[] = {"rev-parse",
					    "--path-format=absolute",
					    "--git-common-dir", NULL};
	int r = ask_git(a, top, &a->top, err);

	if (r == 0)
		r = ask_git(a, store, &a->store, err);
	if (r == 0 && (a->top == NULL || a->store == NULL))
		r = err_set(err, ERR_INPUT,
			    "%s is in no clone with a work tree: name one "
			    "with --repo",
			    a->dir);
	return r;
}

static int find_commit(struct approve *a, const char *rev, const char **out,
		       struct err *err)
{
	const char *args[] = {"rev-parse",
			      "--verify",
			      "--quiet",
			      "--end-of-options",
			      arena_printf(a->cli->arena, "%s^{commit}", rev),
			      NULL};
	int r = ask_git(a, args, out, err);

	if (r == 0 && *out == NULL)
		r = err_set(err, ERR_INPUT, "%s names no commit in %s", rev,
			    a->top);
	return r;
}

static int find_commits(struct approve *a, struct err *err)
{
	const char *rev = cli_operand(a->cli, 0);
	const char *base = opt_get(&a->cli->values, "base");
	int r = find_commit(a, rev != NULL ? rev : "HEAD", &a->head, err);

	if (r < 0)
		return r;
	a->base = "";
	if (base != NULL && strcmp(base, "-") == 0)
		return 0;
	r = find_commit(a, base != NULL ? base : "origin/HEAD", &a->base, err);
	if (r < 0 && base == NULL)
		return err_set(err, ERR_INPUT,
			       "there is no origin/HEAD: name with --base what "
			       "is in force, such as origin/main");
	return r;
}

static bool is_file_name(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789.@_+-";

	return name[0] != '\0' && name[0] != '.' &&
	       strlen(name) <= NAME_MAX_BYTES &&
	       strspn(name, allowed) == strlen(name);
}

static int find_name(struct approve *a, struct err *err)
{
	static const char *const email[] = {"config", "user.email", NULL};
	char shown[100];
	int r = 0;

	a->name = opt_get(&a->cli->values, "name");
	if (a->name == NULL)
		r = ask_git(a, email, &a->name, err);
	if (r == 0 && (a->name == NULL || !is_file_name(a->name)))
		r = err_set(err, ERR_INPUT,
			    "want your name as --name or user.email of git, "
			    "have \"%s\"",
			    a->name == NULL
				    ? ""
				    : text_safe(shown, sizeof(shown), a->name,
						strlen(a->name)));
	return r;
}

/* A key that stands in git's configuration itself; its other half is with the
 * agent. */
static int keep_key(struct approve *a, const char *text, struct err *err)
{
	int fd;
	int r;

	(void)snprintf(a->made, sizeof(a->made), "/tmp/reconcile-key.XXXXXX");
	fd = mkstemp(a->made);
	if (fd < 0) {
		a->made[0] = '\0';
		return err_sys(err, errno, "a file for the public key");
	}
	r = file_write_fd(fd, text, strlen(text), err);
	(void)close(fd);
	a->key = a->made;
	return r;
}

static int find_key(struct approve *a, struct err *err)
{
	static const char *const format[] = {"config", "gpg.format", NULL};
	static const char *const key[] = {"config", "--type=path",
					  "user.signingKey", NULL};
	static const char *const literal[] = {"key::", "ssh-", "sk-", "ecdsa-"};
	const char *is = NULL;
	int r = 0;

	a->key = opt_get(&a->cli->values, "key");
	if (a->key != NULL)
		return 0;
	r = ask_git(a, format, &is, err);
	if (r == 0 && is != NULL && strcmp(is, "ssh") == 0)
		r = ask_git(a, key, &a->key, err);
	if (r == 0 && a->key == NULL)
		r = err_set(err, ERR_INPUT,
			    "git signs with no SSH key here (gpg.format, "
			    "user.signingKey): name one with --key");
	for (size_t i = 0; r == 0 && i < sizeof(literal) / sizeof(literal[0]);
	     i++)
		if (a->made[0] == '\0' &&
		    strncmp(a->key, literal[i], strlen(literal[i])) == 0)
			r = keep_key(a, i == 0 ? a->key + 5 : a->key, err);
	return r;
}

/* Which trees, and what the change lacks. */
static int ask_verify(struct approve *a, struct err *err)
{
	struct cli *cli = a->cli;
	struct verify_args args = {
		.repository = a->store,
		.accepted = a->base,
		.target = a->head,
		.mode = VERIFY__VERIFY_REQUEST__MODE__PROPOSAL,
	};
	const struct verdict *v = &a->verdict;
	const char *text;
	int r = siblings_verify(&cli->conf, NULL, &args, cli->arena,
				&a->verdict, err);

	if (r < 0)
		return r;
	text = v->statement;
	for (size_t i = 0; i < v->n_facts; i++)
		(void)fprintf(stderr, "note: %s\n", v->facts[i]);
	if (text == NULL)
		return err_set(err, ERR_INPUT,
			       "there is nothing to approve%s%s",
			       v->diags.n > 0 ? ": " : "",
			       v->diags.n > 0 ? v->diags.items[0].message : "");
	text = strstr(text, "\nto: ");
	if (text != NULL)
		a->tree = arena_strndup(cli->arena, text + 5, TREE_HEX);
	if (text == NULL || !text_is_hex(a->tree, TREE_HEX))
		return err_set(err, ERR_PROTO, "the statement names no tree");
	return 0;
}

static int sign(struct approve *a, struct err *err)
{
	const char *argv[] = {SSH_KEYGEN,	  "-q", "-Y",	"sign", "-n",
			      APPROVAL_NAMESPACE, "-f", a->key, NULL};
	int status = 0;
	int r = capture_run(argv, a->verdict.statement,
			    strlen(a->verdict.statement), &a->signature,
			    &status, err);

	if (r == 0 && (status != 0 || a->signature.len == 0))
		r = err_set(err, ERR_INPUT,
			    "ssh-keygen did not sign with %s (exit %d)",
			    a->made[0] != '\0' ? "the key of git" : a->key,
			    status);
	return r;
}

/* Opens a folder below, made if it is not there; a link is refused. */
static int step_into(int *io_fd, const char *name, struct err *err)
{
	int fd;

	if (mkdirat(*io_fd, name, 0777) < 0 && errno != EEXIST)
		return err_sys(err, errno, "folder %s", name);
	fd = openat(*io_fd, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "folder %s", name);
	(void)close(*io_fd);
	*io_fd = fd;
	return 0;
}

static int write_file(struct approve *a, struct err *err)
{
	const char *const folders[] = {".reconcile", APPROVAL_FOLDER, a->tree};
	const char *text =
		arena_printf(a->cli->arena, "%s\n%.*s", a->verdict.statement,
			     (int)a->signature.len, a->signature.data);
	int fd = open(a->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return err_sys(err, errno, "%s", a->top);
	for (size_t i = 0; r == 0 && i < 3; i++)
		r = step_into(&fd, folders[i], err);
	if (r == 0)
		r = file_replace(fd, a->name, 0644, text, strlen(text), err);
	(void)close(fd);
	return r < 0 ? err_wrap(err, "%s", a->top) : 0;
}

static void tell(const struct approve *a)
{
	const struct verdict *v = &a->verdict;

	for (size_t i = 0; i < v->n_requirements; i++)
		if (!v->requirements[i].met)
			(void)printf("before: %s\n",
				     v->requirements[i].message);
	(void)printf("%s\nSigned. Now commit it on the branch of the change:\n"
		     "  git add .reconcile/approvals/%s/%s\n"
		     "  git commit -S -m 'Approve %.12s'\n",
		     v->statement, a->tree, a->name, a->head);
}

static int approve(struct approve *a, struct err *err)
{
	int r = find_clone(a, err);

	if (r == 0)
		r = find_commits(a, err);
	if (r == 0)
		r = find_name(a, err);
	if (r == 0)
		r = find_key(a, err);
	if (r == 0)
		r = ask_verify(a, err);
	if (r == 0)
		r = sign(a, err);
	if (r == 0)
		r = write_file(a, err);
	if (r == 0)
		tell(a);
	return r;
}

int trust_approve_command(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	const char *dir = opt_get(&cli->values, "repo");
	struct approve a = {.cli = cli, .dir = dir != NULL ? dir : "."};
	int r;

	buf_init(&a.signature, APPROVAL_BYTES_MAX);
	r = approve(&a, err);
	if (a.made[0] != '\0')
		(void)unlink(a.made);
	buf_release(&a.signature);
	return r;
}
