/*
 * tree.h - the strict grammar of a git tree object, on its raw bytes.
 *
 * Pure; the input is hostile.  Entries are "mode name\0id", in git's order,
 * each name once.  Which names are dangerous: docs/trust.md section 5 (A38,
 * A43): on no file system may two of them, or one of them and ".git", be the
 * same.
 */
#ifndef POLICY_TRUST_TREE_H
#define POLICY_TRUST_TREE_H

#include "policy/trust/commit.h"

#define TREE_NAME_MAX 255
#define TREE_BYTES_MAX (8u << 20)

enum tree_mode {
	TREE_DIR = 040000,
	TREE_FILE = 0100644,
	TREE_EXEC = 0100755,
	TREE_LINK = 0120000,
	TREE_SUBMODULE = 0160000,
};

struct tree_entry {
	enum tree_mode mode;
	struct commit_span name; /* borrowed; 1..TREE_NAME_MAX bytes */
	struct commit_id id;
};

/* Calls each entry in order after the whole tree has been checked; a negative
 * result of the callback ends the walk and is returned.  names: also check each
 * name and that none clash.  T171, T172, T173, T175. */
typedef int tree_visit(void *ctx, const struct tree_entry *e,
		       struct verdict *v);
int tree_each(const char *bytes, size_t len, bool names, tree_visit *visit,
	      void *ctx, struct verdict *v);
/* git's order: bytes, a folder counting as if its name ended in a slash. */
int tree_compare(const struct tree_entry *a, const struct tree_entry *b);
/* T171 unless the name is harmless everywhere. */
int tree_check_name(const struct commit_span *name, struct verdict *v);
/* "file", "symbolic link", "submodule" ... for messages. */
const char *tree_mode_text(enum tree_mode mode);

#endif
