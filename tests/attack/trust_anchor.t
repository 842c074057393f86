#!/bin/bash
# trust_anchor.t - what a manager remembers of trust is taken away, put back or
# outrun: its ratchet (A26) and its clock (A90, R13).
. "$(dirname "$0")/../integration/lib.sh"
. "$TOP/tests/crash/alone.sh"
need_root
need_program git ssh-keygen jq sqlite3 strace
tmpdir
alone_up $((20000 + $$ % 10000)) || skip_all "no manager"
STATE=$W/manager/state
db() { sqlite3 "$STATE/state.db" "$1"; }
accepted() { $R status -o json 2>/dev/null | jq -r .acceptedCommit; }
anchors() { $R audit show --type trust.anchor | wc -l; }

run $R
is "$ST" 0 "first trust" || diag "$ERR"
ONE=$(git -C "$W/clone" rev-parse HEAD)
is "$(accepted)" "$ONE" "the first commit is accepted"
alone_commit 2
run $R
TWO=$(git -C "$W/clone" rev-parse HEAD)
is "$(accepted)" "$TWO" "so is the second"
alone_keep

# lost NAME LOG STATE: refused with both sides, and nothing is accepted
lost()
{
	_was=$(db "select value from meta where key = 'accepted'")
	fails "A26 $1: exit 4, what both say, what to do" 4 \
		"T181 .*log says $2, the state says $3;.*reconcile trust anchor COMMIT" $R
	is "$(db "select value from meta where key = 'accepted'")" "$_was" \
		"A26 $1: nothing was accepted"
	fails "A26 $1: a dry run says so too" 4 T181 $R --dry-run
}

# --- the state is gone, an older commit is served -----------------------------
db "delete from meta where key in ('accepted', 'converged')"
git -C "$W/clone" push -q --force origin "$ONE:refs/heads/main"
lost "state emptied, roll-back" "$TWO" none
fails "A26 a commit that is not there is no anchor" 3 \
	"commit 1111111111111111111111111111111111111111 is not in" \
	$R trust anchor 1111111111111111111111111111111111111111
fails "A26 a short id is no anchor" 3 "want a whole commit id" \
	$R trust anchor "${TWO%????}"
fails "A26 a revision is no anchor" 3 "want a whole commit id" $R trust anchor HEAD
lost "state emptied, after a wrong anchor" "$TWO" none
git -C "$W/clone" push -q --force origin "$TWO:refs/heads/main"
lost "state emptied, the honest branch" "$TWO" none
run $R trust anchor "$TWO" --reason 'disk of m1 replaced'
is "$ST" 0 "A26 an operator anchors it" || diag "$ERR"
like "$ERR" "from $TWO .before: none by the state, $TWO by the audit log" \
	"A26 old and new are said"
like "$($R audit show --type trust.anchor)" \
	"by=operator object=state none, log $TWO commit=$TWO.*reason=disk of m1 replaced" \
	"A26 and recorded, with the reason"
run $R
is "$ST" 0 "A26 the manager works on" || diag "$ERR"
is "$(accepted)" "$TWO" "A26 from there"
git -C "$W/clone" push -q --force origin "$ONE:refs/heads/main"
fails "A26 an older commit is refused as before" 4 "T140" $R
git -C "$W/clone" push -q --force origin "$TWO:refs/heads/main"

# --- the state of a backup ----------------------------------------------------
alone_back
alone_commit 3
THREE=$(git -C "$W/clone" rev-parse HEAD)
run $R
is "$(accepted)" "$THREE" "a third commit"
cp "$TMP/kept/state.db" "$STATE/state.db"
rm -f "$STATE/state.db-wal" "$STATE/state.db-shm"
lost "state of a backup" "$THREE" "$TWO"

# --- the log of a backup, and none --------------------------------------------
alone_back
db "update meta set value = '$THREE' where key = 'accepted'"
lost "log of a backup" "$TWO" "$THREE"
alone_back
rm -rf "$STATE/audit/log" "$STATE/audit/checkpoint" "$STATE/audit/checkpoints" \
	"$STATE/audit/edge"
