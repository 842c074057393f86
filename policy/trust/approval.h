/*
 * approval.h - a signed statement that somebody agrees with a change.
 *
 * Pure; the input is hostile.  A file .reconcile/approvals/TREE/NAME:
 *
 *   reconcile-approval/1
 *   repository: ID
 *   ref: refs/heads/main
 *   from: TREE before, in hex, or -
 *   to: TREE after
 *   <empty line>
 *   -----BEGIN SSH SIGNATURE----- ... over all up to the empty line
 *
 * One reading: the statement is written anew and compared, so there is no other
 * spelling of it; one newline ends the file.  Both trees are content trees: the
 * tree of a commit without .reconcile/approvals, so that an approval changes
 * nothing that it is about.  It binds trees, never a commit, and so survives
 * squash and rebase; it binds where the change begins, and so is no use on
 * another base (A33).
 */
#ifndef POLICY_TRUST_APPROVAL_H
#define POLICY_TRUST_APPROVAL_H

#include "policy/trust/approval_names.h"
#include "policy/trust/diff.h"
#include "policy/trust/signature.h"

#define APPROVAL_TEXT_MAX 255

struct approval {
	char repository[APPROVAL_TEXT_MAX + 1];
	char ref[APPROVAL_TEXT_MAX + 1];
	bool has_from; /* false: from nothing, the first commit */
	struct commit_id from, to;
	struct commit_span statement; /* the signed bytes; borrowed */
	struct commit_span armor;     /* lines, without the last newline */
};

/* T195. */
int approval_parse(const char *bytes, size_t len, struct approval *out,
		   struct verdict *v);
/* Appends the statement of a: what is to be signed. */
void approval_statement(const struct approval *a, struct buf *out);
/* Whether it is for this repository and ref (T196) and a person signed it (what
 * signature_check_bytes() says, T149).  when: date of the commit that brought
 * it. */
int approval_check(const struct approval *a, const struct signers *signers,
		   const char *repository, const char *ref, int64_t when,
		   int64_t now, struct signature_by *out_by, struct verdict *v);

struct approval_source {
	struct diff_source trees;
	/* Id of a tree object; an error when it looks like a collision. */
	int (*hash)(void *ctx, const char *bytes, size_t len,
		    struct commit_id *out, struct verdict *v);
};

/* The content tree of a tree, computed in memory; equal to it when there are no
 * approvals. */
int approval_content(const struct approval_source *src,
		     const struct commit_id *tree, struct commit_id *out,
		     struct verdict *v);

#endif
