#!/bin/sh
# agent_refuse.t - a manager that was taken over: what it sends that does not
# follow from signed manifests is refused, said, recorded, and not done.
. "$(dirname "$0")/agent_lib.sh"

BASELINE_SCOPE="reconcile-t$$|rc0|reconcile_h1"
agent_setup label:zone=a taint:dedicated=db:NoSchedule
agent_start

# refuses ERE NAME: a refusal with this text, and it is in the audit log.
refuses()
{
	hears "^refusal .*$1" "$2"
	audited()
	{
		cat "$STATE"/audit/* 2>/dev/null | grep -a '"refuse"' |
			grep -aq "$(printf %s "$1" | sed 's/.*code=\([A-Z0-9]*\).*/\1/')"
	}
	wait_for 5 audited "$1" && ok "$2: in the host's audit log" ||
		not_ok "$2: in the host's audit log"
	: >"$OUT_FILE"
}

only()
{
	is "$(status -r '[.pods[].name] | join(" ")')" "$1" "$2"
}

web()
{
	cat >"$TMP/repo/manifests/web.yaml" <<Y
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: ${1:-1}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      tolerations: [{key: dedicated, operator: Exists}]
      containers:
      - name: main
        image: ${2:-$IMAGE}
        command: [/bin/sleep, "1000"]
---
apiVersion: v1
kind: Pod
metadata: {name: elsewhere}
spec:
  nodeSelector: {zone: b}
  tolerations: [{key: dedicated, operator: Exists}]
  containers:
  - {name: main, image: $IMAGE, command: [/bin/sleep, "1000"]}
---
apiVersion: v1
kind: Pod
metadata: {name: tainted}
spec:
  containers:
  - {name: main, image: $IMAGE, command: [/bin/sleep, "1000"]}
---
apiVersion: v1
kind: Pod
metadata: {name: tag}
spec:
  terminationGracePeriodSeconds: 0
  tolerations: [{key: dedicated, operator: Exists}]
  containers:
  - {name: main, image: $TAG_IMAGE, command: [/bin/sleep, "1000"]}
---
apiVersion: v1
kind: Pod
metadata: {name: rooted}
spec:
  tolerations: [{key: dedicated, operator: Exists}]
  securityContext: {runAsNonRoot: true}
  containers:
  - {name: main, image: $IMAGE, command: [/bin/sleep, "1000"]}
---
apiVersion: v1
kind: Pod
metadata: {name: named}
spec:
  terminationGracePeriodSeconds: 0
  tolerations: [{key: dedicated, operator: Exists}]
  securityContext: {runAsNonRoot: true, supplementalGroups: [77]}
  containers:
  - {name: main, image: $WEB_IMAGE, command: [/bin/sleep, "1000"]}
Y
}

web
put_commit
FIRST=$COMMIT
pod Deployment web 0
GOOD=$POD NAME=$POD_NAME
tell "assign 1 $COMMIT $HOST $GOOD"
wants "$NAME" .ready "control: what follows from the commit runs"
: >"$OUT_FILE"

# --- the assignment as a whole ---------------------------------------------------
tell "assign 2 $COMMIT other-host $GOOD"
refuses 'code=H102' "A75 another host's assignment"
tell "assign 1 $COMMIT $HOST"
tell "assign 0 $COMMIT $HOST"
replayed()
{
	[ "$(status .replays)" = 2 ]
}
tell "assign 3 $COMMIT $HOST $GOOD"
wait_for 5 replayed && ok "A74 S04 replays are counted and ignored" ||
	not_ok "A74 S04 replays are counted and ignored" "$(status -c .)"
only "$NAME" "A74 and stop nothing"

# --- commits ----------------------------------------------------------------------
web 2
put_commit --no-gpg-sign
tell "assign 4 $COMMIT $HOST $GOOD"
refuses 'code=H103 .*T[0-9]+' "A77 an unsigned commit"
git -C "$TMP/repo" reset -q --hard "$FIRST"
web 3
git -C "$TMP/repo" -c user.signingKey="$TMP/mallory" commit -qaS -m evil
send_commit
tell "assign 5 $COMMIT $HOST $GOOD"
refuses 'code=H103 .*T[0-9]+' "A77 a commit by an unknown key"
git -C "$TMP/repo" reset -q --hard "$FIRST"
tell "assign 6 $(printf '%040d' 7) $HOST $GOOD"
refuses 'code=H103' "a commit that this host does not have"
sed -i "s/id: $REPO_ID/id: foreign/" "$TMP/repo/.reconcile/policy.yaml"
put_commit
tell "assign 7 $COMMIT $HOST $GOOD"
refuses 'code=H103' "A77 a commit of another repository"
git -C "$TMP/repo" reset -q --hard "$FIRST"
web 2
put_commit
SECOND=$COMMIT
tell "assign 8 $COMMIT $HOST $GOOD"
hears "^report epoch=8 .*commit=$SECOND" "control: a signed child is accepted"
: >"$OUT_FILE"
tell "assign 9 $FIRST $HOST $GOOD"
refuses 'code=H103' "G rolled back to the parent: the ratchet holds"
only "$NAME" "the running pod was never touched"

