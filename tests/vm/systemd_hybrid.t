#!/bin/sh
# The systemd driver where systemd has bound the controllers to cgroup v1 and
# keeps its own tree in v2.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/engine-lib.sh"
[ -d /run/systemd/system ] || skip_all "needs systemd as pid 1"
[ -e /sys/fs/cgroup/memory/memory.limit_in_bytes ] ||
	skip_all "needs a hybrid systemd"
tmpdir
at_exit e_cleanup
G=/sys/fs/cgroup
C=$T_TAG-c
SLICE=machine.slice
UNIT=pod-$C.scope
baseline_take

S()
{
	E --systemd-cgroup "$@"
}

show()
{
	for _p; do
		systemctl show "$UNIT" -p "$_p" --value
	done | tr '\n' ' '
}

# v HIERARCHY/FILE...: contents, one line
v()
{
	for _f; do
		cat "$G/${_f%%/*}/$SLICE/$UNIT/${_f#*/}"
	done 2>&1 | tr '\n' ' '
}

gone()
{
	[ -z "$(ls -d $G/*/$SLICE/"$UNIT" 2>/dev/null)" ] &&
		[ "$(show LoadState)" = 'not-found ' ]
}

bundle p '.process.args = ["sleep", "1000"]
	| .linux.cgroupsPath = "'"$SLICE:pod:$C"'"
	| .linux.resources = {"memory": {"limit": 67108864, "swappiness": 10},
		"cpu": {"shares": 512, "quota": 33333, "period": 100000, "cpus": "0"},
		"pids": {"limit": 50},
		"devices": [{"allow": false, "access": "rwm"}, {"allow": true,
			"type": "c", "major": 10, "minor": 229, "access": "rw"}]}'
succeeds "create" S create --bundle "$TMP/p" "$C"
PID=$(E state "$C" | jq .pid)
is "$(sed 's/^[0-9]*:[^:]*://' "/proc/$PID/cgroup" | sort -u)" "/$SLICE/$UNIT" \
	"the first process is in the scope in every hierarchy"
is "$(show ActiveState Slice MemoryLimit CPUShares TasksMax CPUQuotaPerSecUSec)" \
	"active $SLICE 67108864 512 50 340ms " "the unit and its properties"
is "$(v memory/memory.limit_in_bytes memory/memory.swappiness pids/pids.max)" \
	"67108864 10 50 " "files"
is "$(cat $G/cpu/$SLICE/"$UNIT"/cpu.shares $G/cpu/$SLICE/"$UNIT"/cpu.cfs_quota_us \
	$G/cpuset/$SLICE/"$UNIT"/cpuset.cpus | tr '\n' ' ')" "512 34000 0 " \
	"of controllers that systemd does not know too"
LIST=$(v devices/devices.list)
like "$LIST" 'c 10:229 rw ' "devices"
succeeds "start" E start "$C"
systemctl daemon-reload
is "$(v devices/devices.list | tr ' ' '\n' | sort | tr '\n' ' ')" \
	"$(printf '%s' "$LIST" | tr ' ' '\n' | sort | tr '\n' ' ')" \
	"E38 what systemd loads again allows no more devices"
run E exec "$C" sh -c 'echo x >/dev/null && head -c 1 /dev/zero | wc -c'
is "$OUT" 1 "the standard devices work"
succeeds "update" E update --memory 100663296 --pids-limit 70 --cpu-share 700 "$C"
is "$(show MemoryLimit TasksMax CPUShares)" "100663296 70 700 " "is in the properties"
is "$(v memory/memory.limit_in_bytes pids/pids.max)" "100663296 70 " "and in the files"
E pause "$C"
succeeds "delete --force of a paused one" E delete --force "$C"
wait_for 10 gone && ok "unit and groups are gone" || not_ok "unit and groups are gone" \
	"$(show LoadState ActiveState; ls -d $G/*/$SLICE/"$UNIT")"
systemctl stop "$SLICE" 2>/dev/null
baseline_check "nothing is left"
finish
