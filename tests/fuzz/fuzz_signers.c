/*
 * fuzz_signers - the allowed signers and the revocation list, divided by the
 * first NUL byte.
 */
#include "policy/trust/signers.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *nul = size ? memchr(text, 0, size) : NULL;
	size_t first = nul ? (size_t)(nul - text) : size;
	struct wire_span name = {(const uint8_t *)"alice@example.org", 17};
	struct signers *s = NULL;
	const struct signer *line;
	struct verdict v;

	if (signers_new(text, first, nul ? nul + 1 : "# none\n",
			nul ? size - first - 1 : 7, &s, &v) == 0) {
		line = signers_next(s, &name, false, NULL);
		if (line)
			(void)signers_name_fits(line, &name);
		(void)signers_key_revoked(s, &name);
	}
	signers_free(s);
	return 0;
}
