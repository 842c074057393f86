#!/bin/bash
# verify.t - `reconcile verify`: who signed it, may it come after A, and what is
# missing; and that the digest which it prints is what a deny-list takes (A16).
. "$(dirname "$0")/../integration/lib.sh"
. "$TOP/tests/crash/alone.sh"
need_root
need_program git ssh-keygen jq
tmpdir
alone_up $((20000 + $$ % 10000)) || skip_all "no manager"
C=$W/clone
V="$BIN/reconcile verify --repo $C"
id() { git -C "$C" rev-parse "$1"; }
fp() { ssh-keygen -lf "$W/keys/$1.pub" | cut -d' ' -f2; }
key() { cut -d' ' -f1,2 "$W/keys/$1.pub"; }
finds() # NAME STATUS ERE CMD...
{
	_name=$1 _st=$2 _re=$3
	shift 3
	run "$@"
	is "$ST" "$_st" "$_name" || diag "$OUT $ERR"
	like "$OUT" "$_re" "$_name: what it says"
}

# --- by the lists of the configuration ----------------------------------------
ONE=$(id HEAD)
alone_commit 2
alone_commit 3
finds "new commits by the pinned lists" 0 "^trusted, [0-9]+ commits" $V --config "$W/manager/reconcile.conf" "$ONE..HEAD"
like "$OUT" "^$(id HEAD | cut -c1-12) OK   alice@example.com ssh $(fp alice | sed 's|[+]|[+]|g') sha256:[0-9a-f]{64} content 3$" \
	"a line a commit: signer, format, key, payload, subject"
git -C "$C" commit -q --allow-empty --no-gpg-sign -m 'unsigned'
finds "an unsigned one" 4 "^NOT trusted: .*see --explain" $V --config "$W/manager/reconcile.conf" "$ONE..HEAD"
like "$OUT" "^$(id HEAD | cut -c1-12) T110 " "its line has the code"
finds "explained" 4 "error T110: commit .*no signature .fix: " $V --config "$W/manager/reconcile.conf" --explain "$ONE..HEAD"
git -C "$C" reset -q --hard HEAD~1
finds "backwards" 4 "NOT trusted" $V --config "$W/manager/reconcile.conf" "HEAD..$ONE"
finds "without lists and without a trust policy" 4 "^NOT trusted: not judged" $V "$ONE..HEAD"
fails "a revision that is none" 3 "nonsense" $V "HEAD..nonsense"
fails "three dots" 3 "want A..B or B" $V "HEAD...HEAD"
fails "no clone" 3 "git" "$BIN/reconcile" verify --repo "$TMP"

# --- by a trust policy -------------------------------------------------------------
[ -e "$W/keys/bob" ] || ssh-keygen -q -t ed25519 -N '' -C bob -f "$W/keys/bob"
trust() # VERSION [PAYLOAD]
{
	cat >"$C/.reconcile/trust.yaml" <<-EOF
	apiVersion: reconcile/v1alpha1
	kind: TrustPolicy
	metadata: {name: trust}
	spec:
	  version: $1
	  expires: "$(date -u -d '+30 days' +%Y-%m-%dT%H:%M:%SZ)"
	  authorization: Paths
	  people:
	  - {name: alice@example.com, keys: [{ssh: "$(key alice)"}]}
	  - {name: bob@example.com, keys: [{ssh: "$(key bob)"}]}
	  root: {people: [alice@example.com, bob@example.com], threshold: 1}
	  rules:
	  - {paths: ["secure/**"], people: [alice@example.com, bob@example.com], threshold: 2}
	  - {paths: ["**"], people: [alice@example.com, bob@example.com]}
	  revocations:
	    asOf: "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
	    keys: [{fingerprint: "$(fp mallory)", reason: test}]
	    payloads: [${2:-}]
	EOF
}
rm -rf "$C/.git" && git init -q -b main "$C"
git -C "$C" remote add origin "$W/fleet.git"
for c in user.name=Alice user.email=alice@example.com gpg.format=ssh \
	"user.signingkey=$W/keys/alice.pub"; do
	git -C "$C" config "${c%%=*}" "${c#*=}"
