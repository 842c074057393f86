/* checkpoint.c - the body of a checkpoint and its signature. */
#include "audit/checkpoint.h"
#include "audit/note.h"
#include "lib/encode.h"
#include "lib/num.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_WORD "head "

int audit_checkpoint_make(const struct audit_checkpoint *cp,
			  const struct audit_key *key,
			  const struct audit_vkey *vkey, struct buf *out,
			  struct err *err)
{
	uint8_t sig[AUDIT_SIG_BYTES];
	char hex[HASH_HEX];
	size_t start = out->len;
	int r;

	buf_printf(out, "%s\n%" PRIu64 "\n", cp->origin, cp->size);
	encode_base64(out, cp->root, sizeof(cp->root));
	buf_putc(out, '\n');
	if (cp->has_head) {
		encode_hex(hex, cp->head, sizeof(cp->head));
		buf_printf(out, HEAD_WORD "%s\n", hex);
	}
	r = buf_check(out, err);
	if (r == 0)
		r = audit_key_sign(key, out->data + start, out->len - start,
				   sig, err);
	if (r < 0)
		return r;
	buf_putc(out, '\n');
	audit_note_put_sig(out, vkey, sig, sizeof(sig));
	return buf_check(out, err);
}

/* The next line of [*p, end), without newline; false at the end. */
static bool next_line(const char **p, const char *end, const char **line,
		      size_t *len)
{
	const char *eol;

	if (*p >= end)
		return false;
	eol = memchr(*p, '\n', (size_t)(end - *p));
	if (!eol)
		return false;
	*line = *p;
	*len = (size_t)(eol - *p);
	*p = eol + 1;
	return true;
}

static bool parse_root(const char *line, size_t len,
		       uint8_t out[AUDIT_HASH_BYTES])
{
	struct buf raw;
	bool ok;

	buf_init(&raw, AUDIT_HASH_BYTES + 2);
	ok = encode_unbase64(&raw, line, len) && raw.len == AUDIT_HASH_BYTES;
	if (ok)
		memcpy(out, raw.data, AUDIT_HASH_BYTES);
	buf_release(&raw);
	return ok;
}

static int parse_body(const struct audit_note *note,
		      struct audit_checkpoint *out, struct err *err)
{
	const char *p = note->text, *end = p + note->text_len, *line;
	struct audit_checkpoint cp = {0};
	size_t len;

	if (!next_line(&p, end, &line, &len) || len == 0 ||
	    len > AUDIT_NAME_MAX)
		return err_set(err, ERR_INPUT, "checkpoint: bad origin line");
	memcpy(cp.origin, line, len);
	if (!next_line(&p, end, &line, &len) ||
	    !num_parse_u64(line, len, INT64_MAX, &cp.size))
		return err_set(err, ERR_INPUT, "checkpoint: bad size line");
	if (!next_line(&p, end, &line, &len) || !parse_root(line, len, cp.root))
		return err_set(err, ERR_INPUT, "checkpoint: bad root line");
	while (next_line(&p, end, &line, &len)) {
		if (len != strlen(HEAD_WORD) + 2 * AUDIT_HASH_BYTES ||
		    memcmp(line, HEAD_WORD, strlen(HEAD_WORD)) != 0)
			continue; /* other extensions are others' business */
		if (cp.has_head ||
		    !encode_unhex(cp.head, line + strlen(HEAD_WORD),
				  (size_t)2 * AUDIT_HASH_BYTES))
			return err_set(err, ERR_INPUT,
				       "checkpoint: bad head line");
		cp.has_head = true;
	}
	*out = cp;
	return 0;
}

static int check_signature(const struct audit_note *note,
			   const struct audit_vkey *vkey,
			   const struct audit_checkpoint *cp, struct err *err)
{
	const struct audit_note_sig *sig = audit_note_find(note, vkey);

	if (strcmp(cp->origin, vkey->name) != 0)
		return err_set(err, ERR_TRUST,
			       "checkpoint: want origin \"%s\", have another",
			       vkey->name);
	if (!sig || sig->body_len != AUDIT_SIG_BYTES)
		return err_set(err, ERR_TRUST,
			       "checkpoint: has no signature of %s",
			       vkey->name);
	return audit_key_verify(vkey, note->text, note->text_len, sig->body,
				err);
}

int audit_checkpoint_open(const char *note, const struct audit_vkey *vkey,
			  struct audit_checkpoint *out, struct err *err)
{
	struct audit_note *n = calloc(1, sizeof(*n));
	struct audit_checkpoint cp;
	int r;

	if (!n)
		return err_set(err, ERR_NOMEM, "out of memory");
	r = audit_note_parse(note, n, err);
	if (r == 0)
		r = parse_body(n, &cp, err);
	if (r == 0 && vkey)
		r = check_signature(n, vkey, &cp, err);
	if (r == 0)
		*out = cp;
	free(n);
	return r;
}
