/*
 * types.h - the typed Kubernetes objects that the field tables decode into.
 *
 * Plain data in one arena; every pointer is borrowed until the arena goes.
 * Defaults are already written in (manifests.md 5.1 rule 4): no reader needs to
 * know one.  Strings are valid UTF-8 without NUL; NULL means "not given" where
 * the comment says so, lists are {items, n}.  Sources: Kubernetes API v1,
 * apps/v1, batch/v1; deviations D1..D10 of docs/manifests.md.
 */
#ifndef MANIFEST_TYPES_H
#define MANIFEST_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strings {
	const char **items;
	size_t n;
};

struct keyval { /* a map entry, maps are sorted by key */
	const char *key;
	const char *value; /* bytes for binary data, see len */
	size_t len;
};

struct keyvals {
	struct keyval *items;
	size_t n;
};

/* Where in git an object or a field stands. */
struct manifest_pos {
	const char *path;	   /* in the tree; NULL for made-up objects */
	unsigned int line, column; /* 1-based; 0 unknown */
};

enum manifest_kind {
	MANIFEST_NAMESPACE,
	MANIFEST_CONFIGMAP,
	MANIFEST_SECRET,
	MANIFEST_SERVICE,
	MANIFEST_POD,
	MANIFEST_DEPLOYMENT,
	MANIFEST_DAEMONSET,
	MANIFEST_JOB,
	MANIFEST_ROLE,
	MANIFEST_CLUSTERROLE,
	MANIFEST_ROLEBINDING,
	MANIFEST_CLUSTERROLEBINDING,
	MANIFEST_CLUSTERPOLICY, /* ours: .reconcile/policy.yaml */
	MANIFEST_TRUSTPOLICY,	/* ours: .reconcile/trust.yaml */
	MANIFEST_KIND_COUNT
};

struct meta {
	const char *name;
	const char *namespace; /* NULL for Namespace and ClusterPolicy */
	struct keyvals labels;
	struct keyvals annotations;
};

/* -1 in int64_t means "not given" wherever no default exists. */
#define MANIFEST_UNSET (-1)

enum tristate { TRI_UNSET = -1, TRI_FALSE = 0, TRI_TRUE = 1 };

/* matchLabels and matchExpressions of a LabelSelector. */
enum selector_op {
	SELECTOR_IN,
	SELECTOR_NOTIN,
	SELECTOR_EXISTS,
	SELECTOR_DOESNOTEXIST
};
struct selector_expr {
	const char *key;
	int op; /* enum selector_op */
	struct strings values;
};
struct selector {
	struct keyvals match_labels;
	struct selector_expr *exprs;
	size_t n_exprs;
};

/* int or "NN%" or (ports) a name. */
struct int_or_string {
	bool is_string;
	int64_t num;
	const char *text;
};

struct probe_header {
	const char *name, *value;
};
enum probe_kind { PROBE_NONE, PROBE_HTTP, PROBE_TCP, PROBE_EXEC };
struct probe {
	int kind;		   /* enum probe_kind; NONE: no probe */
	struct strings exec;	   /* EXEC */
	struct int_or_string port; /* HTTP, TCP: number or port name */
	const char *path;	   /* HTTP, default "/" */
	const char *host;	   /* HTTP, TCP; NULL: the pod's address */
	const char *scheme;	   /* HTTP: "HTTP" or "HTTPS" */
	struct probe_header *headers;
	size_t n_headers;
	int64_t initial_delay_s, period_s, timeout_s;
	int64_t success_threshold, failure_threshold;
	int64_t grace_s; /* terminationGracePeriodSeconds, UNSET */
};

enum env_source { ENV_VALUE, ENV_CONFIGMAP, ENV_SECRET, ENV_FIELD };
struct env_var {
	const char *name;
	int source;	      /* enum env_source */
	const char *value;    /* VALUE (before $(VAR) expansion) */
	const char *ref_name; /* CONFIGMAP, SECRET */
	const char *ref_key;
	bool optional;
	const char *field_path; /* FIELD */
	struct manifest_pos pos;
};

