#!/bin/sh
# Mounts, devices and propagation of real containers, as the specification and
# users of other runtimes know them; with and without a user namespace.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine-lib.sh"
tmpdir
at_exit e_cleanup
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
C=$T_TAG-c
NO_USER='del(.linux.uidMappings, .linux.gidMappings)
	| .linux.namespaces -= [{"type": "user"}]'
mkdir "$TMP/vol" && echo data >"$TMP/vol/f" && chmod 777 "$TMP/vol"

# mnt DEST TYPE SOURCE OPTION...: a jq filter that adds this mount
mnt()
{
	_d=$1 _t=$2 _s=$3
	shift 3
	printf '| .mounts += [{"destination": "%s", "type": "%s", "source": "%s", "options": %s}]' \
		"$_d" "$_t" "$_s" "$(printf '%s\n' "$@" | jq -R 'select(. != "")' | jq -sc .)"
}
# flags DEST: of the last mount there, in the output of mountinfo
flags()
{
	printf '%s\n' "$OUT" | awk -v d="$1" '$5 == d { f = $6 } END { print f }'
}
# in_ns NAME SCRIPT: the bundle NAME runs SCRIPT while the host's side is a
# mount namespace of our own, set up by the text in SETUP.
in_ns()
{
	edit "$1" '.process.args = ["sh", "-c", $ENV.SCRIPT]'
	run unshare -m --propagation private sh -c \
		"$SETUP"' exec "$0" "$@"' "$ENGINE" --root "$TMP/state" run \
		--bundle "$TMP/$1" "$T_TAG-$1"
}

# --- options of a new file system ------------------------------------------------
F=
while read -r _o _w; do
	F="$F $(mnt "/m/$_o" tmpfs t "$_o")"
done <<'LIST'
ro .
rw .
nosuid .
suid .
nodev .
dev .
noexec .
exec .
noatime .
atime .
relatime .
strictatime .
nostrictatime .
nodiratime .
diratime .
nosymfollow .
symfollow .
sync .
async .
dirsync .
lazytime .
nolazytime .
iversion .
noiversion .
mand .
nomand .
silent .
loud .
defaults .
rro .
rnosuid .
LIST
bundle opt ". $F"
sh_in opt 'cat /proc/self/mountinfo'
while read -r _o _w; do
	is "$(flags "/m/$_o")" "$_w" "tmpfs $_o"
done <<'LIST'
ro ro,relatime
rw rw,relatime
nosuid rw,nosuid,relatime
suid rw,relatime
nodev rw,nodev,relatime
dev rw,relatime
noexec rw,noexec,relatime
exec rw,relatime
noatime rw,noatime
atime rw,relatime
relatime rw,relatime
strictatime rw
nostrictatime rw,relatime
nodiratime rw,nodiratime,relatime
diratime rw,relatime
nosymfollow rw,relatime,nosymfollow
symfollow rw,relatime
sync rw,relatime
async rw,relatime
iversion rw,relatime
mand rw,relatime
silent rw,relatime
defaults rw,relatime
rro ro,relatime
rnosuid rw,nosuid,relatime
LIST
like "$OUT" ' /m/sync .* - tmpfs t rw,sync' "sync reaches the file system"
like "$OUT" ' /m/dirsync .* - tmpfs t rw,dirsync' "dirsync reaches it"
like "$OUT" ' /m/lazytime .* - tmpfs t rw,lazytime' "lazytime reaches it"
unlike "$OUT" ' /m/(nolazytime|async) .*(lazytime|sync)( |$)' "and their opposites"

# --- binds -------------------------------------------------------------------------
# The source is a tree of two mounts: nosuid,noatime and below it nodev.
SETUP="mount -t tmpfs -o nosuid,noatime,mode=755 t $TMP/vol &&
	mkdir $TMP/vol/sub && echo data >$TMP/vol/f &&
	mount -t tmpfs -o nodev,mode=755 t $TMP/vol/sub &&"
