/*
 * kind_pod.c - pods and pod templates (core/v1 PodSpec; manifests.md 5.3).
 */
#include "manifest/kind.h"

#include "manifest/scalar.h"

#include <string.h>

/* --- security context of the pod ------------------------------------------ */

#define POD_TYPO(name_)                                                        \
	FIELD_NEVER(name_, "it belongs to a container: "                       \
			   "containers[].securityContext." name_)

static const struct field security_fields[] = {
	POD_TYPO("allowPrivilegeEscalation"),
	FIELD_LATER("appArmorProfile", "1.1", "delete it"),
	POD_TYPO("capabilities"),
	FIELD_AT(FIELD_INT, "fsGroup", pod_security, fs_group,
		 .doc = "Group of emptyDir, configMap and secret volumes."),
	FIELD_LATER("fsGroupChangePolicy", "1.1", "delete it"),
	POD_TYPO("privileged"),
	POD_TYPO("procMount"),
	POD_TYPO("readOnlyRootFilesystem"),
	FIELD_AT(FIELD_INT, "runAsGroup", pod_security, run_as_group,
		 .doc = "Primary group of every container."),
	FIELD_AT(FIELD_TRI, "runAsNonRoot", pod_security, run_as_non_root,
		 .doc = "Refuse to start as uid 0."),
	FIELD_AT(FIELD_INT, "runAsUser", pod_security, run_as_user,
		 .doc = "User id of every container."),
	FIELD_NEVER("seLinuxChangePolicy",
		    "SELinux labels are not managed here"),
	FIELD_NEVER("seLinuxOptions", "SELinux labels are not managed here"),
	FIELD_AT(FIELD_OBJ, "seccompProfile", pod_security, seccomp,
		 .table = &kind_container_seccomp_table,
		 .deviation = "D1: unset means RuntimeDefault",
		 .doc = "System call filter of every container."),
	FIELD_LIST_AT(FIELD_INTS, "supplementalGroups", pod_security,
		      supplemental_groups, n_supplemental_groups,
		      .doc = "Further groups."),
	FIELD_LATER("supplementalGroupsPolicy", "1.2", "delete it"),
	FIELD_LATER("sysctls", "1.1", "delete it"),
	FIELD_NEVER("windowsOptions", "hosts run Linux"),
};
static const struct table security_table = {
	.name = "pod securityContext",
	.fields = security_fields,
	.n = FIELD_COUNT(security_fields),
	.pos = 1 + offsetof(struct pod_security, pos),
};

/* --- tolerations, host aliases, os ---------------------------------------- */

static void finish_toleration(struct decode *d, const struct node *n, void *obj)
{
	const struct toleration *t = obj;
	bool exists = strcmp(t->op, "Exists") == 0;

	if (!t->key && !exists)
		decode_say(d, CODE_CONFLICT, DIAG_ERROR, n, NULL,
			   "add operator: Exists, or a key",
			   "want a key with operator Equal, have none");
	if (exists && t->value[0])
		decode_say(d, CODE_CONFLICT, DIAG_ERROR, n, NULL,
			   "delete value",
			   "want no value with operator Exists, have one");
	if (t->seconds != MANIFEST_UNSET &&
	    (!t->effect || strcmp(t->effect, "NoExecute") != 0))
		decode_say(d, CODE_CONFLICT, DIAG_ERROR, n, NULL,
			   "add effect: NoExecute",
			   "want tolerationSeconds with effect NoExecute only");
}

static const struct field toleration_fields[] = {
	FIELD_AT(FIELD_STR, "effect", toleration, effect,
		 .values = FIELD_VALUES("NoSchedule", "PreferNoSchedule",
					"NoExecute"),
		 .doc = "Unset: every effect."),
	FIELD_AT(FIELD_STR, "key", toleration, key, .check = check_label_key,
		 .doc = "Unset with Exists: every taint."),
	FIELD_AT(FIELD_STR, "operator", toleration, op, .fallback = "Equal",
		 .values = FIELD_VALUES("Equal", "Exists"),
		 .doc = "How the value is compared."),
	FIELD_AT(FIELD_INT, "tolerationSeconds", toleration, seconds,
		 .doc = "How long a NoExecute taint is borne."),
	FIELD_AT(FIELD_STR, "value", toleration, value, .fallback = "",
		 .check = check_label_value, .doc = "Value of the taint."),
};
static const struct table toleration_table = {
	.name = "Toleration",
	.fields = toleration_fields,
	.n = FIELD_COUNT(toleration_fields),
	.size = sizeof(struct toleration),
	.finish = finish_toleration,
};

