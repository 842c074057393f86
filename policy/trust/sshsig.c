/*
 * sshsig.c - see sshsig.h.
 */
#include "policy/trust/sshsig.h"

#include <openssl/evp.h>
#include <string.h>

int sshsig_parse(const struct wire_span *blob, struct sshsig *out,
		 struct verdict *v)
{
	struct wire w = wire_of(blob);
	struct wire_span reserved;
	struct sshsig s;
	uint32_t version = 0;

	if (w.left < 6 || memcmp(w.at, "SSHSIG", 6) != 0)
		return verdict_fail(v, TCODE_SSHSIG, "want \"SSHSIG\" first");
	w.at += 6;
	w.left -= 6;
	if (!wire_u32(&w, &version) || version != 1)
		return verdict_fail(v, TCODE_SSHSIG, "want version 1, have %u",
				    version);
	if (!wire_string(&w, &s.key) || !wire_string(&w, &s.namespace) ||
	    !wire_string(&w, &reserved) || !wire_string(&w, &s.hash) ||
	    !wire_string(&w, &s.signature) || w.left != 0)
		return verdict_fail(v, TCODE_SSHSIG,
				    "the blob is cut short or has bytes after "
				    "its end");
	if (reserved.len != 0)
		return verdict_fail(v, TCODE_SSHSIG,
				    "the reserved field is not empty");
	if (!wire_is(&s.hash, "sha256") && !wire_is(&s.hash, "sha512"))
		return verdict_fail(v, TCODE_HASH,
				    "want hash sha256 or sha512");
	*out = s;
	return 0;
}

int sshsig_signed_data(const struct sshsig *sig,
		       const struct commit_span *parts, size_t n_parts,
		       struct buf *out, struct verdict *v)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx != NULL;

	good = good &&
	       EVP_DigestInit_ex(ctx,
				 wire_is(&sig->hash, "sha512") ? EVP_sha512()
							       : EVP_sha256(),
				 NULL) == 1;
	for (size_t i = 0; good && i < n_parts; i++)
		good = EVP_DigestUpdate(ctx, parts[i].at, parts[i].len) == 1;
	good = good && EVP_DigestFinal_ex(ctx, digest, &len) == 1;
	EVP_MD_CTX_free(ctx);
	if (!good)
		return verdict_fail(v, TCODE_HASH, "hashing failed");
	buf_put(out, "SSHSIG", 6);
	wire_put_string(out, sig->namespace.bytes, sig->namespace.len);
	wire_put_string(out, "", 0);
	wire_put_string(out, sig->hash.bytes, sig->hash.len);
	wire_put_string(out, digest, len);
	return 0;
}
