#!/bin/sh
# The engine in the hands of an ordinary user, and of the root of a user
# namespace.  The user is a real one: no privilege, its own state, no writable
# control group but the one that is given to it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine-lib.sh"
need_program setpriv unshare newuidmap newgidmap
U=61234 # has no entry in /etc/passwd but the one of our own namespace
tmpdir
at_exit rl_cleanup
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
mkdir "$TMP/run" && chown $U:$U "$TMP/run" && chmod 700 "$TMP/run"
cp "$ENGINE" "$TMP/engine" && chmod 755 "$TMP/engine"
C=$T_TAG-c

# as_user CMD...: with an environment that has nothing but this
as_user()
{
	setpriv --reuid $U --regid $U --clear-groups env -i "PATH=$PATH" \
		"XDG_RUNTIME_DIR=$TMP/run" "$@"
}
R()
{
	as_user "$TMP/engine" "$@"
}
rl_groups()
{
	for _g in /sys/fs/cgroup/*/"reconcile-$T_TAG"; do
		[ ! -d "$_g" ] || rmdir "$_g"
	done
}
rl_cleanup()
{
	# podman leaves a process that holds its user namespace
	[ ! -s "$TMP/run/libpod/tmp/pause.pid" ] ||
		kill "$(cat "$TMP/run/libpod/tmp/pause.pid")"
	[ -z "${AGENT_PID:-}" ] || kill "$AGENT_PID"
	for _c in $(R list -q 2>/dev/null); do
		R delete --force "$_c"
	done
	rl_groups
	e_cleanup
}
# one id: the user's own, as the container's root
ONE='.linux.uidMappings = [{"containerID": 0, "hostID": '$U', "size": 1}]
	| .linux.gidMappings = .linux.uidMappings
	| (.mounts[] | select(.destination == "/dev/pts").options) -= ["gid=5"]'
rl_bundle()
{
	bundle "$1" "$ONE ${2:-}"
	chown -R $U:$U "$TMP/$1"
}
rl_sh() # NAME SCRIPT
{
	edit "$1" '.process.args = ["sh", "-c", $ENV.SCRIPT]'
	run R run --bundle "$TMP/$1" "$T_TAG-$1"
}

# --- one id ------------------------------------------------------------------------------
rl_bundle one
SCRIPT='id -u; tr -s " " </proc/self/uid_map; cat /proc/self/setgroups
	echo $$; hostname; touch /tmp/mine; stat -c %u /tmp/mine
	echo x >/dev/null && stat -c %t:%T /dev/null; ls /sys/class/net; ls -A /sys/fs/cgroup
	mknod /tmp/n c 1 3 2>/dev/null && echo made' \
	rl_sh one
is "$OUT" "0
 0 $U 1
deny
1
container
0
1:3
lo" "run with one id: root of its own namespaces, and nobody outside"
is "$(stat -c %u "$TMP/one/rootfs/tmp/mine")" $U "files belong to the user"
for _n in ipc mnt net pid user uts cgroup; do
	SCRIPT="readlink /proc/self/ns/$_n" rl_sh one
	[ "$OUT" != "$(readlink /proc/self/ns/$_n)" ] && [ -n "$OUT" ] &&
		ok "own namespace: $_n" || not_ok "own namespace: $_n" "$OUT $ERR"
done
edit one '.process.args = ["sleep", "100"]'
succeeds "create" R create --bundle "$TMP/one" --pid-file "$TMP/run/pid" "$C"
[ -d "$TMP/run/reconcile/engine/$C" ] && ok "its state is below XDG_RUNTIME_DIR" ||
	not_ok "its state is below XDG_RUNTIME_DIR"
succeeds "start" R start "$C"
is "$(R state "$C" | jq -r '.status, .pid' | tr '\n' ' ')" \
	"running $(cat "$TMP/run/pid") " "state"
is "$(R list -q)" "$C" "list"
run R exec "$C" sh -c 'id -u; cat /proc/1/comm; exit 7'
is "$ST $OUT" "7 0
sleep" "exec"
run R exec --user 1 "$C" true
is "$ST" 255 "exec as an id that is not mapped"
succeeds "kill" R kill "$C" KILL
wait_for 5 sh -c "! kill -0 $(cat "$TMP/run/pid")" && ok "killed" || not_ok "killed"
succeeds "delete" R delete "$C"
R create --bundle "$TMP/one" "$C" && R start "$C"
succeeds "delete --force" R delete --force "$C"
is "$(R list -q)" "" "nothing is left"
fails "without XDG_RUNTIME_DIR" 1 "/run/user/$U/reconcile/engine" \
	setpriv --reuid $U --regid $U --clear-groups env -i "PATH=$PATH" \
	"$TMP/engine" run --bundle "$TMP/one" "$C"

# --- what a user can have --------------------------------------------------------------------
rl_bundle more '| .linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "9000"}
	| .linux.namespaces += [{"type": "time"}] | .linux.timeOffsets.boottime.secs = 864000
	| .process.oomScoreAdj = -900 | .domainname = "dom"
	| .linux.devices = [{"type": "c", "path": "/dev/full", "major": 1, "minor": 7},
		{"type": "p", "path": "/dev/pipe"}]
	| .linux.rootfsPropagation = "rslave" | .root.readonly = true
	| .mounts += [{"destination": "/tmp", "type": "tmpfs", "source": "t", "options": ["tmpcopyup"]},
		{"destination": "/b", "type": "bind", "source": "/etc", "options": ["rbind", "ro"]}]'
mkdir "$TMP/more/rootfs/b"
chown $U:$U "$TMP/more/rootfs/b"
SCRIPT='cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax /proc/sys/kernel/domainname
	[ $(cut -d. -f1 /proc/uptime) -gt 864000 ] && echo later; stat -c %F /dev/pipe /dev/full
	touch /x /b/x; grep -q . /b/passwd && echo read' rl_sh more
is "$OUT" "1
9000
dom
later
fifo
character special file
read" "sysctl, time offsets, domain name, devices, binds, tmpfs"
is "$(printf '%s\n' "$ERR" | grep -c 'Read-only file system')" 2 "read-only root and bind"
# What shapes the process.
"$B/tests/seccomp_agent" "$TMP/run/agent" "$TMP/run/states" >/dev/null 2>&1 &
AGENT_PID=$!
wait_for 5 test -S "$TMP/run/agent" || not_ok "the listener listens"
chmod 777 "$TMP/run/agent"
rl_bundle shape '| .process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 99}]
	| .process.scheduler = {"policy": "SCHED_BATCH", "nice": 9}
	| .process.ioPriority = {"class": "IOPRIO_CLASS_IDLE", "priority": 0}
	| .linux.memoryPolicy = {"mode": "MPOL_PREFERRED", "nodes": "0"}
	| .linux.seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "'"$TMP/run/agent"'",
		"syscalls": [{"names": ["chmod", "fchmodat", "sendmsg", "read"],
			"action": "SCMP_ACT_NOTIFY"}]}'
SCRIPT='ulimit -Sn; ulimit -Hn; cut -d" " -f19,41 /proc/1/stat; ionice -p 1
	chmod 700 /tmp 2>&1' rl_sh shape
is "$OUT" "77
99
9 3
idle
chmod: /tmp: No medium found" "limits, scheduler, io priority, memory policy, a listener"
# A terminal of the container's own devpts, in the foreground.
rl_bundle tty '| .process.terminal = true | .process.args = ["sh", "-c", "tty; stat -c %t /dev/console"]'
run as_user script -qec "$TMP/engine run --bundle $TMP/tty $C" /dev/null
like "$(echo $OUT)" '/dev/pts/0.*88' "a terminal of its own devpts"

# --- control groups ---------------------------------------------------------------------------
rl_bundle lim '| .linux.resources.pids.limit = 12'
fails "limits without a control group" 1 'no control group is ours to write' \
	R run --bundle "$TMP/lim" "$C"
is "$(R list -q)" "" "and nothing is left"
if [ -d /sys/fs/cgroup/pids ]; then
	mkdir "/sys/fs/cgroup/pids/reconcile-$T_TAG"
	chown $U:$U "/sys/fs/cgroup/pids/reconcile-$T_TAG"
	SCRIPT='i=0; while [ $i -lt 30 ]; do sleep 5 & i=$((i+1)); done; echo all' rl_sh lim
	like "$ERR" "can't fork|Resource temporarily" "a group that is ours: the limit bites"
	edit lim '.process.args = ["sleep", "100"]'
	R create --bundle "$TMP/lim" "$C" && R start "$C"
	is "$(cat "/sys/fs/cgroup/pids/reconcile-$T_TAG/lim/pids.max")" 12 "its file"
	R exec --detach "$C" sleep 100
	is "$(R ps --format json "$C" | jq length)" 2 "ps"
	R delete --force "$C"
	is "$(ls -d /sys/fs/cgroup/pids/reconcile-$T_TAG/lim 2>&1 | grep -c 'No such')" 1 \
		"delete removes it"
	edit lim '.linux.resources.memory.limit = 33554432'
	fails "a limit of another hierarchy" 1 'memory' R run --bundle "$TMP/lim" "$C"
else
	skip "a control group of the user's" "no cgroup v1 pids hierarchy"
fi

# --- many ids ------------------------------------------------------------------------------------
# newuidmap reads /etc/passwd and /etc/subuid: ours, in a mount namespace.
printf 'root:x:0:0::/:/bin/sh\nuser:x:%d:%d::/:/bin/sh\n' $U $U >"$TMP/passwd"
printf 'root:x:0:\nuser:x:%d:\n' $U >"$TMP/group"
printf 'user:700000:65536\n' >"$TMP/subid"
cat >"$TMP/with-ids" <<'SH'
for f in passwd group; do mount --bind "$T/$f" /etc/$f; done
for f in subuid subgid; do mount --bind "$T/subid" /etc/$f; done
exec setpriv --reuid "$U" --regid "$U" --clear-groups env -i "PATH=$PATH" \
	"XDG_RUNTIME_DIR=$T/run" "LD_PRELOAD=/nonexistent.so" "$@"
SH
M() # CMD...
{
	T=$TMP U=$U unshare -m --propagation private sh "$TMP/with-ids" "$@"
}
[ -e /etc/subuid ] && [ -e /etc/subgid ] || skip_all "needs /etc/subuid and /etc/subgid"
rl_bundle many '| .linux.uidMappings += [{"containerID": 1, "hostID": 700000, "size": 65535}]
	| .linux.gidMappings = .linux.uidMappings
	| .process.user.additionalGids = [5, 6]
	| .process.args = ["sh", "-c", "tr -s \" \" </proc/self/uid_map; cat /proc/self/setgroups; id -G; touch /tmp/o; chown 7:8 /tmp/o"]'
run M "$TMP/engine" run --bundle "$TMP/many" "$C"
is "$OUT" " 0 $U 1
 1 700000 65535
allow
0 5 6" "many ids through newuidmap and newgidmap"
is "$(stat -c %u:%g "$TMP/many/rootfs/tmp/o")" "700006:700007" "owners are of the range"
edit many '.process.args = ["sleep", "100"] | .process.user = {"uid": 9, "gid": 9}'
M "$TMP/engine" create --bundle "$TMP/many" "$C" && M "$TMP/engine" start "$C"
run M "$TMP/engine" exec "$C" sh -c 'id -u; grep -c . /proc/1/status'
like "$OUT" '^9$' "exec beside a process of another id"
succeeds "delete --force kills it" M "$TMP/engine" delete --force "$C"
edit many '.linux.uidMappings[1].hostID = 800000'
fails "a range that is not the user's" 1 'newuidmap: exit status 1 .*subuid' \
	M "$TMP/engine" run --bundle "$TMP/many" "$C"
is "$(R list -q)" "" "and nothing is left"

# --- podman as that user -------------------------------------------------------------------------
if command -v podman >/dev/null; then
	rootfs "$TMP/podroot" && mkdir -p "$TMP/podroot/run" "$TMP/home"
	chown -R $U:$U "$TMP/podroot" "$TMP/home"
	PO() # ARG...
	{
		M env -u LD_PRELOAD HOME="$TMP/home" podman --root "$TMP/home/s" \
			--runroot "$TMP/run/r" --runtime "$TMP/engine" --storage-driver vfs \
			--cgroup-manager cgroupfs --events-backend file --log-level error "$@"
	}
	in_pod() # OPTION... -- SCRIPT
	{
		_args=
		while [ "$1" != -- ]; do
			_args="$_args $1"
			shift
		done
		# shellcheck disable=SC2086 # a list of options
		run PO run --rm --network none $_args --rootfs "$TMP/podroot" sh -c "$2"
	}
	cd "$TMP" || exit 1
	in_pod -- 'id -u; tr -s " " </proc/self/uid_map; touch /tmp/x'
	is "$OUT" "0
 0 $U 1
 1 700000 65536" "podman run"
	in_pod --userns keep-id -- 'id -u; touch /tmp/y'
	is "$OUT $(stat -c %u "$TMP/podroot/tmp/y")" "$U $U" "podman run --userns keep-id"
	in_pod --uidmap 0:1:1000 -- 'tr -s " " </proc/self/uid_map'
	is "$OUT" " 0 1 1000" "podman run --uidmap"
	run PO run --rm --network host --pid host --rootfs "$TMP/podroot" \
		sh -c 'readlink /proc/self/ns/net; readlink /proc/self/ns/pid'
	is "$OUT" "$(readlink /proc/self/ns/net)
$(readlink /proc/self/ns/pid)" "podman run --network host --pid host"
	in_pod --read-only --tmpfs /tmp --device /dev/full --privileged -- \
		'touch /x; touch /tmp/x && stat -c %t:%T /dev/full; mount -t tmpfs t /tmp && echo mounted'
	is "$OUT" "1:7
mounted" "podman run --privileged --read-only --tmpfs --device"
	PO run -d --name a --network none --rootfs "$TMP/podroot" sleep 100 >/dev/null 2>&1
	run PO exec a sh -c 'id -u; cat /proc/1/comm'
	is "$(echo $OUT)" "0 sleep" "podman exec"
	run PO run --rm --network container:a --pid container:a --ipc container:a \
		--rootfs "$TMP/podroot" cat /proc/1/comm
	is "$OUT" sleep "podman run with three namespaces of another container"
	succeeds "podman rm --force" PO rm -f -t 0 a
	cd "$TOP" || exit 1
else
	skip "podman as that user" "no podman"
fi

# --- our own executable (E01) ---------------------------------------------------------------
cp "$ENGINE" "$TMP/run/engine" && chown $U:$U "$TMP/run/engine"
SUM=$(sha256sum <"$TMP/run/engine")
edit one '.process.args = ["sleep", "100"]'
as_user "$TMP/run/engine" create --bundle "$TMP/one" "$C"
P=$(R state "$C" | jq .pid)
like "$(readlink "/proc/$P/exe")" '^/memfd:reconcile-engine' \
	"E01 an executable of the user's own: a sealed copy runs"
(: >>"/proc/$P/exe") 2>/dev/null && not_ok "E01 it cannot be written" ||
	ok "E01 it cannot be written"
R delete --force "$C"
is "$(sha256sum <"$TMP/run/engine")" "$SUM" "E01 the executable is unchanged"
R create --bundle "$TMP/one" "$C"
is "$(readlink "/proc/$(R state "$C" | jq .pid)/exe")" "$TMP/engine" \
	"E01 one of root's needs no copy"
R delete --force "$C"

# --- refusals --------------------------------------------------------------------------------
while IFS='|' read -r _f _m; do
	rl_bundle bad "| $_f"
	fails "refused: $_f" 1 "$_m" R run --bundle "$TMP/bad" "$C"
done <<'LIST'
.linux.namespaces -= [{"type": "mount"}]|mount namespace
.mounts += [{"destination": "/m", "type": "bind", "source": "/etc", "options": ["bind", "idmap"], "uidMappings": [{"containerID": 0, "hostID": 0, "size": 1}], "gidMappings": [{"containerID": 0, "hostID": 0, "size": 1}]}]|id-mapped mounts want root
.mounts += [{"destination": "/m", "type": "bind", "source": "/etc", "options": ["bind", "idmap"]}]|id-mapped mounts want root
.process.user.additionalGids = [1]|setgroups
.linux.uidMappings[0].hostID = 0|newuidmap
LIST
echo '{"lower": ["/"], "upper": "/u", "work": "/w"}' >"$TMP/over"
fails "refused: an overlay root" 1 'rootless: --overlay' \
	R run --bundle "$TMP/one" --overlay "$TMP/over" "$C"
fails "--rootless of another word" 1 'want auto, true or false' R --rootless maybe list
fails "--rootless=false is believed" 1 'Operation not permitted|Permission denied' \
	R --rootless=false run --bundle "$TMP/one" "$C"

# --- as root of a user namespace: how podman calls runtimes -------------------------------------
NOUSER='| del(.linux.uidMappings, .linux.gidMappings)
	| .linux.namespaces -= [{"type": "user"}]'
rl_bundle nest "$NOUSER"' | .process.args = ["sh", "-c", "id -u; echo x >/dev/null; stat -c %t /dev/null; ls /sys/class/net; echo $$"]'
for _how in -Ur -Urm; do
	run as_user unshare $_how "$TMP/engine" run --bundle "$TMP/nest" "$C"
	is "$OUT" "0
1
lo
1" "inside unshare $_how"
done
rl_bundle share "$NOUSER"' | .linux.namespaces -= [{"type": "network"}, {"type": "pid"}]
	| .process.args = ["sh", "-c", "for n in net pid; do readlink /proc/self/ns/$n; done; touch /sys/x"]'
run as_user unshare -Urm "$TMP/engine" run --bundle "$TMP/share" "$C"
is "$OUT" "$(readlink /proc/self/ns/net)
$(readlink /proc/self/ns/pid)" "inside it, with the host's network and processes"
like "$ERR" 'Read-only' "and the host's /sys read-only"
# A second user namespace in the first, and a container that joins both.
rl_bundle inner '| .linux.uidMappings[0].hostID = 0 | .linux.gidMappings = .linux.uidMappings'
cat >"$TMP/two" <<'SH'
e=$1 a=$2 b=$3
"$e" create --bundle "$a" pod-a && "$e" start pod-a
p=$("$e" state pod-a | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -1)
sed "s/@/$p/g" "$b/config.in" >"$b/config.json"
"$e" run --bundle "$b" pod-b
readlink "/proc/$p/ns/user" "/proc/$p/ns/net" "/proc/$p/ns/pid"
"$e" delete --force pod-a
SH
edit inner '.process.args = ["sleep", "100"]'
rl_bundle joins "$NOUSER"' | del(.hostname) | .linux.namespaces = [{"type": "mount"},
	{"type": "user", "path": "/proc/@/ns/user"}, {"type": "network", "path": "/proc/@/ns/net"}, {"type": "ipc", "path": "/proc/@/ns/ipc"},
	{"type": "pid", "path": "/proc/@/ns/pid"}]
	| .process.args = ["sh", "-c", "for n in user net pid; do readlink /proc/self/ns/$n; done"]'
cp "$TMP/joins/config.json" "$TMP/joins/config.in" && chmod 666 "$TMP/joins/config.json"
run as_user unshare -Urm sh "$TMP/two" "$TMP/engine" "$TMP/inner" "$TMP/joins"
[ "$(printf '%s\n' "$OUT" | wc -l)" = 6 ] &&
	[ "$(printf '%s\n' "$OUT" | head -3)" = "$(printf '%s\n' "$OUT" | tail -3)" ] &&
	ok "a user namespace in it, and another container that joins three of its" ||
	not_ok "a user namespace in it, and another container that joins three of its" "$OUT
$ERR"

is "$(R list -q)" "" "no state is left"
rl_groups
baseline_check "mounts, cgroups, namespaces, links as before"
finish
