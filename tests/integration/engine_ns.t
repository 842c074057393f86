#!/bin/sh
# Namespaces: each kind created, joined by path, or shared with the caller; a
# root in no mount namespace of its own; --no-pivot.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine-lib.sh"
need_program unshare
tmpdir
at_exit ns_cleanup
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
C=$T_TAG-c
HOLD=
NO_USER='del(.linux.uidMappings, .linux.gidMappings)
	| .linux.namespaces -= [{"type": "user"}]'
ns_cleanup()
{
	for _p in $HOLD; do
		kill -9 "$_p"
	done
	e_cleanup
}
ns_of() # PID NAME
{
	readlink "/proc/$1/ns/$2"
}
MOUNTS=$(sort /proc/self/mountinfo)

# --- shared with the caller -----------------------------------------------------------
# spec name|file in /proc/PID/ns
while IFS='|' read -r _t _f; do
	bundle one "$NO_USER | .linux.namespaces -= [{\"type\": \"$_t\"}]
		| if \"$_t\" == \"uts\" then del(.hostname) else . end"
	sh_in one "readlink /proc/self/ns/$_f"
	is "$OUT" "$(ns_of self "$_f")" "shared: $_t"
done <<'LIST'
mount|mnt
pid|pid
network|net
ipc|ipc
uts|uts
cgroup|cgroup
LIST
bundle none "$NO_USER | .linux.namespaces = [] | del(.hostname)"
sh_in none 'for n in mnt pid net ipc uts cgroup user time; do readlink /proc/self/ns/$n; done'
is "$OUT" "$(for _n in mnt pid net ipc uts cgroup user time; do ns_of self $_n; done)" \
	"no namespace at all"

