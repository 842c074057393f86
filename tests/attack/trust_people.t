#!/bin/sh
# trust_people.t - the trust policy in git: who vouches for which step of the
# line, with real git and ssh-keygen (threats A1..A3, A25, A28..A33).
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
. "$(dirname "$0")/people_lib.sh"
people_setup

R=$TMP/repo
new_people_repo "$R"
BASE=$(head_of "$R")
ROOT=$(git -C "$R" rev-parse HEAD^)
FIRST="signers= revoked= policy=$(trust_digest "$R")"

# ok_by NAME TARGET [NAME=VALUE...] / no_by NAME CODE ERE TARGET [...]
ok_by()
{
	_n=$1 _t=$2
	shift 2
	# shellcheck disable=SC2086
	accepts "$_n" "$R" "$_t" "$@" $FIRST
}
no_by()
{
	_n=$1 _c=$2 _e=$3 _t=$4
	shift 4
	# shellcheck disable=SC2086
	refuses "$_n" "$_c" "$_e" "$R" "$_t" "$@" $FIRST
}
back()
{
	git -C "$R" checkout -q main
	git -C "$R" reset -q --hard "$BASE"
}

# --- first trust
ok_by 'first trust: the root commit, approved by a second of root' "$BASE"
like "$OUT" '^trust 1 fresh [1-9]' 'version and freshness are told'
no_by 'first trust: the root commit alone lacks a person of root' T190 \
	'root: want 2 .*have alice@example.org; could: bob@example.org' "$ROOT"
like "$OUT" 'fix: reconcile trust approve --base - ' '... and the command'
refuses 'A29 first trust: another digest is pinned' T192 \
	'want sha256:0+ .*have sha256:' "$R" "$BASE" signers= revoked= \
	policy=sha256:0000000000000000000000000000000000000000000000000000000000000000
ok_by 'a verdict for each commit' "$BASE" commits=1
like "$OUT" "^by $ROOT OK signer=alice@example.org .*subject=by alice" \
	'... with its subject'
is "$(printf '%s\n' "$OUT" | grep -c '^by ')" 2 '... each once'
ok_by 'an anchor is taken on the operators word' "$ROOT" anchor="$ROOT"
ok_by '... and what follows it is judged' "$BASE" anchor="$ROOT"
# shellcheck disable=SC2086
ask_verify "$R" "$BASE" signers="$TMP/signers" $FIRST
like "$OUT" '^error INPUT .*have both' 'lists and a trust policy are one too many'
ask_verify "$R" "$BASE" signers= revoked= policy=sha256:12
like "$OUT" '^error INPUT .*64 lower-case hex' 'a digest that is none'
refuses 'lists are pinned, but a trust policy stands there' T194 \
	'trust.yaml stands in the commit' "$R" "$ROOT"

# --- an older history goes over to a trust policy
L=$TMP/older
git init -q -b main "$L"
git -C "$L" config gpg.format ssh
write_policy "$L"
put "$L" manifests/config.yaml older
as mallory "$L"
OLDER=$(head_of "$L")
git -C "$L" checkout -q -b lost
put "$L" manifests/lost.yaml 1
as mallory "$L"
git -C "$L" checkout -q main
write_trust "$L" 1 "s/48h/72h/"
as mallory "$L"
GOES=$(head_of "$L")
put "$L" manifests/config.yaml newer
as carol "$L"
OVER=$(head_of "$L")
O="signers= revoked= policy=$(trust_digest "$L")"
# shellcheck disable=SC2086
{
	accepts 'an anchor above what was accepted' "$L" "$OVER" \
		accepted="$OLDER" anchor="$GOES" $O
	refuses '... without it there is no policy where trust is' T193 \
		'name in trust.anchor a later commit' "$L" "$OVER" \
		accepted="$OLDER" $O
	refuses '... with another file there' T192 'want sha256:.*have sha256:' \
		"$L" "$OVER" accepted="$OLDER" anchor="$GOES" $FIRST
	refuses '... an anchor on no line' T140 'descendant' "$L" "$OVER" \
		anchor="$BASE" $O
	git -C "$L" -c user.signingKey="$TMP/alice" merge -q --no-ff -S \
		-m merge lost >/dev/null
	refuses 'A3 ... what a merge brings in from below it is new' T120 \
		'commit ' "$L" "$(head_of "$L")" accepted="$OLDER" \
		anchor="$GOES" $O
}

