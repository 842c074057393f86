/*
 * people_keys.c - see people_keys.h.  Pure; the texts are somebody's proposal.
 */
#include "policy/trust/people_keys.h"
#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/text.h"
#include "policy/trust/cmscert.h"
#include "policy/trust/openpgp.h"

#include <stdlib.h>
#include <string.h>

#define KRL_BYTES_MAX ((size_t)1 << 20)

/* What makes a signature somebody's; equal ones are the same key. */
struct claim {
	const char *id;
	const struct signer *by;
	struct manifest_pos pos;
};

struct build {
	const struct trust_spec *spec;
	struct arena *arena;
	struct people_faults *faults;
	struct people_keys *out;
	struct signer *items;
	size_t *owner;
	struct manifest_pos *pos;
	struct claim *claims;
	size_t n_claims;
};

void people_keys_fault(struct people_faults *f, enum tcode code,
		       struct manifest_pos pos, const char *fmt, ...)
{
	char text[ERR_MSG_BYTES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diags_add(f->diags, verdict_name(code), DIAG_ERROR, pos, NULL,
		  verdict_fix(code), "%s", text);
	if (f->n++ == 0)
		(void)verdict_fail(f->v, code, "%s:%u:%u: %s",
				   pos.path != NULL ? pos.path : "", pos.line,
				   pos.column, text);
}

static void claim(struct build *b, const struct signer *s,
		  const struct trust_key *key, const char *id)
{
	b->claims[b->n_claims++] =
		(struct claim){.id = id, .by = s, .pos = key->pos};
}

/* --- one key of each kind; false after a fault ---------------------------- */

static bool add_ssh(struct build *b, const struct trust_key *key,
		    struct signer *s)
{
	struct verdict v = {0};

	if (signers_read_key(key->ssh, b->arena, s, &v) < 0) {
		people_keys_fault(b->faults, TCODE_TRUST_KEY, key->pos, "%s",
				  v.reason);
		return false;
	}
	s->no_touch_required = key->no_touch_required;
	s->verify_required = key->pin_required;
	if (s->verify_required && *s->key.application == '\0' &&
	    key->kind == TRUST_KEY_SSH)
		people_keys_fault(b->faults, TCODE_TRUST_KEY, key->pos,
				  "pinRequired is for hardware keys; this one "
				  "is %s and could never sign",
				  pubkey_type_name(s->key.type));
	if (key->kind == TRUST_KEY_SSH)
		claim(b, s, key, s->key.fingerprint);
	return true;
}

/* Principals have no comma (check_trust_principal). */
static bool add_ssh_ca(struct build *b, const struct trust_key *key,
		       struct signer *s)
{
	const struct strings *names = &key->principals;
	const char *list = "";

	if (!add_ssh(b, key, s))
		return false;
	for (size_t i = 0; i < names->n; i++) {
		list = arena_printf(b->arena, "%s%s%s", list, i > 0 ? "," : "",
				    names->items[i]);
		claim(b, s, key,
		      arena_printf(b->arena, "%s %s", s->key.fingerprint,
				   names->items[i]));
	}
	s->authority = true;
	s->principals = list;
	s->person = s->name;
	return true;
}

static bool add_x509(struct build *b, const struct trust_key *key,
		     struct signer *s)
{
	struct signer_x509 *pin = arena_alloc(b->arena, sizeof(*pin));
	struct people_keys *k = b->out;
	struct verdict v = {0};

	if (cmscert_authority_new(key->x509_authority,
				  strlen(key->x509_authority),
				  &k->authorities[k->n_authorities], &v) < 0) {
		people_keys_fault(b->faults, TCODE_TRUST_KEY, key->pos, "%s",
				  v.reason);
		return false;
	}
	*pin = (struct signer_x509){.identity = key->x509_identity,
				    .issuer = key->x509_issuer,
				    .authority =
					    k->authorities[k->n_authorities++]};
	s->kind = ARMOR_CMS;
	s->x509 = pin;
	claim(b, s, key, key->x509_identity);
	return true;
}

static bool add_openpgp(struct build *b, const struct trust_key *key,
			struct signer *s)
{
	struct signer_openpgp *pin = arena_alloc(b->arena, sizeof(*pin));
	char have[OPENPGP_FINGERPRINT];
	struct verdict v = {0};

