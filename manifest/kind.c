/*
 * kind.c - from a document's apiVersion and kind to its table; names for what
 * is not supported (manifests.md 5.4, 5.6).  Pure; input is hostile.
 */
#include "manifest/kind.h"

#include "lib/text.h"

#include <string.h>
#include <strings.h>

#define RBAC_GROUP_NAME "rbac.authorization.k8s.io"
#define RBAC_V1 RBAC_GROUP_NAME "/v1"

static const struct kind_row rows[MANIFEST_KIND_COUNT] = {
	[MANIFEST_NAMESPACE] = {"Namespace", "v1", &kind_policy_namespace_table,
				true, check_dns_label,
				"Groups objects; its labels choose the Pod "
				"Security level.",
				"", "namespaces"},
	[MANIFEST_CONFIGMAP] = {"ConfigMap", "v1", &kind_config_configmap_table,
				false, check_dns_subdomain,
				"Configuration as files or variables.", "",
				"configmaps"},
	[MANIFEST_SECRET] = {"Secret", "v1", &kind_config_secret_table, false,
			     check_dns_subdomain,
			     "As a ConfigMap, never printed.", "", "secrets"},
	[MANIFEST_SERVICE] = {"Service", "v1", &kind_service_table, false,
			      check_service_name,
			      "One address for the pods of a selector.", "",
			      "services"},
	[MANIFEST_POD] = {"Pod", "v1", &kind_pod_table, false,
			  check_dns_subdomain,
			  "Containers that share network and volumes.", "",
			  "pods"},
	[MANIFEST_DEPLOYMENT] = {"Deployment", "apps/v1",
				 &kind_workload_deployment_table, false,
				 check_dns_subdomain,
				 "A number of equal pods, rolled out.", "apps",
				 "deployments"},
	[MANIFEST_DAEMONSET] = {"DaemonSet", "apps/v1",
				&kind_workload_daemonset_table, false,
				check_dns_subdomain,
				"One pod on each fitting host.", "apps",
				"daemonsets"},
	[MANIFEST_JOB] = {"Job", "batch/v1", &kind_workload_job_table, false,
			  check_dns_subdomain, "Pods that run to success.",
			  "batch", "jobs"},
	[MANIFEST_ROLE] = {"Role", RBAC_V1, &kind_rbac_role_table, false,
			   check_dns_subdomain,
			   "What may be done in its namespace.",
			   RBAC_GROUP_NAME, "roles"},
	[MANIFEST_CLUSTERROLE] = {"ClusterRole", RBAC_V1,
				  &kind_rbac_clusterrole_table, true,
				  check_dns_subdomain,
				  "What may be done, everywhere or where a "
				  "RoleBinding says.",
				  RBAC_GROUP_NAME, "clusterroles"},
	[MANIFEST_ROLEBINDING] = {"RoleBinding", RBAC_V1,
				  &kind_rbac_binding_table, false,
				  check_dns_subdomain,
				  "Who may do it in its namespace.",
				  RBAC_GROUP_NAME, "rolebindings"},
	[MANIFEST_CLUSTERROLEBINDING] = {"ClusterRoleBinding", RBAC_V1,
					 &kind_rbac_clusterbinding_table, true,
					 check_dns_subdomain,
					 "Who may do it everywhere.",
					 RBAC_GROUP_NAME,
					 "clusterrolebindings"},
	[MANIFEST_CLUSTERPOLICY] = {"ClusterPolicy", "reconcile/v1alpha1",
				    &kind_policy_table, true,
				    check_dns_subdomain,
				    "What the repository may do; "
				    ".reconcile/policy.yaml.",
				    "reconcile", "clusterpolicies"},
	[MANIFEST_TRUSTPOLICY] = {"TrustPolicy", "reconcile/v1alpha1",
				  &kind_trust_table, true, check_dns_subdomain,
				  "Who may change what; "
				  ".reconcile/trust.yaml.",
				  "reconcile", "trustpolicies"},
};

