/*
 * mutate.h - commit objects with a good signature and something odd about them:
 * what trust_mutate.c asks git and us about.
 *
 * A mutant is made of a seed alone, given the keys: a payload, perhaps changed,
 * signed; the fields of the signature, the armor and the whole object perhaps
 * changed too.  `how` names the changes.
 */
#ifndef TESTS_ATTACK_MUTATE_H
#define TESTS_ATTACK_MUTATE_H

#include "lib/buf.h"

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUTATE_BYTES_MAX (4u << 20)
#define MUTATE_HOW_BYTES 200

struct mutate_rng {
	uint64_t state;
};
uint64_t mutate_next(struct mutate_rng *r, uint64_t below);
void mutate_need(bool good, const char *what);
/* Replaces n bytes at `at` by others. */
void mutate_splice(struct buf *b, size_t at, size_t n, const void *bytes,
		   size_t len);

/* --- mutate_sign.c: keys and signatures --- */
struct mutate_key {
	const char *name;
	const char *type; /* of ssh */
	const char *gits; /* options of its line in git's list; NULL: none */
	const char *ours; /* and in ours */
	EVP_PKEY *pkey;
	struct buf blob;
};
struct mutate_keys {
	struct mutate_key *items;
	size_t n;
	struct buf certs[16]; /* of the first key */
	size_t n_certs;
};
/* Makes keys in a folder: NAME.pem, NAME.pub and the lines of both lists. */
void mutate_keys_make(const char *dir);
/* Reads them, and cert-*.pub. */
void mutate_keys_load(const char *dir, struct mutate_keys *out);
/* Armored signature of the payload by some key, perhaps with other fields. */
void mutate_sign(const struct mutate_keys *keys, const struct buf *payload,
		 struct mutate_rng *r, bool odd, struct buf *out, char *how);

/* --- mutate_object.c: the text around it --- */
void mutate_payload(struct buf *payload, struct mutate_rng *r, int64_t now,
		    bool odd, char *how);
void mutate_armor(struct buf *armor, struct mutate_rng *r, char *how);
/* payload and armor to an object; odd: not where git puts it. */
void mutate_join(const struct buf *payload, const struct buf *armor,
		 struct mutate_rng *r, bool odd, struct buf *out, char *how);
/* An object with any kind of signature: its armor, the bytes inside (armored
 * well again), or single bytes. */
void mutate_signed(struct buf *object, struct mutate_rng *r, char *how);
void mutate_bytes(struct buf *object, struct mutate_rng *r, char *how);
void mutate_note(char *how, const char *what);

#endif
