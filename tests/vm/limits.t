#!/bin/sh
# Limits on cgroup v2: each is written, read back and, where it can be seen,
# bites; what cannot be set is an error.
. "$(dirname "$0")/lib.sh"

# R FILTER: the bundle lim with these resources, as a shell that waits.
R()
{
	bundle lim '.process.args = ["sleep", "1000"]
		| .linux.resources = '"$1"
}

# --- memory -------------------------------------------------------------------
R '{"memory": {"limit": 33554432, "reservation": 8388608}}'
sh_in lim 'dd if=/dev/zero of=/dev/null bs=64M count=1; echo $?'
is "$OUT" 137 "memory.max kills what goes over"
R '{"memory": {"limit": 33554432, "reservation": 8388608}}'
E create --bundle "$TMP/lim" "$C" && E start "$C"
is "$(values lim memory.max memory.low)" "33554432 8388608 " "memory.max, memory.low"
is "$(cat "/proc/$(E state "$C" | jq .pid)/cgroup")" \
	"0::/reconcile-$T_TAG/lim" "the first process is in the one group"
run E exec "$C" dd if=/dev/zero of=/dev/null bs=64M count=1
is "$ST" 137 "memory.max kills a process that was added"
is "$(key lim memory.events oom_kill)" 1 "memory.events counts it"
is "$(E state "$C" | jq -r .status)" running "and the first process lives on"
echo '{"memory": {"limit": 67108864}}' | E update --resources - "$C"
is "$(values lim memory.max)" "67108864 " "update of memory.max"
E delete --force "$C"
R '{"memory": {"limit": 33554432, "swap": 33554432}}'
E create --bundle "$TMP/lim" "$C"
is "$(values lim memory.swap.max)" "0 " "memory and swap together: memory.swap.max is the rest"
E update --memory 25165824 "$C"
is "$(values lim memory.max memory.swap.max)" "25165824 0 " \
	"a group without swap stays one"
E update --memory-swap 41943040 "$C"
is "$(values lim memory.max memory.swap.max)" "25165824 16777216 " \
	"update of memory and swap alone"
E update --memory 33554432 "$C"
is "$(values lim memory.max memory.swap.max)" "33554432 8388608 " \
	"update of memory alone keeps both together"
fails "memory over both together" 1 'memory.swap: want a memory.limit' \
	E update --memory 67108864 "$C"
E update --memory 67108864 --memory-swap 83886080 "$C"
is "$(values lim memory.max memory.swap.max)" "67108864 16777216 " "update of both"
E update --memory-swap -1 "$C"
is "$(values lim memory.max memory.swap.max)" "67108864 max " "swap -1"
E update --memory 33554432 --memory-swap 33554432 "$C"
E update --memory -1 "$C"
is "$(values lim memory.max memory.swap.max)" "max max " "memory -1 is both"
printf '{"memory": {"limit": 4096, "checkBeforeUpdate": true}}' >"$TMP/u"
fails "checkBeforeUpdate" 1 'want a limit over the [0-9]+ bytes' \
	E update --resources "$TMP/u" "$C"
is "$(values lim memory.max)" "max " "changes nothing"
E delete --force "$C"
R '{"memory": {"swap": 33554432}}'
fails "swap without a limit" 1 'memory.swap: want a memory.limit' \
	E create --bundle "$TMP/lim" "$C"
R '{"memory": {"limit": 33554432, "swappiness": 10}}'
fails "swappiness is not in cgroup v2" 1 'do not exist in cgroup v2' \
	E create --bundle "$TMP/lim" "$C"

# --- pids ---------------------------------------------------------------------
R '{"pids": {"limit": 12}}'
sh_in lim 'i=0; while [ $i -lt 30 ]; do sleep 5 & i=$((i+1)); done; echo all'
like "$ERR" "can't fork|Resource temporarily" "pids.max stops a fork bomb"
is "$(ls -d "$(CG lim)" 2>/dev/null)" "" "the group of the fork bomb is gone"
R '{"pids": {"limit": -1}}'
E create --bundle "$TMP/lim" "$C"
is "$(values lim pids.max)" "max " "pids.max max"
E delete --force "$C"

