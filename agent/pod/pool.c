/* pool.c - see pool.h. Pure. */
#include "agent/pod/pool.h"

#include <assert.h>
#include <stdlib.h>

int pool_init(struct pool *p, uint32_t n, struct err *err)
{
	*p = (struct pool){.n = n};
	if (n == 0 || n > POOL_MAX)
		return err_set(err, ERR_INPUT, "pool: want 1 to %d, have %u",
			       POOL_MAX, n);
	p->used = calloc(n, 1);
	return p->used ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

void pool_release(struct pool *p)
{
	free(p->used);
	*p = (struct pool){0};
}

int pool_take(struct pool *p, uint32_t *out, struct err *err)
{
	for (uint32_t k = 0; k < p->n; k++) {
		uint32_t i = (p->next + k) % p->n;

		if (!p->used[i]) {
			p->used[i] = 1;
			p->next = (i + 1) % p->n;
			*out = i;
			return 0;
		}
	}
	return err_set(err, ERR_LIMIT, "all %u are in use", p->n);
}

int pool_claim(struct pool *p, uint32_t i, struct err *err)
{
	if (i >= p->n)
		return err_set(err, ERR_INPUT, "want below %u, have %u", p->n,
			       i);
	if (p->used[i])
		return err_set(err, ERR_CONFLICT, "%u is in use", i);
	p->used[i] = 1;
	return 0;
}

void pool_give(struct pool *p, uint32_t i)
{
	assert(i < p->n && p->used[i]);
	p->used[i] = 0;
}
