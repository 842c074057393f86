#!/bin/sh
# Overlay roots with id-mapped layers on a kernel that takes no layer by
# descriptor (before 6.13).
. "$(dirname "$0")/lib.sh"
diag "$(uname -r)"

# layer NAME: an empty layer as an unprivileged unpacker leaves it.
layer()
{
	mkdir -p "$TMP/layers/$1"
	chown 200000:200000 "$TMP/layers/$1"
}

# over NAME LAYER...: the overlay file of the bundle NAME; top layer first.
over()
{
	_o=$1
	shift
	mkdir -p "$TMP/pod-$_o/upper" "$TMP/pod-$_o/work"
	chmod 700 "$TMP/pod-$_o"
	printf '%s\n' "$@" | jq -R . | jq -s '{lower: [.[] | "'"$TMP"'/layers/" + .],
		upper: "'"$TMP/pod-$_o"'/upper", work: "'"$TMP/pod-$_o"'/work",
		lowerIdmap: {hostID: 200000, size: 65536}}' >"$TMP/$_o.overlay"
}

# in_over NAME SCRIPT
in_over()
{
	jq --arg s "$2" '.process.args = ["sh", "-c", $s]' \
		"$TMP/$1/config.json" >"$TMP/c" && mv "$TMP/c" "$TMP/$1/config.json"
	run E run --bundle "$TMP/$1" --overlay "$TMP/$1.overlay" "$C"
}

rootfs "$TMP/layers/base"
echo hidden >"$TMP/layers/base/etc/hidden"
mkdir "$TMP/layers/base/etc/opaque" && : >"$TMP/layers/base/etc/opaque/low"
chown -Rh 200000:200000 "$TMP/layers/base"
chown 201234:200005 "$TMP/layers/base/bin/busybox"
layer top
mkdir "$TMP/layers/top/etc"
echo low >"$TMP/layers/top/etc/low"
mknod "$TMP/layers/top/etc/hidden" c 0 0
chown -Rh 200000:200000 "$TMP/layers/top"

# --- user namespace ------------------------------------------------------------
bundle two '.root.path = "none"'
rm -rf "$TMP/two/rootfs"
over two top base
in_over two 'cat /etc/low; stat -c %u:%g /bin/busybox /etc/low; ls /etc
	echo up >/up && cat /up; chown 5:6 /up; cp /etc/low /etc/low2
	echo more >>/etc/low; cat /etc/low; rm /bin/vi; ls /bin/vi 2>/dev/null
	cut -d" " -f5 /proc/self/mountinfo | grep -c "^/$"
	grep -c " - overlay " /proc/self/mountinfo'
is "$OUT" "low
1234:5
0:0
low
opaque
up
low
more
1
1" "layers by text: merged, owners mapped, whiteouts, copy-up" ||
	dmesg | tail -n 5 | sed 's/^/# /'
is "$(stat -c %u:%g "$TMP/pod-two/upper/up")" "$((HOST_ID + 5)):$((HOST_ID + 6))" \
	"the upper directory has ids of the container's range"
is "$(cat "$TMP/layers/top/etc/low") $(stat -c %u "$TMP/layers/top/etc/low")" \
	"low 200000" "the layers are untouched"
in_over two 'grep " - overlay " /proc/self/mountinfo'
like "$OUT" 'nodev' "the root is nodev"
like "$OUT" 'userxattr' "and keeps its attributes in user.overlay"
unlike "$OUT" "$TMP" "it names no path of the host"
in_over two 'readlink /proc/self/fd/*'
unlike "$OUT" 'layers|pod-two|upper|work' "no descriptor of a layer is left open"

# --- the opaque directory of a layer -----------------------------------------------
layer opaque
mkdir -p "$TMP/layers/opaque/etc/opaque" && : >"$TMP/layers/opaque/etc/opaque/high"
if command -v setfattr >/dev/null; then
	setfattr -n user.overlay.opaque -v y "$TMP/layers/opaque/etc/opaque"
	chown -R 200000:200000 "$TMP/layers/opaque"
	bundle opq '.root.path = "none"'
	rm -rf "$TMP/opq/rootfs"
	over opq opaque base
	in_over opq 'ls /etc/opaque'
	is "$OUT" high "an opaque directory of a layer hides what is below"
