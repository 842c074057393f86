#!/bin/sh
# Rows E15 to E39 that are about paths: what an image, a volume or a config puts
# where the engine mounts, creates, opens or writes.  The swapped state is there
# before the call.  Seen red with GUARD_OFF_INROOT (E15 E16 E18 E23 E34),
# GUARD_OFF_SYSCTL_PROC (E19), GUARD_OFF_PTMX (E33), GUARD_OFF_MASK (E32 E39).
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/engine-lib.sh"
need_program script unshare
tmpdir
PATTERN=$(cat /proc/sys/kernel/core_pattern)
at_exit e_cleanup
at_exit restore
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
canary_make "$TMP/canary"
CANARY=$(canary_sum "$TMP/canary")
C=$T_TAG-c
# As root of the host: the worst case for whatever DAC protects otherwise.
NO_USER='del(.linux.uidMappings, .linux.gidMappings)
	| .linux.namespaces -= [{"type": "user"}]'
mkdir "$TMP/vol" && echo data >"$TMP/vol/f"

restore() # what only an engine without its guards has changed
{
	[ "$(cat /proc/sys/kernel/core_pattern)" = "$PATTERN" ] ||
		echo "$PATTERN" >/proc/sys/kernel/core_pattern
}
# bind DEST SOURCE OPTION: a jq filter
bind()
{
	printf '| .mounts += [{"destination": "%s", "type": "bind", "source": "%s", "options": ["%s"]}]' \
		"$1" "$2" "$3"
}
same() # NAME: the canary is as it was
{
	is "$(canary_sum "$TMP/canary")" "$CANARY" "$1: the host's files are as they were"
}
root() # NAME FILTER: a new bundle without a user namespace
{
	rm -rf "$TMP/$1"
	bundle "$1" "$NO_USER ${2:-}"
}

# --- E15, E16: destinations through links that lead out -------------------------------------
# target of /link in the image; "@" is the way out of the bundle's root
while read -r _t; do
	T=$(printf '%s' "$_t" | sed "s|@|$TMP|")
	root e15 "$(bind /link/dir "$TMP/vol" bind) $(bind /link/file "$TMP/vol/f" bind)
		$(bind /chain/deep/new "$TMP/vol" bind)"
	ln -s "$T" "$TMP/e15/rootfs/link"
	ln -s link "$TMP/e15/rootfs/chain"
	sh_in e15 'cut -d" " -f5 /proc/self/mountinfo; cat /link/dir/f /link/file /chain/deep/new/f'
	is "$ST $(printf '%s\n' "$OUT" | grep -c '^data$')" "0 3" \
		"E15 a link to $_t: mounted inside the root"
	unlike "$OUT" 'canary-|^'"$TMP"'/canary$' "E15 nothing of the host is seen: $_t"
	same "E16 a link to $_t"
done <<'LIST'
@/canary
@/canary/dir/deep
@/canary/new/deeper
../../canary
../../../../../../../../../../@/canary/dir
..
/
tmp/../../../..
LIST
for _t in /proc/self/root /proc/1/cwd /proc/self/fd/3 /proc/self/cwd/../canary; do
	root e15 "$(bind /link/x "$TMP/vol" bind)"
	ln -s "$_t" "$TMP/e15/rootfs/link"
	run E run --bundle "$TMP/e15" "$C"
	is "$ST" 1 "E15 a link to $_t is refused"
	like "$ERR" 'mount /link/x: ' "E15 says where: $_t"
	same "E15 a link to $_t"
done
root e15 "$(bind /a/b "$TMP/vol" bind) $(bind /a/b/../../c "$TMP/vol" bind)
	$(bind /../../../../../../../tmp/canary "$TMP/vol" bind)"
sh_in e15 'ls -d /c/f /tmp/canary/f'
is "$OUT" "/c/f
/tmp/canary/f" "E15 .. in a destination stays inside"

