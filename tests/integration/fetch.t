#!/bin/sh
# fetch.t - reconcile-fetch: mirror, pack, ingest on real repositories; clear
# codes when something is not there (threats A34, A42, A44, A69, A70, G14).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../attack/trust_lib.sh"
trust_setup

R=$TMP/repo S=$TMP/store.git
new_repo "$R"
change "$R" second
ROOT=$(git -C "$R" rev-parse HEAD~1) TIP=$(head_of "$R")

# mirror NAME ERE [NAME=VALUE...]: one line of the answer must match.
mirror()
{
	_name=$1 _ere=$2
	shift 2
	run "$ASK" "$BIN" mirror "$@" url="file://$R" ref="$REF" store="$S"
	like "$OUT" "$_ere" "$_name"
}

mirror 'mirror of a worktree' "^head $TIP changed=1$"
is "$(git -C "$S" rev-parse refs/reconcile/mirror)" "$TIP" \
	'the mirror ref is written'
succeeds 'git finds the store whole' git -C "$S" fsck --strict
mirror 'nothing new: no transfer' "^head $TIP changed=0$"
like "$OUT" '^bytes 0$' 'nothing new: no bytes'
accepts 'the mirror verifies' "$S" "$TIP"

change "$R" third
TIP=$(head_of "$R")
mirror 'one commit more' "^head $TIP changed=1$"
git -C "$R" gc -q
change "$R" fourth
TIP=$(head_of "$R")
git -C "$R" pack-refs --all
mirror 'packed objects and refs' "^head $TIP changed=1$"
git -C "$R" reset -q --hard "$ROOT"
mirror 'a rewound branch is mirrored (verify decides)' "^head $ROOT changed=1$"
git -C "$R" reset -q --hard "$TIP"
mirror 'and forward again' "^head $TIP changed=1$"

# --- looks at a folder: the ref alone is read, again and again
look()
{
	_name=$1 _ere=$2
	shift 2
	run "$ASK" "$BIN" poll "$@" url="file://$R" ref="$REF"
	like "$OUT" "$_ere" "$_name"
}
look 'a look at a folder' "^head $TIP changed=0$"
(
	sleep 0.5
	git -C "$R" reset -q --hard "$ROOT"
) &
look 'two looks, the ref moves between them' "^head $ROOT" repeat=2 wait=1500
like "$OUT" "^head $TIP" '... and the first saw the old one'
wait
git -C "$R" reset -q --hard "$TIP"
look 'a look for a missing ref' '^error NOTFOUND .*no ref' ref=refs/heads/none
look 'a look at a missing folder' '^error AGAIN .*No such file' \
	url="file://$TMP/none"
look 'A69: a look at a URL' '^error INPUT repository URL' url='ext::sh -c id'
look 'A44: a look for a ref' '^error INPUT ref ' ref='main@{1}'

# --- pack and ingest: what the manager sends a host
H=$TMP/host.git
run "$ASK" "$BIN" pack store="$S" want="$ROOT" out="$TMP/p1"
like "$OUT" '^pack [1-9]' 'pack of the first commit'
run "$ASK" "$BIN" ingest store="$H" want="$ROOT" in="$TMP/p1"
like "$OUT" "^head $ROOT changed=1$" 'ingest of it'
run "$ASK" "$BIN" pack store="$S" want="$TIP" have="$ROOT" out="$TMP/p2"
like "$OUT" '^pack [1-9]' 'pack of what is new'
run "$ASK" "$BIN" ingest store="$H" want="$TIP" in="$TMP/p2"
like "$OUT" "^head $TIP changed=1$" 'ingest of what is new'
accepts 'the host verifies by itself' "$H" "$TIP" accepted="$ROOT"
run "$ASK" "$BIN" pack store="$S" want="$TIP" have="$TIP" out="$TMP/p3"
like "$OUT" '^pack 0$' 'nothing new: an empty answer'
run "$ASK" "$BIN" ingest store="$H" want="$TIP" in="$TMP/p3"
like "$OUT" "^head $TIP changed=0$" 'ingest of nothing'

# --- packs that lie
N=$TMP/new.git
run "$ASK" "$BIN" ingest store="$N" want="$TIP" in="$TMP/p2"
like "$OUT" '^error INPUT the pack' 'A34: a pack without its history is refused'
run "$ASK" "$BIN" ingest store="$N" want="$TIP" in="$TMP/p1"
like "$OUT" '^error NOTFOUND the wanted commit' 'a pack without the commit'
head -c 200 "$TMP/p1" >"$TMP/cut"
run "$ASK" "$BIN" ingest store="$TMP/n2.git" want="$ROOT" in="$TMP/cut"
like "$OUT" '^error INPUT the pack' 'a pack cut short is refused'
cp "$TMP/p1" "$TMP/flip"
printf '\377' | dd of="$TMP/flip" bs=1 seek=120 conv=notrunc 2>/dev/null
run "$ASK" "$BIN" ingest store="$TMP/n3.git" want="$ROOT" in="$TMP/flip"
like "$OUT" '^error INPUT the pack' 'A37: a flipped byte is refused'
is "$(find "$TMP/n2.git/objects" "$TMP/n3.git/objects" -type f | wc -l)" 0 \
	'nothing is left of refused packs'
