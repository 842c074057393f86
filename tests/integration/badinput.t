#!/bin/bash
# badinput.t - bad input through the doors that users have: commits, images,
# configuration, keys, disks, sockets, kernels.  For each kind: exit status,
# message with its code and place, and that everything is as it was: the same
# containers with the same pids, the image store, the ratchet on both sides, and
# audit logs that verify and were only added to.
. "$(dirname "$0")/lib.sh"
need_root
need_program git ssh-keygen jq docker-registry skopeo umoci busybox openssl \
	curl nft ip python3 "$B/tests/without"
tmpdir
. "$TOP/tests/integration/world.sh"
world_begin badinput 10.86.0
at_exit disks_down	# runs first: last given
BASELINE_SCOPE="$WORLD_TAG|$W"
baseline_take
H=$W/host-1 M=$W/manager

# --- disks that can be filled ----------------------------------------------------
DISKS="$H/state $H/state/images $M/state"
disk() # FOLDER SIZE
{
	mkdir -p "$1"
	mount -t tmpfs -o "size=$2,mode=700" badinput "$1"
}
fill() { head -c 64m /dev/zero >"$1/.filler" 2>/dev/null; sync -f "$1"; }
drain() { rm -f "$1/.filler"; }
disks_down()
{
	world_down
	for _d in $M/state $H/state/images $H/state; do
		! mountpoint -q "$_d" || umount "$_d"
	done
}

