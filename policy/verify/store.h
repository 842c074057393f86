/*
 * store.h - the git object database of reconcile-verify: raw bytes by id.
 *
 * libgit2 is used for nothing but finding, inflating and re-hashing objects
 * (strict hash verification, SHA-1 with collision detection).  No
 * configuration, reference, graft, replacement or index is read, nothing is
 * checked out; only store_resolve(), for untrusted dry runs, opens references.
 * A store that borrows objects or hides history is refused (A34, A35).
 */
#ifndef POLICY_VERIFY_STORE_H
#define POLICY_VERIFY_STORE_H

#include "policy/trust/commit.h"
#include "policy/trust/verdict.h"

#include <git2/types.h>

enum store_type { STORE_COMMIT, STORE_TREE, STORE_BLOB, STORE_TAG, STORE_NONE };

struct store_kept { /* an object that is only in memory */
	struct commit_id id;
	enum store_type type;
	size_t len;
	struct store_kept *next;
	char bytes[];
};

struct store {
	const char *path; /* borrowed */
	git_odb *odb;
	git_odb_object *last;	 /* bytes of the last read borrow from it */
	struct store_kept *kept; /* owned; what a merge made */
};

/* Once a process, after the sandbox. */
int store_library_init(struct err *err);
/* path: bare repository or a .git folder; strict: refuse alternates and shallow
 * stores.  T142 with ERR_TRUST, else ERR_NOTFOUND, ERR_INPUT.  Owned. */
int store_open(const char *path, bool strict, struct store *out,
	       struct verdict *v, struct err *err);
void store_close(struct store *s);
/* At most max bytes; borrowed until the next read.  T141, T144, T102, T173. */
int store_read(struct store *s, const struct commit_id *id,
	       enum store_type type, size_t max, const char **out,
	       size_t *out_len, struct verdict *v);
/* By its header alone; STORE_NONE: not there, or unreadable. */
enum store_type store_type_of(struct store *s, const struct commit_id *id);
/* walk_source.read */
int store_read_commit(void *ctx, const struct commit_id *id, const char **out,
		      size_t *out_len, struct verdict *v);
/* A revision as git names it, letters of A-Za-z0-9._/~^+- and @ alone; T180. */
int store_resolve(const struct store *s, const char *revision,
		  struct commit_id *out, struct verdict *v);

#endif
