/*
 * pss.c - predicates and table of the Pod Security Standards.
 *
 * In reconcile-verify, on the manager and on every host, without any
 * privilege; the pod is hostile.  A predicate says true when the subject
 * breaks its row and fills the finding; it never looks at text, only at the
 * decoded and defaulted object (A60).  Fields that the decoder knows only to
 * refuse (hostPort, lifecycle, seLinuxOptions, sysctls, windowsOptions,
 * appArmorProfile) cannot reach this code; their rows say so with scope 0.
 */
#include "policy/admission/pss.h"

#include "lib/text.h"

#include <stdio.h>
#include <string.h>

#define APPARMOR_PREFIX "container.apparmor.security.beta.kubernetes.io/"
#define SECCOMP_POD "seccomp.security.alpha.kubernetes.io/pod"
#define SECCOMP_PREFIX "container.seccomp.security.alpha.kubernetes.io/"
#define SECCOMP_FIELDS_SINCE 19
#define USERNS_RELAXED_SINCE 35
#define HAVE_PIECE 64

static bool found(struct pss_finding *f, const char *field, const char *have)
{
	f->field = field;
	(void)text_safe(f->have, sizeof(f->have), have, strlen(have));
	return true;
}

static bool found_number(struct pss_finding *f, const char *field, int64_t v)
{
	char have[HAVE_PIECE];

	(void)snprintf(have, sizeof(have), "%lld", (long long)v);
	return found(f, field, have);
}

/* D4: a pod runs in a user namespace unless it says hostUsers: true. */
static bool has_userns(const struct pod_spec *spec)
{
	return spec->host_users != TRI_TRUE;
}

static bool bad_host_namespaces(const struct pss_subject *s,
				struct pss_finding *f)
{
	if (s->spec->host_network)
		return found(f, "hostNetwork", "true");
	if (s->spec->host_pid)
		return found(f, "hostPID", "true");
	if (s->spec->host_ipc)
		return found(f, "hostIPC", "true");
	return false;
}

static bool bad_privileged(const struct pss_subject *s, struct pss_finding *f)
{
	if (s->container->security.privileged != TRI_TRUE)
		return false;
	return found(f, "securityContext/privileged", "true");
}

static bool in_list(const char *name, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(name, *list) == 0)
			return true;
	return false;
}

/* All the added capabilities that are not in the list, as one text. */
static bool bad_caps_added(const struct pss_subject *s,
			   const char *const *allowed, struct pss_finding *f)
{
	const struct strings *add = &s->container->security.cap_add;
	char have[sizeof(f->have)] = "";
	size_t used = 0;

	for (size_t i = 0; i < add->n; i++) {
		char piece[HAVE_PIECE];
		int n;

		if (in_list(add->items[i], allowed))
			continue;
		(void)text_safe(piece, sizeof(piece), add->items[i],
				strlen(add->items[i]));
		n = snprintf(have + used, sizeof(have) - used, "%s%s",
			     used ? ", " : "", piece);
		if (n < 0 || (size_t)n >= sizeof(have) - used)
			break;
		used += (size_t)n;
	}
	if (used == 0)
		return false;
	f->field = "securityContext/capabilities/add";
	memcpy(f->have, have, sizeof(have)); /* pieces are escaped already */
	return true;
}

static bool bad_caps_baseline(const struct pss_subject *s,
			      struct pss_finding *f)
{
	static const char *const allowed[] = {
		"AUDIT_WRITE", "CHOWN",	 "DAC_OVERRIDE", "FOWNER",
		"FSETID",      "KILL",	 "MKNOD",	 "NET_BIND_SERVICE",
		"SETFCAP",     "SETGID", "SETPCAP",	 "SETUID",
		"SYS_CHROOT",  NULL};

	return bad_caps_added(s, allowed, f);
}

static bool bad_caps_restricted(const struct pss_subject *s,
				struct pss_finding *f)
{
	static const char *const allowed[] = {"NET_BIND_SERVICE", NULL};
	const struct strings *drop = &s->container->security.cap_drop;

