/*
 * sshsig.c - see sshsig.h.
 */
#include "policy/trust/sshsig.h"
#include "lib/encode.h"

#include <openssl/evp.h>
#include <string.h>

#define BEGIN "-----BEGIN SSH SIGNATURE-----"
#define END "-----END SSH SIGNATURE-----"
#define ARMOR_COLUMNS 70

/* Takes the next line; continuation lines lose their leading space. */
static bool next_line(struct commit_span *rest, bool first,
		      struct commit_span *out)
{
	const char *eol;

	if (rest->len == 0)
		return false;
	eol = memchr(rest->at, '\n', rest->len);
	*out = *rest;
	if (eol != NULL)
		out->len = (size_t)(eol - rest->at);
	rest->at += out->len + (eol != NULL);
	rest->len -= out->len + (eol != NULL);
	if (!first) {
		if (out->len == 0 || out->at[0] != ' ')
			return false;
		out->at++;
		out->len--;
	}
	return true;
}

static bool line_is(const struct commit_span *line, const char *text)
{
	return line->len == strlen(text) &&
	       memcmp(line->at, text, line->len) == 0;
}

#ifndef GUARD_OFF_ARMOR
/* The base64 lines up to END: all but the last of exactly 70 columns. */
static bool collect(struct commit_span *rest, struct buf *text)
{
	struct commit_span line;
	size_t last = ARMOR_COLUMNS;

	while (next_line(rest, false, &line)) {
		if (line_is(&line, END))
			return rest->len == 0 && text->len > 0;
		if (last != ARMOR_COLUMNS || line.len == 0 ||
		    line.len > ARMOR_COLUMNS)
			return false;
		last = line.len;
		buf_put(text, line.at, line.len);
	}
	return false;
}
#else
/* What a loose reader does: any width, white space, text after END. */
static bool collect(struct commit_span *rest, struct buf *text)
{
	struct commit_span line;

	while (next_line(rest, false, &line)) {
		if (line_is(&line, END))
			return true;
		for (size_t i = 0; i < line.len; i++)
			if (line.at[i] != ' ')
				buf_putc(text, line.at[i]);
	}
	return false;
}
#endif

int sshsig_unarmor(const struct commit_span *text, struct buf *out_blob,
		   struct verdict *v)
{
	struct commit_span rest = *text;
	struct commit_span line;
	struct buf b64;
	bool good = false;

	if (text->len > SSHSIG_BYTES_MAX)
		return verdict_fail(v, TCODE_ARMOR,
				    "want at most %d bytes of signature, have "
				    "%zu",
				    SSHSIG_BYTES_MAX, text->len);
	if (!next_line(&rest, true, &line) || !line_is(&line, BEGIN))
		return verdict_fail(v, TCODE_NOT_SSH,
				    "want \"" BEGIN "\" as the first line");
	buf_init(&b64, SSHSIG_BYTES_MAX);
	good = collect(&rest, &b64) && !b64.failed &&
	       encode_unbase64(out_blob, b64.data, b64.len);
	buf_release(&b64);
	if (!good)
		return verdict_fail(v, TCODE_ARMOR,
				    "want base64 in lines of %d, then \"" END
				    "\" and nothing else",
				    ARMOR_COLUMNS);
	return 0;
}

int sshsig_parse(const struct wire_span *blob, struct sshsig *out,
		 struct verdict *v)
{
	struct wire w = wire_of(blob);
	struct wire_span reserved;
	struct sshsig s;
	uint32_t version = 0;

	if (w.left < 6 || memcmp(w.at, "SSHSIG", 6) != 0)
		return verdict_fail(v, TCODE_SSHSIG, "want \"SSHSIG\" first");
	w.at += 6;
	w.left -= 6;
	if (!wire_u32(&w, &version) || version != 1)
		return verdict_fail(v, TCODE_SSHSIG, "want version 1, have %u",
				    version);
	if (!wire_string(&w, &s.key) || !wire_string(&w, &s.namespace) ||
	    !wire_string(&w, &reserved) || !wire_string(&w, &s.hash) ||
	    !wire_string(&w, &s.signature) || w.left != 0)
		return verdict_fail(v, TCODE_SSHSIG,
				    "the blob is cut short or has bytes after "
				    "its end");
	if (reserved.len != 0)
		return verdict_fail(v, TCODE_SSHSIG,
				    "the reserved field is not empty");
	if (!wire_is(&s.hash, "sha256") && !wire_is(&s.hash, "sha512"))
		return verdict_fail(v, TCODE_HASH,
				    "want hash sha256 or sha512");
	*out = s;
	return 0;
}

int sshsig_signed_data(const struct sshsig *sig,
		       const struct commit_span *parts, size_t n_parts,
		       struct buf *out, struct verdict *v)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx != NULL;

	good = good &&
	       EVP_DigestInit_ex(ctx,
				 wire_is(&sig->hash, "sha512") ? EVP_sha512()
							       : EVP_sha256(),
				 NULL) == 1;
	for (size_t i = 0; good && i < n_parts; i++)
		good = EVP_DigestUpdate(ctx, parts[i].at, parts[i].len) == 1;
	good = good && EVP_DigestFinal_ex(ctx, digest, &len) == 1;
	EVP_MD_CTX_free(ctx);
	if (!good)
		return verdict_fail(v, TCODE_HASH, "hashing failed");
	buf_put(out, "SSHSIG", 6);
	wire_put_string(out, sig->namespace.bytes, sig->namespace.len);
	wire_put_string(out, "", 0);
	wire_put_string(out, sig->hash.bytes, sig->hash.len);
	wire_put_string(out, digest, len);
	return 0;
}