F=
n=0
while read -r _o; do
	n=$((n + 1))
	# shellcheck disable=SC2086 # a list of options
	F="$F $(mnt "/b/$n" none "$TMP/vol" $_o)"
done <<'LIST'
rbind
rbind ro
rbind rro
rbind rw suid
rbind rrw rnoexec
bind ro remount
rbind sync lazytime dirsync mand iversion
rbind rnoatime
rbind rstrictatime rsuid rdev
bind nosymfollow
rbind rprivate
LIST
bundle bind "$NO_USER $F"
SCRIPT='cat /proc/self/mountinfo; echo x >/b/2/f; echo x >/b/2/sub/x && echo below' \
	in_ns bind
while read -r _d _w; do
	is "$(flags "/b/$_d")" "$_w" "bind $_d: $_w"
done <<'LIST'
1 rw,nosuid,noatime
1/sub rw,nodev,relatime
2 ro,nosuid,noatime
2/sub rw,nodev,relatime
3 ro,nosuid,noatime
3/sub ro,nodev,relatime
4 rw,noatime
5 rw,nosuid,noexec,noatime
5/sub rw,nodev,noexec,relatime
6 ro,nosuid,noatime
7 rw,nosuid,noatime
8/sub rw,nodev,noatime
9 rw
9/sub rw
10 rw,nosuid,noatime,nosymfollow
LIST
is "$(flags /b/10/sub)" "" "bind without its submounts"
like "$OUT" '^below$' "ro is for the mount alone"
like "$ERR" 'Read-only' "and it is read-only"
# mountinfo has " shared:N", " master:N" or nothing in field 7
SETUP="mount -t tmpfs -o mode=755 t $TMP/vol && mount --make-shared $TMP/vol &&"
F=
for _o in private rprivate shared rshared slave rslave unbindable runbindable; do
	F="$F $(mnt "/b/$_o" bind "$TMP/vol" rbind "$_o")"
done
bundle prop "$NO_USER $F"
SCRIPT='cat /proc/self/mountinfo; mount --bind /b/unbindable /tmp && echo bound' in_ns prop
for _o in private shared slave; do
	case $_o in private) _w='^-$' ;; shared) _w='^shared:' ;; slave) _w='^master:' ;; esac
	for _r in '' r; do
		like "$(printf '%s\n' "$OUT" | awk -v d="/b/$_r$_o" '$5 == d { print $7 }')" \
			"$_w" "propagation $_r$_o"
	done
done
for _o in unbindable runbindable; do
	like "$(printf '%s\n' "$OUT" | awk -v d="/b/$_o" '$5 == d { print $7 }')" \
		'^unbindable$' "propagation $_o"
done

# --- sources and destinations --------------------------------------------------------
mkdir "$TMP/odd" && mkfifo "$TMP/odd/fifo" && echo odd >"$TMP/odd/file"
perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1)' \
	"$TMP/odd/sock"
bundle dest ". $(mnt rel/dir bind "$TMP/vol" bind)
	$(mnt /a/./b//../c/ none "$TMP/vol" bind) $(mnt /in/bundle bind inside rbind)
	$(mnt /etc/resolv.conf bind "$TMP/odd/file" bind) $(mnt /link/x bind "$TMP/vol" bind)
	$(mnt /n/fifo bind "$TMP/odd/fifo" bind) $(mnt /n/sock bind "$TMP/odd/sock" bind)
	$(mnt /n/null bind /dev/null bind) $(mnt /n/file bind "$TMP/odd/file" bind ro)"
mkdir "$TMP/dest/inside" && echo mine >"$TMP/dest/inside/who"
ln -s ../run/net/stub.conf "$TMP/dest/rootfs/etc/resolv.conf"
ln -s /real/deep "$TMP/dest/rootfs/link"
sh_in dest 'cat /rel/dir/f /a/c/f /in/bundle/who /run/net/stub.conf /real/deep/x/f
	for i in fifo sock null file; do stat -c %F /n/$i; done; echo x >/n/file'
is "$OUT" "data
data
mine
odd
data
fifo
socket
character special file
regular file" "relative, cleaned, behind links to nothing; files of every kind"
like "$ERR" 'Read-only' "a read-only file"
is "$(ls "$TMP/dest/rootfs/real/deep" "$TMP/dest/rootfs/run/net" | tr '\n' ' ' |
	sed "s|$TMP||g")" "/dest/rootfs/real/deep: x  /dest/rootfs/run/net: stub.conf " \
	"what links to nothing meant is made inside the root"
