/*
 * kind_trust.c - TrustPolicy (reconcile/v1alpha1): fields, and what they must
 * say together that needs no cryptography.  What keys are is judged by
 * policy/trust/people.c.  Unset means the stricter thing.
 */
#include "manifest/kind.h"

#include "lib/clock.h"
#include "lib/pattern.h"
#include "lib/text.h"

#include <string.h>

#define THRESHOLD_MAX 1000

/* --- keys ----------------------------------------------------------------- */

static const struct field x509_fields[] = {
	FIELD_AT(FIELD_STR, "authority", trust_key, x509_authority, FIELD_REQ,
		 .check = check_trust_pem,
		 .doc = "PEM of the authorities that are pinned for this key; "
			"no other is looked at."),
	FIELD_AT(FIELD_STR, "identity", trust_key, x509_identity, FIELD_REQ,
		 .check = check_trust_san,
		 .doc = "A subject alternative name of the certificate, whole: "
			"email:ADDRESS or uri:URI."),
	FIELD_AT(FIELD_STR, "issuer", trust_key, x509_issuer,
		 .check = check_trust_issuer,
		 .doc = "Whom the certificate names as OpenID Connect issuer "
			"(1.3.6.1.4.1.57264.1.1 or .8)."),
};
static const struct table x509_table = {
	.name = "x509",
	.fields = x509_fields,
	.n = FIELD_COUNT(x509_fields),
};

static const struct field openpgp_fields[] = {
	FIELD_AT(FIELD_STR, "certificate", trust_key, openpgp_certificate,
		 FIELD_REQ, .check = check_trust_armor,
		 .doc = "Armored, as gpg --armor --export prints it; signing "
			"subkeys belong to it."),
	FIELD_AT(FIELD_STR, "fingerprint", trust_key, openpgp_fingerprint,
		 FIELD_REQ, .check = check_trust_openpgp,
		 .doc = "Of the primary key, whole."),
};
static const struct table openpgp_table = {
	.name = "openpgp",
	.fields = openpgp_fields,
	.n = FIELD_COUNT(openpgp_fields),
};

/* A window with an end before its beginning holds for nobody. */
static void check_window(struct decode *d, const struct node *n,
			 const struct trust_key *k)
{
	int64_t after, before;

	if (k->valid_after && k->valid_before &&
	    clock_parse_rfc3339(k->valid_after, &after) &&
	    clock_parse_rfc3339(k->valid_before, &before) && after >= before)
		decode_say(d, CODE_CONFLICT, DIAG_ERROR,
			   node_get(n, "validBefore"), "validBefore", NULL,
			   "want validBefore behind validAfter, have %s and %s",
			   k->valid_before, k->valid_after);
}

static void say_ssh_only(struct decode *d, const struct node *n,
			 const char *key)
{
	decode_say(d, CODE_CONFLICT, DIAG_ERROR, node_get(n, key), key,
		   "delete it",
		   "%s is for SSH keys: other signatures say nothing about "
		   "touch and PIN",
		   key);
}

static void finish_key(struct decode *d, const struct node *n, void *obj)
{
	const struct trust_key *k = obj;
	bool ca = node_get(n, "sshCertificateAuthority") != NULL;
	bool ssh = ca || node_get(n, "ssh") != NULL;
	const struct node *at = node_get(n, "principals");

	check_window(d, n, k);
	if (ca && k->principals.n == 0)
		decode_say(d, CODE_REQUIRED, DIAG_ERROR, at ? at : n,
			   at ? "principals" : NULL, NULL,
			   "want principals, the names that certificates of "
			   "this person carry");
	if (!ca && at)
		decode_say(d, CODE_CONFLICT, DIAG_ERROR, at, "principals",
			   "delete it",
			   "principals are for sshCertificateAuthority");
	if (!ssh && k->no_touch_required)
		say_ssh_only(d, n, "noTouchRequired");
	if (!ssh && k->pin_required)
		say_ssh_only(d, n, "pinRequired");
}

