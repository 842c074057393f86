/* test_oci_config.c - E10, E22, E25: image configurations. */
#include "engine/image/oci_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define HEX64 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define DOC(config)                                                            \
	"{\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":" config      \
	",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" HEX64       \
	"\"]}}"

static int parse(const char *text, struct arena *a, struct oci_config *out,
		 struct err *e)
{
	return oci_config_parse(text, strlen(text), "linux", "amd64", a, out,
				e);
}

static void reads_all(void **state)
{
	static const char text[] = DOC(
		"{\"Entrypoint\":[\"/a\",\"b "
		"c\"],\"Cmd\":null,\"Env\":[\"A=1\","
		"\"B=\"],\"User\":\"1:2\",\"WorkingDir\":\"/w\",\"Volumes\":{"
		"\"/z\":{},\"/d\":{}},\"ExposedPorts\":{\"80/tcp\":{}},"
		"\"StopSignal\":\"SIGINT\",\"Labels\":{\"x\":\"y\"}}");
	struct arena *a = arena_new(1u << 20);
	struct oci_config c;
	struct err e = {0};

	(void)state;
	assert_int_equal(parse(text, a, &c, &e), 0);
	assert_int_equal(c.entrypoint.n, 2);
	assert_string_equal(c.entrypoint.items[1], "b c");
	assert_int_equal(c.cmd.n, 0);
	assert_string_equal(c.env.items[1], "B=");
	assert_string_equal(c.volumes.items[0], "/d");
	assert_string_equal(c.volumes.items[1], "/z");
	assert_string_equal(c.exposed_ports.items[0], "80/tcp");
	assert_string_equal(c.user, "1:2");
	assert_string_equal(c.stop_signal, "SIGINT");
	assert_int_equal(c.diff_ids.n, 1);
	assert_int_equal(parse(DOC("null"), a, &c, &e), 0);
	assert_string_equal(c.user, "");
	arena_free(a);
}

static void refuses(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *why;
	} bad[] = {
		{"{}", ERR_INPUT, "os and architecture"},
		{"[]", ERR_INPUT, "JSON object"},
		{"{\"os\":\"linux\",\"architecture\":\"arm\"}", ERR_NOTFOUND,
		 "image is for linux/arm, want linux/amd64"},
		{"{\"os\":\"linux\",\"architecture\":\"amd64\"}", ERR_INPUT,
		 "rootfs.type"},
		{DOC("3"), ERR_INPUT, "want an object"},
		{DOC("{\"Env\":\"A=1\"}"), ERR_INPUT, "Env: want a list"},
		{DOC("{\"Env\":[3]}"), ERR_INPUT, "Env[0]: want a string"},
		{DOC("{\"Env\":[\"=x\"]}"), ERR_INPUT, "want NAME=value"},
		{DOC("{\"User\":\"a\\nb\"}"), ERR_INPUT, "User"},
		{DOC("{\"User\":\"a\\u0000b\"}"), ERR_INPUT, "config"},
		{DOC("{\"Volumes\":{\"/a/../..\":{}}}"), ERR_INPUT, "Volumes"},
		{DOC("{\"Volumes\":{\"data\":{}}}"), ERR_INPUT, "Volumes"},
		{DOC("{\"Volumes\":[\"/a\"]}"), ERR_INPUT, "Volumes"},
		{DOC("{\"Cmd\":[\"a\"],\"Cmd\":[\"b\"]}"), ERR_INPUT, "config"},
	};
	struct arena *a = arena_new(1u << 20);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct oci_config c;
		struct err e = {0};

		assert_int_equal(parse(bad[i].text, a, &c, &e), bad[i].code);
		if (!strstr(e.msg, bad[i].why))
			fail_msg("%s: %s", bad[i].text, e.msg);
	}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_all),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
