/*
 * kind.h - the kinds: which exist, their tables, and what to say about the
 * others.
 */
#ifndef MANIFEST_KIND_H
#define MANIFEST_KIND_H

#include "manifest/decode.h"

struct kind_row {
	const char *name;
	const char *api_version;
	const struct table *table; /* of struct object */
	bool cluster_scoped;
	check_fn *check_name;
	const char *doc;
	const char *group, *resource; /* in RBAC rules: "apps", "deployments" */
};

const struct kind_row *kind_get(enum manifest_kind kind);
/* Case-insensitive; ERR_NOTFOUND. */
int kind_find(const char *name, enum manifest_kind *out);

/* Decodes one document; false when there is no usable object (diagnosed). */
bool kind_decode(struct decode *d, const struct node *root, struct object *out);
/* The table of a pod template of kind, at *out_offset in struct object. */
bool kind_template_offset(enum manifest_kind kind, size_t *out_offset);

/* Rows that every top-level table has. */
#define KIND_API_VERSION                                                       \
	FIELD_AT(FIELD_STR, "apiVersion", object, api_version, FIELD_REQ,      \
		 .doc = "Exactly the version named above.")
#define KIND_KIND                                                              \
	FIELD_CHECKED(FIELD_STR, "kind", FIELD_REQ, .doc = "Name of the kind.")
#define KIND_METADATA(table_)                                                  \
	FIELD_AT(FIELD_OBJ, "metadata", object, meta, FIELD_REQ,               \
		 .table = &(table_),                                           \
		 .doc = "Name, namespace, labels, "                            \
			"annotations.")

/* --- the tables, one file each -------------------------------------------- */
extern const struct table kind_meta_table; /* struct meta */
extern const struct table kind_meta_cluster_table;
extern const struct table kind_meta_template_table;
extern const struct table kind_container_table;		/* struct container */
extern const struct table kind_container_seccomp_table; /* seccomp_choice */
extern const struct table kind_probe_table;		/* struct probe */
extern const struct table kind_volume_table;		/* struct volume */
extern const struct table kind_pod_spec_table;		/* struct pod_spec */
extern const struct table kind_pod_template_table; /* struct pod_template */
extern const struct table kind_pod_table;	   /* struct object ... */
extern const struct table kind_workload_deployment_table;
extern const struct table kind_workload_daemonset_table;
extern const struct table kind_workload_job_table;
extern const struct table kind_service_table;
extern const struct table kind_rbac_role_table;
extern const struct table kind_rbac_clusterrole_table;
extern const struct table kind_rbac_binding_table;
extern const struct table kind_rbac_clusterbinding_table;
extern const struct table kind_config_configmap_table;
extern const struct table kind_config_secret_table;
extern const struct table kind_policy_table;
extern const struct table kind_policy_spec_table; /* cluster_policy */
extern const struct table kind_policy_namespace_table;
extern const struct table kind_trust_table;
extern const struct table kind_trust_key_table; /* struct trust_key */
/* Names, thresholds and reach of the rules of a struct trust_spec. */
void kind_trust_rules_finish(struct decode *d, const struct node *n, void *obj);
extern const struct table kind_meta_selector_table; /* struct selector */

#endif
