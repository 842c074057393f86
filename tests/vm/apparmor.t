#!/bin/sh
# AppArmor profiles, on a kernel that has it: run, create, exec; E18 and E19
# with a container that puts its own files over procfs.
# Seen red with GUARD_OFF_LSM_PROC.
. "$(dirname "$0")/lib.sh"
[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] ||
	skip_all "needs a kernel with AppArmor"
for _p in one two; do
	cat >"$TMP/profile" <<PROFILE
profile $T_TAG-$_p flags=(attach_disconnected,mediate_deleted) {
	capability, file, network, signal, ptrace, mount, umount, pivot_root,
	deny /secret-$_p rw,
}
PROFILE
	apparmor_parser -r "$TMP/profile"
done
unload()
{
	for _p in one two; do
		printf %s "$T_TAG-$_p" >/sys/kernel/security/apparmor/.remove
	done
}
at_exit unload
NO_USER='del(.linux.uidMappings, .linux.gidMappings)
	| .linux.namespaces -= [{"type": "user"}]'
LABEL='cat /proc/self/attr/current; cat /secret-one /secret-two 2>&1'
CONFINED="$T_TAG-one (enforce)
cat: can't open '/secret-one': Permission denied
2"

for _nnp in true false; do
	bundle aa ".process.noNewPrivileges = $_nnp
		| .process.apparmorProfile = \"$T_TAG-one\""
	echo 1 >"$TMP/aa/rootfs/secret-one"
	echo 2 >"$TMP/aa/rootfs/secret-two"
	sh_in aa "$LABEL"
	is "$OUT" "$CONFINED" "run is confined (noNewPrivileges $_nnp)"
	edit aa '.process.user = {"uid": 1000, "gid": 1000}'
	sh_in aa "$LABEL"
	is "$OUT" "$CONFINED" "and so is another user (noNewPrivileges $_nnp)"
done
bundle aa '.process.apparmorProfile = "'"$T_TAG"'-one"
	| .process.args = ["sleep", "1000"]
	| .hooks.startContainer = [{"path": "/bin/sh", "args": ["sh", "-c",
		"cat /proc/self/attr/current >/hook"]}]'
succeeds "create" E create --bundle "$TMP/aa" "$C"
succeeds "start, whose label was opened long before" E start "$C"
P=$(E state "$C" | jq .pid)
is "$(cat "/proc/$P/attr/current")" "$T_TAG-one (enforce)" "the first process is confined"
is "$(cat "$TMP/aa/rootfs/hook")" unconfined "the hook before it is not"
is "$(ls "/proc/$P/fd" | tr '\n' ' ')" "0 1 2 " "it holds nothing of ours"
run E exec "$C" sh -c "$LABEL"
is "$OUT" "$CONFINED" "exec is confined as the container is"
run E exec --apparmor "$T_TAG-two" "$C" cat /proc/self/attr/current
is "$OUT" "$T_TAG-two (enforce)" "exec --apparmor"
fails "exec: a profile that is not loaded" 255 'apparmorProfile no-such: No such file' \
	E exec --apparmor no-such "$C" true
E delete --force "$C"
bundle aa '.process.apparmorProfile = "no-such"'
fails "run: a profile that is not loaded" 1 'apparmorProfile no-such: No such file' \
	E run --bundle "$TMP/aa" "$C"
bundle aa '.process.apparmorProfile = "a b"'
fails "a profile with white space" 1 'no white space' E run --bundle "$TMP/aa" "$C"
bundle aa '.process.selinuxLabel = "a:b:c:d"'
fails "a label of SELinux" 1 'selinuxLabel: this kernel runs without SELinux' \
	E run --bundle "$TMP/aa" "$C"

# --- E18, E19 ---------------------------------------------------------------------
# Root of the host with all that lets it mount: its /proc is what it likes.
bundle e19 "$NO_USER"' | del(.linux.seccomp, .linux.maskedPaths, .linux.readonlyPaths)
	| .process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])
	| .process.apparmorProfile = "'"$T_TAG"'-one"
	| .process.args = ["sh", "-c", "mount -t tmpfs none /proc &&
		for d in self thread-self; do
			mkdir -p /proc/$d/attr/apparmor
			touch /proc/$d/attr/exec /proc/$d/attr/apparmor/exec
		done; touch /ready; sleep 1000"]'
E create --bundle "$TMP/e19" "$C" && E start "$C"
wait_for 10 test -e "$TMP/e19/rootfs/ready" || not_ok "E19 the trap is set"
run E exec --detach --pid-file "$TMP/pid" "$C" sleep 1000
is "$(cat "/proc/$(cat "$TMP/pid")/attr/current")" "$T_TAG-one (enforce)" \
	"E19 exec into a container whose /proc is a dummy is confined"
is "$(E exec "$C" cat /proc/self/attr/exec /proc/thread-self/attr/apparmor/exec)" "" \
	"E19 nothing was written there"
E delete --force "$C"
for _k in link file; do
	rm -rf "$TMP/e18"
	bundle e18 '.process.apparmorProfile = "'"$T_TAG"'-one"'
	rmdir "$TMP/e18/rootfs/proc"
	case $_k in
	link) ln -s tmp "$TMP/e18/rootfs/proc" ;;
	file) : >"$TMP/e18/rootfs/proc" ;;
	esac
	fails "E18 /proc of the image is a $_k: nothing runs" 1 \
		'ordinary directory|Not a directory' E run --bundle "$TMP/e18" "$C"
done

is "$(E list -q)" "" "no state is left"
baseline_check "no group, mount or namespace is left"
finish