static const struct field key_fields[] = {
	FIELD_AT(FIELD_BOOL, "noTouchRequired", trust_key, no_touch_required,
		 .fallback = "false",
		 .doc = "A hardware key may sign without being touched."),
	FIELD_INTO("openpgp", &openpgp_table, .variant = 1 + TRUST_KEY_OPENPGP,
		   .doc = "An OpenPGP certificate."),
	FIELD_AT(FIELD_BOOL, "pinRequired", trust_key, pin_required,
		 .fallback = "false",
		 .doc = "Only signatures made with the PIN of a hardware key "
			"are good."),
	FIELD_AT(FIELD_STRS, "principals", trust_key, principals,
		 .check = check_trust_principal,
		 .doc = "Names in the authority's certificates that are this "
			"person."),
	FIELD_AT(FIELD_STR, "ssh", trust_key, ssh, .check = check_trust_ssh,
		 .variant = 1 + TRUST_KEY_SSH,
		 .doc = "A public key, the line of its .pub file: ed25519, "
			"ecdsa, sk-ssh-ed25519, sk-ecdsa, or rsa from 3072 "
			"bits."),
	FIELD_AT(FIELD_STR, "sshCertificateAuthority", trust_key, ssh,
		 .check = check_trust_ssh, .variant = 1 + TRUST_KEY_SSH_CA,
		 .doc = "Public key of an authority; certificates of it that "
			"carry one of principals are this person's."),
	FIELD_AT(FIELD_STR, "validAfter", trust_key, valid_after,
		 .check = check_trust_time,
		 .doc = "Signatures from here on are good."),
	FIELD_AT(FIELD_STR, "validBefore", trust_key, valid_before,
		 .check = check_trust_time,
		 .doc = "Signatures before this are good; afterwards the key "
			"introduces nothing new."),
	FIELD_INTO("x509", &x509_table, .variant = 1 + TRUST_KEY_X509,
		   .doc = "Certificates of an authority for one identity."),
};
const struct table kind_trust_key_table = {
	.name = "key",
	.fields = key_fields,
	.n = FIELD_COUNT(key_fields),
	.size = sizeof(struct trust_key),
	.pos = 1 + offsetof(struct trust_key, pos),
	.variant = 1 + offsetof(struct trust_key, kind),
	.variant_required = true,
	.finish = finish_key,
};

/* --- people and roles ----------------------------------------------------- */

static const struct field person_fields[] = {
	FIELD_LIST_AT(FIELD_OBJS, "keys", trust_person, keys, n_keys, FIELD_REQ,
		      .table = &kind_trust_key_table,
		      .doc = "Any of them speaks for the person, and all of "
			     "them together for one person."),
	FIELD_AT(FIELD_STR, "name", trust_person, name, FIELD_REQ,
		 .check = check_trust_name,
		 .doc = "The identity everywhere: rules, audit, subject User "
			"of RBAC."),
};
static const struct table person_table = {
	.name = "person",
	.fields = person_fields,
	.n = FIELD_COUNT(person_fields),
	.size = sizeof(struct trust_person),
	.pos = 1 + offsetof(struct trust_person, pos),
};

static const struct field role_fields[] = {
	FIELD_AT(FIELD_STR, "name", trust_role, name, FIELD_REQ,
		 .check = check_trust_name, .doc = "Subject Group of RBAC."),
	FIELD_AT(FIELD_STRS, "people", trust_role, people, FIELD_REQ,
		 .doc = "Who has the role."),
};
static const struct table role_table = {
	.name = "role",
	.fields = role_fields,
	.n = FIELD_COUNT(role_fields),
	.size = sizeof(struct trust_role),
	.pos = 1 + offsetof(struct trust_role, pos),
};

/* --- rules ---------------------------------------------------------------- */

#define RULE_PEOPLE                                                            \
	FIELD_AT(FIELD_STRS, "people", trust_rule, people,                     \
		 .doc = "Who may, by name.")
