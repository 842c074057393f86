#!/bin/sh
# What clients of an OCI runtime see: output, messages, statuses, logs.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine-lib.sh"
need_program python3 ps
tmpdir
at_exit e_cleanup
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
C=$T_TAG-c

# --- what it says of itself --------------------------------------------------------
run "$ENGINE" --version
like "$OUT" '^reconcile-engine version [0-9]' "--version: the name and a number"
like "$OUT" '^spec: 1\.2' "--version: the specification"
run "$ENGINE" features
is "$(printf '%s' "$OUT" | jq -r '.ociVersionMin, .ociVersionMax,
	(.hooks | length), (.linux.namespaces | length),
	.linux.mountExtensions.idmap.enabled,
	(.potentiallyUnsafeConfigAnnotations | length),
	.annotations["org.opencontainers.runc.checkpoint.enabled"]' | tr '\n' ' ')" \
	"1.0.0 1.3.0 6 8 true 0 false " "features"
run "$ENGINE" help exec
like "$OUT" '--additional-gids' "help of a command"
fails "help of none" 1 'no command "soul"' "$ENGINE" help soul
fails "no command" 1 'want a command' "$ENGINE"
fails "a command that is none" 1 'unknown command "stat"; did you mean' "$ENGINE" stat
for _c in checkpoint restore; do
	fails "$_c is refused by name" 1 "$_c: this runtime does not offer it" \
		"$ENGINE" "$_c" --image-path /x --leave-running "$C"
done
mkdir "$TMP/spec"
succeeds "spec" "$ENGINE" spec --bundle "$TMP/spec"
is "$(jq -r '.process.terminal, .root.path' "$TMP/spec/config.json" | tr '\n' ' ')" \
	"true rootfs " "spec: a shell on a terminal"
fails "spec does not overwrite" 1 'config.json: File exists' \
	"$ENGINE" spec --bundle "$TMP/spec"
rm "$TMP/spec/config.json"
run "$ENGINE" spec --rootless --bundle "$TMP/spec"
is "$(jq -c '.linux.uidMappings, [.linux.namespaces[].type | select(. == "user")],
	[.mounts[].options[] | select(startswith("gid="))]' "$TMP/spec/config.json" |
	tr '\n' ' ')" '[{"containerID":0,"hostID":0,"size":1}] ["user"] [] ' \
	"spec --rootless: the caller alone"

# --- globals ------------------------------------------------------------------------
for _r in / // ''; do
	fails "--root \"$_r\" is refused" 1 'root: want a directory of its own' \
		"$ENGINE" --root "$_r" delete -f etc
done
fails "--root that is not there" 1 'state directory .*none: No such file' \
	"$ENGINE" --root "$TMP/none" list
fails "--log-format of another kind" 1 'log-format: want text or json' \
	E --log-format xml list
for _g in --rootless=auto --rootless=false --criu=/bin/criu --cgroup-manager=cgroupfs \
	--systemd-cgroup=false --log-format=text; do
	bundle g '.process.args = ["true"]'
	succeeds "$_g" E "$_g" run --bundle "$TMP/g" "$C"
done
fails "in the log as json" 1 'does not exist' \
	E --log "$TMP/log" --log-format json state "$C"
is "$(jq -r '.level, .msg' "$TMP/log")" "error
container \"$C\" does not exist" "--log-format json"
rm "$TMP/log"
E --log "$TMP/log" state "$C" 2>/dev/null
like "$(cat "$TMP/log")" \
	"^time=\"20.*Z\" level=error msg=\"container ..$C.. does not exist\"\$" \
	"--log-format text: quotes are escaped"
rm "$TMP/log"
E --debug --log "$TMP/log" --log-format json run --bundle "$TMP/g" "$C"
is "$(jq -r 'select(.msg | test("clone|go$|keep")) | .level' "$TMP/log" | sort -u)" \
	debug "--debug: each step"
unlike "$(cat "$TMP/log")" 'PATH=|/bin/true' "E70 --debug: no argument, no environment"

