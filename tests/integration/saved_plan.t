#!/bin/bash
# saved_plan.t - a saved plan is carried out exactly or not at all: each thing
# that it rests on is changed in turn (A82, A83).
. "$(dirname "$0")/../integration/lib.sh"
. "$TOP/tests/crash/alone.sh"
need_root
need_program git ssh-keygen jq sqlite3
tmpdir
alone_up $((20000 + $$ % 10000)) || skip_all "no manager"
STATE=$W/manager/state
CONF=$W/manager/reconcile.conf
db() { sqlite3 "$STATE/state.db" "$1"; }
accepted() { $R status -o json 2>/dev/null | jq -r .acceptedCommit; }
objects() { db "select group_concat(hash) from object"; }
PLAN=$TMP/plan

run $R
is "$ST" 0 "a first pass" || diag "$ERR"
ONE=$(accepted)
alone_commit 2
TWO=$(git -C "$W/clone" rev-parse HEAD)
run $R --dry-run --out "$PLAN"
is "$ST" 0 "a plan is saved" || diag "$ERR"
like "$OUT" "1 to update" "and printed as without --out"
is "$(stat -c %a "$PLAN")" 600 "for its owner alone"
is "$(accepted)" "$ONE" "nothing was done"
is "$(jq -r '.schema, .head, .commit, .accepted' "$PLAN")" \
	"reconcile.saved-plan/v1
$TWO
$TWO
$ONE" "it names what it rests on"
is "$(jq -r '.plan.schema, .plan.changes[0].name' "$PLAN")" "reconcile.plan/v1
settings" "with the plan in it"
run $R --dry-run --out "$PLAN.2"
is "$(cmp "$PLAN" "$PLAN.2" 2>&1)" "" "the same again is the same file"
alone_keep
cp -a "$W/manager" "$TMP/manager"
cp -a "$W/fleet.git" "$TMP/fleet.git"

# back: everything as it was when the plan was saved
back()
{
	alone_back
	cp "$TMP/manager/reconcile.conf" "$TMP/manager/allowed_signers" \
		"$TMP/manager/revoked_keys" "$W/manager/"
	rm -rf "$W/fleet.git" && cp -a "$TMP/fleet.git" "$W/fleet.git"
	git -C "$W/clone" reset -q --hard "$TWO"
}
# stale NAME ERE [FILE]: refused, and nothing was done
stale()
{
	_objects=$(objects) _accepted=$(accepted)
	fails "A83 $1: exit 10 and why" 10 "The plan does not fit any more: $2.*Make it and read it again" \
		$R apply "${3:-$PLAN}"
	is "$(objects) $(accepted)" "$_objects $_accepted" "A83 $1: nothing was done"
	back
}

alone_commit 3
stale "the branch has moved on" "the branch has moved \($(git -C "$W/clone" rev-parse HEAD)\)"
git -C "$W/clone" reset -q --hard "$ONE"
git -C "$W/clone" push -q --force origin main
stale "the branch has moved back" "the branch has moved"
printf 'mallory@example.com namespaces="git" %s\n' \
	"$(cut -d' ' -f1,2 "$W/keys/mallory.pub")" >>"$W/manager/allowed_signers"
stale "a signer was added" "the trust root has changed"
echo "$(cut -d' ' -f1,2 "$W/keys/mallory.pub")" >>"$W/manager/revoked_keys"
stale "a key was revoked" "the trust root has changed"
# host STATE: 1 joined, 2 ready, 3 lost
host() { db "insert or replace into host values('h1', $1, 0, 0, '{}', '[]', 1000, 1000000, 10, 0, null, 0, 1, null, 0, null, 0, 0)"; }
host 1
stale "a host has joined" "a host has joined, left or changed its state"
host 1
run $R --dry-run --out "$TMP/with-host"
is "$ST" 0 "a plan with a host" || diag "$ERR"
cp -a "$STATE/state.db" "$TMP/with.db"
db "update host set cordoned = 1"
stale "a host was cordoned" "hosts or pods are not as they were" "$TMP/with-host"
cp "$TMP/with.db" "$STATE/state.db"
db "delete from host"
stale "a host has left" "a host has joined, left or changed its state" "$TMP/with-host"
sed -i '/service.cidr/d' "$CONF"
echo "service.cidr = 10.97.0.0/16" >>"$CONF"
stale "the configuration has changed" "hosts or pods are not as they were"
db "insert into pod(uid, namespace, name, owner_kind, owner_name, template, idx, host, commit_id, phase, ready, ready_ms, started_ms, created_ms, restarts, cpu_m, memory) values('0123', 'default', 'web', 'Pod', 'web', 'x', 0, 'h1', '$ONE', 2, 1, 1, 1, 1, 0, 0, 0)"
stale "a pod is there that was not" "hosts or pods are not as they were"
run $R
is "$(accepted)" "$TWO" "control: another pass did it meanwhile"
stale "it was done already" "another commit was accepted meanwhile \($TWO\)"

