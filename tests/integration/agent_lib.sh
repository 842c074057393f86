# agent_lib.sh - one host with the real programs and a made-up manager, for
# agent*.t.  Source it first: it sources lib.sh, image_lib.sh and trust_lib.sh.
#
# Everything runs in a network namespace of the suite's own: it executes itself
# again inside one.  The manager is tests/tools/agent_tool.c in the place of
# reconcile-link: `tell LINE` speaks for it, $OUT_FILE is what it heard.

if [ "${AGENT_NETNS:-}" != 1 ]; then
	[ "$(id -u)" = 0 ] || {
		echo '1..0 # SKIP needs root'
		exit 0
	}
	exec env AGENT_NETNS=1 unshare -n -- sh "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/image_lib.sh"
. "$TOP/tests/attack/trust_lib.sh"

AGENT_TOOL=$B/tests/agent_tool
AGENT_PID=
UIDS=0

need_program jq git ssh-keygen nft busybox skopeo umoci docker-registry \
	"$BIN/reconcile-agent" "$BIN/reconcile-engine" "$BIN/reconcile-net" \
	"$BIN/reconcile-monitor" "$BIN/reconcile-init" \
	"$BIN/reconcile-verify" "$BIN/reconcile-fetch" \
	"$BIN/reconcile-audit" "$AGENT_TOOL"

agent_image()
{
	(
		set -e
		cd "$TMP"
		umoci init --layout img
		umoci new --image img:v1
		umoci unpack --image img:v1 b
		mkdir -p b/rootfs/bin b/rootfs/etc b/rootfs/tmp b/rootfs/www \
			b/rootfs/proc b/rootfs/sys b/rootfs/dev
		chmod 1777 b/rootfs/tmp
		cp "$(command -v busybox)" b/rootfs/bin/busybox
		for a in $(busybox --list); do
			[ "$a" = busybox ] || ln -sf busybox "b/rootfs/bin/$a"
		done
		echo 'root:x:0:0:root:/root:/bin/sh' >b/rootfs/etc/passwd
		echo 'web:x:1000:1001::/home/web:/bin/sh' >>b/rootfs/etc/passwd
		echo 'web:x:1001:' >b/rootfs/etc/group
		echo 'extra:x:1005:web' >>b/rootfs/etc/group
		echo hello >b/rootfs/www/index.html
		umoci repack --image img:v1 b
		umoci config --image img:v1 --config.env FROM_IMAGE=yes \
			--config.env PATH=/bin
		umoci config --image img:v1 --tag web --config.user web
		skopeo copy -q --dest-tls-verify=false oci:img:v1 \
			"docker://127.0.0.1:$PORT/test/app:v1"
		skopeo copy -q --dest-tls-verify=false oci:img:web \
			"docker://127.0.0.1:$PORT/test/app:web"
	) >"$TMP/make.log" 2>&1 ||
		skip_all "cannot make an image: $(tail -n 3 "$TMP/make.log")"
	DIGEST=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' \
		"docker://127.0.0.1:$PORT/test/app:v1")
	WEB_DIGEST=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' \
		"docker://127.0.0.1:$PORT/test/app:web")
	IMAGE=127.0.0.1:$PORT/test/app@$DIGEST
	WEB_IMAGE=127.0.0.1:$PORT/test/app@$WEB_DIGEST
	TAG_IMAGE=127.0.0.1:$PORT/test/app:v1
}

# agent_policy [EXTRA]: the repository's policy file.
agent_policy()
{
	mkdir -p "$TMP/repo/.reconcile"
	cat >"$TMP/repo/.reconcile/policy.yaml" <<Y
apiVersion: reconcile/v1alpha1
kind: ClusterPolicy
metadata:
  name: cluster
spec:
  repository:
    id: $REPO_ID
    ref: $REF
  manifestsPath: manifests
  images:
    allowedRegistries:
    - 127.0.0.1:$PORT
    requireDigest: false
  secrets:
    allowPlain: true
${1:-}
Y
}

