/*
 * kind_container.c - containers of a pod (core/v1 Container; manifests.md 5.3).
 */
#include "manifest/kind.h"

#include "lib/text.h"

#include <string.h>

#define CAP_MAX_BYTES 32

/* --- security context ----------------------------------------------------- */

static const char *const capabilities[] = {
	"ALL",
	"AUDIT_CONTROL",
	"AUDIT_READ",
	"AUDIT_WRITE",
	"BLOCK_SUSPEND",
	"BPF",
	"CHECKPOINT_RESTORE",
	"CHOWN",
	"DAC_OVERRIDE",
	"DAC_READ_SEARCH",
	"FOWNER",
	"FSETID",
	"IPC_LOCK",
	"IPC_OWNER",
	"KILL",
	"LEASE",
	"LINUX_IMMUTABLE",
	"MAC_ADMIN",
	"MAC_OVERRIDE",
	"MKNOD",
	"NET_ADMIN",
	"NET_BIND_SERVICE",
	"NET_BROADCAST",
	"NET_RAW",
	"PERFMON",
	"SETFCAP",
	"SETGID",
	"SETPCAP",
	"SETUID",
	"SYSLOG",
	"SYS_ADMIN",
	"SYS_BOOT",
	"SYS_CHROOT",
	"SYS_MODULE",
	"SYS_NICE",
	"SYS_PACCT",
	"SYS_PTRACE",
	"SYS_RAWIO",
	"SYS_RESOURCE",
	"SYS_TIME",
	"SYS_TTY_CONFIG",
	"WAKE_ALARM",
};

/* "cap_net_raw" -> "NET_RAW"; NULL if there is no such capability. */
static const char *capability(const char *text, char upper[CAP_MAX_BYTES])
{
	size_t n = 0;

	for (; text[n] && n + 1 < CAP_MAX_BYTES; n++)
		upper[n] = text[n] >= 'a' && text[n] <= 'z'
				   ? (char)(text[n] - 'a' + 'A')
				   : text[n];
	upper[n] = '\0';
	if (strncmp(upper, "CAP_", 4) == 0)
		memmove(upper, upper + 4, n - 3);
	for (size_t i = 0; i < FIELD_COUNT(capabilities); i++)
		if (!text[n] && strcmp(upper, capabilities[i]) == 0)
			return capabilities[i];
	return NULL;
}

static void normalise_caps(struct decode *d, const struct node *n,
			   const char *key, struct strings *caps)
{
	for (size_t i = 0; i < caps->n; i++) {
		char upper[CAP_MAX_BYTES], safe[80], fix[80];
		const char *name = capability(caps->items[i], upper);
		const char *near;

		if (name) {
			caps->items[i] = name;
			continue;
		}
		near = text_nearest(upper, capabilities,
				    FIELD_COUNT(capabilities));
		if (near)
			(void)snprintf(fix, sizeof(fix), "did you mean %s?",
				       near);
		decode_say_item(d, CODE_VALUE, DIAG_ERROR, n, key, i, NULL,
				near ? fix : NULL,
				"want the name of a capability, have '%s'",
				text_safe(safe, sizeof(safe), caps->items[i],
					  strlen(caps->items[i])));
	}
}

static void finish_capabilities(struct decode *d, const struct node *n,
				void *obj)
{
	struct container_security *s = obj;

	normalise_caps(d, n, "add", &s->cap_add);
	normalise_caps(d, n, "drop", &s->cap_drop);
}

static const struct field capability_fields[] = {
	FIELD_AT(FIELD_STRS, "add", container_security, cap_add,
		 .class = FIELD_GATED,
		 .doc = "Capabilities on top of the reduced default set; case "
			"and CAP_ do not matter."),
	FIELD_AT(FIELD_STRS, "drop", container_security, cap_drop,
		 .doc = "Capabilities taken away; ALL for every one."),
};
static const struct table capability_table = {
	.name = "Capabilities",
	.fields = capability_fields,
	.n = FIELD_COUNT(capability_fields),
	.finish = finish_capabilities,
};

