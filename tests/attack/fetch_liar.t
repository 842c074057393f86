#!/bin/bash
# fetch_liar.t - a git server over https that lies (git_liar.py): redirects
# (A68, G12), endless and slow answers (A70), text that is not inert (A71),
# offers that must not be taken (A72), packs that are bombs or broken (G14).
# Each time the message and its code, the store as it was, no credential
# anywhere but at home.
# Seen red: GUARD_OFF_REDIRECT, _HEAD, _CONTENT_TYPE, _BUDGET.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
. "$(dirname "$0")/../integration/git_server.sh"
need_program python3 openssl git
trust_setup

canary_may cred home.log
R=$TMP/repo
new_repo "$R"
OLD=$(head_of "$R")
git clone -q --bare "$R" "$TMP/www.git"
git_authority ca
git_certificate good ca DNS:localhost,IP:127.0.0.1
printf 'bearer %s\n' "$CANARY" >"$TMP/cred"
chmod 600 "$TMP/cred"
liar_stop()
{
	[ -z "${LIAR:-}" ] || kill "$LIAR"
}
# liar_start: with the repository as it is now.
liar_start()
{
	rm -f "$TMP/ports"
	python3 "$TOP/tests/attack/git_liar.py" "$TMP" "$TMP/good.pem" \
		"$TMP/good.key" "$TMP/www.git" 2>"$TMP/liar.err" &
	LIAR=$!
	wait_for 10 test -s "$TMP/ports" ||
		skip_all "the server does not start: $(cat "$TMP/liar.err")"
	read -r HOME_PORT OTHER PLAIN <"$TMP/ports"
}
at_exit liar_stop
liar_start

# fetch NAME ERE ACT CASE [NAME=VALUE...]
fetch()
{
	_name=$1 _ere=$2 _act=$3 _case=$4
	shift 4
	run "$ASK" "$BIN" "$_act" "$@" \
		url="https://localhost:$HOME_PORT/$_case/repo.git" ref="$REF" \
		store="$TMP/store.git" ca="$TMP/ca.pem" timeout=15000 \
		credential="$TMP/cred"
	like "$OUT" "$_ere" "$_name"
	printf '%s\n%s\n' "$OUT" "$ERR" >>"$TMP/said"
}
# both NAME ERE CASE [...]: a mirror and a look.
both()
{
	_n=$1 _e=$2 _c=$3
	shift 3
	fetch "$_n" "$_e" mirror "$_c" "$@"
	fetch "$_n, a look" "$_e" poll "$_c" "$@"
}
# in_time SECONDS NAME: since START.
in_time()
{
	[ $(($(date +%s) - START)) -le "$1" ] && ok "$2" ||
		not_ok "$2" "$(($(date +%s) - START)) s"
}

# What is good at first is what must be left of it.
fetch 'an honest server' "^head $OLD changed=1$" mirror honest
fetch 'an honest server, a look' "^head $OLD" poll honest
like "$(cat "$TMP/home.log")" "auth=Bearer $CANARY" 'home gets the credential'
kill "$LIAR"
wait "$LIAR" 2>/dev/null
change "$R" second
TIP=$(head_of "$R")
git -C "$R" push -q "$TMP/www.git" main
liar_start

# --- redirects
both 'A68 to another host' \
	"^error INPUT .*redirects .*\"https://localhost:$OTHER/honest/repo.git\"" \
	to-other
both 'A68 to plain http' "^error INPUT .*redirects .*\"http://localhost" to-http
both 'A68 to a file' '^error INPUT .*redirects .*"file:///etc/passwd"' to-file
both 'A68 to itself' '^error INPUT .*redirects .*"/honest/' to-self
both 'A68 to nowhere' '^error INPUT .*status 308' to-nowhere
both 'A68 A71 to escape sequences' '^error INPUT .*\\x1[bB]' to-escapes
fetch 'A68 of the second request' \
	"^error INPUT .*redirects .*localhost:$OTHER" mirror post-to-other
is "$(cat "$TMP/other.log" "$TMP/plain.log")" '' \
	'A68 G12 no stranger was asked anything'

# --- slow, endless, cut
START=$(date +%s)
both 'A70 silence' '^error AGAIN .*(in time|timed out|too long)' silence \
	timeout=1500
both 'A70 a byte now and then' '^error AGAIN .*(in time|timed out|too long)' \
	drip timeout=1500
both 'A70 a head byte now and then' \
	'^error AGAIN .*(in time|timed out|too long)' drip-head timeout=1500
