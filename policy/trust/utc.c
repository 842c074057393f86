/*
 * utc.c - see utc.h.
 */
#include "policy/trust/utc.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static int digits(const char *at, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++)
		v = v * 10 + (at[i] - '0');
	return v;
}

static bool leap(int y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* Days from 1970-01-01, proleptic Gregorian, years 1970..9999. */
static int64_t days_before(int year, int month, int day)
{
	static const int before[] = {0,	  31,  59,  90,	 120, 151,
				     181, 212, 243, 273, 304, 334};
	int64_t y = year - 1;
	int64_t days = y * 365 + y / 4 - y / 100 + y / 400 - 719162;

	days += before[month - 1] + day - 1;
	return days + (month > 2 && leap(year));
}

enum utc_result utc_parse(const char *text, int64_t *out_unix_s)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30,
				      31, 31, 30, 31, 30, 31};
	size_t n = strspn(text, "0123456789");
	bool zulu = text[n] == 'Z' && text[n + 1] == '\0';
	int year;
	int month;
	int day;
	int hour = 0;
	int minute = 0;
	int second = 0;

	if ((n != 8 && n != 12 && n != 14) || (!zulu && text[n] != '\0'))
		return UTC_BAD;
	year = digits(text, 4);
	month = digits(text + 4, 2);
	day = digits(text + 6, 2);
	if (n >= 12) {
		hour = digits(text + 8, 2);
		minute = digits(text + 10, 2);
	}
	if (n == 14)
		second = digits(text + 12, 2);
	if (year < 1970 || month < 1 || month > 12 || day < 1 ||
	    day > lengths[month - 1] + (month == 2 && leap(year)) ||
	    hour > 23 || minute > 59 || second > 59)
		return UTC_BAD;
	if (!zulu)
		return UTC_LOCAL;
	*out_unix_s = days_before(year, month, day) * 86400 +
		      (int64_t)hour * 3600 + (int64_t)minute * 60 + second;
	return UTC_OK;
}
