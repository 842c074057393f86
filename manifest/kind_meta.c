/*
 * kind_meta.c - metadata of objects and of pod templates, label selectors
 * (Kubernetes API meta/v1; manifests.md 5.2).
 */
#include "manifest/kind.h"

#include "lib/text.h"

#include <string.h>

#define ANNOTATIONS_BYTES_MAX ((size_t)256 << 10)

static const struct {
	const char *prefix;
	enum code code;
	const char *fix;
} annotations[] = {
	{"seccomp.security.alpha.kubernetes.io/", CODE_LEGACY_ANNOTATION,
	 "use securityContext.seccompProfile"},
	{"container.seccomp.security.alpha.kubernetes.io/",
	 CODE_LEGACY_ANNOTATION,
	 "use containers[].securityContext.seccompProfile"},
	{"container.apparmor.security.beta.kubernetes.io/",
	 CODE_LEGACY_ANNOTATION,
	 "use containers[].securityContext.appArmorProfile (release 1.1)"},
	{"helm.sh/hook", CODE_HOOK_ANNOTATION,
	 "order is not taken from annotations; delete it"},
	{"argocd.argoproj.io/hook", CODE_HOOK_ANNOTATION,
	 "order is not taken from annotations; delete it"},
	{"argocd.argoproj.io/sync-wave", CODE_HOOK_ANNOTATION,
	 "order is not taken from annotations; delete it"},
};

static void check_annotation(struct decode *d, const struct node *key)
{
	char safe[80];

	for (size_t i = 0; i < FIELD_COUNT(annotations); i++) {
		bool legacy = annotations[i].code == CODE_LEGACY_ANNOTATION;

		if (strncmp(key->text, annotations[i].prefix,
			    strlen(annotations[i].prefix)) != 0)
			continue;
		decode_say(d, annotations[i].code,
			   legacy ? DIAG_ERROR : DIAG_WARNING, key,
			   "annotations", annotations[i].fix,
			   "annotation '%s' has no effect here",
			   text_safe(safe, sizeof(safe), key->text, key->n));
		return;
	}
}

static void finish_meta(struct decode *d, const struct node *n, void *obj)
{
	const struct node *map = node_get(n, "annotations");
	size_t total = 0;

	(void)obj;
	if (!map || map->type != NODE_MAP)
		return;
	for (uint32_t i = 0; i < map->n; i++) {
		check_annotation(d, map->pairs[i].key);
		total += map->pairs[i].key->n;
		if (map->pairs[i].value->type == NODE_SCALAR)
			total += map->pairs[i].value->n;
	}
	if (total > ANNOTATIONS_BYTES_MAX)
		decode_say(
			d, CODE_SIZE, DIAG_ERROR, map, "annotations", NULL,
			"want at most 256 KiB of annotations, have %zu bytes",
			total);
}

#define META_ANNOTATIONS                                                       \
	FIELD_AT(FIELD_MAP, "annotations", meta, annotations,                  \
		 .class = FIELD_INERT, .check_key = check_label_key,           \
		 .doc = "Notes for people and other tools; 256 KiB in all.")
#define META_LABELS                                                            \
	FIELD_AT(FIELD_MAP, "labels", meta, labels,                            \
		 .check_key = check_label_key, .check = check_label_value,     \
		 .doc = "What selectors match; values are strings.")
#define META_NAME                                                              \
	FIELD_AT(FIELD_STR, "name", meta, name, FIELD_REQ,                     \
		 .check = check_dns_subdomain,                                 \
		 .doc = "Identity within kind and namespace.")
#define META_BEFORE_LABELS                                                     \
	FIELD_NEVER("clusterName", "delete it"),                               \
		FIELD_NOISE("creationTimestamp"),                              \
		FIELD_NOISE("deletionGracePeriodSeconds"),                     \
		FIELD_NOISE("deletionTimestamp"),                              \
		FIELD_NEVER("finalizers", "objects are deleted by deleting "   \
					  "them in git; delete it"),           \
		FIELD_NEVER("generateName",                                    \
			    "a made-up name cannot be compared with git; "     \
			    "give a name"),                                    \
		FIELD_NOISE("generation")
#define META_AFTER_NAMESPACE                                                   \
	FIELD_NEVER("ownerReferences", "ownership follows from git; delete "   \
				       "it"),                                  \
		FIELD_NOISE("resourceVersion"), FIELD_NOISE("selfLink"),       \
		FIELD_NOISE("uid")

