#!/bin/bash
# Debian's containerd with our engine below its own shim (io.containerd.runc.v2),
# driven by ctr.  A containerd of the test's own, in a box; nothing is fetched.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/cage.sh"
need_program containerd containerd-shim-runc-v2 ctr umoci script
cage /var/lib/containerd /etc/containerd /opt/containerd

IMAGE=localhost/test:latest
# The lines of the README, with what keeps this containerd to itself.
sed -n '/^version = 2$/,/^```$/p' "$TOP/README.md" |
	sed "/^\`\`\`/d; s#^BinaryName = .*#BinaryName = \"$ENGINE\"#
	/^version/a root = \"$TMP/root\"
	/^version/a state = \"$TMP/state\"" >"$TMP/containerd.toml"
printf '[grpc]\naddress = "%s"\n' "$TMP/sock" >>"$TMP/containerd.toml"
containerd -c "$TMP/containerd.toml" >"$TMP/containerd.log" 2>&1 &
C()
{
	ctr -a "$TMP/sock" -n test "$@"
}
wait_for 20 C version || diag "$(tail -n 5 "$TMP/containerd.log")"

like "$(C plugin ls)" '^io.containerd.grpc.v1 +cri +.* ok ' \
	"containerd takes the lines of the README"

cage_root "$TMP/rootfs"
umoci init --layout "$TMP/image"
umoci new --image "$TMP/image:latest"
umoci insert --image "$TMP/image:latest" "$TMP/rootfs" / >/dev/null 2>&1
umoci config --image "$TMP/image:latest" --config.env PATH=/bin \
	--config.cmd /bin/pause
tar -C "$TMP/image" -c . >"$TMP/image.tar"
succeeds "an image" C image import --base-name localhost/test "$TMP/image.tar"

# crun NAME WANT OPTION... -- ARG...: what a container prints, errors too.
crun()
{
	_name=$1 _want=$2 _opts=()
	shift 2
	while [ "$1" != -- ]; do
		_opts+=("$1")
		shift
	done
	shift
	run C run --rm --runc-binary "$ENGINE" "${_opts[@]}" $IMAGE r "$@"
	is "$OUT$ERR" "$_want" "$_name"
}

# task FIELD: of the container c, in `ctr task list`.
task()
{
	C task ls | awk -v f="$1" '$1 == "c" { print $f }'
}

task_is()
{
	[ "$(task 3)" = "$1" ]
}

# with_tty WORDS: ctr at a terminal of 24 rows and 80 columns.
TTY='tty; while ! stty size 2>/dev/null | grep -v "^0 0"; do sleep 0.1; done'
with_tty()
{
	run script -qec "stty rows 24 cols 80; ctr -a $TMP/sock -n test $*" \
		/dev/null
	# script(1) says that its own input has ended
	OUT=$(printf '%s\n' "$OUT" | tr -d '\r\0' | sed 's/\^[@D]//g; /^$/d')
}

# --- run ------------------------------------------------------------------------
crun "run" hello -- echo hello
crun "environment, working directory" "b /tmp" --env A=b --cwd /tmp -- \
	sh -c 'echo $A $PWD'
fails "exit status of the program" 42 '^$' C run --rm --runc-binary "$ENGINE" \
	$IMAGE r sh -c 'exit 42'
fails "not found" 1 'OCI runtime create failed.*executable file not found in \$PATH' \
	C run --rm --runc-binary "$ENGINE" $IMAGE r nothing
fails "not to be executed" 1 'OCI runtime create failed.*ermission denied' \
	C run --rm --runc-binary "$ENGINE" $IMAGE r /etc
C container rm r >/dev/null 2>&1
is "$(C run --rm --runc-binary "$ENGINE" --rootfs "$TMP/rootfs" r /bin/id -u)" 0 \
	"a root of one's own"
with_tty run -t --rm --runc-binary "$ENGINE" $IMAGE r sh -c "'$TTY'"
is "$OUT" "/dev/pts/0
24 80" "a terminal with its size"
crun "a state directory of its own" there --runc-root "$TMP/runc" -- echo there

# --- what keeps it in --------------------------------------------------------------
S='grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status | cut -f2 | tr "\n" " "'
crun "capabilities, no new privileges" "00000000a80425fb 1 0 " -- sh -c "$S"
crun "containerd's own seccomp profile" "00000000a80425fb 1 2 " --seccomp -- \
	sh -c "$S"
crun "the same without no_new_privs" "00000000a80425fb 0 2 " --seccomp \
	--allow-new-privs -- sh -c "$S"
crun "one more, one less" "00000000a82425fa 1 0 " --cap-add CAP_SYS_ADMIN \
	--cap-drop CAP_CHOWN -- sh -c "$S"
crun "privileged" mounted --privileged -- \
	sh -c 'mount -t tmpfs x /mnt && echo mounted'