# --- one signature where one is enough
put "$R" manifests/config.yaml second
as carol "$R"
CAROL=$(head_of "$R")
ok_by 'a step that one person is enough for' "$CAROL" accepted="$BASE"
like "$OUT" "^by $CAROL OK signer=carol@example.org" '... names the signer'
ok_by '... again, as the accepted one' "$CAROL" accepted="$CAROL"
back
put "$R" manifests/config.yaml x
as bob "$R"
no_by 'somebody known who is not in the rule' T190 \
	'rules\[2\]: want 1 .*manifests/config.yaml, have nobody; could: alice' \
	"$(head_of "$R")" accepted="$BASE"
like "$OUT" '^rule rules\[2\] .* T190 want=1 have= could=alice@example.org,carol' \
	'... the requirement says who could'
back
echo x >"$R/Makefile"
as alice "$R"
no_by 'a path that no rule decides' T191 'no rule allows a change of Makefile' \
	"$(head_of "$R")" accepted="$BASE"
back
put "$R" manifests/config.yaml x
as mallory "$R"
no_by 'A2 a key that the policy does not know' T120 'SHA256:' \
	"$(head_of "$R")" accepted="$BASE"
back
put "$R" manifests/config.yaml x
git -C "$R" add -A
git -C "$R" commit -q --no-gpg-sign -m unsigned
BAD=$(head_of "$R")
no_by 'A1 unsigned tip' T110 'has no signature' "$BAD" accepted="$BASE"
put "$R" manifests/config.yaml y
as alice "$R"
no_by 'A3 unsigned commit below a signed tip' T110 "commit $BAD" \
	"$(head_of "$R")" accepted="$BASE"
approve carol "$R" "$BASE" HEAD
as alice "$R"
no_by 'A3 ... also when the tree is approved' T110 "commit $BAD" \
	"$(head_of "$R")" accepted="$BASE"
back
ok_by 'A25 the honest branch after a poisoned one' "$CAROL" accepted="$BASE"

# --- thresholds and approvals
put "$R" manifests/two/safe.yaml second
as alice "$R"
TWO=$(head_of "$R")
no_by 'a second person is missing' T190 \
	'rules\[1\]: want 2 .*two/safe.yaml, have alice@example.org; could: bob' \
	"$TWO" accepted="$BASE"
like "$OUT" "fix: reconcile trust approve --base $(echo "$BASE" | cut -c1-12)" \
	'... and the command that lifts it'
approve bob "$R" "$BASE" "$TWO"
as alice "$R"
DONE=$(head_of "$R")
ok_by 'the approval of a second person completes it' "$DONE" accepted="$BASE"
ok_by '... from the root on' "$DONE"
ok_by '... from the step itself on' "$DONE" accepted="$TWO"
git -C "$R" rm -rq .reconcile/approvals
as alice "$R"
ok_by 'an approval that has served may be deleted' "$(head_of "$R")" \
	accepted="$DONE"
git -C "$R" reset -q --hard "$TWO"
approve alice "$R" "$BASE" "$TWO"
as alice "$R"
no_by 'A31 signature and approval of one person count once' T190 \
	'want 2 .*have alice@example.org' "$(head_of "$R")" accepted="$BASE"
git -C "$R" reset -q --hard "$TWO"
approve mallory "$R" "$BASE" "$TWO"
as alice "$R"
no_by 'an approval by a stranger' T190 'have alice@example.org' \
	"$(head_of "$R")" accepted="$BASE"
like "$OUT" '^diag T195 .*mallory@example.org does not count: T120' \
	'... and why it does not count'
git -C "$R" reset -q --hard "$TWO"
approve bob "$R" "$BASE" "$TWO" git
as alice "$R"
no_by 'A10 an approval in the namespace of commits' T195 'T115' \
	"$(head_of "$R")" accepted="$BASE"
git -C "$R" reset -q --hard "$TWO"
approve bob "$R" "$BASE" "$TWO" '' other
as alice "$R"
no_by 'A33 an approval for another repository' T195 'T196: want repository' \
	"$(head_of "$R")" accepted="$BASE"
