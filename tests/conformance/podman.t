#!/bin/bash
# Debian's podman with our engine as its --runtime: what podman's own users do,
# judged by what they would see.  Nothing is fetched; the image is busybox.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/cage.sh"
need_program podman conmon iptables script
cage /var/lib/containers /var/lib/cni /etc/cni

IMAGE=localhost/reconcile-test
export CONTAINERS_CONF="$TMP/containers.conf"
mkdir "$TMP/cni"
# podman wants more open files than a host without CAP_SYS_RESOURCE gives, and
# 4.3 takes the soft limit for the hard one in places: the same number twice.
_n=$(ulimit -Hn)
cat >"$CONTAINERS_CONF" <<CONF
[containers]
default_ulimits = ["nofile=$_n:$_n", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
infra_image = "$IMAGE"
lock_type = "file"
runtime = "reconcile"
runtime_supports_json = ["reconcile-engine"]
static_dir = "$TMP/static"
tmp_dir = "$TMP/tmp"
volume_path = "$TMP/volumes"
[engine.runtimes]
reconcile = ["$ENGINE"]
[network]
network_backend = "cni"
cni_plugin_dirs = ["/usr/lib/cni"]
network_config_dir = "$TMP/cni"
CONF

P()
{
	podman --root "$TMP/root" --runroot "$TMP/runroot" \
		--storage-driver vfs "$@"
}

# prun NAME WANT ARG...: what `podman run` prints, errors too.
prun()
{
	_name=$1 _want=$2
	shift 2
	run P run --rm --network none "$@"
	is "$OUT$ERR" "$_want" "$_name"
}

# pfails NAME STATUS ERE ARG...
pfails()
{
	_name=$1 _st=$2 _re=$3
	shift 3
	fails "$_name" "$_st" "$_re" P run --rm --network none "$@"
}

# podman sets the size of a terminal when the program runs already.
TTY='tty; while ! stty size 2>/dev/null; do sleep 0.1; done'
# with_tty ARG...: podman at a terminal of 24 rows and 80 columns.
with_tty()
{
	run script -qec "stty rows 24 cols 80; podman --root $TMP/root \
		--runroot $TMP/runroot --storage-driver vfs $*" /dev/null
	# script(1) says that its own input has ended
	OUT=$(printf '%s\n' "$OUT" | tr -d '\r\0' | sed 's/\^[@D]//g; /^$/d')
}

# tty_is NAME WANT ARG...: once of three times, since podman loses output of a
# short program at a terminal now and then (with runc, every fourth time).
tty_is()
{
	_name=$1 _want=$2
	shift 2
	for _i in 1 2 3; do
		with_tty "$@"
		[ "$OUT" != "$_want" ] || break
	done
	is "$OUT" "$_want" "$_name"
}

# Where controllers have no hierarchy of v1, podman makes folders and files in
# the tmpfs that holds the others, and then cannot remove the folders.
no_debris()
{
	find /sys/fs/cgroup -xdev -type f -delete 2>/dev/null
	return 0
}

cage_root "$TMP/rootfs"
tar -C "$TMP/rootfs" -c . >"$TMP/image.tar"
succeeds "import" P import -q -c 'CMD ["/bin/pause"]' -c 'ENV PATH=/bin' \
	"$TMP/image.tar" "$IMAGE"
is "$(P info --format '{{.Host.OCIRuntime.Name}}')" reconcile \
	"podman knows the engine by containers.conf"

# --- run ----------------------------------------------------------------------
prun "run" "hello" $IMAGE echo hello
prun "environment, host name, working directory" "container=podman A=b h /tmp" \
	-e A=b -h h -w /tmp $IMAGE \
	sh -c 'echo "container=$container A=$A $(hostname) $PWD"'
pfails "exit status of the program" 42 '^$' $IMAGE sh -c 'exit 42'
pfails "125: podman itself" 125 'unknown flag' --nonsense $IMAGE true
pfails "126: not to be executed" 126 'ermission denied' $IMAGE /etc
pfails "127: not found" 127 'executable file not found in \$PATH' $IMAGE nothing
prun "user, groups, umask" "uid=1000(alice) gid=1000(alice) groups=7(more),1000(alice) 0077" \
	--user alice --group-add 7 --umask 077 $IMAGE sh -c 'echo $(id) $(umask)'
tty_is "a terminal with its size" "/dev/pts/0
24 80
xterm" run --rm -it --network none $IMAGE sh -c "'$TTY; echo \$TERM'"
is "$(echo in | P run -i --rm --network none $IMAGE cat)" in "standard input"
exec 3<"$TMP/rootfs/etc/group"
prun "descriptors that are passed on" "root:x:0:" --preserve-fds 1 $IMAGE \
	sh -c 'head -n 1 <&3'
exec 3<&-

# --- what keeps it in -----------------------------------------------------------
S='grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status | cut -f2 | tr "\n" " "'
run P run --rm --network none $IMAGE sh -c "$S"
like "$OUT" '^0000000[0-9a-f]{9} 0 2 $' "few capabilities, a filter"
prun "no capability, no new privileges" "0000000000000000 1 2 " --cap-drop all \
	--security-opt no-new-privileges $IMAGE sh -c "$S"
prun "one more for another user" "0000000000001000 0 0 " --user 1000 \
	--cap-drop all --cap-add net_admin \
	--security-opt seccomp=unconfined $IMAGE sh -c "$S"
cat >"$TMP/profile.json" <<JSON
{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"],
 "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}
JSON
prun "a seccomp profile of one's own" "mkdir: can't create directory '/x': No space left on device" \
	--security-opt seccomp="$TMP/profile.json" $IMAGE mkdir /x
prun "privileged" "1
mounted" --privileged $IMAGE sh -c \
	'grep -c "^Seccomp:.0" /proc/self/status; mount -t tmpfs x /mnt && echo mounted'
prun "masked paths" "0 /proc/kcore" --security-opt mask=/proc/version $IMAGE \
	sh -c 'echo $(wc -c </proc/version) /proc/kcore'
prun "read-only, with folders to write in" "1touch: /x: Read-only file system" --read-only $IMAGE sh -c 'touch /tmp/x /run/x && touch /x; echo $?'
prun "limits of resources" "77 99 0 500" --ulimit nofile=77:99 \
	--ulimit nproc=1024:1024 --ulimit core=0 --oom-score-adj 500 $IMAGE \
	sh -c 'echo $(ulimit -Sn) $(ulimit -Hn) $(ulimit -c) $(cat /proc/self/oom_score_adj)'
prun "sysctl" "1 9000" --sysctl net.ipv4.ip_forward=1 \
	--sysctl kernel.msgmax=9000 $IMAGE \
	sh -c 'echo $(cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax)'
prun "a device" "crw" --device /dev/kmsg:/dev/log1:rwm $IMAGE \
	sh -c 'true >>/dev/log1; ls -l /dev/log1 | cut -c1-3'
prun "a device that is not to be written to" "sh: can't create /dev/log1: Operation not permitted" \
	--device /dev/kmsg:/dev/log1:r $IMAGE sh -c 'true >>/dev/log1'
prun "an init" "podman-init" --init $IMAGE cat /proc/1/comm
prun "a machine of 32 bits" "i686" --personality=LINUX32 $IMAGE uname -m

# --- mounts ---------------------------------------------------------------------
echo data >"$TMP/file"
prun "volumes, binds, tmpfs" "data
64 nodev
1000sh: can't create /f: Read-only file system" --user 1000 -v vol:/v:U -v "$TMP/file:/f:ro" \
	--tmpfs /t:size=64k,mode=1777 $IMAGE sh -c 'cat /f; true >/f
	echo $(df -k /t | sed -n "s/^tmpfs *\([0-9]*\) .*/\1/p") $(grep -o "/t.*nodev" /proc/mounts | grep -o nodev)
	touch /v/x && stat -c %u /v/x'
prun "an overlay over a folder, a mount of an image" "0 root" \
	-v "$TMP/rootfs:/o:O" --mount type=image,source=$IMAGE,target=/i $IMAGE \
	sh -c 'touch /o/new && echo $? $(ls -d /i/root | cut -c4-)'
is "$(ls "$TMP/rootfs/new" 2>&1 >/dev/null | grep -c 'No such')" 1 \
	"and the folder is as before"
prun "a root without an image" "rootfs" --rootfs "$TMP/rootfs" echo rootfs
prun "shared memory of a size" "1024" --shm-size 1m $IMAGE \
	sh -c 'df -k /dev/shm | sed -n "s/^shm *\([0-9]*\) .*/\1/p"'

# --- namespaces -------------------------------------------------------------------
prun "ids of its own" "0 200000 65536 0 0" --uidmap 0:200000:65536 \
	--gidmap 0:200000:65536 $IMAGE \
	sh -c 'touch /x; echo $(cat /proc/self/uid_map) $(id -u) $(stat -c %u /x)'
prun "the host's processes, ipc and name" "$(readlink /proc/self/ns/ipc /proc/self/ns/pid /proc/self/ns/uts)" \
	--pid=host --ipc=host --uts=host $IMAGE \
	sh -c 'for n in ipc pid uts; do readlink /proc/self/ns/$n; done'
prun "its own cgroup namespace, and none" "0" --cgroupns=private $IMAGE \
	sh -c 'grep -vc ":/$" /proc/self/cgroup; true'
run P run --rm --network none --cgroupns=host $IMAGE cat /proc/self/cgroup
like "$OUT" ':/libpod_parent/libpod-' "the host's cgroup namespace"

# --- cgroups ----------------------------------------------------------------------
if [ -d /sys/fs/cgroup/memory ]; then
	prun "memory, cpu, cpuset, processes" "33554432 50000 300 0 20" \
		--memory 32m --memory-swap 32m --cpus 0.5 --cpu-shares 300 \
		--cpuset-cpus 0 --pids-limit 20 $IMAGE sh -c 'cd /sys/fs/cgroup
		echo $(cat memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us \
			cpu/cpu.shares cpuset/cpuset.cpus pids/pids.max)'
else
	prun "memory, cpu, cpuset, processes" "33554432 50000 100000 0 20" \
		--memory 32m --memory-swap 32m --cpus 0.5 --cpuset-cpus 0 \
		--pids-limit 20 $IMAGE sh -c 'cd /sys/fs/cgroup
		echo $(cat memory.max cpu.max cpuset.cpus pids.max)'
fi
pfails "out of memory" 137 '^$' --memory 16m $IMAGE \
	dd if=/dev/zero of=/dev/null bs=64M count=1
pfails "a fork bomb" 2 "can't fork" --pids-limit 10 $IMAGE sh -c \
	'i=0; while [ $i -lt 30 ]; do sleep 1 & i=$((i+1)); done'

# --- one that stays -----------------------------------------------------------------
succeeds "run --detach" P run -d --name c --network none \
	--health-cmd 'test -e /tmp/ok' --health-interval disable $IMAGE \
	sh -c 'trap "echo ended; exit 5" TERM; echo out; echo err >&2
		while :; do sleep 0.05; done'
succeeds "exec --detach" P exec -d c sh -c 'echo x >/tmp/detached; sleep 1000'
run P exec --user alice --env A=b --workdir /tmp c \
	sh -c 'echo $(id -u) $(id -g) $A $PWD'
is "$OUT" "1000 1000 b /tmp" "exec --user --env --workdir"
run P exec --privileged c grep -c '^CapEff:.000001f' /proc/self/status
is "$OUT" 1 "exec --privileged"
tty_is "exec at a terminal" "/dev/pts/0
24 80" exec -it c sh -c "'$TTY'"
fails "exec: exit status" 7 '^$' P exec c sh -c 'exit 7'
fails "exec: 126" 126 'ermission denied' P exec c /etc
fails "exec: 127" 127 'executable file not found in \$PATH' P exec c nothing
is "$(P logs c 2>&1 | sort | tr '\n' ' ')" "err out " "logs"
like "$(P top c pid comm)" '^1 +sh *$' "top"
like "$(P stats --no-stream --format '{{.PIDs}} {{.MemUsage}}' c)" \
	'^[2-9] [0-9.]+[kM]B / ' "stats"
P cp "$TMP/file" c:/tmp/in && P cp c:/tmp/in "$TMP/back"
is "$(cat "$TMP/back")" data "cp there and back"
run P healthcheck run c
is "$ST $OUT" "1 unhealthy" "healthcheck: not yet"
P exec c touch /tmp/ok
succeeds "healthcheck" P healthcheck run c
succeeds "pause" P pause c
is "$(P inspect -f '{{.State.Status}}' c)" paused "inspect: paused"
fails "exec in a paused one" 255 'paused|running' P exec c true
succeeds "unpause" P unpause c
if [ -d /sys/fs/cgroup/memory ]; then
	P update --memory 64m --cpus 0.7 c >/dev/null
	is "$(P exec c sh -c 'cd /sys/fs/cgroup; echo $(cat \
		memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us)')" \
		"67108864 70000" "update"
fi
fails "checkpoint is refused" 125 'CRIU|checkpoint' P container checkpoint c
succeeds "restart" P restart -t 5 c
succeeds "stop" P stop -t 5 c
is "$(P inspect -f '{{.State.Status}} {{.State.ExitCode}}' c) $(P logs c 2>&1 |
	grep -c ended)" "exited 5 2" "stop and restart let it end by itself"
succeeds "start" P start c
succeeds "kill" P kill c
is "$(P wait c)" 137 "wait"
P start c >/dev/null
succeeds "rm --force of a running one" P rm -f -t 0 c
is "$(P events --stream=false --since 10m --filter container=c \
	--format '{{.Status}}' | grep -E '^(pause|unpause|restart|died|remove)$' |
	sort -u | tr '\n' ' ')" "died pause remove restart unpause " "events"
