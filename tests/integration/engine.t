#!/bin/sh
# The engine's whole life of a container, with a real busybox root.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine-lib.sh"
tmpdir
at_exit e_cleanup
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
C=$T_TAG-c

# --- life -------------------------------------------------------------------
bundle life '.process.args = ["sleep", "1000"]'
succeeds "create" E create --bundle "$TMP/life" --pid-file "$TMP/pid" "$C"
is "$(E state "$C" | jq -r '.status, .pid, .id, .bundle' | tr '\n' ' ')" \
	"created $(cat "$TMP/pid") $C $TMP/life " "state of a created container"
fails "a second one of the same id is refused" 1 'already exists' \
	E create --bundle "$TMP/life" "$C"
succeeds "start" E start "$C"
is "$(E state "$C" | jq -r .status)" running "state running"
fails "start twice" 1 'want created' E start "$C"
fails "delete of a running one" 1 'not stopped: running' E delete "$C"
is "$(E list --format json | jq -r '.[].id')" "$C" "list --format json"
like "$(E list)" "^$C +$(cat "$TMP/pid") +running" "list as a table"
is "$(E ps --format json "$C")" "[$(cat "$TMP/pid")]" "ps --format json"
run E exec "$C" sh -c 'echo out; echo err >&2; exit 7'
is "$ST $OUT $ERR" "7 out err" "exec: status, output, error output"
run E exec --cwd /tmp --env A=b --user 5:6 "$C" sh -c 'pwd; echo $A; id -u; id -g'
is "$OUT" "/tmp
b
5
6" "exec --cwd --env --user"
fails "exec of nothing" 255 'executable file not found' E exec "$C" nothing
jq '.process | .args = ["sh", "-c", "echo $B"] | .env += ["B=file"]' \
	"$TMP/life/config.json" >"$TMP/process"
run E exec --process "$TMP/process" "$C"
is "$OUT" file "exec --process"
run E exec --detach --pid-file "$TMP/pid2" "$C" sleep 1000
is "$(wc -w <"$TMP/pid2") $ST" "1 0" "exec --detach --pid-file"
succeeds "pause" E pause "$C"
is "$(E state "$C" | jq -r .status)" paused "state paused"
fails "exec in a paused one" 255 'in a paused container' E exec "$C" true
succeeds "resume" E resume "$C"
succeeds "kill KILL" E kill "$C" KILL
wait_for 5 status_is "$C" stopped && ok "state stopped" || not_ok "state stopped"
is "$(E state "$C" | jq -r .pid)" 0 "no pid when stopped"
fails "kill of a stopped one" 1 'not running' E kill "$C"
succeeds "delete" E delete "$C"
fails "state afterwards" 1 'does not exist' E state "$C"
succeeds "delete --force of nothing" E delete --force "$C"
fails "delete of nothing" 1 'does not exist' E delete "$C"
E create --bundle "$TMP/life" "$C" && E start "$C" && E pause "$C"
succeeds "a frozen one is deleted by force" E delete --force "$C"

# --- run --------------------------------------------------------------------
bundle run
sh_in run 'exit 42'
is "$ST" 42 "run: exit status of the program"
sh_in run 'kill -9 $$; sleep 9'
is "$ST" 0 "run: the first process ignores its own signals"
sh_in run 'id -u; hostname; cat /proc/1/comm; echo $$'
is "$OUT" "0
container
sh
1" "run: root of its own pid and uts namespace"
edit run '.process.args = ["./echo", "relative"] | .process.cwd = "/bin"'
run E run --bundle "$TMP/run" "$C"
is "$ST $OUT" "0 relative" "run: a program relative to the working directory"
edit run '.process.cwd = "/"'
sh_in run 'cat /proc/self/uid_map | tr -s " "'
is "$OUT" " 0 $HOST_ID 65536" "user namespace with a range of its own"
sh_in run 'cat /sys/class/net/lo/flags; ls /sys/class/net'
is "$OUT" "0x9
lo" "network namespace with its loopback up"
for _n in cgroup ipc mnt net pid user uts; do
	sh_in run "readlink /proc/self/ns/$_n"
	if [ "$OUT" != "$(readlink /proc/self/ns/$_n)" ]; then
		ok "own namespace: $_n"
	else
		not_ok "own namespace: $_n" "$OUT"
	fi
