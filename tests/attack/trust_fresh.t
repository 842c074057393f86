#!/bin/bash
# trust_fresh.t - a mirror that is frozen, or a manager that keeps commits back
# (A27, A28): what runs goes on, nothing new comes in, and it is told, once.
. "$(dirname "$0")/../integration/lib.sh"
. "$TOP/tests/crash/alone.sh"
need_root
need_program git ssh-keygen jq sqlite3
tmpdir
alone_up $((20000 + $$ % 10000)) || skip_all "no manager"
STATE=$W/manager/state
db() { sqlite3 "$STATE/state.db" "$1"; }
accepted() { $R status -o json 2>/dev/null | jq -r .acceptedCommit; }
facts() { $R audit show --type "trust.$1" | wc -l; }
head_of() { git -C "$W/clone" rev-parse HEAD; }
# dated SECONDS CMD...: a commit that is dated so long ago
dated()
{
	_d=$(($(date +%s) - $1))
	shift
	GIT_COMMITTER_DATE="@$_d" GIT_AUTHOR_DATE="@$_d" "$@"
}

ssh-keygen -q -t ed25519 -N '' -C timer -f "$W/keys/timer"
key() { cut -d' ' -f1,2 "$W/keys/$1.pub"; }
mkdir -p "$W/clone/.reconcile"
cat >"$W/clone/.reconcile/trust.yaml" <<EOT
apiVersion: reconcile/v1alpha1
kind: TrustPolicy
metadata: {name: trust}
spec:
  version: 1
  expires: "$(date -u -d '+30 days' +%Y-%m-%dT%H:%M:%SZ)"
  authorization: Paths
  people:
  - name: alice@example.com
    keys: [{ssh: "$(key alice)"}]
  roles: [{name: all, people: [alice@example.com]}]
  root: {roles: [all], threshold: 1}
  rules: [{paths: ["**"], roles: [all]}]
  freshness:
    maxAge: 1h
    keys: [{ssh: "$(key timer)"}]
  revocations:
    asOf: "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    keys: [{fingerprint: "$(ssh-keygen -lf "$W/keys/mallory.pub" | cut -d' ' -f2)", reason: test}]
EOT
# the history begins with it
rm -rf "$W/clone/.git" && git init -q -b main "$W/clone"
git -C "$W/clone" remote add origin "$W/fleet.git"
for c in user.name=Alice user.email=alice@example.com gpg.format=ssh \
	"user.signingkey=$W/keys/alice.pub"; do
	git -C "$W/clone" config "${c%%=*}" "${c#*=}"
done
alone_commit 1
sed -i '/^trust\./d' "$W/manager/reconcile.conf"
echo "trust.policy = sha256:$(sha256sum <"$W/clone/.reconcile/trust.yaml" | cut -d' ' -f1)" \
	>>"$W/manager/reconcile.conf"

run $R
is "$ST" 0 "first trust by the policy in git" || diag "$ERR"
ONE=$(head_of)
run $R
is "$ST" 0 "nothing new, and fresh" || diag "$ERR"
like "$ERR" "Nothing to do" "which is remembered"
like "$($R status)" "^fresh until 20[0-9-]*T" "A27 status says until when"
is "$($R status -o json | jq -r .stale)" false "A27 also in JSON"
is "$(facts stale) $(facts fresh)" "0 0" "A27 no record of it"

# --- a commit that was kept back ------------------------------------------------
dated 7200 alone_commit 2
fails "A27 a new commit that is two hours old: exit 4 and until when" 4 \
	"T146.*first seen now, but was fresh until 20.*--allow-empty" $R
is "$(accepted)" "$ONE" "A27 it is not accepted"
like "$($R audit show --type commit.refuse)" "commit=$(head_of).*fresh until" "A27 and recorded"
world_commit "alive"
run $R
is "$ST" 0 "A27 an empty commit on top of it makes it fresh" || diag "$ERR"
is "$(accepted)" "$(head_of)" "A27 and it is in force"

