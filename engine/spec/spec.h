/*
 * spec.h - config.json of an OCI bundle (runtime-spec 1.2) as plain structs.
 *
 * Pure: decoded before any privilege matters, from bytes that a client made.
 * Everything lives in the caller's arena.  Members that this runtime does not
 * implement are refused, never ignored; unknown members are ignored, as the
 * specification demands.
 */
#ifndef ENGINE_SPEC_SPEC_H
#define ENGINE_SPEC_SPEC_H

#include "engine/spec/decode.h"

#define SPEC_MAX_BYTES (4u << 20)
#define SPEC_MAX_DEPTH 32
#define SPEC_VERSION "1.2.0"	 /* all of it */
#define SPEC_VERSION_MAX "1.3.0" /* its new members too, or refused */

struct spec_idmap {
	uint32_t container_id;
	uint32_t host_id;
	uint32_t size;
};

struct spec_mount {
	char *destination, *type, *source;
	struct decode_strv options;
	struct spec_idmap *uid_map, *gid_map;
	size_t n_uid_map, n_gid_map;
};

struct spec_ns {
	char *type, *path;
};

struct spec_hook {
	char *path;
	struct decode_strv args, env;
	struct decode_i64 timeout; /* seconds */
};

struct spec_hook_list {
	struct spec_hook *v;
	size_t n;
};

struct spec_hooks {
	struct spec_hook_list prestart, create_runtime, create_container;
	struct spec_hook_list start_container, poststart, poststop;
};

struct spec_rlimit {
	char *type;
	struct decode_u64 soft, hard;
};

struct spec_caps {
	struct decode_strv bounding, effective, inheritable, permitted, ambient;
};

struct spec_user {
	uint32_t uid, gid;
	struct decode_u64 umask;
	struct decode_ids groups;
};

struct spec_size {
	uint32_t height, width;
};

struct spec_scheduler {
	char *policy;
	struct decode_i64 nice, priority;
	struct decode_strv flags;
	struct decode_u64 runtime, deadline, period; /* nanoseconds */
};

struct spec_ioprio {
	char *class_;
	struct decode_i64 priority;
};

struct spec_affinity {
	char *initial, *final;
};

struct spec_process {
	bool terminal, no_new_privileges;
	struct spec_size console;
	struct spec_user user;
	struct decode_strv args, env;
	char *cwd, *apparmor, *selinux;
	struct spec_caps *caps;
	struct spec_rlimit *rlimits;
	size_t n_rlimits;
	struct decode_i64 oom_score_adj;
	struct spec_scheduler *scheduler;
	struct spec_ioprio *io_priority;
	struct spec_affinity *affinity; /* of exec */
};

struct spec_device {
	char *type, *path;
	struct decode_i64 major, minor;
	struct decode_u64 mode, uid, gid;
};

struct spec_dev_rule {
	bool allow;
	char *type, *access;
	struct decode_i64 major, minor;
};

struct spec_weight_dev {
	struct decode_i64 major, minor;
	struct decode_u64 weight, leaf_weight, rate;
};

struct spec_hugepage {
	char *size;
	struct decode_u64 limit;
};

struct spec_memory {
	struct decode_i64 limit, reservation, swap, kernel, kernel_tcp;
	struct decode_u64 swappiness;
	struct decode_bool disable_oom_killer, use_hierarchy, check;
};

struct spec_cpu {
	struct decode_u64 shares, period, rt_period, burst;
	struct decode_i64 quota, rt_runtime, idle;
	char *cpus, *mems;
};

struct spec_block {
	struct decode_u64 weight, leaf_weight;
	struct spec_weight_dev *weights, *rbps, *wbps, *riops, *wiops;
	size_t n_weights, n_rbps, n_wbps, n_riops, n_wiops;
};

struct spec_pids {
	struct decode_i64 limit;
};

struct spec_rdma {
	char *device;
	struct decode_u64 handles, objects;
};

struct spec_priority {
	char *name;
	uint32_t priority;
};

