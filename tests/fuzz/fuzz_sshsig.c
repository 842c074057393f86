/*
 * fuzz_sshsig - hostile signatures: armor as it stands in a commit, the blob,
 * plain keys and certificates.  Nothing that a fuzzer makes may verify.
 */
#include "policy/trust/armor.h"
#include "policy/trust/sshcert.h"
#include "policy/trust/sshsig.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_key(const struct wire_span *blob, const struct wire_span *sig)
{
	struct pubkey_presence presence;
	struct verdict v = {0};
	struct sshcert cert;
	struct pubkey key;

	if (pubkey_parse(blob, &key, &v) == 0) {
		(void)pubkey_verify(&key, "data", 4, sig, &presence, &v);
		pubkey_release(&key);
	}
	if (sshcert_is(blob) && sshcert_parse(blob, &cert, &v) == 0)
		sshcert_release(&cert);
}

static void try_blob(const struct wire_span *blob)
{
	struct commit_span part = {"payload", 7};
	struct verdict v = {0};
	struct sshsig sig;
	struct buf signed_data;

	if (sshsig_parse(blob, &sig, &v) < 0)
		return;
	buf_init(&signed_data, 65536);
	if (sshsig_signed_data(&sig, &part, 1, &signed_data, &v) < 0)
		abort();
	buf_release(&signed_data);
	try_key(&sig.key, &sig.signature);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct commit_span text = {(const char *)data, size};
	struct wire_span raw = {data, size};
	struct verdict v = {0};
	struct buf blob;

	buf_init(&blob, SSHSIG_BYTES_MAX);
	if (armor_read(&text, ARMOR_SSH, &blob, &v) == 0) {
		struct wire_span s = {(const uint8_t *)blob.data, blob.len};

		try_blob(&s);
	}
	buf_release(&blob);
	try_blob(&raw);
	try_key(&raw, &raw);
	return 0;
}
