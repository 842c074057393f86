#!/bin/bash
# daemon.t - `reconcile --daemon`, a pass that starts the channel itself, Secrets,
# and the progress of a person at a terminal.
. "$(dirname "$0")/lib.sh"
need_root
need_program git ssh-keygen jq docker-registry skopeo umoci busybox openssl curl script
tmpdir
. "$TOP/tests/integration/world.sh"
world_begin daemon 10.81.0

manifests() # REPLICAS ALLOW-PLAIN-SECRETS
{
	world_policy "secrets: {allowPlain: $2}"
	cat >"$W/clone/apps/web.yaml" <<-EOF
	apiVersion: apps/v1
	kind: Deployment
	metadata: {name: web}
	spec:
	  replicas: $1
	  selector: {matchLabels: {app: web}}
	  template:
	    metadata: {labels: {app: web}}
	    spec:
	      terminationGracePeriodSeconds: 1
	      containers:
	      - name: web
	        image: $IMAGE
	EOF
}

world_net 1 && world_registry && world_certs_dir || fatal "network and registry"
IMAGE=$WORLD_REGISTRY/simpleserver@$(world_image simpleserver 1.0 "daemon") || fatal "image"
world_repo
manifests 1 false
world_commit "first" && world_manager && agent_join host-1 1 || fatal "manager"
rec --timeout 2 >/dev/null 2>&1
wait "$JOIN_host_1" || fatal "join"
agent_start host-1
up() { rec host list -o json | jq -e '.[] | select(.state == "ready")' >/dev/null; }
wait_for 20 up || fatal "host is ready"
ready() { rec status -o json 2>/dev/null | jq '[.pods[] | select(.ready)] | length'; }
ready_is() { [ "$(ready)" = "$1" ]; }

# --- a pass at a terminal -----------------------------------------------------------
run script -qec "nsenter --net=/run/netns/$WORLD_TAG-lan $BIN/reconcile --config $W/manager/reconcile.conf" "$TMP/typescript"
is "$ST" 0 "a pass at a terminal converges"
if grep -q "$(printf '\033')\[K" "$TMP/typescript"; then ok "progress is shown and wiped"; else not_ok "progress is shown and wiped" "$(cat -v "$TMP/typescript")"; fi
run script -qec "NO_COLOR=1 nsenter --net=/run/netns/$WORLD_TAG-lan $BIN/reconcile --config $W/manager/reconcile.conf --dry-run --from 1 --to 2 --repo $W/clone" "$TMP/typescript"
if grep -q "$(printf '\033')\[3" "$TMP/typescript"; then not_ok "NO_COLOR"; else ok "NO_COLOR"; fi

# --- without the channel's own unit: the pass starts one -------------------------------
end_pid "$CHANNEL_PID"
manifests 2 false
world_commit "two"
run rec
is "$ST" 0 "a pass starts the channel that is missing" || printf '%s\n' "$ERR" | sed 's/^/# /'
is "$(rec status -o json | jq '[.pods[] | select(.ready)] | length')" 2 "and converges through it"
if [ -S "$W/manager/run/channel.sock" ] && rec host list 2>&1 | grep -q ' ready '; then :; fi
world_channel
wait_for 20 up || fatal "host is back"

# --- the daemon ----------------------------------------------------------------------------
echo "daemon.interval_s = 1" >>"$W/manager/reconcile.conf"
background "$W/manager/daemon.log" nsenter --net="/run/netns/$WORLD_TAG-lan" -- \
	"$BIN/reconcile" --config "$W/manager/reconcile.conf" --daemon