succeeds "a restart policy" P run -d --name again --network none \
	--restart on-failure:2 $IMAGE sh -c 'exit 3'
restarted()
{
	[ "$(P inspect -f '{{.RestartCount}} {{.State.ExitCode}} {{.State.Status}}' \
		again)" = "2 3 exited" ]
}
wait_for 20 restarted && ok "restarted twice" || not_ok "restarted twice"
P rm -f again >/dev/null

# --- network ------------------------------------------------------------------------
P network create net >/dev/null
succeeds "a bridge, a port" P run -d --name web --network net \
	-p 127.0.0.1:18080:80 $IMAGE httpd -f -p 80 -h /etc
fetched()
{
	busybox nc 127.0.0.1 18080 <<'HTTP' | grep -q '^root:x:0:$'
GET /group HTTP/1.0

HTTP
}
wait_for 10 fetched && ok "a published port" || not_ok "a published port"
IP=$(P inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' web)
G='printf "GET /group HTTP/1.0\r\n\r\n" | nc'
run P run --rm --network net $IMAGE sh -c "$G $IP 80 | grep -c ^root"
is "$OUT" 1 "from a neighbour on the bridge"
run P run --rm --network container:web --pid container:web \
	--ipc container:web $IMAGE sh -c "$G 127.0.0.1 80 | grep -c ^root; cat /proc/1/comm"
is "$OUT" "1
httpd" "in another's namespaces"
P rm -f -t 0 web >/dev/null
P network rm net >/dev/null

# --- pods -----------------------------------------------------------------------------
P pod create --name pod --network none --share net,ipc,uts,pid >/dev/null
succeeds "a pod" P run -d --pod pod --name in $IMAGE pause
run P run --rm --pod pod $IMAGE sh -c 'hostname; ps -o comm | grep -c pause'
is "$OUT" "pod
2" "pod: names and processes are shared"
P pod pause pod >/dev/null && P pod unpause pod >/dev/null &&
	P pod restart pod >/dev/null
is "$(P pod ps --format '{{.Name}} {{.Status}} {{.NumberOfContainers}}')" \
	"pod Running 2" "pod: paused, resumed, restarted"
no_debris
succeeds "pod: removed" P pod rm -f -t 0 pod
cat >"$TMP/pod.yaml" <<YAML
apiVersion: v1
kind: Pod
metadata: {name: kube}
spec:
  hostNetwork: true
  restartPolicy: Never
  containers:
  - name: a
    image: $IMAGE:latest
    imagePullPolicy: Never
    command: [sh, -c, "echo \$K; exec pause"]
    env: [{name: K, value: from-kube}]
    resources: {limits: {memory: 64Mi, cpu: 500m}}
    securityContext:
      runAsUser: 1000
      readOnlyRootFilesystem: true
      allowPrivilegeEscalation: false
      capabilities: {drop: [ALL]}
    volumeMounts: [{name: v, mountPath: /v}]
  - name: b
    image: $IMAGE:latest
    imagePullPolicy: Never
    command: [sh, -c, "echo shared >/v/x; exec pause"]
    volumeMounts: [{name: v, mountPath: /v}]
  volumes: [{name: v, emptyDir: {}}]
YAML
succeeds "kube play" P kube play "$TMP/pod.yaml"
is "$(P logs kube-a)" from-kube "kube: logs"
is "$(P exec kube-a sh -c "$S; id -u; cat /v/x")" \
	"0000000000000000 1 2 1000
shared" "kube: security context, shared volume"
no_debris
succeeds "kube down" P kube down "$TMP/pod.yaml"

# --- images ---------------------------------------------------------------------------
printf 'FROM %s\nRUN echo built >/b\nCMD ["cat", "/b"]\n' $IMAGE >"$TMP/Containerfile"
succeeds "build" P build -q --network none --isolation oci --runtime "$ENGINE" \
	-t localhost/built -f "$TMP/Containerfile" "$TMP/cni"
prun "what was built" built localhost/built

# --- nothing is left --------------------------------------------------------------------
is "$(P ps -aq)" "" "podman knows no container"
is "$("$ENGINE" list -q)" "" "nor does the engine"
cage_finish