lost "log removed" none "$TWO"
is "$(anchors)" 0 "A26 nobody anchored meanwhile"
run $R trust anchor "$TWO"
is "$ST" 0 "A26 it can be anchored again" || diag "$ERR"
run $R
is "$ST" 0 "A26 and goes on" || diag "$ERR"

# --- killed between record and state: no false alarm --------------------------
alone_back
db "update meta set value = '$ONE' where key = 'accepted'"
db "update meta set value = '$TWO' where key = 'accepting'"
run $R
is "$ST" 0 "A26 a record without its state, with the note of it, is a crash" ||
	diag "$ERR"
like "$(accepted)" "$THREE" "A26 which goes on from the record"
alone_back
db "update meta set value = '$THREE' where key = 'accepting'"
run $R
is "$ST" 0 "A26 a note without a record is a crash" || diag "$ERR"

# --- killed while it is anchored: still lost, or anchored, never in between ------
# The kept state is the one whose state file was emptied.
alone_back
db "delete from meta where key in ('accepted', 'converged')"
rm -rf "$TMP/lost" && cp -a "$STATE" "$TMP/lost"
strace -f -o "$TMP/trace" $R trust anchor "$TWO" >/dev/null 2>&1
SYNCS=$(grep -c 'fdatasync(' "$TMP/trace")
bad=
for i in $(seq 1 "$SYNCS"); do
	rm -rf "$STATE" && cp -a "$TMP/lost" "$STATE"
	strace -f -o /dev/null -e "inject=fdatasync:signal=KILL:when=$i" \
		$R trust anchor "$TWO" >/dev/null 2>&1
	run $R --dry-run
	_a=$(db "select value from meta where key = 'accepted'" 2>&1)
	case $ST,$_a in
	4,) printf '%s\n' "$ERR" | grep -q T181 || bad="$bad $i:not-lost" ;;
	[02],"$TWO" | [02],) ;; # the record stands, so the next pass goes on from it
	*) bad="$bad $i:$ST:$_a" ;;
	esac
	run $R trust anchor "$TWO"
	run $R
	[ "$ST $(accepted)" = "0 $THREE" ] || bad="$bad $i:after:$ST:$(accepted):$ERR"
done
is "$bad" "" "A26 killed at each of $SYNCS fdatasync of an anchor"

# --- the clock ----------------------------------------------------------------
# "Set back" is a state that has seen a later time than the clock shows.
alone_back
HOUR=$(date -u -d '+1 hour' +%Y%m%d%H%M%SZ)
sed -i "s/namespaces=\"git\"/namespaces=\"git\",valid-before=\"$HOUR\"/" \
	"$W/manager/allowed_signers"
clock() { db "insert or replace into meta values('clock', '$1')"; }
clock $(($(date +%s) + 7200))
run $R
is "$ST" 4 "A90 R13 clock two hours back: the expired key introduces nothing"
like "$ERR" "T124" "A90 R13 and the refusal names the key's time"
like "$ERR" "note: the clock is behind 20.*Z, which was seen before" \
	"A90 R13 the clock is told"
is "$(accepted)" "$TWO" "A90 R13 the last good commit stays"
clock $(($(date +%s) - 7200))
run $R
is "$ST" 0 "A90 R13 the same commit and key in time are accepted" || diag "$ERR"
is "$(accepted)" "$THREE" "A90 R13 and in force"
is "$(($(date +%s) - $(db "select value from meta where key = 'clock'") < 60))" 1 \
	"A90 R13 the floor follows the clock"
clock $(($(date +%s) + 7200))
run $R trust anchor "$THREE" --reason "the clock was ahead"
is "$(($(db "select value from meta where key = 'clock'") - $(date +%s) < 60))" 1 \
	"A90 R13 an operator's anchor ends a floor that a fast clock made"
succeeds "the log verifies" $R audit verify
finish