static void finish_seccomp(struct decode *d, const struct node *n, void *obj)
{
	const struct seccomp_choice *s = obj;
	bool localhost = s->type == SECCOMP_LOCALHOST;

	if (localhost && s->localhost_profile)
		decode_say(d, CODE_NOT_YET, DIAG_ERROR, n, "type",
			   "write RuntimeDefault",
			   "profiles of the host come with release 1.1");
	if (localhost && !s->localhost_profile)
		decode_say(d, CODE_REQUIRED, DIAG_ERROR, n, NULL, NULL,
			   "type Localhost needs 'localhostProfile'");
	if (!localhost && s->localhost_profile)
		decode_say(d, CODE_CONFLICT, DIAG_ERROR, n, NULL, NULL,
			   "want localhostProfile with type Localhost only");
}

static const struct field seccomp_fields[] = {
	FIELD_AT(FIELD_STR, "localhostProfile", seccomp_choice,
		 localhost_profile, .class = FIELD_GATED,
		 .check = check_relative,
		 .doc = "Profile file below the host's profile directory."),
	FIELD_AT(FIELD_ENUM, "type", seccomp_choice, type, FIELD_REQ,
		 .min = SECCOMP_RUNTIME_DEFAULT,
		 .values = FIELD_VALUES("RuntimeDefault", "Localhost",
					"Unconfined"),
		 .doc = "Unconfined is gated by policy; Localhost comes with "
			"release 1.1."),
};
const struct table kind_container_seccomp_table = {
	.name = "SeccompProfile",
	.fields = seccomp_fields,
	.n = FIELD_COUNT(seccomp_fields),
	.finish = finish_seccomp,
};

static const struct field security_fields[] = {
	FIELD_AT(FIELD_TRI, "allowPrivilegeEscalation", container_security,
		 allow_privilege_escalation, .class = FIELD_GATED,
		 .deviation = "D2: unset means false (no_new_privs)",
		 .doc = "May a process gain more than its parent had."),
	FIELD_LATER("appArmorProfile", "1.1", "delete it"),
	FIELD_INTO("capabilities", &capability_table,
		   .deviation = "D3: unset means a reduced set without "
				"NET_RAW, MKNOD and AUDIT_WRITE",
		   .doc = "Linux capabilities."),
	FIELD_AT(FIELD_TRI, "privileged", container_security, privileged,
		 .class = FIELD_GATED,
		 .doc = "All of the host's devices and capabilities."),
	FIELD_AT(FIELD_STR, "procMount", container_security, proc_mount,
		 .class = FIELD_GATED,
		 .values = FIELD_VALUES("Default", "Unmasked"),
		 .doc = "Default masks parts of /proc."),
	FIELD_AT(FIELD_TRI, "readOnlyRootFilesystem", container_security,
		 read_only_root_filesystem,
		 .doc = "The image is not writable."),
	FIELD_AT(FIELD_INT, "runAsGroup", container_security, run_as_group,
		 .doc = "Primary group; over the pod's, over the image's."),
	FIELD_AT(FIELD_TRI, "runAsNonRoot", container_security, run_as_non_root,
		 .doc = "Refuse to start as uid 0."),
	FIELD_AT(FIELD_INT, "runAsUser", container_security, run_as_user,
		 .doc = "User id; over the pod's, over the image's."),
	FIELD_NEVER("seLinuxOptions", "SELinux labels are not managed here"),
	FIELD_AT(FIELD_OBJ, "seccompProfile", container_security, seccomp,
		 .table = &kind_container_seccomp_table,
		 .deviation = "D1: unset means RuntimeDefault",
		 .doc = "System call filter; over the pod's."),
	FIELD_NEVER("windowsOptions", "hosts run Linux"),
};
static const struct table security_table = {
	.name = "container securityContext",
	.fields = security_fields,
	.n = FIELD_COUNT(security_fields),
	.pos = 1 + offsetof(struct container_security, pos),
};

/* --- env ------------------------------------------------------------------ */

#define REF_FIELDS(st_)                                                        \
	FIELD_AT(FIELD_STR, "key", st_, ref_key, FIELD_REQ,                    \
		 .check = check_config_key, .doc = "Key in it."),              \
		FIELD_AT(FIELD_STR, "name", st_, ref_name, FIELD_REQ,          \
			 .check = check_dns_subdomain, .doc = "Its name."),    \
		FIELD_AT(FIELD_BOOL, "optional", st_, optional,                \
			 .fallback = "false", .doc = "May be missing.")

