#!/bin/sh
# The engine's control groups on v1 and hybrid systems: every limit on the real
# files, changed up and down, paths, groups of others, frozen ones.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine-lib.sh"
[ -e /sys/fs/cgroup/memory/memory.limit_in_bytes ] ||
	skip_all "needs cgroup v1 hierarchies"
tmpdir
at_exit e_cleanup
G=/sys/fs/cgroup
C=$T_TAG-c
D=reconcile-$T_TAG
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take

# v FILE...: contents of files of the group of the bundle lim, one line; each
# is HIERARCHY/FILE.
v()
{
	for _f; do
		cat "$G/${_f%%/*}/$D/lim/${_f#*/}"
	done 2>&1 | tr '\n' ' '
}

# R RESOURCES: the bundle lim with these, created.
R()
{
	bundle lim '.process.args = ["sleep", "1000"] | .linux.resources = '"$1"
	E create --bundle "$TMP/lim" "$C"
}

# U RESOURCES: update
U()
{
	printf '%s' "$1" | E update --resources - "$C"
}
M="memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes"
CPU="cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us cpu/cpu.cfs_burst_us"
MIB=1048576

# --- memory -------------------------------------------------------------------
R '{"memory": {"limit": 33554432, "swap": 41943040, "reservation": 8388608,
	"swappiness": 10, "disableOOMKiller": true, "useHierarchy": true,
	"kernel": 5000000, "kernelTCP": -1}}'
is "$(v $M memory/memory.soft_limit_in_bytes memory/memory.swappiness)" \
	"33554432 41943040 8388608 10 " "memory: limit, swap, reservation, swappiness"
like "$(v memory/memory.oom_control)" 'oom_kill_disable 1' "disableOOMKiller"
if [ -e $G/memory/memory.memsw.limit_in_bytes ]; then
	succeeds "both are raised over what swap was" U \
		'{"memory": {"limit": 67108864, "swap": 67108864}}'
	is "$(v $M)" "67108864 67108864 " "and stand"
	succeeds "both are lowered under what memory was" U \
		'{"memory": {"limit": 16777216, "swap": 25165824}}'
	is "$(v $M)" "16777216 25165824 " "and stand"
	succeeds "by flags" E update --memory 20971520 --memory-swap 41943040 "$C"
	is "$(v $M)" "20971520 41943040 " "and stand"
	fails "memory over memory and swap" 1 'limit_in_bytes: Invalid argument' \
		E update --memory 83886080 "$C"
	is "$(v $M)" "20971520 41943040 " "changes nothing"
fi
E update --memory -1 "$C"
is "$(v $M)" "9223372036854771712 9223372036854771712 " \
	"memory -1 takes the limit of swap away too"
fails "a limit under what is used" 1 'memory.limit_in_bytes: .*(busy|Invalid)' \
	U '{"memory": {"limit": 4096}}'
E delete --force "$C"
fails "swappiness 101" 1 'memory.swappiness: want 0 to 100' \
	R '{"memory": {"swappiness": 101}}'
fails "useHierarchy false" 1 'memory.useHierarchy: want true' \
	R '{"memory": {"useHierarchy": false}}'

# --- cpu ----------------------------------------------------------------------
R '{"cpu": {"shares": 700, "quota": 20000, "period": 50000, "burst": 10000}}'
is "$(v cpu/cpu.shares $CPU)" "700 20000 50000 10000 " "cpu"
succeeds "quota and burst are raised" U '{"cpu": {"quota": 90000, "burst": 80000}}'
is "$(v $CPU)" "90000 50000 80000 " "and stand"
succeeds "all three are lowered" U \
	'{"cpu": {"quota": 5000, "period": 20000, "burst": 1000}}'
is "$(v $CPU)" "5000 20000 1000 " "and stand"
succeeds "no quota" E update --cpu-quota -1 "$C"
is "$(v cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us)" "-1 20000 " "and stands"
succeeds "idle" U '{"cpu": {"idle": 1}}'
is "$(v cpu/cpu.idle)" "1 " "and stands"
fails "a weight for an idle group" 1 'cpu.shares: Invalid' U '{"cpu": {"shares": 512}}'
succeeds "awake, with a weight" U '{"cpu": {"idle": 0, "shares": 512}}'
is "$(v cpu/cpu.idle cpu/cpu.shares)" "0 512 " "and stand"
E delete --force "$C"
fails "shares that the kernel would change" 1 'cpu.shares: want 2 to 262144' \
	R '{"cpu": {"shares": 1}}'
