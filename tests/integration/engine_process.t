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
is "$(E state "$C" | jq -r .status)" stopped "notify: then its program never ran"
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

baseline_check "the host is as it was"
finish
