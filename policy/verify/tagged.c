/*
 * tagged.c - see tagged.h.  Runs in reconcile-verify, sandboxed.
 */
#include "policy/verify/tagged.h"

int tagged_open(struct store *store, const char *ref,
		const struct commit_id *accepted, struct arena *arena,
		struct commit_id *io_target, struct tagged *out,
		struct verdict *v)
{
	struct tagged t = {.id = *io_target};
	char hex[COMMIT_ID_HEX];
	const char *bytes = NULL;
	size_t len = 0;
	int r;

	*out = t;
	if (!tag_is_ref(ref) ||
	    (accepted != NULL && commit_id_equal(accepted, io_target)))
		return 0;
#ifndef GUARD_OFF_TAG_REQUIRED
	if (store_type_of(store, io_target) == STORE_COMMIT)
		return verdict_fail(v, TCODE_UNSIGNED,
				    "%s is a tag without an object of its own: "
				    "want one that is signed",
				    ref);
#else
	if (store_type_of(store, io_target) == STORE_COMMIT)
		return 0;
#endif
	r = store_read(store, io_target, STORE_TAG, COMMIT_BYTES_MAX, &bytes,
		       &len, v);
	if (r < 0)
		return r;
	bytes = arena_memdup(arena, bytes, len);
	t.found = true;
	r = tag_parse(bytes, len, &t.tag, v);
	if (r == 0)
		r = tag_check_name(&t.tag, ref, v);
	if (r < 0)
		return verdict_wrap(v, "tag %s", commit_id_hex(&t.id, hex));
	*io_target = t.tag.object;
	*out = t;
	return 0;
}

int tagged_check(const struct tagged *t, const struct signers *s,
		 const struct signature_time *time, struct signature_by *out_by,
		 struct verdict *v)
{
	char hex[COMMIT_ID_HEX];
	int r;

	if (!t->found)
		return 0;
	r = tag_check_signature(&t->tag, s, time, out_by, v);
	return r < 0 ? verdict_wrap(v, "tag %s", commit_id_hex(&t->id, hex))
		     : 0;
}