#define RULE_REQUIRE                                                           \
	FIELD_AT(FIELD_STRS, "require", trust_rule, require,                   \
		 .values = FIELD_VALUES("Touch", "PIN"),                       \
		 .doc = "Only signatures by a hardware key that was touched, " \
			"or given its PIN, count.")
#define RULE_ROLES                                                             \
	FIELD_AT(FIELD_STRS, "roles", trust_rule, roles,                       \
		 .doc = "Who may, by role.")
#define RULE_THRESHOLD                                                         \
	FIELD_AT(FIELD_INT, "threshold", trust_rule, threshold,                \
		 .fallback = "1", .min = 1, .max = THRESHOLD_MAX,              \
		 .doc = "How many of them it takes: people, not keys.")

static const struct field root_fields[] = {
	RULE_PEOPLE,
	RULE_REQUIRE,
	RULE_ROLES,
	RULE_THRESHOLD,
};
static const struct table root_table = {
	.name = "root",
	.fields = root_fields,
	.n = FIELD_COUNT(root_fields),
	.size = sizeof(struct trust_rule),
	.pos = 1 + offsetof(struct trust_rule, pos),
};

static const struct field rule_fields[] = {
	FIELD_AT(FIELD_STRS, "paths", trust_rule, paths, FIELD_REQ,
		 .check = check_trust_pattern,
		 .doc = "From the root of the tree; '*' within a name, '**' "
			"for any depth."),
	RULE_PEOPLE,
	RULE_REQUIRE,
	RULE_ROLES,
	RULE_THRESHOLD,
};
static const struct table rule_table = {
	.name = "rule",
	.fields = rule_fields,
	.n = FIELD_COUNT(rule_fields),
	.size = sizeof(struct trust_rule),
	.pos = 1 + offsetof(struct trust_rule, pos),
};

/* --- carriers, freshness, revocations ------------------------------------- */

static const struct field carrier_fields[] = {
	FIELD_AT(FIELD_STRS, "accept", trust_carrier, accept, FIELD_REQ,
		 .values = FIELD_VALUES("Merge", "Squash"),
		 .doc = "Merge: merges that add nothing of their own; Squash: "
			"commits with one parent, on approvals alone."),
	FIELD_LIST_AT(FIELD_OBJS, "keys", trust_carrier, keys, n_keys,
		      FIELD_REQ, .table = &kind_trust_key_table,
		      .doc = "What the forge signs with."),
	FIELD_AT(FIELD_STR, "name", trust_carrier, name, FIELD_REQ,
		 .check = check_trust_name, .doc = "Shown in audit."),
};
static const struct table carrier_table = {
	.name = "carrier",
	.fields = carrier_fields,
	.n = FIELD_COUNT(carrier_fields),
	.size = sizeof(struct trust_carrier),
	.pos = 1 + offsetof(struct trust_carrier, pos),
};

static const struct field freshness_fields[] = {
	FIELD_LIST_AT(FIELD_OBJS, "keys", trust_spec, freshness_keys,
		      n_freshness_keys, .table = &kind_trust_key_table,
		      .doc = "May sign commits that change nothing, and do "
			     "nothing else."),
	FIELD_AT(FIELD_STR, "maxAge", trust_spec, freshness_max_age, FIELD_REQ,
		 .check = check_trust_span,
		 .doc = "A newest commit that is older than this is stale."),
};
static const struct table freshness_table = {
	.name = "freshness",
	.fields = freshness_fields,
	.n = FIELD_COUNT(freshness_fields),
};

static const struct field revoked_fields[] = {
	FIELD_AT(FIELD_STR, "fingerprint", trust_revoked, fingerprint,
		 FIELD_REQ, .check = check_trust_fingerprint,
		 .doc = "Of an SSH key, an authority or an X.509 certificate "
			"(SHA256:), or of an OpenPGP certificate."),
	FIELD_AT(FIELD_STR, "reason", trust_revoked, reason,
		 .doc = "For people."),
};
static const struct table revoked_table = {
	.name = "revoked key",
	.fields = revoked_fields,
	.n = FIELD_COUNT(revoked_fields),
	.size = sizeof(struct trust_revoked),
	.pos = 1 + offsetof(struct trust_revoked, pos),
};