R '{"cpu": {"cpus": "0", "mems": "0"}}'
is "$(v cpuset/cpuset.cpus cpuset/cpuset.mems)" "0 0 " "cpuset"
E update --cpuset-cpus "$(cat $G/cpuset/cpuset.cpus)" "$C"
is "$(v cpuset/cpuset.cpus)" "$(cat $G/cpuset/cpuset.cpus) " "update of cpuset.cpus"
E delete --force "$C"
if [ -e $G/cpu/cpu.rt_runtime_us ]; then
	run R '{"cpu": {"realtimePeriod": 1000000, "realtimeRuntime": 0}}'
	is "$ST" 0 "realtimePeriod"
	is "$(v cpu/cpu.rt_period_us)" "1000000 " "and stands"
	E delete --force "$C"
fi

# --- pids, blkio, devices -------------------------------------------------------
R '{"pids": {"limit": 0}}'
is "$(v pids/pids.max)" "1 " "pids 0 is 1"
E update --pids-limit -1 "$C"
is "$(v pids/pids.max)" "max " "pids -1"
DISK=$(cat /sys/block/*/dev 2>/dev/null | head -n 1)
if [ -n "$DISK" ]; then
	_d='{"major": '${DISK%:*}', "minor": '${DISK#*:}', "rate": '
	U '{"blockIO": {"throttleReadBpsDevice": ['"$_d"'1048576}],
		"throttleWriteIOPSDevice": ['"$_d"'100}]}}'
	is "$(v blkio/blkio.throttle.read_bps_device \
		blkio/blkio.throttle.write_iops_device)" \
		"$DISK 1048576 $DISK 100 " "blkio.throttle"
	U '{"blockIO": {"throttleReadBpsDevice": ['"$_d"'0}]}}'
	is "$(v blkio/blkio.throttle.read_bps_device)" "" "a rate of 0 takes it away"
fi
if [ ! -e $G/blkio/blkio.weight ] && [ ! -e $G/blkio/$D/lim/blkio.bfq.weight ]; then
	fails "a weight where nothing has one" 1 'blkio.(bfq.)?weight: No such file' \
		E update --blkio-weight 500 "$C"
fi
LIST=$(v devices/devices.list)
U '{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c",
	"major": 10, "minor": 200, "access": "rw"}]}'
is "$(v devices/devices.list | grep -o 'c 10:200 rw ')" "c 10:200 rw " \
	"E38 update adds a device"
mkdir "$G/devices/$D/lim/below"
U '{"devices": [{"allow": false, "access": "rwm"}]}'
is "$(v devices/devices.list)" "$LIST" \
	"E38 update takes it back, with a group below"
U '{"pids": {"limit": 30}}'
is "$(v devices/devices.list)" "$LIST" "E38 another update leaves devices"
E delete --force "$C"
fails "network.classID without net_cls" 1 'net_cls and net_prio of cgroup v1' \
	R '{"network": {"classID": 1048577}}'
fails "rdma without its controller" 1 'the controller "rdma" is not there' \
	R '{"rdma": {"mlx5_0": {"hcaHandles": 3}}}'

# --- the v2 half ------------------------------------------------------------------
if grep -qw hugetlb $G/unified/cgroup.controllers 2>/dev/null; then
	R '{"memory": {"limit": 33554432, "swappiness": 10},
		"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}],
		"unified": {"cgroup.max.depth": "3"}}'
	is "$(v memory/memory.limit_in_bytes unified/hugetlb.2MB.max \
		unified/hugetlb.2MB.rsvd.max unified/cgroup.max.depth)" \
		"33554432 4194304 4194304 3 " \
		"hybrid: each limit where its controller is"
	# What a service manager inside does: processes below, controllers too.
	E start "$C"
	P=$(E state "$C" | jq .pid)
	U2=$G/unified/$D/lim
	mkdir "$U2/init" && echo "$P" >"$U2/init/cgroup.procs"
	if echo +hugetlb >"$U2/cgroup.subtree_control" 2>/dev/null; then
		run E exec "$C" cat /proc/self/cgroup
		is "$ST" 0 "exec where the group takes no processes any more"
		E exec --detach --pid-file "$TMP/p" "$C" sleep 100
		is "$(sed -n 's/^0:://p' "/proc/$(cat "$TMP/p")/cgroup")" \
			"/$D/lim/init" "exec joins the group of init"
	fi
	E delete --force "$C"
else
	skip "the v2 half of a hybrid system" "it has no controller"
fi

# --- paths ------------------------------------------------------------------------
R '{}'
is "$(for _h in "$G"/*/; do [ -L "${_h%/}" ] || [ ! -e "$_h/cgroup.procs" ] ||
	[ -d "$_h$D/lim" ] || echo "$_h"; done)" "" "a group in each hierarchy"
