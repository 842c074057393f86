/* weight.c - see weight.h. */
#include "engine/cgroup/weight.h"

#define WEIGHT_LOG2_E 1.4426950408889634074
#define WEIGHT_LN_10 2.3025850929940456840
#define WEIGHT_EPSILON 1e-9

/* No libm: it would cost the engine more than all that is here. */
static double weight_log2(uint64_t n)
{
	int whole = 63 - __builtin_clzll(n), i;
	double m = (double)n / (double)(1ull << whole);
	double t = (m - 1) / (m + 1), power = t, sum = 0;

	/* 2 artanh t, t at most 1/3 */
	for (i = 1; i < 40; i += 2) {
		sum += power / i;
		power *= t * t;
	}
	return whole + 2 * sum * WEIGHT_LOG2_E;
}

static double weight_exp10(double e)
{
	double x, term = 1, sum = 1;
	int i;

	for (x = e; x >= 1; x--)
		;
	x *= WEIGHT_LN_10;
	for (i = 1; i < 40; i++) {
		term *= x / i;
		sum += term;
	}
	for (; e >= 1; e--)
		sum *= 10;
	return sum;
}

uint64_t weight_cpu(uint64_t shares)
{
	double l, weight;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	/* The parabola through 1, 100 and 10000 over the logarithms; rounded
	 * up. */
	l = weight_log2(shares);
	weight = weight_exp10((l * l + 125 * l) / 612 - 7.0 / 34);
	return (uint64_t)(weight + 1 - WEIGHT_EPSILON);
}

uint64_t weight_io(uint64_t weight)
{
	if (weight < 10)
		weight = 10;
	if (weight > 1000)
		weight = 1000;
	return 1 + ((weight - 10) * 9999) / 990;
}