# --- E17, E18, E34: /proc, /sys, /dev of the image -----------------------------------------------
for _n in proc sys; do
	for _t in "$TMP/canary" ../../canary nowhere/at/all loop /proc/self/root; do
		root e17
		rm -rf "$TMP/e17/rootfs/$_n"
		ln -s loop "$TMP/e17/rootfs/loop"
		ln -s "$_t" "$TMP/e17/rootfs/$_n"
		fails "E17 /$_n is a link to $_t" 1 'it must be an ordinary directory' \
			E run --bundle "$TMP/e17" "$C"
	done
done
for _d in proc ./proc /proc/. /x/../proc //proc// /proc/sys/.. /proc/sysrq-trigger /proc/1/attr; do
	for _first in ' | .mounts = [.mounts[-1]] + .mounts[:-1]' ''; do
		root e18 "$(bind "$_d" "$TMP/canary" bind) $_first"
		run E run --bundle "$TMP/e18" "$C"
		is "$ST" 1 "E18 a volume at $_d${_first:+, first of all}"
	done
done
same "E18 volumes over procfs"
for _k in file fifo null; do
	root e34 '| .mounts = [.mounts[] | select(.destination | startswith("/dev") | not)]'
	rmdir "$TMP/e34/rootfs/dev"
	case $_k in
	file) : >"$TMP/e34/rootfs/dev" ;;
	fifo) mkfifo "$TMP/e34/rootfs/dev" ;;
	null) mknod "$TMP/e34/rootfs/dev" c 1 3 ;;
	esac
	fails "E34 /dev of the image is a $_k" 1 'Not a directory' E run --bundle "$TMP/e34" "$C"
done
mkdir "$TMP/outside"
for _u in "$NO_USER" .; do
	for _n in null tty console ptmx full; do
		rm -rf "$TMP/e34"
		bundle e34 "$_u"' | .mounts = [.mounts[] | select(.destination | startswith("/dev") | not)]'
		ln -s "$TMP/outside/$_n" "$TMP/e34/rootfs/dev/$_n"
		run E run --bundle "$TMP/e34" "$C"
		is "$(ls -A "$TMP/outside")" "" "E34 /dev/$_n of the image leads out"
	done
done
root e34 '| .linux.devices = [{"type": "c", "path": "/out/node", "major": 1, "minor": 3}]'
ln -s "$TMP/outside" "$TMP/e34/rootfs/out"
E run --bundle "$TMP/e34" "$C" >/dev/null 2>&1
is "$(ls -A "$TMP/outside")" "" "E34 a device of the config behind a link"

# --- E19: writes to procfs through what an image or a volume shows there ---------------------------
# No procfs of the container's own: its /proc is the image's folder.
root e19 '| .mounts = [.mounts[] | select(.destination != "/proc")]
	| del(.linux.maskedPaths, .linux.readonlyPaths)
	| .linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "9000"}'
mkdir -p "$TMP/e19/rootfs/proc/sys/net/ipv4" "$TMP/e19/rootfs/proc/sys/kernel"
ln -s "$TMP/canary/one" "$TMP/e19/rootfs/proc/sys/net/ipv4/ip_forward"
ln -s /proc/sys/kernel/core_pattern "$TMP/e19/rootfs/proc/sys/kernel/msgmax"
edit e19 '.process.args = ["sleep", "100"]'
E create --bundle "$TMP/e19" "$C"
P=$(E state "$C" | jq .pid)
is "$(nsenter -t "$P" -n cat /proc/sys/net/ipv4/ip_forward) $(nsenter -t "$P" -i cat /proc/sys/kernel/msgmax)" \
	"1 9000" "E19 sysctls are written to the kernel"
E delete --force "$C"
is "$(cat /proc/sys/kernel/core_pattern)" "$PATTERN" "E19 core_pattern is as it was"
same "E19 sysctls"

# --- E21: options and sources as text ------------------------------------------------------------
while IFS='|' read -r _o _m; do
	root e21 "| .mounts += [{\"destination\": \"/m\", \"type\": \"tmpfs\", \"source\": \"t\", \"options\": [\"$_o\"]}]"
	fails "E21 option $_o" 1 "$_m" E run --bundle "$TMP/e21" "$C"