# --- state, list -----------------------------------------------------------------------
bundle life '.process.args = ["sleep", "1000"] | .annotations = {"a.b": "c",
	"quote": "\"\\\n"} | .linux.namespaces -= [{"type": "pid"}]'
E create --bundle "$TMP/life" --pid-file "$TMP/pid" "$C"
P=$(cat "$TMP/pid")
is "$(E state "$C" | jq -cS 'del(.created)')" "$(jq -cnS --arg id "$C" \
	--arg b "$TMP/life" --argjson pid "$P" '{ociVersion: "1.3.0", id: $id,
	pid: $pid, status: "created", bundle: $b, rootfs: ($b + "/rootfs"),
	annotations: {"a.b": "c", quote: "\"\\\n"}, owner: "root"}')" \
	"state: every member"
like "$(E state "$C" | jq -r .created)" '^20..-..-..T..:..:..\.[0-9]*Z$' \
	"state: created"
is "$(E list -f json | jq -cS '.[0]')" "$(E state "$C" | jq -cS .)" \
	"list --format json: the same"
is "$(E list -q)" "$C" "list --quiet"
like "$(E list)" "^$C +$P +created +$TMP/life +20.*Z +root\$" "list"
is "$(E list | head -1 | tr -s ' ')" "ID PID STATUS BUNDLE CREATED OWNER" \
	"list: its head"
fails "list --format of another kind" 1 'format: want table or json' E list -f xml

# --- kill, by state ---------------------------------------------------------------------
succeeds "kill 0 of a created one" E kill "$C" 0
fails "start of no container" 1 'does not exist' E start "$C-no"
E start "$C"
fails "start of a running one" 1 'cannot start a container that is running' E start "$C"
for _s in KILL SIGKILL kill sigkill 9 term RTMIN+3 rtmax; do
	bundle kill '.process.args = ["sleep", "1000"]
		| .linux.namespaces -= [{"type": "pid"}]'
	E run -d --bundle "$TMP/kill" "$C-k"
	E kill "$C-k" "$_s"
	wait_for 5 status_is "$C-k" stopped && ok "kill $_s" || not_ok "kill $_s"
	E delete "$C-k"
done
for _s in SOUL -1 65 SIGSIGKILL ''; do
	fails "kill \"$_s\" is refused" 1 'unknown signal' E kill -- "$C" "$_s"
done
E run -d --bundle "$TMP/kill" "$C-k"
E pause "$C-k"
fails "pause of a paused one" 1 'cannot pause a container that is paused' E pause "$C-k"
fails "delete of a paused one" 1 'not stopped: paused' E delete "$C-k"
succeeds "kill KILL of a paused one" E kill "$C-k" KILL
wait_for 5 status_is "$C-k" stopped && ok "which ends" || not_ok "which ends"
fails "kill of a stopped one" 1 'container not running' E kill "$C-k"
succeeds "kill --all of a stopped one" E kill --all "$C-k"
fails "resume of a stopped one" 1 'cannot resume a container that is stopped' E resume "$C-k"
fails "start of a stopped one" 1 'cannot start a container that is stopped' E start "$C-k"
succeeds "delete of it" E delete "$C-k"
succeeds "delete --force again" E delete --force "$C-k"
E create --bundle "$TMP/kill" "$C-k"
succeeds "pause of a created one" E pause "$C-k"
is "$(E state "$C-k" | jq -r .status)" paused "which is paused then"
fails "start of a paused one" 1 'cannot start a container that is paused' E start "$C-k"
succeeds "resume of it" E resume "$C-k"
fails "delete of a created one" 1 'not stopped: created' E delete "$C-k"
is "$(E state "$C-k" | jq -r .status)" created "has no effect"
succeeds "delete --force of a created one" E delete --force "$C-k"

# --- ps ------------------------------------------------------------------------------------
E exec -d "$C" sh -c 'sleep 1001; true'
wait_for 5 sh -c '[ "$("$0" --root "$1" ps "$2" | grep -c "sleep 1001")" -ge 1 ]' \
	"$ENGINE" "$TMP/state" "$C"
