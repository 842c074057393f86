#!/bin/sh
# trust_diff.t - differential (threat G10): what we accept as signed git
# verify-commit accepts too, on the very same objects; and what git accepts and we
# refuse has a reason that we can name.  DIFF_N objects, `make mutate N=10000` for
# many; DIFF_SEED, else another one each day.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
trust_setup
build_tool trust_mutate "$TOP/tests/attack/mutate_object.c" \
	"$TOP/tests/attack/mutate_sign.c" \
	"$TOP/tests/attack/mutate_signed.c" "$B/policy.a" || exit 1
N=${DIFF_N:-1500}
SEED=${DIFF_SEED:-$(date +%j)}
MUTATE=$B/tests/trust_mutate

mkdir "$TMP/keys"
"$MUTATE" keys "$TMP/keys"
# cert NAME OPTION...: of the first key, by an authority of both lists
cert()
{
	_n=$1
	shift
	cp "$TMP/keys/alice.pub" "$TMP/$_n.pub"
	ssh-keygen -q -s "$TMP/ca" -I "id-$_n" "$@" "$TMP/$_n.pub"
	mv "$TMP/$_n-cert.pub" "$TMP/keys/cert-$_n.pub"
}
make_key ca
cert good -n ca-alice@example.org
cert host -h -n ca-alice@example.org
cert nobody
cert other -n alice@elsewhere.org
cert option -n ca-alice@example.org -O critical:x-unknown=1
cert command -n ca-alice@example.org -O force-command=/bin/true
cert past -n ca-alice@example.org -V 20200101Z:20200201Z
cert pin -n ca-alice@example.org -O verify-required
for LIST in ours gits; do
	echo "*@example.org cert-authority,namespaces=\"git\" $(cut -d' ' \
		-f1,2 "$TMP/ca.pub")" >>"$TMP/keys/$LIST"
done
git init -q --bare "$TMP/r.git"
git -C "$TMP/r.git" config gpg.format ssh
git -C "$TMP/r.git" config gpg.ssh.allowedSignersFile "$TMP/keys/gits"

run "$MUTATE" run "$TMP/keys" "$TMP/r.git" "$SEED" "$N" "${DIFF_JOBS:-2}"
# value NAME: of a line "NAME N"
value()
{
	printf '%s\n' "$OUT" | sed -n "s/^$1 \([0-9]*\)$/\1/p"
}
# Each object that must not be is told, with how it was made.
is "$(printf '%s\n' "$OUT" | grep '^hole ')" '' \
	'G10 what we accept git accepts'
is "$(printf '%s\n' "$OUT" | grep '^unnamed [0-9]* [0-9a-f]\{40\}')" '' \
	'G10 what git accepts and we refuse has a known reason'
is "$(value holes)-$(value unnamed)-$ST" 0-0-0 'G10 the comparison ran to its end'
BOTH=$(value both)
if [ "${BOTH:-0}" -ge $((N / 20)) ]; then
	ok 'the comparison has something to compare'
else
	not_ok 'the comparison has something to compare' "both accept $BOTH of $N"
fi
diag "seed $SEED, $N objects: both accept $BOTH, neither $(value neither)"
printf '%s\n' "$OUT" | sed -n 's/^T[0-9]* /refused here alone: /p' | sed 's/^/# /'

# --- the tool tells: with a list that git does not have, there are holes
cp -r "$TMP/keys" "$TMP/keys2"
grep -v '^alice@' "$TMP/keys/gits" >"$TMP/keys2/gits"
git -C "$TMP/r.git" config gpg.ssh.allowedSignersFile "$TMP/keys2/gits"
run "$MUTATE" run "$TMP/keys2" "$TMP/r.git" "$SEED" 60 2
like "$OUT" '^hole [0-9]+ [0-9a-f]{40} ' 'what git refuses is seen as a hole'
# ... and what the program says of one object is what the comparison says
git -C "$TMP/r.git" config gpg.ssh.allowedSignersFile "$TMP/keys/gits"
ID=$(printf '%s\n' "$OUT" | sed -n 's/^hole [0-9]* \([0-9a-f]*\) .*/\1/p' |
	head -n 1)
ask_verify "$TMP/r.git" "$ID" accepted="$ID" head_only=1 \
	signers="$TMP/keys/ours"
like "$OUT" "^by $ID OK" 'reconcile-verify says the same'
succeeds '... and git' git -C "$TMP/r.git" verify-commit "$ID"
finish
