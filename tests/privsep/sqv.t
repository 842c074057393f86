#!/bin/bash
# sqv.t - what sqv can do when somebody else is in it: a program in its place
# says and does what it must not (A19, and the sandbox of reconcile-openpgp).
# In a mount namespace of its own.
. "$(dirname "$0")/../integration/lib.sh"
need_root
PINS=$B/tests/trust_pins FAKE=$B/tests/sqv_fake
need_program unshare gpg gpg-agent gpgconf "$PINS" "$FAKE" \
	"$BIN/reconcile-openpgp"
[ -e /usr/bin/sqv ] || skip_all 'needs /usr/bin/sqv'
nm -D --undefined-only "$BIN/reconcile-openpgp" | grep -q __asan &&
	skip_all "a sanitizer build has no filter"
tmpdir
cd "$TMP" || exit 1
GNUPGHOME=$TMP/gnupg
export GNUPGHOME
mkdir -m 700 "$GNUPGHOME"
stop_agent() { gpgconf --kill all; }
at_exit stop_agent
gpg --batch --quiet --passphrase '' --quick-gen-key a@example.org ed25519 sign \
	never 2>gpg.log
gpg --armor --export >a.asc 2>>gpg.log
echo payload >payload
gpg --batch --quiet --armor --detach-sign -o sig payload 2>>gpg.log
echo "a openpgp $(gpg --with-colons --list-keys 2>>gpg.log |
	awk -F: '/^fpr/ { print $10; exit }') a.asc" >pins

# fake ACT: what the verifier makes of it
fake()
{
	_dir=$TMP/fake.$1
	mkdir "$_dir"
	{
		cat "$FAKE"
		printf '\n%30s' " $1"
	} >"$_dir/sqv"
	chmod 755 "$_dir/sqv"
	unshare -m sh -c 'mount --bind "$1" /usr/bin/sqv && shift && exec "$@"' \
		sh "$_dir/sqv" "$PINS" armor=sig payload=payload pins=pins \
		sqv="$BIN" >"$_dir/out" 2>&1
}

# says ACT ERE WHAT
says()
{
	[ -e "fake.$1/out" ] || fake "$1"
	like "$(cat "fake.$1/out")" "$2" "$3"
}

# these wait for a limit; all at once
fake spin &
fake sleep &
fake sleep-open &

run "$PINS" armor=sig payload=payload pins=pins sqv="$BIN"
like "$OUT" '^OK a key=' 'control: the real sqv'
says good '^T137 want key [0-9A-F]{40}, have 0123456789ABCDEF0123456789ABCDEF01234567' \
	'control: the one in its place is asked'
says given '^T139 .*have 0 bytes' \
	'E06 it gets three files, no environment and nothing else'

# --- what it says
says nothing '^T139 want one fingerprint' 'A19 nothing'
says twice '^T139 want one fingerprint .* 82 bytes' 'A19 two fingerprints'
says no-newline '^T139 want one fingerprint' 'A19 no newline'
says lower '^T139 want one fingerprint' 'A19 lower case'
says long '^T139 want one fingerprint' 'A19 a digit too many'
says space '^T139 want one fingerprint' 'A19 a space behind it'
says before '^T139 want one fingerprint' 'A19 a line before it'
says status '^T139 want one fingerprint' 'A19 a status line of gpg'
says tail '^T139 want one fingerprint' 'A19 text behind it'
says flood '^T139 sqv prints over 4096 bytes' 'A19 too much'
says good-but-1 '^T137 ' 'A19 a fingerprint, but status 1'
says good-but-killed '^T139 sqv ended with status 137' \
	'A19 a fingerprint, but killed'

# --- what it does: 159 is SIGSYS, 63 EACCES, 51 EPERM, 62 ENOMEM
says fork 'status 159 ' 'no process'
says socket 'status 159 ' 'no network'
says write 'status 159 ' 'no new file'
says kill 'status 159 ' 'no signal'
says ptrace 'status 159 ' 'no ptrace'
says memfd 'status 159 ' 'no file in memory'
says read 'status 63 ' 'no file but its own'
says exec 'status 63 ' 'no other program'
says change 'status 51 ' 'what it is given cannot be changed'
says memory 'status 62 ' '1 GiB of memory'
wait
says spin 'status 1(37|52) ' '2 seconds of processor'
says sleep '^T139 .*10000 ms' '10 seconds, its output closed'
says sleep-open '^T139 sqv is not done in 10000 ms' '10 seconds, its output open'

# --- and when it is not there
mkdir away
unshare -m sh -c 'mount --bind /dev/null /usr/bin/sqv && exec "$@"' sh "$PINS" \
	armor=sig payload=payload pins=pins sqv="$BIN" >away/out 2>&1
like "$(cat away/out)" '^T139 /usr/bin/sqv cannot be started: is .*sqv' \
	'sqv is not installed'
finish