static const struct field revocations_fields[] = {
	FIELD_AT(FIELD_STR, "asOf", trust_spec, revoked_as_of, FIELD_REQ,
		 .check = check_trust_time,
		 .doc = "When somebody last looked, so that nothing revoked "
			"is said and not forgotten."),
	FIELD_LIST_AT(FIELD_OBJS, "keys", trust_spec, revoked, n_revoked,
		      .table = &revoked_table,
		      .doc = "Keys that count for nothing, also in what was "
			     "accepted."),
	FIELD_AT(FIELD_STR, "krl", trust_spec, revoked_krl,
		 .check = check_trust_base64, FIELD_POS(trust_spec, krl_pos),
		 .doc = "Base64 of an OpenSSH KRL."),
	FIELD_AT(FIELD_STRS, "payloads", trust_spec, revoked_payloads,
		 .check = check_trust_payload,
		 .doc = "Commits that are denied, by the digest of the bytes "
			"that were signed: reconcile verify prints it."),
};
static const struct table revocations_table = {
	.name = "revocations",
	.fields = revocations_fields,
	.n = FIELD_COUNT(revocations_fields),
};

/* --- together ------------------------------------------------------------- */

static const struct field spec_fields[] = {
	FIELD_AT(FIELD_STR, "authorization", trust_spec, authorization,
		 .fallback = "Paths", .values = FIELD_VALUES("Paths", "RBAC"),
		 .doc = "RBAC: Roles and their bindings must allow what rules "
			"allow."),
	FIELD_LIST_AT(FIELD_OBJS, "carriers", trust_spec, carriers, n_carriers,
		      .table = &carrier_table,
		      .doc = "Keys of forges: known, but never people."),
	FIELD_AT(FIELD_STR, "expires", trust_spec, expires, FIELD_REQ,
		 .check = check_trust_time,
		 .doc = "Afterwards nothing is accepted but a change of this "
			"file."),
	FIELD_INTO("freshness", &freshness_table,
		   .doc = "How old the newest commit may be."),
	FIELD_LIST_AT(FIELD_OBJS, "people", trust_spec, people, n_people,
		      FIELD_REQ, .table = &person_table,
		      .doc = "Who the people are."),
	FIELD_INTO("revocations", &revocations_table, FIELD_REQ,
		   .doc = "What counts for nothing; never empty."),
	FIELD_LIST_AT(FIELD_OBJS, "roles", trust_spec, roles, n_roles,
		      .table = &role_table, .doc = "People under one name."),
	FIELD_AT(FIELD_OBJ, "root", trust_spec, root, FIELD_REQ,
		 .table = &root_table,
		 .doc = "Who may change this file; no rule does."),
	FIELD_LIST_AT(FIELD_OBJS, "rules", trust_spec, rules, n_rules,
		      FIELD_REQ, .table = &rule_table,
		      .doc = "The first that fits a path decides; a path that "
			     "none fits may not change."),
	FIELD_AT(FIELD_INT, "version", trust_spec, version, FIELD_REQ, .min = 1,
		 FIELD_POS(trust_spec, version_pos),
		 .doc = "A change adds exactly 1."),
};
static const struct table spec_table = {
	.name = "TrustPolicySpec",
	.fields = spec_fields,
	.n = FIELD_COUNT(spec_fields),
	.size = sizeof(struct trust_spec),
	.pos = 1 + offsetof(struct trust_spec, pos),
	.finish = kind_trust_rules_finish,
};

static const struct field trust_fields[] = {
	KIND_API_VERSION,
	KIND_KIND,
	KIND_METADATA(kind_meta_cluster_table),
	FIELD_AT(FIELD_OBJ, "spec", object, trust, FIELD_REQ,
		 .table = &spec_table, .doc = "The policy."),
};
const struct table kind_trust_table = {
	.name = "TrustPolicy",
	.fields = trust_fields,
	.n = FIELD_COUNT(trust_fields),
};
