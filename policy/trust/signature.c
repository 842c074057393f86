/*
 * signature.c - see signature.h.
 */
#include "policy/trust/signature.h"
#include "policy/trust/pins.h"
#include "policy/trust/sshsig.h"

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/text.h"

#include <stdio.h>
#include <string.h>

struct check {
	const struct signers *signers;
	const struct signature_ask *ask;
	const struct signature_time *time;
	struct sshsig sig;
	struct buf data; /* what the key signed */
	struct verdict *v;
};

static void set_signer(struct signature_by *by, const struct signer *line,
		       const struct pubkey_presence *presence, const void *name,
		       size_t len)
{
	if (len >= sizeof(by->principal))
		len = sizeof(by->principal) - 1;
	memcpy(by->principal, name, len);
	by->principal[len] = '\0';
	by->use = line->use;
	by->touched = (presence->flags & PUBKEY_SK_TOUCHED) != 0;
	by->verified = (presence->flags & PUBKEY_SK_VERIFIED) != 0;
}

static int check_presence(const struct pubkey_presence *p, bool touch, bool pin,
			  struct verdict *v)
{
#ifndef GUARD_OFF_PRESENCE
	if (p->is_sk && touch && (p->flags & PUBKEY_SK_TOUCHED) == 0)
		return verdict_fail(v, TCODE_PRESENCE,
				    "want the key touched, have flags 0x%02x",
				    p->flags);
	if (pin && (p->flags & PUBKEY_SK_VERIFIED) == 0)
		return verdict_fail(v, TCODE_PRESENCE,
				    "want a PIN (verify-required), have flags "
				    "0x%02x",
				    p->flags);
#else
	(void)p;
	(void)touch;
	(void)pin;
	(void)v;
#endif
	return 0;
}

bool signature_is_unknown(enum tcode code)
{
	return code == TCODE_UNKNOWN_KEY || code == TCODE_NOT_SSH ||
	       code == TCODE_CMS_IDENTITY || code == TCODE_CMS_CHAIN ||
	       code == TCODE_OPENPGP_REFUSED;
}

int signature_check_window(const struct signer *line,
			   const struct signature_ask *ask,
			   const struct signature_time *t, struct verdict *v)
{
	int64_t when = ask->when;
	char text[CLOCK_RFC3339_BYTES];

#ifndef GUARD_OFF_WINDOW
	if (when < line->valid_after || when >= line->valid_before)
		return verdict_fail(v, TCODE_WINDOW,
				    "the committer date %s is outside the "
				    "validity of the key of %s (line %u)",
				    clock_rfc3339(when * 1000, text),
				    line->name, line->line);
#endif
#ifndef GUARD_OFF_WINDOW_NOW
	if (t->first_seen &&
	    (t->now < line->valid_after || t->now >= line->valid_before))
		return verdict_fail(v, TCODE_EXPIRED_NOW,
				    "a new commit dated %s, but the key of %s "
				    "(line %u) is not valid now",
				    clock_rfc3339(when * 1000, text),
				    line->name, line->line);
#endif
	(void)line;
	(void)t;
	(void)v;
	(void)when;
	(void)text;
	(void)t;
	return 0;
}

static int check_window(const struct check *c, const struct signer *line)
{
	return signature_check_window(line, c->ask, c->time, c->v);
}

static int unknown_key(const struct check *c, const char *key)
{
	return verdict_fail(c->v, TCODE_UNKNOWN_KEY,
			    "key %s is nobody's who may sign", key);
}

/* A plain key: the first line with it whose every rule holds. */
static int check_plain(struct check *c, struct signature_by *by)
{
	const struct signer *line =
		signers_next(c->signers, &c->sig.key, false, NULL);
	struct pubkey_presence presence = {0};
	int r;

	pubkey_fingerprint(&c->sig.key, by->key);
	if (line == NULL) {
		struct pubkey weak = {0};

		/* Says "RSA of 1024 bits" rather than only "unknown". */
		r = pubkey_parse(&c->sig.key, &weak, c->v);
		pubkey_release(&weak);
		return r < 0 ? r : unknown_key(c, by->key);
	}
	if (signers_key_revoked(c->signers, &c->sig.key))
		return verdict_fail(c->v, TCODE_REVOKED, "key %s of %s",
				    by->key, line->name);
	r = pubkey_verify(&line->key, c->data.data, c->data.len,
			  &c->sig.signature, &presence, c->v);
	if (r < 0)
		return r;
	for (; line != NULL;
	     line = signers_next(c->signers, &c->sig.key, false, line)) {
		r = check_presence(&presence, !line->no_touch_required,
				   line->verify_required, c->v);
		if (r == 0)
			r = check_window(c, line);
		if (r == 0) {
			set_signer(by, line, &presence, line->name,
				   strlen(line->name));
			return 0;
		}
	}
	return r;
}