static const struct field meta_fields[] = {
	META_ANNOTATIONS,
	META_BEFORE_LABELS,
	META_LABELS,
	FIELD_NOISE("managedFields"),
	META_NAME,
	FIELD_AT(FIELD_STR, "namespace", meta, namespace,
		 .check = check_dns_label,
		 .doc = "Absent: the default namespace of the signed policy."),
	META_AFTER_NAMESPACE,
};
const struct table kind_meta_table = {
	.name = "ObjectMeta",
	.fields = meta_fields,
	.n = FIELD_COUNT(meta_fields),
	.finish = finish_meta,
};

static const struct field cluster_fields[] = {
	META_ANNOTATIONS,
	META_BEFORE_LABELS,
	META_LABELS,
	FIELD_NOISE("managedFields"),
	META_NAME,
	FIELD_NEVER("namespace",
		    "this kind belongs to no namespace; delete it"),
	META_AFTER_NAMESPACE,
};
const struct table kind_meta_cluster_table = {
	.name = "ObjectMeta",
	.fields = cluster_fields,
	.n = FIELD_COUNT(cluster_fields),
	.finish = finish_meta,
};

static const struct field template_fields[] = {
	META_ANNOTATIONS,
	META_BEFORE_LABELS,
	META_LABELS,
	FIELD_NOISE("managedFields"),
	FIELD_NEVER("name",
		    "pods get their names from the controller; delete it"),
	FIELD_NEVER("namespace",
		    "pods live in the namespace of the controller; delete it"),
	META_AFTER_NAMESPACE,
};
const struct table kind_meta_template_table = {
	.name = "PodTemplate metadata",
	.fields = template_fields,
	.n = FIELD_COUNT(template_fields),
	.finish = finish_meta,
};

static void finish_expr(struct decode *d, const struct node *n, void *obj)
{
	const struct selector_expr *e = obj;
	bool takes = e->op == SELECTOR_IN || e->op == SELECTOR_NOTIN;

	if (takes && e->values.n == 0)
		decode_say(d, CODE_CONFLICT, DIAG_ERROR, n, NULL, "add values",
			   "want values with In and NotIn, have none");
	if (!takes && e->values.n > 0)
		decode_say(d, CODE_CONFLICT, DIAG_ERROR, n, NULL,
			   "delete values",
			   "want no values with Exists and DoesNotExist, "
			   "have %zu",
			   e->values.n);
}

static const struct field expr_fields[] = {
	FIELD_AT(FIELD_STR, "key", selector_expr, key, FIELD_REQ,
		 .check = check_label_key, .doc = "Label key."),
	FIELD_AT(FIELD_ENUM, "operator", selector_expr, op, FIELD_REQ,
		 .values =
			 FIELD_VALUES("In", "NotIn", "Exists", "DoesNotExist"),
		 .doc = "How the value is compared."),
	FIELD_AT(FIELD_STRS, "values", selector_expr, values,
		 .check = check_label_value, .doc = "For In and NotIn."),
};
static const struct table expr_table = {
	.name = "LabelSelectorRequirement",
	.fields = expr_fields,
	.n = FIELD_COUNT(expr_fields),
	.size = sizeof(struct selector_expr),
	.finish = finish_expr,
};

static void finish_selector(struct decode *d, const struct node *n, void *obj)
{
	const struct selector *s = obj;

	if (s->match_labels.n + s->n_exprs == 0)
		decode_say(d, CODE_REQUIRED, DIAG_ERROR, n, NULL,
			   "add matchLabels",
			   "want a selector that names labels, have an empty "
			   "one");
}

static const struct field selector_fields[] = {
	FIELD_LIST_AT(FIELD_OBJS, "matchExpressions", selector, exprs, n_exprs,
		      .table = &expr_table, .doc = "All must hold."),
	FIELD_AT(FIELD_MAP, "matchLabels", selector, match_labels,
		 .check_key = check_label_key, .check = check_label_value,
		 .doc = "All must be equal."),
};
const struct table kind_meta_selector_table = {
	.name = "LabelSelector",
	.fields = selector_fields,
	.n = FIELD_COUNT(selector_fields),
	.size = sizeof(struct selector),
	.finish = finish_selector,
};
