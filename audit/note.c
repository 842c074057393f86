/* note.c - signed notes, as bytes.  Input is hostile. */
#include "audit/note.h"
#include "lib/encode.h"
#include "lib/text.h"

#include <string.h>

#define DASH "\xe2\x80\x94 " /* em dash, space */
#define RAW_MAX ((size_t)1024)

static int bad(struct err *err, const char *what)
{
	return err_set(err, ERR_INPUT, "signed note: %s", what);
}

/* One line without newline: "— name base64". */
static int parse_sig(const char *line, size_t len, struct audit_note_sig *out,
		     struct err *err)
{
	const char *name = line + strlen(DASH);
	const char *end = line + len, *space;
	struct audit_note_sig s = {0};
	struct buf raw;
	int r = 0;

	if (len <= strlen(DASH) || memcmp(line, DASH, strlen(DASH)) != 0)
		return bad(err, "want a signature line");
	space = memchr(name, ' ', (size_t)(end - name));
	if (!space || space == name)
		return bad(err, "signature without a name");
	buf_init(&raw, RAW_MAX);
	if (!encode_unbase64(&raw, space + 1, (size_t)(end - space - 1)) ||
	    raw.len <= sizeof(s.id)) {
		r = bad(err, "signature is not base64");
		goto out;
	}
	s.name = name;
	s.name_len = (size_t)(space - name);
	memcpy(s.id, raw.data, sizeof(s.id));
	if (raw.len - sizeof(s.id) <= sizeof(s.body)) {
		s.body_len = raw.len - sizeof(s.id);
		memcpy(s.body, raw.data + sizeof(s.id), s.body_len);
	}
	*out = s;
out:
	buf_release(&raw);
	return r;
}

int audit_note_parse(const char *note, struct audit_note *out, struct err *err)
{
	size_t len = strnlen(note, AUDIT_NOTE_MAX + 1);
	const char *gap, *p;
	struct audit_note *n = out;

	if (len > AUDIT_NOTE_MAX || !text_is_utf8(note, len))
		return bad(err, "too long, or not UTF-8");
	gap = strstr(note, "\n\n");
	if (!gap || gap == note)
		return bad(err, "want a text, an empty line and signatures");
	n->text = note;
	n->text_len = (size_t)(gap - note) + 1;
	n->n_sigs = 0;
	for (p = gap + 2; *p != '\0';) {
		const char *eol = strchr(p, '\n');
		int r;

		if (!eol)
			return bad(err, "last line has no newline");
		if (n->n_sigs == AUDIT_NOTE_SIGS_MAX)
			return bad(err, "too many signatures");
		r = parse_sig(p, (size_t)(eol - p), &n->sigs[n->n_sigs], err);
		if (r < 0)
			return r;
		n->n_sigs++;
		p = eol + 1;
	}
	if (n->n_sigs == 0)
		return bad(err, "has no signature");
	return 0;
}

void audit_note_put_sig(struct buf *out, const struct audit_vkey *vkey,
			const uint8_t *body, size_t len)
{
	uint8_t raw[sizeof(vkey->id) + AUDIT_NOTE_BODY_MAX];

	memcpy(raw, vkey->id, sizeof(vkey->id));
	memcpy(raw + sizeof(vkey->id), body, len);
	buf_printf(out, DASH "%s ", vkey->name);
	encode_base64(out, raw, sizeof(vkey->id) + len);
	buf_putc(out, '\n');
}

const struct audit_note_sig *audit_note_find(const struct audit_note *note,
					     const struct audit_vkey *vkey)
{
	for (size_t i = 0; i < note->n_sigs; i++) {
		const struct audit_note_sig *s = &note->sigs[i];

		if (s->name_len == strlen(vkey->name) &&
		    memcmp(s->name, vkey->name, s->name_len) == 0 &&
		    memcmp(s->id, vkey->id, sizeof(s->id)) == 0)
			return s;
	}
	return NULL;
}
