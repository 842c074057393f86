/*
 * reader.h - who runs a command that shows something, and what they may see.
 */
#ifndef RECONCILER_CLI_READER_H
#define RECONCILER_CLI_READER_H

#include "reconciler/cli/cli.h"
#include "reconciler/core/readers.h"

/* The user who called sudo; NULL: not through sudo, or root or the manager's
 * user itself.  In the arena. */
int reader_caller(struct cli *cli, const char **out, struct err *err);
/* As cli_load() and cli_open(), and the roles that bind whoever called sudo.
 * Somebody else's --config is refused: it could name another state folder. */
int reader_load(struct cli *cli, struct err *err);
int reader_open(struct cli *cli, struct core *out, struct readers *out_readers,
		struct err *err);
/* For a state that is open already; NULL: none was made yet. */
int reader_roles(struct cli *cli, struct state *state, struct readers *out,
		 struct err *err);
/* Takes away what may not be seen; *out_cut: there was such a thing.
 * ERR_DENIED when nothing at all may be. */
int reader_filter(const struct readers *r, struct world *io, bool *out_cut,
		  struct err *err);

#endif
