/*
 * line.h - judging a line of history by the trust policy that stands in it
 * (docs/trust.md, ADR 26).
 *
 * Pure: objects come through callbacks.  The line is the chain of first parents
 * from the target down to where trust is: the last accepted commit, else the
 * anchor, else the root commit.  Each commit on it is a step from its first
 * parent, judged by the policy in the tree before the step; steps that
 * approvals span may be joined.  A step is good when for each path that differs
 * enough distinct people vouch: the signer of the commit, approvals, and in a
 * merge that adds nothing of its own the signers of what was merged.
 *
 * Invariants: (1) every new commit, on the line or not, is signed by a key that
 * the policy before its step knows; (2) a path that no rule decides may not
 * change; (3) only people count, each once; (4) what a policy allows is never
 * used by the step that brings the policy.
 */
#ifndef POLICY_TRUST_LINE_H
#define POLICY_TRUST_LINE_H

#include "policy/trust/approval.h"
#include "policy/trust/history.h"
#include "policy/trust/people.h"

#define LINE_PATHS_SHOWN 16
#define LINE_PEOPLE_SHOWN 64
#define LINE_NOTES_MAX 64

struct line_source {
	struct walk_source commits;
	struct approval_source trees;
	/* Raw bytes of a blob, borrowed until the next call. */
	int (*blob)(void *ctx, const struct commit_id *id, const char **out,
		    size_t *out_len, struct verdict *v);
	/* The tree that merging theirs into ours gives; keep: it can be read
	 * afterwards.  *out_clean false: conflicts, or not exactly one merge
	 * base. */
	int (*merge)(void *ctx, const struct commit_id *ours,
		     const struct commit_id *theirs, bool keep, bool *out_clean,
		     struct commit_id *out_tree, struct verdict *v);
	void *ctx; /* of blob and merge */
};

/* A step, or several joined: what is judged at once. */
struct line_step {
	const struct commit_id *from, *to;	     /* commits; from NULL: */
	const struct commit_id *from_tree, *to_tree; /* from nothing */
	const struct people *people;		     /* in force before */
	const struct diff *diff;
};

/* What RBAC adds; asked only where people_rbac() says so. */
struct line_access {
	/* A step begins: read the roles before it and what it changes.  Refuses
	 * the step as a whole with a verdict. */
	int (*begin)(void *ctx, const struct line_step *step,
		     struct verdict *v);
	/* Whether this person may do what the change of the path amounts to; if
	 * not, why has the reason. */
	bool (*allows)(void *ctx, const struct diff_change *change,
		       const struct people_person *who, struct verdict *why);
	void *ctx;
};

struct line_ask {
	struct commit_id target;
	struct commit_id accepted; /* BASE of a proposal */
	struct commit_id anchor;
	bool has_accepted, has_anchor;
	bool proposal;		  /* report, never stop; BASE is believed */
	bool want_commits;	  /* a verdict for each */
	const char *first_policy; /* "sha256:HEX"; for a proposal unused */
	const char *repository, *ref;
	int64_t now;
	size_t max_commits;	    /* 0: HISTORY_COMMITS_MAX */
	struct line_access *access; /* NULL: none */
	/* Something more that the signers in force at the target judge, such as
	 * a tag in front of it; NULL: nothing. */
	int (*at_target)(void *ctx, const struct signers *signers,
			 struct verdict *v);
	void *target_ctx;
	const struct openpgp_run *openpgp; /* for signature_time */
};

/* One rule that a step must satisfy. */
struct line_requirement {
	struct commit_id from, to;
	bool has_from;
	/* "root", "rules[2]"; "rbac": enough people of the rule vouch, but
	 * roles do not let them; "no rule": none decides */
	const char *rule;
	const char **paths; /* at most LINE_PATHS_SHOWN */
	size_t n_paths, paths_total;
	unsigned int threshold;
	const char **have, **could; /* people */
	size_t n_have, n_could;
	bool met;
	enum tcode code;
	const char *message, *fix;
};

struct line_commit {
	struct commit_id id;
	const struct signature_by *by; /* NULL: it has no grammar */
	const struct verdict *verdict; /* NULL: good */
	uint8_t payload[HASH_BYTES];   /* of the signed bytes */
	const char *subject;	       /* escaped; NULL */
};

struct line_result { /* lists in the arena */
	struct line_requirement *requirements;
	size_t n_requirements;
	struct line_commit *commits; /* wanted, or a proposal: new ones */
	size_t n_commits;
	const char *notes[LINE_NOTES_MAX]; /* approvals that do not count */
	size_t n_notes;
	bool has_policy; /* a proposal: BASE has a trust policy */
	bool by_merging; /* a proposal: HEAD is judged merged into BASE */
	bool has_merged; /* and it merges: the tree that gives */
	struct commit_id merged;
	/* Content trees of the whole change: what an approval names. */
	bool has_from, has_to;
	struct commit_id from, to;
	uint64_t version;    /* of the policy in force at the target */
	int64_t fresh_until; /* unix s; 0: no limit */
};

/* Fills history as history_check() does.  0 when it ran to the end: then
 * history->n_refused and the requirements that are not met decide. ERR_TRUST
 * with a verdict when the line as a whole is refused: T140, T141, T143..T145,
 * T182, T186, T192, T193 ... */
int line_check(const struct line_source *src, const struct line_ask *ask,
	       struct arena *arena, struct history_result *history,
	       struct line_result *out, struct verdict *v);

#endif
