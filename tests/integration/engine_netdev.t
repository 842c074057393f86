#!/bin/sh
# linux.netDevices: devices of the host's side move into the container.  The
# host's side is a network namespace of our own.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine-lib.sh"
need_program ip unshare nsenter
unshare -n ip link add name va type veth peer name vb 2>/dev/null || skip_all "needs veth devices"
tmpdir
at_exit e_cleanup
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
NO_USER='del(.linux.uidMappings, .linux.gidMappings)
	| .linux.namespaces -= [{"type": "user"}]'
# Four devices va to vd, their other ends pva to pvd; index and addresses known.
SETUP='set -e; i=10
for d in va vb vc vd; do
	ip link add index $i name $d type veth peer name p$d; i=$((i + 1))
	ip link set p$d up
done
ip link set va address 02:00:00:00:00:0a mtu 1400 up
ip addr add 192.0.2.7/24 broadcast 192.0.2.255 dev va
ip addr add 192.0.2.8 peer 192.0.2.9/32 dev va
ip addr add 198.51.100.1/32 scope host dev va
ip -6 addr add 2001:db8::7/64 nodad dev va
ip -6 addr add 2001:db8::99/64 valid_lft 900 preferred_lft 900 dev va'
AFTER='true'
# net NAME SCRIPT: runs the bundle there, SCRIPT inside it; then AFTER
net()
{
	edit "$1" '.process.args = ["sh", "-c", $ENV.SCRIPT]'
	run unshare -n sh -c "$SETUP"'; set +e
	"$@"; s=$?; '"$AFTER"'; exit $s' sh "$ENGINE" --root "$TMP/state" run \
		--bundle "$TMP/$1" "$T_TAG-$1"
}

for _u in "$NO_USER" .; do
	[ "$_u" = . ] && U="in a user namespace" || U="without a user namespace"
	bundle dev "$_u"' | .linux.netDevices = {"va": {}, "vb": {"name": "eth0"},
		"vc": {"name": "net%d"}, "vd": {"name": "net%d"}}'
	AFTER='echo outside $(ip -o link | cut -d: -f2 | cut -d@ -f1 | sort)'
	SCRIPT='ls /sys/class/net; ip -o addr show dev va | tr -s " "
		for f in address mtu ifindex; do cat /sys/class/net/va/$f; done
		ip -o link | grep -c "[<,]UP[,>]"' net dev
	like "$(echo $OUT)" '^eth0 lo net0 net1 va ' "moved and renamed, $U"
	for _a in 'inet 192.0.2.7/24 brd 192.0.2.255 scope global va' \
		'inet 192.0.2.8 peer 192.0.2.9/32 scope global va' \
		'inet6 2001:db8::7/64 scope global'; do
		like "$OUT" "$_a" "kept: $_a"
	done
	unlike "$OUT" '198.51.100.1|::99' "left: an address of the host alone, one for a time"
	like "$(echo $OUT)" '02:00:00:00:00:0a 1400 10 5 ' "address, mtu and index kept, all up"
	like "$OUT" '^outside lo( pv.)*$' "gone from the host's side"
done
AFTER='echo outside $(ip -o link | cut -d: -f2 | cut -d@ -f1 | sort) $(ip -o addr show dev va | grep -c 192.0.2.7)'
while IFS='#' read -r _f _m; do
	bundle bad "$_f"
	SCRIPT=true net bad
	is "$ST" 1 "refused: $_f"
	like "$ERR" "$_m" "says why: $_m"
	like "$OUT" '^outside lo pva pvb pvc pvd va vb vc vd 1$' "and nothing has moved"
done <<'LIST'
.linux.netDevices = {"nothere": {}}#netDevices: nothere: there is no such device
.linux.netDevices = {"lo": {"name": "x"}}#netDevices: lo: a loopback device stays
.linux.netDevices = {"va": {"name": "lo"}}#netDevices: va: the container has a device lo already
.linux.netDevices = {"va": {"name": "a/b"}}#want names of 1 to 15
.linux.netDevices = {"va": {"name": "0123456789abcdef"}}#want names of 1 to 15
.linux.netDevices = {"va": {"name": "x%d%d"}}#want names of 1 to 15
.linux.netDevices = {"va": {"name": "x%s"}}#want names of 1 to 15
.linux.netDevices = {"a%d": {}}#want names of 1 to 15
.linux.netDevices = {"va": {}} | .linux.namespaces -= [{"type": "network"}]#netDevices wants a network namespace
LIST
# A namespace that was there before, with our index and our name in use.
cat >"$TMP/joined" <<'SH'
e=$1 b=$2; shift 2
unshare -n sh -c 'ip link add index 10 name other type veth peer name p; echo; read x' \
	<"$b/fifo" >"$b/ready" &
exec 5>"$b/fifo"
read -r x <"$b/ready"
p=$!
sed "s/@/$p/" "$b/config.in" >"$b/config.json"
"$e" "$@"
echo "5" >&5
wait $p
SH
bundle join "$NO_USER"' | .linux.netDevices = {"va": {"name": "eth1"}}
	| .linux.namespaces = [.linux.namespaces[] | if .type == "network" then
		.path = "/proc/@/ns/net" else . end]
	| .process.args = ["sh", "-c", "ls /sys/class/net; ip -o addr show dev eth1 | grep -c 192.0.2.7; cat /sys/class/net/other/ifindex"]'
mv "$TMP/join/config.json" "$TMP/join/config.in"
mkfifo "$TMP/join/fifo" "$TMP/join/ready"
run unshare -n sh -c "$SETUP; set +e; "'sh "$@"' sh "$TMP/joined" "$ENGINE" "$TMP/join" \
	--root "$TMP/state" run --bundle "$TMP/join" "$T_TAG-join"
is "$(echo $OUT)" "eth1 lo other p 1 10" "into a namespace joined by path, its index taken"

is "$(E list -q)" "" "no state is left"
baseline_check "mounts, cgroups, namespaces, links as before"
finish
