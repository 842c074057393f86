#!/bin/sh
# Rows E01 to E69 of the threats that concern the engine.  Each was seen red
# against a build with its guard compiled out (make GUARD_OFF=GUARD_OFF_X
# CFLAGS="-Wno-unused-function -Wno-unused-variable -Wno-unused-parameter"):
#   E01 SELF, SELF_REACH, E03 CWD, E04 CLOSE, E17 PROC_LINK, E18 PROC_COVER, E32 and E36
#   MASK, E38 DEVICES, E53 and E54 CAPS, E55 GROUPS, E69 PID_REUSE
# or has a control beside it, which shows that the attack works otherwise (E37,
# E51, E57, E58, E62, E63).
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/engine-lib.sh"
tmpdir
at_exit e_cleanup
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
canary_make "$TMP/canary"
CANARY=$(canary_sum "$TMP/canary")
C=$T_TAG-c
# As root of the host: the worst case for whatever DAC protects otherwise.
NO_USER='del(.linux.uidMappings, .linux.gidMappings)
	| .linux.namespaces -= [{"type": "user"}]'
NO_SECCOMP='del(.linux.seccomp)'

# --- E01: our own executable --------------------------------------------------
cp "$ENGINE" "$TMP/engine" && SUM=$(sha256sum <"$TMP/engine")
SELF=$TMP/engine
bundle e01 "$NO_USER | $NO_SECCOMP"' | .process.args = ["/proc/self/exe"]'
run "$SELF" --root "$TMP/state" run --bundle "$TMP/e01" "$C"
edit e01 '.process.args = ["sleep", "100"]
	| .process.capabilities.bounding += ["CAP_SYS_PTRACE"]
	| .process.capabilities.effective += ["CAP_SYS_PTRACE"]
	| .process.capabilities.permitted += ["CAP_SYS_PTRACE"]'
cat >"$TMP/e01/rootfs/evil" <<'SH'
#!/bin/sh
i=0
while [ $i -lt 40 ]; do
	for p in /proc/[0-9]*; do
		case $(readlink $p/exe 2>/dev/null) in
		*engine*)
			exec 9<$p/exe && echo held
			echo overwritten 2>/dev/null >/proc/self/fd/9 && echo WROTE
			;;
		esac
	done
	i=$((i + 1))
done
SH
printf '#!/proc/self/exe\n' >"$TMP/e01/rootfs/script"
chmod 755 "$TMP/e01/rootfs/evil" "$TMP/e01/rootfs/script"
"$SELF" --root "$TMP/state" create --bundle "$TMP/e01" "$C"
E start "$C"
"$SELF" --root "$TMP/state" exec "$C" /evil >"$TMP/e01.out" 2>&1 &
EVIL=$!
for _i in 1 2 3 4 5 6 7 8 9 10; do
	"$SELF" --root "$TMP/state" exec "$C" /script --version \
		>/dev/null 2>&1
	# The link of the joining process, as the kernel shows it to root.
done
wait "$EVIL"
E exec --detach "$C" /proc/self/exe >/dev/null 2>&1
E delete --force "$C"
is "$(sha256sum <"$TMP/engine")" "$SUM" "E01 the executable is unchanged"
unlike "$(cat "$TMP/e01.out")" WROTE "E01 no write through /proc/PID/exe"
# Deterministic: a process of ours that stands still inside, opened for
# writing by the host's root through its link, which DAC would allow.
"$SELF" --root "$TMP/state" create --bundle "$TMP/e01" "$C"
P=$(E state "$C" | jq .pid)
exec 5<"/proc/$P/exe"
E delete --force "$C"
if (: >>/proc/self/fd/5) 2>"$TMP/e01.err"; then
	not_ok "E01 what /proc/PID/exe gave cannot be written later"
else
	like "$(cat "$TMP/e01.err")" 'Read-only file system' \
		"E01 what /proc/PID/exe gave cannot be written later"