git -C "$R" reset -q --hard "$TWO"
approve bob "$R" "$BASE" "$TWO" '' '' refs/heads/dev
as alice "$R"
no_by 'A33 an approval for another branch' T195 'T196: want ref' \
	"$(head_of "$R")" accepted="$BASE"
back
put "$R" manifests/config.yaml moved
as alice "$R"
MOVED=$(head_of "$R")
put "$R" manifests/two/safe.yaml second
as alice "$R"
approve bob "$R" "$BASE" HEAD
as alice "$R"
no_by 'A33 an approval from another base' T190 'have alice@example.org' \
	"$(head_of "$R")" accepted="$MOVED"
back
put "$R" manifests/two/safe.yaml second
as alice "$R"
put "$R" manifests/two/more.yaml second
as alice "$R"
approve bob "$R" "$BASE" HEAD^
as alice "$R"
no_by 'A33 an approval of another tree' T190 'two/more.yaml.* have alice' \
	"$(head_of "$R")" accepted="$BASE"
back
put "$R" manifests/two/safe.yaml second
as alice "$R"
approve bob "$R" "$BASE" HEAD
sed -i 's/^ref: .*/&x/' "$R"/.reconcile/approvals/*/bob@example.org
as alice "$R"
no_by 'an approval changed after it was signed' T195 'does not count: T1' \
	"$(head_of "$R")" accepted="$BASE"
back

# --- several commits, joined by approvals; squash and rebase
put "$R" manifests/two/a.yaml 1
as alice "$R"
put "$R" manifests/two/b.yaml 1
as carol "$R"
put "$R" manifests/two/a.yaml 2
as alice "$R"
MANY=$(head_of "$R")
approve bob "$R" "$BASE" HEAD
as alice "$R"
JOINED=$(head_of "$R")
ok_by 'commits of a pull request, joined by one approval' "$JOINED" \
	accepted="$BASE"
no_by '... but a part of them is not approved' T190 'two/' "$MANY" \
	accepted="$BASE"
approve bob "$R" "$BASE" "$MANY"
git -C "$R" stash -q -u
git -C "$R" checkout -q -b squashed "$BASE"
git -C "$R" merge -q --squash "$JOINED" >/dev/null
as forge "$R"
no_by 'a squash by the forge: one approval is not enough' T190 \
	'have bob@example.org' "$(head_of "$R")" accepted="$BASE"
approve carol "$R" "$BASE" "$MANY"
as forge "$R"
ok_by 'a squash by the forge: the approvals of two people survive' \
	"$(head_of "$R")" accepted="$BASE"
write_sq=$(head_of "$R")
git -C "$R" checkout -q -b rebased "$BASE"
git -C "$R" -c user.signingKey="$TMP/alice" cherry-pick -S "$BASE..$MANY" \
	>/dev/null 2>&1
approve bob "$R" "$BASE" HEAD
as alice "$R"
ok_by 'a rebase by a person: the approval of the tree survives' \
	"$(head_of "$R")" accepted="$BASE"
is "$(content "$R" HEAD)" "$(content "$R" "$write_sq")" \
	'... it is one tree all along'
back
git -C "$R" checkout -q -b mixed
put "$R" manifests/two/a.yaml evil
as dave "$R"
put "$R" manifests/config.yaml fine
as alice "$R"
approve carol "$R" "$BASE" HEAD
as alice "$R"
ok_by 'joined: signer of the last change of a path, and an approval' \
	"$(head_of "$R")" accepted="$BASE"
git -C "$R" reset -q --hard HEAD^
approve dave "$R" "$BASE" HEAD
as alice "$R"
no_by 'A31 joined: signer and approver of a path are one person' T190 \
	'two/a.yaml, have dave@example.org' "$(head_of "$R")" accepted="$BASE"
back

# --- merges
git -C "$R" checkout -q -b topic
put "$R" manifests/topic.yaml 1
as carol "$R"
put "$R" manifests/two/topic.yaml 1
as dave "$R"
TOPIC=$(head_of "$R")
back
put "$R" manifests/config.yaml main
as alice "$R"
MAIN=$(head_of "$R")
# merge_by NAME BRANCH [MERGE OPTION...]
merge_by()
{
	_who=$1 _b=$2
	shift 2
	git -C "$R" -c user.signingKey="$TMP/$_who" merge -q --no-ff -S \
		-m merge "$@" "$_b" >/dev/null
}
merge_by forge "$TOPIC"
no_by 'a merge by the forge: merged signers count for their paths' T190 \
	'two/topic.yaml, have dave@example.org' "$(head_of "$R")" accepted="$MAIN"
like "$OUT" '^rule rules\[2\] .* met .*have=carol@example.org .*topic.yaml' \
	'... and the other path is met'
git -C "$R" reset -q --hard "$MAIN"
merge_by alice "$TOPIC"
ok_by 'a merge by a person counts as one more' "$(head_of "$R")" \
	accepted="$MAIN"
git -C "$R" reset -q --hard "$MAIN"
git -C "$R" checkout -q -b people
write_trust "$R" 2 's/48h/72h/'
as bob "$R"
git -C "$R" checkout -q main
merge_by alice people
no_by 'merged signers do not count for the trust policy itself' T190 \
	'root: want 2 .*trust.yaml, have alice@example.org; could: bob@example.org' \
	"$(head_of "$R")" accepted="$MAIN"
GUARDED=$(head_of "$R")
approve bob "$R" "$MAIN" "$GUARDED" 2>/dev/null
as bob "$R"
ok_by '... who approve it do' "$(head_of "$R")" accepted="$MAIN"
git -C "$R" branch -q -D people
git -C "$R" reset -q --hard "$MAIN"
git -C "$R" checkout -q topic
git -C "$R" checkout -q -b reviewed
approve carol "$R" "$MAIN" "$(
	git -C "$R" checkout -q --detach "$MAIN"
	merge_by carol "$TOPIC"
	head_of "$R"
)" 2>/dev/null
git -C "$R" checkout -q reviewed 2>/dev/null
as carol "$R"
git -C "$R" checkout -q main
merge_by forge reviewed
MERGED=$(head_of "$R")
ok_by 'a merge by the forge, with an approval of what it will give' \
	"$MERGED" accepted="$MAIN"
git -C "$R" reset -q --hard "$MAIN"
git -C "$R" -c user.signingKey="$TMP/forge" merge -q --no-ff --no-commit \
	"$TOPIC" >/dev/null 2>&1
put "$R" manifests/two/topic.yaml evil
git -C "$R" add -A
git -C "$R" -c user.signingKey="$TMP/forge" commit -q -S -m merge
touch "$TMP/stamp"
no_by 'A32 an evil merge by the forge' T147 'another tree than merging' \
	"$(head_of "$R")" accepted="$MAIN"
is "$(find "$R/.git" -newer "$TMP/stamp")" '' \
	'... made again without a byte written'
git -C "$R" reset -q --hard "$MAIN"
git -C "$R" -c user.signingKey="$TMP/forge" merge -q --no-ff --no-commit \
	"$TOPIC" >/dev/null 2>&1
put "$R" manifests/added.yaml evil
git -C "$R" add -A
git -C "$R" -c user.signingKey="$TMP/forge" commit -q -S -m merge
no_by 'A32 a file that only the merge adds' T147 'added.yaml' \
	"$(head_of "$R")" accepted="$MAIN"
git -C "$R" reset -q --hard "$MAIN"
git -C "$R" checkout -q -b webedit "$BASE"
put "$R" manifests/edited.yaml 1
as forge "$R"
git -C "$R" checkout -q main
merge_by forge webedit
no_by 'A32 an edit in the web is nobodys' T190 'edited.yaml, have nobody' \
	"$(head_of "$R")" accepted="$MAIN"
git -C "$R" reset -q --hard "$MAIN"
git -C "$R" checkout -q -b sloppy "$BASE"
put "$R" manifests/s.yaml 1
git -C "$R" add -A
git -C "$R" commit -q --no-gpg-sign -m unsigned
BAD=$(head_of "$R")
put "$R" manifests/s.yaml 2
as carol "$R"
git -C "$R" checkout -q main
merge_by alice sloppy
no_by 'A3 unsigned commit behind the other parent of a merge' T110 \
	"commit $BAD" "$(head_of "$R")" accepted="$MAIN"
git -C "$R" reset -q --hard "$MAIN"
git -C "$R" checkout -q -b again "$BASE"
put "$R" manifests/again.yaml good
as carol "$R"
put "$R" manifests/again.yaml better
as dave "$R"
put "$R" manifests/again.yaml good
as forge "$R"
git -C "$R" checkout -q main
merge_by forge again
no_by 'a signature that was superseded does not come back by the forge' T190 \
	'again.yaml, have nobody' "$(head_of "$R")" accepted="$MAIN"
git -C "$R" reset -q --hard "$MAIN"

# the accepted commit reached only by the second parent (foxtrot)
git -C "$R" checkout -q -b foxtrot "$BASE"
put "$R" manifests/fox.yaml 1
as carol "$R"
merge_by carol "$MAIN"
no_by 'the accepted commit is merged into another line' T145 \
	'not by first parents' "$(head_of "$R")" accepted="$MAIN"
no_by 'A23 rollback' T140 'descendant' "$BASE" accepted="$MAIN"
git -C "$R" checkout -q main
git -C "$R" checkout -q --orphan rewrite
as alice "$R"
no_by 'A24 history rewritten, all signed' T140 'descendant' \
	"$(head_of "$R")" accepted="$MAIN"
git -C "$R" checkout -q -f main
back

# --- what machines may do
as clock "$R"
ok_by 'an empty commit by the freshness key' "$(head_of "$R")" accepted="$BASE"
put "$R" manifests/config.yaml clock
as clock "$R"
no_by 'the freshness key changes something' T149 'changes something' \
	"$(head_of "$R")" accepted="$BASE"
back
approve clock "$R" "$BASE" "$CAROL"
put "$R" manifests/config.yaml second
as bob "$R"
no_by 'the freshness key approves something' T195 'T149' "$(head_of "$R")" \
	accepted="$BASE"
back

for HOW in Merge Squash; do
	write_trust "$R" 2 "s/accept: .*/accept: [$HOW]/"
	as alice "$R"
	approve bob "$R" "$BASE" HEAD
	as alice "$R"
	ONLY=$(head_of "$R")
	git -C "$R" checkout -q -b "only-$HOW"
	put "$R" "manifests/$HOW.yaml" 1
	as carol "$R"
	git -C "$R" checkout -q main
	if [ "$HOW" = Merge ]; then
		git -C "$R" merge -q --squash only-Merge >/dev/null 2>&1
		approve carol "$R" "$ONLY" only-Merge
		as forge "$R"
		no_by 'a forge that may not squash' T148 'does not accept Squash' \
			"$(head_of "$R")" accepted="$ONLY"
	else
		merge_by forge only-Squash
		no_by 'a forge that may not merge' T148 'does not accept Merge' \
			"$(head_of "$R")" accepted="$ONLY"
	fi
	back
