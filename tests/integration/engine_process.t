#!/bin/sh
# What of a config confines and shapes the container's process, with real
# containers: seccomp with a listener, ...
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine-lib.sh"
tmpdir
at_exit e_cleanup
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
C=$T_TAG-c

# --- seccomp: notify ----------------------------------------------------------
AGENT=$B/tests/seccomp_agent
agent_end()
{
	[ -z "${AGENT_PID:-}" ] || kill "$AGENT_PID"
}
at_exit agent_end
"$AGENT" "$TMP/agent" "$TMP/states" &
AGENT_PID=$!
wait_for 5 test -S "$TMP/agent" || not_ok "the agent listens"
state() # JQ-FILTER: of the last state that the agent has got
{
	tail -n 1 "$TMP/states" | cut -d' ' -f2- | jq -rc "$1"
}
notify() # NAMES [JQ-FILTER]: bundle n whose filter notifies on them
{
	bundle n '.annotations = {"a": "b"} | .linux.seccomp = {
		"defaultAction": "SCMP_ACT_ALLOW",
		"architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
		"listenerPath": "'"$TMP/agent"'", "listenerMetadata": "meta",
		"syscalls": [{"names": ['"$1"'], "action": "SCMP_ACT_NOTIFY"}]}
		| '"${2:-.}"
}
for _nnp in true false; do
	notify '"mkdir", "chmod", "fchmodat"' ".process.noNewPrivileges = $_nnp"
	sh_in n 'mkdir /tmp/x; ls /tmp; chmod 777 /tmp 2>&1; ls /proc/self/fd | wc -l
		grep Threads /proc/1/status'
	is "$OUT" "x-made
chmod: /tmp: No medium found
4
Threads:	1" "notify: the agent makes the folder, refuses chmod (noNewPrivileges $_nnp)"
	is "$(cut -d' ' -f1 "$TMP/states" | tail -n 1) $(state \
		'.fds, .metadata, .pid == .state.pid, .state.status, .state.id,
		.state.annotations, .ociVersion' | tr '\n' ' ')" \
		"1 [\"seccompFd\"] meta true creating $T_TAG-n {\"a\":\"b\"} 1.2.0 " \
		"notify: the state that comes with the descriptor"
	notify '"sendmsg", "sendto", "recvmsg", "recvfrom", "read", "close",
		"execve", "openat", "open", "fcntl", "futex", "setgroups",
		"capset", "prctl", "chdir", "setresuid", "getcwd", "stat"' \
		".process.noNewPrivileges = $_nnp"
	sh_in n 'echo ran'
	is "$OUT" ran "notify: every call of ours may be held (noNewPrivileges $_nnp)"
done
notify '"mkdir"' '.process.args = ["sleep", "100"]'
succeeds "notify: create" E create --bundle "$TMP/n" "$C"
N=$(wc -l <"$TMP/states")
succeeds "notify: start" E start "$C"
is "$(wc -l <"$TMP/states") $(state .pid)" "$((N + 1)) $(E state "$C" | jq .pid)" \
	"notify: one state, at start"
run E exec --pid-file "$TMP/pid" "$C" sh -c 'mkdir /tmp/x; ls /tmp'
is "$OUT" "x-made" "notify: exec is under the listener too"
is "$(state '.pid, .state.pid, .state.status' | tr '\n' ' ')" \
	"$(cat "$TMP/pid") $(E state "$C" | jq .pid) running " \
	"notify: its state names it and its container"
E delete --force "$C"
notify '"mkdir"' '.linux.seccomp.listenerPath = "/no/such"'
fails "notify: nobody listens" 1 'failed to connect with seccomp agent at /no/such' \
	E run --bundle "$TMP/n" "$C"
E create --bundle "$TMP/n" "$C"
fails "notify: nobody listens at start" 1 'failed to connect with seccomp agent' \
	E start "$C"
wait_for 5 status_is "$C" stopped && ok "notify: then its program never ran" ||
	not_ok "notify: then its program never ran"