fi
exec 5<&-
# With a user namespace the owner of our executable is nobody inside: then, and
# only then, the kernel alone refuses, and we do not execute ourselves again.
bundle e01u '.process.args = ["sleep", "100"]'
self_is() # HOW NAME: what a waiting first process of ours can be opened as
{
	"$SELF" --root "$TMP/state" create --bundle "$TMP/e01u" "$C"
	P=$(E state "$C" | jq .pid)
	exec 5<"/proc/$P/exe" 6<"/proc/$P/ns/user"
	E delete --force "$C"
	(nsenter --user=/proc/self/fd/6 --setuid 0 --setgid 0 -- \
		sh -c ': >>/proc/self/fd/5 && echo WROTE') >"$TMP/e01.err" 2>&1
	like "$(cat "$TMP/e01.err")" "$1" "$2"
	exec 5<&- 6<&-
}
self_is 'Permission denied' "E01 user namespace: the owner is not mapped"
edit e01u '.linux.uidMappings = [{"containerID": 0, "hostID": 0, "size": 65536}]
	| .linux.gidMappings = .linux.uidMappings'
chown 0:0 "$TMP/e01u/rootfs"
self_is 'Read-only file system' "E01 user namespace: the owner is mapped"
bundle e01u '.process.args = ["sleep", "100"]'
chmod 757 "$SELF"
self_is 'Read-only file system' "E01 user namespace: others may write"
chmod 775 "$SELF"
self_is 'Permission denied' "E01 user namespace: a group that is not mapped"
chown "0:$HOST_ID" "$SELF"
self_is 'Read-only file system' "E01 user namespace: the group is mapped"
chmod 755 "$SELF"
chown "$HOST_ID:0" "$SELF"
self_is 'Read-only file system' "E01 user namespace: an owner of its range"
chown 0:0 "$SELF"
is "$(sha256sum <"$TMP/engine")" "$SUM" "E01 the executable is still unchanged"

# --- E02 ----------------------------------------------------------------------
E create --bundle "$TMP/e01" "$C"
P=$(E state "$C" | jq .pid)
is "$(stat -c %u "/proc/$P/mem")" 0 "E02 the first process belongs to root"
bundle e02
E create --bundle "$TMP/e02" "$C-2"
P=$(E state "$C-2" | jq .pid)
is "$(stat -c %u "/proc/$P/fd")" 0 "E02 not dumpable while it waits in a user namespace"
E delete --force "$C"
E delete --force "$C-2"

# --- E03, E04 -------------------------------------------------------------------
bundle e03 "$NO_USER"' | .process.args = ["sleep", "100"]'
E create --bundle "$TMP/e03" "$C" && E start "$C"
BAD=0
for _i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 20 30 100 1023; do
	for _d in self thread-self; do
		run E exec --cwd "/proc/$_d/fd/$_i" "$C" pwd
		[ "$ST" = 255 ] || BAD=$((BAD + 1))
	done
done
is "$BAD" 0 "E03 exec --cwd /proc/self/fd/N"
fails "E03 exec --cwd /proc/1/cwd" 255 'process.cwd' \
	E exec --cwd /proc/1/cwd "$C" pwd
E delete --force "$C"
BAD=0
for _i in 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do
	edit e03 '.process.args = ["true"] | .process.cwd = "/proc/self/fd/'$_i'"'
	run E run --bundle "$TMP/e03" "$C" 7</ 8<"$TMP"
	[ "$ST" = 1 ] || BAD=$((BAD + 1))
done
is "$BAD" 0 "E03 run with a cwd of /proc/self/fd/N"
bundle e04 '.process.args = ["sh", "-c", "echo /proc/self/fd/*"]'
run E run --bundle "$TMP/e04" "$C" 7</ 8<"$TMP" 9</etc/passwd
# 3 is the shell's own directory while it expands the pattern.
is "$OUT" "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3" \
	"E04 run inherits 0, 1 and 2"
edit e04 '.process.args = ["sleep", "100"]'
E create --bundle "$TMP/e04" "$C" && E start "$C"
run E exec "$C" sh -c 'echo /proc/self/fd/*' 7</ 8<"$TMP"
is "$OUT" "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3" \
	"E04 exec inherits 0, 1 and 2"
run E exec --preserve-fds 1 "$C" sh -c 'cat <&3; echo /proc/self/fd/*' \
	3<"$TMP/canary/dir/two" 7</
like "$OUT" '^canary-two$' "E04 a declared descriptor is passed"
E delete --force "$C"

