#!/bin/sh
# The systemd driver in the hands of an ordinary user: a scope of his own
# systemd, a real one.
. "$(dirname "$0")/lib.sh"
[ -d /run/systemd/system ] || skip_all "needs systemd as pid 1"
UNIT=pod-$C.scope

f()
{
	for _f; do
		cat "$D/$_f"
	done 2>&1 | tr '\n' ' '
}

# It moves only what it has below it, so the engine runs as a service of it.
RUN=/run/user/1000
echo 'u:x:1000:1000:u:/tmp:/bin/sh' >>/etc/passwd
echo 'u:x:1000:' >>/etc/group
mkdir -p "$RUN/systemd/user"
printf '[Service]\nType=oneshot\nExecStart=/bin/sh %s\n' "$TMP/cmd" \
	>"$RUN/systemd/user/cmd.service"
chown -R 1000:1000 "$RUN"
chmod 755 "$TMP"
# Without dependencies: the first service that has them empties /tmp.
systemd-run --quiet --unit="user-$T_TAG" --uid=1000 -p Delegate=yes \
	-p DefaultDependencies=no \
	--setenv=XDG_RUNTIME_DIR="$RUN" --setenv=HOME=/tmp \
	/lib/systemd/systemd --user
at_exit 'systemctl kill -s KILL user-'"$T_TAG"
private() { [ -S "$RUN/systemd/private" ]; }
wait_for 20 private && ok "a systemd of a user" || not_ok "a systemd of a user"
mkdir "$TMP/u"
chown 1000:1000 "$TMP/u"

# W WORDS...: the engine as that user
W()
{
	printf '%s --root %s/u/state %s >%s/u/out 2>&1 </dev/null\n' "$ENGINE" \
		"$TMP" "$*" "$TMP" >"$TMP/cmd"
	setpriv --reuid 1000 --regid 1000 --clear-groups \
		env XDG_RUNTIME_DIR="$RUN" systemctl --user start cmd.service
	_w=$?
	cat "$TMP/u/out"
	return $_w
}
bundle w '.process.args = ["sleep", "1000"]
	| .linux.cgroupsPath = "user.slice:pod:'"$C"'"
	| .linux.uidMappings = [{"containerID": 0, "hostID": 1000, "size": 1}]
	| .linux.gidMappings = .linux.uidMappings
	| .mounts |= map(if .type == "devpts" then .options -= ["gid=5"] else . end)
	| .linux.resources = {"memory": {"limit": 67108864}, "pids": {"limit": 50}}'
chown -R 1000:1000 "$TMP/w"
succeeds "create by a user" W --systemd-cgroup create --bundle "$TMP/w" "$C"
_p=$(W state "$C" | jq .pid)
D=$G/system.slice/user-$T_TAG.service/user.slice/$UNIT
is "$(cat "/proc/$_p/cgroup")" "0::${D#"$G"}" "the scope is below the user's systemd"
is "$(f memory.max pids.max)" "67108864 50 " "with its limits"
W start "$C"
succeeds "update" W update --memory 33554432 "$C"
is "$(f memory.max)" "33554432 " "of a limit"
succeeds "delete --force" W delete --force "$C"
ugone() { [ ! -e "$D" ]; }
wait_for 10 ugone && ok "the scope is gone" || not_ok "the scope is gone"
finish
