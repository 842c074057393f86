/*
 * proof.c - RFC 9162 sections 2.1.3 and 2.1.4.  Making a proof reads the log
 * once and keeps only the hashes that the proof asks for; checking is pure and
 * its input hostile.
 */
#include "audit/proof.h"
#include "audit/reader.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* Leaves first..first+count-1 whose tree hash is one element of a proof. */
struct range {
	uint64_t first, count;
};

struct plan { /* ranges in the order of the proof */
	struct range ranges[AUDIT_PROOF_MAX];
	size_t n;
};

/* Largest power of two smaller than n; n > 1. */
static uint64_t split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

static void add_range(struct plan *p, uint64_t first, uint64_t count)
{
	assert(p->n < AUDIT_PROOF_MAX);
	p->ranges[p->n++] = (struct range){first, count};
}

static void reverse(struct plan *p)
{
	for (size_t i = 0; i < p->n / 2; i++) {
		struct range r = p->ranges[i];

		p->ranges[i] = p->ranges[p->n - 1 - i];
		p->ranges[p->n - 1 - i] = r;
	}
}

/* PATH(m, D[n]): walking down gives the siblings from the top. */
static void plan_inclusion(struct plan *p, uint64_t m, uint64_t n)
{
	uint64_t base = 0;

	while (n > 1) {
		uint64_t k = split(n);

		if (m < k) {
			add_range(p, base + k, n - k);
			n = k;
		} else {
			add_range(p, base, k);
			base += k;
			m -= k;
			n -= k;
		}
	}
	reverse(p);
}

/* SUBPROOF(m, D[n], true). */
static void plan_consistency(struct plan *p, uint64_t m, uint64_t n)
{
	uint64_t base = 0;
	bool whole = true; /* the old tree is a subtree of what is left */

	while (m < n) {
		uint64_t k = split(n);

		if (m <= k) {
			add_range(p, base + k, n - k);
			n = k;
		} else {
			add_range(p, base, k);
			base += k;
			m -= k;
			n -= k;
			whole = false;
		}
	}
	if (!whole)
		add_range(p, base, n);
	reverse(p);
}

static int read_plan(int fd, const struct plan *p, uint64_t size,
		     struct audit_proof *out, struct err *err)
{
	struct audit_merkle trees[AUDIT_PROOF_MAX];
	struct hash *h = hash_new();
	struct audit_reader reader;
	const char *line;
	uint64_t i = 0;
	size_t len;
	int r;

	memset(trees, 0, sizeof(trees));
	r = audit_reader_init(&reader, fd, 0, err);
	for (; r == 0 && i < size; i++) {
		uint8_t leaf[AUDIT_HASH_BYTES];

		r = audit_reader_next(&reader, &line, &len, err);
		if (r <= 0)
			break;
		r = 0;
		audit_merkle_leaf(h, line, len, leaf);
		for (size_t k = 0; k < p->n; k++)
			if (i - p->ranges[k].first < p->ranges[k].count)
				audit_merkle_add(&trees[k], h, leaf);
	}
	if (r == 0 && i < size)
		r = err_set(err, ERR_NOTFOUND,
			    "audit proof: want %" PRIu64
			    " entries, have %" PRIu64,
			    size, i);
	for (size_t k = 0; r == 0 && k < p->n; k++)
		audit_merkle_root(&trees[k], h, out->hashes[k]);
	if (r == 0)
		out->n = p->n;
	audit_reader_release(&reader);
	hash_free(h);
	return r;
}

static int make(int dirfd, const struct plan *p, uint64_t size,
		struct audit_proof *out, struct err *err)
{
	int fd, r;

	fd = openat(dirfd, AUDIT_FILE_LOG,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return err_sys(err, errno, "open the audit log");
	r = read_plan(fd, p, size, out, err);
	(void)close(fd);
	return r;
}

int audit_proof_inclusion(int dirfd, uint64_t seq, uint64_t size,
			  struct audit_proof *out, struct err *err)
{
	struct plan p = {.n = 0};

	if (seq == 0 || seq > size)
		return err_set(err, ERR_INPUT,
			       "inclusion proof: want 1 <= %" PRIu64
			       " <= %" PRIu64,
			       seq, size);
	plan_inclusion(&p, seq - 1, size);
	return make(dirfd, &p, size, out, err);
}

int audit_proof_consistency(int dirfd, uint64_t old_size, uint64_t size,
			    struct audit_proof *out, struct err *err)
{
	struct plan p = {.n = 0};