static const struct field alias_fields[] = {
	FIELD_AT(FIELD_STRS, "hostnames", host_alias, hostnames, FIELD_REQ,
		 .check = check_dns_subdomain, .doc = "Names."),
	FIELD_AT(FIELD_STR, "ip", host_alias, ip, FIELD_REQ, .check = check_ip,
		 .doc = "Address."),
};
static const struct table alias_table = {
	.name = "HostAlias",
	.fields = alias_fields,
	.n = FIELD_COUNT(alias_fields),
	.size = sizeof(struct host_alias),
};

static const struct field os_fields[] = {
	FIELD_CHECKED(FIELD_STR, "name", FIELD_REQ, .class = FIELD_INERT,
		      .values = FIELD_VALUES("linux"), .doc = "Only linux."),
};
static const struct table os_table = {
	.name = "PodOS",
	.fields = os_fields,
	.n = FIELD_COUNT(os_fields),
};

/* --- checks between the members of a pod ---------------------------------- */

static bool has_volume(const struct pod_spec *s, const char *name)
{
	for (size_t i = 0; i < s->n_volumes; i++)
		if (s->volumes[i].name && strcmp(s->volumes[i].name, name) == 0)
			return true;
	return false;
}

static void check_mounts(struct decode *d, const struct pod_spec *s,
			 const struct container *c, const struct node *n)
{
	for (size_t i = 0; i < c->n_mounts; i++)
		if (c->mounts[i].name && !has_volume(s, c->mounts[i].name))
			decode_say_item(d, CODE_REF_VOLUME, DIAG_ERROR, n,
					"volumeMounts", i, "name",
					"add it to spec.volumes",
					"want the name of a volume of the "
					"pod, have '%s'",
					c->mounts[i].name);
}

static void check_probe(struct decode *d, const struct container *c,
			const struct probe *p, const char *key,
			const struct node *n)
{
	const struct node *at = node_get(n, key);

	if (p->kind == PROBE_NONE || !at)
		return;
	if (p->success_threshold != 1 && p != &c->readiness)
		decode_say(d, CODE_RANGE, DIAG_ERROR, at, key,
			   "delete successThreshold",
			   "want successThreshold 1 for %s, have %lld", key,
			   (long long)p->success_threshold);
	if (p->grace_s != MANIFEST_UNSET && p == &c->readiness)
		decode_say(d, CODE_CONFLICT, DIAG_ERROR, at, key, NULL,
			   "terminationGracePeriodSeconds is not for "
			   "readinessProbe");
	if (p->kind == PROBE_EXEC || !p->port.is_string || !p->port.text)
		return;
	for (size_t i = 0; i < c->n_ports; i++)
		if (c->ports[i].name &&
		    strcmp(c->ports[i].name, p->port.text) == 0)
			return;
	decode_say(d, CODE_REF_PORT, DIAG_ERROR, at, key,
		   "name the port under ports, or write its number",
		   "want a port name of the container, have '%s'",
		   p->port.text);
}

static void check_container(struct decode *d, const struct pod_spec *s,
			    const struct container *c, const struct node *n,
			    bool init)
{
	check_mounts(d, s, c, n);
	check_probe(d, c, &c->liveness, "livenessProbe", n);
	check_probe(d, c, &c->readiness, "readinessProbe", n);
	check_probe(d, c, &c->startup, "startupProbe", n);
	if (init && (c->liveness.kind || c->readiness.kind || c->startup.kind))
		decode_say(d, CODE_CONFLICT, DIAG_ERROR, n, NULL,
			   "delete the probe",
			   "want no probe in an init container, have one");
}

static void check_containers(struct decode *d, const struct pod_spec *s,
			     const struct node *list, const char *key,
			     const struct container *c, size_t n_c)
{
	struct decode_step outer = {.up = d->step, .key = key};

	if (!list || list->type != NODE_SEQ)
		return;
	for (size_t i = 0; i < n_c && i < list->n; i++) {
		struct decode_step step = {.up = &outer, .index = i};

		d->step = &step;
		check_container(d, s, &c[i], list->items[i],
				c == s->init_containers);
		d->step = outer.up;
	}
}