static const struct field key_ref_fields[] = {REF_FIELDS(env_var)};
static const struct table key_ref_table = {
	.name = "key reference",
	.fields = key_ref_fields,
	.n = FIELD_COUNT(key_ref_fields),
};

static const struct field field_ref_fields[] = {
	FIELD_CHECKED(FIELD_STR, "apiVersion", .class = FIELD_INERT,
		      .values = FIELD_VALUES("v1"), .doc = "Only v1."),
	FIELD_AT(FIELD_STR, "fieldPath", env_var, field_path, FIELD_REQ,
		 .check = check_field_path, .doc = "Field of the pod."),
};
static const struct table field_ref_table = {
	.name = "fieldRef",
	.fields = field_ref_fields,
	.n = FIELD_COUNT(field_ref_fields),
};

static const struct field env_source_fields[] = {
	FIELD_INTO("configMapKeyRef", &key_ref_table,
		   .variant = 1 + ENV_CONFIGMAP, .doc = "From a ConfigMap."),
	FIELD_INTO("fieldRef", &field_ref_table, .variant = 1 + ENV_FIELD,
		   .doc = "From a field of the pod."),
	FIELD_LATER("fileKeyRef", "1.2", "mount the file"),
	FIELD_LATER("resourceFieldRef", "1.1", "write the number"),
	FIELD_INTO("secretKeyRef", &key_ref_table, .variant = 1 + ENV_SECRET,
		   .doc = "From a Secret."),
};
static const struct table env_source_table = {
	.name = "EnvVarSource",
	.fields = env_source_fields,
	.n = FIELD_COUNT(env_source_fields),
	.variant = 1 + offsetof(struct env_var, source),
	.variant_required = true,
};

static void finish_env(struct decode *d, const struct node *n, void *obj)
{
	struct env_var *e = obj;

	if (e->source == ENV_VALUE) {
		if (!e->value)
			e->value = "";
	} else if (e->value) {
		decode_say(d, CODE_ONE_OF, DIAG_ERROR, n, NULL,
			   "delete one of them",
			   "want value or valueFrom, have both");
	}
}

static const struct field env_fields[] = {
	FIELD_AT(FIELD_STR, "name", env_var, name, FIELD_REQ,
		 .check = check_env_name, .doc = "Name of the variable."),
	FIELD_AT(FIELD_STR, "value", env_var, value,
		 .doc = "Text; $(VAR) of earlier ones is expanded, $$(VAR) is "
			"not. Without value and valueFrom: empty."),
	FIELD_INTO("valueFrom", &env_source_table, .doc = "Taken elsewhere."),
};
static const struct table env_table = {
	.name = "EnvVar",
	.fields = env_fields,
	.n = FIELD_COUNT(env_fields),
	.size = sizeof(struct env_var),
	.pos = 1 + offsetof(struct env_var, pos),
	.finish = finish_env,
};

static const struct field from_ref_fields[] = {
	FIELD_AT(FIELD_STR, "name", env_from, ref_name, FIELD_REQ,
		 .check = check_dns_subdomain, .doc = "Its name."),
	FIELD_AT(FIELD_BOOL, "optional", env_from, optional,
		 .fallback = "false", .doc = "May be missing."),
};
static const struct table from_ref_table = {
	.name = "reference",
	.fields = from_ref_fields,
	.n = FIELD_COUNT(from_ref_fields),
};

static const struct field env_from_fields[] = {
	FIELD_INTO("configMapRef", &from_ref_table,
		   .variant = 1 + ENV_CONFIGMAP,
		   .doc = "Every key of a ConfigMap."),
	FIELD_AT(FIELD_STR, "prefix", env_from, prefix, .fallback = "",
		 .check = check_env_prefix, .doc = "Put before each name."),
	FIELD_INTO("secretRef", &from_ref_table, .variant = 1 + ENV_SECRET,
		   .doc = "Every key of a Secret."),
};
static const struct table env_from_table = {
	.name = "EnvFromSource",
	.fields = env_from_fields,
	.n = FIELD_COUNT(env_from_fields),
	.size = sizeof(struct env_from),
	.pos = 1 + offsetof(struct env_from, pos),
	.variant = 1 + offsetof(struct env_from, source),
	.variant_required = true,
};

/* --- ports, resources, mounts --------------------------------------------- */