/* kind NULL: every kind of the group; group NULL: any group. */
static const struct {
	const char *kind, *group, *since, *hint;
} unsupported[] = {
	{"ServiceAccount", NULL, "1.0",
	 "pods run without a Kubernetes API; "
	 "delete it"},
	{"PersistentVolumeClaim", NULL, "1.0",
	 "use emptyDir or a gated hostPath until then"},
	{"StatefulSet", NULL, "1.0",
	 "use a Deployment with one replica and "
	 "strategy Recreate until then"},
	{"CronJob", NULL, "1.0", "commit a Job until then"},
	{"NetworkPolicy", NULL, "1.0",
	 "traffic would not be restricted, so it cannot be skipped"},
	{"ReplicaSet", NULL, "1.1", "use a Deployment"},
	{"PodDisruptionBudget", NULL, "1.1", "delete it"},
	{"ResourceQuota", NULL, "1.1", "it is a limit and cannot be skipped"},
	{"LimitRange", NULL, "1.1",
	 "it sets defaults and limits; write them "
	 "into the containers"},
	{"PriorityClass", NULL, "1.1", "delete it"},
	{"PersistentVolume", NULL, "1.1", "delete it"},
	{"StorageClass", NULL, "1.1", "delete it"},
	{"Ingress", NULL, "1.2", "traffic would not be routed"},
	{"IngressClass", NULL, "1.2", "traffic would not be routed"},
	{"HorizontalPodAutoscaler", NULL, "1.2",
	 "replicas stays at the value in the Deployment"},
	{"RuntimeClass", NULL, "1.2", "delete it"},
	{"CustomResourceDefinition", NULL, NULL,
	 "no Kubernetes API here: nothing would serve it; delete it"},
	{NULL, "admissionregistration.k8s.io", NULL,
	 "it is a security control: express it in the cluster policy"},
	{"APIService", NULL, NULL, "no Kubernetes API here; delete it"},
	{"CSIDriver", NULL, NULL, "no CSI here; delete it"},
	{"PodSecurityPolicy", NULL, NULL,
	 "label the Namespace with pod-security.kubernetes.io/enforce"},
	{"ReplicationController", NULL, NULL,
	 "write an apps/v1 Deployment: the same template, a selector with "
	 "matchLabels"},
	{"Endpoints", NULL, NULL, "give the Service a selector"},
	{"EndpointSlice", NULL, NULL, "give the Service a selector"},
	{"List", NULL, NULL, "write the items as documents of their own"},
	{"Kustomization", "kustomize.config.k8s.io", "1.1",
	 "run kustomize build in CI and commit the output"},
	{NULL, "helm.toolkit.fluxcd.io", NULL, "render first: helm template"},
	{NULL, "kustomize.toolkit.fluxcd.io", NULL,
	 "render first: flux build kustomization"},
	{NULL, "source.toolkit.fluxcd.io", NULL,
	 "the repository is configured in the cluster policy; delete it"},
	{NULL, "argoproj.io", NULL, "commit the rendered manifests instead"},
};

const struct kind_row *kind_get(enum manifest_kind kind)
{
	return &rows[kind];
}

int kind_find(const char *name, enum manifest_kind *out)
{
	for (int i = 0; i < MANIFEST_KIND_COUNT; i++)
		if (strcasecmp(rows[i].name, name) == 0) {
			*out = (enum manifest_kind)i;
			return 0;
		}
	return ERR_NOTFOUND;
}

static bool in_group(const char *api_version, const char *group)
{
	size_t n = strlen(group);

	return strncmp(api_version, group, n) == 0 &&
	       (api_version[n] == '/' || !api_version[n]);
}

static bool say_unsupported(struct decode *d, const struct node *at,
			    const char *kind, const char *api_version)
{
	char safe[80];

	text_safe(safe, sizeof(safe), kind, strlen(kind));
	for (size_t i = 0; i < FIELD_COUNT(unsupported); i++) {
		if (unsupported[i].kind &&
		    strcmp(unsupported[i].kind, kind) != 0)
			continue;
		if (unsupported[i].group &&
		    !in_group(api_version, unsupported[i].group))
			continue;
		if (unsupported[i].since)
			decode_say(d, CODE_KIND_UNSUPPORTED, DIAG_ERROR, at,
				   "kind", unsupported[i].hint,
				   "kind %s has no effect before release %s",
				   safe, unsupported[i].since);
		else
			decode_say(d, CODE_KIND_UNSUPPORTED, DIAG_ERROR, at,
				   "kind", unsupported[i].hint,
				   "kind %s is not supported", safe);
		return true;
	}
	return false;
}