	if (bad_caps_added(s, allowed, f))
		return true;
	for (size_t i = 0; i < drop->n; i++)
		if (strcmp(drop->items[i], "ALL") == 0)
			return false;
	return found(f, "securityContext/capabilities/drop",
		     drop->n ? "a list without ALL" : "nothing dropped");
}

static bool bad_host_path(const struct pss_subject *s, struct pss_finding *f)
{
	if (s->volume->kind != VOLUME_HOSTPATH)
		return false;
	return found(f, "hostPath",
		     s->volume->host_path ? s->volume->host_path : "a path");
}

/* Everything that is not on the list is refused, unknown kinds included. */
static bool bad_volume(const struct pss_subject *s, struct pss_finding *f)
{
	switch (s->volume->kind) {
	case VOLUME_EMPTYDIR:
	case VOLUME_CONFIGMAP:
	case VOLUME_SECRET:
		return false;
	default:
		return found(f, "hostPath",
			     s->volume->host_path ? s->volume->host_path
						  : "a volume of another kind");
	}
}

static bool bad_probe_host(const struct pss_subject *s, struct pss_finding *f)
{
	const struct {
		const struct probe *probe;
		const char *field[2]; /* httpGet, tcpSocket */
	} probes[] = {
		{&s->container->liveness,
		 {"livenessProbe/httpGet/host",
		  "livenessProbe/tcpSocket/host"}},
		{&s->container->readiness,
		 {"readinessProbe/httpGet/host",
		  "readinessProbe/tcpSocket/host"}},
		{&s->container->startup,
		 {"startupProbe/httpGet/host", "startupProbe/tcpSocket/host"}},
	};

	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		const struct probe *p = probes[i].probe;

		if ((p->kind == PROBE_HTTP || p->kind == PROBE_TCP) &&
		    p->host && p->host[0])
			return found(f, probes[i].field[p->kind == PROBE_TCP],
				     p->host);
	}
	return false;
}

static bool profile_allowed(const char *value, const char *const *names)
{
	return value[0] == '\0' || in_list(value, names) ||
	       strncmp(value, "localhost/", 10) == 0;
}

static bool bad_apparmor(const struct pss_subject *s, struct pss_finding *f)
{
	static const char *const allowed[] = {"runtime/default", NULL};

	for (size_t i = 0; i < s->annotations->n; i++) {
		const struct keyval *a = &s->annotations->items[i];

		if (strncmp(a->key, APPARMOR_PREFIX, strlen(APPARMOR_PREFIX)) ==
			    0 &&
		    !profile_allowed(a->value, allowed))
			return found(f, "metadata/annotations", a->value);
	}
	return false;
}

static bool bad_seccomp_annotation(const struct pss_subject *s,
				   struct pss_finding *f)
{
	static const char *const allowed[] = {"runtime/default",
					      "docker/default", NULL};

	for (size_t i = 0; i < s->annotations->n; i++) {
		const struct keyval *a = &s->annotations->items[i];

		if (strcmp(a->key, SECCOMP_POD) != 0 &&
		    strncmp(a->key, SECCOMP_PREFIX, strlen(SECCOMP_PREFIX)) !=
			    0)
			continue;
		if (!profile_allowed(a->value, allowed))
			return found(f, "metadata/annotations", a->value);
	}
	return false;
}

/* D1: unset is RuntimeDefault, which the standards accept. */
static bool bad_seccomp_field(const struct pss_subject *s,
			      struct pss_finding *f)
{
	const struct seccomp_choice *c =
		s->container ? &s->container->security.seccomp
			     : &s->spec->security.seccomp;

	if (c->type != SECCOMP_UNCONFINED)
		return false;
	return found(f, "securityContext/seccompProfile/type", "Unconfined");
}

static bool bad_seccomp_baseline(const struct pss_subject *s,
				 struct pss_finding *f)
{
	if (s->minor >= SECCOMP_FIELDS_SINCE)
		return bad_seccomp_field(s, f);
	return !s->container && bad_seccomp_annotation(s, f);
}

