/*
 * budget.c - see budget.h.
 */
#include "reconciler/fetch/budget.h"
#include "lib/clock.h"

#include <limits.h>

void budget_init(struct budget *b, uint64_t max_bytes, uint32_t timeout_ms)
{
	*b = (struct budget){
		.max_bytes = max_bytes != 0 ? max_bytes : BUDGET_BYTES,
		.deadline_ms = clock_boot_ms() +
			       (timeout_ms != 0 ? timeout_ms : BUDGET_TIME_MS),
	};
}

int budget_take(struct budget *b, size_t n)
{
	b->bytes += n;
#ifndef GUARD_OFF_BUDGET
	if (b->bytes > b->max_bytes)
		return err_set(&b->why, ERR_LIMIT,
			       "the transfer is over %llu bytes",
			       (unsigned long long)b->max_bytes);
	if (clock_boot_ms() > b->deadline_ms)
		return err_set(&b->why, ERR_AGAIN,
			       "the transfer took too long");
#endif
	return 0;
}

int budget_left_ms(const struct budget *b)
{
	int64_t left = b->deadline_ms - clock_boot_ms();

	return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}