static const struct field port_fields[] = {
	FIELD_AT(FIELD_INT, "containerPort", container_port, port, FIELD_REQ,
		 .min = 1, .max = 65535, .doc = "Port inside the pod."),
	FIELD_LATER("hostIP", "1.1", "use a Service"),
	FIELD_LATER("hostPort", "1.1", "use a Service"),
	FIELD_AT(FIELD_STR, "name", container_port, name,
		 .check = check_port_name,
		 .doc = "For Services and probes; unique in the pod."),
	FIELD_AT(FIELD_STR, "protocol", container_port, protocol,
		 .fallback = "TCP", .values = FIELD_VALUES("TCP", "UDP"),
		 .later = FIELD_VALUES("SCTP"), .since = "1.2",
		 .hint = "use TCP or UDP", .doc = "Upper case."),
};
static const struct table port_table = {
	.name = "ContainerPort",
	.fields = port_fields,
	.n = FIELD_COUNT(port_fields),
	.size = sizeof(struct container_port),
};

/* nvidia.com/gpu, hugepages-2Mi: known to Kubernetes, not to a host here. */
static bool unknown_resource(struct decode *d, const struct node *key)
{
	char safe[80];
	bool huge = strncmp(key->text, "hugepages-", 10) == 0;

	if (!huge && !strchr(key->text, '/'))
		return false;
	decode_say(d, CODE_NOT_YET, DIAG_ERROR, key, key->text,
		   "host inventory has no such resource; delete it",
		   "resource '%s' has no effect before release 1.2",
		   text_safe(safe, sizeof(safe), key->text, key->n));
	return true;
}

static const struct field limit_fields[] = {
	FIELD_AT(FIELD_CPU, "cpu", resources, cpu_limit_m,
		 .doc = "Hard limit (cpu.max)."),
	FIELD_LATER("ephemeral-storage", "1.1",
		    "it is a limit and cannot be dropped; delete it"),
	FIELD_AT(FIELD_BYTES, "memory", resources, memory_limit,
		 .deviation = "D10: swap is 0 for limited containers",
		 .doc = "Hard limit (memory.max)."),
};
static const struct table limit_table = {
	.name = "limits",
	.fields = limit_fields,
	.n = FIELD_COUNT(limit_fields),
	.unknown = unknown_resource,
};

static const struct field request_fields[] = {
	FIELD_AT(FIELD_CPU, "cpu", resources, cpu_request_m,
		 .doc = "What placement counts, and the weight (cpu.weight). "
			"Unset: the limit."),
	FIELD_LATER("ephemeral-storage", "1.1",
		    "it counts for placement and cannot be dropped; delete it"),
	FIELD_AT(FIELD_BYTES, "memory", resources, memory_request,
		 .doc = "What placement counts (memory.low). Unset: the "
			"limit."),
};
static const struct table request_table = {
	.name = "requests",
	.fields = request_fields,
	.n = FIELD_COUNT(request_fields),
	.unknown = unknown_resource,
};

static void finish_one_resource(struct decode *d, const struct node *n,
				const char *key, int64_t *request,
				int64_t limit)
{
	if (limit == MANIFEST_UNSET)
		return;
	if (*request == MANIFEST_UNSET)
		*request = limit;
	if (*request > limit)
		decode_say(d, CODE_CONFLICT, DIAG_ERROR, n, NULL,
			   "raise the limit or lower the request",
			   "want a %s request of at most the limit, have "
			   "request %lld%s over limit %lld%s",
			   key, (long long)*request, key[0] == 'c' ? "m" : "",
			   (long long)limit, key[0] == 'c' ? "m" : "");
}

static void finish_resources(struct decode *d, const struct node *n, void *obj)
{
	struct resources *r = obj;

	finish_one_resource(d, n, "cpu", &r->cpu_request_m, r->cpu_limit_m);
	finish_one_resource(d, n, "memory", &r->memory_request,
			    r->memory_limit);
}

static const struct field resource_fields[] = {
	FIELD_LATER("claims", "1.2", "delete it"),
	FIELD_INTO("limits", &limit_table, .doc = "Upper bounds."),
	FIELD_INTO("requests", &request_table, .doc = "What is set aside."),
};
static const struct table resource_table = {
	.name = "ResourceRequirements",
	.fields = resource_fields,
	.n = FIELD_COUNT(resource_fields),
	.finish = finish_resources,
};

