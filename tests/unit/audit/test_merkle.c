/*
 * test_merkle.c - the tree and its proofs against a plain recursive definition
 * (RFC 9162 section 2.1) and against the vectors of RFC 6962's reference tests.
 */
#include "audit/merkle.h"
#include "audit/proof.h"
#include "audit/reader.h"
#include "lib/encode.h"
#include "lib/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define LEAVES 70

struct world {
	struct hash *h;
	char path[32];
	int dir;
	uint8_t leaf[LEAVES][AUDIT_HASH_BYTES];
};

/* MTH(D[n]) as the RFC writes it. */
static void mth(struct world *w, size_t first, size_t n,
		uint8_t out[AUDIT_HASH_BYTES])
{
	uint8_t a[AUDIT_HASH_BYTES], b[AUDIT_HASH_BYTES];
	size_t k = 1;

	if (n == 0) {
		hash_end(w->h, out);
		return;
	}
	if (n == 1) {
		memcpy(out, w->leaf[first], AUDIT_HASH_BYTES);
		return;
	}
	while (k * 2 < n)
		k *= 2;
	mth(w, first, k, a);
	mth(w, first + k, n - k, b);
	audit_merkle_node(w->h, a, b, out);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err e = {0};
	struct buf b;

	assert_non_null(w);
	w->h = hash_new();
	(void)snprintf(w->path, sizeof(w->path), "/tmp/test-merkle-XXXXXX");
	assert_non_null(mkdtemp(w->path));
	w->dir = open(w->path, O_RDONLY | O_DIRECTORY);
	buf_init(&b, 10000);
	for (size_t i = 0; i < LEAVES; i++) {
		char line[16];
		int n = snprintf(line, sizeof(line), "leaf-%zu", i);

		audit_merkle_leaf(w->h, line, (size_t)n, w->leaf[i]);
		buf_printf(&b, "%s\n", line);
	}
	assert_int_equal(
		file_replace(w->dir, AUDIT_FILE_LOG, 0600, b.data, b.len, &e),
		0);
	buf_release(&b);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	(void)close(w->dir);
	assert_int_equal(file_remove_tree(AT_FDCWD, w->path, NULL), 0);
	hash_free(w->h);
	free(w);
	return 0;
}

static void known_roots(void **state)
{
	/* roots of growing trees over the test inputs of the RFC 6962 code */
	static const struct {
		const char *bytes;
		size_t len;
		const char *root;
	} rows[] = {
		{"", 0,
		 "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa"
		 "01d"},
		{"\x00", 1,
		 "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c"
		 "125"},
		{"\x10", 1,
		 "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06"
		 "e77"},
	};
	struct world *w = *state;
	struct audit_merkle m = {0};
	uint8_t root[AUDIT_HASH_BYTES];
	char hex[HASH_HEX];

	audit_merkle_root(&m, w->h, root);
	encode_hex(hex, root, sizeof(root));
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b"
				 "934ca495991b7852b855");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t leaf[AUDIT_HASH_BYTES];

		audit_merkle_leaf(w->h, rows[i].bytes, rows[i].len, leaf);
		audit_merkle_add(&m, w->h, leaf);
		audit_merkle_root(&m, w->h, root);
		encode_hex(hex, root, sizeof(root));
		assert_string_equal(hex, rows[i].root);
	}
}

static void growing_equals_the_definition(void **state)
{
	struct world *w = *state;
	struct audit_merkle m = {0};

	for (size_t n = 0; n <= LEAVES; n++) {
		uint8_t a[AUDIT_HASH_BYTES], b[AUDIT_HASH_BYTES];

		audit_merkle_root(&m, w->h, a);
		mth(w, 0, n, b);
		assert_memory_equal(a, b, sizeof(a));
		assert_int_equal(m.n, __builtin_popcountll(n));
		if (n < LEAVES)
			audit_merkle_add(&m, w->h, w->leaf[n]);
	}
}