# --- what is and must stay ----------------------------------------------------------
engine() { on host-1 "$BIN/reconcile-engine" --root "$H/run/engine" "$@"; }
pass() { run rec --timeout 1 "$@"; }
full_pass() { run rec --timeout 30 "$@"; }
reason() { rec status -o json | jq -r '.pods[] | select(.name == "x") | .reason'; }
is_ready() { rec status -o json | jq -e '.pods[] | select(.name == "x") | .ready'; }
why() { rec status -o json | jq -er '.pods[] | select(.name == "x") | .reason' | grep -E -- "$1"; }
connected() { jq -e .connected "$H/run/status.json"; }
base_pods() # the pods of web: id, pid, state
{
	engine list --format json | jq -r --argjson u "$BASE" '.[] |
		select([.id | startswith($u[])] | any) |
		"\(.id) \(.pid) \(.status)"' | sort
}
stores() { (cd "$H/state/images" && ls images layers); }
ratchets()
{
	echo "host $(cat "$H/state/accepted")"
	echo "manager $(rec status -o json | jq -r .acceptedCommit)"
}
take()
{
	base_pods >"$TMP/pods"
	stores >"$TMP/stores"
	ratchets >"$TMP/ratchets"
	cp "$M/state/audit/log" "$TMP/log.manager"
	cp "$H/state/audit/log" "$TMP/log.host"
}
log_grew() # BEFORE NOW STATE-FOLDER
{
	cmp -s -n "$(stat -c %s "$1")" "$1" "$2" &&
		rec audit verify --log "$3" >"$TMP/verify" 2>&1
}
# same NAME [new]: all is as taken; new: a commit was accepted, so ratchet and
# store may have gone on.
same()
{
	base_pods >"$TMP/pods.now"
	if ! cmp -s "$TMP/pods" "$TMP/pods.now"; then
		not_ok "$1: same containers, same pids" "$(diff "$TMP/pods" "$TMP/pods.now")"
		return
	fi
	if ! log_grew "$TMP/log.manager" "$M/state/audit/log" "$M/state/audit" ||
		! log_grew "$TMP/log.host" "$H/state/audit/log" "$H/state/audit"; then
		not_ok "$1: audit logs verify" "$(cat "$TMP/verify")"
		return
	fi
	if [ $# = 1 ]; then
		stores >"$TMP/stores.now"
		ratchets >"$TMP/ratchets.now"
		if ! cmp -s "$TMP/stores" "$TMP/stores.now" ||
			! cmp -s "$TMP/ratchets" "$TMP/ratchets.now"; then
			not_ok "$1: store and ratchet" "$(diff "$TMP/stores" "$TMP/stores.now"; diff "$TMP/ratchets" "$TMP/ratchets.now")"
			return
		fi
	fi
	ok "$1: everything is as it was"
}

# --- commits ----------------------------------------------------------------------------
x() # IMAGE [LINE OF THE CONTAINER]...
{
	{
		cat <<-EOT
		apiVersion: v1
		kind: Pod
		metadata: {name: x}
		spec:
		  terminationGracePeriodSeconds: 0
		  containers:
		  - name: main
		    image: $1
		EOT
		shift
		[ $# = 0 ] || printf '    %s\n' "$@"
	} >"$W/clone/apps/x.yaml"
}
# refused NAME STATUS ERE: what is in the clone's folder, committed and refused.
refused()
{
	take
	world_commit "$1"
	pass
	is "$ST" "$2" "$1: exit $2"
	like "$ERR" "$3" "$1: the message"
	back
	same "$1"
}
back()
{
	git -C "$W/clone" reset -q --hard "${1:-$GOOD}"
	git -C "$W/clone" push -q --force origin main
}
# waits NAME STATUS-ERE ERE: a good commit whose pod x cannot be; status says why.
waits()
{
	take
	world_commit "$1"
	pass
	like "$ST" "^$2\$" "$1: exit $ST"
	if wait_for 15 why "$3"; then
		ok "$1: status says why"
	else
		not_ok "$1: status says why" "want $3
have $(reason)
$ERR"
	fi
	same "$1" new
}
agent_stop() { end_pid "$(agent_pid host-1)"; }
agent_again() { agent_start host-1; wait_for 20 connected; }

# --- the world -------------------------------------------------------------------------------
world_net 1 && world_registry && world_certs_dir || fatal "network and registry"
REGISTRY_PID=$BG
disk "$H/state" 48m
disk "$H/state/images" 24m
disk "$M/state" 24m
image() # NAME LAYOUT: pushes the layout's tag 1.0; prints its reference
{
	lan skopeo --insecure-policy copy -q --dest-cert-dir "$W/registry/certs" \
		"oci:$2:1.0" "docker://$WORLD_REGISTRY/$1:1" &&
		echo "$WORLD_REGISTRY/$1@$(lan skopeo inspect --cert-dir "$W/registry/certs" \
			--format '{{.Digest}}' "docker://$WORLD_REGISTRY/$1:1")"
}
V1=$WORLD_REGISTRY/simpleserver@$(world_image simpleserver 1.0 one) || fatal "image"
LAYOUT=$W/image/simpleserver-1.0/oci
variant() { cp -a "$LAYOUT" "$W/image/$1"; }
variant nouser
umoci config --image "$W/image/nouser:1.0" --config.user nosuch >/dev/null
NOUSER=$(image nouser "$W/image/nouser") || fatal "image"
for n in fresh later other; do
	variant $n
	echo $n >"$TMP/new"
	tar -C "$TMP" -cf "$TMP/layer.tar" new
	umoci raw add-layer --image "$W/image/$n:1.0" "$TMP/layer.tar" >/dev/null
done
FRESH=$(image fresh "$W/image/fresh") || fatal "image"
LATER=$(image later "$W/image/later") || fatal "image"
OTHER=$(image other "$W/image/other") || fatal "image"
NONE=sha256:$(printf none | sha256sum | cut -d' ' -f1)

world_repo
world_policy "maxDeletePercent: 100"
cat >"$W/clone/apps/web.yaml" <<EOT
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: web, image: "$V1", ports: [{containerPort: 8080}]}
EOT
world_commit "first" && world_manager || fatal "manager"
agent_join host-1 1 || fatal "token"
pass
eval "p=\$JOIN_host_1"
wait "$p" || fatal "host-1 joined"
agent_again || fatal "host-1 is connected"
seen() { [ "$(rec host list -o json | jq -r '.[0].state')" = ready ]; }
wait_for 20 seen || fatal "host-1 is ready"
full_pass
is "$ST" 0 "a good commit converges" || fatal "the first pass: $ERR"
BASE=$(rec status -o json | jq -c '[.pods[].uid]')
GOOD=$(git -C "$W/clone" rev-parse HEAD)
is "$(base_pods | grep -c running)" 4 "two pods with their sandboxes run"

# --- 1 malformed YAML, 2 unknown fields, 3 wrong types, 4 missing references ----------------------
X=apps/x.yaml
printf 'a: [1\n' >"$W/clone/$X"
refused "malformed YAML" 3 "^$X:2:1: error M004:.*did not find expected"
printf 'a: &x 1\nb: *x\n' >"$W/clone/$X"
refused "YAML with an alias" 3 "^$X:[0-9]+:[0-9]+: error M[0-9]+:"
x "$V1" "imge: x"
refused "an unknown field" 3 "^$X:9:5: error M201:.*imge.*did you mean 'image'"
x "$V1" 'ports: [{containerPort: "eighty"}]'
refused "a wrong type" 3 "^$X:9:29: error M206:.*want an integer, have string 'eighty'"
x "$V1" "env: [{name: A, valueFrom: {configMapKeyRef: {name: nosuch, key: k}}}]"
refused "a missing ConfigMap" 3 "^$X:9:11: error M301:.*ConfigMap nosuch.*fix: add it"
x "$V1" "volumeMounts: [{name: nosuch, mountPath: /x}]"
refused "a missing volume" 3 "^$X:9:27: error M308:.*'nosuch'.*fix: add it"
x "$V1" "readinessProbe: {httpGet: {path: /, port: nosuch}}"
refused "a missing port" 3 "^$X:9:21: error M304:.*'nosuch'.*fix:"

# --- images -------------------------------------------------------------------------------------------
x "$WORLD_REGISTRY/simpleserver:9.9"
refused "an image by tag alone" 5 "^$X:8:12: error P202:.*by digest.*fix:"
x "$WORLD_REGISTRY/nosuch@$NONE"
waits "an image that the registry lacks" 8 "^ImagePull: H201 image .*nosuch@$NONE: .*have 404 .*push it"
x "$WORLD_REGISTRY/simpleserver@$NONE"
waits "a digest that the registry lacks" 8 "^ImagePull: H201 image .*simpleserver@$NONE: .*have 404 .*push it"
x "$NOUSER"
waits "an image whose USER does not exist" 8 '^CreateContainerError: H202 container main: .*"nosuch".*/etc/passwd; set runAsUser'
x "$V1" "command: [/no/such]"
waits "a command that does not exist" 8 "^EngineError: H206 exec: /no/such: no such file"

# --- 5 hostile archives -------------------------------------------------------------------------------------
canary_make "$W/canary"
chmod -R go+rwX "$W/canary"
CANARY=$(canary_sum "$W/canary")
cat >"$TMP/hostile.py" <<'EOT'
import io, sys, tarfile
kind, canary, out = sys.argv[1:]
with tarfile.open(out, "w") as t:
    def put(name, **k):
        i = tarfile.TarInfo(name)
        for a, b in k.items():
            setattr(i, a, b)
        data = b"" if "type" in k else b"hostile"
        i.size = len(data)
        t.addfile(i, io.BytesIO(data))
    if kind == "dotdot":
        put("../" * 16 + canary.lstrip("/") + "/one")
    elif kind == "symlink":
        put("way", type=tarfile.SYMTYPE, linkname=canary)
        put("way/one")
    elif kind == "hardlink":
        put("way", type=tarfile.LNKTYPE, linkname=canary + "/one")
    elif kind == "device":
        put("dev/sda", type=tarfile.BLKTYPE, devmajor=8)
EOT
hostile() # KIND: sets IMG
{
	variant "$1"
	python3 "$TMP/hostile.py" "$1" "$W/canary" "$TMP/layer.tar"
	umoci raw add-layer --image "$W/image/$1:1.0" "$TMP/layer.tar" >/dev/null
	IMG=$(image "$1" "$W/image/$1")
}
for k in dotdot:'\.\.' hardlink:'hard link' device:'device nodes are not allowed'; do
	hostile "${k%%:*}"
	x "$IMG"
	waits "E40 hostile layer, ${k%%:*}" 8 "^ImagePull: H201 image .*layer sha256:.*${k#*:}"
	is "$(canary_sum "$W/canary")" "$CANARY" "hostile layer, ${k%%:*}: the host's canary is intact"
done
hostile symlink
x "$IMG"
world_commit "hostile symlink"
full_pass
is "$ST" 0 "a layer that writes through its own link stays inside the image"
is "$(canary_sum "$W/canary")" "$CANARY" "hostile layer, symlink: the host's canary is intact"
# the registry gives other bytes than the digest says
blob=$(jq -r '.manifests[0].digest' "$W/image/later/index.json")
layer=$(jq -r '.layers[-1].digest' "$W/image/later/blobs/sha256/${blob#sha256:}")
F=$(find "$W/registry/data" -path "*${layer#sha256:}/data")
cp "$F" "$TMP/blob"
head -c "$(($(stat -c %s "$F") - 9))" "$TMP/blob" >"$F"
x "$LATER"
waits "a truncated layer" 8 "^ImagePull: H201 image .*later@"
cp "$TMP/blob" "$F"
back_to_good() # a commit without pod x, above what was accepted
{
	git -C "$W/clone" rm -q -f --ignore-unmatch apps/x.yaml
	rm -f "$W/clone/apps/x.yaml"
	world_commit "without x"
	full_pass
	GOOD=$(git -C "$W/clone" rev-parse HEAD)
	[ "$ST" = 0 ]
}
if back_to_good; then ok "a commit without the pod converges"; else not_ok "a commit without the pod converges" "$ERR"; fi

# --- what becomes of containers -----------------------------------------------------------------------------------
x "$V1" 'command: [/bin/sh, -c, "a=xxxxxxxxxxxxxxxx; while :; do a=$a$a; done"]' \
	"resources: {limits: {memory: 16Mi}}"
waits "over the memory limit" "[08]" "OOMKilled, exit status 137"
x "$V1" 'command: [/bin/sh, -c, "exit 3"]'
waits "a container that ends again and again" "[08]" "^CrashLoopBackOff: the last run ended with Error, exit status 3"
x "$V1" "readinessProbe: {exec: {command: [/bin/false]}, periodSeconds: 1}"
waits "never ready" 8 "^NotReady: readiness probe: want exit status 0, have 1"
like "$ERR" "^Incomplete: pod default/x on host-1 is not ready: NotReady" "never ready: the pass says which pod and why"

# --- 6 truncated frames ----------------------------------------------------------------------------------------------
back_to_good
take
garbage() { lan timeout 3 bash -c "head -c $1 /dev/urandom >/dev/tcp/$WORLD_NET.1/$WORLD_PORT"; }
for n in 1 3 100 20000; do garbage $n; done 2>/dev/null
printf '\026\003\003\100\000\001' | lan timeout 3 busybox nc -w 1 "$WORLD_NET.1" "$WORLD_PORT" >/dev/null 2>&1
printf 'GET / HTTP/1.0\r\n\r\n' | lan timeout 3 openssl s_client -quiet \
	-connect "$WORLD_NET.1:$WORLD_PORT" >/dev/null 2>&1
python3 - "$M/run/channel.sock" <<'EOT'
import socket, sys
for data in (b"\0", b"\0\0\0\xff\1", b"\xff" * 5000):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(3)
    s.connect(sys.argv[1])
    try:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        s.recv(100)
    except OSError:
        pass
    s.close()
EOT
like "$(cat "$M/channel.log")" 'event=channel.denied address=.*reason="TLS: ' "garbage at the channel is named in its log"
if connected >/dev/null; then ok "the host stays connected"; else not_ok "the host stays connected" "$(tail -n 3 "$H/agent.log")"; fi
same "garbage at the channel"
pass
is "$ST" 0 "a pass works after it"
take
end_pid "$CHANNEL_PID"
cat >"$TMP/liar.py" <<'EOT'
import os, socket, sys
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], int(sys.argv[2])))
s.listen(5)
s.settimeout(10)
for n in (2000, 3):
    c, _ = s.accept()
    c.recv(2000)
    c.sendall(os.urandom(n))
    c.close()