struct spec_network {
	struct decode_u64 class_id;
	struct spec_priority *priorities;
	size_t n_priorities;
};

struct spec_resources {
	struct spec_dev_rule *devices;
	size_t n_devices;
	struct spec_memory memory;
	struct spec_cpu cpu;
	struct spec_block block;
	struct spec_pids pids;
	struct spec_hugepage *hugepages;
	size_t n_hugepages;
	struct spec_network network;
	struct spec_rdma *rdma;
	size_t n_rdma;
	struct decode_strv unified; /* key, value, ... */
};

struct spec_syscall_arg {
	uint32_t index;
	struct decode_u64 value, value_two;
	char *op;
};

struct spec_syscall {
	struct decode_strv names;
	char *action;
	struct decode_u64 errno_ret;
	struct spec_syscall_arg *args;
	size_t n_args;
};

struct spec_seccomp {
	char *default_action, *listener_path, *listener_metadata;
	struct decode_u64 default_errno;
	struct decode_strv archs, flags;
	struct spec_syscall *calls;
	size_t n_calls;
};

struct spec_personality {
	char *domain;
	struct decode_strv flags;
};

struct spec_mempolicy {
	char *mode, *nodes;
	struct decode_strv flags;
};

struct spec_offset {
	struct decode_i64 secs, nanosecs;
};

struct spec_offsets {
	struct spec_offset *monotonic, *boottime;
};

struct spec_root {
	char *path;
	bool readonly;
};

struct spec_netdev {
	char *key, *name; /* on the host; in the container, NULL: the same */
};

struct spec_linux {
	struct spec_ns *ns;
	struct spec_idmap *uid_map, *gid_map;
	struct spec_device *devices;
	struct spec_netdev *netdevs;
	size_t n_ns, n_uid_map, n_gid_map, n_devices, n_netdevs;
	char *cgroups_path, *propagation, *mount_label;
	struct spec_resources resources;
	struct spec_seccomp *seccomp;
	struct spec_personality *personality;
	struct spec_mempolicy *mempolicy;
	struct decode_strv sysctl, masked, readonly;
	struct spec_offsets offsets;
};

struct spec {
	char *version, *hostname, *domainname;
	struct spec_root root;
	struct spec_process *process;
	struct spec_mount *mounts;
	size_t n_mounts;
	struct spec_hooks hooks;
	struct spec_linux linux_;
	struct decode_strv annotations; /* reported by `state`, never read */
};

/* Namespaces, in the order of spec_ns_table. */
enum spec_ns_kind {
	SPEC_NS_USER,
	SPEC_NS_MOUNT,
	SPEC_NS_PID,
	SPEC_NS_NET,
	SPEC_NS_IPC,
	SPEC_NS_UTS,
	SPEC_NS_CGROUP,
	SPEC_NS_TIME,
	SPEC_NS_COUNT
};

struct spec_ns_row {
	const char *type; /* of the specification */
	const char *proc; /* file in /proc/PID/ns */
	uint64_t flag;	  /* CLONE_NEW* */
};

const struct spec_ns_row *spec_ns_rows(void);
/* Entry of the config for this kind, NULL: shared with the caller. */
const struct spec_ns *spec_ns_find(const struct spec *s,
				   enum spec_ns_kind kind);

/* No mount namespace of its own: its root is a tree that hangs in none, of
 * which the namespace it is in sees nothing. */
bool spec_is_detached(const struct spec *s);

/* Reads and checks the bytes of a config.json.  ERR_INPUT, ERR_LIMIT. */
int spec_read(const char *bytes, size_t len, struct arena *arena,
	      struct spec *out, struct err *err);
/* The same for a process object (exec --process) and for resources
 * (update --resources). */
int spec_read_process(const char *bytes, size_t len, struct arena *arena,
		      struct spec_process *out, struct err *err);
/* The checks of a process that was changed after the reading.  ERR_INPUT. */
int spec_check_process(const struct spec_process *p, struct err *err);
int spec_read_resources(const char *bytes, size_t len, struct arena *arena,
			struct spec_resources *out, struct err *err);

#endif