done <<'LIST'
size=64k,mode=777|mount /m: .*size
mode=755,uid=0|mount /m: .*mode
size=64k\nuid=0|mount /m: .*size
source=/etc|mount /m: .*source
bind-propagation=rshared|bind-propagation
lowerdir=/:upperdir=/|lowerdir
LIST
root e21 "$(bind /m "$TMP/vol" 'bind,rshared')"
fails "E21 options joined by a comma" 1 'option "bind,rshared": not an option of a bind mount' \
	E run --bundle "$TMP/e21" "$C"
root e21 '| .mounts += [{"destination": "/m", "type": "tmpfs", "source": "t,size=1,x=/", "options": []}]'
sh_in e21 'grep " /m " /proc/self/mountinfo'
like "$OUT" ' - tmpfs t,size=1,x=/ rw(,inode64)?$' "E21 a source is a name, not options"
root e21 "| .mounts += [{\"destination\": \"/m\", \"type\": \"bind\", \"source\": \"a\\u0000b\", \"options\": [\"bind\"]}]"
fails "E21 a NUL in a path" 1 'NUL' E run --bundle "$TMP/e21" "$C"

# --- E23: files that are put over the image's -----------------------------------------------------
for _k in out dangling dir fifo device; do
	for _f in hosts resolv.conf; do
		root e23 "$(bind "/etc/$_f" "$TMP/vol/f" bind)"
		F=$TMP/e23/rootfs/etc/$_f
		case $_k in
		out) ln -s "$TMP/canary/one" "$F" ;;
		dangling) ln -s "$TMP/canary/made" "$F" ;;
		dir) mkdir "$F" ;;
		fifo) mkfifo "$F" ;;
		device) mknod "$F" c 1 5 ;;
		esac
		edit e23 ".process.args = [\"cat\", \"/etc/$_f\"]"
		run E run --bundle "$TMP/e23" "$C"
		if [ "$_k" = dir ]; then
			like "$ERR" 'a directory wants a directory' "E23 /etc/$_f is a dir: refused"
		else
			is "$OUT" data "E23 /etc/$_f is a $_k: covered"
		fi
	done
	same "E23 $_k"
done

# --- E24, E30: nothing of the root is read to steer the engine ---------------------------------------
# Whoever opens one of these waits for ever, or gets no end.
root e30
for _f in etc/passwd etc/group etc/nsswitch.conf etc/ld.so.cache etc/ld.so.preload etc/localtime \
	etc/subuid config.json run/.containerenv .dockerenv; do
	mkdir -p "$TMP/e30/rootfs/$(dirname $_f)"
	mkfifo "$TMP/e30/rootfs/$_f"
done
edit e30 '.process.args = ["true"]'
succeeds "E24 E30 fifos in the place of all that could be read" \
	timeout 5 "$ENGINE" --root "$TMP/state" run --bundle "$TMP/e30" "$C"
edit e30 '.process.args = ["sleep", "100"]'
E create --bundle "$TMP/e30" "$C" && E start "$C"
succeeds "E24 E30 exec too" timeout 5 "$ENGINE" --root "$TMP/state" exec --user 9:9 "$C" true
E delete --force "$C"
root e24
rm -f "$TMP/e24/rootfs/etc/passwd"
ln -s /dev/zero "$TMP/e24/rootfs/etc/passwd"
truncate -s 1G "$TMP/e24/rootfs/etc/group"
edit e24 '.process.args = ["true"]'
succeeds "E24 endless and huge" sh -c "ulimit -v 262144; exec timeout 5 '$ENGINE' --root '$TMP/state' run --bundle '$TMP/e24' $C"

# --- E32, E39: masks ----------------------------------------------------------------------------------
root e32 '| .mounts = [.mounts[] | select(.destination | startswith("/dev") | not)]'
ln -s /proc/sys/kernel/core_pattern "$TMP/e32/rootfs/dev/null"
fails "E32 /dev/null of the image is a link" 1 '/dev: null is there already' \
	E run --bundle "$TMP/e32" "$C"
