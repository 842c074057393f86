#!/bin/sh
# Freezing and killing by cgroup v2: cgroup.freeze, cgroup.kill; E63: the tree
# that a container sees.
. "$(dirname "$0")/lib.sh"
TICK='while :; do echo x >>/tmp/ticks; usleep 20000; done'
ticks() { wc -c <"$TMP/fz/rootfs/tmp/ticks"; }
ticks_over() { [ "$(ticks)" -gt "$1" ]; }

bundle fz '.process.args = ["sh", "-c", "'"$TICK"'"]'
E create --bundle "$TMP/fz" "$C" && E start "$C"
wait_for 10 ticks_over 6
succeeds "pause" E pause "$C"
is "$(values fz cgroup.freeze) $(key fz cgroup.events frozen)" "1  1" \
	"pause: cgroup.freeze is 1 and the kernel says frozen"
is "$(E state "$C" | jq -r .status)" paused "state paused"
_n=$(ticks)
sleep 0.3	# the time in which a running one would tick
is "$(ticks)" "$_n" "a paused container does nothing"
fails "pause twice" 1 'paused' E pause "$C"
fails "exec in a paused one" 255 'in a paused container' E exec "$C" true
succeeds "resume" E resume "$C"
wait_for 10 ticks_over "$_n" && ok "and goes on" || not_ok "and goes on"
is "$(values fz cgroup.freeze)" "0 " "resume: cgroup.freeze is 0"
E pause "$C"
succeeds "kill KILL of a paused one" E kill "$C" KILL
wait_for 10 status_is "$C" stopped && ok "it ends although paused" ||
	not_ok "it ends although paused" "$(E state "$C")"
succeeds "delete" E delete "$C"
is "$(ls -d "$(CG fz)" 2>&1 | grep -c 'No such')" 1 "its group is gone"

E create --bundle "$TMP/fz" "$C" && E start "$C" && E pause "$C"
succeeds "a frozen one is deleted by force" E delete --force "$C"
is "$(ls -d "$G/reconcile-$T_TAG" 2>&1 | grep -c 'No such')" 1 \
	"and its groups are gone"

# --- cgroup.kill ----------------------------------------------------------------
# Processes that fork all the time, in sessions of their own, in the pid
# namespace of the host: only the group holds them together.
NO_USER='del(.linux.uidMappings, .linux.gidMappings, .linux.seccomp)
	| .linux.namespaces -= [{"type": "user"}]'
bundle bomb "$NO_USER"'
	| .linux.resources.pids.limit = 60
	| .linux.namespaces -= [{"type": "pid"}]
	| .process.args = ["sh", "-c", "
		b() { while :; do setsid sleep 0.3 & setsid sh -c \"sleep 0.4\" & wait; done; }
		b & b & b & sleep 1000"]'
E create --bundle "$TMP/bomb" "$C" && E start "$C"
many() { [ "$(cat "$(CG bomb)/pids.current")" -gt 6 ]; }
wait_for 20 many && ok "a tree that forks" || not_ok "a tree that forks"
mkdir "$(CG bomb)/sub" "$(CG bomb)/sub/deep"
E kill --all "$C" KILL
empty() { [ "$(key bomb cgroup.events populated)" = 0 ]; }
wait_for 10 empty && ok "kill --all ends a tree that forks" ||
	not_ok "kill --all ends a tree that forks" "$(values bomb cgroup.procs)"
E delete --force "$C"
E create --bundle "$TMP/bomb" "$C" && E start "$C"
wait_for 20 many && ok "and once more" || not_ok "and once more"
succeeds "delete --force of a tree that forks" E delete --force "$C"
is "$(ls -d "$(CG bomb)" 2>&1 | grep -c 'No such')" 1 "its group is gone"
# A process that was put into a group below.
bundle sub '.process.args = ["sleep", "1000"]'
E create --bundle "$TMP/sub" "$C" && E start "$C"
E exec --detach --pid-file "$TMP/p2" "$C" sleep 1000
mkdir -p "$(CG sub)/a/b" && cat "$TMP/p2" >"$(CG sub)/a/b/cgroup.procs"
like "$(E ps --format json "$C")" "$(cat "$TMP/p2")" "ps sees groups below"
succeeds "delete --force with groups below" E delete --force "$C"
is "$(ls -d "$(CG sub)" /proc/"$(cat "$TMP/p2")" 2>/dev/null)" "" \
	"the group, those below and their processes are gone"

# --- groups below ------------------------------------------------------------------
# A service manager inside has moved everything down and handed controllers on.
E create --bundle "$TMP/sub" "$C" && E start "$C"
P=$(E state "$C" | jq .pid)
mkdir "$(CG sub)/init" && echo "$P" >"$(CG sub)/init/cgroup.procs"
echo '+memory +pids' >"$(CG sub)/cgroup.subtree_control"
is "$(E exec "$C" sh -c 'sed -n "s/^0:://p" /proc/self/cgroup')" /init \
	"exec joins the group of init where the container's takes none"
succeeds "delete --force" E delete --force "$C"
mkdir -p "$(CG sub)" && echo 1 >"$(CG sub)/cgroup.freeze"
fails "a frozen group is not taken over" 1 'is there already, and frozen' \
	E create --bundle "$TMP/sub" "$C"
rmdir "$(CG sub)" "$G/reconcile-$T_TAG"

# --- E63 ----------------------------------------------------------------------------
LOOK='cat /proc/self/cgroup; ls -d /sys/fs/cgroup/reconcile* 2>/dev/null
	grep -c " /sys/fs/cgroup " /proc/self/mountinfo
	for f in cgroup.procs cgroup.freeze cgroup.kill memory.max pids.max; do
		[ -e /sys/fs/cgroup/$f ] || echo "no $f"
		(exec 9>/sys/fs/cgroup/$f) 2>/dev/null && echo "$f can be written"
	done; mkdir /sys/fs/cgroup/x 2>/dev/null && echo made; echo done'
bundle look
sh_in look "$LOOK"
is "$OUT" "0::/
1
done" "E63 own group as the root, all of it read-only"
bundle look2 "$NO_USER"
sh_in look2 "$LOOK"
is "$OUT" "0::/
1
done" "E63 the same for the host's root"
baseline_check "no group, mount or namespace is left"
finish
