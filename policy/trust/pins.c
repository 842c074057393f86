/*
 * pins.c - see pins.h.
 */
#include "policy/trust/pins.h"
#include "policy/trust/cms.h"
#include "policy/trust/openpgp.h"

#include <string.h>

struct check {
	const struct signers *signers;
	const struct signature_ask *ask;
	const struct signature_time *time;
	struct verdict *v;
};

static void set_signer(struct signature_by *by, const struct signer *pin)
{
	size_t len = strnlen(pin->name, sizeof(by->principal) - 1);

	memcpy(by->principal, pin->name, len);
	by->principal[len] = '\0';
	by->use = pin->use;
}

/* Pinned lists hold keys of SSH alone; a trust policy may name others. */
static int nobody_has(const struct check *c, enum armor_kind kind)
{
	return verdict_fail(c->v, TCODE_NOT_SSH,
			    "the signature is %s, and nobody's key is of that "
			    "kind",
			    kind == ARMOR_CMS ? "X.509 CMS" : "OpenPGP");
}

/* --- X.509 -----------------------------------------------------------------
 */

static int check_chain_revoked(const struct check *c, const struct cms *cms,
			       STACK_OF(X509) * chain)
{
	char hex[CMSCERT_SERIAL_HEX];
	uint64_t serial = cmscert_serial(cms->signer, hex);
	struct wire_span id = {(const uint8_t *)hex, strlen(hex)};
	char key[PUBKEY_FINGERPRINT];

#ifdef GUARD_OFF_REVOKED
	return 0;
#endif
	if (signers_serial_revoked(c->signers, serial, &id))
		return verdict_fail(c->v, TCODE_REVOKED,
				    "certificate with the serial %s", hex);
	for (int i = 0; i < sk_X509_num(chain); i++)
		if (!cmscert_fingerprint(sk_X509_value(chain, i), key) ||
		    signers_fingerprint_revoked(c->signers, key))
			return verdict_fail(c->v, TCODE_REVOKED,
					    "certificate %s (%d of the chain)",
					    key, i);
	return 0;
}

/* One pin whose identity the certificate has. */
static int check_x509_pin(const struct check *c, const struct cms *cms,
			  const struct signer *pin)
{
	STACK_OF(X509) *chain = NULL;
	STACK_OF(X509) *chain_now = NULL;
	int r;

	if (pin->x509->issuer != NULL &&
	    !cmscert_has_issuer(cms->signer, pin->x509->issuer))
		return verdict_fail(c->v, TCODE_CMS_IDENTITY,
				    "%s, but not from the issuer %s",
				    pin->x509->identity, pin->x509->issuer);
	r = cmscert_chain(cms->signer, cms->certs, pin->x509->authority,
			  c->ask->when, &chain, c->v);
	if (r == 0)
		r = cms_check_extra(cms, chain, c->v);
	if (r == 0)
		r = check_chain_revoked(c, cms, chain);
	if (r == 0)
		r = cms_verify(cms, c->ask->parts, c->ask->n_parts, c->v);
#ifndef GUARD_OFF_CMS_NOW
	if (r == 0 && c->time->first_seen &&
	    cmscert_chain(cms->signer, cms->certs, pin->x509->authority,
			  c->time->now, &chain_now, c->v) < 0)
		r = verdict_wrap(c->v, "a new commit");
#endif
	if (r == 0)
		r = signature_check_window(pin, c->ask, c->time, c->v);
	sk_X509_pop_free(chain, X509_free);
	sk_X509_pop_free(chain_now, X509_free);
	return r;
}

static int check_x509_pins(const struct check *c, const struct cms *cms,
			   struct signature_by *by)
{
	const struct signer *pin = NULL;
	char name[256];
	int r;

	memcpy(by->key, cms->fingerprint, sizeof(by->key));
	r = cmscert_check_use(cms->signer, c->v);
	if (r < 0)
		return r;
	r = verdict_fail(c->v, TCODE_CMS_IDENTITY,
			 "nobody is pinned as %s (certificate %s)",
			 cmscert_name(cms->signer, name, sizeof(name)),
			 by->key);
	while ((pin = signers_next_of(c->signers, ARMOR_CMS, pin)) != NULL) {
		if (!cmscert_has_name(cms->signer, pin->x509->identity))
			continue;
		r = check_x509_pin(c, cms, pin);
		if (r == 0) {
			set_signer(by, pin);
			return 0;
		}
	}
	return r;
}

int pins_check_x509(const struct signers *s, const struct signature_ask *ask,
		    const struct signature_time *t, struct signature_by *by,
		    struct verdict *v)
{
	struct check c = {s, ask, t, v};
	struct cms cms = {0};
	struct buf der;
	int r;

	if (signers_next_of(s, ARMOR_CMS, NULL) == NULL)
		return nobody_has(&c, ARMOR_CMS);
	buf_init(&der, CMS_BYTES_MAX);
	r = armor_read(&ask->armor, ARMOR_CMS, &der, v);
	if (r == 0)
		r = cms_parse(der.data, der.len, &cms, v);
	if (r == 0)
		r = check_x509_pins(&c, &cms, by);
	cms_release(&cms);
	buf_release(&der);
	return r;
}

/* --- OpenPGP ---------------------------------------------------------------
 */

