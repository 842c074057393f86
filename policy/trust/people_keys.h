/*
 * people_keys.h - the keys of a trust policy made ready to verify with, and
 * what is revoked.  Of people.c alone.
 */
#ifndef POLICY_TRUST_PEOPLE_KEYS_H
#define POLICY_TRUST_PEOPLE_KEYS_H

#include "manifest/manifest.h"
#include "policy/trust/signers.h"

#define PEOPLE_KEYS_NOBODY SIZE_MAX

struct people_keys {
	struct signers *signers;    /* owned */
	const struct signer *items; /* theirs */
	const size_t *owner; /* index of the person; NOBODY, at the end */
	const bool *revoked; /* of X.509 only its signatures tell */
	size_t n;
	struct cmscert_authority **authorities; /* owned */
	size_t n_authorities;
};

/* Where a fault of the policy goes: a diagnostic, and the first one into v. */
struct people_faults {
	struct diags *diags;
	size_t n;
	struct verdict *v;
};
void people_keys_fault(struct people_faults *f, enum tcode code,
		       struct manifest_pos pos, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* *out is to be released also when there were faults. */
void people_keys_init(struct people_keys *out, const struct trust_spec *spec,
		      struct arena *arena, struct people_faults *faults);
void people_keys_release(struct people_keys *k);

#endif