ln -s loop "$TMP/dest/rootfs/loop"
while IFS='|' read -r _d _m; do
	bundle dest ".mounts = .mounts[:3] $(mnt "$_d" bind "$TMP/vol" bind)"
	fails "no mount at $_d" 1 "$_m" E run --bundle "$TMP/dest" "$C"
done <<'LIST'
/loop/x|leads out or in circles
/bin/busybox/x|Not a directory
/bin/busybox|a directory wants a directory
/|it is the root itself
LIST

# --- tmpfs ---------------------------------------------------------------------------
bundle tmp ". $(mnt /tmp tmpfs tmpfs nosuid) $(mnt /root tmpfs tmpfs)
	$(mnt /fresh tmpfs tmpfs) $(mnt /own tmpfs tmpfs mode=0711 size=8k uid=7 gid=8)
	$(mnt /root/again tmpfs tmpfs mode=700) $(mnt /copy tmpfs tmpfs tmpcopyup size=1m)"
chmod 750 "$TMP/tmp/rootfs/root"
mkdir -p "$TMP/tmp/rootfs/copy/d" && echo kept >"$TMP/tmp/rootfs/copy/d/f"
ln -s d/f "$TMP/tmp/rootfs/copy/l" && chown -Rh "$HOST_ID:$HOST_ID" "$TMP/tmp/rootfs/copy"
chmod 2751 "$TMP/tmp/rootfs/copy/d"
sh_in tmp 'stat -c "%n %a %u %g" /tmp /root /fresh /own /root/again /copy/d; cat /copy/l'
is "$OUT" "/tmp 1777 0 0
/root 750 0 0
/fresh 1777 0 0
/own 711 7 8
/root/again 700 0 0
/copy/d 2751 0 0
kept" "tmpfs: mode of what it covers, its own, copied up"

# --- remount -----------------------------------------------------------------------
bundle again ". $(mnt /t tmpfs tmpfs size=64k nosuid)
	$(mnt /t tmpfs tmpfs remount ro nodev size=128k)
	$(mnt /b bind "$TMP/vol" bind) $(mnt /b bind "$TMP/vol" remount bind ro)"
sh_in again 'cat /proc/self/mountinfo'
is "$(flags /t)" "ro,nosuid,nodev,relatime" "remount: flags are added"
like "$OUT" ' /t .*size=128k' "remount: options of the file system change"
is "$(flags /b)" "ro,relatime" "remount in a bind's list"
edit again ".mounts[-1].type = \"tmpfs\" | .mounts[-1].options = [\"remount\", \"ro\"]
	| .mounts[-1].destination = \"/etc\""
fails "remount of what is no mount" 1 'mount /etc: .*Invalid argument' \
	E run --bundle "$TMP/again" "$C"

# --- id-mapped ----------------------------------------------------------------------
chown 3000:4000 "$TMP/vol/f"
M='{"containerID": 3000, "hostID": 1234, "size": 1}'
bundle map "$NO_USER $(mnt /m bind "$TMP/vol" bind idmap)
	| .mounts[-1].uidMappings = [$M] | .mounts[-1].gidMappings = [$M | .containerID = 4000]"
