#!/bin/sh
# bench_verify.sh - commits verified a second, beside `git verify-commit` on a
# sample of the same commits in the same run.  N=20000 for more commits.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../attack/trust_lib.sh"
trust_setup >/dev/null
N=${N:-10000} SAMPLE=${SAMPLE:-50} LEAST=${LEAST:-2000}
BASE_S=$(date +%s)

R=$TMP/repo
new_repo "$R"
ROOT=$(head_of "$R")
forge_key ed25519 forge
signer_line forge >>"$TMP/signers"
TREE=$(git -C "$R" rev-parse 'HEAD^{tree}')
"$B/tests/trust_forge" chain "$N" "$TMP/forge.pem" "$TREE" "$ROOT" \
	$((BASE_S - N - 10)) >"$TMP/pack" 2>"$TMP/tip"
TIP=$(cat "$TMP/tip")
git -C "$R" index-pack --stdin <"$TMP/pack" >/dev/null
git -C "$R" config gpg.ssh.allowedSignersFile "$TMP/signers"

now_ms()
{
	echo $(($(date +%s%N) / 1000000))
}
# The fixed cost of a process and a request, to be taken off.
A=$(now_ms)
ask_verify "$R" "$ROOT" head_only=1
FIXED=$(($(now_ms) - A))
A=$(now_ms)
ask_verify "$R" "$TIP" accepted="$ROOT"
ALL=$(($(now_ms) - A))
case $OUT in
*'verdict ACCEPTED'*"verified $N"*) ;;
*)
	printf 'bench_verify: not accepted: %s\n' "$OUT" | head -5
	exit 1
	;;
esac
A=$(now_ms)
git -C "$R" rev-list --max-count="$SAMPLE" "$TIP" |
	xargs -n1 git -C "$R" verify-commit 2>/dev/null
GIT=$(($(now_ms) - A))
RATE=$((N * 1000 / (ALL - FIXED)))
GITRATE=$((SAMPLE * 1000 / GIT))
printf 'verify: %d commits/s (%d commits in %d ms; start and one commit %d ms)\n' \
	"$RATE" "$N" "$ALL" "$FIXED"
printf 'verify: git verify-commit %d commits/s (%d commits in %d ms); ratio %d\n' \
	"$GITRATE" "$SAMPLE" "$GIT" $((RATE / GITRATE))
if [ "$RATE" -lt "$LEAST" ]; then
	printf 'verify: want at least %d commits/s\n' "$LEAST"
	exit 1
fi