else
	skip "an opaque directory" "no setfattr"
fi

# --- as the host's root ---------------------------------------------------------------
bundle root '.root.path = "none" | del(.linux.uidMappings, .linux.gidMappings)
	| .linux.namespaces -= [{"type": "user"}]'
rm -rf "$TMP/root/rootfs"
over root top base
in_over root 'stat -c %u:%g /bin/busybox /etc/low; echo up >/up; cat /up'
is "$OUT" "1234:5
0:0
up" "without a user namespace"
is "$(stat -c %u "$TMP/pod-root/upper/up")" 0 "the upper one belongs to root"

# --- many layers -----------------------------------------------------------------------
_l=
_i=0
while [ $_i -lt 127 ]; do
	layer "n$_i"
	echo $_i >"$TMP/layers/n$_i/f$_i"
	echo $_i >"$TMP/layers/n$_i/all"
	_l="$_l n$_i"
	_i=$((_i + 1))
done
bundle many '.root.path = "none"'
rm -rf "$TMP/many/rootfs"
over many $_l base
in_over many 'cat /all /f0 /f126; ls / | grep -c "^f[0-9]"'
is "$OUT" "0
0
126
127" "128 layers, in order" || dmesg | tail -n 5 | sed 's/^/# /'

# --- exec, restart, joined user namespace ---------------------------------------------------
edit two '.process.args = ["sleep", "1000"]'
E create --bundle "$TMP/two" --overlay "$TMP/two.overlay" "$C" && E start "$C"
run E exec "$C" cat /up
is "$OUT" up "exec sees the same root; the upper directory lasts"
P=$(E state "$C" | jq .pid)
bundle pod '.root.path = "none" | del(.hostname) | .linux.namespaces = [
	{"type": "user", "path": "/proc/'"$P"'/ns/user"},
	{"type": "pid", "path": "/proc/'"$P"'/ns/pid"},
	{"type": "network", "path": "/proc/'"$P"'/ns/net"},
	{"type": "ipc", "path": "/proc/'"$P"'/ns/ipc"},
	{"type": "mount"}, {"type": "cgroup"}]'
rm -rf "$TMP/pod/rootfs"
over pod top base
jq '.process.args = ["sh", "-c", "stat -c %u /etc/low; cat /proc/1/comm; echo x >/x; cat /x"]' \
	"$TMP/pod/config.json" >"$TMP/c" && mv "$TMP/c" "$TMP/pod/config.json"
run E run --bundle "$TMP/pod" --overlay "$TMP/pod.overlay" "$C-2"
is "$OUT" "0
sleep
x" "a second container of the pod has an overlay of its own"
is "$(grep -c overlay /proc/self/mountinfo)" 0 "nothing in the host's namespace"
E delete --force "$C"

# --- what must fail --------------------------------------------------------------------------
jq '.upper = "'"$TMP"'/nowhere/upper"' "$TMP/two.overlay" >"$TMP/bad" 
fails "an upper directory that is not there" 1 'overlay: open upper and work|open_tree' \
	E run --bundle "$TMP/two" --overlay "$TMP/bad" "$C"
jq '.lower += ["'"$TMP"'/layers/nothing"]' "$TMP/two.overlay" >"$TMP/bad"
fails "a layer that is not there" 1 'open_tree .*nothing' \
	E run --bundle "$TMP/two" --overlay "$TMP/bad" "$C"
jq '.upper = "'"$TMP"'/layers/base" | .work = "'"$TMP"'/layers/base/etc"' \
	"$TMP/two.overlay" >"$TMP/bad"
fails "a work directory below the upper one" 1 'overlay' \
	E run --bundle "$TMP/two" --overlay "$TMP/bad" "$C"
fails "which leaves nothing" 1 'does not exist' E state "$C"

baseline_check "no group, mount or namespace is left"
finish