EOT
if lan timeout 20 python3 "$TMP/liar.py" "$WORLD_NET.1" "$WORLD_PORT" 2>"$TMP/liar"; then
	ok "the host dials a server that answers garbage"
else
	not_ok "the host dials a server that answers garbage" "$(cat "$TMP/liar")"
fi
like "$(grep link.down "$H/agent.log" | tail -n 1)" 'manager=.*reason="[^"]' "the link says why it is down"
world_channel
if wait_for 20 connected; then ok "and finds its manager again"; else not_ok "and finds its manager again" "$(tail -n 4 "$H/agent.log")"; fi
wait_for 10 seen
same "garbage at the link"

# --- 7 unreachable servers ----------------------------------------------------------------------------------------------
take
mv "$W/fleet.git" "$W/away.git"
pass
is "$ST" 75 "the git server is away: exit 75"
like "$ERR" "error AGAIN: fetch file://$W/fleet.git: " "the git server is away: the message"
mv "$W/away.git" "$W/fleet.git"
sed "s|^repository.url.*|repository.url = https://$WORLD_NET.1:9/fleet.git|" "$M/reconcile.conf" >"$M/https.conf"
run lan "$BIN/reconcile" --config "$M/https.conf" --timeout 2
if [ "$ST" != 0 ]; then ok "no such git server: exit $ST"; else not_ok "no such git server" "$OUT"; fi
like "$ERR" "error [A-Z]+: .*https://$WORLD_NET.1:9" "no such git server: the message"
same "the git server is away"
end_pid "$REGISTRY_PID"
x "$FRESH"
waits "the registry is down" 8 "^ImagePull: H201 image .*fresh@.*: https://$WORLD_REGISTRY: .*connect"
background "$W/registry/log" nsenter --net="/run/netns/$WORLD_TAG-lan" \
	-- docker-registry serve "$W/registry/config.yml"