D=$BG
attached() { ls -l "/proc/$D/fd" | grep -q "state/lock" && [ "$(ps -o comm= -p "$D")" = reconcile ]; }
if wait_for 10 attached; then ok "the daemon holds the lock"; else not_ok "the daemon holds the lock" "$(cat "$W/manager/daemon.log")"; fi
manifests 4 false
world_commit "four"
if wait_for 20 ready_is 4; then ok "a new commit is applied by itself"; else not_ok "a new commit is applied by itself" "$(cat "$W/manager/daemon.log"; rec status)"; fi
engine() { on host-1 "$BIN/reconcile-engine" --root "$W/host-1/run/engine" "$@"; }
U=$(rec status -o json | jq -r '.pods[0].uid')
for c in $(engine list --format json | jq -r ".[].id | select(startswith(\"$U\"))"); do engine delete --force "$c"; done
replaced() { ready_is 4 && ! rec status -o json | grep -q "$U"; }
if wait_for 20 replaced; then ok "drift is repaired by itself, on the host's report"; else not_ok "drift is repaired by itself" "$(rec status)"; fi
BEFORE=$(rec status -o json | jq -r '.pods[].uid' | sort)
GOOD=$(git -C "$W/clone" rev-parse HEAD)
manifests 1 false
world_commit "unsigned" -
refusal_known() { rec audit show --type commit.refuse | grep -q .; }
if wait_for 10 refusal_known; then ok "an unsigned commit is refused by the daemon"; else not_ok "an unsigned commit is refused by the daemon"; fi
is "$(rec status -o json | jq -r '.pods[].uid' | sort)" "$BEFORE" "and nothing changes"
git -C "$W/clone" reset -q --hard "$GOOD"
git -C "$W/clone" push -q --force origin main
mv "$W/fleet.git" "$W/away.git"
complained() { grep -q 'msg="fetch' "$W/manager/daemon.log"; }
if wait_for 10 complained; then ok "an unreachable repository is logged"; else not_ok "an unreachable repository is logged" "$(cat "$W/manager/daemon.log")"; fi
mv "$W/away.git" "$W/fleet.git"
manifests 3 false
world_commit "three"
if wait_for 20 ready_is 3; then ok "and does not end the daemon"; else not_ok "and does not end the daemon" "$(cat "$W/manager/daemon.log")"; fi
kill -TERM "$D"
if wait_for 10 test ! -d "/proc/$D"; then ok "SIGTERM ends it"; else not_ok "SIGTERM ends it"; fi

# --- Secrets -----------------------------------------------------------------------------------
canary_may "clone/apps/secret.yaml"
secret()
{
	cat >"$W/clone/apps/secret.yaml" <<-EOF
	apiVersion: v1
	kind: Secret
	metadata: {name: password}
	stringData: {word: $CANARY}
	EOF
	cat >>"$W/clone/apps/web.yaml" <<-EOF
	        volumeMounts: [{name: s, mountPath: /secret, readOnly: true}]
	        env: [{name: WORD, valueFrom: {secretKeyRef: {name: password, key: word}}}]
	      volumes: [{name: s, secret: {secretName: password}}]
	EOF
}
manifests 1 false
secret
world_commit "plain secret"
run rec
is "$ST" 5 "a plain Secret is refused by policy"
like "$ERR" "allowPlain" "and the policy's field is named"
git -C "$W/clone" reset -q --hard HEAD~1
manifests 1 true
world_commit "allow"
secret
world_commit "secret"
run rec --dry-run
like "$OUT" "\+ Secret password" "a dry run names the Secret that will be made"
run rec
is "$ST" 0 "allowed by policy, in the commit before" || printf '%s\n' "$ERR" | sed 's/^/# /'
C=$(engine list --format json | jq -r '.[].id | select(endswith("sandbox") | not)' | head -n 1)
is "$(engine exec "$C" /bin/cat /secret/word)" "$CANARY" "the pod has it as a file"
is "$(engine exec "$C" /bin/sh -c 'echo $WORD')" "$CANARY" "and in its environment"
{
	rec --dry-run
	rec --dry-run -o json
	rec status
	rec status -o json
	rec audit show -o json
	rec audit show --log "$W/host-1/state/audit" -o json
	cat "$W"/manager/*.log "$W"/host-1/*.log
} >"$TMP/outputs" 2>&1
if grep -q "$CANARY" "$TMP/outputs"; then not_ok "A99: the secret is in no output" "$(grep -n "$CANARY" "$TMP/outputs" | cut -c1-200)"; else ok "A99: the secret is in no output"; fi
if grep -aqr "$CANARY" "$W/manager/state" --exclude-dir=repository.git; then not_ok "A99: nor in the manager's store"; else ok "A99: nor in the manager's store"; fi
finish
