#!/bin/sh
# agent.t - one host: from a signed commit to running pods, through failures
# and restarts of everything, and away again.
. "$(dirname "$0")/agent_lib.sh"

BASELINE_SCOPE="reconcile-t$$|rc0|reconcile_h1"
agent_setup
canary_may "repo/manifests/*"
agent_start

# in POD CONTAINER COMMAND...: runs it in a container.
in_pod()
{
	_u=$(status --arg n "$1" '.pods[] | select(.name == $n) | .uid')
	_c=$2
	shift 2
	"$BIN/reconcile-engine" --root "$RUN/engine" exec "$_u.$_c" "$@"
}

pid_of()
{
	status --arg n "$1" '.pods[] | select(.name == $n) |
		.containers[-1].pid'
}

cat >"$TMP/repo/manifests/web.yaml" <<Y
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {color: blue, "file.txt": one}
---
apiVersion: v1
kind: Secret
metadata: {name: password}
stringData: {word: $CANARY}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports:
  - {port: 80, targetPort: http}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
    spec:
      terminationGracePeriodSeconds: 1
      initContainers:
      - name: prepare
        image: $IMAGE
        command: [/bin/sh, -c, "echo made >/data/made; id -u >/data/uid"]
        volumeMounts:
        - {name: data, mountPath: /data}
      containers:
      - name: main
        image: $IMAGE
        command: [/bin/sh, -c, "echo started; echo oops >&2; exec httpd -f -p 8080 -h /www"]
        env:
        - {name: COLOR, valueFrom: {configMapKeyRef: {name: settings, key: color}}}
        - {name: WORD, valueFrom: {secretKeyRef: {name: password, key: word}}}
        - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
        - {name: GREETING, value: "\$(COLOR) \$\$(COLOR) \$(NONE)"}
        ports:
        - {name: http, containerPort: 8080}
        readinessProbe:
          httpGet: {path: /index.html, port: http}
        livenessProbe:
          exec: {command: [/bin/true]}
          periodSeconds: 1
        resources:
          limits: {cpu: 500m, memory: 64Mi}
        securityContext: {runAsUser: 0}
        volumeMounts:
        - {name: data, mountPath: /data}
        - {name: conf, mountPath: /conf, readOnly: true}
        - {name: conf, mountPath: /one.txt, subPath: file.txt, readOnly: true}
        - {name: secret, mountPath: /secret, readOnly: true}
        - {name: memory, mountPath: /memory}
      volumes:
      - {name: data, emptyDir: {}}
      - {name: memory, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
      - {name: conf, configMap: {name: settings}}
      - {name: secret, secret: {secretName: password, defaultMode: 0400}}
Y
put_commit
pod Deployment web 0
ONE=$POD W1=$POD_NAME U1=$POD_UID
pod Deployment web 1
TWO=$POD W2=$POD_NAME
tell "assign 1 $COMMIT $HOST $ONE $TWO service=default/web=10.96.0.20"
wants "$W1" .ready "a replica of a signed Deployment becomes ready"
wants "$W2" .ready "and the other one"
hears '^report epoch=1 settled=1 pods=2' "the report says settled"

# --- what is inside ------------------------------------------------------------
is "$(in_pod "$W1" main sh -c 'echo $GREETING')" 'blue $(COLOR) $(NONE)' \
	"\$(VAR) is expanded, \$\$ is a dollar, unknown ones stay"
is "$(in_pod "$W1" main sh -c 'echo $WORD $FROM_IMAGE')" \
	"$CANARY yes" "environment of a Secret and of the image"
is "$(in_pod "$W1" main cat /data/made /data/uid)" "made
0" "the init container ran first, on a shared volume"
is "$(in_pod "$W1" main cat /conf/color)" blue "ConfigMap as a volume"
is "$(in_pod "$W1" main cat /one.txt)" one "subPath of a ConfigMap"
is "$(in_pod "$W1" main stat -c %a:%u /secret/..data/word)" 400:0 \
	"mode and owner of a Secret's file"
is "$(in_pod "$W1" main sh -c 'dd if=/dev/zero of=/memory/x bs=1M count=2 2>/dev/null; wc -c </memory/x')" \
	1048576 "emptyDir in memory ends at its sizeLimit"
is "$(in_pod "$W1" main hostname)" "$W1" "host name is the pod's name"
like "$(in_pod "$W1" main cat /etc/hosts)" "10.244.3.*$W1" "/etc/hosts"
is "$(in_pod "$W1" main cat /etc/resolv.conf)" "nameserver 10.96.0.10" \
	"/etc/resolv.conf"
P=$(pid_of "$W1")
status_of()
{
	awk -v k="$1:" '$1 == k { print $2 }' "/proc/$P/status"
}
is "$(status_of NoNewPrivs)" 1 "D2 no_new_privs when nothing is said"
is "$(status_of Seccomp)" 2 "D1 seccomp when nothing is said"
is "$(status_of CapInh)" 0000000000000000 "E53 no inheritable capability"
unlike "$(cat "/proc/$P/uid_map")" '^ *0 +0 ' "D4 an own user namespace"
P2=$(pid_of "$W2")
unlike "$(cat "/proc/$P/uid_map")" "^$(cat "/proc/$P2/uid_map")\$" \
	"T26 ranges of two pods differ"
is "$(readlink /proc/$P/ns/net)" "$(readlink /proc/$P/ns/net)" "own network"
is "$(cat /sys/fs/cgroup/memory/reconcile-$T_TAG/$U1.main/memory.limit_in_bytes 2>/dev/null ||
	cat /sys/fs/cgroup/reconcile-$T_TAG/$U1.main/memory.max)" 67108864 \
	"memory limit is in the cgroup"