static int run_sqv(const struct check *c, const struct openpgp_job *job,
		   char out[OPENPGP_FINGERPRINT])
{
	const struct openpgp_run *run = c->time->openpgp;
	struct openpgp_answer answer = {0};
	int r = run->run(run->ctx, job, &answer, c->v);

	return r < 0 ? r : openpgp_read_answer(&answer, out, c->v);
}

/* Who made it, of all that are pinned: so many at once that a fleet of people
 * costs two runs of sqv and not one each. */
static int find_openpgp(const struct check *c, const struct openpgp_job *what,
			char out[OPENPGP_FINGERPRINT])
{
	const struct signer *pin = NULL;
	struct openpgp_job job = *what;
	int r = 0;

	do {
		job.n_certificates = 0;
		while (job.n_certificates < OPENPGP_CERTS_MAX &&
		       (pin = signers_next_of(c->signers, ARMOR_OPENPGP,
					      pin)) != NULL)
			job.certificates[job.n_certificates++] =
				pin->openpgp->certificate;
		if (job.n_certificates == 0)
			break;
		r = run_sqv(c, &job, out);
	} while (r < 0 && c->v->code == TCODE_OPENPGP_REFUSED && pin != NULL);
	return r;
}

/* The decision: sqv knows this one certificate and its window. */
static int check_openpgp_pin(const struct check *c,
			     const struct openpgp_job *what,
			     const struct signer *pin)
{
	char made_by[OPENPGP_FINGERPRINT] = "";
	struct openpgp_job job = *what;
	int r;

	job.certificates[0] = pin->openpgp->certificate;
	job.n_certificates = 1;
#ifndef GUARD_OFF_OPENPGP_WINDOW
	if (pin->valid_after > job.not_before)
		job.not_before = pin->valid_after;
	if (pin->valid_before - 1 < job.not_after)
		job.not_after = pin->valid_before - 1;
#endif
	r = run_sqv(c, &job, made_by);
	if (r == 0 && strcmp(made_by, pin->openpgp->fingerprint) != 0)
		r = verdict_fail(c->v, TCODE_OPENPGP_REFUSED,
				 "want key %s, have %s",
				 pin->openpgp->fingerprint, made_by);
	if (r == 0 && signers_fingerprint_revoked(c->signers, made_by))
		r = verdict_fail(c->v, TCODE_REVOKED, "key %s of %s", made_by,
				 pin->name);
	return r < 0 ? r : signature_check_window(pin, c->ask, c->time, c->v);
}

static int check_openpgp_pins(const struct check *c,
			      const struct openpgp_job *job,
			      struct signature_by *by)
{
	const struct signer *pin =
		signers_next_of(c->signers, ARMOR_OPENPGP, NULL);
	char made_by[OPENPGP_FINGERPRINT] = "";
	int r;

	if (signers_next_of(c->signers, ARMOR_OPENPGP, pin) == NULL) {
		r = check_openpgp_pin(c, job, pin); /* no need to look for it */
		if (r == 0 || c->v->code != TCODE_OPENPGP_REFUSED)
			memcpy(by->key, pin->openpgp->fingerprint,
			       OPENPGP_FINGERPRINT);
		if (r == 0)
			set_signer(by, pin);
		return r;
	}
	r = find_openpgp(c, job, made_by);
	if (r < 0)
		return r;
	memcpy(by->key, made_by, sizeof(made_by));
	r = verdict_fail(c->v, TCODE_UNKNOWN_KEY,
			 "key %s is not that of a pinned certificate", made_by);
	pin = NULL;
	while ((pin = signers_next_of(c->signers, ARMOR_OPENPGP, pin)) !=
	       NULL) {
		if (strcmp(made_by, pin->openpgp->fingerprint) != 0)
			continue;
		r = check_openpgp_pin(c, job, pin);
		if (r == 0) {
			set_signer(by, pin);
			return 0;
		}
	}
	return r;
}

int pins_check_openpgp(const struct signers *s, const struct signature_ask *ask,
		       const struct signature_time *t, struct signature_by *by,
		       struct verdict *v)
{
	struct check c = {s, ask, t, v};
	struct openpgp_job job = {.parts = ask->parts,
				  .n_parts = ask->n_parts,
				  .not_after = t->now + SIGNATURE_FUTURE_S};
	struct buf packets, packet;
	struct wire_span all;
	int r;

	if (signers_next_of(s, ARMOR_OPENPGP, NULL) == NULL)
		return nobody_has(&c, ARMOR_OPENPGP);
	if (t->openpgp == NULL)
		return verdict_fail(v, TCODE_OPENPGP_OFF,
				    "the trust root has OpenPGP switched off");
	buf_init(&packets, ARMOR_BYTES_MAX);
	buf_init(&packet, ARMOR_BYTES_MAX);
	r = armor_read(&ask->armor, ARMOR_OPENPGP, &packets, v);
	all = (struct wire_span){(const uint8_t *)packets.data, packets.len};
	if (r == 0)
		r = openpgp_read_signature(&all, &packet, v);
	job.signature =
		(struct wire_span){(const uint8_t *)packet.data, packet.len};
	if (r == 0)
		r = check_openpgp_pins(&c, &job, by);
	buf_release(&packets);
	buf_release(&packet);
	return r;
}
