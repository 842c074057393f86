/*
 * budget.h - how many bytes and how long a transfer may take (A70, G14).
 */
#ifndef RECONCILER_FETCH_BUDGET_H
#define RECONCILER_FETCH_BUDGET_H

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

#define BUDGET_BYTES ((uint64_t)1 << 30)
#define BUDGET_TIME_MS 60000u
#define BUDGET_OBJECTS 5000000u

struct budget {
	uint64_t max_bytes, bytes;
	int64_t deadline_ms; /* clock_boot_ms() */
	struct err why;	     /* filled when it is used up */
};

/* 0 for either: the default. */
void budget_init(struct budget *b, uint64_t max_bytes, uint32_t timeout_ms);
/* Takes n bytes, looks at the clock; ERR_LIMIT or ERR_AGAIN, kept in b->why. */
int budget_take(struct budget *b, size_t n);
/* Milliseconds left, at least 0. */
int budget_left_ms(const struct budget *b);

#endif
