/* pktline.c - see pktline.h. */
#include "reconciler/fetch/pktline.h"

#include "lib/text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static int hex_value(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

int pktline_parse(const char *bytes, size_t len, struct pktline *out,
		  size_t *out_used, struct err *err)
{
	size_t want = 0;
	char shown[40];

	*out_used = 0;
	for (size_t i = 0; i < PKTLINE_HEAD && i < len; i++) {
		int v = hex_value(bytes[i]);

		if (v < 0)
			return err_set(err, ERR_PROTO,
				       "want the length of a line of the git "
				       "protocol, have \"%s\"",
				       text_safe(shown, sizeof(shown), bytes,
						 len < PKTLINE_HEAD
							 ? len
							 : PKTLINE_HEAD));
		want = want * 16 + (size_t)v;
	}
	if (len < PKTLINE_HEAD)
		return 0;
	if (want == 3 || want == PKTLINE_HEAD || want > PKTLINE_MAX)
		return err_set(err, ERR_PROTO,
			       "a line of the git protocol says %zu bytes",
			       want);
	if (want < 3) {
		*out = (struct pktline){.kind = PKTLINE_FLUSH +
						(enum pktline_kind)want};
		*out_used = PKTLINE_HEAD;
		return 0;
	}
	if (len < want)
		return 0;
	*out = (struct pktline){PKTLINE_DATA, bytes + PKTLINE_HEAD,
				want - PKTLINE_HEAD};
	*out_used = want;
	return 0;
}

size_t pktline_format(char *out, size_t out_len, const char *text)
{
	size_t len = strlen(text) + PKTLINE_HEAD;
	int n = snprintf(out, out_len, "%04zx%s", len, text);

	assert(len > PKTLINE_HEAD && len <= PKTLINE_MAX && n > 0 &&
	       (size_t)n == len && len < out_len);
	return len;
}