sh_in map 'stat -c %u:%g /m/f; cat /m/f'
is "$OUT" "1234:1234
data" "idmap with mappings of its own, no user namespace"
edit map 'del(.mounts[-1].uidMappings, .mounts[-1].gidMappings)'
fails "idmap without any map" 1 'idmap wants a user namespace or mappings' \
	E run --bundle "$TMP/map" "$C"
edit map ".mounts[-1].uidMappings = [$M]"
fails "half an id map" 1 'uidMappings and gidMappings want each other' \
	E run --bundle "$TMP/map" "$C"
SETUP="mount -t tmpfs -o mode=755 t $TMP/vol && mkdir $TMP/vol/sub &&
	mount -t tmpfs -o mode=755 t $TMP/vol/sub && chown 5:6 $TMP/vol $TMP/vol/sub &&"
bundle rmap ". $(mnt /one bind "$TMP/vol" rbind idmap)
	$(mnt /all bind "$TMP/vol" rbind ridmap)"
SCRIPT='stat -c %u:%g /one /one/sub /all /all/sub' in_ns rmap
is "$(echo $OUT)" "5:6 65534:65534 5:6 5:6" "idmap is for one mount, ridmap for all"

# --- propagation of the root -----------------------------------------------------------
# The bundle's root lies on a shared mount of a namespace of our own.
for _p in shared rshared slave rslave private rprivate unbindable runbindable; do
	bundle root "$NO_USER | .linux.rootfsPropagation = \"$_p\"
		$(mnt /v bind "$TMP/vol" rbind)"
	SETUP="mount --bind $TMP/root/rootfs $TMP/root/rootfs &&
		mount --make-shared $TMP/root/rootfs &&"
	SCRIPT='cat /proc/self/mountinfo' in_ns root
	R=$(printf '%s\n' "$OUT" | awk '$5 == "/" { print $7 }')
	V=$(printf '%s\n' "$OUT" | awk '$5 == "/v" { print $7 }')
	case $_p in
	shared) W='shared:N -' ;;
	rshared) W='shared:N shared:N' ;;
	*slave) W='master:N -' ;;
	*private) W='- -' ;;
	unbindable) W='unbindable -' ;;
	runbindable) W='unbindable unbindable' ;;
	esac
	is "$(echo "$R $V" | sed 's/:[0-9]*/:N/g')" "$W" "rootfsPropagation $_p"
