/*
 * fuzz_krl - lists of what is revoked, as text and as a binary KRL.  Every
 * entry of a list that is accepted is found again, and serials are whole
 * ranges.
 */
#include "policy/trust/krl.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ASKED_MAX 200

static void ask(const struct revoked *r, const struct revoked_entry *e)
{
	struct wire_span none = {(const uint8_t *)"", 0};
	char hex[65];

	switch (e->kind) {
	case REVOKED_SERIAL:
		if (e->from > e->to ||
		    !revoked_has_cert(r, e->from, &none, &e->authority) ||
		    !revoked_has_cert(r, e->to, &none, &e->authority))
			abort();
		break;
	case REVOKED_ID:
		if (!revoked_has_cert(r, 0, &e->what, &e->authority))
			abort();
		break;
	case REVOKED_PAYLOAD:
		if (e->what.len != HASH_BYTES ||
		    !revoked_has_payload(r, e->what.bytes))
			abort();
		break;
	case REVOKED_OPENPGP:
		if (e->what.len >= sizeof(hex))
			abort();
		memcpy(hex, e->what.bytes, e->what.len);
		hex[e->what.len] = '\0';
		if (!revoked_has_fingerprint(r, hex))
			abort();
		break;
	case REVOKED_KEY:
	case REVOKED_KEY_SHA1:
		if (e->what.len != (e->kind == REVOKED_KEY ? 32 : 20))
			abort();
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new((size_t)64 << 20);
	struct wire_span key = {data, size};
	struct verdict v = {0};
	struct revoked r;

	revoked_init(&r, arena);
	if (revoked_add(&r, (const char *)data, size, &v) == 0) {
		if (r.n > REVOKED_ENTRIES_MAX)
			abort();
		revoked_finish(&r);
		for (size_t i = 0; i < r.n && i < ASKED_MAX; i++)
			ask(&r, &r.items[i]);
		(void)revoked_has_key(&r, &key);
	} else if (v.code != TCODE_REVOCATIONS &&
		   v.code != TCODE_NO_REVOCATIONS) {
		abort();
	}
	arena_free(arena);
	return 0;
}
