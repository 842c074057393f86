/* quantity.c - exact: mantissa * 10^e10 * 2^e2 in 128 bits; pure. */
#include "manifest/quantity.h"

#include <stddef.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

#define DIGITS_MAX 24 /* 10^24 < 2^80; more significant digits are refused */
#define EXPONENT_MAX 40

static const struct {
	const char *name;
	int e10, e2;
} suffixes[] = {
	{"", 0, 0},    {"n", -9, 0},  {"u", -6, 0},  {"m", -3, 0},
	{"k", 3, 0},   {"M", 6, 0},   {"G", 9, 0},   {"T", 12, 0},
	{"P", 15, 0},  {"E", 18, 0},  {"Ki", 0, 10}, {"Mi", 0, 20},
	{"Gi", 0, 30}, {"Ti", 0, 40}, {"Pi", 0, 50}, {"Ei", 0, 60},
};

struct number {
	wide mantissa;
	int e10, e2;
};

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static enum quantity_result read_digits(const char **ps, struct number *n)
{
	const char *s = *ps;
	int digits = 0, significant = 0;
	bool point = false;

	for (; digit(*s) || (*s == '.' && !point); s++) {
		if (*s == '.') {
			point = true;
			continue;
		}
		digits++;
		if (n->mantissa > 0 || *s != '0')
			significant++;
		if (significant > DIGITS_MAX)
			return QUANTITY_RANGE;
		n->mantissa = n->mantissa * 10 + (wide)(unsigned int)(*s - '0');
		if (point)
			n->e10--;
	}
	*ps = s;
	return digits > 0 ? QUANTITY_OK : QUANTITY_BAD;
}

static enum quantity_result read_suffix(const char *s, struct number *n)
{
	bool negative;
	int e = 0;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strcmp(s, suffixes[i].name) == 0) {
			n->e10 += suffixes[i].e10;
			n->e2 += suffixes[i].e2;
			return QUANTITY_OK;
		}
	if (*s != 'e' && *s != 'E')
		return QUANTITY_BAD;
	s++;
	negative = *s == '-';
	if (*s == '+' || *s == '-')
		s++;
	if (!digit(*s))
		return QUANTITY_BAD;
	for (; digit(*s); s++)
		if (e <= EXPONENT_MAX)
			e = e * 10 + (*s - '0');
	if (*s)
		return QUANTITY_BAD;
	if (e > EXPONENT_MAX && !negative && n->mantissa > 0)
		return QUANTITY_RANGE;
	n->e10 += negative ? -e : e;
	return QUANTITY_OK;
}

static bool times(wide *v, unsigned int factor)
{
	return !__builtin_mul_overflow(*v, (wide)factor, v);
}

enum quantity_result quantity_parse(const char *text, int decimals,
				    int64_t *out, bool *out_fraction)
{
	struct number n = {0};
	bool negative = *text == '-', fraction = false;
	enum quantity_result r;

	if (*text == '+' || *text == '-')
		text++;
	r = read_digits(&text, &n);
	if (r == QUANTITY_OK)
		r = read_suffix(text, &n);
	if (r != QUANTITY_OK)
		return r;
	if (negative && n.mantissa > 0)
		return QUANTITY_RANGE;
	n.e10 += decimals;
	while (n.mantissa > 0 && n.e2 > 0) {
		if (!times(&n.mantissa, 2))
			return QUANTITY_RANGE;
		n.e2--;
	}
	while (n.mantissa > 0 && n.e10 > 0) {
		if (!times(&n.mantissa, 10))
			return QUANTITY_RANGE;
		n.e10--;
	}
	while (n.mantissa > 0 && n.e10 < 0) {
		fraction = fraction || n.mantissa % 10 != 0;
		n.mantissa /= 10;
		if (++n.e10 < 0 && n.mantissa == 0)
			break;
	}
	if (fraction)
		n.mantissa++;
	if (n.mantissa > INT64_MAX)
		return QUANTITY_RANGE;
	*out = (int64_t)n.mantissa;
	if (out_fraction)
		*out_fraction = fraction;
	return QUANTITY_OK;
}