REGISTRY_PID=$BG
if wait_for 30 is_ready; then ok "the registry is back: the pod starts by itself"; else not_ok "the registry is back" "$(reason)"; fi
same "the registry was down" new

# --- 8 wrong keys -----------------------------------------------------------------------------------------------------------
back_to_good
x "$V1"
take
world_commit "mallory" mallory
pass
is "$ST" 4 "an unknown signer: exit 4"
like "$ERR" "error T[0-9]+.*SHA256:" "an unknown signer: code and fingerprint"
back
same "an unknown signer"
take
run on host-1 "$BIN/reconcile-agent" --config "$H/agent.conf" join notatoken
if [ "$ST" != 0 ]; then ok "a malformed token: exit $ST"; else not_ok "a malformed token" "$OUT"; fi
like "$ERR" "INPUT: |CONFLICT: " "a malformed token: the message"
same "a malformed token"
agent_stop
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$TMP/other.key" \
	-out "$TMP/other.pem" -days 2 -subj "/CN=another authority" 2>/dev/null
sed "s|ca=.*|ca=$TMP/other.pem|" "$H/agent.conf" >"$TMP/agent.conf"
cp "$H/agent.conf" "$TMP/agent.good"
cp "$TMP/agent.conf" "$H/agent.conf"
agent_again
wait_for 10 seen
x "$OTHER"
waits "the wrong authority for the registry" 8 "^ImagePull: H201 image .*other@.*: https://$WORLD_REGISTRY: .*certificate"
agent_stop
cp "$TMP/agent.good" "$H/agent.conf"
agent_again
if wait_for 30 is_ready; then ok "the right authority: the pod starts"; else not_ok "the right authority" "$(reason)"; fi
same "the agent was stopped and started with other keys" new

