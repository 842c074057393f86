#!/bin/sh
# What confines the container's process, attacked: rows E19 to E61 of the
# threats, on real containers.  Seen red with GUARD_OFF_KEYRING.
# AppArmor (E18, E19) is in tests/vm/apparmor.t, the simulated filter (E58,
# E60, E61) in tests/unit/engine/confine/test_filter.c.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/engine-lib.sh"
need_program "${CC:-gcc}"
tmpdir
at_exit e_cleanup
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
C=$T_TAG-c
NO_USER='del(.linux.uidMappings, .linux.gidMappings)
	| .linux.namespaces -= [{"type": "user"}]'

# --- keys of the caller --------------------------------------------------------
# key run CMD...: in a new session with the key "canary"; key read: that key.
cat >"$TMP/key.c" <<'SRC'
#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	char text[64] = "";
	long id;

	if (argc > 2 && strcmp(argv[1], "run") == 0) {
		syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
		syscall(SYS_add_key, "user", "canary", "secret", 6,
			KEY_SPEC_SESSION_KEYRING);
		execvp(argv[2], argv + 2);
		return 1;
	}
	id = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING,
		     "user", "canary", 0);
	if (id < 0)
		return printf("none: %s\n", strerror(errno)) < 0;
	syscall(SYS_keyctl, KEYCTL_READ, id, text, sizeof(text) - 1);
	return printf("%s\n", text) < 0;
}
SRC
"${CC:-gcc}" -static -O1 -o "$TMP/key" "$TMP/key.c" || not_ok "compile"
for _u in "$NO_USER" .; do
	rm -rf "$TMP/keys"
	bundle keys "$_u | del(.linux.seccomp)"' | .process.args = ["key", "read"]'
	cp "$TMP/key" "$TMP/keys/rootfs/bin/key"
	_n="namespaces $(jq '.linux.namespaces | length' "$TMP/keys/config.json")"
	run "$TMP/key" run "$ENGINE" --root "$TMP/state" run --bundle "$TMP/keys" "$C"
	is "$OUT" "none: Required key not available" "E58 no key of the caller: run, $_n"
	run "$TMP/key" run "$ENGINE" --root "$TMP/state" run --no-new-keyring \
		--bundle "$TMP/keys" "$C"
	is "$OUT" secret "E58 control: --no-new-keyring, $_n"
	edit keys '.process.args = ["sleep", "100"]'
	E create --bundle "$TMP/keys" "$C" && E start "$C"
	run "$TMP/key" run "$ENGINE" --root "$TMP/state" exec "$C" key read
	is "$OUT" "none: Required key not available" "E58 no key of the caller: exec, $_n"
	E delete --force "$C"
done

baseline_check "the host is as it was"
finish