static bool bad_proc_mount(const struct pss_subject *s, struct pss_finding *f)
{
	const char *have = s->container->security.proc_mount;

	if (!have || strcmp(have, "Default") == 0)
		return false;
	return found(f, "securityContext/procMount", have);
}

static bool bad_proc_mount_baseline(const struct pss_subject *s,
				    struct pss_finding *f)
{
	if (s->minor >= USERNS_RELAXED_SINCE && has_userns(s->spec))
		return false;
	return bad_proc_mount(s, f);
}

/* D2: unset is false. */
static bool bad_escalation(const struct pss_subject *s, struct pss_finding *f)
{
	if (s->container->security.allow_privilege_escalation != TRI_TRUE)
		return false;
	return found(f, "securityContext/allowPrivilegeEscalation", "true");
}

static bool bad_non_root(const struct pss_subject *s, struct pss_finding *f)
{
	int pod = s->spec->security.run_as_non_root;

	if (s->minor >= USERNS_RELAXED_SINCE && has_userns(s->spec))
		return false;
	if (!s->container) {
		if (pod != TRI_FALSE)
			return false;
		return found(f, "securityContext/runAsNonRoot", "false");
	}
	switch (s->container->security.run_as_non_root) {
	case TRI_TRUE:
		return false;
	case TRI_FALSE:
		return found(f, "securityContext/runAsNonRoot", "false");
	default:
		if (pod == TRI_TRUE)
			return false;
		return found(f, "securityContext/runAsNonRoot",
			     "unset here and not true for the pod");
	}
}

static bool bad_user(const struct pss_subject *s, struct pss_finding *f)
{
	int64_t uid = s->container ? s->container->security.run_as_user
				   : s->spec->security.run_as_user;

	if (s->minor >= USERNS_RELAXED_SINCE && has_userns(s->spec))
		return false;
	if (uid != 0)
		return false;
	return found_number(f, "securityContext/runAsUser", uid);
}

