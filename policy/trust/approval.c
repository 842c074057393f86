/*
 * approval.c - see approval.h.  Runs in reconcile-verify, sandboxed.
 */
#include "policy/trust/approval.h"
#include "lib/text.h"

#include <string.h>

#define FIRST_LINE "reconcile-approval/1\n"
#define TREES_MAX ((size_t)TREE_BYTES_MAX)

static int malformed(struct verdict *v, const char *want)
{
	return verdict_fail(v, TCODE_APPROVAL, "want %s", want);
}

/* "key: value\n" at *at; *at moves behind it. */
static bool next_value(const char **at, const char *end, const char *key,
		       struct commit_span *out)
{
	const char *eol = memchr(*at, '\n', (size_t)(end - *at));
	size_t n = strlen(key);

	if (eol == NULL || (size_t)(eol - *at) < n + 2 ||
	    memcmp(*at, key, n) != 0 || memcmp(*at + n, ": ", 2) != 0)
		return false;
	*out = (struct commit_span){*at + n + 2, (size_t)(eol - *at) - n - 2};
	*at = eol + 1;
	return true;
}

/* Printable ASCII without blanks: ids and refs have nothing else. */
static bool take_text(const struct commit_span *s, char *out)
{
	if (s->len == 0 || s->len > APPROVAL_TEXT_MAX)
		return false;
	for (size_t i = 0; i < s->len; i++)
		if (s->at[i] <= ' ' || s->at[i] > '~')
			return false;
	memcpy(out, s->at, s->len);
	out[s->len] = '\0';
	return true;
}

static bool take_trees(const struct commit_span *from,
		       const struct commit_span *to, struct approval *a)
{
	a->has_from = from->len != 1 || *from->at != '-';
	if (a->has_from && !commit_id_parse(from->at, from->len, &a->from))
		return false;
	if (!commit_id_parse(to->at, to->len, &a->to))
		return false;
	return !a->has_from || !commit_id_equal(&a->from, &a->to);
}

void approval_statement(const struct approval *a, struct buf *out)
{
	char from[COMMIT_ID_HEX];
	char to[COMMIT_ID_HEX];

	buf_printf(out,
		   FIRST_LINE "repository: %s\nref: %s\nfrom: %s\nto: %s\n",
		   a->repository, a->ref,
		   a->has_from ? commit_id_hex(&a->from, from) : "-",
		   commit_id_hex(&a->to, to));
}

/* There is one spelling: the one that is written here. */
static bool is_canonical(const struct approval *a)
{
	struct buf text;
	bool same;

	buf_init(&text, APPROVAL_BYTES_MAX);
	approval_statement(a, &text);
	same = !text.failed && text.len == a->statement.len &&
	       memcmp(text.data, a->statement.at, text.len) == 0;
	buf_release(&text);
	return same;
}

int approval_parse(const char *bytes, size_t len, struct approval *out,
		   struct verdict *v)
{
	struct commit_span id, ref, from, to;
	const char *end = bytes + len;
	const char *at = bytes + strlen(FIRST_LINE);
	struct approval a = {0};

	if (len > APPROVAL_BYTES_MAX)
		return verdict_fail(v, TCODE_APPROVAL,
				    "want at most %d bytes, have %zu",
				    APPROVAL_BYTES_MAX, len);
	if (len < strlen(FIRST_LINE) ||
	    memcmp(bytes, FIRST_LINE, strlen(FIRST_LINE)) != 0)
		return malformed(v, "\"reconcile-approval/1\" as first line");
	if (!next_value(&at, end, "repository", &id) ||
	    !next_value(&at, end, "ref", &ref) ||
	    !next_value(&at, end, "from", &from) ||
	    !next_value(&at, end, "to", &to))
		return malformed(v, "\"repository: \", \"ref: \", \"from: \" "
				    "and \"to: \", a line each, in this order");
	if (!take_text(&id, a.repository) || !take_text(&ref, a.ref))
		return malformed(v, "printable words as repository and ref");
	if (!take_trees(&from, &to, &a))
		return malformed(v, "two different trees of 40 lower-case hex "
				    "digits, or - as the first");
	a.statement = (struct commit_span){bytes, (size_t)(at - bytes)};
	if (at == end || *at != '\n' || end[-1] != '\n' || end - at < 3)
		return malformed(v, "an empty line, then the signature and a "
				    "newline");
	a.armor = (struct commit_span){at + 1, (size_t)(end - at) - 2};
	if (!is_canonical(&a))
		return malformed(v, "no other spelling");
	*out = a;
	return 0;
}