static void say_unknown(struct decode *d, const struct node *at,
			const char *kind, const char *api_version)
{
	const char *names[MANIFEST_KIND_COUNT], *near;
	char safe[80], version[80], fix[80];

	if (say_unsupported(d, at, kind, api_version))
		return;
	for (size_t i = 0; i < MANIFEST_KIND_COUNT; i++)
		names[i] = rows[i].name;
	near = text_nearest(kind, names, MANIFEST_KIND_COUNT);
	if (near)
		(void)snprintf(fix, sizeof(fix), "did you mean %s?", near);
	decode_say(d, CODE_KIND_UNKNOWN, DIAG_ERROR, at, "kind",
		   near ? fix : NULL, "unknown kind '%s' of '%s'",
		   text_safe(safe, sizeof(safe), kind, strlen(kind)),
		   text_safe(version, sizeof(version), api_version,
			     strlen(api_version)));
}

/* Kind of the document; false after a diagnostic. */
static bool identify(struct decode *d, const struct node *root,
		     enum manifest_kind *out)
{
	const struct node *kind = node_get(root, "kind");
	const struct node *version = node_get(root, "apiVersion");
	char safe[80], fix[80];

	if (root->type != NODE_MAP) {
		decode_say(d, CODE_NOT_OBJECT, DIAG_ERROR, root, NULL, NULL,
			   "want an object with apiVersion and kind, have %s",
			   node_kind(root));
		return false;
	}
	if (!kind || !version || kind->type != NODE_SCALAR || !kind->n ||
	    version->type != NODE_SCALAR || !version->n) {
		decode_say(d, CODE_KIND_MISSING, DIAG_ERROR, root, NULL, NULL,
			   "want apiVersion and kind, have %s",
			   kind	     ? "no apiVersion"
			   : version ? "no kind"
				     : "neither (a patch fragment?)");
		return false;
	}
	for (int i = 0; i < MANIFEST_KIND_COUNT; i++) {
		if (strcmp(rows[i].name, kind->text) != 0)
			continue;
		*out = (enum manifest_kind)i;
		if (strcmp(rows[i].api_version, version->text) == 0)
			return true;
		(void)snprintf(fix, sizeof(fix), "write apiVersion: %s",
			       rows[i].api_version);
		decode_say(d, CODE_API_VERSION, DIAG_ERROR, version,
			   "apiVersion", fix,
			   "want apiVersion %s for kind %s, have '%s'",
			   rows[i].api_version, rows[i].name,
			   text_safe(safe, sizeof(safe), version->text,
				     version->n));
		return false;
	}
	say_unknown(d, kind, kind->text, version->text);
	return false;
}

static void check_name(struct decode *d, const struct node *root,
		       const struct kind_row *row, const struct object *o)
{
	const struct node *at = node_get(node_get(root, "metadata"), "name");
	struct decode_step step = {.up = d->step, .key = "metadata"};
	const char *want = o->meta.name ? row->check_name(o->meta.name) : NULL;
	char safe[80];

	if (!want || !at)
		return;
	d->step = &step;
	decode_say(d, CODE_FORMAT, DIAG_ERROR, at, "name", NULL,
		   "want %s, have '%s'", want,
		   text_safe(safe, sizeof(safe), at->text, at->n));
	d->step = step.up;
}

bool kind_decode(struct decode *d, const struct node *root, struct object *out)
{
	size_t errors = d->diags->n_errors;
	const struct kind_row *row;
	enum manifest_kind kind;

	d->step = NULL;
	if (!identify(d, root, &kind))
		return false;
	row = &rows[kind];
	*out = (struct object){.kind = kind, .pos = decode_pos(d, root)};
	decode_table(d, row->table, root, out);
	check_name(d, root, row, out);
	if (!row->cluster_scoped && !out->meta.namespace)
		out->meta.namespace =
			d->default_namespace ? d->default_namespace : "default";
	return d->diags->n_errors == errors;
}

bool kind_template_offset(enum manifest_kind kind, size_t *out_offset)
{
	static const size_t offsets[MANIFEST_KIND_COUNT] = {
		[MANIFEST_POD] = offsetof(struct object, pod),
		[MANIFEST_DEPLOYMENT] =
			offsetof(struct object, deployment.template),
		[MANIFEST_DAEMONSET] =
			offsetof(struct object, daemonset.template),
		[MANIFEST_JOB] = offsetof(struct object, job.template),
	};

	*out_offset = offsets[kind];
	return offsets[kind] != 0;
}
