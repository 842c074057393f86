/* channel_pki.c - certificates and tokens for the suites. */
#include "channel/pki.h"

#include "channel/identity.h"
#include "channel/token.h"
#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "tests/tools/channel_tool.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

static int64_t now_s(void)
{
	return clock_unix_ms() / 1000;
}

int channel_ca(int argc, char **argv, struct err *err)
{
	(void)argc;
	return pki_ca_create(channel_tool_dir(argv[0]), argv[1], now_s(), err);
}

int channel_server(int argc, char **argv, struct err *err)
{
	int64_t valid = argc > 2 ? channel_tool_number(argv[2]) : 86400;
	struct pki *ca = NULL;
	int r = pki_open(channel_tool_dir(argv[0]), &ca, err);

	if (r == 0)
		r = pki_server_issue(ca, channel_tool_dir(argv[1]), now_s(),
				     valid, err);
	pki_free(ca);
	return r;
}

int channel_crl(int argc, char **argv, struct err *err)
{
	struct pki *ca = NULL;
	int r = pki_open(channel_tool_dir(argv[0]), &ca, err);

	if (r == 0)
		r = pki_crl_write(ca, channel_tool_dir(argv[1]),
				  (const char *const *)(argv + 3),
				  (size_t)(argc - 3), now_s(),
				  channel_tool_number(argv[2]), err);
	pki_free(ca);
	return r;
}

/* Key and certificate as OUT.key and OUT.pem; prints the serial. */
int channel_issue(int argc, char **argv, struct err *err)
{
	struct pki_issued issued;
	struct buf key, csr, pem;
	struct pki *ca = NULL;
	X509 *leaf = NULL;
	char name[512];
	int dir = channel_tool_dir(".");
	int r = pki_open(channel_tool_dir(argv[0]), &ca, err);

	(void)argc;
	buf_init(&key, 8192);
	buf_init(&csr, 8192);
	buf_init(&pem, 8192);
	if (r == 0)
		r = pki_csr_make(&key, &csr, err);
	if (r == 0)
		r = pki_host_issue(ca, csr.data, csr.len, argv[1],
				   now_s() - channel_tool_number(argv[3]),
				   channel_tool_number(argv[2]), &issued, err);
	if (r < 0)
		return r;
	(void)printf("%s\n", issued.serial);
	(void)snprintf(name, sizeof(name), "%s.key", argv[4]);
	r = file_replace(dir, name, 0600, key.data, key.len, err);
	if (r == 0)
		r = identity_cert_read(issued.leaf_der.data,
				       issued.leaf_der.len, &leaf, err);
	if (r == 0)
		r = identity_cert_pem(leaf, &pem, err);
	(void)snprintf(name, sizeof(name), "%s.pem", argv[4]);
	if (r == 0)
		r = file_replace(dir, name, 0600, pem.data, pem.len, err);
	X509_free(leaf);
	pki_issued_release(&issued);
	pki_free(ca);
	identity_wipe(&key);
	buf_release(&csr);
	buf_release(&pem);
	return r;
}

/* Prints a token and writes it into the book of the fake core. */
int channel_token(int argc, char **argv, struct err *err)
{
	Channel__JoinToken token;
	uint8_t id[16], secret[16], ca_sha[32], trust_sha[32];
	char id_hex[33], secret_hex[33];
	struct pki *ca = NULL;
	struct buf trust, out;
	FILE *book;
	int r = pki_open(channel_tool_dir(argv[0]), &ca, err);

	channel__join_token__init(&token);
	(void)argc;
	buf_init(&trust, 1 << 20);
	buf_init(&out, 4096);
	if (r == 0)
		r = file_read(-100, argv[1], 1 << 20, &trust, err);
	if (r == 0)
		r = pki_ca_sha256(ca, ca_sha, err);
	if (r < 0 || RAND_bytes(id, 16) != 1 || RAND_bytes(secret, 16) != 1)
		return r;
	hash_sha256(trust.data, trust.len, trust_sha);
	token.id = (ProtobufCBinaryData){16, id};
	token.secret = (ProtobufCBinaryData){16, secret};
	token.ca_sha256 = (ProtobufCBinaryData){32, ca_sha};
	token.trust_sha256 = (ProtobufCBinaryData){32, trust_sha};
	token.host = argv[2];
	token.manager = argv[3];
	token.expires = now_s() + channel_tool_number(argv[4]);
	r = token_encode(&token, &out, err);
	if (r < 0)
		return r;
	encode_hex(id_hex, id, 16);
	encode_hex(secret_hex, secret, 16);
	book = fopen(argv[5], "a");
	if (!book)
		return err_set(err, ERR_SYS, "book");
	(void)fprintf(book, "%s %s %s %lld\n", id_hex, secret_hex, argv[2],
		      (long long)token.expires);
	(void)fclose(book);
	(void)printf("%s\n", out.data);
	buf_release(&out);
	buf_release(&trust);
	pki_free(ca);
	return 0;
}
