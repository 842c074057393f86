#!/bin/sh
# trust_diff.t - differential (threat G10): whatever we accept as signed, git
# verify-commit accepts too, on mutated commits.  DIFF_N=10000 for a long run.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
trust_setup
N=${DIFF_N:-150}

R=$TMP/repo
new_repo "$R"
ROOT=$(head_of "$R")
change "$R" second
forge_key ed25519 forge
signer_line forge >>"$TMP/signers"
git -C "$R" config gpg.ssh.allowedSignersFile "$TMP/signers"
git -C "$R" cat-file commit HEAD >"$TMP/good"
sed '/^gpgsig/,/END SSH/d' "$TMP/good" >"$TMP/plain"
OURS=0 GITS=0 BAD=

# compare FILE SEED: both verdicts on one object
compare()
{
	_id=$(raw_commit "$R" "$1") || return 0
	ask_verify "$R" "$_id" head_only=1
	_ours=no _git=no
	case $OUT in
	*"by $_id OK"*) _ours=yes OURS=$((OURS + 1)) ;;
	esac
	if git -C "$R" verify-commit "$_id" >/dev/null 2>&1; then
		_git=yes GITS=$((GITS + 1))
	fi
	if [ "$_ours" = yes ] && [ "$_git" = no ]; then
		BAD="$BAD $2"
	fi
}
compare "$TMP/good" control
is "$OURS$GITS" 11 'control: both accept the commit as it was made'

OURS=0 GITS=0 I=0
while [ "$I" -lt "$N" ]; do
	I=$((I + 1))
	"$B/tests/trust_forge" mutate "$I" <"$TMP/good" >"$TMP/mutant"
	cmp -s "$TMP/good" "$TMP/mutant" || compare "$TMP/mutant" "$I"
done
is "$BAD" '' 'G10 changed after signing: what we accept git accepts'
is "$OURS" 0 'G10 changed after signing: nothing is accepted'
diag "changed after signing: of $N git accepts $GITS, we $OURS"

OURS=0 GITS=0 I=0
while [ "$I" -lt "$N" ]; do
	I=$((I + 1))
	"$B/tests/trust_forge" mutate "$I" <"$TMP/plain" >"$TMP/mutant"
	"$B/tests/trust_forge" sign ed25519 "$TMP/forge.pem" 0 git sha512 \
		<"$TMP/mutant" | sed '1s/^/gpgsig /; 1!s/^/ /' >"$TMP/header"
	sed "/^committer/{
r $TMP/header
}" "$TMP/mutant" >"$TMP/signed"
	compare "$TMP/signed" "signed-$I"
done
is "$BAD" '' 'G10 changed and then signed: what we accept git accepts'
diag "changed, then signed: of $N git accepts $GITS, we $OURS"
if [ "$OURS" -gt 0 ] && [ "$GITS" -ge "$OURS" ]; then
	ok 'the comparison has something to compare'
else
	not_ok 'the comparison has something to compare' "we $OURS, git $GITS"
fi
finish