done
# Proven by what is mounted: slave hears the host, the host hears nothing.
cat >"$TMP/listen" <<'SH'
set -e
R=$1 CTL=$2; shift 2
mount --bind "$R" "$R" && mount --make-shared "$R"
"$@" run --detach --bundle "$CTL" hear-$$ >/dev/null 2>&1 </dev/null
trap '"$@" delete --force hear-$$' EXIT
mkdir -p "$R/tmp/host"
mount -t tmpfs t "$R/tmp/host" && : >"$R/tmp/host/from-host"
"$@" exec hear-$$ sh -c 'ls /tmp/host; mkdir /tmp/own; mount -t tmpfs t /tmp/own; : >/tmp/own/from-inside'
ls "$R/tmp/own"
SH
for _p in slave private shared; do
	bundle hear "$NO_USER | del(.linux.seccomp) | .linux.rootfsPropagation = \"$_p\"
		| .process.args = [\"sleep\", \"100\"] | .process.capabilities =
		(.process.capabilities | map_values(. + [\"CAP_SYS_ADMIN\"]))"
	rm -rf "$TMP/hear/rootfs/tmp/own"
	run unshare -m --propagation private sh "$TMP/listen" "$TMP/hear/rootfs" \
		"$TMP/hear" "$ENGINE" --root "$TMP/state"
	[ "$_p" = slave ] && W=from-host || W=
	is "$OUT" "$W" "rootfsPropagation $_p: what is heard of mounts"
done

# --- read-only root, masked and read-only paths --------------------------------------------
bundle mask "$NO_USER"' | .root.readonly = true
	| .linux.maskedPaths = ["/missing", "/etc/passwd/below", "/m/dir", "/m/file",
		"/m/fifo", "/m/sock", "/m/link", "/m/dir", "/proc/kcore"]
	| .linux.readonlyPaths = ["/missing", "/etc/passwd/x", "/r/dir", "/r/file",
		"/r/link", "/proc/sys"]'" $(mnt /r tmpfs tmpfs) $(mnt /m tmpfs tmpfs)"
D=$TMP/mask/rootfs
echo x >"$D/etc/passwd"
# the two tmpfs are filled from the image
edit mask '.mounts[-1].options = ["tmpcopyup"] | .mounts[-2].options = ["tmpcopyup"]'
mkdir -p "$D/m/dir" "$D/r/dir" && echo secret >"$D/m/file" && echo text >"$D/r/file"
echo secret >"$D/m/dir/f" && echo behind >"$D/m/target" && ln -s target "$D/m/link"
echo behind >"$D/r/target" && ln -s target "$D/r/link"
sh_in mask 'ls -A /m/dir; cat /m/file /m/link; touch /m/dir/x; echo x >/r/file
	echo x >/r/target; touch /r/dir/x; touch /r/new && echo free; touch /root-is
	stat -c %t:%T /m/file /m/target; cat /r/file'
is "$OUT" "free
1:3
1:3
text" "masked: directories empty, files null, links followed, missing ones left out"
is "$(printf '%s\n' "$ERR" | grep -c 'Read-only file system')" 5 \
	"read-only paths and a read-only root"
is "$(cat "$D/r/file" "$D/m/file")" "text
secret" "the image is as it was"

# --- devices -----------------------------------------------------------------------------
DEVS='[{"type": "c", "path": "/dev/c", "major": 1, "minor": 5, "fileMode": 384, "uid": 3, "gid": 4},
	{"type": "u", "path": "/dev/u", "major": 1, "minor": 7},
	{"type": "b", "path": "/dev/deep/b", "major": 7, "minor": 0, "fileMode": 25008},
	{"type": "p", "path": "/fifo", "fileMode": 420, "uid": 5},
	{"type": "c", "path": "/dev/null", "major": 1, "minor": 3, "fileMode": 292},
	{"type": "c", "path": "/dev/ptmx", "major": 5, "minor": 2}]'
bundle dev "$NO_USER | .linux.devices = $DEVS"
KCORE=
[ ! -e /proc/kcore ] || KCORE=/proc/kcore
sh_in dev 'stat -c "%n %F %t:%T %a %u:%g" /dev/c /dev/u /dev/deep/b /fifo /dev/null /dev/full
	for l in fd stdin stdout stderr ptmx core; do readlink /dev/$l; done; ls /dev/console'
is "$OUT" "/dev/c character special file 1:5 600 3:4
/dev/u character special file 1:7 666 0:0
/dev/deep/b block special file 7:0 660 0:0
/fifo fifo 0:0 644 5:0
/dev/null character special file 1:3 444 0:0
/dev/full character special file 1:7 666 0:0
/proc/self/fd
/proc/self/fd/0
/proc/self/fd/1
/proc/self/fd/2
pts/ptmx${KCORE:+
$KCORE}" "devices: types, numbers, modes, owners, links"
bundle devu '.linux.devices = [{"type": "c", "path": "/dev/null", "major": 1, "minor": 3},
	{"type": "c", "path": "/dev/full", "major": 1, "minor": 7},
	{"type": "p", "path": "/dev/fifo"}]'
sh_in devu 'stat -c "%n %F %t:%T" /dev/null /dev/full /dev/fifo; echo x >/dev/null && echo works'
is "$OUT" "/dev/null character special file 1:3
/dev/full character special file 1:7
/dev/fifo fifo 0:0
works" "devices in a user namespace are the host's, a fifo is made"
while IFS='|' read -r _f _m; do
	bundle bad ".linux.devices = [$_f]"
	fails "refused: $_f" 1 "$_m" E run --bundle "$TMP/bad" "$C"
	bundle bad "$NO_USER | .linux.devices = [$_f]"
	fails "refused without a user namespace: $_f" 1 "$_m" \
		E run --bundle "$TMP/bad" "$C"
done <<'LIST'
{"type": "x", "path": "/dev/x"}|type: want c, b, u or p
{"type": "c", "path": "/dev/x"}|major: want it
{"type": "c", "path": "/dev/x", "major": -1, "minor": 0}|major: want it
{"type": "b", "path": "/dev/x", "major": 1, "minor": 1048576}|minor: want it
{"type": "p", "path": "/bin/busybox"}|device /bin/busybox: .*is another file
LIST
bundle bad '.linux.devices = [{"type": "c", "path": "/dev/full", "major": 1, "minor": 3}]'
fails "a device of the host that is another one" 1 \
	'/dev/full: want the character device 1:3' E run --bundle "$TMP/bad" "$C"
# Without a mount at /dev the nodes are made in the image's directory.
bundle nodev "$NO_USER"' | .mounts = [.mounts[] | select(.destination
	| startswith("/dev") | not)]'
