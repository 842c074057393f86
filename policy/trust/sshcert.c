/*
 * sshcert.c - see sshcert.h.
 */
#include "policy/trust/sshcert.h"
#include "lib/text.h"

#include <string.h>

#define CERT_USER 1u

bool sshcert_is(const struct wire_span *blob)
{
	struct wire w = wire_of(blob);
	struct wire_span name;

	return wire_string(&w, &name) && pubkey_cert_type_find(&name) != NULL;
}

void sshcert_release(struct sshcert *c)
{
	pubkey_release(&c->key);
	buf_release(&c->key_blob);
}

static int malformed(struct verdict *v, const char *what)
{
	return verdict_fail(v, TCODE_CERT, "the certificate's %s is malformed",
			    what);
}

static int read_principals(const struct wire_span *list, struct sshcert *c,
			   struct verdict *v)
{
	struct wire w = wire_of(list);

	while (w.left > 0) {
		struct wire_span name;

		if (c->n_principals == SSHCERT_PRINCIPALS_MAX)
			return verdict_fail(v, TCODE_CERT_PRINCIPAL,
					    "more than %d principals",
					    SSHCERT_PRINCIPALS_MAX);
		if (!wire_string(&w, &name) || name.len == 0 ||
		    name.len > 255 ||
		    !text_is_utf8((const char *)name.bytes, name.len))
			return malformed(v, "list of principals");
		c->principals[c->n_principals++] = name;
	}
#ifndef GUARD_OFF_CERT_PRINCIPALS
	if (c->n_principals == 0)
		return verdict_fail(v, TCODE_CERT_PRINCIPAL,
				    "the certificate names no principal");
#endif
	return 0;
}

static int read_critical(const struct wire_span *list, struct sshcert *c,
			 struct verdict *v)
{
	struct wire w = wire_of(list);

	while (w.left > 0) {
		struct wire_span name;
		struct wire_span value;
		char shown[80];

		if (!wire_string(&w, &name) || !wire_string(&w, &value))
			return malformed(v, "list of critical options");
		if (wire_is(&name, "verify-required") && value.len == 0) {
			c->verify_required = true;
			continue;
		}
#ifndef GUARD_OFF_CERT_OPTION
		return verdict_fail(
			v, TCODE_CERT_OPTION, "critical option \"%s\"",
			text_safe(shown, sizeof(shown),
				  (const char *)name.bytes, name.len));
#else
		(void)shown;
#endif
	}
	return 0;
}

static int read_extensions(const struct wire_span *list, struct sshcert *c,
			   struct verdict *v)
{
	struct wire w = wire_of(list);

	while (w.left > 0) {
		struct wire_span name;
		struct wire_span value;

		if (!wire_string(&w, &name) || !wire_string(&w, &value))
			return malformed(v, "list of extensions");
		if (wire_is(&name, "no-touch-required"))
			c->no_touch_required = true;
	}
	return 0;
}

/* The authority's own signature, over all bytes before it. */
static int check_authority(const struct wire_span *blob, size_t signed_len,
			   const struct wire_span *ca,
			   const struct wire_span *sig, struct verdict *v)
{
	struct pubkey_presence presence = {0};
	struct pubkey key = {0};
	int r;

	if (sshcert_is(ca))
		return verdict_fail(v, TCODE_CERT_CA,
				    "an authority cannot be a certificate");
	r = pubkey_parse(ca, &key, v);
	if (r < 0)
		return verdict_wrap(v, "authority of the certificate");
	r = pubkey_verify(&key, blob->bytes, signed_len, sig, &presence, v);
	if (r < 0) {
		if (v != NULL && v->code == TCODE_BAD_SIGNATURE)
			v->code = TCODE_CERT_CA;
		(void)verdict_wrap(v, "authority of the certificate");
	}
	pubkey_release(&key);
	return r;
}

/* Fields behind the key, in their order on the wire. */
static int read_body(struct wire *w, struct sshcert *c, struct wire_span *ca,
		     struct verdict *v)
{
	struct wire_span principals;
	struct wire_span critical;
	struct wire_span extensions;
	struct wire_span reserved;
	uint32_t type = 0;
	int r;

	if (!wire_u64(w, &c->serial) || !wire_u32(w, &type) ||
	    !wire_string(w, &c->id) || !wire_string(w, &principals) ||
	    !wire_u64(w, &c->valid_after) || !wire_u64(w, &c->valid_before) ||
	    !wire_string(w, &critical) || !wire_string(w, &extensions) ||
	    !wire_string(w, &reserved) || !wire_string(w, ca))
		return malformed(v, "body");
#ifndef GUARD_OFF_CERT_TYPE
	if (type != CERT_USER)
		return verdict_fail(v, TCODE_CERT_TYPE,
				    "want type 1 (user), have %u", type);
#endif
	r = read_principals(&principals, c, v);
	if (r == 0)
		r = read_critical(&critical, c, v);
	if (r == 0)
		r = read_extensions(&extensions, c, v);
	return r;
}

int sshcert_parse(const struct wire_span *blob, struct sshcert *out,
		  struct verdict *v)
{
	struct wire w = wire_of(blob);
	struct sshcert c = {0};
	const struct pubkey_type *type = NULL;
	struct wire_span plain;
	struct wire_span name;
	struct wire_span nonce;
	struct wire_span sig;
	size_t signed_len = 0;
	int r;

	if (blob->len > PUBKEY_BLOB_MAX || !wire_string(&w, &name) ||
	    !wire_string(&w, &nonce))
		return malformed(v, "head");
	type = pubkey_cert_type_find(&name);
	if (type == NULL)
		return malformed(v, "type");
	buf_init(&c.key_blob, PUBKEY_BLOB_MAX);
	r = pubkey_read_fields(type, &w, &c.key_blob, v);
	if (r < 0)
		goto out;
	r = read_body(&w, &c, &c.ca_key, v);
	if (r < 0)
		goto out;
	signed_len = (size_t)(w.at - blob->bytes);
	if (!wire_string(&w, &sig) || w.left != 0) {
		r = malformed(v, "signature");
		goto out;
	}
	r = check_authority(blob, signed_len, &c.ca_key, &sig, v);
	if (r < 0)
		goto out;
	if (c.key_blob.failed) {
		r = malformed(v, "key");
		goto out;
	}
	plain = (struct wire_span){(const uint8_t *)c.key_blob.data,
				   c.key_blob.len};
	r = pubkey_parse(&plain, &c.key, v);
	if (r < 0)
		goto out;
	*out = c;
	c = (struct sshcert){0};
out:
	sshcert_release(&c);
	return r;
}
