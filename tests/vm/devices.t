#!/bin/sh
# E38 on cgroup v2: which nodes a container may make and open is decided by a
# BPF program, here for the kernel's verifier and for real nodes.
. "$(dirname "$0")/lib.sh"
# As root of the host with CAP_MKNOD: nothing else stands in the way.
HARD='del(.linux.uidMappings, .linux.gidMappings, .linux.seccomp)
	| .linux.namespaces -= [{"type": "user"}]
	| .process.capabilities = (.process.capabilities |
		map_values(. + ["CAP_MKNOD", "CAP_SYS_RAWIO", "CAP_SYSLOG"]))'
DEV=$(cat /sys/block/vda/dev)
DISK="b ${DEV%:*} ${DEV#*:}"

# D RULES SCRIPT: runs it under these rules; /bin/try MODE NODE says what the
# kernel answers.
D()
{
	bundle dev "$HARD | .linux.resources.devices = $1"
	sh_in dev 'T() { rm -f /tmp/n; mknod /tmp/n $2 $3 $4 2>/dev/null &&
		case $1 in
		r) head -c 1 /tmp/n >/dev/null 2>&1 ;;
		w) exec 9>>/tmp/n ;;
		m) : ;;
		esac 2>/dev/null && echo "$*"; }
	O() { head -c 1 $1 >/dev/null 2>&1 && echo "open $1"; }
	'"$2"'; echo done'
}

DENY='[{"allow": false, "access": "rwm"}]'
D "$DENY" 'for d in "'"$DISK"'" "b 7 0" "c 1 1" "c 1 2" "c 1 11" "c 10 229" \
	"c 10 232" "c 10 237" "c 10 200" "c 4 64" "c 4 0"; do T m $d; done'
is "$OUT" done "E38 no other node can be made"
D "$DENY" 'T r c 1 3; T r c 1 5; T r c 1 8; T r c 1 9; T w c 1 7 2>/dev/null
	T m c 5 0; T m c 5 2; O /dev/urandom; echo x >/dev/null && echo null'
is "$OUT" "r c 1 3
r c 1 5
r c 1 8
r c 1 9
w c 1 7
m c 5 0
m c 5 2
open /dev/urandom
null
done" "E38 the standard nodes can"
# Nodes that are there already, made by the host.
bundle dev "$HARD | .linux.resources.devices = $DENY"
mknod "$TMP/dev/rootfs/disk" $DISK
mknod "$TMP/dev/rootfs/mem" c 1 1
mknod "$TMP/dev/rootfs/kmsg" c 1 11
sh_in dev 'for n in disk mem kmsg; do head -c 1 /$n 2>&1 | grep -o "not permitted"
	(exec 9>>/$n) 2>&1 | grep -o "not permitted"; done'
is "$OUT" "not permitted
not permitted
not permitted
not permitted
not permitted
not permitted" "E38 nodes of the image: EPERM on reading and writing"
D '[{"allow": false, "access": "rwm"},
	{"allow": true, "type": "b", "major": '"${DEV%:*}"', "minor": '"${DEV#*:}"',
		"access": "r"}]' \
	'O /disk; (exec 9>>/disk) 2>/dev/null && echo written; T m '"$DISK"'; O /mem'
is "$OUT" "open /disk
done" "E38 read of one node is allowed, not its writing, not its making"
D '[{"allow": false, "access": "rwm"},
	{"allow": true, "type": "c", "major": 1, "access": "rwm"},
	{"allow": false, "type": "c", "major": 1, "minor": 11, "access": "r"}]' \
	'T m c 1 1; T r c 1 11; T m c 10 229; O /kmsg; O /disk'
is "$OUT" "m c 1 1
done" "E38 a later rule takes back a part"
D '[{"allow": true, "access": "rwm"}]' 'O /disk; T m c 10 229; T m c 4 64'
is "$OUT" "open /disk
m c 10 229
m c 4 64
done" "E38 control: all allowed, all works"
R64=$(jq -nc '[{"allow": false, "access": "rwm"}] + [range(250) | {"allow": true,
	"type": "c", "major": 240, "minor": ., "access": "rw"}]')
D "$R64" 'O /disk; T m c 240 1; O /dev/zero'
is "$OUT" "open /dev/zero
done" "E38 250 rules pass the verifier and hold"
edit dev '.linux.resources.devices = [{"allow": true, "type": "x"}]'
fails "E38 an unknown type" 1 'devices\[0\].type: want a, b or c' \
	E create --bundle "$TMP/dev" "$C"
# Without HARD: the default of a container with a user namespace.
bundle plain '.process.args = ["sleep", "100"]'
mknod "$TMP/plain/rootfs/disk" $DISK && chmod 666 "$TMP/plain/rootfs/disk"
E create --bundle "$TMP/plain" "$C" && E start "$C"
run E exec "$C" head -c 1 /disk
like "$ERR" 'not permitted|denied' "E38 exec is under the program too"
echo '{"memory": {"limit": 67108864}}' | E update --resources - "$C"
run E exec "$C" head -c 1 /disk
like "$ERR" 'not permitted|denied' "E38 and after an update"
run E exec "$C" sh -c 'echo x >/dev/null && echo ok'
is "$OUT" ok "the standard nodes work after an update"
U() { printf '%s' "$1" | E update --resources - "$C"; }
O() { E exec "$C" head -c 1 /disk >/dev/null 2>&1 && echo open; }
U '{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "b",
	"major": '"${DEV%:*}"', "minor": '"${DEV#*:}"', "access": "r"}]}'
is "$(O)" open "E38 update adds a device to what is allowed"
U '{"devices": [{"allow": false, "access": "rwm"}]}'
is "$(O)" "" "E38 update takes it away again"
U '{"devices": [{"allow": true, "access": "rwm"}]}'
is "$(O)" open "E38 update replaces the program: nothing of the old ones is left"
E delete --force "$C"
# A group that is there already, with a program of before.
bundle plain '.process.args = ["sleep", "100"]'
E create --bundle "$TMP/plain" "$C" && E start "$C"
mv "$TMP/state/$C" "$TMP/lost"	# its state is gone, its group is not
kill -9 "$(jq .pid "$TMP/lost/init.json")"
empty() { [ -z "$(cat "$(CG plain)/cgroup.procs")" ]; }
wait_for 10 empty
edit plain '.linux.resources.devices = [{"allow": true, "access": "rwm"}]'
E create --bundle "$TMP/plain" "$C" && E start "$C"
is "$(O)" open "E38 a program of before in the same group is gone"
E delete --force "$C"
rm -rf "$TMP/lost"
baseline_check "nothing is left"
finish