mknod "$TMP/nodev/rootfs/dev/zero" c 1 5
sh_in nodev 'echo x >/dev/null && head -c 2 /dev/zero | wc -c; readlink /dev/ptmx'
is "$OUT" "2
pts/ptmx" "no /dev mount: made in the image, an equal node is kept"
echo no >"$TMP/nodev/rootfs/dev/full.new"
mv "$TMP/nodev/rootfs/dev/full.new" "$TMP/nodev/rootfs/dev/full"
fails "a file where a node belongs" 1 '/dev: full is there already' \
	E run --bundle "$TMP/nodev" "$C"

# --- kernel file systems -------------------------------------------------------------------
bundle kern "$NO_USER | .linux.namespaces -= [{\"type\": \"network\"}]"
sh_in kern 'ls /sys/class/net/lo/address; ls -d /dev/mqueue /proc/self'
is "$OUT" "/sys/class/net/lo/address
/dev/mqueue
/proc/self" "sysfs in the host's network namespace"
bundle kern '.linux.namespaces -= [{"type": "network"}]'
sh_in kern 'ls /sys/class/net | grep -x lo; touch /sys/fs/x; awk "\$5 == \"/sys\" { print \$6 }" /proc/self/mountinfo'
is "$OUT" "lo
ro,nosuid,nodev,noexec,relatime" "and in a user namespace: the maker's, read-only"
bundle cg "$NO_USER | .linux.namespaces -= [{\"type\": \"cgroup\"}]"
sh_in cg 'for d in /sys/fs/cgroup/*; do [ -L $d ] || ls -d $d/cgroup.procs; done | wc -l
	mkdir /sys/fs/cgroup/x'
[ "$OUT" -gt 0 ] && ok "cgroup without a cgroup namespace: our own group alone" ||
	not_ok "cgroup without a cgroup namespace" "$OUT $ERR"
like "$ERR" 'Read-only' "and read-only"

# --- features ------------------------------------------------------------------------------
E features >"$TMP/features"
is "$(jq -c '.mountOptions | (. == sort), index("remount") != null, index("rro") != null,
	index("size") != null' "$TMP/features" | tr '\n' ' ')" "true true true false " \
	"features: mount options"
is "$(jq -c '.linux.mountExtensions.idmap.enabled, .linux.netDevices.enabled, .potentiallyUnsafeConfigAnnotations' \
	"$TMP/features" | tr '\n' ' ')" "true true [] " "features: idmap, netDevices, no unsafe annotation"

is "$(E list -q)" "" "no state is left"
baseline_check "mounts, cgroups, namespaces, links as before"
finish