run E ps "$C"
like "$OUT" '^UID +PID +PPID +C +STIME +TTY +TIME +CMD$' "ps: the head of ps -ef"
is "$(printf '%s\n' "$OUT" | awk 'NR > 1 {print $2}' | sort)" \
	"$(E ps -f json "$C" | jq '.[]' | sort)" "ps: its processes and no others"
run E ps "$C" -eo comm,pid
is "$(printf '%s\n' "$OUT" | grep -c sleep)" 2 "ps: options of ps"
fails "ps: options that show no pid" 1 'no column PID' E ps "$C" -eo comm
# without a pid namespace the others outlive the first
kill -9 "$P"
wait_for 5 status_is "$C" stopped
is "$(E ps -f json "$C" | jq length)" 2 "what the first process left is there"
succeeds "kill --all reaches it" E kill --all "$C" KILL
is "$(E ps -f json "$C")" "[]" "and nothing is left"
succeeds "delete" E delete "$C"

# --- events, update ---------------------------------------------------------------------------
E run -d --bundle "$TMP/kill" "$C"
run E events --stats "$C"
is "$(printf '%s' "$OUT" | jq -r '.type, .id, (.data.pids.current >= 1),
	(.data.memory.usage.usage > 0), (.data.cpu.usage.total > 0),
	(.data.memory.raw | length > 5)' | tr '\n' ' ')" "stats $C true true true true " \
	"events --stats"
E events --interval 100ms "$C" >"$TMP/events" &
_pid=$!
wait_for 5 grep -q stats "$TMP/events"
E kill "$C" KILL
wait "$_pid" && ok "events ends with the container" || not_ok "events ends"
fails "events of a stopped one" 1 'container not running' E events --stats "$C"
fails "events --interval 0s" 1 'interval: want a number over 0' E events --interval 0s "$C"
E delete "$C"
if [ -d /sys/fs/cgroup/memory ]; then
	G=/sys/fs/cgroup D=reconcile-$T_TAG/kill
	E run -d --bundle "$TMP/kill" "$C"
	succeeds "update" E update --memory 64M --memory-swap 96m --cpu-quota 30000 \
		--cpu-period 60000 --cpu-share 300 --pids-limit 77 "$C"
	is "$(cat $G/memory/$D/memory.limit_in_bytes $G/cpu/$D/cpu.cfs_quota_us \
		$G/cpu/$D/cpu.shares $G/pids/$D/pids.max | tr '\n' ' ')" \
		"67108864 30000 300 77 " "update: single values, units"
	E update --memory 1.5gb --memory-swap -1 --pids-limit -1 "$C"
	is "$(cat $G/memory/$D/memory.limit_in_bytes $G/pids/$D/pids.max | tr '\n' ' ')" \
		"1610612736 max " "update: fractions, no limit"
	for _u in '--memory 1x' '--memory 1.55g' '--memory -2' '--cpu-share -1' \
		'--cpu-period x' '--pids-limit 1.5'; do
		fails "update $_u" 1 "${_u%% *}: want" E update $_u "$C"
	done
	fails "update of Intel RDT" 1 'no Intel RDT' E update --l3-cache-schema x "$C"
	echo '[]' >"$TMP/res"
	fails "update by a file that is none" 1 'resources: want an object' \
		E update --resources "$TMP/res" "$C"
	E delete --force "$C"
else
	skip "update" "no cgroup v1 memory hierarchy"
fi

# --- run, create ----------------------------------------------------------------------------------
bundle r '.process.args = ["sh", "-c", "exit 3"]'
run E run --keep --bundle "$TMP/r" "$C"
is "$ST $(E state "$C" | jq -r .status)" "3 stopped" "run --keep"
E delete "$C"
bundle r '.process.args = ["nothing"]'
fails "a program that is not there: create" 1 'executable file not found in \$PATH' \
	E create --bundle "$TMP/r" "$C"