static const struct pss_row rows[] = {
	{"P101", "hostNamespaces", ADMISSION_BASELINE, 0, PSS_STAYS, PSS_POD,
	 bad_host_namespaces, "spec.hostNetwork, hostPID, hostIPC",
	 "unset or false",
	 "remove hostNetwork, hostPID and hostIPC; publish ports by a Service"},
	{"P102", "privileged", ADMISSION_BASELINE, 0, PSS_STAYS, PSS_CONTAINER,
	 bad_privileged, "containers[*].securityContext.privileged",
	 "unset or false",
	 "remove privileged and add the one capability that is needed"},
	{"P103", "capabilities_baseline", ADMISSION_BASELINE, 0, 22,
	 PSS_CONTAINER, bad_caps_baseline,
	 "containers[*].securityContext.capabilities.add",
	 "only AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, "
	 "NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT",
	 "remove the other capabilities from capabilities.add"},
	{"P104", "hostPathVolumes", ADMISSION_BASELINE, 0, 0, PSS_VOLUME,
	 bad_host_path, "volumes[*].hostPath", "no hostPath volume",
	 "use emptyDir, configMap or secret"},
	{"P105", "hostPorts", ADMISSION_BASELINE, 0, PSS_STAYS, 0, NULL,
	 "containers[*].ports[*].hostPort", "unset (the decoder refuses it)",
	 "publish the port by a Service"},
	{"P106", "hostProbesAndHostLifecycle", ADMISSION_BASELINE, 34,
	 PSS_STAYS, PSS_CONTAINER, bad_probe_host,
	 "containers[*].*Probe.{httpGet,tcpSocket}.host", "unset",
	 "remove host: probes go to the pod's own address"},
	{"P107", "appArmorProfile", ADMISSION_BASELINE, 0, PSS_STAYS, PSS_POD,
	 bad_apparmor,
	 "annotations container.apparmor.security.beta.kubernetes.io/*",
	 "unset, runtime/default or localhost/*", "remove the annotation"},
	{"P108", "seLinuxOptions", ADMISSION_BASELINE, 0, PSS_STAYS, 0, NULL,
	 "securityContext.seLinuxOptions", "unset (the decoder refuses it)",
	 "remove seLinuxOptions"},
	{"P109", "procMount", ADMISSION_BASELINE, 0, 35, PSS_CONTAINER,
	 bad_proc_mount_baseline, "containers[*].securityContext.procMount",
	 "unset or Default", "remove procMount"},
	{"P110", "seccompProfile_baseline", ADMISSION_BASELINE, 0, 19,
	 PSS_POD | PSS_CONTAINER, bad_seccomp_baseline,
	 "securityContext.seccompProfile.type",
	 "unset, RuntimeDefault or Localhost", "remove seccompProfile"},
	{"P111", "sysctls", ADMISSION_BASELINE, 0, PSS_STAYS, 0, NULL,
	 "spec.securityContext.sysctls", "unset (the decoder refuses it)",
	 "remove sysctls"},
	{"P112", "windowsHostProcess", ADMISSION_BASELINE, 0, PSS_STAYS, 0,
	 NULL, "securityContext.windowsOptions.hostProcess",
	 "unset (the decoder refuses it)", "remove windowsOptions"},
	{"P121", "restrictedVolumes", ADMISSION_RESTRICTED, 0, PSS_STAYS,
	 PSS_VOLUME, bad_volume, "volumes[*]",
	 "only configMap, emptyDir and secret",
	 "use emptyDir, configMap or secret"},
	{"P122", "allowPrivilegeEscalation", ADMISSION_RESTRICTED, 8, PSS_STAYS,
	 PSS_CONTAINER, bad_escalation,
	 "containers[*].securityContext.allowPrivilegeEscalation", "false",
	 "remove allowPrivilegeEscalation (unset means false here)"},
	{"P123", "runAsNonRoot", ADMISSION_RESTRICTED, 0, PSS_STAYS,
	 PSS_POD | PSS_CONTAINER, bad_non_root, "securityContext.runAsNonRoot",
	 "true for the pod or for every container",
	 "write securityContext.runAsNonRoot: true, or remove hostUsers: true"},
	{"P124", "runAsUser", ADMISSION_RESTRICTED, 23, PSS_STAYS,
	 PSS_POD | PSS_CONTAINER, bad_user, "securityContext.runAsUser",
	 "unset or not 0", "remove runAsUser: 0 or write another id"},
	{"P125", "seccompProfile_restricted", ADMISSION_RESTRICTED, 19,
	 PSS_STAYS, PSS_POD | PSS_CONTAINER, bad_seccomp_field,
	 "securityContext.seccompProfile.type", "RuntimeDefault or Localhost",
	 "write type: RuntimeDefault (or leave seccompProfile out)"},
	{"P126", "capabilities_restricted", ADMISSION_RESTRICTED, 22, PSS_STAYS,
	 PSS_CONTAINER, bad_caps_restricted,
	 "containers[*].securityContext.capabilities",
	 "drop ALL, add at most NET_BIND_SERVICE",
	 "write capabilities: {drop: [ALL]} and add only NET_BIND_SERVICE"},
	{"P127", "procMount_restricted", ADMISSION_RESTRICTED, 35, PSS_STAYS,
	 PSS_CONTAINER, bad_proc_mount,
	 "containers[*].securityContext.procMount", "unset or Default",
	 "remove procMount"},
};

const struct pss_row *pss_rows(size_t *out_n)
{
	*out_n = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

bool pss_applies(const struct pss_row *row, int level, int minor)
{
#ifndef GUARD_OFF_ADMISSION_PSS
	if (row->level > level || minor < row->since)
		return false;
	return !(level == ADMISSION_RESTRICTED &&
		 row->level == ADMISSION_BASELINE && minor >= row->replaced);
#else
	(void)row, (void)level, (void)minor;
	return false;
#endif
}