# --- the git server's keys --------------------------------------------------------------------------------------------------------
git_ssh() # KEY KNOWN: a pass whose repository is behind ssh
{
	sed -e "s|^repository.url.*|repository.url = ssh://root@$WORLD_NET.1:2222$W/fleet.git|" \
		-e "\$a repository.ssh_key = $1" -e "\$a repository.ssh_known_hosts = $2" \
		"$M/reconcile.conf" >"$M/ssh.conf"
	run lan "$BIN/reconcile" --config "$M/ssh.conf" --timeout 1
}
sshd_start()
{
	cp "$W/keys/alice.pub" "$TMP/authorized"
	ssh-keygen -q -t ed25519 -N '' -f "$TMP/hostkey"
	printf '[%s]:2222 %s\n' "$WORLD_NET.1" "$(cut -d' ' -f1,2 "$TMP/hostkey.pub")" >"$TMP/known"
	printf '[%s]:2222 %s\n' "$WORLD_NET.1" "$(cut -d' ' -f1,2 "$W/keys/mallory.pub")" >"$TMP/known.bad"
	cat >"$TMP/sshd_config" <<-EOT
	ListenAddress $WORLD_NET.1
	Port 2222
	HostKey $TMP/hostkey
	PidFile none
	AuthorizedKeysFile $TMP/authorized
	StrictModes no
	UsePAM no
	PermitRootLogin yes
	PasswordAuthentication no
	KbdInteractiveAuthentication no
	LogLevel QUIET
	SetEnv GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=*
	EOT
	{
		cat /etc/passwd
		grep -q '^sshd:' /etc/passwd || echo 'sshd:x:65533:65534::/:/bin/false'
	} >"$TMP/passwd"
	# its user and its folder below /run, given in a mount namespace
	cat >"$TMP/sshd" <<-EOT
	mount --bind "$TMP/passwd" /etc/passwd || exit 1
	mount -t tmpfs none /run && mkdir -m 755 /run/sshd || exit 1
	exec /usr/sbin/sshd -D -f "$TMP/sshd_config"
	EOT
	background "$TMP/sshd.log" nsenter --net="/run/netns/$WORLD_TAG-lan" -- \
		unshare -m sh "$TMP/sshd"
	wait_for 10 sshd_listens
}
sshd_listens() { lan ssh-keyscan -T 2 -p 2222 "$WORLD_NET.1" 2>/dev/null | grep -q ssh-ed25519; }
back_to_good
if [ ! -x /usr/sbin/sshd ]; then
	skip "wrong keys for the git server" "needs openssh-server"
