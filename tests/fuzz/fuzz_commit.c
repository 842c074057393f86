/*
 * fuzz_commit - raw git objects: the strict grammar of commits and trees, then
 * the signature inside, its key and its certificate.  The payload of a commit
 * that parses is the object without its signature, byte for byte.
 */
#include "policy/trust/armor.h"
#include "policy/trust/commit.h"
#include "policy/trust/pubkey.h"
#include "policy/trust/sshcert.h"
#include "policy/trust/sshsig.h"
#include "policy/trust/tree.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void key(const struct wire_span *blob)
{
	struct sshcert cert;
	struct pubkey k;
	struct verdict v;

	if (sshcert_is(blob)) {
		if (sshcert_parse(blob, &cert, &v) == 0)
			sshcert_release(&cert);
	} else if (pubkey_parse(blob, &k, &v) == 0) {
		pubkey_release(&k);
	}
}

static void blob_of(const struct wire_span *blob, const struct commit *c)
{
	struct pubkey_presence presence;
	struct sshsig sig;
	struct pubkey k;
	struct verdict v;
	struct buf data;

	if (sshsig_parse(blob, &sig, &v) < 0)
		return;
	key(&sig.key);
	buf_init(&data, (size_t)2 << 20);
	if (c && sshsig_signed_data(&sig, c->payload, 2, &data, &v) == 0 &&
	    pubkey_parse(&sig.key, &k, &v) == 0) {
		(void)pubkey_verify(&k, data.data, data.len, &sig.signature,
				    &presence, &v);
		pubkey_release(&k);
	}
	buf_release(&data);
}

static void commit(const char *bytes, size_t len)
{
	struct wire_span blob;
	struct verdict v;
	struct commit c;
	struct buf plain;
	struct buf raw;

	if (commit_parse(bytes, len, &c, &v) < 0)
		return;
	if (memchr(bytes, 0, len) || c.n_parents > COMMIT_PARENTS_MAX)
		abort();
	if (c.payload[0].at != bytes ||
	    c.payload[0].len + c.payload[1].len > len)
		abort();
	if (!c.signature.len)
		return;
	buf_init(&plain, ARMOR_BYTES_MAX);
	buf_init(&raw, SSHSIG_BYTES_MAX);
	if (armor_unfold(&c.signature, &plain, &v) == 0 &&
	    armor_read(&(struct commit_span){plain.data, plain.len}, ARMOR_SSH,
		       &raw, &v) == 0) {
		blob = (struct wire_span){(const uint8_t *)raw.data, raw.len};
		blob_of(&blob, &c);
	}
	buf_release(&raw);
	buf_release(&plain);
}

static int visit(void *ctx, const struct tree_entry *e, struct verdict *v)
{
	(void)ctx;
	(void)v;
	if (!e->name.len || e->name.len > TREE_NAME_MAX ||
	    memchr(e->name.at, '/', e->name.len) ||
	    (e->name.at[0] == '.' &&
	     (e->name.len == 1 || (e->name.len == 2 && e->name.at[1] == '.'))))
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_span blob = {data, size};
	struct commit_id parents[COMMIT_PARENTS_MAX];
	struct verdict v;
	size_t n;

	commit((const char *)data, size);
	(void)commit_parents((const char *)data, size, parents,
			     COMMIT_PARENTS_MAX, &n);
	(void)tree_each((const char *)data, size, true, visit, NULL, &v);
	key(&blob);
	blob_of(&blob, NULL);
	return 0;
}