static const struct field mount_fields[] = {
	FIELD_AT(FIELD_STR, "mountPath", volume_mount, mount_path, FIELD_REQ,
		 .check = check_mount_path, .doc = "Where in the container."),
	FIELD_CHECKED(FIELD_STR, "mountPropagation", .class = FIELD_INERT,
		      .values = FIELD_VALUES("None"),
		      .later = FIELD_VALUES("HostToContainer", "Bidirectional"),
		      .since = "1.2", .hint = "delete it", .doc = "Only None."),
	FIELD_AT(FIELD_STR, "name", volume_mount, name, FIELD_REQ,
		 .check = check_dns_label, .doc = "Name of a volume."),
	FIELD_AT(FIELD_BOOL, "readOnly", volume_mount, read_only,
		 .fallback = "false", .doc = "Mounted read-only."),
	FIELD_LATER("recursiveReadOnly", "1.2", "delete it"),
	FIELD_AT(FIELD_STR, "subPath", volume_mount, sub_path,
		 .check = check_relative,
		 .doc = "Path inside the volume; never leaves it, never "
			"updated afterwards."),
	FIELD_LATER("subPathExpr", "1.1", "use subPath"),
};
static const struct table mount_table = {
	.name = "VolumeMount",
	.fields = mount_fields,
	.n = FIELD_COUNT(mount_fields),
	.size = sizeof(struct volume_mount),
	.pos = 1 + offsetof(struct volume_mount, pos),
};

/* --- the container -------------------------------------------------------- */

/* Always when the tag is "latest" or absent (then re-resolved), as the API. */
static const char *pull_policy(const char *image)
{
	const char *name = strrchr(image, '/');
	const char *tag = strchr(name ? name : image, ':');

	if (strchr(image, '@'))
		return "IfNotPresent";
	return !tag || strcmp(tag, ":latest") == 0 ? "Always" : "IfNotPresent";
}

static void check_duplicates(struct decode *d, const struct node *n,
			     const struct container *c)
{
	for (size_t i = 0; i < c->n_ports; i++)
		for (size_t j = 0; j < i; j++)
			if (c->ports[i].port > 0 &&
			    c->ports[i].port == c->ports[j].port &&
			    strcmp(c->ports[i].protocol,
				   c->ports[j].protocol) == 0)
				decode_say_item(d, CODE_DUPLICATE_ITEM,
						DIAG_ERROR, n, "ports", i,
						"containerPort",
						"delete one of the two",
						"port %lld/%s is given twice",
						(long long)c->ports[i].port,
						c->ports[i].protocol);
	for (size_t i = 0; i < c->n_env; i++)
		for (size_t j = 0; j < i; j++)
			if (c->env[i].name && c->env[j].name &&
			    strcmp(c->env[i].name, c->env[j].name) == 0) {
				decode_say_item(d, CODE_SUSPECT, DIAG_WARNING,
						n, "env", i, "name",
						"delete one of the two",
						"variable %s is given twice; "
						"the last one counts",
						c->env[i].name);
				break;
			}
	for (size_t i = 0; i < c->n_mounts; i++)
		for (size_t j = 0; j < i; j++)
			if (c->mounts[i].mount_path &&
			    c->mounts[j].mount_path &&
			    strcmp(c->mounts[i].mount_path,
				   c->mounts[j].mount_path) == 0)
				decode_say_item(d, CODE_DUPLICATE_ITEM,
						DIAG_ERROR, n, "volumeMounts",
						i, "mountPath", NULL,
						"two volumes are mounted on "
						"the same path");
}

static void finish_container(struct decode *d, const struct node *n, void *obj)
{
	struct container *c = obj;
	bool given = c->image_pull_policy != NULL;

	c->has_command = c->command.n > 0;
	c->has_args = c->args.n > 0;
	check_duplicates(d, n, c);
	if (!c->image)
		return;
	if (!given)
		c->image_pull_policy = pull_policy(c->image);
	else if (strchr(c->image, '@') &&
		 strcmp(c->image_pull_policy, "Always") == 0)
		decode_say(d, CODE_NO_EFFECT, DIAG_NOTE,
			   node_get(n, "imagePullPolicy"), "imagePullPolicy",
			   NULL, "Always has no effect with a digest");
}

