/*
 * fuzz_approval - hostile approval statements.  What is read has one spelling:
 * written anew it is the same bytes, and nothing signs it that a fuzzer makes.
 */
#include "policy/trust/approval.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char line[] =
		"a namespaces=\"git\" ssh-ed25519 "
		"AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2"
		"l9GKJl\n";
	struct signers *s = NULL;
	struct signature_by by;
	struct verdict v = {0};
	struct approval a;
	struct buf text;

	if (approval_parse((const char *)data, size, &a, &v) < 0)
		return 0;
	if (a.statement.len + 1 + a.armor.len + 1 != size)
		abort();
	buf_init(&text, APPROVAL_BYTES_MAX);
	approval_statement(&a, &text);
	if (text.len != a.statement.len || memcmp(text.data, data, text.len))
		abort();
	buf_release(&text);
	if (signers_new(line, sizeof(line) - 1, "#\n", 2, &s, &v) < 0)
		abort();
	if (approval_check(&a, s, a.repository, a.ref, 1, 1, &by, &v) == 0)
		abort();
	signers_free(s);
	return 0;
}
