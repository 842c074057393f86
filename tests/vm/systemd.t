#!/bin/sh
# The systemd driver with a real systemd as pid 1: scopes, their properties,
# the files below, updates, the end; E28: annotations are no properties.
. "$(dirname "$0")/lib.sh"
[ -d /run/systemd/system ] || skip_all "needs systemd as pid 1"
SLICE=machine.slice
UNIT=pod-$C.scope
D=$G/$SLICE/$UNIT

S()
{
	E --systemd-cgroup "$@"
}

# show PROPERTY...: of the unit, one line
show()
{
	for _p; do
		systemctl show "$UNIT" -p "$_p" --value
	done | tr '\n' ' '
}

# f FILE...: contents of files of the scope's group, one line
f()
{
	for _f; do
		cat "$D/$_f"
	done 2>&1 | tr '\n' ' '
}

gone()
{
	[ ! -e "$D" ] && [ "$(show LoadState)" = 'not-found ' ]
}

# P FILTER: the bundle p in a scope, as a process that waits
P()
{
	bundle p '.process.args = ["sleep", "1000"]
		| .linux.cgroupsPath = "'"$SLICE:pod:$C"'"'"${1:+ | $1}"
}

P '.linux.resources = {
	"memory": {"limit": 67108864, "swap": 83886080, "reservation": 8388608},
	"cpu": {"shares": 512, "quota": 33333, "period": 100000, "cpus": "0-1",
		"mems": "0"},
	"pids": {"limit": 50},
	"unified": {"memory.high": "50331648"},
	"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c",
		"major": 10, "minor": 229, "access": "rw"},
		{"allow": true, "type": "b", "access": "m"}]}
	| .annotations = {"org.systemd.property.TasksMax": "uint64 7",
		"org.systemd.property.Description": "\"theirs\""}'
succeeds "create" S create --bundle "$TMP/p" "$C"
PID=$(E state "$C" | jq .pid)
is "$(cat "/proc/$PID/cgroup")" "0::/$SLICE/$UNIT" "the first process is in the scope"
is "$(f cgroup.procs)" "$PID " "and alone there"
is "$(show ActiveState Slice Delegate)" "active $SLICE yes " "the unit"
is "$(show MemoryMax MemorySwapMax MemoryLow MemoryHigh TasksMax CPUWeight)" \
	"67108864 16777216 8388608 50331648 50 59 " "its properties"
is "$(show CPUQuotaPerSecUSec CPUQuotaPeriodUSec AllowedCPUs AllowedMemoryNodes)" \
	"340ms 100ms 0-1 0 " "a quota is rounded up to whole percents"
is "$(f memory.max memory.swap.max memory.low memory.high pids.max cpu.weight \
	cpu.max cpuset.cpus cpuset.mems)" \
	"67108864 16777216 8388608 50331648 50 59 34000 100000 0-1 0 " "its files"
is "$(show DevicePolicy)" "strict " "devices are a property too"
is "$(systemctl show "$UNIT" -p DeviceAllow --value | sort | tr '\n' ' ')" \
	"/dev/char/10:229 rw /dev/char/1:3 rwm /dev/char/1:5 rwm /dev/char/1:7 rwm \
/dev/char/1:8 rwm /dev/char/1:9 rwm /dev/char/5:0 rwm /dev/char/5:2 rwm \
block-* m char-136 rwm " "the list of them"
is "$(show TasksMax Description)" "50 reconcile container $C " \
	"E28 annotations are no properties"
succeeds "start" E start "$C"
run E exec "$C" cat /proc/self/cgroup
is "$OUT" "0::/" "exec joins the scope"
run E exec "$C" sh -c 'echo x >/dev/null && head -c 1 /dev/zero | wc -c'
is "$OUT" 1 "the standard devices work"
systemctl daemon-reload
is "$(f memory.max pids.max cpu.weight cpu.max)" "67108864 50 59 34000 100000 " \
	"what systemd loads again is the same"
run E exec "$C" sh -c 'echo x >/dev/null && echo ok'
is "$OUT" ok "and for devices"

# --- update -------------------------------------------------------------------
succeeds "update by flags" E update --memory 100663296 --memory-swap 100663296 \
	--pids-limit 70 --cpu-share 1024 "$C"
is "$(show MemoryMax MemorySwapMax TasksMax CPUWeight)" "100663296 0 70 100 " \
	"is in the properties"
is "$(f memory.max memory.swap.max pids.max cpu.weight)" "100663296 0 70 100 " \
	"and in the files"
E update --cpu-quota 50000 "$C"
is "$(show CPUQuotaPerSecUSec CPUQuotaPeriodUSec) $(f cpu.max)" \
	"500ms 100ms  50000 100000 " "the quota alone: with its period"
E update --cpu-period 50000 "$C"
is "$(show CPUQuotaPerSecUSec CPUQuotaPeriodUSec) $(f cpu.max)" \
	"1s 50ms  50000 50000 " "the period alone: with its quota"
