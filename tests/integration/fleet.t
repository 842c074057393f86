#!/bin/bash
# fleet.t - the whole product on three hosts: from signed commits to containers,
# healing, drift, refusals, restarts of every daemon, the life of a host.
. "$(dirname "$0")/lib.sh"
need_root
need_program git ssh-keygen jq docker-registry skopeo umoci busybox openssl curl nft ip
tmpdir
. "$TOP/tests/integration/world.sh"
world_begin fleet 10.78.0
BASELINE_SCOPE="$WORLD_TAG|overlay"
baseline_take

pods() { rec status -o json 2>/dev/null | jq -r ".pods[] | select(.ownerName == \"$1\") | .$2"; }
ready() { pods "$1" ready | grep -c true; }
ready_is() { [ "$(ready "$1")" = "$2" ]; }
hosts_in() { [ "$(rec host list -o json | jq "[.[] | select(.state == \"$1\")] | length")" = "$2" ]; }
pass() { run rec --timeout 60 "$@"; }
engine_on() { _eh=$1; shift; on "$_eh" "$BIN/reconcile-engine" --root "$W/$_eh/run/engine" "$@"; }

# --- the repository ----------------------------------------------------------------
web() # REPLICAS IMAGE TEXT
{
	cat >"$W/clone/apps/web.yaml" <<-EOF
	apiVersion: v1
	kind: ConfigMap
	metadata: {name: settings}
	data:
	  greeting: "$3"
	---
	apiVersion: v1
	kind: Service
	metadata: {name: web}
	spec:
	  selector: {app: web}
	  ports: [{port: 80, targetPort: http}]
	---
	apiVersion: apps/v1
	kind: Deployment
	metadata: {name: web}
	spec:
	  replicas: $1
	  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
	  selector: {matchLabels: {app: web}}
	  template:
	    metadata: {labels: {app: web}}
	    spec:
	      terminationGracePeriodSeconds: 1
	      containers:
	      - name: web
	        image: $2
	        ports: [{name: http, containerPort: 8080}]
	        env:
	        - name: GREETING
	          valueFrom: {configMapKeyRef: {name: settings, key: greeting}}
	        - name: NODE
	          valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
	        readinessProbe:
	          httpGet: {path: /index.html, port: http}
	          periodSeconds: 1
	        resources: {requests: {cpu: 50m, memory: 16Mi}, limits: {memory: 64Mi}}
	        volumeMounts: [{name: settings, mountPath: /settings, readOnly: true}]
	      volumes: [{name: settings, configMap: {name: settings}}]
	EOF
}

others()
{
	cat >"$W/clone/apps/others.yaml" <<-EOF
	apiVersion: apps/v1
	kind: DaemonSet
	metadata: {name: everywhere}
	spec:
	  selector: {matchLabels: {app: everywhere}}
	  template:
	    metadata: {labels: {app: everywhere}}
	    spec:
	      terminationGracePeriodSeconds: 1
	      containers:
	      - name: main
	        image: $1
	        command: [/bin/sh, -c, "echo on \$NODE; exec sleep 100000"]
	        env: [{name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
	---
	apiVersion: batch/v1
	kind: Job
	metadata: {name: once}
	spec:
	  template:
	    spec:
	      restartPolicy: Never
	      containers: [{name: main, image: "$1", command: [/bin/true]}]
	EOF
}

world_net 3 && world_registry && world_certs_dir || fatal "network and registry"
V1=$WORLD_REGISTRY/simpleserver@$(world_image simpleserver 1.0 "version one") || fatal "image"
V2=$WORLD_REGISTRY/simpleserver@$(world_image simpleserver 2.0 "version two") || fatal "image"
world_repo
world_policy "maxDeletePercent: 50"
web 3 "$V1" hello
others "$V1"
world_commit "first" && world_manager || fatal "manager"
for i in 1 2 3; do agent_join "host-$i" "$i" --label "zone=z$i" || fatal "token"; done

# --- joining ---------------------------------------------------------------------------
pass --timeout 2
for i in 1 2 3; do
	eval "p=\$JOIN_host_$i"
	if wait "$p"; then ok "host-$i joined"; else fatal "host-$i joined"; fi
	agent_start "host-$i"
done
if wait_for 20 hosts_in ready 3; then ok "three hosts are ready"; else fatal "three hosts are ready"; fi
world_routes

# --- converge --------------------------------------------------------------------------
PLAN=$(rec --dry-run -o json 2>/dev/null)
pass
is "$ST" 0 "the pass converges" || { echo "$ERR" | sed 's/^/# /'; rec status | sed 's/^/# /'; }
is "$(printf '%s' "$PLAN" | jq -r '.plan.changes[] | select(.action == "start") | "\(.pod) \(.host)"' | sort)" \
	"$(rec status -o json | jq -r '.pods[] | "\(.name) \(.host)"' | sort)" \
	"what --dry-run said is what runs, pod by pod, host by host"
is "$(ready web)" 3 "three replicas are ready"
is "$(pods web host | sort -u | wc -l)" 3 "spread over three hosts"
is "$(ready everywhere)" 3 "the DaemonSet is on every host"
is "$(pods once state)" succeeded "the Job has succeeded"
IP=$(pods web address | head -n 1)
is "$(lan curl -sS --max-time 5 "http://$IP:8080/")" "version one" "a web answer from a pod"
VIP=$(rec status -o json | jq -r '.services[] | select(.name == "web") | .clusterIP')
is "$(on host-1 curl -sS --max-time 5 "http://$VIP:80/")" "version one" "a web answer through the ClusterIP on a host"
pass
like "$ERR" "Nothing to do" "a second pass has nothing to do"
run rec --dry-run --detailed-exitcode
is "$ST" 0 "and no change is pending"
P1=$(pods web name | head -n 1) H1=$(pods web host | head -n 1) U1=$(pods web uid | head -n 1)
run rec logs "$(pods everywhere name | head -n 1)"
like "$OUT" "on host-" "logs of a pod"
inside() { engine_on "$1" exec "$2" /bin/sh -c "$3"; }
C1=$(engine_on "$H1" list --format json | jq -r ".[].id | select(startswith(\"$U1\")) | select(endswith(\"sandbox\") | not)")
like "$(inside "$H1" "$C1" 'echo "$GREETING on $NODE"')" "hello on $H1" "environment from ConfigMap and field"
is "$(inside "$H1" "$C1" 'cat /settings/greeting')" hello "ConfigMap as a volume"
like "$(inside "$H1" "$C1" 'id -u')" "^1000$" "the image's user"
like "$(inside "$H1" "$C1" 'cat /proc/self/uid_map')" "^ *0 +[1-9][0-9]+ +65536" "a user namespace of its own"

# --- update, scale, roll -----------------------------------------------------------------
web 3 "$V1" changed
world_commit "settings"
pass
is "$ST" 0 "a changed ConfigMap converges"
settings_changed() { [ "$(inside "$H1" "$C1" 'cat /settings/greeting')" = changed ]; }
if wait_for 10 settings_changed; then ok "the volume follows the ConfigMap"; else not_ok "the volume follows the ConfigMap"; fi
is "$(pods web uid | grep -c "$U1")" 1 "no pod was restarted for it"
web 5 "$V2" changed
world_commit "5 of version two"
pass
is "$ST" 0 "scaled and rolled out"
is "$(ready web)" 5 "five replicas are ready"
IP=$(pods web address | head -n 1)
is "$(lan curl -sS --max-time 5 "http://$IP:8080/")" "version two" "the new version answers"

# --- healing and drift --------------------------------------------------------------------
U1=$(pods web uid | head -n 1) H1=$(pods web host | head -n 1)
victim() { engine_on "$H1" list --format json | jq -r ".[] | select(.id | startswith(\"$U1\")) | select(.id | endswith(\"sandbox\") | not) | .pid"; }
PID=$(victim)
kill -KILL "$PID"
healed() { _p=$(victim) && [ -n "$_p" ] && [ "$_p" != "$PID" ] && [ "$_p" != 0 ]; }
if wait_for 10 healed; then ok "a killed container is back without the manager"; else not_ok "a killed container is back"; fi
for c in $(engine_on "$H1" list --format json | jq -r ".[].id | select(startswith(\"$U1\"))"); do
	engine_on "$H1" delete --force "$c"
done
drifted() { rec --dry-run -o json 2>/dev/null | jq -e '.plan.summary.drift > 0'; }
if wait_for 15 drifted; then ok "a removed pod is shown as drift"; else not_ok "a removed pod is shown as drift" "$(rec status)"; fi
pass
is "$ST" 0 "drift is repaired"
is "$(ready web)" 5 "five replicas again"

# --- refusals: everything keeps running --------------------------------------------------------
GOOD=$(git -C "$W/clone" rev-parse HEAD)
BEFORE=$(pods web uid | sort)
refused() # NAME STATUS ERE
{
	pass
	is "$ST" "$2" "$1: exit $2"
	like "$ERR" "$3" "$1: says why"
	git -C "$W/clone" reset -q --hard "$GOOD"
	git -C "$W/clone" push -q --force origin main
}
web 1 "$V2" changed; world_commit "unsigned" -
refused "A1 unsigned" 4 "T[0-9]+"
web 1 "$V2" changed; world_commit "mallory" mallory
refused "A2 unknown key" 4 "SHA256:"
git -C "$W/clone" push -q --force origin "$GOOD~1:main"
refused "A23 rolled back" 4 "T[0-9]+"
rm "$W/clone/apps/web.yaml"; world_commit "delete most"
refused "A88 deletes more than the share" 6 "allow-deletes"
is "$(pods web uid | sort)" "$BEFORE" "every pod kept running"

# A88's commit was accepted as a commit; go on from it
git -C "$W/clone" pull -q --ff-only 2>/dev/null
web 5 "$V2" changed
ACC=$(rec status -o json | jq -r .acceptedCommit)
git -C "$W/clone" reset -q --soft "$ACC" 2>/dev/null
world_commit "again"
pass
is "$ST" 0 "the next good commit is applied"

# --- saved plans ---------------------------------------------------------------------
web 4 "$V2" changed; world_commit "planned"
run rec --dry-run --out "$TMP/plan"
is "$ST" 0 "a plan is saved"
run rec apply "$TMP/plan" --timeout 60
is "$ST" 0 "A83 what nothing has disturbed is carried out" || printf '%s\n' "$ERR" | sed 's/^/# /'
is "$(ready web)" 4 "A83 and all are ready"
web 5 "$V2" changed; world_commit "planned again"
rec --dry-run --out "$TMP/plan" >/dev/null
end_pid "$(agent_pid host-1)"
wait_for 10 hosts_in lost 1
fails "A83 a host was lost meanwhile" 10 "a host has joined, left or changed its state" rec apply "$TMP/plan"
is "$(ready web)" 4 "A83 nothing was started"
agent_start host-1
wait_for 20 hosts_in ready 3
pass
is "$ST" 0 "a pass does it, of what is so now"

# --- promise 7: pods outlive every daemon --------------------------------------------------------
BEFORE=$(pods web uid | sort)
for i in 1 2 3; do
	p=$(agent_pid "host-$i")
	kill -KILL "$p"
	wait "$p" 2>/dev/null
done
end_pid "$CHANNEL_PID"
alive() { for _q in $(cat "$TMP/pids"); do [ -d "/proc/$_q" ] || return 1; done; }
for i in 1 2 3; do engine_on "host-$i" list --format json | jq -r '.[] | select(.status == "running") | .pid'; done >"$TMP/pids"
if [ "$(wc -l <"$TMP/pids")" -ge 8 ] && alive; then ok "agents and channel killed, containers run"; else not_ok "agents and channel killed, containers run" "$(cat "$TMP/pids")"; fi
world_channel
for i in 1 2 3; do agent_start "host-$i"; done
if wait_for 20 hosts_in ready 3; then ok "hosts are back"; else not_ok "hosts are back" "$(tail -n 5 "$W"/host-*/agent.log)"; fi
pass
is "$ST" 0 "a pass after it converges"
is "$(pods web uid | sort)" "$BEFORE" "with the same pods"
if alive; then ok "and the same processes"; else not_ok "and the same processes"; fi

# --- A85: the manager is killed in the middle ------------------------------------------------------
web 5 "$V1" changed
world_commit "back to version one"
nsenter --net="/run/netns/$WORLD_TAG-lan" -- "$BIN/reconcile" --config "$W/manager/reconcile.conf" >"$W/manager/killed.log" 2>&1 &
p=$!
midway() { rec audit show --last 1 | grep -q 'intent *pod'; }
wait_for 10 midway
kill -KILL "$p"
wait "$p" 2>/dev/null
pass
is "$ST" 0 "A85: the pass after a killed one finishes"
is "$(ready web)" 5 "five of version one"
IP=$(pods web address | head -n 1)
is "$(lan curl -sS --max-time 5 "http://$IP:8080/")" "version one" "which answer"

# --- life of a host ---------------------------------------------------------------------------------
succeeds "cordon" rec host cordon host-2
succeeds "drain" rec host drain host-3
pass
is "$ST" 0 "the drained host's pods move"
is "$(pods web host | grep -c host-3)" 0 "no replica is left on it"
is "$(ready web)" 5 "all are ready elsewhere"
succeeds "uncordon" rec host uncordon host-3
rec host uncordon host-2 >/dev/null
succeeds "revoke" rec host revoke host-3 --reason test
wait_for 5 hosts_in revoked 1
pass --timeout 20
is "$(rec host list -o json | jq -r '.[] | select(.name == "host-3") | .state')" revoked "A79: the host is revoked and cut"
is "$(ready web)" 5 "its pods run elsewhere"

# --- the audit logs -----------------------------------------------------------------------------------
succeeds "the manager's log verifies" rec audit verify
for i in 1 2 3; do succeeds "the log of host-$i verifies" rec audit verify --log "$W/host-$i/state/audit"; done
L=$(rec audit show)
for t in host.join commit.accept commit.refuse pod.start pod.stop host.cordon host.drain host.revoke host.up; do
	like "$L" " $t " "the log has $t"
done
unlike "$L" "PRIVATE KEY" "and no key"

# --- nothing stays ---------------------------------------------------------------------------------------
for i in 1 2 3; do
	end_pid "$(agent_pid "host-$i")"
	if agent_reset "host-$i"; then ok "R10: reset of host-$i"; else not_ok "R10: reset of host-$i" "$(cat "$W/host-$i/reset.log")"; fi
done
world_end
baseline_check "R10: no mount, cgroup, namespace or link stays"
finish
