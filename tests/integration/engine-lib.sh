# engine-lib.sh - bundles for the suites of the engine; sourced after lib.sh.
#
# ENGINE is the program, E runs it on a state directory of the suite's own.
# bundle NAME [JQ-FILTER]: a bundle with a busybox root and all namespaces, a
# user namespace among them, as $TMP/NAME; the filter edits config.json.

ENGINE=${ENGINE:-$BIN/reconcile-engine}
HOST_ID=1000000000

need_root
need_program jq busybox "$ENGINE"
need_userns

E()
{
	"$ENGINE" --root "$TMP/state" "$@"
}

e_cleanup()
{
	for _c in $(E list -q 2>/dev/null); do
		E delete --force "$_c"
	done
}

# rootfs DIR: a busybox root; the links are made once, then copied.
rootfs()
{
	mkdir -p "$1" "$TMP/.rootfs"
	[ -d "$TMP/.rootfs/bin" ] || (
		cd "$TMP/.rootfs" || exit 1
		mkdir -p bin dev etc proc root sys tmp
		chmod 1777 tmp
		cp "$(command -v busybox)" bin/busybox
		for _a in $(./bin/busybox --list); do
			[ "$_a" = busybox ] || ln -sf busybox "bin/$_a"
		done
	)
	cp -a "$TMP/.rootfs/." "$1/"
}

bundle()
{
	_b=$TMP/$1
	mkdir -p "$_b"
	[ -d "$_b/rootfs" ] || rootfs "$_b/rootfs"
	chown -R "$HOST_ID:$HOST_ID" "$_b/rootfs"
	rm -f "$_b/config.json"
	E spec --bundle "$_b"
	jq '.root.readonly = false | .process.terminal = false
	| .linux.namespaces |= map(select(.type != "cgroup"))
		+ [{"type": "cgroup"}, {"type": "user"}]
	| .linux.uidMappings = [{"containerID": 0, "hostID": '"$HOST_ID"',
		"size": 65536}]
	| .linux.gidMappings = .linux.uidMappings
	| .linux.cgroupsPath = "/reconcile-'"$T_TAG"'/'"$1"'"' \
		"$_b/config.json" >"$_b/c" && mv "$_b/c" "$_b/config.json"
	[ $# -lt 2 ] || edit "$1" "$2"
}

# edit NAME JQ-FILTER
edit()
{
	jq "$2" "$TMP/$1/config.json" >"$TMP/$1/c" &&
		mv "$TMP/$1/c" "$TMP/$1/config.json"
}

# sh_in NAME SCRIPT: runs the bundle NAME with this script as its program.
sh_in()
{
	jq --arg s "$2" '.process.args = ["sh", "-c", $s]' \
		"$TMP/$1/config.json" >"$TMP/$1/c" &&
		mv "$TMP/$1/c" "$TMP/$1/config.json"
	run E run --bundle "$TMP/$1" "$T_TAG-$1"
}

# status_is ID STATUS
status_is()
{
	[ "$(E state "$1" | jq -r .status)" = "$2" ]
}
