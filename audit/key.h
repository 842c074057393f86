/*
 * key.h - the Ed25519 keys of logs and witnesses: PEM (PKCS 8) on disk,
 * verifier key text as C2SP signed-note has it ("name+hash+base64").
 */
#ifndef AUDIT_KEY_H
#define AUDIT_KEY_H

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>

#define AUDIT_KEY_BYTES 32
#define AUDIT_SIG_BYTES 64
#define AUDIT_NAME_MAX 255
#define AUDIT_VKEY_BYTES (AUDIT_NAME_MAX + 1 + 8 + 1 + 44 + 1)

/* First byte of a verifier key (C2SP signed-note, "signature types"). */
enum audit_key_type {
	AUDIT_KEY_LOG = 0x01,	  /* Ed25519 over the note's text */
	AUDIT_KEY_WITNESS = 0x04, /* cosignature/v1 */
};

struct audit_key; /* private; wiped when freed */

struct audit_vkey { /* public */
	char name[AUDIT_NAME_MAX + 1];
	enum audit_key_type type;
	uint8_t id[4];
	uint8_t pub[AUDIT_KEY_BYTES];
};

/* Makes a key file with mode 0600; ERR_CONFLICT if there is one. */
int audit_key_generate(const char *path, struct err *err);
/* *out owned: audit_key_free().  ERR_TRUST: others may read or write the file,
 * or it is no Ed25519 key. */
int audit_key_load(const char *path, struct audit_key **out, struct err *err);
int audit_key_load_fd(int fd, struct audit_key **out, struct err *err);
void audit_key_free(struct audit_key *key); /* NULL allowed */
/* The public half under a name without space, '+' or control character. */
int audit_key_public(const struct audit_key *key, enum audit_key_type type,
		     const char *name, struct audit_vkey *out, struct err *err);
int audit_key_sign(const struct audit_key *key, const void *bytes, size_t len,
		   uint8_t out[AUDIT_SIG_BYTES], struct err *err);
/* 0, ERR_TRUST if the signature is not good. */
int audit_key_verify(const struct audit_vkey *vkey, const void *bytes,
		     size_t len, const uint8_t sig[AUDIT_SIG_BYTES],
		     struct err *err);
/* Text form and back; parse checks the hash. */
void audit_key_format(const struct audit_vkey *vkey,
		      char out[AUDIT_VKEY_BYTES]);
int audit_key_parse(const char *text, struct audit_vkey *out, struct err *err);

#endif
