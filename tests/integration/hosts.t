#!/bin/bash
# hosts.t - the life of hosts on a small fleet: tokens that are not good (any
# more), a second join, cordon, drain within maxUnavailable; passes that race, a
# refused head beside drift, a finished Job that stays finished, safeguards.
. "$(dirname "$0")/lib.sh"
need_root
need_program git ssh-keygen jq docker-registry skopeo umoci busybox openssl curl nft ip
tmpdir
. "$TOP/tests/integration/world.sh"
world_begin hosts 10.84.0

pods() { rec status -o json 2>/dev/null | jq -r ".pods[] | select(.ownerName == \"$1\") | .$2"; }
ready() { pods "$1" ready | grep -c true; }
host_is() { [ "$(rec host list -o json | jq -r ".[] | select(.name == \"$1\") | .state")" = "$2" ]; }
pass() { run rec --timeout 60 "$@"; }
engine_on() { _eh=$1; shift; on "$_eh" "$BIN/reconcile-engine" --root "$W/$_eh/run/engine" "$@"; }
# passes until the join has its answer; its status
answered() { rec --timeout 0 >/dev/null 2>&1; ! kill -0 "$1" 2>/dev/null; }
joined() { eval "_j=\$JOIN_$(echo "$1" | tr - _)"; wait_for 20 answered "$_j"; wait "$_j"; }
# log_has NAME TYPE ERE: an entry of the manager's log
log_has() { like "$(rec audit show --type "$2")" "$3" "$1"; }

web() # REPLICAS [COMMAND]
{
	cat >"$W/clone/apps/web.yaml" <<-EOF
	apiVersion: apps/v1
	kind: Deployment
	metadata: {name: web}
	spec:
	  replicas: $1
	  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}
	  selector: {matchLabels: {app: web}}
	  template:
	    metadata: {labels: {app: web}}
	    spec:
	      terminationGracePeriodSeconds: 1
	      containers: [{name: web, image: "$IMAGE"}]
	EOF
}

job()
{
	cat >"$W/clone/apps/job.yaml" <<-EOF
	apiVersion: batch/v1
	kind: Job
	metadata: {name: once}
	spec:
	  ttlSecondsAfterFinished: 1
	  template:
	    spec:
	      restartPolicy: Never
	      containers: [{name: main, image: "$IMAGE", command: [/bin/true]}]
	EOF
}

world_net 2 && world_registry && world_certs_dir || fatal "network and registry"
IMAGE=$WORLD_REGISTRY/simpleserver@$(world_image simpleserver 1.0 "one") || fatal "image"
world_repo
world_policy "maxDeletePercent: 50"
web 4
job
world_commit "first" && world_manager || fatal "manager"

# --- S01, A76: tokens ---------------------------------------------------------------
fails "a token for a bad name" 3 "host name of lower-case" rec host token Host_1
agent_join host-1 1 || fatal "token"
GOOD=$_token
if joined host-1; then ok "host-1 joined"; else fatal "host-1 joined"; fi
agent_start host-1
refused() # NAME TOKEN ERE: on host-2, with a fresh state each time
{
	background "$W/host-2/join.log" nsenter --net="/run/netns/$WORLD_TAG-host-2" -- \
		"$BIN/reconcile-agent" --config "$W/host-2/agent.conf" join "$2"
	_j=$BG
	wait_for 20 answered "$_j"
	if wait "$_j"; then not_ok "$1"; else ok "$1"; fi
	like "$(cat "$W/host-2/join.log")" "$3" "$1: the host says why"
}
agent_conf host-2 2
refused "S01 a used token" "$GOOD" "DENIED.*used before"
log_has "S01 a used token is in the log" host.join "host=host-1.*refused|refused.*host-1"
LATE=$(rec host token host-2 --ttl 1)
sleep_until() { [ "$(date +%s)" -gt "$1" ]; }
wait_for 5 sleep_until "$(($(date +%s) + 1))"
refused "A76 an expired token" "$LATE" "expired"
EARLY=$(rec host token host-2)
agent_join host-2 2 || fatal "token"
if joined host-2; then ok "host-2 joined"; else fatal "host-2 joined" "$(cat "$W/host-2/join.log")"; fi
agent_start host-2
wait_for 20 host_is host-1 ready && wait_for 20 host_is host-2 ready || fatal "hosts are ready"
world_routes
pass
is "$ST" 0 "the pass converges" || printf '%s\n' "$ERR" | sed 's/^/# /'
is "$(ready web)" 4 "four replicas"

# --- a Job that has run ----------------------------------------------------------------
gone() { rec --timeout 20 >/dev/null 2>&1; [ -z "$(pods once name)" ]; }
if wait_for 15 gone; then ok "the Job's pod goes after its time to live"; else not_ok "the Job's pod goes" "$(rec status)"; fi
pass
is "$(rec audit show --type pod.start -o json | grep intent | grep -c 'once-0')" 1 "and is not run again"
run rec --dry-run --detailed-exitcode
is "$ST" 0 "nor planned" || printf '%s\n' "$OUT" | sed 's/^/# /'

# --- A84: two passes at once --------------------------------------------------------------
web 3
world_commit "three"
rec --timeout 60 >"$TMP/p1" 2>&1 & P1=$!
rec --timeout 60 >"$TMP/p2" 2>&1 & P2=$!
S1=0 S2=0
wait "$P1" || S1=$?
wait "$P2" || S2=$?
is "$(printf '%s\n%s\n' "$S1" "$S2" | sort -n | tr '\n' ' ')" "0 75 " "A84: one of two passes works, the other says 75"
like "$(cat "$TMP/p1" "$TMP/p2")" "another reconcile is at work" "A84: and why"
is "$(ready web)" 3 "A84: the commit is applied"
succeeds "A84: the log verifies" rec audit verify

# --- a refused head does not stop repair ------------------------------------------------------
web 1
world_commit "unsigned" -
U=$(pods web uid | head -n 1) H=$(pods web host | head -n 1)
for c in $(engine_on "$H" list --format json | jq -r ".[].id | select(startswith(\"$U\"))"); do engine_on "$H" delete --force "$c"; done
drifted() { rec --dry-run -o json 2>/dev/null | jq -e '.plan.summary.drift > 0'; }
wait_for 15 drifted
pass
is "$ST" 4 "a refused head: exit 4"
is "$(ready web)" 3 "and drift from the commit in force is repaired"
unlike "$(pods web uid)" "$U" "by another pod"
git -C "$W/clone" reset -q --hard HEAD~1
git -C "$W/clone" push -q --force origin main

# --- A88: the safeguard changes nothing ----------------------------------------------------------
ACC=$(rec status -o json | jq -r .acceptedCommit)
BEFORE=$(pods web uid | sort)
rm "$W/clone/apps/web.yaml" "$W/clone/apps/job.yaml"
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: rest}\ndata: {a: b}\n' >"$W/clone/apps/rest.yaml"
world_commit "delete all"
N=$(rec audit show | grep -c intent)
pass
is "$ST" 6 "A88: more deletes than the policy allows: exit 6"
like "$ERR" "allow-deletes" "A88: says how to go on"
is "$(rec status -o json | jq -r .acceptedCommit)" "$ACC" "A88: the ratchet has not moved"
is "$(pods web uid | sort)" "$BEFORE" "A88: nothing is stopped"
is "$(rec audit show | grep -c intent)" "$N" "A88: nothing was intended"
pass
is "$(rec audit show --type pass.safeguard | grep -c refused)" 1 "A88: recorded once"
git -C "$W/clone" reset -q --hard HEAD~1
git -C "$W/clone" push -q --force origin main