done
edit run '.linux.namespaces += [{"type": "time"}]
	| .linux.timeOffsets.boottime.secs = 864000'
sh_in run 'cut -d. -f1 /proc/uptime; readlink /proc/self/ns/time'
[ "$(printf '%s' "$OUT" | head -1)" -gt 864000 ] && ok "time offset" ||
	not_ok "time offset" "$OUT"
edit run '.linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "9000"}'
sh_in run 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax'
is "$OUT" "1
9000" "sysctl of its namespaces"
edit run '.linux.sysctl = {"kernel.core_pattern": "|/x"}'
fails "sysctl of the host" 1 'not a setting of a namespace' \
	E run --bundle "$TMP/run" "$C"
edit run 'del(.linux.sysctl) | .process.rlimits = [{"type": "RLIMIT_NOFILE",
	"soft": 77, "hard": 99}] | .process.user.umask = 63'
sh_in run 'ulimit -Sn; ulimit -Hn; umask'
is "$OUT" "77
99
0077" "rlimits and umask"
edit run 'del(.process.rlimits)'

# --- mounts -----------------------------------------------------------------
mkdir "$TMP/vol" && echo data >"$TMP/vol/f" && chmod 777 "$TMP/vol"
bundle mounts '.mounts += [
	{"destination": "/a/b", "type": "bind", "source": "'"$TMP/vol"'",
		"options": ["rbind", "rro", "nosuid", "nodev", "noexec"]},
	{"destination": "/a/file", "type": "bind", "source": "'"$TMP/vol/f"'",
		"options": ["bind"]},
	{"destination": "/t", "type": "tmpfs", "source": "tmpfs",
		"options": ["size=64k", "mode=700", "ro"]},
	{"destination": "/mapped", "type": "bind", "source": "'"$TMP/vol"'",
		"options": ["bind", "idmap"]},
	{"destination": "/etc", "type": "tmpfs", "source": "tmpfs",
		"options": ["tmpcopyup"]}]'
echo keep >"$TMP/mounts/rootfs/etc/conf"
sh_in mounts 'cat /a/b/f /a/file; echo x >/a/b/f; cat /etc/conf
	stat -c %u /mapped/f; grep -o " /t [a-z,]*" /proc/self/mountinfo
	grep " /a/b " /proc/self/mountinfo | cut -d" " -f6'
is "$OUT" "data
data
keep
0
 /t ro,relatime
ro,nosuid,nodev,noexec,relatime" "binds, tmpfs, idmap, tmpcopyup, options"
edit mounts '.mounts[-1].options = ["bind", "nonsense"]
	| .mounts[-1].source = "/tmp"'
fails "an unknown option of a bind is refused" 1 'option "nonsense"' \
	E run --bundle "$TMP/mounts" "$C"
bundle ro '.root.readonly = true'
sh_in ro 'touch /x; echo $?'
is "$OUT" 1 "a read-only root"

# --- overlay ----------------------------------------------------------------
bundle over '.root.path = "none"'
mkdir -p "$TMP/lower" "$TMP/pod/upper" "$TMP/pod/work"
chmod 700 "$TMP/pod"
echo low >"$TMP/lower/low"
chown -R 200000:200000 "$TMP/lower"
mv "$TMP/over/rootfs" "$TMP/base" && chown -Rh 200000:200000 "$TMP/base"
chown 201234:200005 "$TMP/base/bin/busybox"
cat >"$TMP/overlay" <<JSON
{"lower": ["$TMP/lower", "$TMP/base"], "upper": "$TMP/pod/upper",
 "work": "$TMP/pod/work", "lowerIdmap": {"hostID": 200000, "size": 65536}}
JSON
edit over '.process.args = ["sh", "-c", "cat /low;
	stat -c %u:%g /bin/busybox /low; echo up >/up; grep -c overlay /proc/self/mountinfo"]'
run E run --bundle "$TMP/over" --overlay "$TMP/overlay" "$C"
is "$OUT" "low
1234:5
0:0
1" "overlay: layers merged, owners of the layers mapped"
is "$(stat -c %u "$TMP/pod/upper/up")" "$HOST_ID" \
	"overlay: the upper directory belongs to the container's root"
