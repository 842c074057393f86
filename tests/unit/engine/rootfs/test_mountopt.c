/* The table of mount options, and what each of them becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/rootfs/mountopt.h"

#include <linux/mount.h>
#include <string.h>

#define OPTIONS_MAX 8

/* "a,b,c" as a mount entry of this type. */
static int parse(const char *type, const char *options, struct mountopt *o,
		 struct err *err)
{
	static char text[256], kind[32], dest[] = "/x";
	static char *v[OPTIONS_MAX + 1];
	struct spec_mount m = {.destination = dest};
	char *save = NULL, *word;

	(void)strncpy(text, options, sizeof(text) - 1);
	(void)strncpy(kind, type, sizeof(kind) - 1);
	m.type = kind;
	m.options.v = v;
	for (word = strtok_r(text, ",", &save); word != NULL;
	     word = strtok_r(NULL, ",", &save))
		v[m.options.n++] = word;
	return mountopt_parse(&m, o, err);
}

/* runtime-spec, "Linux mount options": MUST and SHOULD. */
static const char *const spec_options[] = {"async",
					   "atime",
					   "bind",
					   "defaults",
					   "dev",
					   "diratime",
					   "dirsync",
					   "exec",
					   "iversion",
					   "lazytime",
					   "loud",
					   "mand",
					   "noatime",
					   "nodev",
					   "nodiratime",
					   "noexec",
					   "noiversion",
					   "nolazytime",
					   "nomand",
					   "norelatime",
					   "nosuid",
					   "nosymfollow",
					   "nostrictatime",
					   "private",
					   "ratime",
					   "rbind",
					   "rdev",
					   "rdiratime",
					   "relatime",
					   "remount",
					   "rexec",
					   "rnoatime",
					   "rnodiratime",
					   "rnoexec",
					   "rnorelatime",
					   "rnostrictatime",
					   "rnosuid",
					   "rnosymfollow",
					   "ro",
					   "rprivate",
					   "rrelatime",
					   "rro",
					   "rrw",
					   "rshared",
					   "rslave",
					   "rstrictatime",
					   "rsuid",
					   "rsymfollow",
					   "runbindable",
					   "rw",
					   "shared",
					   "silent",
					   "slave",
					   "strictatime",
					   "suid",
					   "symfollow",
					   "sync",
					   "tmpcopyup",
					   "unbindable",
					   "idmap",
					   "ridmap"};

static void test_table(void **state)
{
	const char *name, *last = "";
	size_t i, k;

	(void)state;
	for (i = 0; (name = mountopt_name(i)) != NULL; i++) {
		assert_true(strcmp(last, name) < 0);
		last = name;
	}
	for (i = 0; i < sizeof(spec_options) / sizeof(char *); i++) {
		for (k = 0; (name = mountopt_name(k)) != NULL; k++)
			if (strcmp(name, spec_options[i]) == 0)
				break;
		assert_non_null(name);
	}
}

static void test_flags(void **state)
{
	static const struct {
		const char *options;
		uint64_t set, clear, rec_set, rec_clear;
	} rows[] = {
		{"ro,nosuid", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, 0, 0},
		{"ro,rw", 0, MOUNT_ATTR_RDONLY, 0, 0},
		{"rw,ro", MOUNT_ATTR_RDONLY, 0, 0, 0},
		{"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, 0, 0},
		{"noatime,atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME, 0, 0},
		{"noatime,strictatime", MOUNT_ATTR_STRICTATIME,
		 MOUNT_ATTR__ATIME, 0, 0},
		{"rro,rnodev", 0, 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, 0},
		{"rro,rrw", 0, 0, 0, MOUNT_ATTR_RDONLY},
		{"defaults,iversion,noiversion,mand,nomand,loud,silent", 0, 0,
		 0, 0},
	};
	struct mountopt o;
	struct err err = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse("tmpfs", rows[i].options, &o, &err), 0);
		assert_int_equal(o.set, rows[i].set);
		assert_int_equal(o.clear, rows[i].clear);
		assert_int_equal(o.rec_set, rows[i].rec_set);
		assert_int_equal(o.rec_clear, rows[i].rec_clear);
		assert_int_equal(o.n_data, 0);
	}
}

static void test_kinds(void **state)
{
	struct mountopt o;
	struct err err = {0};

	(void)state;
	assert_int_equal(parse("none", "rbind,rw", &o, &err), 0);
	assert_true(o.bind && o.rbind);
	assert_int_equal(parse("bind", "ro,remount", &o, &err), 0);
	assert_true(o.bind && !o.rbind && o.remount);
	/* Of the file system: its own on a new one, nothing on a bind. */
	assert_int_equal(parse("bind", "sync,mode=755,size=1k", &o, &err), 0);
	assert_int_equal(o.n_data, 0);
	assert_int_equal(parse("ext4", "sync,data=journal", &o, &err), 0);
	assert_int_equal(o.n_data, 2);
	assert_string_equal(o.data[0], "sync");
	assert_string_equal(o.data[1], "data=journal");
}

static void test_refused(void **state)
{
	static const struct {
		const char *type, *options, *words;
	} rows[] = {
		{"bind", "nr_inodes=1k", "not an option of a bind mount"},
		{"none", "nr_inodes=1k,bind", "not an option of a bind mount"},
		{"tmpfs", "idmap", "only a bind mount can be id-mapped"},
		{"bind", "tmpcopyup", "only a tmpfs takes a copy"},
		{"proc", "tmpcopyup", "only a tmpfs takes a copy"},
	};
	struct mountopt o;
	struct err err = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(rows[i].type, rows[i].options, &o, &err),
				 ERR_INPUT);
		assert_non_null(strstr(err.msg, rows[i].words));
		assert_non_null(strstr(err.msg, "mount /x"));
	}
}

static void test_propagation(void **state)
{
	bool rec = true;

	(void)state;
	assert_int_equal(mountopt_propagation("shared", &rec), MS_SHARED);
	assert_false(rec);
	assert_int_equal(mountopt_propagation("rslave", &rec), MS_SLAVE);
	assert_true(rec);
	assert_int_equal(mountopt_propagation("ro", &rec), 0);
	assert_int_equal(mountopt_propagation("x", &rec), 0);
	assert_int_equal(mountopt_propagation(NULL, &rec), 0);
	assert_false(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_propagation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