static const struct container *container_at(const struct pod_spec *s, size_t i)
{
	return i < s->n_init_containers
		       ? &s->init_containers[i]
		       : &s->containers[i - s->n_init_containers];
}

static void check_names(struct decode *d, const struct node *n,
			const struct pod_spec *s)
{
	for (size_t i = 0; i < s->n_init_containers + s->n_containers; i++)
		for (size_t j = 0; j < i; j++) {
			const struct container *a = container_at(s, i);
			const struct container *b = container_at(s, j);
			bool init = i < s->n_init_containers;

			if (!a->name || !b->name ||
			    strcmp(a->name, b->name) != 0)
				continue;
			decode_say_item(d, CODE_DUPLICATE_ITEM, DIAG_ERROR, n,
					init ? "initContainers" : "containers",
					init ? i : i - s->n_init_containers,
					"name", "give each its own name",
					"two containers are named '%s'",
					a->name);
			break;
		}
	for (size_t i = 0; i < s->n_volumes; i++)
		for (size_t j = 0; j < i; j++) {
			if (!s->volumes[i].name || !s->volumes[j].name ||
			    strcmp(s->volumes[i].name, s->volumes[j].name) != 0)
				continue;
			decode_say_item(d, CODE_DUPLICATE_ITEM, DIAG_ERROR, n,
					"volumes", i, "name",
					"give each its own name",
					"two volumes are named '%s'",
					s->volumes[i].name);
			break;
		}
}

static void check_port_names(struct decode *d, const struct node *n,
			     const struct pod_spec *s)
{
	const char *seen[256];
	size_t n_seen = 0;

	for (size_t i = 0; i < s->n_containers; i++)
		for (size_t j = 0; j < s->containers[i].n_ports; j++) {
			const char *name = s->containers[i].ports[j].name;

			for (size_t k = 0; name && k < n_seen; k++)
				if (strcmp(seen[k], name) == 0)
					decode_say_item(d, CODE_DUPLICATE_ITEM,
							DIAG_ERROR, n,
							"containers", i,
							"ports", NULL,
							"two ports are named "
							"'%s'",
							name);
			if (name && n_seen < FIELD_COUNT(seen))
				seen[n_seen++] = name;
		}
}

static void check_accounts(struct decode *d, const struct node *n)
{
	const struct node *old = node_get(n, "serviceAccount");
	const struct node *mount = node_get(n, "automountServiceAccountToken");

	if (old && !node_is_null(old))
		decode_say(d, CODE_NO_EFFECT, DIAG_WARNING, old,
			   "serviceAccount", "write serviceAccountName",
			   "'serviceAccount' is the old name of "
			   "'serviceAccountName'");
	if (mount && node_text(mount) && mount->plain &&
	    scalar_class(mount->text, mount->n) == SCALAR_BOOL &&
	    scalar_bool(mount->text))
		decode_say(d, CODE_NO_EFFECT, DIAG_WARNING, mount,
			   "automountServiceAccountToken", "delete it",
			   "no Kubernetes API here, nothing is mounted");
}

static void finish_pod_spec(struct decode *d, const struct node *n, void *obj)
{
	struct pod_spec *s = obj;

	if (s->n_containers == 0 && node_get(n, "containers"))
		decode_say(d, CODE_REQUIRED, DIAG_ERROR, n, "containers", NULL,
			   "want at least one container, have none");
	if (s->security.seccomp.type == SECCOMP_UNSET) /* D1 */
		s->security.seccomp.type = SECCOMP_RUNTIME_DEFAULT;
	if (s->enable_service_links)
		decode_say(d, CODE_NOT_YET, DIAG_ERROR,
			   node_get(n, "enableServiceLinks"),
			   "enableServiceLinks",
			   "delete it; read a Service's address from "
			   "`reconcile status`",
			   "'enableServiceLinks: true' comes with release 1.0");
	check_names(d, n, s);
	check_port_names(d, n, s);
	check_containers(d, s, node_get(n, "initContainers"), "initContainers",
			 s->init_containers, s->n_init_containers);
	check_containers(d, s, node_get(n, "containers"), "containers",
			 s->containers, s->n_containers);
	check_accounts(d, n);
}

/* --- the pod -------------------------------------------------------------- */

