/*
 * gates.c - the rules of the cluster policy.  Pure, no privilege; the object is
 * hostile, its text is escaped before it is quoted.
 *
 * Init containers go through the same loop as containers (K19).
 */
#include "policy/admission/gates.h"

#include "lib/text.h"
#include "policy/admission/imagename.h"

#include <stdio.h>
#include <string.h>

#define POINTER_BYTES 256
#define QUOTE_BYTES 320

enum gate {
	GATE_REGISTRY,
	GATE_DIGEST,
	GATE_SECRET,
	GATE_HOST_PATH,
	GATE_ESCALATION,
	GATE_HOST_USERS,
	GATE_NODE_NAME,
	GATE_IMAGE_NAME,
	GATE_LABEL, /* judged by admission.c */
	GATE_LABEL_LOOSER,
};

static const struct gates_row rows[] = {
	[GATE_REGISTRY] =
		{"P201", "imageRegistry", "containers[*].image",
		 "an image of a registry that the policy allows",
		 "use an allowed registry, or add this one to "
		 "images.allowedRegistries in .reconcile/policy.yaml (a "
		 "policy change needs the policy's signers)"},
	[GATE_DIGEST] =
		{"P202", "imageDigest", "containers[*].image",
		 "an image by digest, name@sha256:...",
		 "append the digest: name[:tag]@sha256:<64 hex> (skopeo "
		 "inspect --format '{{.Digest}}' docker://IMAGE shows "
		 "it), or set images.requireDigest: false in the policy"},
	[GATE_SECRET] = {"P203", "plainSecret", "Secret.data",
			 "no plain Secret in git",
			 "keep the value out of git, or set "
			 "secrets.allowPlain: true in .reconcile/policy.yaml"},
	[GATE_HOST_PATH] = {"P204", "hostPathPrefix",
			    "volumes[*].hostPath.path",
			    "a path below one of the policy's prefixes",
			    "use emptyDir, or add the directory to "
			    "hostPathPrefixes in .reconcile/policy.yaml"},
	[GATE_ESCALATION] =
		{"P205", "privilegeEscalation",
		 "containers[*].securityContext.allowPrivilegeEscalation",
		 "unset or false",
		 "remove allowPrivilegeEscalation, or set "
		 "allowPrivilegeEscalation: true in .reconcile/policy.yaml"},
	[GATE_HOST_USERS] = {"P206", "hostUsers", "spec.hostUsers",
			     "unset or false",
			     "remove hostUsers, or set allowHostUsers: true in "
			     ".reconcile/policy.yaml"},
	[GATE_NODE_NAME] = {"P207", "nodeName", "spec.nodeName", "unset",
			    "use nodeSelector, or set allowNodeName: true in "
			    ".reconcile/policy.yaml"},
	[GATE_IMAGE_NAME] = {"P208", "imageName", "containers[*].image",
			     "a well-formed image reference",
			     "write registry/path:tag@sha256:<64 hex>"},
	[GATE_LABEL] = {"P210", "podSecurityLabel",
			"Namespace labels pod-security.kubernetes.io/"
			"{enforce,warn,audit}[-version]",
			"privileged, baseline or restricted; latest or v1.N",
			"write the value exactly, in lower case"},
	[GATE_LABEL_LOOSER] =
		{"P211", "podSecurityLabelLooser",
		 "Namespace label pod-security.kubernetes.io/enforce",
		 "a level at least as strict as podSecurity of the policy",
		 "remove the label; it cannot loosen the policy"},
};