# --- cpu ----------------------------------------------------------------------
R '{"cpu": {"quota": 10000, "period": 50000, "shares": 700, "burst": 5000}}'
E create --bundle "$TMP/lim" "$C" && E start "$C"
is "$(values lim cpu.max cpu.max.burst cpu.weight)" "10000 50000 5000 75 " \
	"cpu.max, cpu.max.burst, cpu.weight"
E exec --detach "$C" sh -c 'while :; do :; done'
throttled() { [ "$(key lim cpu.stat nr_throttled)" -gt 2 ]; }
wait_for 20 throttled && ok "cpu.max bites" || not_ok "cpu.max bites" \
	"$(values lim cpu.stat)"
E update --cpu-share 2048 "$C"
is "$(values lim cpu.weight cpu.max)" "174 10000 50000 " "update of cpu.weight alone"
echo '{"cpu": {"period": 40000}}' | E update --resources - "$C"
is "$(values lim cpu.max)" "10000 40000 " "update of the period keeps the quota"
echo '{"cpu": {"quota": 8000}}' | E update --resources - "$C"
is "$(values lim cpu.max)" "8000 40000 " "update of the quota keeps the period"
echo '{"cpu": {"quota": -1}}' | E update --resources - "$C"
is "$(values lim cpu.max)" "max 40000 " "update takes the quota away"
echo '{"cpu": {"quota": 90000, "burst": 80000}}' | E update --resources - "$C"
is "$(values lim cpu.max cpu.max.burst)" "90000 40000 80000 " "quota and burst, up"
echo '{"cpu": {"quota": 5000, "burst": 1000}}' | E update --resources - "$C"
is "$(values lim cpu.max cpu.max.burst)" "5000 40000 1000 " "and down"
echo '{"cpu": {"idle": 1}}' | E update --resources - "$C"
echo '{"cpu": {"idle": 0, "shares": 1024}}' | E update --resources - "$C"
is "$(values lim cpu.idle cpu.weight)" "0 100 " "idle and awake again"
E delete --force "$C"
R '{"cpu": {"idle": 1}}'
E create --bundle "$TMP/lim" "$C"
is "$(values lim cpu.idle)" "1 " "cpu.idle"
E delete --force "$C"
R '{"cpu": {"realtimeRuntime": 1000}}'
fails "realtime is not in cgroup v2" 1 'realtimePeriod do not exist in cgroup v2' \
	E create --bundle "$TMP/lim" "$C"

# --- cpuset -------------------------------------------------------------------
R '{"cpu": {"cpus": "1", "mems": "0"}}'
sh_in lim 'grep Cpus_allowed_list /proc/self/status | cut -f2'
is "$OUT" 1 "cpuset.cpus binds"
R '{"cpu": {"cpus": "1", "mems": "0"}}'
E create --bundle "$TMP/lim" "$C"
is "$(values lim cpuset.cpus cpuset.mems)" "1 0 " "cpuset.cpus, cpuset.mems"
E delete --force "$C"
R '{"cpu": {"cpus": "99999"}}'
fails "a processor that cannot be is an error" 1 'cpuset.cpus' \
	E create --bundle "$TMP/lim" "$C"

# --- io -----------------------------------------------------------------------
DEV=$(cat /sys/block/vda/dev)
MAJ=${DEV%:*} MIN=${DEV#*:}
WEIGHTS='"weight": 500, "weightDevice":
	[{"major": '$MAJ', "minor": '$MIN', "weight": 300}]'
echo none >/sys/block/vda/queue/scheduler
R '{"blockIO": {'"$WEIGHTS"'}}'
fails "the weight of a disk whose scheduler has none is an error" 1 \
	'"'"$DEV"' [0-9]+" to io.*weight: .*[Nn]ot supported' \
	E create --bundle "$TMP/lim" "$C"
R '{"blockIO": {"weight": 500}}'
E create --bundle "$TMP/lim" "$C"
if [ -e "$(CG lim)/io.bfq.weight" ]; then
	is "$(values lim io.bfq.weight)" "default 500 " "io.bfq.weight"
else
	is "$(values lim io.weight)" "default 4950 " "io.weight"
fi
E delete --force "$C"
if echo bfq >/sys/block/vda/queue/scheduler; then
	R '{"blockIO": {'"$WEIGHTS"'}}'
	E create --bundle "$TMP/lim" "$C"
	is "$(values lim io.bfq.weight)" "default 500 $DEV 300 " \
		"io.bfq.weight, of a disk too"
	E delete --force "$C"
	echo none >/sys/block/vda/queue/scheduler
else
	skip "io.bfq.weight of a disk" "no BFQ"
fi
R '{"blockIO": {"throttleReadBpsDevice":
		[{"major": '"$MAJ"', "minor": '"$MIN"', "rate": 1048576}],
	"throttleWriteIOPSDevice":
		[{"major": '"$MAJ"', "minor": '"$MIN"', "rate": 1000}]}}'