#define POD_ACCOUNT                                                            \
	.values = FIELD_VALUES("default"), .class = FIELD_INERT,               \
	.doc = "Identity; only 'default' until ServiceAccount comes "          \
	       "(release 1.0).",                                               \
	.since = "1.0",                                                        \
	.hint = "delete it; ServiceAccount comes with "                        \
		"release 1.0"

static const struct field spec_fields[] = {
	FIELD_AT(FIELD_INT, "activeDeadlineSeconds", pod_spec,
		 active_deadline_s, .min = 1, .max = 2147483647,
		 .doc = "The pod is ended after so many seconds."),
	FIELD_LATER("affinity", "1.1",
		    "use nodeSelector; required terms cannot be dropped"),
	FIELD_CHECKED(FIELD_BOOL, "automountServiceAccountToken",
		      .class = FIELD_INERT,
		      .deviation = "D6: nothing to mount, there is no API "
				   "server",
		      .doc = "true gives a warning."),
	FIELD_LIST_AT(FIELD_OBJS, "containers", pod_spec, containers,
		      n_containers, FIELD_REQ, .table = &kind_container_table,
		      .doc = "At least one."),
	FIELD_LATER("dnsConfig", "1.1", "delete it"),
	FIELD_AT(FIELD_STR, "dnsPolicy", pod_spec, dns_policy,
		 .class = FIELD_INERT, .fallback = "ClusterFirst",
		 .values = FIELD_VALUES("ClusterFirst", "Default"),
		 .later = FIELD_VALUES("ClusterFirstWithHostNet", "None"),
		 .since = "1.0", .hint = "delete it",
		 .doc = "Inert until cluster DNS comes (release 1.0): both "
			"values give the pod the host's resolvers."),
	FIELD_AT(FIELD_BOOL, "enableServiceLinks", pod_spec,
		 enable_service_links, .fallback = "false",
		 .deviation = "D5: unset means false",
		 .doc = "Variables for each Service of the namespace; true "
			"comes with release 1.0."),
	FIELD_NEVER("ephemeralContainers",
		    "nothing is added to a running pod but through git"),
	FIELD_LIST_AT(FIELD_OBJS, "hostAliases", pod_spec, host_aliases,
		      n_host_aliases, .table = &alias_table,
		      .doc = "Lines of /etc/hosts."),
	FIELD_AT(FIELD_BOOL, "hostIPC", pod_spec, host_ipc,
		 .class = FIELD_GATED, .fallback = "false",
		 .doc = "Shares the host's IPC namespace."),
	FIELD_AT(FIELD_BOOL, "hostNetwork", pod_spec, host_network,
		 .class = FIELD_GATED, .fallback = "false",
		 .doc = "Shares the host's network namespace."),
	FIELD_AT(FIELD_BOOL, "hostPID", pod_spec, host_pid,
		 .class = FIELD_GATED, .fallback = "false",
		 .doc = "Sees the host's processes."),
	FIELD_AT(FIELD_TRI, "hostUsers", pod_spec, host_users,
		 .class = FIELD_GATED,
		 .deviation = "D4: unset means false, pods run in a user "
			      "namespace",
		 .doc = "true: user ids are the host's."),
	FIELD_AT(FIELD_STR, "hostname", pod_spec, hostname,
		 .check = check_dns_label, .doc = "Unset: the pod's name."),
	FIELD_LATER("hostnameOverride", "1.2", "use hostname"),
	FIELD_LATER("imagePullSecrets", "1.0",
		    "the agent's registry credential is used until then"),
	FIELD_LIST_AT(FIELD_OBJS, "initContainers", pod_spec, init_containers,
		      n_init_containers, .table = &kind_container_table,
		      .doc = "Run one after the other before containers."),
	FIELD_AT(FIELD_STR, "nodeName", pod_spec, node_name,
		 .class = FIELD_GATED, .check = check_dns_subdomain,
		 .doc = "Bypasses placement."),
	FIELD_AT(FIELD_MAP, "nodeSelector", pod_spec, node_selector,
		 .check_key = check_label_key, .check = check_label_value,
		 .doc = "Labels that the host must have."),
	FIELD_CHECKED(FIELD_OBJ, "os", .class = FIELD_INERT, .table = &os_table,
		      .doc = "Only linux."),
	FIELD_LATER("overhead", "1.2", "delete it"),
	FIELD_LATER("preemptionPolicy", "1.1", "delete it"),
	FIELD_LATER("priority", "1.1", "delete it"),
	FIELD_LATER("priorityClassName", "1.1",
		    "delete it; system-* classes mean nothing here"),
	FIELD_LATER("readinessGates", "1.2", "delete it"),
	FIELD_LATER("resourceClaims", "1.2", "delete it"),
	FIELD_LATER("resources", "1.2", "set containers[].resources"),
	FIELD_AT(FIELD_STR, "restartPolicy", pod_spec, restart_policy,
		 .fallback = "Always",
		 .values = FIELD_VALUES("Always", "OnFailure", "Never"),
		 .doc = "Always in Deployment and DaemonSet; OnFailure or "
			"Never, written out, in Job."),
	FIELD_LATER("runtimeClassName", "1.2", "delete it"),
	FIELD_CHECKED(FIELD_STR, "schedulerName", .class = FIELD_INERT,
		      .values = FIELD_VALUES("default-scheduler"),
		      .hint = "delete it", .doc = "Only default-scheduler."),
	FIELD_LATER("schedulingGates", "1.2", "delete it"),
	FIELD_AT(FIELD_OBJ, "securityContext", pod_spec, security,
		 .table = &security_table, .doc = "For every container."),
	FIELD_CHECKED(FIELD_STR, "serviceAccount", POD_ACCOUNT),
	FIELD_AT(FIELD_STR, "serviceAccountName", pod_spec, service_account,
		 .fallback = "default", POD_ACCOUNT),
	FIELD_LATER("setHostnameAsFQDN", "1.0", "delete it"),
	FIELD_AT(FIELD_BOOL, "shareProcessNamespace", pod_spec,
		 share_process_namespace, .fallback = "false",
		 .doc = "Containers of the pod see each other's processes."),
	FIELD_LATER("subdomain", "1.0", "delete it"),
	FIELD_AT(FIELD_INT, "terminationGracePeriodSeconds", pod_spec,
		 termination_grace_s, .fallback = "30",
		 .doc = "Seconds between TERM and KILL."),
	FIELD_LIST_AT(FIELD_OBJS, "tolerations", pod_spec, tolerations,
		      n_tolerations, .table = &toleration_table,
		      .doc = "Taints that are borne."),
	FIELD_LATER("topologySpreadConstraints", "1.1",
		    "placement spreads by default"),
	FIELD_LIST_AT(FIELD_OBJS, "volumes", pod_spec, volumes, n_volumes,
		      .table = &kind_volume_table, .doc = "Volumes."),
	FIELD_LATER("workloadRef", "1.2", "delete it"),
};
const struct table kind_pod_spec_table = {
	.name = "PodSpec",
	.fields = spec_fields,
	.n = FIELD_COUNT(spec_fields),
	.size = sizeof(struct pod_spec),
	.pos = 1 + offsetof(struct pod_spec, pos),
	.finish = finish_pod_spec,
};

