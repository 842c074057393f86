/*
 * table.c - config.json of runtime-spec 1.2, object by object.  A member that
 * the specification has and this runtime does not is a DECODE_REFUSE row.
 */
#include "engine/spec/table.h"

#include "engine/spec/spec.h"

#define F(struct_, type_, name_, member)                                       \
	{                                                                      \
		.name = (name_), .type = DECODE_##type_,                       \
		.offset = offsetof(struct struct_, member)                     \
	}
#define MUST(struct_, type_, name_, member)                                    \
	{                                                                      \
		.name = (name_), .type = DECODE_##type_,                       \
		.offset = offsetof(struct struct_, member), .required = true   \
	}
#define OBJ(struct_, name_, member, sub_)                                      \
	{                                                                      \
		.name = (name_), .type = DECODE_OBJ,                           \
		.offset = offsetof(struct struct_, member), .sub = (sub_)      \
	}
#define PTR(struct_, name_, member, sub_)                                      \
	{                                                                      \
		.name = (name_), .type = DECODE_PTR,                           \
		.offset = offsetof(struct struct_, member),                    \
		.size = sizeof(*((struct struct_ *)0)->member), .sub = (sub_)  \
	}
#define LIST(struct_, name_, member, count, sub_)                              \
	{                                                                      \
		.name = (name_), .type = DECODE_LIST,                          \
		.offset = offsetof(struct struct_, member),                    \
		.offset2 = offsetof(struct struct_, count),                    \
		.size = sizeof(*((struct struct_ *)0)->member), .sub = (sub_)  \
	}
#define DICT(struct_, name_, member, count, sub_)                              \
	{                                                                      \
		.name = (name_), .type = DECODE_DICT,                          \
		.offset = offsetof(struct struct_, member),                    \
		.offset2 = offsetof(struct struct_, count),                    \
		.size = sizeof(*((struct struct_ *)0)->member), .sub = (sub_)  \
	}
#define REFUSE(name_)                                                          \
	{                                                                      \
		.name = (name_), .type = DECODE_REFUSE                         \
	}
#define END                                                                    \
	{                                                                      \
		.name = NULL                                                   \
	}

static const struct decode_field table_idmap[] = {
	MUST(spec_idmap, U32, "containerID", container_id),
	MUST(spec_idmap, U32, "hostID", host_id),
	MUST(spec_idmap, U32, "size", size), END};

static const struct decode_field table_mount[] = {
	MUST(spec_mount, STR, "destination", destination),
	F(spec_mount, STR, "type", type),
	F(spec_mount, STR, "source", source),
	F(spec_mount, STRV, "options", options),
	LIST(spec_mount, "uidMappings", uid_map, n_uid_map, table_idmap),
	LIST(spec_mount, "gidMappings", gid_map, n_gid_map, table_idmap),
	END};

static const struct decode_field table_ns[] = {
	MUST(spec_ns, STR, "type", type), F(spec_ns, STR, "path", path), END};

static const struct decode_field table_hook[] = {
	MUST(spec_hook, STR, "path", path), F(spec_hook, STRV, "args", args),
	F(spec_hook, STRV, "env", env), F(spec_hook, I64, "timeout", timeout),
	END};

static const struct decode_field table_hooks[] = {
	LIST(spec_hooks, "prestart", prestart.v, prestart.n, table_hook),
	LIST(spec_hooks, "createRuntime", create_runtime.v, create_runtime.n,
	     table_hook),
	LIST(spec_hooks, "createContainer", create_container.v,
	     create_container.n, table_hook),
	LIST(spec_hooks, "startContainer", start_container.v, start_container.n,
	     table_hook),
	LIST(spec_hooks, "poststart", poststart.v, poststart.n, table_hook),
	LIST(spec_hooks, "poststop", poststop.v, poststop.n, table_hook),
	END};