struct env_from {
	int source; /* ENV_CONFIGMAP or ENV_SECRET */
	const char *ref_name;
	const char *prefix; /* "" by default */
	bool optional;
	struct manifest_pos pos;
};

struct container_port {
	const char *name; /* NULL */
	int64_t port;
	const char *protocol; /* "TCP", "UDP" */
};

struct volume_mount {
	const char *name;
	const char *mount_path;
	const char *sub_path; /* NULL */
	bool read_only;
	struct manifest_pos pos;
};

/* cpu in milli-CPU, memory in bytes; MANIFEST_UNSET when absent. */
struct resources {
	int64_t cpu_request_m, cpu_limit_m;
	int64_t memory_request, memory_limit;
};

enum seccomp_type {
	SECCOMP_UNSET,
	SECCOMP_RUNTIME_DEFAULT,
	SECCOMP_LOCALHOST,
	SECCOMP_UNCONFINED
};
struct seccomp_choice {
	int type;		       /* enum seccomp_type */
	const char *localhost_profile; /* NULL */
};

struct container_security {
	int64_t run_as_user, run_as_group; /* UNSET */
	int run_as_non_root;		   /* enum tristate */
	int read_only_root_filesystem;	   /* tristate */
	int allow_privilege_escalation;	   /* tristate as written */
	int privileged;			   /* tristate */
	struct strings cap_add, cap_drop;  /* upper case, no CAP_ */
	struct seccomp_choice seccomp;
	const char *proc_mount; /* NULL */
	struct manifest_pos pos;
};

struct container {
	const char *name;
	const char *image;	       /* as written */
	const char *image_pull_policy; /* "Always" "IfNotPresent" "Never" */
	struct strings command, args;
	bool has_command, has_args;
	const char *working_dir; /* NULL */
	struct env_var *env;
	size_t n_env;
	struct env_from *env_from;
	size_t n_env_from;
	struct container_port *ports;
	size_t n_ports;
	struct resources resources;
	struct probe liveness, readiness, startup;
	struct container_security security;
	struct volume_mount *mounts;
	size_t n_mounts;
	const char *termination_message_path;
	const char *
		termination_message_policy; /* "File" "FallbackToLogsOnError" */
	struct manifest_pos pos;
	struct manifest_pos image_pos;
};

enum volume_kind {
	VOLUME_EMPTYDIR,
	VOLUME_CONFIGMAP,
	VOLUME_SECRET,
	VOLUME_HOSTPATH
};
struct key_to_path {
	const char *key, *path;
	int64_t mode; /* UNSET */
};
struct volume {
	const char *name;
	int kind;	      /* enum volume_kind */
	const char *medium;   /* EMPTYDIR: "" or "Memory" */
	int64_t size_limit;   /* EMPTYDIR bytes, UNSET */
	const char *ref_name; /* CONFIGMAP, SECRET */
	struct key_to_path *items;
	size_t n_items;
	int64_t default_mode;
	bool optional;
	const char *host_path;	    /* HOSTPATH */
	const char *host_path_type; /* "" "Directory" "DirectoryOrCreate" ... */
	struct manifest_pos pos;
};

struct toleration {
	const char *key;    /* NULL: any */
	const char *op;	    /* "Equal" "Exists" */
	const char *value;  /* "" */
	const char *effect; /* NULL: any; "NoSchedule" "PreferNoSchedule"
			       "NoExecute" */
	int64_t seconds;    /* UNSET */
};

struct host_alias {
	const char *ip;
	struct strings hostnames;
};

struct pod_security {
	int64_t run_as_user, run_as_group, fs_group; /* UNSET */
	int run_as_non_root;			     /* tristate */
	int64_t *supplemental_groups;
	size_t n_supplemental_groups;
	struct seccomp_choice seccomp;
	struct manifest_pos pos;
};

