/*
 * kind_policy.c - ClusterPolicy (reconcile/v1alpha1) and Namespace (core/v1):
 * the two kinds that say what the others may do.  Unset means the safe value.
 */
#include "manifest/kind.h"

#include <stdlib.h>
#include <string.h>

/* --- ClusterPolicy -------------------------------------------------------- */

static const struct field repository_fields[] = {
	FIELD_AT(FIELD_STR, "id", cluster_policy, repository_id, FIELD_REQ,
		 .check = check_repository_id,
		 .doc = "Name that the trust root of each host binds."),
	FIELD_AT(FIELD_STR, "ref", cluster_policy, ref, FIELD_REQ,
		 .check = check_ref, .doc = "The one ref that is followed."),
};
static const struct table repository_table = {
	.name = "repository",
	.fields = repository_fields,
	.n = FIELD_COUNT(repository_fields),
};

static const struct field image_fields[] = {
	FIELD_AT(FIELD_STRS, "allowedRegistries", cluster_policy,
		 allowed_registries, .check = check_registry,
		 .doc = "host[:port] or host[:port]/prefix; empty: none."),
	FIELD_AT(FIELD_BOOL, "requireDigest", cluster_policy, require_digest,
		 .fallback = "true", .doc = "Images must name a digest."),
};
static const struct table image_table = {
	.name = "images",
	.fields = image_fields,
	.n = FIELD_COUNT(image_fields),
};

static const struct field secret_fields[] = {
	FIELD_AT(FIELD_BOOL, "allowPlain", cluster_policy, allow_plain_secrets,
		 .fallback = "false",
		 .doc = "Secrets may stand unencrypted in git."),
};
static const struct table secret_table = {
	.name = "secrets",
	.fields = secret_fields,
	.n = FIELD_COUNT(secret_fields),
};

static const struct field policy_spec_fields[] = {
	FIELD_AT(FIELD_BOOL, "allowHostUsers", cluster_policy, allow_host_users,
		 .fallback = "false", .doc = "hostUsers: true may be given."),
	FIELD_AT(FIELD_BOOL, "allowNodeName", cluster_policy, allow_node_name,
		 .fallback = "false", .doc = "nodeName may be given."),
	FIELD_AT(FIELD_BOOL, "allowPrivilegeEscalation", cluster_policy,
		 allow_privilege_escalation, .fallback = "false",
		 .doc = "allowPrivilegeEscalation: true may be given."),
	FIELD_AT(FIELD_STR, "defaultNamespace", cluster_policy,
		 default_namespace, .fallback = "default",
		 .check = check_dns_label,
		 .doc = "Of objects without metadata.namespace."),
	FIELD_AT(FIELD_STRS, "hostPathPrefixes", cluster_policy,
		 host_path_prefixes, .check = check_absolute,
		 .doc = "Where hostPath may point; empty: nowhere."),
	FIELD_INTO("images", &image_table, .doc = "Which images may run."),
	FIELD_AT(FIELD_STR, "manifestsPath", cluster_policy, manifests_path,
		 .fallback = ".", .check = check_tree_path,
		 .doc = "Directory of the manifests in the repository."),
	FIELD_AT(FIELD_INT, "maxDeletePercent", cluster_policy,
		 max_delete_percent, .fallback = "30", .max = 100,
		 .doc = "A plan that deletes a larger share stops (exit 6)."),
	FIELD_AT(FIELD_STR, "placement", cluster_policy, placement,
		 .fallback = "spread",
		 .values = FIELD_VALUES("spread", "binpack"),
		 .doc = "How pods are placed on hosts."),
	FIELD_AT(FIELD_STR, "podSecurity", cluster_policy, pod_security,
		 .fallback = "baseline",
		 .values = FIELD_VALUES("privileged", "baseline", "restricted"),
		 .doc = "Least Pod Security level; namespaces can only "
			"tighten it."),
	FIELD_INTO("repository", &repository_table, FIELD_REQ,
		   .doc = "Binds commits to this repository and ref."),
	FIELD_INTO("secrets", &secret_table, .doc = "Secrets in git."),
};
const struct table kind_policy_spec_table = {
	.name = "ClusterPolicySpec",
	.fields = policy_spec_fields,
	.n = FIELD_COUNT(policy_spec_fields),
	.size = sizeof(struct cluster_policy),
};

static const struct field policy_fields[] = {
	KIND_API_VERSION,
	KIND_KIND,
	KIND_METADATA(kind_meta_cluster_table),
	FIELD_AT(FIELD_OBJ, "spec", object, policy, FIELD_REQ,
		 .table = &kind_policy_spec_table, .doc = "The rules."),
};
const struct table kind_policy_table = {
	.name = "ClusterPolicy",
	.fields = policy_fields,
	.n = FIELD_COUNT(policy_fields),
};

/* --- Namespace ------------------------------------------------------------ */

#define NAME_LABEL "kubernetes.io/metadata.name"

static int by_key(const void *pa, const void *pb)
{
	const struct keyval *a = pa, *b = pb;

	return strcmp(a->key, b->key);
}

static const char *const levels[] = {"privileged", "baseline", "restricted"};

static void check_level(struct decode *d, const struct node *n, const char *key)
{
	const struct node *v =
		node_get(node_get(node_get(n, "metadata"), "labels"), key);

	if (!v || !node_text(v))
		return;
	for (size_t i = 0; i < FIELD_COUNT(levels); i++)
		if (strcmp(v->text, levels[i]) == 0)
			return;
	decode_say(d, CODE_VALUE, DIAG_ERROR, v, "metadata", NULL,
		   "want %s to be privileged, baseline or restricted", key);
}

static void finish_namespace(struct decode *d, const struct node *n, void *obj)
{
	struct object *o = obj;
	const struct keyvals *old = &o->meta.labels;
	struct keyval *items =
		arena_calloc(d->arena, old->n + 1, sizeof(*items));

	check_level(d, n, "pod-security.kubernetes.io/enforce");
	check_level(d, n, "pod-security.kubernetes.io/warn");
	check_level(d, n, "pod-security.kubernetes.io/audit");
	if (!o->meta.name || manifest_label(old, NAME_LABEL))
		return;
	if (old->n > 0)
		memcpy(items, old->items, old->n * sizeof(*items));
	items[old->n] =
		(struct keyval){NAME_LABEL, o->meta.name, strlen(o->meta.name)};
	qsort(items, old->n + 1, sizeof(*items), by_key);
	o->meta.labels = (struct keyvals){items, old->n + 1};
}

static const struct field namespace_fields[] = {
	KIND_API_VERSION,
	KIND_KIND,
	KIND_METADATA(kind_meta_cluster_table),
	FIELD_NEVER("spec", "a Namespace has no settings here; delete it"),
	FIELD_NOISE("status"),
};
const struct table kind_policy_namespace_table = {
	.name = "Namespace",
	.fields = namespace_fields,
	.n = FIELD_COUNT(namespace_fields),
	.finish = finish_namespace,
};