E delete --force "$C"
edit n 'del(.linux.seccomp.listenerPath)'
fails "notify: metadata without a path" 1 'listenerMetadata wants listenerPath' \
	E run --bundle "$TMP/n" "$C"
edit n 'del(.linux.seccomp.listenerMetadata)'
fails "notify: no path" 1 'SCMP_ACT_NOTIFY wants listenerPath' \
	E run --bundle "$TMP/n" "$C"
notify '"write"'
fails "notify: write" 1 'cannot be used for the write syscall' \
	E run --bundle "$TMP/n" "$C"
notify '"mkdir"' '.linux.seccomp.defaultAction = "SCMP_ACT_NOTIFY"'
fails "notify: as default" 1 'cannot be used as default action' \
	E run --bundle "$TMP/n" "$C"
notify '"mkdir"' '.linux.seccomp.syscalls[0].action = "SCMP_ACT_ERRNO"
	| .linux.seccomp.listenerPath = "/no/such"
	| .linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]'
sh_in n 'mkdir /tmp/x 2>&1'
is "$OUT" "mkdir: can't create directory '/tmp/x': Operation not permitted" \
	"notify: a path that nothing needs is not used"

# --- scheduler, io priority, memory policy, affinity, limits ---------------------
bundle s '.process.scheduler = {"policy": "SCHED_BATCH", "nice": 7,
		"flags": ["SCHED_FLAG_RESET_ON_FORK"]}
	| .process.ioPriority = {"class": "IOPRIO_CLASS_BE", "priority": 6}
	| .linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "0",
		"flags": ["MPOL_F_STATIC_NODES"]}
	| .linux.personality = {"domain": "LINUX32"}'
sh_in s 'cut -d" " -f19,41 /proc/1/stat; ionice -p 1; uname -m
	grep -c "bind=static:0" /proc/1/numa_maps'
case $(uname -m) in
x86_64) M=i686 ;;
*) M=armv8l ;;
esac
is "$(printf '%s' "$OUT" | sed '4s/^[1-9][0-9]*/some/')" "7 3
best-effort: prio 6
$M
some" "scheduler, nice, io priority, personality, memory policy"
edit s 'del(.linux.personality) | .linux.memoryPolicy = {"mode": "MPOL_DEFAULT"}
	| .process.scheduler = {"policy": "SCHED_FIFO", "priority": 3}
	| .process.ioPriority = {"class": "IOPRIO_CLASS_RT", "priority": 1}
	| .linux.cgroupsPath = "/reconcile-'"$T_TAG"'-rt"'
RT=/sys/fs/cgroup/cpu/reconcile-$T_TAG-rt
rt_possible() # a v1 group has no real time of its own unless it is given some
{
	[ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ] || return 0
	edit s '.linux.resources.cpu = {"realtimeRuntime": 10000}'
	mkdir "$RT" && echo 10000 >"$RT/cpu.rt_runtime_us"
	_st=$?
	rmdir "$RT"
	return $_st
}
if rt_possible 2>/dev/null && chrt -f 1 true 2>/dev/null; then
	sh_in s 'cut -d" " -f40,41 /proc/1/stat; ionice -p 1'
	is "$OUT" "3 1
realtime: prio 1" "real time in a user namespace, which could not give it to itself"
else
	skip "real time in a user namespace" "no real time for groups here"
fi
edit s 'del(.linux.resources.cpu)'
edit s '.process.scheduler = {"policy": "SCHED_DEADLINE", "runtime": 1000000,
	"deadline": 10000000, "period": 10000000} | del(.process.ioPriority)'
if chrt -d -T 1000000 -D 10000000 -P 10000000 0 true 2>/dev/null; then
	edit s '.process.args = ["cat", "/proc/self/stat"]'
	run E run --bundle "$TMP/s" "$C"
	is "$(printf '%s' "$OUT" | cut -d' ' -f41)" 6 "deadline"
else
	fails "deadline: what the kernel says" 1 'process.scheduler SCHED_DEADLINE: ' \
		E run --bundle "$TMP/s" "$C"
