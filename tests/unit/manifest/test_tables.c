/* test_tables.c - walks every field table: no gaps, sorted, consistent. */
#include "lib/arena.h"
#include "manifest/kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define DEPTH_MAX 16

static void check_field(const struct table *t, const struct field *f)
{
	assert_non_null(f->name);
	assert_true(f->class < FIELD_CLASS_COUNT);
	assert_true(f->type < FIELD_TYPE_COUNT);
	if (f->class == FIELD_NOT_YET) {
		assert_non_null(f->since);
		assert_non_null(f->hint);
	} else if (f->class == FIELD_REFUSED) {
		assert_non_null(f->hint);
	} else {
		assert_non_null(f->doc);
	}
	if (f->later) {
		assert_non_null(f->values);
		assert_non_null(f->since);
		assert_non_null(f->hint);
	}
	if (f->variant)
		assert_true(t->variant > 0);
	if (f->class > FIELD_INERT)
		return;
	if (f->type == FIELD_OBJ || f->type == FIELD_OBJS)
		assert_non_null(f->table);
	if (f->type == FIELD_OBJS)
		assert_true(f->table->size > 0);
	if (f->type == FIELD_ENUM)
		assert_non_null(f->values);
}

static void walk(const struct table *t, int depth, size_t *fields)
{
	assert_true(depth < DEPTH_MAX);
	assert_true(t->n <= 128);
	assert_non_null(t->name);
	for (size_t i = 0; i < t->n; i++) {
		const struct field *f = &t->fields[i];

		check_field(t, f);
		if (i > 0 && strcmp(t->fields[i - 1].name, f->name) >= 0)
			fail_msg("%s: %s is not sorted", t->name, f->name);
		assert_ptr_equal(field_find(t, f->name), f);
		(*fields)++;
		if (f->table && f->class <= FIELD_INERT)
			walk(f->table, depth + 1, fields);
	}
	assert_null(field_find(t, "\x7f"));
	assert_null(field_find(t, ""));
}

static void tables_are_whole(void **state)
{
	char version[80];
	size_t fields = 0;

	(void)state;
	for (int i = 0; i < MANIFEST_KIND_COUNT; i++) {
		const struct kind_row *row = kind_get((enum manifest_kind)i);
		enum manifest_kind back;

		assert_non_null(row->name);
		assert_non_null(row->api_version);
		assert_int_equal(kind_find(row->name, &back), 0);
		assert_int_equal(back, i);
		/* RBAC rules name the group that apiVersion has */
		(void)snprintf(version, sizeof(version), "%s%s%s", row->group,
			       row->group[0] ? "/" : "",
			       strrchr(row->api_version, 'v'));
		assert_string_equal(version, row->api_version);
		assert_true(row->resource[strlen(row->resource) - 1] == 's');
		walk(row->table, 0, &fields);
	}
	assert_true(fields > 500);
}

/* Every field that is decoded has an explanation under its path. */
static void explain_all(const struct table *t, const char *path,
			struct buf *out, int depth)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct field *f = &t->fields[i];
		char sub[512];
		struct err err;

		(void)snprintf(sub, sizeof(sub), "%s.%s%s", path, f->name,
			       f->type == FIELD_OBJS && f->table ? "[]" : "");
		buf_reset(out);
		if (manifest_explain(sub, out, &err) < 0)
			fail_msg("%s: %s", sub, err.msg);
		assert_true(out->len > 0);
		if (f->table && f->class <= FIELD_INERT && depth < DEPTH_MAX)
			explain_all(f->table, sub, out, depth + 1);
	}
}

static void explain_reaches_every_field(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 16);
	for (int i = 0; i < MANIFEST_KIND_COUNT; i++) {
		const struct kind_row *row = kind_get((enum manifest_kind)i);

		explain_all(row->table, row->name, &out, 0);
	}
	buf_release(&out);
}

static void codes_are_unique(void **state)
{
	(void)state;
	for (int i = 0; i < CODE_COUNT; i++) {
		enum code back;

		assert_int_equal(strlen(codes_id((enum code)i)), 4);
		assert_int_equal(codes_find(codes_id((enum code)i), &back), 0);
		assert_int_equal(back, i);
		assert_true(codes_title((enum code)i)[0]);
		if (i > 0)
			assert_true(strcmp(codes_id((enum code)(i - 1)),
					   codes_id((enum code)i)) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_whole),
		cmocka_unit_test(explain_reaches_every_field),
		cmocka_unit_test(codes_are_unique),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