static const struct field template_fields[] = {
	FIELD_AT(FIELD_OBJ, "metadata", pod_template, meta,
		 .table = &kind_meta_template_table,
		 .doc = "Labels and annotations of the pods."),
	FIELD_AT(FIELD_OBJ, "spec", pod_template, spec, FIELD_REQ,
		 .table = &kind_pod_spec_table, .doc = "What runs."),
};
const struct table kind_pod_template_table = {
	.name = "PodTemplate",
	.fields = template_fields,
	.n = FIELD_COUNT(template_fields),
	.size = sizeof(struct pod_template),
};

static void finish_pod(struct decode *d, const struct node *n, void *obj)
{
	struct object *o = obj;

	(void)d, (void)n;
	o->pod.meta = (struct meta){.labels = o->meta.labels,
				    .annotations = o->meta.annotations};
}

static const struct field pod_fields[] = {
	KIND_API_VERSION,
	KIND_KIND,
	KIND_METADATA(kind_meta_table),
	FIELD_AT(FIELD_OBJ, "spec", object, pod.spec, FIELD_REQ,
		 .table = &kind_pod_spec_table, .doc = "What runs."),
	FIELD_NOISE("status"),
};
const struct table kind_pod_table = {
	.name = "Pod",
	.fields = pod_fields,
	.n = FIELD_COUNT(pod_fields),
	.finish = finish_pod,
};
