/* apply.c - `reconcile --dry-run --out FILE` and `reconcile apply FILE`. */
#include "reconciler/cli/apply.h"

#include "lib/file.h"
#include "reconciler/core/savedplan.h"

#include <fcntl.h>

#define SAVED_MAX ((size_t)256 << 20)

/* A refused head, a stale repository or an error of the plan: what would be
 * done then is not what is read. */
static int check_whole(const struct pass_result *p, struct err *err)
{
	if (p->target.have_snapshot && !p->target.refused &&
	    p->exit == CORE_EXIT_DONE && p->diags.n_errors == 0)
		return 0;
	return err_set(err,
		       p->target.refused || p->target.stale ? ERR_TRUST
							    : ERR_INPUT,
		       "no plan was saved: %s",
		       p->target.refused ? "the newest commit is refused"
		       : p->target.stale ? p->summary
					 : "the plan has errors");
}

int apply_save(struct cli *cli, struct core *core, const struct pass_result *p,
	       struct err *err)
{
	const char *path = opt_get(&cli->values, "out");
	struct buf out;
	int r;

	if (path == NULL)
		return 0;
	r = check_whole(p, err);
	if (r < 0)
		return r;
	buf_init(&out, SAVED_MAX);
	r = savedplan_write(core, p, cli->arena, &out, err);
	if (r == 0)
		r = file_replace(AT_FDCWD, path, 0600, out.data, out.len, err);
	buf_release(&out);
	return r < 0 ? err_wrap(err, "--out %s", path) : 0;
}

int apply_command(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	const char *path = cli_operand(cli, 0);
	struct pass_options options;
	struct buf saved;
	int r = pass_options_of(cli, &options, err);

	if (r < 0)
		return r;
	buf_init(&saved, SAVED_MAX);
	r = cli_no_such(file_read(AT_FDCWD, path, SAVED_MAX, &saved, err), err);
	options.saved = &saved;
	if (r == 0)
		r = pass_once(cli, &options, err);
	else
		(void)err_wrap(err, "apply %s", path);
	buf_release(&saved);
	return r;
}