struct pod_spec {
	struct container *containers;
	size_t n_containers;
	struct container *init_containers;
	size_t n_init_containers;
	struct volume *volumes;
	size_t n_volumes;
	const char *restart_policy; /* "Always" "OnFailure" "Never" */
	int64_t termination_grace_s;
	int64_t active_deadline_s; /* UNSET */
	struct keyvals node_selector;
	const char *node_name; /* NULL */
	struct toleration *tolerations;
	size_t n_tolerations;
	const char *service_account; /* "default" */
	struct pod_security security;
	const char *hostname;  /* NULL: the pod's name */
	const char *subdomain; /* NULL */
	struct host_alias *host_aliases;
	size_t n_host_aliases;
	const char *dns_policy;
	bool host_network, host_pid, host_ipc, share_process_namespace;
	int host_users;		   /* tristate as written; D4 */
	bool enable_service_links; /* D5: false */
	struct manifest_pos pos;
};

struct pod_template {
	struct meta meta; /* labels and annotations only */
	struct pod_spec spec;
	char hash[17]; /* 16 hex of SHA-256 over the canonical template */
};

struct deployment {
	int64_t replicas;
	struct selector selector;
	struct pod_template template;
	const char *strategy; /* "RollingUpdate" "Recreate" */
	struct int_or_string max_surge, max_unavailable;
	int64_t min_ready_s, progress_deadline_s, revision_history_limit;
	bool paused;
};

struct daemonset {
	struct selector selector;
	struct pod_template template;
	const char *strategy; /* "RollingUpdate" "OnDelete" */
	struct int_or_string max_unavailable, max_surge;
	int64_t min_ready_s, revision_history_limit;
};

struct job {
	int64_t parallelism, completions, backoff_limit;
	int64_t active_deadline_s;    /* UNSET */
	int64_t ttl_after_finished_s; /* UNSET */
	bool suspend;
	struct pod_template template;
};

struct service_port {
	const char *name; /* NULL */
	int64_t port;
	struct int_or_string target_port;
	const char *protocol;
	int64_t node_port; /* UNSET */
};

struct service {
	const char *type;	/* "ClusterIP" (others refused for now) */
	const char *cluster_ip; /* NULL: allocated; "None": headless */
	struct keyvals selector;
	struct service_port *ports;
	size_t n_ports;
	const char *session_affinity;
};

struct configmap {
	struct keyvals data; /* data and binaryData, decoded */
	bool immutable;
};

struct secret {
	const char *type;
	struct keyvals data; /* decoded; never printed */
	bool immutable;
};

/* Role and ClusterRole: what may be done; RBAC of Kubernetes, for people. */
struct rbac_rule {
	struct strings verbs, groups, resources; /* "*": any */
	struct strings names;			 /* empty: any */
};
struct rbac_role {
	struct rbac_rule *rules;
	size_t n_rules;
	/* ClusterRole: the rules of those that one of these matches */
	struct selector *aggregate;
	size_t n_aggregate;
};

/* RoleBinding and ClusterRoleBinding: who may do it. */
enum rbac_role_kind { RBAC_CLUSTERROLE, RBAC_ROLE };
enum rbac_subject_kind { RBAC_USER, RBAC_GROUP };
struct rbac_subject {
	int kind; /* enum rbac_subject_kind */
	/* USER: a person of the trust policy; GROUP: a role of it */
	const char *name;
};
struct rbac_binding {
	int role_kind; /* enum rbac_role_kind */
	const char *role;
	struct rbac_subject *subjects;
	size_t n_subjects;
	struct manifest_pos role_pos;
};

/* .reconcile/policy.yaml, apiVersion reconcile/v1alpha1, kind ClusterPolicy.
 * Unset means the safe value. */
struct cluster_policy {
	const char
		*repository_id; /* required: binds commits to this repository */
	const char *ref;	/* required: "refs/heads/main" */
	const char
		*manifests_path; /* directory of the manifests, default "." */
	const char *default_namespace; /* "default" */
	const char *pod_security;      /* least level: "baseline" by default */
	struct strings allowed_registries; /* host[:port] or host[:port]/prefix;
					      empty: none */
	bool require_digest;		   /* true */
	bool allow_plain_secrets;	   /* false */
	struct strings host_path_prefixes; /* empty: hostPath refused */
	bool allow_privilege_escalation;   /* false: explicit true refused */
	bool allow_host_users;		   /* false */
	bool allow_node_name;		   /* false */
	int64_t max_delete_percent;	   /* 30: exit 6 above it */
	const char *placement;		   /* "spread" or "binpack" */
};