is "$(stat -c %u "$TMP/lower/low")" 200000 "overlay: layers untouched"
edit over '.process.args = ["sleep", "100"]'
E create --bundle "$TMP/over" --overlay "$TMP/overlay" "$C" && E start "$C"
run E exec "$C" sh -c 'cat /up; cut -d" " -f5 /proc/self/mountinfo | sort -u | grep -c "^/$"'
is "$OUT" "up
1" "overlay: exec sees the same root, nothing of the host beneath"
grep -q overlay /proc/self/mountinfo && grep -q "$TMP" /proc/self/mountinfo &&
	not_ok "overlay: nothing in the host's namespace" ||
	ok "overlay: nothing in the host's namespace"

# --- a pod: joined namespaces -------------------------------------------------
P=$(E state "$C" | jq .pid)
bundle pod '.linux.namespaces = [
	{"type": "user", "path": "/proc/'"$P"'/ns/user"},
	{"type": "network", "path": "/proc/'"$P"'/ns/net"},
	{"type": "ipc", "path": "/proc/'"$P"'/ns/ipc"},
	{"type": "uts", "path": "/proc/'"$P"'/ns/uts"},
	{"type": "pid", "path": "/proc/'"$P"'/ns/pid"},
	{"type": "mount"}, {"type": "cgroup"}]
	| del(.hostname)'
sh_in pod 'for n in user net ipc uts pid; do readlink /proc/self/ns/$n; done
	cat /proc/1/comm'
is "$OUT" "$(for _n in user net ipc uts pid; do readlink "/proc/$P/ns/$_n"; done)
sleep" "pod: five namespaces joined by path"
edit pod '.linux.namespaces[1].path = "/proc/'"$P"'/ns/uts"'
fails "pod: a namespace of another type" 1 'no network namespace' \
	E run --bundle "$TMP/pod" "$C-2"
E delete --force "$C"

# --- limits that bite ----------------------------------------------------------
if [ -d /sys/fs/cgroup/memory ]; then
	bundle lim '.linux.resources = {
		"memory": {"limit": 33554432}, "pids": {"limit": 12},
		"cpu": {"quota": 20000, "period": 50000, "shares": 700}}'
	G=/sys/fs/cgroup
	sh_in lim 'dd if=/dev/zero of=/dev/null bs=64M count=1; echo $?'
	is "$OUT" 137 "memory limit kills"
	sh_in lim 'i=0; while [ $i -lt 30 ]; do sleep 5 & i=$((i+1)); done; echo all'
	like "$ERR" "can't fork|Resource temporarily" "pids limit stops a fork bomb"
	edit lim '.process.args = ["sleep", "100"]'
	E create --bundle "$TMP/lim" "$C"
	D=reconcile-$T_TAG/lim
	is "$(cat $G/cpu/$D/cpu.cfs_quota_us $G/cpu/$D/cpu.cfs_period_us \
		$G/cpu/$D/cpu.shares $G/memory/$D/memory.limit_in_bytes \
		$G/pids/$D/pids.max | tr '\n' ' ')" \
		"20000 50000 700 33554432 12 " "the files of the limits"
	echo '{"memory": {"limit": 67108864}, "pids": {"limit": 20}}' |
		E update --resources - "$C"
	E update --cpu-share 900 "$C"
	is "$(cat $G/memory/$D/memory.limit_in_bytes $G/pids/$D/pids.max \
		$G/cpu/$D/cpu.shares | tr '\n' ' ')" "67108864 20 900 " "update"
	E delete --force "$C"
	edit lim '.linux.resources = {"cpu": {"cpus": "99999"}}'
	fails "a limit that cannot be set is an error" 1 'cpuset.cpus' \
		E create --bundle "$TMP/lim" "$C"
	edit lim '.linux.resources = {"unified": {"memory.high": "1"}}'
	fails "a limit without its controller is an error" 1 'memory.high' \
		E create --bundle "$TMP/lim" "$C"
else
	skip "limits" "no cgroup v1 memory hierarchy"
fi

# --- seccomp ----------------------------------------------------------------
# A profile that knows nothing of our own last steps: what comes between it and
# the program are capset, prctl, write (of an error) and execve.
bundle narrow '.linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW",
	"syscalls": [{"action": "SCMP_ACT_ERRNO", "errnoRet": 1, "names":
		["openat2", "faccessat", "faccessat2", "close_range", "getcwd",
		"fchdir", "chdir", "setresuid", "setresgid", "setgroups"]}]}
	| .process.noNewPrivileges = false'