run "$ASK" "$BIN" ingest store="$TMP/n4.git" want="$ROOT" in="$TMP/p1" max=100
like "$OUT" '^error LIMIT .*over 100 bytes' 'G14: a pack over its budget'
printf 'PACK\000\000\000\002\377\377\377\377' >"$TMP/many"
head -c 64 /dev/zero >>"$TMP/many"
run "$ASK" "$BIN" ingest store="$TMP/n5.git" want="$ROOT" in="$TMP/many"
like "$OUT" '^error (LIMIT|INPUT) ' 'G14: a pack that says 4 billion objects'

"$B/tests/trust_forge" bomb >"$TMP/bomb"
_start=$(date +%s)
run "$ASK" "$BIN" ingest store="$TMP/n6.git" want="$ROOT" in="$TMP/bomb"
like "$OUT" '^error (INPUT|LIMIT) ' 'G14 A45: a delta that says 1 TB'
[ $(($(date +%s) - _start)) -lt 20 ] && ok 'G14 A45: ... in time' ||
	not_ok 'G14 A45: ... in time'
is "$(find "$TMP/n6.git/objects" -type f | wc -l)" 0 'G14: nothing is left of it'

# --- not there
mirror 'missing repository: try again' '^error AGAIN .*No such file' \
	url="file://$TMP/none"
mirror 'not a repository' '^error INPUT .*not a git repository' \
	url="file:///usr/share"
mirror 'missing ref' '^error NOTFOUND .*no ref refs/heads/none' \
	ref=refs/heads/none
mirror 'G14: a transfer over its budget' '^error LIMIT .*over 50 bytes' \
	store="$TMP/small.git" max=50

# --- URLs and refs
for U in 'ext::sh -c id' 'ssh://-oProxyCommand=id/x' 'ssh://h/a;id' \
	"ssh://h/a'b" 'ssh://h/$(id)' 'ssh://h/-x' 'ssh://-l@h/x' \
	'https://-h/x' 'https://h/a?b' 'https://h/a#b' 'https://h/%2e' \
	'https://u@h/x' 'https://[::1]/x' 'https://h' 'HTTPS://h/x' \
	'ssh://h:0/x' 'ssh://h:99999/x' 'file://relative' 'file:///a/../b' \
	'file:///a%2e' '/plain/path' 'git@host:x' ''; do
	mirror "A69: URL $U" '^error INPUT repository URL' url="$U"
done
mirror 'A69: git:// is refused' '^error INPUT .*no authentication' \
	url=git://h/x
mirror 'A67: https without an authority' '^error INPUT .*repository.ca_file' \
	url=https://h/x
mirror 'A67: http says what to use' '^error INPUT .*use https://' url=http://h/x
mirror 'A69: newline in a URL' '^error INPUT .*\\x0[aA]' "url=file:///a
b"
for F in 'refs/heads/../../x' '-x' ':/fix' 'main@{1}' 'refs/heads/a b' main \
	'refs/heads/x.lock' 'refs/heads/.x' 'refs/heads/x^'; do
	mirror "A44: ref $F" '^error INPUT ref ' ref="$F"
done

# --- who owns the source, what it borrows
if [ "$(id -u)" = 0 ]; then
	cp -r "$R" "$TMP/other"
	chown -R 65534 "$TMP/other"
	mirror 'A42: a source of another user' '^error DENIED .*belongs to' \
		url="file://$TMP/other"
fi
git clone -q -s "$R" "$TMP/borrow"
mirror 'A35: a source with alternates' '^error INPUT .*borrows' \
	url="file://$TMP/borrow"
git clone -q --depth 1 "file://$R" "$TMP/shallow"
mirror 'A34: a shallow source' '^error INPUT .*lacks history' \
	url="file://$TMP/shallow"

# --- configuration and hooks of the source are never read (A42, G11)
cp -r "$R" "$TMP/trap"
cat >>"$TMP/trap/.git/config" <<EOF
[core]
	fsmonitor = touch $TMP/TRAPPED
	sshCommand = touch $TMP/TRAPPED
	hooksPath = $TMP/hooks
[uploadpack]
	packObjectsHook = touch $TMP/TRAPPED
[include]
	path = /dev/zero
EOF
mirror 'A42: hostile configuration of a source' "^head $TIP changed=1$" \
	url="file://$TMP/trap" store="$TMP/trap.git"
is "$(ls "$TMP" | grep -c TRAPPED)" 0 'A42: nothing of it ran'

# --- without privileges
if [ "$(id -u)" = 0 ]; then
	mkdir "$TMP/nobody"
	chown 65534 "$TMP/nobody"
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$ASK" "$BIN" \
		mirror url="file://$R" ref="$REF" store="$TMP/nobody/s.git"
	like "$OUT" "^head $TIP changed=1$" 'works without privileges'
fi
finish
