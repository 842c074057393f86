/*
 * fuzz_cms - hostile X.509 signatures: armor, the CMS around a signature, the
 * certificates in it; and PEM of an authority.  What is accepted ends where the
 * bytes end, and nothing that a fuzzer makes verifies.
 */
#include "policy/trust/armor.h"
#include "policy/trust/cms.h"

#include <openssl/x509.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_certificate(struct cms *c, const struct cmscert_authority *a)
{
	STACK_OF(X509) *chain = NULL;
	char hex[CMSCERT_SERIAL_HEX];
	struct verdict v = {0};
	char name[64];

	(void)cmscert_check_use(c->signer, &v);
	if (strlen(cmscert_name(c->signer, name, sizeof(name))) >= sizeof(name))
		abort();
	(void)cmscert_has_name(c->signer, "email:alice@example.org");
	(void)cmscert_has_issuer(c->signer, "https://accounts.example.org");
	(void)cmscert_serial(c->signer, hex);
	if (strlen(c->fingerprint) != PUBKEY_FINGERPRINT - 1)
		abort();
	if (a != NULL &&
	    cmscert_chain(c->signer, c->certs, a, 1795000000, &chain, &v) == 0)
		(void)cms_check_extra(c, chain, &v);
	sk_X509_pop_free(chain, X509_free);
}

static void try_bytes(const void *bytes, size_t len,
		      const struct cmscert_authority *a)
{
	const struct commit_span payload = {"fuzz", 4};
	struct verdict v = {0};
	struct cms c, shorter;

	if (cms_parse(bytes, len, &c, &v) == 0) {
		if (cms_parse(bytes, len - 1, &shorter, &v) == 0)
			abort();
		cms_release(&shorter);
		if (cms_verify(&c, &payload, 1, &v) == 0)
			abort();
		try_certificate(&c, a);
	} else if (v.code == TCODE_OK) {
		abort();
	}
	cms_release(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct commit_span text = {(const char *)data, size};
	struct cmscert_authority *a = NULL;
	struct verdict v = {0};
	struct buf der;

	/* both in one input: PEM of an authority in front of the armor */
	for (size_t i = 0; i + 28 < size; i++)
		if (memcmp(data + i, "-----BEGIN SIGNED MESSAGE---", 28) == 0) {
			(void)cmscert_authority_new(text.at, i, &a, &v);
			text.at += i;
			text.len -= i;
			break;
		}
	buf_init(&der, CMS_BYTES_MAX);
	if (armor_read(&text, ARMOR_CMS, &der, &v) == 0)
		try_bytes(der.data, der.len, a);
	buf_release(&der);
	try_bytes(data, size, a);
	cmscert_authority_free(a);
	return 0;
}