done

# --- the trust policy guards itself
# trust_change VERSION SED: the policy, changed
trust_change()
{
	write_trust "$R" "$1" "$2"
}
MALLORY="s|^  roles:|  - name: mallory@example.org\\n    keys:\\n    - ssh: $(pub mallory)\\n&|"
trust_change 2 "$MALLORY"
as alice "$R"
no_by 'one of two of root changes the trust policy' T190 \
	'root: want 2 .*trust.yaml, have alice@example.org; could: bob' \
	"$(head_of "$R")" accepted="$BASE"
approve bob "$R" "$BASE" HEAD
as alice "$R"
GROWN=$(head_of "$R")
ok_by 'both of root change it' "$GROWN" accepted="$BASE"
like "$OUT" '^trust 2 ' '... and the new version is in force'
put "$R" manifests/config.yaml x
as mallory "$R"
no_by 'a new person without a role' T190 'have nobody' "$(head_of "$R")" \
	accepted="$GROWN"
back
trust_change 2 "$MALLORY"
as mallory "$R"
no_by 'A30 a commit that brings its own key' T120 'SHA256:' \
	"$(head_of "$R")" accepted="$BASE"
back
ROLE='s/^    people: .alice@example.org, carol/&@example.org, bob/;s/@example.org@/@/'
trust_change 2 "$ROLE"
put "$R" manifests/config.yaml bob
as bob "$R"
approve alice "$R" "$BASE" HEAD
as alice "$R"
ok_by 'A30 a role that root gives' "$(head_of "$R")" accepted="$BASE"
git -C "$R" reset -q --hard "$BASE"
sed -i '/paths: .".reconcile/,/threshold: 2/d' "$R/.reconcile/trust.yaml"
sed -i 's/version: 1/version: 2/' "$R/.reconcile/trust.yaml"
echo '# mine' >>"$R/.reconcile/policy.yaml"
as alice "$R"
no_by 'A62 a policy that allows itself: the one before judges' T190 \
	'rules.0.: want 2 .*policy.yaml' "$(head_of "$R")" accepted="$BASE"
