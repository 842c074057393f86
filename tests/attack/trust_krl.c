/*
 * trust_krl.c - for trust_krl.t: what our reader of revocation lists says.
 *
 *   trust_krl ask LIST PUB...     "PUB ok" or "PUB REVOKED" a line; status 3
 *                                 and the reason if the list is refused
 *   trust_krl mutate SEED <in >out   one change, by seed
 */
#include "lib/encode.h"
#include "lib/file.h"
#include "policy/trust/revoked.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "trust_krl: %s\n", what);
	exit(2);
}

static bool is_revoked(const struct revoked *r, const struct wire_span *blob)
{
	struct sshcert cert = {0};
	struct wire_span key;
	struct verdict v;
	bool revoked;

	if (!sshcert_is(blob))
		return revoked_has_key(r, blob);
	need(sshcert_parse(blob, &cert, &v) == 0, "not a certificate");
	key = (struct wire_span){(const uint8_t *)cert.key_blob.data,
				 cert.key_blob.len};
	revoked = revoked_has_cert(r, cert.serial, &cert.id, &cert.ca_key) ||
		  revoked_has_key(r, &key) || revoked_has_key(r, &cert.ca_key);
	sshcert_release(&cert);
	return revoked;
}

static int ask(const char *list, char **pubs)
{
	struct arena *arena = arena_new((size_t)64 << 20);
	struct buf text, pub, blob;
	struct revoked r;
	struct verdict v = {0};
	struct err err;

	buf_init(&text, 4u << 20);
	need(file_read(AT_FDCWD, list, 4u << 20, &text, &err) == 0, list);
	revoked_init(&r, arena);
	if (revoked_add(&r, text.data, text.len, &v) < 0) {
		printf("%s %s\n", verdict_name(v.code), v.reason);
		return 3;
	}
	revoked_finish(&r);
	for (; *pubs != NULL; pubs++) {
		char *b64;

		buf_init(&pub, 65536);
		buf_init(&blob, 65536);
		need(file_read(AT_FDCWD, *pubs, 65536, &pub, &err) == 0, *pubs);
		b64 = strchr(pub.data, ' ');
		need(b64 != NULL && encode_unbase64(&blob, b64 + 1,
						    strcspn(b64 + 1, " \n")),
		     *pubs);
		printf("%s %s\n", *pubs,
		       is_revoked(&r,
				  &(struct wire_span){
					  (const uint8_t *)blob.data, blob.len})
			       ? "REVOKED"
			       : "ok");
		buf_release(&pub);
		buf_release(&blob);
	}
	buf_release(&text);
	arena_free(arena);
	return 0;
}

static int mutate(unsigned int seed)
{
	struct err err;
	struct buf b;
	size_t at, n;

	buf_init(&b, 4u << 20);
	need(file_read_fd(0, 4u << 20, &b, &err) == 0, "standard input");
	srand(seed);
	at = (size_t)rand() % b.len;
	n = 1 + (size_t)rand() % 8;
	switch (rand() % 4) {
	case 0:
		b.data[at] ^= (char)(1 << rand() % 8);
		break;
	case 1: /* cut off */
		b.len = at;
		break;
	case 2: /* cut out */
		n = n < b.len - at ? n : b.len - at;
		memmove(b.data + at, b.data + at + n, b.len - at - n);
		b.len -= n;
		break;
	default: /* doubled */
		fwrite(b.data, 1, at, stdout);
		at = at > n ? at - n : 0;
		fwrite(b.data + at, 1, b.len - at, stdout);
		return 0;
	}
	fwrite(b.data, 1, b.len, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 3 && strcmp(argv[1], "ask") == 0)
		return ask(argv[2], argv + 3);
	if (argc == 3 && strcmp(argv[1], "mutate") == 0)
		return mutate((unsigned int)strtoul(argv[2], NULL, 10));
	return 2;
}
