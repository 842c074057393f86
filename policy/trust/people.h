/*
 * people.h - the trust policy, compiled: who the people are, with which keys,
 * and how many of whom a path needs (reconcile-trust(5), ADR 26).
 *
 * Pure.  The text is somebody's proposal until enough people have signed it:
 * it is read as strictly as any manifest, and a mistake in it is an error with
 * a place, never skipped.
 *
 * Invariants of what people_new() gives: (1) a key has one owner; (2) names of
 * people, roles and carriers are unique; (3) each rule and the root can be met
 * by people whose keys are not revoked; (4) there is a revocation list.
 */
#ifndef POLICY_TRUST_PEOPLE_H
#define POLICY_TRUST_PEOPLE_H

#include "lib/hash.h"
#include "manifest/manifest.h"
#include "policy/trust/signers.h"

#define PEOPLE_PATH ".reconcile/trust.yaml"
#define PEOPLE_APPROVALS ".reconcile/approvals"
#define PEOPLE_DIGEST (7 + HASH_HEX) /* "sha256:" + 64 + NUL */

struct people;

struct people_person {
	const char *name;     /* the principal of signature_by */
	struct strings roles; /* that name the person: RBAC groups */
	size_t index;
	const struct trust_person *spec;
};

struct people_rule {
	const char *id;		/* "rules[2]", "root", "approvals" */
	struct strings paths;	/* patterns; none for "root" */
	unsigned int threshold; /* distinct people; 0: nobody is needed */
	bool touch, pin;	/* only such signatures count */
	const bool *member;	/* by people_person.index */
	const struct trust_rule *spec; /* NULL for "approvals" */
};

enum people_carry { PEOPLE_MERGE, PEOPLE_SQUASH };

/* "sha256:HEX" of the file, as trust.policy pins it. */
void people_digest(const void *bytes, size_t len, char out[PEOPLE_DIGEST]);

/* The bytes of a trust policy file; every fault becomes a diagnostic (all of
 * them at once; M codes first, the codes below when there are none).  Memory
 * is of the arena; *out is to be released with people_free() before it.  T182
 * (it does not decode, or is another kind), T184, T185, T187; v has the first.
 */
int people_read(const struct manifest_input *in, struct arena *arena,
		struct diags *diags, struct people **out, struct verdict *v);
/* From what is decoded already; o is borrowed by *out. */
int people_new(const struct object *o, struct arena *arena, struct diags *diags,
	       struct people **out, struct verdict *v);
void people_free(struct people *p); /* NULL allowed; the keys */

const struct object *people_object(const struct people *p);
const struct trust_spec *people_spec(const struct people *p);
/* Keys of people, carriers and freshness; signature_by.use tells which.  Also
 * what is revoked: signers_payload_revoked() and the others. */
const struct signers *people_signers(const struct people *p);
/* NULL when nobody has that name (a carrier has none). */
const struct people_person *people_find(const struct people *p,
					const char *principal);
size_t people_count(const struct people *p);
/* index < people_count(). */
const struct people_person *people_at(const struct people *p, size_t index);

/* What decides a path (from the root of the tree, no leading slash): the root
 * for .reconcile/trust.yaml, "approvals" for what is below
 * .reconcile/approvals/, else the first rule with a pattern that fits; NULL:
 * none, so nobody may. */
const struct people_rule *people_rule(const struct people *p, const char *path);
const struct people_rule *people_root(const struct people *p);
/* Whether a signature of this person counts for the rule; who NULL: no. */
bool people_counts(const struct people_rule *rule,
		   const struct people_person *who, bool touched,
		   bool verified);
/* People who could sign for the rule now: their names, by the order of the
 * file, at most max of them; returns how many there are.  Whoever has no key
 * that is valid, not revoked and can give what the rule requires is left out.
 */
size_t people_of_rule(const struct people *p, const struct people_rule *rule,
		      int64_t now, const char **out, size_t max);

bool people_carrier_accepts(const struct people *p, const char *principal,
			    enum people_carry how);
bool people_rbac(const struct people *p);	  /* authorization: RBAC */
int64_t people_max_age_s(const struct people *p); /* 0: no limit */
int64_t people_expires(const struct people *p);	  /* unix s */
/* Expired: only a step that changes nothing but the trust policy is good. */
bool people_expired(const struct people *p, int64_t now);
/* Whether next may follow p: its version is exactly one more.  T186. */
int people_successor(const struct people *p, const struct people *next,
		     struct verdict *v);

#endif
