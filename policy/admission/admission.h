/*
 * admission.h - may it run: Pod Security Standards, cluster policy, images.
 * Pure; judges the defaulted objects, never the text (threats A60, A61).
 */
#ifndef POLICY_ADMISSION_H
#define POLICY_ADMISSION_H

#include "lib/buf.h"
#include "lib/err.h"
#include "manifest/manifest.h"

enum admission_level {
	ADMISSION_PRIVILEGED,
	ADMISSION_BASELINE,
	ADMISSION_RESTRICTED
};

/* Judges every object of s under s->policy; P codes in diags, each naming the
 * rule, the field, what was wanted and what to write instead.  A namespace's
 * enforce label may tighten, never loosen, policy.pod_security. */
int admission_check(const struct snapshot *s, struct diags *diags,
		    struct err *err);
/* As above under another policy (that of the first parent). */
int admission_check_under(const struct snapshot *s,
			  const struct cluster_policy *policy,
			  struct diags *diags, struct err *err);
/* Is a taint of this key, value and effect tolerated?  key, value not NULL. */
bool admission_tolerates(const struct pod_spec *spec, const char *key,
			 const char *value, const char *effect);
/* "privileged", "baseline", "restricted"; false for anything else. */
bool admission_level_parse(const char *text, int *out_level);
const char *admission_level_name(int level);
/* Does this host fit the pod: nodeSelector, taints; the host itself checks an
 * assignment with it.  why (optional) gets the reason. */
bool admission_host_fits(const struct pod_spec *spec,
			 const struct keyvals *host_labels,
			 const char *const *taint_keys,
			 const char *const *taint_values,
			 const char *const *taint_effects, size_t n_taints,
			 struct buf *why);
/* `reconcile explain P201` / rule ids: text of a rule. */
int admission_explain(const char *code, struct buf *out, struct err *err);

#endif
