/*
 * manifest.h - bytes to typed, checked, defaulted objects.  Pure: no I/O.
 *
 * One field table per kind (manifest/kinds) drives decoding, defaults,
 * did-you-mean, manifest_explain(), canonical JSON and the man page.
 */
#ifndef MANIFEST_MANIFEST_H
#define MANIFEST_MANIFEST_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "manifest/types.h"

#include <stdio.h>

/* A diagnostic has a stable code ("M102"), severity, place, reason and fix.
 * Codes of the whole product: M manifest, P policy, T trust, R reconciler. */
enum diag_severity { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };
struct diag {
	const char *code;
	enum diag_severity severity;
	struct manifest_pos pos;
	const char *pointer; /* JSON pointer "/spec/replicas"; NULL */
	const char *message; /* want X, have Y; untrusted text escaped */
	const char *fix;     /* what to write instead; NULL */
};

struct diags {
	struct arena *arena;
	struct diag *items;
	size_t n, cap;
	size_t n_errors;
	size_t max; /* more are counted in dropped, not kept */
	size_t dropped;
};

void diags_init(struct diags *d, struct arena *arena, size_t max);
void diags_add(struct diags *d, const char *code, enum diag_severity sev,
	       struct manifest_pos pos, const char *pointer, const char *fix,
	       const char *fmt, ...) __attribute__((format(printf, 7, 8)));
/* Sorted by path, line, column, code: the order of every print. */
void diags_sort(struct diags *d);
/* "path:line:col: error M102: message (fix: ...)\n" each. */
void diags_print_text(const struct diags *d, struct buf *out);

struct manifest_input {
	const char *path;
	const char *bytes;
	size_t len;
	const char *blob;   /* hex oid or NULL */
	const char *signer; /* or NULL */
};

struct objects {
	struct object *items;
	size_t n;
};

/*
 * Decodes every document of every input.  Returns 0 when it ran to the end,
 * also when diags has errors (then *out holds what decoded); ERR_LIMIT when the
 * whole set is over a limit.  default_namespace fills absent namespaces.
 * Objects come sorted by kind order above, namespace, name.  Duplicate identity
 * (kind, namespace, name) is a diagnostic naming both places.
 */
int manifest_load(const struct manifest_input *in, size_t n_in,
		  const char *default_namespace, struct arena *arena,
		  struct diags *diags, struct objects *out, struct err *err);

/* Closed-world checks over the whole set (manifests.md 5.1 rule 5): references
 * to ConfigMap, Secret, Namespace, ports by name, selectors, duplicates. */
void manifest_check_references(const struct objects *set, struct diags *diags);

/* Canonical JSON -> object (the same tables; for frames between siblings). */
int manifest_from_canonical(const char *json, size_t len, struct arena *arena,
			    struct object *out, struct err *err);

/* The verified, admitted, defaulted state of one commit. */
struct snapshot {
	const char *repository_id;
	const char *ref;
	const char *commit;	      /* hex */
	const char *signer;	      /* principal of the head commit */
	int64_t commit_time;	      /* unix seconds, of the head */
	struct cluster_policy policy; /* in force for this commit */
	struct objects objects;	      /* without ClusterPolicy */
	/* Are roles and bindings in force (authorization: RBAC)?  Then these
	 * are the groups: the roles of the trust policy. */
	bool rbac;
	struct trust_role *groups;
	size_t n_groups;
};

/* Deterministic bytes (equal snapshots, equal bytes) and back. */
int snapshot_encode(const struct snapshot *s, struct buf *out, struct err *err);
int snapshot_decode(const char *bytes, size_t len, struct arena *arena,
		    struct snapshot *out, struct err *err);

const char *manifest_kind_name(enum manifest_kind kind); /* "Deployment" */
/* ERR_NOTFOUND for an unknown one */
int manifest_kind_from_name(const char *name, enum manifest_kind *out);
/* How RBAC rules name the kind: "apps" and "deployments". */
const char *manifest_kind_group(enum manifest_kind kind);
const char *manifest_kind_resource(enum manifest_kind kind);
const struct object *manifest_find(const struct objects *set,
				   enum manifest_kind kind, const char *ns,
				   const char *name);
/* Pod template of Pod, Deployment, DaemonSet, Job; NULL for other kinds. */
const struct pod_template *manifest_template(const struct object *o);
bool manifest_selector_matches(const struct selector *s,
			       const struct keyvals *labels);
bool manifest_labels_match(const struct keyvals *want,
			   const struct keyvals *labels);
const char *manifest_label(const struct keyvals *map,
			   const char *key); /* NULL */

/* `reconcile explain Deployment.spec.replicas`: type, default, class, checks,
 * deviation, source.  Case-insensitive kind; ERR_INPUT with did-you-mean. */
int manifest_explain(const char *path, struct buf *out, struct err *err);
/* Text of a diagnostic code: what it means and what to do. */
int manifest_explain_code(const char *code, struct buf *out, struct err *err);
/* The manifest man page, reconcile-manifest(5), in mdoc. */
void manifest_print_mdoc(FILE *out);
/* The section FIELDS of reconcile-trust(5). */
void manifest_print_mdoc_trust(FILE *out);

#endif
