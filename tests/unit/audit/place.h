/* place.h - for the audit tests: a folder with a key, and a log made in it. */
#ifndef TEST_AUDIT_PLACE_H
#define TEST_AUDIT_PLACE_H

#include "audit/key.h"
#include "audit/log.h"
#include "audit/reader.h"
#include "audit/verify.h"
#include "lib/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include <cmocka.h>

#define ORIGIN "reconcile/test/manager"
#define NOW INT64_C(1795335060123)

struct place {
	char path[40], key_path[64];
	int dir;
	struct audit_key *key;
	char vkey[AUDIT_VKEY_BYTES];
};

static inline int place_set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct audit_vkey v;
	struct err e = {0};

	assert_non_null(p);
	(void)snprintf(p->path, sizeof(p->path), "/tmp/test-audit-XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(p->key_path, sizeof(p->key_path), "%s/key", p->path);
	assert_int_equal(audit_key_generate(p->key_path, &e), 0);
	assert_int_equal(audit_key_load(p->key_path, &p->key, &e), 0);
	assert_int_equal(
		audit_key_public(p->key, AUDIT_KEY_LOG, ORIGIN, &v, &e), 0);
	audit_key_format(&v, p->vkey);
	*state = p;
	return 0;
}

static inline int place_tear_down(void **state)
{
	static const char *const mounts[] = {"small", "log.d"};
	struct place *p = *state;

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		char at[80];

		/* of a test that failed before it could */
		(void)snprintf(at, sizeof(at), "%s/%s", p->path, mounts[i]);
		(void)umount2(at, MNT_DETACH);
	}
	(void)close(p->dir);
	audit_key_free(p->key);
	assert_int_equal(file_remove_tree(AT_FDCWD, p->path, NULL), 0);
	free(p);
	return 0;
}

static inline struct audit_log *place_open(struct place *p)
{
	struct audit_log *log = NULL;
	struct err e = {0};
	int r = audit_log_open(p->dir, ORIGIN, p->key, NOW, &log, &e);

	if (r != 0)
		print_error("%s\n", e.msg);
	assert_int_equal(r, 0);
	return log;
}

/* One event a batch, so that each has a line of its own time. */
static inline void place_append(struct audit_log *log, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char object[32];
		const struct audit_pair detail[] = {{"pod", "web"},
						    {"image", "busybox"}};
		struct audit_event ev = {.type = "pod.start",
					 .phase = i % 2 ? AUDIT_OUTCOME
							: AUDIT_INTENT,
					 .actor = "alice",
					 .object = object,
					 .host = "h1",
					 .detail = detail,
					 .n_detail = 2};
		uint64_t first = 0;
		struct err e = {0};

		(void)snprintf(object, sizeof(object), "default/Pod/web-%zu",
			       i);
		assert_int_equal(audit_log_append(log, &ev, 1, NOW + (int64_t)i,
						  &first, &e),
				 0);
	}
}

static inline void place_checkpoint(struct audit_log *log)
{
	struct err e = {0};
	struct buf note;

	buf_init(&note, 10000);
	assert_int_equal(audit_log_checkpoint(log, &note, &e), 0);
	buf_release(&note);
}

/* A log of n entries, signed at the end. */
static inline void place_make(struct place *p, size_t n)
{
	struct audit_log *log = place_open(p);

	place_append(log, n - 1);
	place_checkpoint(log);
	audit_log_close(log);
}

static inline void place_read(struct place *p, const char *name, struct buf *b)
{
	struct err e = {0};

	buf_init(b, 64u << 20);
	assert_int_equal(file_read(p->dir, name, 64u << 20, b, &e), 0);
}

static inline void place_write(struct place *p, const char *name,
			       const void *bytes, size_t len)
{
	struct err e = {0};

	assert_int_equal(file_replace(p->dir, name, 0600, bytes, len, &e), 0);
}

#define PLACE_TEST(f)                                                          \
	cmocka_unit_test_setup_teardown(f, place_set_up, place_tear_down)

#endif