E delete --force "$C"
is "$(ls -d $G/*/$D 2>/dev/null)" "" "the parents that were made are gone"
edit lim '.linux.cgroupsPath = "rel-'"$T_TAG"'/x"'
E create --bundle "$TMP/lim" "$C"
is "$(ls -d $G/memory/reconcile/rel-"$T_TAG"/x 2>&1)" \
	"$G/memory/reconcile/rel-$T_TAG/x" "a relative path is below our own group"
E delete --force "$C"
edit lim '.linux.cgroupsPath = ""'
E create --bundle "$TMP/lim" "$C"
is "$(ls -d $G/memory/reconcile/"$C" 2>&1)" "$G/memory/reconcile/$C" "no path: our own"
E delete --force "$C"
mkdir "$G/memory/$D"
at_exit 'rmdir '"$G/memory/$D"' 2>/dev/null'
R '{}' && E delete --force "$C"
is "$(ls -d $G/*/$D 2>/dev/null)" "$G/memory/$D" "a parent of another stays"
rmdir "$G/memory/$D"

# --- groups of others ---------------------------------------------------------------
mkdir -p "$G/pids/$D/lim/deep" "$G/freezer/$D/lim"
at_exit 'rmdir '"$G/pids/$D/lim/deep $G/pids/$D/lim $G/pids/$D"' 2>/dev/null
	rmdir '"$G/freezer/$D/lim $G/freezer/$D"' 2>/dev/null'
sleep 100 &
P=$!
echo $P >"$G/pids/$D/lim/deep/cgroup.procs"
fails "a group with processes below is not taken over" 1 'has processes already' R '{}'
kill -0 $P && ok "its process lives" || not_ok "its process lives"
kill $P
wait $P 2>/dev/null
echo FROZEN >"$G/freezer/$D/lim/freezer.state"
fails "a frozen group is not taken over" 1 'is there already, and frozen' R '{}'
echo THAWED >"$G/freezer/$D/lim/freezer.state"
succeeds "an empty one is" R '{}'
E delete --force "$C"
is "$(ls -d $G/*/$D/lim 2>/dev/null)" "" "and removed"
is "$(ls -d $G/*/$D 2>/dev/null | tr '\n' ' ')" "$G/freezer/$D $G/pids/$D " \
	"but not the parents that were there"
rmdir "$G/freezer/$D" "$G/pids/$D"

# --- frozen by whatever means -----------------------------------------------------
R '{}' && E start "$C" && E pause "$C"
succeeds "kill of a paused one" E kill "$C" KILL
wait_for 10 status_is "$C" stopped && ok "it ends" || not_ok "it ends"
succeeds "delete" E delete "$C"
R '{}' && E start "$C"
echo FROZEN >"$G/freezer/$D/lim/freezer.state"
is "$(E state "$C" | jq -r .status)" paused "frozen by v1's freezer: paused"
succeeds "delete --force of it" E delete --force "$C"
is "$(ls -d $G/*/$D 2>/dev/null)" "" "its groups are gone"
# --- a parent that another is just making --------------------------------------
mkdir "$G/cpuset/$D-young"
bundle young '.process.args = ["true"]
	| .linux.cgroupsPath = "/'"$D"'-young/deep/x"'
succeeds "a cpuset that was made and not filled yet is filled" \
	E run --bundle "$TMP/young" "$C"
rmdir "$G/cpuset/$D-young" 2>/dev/null
baseline_check "no group, mount or namespace is left"
finish