crun "read-only" "1touch: /x: Read-only file system" --read-only -- \
	sh -c 'touch /x; echo $?'
crun "a bind" "group
passwd
1touch: /e/x: Read-only file system" \
	--mount "type=bind,src=$TMP/rootfs/etc,dst=/e,options=rbind:ro" -- \
	sh -c 'ls /e; touch /e/x; echo $?'
crun "a device" "c 1,11" --device /dev/kmsg -- \
	sh -c 'stat -c "%t %T" /dev/kmsg | sed "s/1 b/c 1,11/"'
crun "ids of its own" "0 200000 65536 0" --uidmap 0:200000:65536 \
	--gidmap 0:200000:65536 -- \
	sh -c 'echo $(cat /proc/self/uid_map) $(stat -c %u /bin/busybox)'
crun "the network of the host" "$(readlink /proc/self/ns/net)" --net-host -- \
	readlink /proc/self/ns/net
crun "a namespace by path" "$(readlink /proc/self/ns/uts)" \
	--with-ns uts:/proc/1/ns/uts -- readlink /proc/self/ns/uts
crun "propagation of the root" shared --rootfs-propagation shared -- \
	sh -c 'grep " / / " /proc/self/mountinfo | grep -o "shared"'

# --- cgroups -------------------------------------------------------------------------
if [ -d /sys/fs/cgroup/memory ]; then
	# The limit, from outside, where the container says that it is.
	run C run --rm --runc-binary "$ENGINE" --cgroup /own/group \
		--memory-limit 33554432 --cpu-quota 20000 --cpu-period 100000 \
		--cpu-shares 300 --mount \
		"type=bind,src=/sys/fs/cgroup,dst=/mnt,options=rbind:ro" \
		$IMAGE r sh -c 'cd /mnt; echo $(cat \
		memory/own/group/memory.limit_in_bytes \
		cpu/own/group/cpu.cfs_quota_us cpu/own/group/cpu.shares) \
		$(grep -c ":/own/group$" /proc/self/cgroup | sed "s/^[1-9][0-9]*/all/")'
	is "$OUT$ERR" "33554432 20000 300 all" "a group, its limits"
fi
fails "out of memory" 137 '^$' C run --rm --runc-binary "$ENGINE" \
	--memory-limit 16777216 $IMAGE r dd if=/dev/zero of=/dev/null bs=64M count=1
crun "the default group" ok --cgroup "" -- echo ok

# --- a task that stays ------------------------------------------------------------------
succeeds "run --detach" C run -d --runc-binary "$ENGINE" --pid-file "$TMP/pid" \
	$IMAGE c pause
is "$(task 2) $(task 3)" "$(cat "$TMP/pid") RUNNING" "task list, pid file"
fails "exec: exit status" 7 '^$' C task exec --exec-id e1 c sh -c 'exit 7'
run C task exec --exec-id e2 --user 1000 --cwd /tmp c sh -c 'echo $(id -u) $PWD'
is "$OUT" "1000 /tmp" "exec --user --cwd"
with_tty task exec -t --exec-id e3 c sh -c "'tty'"
like "$OUT" '^/dev/pts/0$' "exec at a terminal"
fails "exec of nothing" 1 'executable file not found in \$PATH' \
	C task exec --exec-id e4 c nothing
succeeds "exec --detach" C task exec -d --exec-id e5 c sleep 1000
like "$(C task ps c)" '^[0-9]+ +&ProcessDetails\{ExecID:e5,' "ps names the exec"
succeeds "pause" C task pause c
is "$(task 3)" PAUSED "task list: paused"
succeeds "resume" C task resume c
like "$(C task metrics c)" '^(memory.usage_in_bytes|memory.usage|pids.current) ' \
	"metrics"
fails "checkpoint is refused" 1 'checkpoint: this runtime does not offer it' \
	C task checkpoint c
succeeds "kill" C task kill -s TERM c
wait_for 5 task_is STOPPED && ok "stopped" || not_ok "stopped" "$(C task ls)"
run C task rm c
is "$ST" 0 "task rm"
succeeds "container rm" C container rm c
C run -d --runc-binary "$ENGINE" $IMAGE c pause
C task exec -d --exec-id e6 c sleep 1000
succeeds "kill --all" C task kill -a -s KILL c
wait_for 5 task_is STOPPED && ok "all stopped" || not_ok "all stopped"
C task rm c >/dev/null 2>&1
C container rm c
C run -d --runc-binary "$ENGINE" $IMAGE c pause
run C task rm -f c
is "$ST" 0 "task rm --force of a running one"
C container rm c

# --- nothing is left -------------------------------------------------------------------------
is "$(C container ls -q)$(C task ls -q)" "" "containerd knows no container"
is "$(find /run/containerd "$TMP/runc" -mindepth 1 -maxdepth 3 -type d \
	-path '*/test/*' 2>/dev/null)" "" "nor does the engine"
cage_finish