elif ! sshd_start; then
	not_ok "sshd starts" "$(cat "$TMP/sshd.log")"
else
	take
	git_ssh "$W/keys/alice" "$TMP/known"
	is "$ST" 0 "the right keys for the git server" || diag "$ERR"
	git_ssh "$W/keys/mallory" "$TMP/known"
	is "$ST" 3 "a key that the git server does not know: exit 3"
	like "$ERR" "^reconcile: error INPUT: fetch ssh://.*refused the key: .*Permission denied" "a key that the git server does not know: the message"
	git_ssh "$W/keys/alice" "$TMP/known.bad"
	is "$ST" 4 "A66 another host key: exit 4"
	like "$ERR" "^reconcile: error TRUST: fetch ssh://.*[Hh]ost key" "A66 another host key: the message"
	git_ssh "$TMP/nokey" "$TMP/known"
	like "$ERR" "^reconcile: error [A-Z]+: .*$TMP/nokey: No such file" "a key file that is not there is named (exit $ST)"
	same "wrong keys for the git server"
fi

# --- configuration -------------------------------------------------------------------------------------------------------------------
take
sed 's/^userns-base/userns-bse/' "$H/agent.conf" >"$TMP/agent.conf"
fails "an unknown key in agent.conf" 3 "INPUT: .*agent.conf:[0-9]+:1: .*userns-bse.*userns-base" \
	on host-1 timeout 10 "$BIN/reconcile-agent" --config "$TMP/agent.conf"
sed 's/^userns-count.*/userns-count = many/' "$H/agent.conf" >"$TMP/agent.conf"
fails "a wrong type in agent.conf" 3 "INPUT: .*agent.conf:[0-9]+:[0-9]+: .*userns-count.*many" \
	on host-1 timeout 10 "$BIN/reconcile-agent" --config "$TMP/agent.conf"
same "bad configuration"

# --- 9 full disks -------------------------------------------------------------------------------------------------------------------------
variant last
echo last >"$TMP/new"
tar -C "$TMP" -cf "$TMP/layer.tar" new
umoci raw add-layer --image "$W/image/last:1.0" "$TMP/layer.tar" >/dev/null
LAST=$(image last "$W/image/last") || fatal "image"
fill "$H/state/images"
x "$LAST"
waits "R05 the image store is full" 8 "^ImagePull: H201 image .*last@.*No space left on device"
drain "$H/state/images"
if wait_for 30 is_ready; then ok "room in the image store: the pod starts by itself"; else not_ok "room in the image store" "$(reason)"; fi
same "the image store was full" new
back_to_good
take
fill "$H/state"
x "$V1"
world_commit "no room on the host"
pass
is "$ST" 7 "A86 the host's state is full: exit 7" || diag "$ERR"
like "$ERR" "host host-1 refuses H[0-9]+: .*No space left on device" "A86 the host's state is full: the message"
is "$(cat "$H/state/accepted")" "$GOOD" "A86 the host's ratchet did not move"
drain "$H/state"
same "the host's state was full" new
full_pass
is "$ST" 0 "room on the host: the next pass converges" || diag "$ERR"
back_to_good
take
fill "$M/state"
x "$V1"
world_commit "no room at the manager"
pass
like "$ST" "^(7|9|75)$" "A86 the manager's state is full: exit $ST"
like "$ERR" "error [A-Z]+: .*([Nn]o space left|full)" "A86 the manager's state is full: the message"
back
drain "$M/state"
same "the manager's state was full"
pass
is "$ST" 0 "room at the manager: the next pass works" || diag "$ERR"