static void every_inclusion_proof_holds_and_no_other(void **state)
{
	struct world *w = *state;
	struct err e = {0};

	for (uint64_t size = 1; size <= LEAVES; size += 3) {
		uint8_t root[AUDIT_HASH_BYTES];

		mth(w, 0, size, root);
		for (uint64_t seq = 1; seq <= size; seq++) {
			struct audit_proof p = {.n = 0};
			const uint8_t *leaf = w->leaf[seq - 1];

			assert_int_equal(audit_proof_inclusion(w->dir, seq,
							       size, &p, &e),
					 0);
			assert_int_equal(audit_proof_check_inclusion(
						 &p, seq, size, leaf, root, &e),
					 0);
			assert_int_equal(audit_proof_check_inclusion(
						 &p, seq % size + 1, size,
						 w->leaf[seq % size], root, &e),
					 size == 1 ? 0 : ERR_CONFLICT);
			if (p.n > 0) {
				p.hashes[p.n - 1][5] ^= 1;
				assert_int_equal(
					audit_proof_check_inclusion(
						&p, seq, size, leaf, root, &e),
					ERR_CONFLICT);
				assert_string_equal(
					e.msg, "inclusion proof does not hold");
				p.hashes[p.n - 1][5] ^= 1;
				p.n--;
				assert_int_equal(
					audit_proof_check_inclusion(
						&p, seq, size, leaf, root, &e),
					ERR_CONFLICT);
			}
		}
	}
}

/* A95: any pair of sizes; a changed element, root or length is refused. */
static void A95_every_consistency_proof_holds_and_no_other(void **state)
{
	struct world *w = *state;
	struct err e = {0};

	for (uint64_t n = 0; n <= LEAVES; n += 2)
		for (uint64_t m = 0; m <= n; m++) {
			uint8_t old[AUDIT_HASH_BYTES], root[AUDIT_HASH_BYTES];
			struct audit_proof p = {.n = 0};

			mth(w, 0, m, old);
			mth(w, 0, n, root);
			assert_int_equal(
				audit_proof_consistency(w->dir, m, n, &p, &e),
				0);
			assert_int_equal(audit_proof_check_consistency(
						 &p, m, old, n, root, &e),
					 0);
			if (m == 0)
				continue;
			old[3] ^= 1;
			assert_int_equal(audit_proof_check_consistency(
						 &p, m, old, n, root, &e),
					 ERR_CONFLICT);
			old[3] ^= 1;
			root[3] ^= 1;
			assert_int_equal(audit_proof_check_consistency(
						 &p, m, old, n, root, &e),
					 ERR_CONFLICT);
			root[3] ^= 1;
			if (p.n == 0)
				continue;
			p.hashes[0][0] ^= 1;
			assert_int_equal(audit_proof_check_consistency(
						 &p, m, old, n, root, &e),
					 ERR_CONFLICT);
			p.hashes[0][0] ^= 1;
			p.n--;
			assert_int_equal(audit_proof_check_consistency(
						 &p, m, old, n, root, &e),
					 ERR_CONFLICT);
		}
}

static void bad_questions(void **state)
{
	struct world *w = *state;
	struct audit_proof p = {.n = 0};
	uint8_t x[AUDIT_HASH_BYTES] = {0};
	struct err e = {0};

	assert_int_equal(audit_proof_inclusion(w->dir, 0, 5, &p, &e),
			 ERR_INPUT);
	assert_int_equal(audit_proof_inclusion(w->dir, 6, 5, &p, &e),
			 ERR_INPUT);
	assert_int_equal(audit_proof_inclusion(w->dir, 1, LEAVES + 1, &p, &e),
			 ERR_NOTFOUND);
	assert_string_equal(e.msg, "audit proof: want 71 entries, have 70");
	assert_int_equal(audit_proof_consistency(w->dir, 6, 5, &p, &e),
			 ERR_INPUT);
	p.n = AUDIT_PROOF_MAX + 1;
	assert_int_equal(audit_proof_check_consistency(&p, 1, x, 2, x, &e),
			 ERR_CONFLICT);
	p.n = 0;
	assert_int_equal(audit_proof_check_consistency(&p, 3, x, 5, x, &e),
			 ERR_CONFLICT);
	assert_int_equal(audit_proof_check_consistency(&p, 6, x, 5, x, &e),
			 ERR_CONFLICT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(known_roots),
		TEST(growing_equals_the_definition),
		TEST(every_inclusion_proof_holds_and_no_other),
		TEST(A95_every_consistency_proof_holds_and_no_other),
		TEST(bad_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
