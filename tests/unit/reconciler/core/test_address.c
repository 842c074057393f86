/* test_address.c - addresses of Services and hosts. */
#include "reconciler/core/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct object service(const char *name, const char *ip)
{
	return (struct object){
		.kind = MANIFEST_SERVICE,
		.meta = {.name = name, .namespace = "default"},
		.service = {.type = "ClusterIP", .cluster_ip = ip},
	};
}

struct result {
	struct world_service *items;
	size_t n;
	struct diags diags;
};

static void allocate(struct object *list, size_t n, const struct world *old,
		     const char *cidr, struct arena *a, struct result *out)
{
	struct objects set = {list, n};
	struct err err = {0};

	diags_init(&out->diags, a, 10);
	assert_int_equal(address_services(&set, old, cidr, a, &out->diags,
					  &out->items, &out->n, &err),
			 0);
}

static void test_stable_and_distinct(void **state)
{
	struct arena *a = arena_new(1u << 20);
	struct object list[] = {service("a", NULL), service("b", NULL),
				service("head", "None")};
	struct world none = {0};
	struct result one, two;

	(void)state;
	allocate(list, 3, &none, "10.96.0.0/24", a, &one);
	assert_int_equal(one.n, 2);
	assert_string_not_equal(one.items[0].cluster_ip,
				one.items[1].cluster_ip);
	none.services = one.items;
	none.n_services = one.n;
	allocate(list, 3, &none, "10.96.0.0/24", a, &two);
	assert_string_equal(one.items[0].cluster_ip, two.items[0].cluster_ip);
	assert_string_equal(one.items[1].cluster_ip, two.items[1].cluster_ip);
	arena_free(a);
}

static void test_literal_rules(void **state)
{
	struct arena *a = arena_new(1u << 20);
	struct object list[] = {service("a", "10.96.0.7"),
				service("b", "10.96.0.7"),
				service("c", "10.97.0.1")};
	struct world none = {0};
	struct result one;

	(void)state;
	allocate(list, 3, &none, "10.96.0.0/24", a, &one);
	assert_int_equal(one.n, 1);
	assert_int_equal(one.diags.n_errors, 2);
	assert_string_equal(one.diags.items[0].code, "R302");
	assert_string_equal(one.diags.items[1].code, "R301");
	arena_free(a);
}

static void test_pool_is_used_up_without_clash(void **state)
{
	struct arena *a = arena_new(1u << 20);
	struct object list[16];
	char names[16][4];
	struct world none = {0};
	struct result one;

	(void)state;
	for (int i = 0; i < 16; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "s%d", i);
		list[i] = service(names[i], NULL);
	}
	allocate(list, 16, &none, "10.96.0.0/28", a, &one);
	assert_int_equal(one.n, 14); /* without network and broadcast */
	for (size_t i = 0; i < one.n; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(one.items[i].cluster_ip,
						one.items[j].cluster_ip);
	arena_free(a);
}

static void test_host_blocks(void **state)
{
	struct arena *a = arena_new(1u << 20);
	const char *block = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(
		address_host_block("10.244.0.0/16", 3, a, &block, &err), 0);
	assert_string_equal(block, "10.244.3.0/24");
	assert_int_equal(
		address_host_block("10.244.0.0/23", 2, a, &block, &err),
		ERR_LIMIT);
	assert_int_equal(address_host_block("10.244.0.0", 0, a, &block, &err),
			 ERR_INPUT);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stable_and_distinct),
		cmocka_unit_test(test_literal_rules),
		cmocka_unit_test(test_pool_is_used_up_without_clash),
		cmocka_unit_test(test_host_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
