/*
 * siblings.h - one call each to the programs that parse for us.
 */
#ifndef RECONCILER_CORE_SIBLINGS_H
#define RECONCILER_CORE_SIBLINGS_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "manifest/manifest.h"
#include "reconciler/core/conf.h"
#include "reconciler/report/report.h"

#include <stdbool.h>
#include <stdint.h>

/* What reconcile-verify said, in the caller's arena. */
struct verdict {
	int kind;	      /* enum Verify__VerifyReply__Verdict */
	const char *commit;   /* hex */
	const char *accepted; /* hex, of a proposal; else "" */
	struct diags diags;   /* sorted */
	const struct report_commit *commits;
	size_t n_commits;
	uint64_t verified; /* number of commits checked */
	const struct report_requirement *requirements;
	size_t n_requirements;
	const char *const *facts; /* about a proposal, for people */
	size_t n_facts;
	uint64_t trust_version;		  /* 0: pinned lists */
	int64_t fresh_until, commit_time; /* unix seconds; 0: no limit */
	const char *statement; /* of a proposal: what an approval says; NULL */
	const char *snapshot;  /* encoded; NULL if there is none */
	size_t snapshot_len;
	const struct trust_view *trust; /* mode TRUST, when it compiles */
};

/* A trust policy, for people: TrustPolicy of verify.proto. */
struct trust_view {
	const char *digest; /* "sha256:..." of the file */
	const char *before; /* of the one that it follows; "" */
	const char *canonical;
	size_t canonical_len;
	const char *const *keys; /* of people, carriers, freshness: what tells
				  * one; "" for X.509 */
	const bool *revoked;
	size_t n_keys;
};

struct verify_args {
	const char *repository; /* path */
	const char *accepted;	/* NULL at first trust */
	const char *target;
	int mode;    /* enum Verify__VerifyRequest__Mode; 0 is FULL */
	int64_t now; /* unix seconds for validity; 0: the clock */
	const struct manifest_input *inputs; /* modes LINT and TRUST */
	size_t n_inputs;
	bool whole; /* LINT: inputs are all files that there are */
	bool every; /* a verdict for each commit, not for refused ones alone */
};

/* Packs the trust root that the configuration names; *out owned by arena. */
int siblings_trust_root(const struct core_conf *conf, struct arena *arena,
			const unsigned char **out, size_t *out_len,
			struct err *err);
/* Verdict of reconcile-verify; an error only when none could be had. */
int siblings_verify(const struct core_conf *conf, const char *libexec,
		    const struct verify_args *args, struct arena *arena,
		    struct verdict *out, struct err *err);
/* Digest ("sha256:...") that a reference by tag stands for now. */
int siblings_resolve(const struct core_conf *conf, const char *libexec,
		     const char *image, struct arena *arena,
		     const char **out_digest, struct err *err);
/* Path of the mirror below the state folder. */
const char *siblings_mirror(const struct core_conf *conf, struct arena *arena);

#endif
