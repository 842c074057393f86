#!/bin/sh
# trust_approve.t - `reconcile trust approve` and proposals: what is missing,
# who could sign, and that what they sign completes it (A33); in a clone.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
. "$(dirname "$0")/people_lib.sh"
people_setup

R=$TMP/repo
new_people_repo "$R"
BASE=$(head_of "$R")
FIRST="signers= revoked= policy=$(trust_digest "$R")"
git clone -q "file://$R" "$TMP/clone"
C=$TMP/clone
git -C "$C" config gpg.format ssh
git -C "$C" config user.signingKey "$TMP/alice"
git -C "$C" config user.email alice@example.org
# by NAME: who works in the clone
by()
{
	git -C "$C" config user.signingKey "$TMP/$1"
	git -C "$C" config user.email "$1@example.org"
}
# proposal NAME ERE [TARGET [BASE]]
proposal()
{
	ask_verify "$C" "${3:-HEAD}" mode=proposal accepted="${4:-origin/main}" \
		id= ref= signers= revoked=
	like "$OUT" "$2" "$1"
}

git -C "$C" checkout -q -b topic
put "$C" manifests/two/safe.yaml new
as alice "$C"
put "$C" manifests/config.yaml new
as carol "$C"
HEAD=$(head_of "$C")
proposal 'a proposal: verdicts of its commits' "^by $HEAD OK signer=carol"
like "$OUT" '^rule rules\[1\] .* T190 want=2 have=alice@example.org could=bob@example.org,carol@example.org,dave' \
	'... a rule that is not met, and who could'
like "$OUT" '^rule rules\[2\] .* met want=1 have=carol@example.org' \
	'... and one that is'
like "$OUT" '^verdict ACCEPTED' '... reported, not refused'
like "$OUT" "^to: $(content "$C" HEAD)$" '... with what an approval says'
by bob
run "$BIN/reconcile" trust approve --repo "$C"
is "$ST" 0 'an approval is made' || diag "$ERR"
like "$OUT" 'before: rules\[1\]: want 2' '... says what is missing'
like "$OUT" "^from: $(content "$C" origin/main)$" '... and what is signed'
CMD=$(printf '%s\n' "$OUT" | sed -n 's/^  git/git/p')
is "$(printf '%s\n' "$CMD" | wc -l)" 2 '... and the two commands'
(cd "$C" && eval "$CMD") >/dev/null 2>&1
is "$(git -C "$C" status --porcelain)" '' '... which commit it'
proposal 'a proposal: now it is met' '^rule rules\[1\] .* met want=2 have=alice@example.org,bob'
unlike "$OUT" '^rule .*T190' '... and nothing else is missing'
# shellcheck disable=SC2086
accepts 'the approved branch, fast-forwarded' "$C" "$(head_of "$C")" \
	accepted="$BASE" $FIRST

# --- a branch that does not begin at what is in force
put "$R" manifests/config2.yaml other
as carol "$R"
MAIN=$(head_of "$R")
git -C "$C" fetch -q
git -C "$C" checkout -q -b late "$BASE"
put "$C" manifests/two/late.yaml new
as alice "$C"
proposal 'a proposal behind BASE: judged as it would be merged' \
	'^fact HEAD does not begin at BASE: judged as merged'
like "$OUT" '^rule rules\[1\] .* T190 want=2 have=alice@example.org' \
	'... the signers of its commits count'
run "$BIN/reconcile" trust approve --repo "$C" --key "$TMP/bob" --name bob
is "$ST" 0 'what merging gives is approved' || diag "$ERR"
git -C "$C" add -A
as bob "$C"
git -C "$C" checkout -q -B main "$MAIN"
git -C "$C" -c user.signingKey="$TMP/forge" merge -q --no-ff -S -m merge late
# shellcheck disable=SC2086
accepts '... and the forge may merge it' "$C" "$(head_of "$C")" \
	accepted="$MAIN" $FIRST
git -C "$C" reset -q --hard "$MAIN"
git -C "$C" -c user.signingKey="$TMP/forge" merge -q --squash late \
	>/dev/null 2>&1
as forge "$C"
# shellcheck disable=SC2086
refuses '... a squash lacks the signature of the author' T190 \
	'have bob@example.org' "$C" "$(head_of "$C")" accepted="$MAIN" $FIRST
git -C "$C" checkout -q -b clash "$BASE"
put "$C" manifests/config2.yaml clash
as carol "$C"
proposal 'a proposal that conflicts' '^fact HEAD does not merge into BASE'
fails '... cannot be approved' 3 'nothing to approve' \
	"$BIN/reconcile" trust approve --repo "$C"

# --- who asks wrongly
git -C "$C" checkout -q topic
fails 'a base that is not there' 3 'names no commit' \
	"$BIN/reconcile" trust approve --repo "$C" --base nothing
fails 'a revision that looks like an option' 3 'names no commit' \
	"$BIN/reconcile" trust approve --repo "$C" --base=--all
fails 'the same as the base' 3 'nothing to approve' \
	"$BIN/reconcile" trust approve --repo "$C" --base HEAD
fails 'no clone' 3 'in no clone' "$BIN/reconcile" trust approve --repo "$TMP"
fails 'a name that is a path' 3 'want your name' \
	"$BIN/reconcile" trust approve --repo "$C" --name ../x
fails 'a key that is not there' 3 'did not sign' \
	"$BIN/reconcile" trust approve --repo "$C" --key "$TMP/nobody" --base "$BASE"
git -C "$C" config --unset user.signingKey
fails 'no key at all' 3 'name one with --key' \
	"$BIN/reconcile" trust approve --repo "$C"
rm -rf "$C/.reconcile/approvals"
ln -s "$TMP/elsewhere" "$C/.reconcile/approvals"
mkdir "$TMP/elsewhere"
fails 'A39 the work tree of a proposal: no link is followed' 7 \
	'folder approvals' "$BIN/reconcile" trust approve --repo "$C" \
	--key "$TMP/bob" --name bob --base "$BASE"
is "$(ls "$TMP/elsewhere")" '' '... and nothing is written there'
rm "$C/.reconcile/approvals"
git -C "$C" checkout -q -f

# --- from nothing, and without a trust policy
git -C "$C" checkout -q --orphan first
as alice "$C"
run "$BIN/reconcile" trust approve --repo "$C" --base - --key "$TMP/bob" --name bob
is "$ST" 0 'the root commit is approved from nothing' || diag "$ERR"
like "$OUT" '^from: -$' '... and says so'
git -C "$C" checkout -q -f topic
git -C "$C" checkout -q --orphan none
git -C "$C" rm -rqf .reconcile/trust.yaml .reconcile/approvals
as alice "$C"
ONE=$(head_of "$C")
put "$C" manifests/config.yaml more
as alice "$C"
proposal 'a proposal to BASE without trust policy' \
	'^fact BASE has no trust policy' HEAD "$ONE"
ask_verify "$C" HEAD mode=proposal accepted="$ONE"
like "$OUT" "^by $(head_of "$C") OK signer=alice" \
	'... is judged by lists, when there are some'
finish