# --- a mirror that is frozen ------------------------------------------------------
# The newest commit grows old: the state has seen a later time.
later() { db "insert or replace into meta values('clock', '$(($(date +%s) + $1))')"; }
TWO=$(head_of)
later 5400
fails "A27 frozen, nothing new: exit 4" 4 "Stale: T146 the repository was fresh until 20.*somebody withholds it" $R
fails "A27 frozen, again" 4 "Stale: T146" $R
is "$(facts stale) $(facts fresh)" "1 0" "A27 one record when it begins"
like "$($R status)" "^stale: T146 .*--allow-empty" "A27 status says so"
is "$($R status -o json | jq -r .stale)" true "A27 also in JSON"
is "$(accepted)" "$TWO" "A27 what is in force stays"
fails "A27 a dry run says so too" 4 . $R --dry-run
db "delete from meta where key = 'converged'" # what runs is repaired all the same
fails "A27 drift is repaired, and the status stays 4" 4 "Stale: T146" $R
is "$(db "select value from meta where key = 'applied'")" "$TWO" "A27 the pass went to its end"
is "$(db "select count(*) from meta where key = 'converged'")" 1 "A27 and converged"
alone_commit 3
fails "A27 a new commit of that time is stale as well" 4 T146 $R
is "$(accepted)" "$TWO" "A27 and refused"
is "$(facts stale) $(facts fresh)" "1 0" "A27 still one record"

# the daemon keeps going, and says it once
echo "daemon.interval_s = 1" >>"$W/manager/reconcile.conf"
$R --daemon >"$TMP/daemon.log" 2>&1 &
PID=$!
daemon_end() { kill "$PID" 2>/dev/null; wait "$PID" 2>/dev/null; }
at_exit daemon_end
twice() { [ "$(grep -c 'event=pass exit=4' "$TMP/daemon.log")" -ge 2 ]; }
wait_for 15 twice &&
	ok "A27 a daemon keeps going and logs it" ||
	not_ok "A27 a daemon keeps going and logs it" "$(cat "$TMP/daemon.log")"
kill -0 "$PID" && ok "A27 it has not ended" || not_ok "A27 it has not ended"
daemon_end
is "$(facts stale) $(facts fresh)" "1 0" "A27 the daemon writes no second record"

# --- fresh again ----------------------------------------------------------------
db "delete from meta where key = 'clock'"
git -C "$W/clone" -c user.signingkey="$W/keys/timer.pub" commit -q --allow-empty -S -m tick
git -C "$W/clone" push -q --force origin main
run $R
is "$ST" 0 "A27 A28 an empty commit by a key that may do nothing else ends it" || diag "$ERR"
is "$(facts stale) $(facts fresh)" "1 1" "A27 one record when it ends"
is "$(accepted)" "$(head_of)" "A27 and it is in force"
unlike "$($R status)" "^stale" "A27 status says nothing of it"
alone_commit evil
git -C "$W/clone" -c user.signingkey="$W/keys/timer.pub" commit -q --amend -S -m tock
git -C "$W/clone" push -q --force origin main
fails "A28 that key may change nothing" 4 "T149" $R
git -C "$W/clone" reset -q --hard HEAD~1
for v in 3 9007199254740991 9223372036854775807; do
	sed -i "s/^  version: .*/  version: $v/" "$W/clone/.reconcile/trust.yaml"
	world_commit "version $v"
	fails "A28 root itself cannot run the version up to $v" 4 "T186|T182" $R
	git -C "$W/clone" reset -q --hard HEAD~1
done
sed -i "s/^  version: .*/  version: 2/" "$W/clone/.reconcile/trust.yaml"
world_commit "version 2"
run $R
is "$ST" 0 "A28 one more is accepted, whatever was tried" || diag "$ERR"
succeeds "the log verifies" $R audit verify
finish