# --- E17, E18, E23, E34: what the image has at our destinations --------------------
for _n in proc sys; do
	for _k in link file fifo; do
		rm -rf "$TMP/e17"
		bundle e17
		rm -rf "$TMP/e17/rootfs/$_n"
		case $_k in
		link) ln -s tmp "$TMP/e17/rootfs/$_n" ;;
		file) : >"$TMP/e17/rootfs/$_n" ;;
		fifo) mkfifo "$TMP/e17/rootfs/$_n" ;;
		esac
		fails "E17 /$_n of the image is a $_k" 1 \
			'ordinary directory|Not a directory' \
			E run --bundle "$TMP/e17" "$C"
	done
done
for _d in /proc /proc/self /proc/sys/kernel / .. /tmp/../proc //proc/1; do
	bundle e18 '.mounts += [{"destination": "'"$_d"'", "type": "bind",
		"source": "'"$TMP"'/canary", "options": ["bind"]}]'
	fails "E18 a volume at $_d" 1 'mount destination' \
		E run --bundle "$TMP/e18" "$C"
done
ln -s /proc/self "$TMP/e18/rootfs/link"
edit e18 '.mounts[-1].destination = "/link/attr"'
fails "E18 a volume behind a link into /proc" 1 'mount' \
	E run --bundle "$TMP/e18" "$C"
mkdir "$TMP/outside"
for _t in "$TMP/outside" "../../outside" "nowhere/deep" "/proc/self/cwd"; do
	rm -rf "$TMP/e34"
	bundle e34 "$NO_USER"' | .mounts = [.mounts[] | select(.destination
		| startswith("/dev") | not)]'
	rmdir "$TMP/e34/rootfs/dev"
	ln -s "$_t" "$TMP/e34/rootfs/dev"
	run E run --bundle "$TMP/e34" "$C"
	is "$(ls -A "$TMP/outside")" "" "E34 /dev of the image leads to $_t"
done

# --- E32, E36, E37, E39: masks ---------------------------------------------------
MASKED="acpi asound interrupts kcore keys latency_stats sched_debug scsi
timer_list timer_stats"
bundle e36 "$NO_USER | $NO_SECCOMP"
sh_in e36 'for f in '"$(echo $MASKED)"'; do
	[ -e /proc/$f ] || continue
	if [ -d /proc/$f ]; then n=$(ls -A /proc/$f | wc -l)
	else n=$(head -c 9 /proc/$f | wc -c); fi
	[ "$n" = 0 ] || echo "$f shows something"
	done; ls -A /sys/firmware; echo done'
is "$OUT" "done" "E36 masked files and directories are empty"
# As thermal_throttle, which virtual machines do not have.
edit e36 '.linux.maskedPaths += ["/sys/devices/system/cpu/cpu0/topology",
	"/sys/devices/system/cpu/cpu9999/thermal_throttle"]'
sh_in e36 'ls -A /sys/devices/system/cpu/cpu0/topology; echo done'
is "$OUT" "done" "E36 a folder of one processor is masked, one that is not there is no error"
mkdir "$TMP/dev" && ln -s /proc/sys/kernel/core_pattern "$TMP/dev/null"
edit e36 '.mounts = [.mounts[] | if .destination == "/dev" then
	.type = "bind" | .source = "'"$TMP"'/dev" | .options = ["bind"] else . end
	| select(.destination | startswith("/dev/") | not)]'
sh_in e36 'grep " /proc/interrupts " /proc/self/mountinfo | cut -d" " -f4; echo; grep " /proc/kcore " /proc/self/mountinfo | cut -d" " -f4; head -c 9 /proc/interrupts | wc -c'
like "$OUT" '^/null$' "E32 the mask is the host's /dev/null, not the volume's"
like "$OUT" '^0$' "E32 and reads as empty"
bundle e37 "$NO_USER | $NO_SECCOMP"
sh_in e37 'for f in /proc/sysrq-trigger /proc/sys/kernel/core_pattern \
	/proc/sys/kernel/modprobe /proc/sys/kernel/hotplug \
	/proc/sys/vm/panic_on_oom /proc/sys/fs/binfmt_misc/register \
	/proc/sys/kernel/sysrq /proc/sys/kernel/hostname /proc/irq/0/smp_affinity \
	/proc/sys/net/ipv4/ip_forward /sys/kernel/uevent_helper \
	/sys/kernel/mm/ksm/run /sys/power/state /sys/class/mem/null/uevent \
	/sys/fs/cgroup/memory/release_agent /sys/fs/cgroup/pids/cgroup.procs \
	/sys/fs/cgroup/unified/cgroup.procs; do
	(exec 9>$f) 2>/dev/null && echo "$f can be written"; done
	mkdir /sys/firmware/x /proc/acpi/x /sys/fs/cgroup/pids/x 2>/dev/null && echo made
	echo done'