	if (openpgp_certificate(key->openpgp_certificate,
				strlen(key->openpgp_certificate), have,
				&v) < 0) {
		people_keys_fault(b->faults, TCODE_TRUST_KEY, key->pos,
				  "certificate: %s", v.reason);
		return false;
	}
	if (strcmp(have, key->openpgp_fingerprint) != 0) {
		people_keys_fault(b->faults, TCODE_TRUST_KEY, key->pos,
				  "want a certificate of %s, have one of %s",
				  key->openpgp_fingerprint, have);
		return false;
	}
	*pin = (struct signer_openpgp){.fingerprint = key->openpgp_fingerprint,
				       .certificate = key->openpgp_certificate};
	s->kind = ARMOR_OPENPGP;
	s->openpgp = pin;
	claim(b, s, key, pin->fingerprint);
	return true;
}

static int64_t time_of(const char *text, int64_t otherwise)
{
	int64_t ms;

	return text != NULL && clock_parse_rfc3339(text, &ms) ? ms / 1000
							      : otherwise;
}

static void add_keys(struct build *b, const struct trust_key *keys, size_t n,
		     const char *name, enum signer_use use, size_t owner)
{
	static bool (*const by_kind[])(struct build *, const struct trust_key *,
				       struct signer *) = {
		[TRUST_KEY_SSH] = add_ssh,
		[TRUST_KEY_SSH_CA] = add_ssh_ca,
		[TRUST_KEY_X509] = add_x509,
		[TRUST_KEY_OPENPGP] = add_openpgp,
	};

	for (size_t i = 0; i < n; i++) {
		struct signer *s = &b->items[b->out->n];

		*s = (struct signer){
			.kind = ARMOR_SSH,
			.line = keys[i].pos.line,
			.principals = name,
			.name = name,
			.use = use,
			.valid_after = time_of(keys[i].valid_after, INT64_MIN),
			.valid_before =
				time_of(keys[i].valid_before, INT64_MAX)};
		b->owner[b->out->n] = owner;
		b->pos[b->out->n] = keys[i].pos;
		if (by_kind[keys[i].kind](b, &keys[i], s))
			b->out->n++;
	}
}

/* --- a key has one owner -------------------------------------------------- */

static int by_id(const void *pa, const void *pb)
{
	const struct claim *a = pa, *b = pb;
	int r = strcmp(a->id, b->id);

	if (r == 0)
		r = (a->pos.line > b->pos.line) - (a->pos.line < b->pos.line);
	if (r == 0)
		r = (a->pos.column > b->pos.column) -
		    (a->pos.column < b->pos.column);
	return r;
}

/* Ids begin with what is cryptography's: "FINGERPRINT" signs, "FINGERPRINT
 * PRINCIPAL" certifies.  One that does both could sign for whom it certifies.
 * An identity of X.509 may come from several authorities or issuers. */
static bool clashes(const struct claim *a, const struct claim *b)
{
	size_t n = strlen(a->id);

	if (strcmp(a->id, b->id) == 0)
		return a->by->kind != ARMOR_CMS ||
		       strcmp(a->by->name, b->by->name) != 0;
	return strncmp(a->id, b->id, n) == 0 && b->id[n] == ' ';
}

static void check_claims(struct build *b)
{
	const struct claim *first = b->claims;
	char shown[120];

	if (b->n_claims > 0)
		qsort(b->claims, b->n_claims, sizeof(b->claims[0]), by_id);
	for (size_t i = 1; i < b->n_claims; i++) {
		const struct claim *c = &b->claims[i];

		if (!clashes(first, c)) {
			first = c;
			continue;
		}
#ifndef GUARD_OFF_KEY_OWNER
		people_keys_fault(
			b->faults, TCODE_TRUST_TWICE, c->pos,
			"%s is a key of %s already (line %u)",
			text_safe(shown, sizeof(shown), c->id, strlen(c->id)),
			first->by->name, first->pos.line);
#else
		(void)shown;
#endif
	}
}

/* --- revocations ---------------------------------------------------------- */

static void add_krl(struct build *b, struct revoked *r)
{
	const char *text = b->spec->revoked_krl;
	struct verdict v = {0};
	struct buf bytes;

	if (text == NULL)
		return;
	buf_init(&bytes, KRL_BYTES_MAX);
	if (!encode_unbase64(&bytes, text, strlen(text)))
		people_keys_fault(b->faults, TCODE_REVOCATIONS,
				  b->spec->krl_pos,
				  "revocations.krl: want base64");
	else if (bytes.len < 7 || memcmp(bytes.data, "SSHKRL\n", 7) != 0)
		people_keys_fault(b->faults, TCODE_REVOCATIONS,
				  b->spec->krl_pos,
				  "revocations.krl: want a binary KRL "
				  "(ssh-keygen -k); text goes into keys");
	else if (revoked_add(r, bytes.data, bytes.len, &v) < 0)
		people_keys_fault(b->faults, TCODE_REVOCATIONS,
				  b->spec->krl_pos, "revocations.krl: %s",
				  v.reason);
	buf_release(&bytes);
}

static void add_line(struct build *b, struct revoked *r, const char *text,
		     struct manifest_pos pos)
{
	if (!revoked_add_line(r, text, strlen(text)))
		people_keys_fault(b->faults, TCODE_REVOCATIONS, pos,
				  "want a fingerprint or digest, have %s "
				  "(or the list is too long)",
				  text);
}

static void add_revoked(struct build *b, struct revoked *r)
{
	const struct trust_spec *s = b->spec;

	revoked_init(r, b->arena);
	for (size_t i = 0; i < s->n_revoked; i++)
		add_line(b, r, s->revoked[i].fingerprint, s->revoked[i].pos);
	for (size_t i = 0; i < s->revoked_payloads.n; i++)
		add_line(b, r, s->revoked_payloads.items[i], s->pos);
	add_krl(b, r);
	revoked_finish(r);
}

static bool is_revoked(const struct signers *all, const struct signer *s)
{
	if (s->kind == ARMOR_OPENPGP)
		return signers_fingerprint_revoked(all,
						   s->openpgp->fingerprint);
	return s->kind == ARMOR_SSH && signers_key_revoked(all, &s->blob);
}

/* A key that is listed and revoked is not wrong, but not what it seems. */
static void mark_revoked(struct build *b)
{
	bool *revoked = arena_calloc(b->arena, b->out->n, sizeof(bool));

	for (size_t i = 0; i < b->out->n; i++) {
		const struct signer *s = &b->items[i];

		revoked[i] = is_revoked(b->out->signers, s);
		if (revoked[i])
			diags_add(b->faults->diags, verdict_name(TCODE_REVOKED),
				  DIAG_WARNING, b->pos[i], NULL, "delete it",
				  "this key of %s is revoked and counts for "
				  "nothing",
				  s->name);
	}
	b->out->revoked = revoked;
}

/* --- all of it ------------------------------------------------------------ */

static void count_keys(const struct trust_spec *s, size_t *out_keys,
		       size_t *out_claims)
{
	size_t n = s->n_freshness_keys;
	size_t names = 0;

	for (size_t i = 0; i < s->n_people; i++) {
		n += s->people[i].n_keys;
		for (size_t k = 0; k < s->people[i].n_keys; k++)
			names += s->people[i].keys[k].principals.n;
	}
	for (size_t i = 0; i < s->n_carriers; i++) {
		n += s->carriers[i].n_keys;
		for (size_t k = 0; k < s->carriers[i].n_keys; k++)
			names += s->carriers[i].keys[k].principals.n;
	}
	for (size_t k = 0; k < s->n_freshness_keys; k++)
		names += s->freshness_keys[k].principals.n;
	*out_keys = n;
	*out_claims = n + names;
}

void people_keys_init(struct people_keys *out, const struct trust_spec *spec,
		      struct arena *arena, struct people_faults *faults)
{
	struct build b = {
		.spec = spec, .arena = arena, .faults = faults, .out = out};
	struct revoked revoked;
	size_t n_keys, n_claims;

