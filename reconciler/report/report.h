/*
 * report.h - what a dry run found, for people and for the services that show
 * it: verdicts of trust, diagnostics, the plan.  Plain data; the renderers of
 * format.h make text of it.
 *
 * Pure: no clock, no environment, no file.  Every string may come from a
 * hostile commit, also where reconcile-verify says that it has escaped it.
 */
#ifndef RECONCILER_REPORT_REPORT_H
#define RECONCILER_REPORT_REPORT_H

#include "lib/arena.h"
#include "manifest/manifest.h"
#include "reconciler/plan/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct report_commit {
	const char *commit;	  /* hex */
	const char *signer, *key; /* "" if none */
	const char *code;	  /* "OK" or a T code */
	const char *reason;
	const char *format;  /* "ssh", "x509", "openpgp", "" */
	const char *payload; /* "sha256:HEX" of the signed bytes */
	const char *subject; /* first line of the message */
};

/* One rule that a step of the history must satisfy, docs/trust.md. */
struct report_requirement {
	const char *from, *to; /* commits of the step, hex; from "" at the root
				*/
	const char *rule;      /* "root", "rules[2]", "rbac" */
	const char *const *paths;
	size_t n_paths, paths_total; /* the first of how many */
	unsigned int threshold;
	const char *const *have; /* persons that count */
	size_t n_have;
	const char *const *could; /* persons that would */
	size_t n_could;
	bool met;
	const char *code, *message; /* when not met */
	const char *fix;	    /* the command that does it */
};

struct report {
	const char *base, *head;       /* as named by the person; NULL */
	const char *base_id, *head_id; /* hex; NULL if not known */
	int exit; /* status that the program ends with, reconcile(1) */
	/* trust; judged false: there was nothing to judge it by */
	bool judged;
	bool refused_trust, refused_manifest, refused_policy;
	uint64_t trust_version; /* of the policy that judges; 0: pinned lists */
	uint64_t verified;	/* commits looked at */
	const struct report_requirement *requirements;
	size_t n_requirements;
	const struct report_commit *commits;
	size_t n_commits;
	const char *const *facts;
	size_t n_facts;
	const struct diags *diags; /* of the manifests; never NULL */
	/* the plan; NULL: it could not be made, no_plan says why */
	const struct plan *plan;
	const char *no_plan;
	const struct snapshot *want;
	const struct world *world;
	const struct diags *plan_diags; /* NULL allowed */
};

/* Something that a service shows at a place, or over the whole report. */
struct report_finding {
	enum diag_severity severity;
	const char *code; /* "T190" */
	const char *path; /* NULL: of no file */
	unsigned int line, column;
	const char *pointer; /* NULL */
	const char *message; /* inert on a terminal, never NULL */
	const char *fix;     /* the same, or NULL */
};

/* All findings, worst first: errors of trust, errors, warnings, notes; within
 * these by place.  Text is inert on a terminal and in a log, paths are as they
 * are. */
void report_findings(const struct report *r, struct arena *arena,
		     const struct report_finding **out, size_t *out_n);
/* Is c refused, and does no diagnostic say so already? */
bool report_bad(const struct report *r, const struct report_commit *c);
/* Requirements that are not met, and commits that nobody may believe. */
size_t report_missing(const struct report *r);
/* Has the message more than threshold, people and paths? */
bool report_says_more(const struct report_requirement *q);
/* The diagnostics that no requirement says already. */
void report_content(const struct report *r, struct arena *arena,
		    struct diags *out);
/* What trust says, and what the plan does, in a few words of ours alone:
 * "1 of 2 requirements met". */
const char *report_trust(const struct report *r, struct arena *arena);
const char *report_changes(const struct report *r, struct arena *arena);
/* 64 hex digits that stay the same when lines move; distinct in a report. */
const char *report_fingerprint(const struct report_finding *items, size_t i,
			       struct arena *arena);

#endif