is "$OUT" "done" "E37 E39 E63 nothing of proc, sys, masks, cgroups can be written"
# Controls: what the config protects is what is protected.
edit e37 '.linux.readonlyPaths = [] | .mounts |= map(if .type == "cgroup"
	then .options -= ["ro"] else . end)'
sh_in e37 '(exec 9>/proc/sys/kernel/hostname) && echo opened
	cd /sys/fs/cgroup/pids 2>/dev/null || cd /sys/fs/cgroup
	mkdir x && rmdir x && echo made'
is "$OUT" "opened
made" "E37 E63 control: without read-only paths and mounts it can"

# --- E38: devices ------------------------------------------------------------------
CAP='.process.capabilities = (.process.capabilities | map_values(. + ["CAP_MKNOD"]))'
bundle e38 "$NO_USER | $NO_SECCOMP | $CAP"
sh_in e38 'for d in "b 254 0" "b 8 0" "b 7 0" "c 1 1" "c 1 2" "c 1 11" "c 10 232" "c 10 237" "c 10 200"; do
	rm -f /tmp/n; if mknod /tmp/n $d 2>/dev/null; then echo "mknod $d"; fi; done
	mknod /tmp/n c 1 3 && echo x >/tmp/n && echo null; echo done'
is "$OUT" "null
done" "E38 only the standard nodes can be made and opened"

# --- E53 to E56: identity ------------------------------------------------------------
bundle e53
sh_in e53 'grep -E "^Cap(Inh|Amb)" /proc/self/status | tr -d "\t\n"'
is "$OUT" "CapInh:0000000000000000CapAmb:0000000000000000" "E53 no inheritable, no ambient capability"
edit e53 '.process.user = {"uid": 1000, "gid": 1000, "additionalGids": [7, 9]}
	| .process.capabilities = {"bounding": ["CAP_KILL"]}'
sh_in e53 'grep -E "^Cap(Prm|Eff|Bnd)" /proc/self/status | tr -d "\t\n"; id -G'
is "$OUT" "CapPrm:0000000000000000CapEff:0000000000000000CapBnd:00000000000000201000 7 9" \
	"E54 E55 another user: no capability, exactly its groups"
bundle e53h "$NO_USER"' | .process.args = ["grep", "^CapInh", "/proc/self/status"]'
run setpriv --inh-caps +kill,+chown "$ENGINE" --root "$TMP/state" run \
	--bundle "$TMP/e53h" "$C"
is "$OUT" "CapInh:	0000000000000000" "E53 inheritable ones of the caller end here"
bundle e55 "$NO_USER"
sh_in e55 'id -G; grep Groups /proc/self/status'
unlike "$OUT" '[1-9]' "E55 no group of the host"
# The capability sets are exactly those of the config, root or not.
bundle e54 "$NO_USER"' | .process.capabilities = {"bounding": ["CAP_KILL"],
	"effective": ["CAP_KILL"], "permitted": ["CAP_KILL"]}'
sh_in e54 'grep -E "^Cap(Prm|Eff|Bnd)" /proc/self/status | cut -f2 | sort -u'
is "$OUT" "0000000000000020" "E54 all sets as asked"
bundle e56 '.process.env = ["PATH=/bin"] | .process.args = ["sh", "-c", "tr \"\\0\" \"\\n\" </proc/1/environ | grep -c ."]'
CANARY_ENV=secret run E run --bundle "$TMP/e56" "$C"
is "$OUT" 2 "E56 the environment is the config's (and HOME)"