/* .reconcile/trust.yaml, apiVersion reconcile/v1alpha1, kind TrustPolicy: who
 * the people are, with which keys, and how many of whom a path needs.  Times
 * are RFC 3339 in UTC, spans "48h"; names refer to people and roles of the same
 * file.  policy/trust/people.h is the compiled form. */
enum trust_key_kind {
	TRUST_KEY_SSH,
	TRUST_KEY_SSH_CA,
	TRUST_KEY_X509,
	TRUST_KEY_OPENPGP
};
struct trust_key {
	int kind;		    /* enum trust_key_kind */
	const char *ssh;	    /* SSH, SSH_CA: "type base64 [comment]" */
	struct strings principals;  /* SSH_CA: of the certificate */
	const char *x509_authority; /* PEM of the pinned authorities */
	const char *x509_identity;  /* "email:..." or "uri:...": a SAN */
	const char *x509_issuer;    /* OIDC issuer; NULL */
	const char *openpgp_fingerprint; /* of the primary key, upper-case */
	const char *openpgp_certificate; /* armored */
	const char *valid_after, *valid_before; /* NULL: without end */
	bool no_touch_required, pin_required;
	struct manifest_pos pos;
};

struct trust_person {
	const char *name; /* the identity everywhere */
	struct trust_key *keys;
	size_t n_keys;
	struct manifest_pos pos;
};

struct trust_role {
	const char *name;
	struct strings people;
	struct manifest_pos pos;
};

struct trust_rule {
	struct strings paths; /* none: the root */
	struct strings roles, people;
	int64_t threshold;
	struct strings require; /* "Touch", "PIN" */
	struct manifest_pos pos;
};

struct trust_carrier {
	const char *name;
	struct trust_key *keys;
	size_t n_keys;
	struct strings accept; /* "Merge", "Squash" */
	struct manifest_pos pos;
};

struct trust_revoked {
	const char *fingerprint; /* "SHA256:..." or upper-case hex */
	const char *reason;	 /* NULL */
	struct manifest_pos pos;
};

struct trust_spec {
	int64_t version;
	struct manifest_pos version_pos;
	const char *expires;
	const char *authorization; /* "Paths" or "RBAC" */
	struct trust_person *people;
	size_t n_people;
	struct trust_role *roles;
	size_t n_roles;
	struct trust_rule root;
	struct trust_rule *rules;
	size_t n_rules;
	struct trust_carrier *carriers;
	size_t n_carriers;
	const char *freshness_max_age; /* NULL: no limit */
	struct trust_key *freshness_keys;
	size_t n_freshness_keys;
	const char *revoked_as_of;
	struct trust_revoked *revoked;
	size_t n_revoked;
	const char *revoked_krl; /* base64 of an OpenSSH KRL; NULL */
	struct manifest_pos krl_pos;
	struct strings revoked_payloads; /* "sha256:..." */
	struct manifest_pos pos;
};

struct object {
	enum manifest_kind kind;
	const char *api_version;
	struct meta meta;
	struct manifest_pos pos; /* of the document */
	const char *blob;	 /* git object id of the file, hex; NULL */
	const char *
		signer; /* principal of the commit that last changed it; NULL */
	char hash[17];	/* 16 hex of SHA-256 over the canonical JSON */
	const char *canonical; /* canonical JSON of the defaulted object */
	size_t canonical_len;
	union {
		struct configmap configmap;
		struct secret secret;
		struct service service;
		struct pod_template pod; /* kind Pod: spec in .spec */
		struct deployment deployment;
		struct daemonset daemonset;
		struct job job;
		struct rbac_role role;
		struct rbac_binding binding;
		struct cluster_policy policy;
		struct trust_spec trust;
	};
};

#endif