# --- a root that hangs in no mount namespace ----------------------------------------------
bundle det "$NO_USER | .linux.namespaces -= [{\"type\": \"mount\"}]
	| .root.readonly = true | .process.args = [\"sleep\", \"100\"]
	| .mounts += [{\"destination\": \"/t\", \"type\": \"tmpfs\", \"source\": \"t\", \"options\": [\"ro\"]},
		{\"destination\": \"/v\", \"type\": \"bind\", \"source\": \"/etc\", \"options\": [\"rbind\", \"ro\"]}]"
mkdir "$TMP/det/rootfs/t" "$TMP/det/rootfs/v"
E create --bundle "$TMP/det" "$C" && E start "$C"
P=$(E state "$C" | jq .pid)
is "$(ns_of "$P" mnt)" "$(ns_of self mnt)" "it is in the caller's mount namespace"
is "$(sort /proc/self/mountinfo)" "$MOUNTS" "where nothing of it is mounted"
run E exec "$C" sh -c 'ls /; pwd; touch /x /t/x /v/x /sys/fs/cgroup/x; ls -A /sys/firmware
	cat /proc/1/comm; for f in /proc/sys/kernel/sysrq; do (exec 9>$f) 2>/dev/null && echo $f; done
	cd /; ls ../../..'
is "$OUT" "bin
dev
etc
proc
root
sys
t
tmp
v
/
sleep
bin
dev
etc
proc
root
sys
t
tmp
v" "exec finds its root, masks and read-only paths"
is "$(printf '%s\n' "$ERR" | grep -c 'Read-only file system')" 4 "root, tmpfs, bind, cgroups read-only"
succeeds "delete --force" E delete --force "$C"
is "$(sort /proc/self/mountinfo)" "$MOUNTS" "and nothing is left of its mounts"
CHROOT='.process.capabilities = (.process.capabilities | map_values(. + ["CAP_SYS_CHROOT"]))
	| del(.linux.seccomp)'
edit det "$CHROOT"' | .root.readonly = false'
sh_in det 'mkdir -p /tmp/d; cd /; chroot /tmp/d true 2>/dev/null; cd ../../../..; ls'
unlike "$OUT" '^(home|usr|var|boot)$' "nothing is above its root"
fails "not with a user namespace" 1 'a user namespace wants a new mount namespace' \
	sh -c "jq '.linux.namespaces += [{\"type\": \"user\"}]
		| .linux.uidMappings = [{\"containerID\": 0, \"hostID\": 0, \"size\": 9}]
		| .linux.gidMappings = .linux.uidMappings' '$TMP/det/config.json' >'$TMP/det/c' &&
		mv '$TMP/det/c' '$TMP/det/config.json'
		'$ENGINE' --root '$TMP/state' run --bundle '$TMP/det' $C"

# --- joined by path ------------------------------------------------------------------------
while IFS='|' read -r _t _f _o; do
	unshare "$_o" --fork sleep 1000 &
	HOLD="$HOLD $!"
	H=$!
	[ "$_f" = pid ] && F=pid_for_children || F=$_f
	wait_for 5 sh -c "[ \$(readlink /proc/$H/ns/$F) != $(ns_of self "$_f") ]"
	# a pid namespace has its first process from the fork on
	wait_for 5 sh -c "[ -n \"\$(cat /proc/$H/task/$H/children)\" ]"
	HOLD="$HOLD $(cat "/proc/$H/task/$H/children")"
	bundle join "$NO_USER | del(.hostname) | .linux.namespaces = [.linux.namespaces[]
		| if .type == \"$_t\" then .path = \"/proc/$H/ns/$F\" else . end]
		| .process.args = [\"sleep\", \"100\"]"
	BEFORE=$(cat "/proc/$H/mountinfo")
	E create --bundle "$TMP/join" "$C" && E start "$C"
	P=$(E state "$C" | jq .pid)
	is "$(ns_of "$P" "$_f")" "$(ns_of "$H" "$F")" "joined: $_t"
	run E exec "$C" sh -c 'ls /bin/busybox'
	is "$OUT" /bin/busybox "exec into it: $_t"
	is "$(cat "/proc/$H/mountinfo")" "$BEFORE" "its holder sees no mount: $_t"
	E delete --force "$C"
done <<'LIST'
mount|mnt|--mount
pid|pid|--pid
network|net|--net
ipc|ipc|--ipc
uts|uts|--uts
cgroup|cgroup|--cgroup
LIST
unshare --time --fork sleep 1000 &
H=$!
HOLD="$HOLD $H"
wait_for 5 sh -c "[ \$(readlink /proc/$H/ns/time_for_children) != $(ns_of self time) ]"
wait_for 5 sh -c "[ -n \"\$(cat /proc/$H/task/$H/children)\" ]"
HOLD="$HOLD $(cat "/proc/$H/task/$H/children")"
bundle jtime "$NO_USER | .linux.namespaces += [{\"type\": \"time\", \"path\": \"/proc/$H/ns/time_for_children\"}]"
sh_in jtime 'readlink /proc/self/ns/time'
is "$OUT" "$(ns_of "$H" time_for_children)" "joined: time"
bundle jbad "$NO_USER | .linux.namespaces += [{\"type\": \"time\", \"path\": \"/proc/$H/ns/net\"}]"
fails "a path of another kind" 1 'is no time namespace' E run --bundle "$TMP/jbad" "$C"
# The caller's own, named by its path.
bundle own "$NO_USER | .linux.namespaces = [.linux.namespaces[]
	| if .type == \"mount\" or .type == \"network\" then .path = \"/proc/$$/ns/\" + {\"mount\": \"mnt\", \"network\": \"net\"}[.type] else . end]"
sh_in own 'readlink /proc/self/ns/mnt; readlink /proc/self/ns/net; ls /bin/busybox'
is "$OUT" "$(ns_of self mnt)
$(ns_of self net)
/bin/busybox" "the caller's own by path"
is "$(sort /proc/self/mountinfo)" "$MOUNTS" "the host's mounts are as they were"

# --- time offsets ---------------------------------------------------------------------------
for _u in "$NO_USER" .; do
	bundle time "$_u | .linux.namespaces += [{\"type\": \"time\"}]
		| .linux.timeOffsets = {\"boottime\": {\"secs\": 864000, \"nanosecs\": 5},
			\"monotonic\": {\"secs\": 777}}"
	sh_in time 'cut -d. -f1 /proc/uptime; tr -s " " </proc/self/timens_offsets'
	[ "$(printf '%s' "$OUT" | head -1)" -gt 864000 ] && ok "boot time is later" ||
		not_ok "boot time is later" "$OUT $ERR"
	like "$OUT" '^monotonic 777 0$' "the offsets"
done

# --- --no-pivot --------------------------------------------------------------------------------
bundle nop "$NO_USER | $CHROOT"
edit nop '.process.args = ["sh", "-c", "cat /proc/self/mountinfo; ls /"]'
run E run --no-pivot --bundle "$TMP/nop" "$C"
is "$(printf '%s\n' "$OUT" | awk '$5 == "/" { n++ } END { print n }')" 1 "--no-pivot: the root"
is "$(printf '%s\n' "$OUT" | grep -c ' - proc ')" \
	"$(printf '%s\n' "$OUT" | grep -c ' /proc.* - proc ')" \
	"--no-pivot: no procfs of the host is left beneath"
edit nop '.process.args = ["sleep", "100"]'
E create --no-pivot --bundle "$TMP/nop" "$C" && E start "$C"
P=$(E state "$C" | jq .pid)
run E exec "$C" sh -c 'ls /bin/busybox; readlink /proc/self/ns/mnt'
is "$OUT" "/bin/busybox
$(ns_of "$P" mnt)" "--no-pivot: exec"
E delete --force "$C"
bundle nopu
fails "--no-pivot with a user namespace" 1 'not with a user namespace' \
	E run --no-pivot --bundle "$TMP/nopu" "$C"

for _p in $HOLD; do
	kill -9 "$_p" 2>/dev/null; wait "$_p" 2>/dev/null
done
HOLD=
is "$(E list -q)" "" "no state is left"
baseline_check "mounts, cgroups, namespaces, links as before"
finish