	*out = (struct people_keys){0};
	count_keys(spec, &n_keys, &n_claims);
	/* one more: a key is read in place before it is counted */
	b.items = arena_calloc(arena, n_keys + 1, sizeof(b.items[0]));
	b.owner = arena_calloc(arena, n_keys + 1, sizeof(b.owner[0]));
	b.pos = arena_calloc(arena, n_keys + 1, sizeof(b.pos[0]));
	b.claims = arena_calloc(arena, n_claims, sizeof(b.claims[0]));
	out->authorities =
		arena_calloc(arena, n_keys, sizeof(out->authorities[0]));
	for (size_t i = 0; i < spec->n_people; i++)
		add_keys(&b, spec->people[i].keys, spec->people[i].n_keys,
			 spec->people[i].name, SIGNER_PERSON, i);
	for (size_t i = 0; i < spec->n_carriers; i++)
		add_keys(&b, spec->carriers[i].keys, spec->carriers[i].n_keys,
			 spec->carriers[i].name, SIGNER_CARRIER,
			 PEOPLE_KEYS_NOBODY);
	add_keys(&b, spec->freshness_keys, spec->n_freshness_keys, "freshness",
		 SIGNER_TIMESTAMP, PEOPLE_KEYS_NOBODY);
	check_claims(&b);
	add_revoked(&b, &revoked);
	out->items = b.items;
	out->owner = b.owner;
	out->signers = signers_of(b.items, out->n, &revoked, arena);
	mark_revoked(&b);
}

void people_keys_release(struct people_keys *k)
{
	signers_free(k->signers);
	for (size_t i = 0; i < k->n_authorities; i++)
		cmscert_authority_free(k->authorities[i]);
	*k = (struct people_keys){0};
}