	if (old_size > size)
		return err_set(err, ERR_INPUT,
			       "consistency proof: want %" PRIu64
			       " <= %" PRIu64,
			       old_size, size);
	if (old_size > 0)
		plan_consistency(&p, old_size, size);
	return make(dirfd, &p, size, out, err);
}

/* --- checking ------------------------------------------------------------- */

static int refuse(struct err *err, const char *kind)
{
	return err_set(err, ERR_CONFLICT, "%s proof does not hold", kind);
}

/* RFC 9162 section 2.1.3.2. */
int audit_proof_check_inclusion(const struct audit_proof *proof, uint64_t seq,
				uint64_t size,
				const uint8_t leaf[AUDIT_HASH_BYTES],
				const uint8_t root[AUDIT_HASH_BYTES],
				struct err *err)
{
	uint8_t r[AUDIT_HASH_BYTES];
	struct hash *h;
	uint64_t fn, sn;
	bool ok = true;

	if (seq == 0 || seq > size || proof->n > AUDIT_PROOF_MAX)
		return refuse(err, "inclusion");
	h = hash_new();
	fn = seq - 1;
	sn = size - 1;
	memcpy(r, leaf, sizeof(r));
	for (size_t i = 0; ok && i < proof->n; i++) {
		ok = sn != 0;
		if ((fn & 1) || fn == sn) {
			audit_merkle_node(h, proof->hashes[i], r, r);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			audit_merkle_node(h, r, proof->hashes[i], r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	hash_free(h);
	if (!ok || sn != 0 || memcmp(r, root, sizeof(r)) != 0)
		return refuse(err, "inclusion");
	return 0;
}

/* RFC 9162 section 2.1.4.2, for 0 < old_size < size and a proof with its first
 * element in place; the results are the roots of both trees. */
static bool fold(struct hash *h, uint8_t (*path)[AUDIT_HASH_BYTES], size_t n,
		 uint64_t fn, uint64_t sn, uint8_t fr[AUDIT_HASH_BYTES],
		 uint8_t sr[AUDIT_HASH_BYTES])
{
	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	memcpy(fr, path[0], AUDIT_HASH_BYTES);
	memcpy(sr, path[0], AUDIT_HASH_BYTES);
	for (size_t i = 1; i < n; i++) {
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			audit_merkle_node(h, path[i], fr, fr);
			audit_merkle_node(h, path[i], sr, sr);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			audit_merkle_node(h, sr, path[i], sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0;
}

int audit_proof_check_consistency(const struct audit_proof *proof,
				  uint64_t old_size,
				  const uint8_t old_root[AUDIT_HASH_BYTES],
				  uint64_t size,
				  const uint8_t root[AUDIT_HASH_BYTES],
				  struct err *err)
{
	uint8_t path[AUDIT_PROOF_MAX + 1][AUDIT_HASH_BYTES];
	uint8_t fr[AUDIT_HASH_BYTES], sr[AUDIT_HASH_BYTES];
	size_t n = 0;
	struct hash *h;
	bool ok;

	if (old_size > size || proof->n > AUDIT_PROOF_MAX)
		return refuse(err, "consistency");
	if (old_size == 0) /* nothing was promised */
		return proof->n == 0 ? 0 : refuse(err, "consistency");
	if (old_size == size)
		return proof->n == 0 && memcmp(old_root, root,
					       AUDIT_HASH_BYTES) == 0
			       ? 0
			       : refuse(err, "consistency");
	/* a power of two: the old root itself is the first element */
	if ((old_size & (old_size - 1)) == 0)
		memcpy(path[n++], old_root, AUDIT_HASH_BYTES);
	memcpy(path[n], proof->hashes, proof->n * AUDIT_HASH_BYTES);
	n += proof->n;
	if (n == 0)
		return refuse(err, "consistency");
	h = hash_new();
	ok = fold(h, path, n, old_size - 1, size - 1, fr, sr);
	hash_free(h);
	if (!ok || memcmp(fr, old_root, sizeof(fr)) != 0 ||
	    memcmp(sr, root, sizeof(sr)) != 0)
		return refuse(err, "consistency");
	return 0;
}