# agent_setup [LABEL:K=V...]: registry, image, keys, an empty signed repository,
# a joined host.
agent_setup()
{
	tmpdir
	ip link set lo up
	image_start
	agent_image
	git_env
	make_key alice
	make_key mallory
	signer_line alice >"$TMP/signers"
	git init -q -b main "$TMP/repo"
	git -C "$TMP/repo" config gpg.format ssh
	git -C "$TMP/repo" config user.signingKey "$TMP/alice"
	mkdir -p "$TMP/repo/manifests"
	agent_policy
	HOST=h1
	STATE=$TMP/state RUN=$TMP/run
	mkdir -p "$STATE/link" "$RUN" "$TMP/libexec"
	for p in "$BIN"/reconcile-*; do
		cp "$p" "$TMP/libexec/"
	done
	cp "$AGENT_TOOL" "$TMP/libexec/reconcile-link"
	"$AGENT_TOOL" trust "$STATE/trust-root.pb" "$REPO_ID" "$REF" \
		"$TMP/signers"
	"$AGENT_TOOL" join "$STATE/join.pb" 10.244.3.0/24 10.96.0.0/16 "$@"
	mkfifo "$STATE/link/cmd"
	OUT_FILE=$STATE/link/out
	: >"$OUT_FILE"
	cat >"$TMP/agent.conf" <<Y
name = $HOST
state = $STATE
run = $RUN
libexec = $TMP/libexec
cgroup = /reconcile-$T_TAG
bridge = rc0
userns-base = 1000013824
userns-count = 64
log-level = debug
nameserver = 10.96.0.10
registry = 127.0.0.1:$PORT http
Y
	at_exit agent_reset
	baseline_take
}

agent_start()
{
	"$BIN/reconcile-agent" --config "$TMP/agent.conf" \
		>>"$TMP/agent.log" 2>&1 &
	AGENT_PID=$!
	wait_for 10 grep -q 'link.state connected=1' "$TMP/agent.log" ||
		diag "agent does not start: $(tail -n 5 "$TMP/agent.log")"
}

# agent_stop [SIGNAL]
agent_stop()
{
	[ -n "$AGENT_PID" ] || return 0
	kill "-${1:-TERM}" "$AGENT_PID" 2>/dev/null
	wait "$AGENT_PID" 2>/dev/null
	AGENT_PID=
	! grep -E 'Sanitizer|runtime error' "$TMP/agent.log" >"$TMP/.san" ||
		not_ok "no sanitizer has spoken" "$(grep -A12 -E \
			'Sanitizer|runtime error' "$TMP/agent.log")"
}

agent_reset()
{
	agent_stop
	"$BIN/reconcile-agent" --config "$TMP/agent.conf" reset
}

# tell LINE: the manager sends a frame.
tell()
{
	printf '%s\n' "$*" 1<>"$STATE/link/cmd"
}

# heard ERE: the agent has said it.
heard()
{
	grep -Eq -- "$1" "$OUT_FILE"
}

hears()
{
	if wait_for "${3:-10}" heard "$1"; then
		ok "$2"
	else
		not_ok "$2" "want $1
have $(tail -n 12 "$OUT_FILE")
log: $(tail -n 8 "$TMP/agent.log")"
	fi
}

# put_commit [COMMIT OPTION...]: commits, packs and sends what is in the
# repository; sets COMMIT.
put_commit()
{
	[ $# -gt 0 ] || set -- -S
	git -C "$TMP/repo" add -A
	git -C "$TMP/repo" commit -q --allow-empty -m change "$@"
	send_commit
}

send_commit()
{
	COMMIT=$(git -C "$TMP/repo" rev-parse HEAD)
	printf '%s\n' "$COMMIT" |
		git -C "$TMP/repo" pack-objects --revs --stdout -q \
			>"$TMP/pack" 2>/dev/null
	tell "pack $COMMIT $TMP/pack"
}

# template KIND NAME: hash in the commit, by this machine's own verify.
template()
{
	"$AGENT_TOOL" templates "$BIN" "$TMP/repo/.git" \
		"$STATE/trust-root.pb" "$COMMIT" |
		awk -v k="$1" -v n="$2" '$1 == k && $3 == n { print $4 }'
}

# pod KIND OWNER INDEX [CONTAINER=DIGEST]: sets POD (for assign), POD_NAME and
# POD_UID.
pod()
{
	_h=$(template "$1" "$2")
	UIDS=$((UIDS + 1))
	POD_UID=$(printf '%032x' "$UIDS")
	case $1 in
	Deployment) POD_NAME=$2-$(printf %.10s "$_h")-$3 ;;
	DaemonSet) POD_NAME=$2-$(printf %.10s "$_h")-$HOST ;;
	Job) POD_NAME=$2-$3 ;;
	*) POD_NAME=$2 ;;
	esac
	POD=$POD_UID,default,$POD_NAME,$1,$2,$_h,$3,$COMMIT${4:+,$4}
}

status()
{
	jq -r "$@" "$RUN/status.json"
}

# pod_is NAME JQ-TEST: about one pod of the status file.
pod_is()
{
	jq -e --arg n "$1" ".pods[] | select(.name == \$n) | $2" \
		"$RUN/status.json"
}

wants()
{
	if wait_for "${4:-10}" pod_is "$1" "$2"; then
		ok "$3"
	else
		not_ok "$3" "want $1 $2
have $(jq -c '.pods[]' "$RUN/status.json" 2>&1)
log: $(tail -n 8 "$TMP/agent.log")"
	fi
}
