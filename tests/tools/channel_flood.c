/* channel_flood.c - many hosts in one process, to measure the channel. */
#include "channel/agent.pb-c.h"
#include "channel/address.h"
#include "channel/identity.h"
#include "channel/frame.h"
#include "channel/pki.h"
#include "channel/tls.h"
#include "lib/clock.h"
#include "tests/tools/channel_tool.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* One session with its Hello said; stays open. */
static int one(const struct pki *ca, const struct address *to, int i,
	       struct tls_peer *peer, struct err *err)
{
	char name[32], session[] = "7", word[] = "hello";
	char *words[] = {word, session};
	uint8_t header[FRAME_HEADER_BYTES];
	struct pki_issued issued;
	struct buf csr, payload;
	struct tls *tls = NULL;
	EVP_PKEY *key = NULL;
	X509 *leaf = NULL, *root = NULL;
	SSL *ssl = NULL;
	size_t n;
	int fd = -1, r;

	buf_init(&csr, 4096);
	buf_init(&payload, 4096);
	(void)snprintf(name, sizeof(name), "host-%d", i);
	r = identity_key_new(&key, err);
	if (r == 0)
		r = identity_csr_new(key, &csr, err);
	if (r == 0)
		r = pki_host_issue(ca, csr.data, csr.len, name,
				   clock_unix_ms() / 1000, 3600, &issued, err);
	if (r == 0)
		r = identity_cert_read(issued.leaf_der.data,
				       issued.leaf_der.len, &leaf, err);
	if (r == 0)
		r = identity_cert_read(issued.ca_der.data, issued.ca_der.len,
				       &root, err);
	if (r == 0)
		r = tls_client_new(key, leaf, root, &tls, err);
	if (r == 0)
		r = address_dial(to, 0, &fd, err);
	if (r == 0)
		r = tls_session_new(tls, fd, peer, &ssl, err);
	if (r < 0)
		return r;
	(void)fcntl(fd, F_SETFL, 0);
	(void)channel_tool_payload(2, words, &payload);
	frame_header(header, CHANNEL__MSG_TYPE__MSG_HELLO,
		     (uint32_t)payload.len);
	if (SSL_do_handshake(ssl) != 1 ||
	    SSL_write_ex(ssl, header, sizeof(header), &n) != 1 ||
	    SSL_write_ex(ssl, payload.data, payload.len, &n) != 1)
		return tls_failed(ssl, -1, err);
	buf_release(&csr);
	buf_release(&payload);
	pki_issued_release(&issued);
	X509_free(leaf);
	X509_free(root);
	EVP_PKEY_free(key);
	return 0; /* ssl and tls live until the process ends */
}

int channel_flood(int argc, char **argv, struct err *err)
{
	int n = (int)channel_tool_number(argv[2]);
	struct rlimit files = {8192, 8192};
	struct tls_peer *peers = calloc((size_t)n, sizeof(*peers));
	struct pki *ca = NULL;
	struct address to;
	int r;

	(void)argc;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	r = pki_open(channel_tool_dir(argv[0]), &ca, err);
	if (r == 0)
		r = address_parse(argv[1], &to, err);
	for (int i = 0; peers && i < n && r == 0; i++)
		r = one(ca, &to, i, &peers[i], err);
	if (r < 0)
		return r;
	(void)printf("up %d\n", n);
	(void)getchar();
	_exit(0);
}
