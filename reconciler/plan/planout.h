/*
 * planout.h - what both renderers of a plan share.  Private to reconciler/plan.
 */
#ifndef RECONCILER_PLAN_PLANOUT_H
#define RECONCILER_PLAN_PLANOUT_H

#include "lib/buf.h"
#include "reconciler/plan/plan.h"

/* Appends untrusted text so that it is inert on a terminal, in a log line, in a
 * CI log (no "::command" and no "##[command]") and in Markdown or HTML (no
 * backquote, no '<').  NULL appends nothing. */
void planout_safe(struct buf *out, const char *text);
/* "create" "update" "delete" "start" "stop" */
const char *planout_action(int action);
const char *planout_cause(int cause); /* "intent" "drift" */
const char *planout_severity(enum diag_severity s);
/* Hashes of a Secret are not shown: a short secret could be guessed by them. */
bool planout_shows_hash(const struct plan_change *c);
/* "sha256:..." of an image: its own digest, else what it stands for now; NULL
 * if not resolved yet.  Borrowed. */
const char *planout_digest(const char *image, const struct world *w);
/* The object of a change as it is wanted; NULL if it is gone. */
const struct object *planout_object(const struct snapshot *want,
				    const struct plan_change *c);

#endif