static const struct decode_field table_rlimit[] = {
	MUST(spec_rlimit, STR, "type", type),
	MUST(spec_rlimit, U64, "soft", soft),
	MUST(spec_rlimit, U64, "hard", hard), END};

static const struct decode_field table_caps[] = {
	F(spec_caps, STRV, "bounding", bounding),
	F(spec_caps, STRV, "effective", effective),
	F(spec_caps, STRV, "inheritable", inheritable),
	F(spec_caps, STRV, "permitted", permitted),
	F(spec_caps, STRV, "ambient", ambient),
	END};

static const struct decode_field table_user[] = {
	F(spec_user, U32, "uid", uid),
	F(spec_user, U32, "gid", gid),
	F(spec_user, U64, "umask", umask),
	F(spec_user, IDS, "additionalGids", groups),
	REFUSE("username"), /* windows */
	END};

static const struct decode_field table_size[] = {
	F(spec_size, U32, "height", height), F(spec_size, U32, "width", width),
	END};

static const struct decode_field table_scheduler[] = {
	MUST(spec_scheduler, STR, "policy", policy),
	F(spec_scheduler, I64, "nice", nice),
	F(spec_scheduler, I64, "priority", priority),
	F(spec_scheduler, STRV, "flags", flags),
	F(spec_scheduler, U64, "runtime", runtime),
	F(spec_scheduler, U64, "deadline", deadline),
	F(spec_scheduler, U64, "period", period),
	END};

static const struct decode_field table_ioprio[] = {
	MUST(spec_ioprio, STR, "class", class_),
	MUST(spec_ioprio, I64, "priority", priority), END};

static const struct decode_field table_affinity[] = {
	F(spec_affinity, STR, "initial", initial),
	F(spec_affinity, STR, "final", final), END};

static const struct decode_field table_process_fields[] = {
	F(spec_process, FLAG, "terminal", terminal),
	OBJ(spec_process, "consoleSize", console, table_size),
	OBJ(spec_process, "user", user, table_user),
	F(spec_process, STRV, "args", args),
	F(spec_process, STRV, "env", env),
	MUST(spec_process, STR, "cwd", cwd),
	PTR(spec_process, "capabilities", caps, table_caps),
	LIST(spec_process, "rlimits", rlimits, n_rlimits, table_rlimit),
	F(spec_process, FLAG, "noNewPrivileges", no_new_privileges),
	F(spec_process, STR, "apparmorProfile", apparmor),
	F(spec_process, STR, "selinuxLabel", selinux),
	F(spec_process, I64, "oomScoreAdj", oom_score_adj),
	PTR(spec_process, "scheduler", scheduler, table_scheduler),
	PTR(spec_process, "ioPriority", io_priority, table_ioprio),
	PTR(spec_process, "execCPUAffinity", affinity, table_affinity),
	REFUSE("commandLine"), /* windows */
	END};

static const struct decode_field table_device[] = {
	MUST(spec_device, STR, "type", type),
	MUST(spec_device, STR, "path", path),
	F(spec_device, I64, "major", major),
	F(spec_device, I64, "minor", minor),
	F(spec_device, U64, "fileMode", mode),
	F(spec_device, U64, "uid", uid),
	F(spec_device, U64, "gid", gid),
	END};

static const struct decode_field table_dev_rule[] = {
	MUST(spec_dev_rule, FLAG, "allow", allow),
	F(spec_dev_rule, STR, "type", type),
	F(spec_dev_rule, I64, "major", major),
	F(spec_dev_rule, I64, "minor", minor),
	F(spec_dev_rule, STR, "access", access),
	END};

static const struct decode_field table_weight_dev[] = {
	MUST(spec_weight_dev, I64, "major", major),
	MUST(spec_weight_dev, I64, "minor", minor),
	F(spec_weight_dev, U64, "weight", weight),
	F(spec_weight_dev, U64, "leafWeight", leaf_weight),
	F(spec_weight_dev, U64, "rate", rate),
	END};