static int check_cert_window(const struct check *c, const struct sshcert *cert)
{
	uint64_t when = (uint64_t)c->ask->when;
	uint64_t now = (uint64_t)c->time->now;

#ifndef GUARD_OFF_CERT_WINDOW
	if (when < cert->valid_after || when >= cert->valid_before)
		return verdict_fail(c->v, TCODE_CERT_WINDOW,
				    "the committer date is outside the "
				    "validity of the certificate");
	if (c->time->first_seen &&
	    (now < cert->valid_after || now >= cert->valid_before))
		return verdict_fail(c->v, TCODE_CERT_WINDOW,
				    "a new commit, but its certificate is not "
				    "valid now");
#else
	(void)c;
	(void)cert;
#endif
	(void)when;
	(void)now;
	return 0;
}

/* One cert-authority line: a principal of the certificate must fit it. */
static int check_authority_line(const struct check *c,
				const struct sshcert *cert,
				const struct signer *line,
				const struct pubkey_presence *presence,
				struct signature_by *by)
{
	const struct wire_span *name = NULL;
	int r;

	for (size_t i = 0; i < cert->n_principals && name == NULL; i++)
		if (signers_name_fits(line, &cert->principals[i]))
			name = &cert->principals[i];
	if (name == NULL)
		return verdict_fail(c->v, TCODE_CERT_PRINCIPAL,
				    "no principal of the certificate fits "
				    "\"%s\" (line %u)",
				    line->principals, line->line);
	r = check_presence(
		presence, !(line->no_touch_required && cert->no_touch_required),
		line->verify_required || cert->verify_required, c->v);
	if (r < 0)
		return r;
	r = check_window(c, line);
	if (r < 0)
		return r;
	if (line->person != NULL)
		set_signer(by, line, presence, line->person,
			   strlen(line->person));
	else
		set_signer(by, line, presence, name->bytes, name->len);
	return 0;
}

static int check_cert(struct check *c, struct signature_by *by)
{
	struct pubkey_presence presence = {0};
	const struct signer *line = NULL;
	struct sshcert cert = {0};
	int r;

	r = sshcert_parse(&c->sig.key, &cert, c->v);
	if (r < 0)
		return r;
	memcpy(by->key, cert.key.fingerprint, sizeof(by->key));
	line = signers_next(c->signers, &cert.ca_key, true, NULL);
	if (line == NULL) {
		char ca[PUBKEY_FINGERPRINT];

		pubkey_fingerprint(&cert.ca_key, ca);
		r = verdict_fail(c->v, TCODE_UNKNOWN_KEY,
				 "key %s is certified by %s, which is not a "
				 "cert-authority of the allowed signers",
				 by->key, ca);
		goto out;
	}
	if (signers_cert_revoked(c->signers, &cert)) {
		r = verdict_fail(c->v, TCODE_REVOKED,
				 "certificate of key %s, serial %llu", by->key,
				 (unsigned long long)cert.serial);
		goto out;
	}
	r = pubkey_verify(&cert.key, c->data.data, c->data.len,
			  &c->sig.signature, &presence, c->v);
	if (r < 0)
		goto out;
	r = check_cert_window(c, &cert);
	if (r < 0)
		goto out;
	do {
		r = check_authority_line(c, &cert, line, &presence, by);
		line = signers_next(c->signers, &cert.ca_key, true, line);
	} while (r < 0 && line != NULL);
out:
	sshcert_release(&cert);
	return r;
}

static int check_namespace(const struct check *c)
{
#ifndef GUARD_OFF_NAMESPACE
	char shown[64];

	if (!wire_is(&c->sig.namespace, c->ask->namespace))
		return verdict_fail(
			c->v, TCODE_NAMESPACE,
			"want namespace \"%s\", have \"%s\"", c->ask->namespace,
			text_safe(shown, sizeof(shown),
				  (const char *)c->sig.namespace.bytes,
				  c->sig.namespace.len));
#else
	(void)c;
#endif
	return 0;
}

