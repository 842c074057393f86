#!/bin/sh
# agent_trust.t - what a host remembers of trust is taken away or put back: its
# ratchet (A26) and its clock (A90).  The manager is made up and obedient to
# whoever owns it.
. "$(dirname "$0")/agent_lib.sh"

BASELINE_SCOPE="reconcile-t$$|rc0|reconcile_h1"
agent_setup
AGENT="$BIN/reconcile-agent --config $TMP/agent.conf"
EPOCH=0

# content N: the N-th content of the repository
content()
{
	cat >"$TMP/repo/manifests/settings.yaml" <<-Y
	apiVersion: v1
	kind: ConfigMap
	metadata: {name: settings}
	data: {value: "$1"}
	Y
}
assign() # COMMIT: the manager wants it
{
	EPOCH=$((EPOCH + 1))
	: >"$OUT_FILE"
	tell "assign $EPOCH $1 $HOST"
}
in_force() { [ "$(status .commit)/$(status .epoch)" = "$COMMIT/$EPOCH" ]; }
takes() # NAME: the assignment of $COMMIT is carried out
{
	assign "$COMMIT"
	if wait_for 10 in_force; then
		ok "$1"
	else
		not_ok "$1" "$(status -c .) $(tail -n 5 "$OUT_FILE")
$(tail -n 8 "$TMP/agent.log")"
	fi
}
refuses() # NAME COMMIT ERE
{
	assign "$2"
	hears "^refusal .*$3" "$1"
}
again() # the agent is started anew
{
	agent_stop
	: >"$TMP/agent.log"
	agent_start
}
logged() { grep -a '"type":"trust.anchor"' "$STATE/audit/log" | tail -n 1; }

agent_start
content 1
put_commit
ONE=$COMMIT
takes "the first commit"
content 2
put_commit
TWO=$COMMIT
takes "the second"
refuses "A23 control: the ratchet holds" "$ONE" 'code=H103 .*T140'
agent_stop
cp -a "$STATE" "$TMP/kept"

# --- the ratchet is removed ------------------------------------------------------
rm "$STATE/accepted"
again
refuses "A26 ratchet removed: an older commit" "$ONE" \
	"code=H118 .*T181 the audit log says $TWO, the state none: .*reconcile-agent anchor"
refuses "A26 ratchet removed: nothing else either" "$TWO" 'code=H118 .*T181'
like "$(status .lost)" "^T181 " "A26 the host's status says so"
fails "A26 the agent must not run for an anchor" 75 "the agent runs: stop it first" \
	$AGENT anchor "$TWO"
agent_stop
fails "A26 a commit that the host does not have is no anchor" 3 \
	"commit 1{40} is not among what this host has" \
	$AGENT anchor 1111111111111111111111111111111111111111
fails "A26 a short id is no anchor" 3 "want a whole commit id" $AGENT anchor "${TWO%??}"
like "$(logged)x" '^x$' "A26 nothing was recorded of these"
run $AGENT anchor "$TWO" --reason "disk replaced"
is "$ST" 0 "A26 root anchors it" || diag "$ERR"
like "$(logged)" "\"object\":\"state none, log $TWO\",\"commit\":\"$TWO\".*disk replaced" \
	"A26 recorded with old and new"
again
refuses "A26 the ratchet holds again" "$ONE" 'code=H103 .*T140'
COMMIT=$TWO
takes "A26 and the host works on"

# --- the ratchet of a backup --------------------------------------------------------
agent_stop
printf %s "$ONE" >"$STATE/accepted"
again
refuses "A26 ratchet of a backup" "$TWO" \
	"code=H118 .*T181 the audit log says $TWO, the state $ONE"
agent_stop

# --- killed between record and ratchet ------------------------------------------
printf %s "$TWO" >"$STATE/accepting"
again
takes "A26 a record without its ratchet, with the note of it, is a crash"
is "$(cat "$STATE/accepted")" "$TWO" "A26 which goes on from the record"
content 3
put_commit
wait_for 10 git --git-dir="$STATE/git" cat-file -e "$COMMIT"
agent_stop
printf %s "$COMMIT" >"$STATE/accepting"
again
takes "A26 a note without a record is a crash"

