#!/bin/sh
# bench_fetch.sh - a poll that finds nothing new, one new commit, and the first
# mirror of N commits, beside git's own commands in the same run.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../attack/trust_lib.sh"
trust_setup >/dev/null
N=${N:-2000} POLLS=${POLLS:-20}

R=$TMP/repo
new_repo "$R"
forge_key ed25519 forge
signer_line forge >>"$TMP/signers"
"$B/tests/trust_forge" chain "$N" "$TMP/forge.pem" \
	"$(git -C "$R" rev-parse 'HEAD^{tree}')" "$(head_of "$R")" \
	$(($(date +%s) - N - 10)) >"$TMP/pack" 2>"$TMP/tip"
git -C "$R" index-pack --stdin <"$TMP/pack" >/dev/null
git -C "$R" update-ref refs/heads/main "$(cat "$TMP/tip")"

now_ms()
{
	echo $(($(date +%s%N) / 1000000))
}
mirror()
{
	run "$ASK" "$BIN" mirror url="file://$R" ref="$REF" \
		store="$TMP/store.git"
	case $OUT in
	head*) ;;
	*)
		echo "bench_fetch: $OUT"
		exit 1
		;;
	esac
}
A=$(now_ms)
mirror
FIRST=$(($(now_ms) - A))
A=$(now_ms)
git clone -q --bare "file://$R" "$TMP/clone.git"
GITFIRST=$(($(now_ms) - A))
A=$(now_ms)
for I in $(seq "$POLLS"); do
	mirror
done
POLL=$((($(now_ms) - A) * 1000 / POLLS))
A=$(now_ms)
for I in $(seq "$POLLS"); do
	git -C "$TMP/clone.git" fetch -q
done
GITPOLL=$((($(now_ms) - A) * 1000 / POLLS))
change "$R" one
A=$(now_ms)
mirror
ONE=$(($(now_ms) - A))
A=$(now_ms)
git -C "$TMP/clone.git" fetch -q
GITONE=$(($(now_ms) - A))
printf 'fetch: nothing new %d us (git fetch %d us)\n' "$POLL" "$GITPOLL"
printf 'fetch: one new commit %d ms (git fetch %d ms)\n' "$ONE" "$GITONE"
printf 'fetch: first mirror of %d commits %d ms (git clone %d ms)\n' \
	"$N" "$FIRST" "$GITFIRST"
