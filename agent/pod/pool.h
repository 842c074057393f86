/*
 * pool.h - numbers that must never be given out twice: pod addresses and
 * ranges of user ids.  Pure; lowest free one first, but never the one released
 * last while others are free, so that an address is not reused at once
 * (threat N17).
 */
#ifndef AGENT_POD_POOL_H
#define AGENT_POD_POOL_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POOL_MAX 65536

struct pool {
	uint8_t *used; /* owned; a byte a number */
	uint32_t n, next;
};

int pool_init(struct pool *p, uint32_t n, struct err *err);
void pool_release(struct pool *p);
/* ERR_LIMIT when all are used. */
int pool_take(struct pool *p, uint32_t *out, struct err *err);
/* A number known from before (adoption); ERR_CONFLICT when it is used. */
int pool_claim(struct pool *p, uint32_t i, struct err *err);
void pool_give(struct pool *p, uint32_t i);

#endif