fi
while IFS='|' read -r _f _m; do
	case $_f in # where the kernel has one, tests/vm/apparmor.t says more
	*apparmor*) ! [ -d /sys/kernel/security/apparmor ] || continue ;;
	esac
	bundle s "$_f"
	fails "refused: $_f" 1 "$_m" E create --bundle "$TMP/s" "$C"
done <<'LIST'
.process.scheduler = {"policy": "SCHED_X"}|scheduler.policy: unknown value "SCHED_X"
.process.scheduler = {"policy": "SCHED_OTHER", "nice": 20}|scheduler.nice: want -20 to 19
.process.scheduler = {"policy": "SCHED_OTHER", "priority": 1}|priority goes only with
.process.scheduler = {"policy": "SCHED_FIFO"}|scheduler.priority: want 1 to 99
.process.scheduler = {"policy": "SCHED_RR", "priority": 1, "period": 5}|go only with SCHED_DEADLINE
.process.scheduler = {"policy": "SCHED_RR", "priority": 1, "flags": ["X"]}|scheduler.flags: unknown value "X"
.process.scheduler = {"nice": 1}|process.scheduler.policy: want it present
.process.ioPriority = {"class": "X", "priority": 1}|ioPriority.class: unknown value "X"
.process.ioPriority = {"class": "IOPRIO_CLASS_BE", "priority": 8}|priority: want 0 to 7
.process.execCPUAffinity = {"initial": "1-"}|execCPUAffinity.initial: want a list
.process.execCPUAffinity = {"final": "3-1"}|execCPUAffinity.final: want a list
.process.execCPUAffinity = {"final": "0,"}|execCPUAffinity.final: want a list
.process.execCPUAffinity = {"final": "9999"}|execCPUAffinity.final: want a list
.linux.memoryPolicy = {"mode": "MPOL_X"}|memoryPolicy.mode: unknown value "MPOL_X"
.linux.memoryPolicy = {"mode": "MPOL_BIND"}|MPOL_BIND wants at least one
.linux.memoryPolicy = {"mode": "MPOL_LOCAL", "nodes": "0"}|MPOL_LOCAL wants none
.linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "0", "flags": ["X"]}|memoryPolicy.flags: unknown value "X"
.linux.personality = {"domain": "BSD"}|personality.domain: unknown value "BSD"
.linux.personality = {"domain": "LINUX", "flags": ["X"]}|personality.flags: the specification has none
.process.rlimits = [{"type": "RLIMIT_X", "soft": 1, "hard": 1}]|rlimits: unknown value "RLIMIT_X"
.process.rlimits = [{"type": "RLIMIT_CPU", "soft": 2, "hard": 1}]|rlimits\[0\]: soft is above hard
.process.apparmorProfile = "x"|apparmorProfile: this kernel runs without AppArmor
.process.selinuxLabel = "a:b:c:d"|selinuxLabel: this kernel runs without SELinux
.linux.mountLabel = "a:b:c:d"|mountLabel: this kernel runs without SELinux
.process.selinuxLabel = "a b"|selinuxLabel: want at most 4000 characters
.process.commandLine = "x"|process.commandLine: not supported
.process.user.username = "x"|process.user.username: not supported
LIST
bundle s '.process.args = ["sleep", "100"]
	| .process.execCPUAffinity = {"initial": "0", "final": "1"}'
if [ "$(nproc)" -gt 1 ]; then
	E create --bundle "$TMP/s" "$C" && E start "$C"
	run E exec "$C" grep Cpus_allowed_list /proc/self/status
	is "$OUT" "Cpus_allowed_list:	1" "exec: its CPUs in the end"
	jq '.process | .args = ["grep", "Cpus_allowed_list", "/proc/self/status"]
		| .execCPUAffinity = {"initial": "0"}' "$TMP/s/config.json" >"$TMP/process"
	run E exec --process "$TMP/process" "$C"
	is "$OUT" "Cpus_allowed_list:	0" "exec: those of the beginning, where no others are named"
	like "$(grep Cpus_allowed_list "/proc/$(E state "$C" | jq .pid)/status")" \
		'[-,]' "the first process is not concerned"
	E delete --force "$C"