static const struct decode_field table_hugepage[] = {
	MUST(spec_hugepage, STR, "pageSize", size),
	MUST(spec_hugepage, U64, "limit", limit), END};

static const struct decode_field table_memory[] = {
	F(spec_memory, I64, "limit", limit),
	F(spec_memory, I64, "reservation", reservation),
	F(spec_memory, I64, "swap", swap),
	F(spec_memory, I64, "kernel", kernel),
	F(spec_memory, I64, "kernelTCP", kernel_tcp),
	F(spec_memory, U64, "swappiness", swappiness),
	F(spec_memory, BOOL, "disableOOMKiller", disable_oom_killer),
	F(spec_memory, BOOL, "useHierarchy", use_hierarchy),
	F(spec_memory, BOOL, "checkBeforeUpdate", check),
	END};

static const struct decode_field table_cpu[] = {
	F(spec_cpu, U64, "shares", shares),
	F(spec_cpu, I64, "quota", quota),
	F(spec_cpu, U64, "period", period),
	F(spec_cpu, U64, "burst", burst),
	F(spec_cpu, I64, "realtimeRuntime", rt_runtime),
	F(spec_cpu, U64, "realtimePeriod", rt_period),
	F(spec_cpu, STR, "cpus", cpus),
	F(spec_cpu, STR, "mems", mems),
	F(spec_cpu, I64, "idle", idle),
	END};

static const struct decode_field table_block[] = {
	F(spec_block, U64, "weight", weight),
	F(spec_block, U64, "leafWeight", leaf_weight),
	LIST(spec_block, "weightDevice", weights, n_weights, table_weight_dev),
	LIST(spec_block, "throttleReadBpsDevice", rbps, n_rbps,
	     table_weight_dev),
	LIST(spec_block, "throttleWriteBpsDevice", wbps, n_wbps,
	     table_weight_dev),
	LIST(spec_block, "throttleReadIOPSDevice", riops, n_riops,
	     table_weight_dev),
	LIST(spec_block, "throttleWriteIOPSDevice", wiops, n_wiops,
	     table_weight_dev),
	END};

static const struct decode_field table_pids[] = {
	F(spec_pids, I64, "limit", limit), END};

static const struct decode_field table_rdma[] = {
	F(spec_rdma, U64, "hcaHandles", handles),
	F(spec_rdma, U64, "hcaObjects", objects), END};

static const struct decode_field table_priority[] = {
	MUST(spec_priority, STR, "name", name),
	MUST(spec_priority, U32, "priority", priority), END};

static const struct decode_field table_network[] = {
	F(spec_network, U64, "classID", class_id),
	LIST(spec_network, "priorities", priorities, n_priorities,
	     table_priority),
	END};

static const struct decode_field table_resources_fields[] = {
	LIST(spec_resources, "devices", devices, n_devices, table_dev_rule),
	OBJ(spec_resources, "memory", memory, table_memory),
	OBJ(spec_resources, "cpu", cpu, table_cpu),
	OBJ(spec_resources, "blockIO", block, table_block),
	OBJ(spec_resources, "pids", pids, table_pids),
	LIST(spec_resources, "hugepageLimits", hugepages, n_hugepages,
	     table_hugepage),
	F(spec_resources, MAP, "unified", unified),
	OBJ(spec_resources, "network", network, table_network),
	DICT(spec_resources, "rdma", rdma, n_rdma, table_rdma),
	END};

static const struct decode_field table_syscall_arg[] = {
	MUST(spec_syscall_arg, U32, "index", index),
	MUST(spec_syscall_arg, U64, "value", value),
	F(spec_syscall_arg, U64, "valueTwo", value_two),
	MUST(spec_syscall_arg, STR, "op", op), END};

static const struct decode_field table_syscall[] = {
	MUST(spec_syscall, STRV, "names", names),
	MUST(spec_syscall, STR, "action", action),
	F(spec_syscall, U64, "errnoRet", errno_ret),
	LIST(spec_syscall, "args", args, n_args, table_syscall_arg), END};

