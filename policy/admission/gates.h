/*
 * gates.h - the cluster policy's own rules (P2xx): images, plain Secrets, host
 * paths and what section 5.5 of the manifest rules calls gated.
 *
 * Pure; in reconcile-verify.  The policy is signed (that of the first parent),
 * the object is hostile.  Unset policy fields refuse.
 */
#ifndef POLICY_ADMISSION_GATES_H
#define POLICY_ADMISSION_GATES_H

#include "manifest/manifest.h"

struct gates_row {
	const char *code; /* "P201" */
	const char *id;	  /* "imageRegistry" */
	const char *field;
	const char *want;
	const char *instead; /* what to write */
};

const struct gates_row *gates_rows(size_t *out_n);
/* Appends a diagnostic for each rule that o breaks. */
void gates_check(const struct cluster_policy *policy, const struct object *o,
		 struct diags *diags);
/* JSON pointer of the pod spec in an object of this kind. */
const char *gates_spec_pointer(enum manifest_kind kind);
/* pos, or the object's own where pos has no path. */
struct manifest_pos gates_pos(struct manifest_pos pos, const struct object *o);

#endif