# --- cordon and drain ----------------------------------------------------------------------------
fails "cordon of a host that is none" 3 'no host is named "host-9"' rec host cordon host-9
succeeds "cordon" rec host cordon host-2
HOST2=$(pods web host | grep -c host-2)
web 5
world_commit "five"
pass
is "$ST" 0 "a pass with a cordoned host converges"
is "$(pods web host | grep -c host-2)" "$HOST2" "a cordoned host gets no new pod, and keeps its own"
succeeds "uncordon" rec host uncordon host-2
succeeds "drain" rec host drain host-1
watch() # the smallest number of ready pods until the pass ends
{
	_min=5
	while kill -0 "$1" 2>/dev/null; do
		_n=$(for _h in host-1 host-2; do engine_on "$_h" list --format json |
			jq -r '.[] | select(.status == "running") | select(.id | endswith("sandbox") | not) | .id'; done | wc -l)
		[ "$_n" -ge "$_min" ] || _min=$_n
	done
	echo "$_min"
}
rec --timeout 60 >"$TMP/drain" 2>&1 & P=$!
MIN=$(watch "$P")
wait "$P"
is "$?" 0 "the drained host's pods move" || sed 's/^/# /' "$TMP/drain"
is "$(pods web host | grep -c host-1)" 0 "none is left on it"
is "$(ready web)" 5 "five are ready"
if [ "$MIN" -ge 4 ]; then ok "never fewer than maxUnavailable allows (at least $MIN)"; else not_ok "maxUnavailable while draining" "at least $MIN"; fi
succeeds "uncordon after the drain" rec host uncordon host-1
log_has "drain has intent and outcome" host.drain "outcome"

# --- a second join with a new token ------------------------------------------------------------------
OLD=$(rec host list -o json | jq -r '.[] | select(.name == "host-2") | .podCIDR')
end_pid "$(agent_pid host-2)"
agent_reset host-2
wait_for 10 host_is host-2 lost
agent_conf host-2 2
background "$W/host-2/join.log" nsenter --net="/run/netns/$WORLD_TAG-host-2" -- \
	"$BIN/reconcile-agent" --config "$W/host-2/agent.conf" join --again "$(rec host token host-2)"
JOIN_host_2=$BG
if joined host-2; then ok "host-2 joins again"; else not_ok "host-2 joins again" "$(cat "$W/host-2/join.log")"; fi
agent_start host-2
wait_for 20 host_is host-2 ready
pass
is "$ST" 0 "and the fleet converges" || { printf '%s\n' "$ERR" | sed 's/^/# /'; rec status | sed 's/^/# /'; }
is "$(ready web)" 5 "with all pods"
is "$(rec host list -o json | jq -r '.[] | select(.name == "host-2") | .podCIDR')" "$OLD" "its addresses stay"

# --- revoked is for good --------------------------------------------------------------------------------
succeeds "revoke" rec host revoke host-2 --reason test
fails "no token for a revoked name" 3 "revoked for good" rec host token host-2
log_has "with intent and outcome" host.revoke "outcome"

pass
is "$ST" 0 "its pods move" || printf '%s\n' "$ERR" | sed 's/^/# /'

# --- nobody to wait for -----------------------------------------------------------------------------------
end_pid "$(agent_pid host-1)"
wait_for 10 host_is host-1 lost
START=$(date +%s)
pass --timeout 0
if [ "$(($(date +%s) - START))" -lt 5 ] && [ "$ST" = 8 ]; then ok "--timeout 0 waits for nobody (exit 8)"; else not_ok "--timeout 0" "exit $ST after $(($(date +%s) - START)) s: $ERR"; fi
succeeds "the log verifies" rec audit verify
finish
