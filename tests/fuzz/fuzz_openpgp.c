/*
 * fuzz_openpgp - hostile OpenPGP: armor, the packet around a signature; the
 * certificate of a trust policy; what sqv prints.  A packet that is handed on
 * is its own reading, and an answer that counts is one line.
 */
#include "policy/trust/openpgp.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_packets(const void *bytes, size_t len)
{
	struct wire_span in = {bytes, len}, again;
	struct verdict v = {0};
	struct buf first, second;

	buf_init(&first, ARMOR_BYTES_MAX);
	buf_init(&second, ARMOR_BYTES_MAX);
	if (openpgp_read_signature(&in, &first, &v) == 0) {
		again = (struct wire_span){(const uint8_t *)first.data,
					   first.len};
		if (openpgp_read_signature(&again, &second, &v) < 0 ||
		    second.len != first.len ||
		    memcmp(second.data, first.data, first.len) != 0)
			abort();
	} else if (v.code == TCODE_OK) {
		abort();
	}
	buf_release(&second);
	buf_release(&first);
}

static void try_answer(const uint8_t *data, size_t size)
{
	struct openpgp_answer a = {0};
	char out[OPENPGP_FINGERPRINT];
	struct verdict v = {0};

	if (size == 0)
		return;
	a.status = data[0] == 'x' ? 1 : 0;
	a.len = size - 1 < sizeof(a.output) ? size - 1 : sizeof(a.output);
	memcpy(a.output, data + 1, a.len);
	if (openpgp_read_answer(&a, out, &v) == 0 &&
	    (a.status != 0 || a.len != strlen(out) + 1 ||
	     memcmp(a.output, out, strlen(out)) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct commit_span text = {(const char *)data, size};
	char fingerprint[OPENPGP_FINGERPRINT];
	struct verdict v = {0};
	struct buf bytes;

	buf_init(&bytes, ARMOR_BYTES_MAX);
	if (armor_read(&text, ARMOR_OPENPGP, &bytes, &v) == 0)
		try_packets(bytes.data, bytes.len);
	buf_release(&bytes);
	if (openpgp_certificate(text.at, text.len, fingerprint, &v) == 0 &&
	    strlen(fingerprint) != OPENPGP_FINGERPRINT - 1)
		abort();
	try_packets(data, size);
	try_answer(data, size);
	return 0;
}