# --- state that cannot be written ------------------------------------------------------------------------------------------------------------
take
agent_stop
fails "a read-only state folder: the agent does not start" 7 "reconcile-agent: [A-Z]+: .*Read-only file system" \
	on host-1 unshare -m sh -c "mount --bind '$H/state' '$H/state' && mount -o remount,bind,ro '$H/state' && exec timeout 10 '$BIN/reconcile-agent' --config '$H/agent.conf'"

# --- 10 missing kernel features -----------------------------------------------------------------------------------------------------------------
without() { on host-1 "$B/tests/without" "$@"; }
for c in clone3:5.3 openat2:5.6 mount_setattr:5.12 fsopen:5.2 pidfd_open:5.3; do
	fails "an agent without ${c%:*}" 7 "SYS: kernel: this kernel lacks ${c%:*} \(Linux ${c#*:}\): want Linux 5.12 or newer" \
		without ENOSYS "${c%:*}" -- timeout 10 "$BIN/reconcile-agent" --config "$H/agent.conf"
done
echo 0 >"$TMP/zero"
fails "user namespaces are switched off" 7 "SYS: kernel: user namespaces are switched off: want sysctl user.max_user_namespaces above 0" \
	on host-1 unshare -m sh -c "mount --bind '$TMP/zero' /proc/sys/user/max_user_namespaces && exec timeout 10 '$BIN/reconcile-agent' --config '$H/agent.conf'"
mkdir -p "$TMP/bundle/rootfs" "$TMP/engine"
printf '{"ociVersion":"1.0.2","process":{"cwd":"/","args":["/x"]},"root":{"path":"rootfs"}}' >"$TMP/bundle/config.json"
fails "an engine without openat2 and clone3" 1 "SYS: this kernel lacks clone3 \(Linux 5.3\), openat2 \(Linux 5.6\)" \
	without EPERM clone3 openat2 -- "$BIN/reconcile-engine" --root "$TMP/engine" run -b "$TMP/bundle" x
is "$(ls -A "$TMP/engine")" "" "and nothing of the container was made"
agent_again
wait_for 10 seen
same "an agent without kernel features"
agent_stop
background "$H/agent.log" nsenter --net="/run/netns/$WORLD_TAG-host-1" -- "$B/tests/without" \
	EPERM pivot_root -- "$BIN/reconcile-agent" --config "$H/agent.conf"
AGENT_host_1=$BG
wait_for 20 connected
wait_for 10 seen
x "$V1"
waits "pivot_root is forbidden to the engine" 8 "^(SandboxFailed|EngineError): H206 .*pivot_root"
agent_stop
agent_again
# its monitor, which outlives the agent, keeps the filter: the pod is made anew
x "$V1" "workingDir: /tmp"
world_commit "made anew"
full_pass
is "$ST" 0 "without that filter the pod, made anew, starts" || diag "$ERR"
same "an engine that was not allowed to work" new

# --- in the end -----------------------------------------------------------------------------------------------------------------------------------
back_to_good
take
pass
is "$ST" 0 "a last pass has nothing to do" || diag "$ERR"
same "the story"
for n in H201 H202 H206; do
	like "$(grep -o "\"code\":\"$n\"" "$H/state/audit/log" | head -n 1)" "$n" "$n is on record"
done
agent_stop
if agent_reset host-1; then ok "R10 reset of the host"; else not_ok "R10 reset of the host" "$(cat "$H/reset.log")"; fi
disks_down
world_end
baseline_check "R10 no mount, cgroup, namespace or link stays"
finish