done
trust 1
sed -i '/payloads/d' "$C/.reconcile/trust.yaml"
alone_commit 1
ONE=$(id HEAD)
sed -i '/^trust\./d' "$W/manager/reconcile.conf"
echo "trust.policy = sha256:$(sha256sum <"$C/.reconcile/trust.yaml" | cut -d' ' -f1)" \
	>>"$W/manager/reconcile.conf"
run $R
is "$ST" 0 "the manager trusts the policy in git" || diag "$ERR"
alone_commit 2
finds "what one may change, by the policy of A" 0 "^trusted, [0-9]+ commits" $V "$ONE..HEAD"
mkdir -p "$C/secure" && echo x >"$C/secure/x"
world_commit "secure"
finds "what takes two" 4 "^NOT trusted: " $V "$ONE..HEAD"
finds "explained: the rule" 4 "rules\[0\]" $V --explain "$ONE..HEAD"
like "$OUT" "secure/x" "the path"
like "$OUT" "bob@example.com" "who could lift it"
like "$OUT" "reconcile trust approve" "and the command"
run $V -o json "$ONE..HEAD"
is "$ST $(printf '%s' "$OUT" | jq -r '.schema, ([.trust.commits[]?, .commits[]?] | length > 1)' | tr '\n' ' ')" \
	"4 reconcile.report/v1 true " "as JSON"
git -C "$C" reset -q --hard HEAD~1 && git -C "$C" push -q --force origin main

# --- A16: deny-lists --------------------------------------------------------------------
run $R
is "$ST" 0 "control: the commit is accepted" || diag "$ERR"
alone_commit evil
BAD=$(id HEAD)
PAYLOAD=$($V "$BAD~1..$BAD" | sed -n 's/.*\(sha256:[0-9a-f]\{64\}\).*/\1/p' | head -n 1)
like "$PAYLOAD" "^sha256:[0-9a-f]{64}$" "A16 verify prints the digest of what was signed"
is "$PAYLOAD" "sha256:$(git -C "$C" cat-file commit "$BAD" |
	awk '/^gpgsig /{s=1;next} s&&/^ /{next} {s=0;print}' | sha256sum | cut -d' ' -f1)" \
	"A16 which anybody can compute"
git -C "$C" reset -q --hard HEAD~1
trust 2 "\"$PAYLOAD\""
world_commit "deny"
run $R
is "$ST" 0 "A16 a commit that denies it is accepted" || diag "$ERR"
git -C "$C" -c user.signingkey="$W/keys/bob.pub" cherry-pick -S "$BAD" >/dev/null 2>&1
run $R
is "$ST" 0 "A16 control: the same change, signed by somebody else on top, is another commit" || diag "$ERR"
# the same bytes signed once more: another id, the same payload
git -C "$C" cat-file commit "$BAD" |
	awk '/^gpgsig /{s=1;next} s&&/^ /{next} {s=0;print}' >"$TMP/payload"
ssh-keygen -q -Y sign -n git -f "$W/keys/bob" "$TMP/payload"
{
	sed '/^$/,$d' "$TMP/payload"
	sed '1s/^/gpgsig /; 2,$s/^/ /' "$TMP/payload.sig"
	sed -n '/^$/,$p' "$TMP/payload"
} >"$TMP/other"
OTHER=$(git -C "$C" hash-object -t commit -w "$TMP/other")
unlike "$OTHER" "$BAD" "A16 the denied bytes have another id with another signature"
finds "A16 and verify shows the same digest" 0 "$PAYLOAD" $V "$OTHER~1..$OTHER"
for bad in "$BAD" "$OTHER"; do
	NOW=$(id HEAD)
	git -C "$C" merge -q -S --no-ff -s ours -m "bring it in" "$bad"
	git -C "$C" push -q --force origin main
	fails "A16 $bad is refused wherever it comes from" 4 "T105" $R
	finds "A16 and verify names it" 4 "^$(printf %.12s "$bad") T105" $V "$NOW..HEAD"
	git -C "$C" reset -q --hard "$NOW"
done
succeeds "the log verifies" $R audit verify
finish