# --- E26: user strings ---------------------------------------------------------------
edit e53 '.process.args = ["sleep", "100"] | .process.user = {"uid": 0, "gid": 0}'
E create --bundle "$TMP/e53" "$C" && E start "$C"
while IFS='|' read -r _u _want; do
	run E exec --user "$_u" "$C" sh -c 'echo $(id -u):$(id -g)'
	[ "$ST" = 255 ] && OUT=refused
	is "$OUT" "$_want" "E26 exec --user \"$_u\""
done <<'LIST'
1|1:0
1:2|1:2
0:5|0:5
+1|refused
01|refused
 0|refused
0x0|refused
-1|refused
1:|refused
:1|refused
root|refused
4294967295|refused
4294967296|refused
1:4294967296|refused
18446744073709551616|refused
1:2:3|refused
1 |refused
１|refused
LIST
E delete --force "$C"

# --- E57, E58, E60, E62: seccomp, no_new_privs ---------------------------------------
bundle e57
sh_in e57 'unshare -U true; unshare -m true; mkdir -p /tmp/m; mount -t cgroup -o memory none /tmp/m; mount -t tmpfs none /tmp/m; echo done'
is "$(printf '%s' "$ERR" | grep -ciE 'not permitted|permission denied')" 4 \
	"E57 no namespaces, no mounts"
edit e57 "$NO_SECCOMP"
sh_in e57 'unshare -U true && echo works'
is "$OUT" works "E57 control: without the filter it works"
sh_in e53 'grep -E "^(Seccomp|NoNewPrivs):" /proc/self/status | tr -d "\t\n"'
is "$OUT" "NoNewPrivs:1Seccomp:2" "E58 E62 filter and no_new_privs are on"
if command -v "${CC:-gcc}" >/dev/null; then
	cat >"$TMP/probe.c" <<'SRC'