# --- the clock -------------------------------------------------------------------
# "Set back" is a state that has seen a later time than the clock shows.
agent_stop
signer_line alice "valid-before=\"$(date -u -d '+1 hour' +%Y%m%d%H%M%SZ)\"" \
	>"$TMP/signers"
"$AGENT_TOOL" trust "$STATE/trust-root.pb" "$REPO_ID" "$REF" "$TMP/signers"
echo -n $(($(date +%s) + 7200)) >"$STATE/clock"
again
content 4
put_commit
refuses "A90 clock two hours back: the expired key introduces nothing" \
	"$COMMIT" 'code=H103 .*T124'
like "$(cat "$TMP/agent.log")" "clock.back seen=20" "A90 the clock is told"
agent_stop
echo -n $(($(date +%s) - 7200)) >"$STATE/clock"
again
takes "A90 the same commit and key in time are accepted"
is "$(($(date +%s) - $(cat "$STATE/clock") < 60))" 1 "A90 the floor follows the clock"
agent_stop
echo -n $(($(date +%s) + 7200)) >"$STATE/clock"
run $AGENT anchor "$COMMIT"
is "$(($(cat "$STATE/clock") - $(date +%s) < 60))" 1 \
	"A90 an anchor ends a floor that a fast clock made"

# --- a manager that keeps commits back --------------------------------------------
# Another host: trust by a policy in git, in a history that begins with it.
rm -rf "$STATE/accepted" "$STATE/assignment.pb" "$STATE/audit" "$STATE/git" \
	"$STATE/clock"
EPOCH=0
cat >"$TMP/repo/.reconcile/trust.yaml" <<Y
apiVersion: reconcile/v1alpha1
kind: TrustPolicy
metadata: {name: trust}
spec:
  version: 1
  expires: "$(date -u -d '+30 days' +%Y-%m-%dT%H:%M:%SZ)"
  authorization: Paths
  people:
  - name: alice@example.org
    keys: [{ssh: "$(cut -d' ' -f1,2 "$TMP/alice.pub")"}]
  root: {people: [alice@example.org], threshold: 1}
  rules: [{paths: ["**"], people: [alice@example.org]}]
  freshness: {maxAge: 1h}
  revocations:
    asOf: "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    keys: [{fingerprint: "$(ssh-keygen -lf "$TMP/mallory.pub" | cut -d' ' -f2)", reason: test}]
Y
git -C "$TMP/repo" checkout -q --orphan fresh
"$AGENT_TOOL" trust "$STATE/trust-root.pb" "$REPO_ID" "$REF" \
	"sha256:$(sha256sum <"$TMP/repo/.reconcile/trust.yaml" | cut -d' ' -f1)"
again
put_commit
takes "A27 control: a fresh commit"
is "$(status .stale)/$(($(status .freshUntil) - $(date +%s) > 3500))" false/1 \
	"A27 the host's status says until when"
content 9
GIT_COMMITTER_DATE="@$(($(date +%s) - 7200))" put_commit
refuses "A27 a commit that is first seen when it is two hours old" "$COMMIT" \
	'code=H103 .*T146 first seen now, but was fresh until 20'
COMMIT=$(git -C "$TMP/repo" rev-parse HEAD~1)
takes "A27 the commit in force can be assigned anew"
agent_stop
echo -n $(($(date +%s) + 7200)) >"$STATE/clock"
again
is_stale() { [ "$(status .stale)" = true ]; }
wait_for 25 is_stale && ok "A27 two hours later it is stale, and the status says so" ||
	not_ok "A27 two hours later it is stale" "$(status -c .)"
wait_for 25 grep -aq '"type":"trust.stale"' "$STATE/audit/log" &&
	ok "A27 and the host's log" || not_ok "A27 and the host's log"
takes "A27 what is in force is carried out all the same"
agent_reset
baseline_check "nothing stays"
finish
