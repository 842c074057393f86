/*
 * fuzz_tag - raw tag objects.  What is accepted is payload, signature and a
 * newline, byte for byte, and has no second place where a reader could split
 * it.
 */
#include "policy/trust/tag.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct tag *t, const char *bytes, size_t size)
{
	static const char begin[] = "\n-----BEGIN SSH SIGNATURE-----";
	struct commit_span all = t->payload;

	if (t->payload.at != bytes || memchr(bytes, 0, size) != NULL ||
	    t->message.at + t->message.len != bytes + t->payload.len)
		abort();
	if (t->signature.len == 0) {
		if (t->payload.len != size)
			abort();
		return;
	}
	if (t->signature.at != bytes + t->payload.len ||
	    t->payload.len + t->signature.len + 1 != size ||
	    bytes[size - 1] != '\n')
		abort();
	if (memmem(all.at, all.len, begin, strlen(begin)) != NULL ||
	    memmem(t->signature.at, t->signature.len, begin, strlen(begin)) !=
		    NULL)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char line[] =
		"a@b namespaces=\"git\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO"
		"MqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n";
	struct signature_time when = {.now = INT64_C(1800000000)};
	const char *bytes = (const char *)data;
	struct signers *s = NULL;
	struct signature_by by;
	struct verdict v = {0};
	struct tag t;

	if (tag_parse(bytes, size, &t, &v) < 0)
		return 0;
	check(&t, bytes, size);
	(void)tag_check_name(&t, "refs/tags/v1", &v);
	if (signers_new(line, strlen(line), "# none\n", 7, &s, &v) < 0)
		abort();
	/* nothing that a fuzzer makes may be signed by anybody */
	if (tag_check_signature(&t, s, &when, &by, &v) == 0)
		abort();
	signers_free(s);
	return 0;
}
