/*
 * inventory.h - which objects the files of a tree hold: who each one is, what
 * it says (by digest), and roles and bindings in full.
 *
 * Made once from a whole tree, then step by step from the files that changed.
 * Runs in reconcile-verify below its sandbox; blobs are hostile.
 */
#ifndef POLICY_VERIFY_INVENTORY_H
#define POLICY_VERIFY_INVENTORY_H

#include "lib/hash.h"
#include "manifest/manifest.h"
#include "policy/trust/diff.h"
#include "policy/verify/store.h"

struct inventory_object {
	enum manifest_kind kind;
	const char *namespace; /* NULL: of the cluster */
	const char *name;
	uint8_t digest[HASH_BYTES]; /* of the canonical form */
	const struct object *role;  /* roles and bindings; else NULL */
};

struct inventory_file {
	const char *path;
	bool broken;	 /* does not decode: what it holds is not known */
	const char *why; /* the first fault, when broken; escaped */
	struct inventory_object *objects;
	size_t n;
	size_t users; /* inventories that hold it */
	struct arena *arena;
};

struct inventory {
	char *manifests_path, *default_namespace; /* of the policy file */
	struct inventory_file **files; /* by path; the policy file too */
	size_t n;
};

/* T141, T144 when the store fails; else what is wrong is broken. */
int inventory_read(struct store *store, const struct commit_id *tree,
		   struct inventory *out, struct verdict *v);
/* The inventory of `tree`, which differs from that of before by diff. */
int inventory_follow(struct store *store, const struct inventory *before,
		     const struct commit_id *tree, const struct diff *diff,
		     struct inventory *out, struct verdict *v);
void inventory_release(struct inventory *i);
/* Do both read files in the same way? */
bool inventory_reads_alike(const struct inventory *a,
			   const struct inventory *b);
/* Kind, namespace, name. */
int inventory_order(const struct inventory_object *a,
		    const struct inventory_object *b);

#endif