# --- the file ------------------------------------------------------------------
# sealed JQ: edited by somebody who makes the digest fit
sealed()
{
	jq -c "$1 | del(.digest)" "$PLAN" | tr -d '\n' | sed 's/}$//' >"$TMP/body"
	printf '%s,"digest":"sha256:%s"}\n' "$(cat "$TMP/body")" \
		"$(sha256sum <"$TMP/body" | cut -d' ' -f1)" >"$TMP/edited"
}
sed 's/settings/setting5/' "$PLAN" >"$TMP/edited"
stale "one letter edited" "the file was edited" "$TMP/edited"
head -c -1 "$PLAN" >"$TMP/edited"
stale "the end cut off" "the file was edited" "$TMP/edited"
for e in '.version = "9.9":another version of reconcile wrote it' \
	'.commit = "0":another commit is in force' \
	'.accepted = "0":another commit was accepted meanwhile' \
	'.trustRoot = "sha256:0":the trust root has changed' \
	'.policy = "sha256:0":the policy has changed' \
	'.manifests = "sha256:0":the manifests have changed' \
	'.hosts = [{"name":"h1","state":"ready"}]:a host has joined' \
	'.world = "sha256:0":hosts or pods are not as they were' \
	'.plan.changes = []:what would be done has changed' \
	'.extra = 1:the file was edited'; do
	sealed "${e%%:[a-z]*}"
	stale "edited with care: ${e%% =*}" "${e#"${e%%:[a-z]*}":}" "$TMP/edited"
done
sealed .
is "$(cmp "$PLAN" "$TMP/edited" 2>&1)" "" "control: resealed without an edit it is the file"
echo '{"schema":"reconcile.plan/v1"}' >"$TMP/other"
fails "a plan that was not saved by --out" 3 "no plan of schema" $R apply "$TMP/other"
fails "no file" 3 "apply $TMP/none" $R apply "$TMP/none"
fails "--out without a dry run" 3 "[-][-]out is for --dry-run" $R --out "$TMP/x"

# --- what is carried out is what was verified -----------------------------------------
# A82: between plan and apply the manager's mirror is exchanged for one whose ref
# names another commit, with that commit's objects.
back
sed -i 's/"2"/"evil"/' "$W/clone/settings.yaml"
git -C "$W/clone" commit -qa --no-gpg-sign -m evil
git -C "$STATE/repository.git" fetch -q "$W/clone" +HEAD:refs/reconcile/mirror
is "$(git -C "$STATE/repository.git" rev-parse refs/reconcile/mirror)" \
	"$(git -C "$W/clone" rev-parse HEAD)" "A82 the mirror is exchanged"
run $R apply "$PLAN"
is "$ST $(accepted)" "0 $TWO" "A82 the verified commit is applied all the same" || diag "$ERR"
SWAPPED=$(objects)
back

# --- and otherwise it is done -----------------------------------------------------
run $R apply "$PLAN"
is "$ST" 0 "what fits is carried out" || diag "$ERR"
is "$(accepted)" "$TWO" "the commit is in force"
is "$(objects)" "$SWAPPED" "A82 with the same objects as from the exchanged mirror"
like "$($R audit show --type plan.apply)" "plan.apply.*reason=$TWO" "the log says that it was a saved plan"
fails "A83 it is done once" 10 "another commit was accepted meanwhile" $R apply "$PLAN"
alone_commit bad
git -C "$W/clone" commit -q --amend --no-gpg-sign -m bad
git -C "$W/clone" push -q --force origin main
fails "no plan of a refused commit is saved" 4 "no plan was saved: the newest commit is refused" \
	$R --dry-run --out "$TMP/none"
is "$(ls "$TMP/none" 2>/dev/null)" "" "nor an empty file"
succeeds "the log verifies" $R audit verify
finish
