/* change.c - start, kill, delete, pause, resume, update. */
#include "engine/main/cli.h"
#include "engine/run/life.h"
#include "lib/file.h"
#include "lib/num.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int change_open(struct cli *c, struct life *l, struct err *err)
{
	return life_open(l, c->root, c->values.operands[0], err);
}

int change_start(void *ctx, struct err *err)
{
	struct life l;
	int r = change_open(ctx, &l, err);

	if (r < 0)
		return r;
	r = life_start(&l, err);
	life_release(&l);
	return r;
}

int change_kill(void *ctx, struct err *err)
{
	struct cli *c = ctx;
	const struct opt_values *v = &c->values;
	int sig = v->n_operands > 1 ? life_signal(v->operands[1]) : SIGTERM;
	struct life l;
	int r;

	if (sig < 0)
		return err_set(err, ERR_INPUT, "unknown signal");
	r = change_open(c, &l, err);
	if (r < 0)
		return r;
	r = life_kill(&l, sig, opt_get(v, "all") != NULL, err);
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

static int change_number(const struct opt_values *v, const char *name,
			 struct decode_i64 *out, struct err *err)
{
	const char *text = opt_get(v, name);

	if (text == NULL)
		return 0;
	if (!num_parse_i64(text, strlen(text), -1, INT64_MAX, &out->v))
		return err_set(err, ERR_INPUT,
			       "--%s: want an integer of at least -1", name);
	out->set = true;
	return 0;
}

static int change_count(const struct opt_values *v, const char *name,
			struct decode_u64 *out, struct err *err)
{
	struct decode_i64 n = {.v = 0};
	int r = change_number(v, name, &n, err);

	if (r == 0 && n.set && n.v < 0)
		r = err_set(err, ERR_INPUT, "--%s: want at least 0", name);
	if (r == 0 && n.set)
		*out = (struct decode_u64){.v = (uint64_t)n.v, .set = true};
	return r;
}

static int change_flags(const struct opt_values *v, struct arena *arena,
			struct spec_resources *res, struct err *err)
{
	const char *cpus = opt_get(v, "cpuset-cpus");
	const char *mems = opt_get(v, "cpuset-mems");
	int r = change_number(v, "memory", &res->memory.limit, err);

	if (r == 0)
		r = change_number(v, "memory-swap", &res->memory.swap, err);
	if (r == 0)
		r = change_number(v, "memory-reservation",
				  &res->memory.reservation, err);
	if (r == 0)
		r = change_count(v, "cpu-period", &res->cpu.period, err);
	if (r == 0)
		r = change_number(v, "cpu-quota", &res->cpu.quota, err);
	if (r == 0)
		r = change_count(v, "cpu-share", &res->cpu.shares, err);
	if (r == 0)
		r = change_number(v, "pids-limit", &res->pids.limit, err);
	if (r == 0)
		r = change_count(v, "blkio-weight", &res->block.weight, err);
	if (cpus != NULL)
		res->cpu.cpus = arena_strdup(arena, cpus);
	if (mems != NULL)
		res->cpu.mems = arena_strdup(arena, mems);
	return r;
}

static int change_resources(const struct opt_values *v, struct arena *arena,
			    struct spec_resources *out, struct err *err)
{
	const char *file = opt_get(v, "resources");
	struct buf b;
	int r;

	*out = (struct spec_resources){.devices = NULL};
	if (file == NULL)
		return change_flags(v, arena, out, err);
	buf_init(&b, SPEC_MAX_BYTES);
	if (strcmp(file, "-") == 0)
		r = file_read_fd(0, SPEC_MAX_BYTES, &b, err);
	else
		r = file_read(AT_FDCWD, file, SPEC_MAX_BYTES, &b, err);
	if (r == 0)
		r = spec_read_resources(b.data, b.len, arena, out, err);
	buf_release(&b);
	return r;
}

int change_update(void *ctx, struct err *err)
{
	struct cli *c = ctx;
	struct spec_resources res;
	struct life l;
	int r = change_open(c, &l, err);

	if (r < 0)
		return r;
	r = change_resources(&c->values, l.arena, &res, err);
	if (r == 0)
		r = life_update(&l, &res, err);
	life_release(&l);
	return r;
}