static const struct decode_field table_seccomp[] = {
	MUST(spec_seccomp, STR, "defaultAction", default_action),
	F(spec_seccomp, U64, "defaultErrnoRet", default_errno),
	F(spec_seccomp, STRV, "architectures", archs),
	F(spec_seccomp, STRV, "flags", flags),
	F(spec_seccomp, STR, "listenerPath", listener_path),
	F(spec_seccomp, STR, "listenerMetadata", listener_metadata),
	LIST(spec_seccomp, "syscalls", calls, n_calls, table_syscall),
	END};

static const struct decode_field table_personality[] = {
	MUST(spec_personality, STR, "domain", domain),
	F(spec_personality, STRV, "flags", flags), END};

static const struct decode_field table_mempolicy[] = {
	MUST(spec_mempolicy, STR, "mode", mode),
	F(spec_mempolicy, STR, "nodes", nodes),
	F(spec_mempolicy, STRV, "flags", flags), END};

static const struct decode_field table_offset[] = {
	F(spec_offset, I64, "secs", secs),
	F(spec_offset, I64, "nanosecs", nanosecs), END};

static const struct decode_field table_offsets[] = {
	PTR(spec_offsets, "monotonic", monotonic, table_offset),
	PTR(spec_offsets, "boottime", boottime, table_offset), END};

static const struct decode_field table_netdev[] = {
	F(spec_netdev, STR, "name", name), END};

static const struct decode_field table_linux[] = {
	LIST(spec_linux, "namespaces", ns, n_ns, table_ns),
	LIST(spec_linux, "uidMappings", uid_map, n_uid_map, table_idmap),
	LIST(spec_linux, "gidMappings", gid_map, n_gid_map, table_idmap),
	LIST(spec_linux, "devices", devices, n_devices, table_device),
	F(spec_linux, STR, "cgroupsPath", cgroups_path),
	OBJ(spec_linux, "resources", resources, table_resources_fields),
	F(spec_linux, STR, "rootfsPropagation", propagation),
	PTR(spec_linux, "seccomp", seccomp, table_seccomp),
	F(spec_linux, MAP, "sysctl", sysctl),
	F(spec_linux, STRV, "maskedPaths", masked),
	F(spec_linux, STRV, "readonlyPaths", readonly),
	F(spec_linux, STR, "mountLabel", mount_label),
	PTR(spec_linux, "personality", personality, table_personality),
	OBJ(spec_linux, "timeOffsets", offsets, table_offsets),
	REFUSE("intelRdt"),
	PTR(spec_linux, "memoryPolicy", mempolicy, table_mempolicy),
	DICT(spec_linux, "netDevices", netdevs, n_netdevs, table_netdev),
	END};

static const struct decode_field table_root[] = {
	MUST(spec_root, STR, "path", path),
	F(spec_root, FLAG, "readonly", readonly), END};

static const struct decode_field table_spec_fields[] = {
	MUST(spec, STR, "ociVersion", version),
	OBJ(spec, "root", root, table_root),
	PTR(spec, "process", process, table_process_fields),
	F(spec, STR, "hostname", hostname),
	F(spec, STR, "domainname", domainname),
	LIST(spec, "mounts", mounts, n_mounts, table_mount),
	OBJ(spec, "hooks", hooks, table_hooks),
	OBJ(spec, "linux", linux_, table_linux),
	F(spec, MAP, "annotations", annotations),
	REFUSE("windows"),
	REFUSE("solaris"),
	REFUSE("vm"),
	REFUSE("zos"),
	END};

const struct decode_field *table_spec(void)
{
	return table_spec_fields;
}

const struct decode_field *table_process(void)
{
	return table_process_fields;
}

const struct decode_field *table_resources(void)
{
	return table_resources_fields;
}
