/*
 * openpgp.h - OpenPGP signatures, judged by Debian's sqv (Sequoia); not parsed
 * here beyond the fixed places of one packet (RFC 4880).  Pure; the input is
 * hostile.  sqv runs elsewhere: struct openpgp_run, which policy/verify has.
 *
 * Before sqv sees anything: exactly one packet, a version 4 signature over
 * binary data by RSA, ECDSA or EdDSA with SHA-256, SHA-384 or SHA-512, its
 * length in the shortest form, nothing behind its numbers.  Afterwards: sqv
 * ended well and printed one fingerprint, which is a pinned one.  sqv prints
 * nothing else, so that no user id or notation can speak in its place.
 */
#ifndef POLICY_TRUST_OPENPGP_H
#define POLICY_TRUST_OPENPGP_H

#include "policy/trust/armor.h"
#include "policy/trust/wire.h"

#define OPENPGP_FINGERPRINT 41 /* 40 upper-case hex digits, NUL */
#define OPENPGP_CERTS_MAX 32   /* in one run of sqv */
#define OPENPGP_CERT_BYTES_MAX 65536
#define OPENPGP_OUTPUT_MAX 4096

struct openpgp_job {
	const char *certificates[OPENPGP_CERTS_MAX]; /* armored */
	size_t n_certificates;
	struct wire_span signature; /* one packet */
	const struct commit_span *parts;
	size_t n_parts;
	/* The signature's own date must be inside, unix s, both included. */
	int64_t not_before, not_after;
};

struct openpgp_answer {
	int status; /* exit status of sqv, 128 + signal */
	size_t len; /* of what it printed */
	char output[OPENPGP_OUTPUT_MAX];
};

struct openpgp_run {
	/* 0: it ran; ERR_TRUST with T139: it could not. */
	int (*run)(void *ctx, const struct openpgp_job *job,
		   struct openpgp_answer *out, struct verdict *v);
	void *ctx;
};

/* One signature packet as above -> the packet for sqv, appended.  T136, T116,
 * T117. */
int openpgp_read_signature(const struct wire_span *packets, struct buf *out,
			   struct verdict *v);
/* Exit status 0 and exactly one line with a fingerprint.  T137, T139. */
int openpgp_read_answer(const struct openpgp_answer *a,
			char out[OPENPGP_FINGERPRINT], struct verdict *v);
/* An armored certificate of the trust policy: one primary key of version 4,
 * whose fingerprint is *out, no secret keys, packets that fit.  T136, T113. */
int openpgp_certificate(const char *armored, size_t len,
			char out[OPENPGP_FINGERPRINT], struct verdict *v);

#endif
