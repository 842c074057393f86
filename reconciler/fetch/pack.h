/*
 * pack.h - making and taking packs of git objects.
 */
#ifndef RECONCILER_FETCH_PACK_H
#define RECONCILER_FETCH_PACK_H

#include "lib/err.h"
#include "reconciler/fetch/budget.h"

#include <git2/indexer.h>
#include <git2/types.h>
#include <stdbool.h>
#include <stddef.h>

/* Where the bytes of a pack go; a negative result ends the packing. */
typedef int pack_sink(void *ctx, const void *bytes, size_t len);

/* Everything that `want` (a commit, or a tag of one, which is in it too)
 * reaches and none of `have` does, as one pack.  Unknown
 * haves are ignored.  *out_any false: nothing to send, sink not called.
 * ERR_NOTFOUND: want is not there or history is incomplete. */
int pack_make(const char *store_path, const git_oid *want, const git_oid *have,
	      size_t n_have, pack_sink *sink, void *ctx, bool *out_any,
	      struct err *err);

/* Takes a pack into a store: every object hashed, links inside it complete.  It
 * stands apart (BARE_INCOMING) until it is known to have what is wanted. */
struct pack_taker {
	const char *store; /* borrowed */
	git_odb *odb;	   /* what the store had before */
	git_indexer *indexer;
	git_indexer_progress stats; /* libgit2 counts in it across calls */
	struct budget *budget;	    /* borrowed */
	char pack_dir[4096], incoming[4096];
	size_t bytes;
	bool whole;	/* the pack has its name, in `incoming` */
	struct err why; /* filled when pack_take() failed */
};

int pack_take_begin(const char *store_path, struct budget *budget,
		    struct pack_taker *out, struct err *err);
/* A pack_sink; the error is in the taker's `why`. */
int pack_take(void *taker, const void *bytes, size_t len);
/* Writes pack and index; checks that want is a commit there. */
int pack_take_end(struct pack_taker *t, const git_oid *want, struct err *err);
void pack_take_release(struct pack_taker *t);

#endif