# --- pods ---------------------------------------------------------------------------
n=10
# bad SED NAME ERE: the good pod with one field changed.
bad()
{
	pod Deployment web 1
	tell "assign $n $COMMIT $HOST $GOOD $(printf %s "$POD" | sed "$1")"
	n=$((n + 1))
	refuses "$3" "$2"
	only "$NAME" "$2: not made"
}
bad 's/,\([0-9a-f]\{16\}\),1,/,0123456789abcdef,1,/' \
	"A77 an altered template" 'code=H105'
bad 's/Deployment,web,/Deployment,other,/' "A77 an invented owner" 'code=H104'
bad 's/default,web-/default,evil-/' "A77 a name of its own" 'code=H106'
bad "s/-1,Deployment,web,\(.*\),1,$COMMIT/-9,Deployment,web,\1,9,$COMMIT/" \
	"A77 more replicas than were signed" 'code=H107'
bad 's/^[0-9a-f]*/..\/..\/etc/' "E27 a uid that is a path" 'code=H110'
bad "s/^[0-9a-f]*/$(printf '%032x' 1)/" "a uid that is taken" 'code=H109'
bad "s/$COMMIT/$FIRST/" "A77 a new pod of an old commit" 'code=H113'
pod Pod elsewhere 0
tell "assign 20 $COMMIT $HOST $GOOD $POD"
refuses 'pod=default/elsewhere code=H108' "A77 nodeSelector of another host"
pod Pod tainted 0
tell "assign 21 $COMMIT $HOST $GOOD $POD"
refuses 'pod=default/tainted code=H108' "A77 a taint that is not tolerated"

# --- images and users -------------------------------------------------------------------
pod Pod tag 0 "main=sha256:$(printf '%064d' 1)"
tell "assign 22 $COMMIT $HOST $GOOD $POD"
refuses 'pod=default/tag code=H111' "A77 a digest that the tag does not have"
tell "assign 23 $COMMIT $HOST $GOOD"
wait_gone()
{
	[ "$(status '.pods | length')" = 1 ]
}
wait_for 5 wait_gone
pod Pod tag 0 "main=$DIGEST"
tell "assign 24 $COMMIT $HOST $GOOD $POD"
wants tag .ready "control: the tag's own digest runs"
pod Pod rooted 0
tell "assign 25 $COMMIT $HOST $GOOD $POD"
wants rooted '.containers[0].message | test("runAsNonRoot")' \
	"K05 runAsNonRoot and USER root: not started"
wants rooted '.containers[0].reason == "CreateContainerError" and
	(.containers[0].running | not)' "K05 and not on the next try"
pod Pod named 0
tell "assign 26 $COMMIT $HOST $GOOD $POD"
wants named .ready "K05 a USER by name of the image runs"
P=$(status '.pods[] | select(.name == "named") | .containers[0].pid')
is "$("$BIN/reconcile-engine" --root "$RUN/engine" exec "$POD_UID.main" id -u)" \
	1000 "E26 its id is the image's"
is "$(awk '$1 == "Groups:" { print NF - 1 }' "/proc/$P/status")" 2 \
	"E55 supplementary groups are the image's and the pod's"
is "$(awk '$1 == "CapEff:" { print $2 }' "/proc/$P/status")" \
	0000000000000000 "E54 no effective capability"

# --- frames -------------------------------------------------------------------------------
tell "pack nonsense $TMP/pack"
refuses 'code=H116' "a pack for no commit"
printf 'PACKgarbage' >"$TMP/bad.pack"
tell "pack $(printf '%040d' 8) $TMP/bad.pack"
refuses 'code=H116' "a pack of garbage"
only "$NAME named" "nothing of it stopped a pod"

# --- no record, no act ----------------------------------------------------------------------
kill "$(pgrep -P "$AGENT_PID" -x reconcile-audit)"
web 2 "$WEB_IMAGE"
put_commit
pod Deployment web 0
tell "assign 30 $COMMIT $HOST $POD"
hears 'code=H210' "R04 R05 without its audit writer the host does nothing"
only "$NAME named" "and pods stay"

agent_stop
succeeds "reset" "$BIN/reconcile-agent" --config "$TMP/agent.conf" reset
baseline_check "R10 everything as before"
finish
