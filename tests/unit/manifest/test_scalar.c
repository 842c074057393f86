/* test_scalar.c - classes of plain scalars and quantities (A54, A55). */
#include "manifest/quantity.h"
#include "manifest/scalar.h"
#include "manifest/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

static void A54_classes(void **state)
{
	static const struct {
		const char *text;
		enum scalar_class class;
	} rows[] = {
		{"", SCALAR_NULL},	   {"~", SCALAR_NULL},
		{"null", SCALAR_NULL},	   {"nULL", SCALAR_STRING},
		{"true", SCALAR_BOOL},	   {"FALSE", SCALAR_BOOL},
		{"yes", SCALAR_BOOL_WORD}, {"Off", SCALAR_BOOL_WORD},
		{"y", SCALAR_BOOL_WORD},   {"nope", SCALAR_STRING},
		{"0", SCALAR_INT},	   {"-12", SCALAR_INT},
		{"+12", SCALAR_INT_ODD},   {"012", SCALAR_OCTAL},
		{"0o17", SCALAR_OCTAL},	   {"-012", SCALAR_INT_ODD},
		{"089", SCALAR_INT_ODD},   {"0x1F", SCALAR_INT_ODD},
		{"0b11", SCALAR_INT_ODD},  {"1_000", SCALAR_INT_ODD},
		{"1:30", SCALAR_INT_ODD},  {"12:34:56", SCALAR_INT_ODD},
		{"80:80", SCALAR_STRING},  {"1.20", SCALAR_FLOAT},
		{"1.", SCALAR_FLOAT},	   {".5", SCALAR_FLOAT},
		{"1e3", SCALAR_FLOAT},	   {"1e", SCALAR_STRING},
		{"-1.5E-7", SCALAR_FLOAT}, {".inf", SCALAR_FLOAT},
		{".nan", SCALAR_FLOAT},	   {"1.2.3", SCALAR_STRING},
		{"-", SCALAR_STRING},	   {".", SCALAR_STRING},
		{"500m", SCALAR_STRING},   {"2001-12-14", SCALAR_STRING},
		{"0x", SCALAR_STRING},	   {"0xg", SCALAR_STRING},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (scalar_class(rows[i].text, strlen(rows[i].text)) !=
		    rows[i].class)
			fail_msg("'%s'", rows[i].text);
}

static void A55_quantities(void **state)
{
	static const struct {
		const char *text;
		int decimals;
		enum quantity_result result;
		int64_t value;
	} rows[] = {
		{"0", 3, QUANTITY_OK, 0},
		{"500m", 3, QUANTITY_OK, 500},
		{"0.5", 3, QUANTITY_OK, 500},
		{".5", 3, QUANTITY_OK, 500},
		{"2", 3, QUANTITY_OK, 2000},
		{"2.", 3, QUANTITY_OK, 2000},
		{"0.0001", 3, QUANTITY_OK, 1},
		{"1u", 3, QUANTITY_OK, 1},
		{"1n", 3, QUANTITY_OK, 1},
		{"1001u", 3, QUANTITY_OK, 2},
		{"10e3", 0, QUANTITY_OK, 10000},
		{"1E3", 0, QUANTITY_OK, 1000},
		{"1E", 0, QUANTITY_OK, 1000000000000000000},
		{"128Mi", 0, QUANTITY_OK, 134217728},
		{"1.5Gi", 0, QUANTITY_OK, 1610612736},
		{"0.1Ki", 0, QUANTITY_OK, 103},
		{"100m", 0, QUANTITY_OK, 1},
		{"7Ei", 0, QUANTITY_OK, 8070450532247928832},
		{"8Ei", 0, QUANTITY_RANGE, 0},
		{"9223372036854775807", 0, QUANTITY_OK, INT64_MAX},
		{"9223372036854775808", 0, QUANTITY_RANGE, 0},
		{"99999999999999999999999999", 0, QUANTITY_RANGE, 0},
		{"1e99", 0, QUANTITY_RANGE, 0},
		{"1e99999999999999999999", 0, QUANTITY_RANGE, 0},
		{"0e99999999999999999999", 0, QUANTITY_OK, 0},
		{"1e-99", 0, QUANTITY_OK, 1},
		{"-1", 0, QUANTITY_RANGE, 0},
		{"-0", 0, QUANTITY_OK, 0},
		{"+1", 0, QUANTITY_OK, 1},
		{"", 0, QUANTITY_BAD, 0},
		{".", 0, QUANTITY_BAD, 0},
		{"1mi", 0, QUANTITY_BAD, 0},
		{"1K", 0, QUANTITY_BAD, 0},
		{"1 Ki", 0, QUANTITY_BAD, 0},
		{"1e", 0, QUANTITY_BAD, 0},
		{"1.2.3", 0, QUANTITY_BAD, 0},
		{"Ki", 0, QUANTITY_BAD, 0},
		{"--1", 0, QUANTITY_BAD, 0},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		int64_t v = 0;
		enum quantity_result r = quantity_parse(
			rows[i].text, rows[i].decimals, &v, NULL);

		if (r != rows[i].result || v != rows[i].value)
			fail_msg("'%s': %d, %lld", rows[i].text, (int)r,
				 (long long)v);
	}
}

static void A53_characters(void **state)
{
	static const struct {
		const char *text;
		enum scan_result result;
	} rows[] = {
		{"plain\ttext\r\nand \xc3\xa9\n", SCAN_OK},
		{"\xf0\x9f\x98\x80", SCAN_OK},
		{"\x1b[31m", SCAN_BAD_CHAR},
		{"\x7f", SCAN_BAD_CHAR},
		{"\xc2\x85", SCAN_BAD_CHAR},
		{"\xe2\x80\xa9", SCAN_BAD_CHAR},
		{"\xe2\x81\xa6", SCAN_BAD_CHAR},
		{"\xd8\x9c", SCAN_BAD_CHAR},
		{"\xf3\xa0\x81\x81", SCAN_BAD_CHAR},
		{"\xef\xbf\xbf", SCAN_BAD_CHAR},
		{"\xc0\x80", SCAN_NOT_UTF8},
		{"\xed\xbf\xbf", SCAN_NOT_UTF8},
		{"\xf4\x90\x80\x80", SCAN_NOT_UTF8},
		{"\xe2\x82", SCAN_NOT_UTF8},
		{"\x80", SCAN_NOT_UTF8},
		{"a\rb", SCAN_BAD_BREAK},
	};
	struct scan_at at;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		if (scan_bytes(rows[i].text, strlen(rows[i].text), &at) !=
		    rows[i].result)
			fail_msg("row %zu", i);
	assert_int_equal(scan_bytes("a\n\xc3\xa9\0", 5, &at), SCAN_BAD_CHAR);
	assert_int_equal(at.line, 2);
	assert_int_equal(at.column, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A54_classes),
		cmocka_unit_test(A55_quantities),
		cmocka_unit_test(A53_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