back
for V in 1 3 2147483647; do
	trust_change "$V" 's/maxAge: 48h/maxAge: 24h/'
	as alice "$R"
	approve bob "$R" "$BASE" HEAD
	as alice "$R"
	no_by "A28 the version goes from 1 to $V" T186 'version' \
		"$(head_of "$R")" accepted="$BASE"
	back
done
trust_change 9223372036854775807 ""
as alice "$R"
no_by 'A28 a version of 2^63' T182 '1 to 2147483647' "$(head_of "$R")" \
	accepted="$BASE"
git -C "$R" reset -q --hard "$GROWN"
git -C "$R" checkout -q "$BASE" -- .reconcile/trust.yaml
as alice "$R"
approve bob "$R" "$GROWN" HEAD
as alice "$R"
no_by 'A29 the policy before, served again' T186 'version' \
	"$(head_of "$R")" accepted="$GROWN"
back
git -C "$R" rm -q .reconcile/trust.yaml
as alice "$R"
approve bob "$R" "$BASE" HEAD
as alice "$R"
no_by 'the trust policy taken away' T193 'no plain file' \
	"$(head_of "$R")" accepted="$BASE"
back
ln -sf policy.yaml "$R/.reconcile/trust.yaml"
as alice "$R"
approve bob "$R" "$BASE" HEAD
as alice "$R"
no_by 'the trust policy as a link' T193 'no plain file' \
	"$(head_of "$R")" accepted="$BASE"
