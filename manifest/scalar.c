/*
 * scalar.c - classes of plain scalars (manifests.md 6.5, threats A54).  Pure;
 * input is hostile.  The first byte sorts out nearly every string at once.
 */
#include "manifest/scalar.h"

#include <string.h>

static const struct {
	const char *word;
	enum scalar_class class;
} words[] = {
	{"~", SCALAR_NULL},	   {"null", SCALAR_NULL},
	{"Null", SCALAR_NULL},	   {"NULL", SCALAR_NULL},
	{"true", SCALAR_BOOL},	   {"True", SCALAR_BOOL},
	{"TRUE", SCALAR_BOOL},	   {"false", SCALAR_BOOL},
	{"False", SCALAR_BOOL},	   {"FALSE", SCALAR_BOOL},
	{"y", SCALAR_BOOL_WORD},   {"Y", SCALAR_BOOL_WORD},
	{"yes", SCALAR_BOOL_WORD}, {"Yes", SCALAR_BOOL_WORD},
	{"YES", SCALAR_BOOL_WORD}, {"n", SCALAR_BOOL_WORD},
	{"N", SCALAR_BOOL_WORD},   {"no", SCALAR_BOOL_WORD},
	{"No", SCALAR_BOOL_WORD},  {"NO", SCALAR_BOOL_WORD},
	{"on", SCALAR_BOOL_WORD},  {"On", SCALAR_BOOL_WORD},
	{"ON", SCALAR_BOOL_WORD},  {"off", SCALAR_BOOL_WORD},
	{"Off", SCALAR_BOOL_WORD}, {"OFF", SCALAR_BOOL_WORD},
	{".inf", SCALAR_FLOAT},	   {".Inf", SCALAR_FLOAT},
	{".INF", SCALAR_FLOAT},	   {"+.inf", SCALAR_FLOAT},
	{"-.inf", SCALAR_FLOAT},   {"+.Inf", SCALAR_FLOAT},
	{"-.Inf", SCALAR_FLOAT},   {"+.INF", SCALAR_FLOAT},
	{"-.INF", SCALAR_FLOAT},   {".nan", SCALAR_FLOAT},
	{".NaN", SCALAR_FLOAT},	   {".NAN", SCALAR_FLOAT},
};

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Number of leading bytes of s that are in set. */
static size_t span(const char *s, size_t len, const char *set)
{
	size_t i = 0;

	while (i < len && s[i] && strchr(set, s[i]))
		i++;
	return i;
}

static bool is_float(const char *s, size_t len)
{
	size_t whole = span(s, len, "0123456789_"), frac = 0, i = whole;

	if (i < len && s[i] == '.') {
		frac = span(s + i + 1, len - i - 1, "0123456789_");
		i += 1 + frac;
	}
	if (whole + frac == 0)
		return false;
	if (i < len && (s[i] == 'e' || s[i] == 'E')) {
		size_t exp;

		i++;
		if (i < len && (s[i] == '+' || s[i] == '-'))
			i++;
		exp = span(s + i, len - i, "0123456789");
		if (exp == 0)
			return false;
		i += exp;
	}
	return i == len;
}

/* 1:30, 12:30:59 - base 60 in YAML 1.1. */
static bool is_base60(const char *s, size_t len)
{
	size_t i = span(s, len, "0123456789_");
	bool colon = false;

	while (i > 0 && i < len && s[i] == ':') {
		size_t n = span(s + i + 1, len - i - 1, "0123456789");

		if (n < 1 || n > 2 || (n == 2 && s[i + 1] > '5'))
			return false;
		i += 1 + n;
		colon = true;
	}
	return colon && i == len;
}

static enum scalar_class prefixed(const char *s, size_t len)
{
	if (len < 3 || s[0] != '0')
		return SCALAR_STRING;
	if ((s[1] == 'x' || s[1] == 'X') &&
	    span(s + 2, len - 2, "0123456789abcdefABCDEF_") == len - 2)
		return SCALAR_INT_ODD;
	if (s[1] == 'b' && span(s + 2, len - 2, "01_") == len - 2)
		return SCALAR_INT_ODD;
	if (s[1] == 'o' && span(s + 2, len - 2, "01234567") == len - 2)
		return SCALAR_OCTAL;
	return SCALAR_STRING;
}

static enum scalar_class number(const char *text, size_t len)
{
	bool sign = text[0] == '+' || text[0] == '-';
	const char *s = sign ? text + 1 : text;
	size_t n = sign ? len - 1 : len;
	size_t digits = span(s, n, "0123456789");
	enum scalar_class c;

	if (n == 0)
		return SCALAR_STRING;
	if (digits == n) {
		if (text[0] == '+')
			return SCALAR_INT_ODD;
		if (n == 1 || s[0] != '0')
			return SCALAR_INT;
		if (!sign && span(s, n, "01234567") == n)
			return SCALAR_OCTAL;
		return SCALAR_INT_ODD;
	}
	c = prefixed(s, n);
	if (c != SCALAR_STRING)
		return sign ? SCALAR_INT_ODD : c;
	if (digit(s[0]) && span(s, n, "0123456789_") == n)
		return SCALAR_INT_ODD;
	if (is_base60(s, n))
		return SCALAR_INT_ODD;
	return is_float(s, n) ? SCALAR_FLOAT : SCALAR_STRING;
}

enum scalar_class scalar_class(const char *text, size_t len)
{
	if (len == 0)
		return SCALAR_NULL;
	if (len <= 5 && strchr("~nNtTfFyYoO.+-", text[0]))
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strcmp(text, words[i].word) == 0)
				return words[i].class;
	if (digit(text[0]) || text[0] == '.' || text[0] == '+' ||
	    text[0] == '-')
		return number(text, len);
	return SCALAR_STRING;
}

const char *scalar_class_name(enum scalar_class c)
{
	static const char *const names[] = {
		[SCALAR_STRING] = "a string",
		[SCALAR_NULL] = "null",
		[SCALAR_BOOL] = "a boolean",
		[SCALAR_BOOL_WORD] = "a YAML 1.1 boolean",
		[SCALAR_INT] = "an integer",
		[SCALAR_OCTAL] = "an octal integer",
		[SCALAR_INT_ODD] = "an ambiguous number",
		[SCALAR_FLOAT] = "a decimal number",
	};

	return names[c];
}

bool scalar_bool(const char *text)
{
	return text[0] == 't' || text[0] == 'T';
}

bool scalar_octal(const char *text, size_t len, int64_t max, int64_t *out)
{
	int64_t v = 0;

	for (size_t i = len > 1 && text[1] == 'o' ? 2 : 0; i < len; i++) {
		v = v * 8 + (text[i] - '0');
		if (v > max)
			return false;
	}
	*out = v;
	return true;
}