is "$(wget -q -O- -T 3 http://10.96.0.20/index.html 2>/dev/null ||
	busybox wget -q -O- -T 3 http://10.96.0.20/index.html)" hello \
	"the Service answers on its address"
is "$(in_pod "$W2" main wget -q -O- \
	"http://$(status --arg n "$W1" '.pods[] | select(.name == $n) | .ip'):8080/" 2>&1)" \
	hello "pod reaches pod"
is "$(find "$STATE" -type f ! -path '*/git/*' -exec grep -l "$CANARY" {} + 2>/dev/null)" "" \
	"E70 a Secret is in no file on disk"

# --- logs ------------------------------------------------------------------------
tell "logs default $W1 main 10"
hears '^started$' "log: standard output"
hears '^oops$' "log: standard error"
like "$(cat "$STATE/pods/$U1/logs/main.log")" \
	'^20[0-9T:.-]*Z stdout F started$' "log file has the CRI form"

# --- a killed container ------------------------------------------------------------
kill -9 "$P"
began=$(date +%s%N)
wants "$W1" ".ready and .containers[-1].restarts == 1 and
	.containers[-1].pid != $P" "a killed container is replaced"
took=$((($(date +%s%N) - began) / 1000000))
diag "killed to ready again: $took ms"
[ "$took" -lt $((1000 * ${SLOW:-1})) ] && ok "and at once" || not_ok "and at once" "$took ms"

# --- the agent dies -----------------------------------------------------------------
P=$(pid_of "$W1")
agent_stop KILL
kill -0 "$P" && ok "R09 pods outlive a killed agent" ||
	not_ok "R09 pods outlive a killed agent"
rm -f "$RUN/status.json"
agent_start
wants "$W1" ".ready and .containers[-1].pid == $P" \
	"promise 7: the new agent adopts the running pod"
hears '^hello epoch=1 accepted=[0-9a-f]' "Hello says the ratchet"
kill -9 "$P"
wants "$W1" ".ready and .containers[-1].restarts == 2" \
	"an adopted pod is looked after"

# --- a container exits while there is no agent ------------------------------------------
P=$(pid_of "$W1")
agent_stop
kill -9 "$P"
agent_start
wants "$W1" ".ready and .containers[-1].pid != $P" \
	"an exit that no agent saw is found and repaired"

# --- new content of a ConfigMap -------------------------------------------------------------
sed -i 's/color: blue/color: green/' "$TMP/repo/manifests/web.yaml"
put_commit
tell "assign 2 $COMMIT $HOST $ONE $TWO service=default/web=10.96.0.20"
green()
{
	[ "$(in_pod "$W1" main cat /conf/color)" = green ]
}
wait_for 10 green && ok "E20 a mounted ConfigMap follows the commit" ||
	not_ok "E20 a mounted ConfigMap follows the commit" \
		"$(tail -n 5 "$TMP/agent.log")"