sh_in narrow 'grep -E "^(Seccomp|CapEff|NoNewPrivs):" /proc/self/status; true'
like "$OUT" '^Seccomp:.2$' "a narrow filter, without no_new_privs"
edit narrow '.process.user = {"uid": 1234, "gid": 1234} | del(.process.capabilities)'
sh_in narrow 'grep -E "^(Seccomp|CapPrm|CapEff|NoNewPrivs):" /proc/self/status; true'
is "$OUT" "$(printf 'CapPrm:\t%016d\nCapEff:\t%016d\nNoNewPrivs:\t0\nSeccomp:\t2' 0 0)" \
	"and for a user without capabilities, who keeps none"

# --- hooks ------------------------------------------------------------------
bundle hooks
for _h in prestart createRuntime poststart poststop; do
	edit hooks '.hooks.'$_h' = [{"path": "/bin/sh", "args": ["sh", "-c",
		"echo '$_h' $(jq -r .status) >>'"$TMP"'/hooks.log"],
		"env": ["PATH=/usr/bin:/bin"]}]'
done
edit hooks '.hooks.createContainer = [{"path": "/bin/sh", "args": ["sh", "-c",
	"echo createContainer >&2"]}]
	| .hooks.startContainer = [{"path": "/bin/touch", "args": ["touch",
		"/started"]}]'
sh_in hooks 'ls /started'
is "$(cat "$TMP/hooks.log") $OUT" "prestart created
createRuntime created
poststart running
poststop stopped /started" "hooks in order, with their state"
edit hooks '.hooks = {"prestart": [{"path": "/bin/true"}]}
	| .annotations.long = ("x" * 200000)'
succeeds "a hook need not read its state, however long" \
	timeout 20 "$ENGINE" --root "$TMP/state" run --bundle "$TMP/hooks" "$C"
edit hooks '.hooks.createRuntime = [{"path": "/bin/false"}] | del(.annotations)'
fails "a hook that fails ends the creation" 1 'createRuntime hook #0: /bin/false: exit status 1' \
	E create --bundle "$TMP/hooks" "$C"
fails "and leaves nothing" 1 'does not exist' E state "$C"

# --- bad input ----------------------------------------------------------------
bundle bad
for _t in 'x/../y' '' '..' '-a' '.a' 'a b' "$(printf '%0129d' 1)"; do
	fails "id \"$(printf %.20s "$_t")\" is refused" 1 \
		'container id|want 1 operand|unknown option' \
		E create --bundle "$TMP/bad" -- "$_t"
done
# filter|words of the message
while IFS='|' read -r _f _m; do
	bundle bad "$_f"
	fails "refused: $_f" 1 "$_m" E create --bundle "$TMP/bad" "$C"
done <<'LIST'
.process.args = []|process.args: want at least one
.process.cwd = "x"|process.cwd: want an absolute path
.process.env = ["A"]|process.env\[0\]: want NAME=VALUE
.linux.namespaces += [{"type": "pid"}]|pid is there twice
.linux.namespaces += [{"type": "soul"}]|unknown namespace "soul"
.linux.namespaces -= [{"type": "uts"}]|hostname and domainname want a uts
.linux.cgroupsPath = "/a/../../b"|cgroupsPath
.linux.intelRdt = {"closID": "a"}|linux.intelRdt: not supported
.process.user.uid = 4294967296|process.user.uid: want an integer of 0
.process.user.uid = -1|process.user.uid: want an integer of 0
.process.terminal = true|without --console-socket
.linux.seccomp.defaultAction = "SCMP_ACT_NOTIFY"|SCMP_ACT_NOTIFY cannot be used as default
.linux.seccomp.syscalls[0].action = "X"|unknown action "X"
.linux.rootfsPropagation = "x"|rootfsPropagation: unknown value
.root.path = "nothing"|open_tree nothing
.ociVersion = "2.0"|want 1.x
.mounts[0].type = "nofs"|file system type nofs
.mounts[1].options = ["foo=bar"]|foo
LIST
fails "systemd cgroups where no systemd runs" 1 'no systemd runs here' \
	E --systemd-cgroup create --bundle "$TMP/bad" "$C"
is "$(E list -q)" "" "refusals leave no state"
rmdir "$TMP/state"
baseline_check "mounts, cgroups, namespaces, links as before"
finish
