/*
 * fuzz_audit - bytes of an audit log folder and of its writer's clients: entry
 * lines, signed notes, checkpoints, keys, append requests.  What is recorded of
 * a hostile event is one line that its own reader accepts.
 */
#include "audit/checkpoint.h"
#include "audit/frame.h"
#include "audit/note.h"
#include "audit/record.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)256 << 20)
#define LINE_BYTES ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void texts(const char *text, size_t len)
{
	static struct audit_note note;
	struct audit_record_scan scan;
	struct audit_checkpoint cp;
	struct audit_vkey vkey;
	char back[AUDIT_VKEY_BYTES];
	uint8_t hash[HASH_BYTES];
	struct hash *h;
	struct err err;

	if (audit_record_scan(text, len, &scan)) {
		h = hash_new();
		audit_record_hash(h, text, len, hash);
		hash_free(h);
	}
	(void)audit_note_parse(text, &note, &err);
	(void)audit_checkpoint_open(text, NULL, &cp, &err);
	if (audit_key_parse(text, &vkey, &err) == 0) {
		audit_key_format(&vkey, back);
		if (strcmp(back, text) != 0)
			abort();
	}
}

static void one_event(const struct audit_event *e)
{
	uint8_t head[HASH_BYTES] = {0}, hash[HASH_BYTES];
	struct audit_record_scan scan;
	struct hash *h = hash_new();
	struct err err;
	struct buf line;

	buf_init(&line, LINE_BYTES);
	if (audit_record_check(e, false, &err) == 0) {
		audit_record_write(&line, h, e, 7, 1234567890123, head);
		if (buf_check(&line, &err) < 0 || line.len < 2 ||
		    memchr(line.data, '\n', line.len) !=
			    line.data + line.len - 1 ||
		    !audit_record_scan(line.data, line.len - 1, &scan) ||
		    scan.seq != 7 || scan.time_ms != 1234567890123)
			abort();
		audit_record_hash(h, line.data, line.len - 1, hash);
		if (memcmp(hash, scan.hash, HASH_BYTES) != 0 ||
		    memcmp(hash, head, HASH_BYTES) != 0)
			abort();
	}
	buf_release(&line);
	hash_free(h);
}

static void events(const uint8_t *data, size_t size)
{
	Audit__Append *m = audit__append__unpack(NULL, size, data);
	struct audit_event *list = NULL;
	struct arena *arena;
	size_t n;

	if (!m)
		return;
	arena = arena_new(ARENA_BYTES);
	n = audit_frame_to_events(arena, m, &list);
	for (size_t i = 0; i < n; i++)
		one_event(&list[i]);
	arena_free(arena);
	audit__append__free_unpacked(m, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1);

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	texts(text, size);
	events(data, size);
	free(text);
	return 0;
}