in_time 12 'A70 the time budget holds'
both 'A70 refs without end' '^error LIMIT .*over 1000000 bytes' endless-refs \
	max=1000000
fetch 'A70 G14 a pack without end' '^error LIMIT .*over 3000000 bytes' mirror \
	endless-pack max=3000000
both 'A70 a head without end' '^error LIMIT .*head .*over 65536' endless-head
both 'A70 an answer cut short' '^error AGAIN ' short
in_time 30 'A70 the byte budgets hold'

# --- not what was asked for
both 'a web page' '^error PROTO .*want content type .*"text/html"' html
both 'G11 a server of plain files' '^error PROTO .*want content type' dumb
both 'another type' '^error PROTO .*advertisement, have .*result' wrong-type
both 'A71 escapes in a type' '^error PROTO .*\\x1[bB]' escapes-in-type
both 'status 500' '^error AGAIN .*status 500' status-500
both 'status 401' '^error DENIED .*status 401' status-401
both 'status 418' '^error PROTO .*418' status-418
fetch 'an encoding that was not asked for' '^error AGAIN ' mirror gzip
fetch 'an encoding that was not asked for, a look' '^error PROTO .*\\x1[fF]' poll gzip
fetch 'A71 a message of the server' '^error AGAIN .*\\x1[bB]' poll err-line
fetch 'A71 a message of the server, a mirror' '^error [A-Z]+ .*busy' mirror \
	err-line
fetch 'A71 the band for errors' '^error AGAIN ' mirror sideband
fetch 'more than was asked' '^error PROTO .*more than it was asked' poll \
	more-than-asked
fetch 'a pack without bands' '^error INPUT ' mirror no-sideband

# --- bombs and broken packs
START=$(date +%s)
fetch 'G14 no pack' '^error NOTFOUND ' mirror no-pack
fetch 'G14 a pack without the commit' '^error (INPUT|NOTFOUND) .*(commit|missing)' \
	mirror blob-only
fetch 'G14 A34 a commit without its trees' '^error INPUT .*missing' mirror \
	no-trees
fetch 'G14 4 billion objects' '^error (LIMIT|INPUT) ' mirror many
fetch 'G14 128 MiB of zeros' '^error NOTFOUND ' mirror blob-bomb
fetch 'G14 a tree of 64 MiB of zeros' '^error INPUT .*tree' mirror tree-bomb
fetch 'G14 a chain of 10000 deltas' '^error NOTFOUND ' mirror chain
in_time 30 'G14 in time'
BAD=
for I in $(seq 0 39); do
	run "$ASK" "$BIN" mirror url="https://localhost:$HOME_PORT/fuzz-$I/repo.git" \
		ref="$REF" store="$TMP/store.git" ca="$TMP/ca.pem" timeout=15000 \
		credential="$TMP/cred"
	case $OUT in
	"error INPUT "* | "error LIMIT "* | "error AGAIN "* | "error NOTFOUND "*) ;;
	*) BAD="$BAD fuzz-$I: $OUT" ;;
	esac
done
is "$BAD" '' 'G14 40 packs with bytes changed are refused'
is "$(git -C "$TMP/store.git" rev-parse refs/reconcile/mirror)" "$OLD" \
	'G14 the last good commit is kept'
succeeds 'G14 and the store is whole' git -C "$TMP/store.git" fsck --strict
is "$(find "$TMP/store.git/objects" -type f | wc -l)" 2 \
	'G14 nothing is left of what was refused'

# --- offers
: >"$TMP/home.log"
both 'A72 offers of all kinds' "^head $TIP" offers
unlike "$(cat "$TMP/home.log")" \
	'filter|packfile-uris|bundle|promisor|alternates|sideband-all|shallow' \
	'A72 none is taken'
is "$(grep -Evc '^(GET /offers/repo.git/info/refs|POST /offers/repo.git/git-upload-pack)' \
	"$TMP/home.log")" 0 'A72 nothing else is asked for'
: >"$TMP/home.log"
fetch 'cookies, other services, other ways' "^head $TIP" poll cookie repeat=3
unlike "$(cat "$TMP/home.log")" 'liar=1' 'a cookie is not sent back'
is "$(cat "$TMP/other.log" "$TMP/plain.log")" '' \
	'A72 G12 no stranger was asked anything'

fetch 'an honest server again' "^head $TIP changed=0$" mirror honest
unlike "$(tr -d '[:print:]\n\t' <"$TMP/said" | od -c)" '033|007' \
	'A71 nothing raw reaches us'
unlike "$(cat "$TMP/said")" "$CANARY" \
	'G03 G12 the credential is in no answer or message'
finish
