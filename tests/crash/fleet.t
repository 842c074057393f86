#!/bin/bash
# fleet.t - the manager is killed while a host acts for it (A85, R04), and the
# agent itself (R09): the next pass makes the host what the commit says, each
# pod runs once, and whatever the host did stands in the manager's log as an
# intent before it.
. "$(dirname "$0")/../integration/lib.sh"
need_root
need_program strace git ssh-keygen jq docker-registry skopeo umoci busybox \
	openssl curl nft ip
tmpdir
W=$(mktemp -d /var/tmp/reconcile-crash.XXXXXX)
chmod 755 "$W"
WORLD_TAG=rcc$$ WORLD_NET=10.79.0
. "$TOP/tests/integration/world.sh"
BASELINE_SCOPE="$WORLD_TAG|overlay"
baseline_take
down()
{
	world_down
	rm -rf --one-file-system -- "$W"
}
at_exit down
fatal()
{
	not_ok "$1" "$(tail -n 8 "$W"/*/*.log 2>/dev/null)"
	printf '1..%d\n' "$T_N"
	exit 1
}
ready_is() { [ "$(rec status -o json 2>/dev/null | jq '[.pods[] | select(.ready)] | length')" = "$1" ]; }

web() # REPLICAS
{
	mkdir -p "$W/clone/.reconcile" "$W/clone/apps"
	cat >"$W/clone/.reconcile/policy.yaml" <<-EOF
	apiVersion: reconcile/v1alpha1
	kind: ClusterPolicy
	metadata: {name: policy}
	spec:
	  repository: {id: fleet-test, ref: refs/heads/main}
	  images: {allowedRegistries: ["$WORLD_REGISTRY"]}
	  maxDeletePercent: 100
	EOF
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
	world_commit "$1 replicas"
}

# --- one host ------------------------------------------------------------------
world_net 1 && world_registry && world_certs_dir && world_repo ||
	fatal "network, registry, repository"
DIGEST=$(world_image web v1 "one") || fatal "an image"
IMAGE=$WORLD_REGISTRY/web@$DIGEST
web 1
world_manager || fatal "a manager"
agent_join host-1 1 --ttl 600
joined() { [ -s "$W/host-1/state/link/host.pem" ] || ! kill -0 "$JOIN_host_1" 2>/dev/null; }
rec --timeout 10 >"$W/manager/join.log" 2>&1
wait_for 10 joined
agent_start host-1
host_ready() { [ "$(rec host list -o json | jq -r '.[0].state')" = ready ]; }
wait_for 15 host_ready || fatal "host-1 is ready"
run rec --timeout 60
[ "$ST" = 0 ] || fatal "an undisturbed pass"
ok "an undisturbed pass"

# --- killed, then again ------------------------------------------------------------
# killed CALL N REPLICAS: a commit for so many replicas; its pass is killed.
killed()
{
	web "$3"
	lan strace -o /dev/null -e "inject=$1:signal=KILL:when=$2" \
		"$BIN/reconcile" --config "$W/manager/reconcile.conf" \
		--timeout 30 >"$W/manager/killed.log" 2>&1
	_st=$?
	run rec --timeout 60
	if [ "$ST" = 0 ] && ready_is "$3"; then
		ok "A85 killed ($_st) at its $1 $2: the next pass makes $3"
	else
		not_ok "A85 killed ($_st) at its $1 $2" "status $ST: $ERR
$(rec status)"
	fi
}
n=0
for point in sendmsg:{4..14} fdatasync:{3..12} recvmsg:{6..10}; do
	n=$((n + 1))
	killed "${point%:*}" "${point#*:}" $((n % 2 + 1))
done

# --- the agent is killed while it acts, at moments after its orders -------------
agent_killed() # MILLISECONDS REPLICAS
{
	web "$2"
	rec --timeout 60 >"$W/manager/pass.log" 2>&1 &
	_pass=$!
	sleep "0.$1"
	_p=$(agent_pid host-1)
	kill -KILL "$_p"
	wait "$_p" 2>/dev/null
	agent_start host-1
	wait "$_pass"
	run rec --timeout 60
	if [ "$ST" = 0 ] && ready_is "$2"; then
		ok "R09 agent killed $1 ms into a change: the host makes $2"
	else
		not_ok "R09 agent killed $1 ms into a change" "status $ST: $ERR
$(rec status)
$(tail -n 5 "$W/host-1/agent.log")"
	fi
}
for ms in 100 140 180 220 260 300; do
	n=$((n + 1))
	agent_killed "$ms" $((n % 2 + 1))
done

# --- what was recorded ---------------------------------------------------------------
rec audit show -o json >"$W/manager.json"
rec audit show --log "$W/host-1/state/audit" -o json >"$W/host.json"
# The manager says "pod NAMESPACE/NAME", the host "NAMESPACE/Pod/NAME".
jq -r 'select(.phase == "intent") | select(.type | startswith("pod."))
	| "\(.type) \(.object | ltrimstr("pod ")) \(.time)"' \
	"$W/manager.json" | sort >"$W/intents"
# An agent that was killed in an act records it once more when it goes on: an
# intent while the one before has no outcome yet is the same act.
jq -r 'select(.type | startswith("pod."))
	| "\(.phase) \(.type) \(.object | sub("/Pod/"; "/")) \(.time)"' \
	"$W/host.json" |
	awk '{ key = $2 " " $3 }
	$1 == "outcome" { open[key] = 0 }
	$1 == "intent" { if (!open[key]) print $2, $3, $4; open[key] = 1 }' |
	sort >"$W/acts"
if [ -s "$W/acts" ]; then ok "the host's log has acts"; else not_ok "the host's log has acts" "$(head -5 "$W/host.json")"; fi
# the k-th act on a pod needs k intents that are older
is "$(awk 'NR == FNR { n[$1 " " $2]++; at[$1 " " $2, n[$1 " " $2]] = $3; next }
	{ k = ++m[$1 " " $2]
	  if (!(($1 " " $2, k) in at)) print $0 ": no intent"
	  else if (at[$1 " " $2, k] > $3) print $0 ": before its intent" }' \
	"$W/intents" "$W/acts")" "" \
	"R04 each act of the host has an intent of the manager before it"
want=$(rec status -o json | jq -r '.pods[].uid' | sort)
have=$(on host-1 "$BIN/reconcile-engine" --root "$W/host-1/run/engine" list \
	--format json | jq -r '.[] | select(.status == "running") | .id[0:32]' |
	sort -u)
is "$have" "$want" "A85 what runs is what the manager knows, once each"
succeeds "R01 the manager's log verifies" rec audit verify
succeeds "R01 the host's log verifies" rec audit verify --log "$W/host-1/state/audit"
down
baseline_check "R10 nothing stays"
finish