const struct gates_row *gates_rows(size_t *out_n)
{
	*out_n = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

const char *gates_spec_pointer(enum manifest_kind kind)
{
	return kind == MANIFEST_POD ? "/spec" : "/spec/template/spec";
}

struct manifest_pos gates_pos(struct manifest_pos pos, const struct object *o)
{
	return pos.path ? pos : o->pos;
}

struct gate_ctx {
	const struct cluster_policy *policy;
	const struct object *o;
	const struct pod_spec *spec;
	struct diags *diags;
};

/* One diagnostic: row, where, and what stands there. */
static void refuse(const struct gate_ctx *c, enum gate gate,
		   struct manifest_pos pos, const char *pointer,
		   const char *what, const char *have)
{
	const struct gates_row *row = &rows[gate];
	char quoted[QUOTE_BYTES];

	diags_add(c->diags, row->code, DIAG_ERROR, gates_pos(pos, c->o),
		  pointer, row->instead, "policy %s: %s: want %s, have %s",
		  row->id, what, row->want,
		  text_safe(quoted, sizeof(quoted), have, strlen(have)));
}

static bool registry_allowed(const struct cluster_policy *p,
			     const struct imagename *name)
{
	for (size_t i = 0; i < p->allowed_registries.n; i++)
		if (imagename_below(name, p->allowed_registries.items[i]))
			return true;
	return false;
}

static void check_image(const struct gate_ctx *c, const struct container *k,
			const char *base)
{
	struct imagename name;
	char pointer[POINTER_BYTES];
	const char *image = k->image ? k->image : "";
	char have[ERR_MSG_BYTES + QUOTE_BYTES];
	struct err err = {0};

	(void)snprintf(pointer, sizeof(pointer), "%s/image", base);
	if (imagename_parse(image, &name, &err) < 0) {
		(void)snprintf(have, sizeof(have), "%s (%s)", image, err.msg);
		refuse(c, GATE_IMAGE_NAME, k->image_pos, pointer, "image",
		       have);
		return;
	}
#ifndef GUARD_OFF_ADMISSION_REGISTRY
	if (!registry_allowed(c->policy, &name))
		refuse(c, GATE_REGISTRY, k->image_pos, pointer,
		       c->policy->allowed_registries.n == 0
			       ? "image (the policy allows no registry yet)"
			       : "image",
		       image);
#else
	(void)registry_allowed;
#endif
#ifndef GUARD_OFF_ADMISSION_DIGEST
	if (c->policy->require_digest && !name.digest)
		refuse(c, GATE_DIGEST, k->image_pos, pointer, "image", image);
#endif
}

static void check_container(const struct gate_ctx *c, const struct container *k,
			    const char *list, size_t i)
{
	char base[POINTER_BYTES / 2], pointer[POINTER_BYTES];

	(void)snprintf(base, sizeof(base), "%s/%s/%zu",
		       gates_spec_pointer(c->o->kind), list, i);
	check_image(c, k, base);
	if (k->security.allow_privilege_escalation == TRI_TRUE &&
	    !c->policy->allow_privilege_escalation) {
		(void)snprintf(pointer, sizeof(pointer),
			       "%s/securityContext/allowPrivilegeEscalation",
			       base);
		refuse(c, GATE_ESCALATION, k->security.pos, pointer,
		       "allowPrivilegeEscalation", "true");
	}
}

/* Absolute, and each component a plain name: no empty one, no '.', no '..'. */
static bool path_is_plain(const char *path)
{
	const char *p = path;

	if (!p || p[0] != '/')
		return false;
	if (p[1] == '\0')
		return true;
	while (*p == '/') {
		size_t len = strcspn(p + 1, "/");

		if (len == 0 || (len == 1 && p[1] == '.') ||
		    (len == 2 && p[1] == '.' && p[2] == '.'))
			return false;
		p += 1 + len;
	}
	return true;
}

/* prefix itself or below it, by whole components. */
static bool path_below(const char *path, const char *prefix)
{
	size_t len = strlen(prefix);

	if (!path_is_plain(path) || prefix[0] != '/')
		return false;
	while (len > 0 && prefix[len - 1] == '/')
		len--;
	return strncmp(path, prefix, len) == 0 &&
	       (path[len] == '\0' || path[len] == '/');
}

static void check_volume(const struct gate_ctx *c, size_t i)
{
	const struct volume *v = &c->spec->volumes[i];
	const struct strings *prefixes = &c->policy->host_path_prefixes;
	char pointer[POINTER_BYTES];

	if (v->kind != VOLUME_HOSTPATH)
		return;
#ifndef GUARD_OFF_ADMISSION_HOSTPATH
	for (size_t k = 0; k < prefixes->n; k++)
		if (v->host_path &&
		    path_below(v->host_path, prefixes->items[k]))
			return;
	(void)snprintf(pointer, sizeof(pointer), "%s/volumes/%zu/hostPath/path",
		       gates_spec_pointer(c->o->kind), i);
	refuse(c, GATE_HOST_PATH, v->pos, pointer,
	       prefixes->n == 0 ? "hostPath (the policy allows none)"
				: "hostPath",
	       v->host_path ? v->host_path : "no path");
#else
	(void)prefixes, (void)pointer, (void)path_below;
#endif
}

static void check_pod(const struct gate_ctx *c)
{
	const struct pod_spec *spec = c->spec;
	char pointer[POINTER_BYTES];

	for (size_t i = 0; i < spec->n_containers; i++)
		check_container(c, &spec->containers[i], "containers", i);
#ifndef GUARD_OFF_ADMISSION_INIT
	for (size_t i = 0; i < spec->n_init_containers; i++)
		check_container(c, &spec->init_containers[i], "initContainers",
				i);
#endif
	for (size_t i = 0; i < spec->n_volumes; i++)
		check_volume(c, i);
	if (spec->host_users == TRI_TRUE && !c->policy->allow_host_users) {
		(void)snprintf(pointer, sizeof(pointer), "%s/hostUsers",
			       gates_spec_pointer(c->o->kind));
		refuse(c, GATE_HOST_USERS, spec->pos, pointer, "hostUsers",
		       "true");
	}
	if (spec->node_name && !c->policy->allow_node_name) {
		(void)snprintf(pointer, sizeof(pointer), "%s/nodeName",
			       gates_spec_pointer(c->o->kind));
		refuse(c, GATE_NODE_NAME, spec->pos, pointer, "nodeName",
		       spec->node_name);
	}
}

void gates_check(const struct cluster_policy *policy, const struct object *o,
		 struct diags *diags)
{
	const struct pod_template *t = manifest_template(o);
	struct gate_ctx c = {.policy = policy, .o = o, .diags = diags};

	if (o->kind == MANIFEST_SECRET && !policy->allow_plain_secrets)
		refuse(&c, GATE_SECRET, o->pos, NULL, "Secret",
		       o->meta.name ? o->meta.name : "");
	if (!t)
		return;
	c.spec = &t->spec;
	check_pod(&c);
}
