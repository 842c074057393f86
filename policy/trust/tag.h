/*
 * tag.h - a signed tag: its strict grammar on the raw object, and who signed
 * it.
 *
 * Pure; the input is hostile.  Exactly
 *
 *   object, type "commit", tag NAME, tagger, an empty line, the message, and at
 *   the end one armored signature;
 *
 * no other header, and what commit.h says of bytes.  git signs what stands
 * before the *last* line that begins an armor, other readers take the first:
 * an object in which these are two lines is refused.  A tag of a tag is
 * refused: each would be a name of its own (T107).
 */
#ifndef POLICY_TRUST_TAG_H
#define POLICY_TRUST_TAG_H

#include "policy/trust/commit.h"
#include "policy/trust/signature.h"

#define TAG_REF_PREFIX "refs/tags/"

struct tag {
	struct commit_id object; /* a commit, says the tag */
	struct commit_span name;
	struct commit_ident tagger;
	struct commit_span message;
	struct commit_span payload;   /* signed bytes */
	struct commit_span signature; /* armor without its last newline; len 0:
				       * not signed */
};

/* Whether a ref that is followed is a tag. */
bool tag_is_ref(const char *ref);
/* Whole object (without git's "tag N\0").  T101..T104, T107, T111, T113. */
int tag_parse(const char *bytes, size_t len, struct tag *out,
	      struct verdict *v);
/* It has the name of this ref (A22).  T106. */
int tag_check_name(const struct tag *tag, const char *ref, struct verdict *v);
/* It is signed by a person.  Any T1xx of signature_check_bytes(), T110, T120.
 */
int tag_check_signature(const struct tag *tag, const struct signers *s,
			const struct signature_time *t,
			struct signature_by *out_by, struct verdict *v);

#endif