E update --cpu-quota -1 --memory -1 --pids-limit -1 "$C"
is "$(show CPUQuotaPerSecUSec MemoryMax MemorySwapMax TasksMax)" \
	"infinity infinity infinity infinity " "limits are taken away"
is "$(f cpu.max memory.max memory.swap.max pids.max)" "max 50000 max max max " \
	"in the files too"
echo '{"cpu": {"idle": 1}}' | E update --resources - "$C"
is "$(f cpu.idle)" "1 " "idle"
echo '{"devices": [{"allow": true, "access": "rwm"}]}' | E update --resources - "$C"
is "$(show DevicePolicy DeviceAllow)" "auto " "all devices"
echo '{"cpu": {"cpus": "0,x"}}' >"$TMP/u"
fails "a list that is none" 1 'AllowedCPUs: want a list' E update --resources "$TMP/u" "$C"
systemctl daemon-reload
is "$(f pids.max memory.max)" "max max " "what systemd loads again is the same"

# --- the end --------------------------------------------------------------------
E pause "$C"
is "$(f cgroup.freeze)" "1 " "pause"
succeeds "delete --force of a paused one" E delete --force "$C"
wait_for 10 gone && ok "unit and group are gone" || not_ok "unit and group are gone" \
	"$(show LoadState ActiveState)"
P '.process.args = ["sh", "-c", "exit 7"]'
run S run --bundle "$TMP/p" "$C"
is "$ST" 7 "run"
wait_for 10 gone && ok "leaves nothing" || not_ok "leaves nothing"
P '.linux.resources.pids.limit = 1'
E --cgroup-manager systemd create --bundle "$TMP/p" "$C" && E start "$C"
is "$(f pids.max) $(E state "$C" | jq -r .status)" "1  running" \
	"one process is all that a limit of one takes"
E kill "$C" KILL
wait_for 10 status_is "$C" stopped
succeeds "delete" E delete "$C"
wait_for 10 gone && ok "and gone" || not_ok "and gone"
P '.linux.cgroupsPath = ""'
S create --bundle "$TMP/p" "$C"
is "$(cat "/proc/$(E state "$C" | jq .pid)/cgroup")" \
	"0::/system.slice/reconcile-$C.scope" "without a path"
E delete --force "$C"
P '.linux.cgroupsPath = "a-'"$T_TAG"'-b.slice::'"$C"'"'
S create --bundle "$TMP/p" "$C"
is "$(cat "/proc/$(E state "$C" | jq .pid)/cgroup")" \
	"0::/a.slice/a-$T_TAG.slice/a-$T_TAG-b.slice/$C.scope" "slices in slices"
E delete --force "$C"
for _s in "a-$T_TAG-b" "a-$T_TAG" a; do
	systemctl stop "$_s.slice"
done

# --- refused ----------------------------------------------------------------------
while IFS='|' read -r _p _m; do
	P '.linux.cgroupsPath = "'"$_p"'"'
	fails "path $_p" 1 "$_m" S create --bundle "$TMP/p" "$C"
done <<'END'
/a/b|want SLICE:PREFIX:NAME
a:b|want SLICE:PREFIX:NAME
a:b:c:d|want SLICE:PREFIX:NAME
a:b:c|want the name of a slice
a--b.slice:b:c|want the name of a slice
../x.slice:b:c|want the name of a slice
a.slice:b:c/../d|want the name of a unit
a.slice:b:|want the name of a unit
a.slice:b:c.slice|a container is a scope
END
systemd-run --scope --slice="$SLICE" --unit="$UNIT" sleep 1000 >/dev/null 2>&1 &
there() { grep -q . "$D/cgroup.procs"; }
wait_for 10 there
P
fails "a scope of others is not taken over" 1 'has processes already' \
	S create --bundle "$TMP/p" "$C"
there && ok "and lives" || not_ok "and lives"
systemctl stop "$UNIT"
wait_for 10 gone
# One that has failed keeps its name.
systemd-run --scope --slice="$SLICE" --unit="$UNIT" -p RuntimeMaxSec=1 \
	sleep 1000 >/dev/null 2>&1
failed() { [ "$(show ActiveState)" = 'failed ' ]; }
wait_for 20 failed && ok "a scope that has failed" || not_ok "a scope that has failed"
succeeds "its name can be had" S create --bundle "$TMP/p" "$C"
E delete --force "$C"

# --- killed -----------------------------------------------------------------------
strace -f -o /dev/null -e trace=listen -e inject=listen:signal=KILL \
	"$ENGINE" --root "$TMP/state" --systemd-cgroup create --bundle "$TMP/p" "$C" \
	>/dev/null 2>&1
wait_for 10 gone && ok "the scope goes with an engine that is killed" ||
	not_ok "the scope goes with an engine that is killed" "$(f cgroup.procs)"
succeeds "delete --force" E delete --force "$C"
S create --bundle "$TMP/p" "$C"
systemctl kill -s KILL "$UNIT"
wait_for 10 gone
succeeds "delete after systemd has ended it" E delete --force "$C"
systemctl stop "$SLICE" 2>/dev/null
baseline_check "nothing is left"
finish
