/*
 * fuzz_pktline - what a git server answers, read as an advertisement and as a
 * list: lines lie inside the input, an id that is found stands in front of the
 * ref's name, and it is the same however the bytes are cut into pieces.
 */
#include "reconciler/fetch/lsrefs.c"
#include "reconciler/fetch/pktline.c"

#include <stdint.h>
#include <stdlib.h>

#define REF "refs/heads/main"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As poll.c does, with step bytes at a time (0: all). */
static int read_all(struct lsrefs *l, const char *bytes, size_t len,
		    size_t step, struct err *err)
{
	size_t at = 0;
	size_t have = 0;
	size_t used;
	int r = 0;

	do {
		struct pktline p = {0};

		r = pktline_parse(bytes + at, have - at, &p, &used, err);
		if (used > have - at)
			abort();
		if (r == 0 && used > 0) {
			if (p.kind == PKTLINE_DATA &&
			    (p.data < bytes + at || p.len == 0 ||
			     p.data + p.len > bytes + have))
				abort();
			r = lsrefs_take(l, &p, err);
		}
		at += used;
		if (used == 0 && have == len)
			break;
		if (used == 0)
			have += step == 0 || len - have < step ? len - have
							       : step;
	} while (r == 0);
	return r;
}

static void try(enum lsrefs_state state, const char *bytes, size_t len)
{
	static const size_t steps[] = {0, 1, 7};
	struct err errs[3] = {0};
	struct lsrefs l[3];
	int r[3];

	for (int i = 0; i < 3; i++) {
		lsrefs_init(&l[i], REF, state);
		r[i] = read_all(&l[i], bytes, len, steps[i], &errs[i]);
		if (r[i] != r[0] || l[i].found != l[0].found ||
		    l[i].v2 != l[0].v2 || strcmp(l[i].id, l[0].id) != 0)
			abort();
		if (r[i] < 0 && strpbrk(errs[i].msg, "\033\007\n") != NULL)
			abort();
	}
	if (l[0].found) {
		char want[LSREFS_ID + sizeof(REF)];

		(void)snprintf(want, sizeof(want), "%s " REF, l[0].id);
		if (memmem(bytes, len, want, strlen(want)) == NULL ||
		    !text_is_hex(l[0].id, ID_HEX))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size > 0 ? size : 1); /* exact, for ASan */

	if (bytes == NULL)
		return 0;
	if (size > 0)
		memcpy(bytes, data, size);
	try(LSREFS_ADVERT, bytes, size);
	try(LSREFS_LIST, bytes, size);
	free(bytes);
	return 0;
}
