/*
 * fuzz_join - hostile bytes of a join: as a token's text, as a certificate
 * request and as a certificate.  A token that decodes must encode to the same
 * text.  With -DFUZZ_REPLAY there is a main() that replays files.
 */
#include "channel/identity.h"
#include "channel/token.h"
#include "lib/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_token(const uint8_t *data, size_t size)
{
	Channel__JoinToken *token = NULL;
	struct err err;
	struct buf out;
	char *text = strndup((const char *)data, size);

	if (text && token_decode(text, &token, &err) == 0) {
		buf_init(&out, 4096);
		if (token_encode(token, &out, &err) < 0 ||
		    strcmp(out.data, text) != 0)
			abort();
		buf_release(&out);
		token_free(token);
	}
	free(text);
}

static void as_certificate(const uint8_t *data, size_t size)
{
	struct identity id;
	struct err err;
	X509 *cert = NULL;

	if (identity_cert_read(data, size, &cert, &err) == 0) {
		(void)identity_read(cert, IDENTITY_HOST, &id, &err);
		(void)identity_read(cert, IDENTITY_MANAGER, &id, &err);
	}
	X509_free(cert);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err;

	if (size == 0)
		return 0;
	switch (data[0] % 3) {
	case 0:
		as_token(data + 1, size - 1);
		break;
	case 1:
		(void)identity_csr_read(data + 1, size - 1, NULL, &err);
		break;
	default:
		as_certificate(data + 1, size - 1);
		break;
	}
	return 0;
}

#ifdef FUZZ_REPLAY
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct err err;
		struct buf b;

		buf_init(&b, 1 << 20);
		if (file_read(AT_FDCWD, argv[i], b.max, &b, &err) < 0)
			return 1;
		LLVMFuzzerTestOneInput((const uint8_t *)b.data, b.len);
		buf_release(&b);
	}
	return 0;
}
#endif
