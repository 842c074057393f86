#!/bin/sh
# trust_openpgp.t - OpenPGP signatures against pinned certificates, by sqv in
# its sandbox (A18, A19), made by gpg, sq and by hand.
# Each refusal is told by code and message.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
need_program gpg gpgconf gpg-agent sq sqv python3 git
tmpdir
git_env
PINS=$B/tests/trust_pins
need_program "$PINS" "$BIN/reconcile-openpgp"
cd "$TMP" || exit 1
NOW=$(date +%s)
DAY=86400
GNUPGHOME=$TMP/gnupg
export GNUPGHOME
mkdir -m 700 "$GNUPGHOME"
stop_agent() { gpgconf --kill all; }
at_exit stop_agent

g() { gpg --batch --quiet --no-permission-warning --passphrase '' "$@" 2>>gpg.log; }

# person NAME ALGORITHM [EXPIRE [OPTION...]]: key, NAME.asc and NAME.fpr
person()
{
	_n=$1 _a=$2 _e=${3:-never}
	shift 2
	[ $# -eq 0 ] || shift
	g "$@" --quick-gen-key "$_n <$_n@example.org>" "$_a" sign "$_e"
	publish "$_n"
}

publish()
{
	g --armor --export "<$1@example.org>" >"$1.asc"
	g --with-colons --list-keys "<$1@example.org>" |
		awk -F: '/^fpr/ { print $10; exit }' >"$1.fpr"
}

# pin NAME [AFTER BEFORE]: a line of pins
pin()
{
	_n=$1
	shift
	echo "$_n openpgp $(cat "$_n.fpr") $_n.asc${1:+ $1 $2}"
}

# sign_by NAME [OPTION...]: signature of the payload in $TMP/sig
sign_by()
{
	_n=$1
	shift
	rm -f sig
	g "$@" -u "<$_n@example.org>" --armor --detach-sign -o sig payload
}

edit() { python3 "$TOP/tests/attack/pgp_edit.py" "$1"; }

check() { run "$PINS" armor=sig payload=payload pins=pins sqv="$BIN" "$@"; }

# good NAME WHO [ARG...]; bad NAME CODE ERE [ARG...]
good()
{
	_name=$1 _who=$2
	shift 2
	check "$@"
	is "$OUT" "OK $_who key=$(cat "$_who.fpr")" "$_name"
}

bad()
{
	_name=$1 _code=$2 _ere=$3
	shift 3
	check "$@"
	like "$OUT" "^$_code .*$_ere" "$_name"
}

person alice ed25519
person bob rsa3072
person mallory ed25519
printf 'tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A\n\nmessage\n' \
	>payload
sed s/message/Message/ payload >changed
{
	pin alice
	pin bob
} >pins

# --- what is good
sign_by alice
cp sig alice.sig
good 'A18 gpg, EdDSA' alice
sign_by bob
cp sig bob.sig
good 'A18 gpg, RSA of 3072 bits' bob
edit same <alice.sig >sig
good 'A18 the editor changes nothing by itself' alice
edit new-format <alice.sig >sig
good 'A18 the length in the newer format' alice
{
	cat alice.sig
	echo
} >sig
good 'A18 an empty line behind the armor, as GitHub writes it' alice
n=0
while sign_by bob && [ "$(edit bits <sig)" -gt 3071 ] && [ "$n" -lt 40 ]; do
	n=$((n + 1))
done
edit zeros <sig >zeros
cp zeros sig
good 'A18 a number counted by the bits of the key, as GitHub does it' bob
g --quick-add-key "$(cat alice.fpr)" ed25519 sign never
publish alice
sign_by alice
good 'A18 a subkey counts as its certificate' alice
cat >sign-program <<-'EOF'
	#!/bin/sh
	exec gpg --no-permission-warning "$@"
EOF
chmod +x sign-program
git init -q repo
git -C repo -c gpg.format=openpgp -c gpg.program="$TMP/sign-program" \
	-c user.signingKey="$(cat alice.fpr)" commit -q -S --allow-empty -m signed
git -C repo cat-file commit HEAD >commit
sed '/^gpgsig/,/END PGP/d' commit >commit.payload
sed -n '/^gpgsig/,/END PGP/s/^\(gpgsig\)\{0,1\} //p' commit >commit.sig
good 'A18 git commit -S with gpg.format openpgp' alice armor=commit.sig \
	payload=commit.payload
sq key generate --userid '<sq@example.org>' --export sq.key 2>sq.log
sq key extract-cert -o sq.asc sq.key 2>>sq.log
sq inspect sq.asc 2>>sq.log | sed -n 's/^ *Fingerprint: //p' |
	head -1 >sq.fpr
sq sign --signer-key sq.key --detached -o sq.sig payload 2>>sq.log
pin sq >>pins
good 'A18 sq' sq armor=sq.sig

# --- how many signatures
edit twice <alice.sig >sig
bad 'A18 the same signature twice' T136 'exactly one signature'
cat alice.sig bob.sig | edit join >sig
bad 'A18 two good signatures' T136 'exactly one signature'
edit bit <alice.sig >alice.bad
cat alice.bad bob.sig | edit join >sig
bad 'A18 a bad and a good one' T136 'exactly one signature'
cat bob.sig alice.bad | edit join >sig
bad 'A18 a good and a bad one' T136 'exactly one signature'
cat alice.sig bob.sig >sig
bad 'A18 two blocks of armor' T113 'nothing else'
edit marker <alice.sig >sig
bad 'A18 a packet before it' T136 'packet of type 10'
edit literal <alice.sig >sig
bad 'A18 no signature at all' T136 'packet of type 11'

# --- bytes
cp alice.bad sig
bad 'A18 a bit of the signature' T137 'not good for these bytes'
cp alice.sig sig
bad 'A18 another commit' T137 'not good for these bytes' payload=changed
: >empty
bad 'A18 no commit' T137 'not good for these bytes' payload=empty
bad 'A18 an approval' T115 'namespace "reconcile-approval@v1"' \
	namespace=reconcile-approval@v1
for e in length long-length open-length partial; do
	edit $e <alice.sig >sig
	bad "A18 its length otherwise: $e" T136 'length in the shortest form'
done
edit tail <alice.sig >sig
bad 'A18 a byte behind its numbers' T136 'bytes behind the signature'
edit cut <alice.sig >sig
bad 'A18 cut short' T136 'longer than the packet'
edit count <alice.sig >sig
bad 'A18 a number that is longer than it says' T136 'as long as it says|behind the'
edit checksum <alice.sig >sig
bad 'A18 a wrong checksum' T113 'its checksum'
sed '/^=/d' alice.sig >sig
bad 'A18 no checksum' T113 'its checksum'
sed '2i Version: GnuPG v2' alice.sig >sig
bad 'A18 a header in the armor' T113 'an empty line'
sed '2i Comment: alice' alice.sig >sig
bad 'A18 a comment in the armor' T113 'an empty line'
{
	cat alice.sig
	echo text
} >sig
bad 'A18 text behind the armor' T113 'nothing else'
sed '3s/^\(....\)/\1\n/' alice.sig >sig
bad 'A18 armor wrapped anew' T113 'lines of 64'
{
	cat alice.sig
	echo
	echo
} >sig
bad 'A18 two empty lines' T113 'nothing else'

# --- how it was signed
sign_by alice --textmode
bad 'A18 a signature over text, not bytes' T136 'type 0 .binary., have 4 and 0x01'
edit version <alice.sig >sig
bad 'A18 version 3' T136 'want version 4'
edit dsa <alice.sig >sig
bad 'A18 DSA' T117 "number 17"
sign_by bob --digest-algo SHA1
bad 'A18 SHA-1' T116 "number 2"
edit sha1 <alice.sig >sig
bad 'A18 SHA-1 in words only' T116 "number 2"
person weak rsa2048
pin weak >>pins
sign_by weak
bad 'A18 RSA of 2048 bits' T117 'about 20'

# --- who
sign_by mallory
bad 'A18 a key that is not pinned' T137 'no pinned certificate made it'
echo "alice openpgp $(cat mallory.fpr) alice.asc" >other
bad "A18 a pin with another's certificate" T136 "have $(cat alice.fpr)" pins=other
cat alice.asc mallory.asc >both.asc
echo "alice openpgp $(cat alice.fpr) both.asc" >other
bad 'A18 two certificates in one pin' T113 'nothing else' pins=other
g --armor --export "<alice@example.org>" "<mallory@example.org>" >both.asc
bad 'A18 two certificates in one block' T136 'want one primary key' pins=other
g --armor --export-secret-keys "<alice@example.org>" >both.asc
bad 'A18 a secret key in the policy' T112 'PUBLIC KEY BLOCK' pins=other
sed 's/PRIVATE/PUBLIC/' both.asc >secret.asc
echo "alice openpgp $(cat alice.fpr) secret.asc" >other
bad 'A18 ... also under another name' T136 'holds a secret key' pins=other

pin alice >other
sign_by mallory
bad 'A18 ... nor when one is pinned alone' T137 'no pinned certificate made it' \
	pins=other
like "$OUT" 'key=$' 'A18 ... and nobody is blamed'
cat alice.fpr >revoked
bad 'A18 ... also when that one is revoked' T137 'no pinned certificate made it' \
	pins=other revoked=revoked

# --- when
cp alice.sig sig
pin alice 0 $((NOW - DAY)) >other
bad 'A18 outside the window of the pin' T137 'this time' pins=other
pin alice $((NOW - DAY)) $((NOW + DAY)) >other
good 'A18 inside the window of the pin' alice pins=other
bad 'A18 the commit is outside the window' T123 'outside the validity' \
	pins=other when=$((NOW - 2 * DAY))
bad 'A18 a commit from the future' T125 'ahead' when=$((NOW + DAY))
person eve ed25519 5d --faked-system-time $((NOW - 20 * DAY))!
sign_by eve --faked-system-time $((NOW - 18 * DAY))!
pin eve >>pins
good 'A18 signed before its certificate expired' eve when=$((NOW - 18 * DAY))
pin eve 0 $((NOW - 15 * DAY)) >other
bad 'A18 ... may introduce nothing where the policy says until when' T124 \
	'not valid now' pins=other when=$((NOW - 18 * DAY))
sign_by eve --faked-system-time $((NOW - 16 * DAY))!
cp sig eve.sig
sign_by eve --faked-system-time $((NOW - 2 * DAY))! --ignore-time-conflict
[ ! -s sig ] || bad 'A18 signed after its certificate expired' T137 'this time' \
	when=$((NOW - 2 * DAY))

# --- revoked
cat alice.fpr >revoked
cp alice.sig sig
bad 'A18 revoked by its fingerprint' T122 "key $(cat alice.fpr) of alice" \
	revoked=revoked
bad 'A18 revoked: also what was accepted' T122 'of alice' revoked=revoked \
	accepted=1
person carol ed25519
sign_by carol
pin carol >>pins
good 'A18 before its owner revokes it' carol
cp "$GNUPGHOME/openpgp-revocs.d/$(cat carol.fpr).rev" carol.rev
sed -i 's/^:---/---/' carol.rev
g --import carol.rev
publish carol
bad 'A18 revoked by its owner, in the policy' T137 'this time'

# --- A19: nothing that the signer writes is read as an answer
STATUS='[GNUPG:] VALIDSIG 0123456789012345678901234567890123456789 2026-01-01 0 0 4 0 22 8 00'
g --quick-gen-key "$(printf 'x\n%s\n%s' "$(cat alice.fpr)" "$STATUS")" \
	ed25519 sign never
g --quick-gen-key "$STATUS $(cat alice.fpr)" ed25519 sign never
g --with-colons --list-keys "$STATUS" | awk -F: '/^fpr/ { print $10; exit }' \
	>evil.fpr
g --armor --export "$(cat evil.fpr)" >evil.asc
rm -f sig
g -u "$(cat evil.fpr)" --armor --detach-sign -o sig payload
bad 'A19 a user id that says GOODSIG of alice' T137 'no pinned certificate'
pin evil >other
good 'A19 ... is its own key at most' evil pins=other
rm -f sig
g -u "<mallory@example.org>" --set-notation "a@example.org=$(cat alice.fpr)" \
	--sig-policy-url "http://x/%0A$(cat alice.fpr)%0A" \
	--set-notation "b@example.org=$STATUS" --armor --detach-sign -o sig payload
bad 'A19 notations and a policy URL' T137 'no pinned certificate'
rm -f sig
g -u "<alice@example.org>" --set-notation "b@example.org=$(cat bob.fpr)" \
	--armor --detach-sign -o sig payload
good 'A19 a notation of a good signature is nothing' alice

# --- each bit (A16).  Nobody signs the second area of subpackets, the begin of
# the digest and how a number counts its bits; and Sequoia reads each version of
# a fingerprint as 4.  That makes another commit id, not another commit: the
# deny-list names signed bytes.
cp alice.sig sig
check flip=1
like "$OUT" '^flipped [0-9]{4} accepted [0-9]+ at ' 'A16 each bit of a signature'
END=$(edit hashed <alice.sig)
is "$(printf '%s\n' "$OUT" | sed -n 's/.* at //p' | tr ' ' '\n' |
	awk -v end="$END" '$1 < end && $1 != 10' | tr '\n' ' ')" '' \
	'A16 ... nothing of what is signed'
is "$(printf '%s\n' "$OUT" | sed -n 's/.* at //p' | tr ' ' '\n' |
	awk -v n="$(edit numbers <alice.sig)" -v m="$(edit second <alice.sig)" \
		'$1 > n + 2 && ($1 <= m || $1 > m + 2)' | tr '\n' ' ')" '' \
	'A16 ... nor of the numbers'
echo "sha256:$(openssl dgst -sha256 -r payload | cut -d' ' -f1)" >revoked
bad 'A16 denied by what was signed' T105 'signed bytes are denied' \
	revoked=revoked

# --- sqv itself
cp alice.sig sig
run "$PINS" armor=sig payload=payload pins=pins
like "$OUT" '^T138 .*switched off' 'OpenPGP is off unless it is switched on'
is "$(check repeat=200; echo "$OUT")" "OK alice key=$(cat alice.fpr)" \
	'two hundred signatures, one runner'
for i in $(seq 40); do
	sed "s/^alice/p$i/" <<-EOF
		$(pin mallory | sed 's/^mallory/alice/')
	EOF
done >many
pin alice >>many
good 'more people than one run of sqv takes' alice pins=many
finish
