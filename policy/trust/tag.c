/*
 * tag.c - see tag.h.  Runs in reconcile-verify, sandboxed, on a host too.
 */
#include "policy/trust/tag.h"
#include "lib/text.h"

#include <string.h>

bool tag_is_ref(const char *ref)
{
	return strncmp(ref, TAG_REF_PREFIX, strlen(TAG_REF_PREFIX)) == 0;
}

/* What git takes for the first line of a signature when a line begins so. */
static bool begins_armor(const char *line, size_t len)
{
	static const char *const begins[] = {
		"-----BEGIN SSH SIGNATURE-----",
		"-----BEGIN PGP SIGNATURE-----",
		"-----BEGIN PGP MESSAGE-----",
		"-----BEGIN SIGNED MESSAGE-----",
	};

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (len >= strlen(begins[i]) &&
		    memcmp(line, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

static int read_header(struct commit_reader *r, const char *key,
		       struct commit_header *out)
{
	bool more = false;
	int rc = commit_next_header(r, out, &more);

	if (rc < 0)
		return rc;
	if (!more || !commit_span_is(&out->key, key))
		return verdict_fail(r->v, TCODE_GRAMMAR,
				    "want header \"%s\" of a tag here", key);
	r->at = out->next;
	return 0;
}

static int read_headers(struct commit_reader *r, struct tag *t)
{
	struct commit_header h;
	char shown[80];
	int rc;

	rc = read_header(r, "object", &h);
	if (rc == 0)
		rc = commit_read_id(r, &h, &t->object);
	if (rc == 0)
		rc = read_header(r, "type", &h);
	if (rc == 0 && !commit_span_is(&h.value, "commit"))
		return verdict_fail(r->v, TCODE_TAG_TARGET,
				    "want a tag of a commit, have type \"%s\"",
				    text_safe(shown, sizeof(shown), h.value.at,
					      h.value.len));
	if (rc == 0)
		rc = read_header(r, "tag", &h);
	if (rc == 0)
		t->name = h.value;
	if (rc == 0)
		rc = read_header(r, "tagger", &h);
	return rc == 0 ? commit_read_ident(r, &h, &t->tagger) : rc;
}

/* Splits the message from the signature behind it. */
static int split(const char *bytes, const char *at, const char *end,
		 struct tag *t, struct verdict *v)
{
	const char *armor = NULL;

	t->message = (struct commit_span){at, (size_t)(end - at)};
	t->payload = (struct commit_span){bytes, (size_t)(end - bytes)};
	for (const char *line = at; line < end;) {
		const char *eol = memchr(line, '\n', (size_t)(end - line));
		const char *next = eol != NULL ? eol + 1 : end;

#ifndef GUARD_OFF_TAG_SPLIT
		if (armor != NULL && begins_armor(line, (size_t)(next - line)))
			return verdict_fail(v, TCODE_AMBIGUOUS,
					    "two lines of the tag begin a "
					    "signature");
#endif
		if (begins_armor(line, (size_t)(next - line)))
			armor = line;
		line = next;
	}
	if (armor == NULL)
		return 0;
	if (end[-1] != '\n')
		return verdict_fail(v, TCODE_ARMOR,
				    "want a newline at the end of the tag");
	t->message.len = (size_t)(armor - at);
	t->payload.len = (size_t)(armor - bytes);
	t->signature = (struct commit_span){armor, (size_t)(end - 1 - armor)};
	return 0;
}

int tag_parse(const char *bytes, size_t len, struct tag *out, struct verdict *v)
{
	struct commit_reader r = {.at = bytes, .end = bytes + len, .v = v};
	struct tag t = {0};
	int rc;

	rc = commit_check_bytes(bytes, len, v);
	if (rc == 0)
		rc = read_headers(&r, &t);
	if (rc < 0)
		return rc;
	if (r.at == r.end || *r.at != '\n')
		return verdict_fail(v, TCODE_GRAMMAR,
				    "want an empty line after the tagger");
	rc = split(bytes, r.at + 1, r.end, &t, v);
	if (rc == 0)
		*out = t;
	return rc;
}

int tag_check_name(const struct tag *tag, const char *ref, struct verdict *v)
{
#ifndef GUARD_OFF_TAG_NAME
	char shown[128];

	if (!tag_is_ref(ref) ||
	    !commit_span_is(&tag->name, ref + strlen(TAG_REF_PREFIX)))
		return verdict_fail(v, TCODE_TAG_NAME,
				    "want the tag of %s, have \"%s\"", ref,
				    text_safe(shown, sizeof(shown),
					      tag->name.at, tag->name.len));
#else
	(void)tag;
	(void)ref;
	(void)v;
#endif
	return 0;
}

int tag_check_signature(const struct tag *tag, const struct signers *s,
			const struct signature_time *t,
			struct signature_by *out_by, struct verdict *v)
{
	struct signature_ask ask = {.armor = tag->signature,
				    .parts = &tag->payload,
				    .n_parts = 1,
				    .namespace = "git",
				    .when = tag->tagger.when};
	int r;

	*out_by = (struct signature_by){0};
	if (tag->signature.len == 0)
		return verdict_fail(v, TCODE_UNSIGNED,
				    "the tag has no signature");
	r = signature_check_bytes(s, &ask, t, out_by, v);
#ifndef GUARD_OFF_TAG_PERSON
	if (r == 0 && out_by->use != SIGNER_PERSON)
		r = verdict_fail(v, TCODE_UNKNOWN_KEY,
				 "want a tag signed by a person, have %s",
				 out_by->principal);
#endif
	return r;
}