back
trust_change 2 's/threshold: 2/threshold: 3/'
as alice "$R"
approve bob "$R" "$BASE" HEAD
as alice "$R"
no_by 'a trust policy that nobody could change again' T182 'at least 3 people' \
	"$(head_of "$R")" accepted="$BASE"
back
echo junk >"$R/.reconcile/trust.yaml"
as alice "$R"
no_by 'a trust policy that does not decode' T182 '.' \
	"$(head_of "$R")" accepted="$BASE"
back

# --- rules that want a hardware key touched, or a PIN
forge_key sk-ed25519 token
git -C "$R" config gpg.ssh.program "$TMP/sign-program"
# touch_by FLAGS: a step of carol with her hardware key
touch_by()
{
	signer_program git sk-ed25519 "$1"
	put "$R" manifests/web/a.yaml "$1"
	git -C "$R" add -A
	git -C "$R" -c user.signingKey="$TMP/token" commit -q -S -m touch
}
git -C "$R" config --unset gpg.ssh.program
RULE='  - paths: ["manifests/web/**"]\n    people: [carol@example.org]\n    require: [PIN]'
write_trust "$R" 2 "s|$(pub carol)|&\n      validBefore: \"2098-01-01T00:00:00Z\"\n    - ssh: $(pub token)\n      noTouchRequired: true|;s|^  - paths: .*[.]reconcile.*|$RULE\n&|"
as alice "$R"
approve bob "$R" "$BASE" HEAD
as alice "$R"
HARD=$(head_of "$R")
put "$R" manifests/web/a.yaml x
as carol "$R"
no_by 'A12 a rule that wants a PIN: a plain key' T190 \
	'rules.0.: want 1 .*[(]key with a PIN[)], have nobody' "$(head_of "$R")" \
	accepted="$HARD"
git -C "$R" reset -q --hard "$HARD"
git -C "$R" config gpg.ssh.program "$TMP/sign-program"
touch_by 1
no_by 'A12 ... a hardware key, touched' T190 'key with a PIN' \
	"$(head_of "$R")" accepted="$HARD"
git -C "$R" reset -q --hard "$HARD"
touch_by 5
ok_by 'A12 ... a hardware key, touched, with a PIN' "$(head_of "$R")" \
	accepted="$HARD"
git -C "$R" config --unset gpg.ssh.program
back

