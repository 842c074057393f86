/*
 * sshsig.h - SSHSIG, the signature that `ssh-keygen -Y sign` makes: blob and
 * signed data (OpenSSH PROTOCOL.sshsig).  Pure; the input is hostile.
 */
#ifndef POLICY_TRUST_SSHSIG_H
#define POLICY_TRUST_SSHSIG_H

#include "policy/trust/commit.h"
#include "policy/trust/pubkey.h"
#include "policy/trust/wire.h"

#define SSHSIG_BYTES_MAX 16384

struct sshsig {		      /* borrowed from the blob */
	struct wire_span key; /* plain key or certificate */
	struct wire_span namespace;
	struct wire_span hash; /* "sha256" or "sha512" */
	struct wire_span signature;
};

/* T114, T116. */
int sshsig_parse(const struct wire_span *blob, struct sshsig *out,
		 struct verdict *v);
/* The bytes that the key signed over the payload parts; appended. */
int sshsig_signed_data(const struct sshsig *sig,
		       const struct commit_span *parts, size_t n_parts,
		       struct buf *out, struct verdict *v);

#endif