# --- removed behind our back -----------------------------------------------------------------
U2=$(status --arg n "$W2" '.pods[] | select(.name == $n) | .uid')
"$BIN/reconcile-engine" --root "$RUN/engine" delete --force "$U2.main"
wants "$W2" '.phase == "Lost"' "a removed container is reported as lost"
tell "assign 3 $COMMIT $HOST $ONE service=default/web=10.96.0.20"
gone()
{
	[ "$(status '.pods | length')" = 1 ]
}
wait_for 10 gone && ok "what is not listed is stopped" ||
	not_ok "what is not listed is stopped" "$(status -c .pods)
$(tail -n 5 "$TMP/agent.log")"

# The only pod behind the Service asks the Service: its frames turn round in the
# bridge where br_netfilter is loaded.
itself()
{
	timeout 3 "$BIN/reconcile-engine" --root "$RUN/engine" exec "$U1.main" \
		wget -q -O- http://10.96.0.20/index.html >"$TMP/itself"
}
wait_for 10 itself
is "$(cat "$TMP/itself")" hello "a pod reaches itself through its Service"
[ -d "$STATE/pods/$U2" ] || [ -d "$RUN/pods/$U2" ] &&
	not_ok "R10 its folders are gone" || ok "R10 its folders are gone"

# --- jobs ---------------------------------------------------------------------------------------
cat >"$TMP/repo/manifests/job.yaml" <<Y
apiVersion: batch/v1
kind: Job
metadata: {name: good}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: $IMAGE
        command: [/bin/sh, -c, "echo done >/dev/termination-log"]
---
apiVersion: batch/v1
kind: Job
metadata: {name: bad}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: $IMAGE
        command: [/bin/sh, -c, "exit 3"]
Y
put_commit
pod Job good 0
GOOD=$POD
pod Job bad 0
BAD=$POD
tell "assign 4 $COMMIT $HOST $ONE $GOOD $BAD service=default/web=10.96.0.20"
wants good-0 '.phase == "Succeeded" and .containers[0].message == "done\\x0a"' \
	"a Job's pod ends and says why"
wants bad-0 '.phase == "Failed" and .containers[0].exitCode == 3' \
	"a Job's pod that fails stays failed"

# --- as after a boot ------------------------------------------------------------------------------
# Everything that a boot takes away is taken away; the manager says nothing.
P=$(pid_of "$W1")
agent_stop
for c in "$RUN"/engine/*; do
	"$BIN/reconcile-engine" --root "$RUN/engine" delete --force \
		"$(basename "$c")"
done
for p in $(pgrep -f "reconcile-monitor.*$RUN/pods/"); do
	kill -9 "$p"
done
awk -v d="$RUN/" 'index($2, d) == 1 { print $2 }' /proc/self/mounts |
	while read -r m; do umount "$m"; done
rm -rf --one-file-system "$RUN"
sed -i 's/"boot":"[^"]*"/"boot":"before"/' "$STATE"/pods/*/pod.json
agent_start
wants "$W1" ".ready and .containers[-1].pid != $P" \
	"after a boot the assignment is verified again and its pods made"
wants good-0 '.phase == "Succeeded"' "a Job that has run is not run again"

# --- audit --------------------------------------------------------------------------------------
succeeds "the host's own audit log proves" "$BIN/reconcile" audit verify \
	--log "$STATE/audit"


# --- away -----------------------------------------------------------------------------------------
tell "assign 5 $COMMIT $HOST"
none()
{
	[ "$(status '.pods | length')" = 0 ]
}
wait_for 15 none && ok "an empty assignment stops everything" ||
	not_ok "an empty assignment stops everything" "$(status -c .pods)
$(tail -n 5 "$TMP/agent.log")"
is "$(find "$RUN/pods" "$STATE/pods" "$RUN/engine" -mindepth 1 \
	! -name '.filter-??')" "" \
	"R10 no folder is left"
agent_stop
succeeds "reset" "$BIN/reconcile-agent" --config "$TMP/agent.conf" reset
baseline_check "R10 mounts, cgroups, links and tables as before"
finish