# --- revoked people, and keys that are exchanged
put "$R" manifests/two/safe.yaml second
as alice "$R"
TWO=$(head_of "$R")
approve bob "$R" "$BASE" "$TWO"
as alice "$R"
DONE=$(head_of "$R")
back
FP=$(ssh-keygen -lf "$TMP/bob.pub" | cut -d' ' -f2)
make_key bob2
ROTATE="s|$(pub bob)|$(pub bob2)|;s|^    asOf:.*|&\\n    keys: [{fingerprint: \"$FP\", reason: lost}]|"
trust_change 2 "$ROTATE"
as alice "$R"
approve bob "$R" "$BASE" HEAD
as alice "$R"
ROTATED=$(head_of "$R")
ok_by 'a key is exchanged, the old one revoked: both approve by what was' \
	"$ROTATED" accepted="$BASE"
put "$R" manifests/two/safe.yaml second
as alice "$R"
TWO=$(head_of "$R")
approve bob "$R" "$ROTATED" "$TWO"
as alice "$R"
no_by 'A4 an approval by a revoked key' T195 \
	'bob@example.org does not count: T12[02]' "$(head_of "$R")" \
	accepted="$ROTATED"
git -C "$R" reset -q --hard "$TWO"
approve bob2 "$R" "$ROTATED" "$TWO"
as alice "$R"
ok_by 'the new key approves' "$(head_of "$R")" accepted="$ROTATED"
ok_by '... and all of it from the root on' "$(head_of "$R")"
git -C "$R" reset -q --hard "$ROTATED"
FPA=$(ssh-keygen -lf "$TMP/alice.pub" | cut -d' ' -f2)
make_key alice2
trust_change 3 "$ROTATE;s|$(pub alice)|$(pub alice2)|;s|keys: .{fingerprint|keys: [{fingerprint: \"$FPA\"}, {fingerprint|"
as alice "$R"
approve bob2 "$R" "$ROTATED" HEAD
as alice2 "$R"
LOST=$(head_of "$R")
ok_by 'a key that takes its own leave' "$LOST" accepted="$ROTATED"
git -C "$R" reset -q --hard HEAD^
no_by 'A4 an accepted commit by a key that is revoked since' T122 'SHA256' \
	"$(head_of "$R")" accepted="$(head_of "$R")"
back

# --- time
NOW=$(date +%s)
write_trust "$R" 2 's/2099-01-01/2030-01-01/'
as alice "$R"
approve bob "$R" "$BASE" HEAD
as alice "$R"
ENDS=$(head_of "$R")
LATER=$(date -u -d '2030-02-01' +%s)
put "$R" manifests/config.yaml late
as carol "$R"
LATE=$(head_of "$R")
ok_by 'before it expires' "$LATE" accepted="$ENDS"
no_by 'after the trust policy expired' T188 'expired on 2030-01-01' "$LATE" \
	accepted="$ENDS" now="$LATER"
ok_by '... what was accepted stays' "$LATE" accepted="$LATE" now="$LATER"
git -C "$R" reset -q --hard "$ENDS"
as clock "$R"
no_by '... no sign of life keeps it alive' T188 'expired' "$(head_of "$R")" \
	accepted="$ENDS" now="$LATER"
git -C "$R" reset -q --hard "$ENDS"
GIT_COMMITTER_DATE="$LATER +0000"
export GIT_COMMITTER_DATE
write_trust "$R" 3
as alice "$R"
approve bob "$R" "$ENDS" HEAD
as alice "$R"
unset GIT_COMMITTER_DATE
ok_by '... root brings a new one' "$(head_of "$R")" accepted="$ENDS" \
	now="$LATER"
put "$R" manifests/config.yaml late
as carol "$R"
ok_by '... and work goes on' "$(head_of "$R")" accepted="$ENDS" \
	now="$((LATER + 100))"
back
write_trust "$R" 2 "s|    - ssh: $(pub carol)|&\\n      validBefore: \"2027-01-01T00:00:00Z\"|"
as alice "$R"
approve bob "$R" "$BASE" HEAD
as alice "$R"
ENDS=$(head_of "$R")
put "$R" manifests/config.yaml late
as carol "$R"
no_by 'A7 an expired key of a person' T124 'not valid now' "$(head_of "$R")" \
	accepted="$ENDS" now="$LATER"
back

finish