static int check_ssh(const struct signers *s, const struct signature_ask *ask,
		     const struct signature_time *t, struct signature_by *by,
		     struct verdict *v)
{
	struct check k = {.signers = s, .ask = ask, .time = t, .v = v};
	struct wire_span span;
	struct buf blob;
	int r;

	buf_init(&blob, SSHSIG_BYTES_MAX);
	buf_init(&k.data, 1024);
	r = armor_read(&ask->armor, ARMOR_SSH, &blob, v);
	if (r < 0)
		goto out;
	span = (struct wire_span){(const uint8_t *)blob.data, blob.len};
	r = sshsig_parse(&span, &k.sig, v);
	if (r < 0)
		goto out;
	r = check_namespace(&k);
	if (r < 0)
		goto out;
	r = sshsig_signed_data(&k.sig, ask->parts, ask->n_parts, &k.data, v);
	if (r < 0)
		goto out;
	r = sshcert_is(&k.sig.key) ? check_cert(&k, by) : check_plain(&k, by);
out:
	buf_release(&k.data);
	buf_release(&blob);
	return r;
}

/* Told by what was signed, so a new signature or another id do not help. */
static int check_payload(const struct check *c, struct signature_by *by)
{
	struct hash *h = hash_new();
	char hex[HASH_HEX];

	for (size_t i = 0; i < c->ask->n_parts; i++)
		hash_add(h, c->ask->parts[i].at, c->ask->parts[i].len);
	hash_end(h, by->payload);
	hash_free(h);
	if (!signers_payload_revoked(c->signers, by->payload))
		return 0;
	encode_hex(hex, by->payload, HASH_BYTES);
	return verdict_fail(c->v, TCODE_DENIED,
			    "its signed bytes are denied: sha256:%s", hex);
}

int signature_check_bytes(const struct signers *s,
			  const struct signature_ask *ask,
			  const struct signature_time *t,
			  struct signature_by *out_by, struct verdict *v)
{
	static int (*const by_kind[ARMOR_KINDS])(
		const struct signers *, const struct signature_ask *,
		const struct signature_time *, struct signature_by *,
		struct verdict *) = {
		[ARMOR_SSH] = check_ssh,
		[ARMOR_CMS] = pins_check_x509,
		[ARMOR_OPENPGP] = pins_check_openpgp,
	};
	struct check k = {.signers = s, .ask = ask, .time = t, .v = v};
	char text[CLOCK_RFC3339_BYTES];
	int r;

	memset(out_by, 0, sizeof(*out_by));
	r = check_payload(&k, out_by);
	if (r < 0)
		return r;
#ifndef GUARD_OFF_FUTURE
	if (ask->when > t->now + SIGNATURE_FUTURE_S)
		return verdict_fail(v, TCODE_FUTURE,
				    "dated %s, more than %d s ahead",
				    clock_rfc3339(ask->when * 1000, text),
				    SIGNATURE_FUTURE_S);
#endif
	(void)text;
	r = armor_kind(&ask->armor, &out_by->format, v);
#ifndef GUARD_OFF_NAMESPACE
	/* only SSHSIG says what it was made for */
	if (r == 0 && out_by->format != ARMOR_SSH &&
	    strcmp(ask->namespace, "git") != 0)
		return verdict_fail(v, TCODE_NAMESPACE,
				    "want an SSH signature of namespace \"%s\"",
				    ask->namespace);
#endif
	if (r == 0)
		r = by_kind[out_by->format](s, ask, t, out_by, v);
	if (r == 0 && v != NULL) /* why another of their keys is not it */
		*v = (struct verdict){0};
	return r;
}

int signature_check(const struct signers *s, const struct commit *c,
		    const struct signature_time *t, struct signature_by *out_by,
		    struct verdict *v)
{
	struct signature_ask ask = {.parts = c->payload,
				    .n_parts = 2,
				    .namespace = "git",
				    .when = c->committer.when};
	struct buf armor;
	int r;

	memset(out_by, 0, sizeof(*out_by));
	if (c->signature.len == 0)
		return verdict_fail(v, TCODE_UNSIGNED,
				    "the commit has no signature");
	buf_init(&armor, ARMOR_BYTES_MAX);
	r = armor_unfold(&c->signature, &armor, v);
	ask.armor = (struct commit_span){armor.data, armor.len};
	if (r == 0)
		r = signature_check_bytes(s, &ask, t, out_by, v);
	buf_release(&armor);
	return r;
}
