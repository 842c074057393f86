/*
 * trust_render.h - a trust policy for people, and for programs.  Pure; every
 * text may be somebody's proposal.
 */
#ifndef RECONCILER_CLI_TRUST_RENDER_H
#define RECONCILER_CLI_TRUST_RENDER_H

#include "lib/buf.h"
#include "reconciler/core/siblings.h"

/* One key as it is listed: of whom, what it is, what tells it. */
struct trust_line {
	const char *owner; /* person or carrier; "freshness" */
	const char *use;   /* "person", "carrier", "freshness" */
	const struct trust_key *key;
	const char *id; /* trust_view.keys */
	bool revoked;
};

/* Fills lines of the arena in the order of the view; ERR_PROTO when the counts
 * do not match. */
int trust_render_lines(const struct trust_spec *spec,
		       const struct trust_view *view, struct arena *arena,
		       const struct trust_line **out, size_t *out_n,
		       struct err *err);
void trust_render_text(const struct trust_spec *spec,
		       const struct trust_view *view,
		       const struct trust_line *lines, size_t n_lines,
		       int64_t now, struct buf *out);
/* One JSON object, reconcile.trust/v1, without a newline.  view NULL: the
 * policy does not compile. */
void trust_render_json(const struct trust_view *view,
		       const struct trust_line *lines, size_t n_lines,
		       const struct diags *diags, struct buf *out);

#endif
