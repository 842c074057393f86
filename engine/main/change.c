/* change.c - start, kill, delete, pause, resume, update. */
#include "engine/main/cli.h"
#include "engine/main/update.h"
#include "engine/run/life.h"
#include "lib/text.h"

#include <signal.h>
#include <string.h>

static int change_open(struct cli *c, struct life *l, struct err *err)
{
	int r = life_open(l, c->root, c->values.operands[0], err);

	l->warn = (struct warn){log_warning, &c->log};
	return r;
}

int change_start(void *ctx, struct err *err)
{
	struct cli *c = ctx;
	struct life l;
	int r = life_look(&l, c->root, c->values.operands[0], err);

	if (r < 0)
		return r;
	l.warn = (struct warn){log_warning, &c->log};
	r = life_start(&l, err);
	life_release(&l);
	return r;
}

int change_kill(void *ctx, struct err *err)
{
	struct cli *c = ctx;
	const struct opt_values *v = &c->values;
	const char *name = v->n_operands > 1 ? v->operands[1] : "TERM";
	bool all = opt_get(v, "all") != NULL;
	int sig = life_signal(name);
	char safe[64];
	struct life l;
	int r;

	if (sig < 0)
		return err_set(
			err, ERR_INPUT, "unknown signal \"%s\"",
			text_safe(safe, sizeof(safe), name, strlen(name)));
	r = life_find(&l, c->root, v->operands[0], err);
	if (r < 0)
		return r;
	if (all || sig == SIGKILL) /* which a frozen one would not get */
		r = life_groups(&l, err);
	if (r == 0)
		r = life_kill(&l, sig, all, err);
	life_release(&l);
	return r;
}

int change_delete(void *ctx, struct err *err)
{
	struct cli *c = ctx;
	bool force = opt_get(&c->values, "force") != NULL;
	struct life l;
	int r = change_open(c, &l, err);

	if (r == ERR_NOTFOUND && force)
		return 0;
	if (r < 0)
		return r;
	r = life_delete(&l, force, err);
	life_release(&l);
	return r;
}

static int change_frozen(struct cli *c, bool frozen, struct err *err)
{
	struct life l;
	int r = change_open(c, &l, err);

	if (r < 0)
		return r;
	r = life_pause(&l, frozen, err);
	life_release(&l);
	return r;
}

int change_pause(void *ctx, struct err *err)
{
	return change_frozen(ctx, true, err);
}

int change_resume(void *ctx, struct err *err)
{
	return change_frozen(ctx, false, err);
}

int change_update(void *ctx, struct err *err)
{
	struct cli *c = ctx;
	struct spec_resources res;
	struct life l;
	int r = change_open(c, &l, err);

	if (r < 0)
		return r;
	r = update_resources(&c->values, l.arena, &res, err);
	if (r == 0)
		r = life_update(&l, &res, err);
	life_release(&l);
	return r;
}