is "$(cat /proc/sys/kernel/core_pattern)" "$PATTERN" "E32 core_pattern is as it was"
root e32 '| del(.linux.seccomp) | .linux.maskedPaths += ["/m/file", "/m/dir", "/m/other", "/m/fifo"]
	| .process.capabilities = (.process.capabilities | map_values(. + ["CAP_SYS_ADMIN"]))'
mkdir -p "$TMP/e32/rootfs/m/dir" "$TMP/e32/rootfs/m/other"
echo secret >"$TMP/e32/rootfs/m/file" && mkfifo "$TMP/e32/rootfs/m/fifo"
sh_in e32 'stat -c "%n %F %t:%T" /m/file /m/fifo; cat /m/file /m/fifo; ls -A /m/dir
	for d in /m/dir /m/other /sys/firmware; do touch $d/x; mkdir $d/y; done
	mount -o remount,bind,rw /m/dir && touch /m/dir/x && echo written'
is "$OUT" "/m/file character special file 1:3
/m/fifo character special file 1:3" "E32 masked files are 1:3 and read as empty"
is "$(printf '%s\n' "$ERR" | grep -c 'Read-only file system')" 7 \
	"E39 nothing can be put into a masked directory, not after a remount either"

# --- E33: the console -------------------------------------------------------------------------------------
tty_run() # NAME: with a terminal, in the foreground
{
	run script -qec "$ENGINE --root $TMP/state run --bundle $TMP/$1 $C" /dev/null
	OUT=$(printf '%s' "$OUT" | tr -d '\r')
}
TTY='| .process.terminal = true | .process.args = ["sh", "-c", "stat -c %n:%t /dev/console; echo written >/dev/console"]'
root e33 "$TTY"
tty_run e33
like "$OUT" '/dev/console:88' "E33 control: a console of the container's own devpts"
for _t in "$TMP/canary/one" /proc/sys/kernel/core_pattern /etc/passwd; do
	root e33 "$TTY"' | .mounts = [.mounts[] | select(.destination | test("^/dev$|^/dev/(shm|mqueue)$") | not)]'
	echo kept >"$TMP/e33/rootfs/etc/passwd"
	ln -s "$_t" "$TMP/e33/rootfs/dev/console"
	tty_run e33
	like "$OUT" 'console: console is there already' "E33 /dev/console of the image is a link to $_t"
	is "$(cat "$TMP/e33/rootfs/etc/passwd")" kept "E33 and what it means is as it was"
done
for _k in file fifo link host; do
	root e33 "$TTY"' | .mounts = [.mounts[] | select(.destination != "/dev/pts")]'"$(bind /dev/pts "$TMP/pts" bind)"
	rm -rf "$TMP/pts" && mkdir "$TMP/pts"
	case $_k in
	file) : >"$TMP/pts/ptmx" ;;
	fifo) mkfifo "$TMP/pts/ptmx" ;;
	link) ln -s /dev/tty "$TMP/pts/ptmx" ;;
	host) mknod "$TMP/pts/ptmx" c 1 3 ;;
	esac
	tty_run e33
	like "$OUT" 'want a devpts mount at /dev/pts' "E33 /dev/pts/ptmx is a $_k"
done

# --- E29: what the engine takes away at the end -------------------------------------------------------------
root e29 "$(bind /m "$TMP/vol" bind)"' | .process.args = ["sh", "-c", "rm -rf /bin/x; mv /etc /e; ln -s / /etc; mv /root /r; ln -s ../../canary /root"]'
run E run --bundle "$TMP/e29" "$C"
is "$ST $(cat "$TMP/vol/f")" "0 data" "E29 the end of a container that made links of its mount points"
same "E29"

is "$(cat /proc/sys/kernel/core_pattern)" "$PATTERN" "core_pattern is as it was"
is "$(E list -q)" "" "no state is left"
baseline_check "the host is as it was"
finish
