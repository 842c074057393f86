/* test_oci_type.c - walks the table of media types. */
#include "engine/image/oci_type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void table_has_no_gaps(void **state)
{
	const struct oci_type *t;
	size_t n;

	(void)state;
	for (n = 0; (t = oci_type_row(n)) != NULL; n++) {
		const struct oci_type *found = NULL;
		struct err e = {0};
		int r;

		assert_ptr_equal(oci_type_find(t->name), t);
		assert_int_equal(t->why != NULL, t->role == OCI_ROLE_REFUSED);
		r = oci_type_want(t->name, t->role, "x", &found, &e);
		if (t->why) {
			assert_int_equal(r, ERR_INPUT);
			assert_non_null(strstr(e.msg, t->why));
		} else {
			assert_int_equal(r, 0);
			assert_ptr_equal(found, t);
		}
	}
	assert_true(n > 15);
	assert_null(oci_type_find(""));
	assert_null(oci_type_find(NULL));
}

static void roles_are_not_exchanged(void **state)
{
	const struct oci_type *t = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(
		oci_type_want("application/vnd.oci.image.index.v1+json",
			      OCI_ROLE_LAYER, "layers[0]", &t, &e),
		ERR_INPUT);
	assert_non_null(strstr(e.msg, "layers[0]: want the media type of a "
				      "file system layer"));
	assert_int_equal(
		oci_type_want("text/\x1b[2J", OCI_ROLE_LAYER, "x", &t, &e),
		ERR_INPUT);
	assert_null(strchr(e.msg, '\x1b'));
	assert_int_equal(oci_type_want(NULL, OCI_ROLE_LAYER, "x", &t, &e),
			 ERR_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_has_no_gaps),
		cmocka_unit_test(roles_are_not_exchanged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