static int is_elsewhere(const char *what, const char *have, const char *want,
			struct verdict *v)
{
	char shown[APPROVAL_TEXT_MAX + 1];

	return verdict_fail(
		v, TCODE_APPROVAL_OTHER, "want %s \"%s\", have \"%s\"", what,
		want, text_safe(shown, sizeof(shown), have, strlen(have)));
}

int approval_check(const struct approval *a, const struct signers *signers,
		   const char *repository, const char *ref, int64_t when,
		   int64_t now, struct signature_by *out_by, struct verdict *v)
{
	struct signature_time t = {.now = now, .first_seen = true};
	struct signature_ask ask = {.armor = a->armor,
				    .parts = &a->statement,
				    .n_parts = 1,
				    .namespace = APPROVAL_NAMESPACE,
				    .when = when};
	int r;

#ifndef GUARD_OFF_APPROVAL_BINDING
	if (strcmp(a->repository, repository) != 0)
		return is_elsewhere("repository", a->repository, repository, v);
	if (strcmp(a->ref, ref) != 0)
		return is_elsewhere("ref", a->ref, ref, v);
#else
	(void)is_elsewhere;
	(void)repository;
	(void)ref;
#endif
	r = signature_check_bytes(signers, &ask, &t, out_by, v);
#ifndef GUARD_OFF_APPROVAL_PERSON
	if (r == 0 && out_by->use != SIGNER_PERSON)
		return verdict_fail(v, TCODE_ONLY_EMPTY,
				    "the key of %s is no person's",
				    out_by->principal);
#endif
	return r;
}

struct find {
	const char *name;
	struct commit_id id;
	size_t start, end; /* of the entry in the object; end 0: none */
	size_t at;
};

static int on_find(void *ctx, const struct tree_entry *e, struct verdict *v)
{
	struct find *f = ctx;
	/* "40000 name\0id" */
	size_t mode = e->mode == TREE_DIR ? 5 : 6;
	size_t len = mode + 1 + e->name.len + 1 + COMMIT_ID_BYTES;

	(void)v;
	if (e->mode == TREE_DIR && e->name.len == strlen(f->name) &&
	    memcmp(e->name.at, f->name, e->name.len) == 0) {
		f->id = e->id;
		f->start = f->at;
		f->end = f->at + len;
	}
	f->at += len;
	return 0;
}

/* Reads a tree and where in it the folder stands. */
static int find_folder(const struct approval_source *src,
		       const struct commit_id *tree, struct find *f,
		       struct buf *out, struct verdict *v)
{
	const char *bytes = NULL;
	size_t len = 0;
	int r = src->trees.read(src->trees.ctx, tree, &bytes, &len, v);

	if (r < 0)
		return r;
	buf_put(out, bytes, len);
	if (out->failed)
		return verdict_fail(v, TCODE_TREE_LIMIT, "out of memory");
	return tree_each(out->data != NULL ? out->data : "", len, false,
			 on_find, f, v);
}

/* Takes the entry out, or gives it another id. */
static int rewrite(const struct approval_source *src, struct buf *tree,
		   const struct find *f, const struct commit_id *id,
		   struct commit_id *out, struct verdict *v)
{
	if (id != NULL) {
		memcpy(tree->data + f->end - COMMIT_ID_BYTES, id->bytes,
		       COMMIT_ID_BYTES);
	} else {
		memmove(tree->data + f->start, tree->data + f->end,
			tree->len - f->end);
		tree->len -= f->end - f->start;
	}
	return src->hash(src->trees.ctx, tree->data, tree->len, out, v);
}

int approval_content(const struct approval_source *src,
		     const struct commit_id *tree, struct commit_id *out,
		     struct verdict *v)
{
	struct find folder = {.name = ".reconcile"};
	struct find approvals = {.name = APPROVAL_FOLDER};
	struct commit_id id = *tree;
	struct buf top;
	struct buf sub;
	int r;

	buf_init(&top, TREES_MAX);
	buf_init(&sub, TREES_MAX);
	r = find_folder(src, tree, &folder, &top, v);
	if (r == 0 && folder.end > 0)
		r = find_folder(src, &folder.id, &approvals, &sub, v);
	if (r == 0 && approvals.end > 0)
		r = rewrite(src, &sub, &approvals, NULL, &id, v);
	if (r == 0 && approvals.end > 0)
		r = rewrite(src, &top, &folder, sub.len > 0 ? &id : NULL, &id,
			    v);
	if (r == 0)
		*out = id;
	buf_release(&top);
	buf_release(&sub);
	return r;
}