E create --bundle "$TMP/lim" "$C" && E start "$C"
like "$(cat "$(CG lim)/io.max")" \
	"^$DEV rbps=1048576 wbps=max riops=max wiops=1000" "io.max"
head -c 6M /dev/urandom >"$TMP/lim/rootfs/big"
sync
echo 3 >/proc/sys/vm/drop_caches
_s=$(date +%s%N)
E exec "$C" dd if=/big of=/dev/null bs=64k 2>/dev/null
_ms=$((($(date +%s%N) - _s) / 1000000))
[ "$_ms" -gt 4000 ] && ok "io.max bites: 6 MiB in over 4 s" ||
	not_ok "io.max bites: 6 MiB in over 4 s" "$_ms ms"
E delete --force "$C"
R '{"blockIO": {"leafWeight": 10}}'
fails "leafWeight is not in cgroup v2" 1 'leafWeight does not exist in cgroup v2' \
	E create --bundle "$TMP/lim" "$C"

# --- unified --------------------------------------------------------------------
R '{"unified": {"memory.high": "20971520", "cgroup.max.depth": "3",
	"memory.oom.group": "1", "io.weight": "default 77"}}'
E create --bundle "$TMP/lim" "$C"
is "$(values lim memory.high cgroup.max.depth memory.oom.group io.weight)" \
	"20971520 3 1 default 77 " "unified keys"
E delete --force "$C"
for _k in memory.nothing nothing.max ../x memory/max .max memory; do
	R '{"unified": {"'$_k'": "1"}}'
	fails "unified: $_k" 1 'memory.nothing|"nothing"|CONTROLLER.FILE' \
		E create --bundle "$TMP/lim" "$C"
done
R '{"unified": {"io.max": "'"$DEV"' rbps=1000\n'"$DEV"' wbps=2000"}}'
E create --bundle "$TMP/lim" "$C"
like "$(values lim io.max)" 'rbps=1000 wbps=2000' "a value of two lines is two writes"
E delete --force "$C"
R '{"network": {"classID": 5}}'
fails "network is not in cgroup v2" 1 'v2 has none' E create --bundle "$TMP/lim" "$C"
R '{"rdma": {"mlx5_0": {"hcaHandles": 3}}}'
fails "rdma without its controller or device" 1 'rdma' \
	E create --bundle "$TMP/lim" "$C"
R '{"unified": {"memory.oom.group": "1", "memory.max": "33554432"}}'
E create --bundle "$TMP/lim" "$C" && E start "$C"
run E exec "$C" dd if=/dev/zero of=/dev/null bs=64M count=1
wait_for 10 status_is "$C" stopped && ok "memory.oom.group ends all" ||
	not_ok "memory.oom.group ends all"
E delete "$C"

# --- hugetlb ----------------------------------------------------------------------
R '{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}'
if grep -qw hugetlb $G/cgroup.controllers; then
	E create --bundle "$TMP/lim" "$C"
	is "$(values lim hugetlb.2MB.max)" "4194304 " "hugetlb"
	E delete --force "$C"
else
	fails "hugetlb without its controller" 1 'controller "hugetlb"' \
		E create --bundle "$TMP/lim" "$C"
fi

# --- what is left -------------------------------------------------------------------
R '{}'
mkdir -p "$(CG lim)/own" && sleep 100 &
mkdir -p "$(CG lim)"
echo $! >"$(CG lim)/cgroup.procs"
fails "a group with processes is not taken over" 1 'has processes already' \
	E create --bundle "$TMP/lim" "$C"
kill -0 $! && ok "and its process lives" || not_ok "and its process lives"
kill $!
wait_for 5 rmdir "$(CG lim)/own" "$(CG lim)" "$G/reconcile-$T_TAG"
baseline_check "no group, mount or namespace is left"
finish