fails "a program that is not there: run" 1 'executable file not found in \$PATH' \
	E run --bundle "$TMP/r" "$C"
bundle r '.process.args = ["/etc"]'
fails "a program that may not run" 1 '[Pp]ermission denied' E run --bundle "$TMP/r" "$C"
fails "no bundle" 1 'bundle .*: No such file' E run --bundle "$TMP/none" "$C"
mkdir "$TMP/empty"
fails "no config" 1 'config.json: No such file' E run --bundle "$TMP/empty" "$C"
bundle r '.process.args = ["sh", "-c", "echo $LISTEN_FDS $LISTEN_PID; cat <&3"]'
(
	exec 3<<'HERE'
from socket
HERE
	export LISTEN_FDS=1 LISTEN_PID=1
	E run --bundle "$TMP/r" "$C" >"$TMP/out" 2>&1
	LISTEN_PID=2 E run --bundle "$TMP/r" "$C" >"$TMP/out2" 2>&1
)
is "$(cat "$TMP/out")" "1 1
from socket" "LISTEN_FDS of socket activation pass"
unlike "$(cat "$TMP/out2")" 'from socket' "those for another process do not"
LISTEN_FDS=2 LISTEN_PID=1 fails "LISTEN_FDS that are not open" 1 \
	'LISTEN_FDS: descriptor 3 is not open' E run --bundle "$TMP/r" "$C" 3>&- 4>&-
bundle r '.process.args = ["sh", "-c", "ls /proc/self/fd; cat <&4"]'
echo four >"$TMP/four"
E run --preserve-fds 2 --bundle "$TMP/r" "$C" >"$TMP/out" 3</dev/null 4<"$TMP/four"
is "$(tr '\n' ' ' <"$TMP/out")" "0 1 2 3 4 5 four " "--preserve-fds"
bundle r '.process.args = ["sh", "-c", "echo to >/dev/stderr"]
	| .process.user.uid = 1000 | .linux.namespaces -= [{"type": "user"}]
	| del(.linux.uidMappings) | del(.linux.gidMappings)'
sh -c '"$0" --root "$1" run --bundle "$2" "$3" 2>&1 | cat' "$ENGINE" "$TMP/state" \
	"$TMP/r" "$C" >"$TMP/out"
is "$(cat "$TMP/out")" to "a user's own end of a pipe can be opened again"
bundle r '.process.args = ["sh", "-c", "trap \"exit 8\" USR1; echo up
	while :; do sleep 0.05; done"]'
"$ENGINE" --root "$TMP/state" run --bundle "$TMP/r" --pid-file "$TMP/pid" "$C" \
	>"$TMP/out" 2>&1 &
_pid=$!
wait_for 5 grep -q up "$TMP/out"
is "$(cat "$TMP/pid")" "$(E state "$C" | jq .pid)" "run --pid-file"
kill -USR1 "$_pid"
ST=0
wait "$_pid" || ST=$?
is "$ST $(E list -q)" "8 " "run passes a signal on, ends with the status, deletes"

# --- what is left of a creation that was killed --------------------------------------------------
mkdir "$TMP/state/$C"
is "$(E state "$C" | jq -r .status)" creating "a folder alone: creating"
fails "kill of it" 1 'container not running \(creating' E kill "$C"
succeeds "delete --force of it" E delete --force "$C"
mkdir "$TMP/state/$C"
: >"$TMP/state/$C/state.json"
succeeds "delete --force of an empty state" E delete --force "$C"
mkdir "$TMP/state/$C"
echo '{' >"$TMP/state/$C/state.json"
fails "list tells what cannot be read" 0 "$C: config: .*unexpected end" E list
rm "$TMP/state/$C/state.json"
echo '{"id": "x", "bun' >"$TMP/state/$C/.state"
succeeds "delete --force of half a state" E delete --force "$C"
is "$(E list -q)" "" "nothing is left"
baseline_check "mounts, cgroups, namespaces, links as before"
finish
