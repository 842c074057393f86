#!/bin/bash
# rollback.t - back to what was, by a signed commit on top; trust, policy and
# approvals never go back.
. "$(dirname "$0")/../integration/lib.sh"
. "$TOP/tests/crash/alone.sh"
need_root
need_program git ssh-keygen jq
tmpdir
alone_up $((20000 + $$ % 10000)) || skip_all "no manager"
C=$W/clone
RB="$BIN/reconcile rollback --repo $C"
accepted() { $R status -o json 2>/dev/null | jq -r .acceptedCommit; }
id() { git -C "$C" rev-parse "$1"; }

ONE=$(id HEAD)
mkdir -p "$C/apps"
echo 'x: y' >"$C/notes.txt"
alone_commit 2
sed -i 's/metadata: {name: policy}/metadata: {name: policy, labels: {stage: "2"}}/' "$C/.reconcile/policy.yaml"
alone_commit 3
THREE=$(id HEAD)
run $R
is "$(accepted)" "$THREE" "the third commit is in force"

fails "without --to" 3 "want --to REV" $RB
fails "a revision that is none" 3 "nonsense names no commit" $RB --to nonsense
fails "an option for a revision" 3 "names no commit" $RB --to=--help
fails "what HEAD is already" 3 "nothing to do: outside .reconcile/ HEAD is as" $RB --to HEAD
echo changed >>"$C/notes.txt"
fails "a work tree with changes" 3 "the work tree has changes" $RB --to "$ONE"
git -C "$C" checkout -q notes.txt
git -C "$C" checkout -q --detach
fails "no branch" 3 "HEAD is on no branch" $RB --to "$ONE"
git -C "$C" checkout -q main
OTHER=$(git -C "$C" commit-tree -m other "HEAD^{tree}")
fails "a commit of another history" 3 "is not in the history of HEAD" $RB --to "$OTHER"
git -C "$C" config user.signingkey "$W/keys/none.pub"
fails "nobody signs" 3 "git could not sign.*by hand: git merge --ff-only .*commit-tree" $RB --to "$ONE"
git -C "$C" config user.signingkey "$W/keys/alice.pub"
is "$(id HEAD)" "$THREE" "none of these has changed anything"

printf '#!/bin/sh\ntouch %s/hook-ran\n' "$TMP" >"$C/.git/hooks/post-merge"
chmod +x "$C/.git/hooks/post-merge"
run $RB --to "$ONE"
is "$ST" 0 "back to the first" || diag "$ERR"
like "$OUT" "has the content of ${ONE%????????????????????????????} again" "it says so"
is "$(id HEAD~1)" "$THREE" "by a commit on top"
is "$(git -C "$C" ls-tree -r HEAD | grep -v .reconcile)" \
	"$(git -C "$C" ls-tree -r "$ONE" | grep -v .reconcile)" "with the content of then"
is "$(id HEAD:.reconcile)" "$(id "$THREE:.reconcile")" "A23 and the policy of now"
is "$(git -C "$C" status --porcelain)" "" "the work tree follows"
is "$(ls "$C/notes.txt" 2>/dev/null)" "" "also what was added since"
like "$(git -C "$C" log -1 --format=%B)" "^Roll back to ${ONE%????????????????????????????}$" "git log shows it"
is "$(ls "$TMP/hook-ran" 2>/dev/null)" "" "no hook ran"
run git -C "$C" verify-commit HEAD
is "$ST" 0 "it is signed" || diag "$ERR"
git -C "$C" push -q origin main
run $R
is "$ST $(accepted)" "0 $(id HEAD)" "and the manager accepts it, without force" || diag "$ERR"

# an untracked file in the way is not overwritten
git -C "$C" rm -q --cached settings.yaml
git -C "$C" commit -q -S -m "without" && NOW=$(id HEAD)
fails "an untracked file in the way" 3 "is made and signed, but the branch could not be moved" $RB --to "$ONE"
is "$(id HEAD)" "$NOW" "the branch stays"
like "$(cat "$C/settings.yaml")" ConfigMap "and so does the file"
finish
