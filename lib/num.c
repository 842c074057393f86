/* num.c - checked arithmetic and strict decimal numbers.  Pure. */
#include "lib/num.h"

bool num_add(size_t a, size_t b, size_t *out)
{
	size_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*out = sum;
	return true;
}

bool num_mul(size_t a, size_t b, size_t *out)
{
	size_t product;

	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*out = product;
	return true;
}

bool num_parse_u64(const char *text, size_t len, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (len == 0 || (len > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned int digit = (unsigned int)(unsigned char)text[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, digit, &v) || v > max)
			return false;
	}
	*out = v;
	return true;
}

bool num_parse_i64(const char *text, size_t len, int64_t min, int64_t max,
		   int64_t *out)
{
	bool negative = len > 0 && text[0] == '-';
	uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
	uint64_t v;
	int64_t value;

	if (!num_parse_u64(text + (negative ? 1 : 0), len - (negative ? 1 : 0),
			   limit, &v))
		return false;
	if (negative && v == 0)
		return false; /* "-0" is not a number that we write */
	value = negative ? (int64_t)(0 - v) : (int64_t)v;
	if (value < min || value > max)
		return false;
	*out = value;
	return true;
}
