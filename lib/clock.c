/* clock.c - reading the clocks, RFC 3339 text in UTC.  No time zone files. */
#include "lib/clock.h"
#include "lib/num.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_MS ((int64_t)86400000)
#define SPAN_S_MAX ((int64_t)3650 * 86400)

static int64_t read_ms(clockid_t id)
{
	struct timespec ts = {0};

	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_unix_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

int64_t clock_boot_ms(void)
{
	return read_ms(CLOCK_BOOTTIME);
}

/* Days since 1970-01-01 of a proleptic Gregorian date; the year is counted
 * from March so that the leap day is its last. */
static int64_t days_from_civil(int64_t y, int64_t m, int64_t d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void civil_from_days(int64_t z, int64_t *y, int64_t *m, int64_t *d)
{
	int64_t era, doe, yoe, doy, mp;

	z += 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = yoe + era * 400 + (*m <= 2);
}

/* Fixed-width decimal; v is within the width. */
static void put_digits(char *dst, int64_t v, size_t width)
{
	for (size_t i = width; i > 0; i--, v /= 10)
		dst[i - 1] = (char)('0' + v % 10);
}

const char *clock_rfc3339(int64_t unix_ms, char out[CLOCK_RFC3339_BYTES])
{
	const int64_t min = -62167219200000; /* 0000-01-01 */
	const int64_t max = 253402300799999; /* 9999-12-31 */
	int64_t ms = unix_ms < min ? min : unix_ms > max ? max : unix_ms;
	int64_t days = ms / DAY_MS, rest = ms % DAY_MS;
	int64_t y, m, d;

	if (rest < 0) {
		rest += DAY_MS;
		days--;
	}
	civil_from_days(days, &y, &m, &d);
	memcpy(out, "0000-00-00T00:00:00.000Z", 25);
	put_digits(out, y, 4);
	put_digits(out + 5, m, 2);
	put_digits(out + 8, d, 2);
	put_digits(out + 11, rest / 3600000, 2);
	put_digits(out + 14, rest / 60000 % 60, 2);
	put_digits(out + 17, rest / 1000 % 60, 2);
	put_digits(out + 20, rest % 1000, 3);
	return out;
}

static bool take_digits(const char **p, size_t n, int64_t *out)
{
	int64_t v = 0;

	for (size_t i = 0; i < n; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		v = v * 10 + (**p - '0');
	}
	*out = v;
	return true;
}

static bool take_char(const char **p, char c)
{
	return *(*p)++ == c;
}

/* Optional ".digits" (1..9) as milliseconds; further digits are dropped. */
static bool take_fraction(const char **p, int64_t *out_ms)
{
	int64_t ms = 0;
	int n = 0;

	*out_ms = 0;
	if (**p != '.')
		return true;
	for ((*p)++; **p >= '0' && **p <= '9' && n < 9; (*p)++, n++)
		if (n < 3)
			ms = ms * 10 + (**p - '0');
	if (n == 0)
		return false;
	for (; n < 3; n++)
		ms *= 10;
	*out_ms = ms;
	return true;
}

static int64_t month_days(int64_t y, int64_t m)
{
	static const int8_t days[] = {31, 28, 31, 30, 31, 30,
				      31, 31, 30, 31, 30, 31};
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return days[m - 1] + (m == 2 && leap ? 1 : 0);
}

bool clock_parse_rfc3339(const char *text, int64_t *out_unix_ms)
{
	int64_t y, mo, d, h, mi, s, ms;
	const char *p = text;

	if (!take_digits(&p, 4, &y) || !take_char(&p, '-') ||
	    !take_digits(&p, 2, &mo) || !take_char(&p, '-') ||
	    !take_digits(&p, 2, &d) || !take_char(&p, 'T') ||
	    !take_digits(&p, 2, &h) || !take_char(&p, ':') ||
	    !take_digits(&p, 2, &mi) || !take_char(&p, ':') ||
	    !take_digits(&p, 2, &s) || !take_fraction(&p, &ms) ||
	    !take_char(&p, 'Z') || *p != '\0')
		return false;
	/* a leap second has no Unix time */
	if (mo < 1 || mo > 12 || d < 1 || d > month_days(y, mo) || h > 23 ||
	    mi > 59 || s > 59)
		return false;
	*out_unix_ms = days_from_civil(y, mo, d) * DAY_MS + h * 3600000 +
		       mi * 60000 + s * 1000 + ms;
	return true;
}

bool clock_parse_span(const char *text, int64_t *out_s)
{
	static const struct {
		char unit;
		int64_t s;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	size_t n = strspn(text, "0123456789");
	int64_t v;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (text[n] != units[i].unit || text[n + 1] != '\0')
			continue;
		if (!num_parse_i64(text, n, 1, SPAN_S_MAX / units[i].s, &v))
			return false;
		*out_s = v * units[i].s;
		return true;
	}
	return false;
}