else
	skip "exec: CPU affinity" "one CPU"
fi
# A hard limit above ours: only the host may raise it.
bundle s '.process.rlimits = [{"type": "RLIMIT_CORE", "soft": 1024, "hard": 4096}]'
jq '.process.args = ["sh", "-c", "ulimit -c; ulimit -Hc"]' "$TMP/s/config.json" \
	>"$TMP/s/c" && mv "$TMP/s/c" "$TMP/s/config.json"
if capsh --has-p=cap_sys_resource 2>/dev/null; then
	OUT=$(ulimit -Hc 1 && E run --bundle "$TMP/s" "$C")
	is "$OUT" "2
8" "a hard limit raised for a user namespace"
else
	(ulimit -Hc 1 && E run --bundle "$TMP/s" "$C") >/dev/null 2>"$TMP/err"
	like "$(cat "$TMP/err")" 'process.rlimits: raise RLIMIT_CORE: ' \
		"a hard limit that even the host may not raise"
fi

# --- capabilities ------------------------------------------------------------------
caps() # what the process of the last run has, without names
{
	printf '%s' "$OUT" | sed -n 's/^Cap...:.0*\(.*\)/\1/p' | tr '\n' ' '
}
bundle caps '.process.user = {"uid": 1000, "gid": 1000}
	| .process.capabilities = {"bounding": ["CAP_KILL", "CAP_CHOWN"],
	"inheritable": ["CAP_KILL"], "permitted": ["CAP_KILL", "CAP_CHOWN"],
	"effective": ["CAP_KILL"], "ambient": ["CAP_KILL"]}'
sh_in caps 'grep ^Cap /proc/self/status'
is "$(caps)" "20 20 20 21 20" "capabilities: all five sets of another user, over execve"
edit caps '.process.user.uid = 0'
sh_in caps 'grep ^Cap /proc/self/status'
is "$(caps)" "20 21 21 21 20" "capabilities: of root, which execve gives its bounding set"
edit caps '.process.capabilities |= map_values(. + ["CAP_FLY"])
	| .process.user.uid = 1000 | .process.capabilities.ambient += ["CAP_CHOWN"]'
sh_in caps 'grep ^Cap /proc/self/status'
is "$(caps)" "20 20 20 21 20" "capabilities: what cannot be given is left out"
like "$ERR" 'unknown capability .*CAP_FLY' \
	"capabilities: an unknown one is a warning"
like "$ERR" 'raise ambient capability CAP_CHOWN' \
	"capabilities: an ambient one that is not inheritable is a warning"

# --- sysctl ------------------------------------------------------------------------
bundle ctl '.linux.sysctl = {"net/ipv4/ip_forward": "1",
	"net.ipv4.conf.lo.forwarding": "1", "user.max_uts_namespaces": "7"}'
sh_in ctl 'cd /proc/sys; cat net/ipv4/ip_forward net/ipv4/conf/lo/forwarding \
	user/max_uts_namespaces'
is "$(printf %s "$OUT" | tr '\n' ' ')" "1 1 7" \
	"sysctl: both forms of a name, and what belongs to a user namespace"
edit ctl '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .linux.namespaces |=
	map(if .type == "network" then .path = "/proc/self/ns/net" else . end)'
fails "E28 sysctl: a network namespace joined that is the host's" 1 \
	'net.ipv4.ip_forward": the container shares this namespace' \
	E run --bundle "$TMP/ctl" "$C"
edit ctl '.linux.namespaces -= [{"type": "network", "path": "/proc/self/ns/net"}]'
fails "E28 sysctl: the host's network" 1 'shares this namespace with the host' \
	E run --bundle "$TMP/ctl" "$C"
bundle ctl '.linux.sysctl = {"kernel.hostname": "x"}'
fails "sysctl: kernel.hostname" 1 'own member is hostname' \
	E run --bundle "$TMP/ctl" "$C"

baseline_check "the host is as it was"
finish
