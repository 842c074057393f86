/* test_conf.c - the table decides; messages have file:line:column. */
#include "lib/conf.h"
#include "lib/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

struct target {
	const char *name, *dir, *net;
	int64_t port;
	bool on;
	struct conf_list hosts;
};

static const struct conf_key keys[] = {
	{"name", CONF_STRING, offsetof(struct target, name), "x", 0, 0, "N."},
	{"dir", CONF_PATH, offsetof(struct target, dir), "/var", 0, 0, "D."},
	{"network", CONF_CIDR, offsetof(struct target, net), "10.0.0.0/8", 0, 0,
	 "C."},
	{"port", CONF_INT, offsetof(struct target, port), NULL, 1, 65535,
	 "Port."},
	{"on", CONF_BOOL, offsetof(struct target, on), "true", 0, 0, "B."},
	{"host", CONF_LIST, offsetof(struct target, hosts), "a", 0, 0, "L."},
};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static int load(const char *text, struct target *t, struct arena *a,
		struct err *e)
{
	char path[] = "/tmp/test-conf-XXXXXX";
	int fd = mkstemp(path);
	int r;

	assert_true(fd >= 0);
	assert_int_equal(file_write_fd(fd, text, strlen(text), e), 0);
	(void)close(fd);
	r = conf_load(path, keys, N_KEYS, t, a, e);
	(void)unlink(path);
	return r;
}

static void reads_all_types(void **state)
{
	struct arena *a = arena_new(1u << 20);
	struct target t = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(load("# c\n\n port = 8443 \r\nname=a = b#c\n"
			      "network\t=\t192.168.0.0/16\nhost = p\nhost = q\n"
			      "on = false",
			      &t, a, &e),
			 0);
	assert_int_equal(t.port, 8443);
	assert_string_equal(t.name, "a = b#c");
	assert_string_equal(t.dir, "/var");
	assert_string_equal(t.net, "192.168.0.0/16");
	assert_false(t.on);
	assert_int_equal(t.hosts.n, 2);
	assert_string_equal(t.hosts.items[1], "q");
	arena_free(a);
}

static void refuses(void **state)
{
	static const char *const rows[][2] = {
		{"prot = 1\n", ":1:1: unknown key \"prot\"; did you mean "
			       "\"port\"?"},
		{"zzzzzzzz = 1\n", ":1:1: unknown key \"zzzzzzzz\""},
		{"\n  port\n", ":2:3: want \"key = value\""},
		{"port = 0\n",
		 ":1:8: port: want a whole number 1..65535, have \"0\""},
		{"port = 1 2\n", ":1:8: port: want a whole number 1..65535, "
				 "have \"1 2\""},
		{"port = 1\nport = 2\n", ":2:1: port is given twice"},
		{"on = yes\n", ":1:6: on: want true or false, have \"yes\""},
		{"dir = etc\n",
		 ":1:7: dir: want an absolute path, have \"etc\""},
		{"dir =\n", ":1:6: dir: want absolute path, have \"\""},
		{"network = 10.0.0.1/8\n", "host bits are zero"},
		{"network = 10.0.0.0/33\n", "want an IPv4 network"},
		{"network = 10.0.0/8\n", "want an IPv4 network"},
		{"name = a\x1b[0m\xff\n", "name: want UTF-8 text, have "
					  "\"a\\x1b[0m\\xff\""},
		{"name = a\n", "want \"port = ...\" (Port.), have nothing"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *a = arena_new(1u << 20);
		struct target t = {0};
		struct err e = {0};

		assert_int_equal(load(rows[i][0], &t, a, &e), ERR_INPUT);
		if (!strstr(e.msg, rows[i][1]))
			assert_string_equal(e.msg, rows[i][1]);
		arena_free(a);
	}
}

static void missing_file(void **state)
{
	struct arena *a = arena_new(1u << 20);
	struct target t = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(conf_load("/nonexistent", keys, N_KEYS, &t, a, &e),
			 ERR_NOTFOUND);
	assert_int_equal(conf_load(NULL, keys, N_KEYS, &t, a, &e), ERR_INPUT);
	assert_int_equal(conf_load(NULL, keys, 3, &t, a, &e), 0);
	assert_string_equal(t.net, "10.0.0.0/8");
	arena_free(a);
}

static void manual(void **state)
{
	char text[2000] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_non_null(f);
	conf_print_mdoc(keys, N_KEYS, f);
	(void)fclose(f);
	assert_non_null(strstr(text, ".It Cm port Li =\n.Pq number\nPort.\n"
				     "Required.\nRange: 1 to 65535.\n"));
	assert_non_null(strstr(text, "Default:\n.Li 10.0.0.0/8 .\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_all_types),
		cmocka_unit_test(refuses),
		cmocka_unit_test(missing_file),
		cmocka_unit_test(manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
