#!/bin/bash
# E35: nothing that a container does reaches the terminal of whoever started it.
# Seen red: the control, where the same program has that terminal.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/engine-lib.sh"
need_program python3 "$B/tests/terminal_push"
tmpdir
at_exit e_cleanup
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
C=$T_TAG-c
NO_USER='del(.linux.uidMappings, .linux.gidMappings)
	| .linux.namespaces -= [{"type": "user"}]'
ALL='.process.capabilities |= (to_entries | map(.value = ["CAP_SYS_ADMIN",
	"CAP_SYS_TTY_CONFIG"]) | from_entries) | del(.linux.seccomp)'

on_a_terminal()
{
	run python3 "$(dirname "$0")/../tools/terminal_of.py" "$@"
}

on_a_terminal "$B/tests/terminal_push"
is "$(printf '%s\n' "$OUT" | grep -v LINUX)" "TIOCSTI done
waiting 7" "E35 control: with the operator's terminal it types there"
for _kind in user host; do
	bundle "tty$_kind" "$ALL"' | .process.terminal = true
		| .process.args = ["/bin/terminal_push"]'
	[ "$_kind" = user ] || edit "tty$_kind" "$NO_USER"
	cp "$B/tests/terminal_push" "$TMP/tty$_kind/rootfs/bin/"
	on_a_terminal "$ENGINE" --root "$TMP/state" run --bundle "$TMP/tty$_kind" "$C"
	is "$(printf '%s\n' "$OUT" | tail -n 1)" "waiting 0" \
		"E35 run with a terminal, ids of the $_kind's: nothing is typed outside"
	like "$OUT" 'TIOCLINUX (Inappropriate|Operation not|Invalid)' \
		"E35 and it is no console"
	edit "tty$_kind" '.process.args = ["sleep", "1000"] | .process.terminal = false'
	E create --bundle "$TMP/tty$_kind" "$C" </dev/null >/dev/null 2>&1
	E start "$C"
	on_a_terminal "$ENGINE" --root "$TMP/state" exec --tty "$C" /bin/terminal_push
	is "$(printf '%s\n' "$OUT" | tail -n 1)" "waiting 0" \
		"E35 exec --tty: nothing is typed outside"
	E delete --force "$C"
done
# Without a terminal of its own the container has what the caller gave it, but not
# as its controlling terminal: as the container's root it may not push.
bundle plain '.process.args = ["/bin/terminal_push"]'
cp "$B/tests/terminal_push" "$TMP/plain/rootfs/bin/"
on_a_terminal "$ENGINE" --root "$TMP/state" run --bundle "$TMP/plain" "$C"
is "$(printf '%s\n' "$OUT" | grep -v LINUX)" "TIOCSTI Operation not permitted
waiting 0" "E35 the caller's own descriptors: refused by the kernel"
baseline_check "mounts, cgroups, namespaces, links as before"
finish