/* Prints the errno of some system calls by number; 0 if it was allowed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static long probe(long nr, long a, long b)
{
	long r;
	__asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b),
			 "d"(0L) : "rcx", "r11", "memory");
	return r < 0 ? -r : 0;
}
int main(int argc, char **argv)
{
	for (int i = 1; i + 2 < argc; i += 3) {
		long nr = strtol(argv[i], 0, 0), e;
		int st;
		pid_t p;
		fflush(stdout);
		p = vfork();
		if (p == 0) {
			e = probe(nr, strtol(argv[i + 1], 0, 0),
				  strtol(argv[i + 2], 0, 0));
			_exit((int)e & 127);
		}
		waitpid(p, &st, 0);
		if (WIFSIGNALED(st))
			printf("%s signal %d\n", argv[i], WTERMSIG(st));
		else
			printf("%s %d\n", argv[i], WEXITSTATUS(st));
	}
	return 0;
}
SRC
	"${CC:-gcc}" -static -O1 -o "$TMP/probe" "$TMP/probe.c"
	bundle e58
	cp "$TMP/probe" "$TMP/e58/rootfs/bin/probe"
	# keyctl add_key bpf perf ptrace userfaultfd io_uring_setup unshare
	# setns mount pidfd_getfd kexec_load process_vm_readv fsopen
	sh_in e58 'probe 250 0 0 248 0 0 321 0 0 298 0 0 101 0 0 323 0 0 425 0 0 272 0 0 308 0 0 165 0 0 438 0 0 246 0 0 310 0 0 430 0 0'
	is "$(printf '%s' "$OUT" | cut -d' ' -f2 | sort -u)" 1 \
		"E58 dangerous calls: EPERM"
	sh_in e58 'probe 435 0 0 451 0 0 467 0 0 500 0 0'
	is "$(printf '%s' "$OUT" | cut -d' ' -f2 | sort -u)" 38 \
		"E58 clone3 and unknown numbers: ENOSYS"
	sh_in e58 'probe 41 38 5 41 40 1 41 17 3 41 1 1 41 2 1 41 10 1 41 16 3'
	is "$(printf '%s' "$OUT" | tr '\n' ' ')" \
		"41 1 41 1 41 1 41 0 41 0 41 0 41 0" \
		"E51 socket families: unix, inet, inet6, netlink alone"
	bundle e58c "$NO_SECCOMP"
	cp "$TMP/probe" "$TMP/e58c/rootfs/bin/probe"
	sh_in e58c 'probe 435 0 0 250 0 0 41 40 1 | grep -vE " (38|1)$" | wc -l'
	is "$OUT" 3 "E51 E58 control: without the filter other answers"
	sh_in e58 'probe 56 0x10000011 0 56 0x00020011 0 56 0x40000011 0'
	is "$(printf '%s' "$OUT" | cut -d' ' -f2 | sort -u)" 1 \
		"E57 clone with new namespaces: EPERM"
	sh_in e58 'probe 0x40000027 0 0'
	like "$OUT" 'signal 31' "E60 x32 numbers kill"
	cat >"$TMP/i386.c" <<'SRC'
#include <unistd.h>
int main(void)
{
	long r;
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory");
	return r > 0 ? 0 : 1;
}
SRC
	"${CC:-gcc}" -static -O1 -o "$TMP/i386" "$TMP/i386.c"
	cp "$TMP/i386" "$TMP/e58/rootfs/bin/i386"
	sh_in e58 'i386; echo $?'
	is "$OUT" 159 "E60 the 32-bit entry kills"
	cat >"$TMP/euid.c" <<'SRC'
#include <stdio.h>
#include <unistd.h>
int main(void)
{
	return printf("%d %d\n", (int)getuid(), (int)geteuid()) < 0;
}
SRC
	"${CC:-gcc}" -static -O1 -o "$TMP/euid" "$TMP/euid.c"
	bundle e62 '.process.user = {"uid": 1000, "gid": 1000}'
	cp "$TMP/euid" "$TMP/e62/rootfs/bin/euid"
	chown "$HOST_ID:$HOST_ID" "$TMP/e62/rootfs/bin/euid"
	chmod 4755 "$TMP/e62/rootfs/bin/euid"
	sh_in e62 'euid'
	is "$OUT" "1000 1000" "E62 a set-user-id program gains nothing"
	edit e62 '.process.noNewPrivileges = false
		| .process.capabilities = {"bounding": ["CAP_SETUID"]}'"| $NO_SECCOMP"
	sh_in e62 'euid'
	is "$OUT" "1000 0" "E62 control: without no_new_privs it does"
else
	skip "E58 E60 E62 by number" "no compiler"
fi

# --- E63: cgroup tree ----------------------------------------------------------------
bundle e63
sh_in e63 'cat /proc/self/cgroup | cut -d: -f3 | sort -u; ls -d /sys/fs/cgroup/*/reconcile* 2>/dev/null'
is "$OUT" "/" "E63 the cgroup namespace shows its own root alone"

# --- E69: a pid is not a process -----------------------------------------------------
bundle e69 '.process.args = ["sleep", "100"]'
E create --bundle "$TMP/e69" "$C" && E start "$C"
E kill "$C" KILL
wait_for 5 status_is "$C" stopped
sleep 100 &
STRANGER=$!
# What a reused pid looks like: the number lives again, as another process.
printf '{"pid":%d,"startTime":1}' "$STRANGER" >"$TMP/state/$C/init.json"
is "$(E state "$C" | jq -r .status)" stopped "E69 a recycled pid is not the container"
fails "E69 kill refuses it" 1 'not running' E kill "$C" KILL
E delete --force "$C"
kill -0 "$STRANGER" && ok "E69 the stranger lives" || not_ok "E69 the stranger lives"
kill "$STRANGER"

# --- E10, E31 ------------------------------------------------------------------------
bundle e10 '.annotations = {"run.oci.hooks": "/bin/false",
	"run.oci.handler": "x", "io.reconcile.overlay": "/",
	"org.systemd.property.X": "y"} | .process.args = ["true"]'
succeeds "E10 annotations mean nothing" E run --bundle "$TMP/e10" "$C"
bundle e31 '.linux.cgroupsPath = "/a/../../../tmp/x"'
fails "E31 a cgroup path that leads out" 1 'cgroupsPath' \
	E run --bundle "$TMP/e31" "$C"

is "$(canary_sum "$TMP/canary")" "$CANARY" "the canary is untouched"
baseline_check "the host is as it was"
finish