static const struct field container_fields[] = {
	FIELD_AT(FIELD_STRS, "args", container, args,
		 .doc = "Replaces the image's CMD; $(VAR) is expanded."),
	FIELD_AT(FIELD_STRS, "command", container, command,
		 .doc = "Replaces the image's ENTRYPOINT and discards its CMD; "
			"$(VAR) is expanded."),
	FIELD_LIST_AT(FIELD_OBJS, "env", container, env, n_env,
		      .table = &env_table, .doc = "Variables, in order."),
	FIELD_LIST_AT(FIELD_OBJS, "envFrom", container, env_from, n_env_from,
		      .table = &env_from_table,
		      .doc = "Variables from whole objects; env wins."),
	FIELD_AT(FIELD_STR, "image", container, image, FIELD_REQ,
		 .check = check_image, FIELD_POS(container, image_pos),
		 .hint = "name the image (a patch fragment? render it first: "
			 "kustomize build)",
		 .deviation = "D7: a tag is resolved to a digest, shown in the "
			      "plan and pinned",
		 .doc = "Image reference; registry and digest by policy."),
	FIELD_AT(FIELD_STR, "imagePullPolicy", container, image_pull_policy,
		 .values = FIELD_VALUES("Always", "IfNotPresent", "Never"),
		 .doc = "Unset: Always for the tag latest or none, else "
			"IfNotPresent."),
	FIELD_LATER("lifecycle", "1.1",
		    "a preStop hook changes shutdown and cannot be dropped"),
	FIELD_AT(FIELD_OBJ, "livenessProbe", container, liveness,
		 .table = &kind_probe_table,
		 .doc = "Restarts the container when it fails."),
	FIELD_AT(FIELD_STR, "name", container, name, FIELD_REQ,
		 .check = check_dns_label, .doc = "Unique in the pod."),
	FIELD_LIST_AT(FIELD_OBJS, "ports", container, ports, n_ports,
		      .table = &port_table,
		      .doc = "Information and names for look-up."),
	FIELD_AT(FIELD_OBJ, "readinessProbe", container, readiness,
		 .table = &kind_probe_table,
		 .doc = "Without one a container is ready when it runs."),
	FIELD_LATER("resizePolicy", "1.2", "delete it"),
	FIELD_AT(FIELD_OBJ, "resources", container, resources,
		 .table = &resource_table, .doc = "Requests and limits."),
	FIELD_LATER("restartPolicy", "1.1",
		    "sidecars: put it into containers for now"),
	FIELD_LATER("restartPolicyRules", "1.2", "delete it"),
	FIELD_AT(FIELD_OBJ, "securityContext", container, security,
		 .table = &security_table, .doc = "User, privileges."),
	FIELD_AT(FIELD_OBJ, "startupProbe", container, startup,
		 .table = &kind_probe_table,
		 .doc = "The other probes wait for it."),
	FIELD_LATER("stdin", "1.1", "delete it"),
	FIELD_LATER("stdinOnce", "1.1", "delete it"),
	FIELD_AT(FIELD_STR, "terminationMessagePath", container,
		 termination_message_path, .fallback = "/dev/termination-log",
		 .check = check_absolute,
		 .doc = "Read when the container ends, 4 KiB."),
	FIELD_AT(FIELD_STR, "terminationMessagePolicy", container,
		 termination_message_policy, .fallback = "File",
		 .values = FIELD_VALUES("File", "FallbackToLogsOnError"),
		 .doc = "Where the message comes from."),
	FIELD_LATER("tty", "1.1", "delete it"),
	FIELD_LATER("volumeDevices", "1.2", "use volumeMounts"),
	FIELD_LIST_AT(FIELD_OBJS, "volumeMounts", container, mounts, n_mounts,
		      .table = &mount_table, .doc = "Volumes and where."),
	FIELD_AT(FIELD_STR, "workingDir", container, working_dir,
		 .check = check_absolute, .doc = "Unset: the image's."),
};
const struct table kind_container_table = {
	.name = "Container",
	.fields = container_fields,
	.n = FIELD_COUNT(container_fields),
	.size = sizeof(struct container),
	.pos = 1 + offsetof(struct container, pos),
	.finish = finish_container,
};
