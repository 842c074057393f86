#!/bin/bash
# fetch_manager.t - a manager whose git server lies (git_liar.py): each pass says
# what is wrong with the right status, what was accepted stays in force, and an
# honest server is believed again (G14, A68, A70, A72).
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
. "$(dirname "$0")/../integration/git_server.sh"
. "$TOP/tests/crash/alone.sh"
need_root
need_program python3 openssl git jq ssh-keygen
tmpdir
git_env
canary_may cred home.log
alone_up "$(git_ports 1)" || skip_all "no manager"
git_authority ca
git_certificate good ca DNS:localhost
printf 'bearer %s\n' "$CANARY" >"$TMP/cred"
chmod 600 "$TMP/cred"
liar_stop() { kill "$LIAR"; }
liar_start()
{
	rm -f "$TMP/ports"
	python3 "$TOP/tests/attack/git_liar.py" "$TMP" "$TMP/good.pem" \
		"$TMP/good.key" "$W/fleet.git" 2>"$TMP/liar.err" &
	LIAR=$!
	wait_for 10 test -s "$TMP/ports" ||
		skip_all "the server does not start: $(cat "$TMP/liar.err")"
	PORT=$(cut -d' ' -f1 "$TMP/ports")
}
at_exit liar_stop
liar_start
sed -i "/^repository.url/d" "$W/manager/reconcile.conf"
cat >>"$W/manager/reconcile.conf" <<EOF
repository.ca_file = $TMP/ca.pem
repository.credential_file = $TMP/cred
repository.timeout_s = 2
EOF
# pass_at CASE: a pass at that server; sets ST, OUT, ERR.
pass_at()
{
	{
		cat "$W/manager/reconcile.conf"
		echo "repository.url = https://localhost:$PORT/$1/repo.git"
	} >"$TMP/conf"
	run "$BIN/reconcile" --config "$TMP/conf"
}
accepted()
{
	"$BIN/reconcile" --config "$TMP/conf" status -o json | jq -r .acceptedCommit
}
pass_at honest
is "$ST" 0 'an honest server' || printf '%s\n' "$ERR" | sed 's/^/# /'
OLD=$(git -C "$W/clone" rev-parse HEAD)
is "$(accepted)" "$OLD" '... is believed'
alone_commit 2
kill "$LIAR"
wait "$LIAR" 2>/dev/null
liar_start

# One row: threat, lie, exit status of the pass, what it says.
while read -r ROW CASE WANT SAYS; do
	pass_at "$CASE"
	if [ "$ST" = "$WANT" ] && printf '%s\n' "$ERR" | grep -Eq -- "$SAYS"; then
		ok "$ROW $CASE: status $WANT"
	else
		not_ok "$ROW $CASE: status $WANT" "status $ST: $OUT
$ERR"
	fi
	is "$(accepted)" "$OLD" "$ROW $CASE: what was accepted stays"
done <<EOF
A68 to-other 3 redirects .*never followed
A70 silence 75 in time|timed out
A70 endless-head 3 head of the server
A72 html 7 no repository of a git server
G14 no-trees 3 pack is malformed|not whole
G14 many 3 pack|objects
G14 blob-only 3 wanted commit
G14 chain 3 wanted commit
G14 tree-bomb 3 tree
G14 fuzz-3 3 pack
G12 status-401 3 credential
EOF
# killed in the middle, as the kernel would for its memory or its CPU time
sed -i 's/^repository.timeout_s.*/repository.timeout_s = 20/' \
	"$W/manager/reconcile.conf"
fetch_of() # PID: its reconcile-fetch
{
	for _c in $(cat "/proc/$1/task/$1/children"); do
		[ "$(cat "/proc/$_c/comm")" != reconcile-fetch ] || echo "$_c"
	done
}
transfers() { [ "$(stat -c %s "$W"/manager/state/repository.git/objects/incoming/pack_* 2>/dev/null || echo 0)" -gt 500000 ]; }
{
	cat "$W/manager/reconcile.conf"
	echo "repository.url = https://localhost:$PORT/endless-pack/repo.git"
} >"$TMP/conf"
"$BIN/reconcile" --config "$TMP/conf" >"$TMP/killed" 2>&1 </dev/null &
PASS=$!
wait_for 15 transfers && ok 'G14 a transfer without end begins' ||
	not_ok 'G14 a transfer without end begins' "$(cat "$TMP/killed")"
kill -9 "$(fetch_of "$PASS")"
ST=0
wait "$PASS" || ST=$?
is "$ST" 7 'G14 killed in the middle: status 7'
like "$(cat "$TMP/killed")" 'it ended without an answer' '... and says so'
is "$(accepted)" "$OLD" '... what was accepted stays'

is "$(cat "$TMP/other.log" "$TMP/plain.log")" '' 'G12 no stranger was asked'
pass_at honest
is "$ST" 0 'an honest server again' || printf '%s\n' "$ERR" | sed 's/^/# /'
is "$(accepted)" "$(git -C "$W/clone" rev-parse HEAD)" '... is believed'
is "$(find "$W/manager/state/repository.git/objects/incoming" -type f | wc -l)" 0 \
	'G14 and nothing is left of the others'
succeeds 'the log is whole' "$BIN/reconcile" --config "$TMP/conf" audit verify
finish
