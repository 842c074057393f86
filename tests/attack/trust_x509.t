#!/bin/sh
# trust_x509.t - X.509 (CMS) signatures against pinned authorities (A17), made
# by openssl, gpgsm and by hand.  Each refusal is told by code and message.
# trust_kinds.t has them in a repository.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
need_program openssl python3 git
tmpdir
git_env
PINS=$B/tests/trust_pins
need_program "$PINS"
cd "$TMP" || exit 1
NOW=$(date +%s)
DAY=86400

# --- a small world of authorities and people, all by openssl
# key NAME [BITS|CURVE]
key()
{
	case ${2:-P-256} in
	[0-9]*) set -- "$1" RSA "rsa_keygen_bits:$2" ;;
	*) set -- "$1" EC "ec_paramgen_curve:${2:-P-256}" ;;
	esac
	openssl genpkey -algorithm "$2" -pkeyopt "$3" -out "$1.key" 2>/dev/null
}

CA_EXT='basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid'
LEAF_EXT='basicConstraints=CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=emailProtection
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid'
SAN='subjectAltName=email:alice@example.org'

# issue NAME ISSUER EXTENSIONS [OPTION...]: certificate for NAME.key, subject
# CN=NAME; ISSUER - is itself.
issue()
{
	_name=$1 _by=$2 _ext=$3
	shift 3
	[ -f "$_name.key" ] || key "$_name"
	printf '%s\n' "$_ext" >"$_name.ext"
	openssl req -new -key "$_name.key" -subj "/CN=$_name" -out "$_name.csr"
	set -- -req -in "$_name.csr" -extfile "$_name.ext" -days 20 \
		-out "$_name.pem" "$@"
	if [ "$_by" = - ]; then
		openssl x509 "$@" -key "$_name.key" 2>"$_name.log"
	else
		openssl x509 "$@" -CA "$_by.pem" -CAkey "$_by.key" \
			-CAcreateserial 2>"$_name.log"
	fi || diag "issue $_name: $(cat "$_name.log")"
}

# issue_at NAME ISSUER EXTENSIONS AFTER BEFORE: with a window, seconds from now;
# openssl x509 of 3.0 has only days.
issue_at()
{
	issue "$1" "$2" "$3"
	: >"$1.index"
	rm -f "$1.index.attr"
	cat >"$1.cnf" <<-EOF
		[ca]
		default_ca = c
		[c]
		database = $TMP/$1.index
		new_certs_dir = $TMP
		rand_serial = yes
		default_md = sha256
		policy = p
		[p]
		commonName = supplied
	EOF
	_from="-cert $2.pem -keyfile $2.key"
	[ "$2" != - ] || _from="-selfsign -keyfile $1.key"
	# shellcheck disable=SC2086
	openssl ca -batch -notext -config "$1.cnf" $_from -in "$1.csr" -out "$1.pem" \
		-extfile "$1.ext" \
		-startdate "$(date -u -d "@$((NOW + $4))" +%Y%m%d%H%M%SZ)" \
		-enddate "$(date -u -d "@$((NOW + $5))" +%Y%m%d%H%M%SZ)" \
		2>"$1.log" || diag "issue_at $1: $(cat "$1.log")"
}

issue_at root - "$CA_EXT" $((-30 * DAY)) $((30 * DAY))
issue_at alice root "$LEAF_EXT
$SAN" $((-10 * DAY)) $((10 * DAY))
printf 'tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A\n\nmessage\n' \
	>payload
echo 'alice x509 email:alice@example.org - root.pem' >pins

# armor < DER: as git gets it.
armor()
{
	echo '-----BEGIN SIGNED MESSAGE-----'
	openssl base64
	echo '-----END SIGNED MESSAGE-----'
}

# sign_with SIGNER [OPTION...]: signature of the payload in $TMP/sig.
sign_with()
{
	_s=$1
	shift
	openssl cms -sign -binary -in payload -signer "$_s.pem" \
		-inkey "$_s.key" -outform DER -out sig.der "$@" 2>cms.log ||
		diag "sign_with $_s: $(cat cms.log)"
	armor <sig.der >sig
}

# edit OP: the last signature with one change.
edit()
{
	python3 "$TOP/tests/attack/cms_edit.py" "$1" <sig.der | armor >sig
}

check()
{
	run "$PINS" armor=sig payload=payload pins=pins "$@"
}

# good NAME [ARG...]; bad NAME CODE ERE [ARG...]
good()
{
	_name=$1
	shift
	check "$@"
	like "$OUT" '^OK alice key=SHA256:' "A17 $_name"
}

bad()
{
	_name=$1 _code=$2 _ere=$3
	shift 3
	check "$@"
	like "$OUT" "^$_code .*$_ere" "A17 $_name"
}

# --- what is good
sign_with alice
good 'openssl cms, P-256'
FP=$(openssl x509 -in alice.pem -outform DER | openssl dgst -sha256 -binary |
	openssl base64 | tr -d =)
is "${OUT#*key=}" "SHA256:$FP" 'A17 the key is the fingerprint of the certificate'
edit same
good 'the editor changes nothing by itself'
key rsa 3072
issue rsa root "$LEAF_EXT
$SAN"
sign_with rsa
good 'RSA of 3072 bits'
key p384 P-384
issue p384 root "$LEAF_EXT
$SAN" -sha384
sign_with p384 -md sha384
good 'P-384 and SHA-384'
sign_with alice -keyid
good 'the signer by key identifier'
ISSUER=https://accounts.example.org
OIDC="1.3.6.1.4.1.57264.1.1=DER:$(printf %s $ISSUER | od -An -tx1 | tr -d ' \n')
1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:$ISSUER"
KEYLESS='keyUsage=critical,digitalSignature
extendedKeyUsage=codeSigning
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
subjectAltName=critical,URI:https://ci.example.org/w'
issue_at keyless root "$KEYLESS
$OIDC" -60 540
sign_with keyless
echo "alice x509 uri:https://ci.example.org/w $ISSUER root.pem" >pins
good 'keyless: codeSigning, a URI and the OIDC issuer, inside its ten minutes'
bad 'keyless: seen for the first time after its ten minutes' T133 \
	'a new commit: certificate has expired' now=$((NOW + 1200)) when="$NOW"
good 'keyless: accepted in time stays accepted' now=$((NOW + 1200)) \
	when="$NOW" accepted=1
issue middle root "$CA_EXT"
issue deep middle "$LEAF_EXT
$SAN"
echo 'alice x509 email:alice@example.org - root.pem' >pins
sign_with deep -certfile middle.pem
good 'an authority between, carried along'
sign_with deep
bad 'an authority between that is not carried' T128 \
	'unable to get local issuer'
echo 'alice x509 email:alice@example.org - middle.pem' >pins
good '... but pinned itself'
sign_with alice
bad 'above what is pinned counts for nothing' T128 'unable to get local issuer'
cat root.pem middle.pem >both.pem
echo 'alice x509 email:alice@example.org - both.pem' >pins
good 'two pinned authorities'
printf '%s\n' 'alice x509 email:old@example.org - root.pem' \
	'alice x509 email:alice@example.org - middle.pem' \
	'alice x509 email:alice@example.org - root.pem' >pins
good 'the pin that fits, of several'
printf '%s\n' 'alice x509 email:alice@example.org - root.pem' >pins
cat >sign-program <<-EOF
	#!/bin/sh
	openssl cms -sign -binary -outform PEM -signer "$TMP/alice.pem" \
		-inkey "$TMP/alice.key" | sed 's/ CMS-/ SIGNED MESSAGE-/'
	echo '[GNUPG:] SIG_CREATED ' >&2
EOF
chmod +x sign-program
git init -q repo
git -C repo -c gpg.format=x509 -c gpg.x509.program="$TMP/sign-program" \
	-c user.signingKey=x commit -q -S --allow-empty -m signed
git -C repo cat-file commit HEAD >commit
sed '/^gpgsig/,/END SIGNED/d' commit >commit.payload
sed -n '/^gpgsig/,/END SIGNED/s/^\(gpgsig\)\{0,1\} //p' commit >commit.sig
good 'git commit -S with gpg.format x509' armor=commit.sig \
	payload=commit.payload

# --- how many of what
sign_with alice -nocerts
bad 'no certificate at all (CVE-2026-44310)' T126 \
	"want the signer's certificate, have none"
openssl cms -sign -binary -in payload -signer alice.pem -inkey alice.key \
	-signer rsa.pem -inkey rsa.key -outform DER -out sig.der
armor <sig.der >sig
bad 'two signers' T126 'want exactly one signer, have 2'
sign_with alice -nocerts -certfile rsa.pem
bad "another's certificate only" T126 'is not among those that it carries'
sign_with alice -certfile rsa.pem
bad 'a certificate that has no part' T126 'no part in the chain'
sign_with alice
edit certificate-twice
bad 'the certificate twice' T126 'two certificates could be|CMS'
sign_with alice -nodetach
bad 'content of its own' T126 'content of its own'
openssl crl2pkcs7 -nocrl -certfile alice.pem -outform DER -out sig.der
armor <sig.der >sig
bad 'certificates without a signer' T126 'exactly one signer, have 0|detached'
openssl cms -encrypt -binary -in payload -aes128 -outform DER -out sig.der \
	rsa.pem
armor <sig.der >sig
bad 'another kind of CMS' T126 'want signed data'
: >crl.index
printf '[ca]\ndefault_ca=c\n[c]\ndatabase=crl.index\n' >crl.cnf
openssl ca -config crl.cnf -gencrl -crldays 3 -md sha256 -cert root.pem \
	-keyfile root.key -out crl.pem 2>/dev/null
sign_with alice
openssl asn1parse -inform DER -in sig.der >/dev/null
python3 - <<-'EOF'
	import base64, subprocess, sys
	sys.argv = ["", "same"]
	pem = open("crl.pem").read().split("-----")[2]
	crl = base64.b64decode(pem)
	der = open("sig.der", "rb").read()
	def head(tag, n):
	    return bytes([tag, 0x82]) + n.to_bytes(2, "big")
	def body(d):
	    n = 2 + (d[1] & 0x7f if d[1] & 0x80 else 0)
	    return d[:n], d[n:]
	_, info = body(der)
	oid, rest = info[:11], info[11:]
	_, rest = body(rest)
	_, data = body(rest)
	# behind [0] certificates comes [1] crls
	at = 3
	for _ in range(3):
	    n = data[at + 1]
	    at += 2 + n if n < 0x80 else 2 + (n & 0x7f) + int.from_bytes(
	        data[at + 2:at + 2 + (n & 0x7f)], "big")
	crls = head(0xa1, len(crl)) + crl
	data = data[:at] + crls + data[at:]
	data = head(0x30, len(data)) + data
	data = head(0xa0, len(data)) + data
	open("sig.der", "wb").write(head(0x30, len(oid + data)) + oid + data)
EOF
armor <sig.der >sig
bad 'revocation lists of its own' T126 'carries revocation lists'

# --- bytes
sign_with alice
edit tail
bad 'a byte behind its end' T126 'want DER'
edit long-length
bad 'a length that is not the shortest' T126 'want DER|no CMS'
edit open-outer
bad 'an open length' T126 'want DER'
edit attribute-order
bad 'attributes out of order' T126 'want DER'
edit digest-twice
bad 'a second digest algorithm' T126 'want DER'
sign_with alice -stream -indef
bad 'open lengths as openssl streams them' T126 'want DER|content of its own'
printf 'no CMS at all, no CMS at all, no CMS' | armor >sig
bad 'garbage' T126 'this is no CMS'
sign_with alice
sed 's/SIGNED MESSAGE/CMS/' sig >other
bad "openssl's own armor" T112 'BEGIN SSH' armor=other
sed '2s/^\(....\)/\1\n/' sig >other
bad 'armor wrapped anew' T113 'lines of 64' armor=other
{
	cat sig
	echo text
} >other
bad 'text behind the armor' T113 'nothing else' armor=other
{
	cat sig
	echo
} >other
bad 'an empty line behind the armor' T113 'nothing else' armor=other

# --- each bit of it (A16): what nobody signs has one value
sign_with alice
run "$PINS" armor=sig payload=payload pins=pins flip=1
like "$OUT" '^flipped [0-9]{4,} accepted 0 at$' 'A16 A17 each bit of a signature'
sign_with alice -keyid
run "$PINS" armor=sig payload=payload pins=pins flip=1
like "$OUT" '^flipped [0-9]{4,} accepted 0 at$' \
	'A16 A17 each bit, the signer by key identifier'

# --- attributes
sign_with alice -noattr
bad 'nothing signed but the content' T126 'want the signed attributes'
sign_with alice
edit unsigned-attribute
bad 'an attribute that is not signed' T126 'attributes that are not signed'
edit attribute-twice
bad 'an attribute twice' T126 'is there twice'
edit attribute-values
bad 'an attribute with two values' T126 'want one content type'
sign_with alice -cades
bad 'an attribute that is not known' T126 'not known here'
sign_with alice -econtent_type 1.2.840.113549.1.9.16.1.4
bad 'another type of content' T126 'signature over data'

# --- digests, keys, signature
sign_with alice -md sha1
bad 'SHA-1' T116 'have SHA1'
sign_with rsa -keyopt rsa_padding_mode:pss
bad 'PSS' T116 'RSASSA-PSS|rsassaPss'
key weak 2048
issue weak root "$LEAF_EXT
$SAN"
sign_with weak
bad 'RSA of 2048 bits' T117 '2048 bits'
key koblitz secp256k1
issue koblitz root "$LEAF_EXT
$SAN"
sign_with koblitz
bad 'another curve' T117 'P-256, P-384, P-521'
issue old root "$LEAF_EXT
$SAN" -sha1
sign_with old
bad 'a certificate signed with SHA-1' T128 'too weak'
sign_with alice
edit signature-bit
bad 'a bit of the signature' T118 'certificate SHA256'
sign_with alice
sed s/message/Message/ payload >changed
bad 'another commit' T118 'certificate SHA256' payload=changed
: >empty
bad 'no commit' T118 'certificate SHA256' payload=empty
bad 'an approval' T115 'namespace "reconcile-approval@v1"' \
	namespace=reconcile-approval@v1

# --- who
# named NAME CODE ERE EXTENSIONS: a certificate of the root with those.
named()
{
	rm -f named.key
	issue named root "$4"
	sign_with named
	bad "$1" "$2" "$3"
}
named 'no SAN, the name only in CN' T129 'nobody is pinned as no name' "$LEAF_EXT"
named "another's SAN" T129 'nobody is pinned as email:bob@example.org' \
	"$LEAF_EXT
subjectAltName=email:bob@example.org"
named 'SAN in another case' T129 'email:Alice@example.org' "$LEAF_EXT
subjectAltName=email:Alice@example.org"
named 'SAN of another kind' T129 'uri:alice@example.org' "$LEAF_EXT
subjectAltName=URI:alice@example.org"
named 'SAN as a DNS name' T129 'no name' "$LEAF_EXT
subjectAltName=DNS:alice.example.org"
named 'SAN that only begins so' T129 'alice@example.org.evil' "$LEAF_EXT
subjectAltName=email:alice@example.org.evil"
named 'SAN with a NUL' T129 'x00' "$LEAF_EXT
subjectAltName=DER:3017$(printf '\201\025alice@example.org\000evil' |
	od -An -tx1 | tr -d ' \n' | sed 's/^8115/8115/')"
issue keyless2 root "$KEYLESS"
sign_with keyless2
echo "alice x509 uri:https://ci.example.org/w $ISSUER root.pem" >pins
bad 'no OIDC issuer where one is pinned' T129 'not from the issuer'
issue keyless3 root "$KEYLESS
$(echo "$OIDC" | sed 's/UTF8String:.*/UTF8String:https:\/\/evil.example/')"
sign_with keyless3
bad 'two OIDC issuers that differ' T129 'not from the issuer'
issue keyless4 root "$KEYLESS
1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:${ISSUER}x"
sign_with keyless4
bad 'another OIDC issuer' T129 'not from the issuer'
issue keyless5 root "$KEYLESS
1.3.6.1.4.1.57264.1.8=ASN1:OCTETSTRING:$ISSUER"
sign_with keyless5
bad 'an OIDC issuer of another type' T129 'not from the issuer'

# --- which authority
echo 'alice x509 email:alice@example.org - root.pem' >pins
cp root.pem real.pem
cp root.key real.key
rm -f root.key
issue root - "$CA_EXT"
issue mallory root "$LEAF_EXT
$SAN"
mv root.pem false.pem
cp real.pem root.pem
cp real.key root.key
sign_with mallory
bad 'an authority of the same name' T128 \
	'unable to get local issuer|signature failure'
sign_with mallory -certfile false.pem
bad 'an authority that is only carried' T128 'self.signed|local issuer'
issue self - "$LEAF_EXT
$SAN"
sign_with self
bad 'a certificate of its own making' T128 'self.signed'
issue fake alice "$LEAF_EXT
$SAN"
sign_with fake -certfile alice.pem
bad 'issued by a person' T128 'invalid CA|CA cert'
issue stop root "basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,keyCertSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid"
issue stop2 stop "$CA_EXT"
issue long stop2 "$LEAF_EXT
$SAN"
cat stop.pem stop2.pem >stops.pem
sign_with long -certfile stops.pem
bad 'a longer chain than the authority allows' T128 'path length'
issue limited root "$CA_EXT
nameConstraints=critical,permitted;email:other.example"
issue outside limited "$LEAF_EXT
$SAN"
sign_with outside -certfile limited.pem
bad 'a name outside the constraints' T128 'permitted subtree'
issue odd root "$LEAF_EXT
$SAN
1.2.3.4=critical,ASN1:NULL"
sign_with odd
bad 'a critical extension that nobody knows' T128 'unhandled critical'

# --- what for
use()
{
	named "$1" T127 "$2" "basicConstraints=CA:FALSE
$3
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
$SAN"
}
use 'a certificate for servers' 'emailProtection or codeSigning' \
	'extendedKeyUsage=serverAuth,clientAuth'
use 'a certificate for anything' 'emailProtection or codeSigning' \
	'extendedKeyUsage=anyExtendedKeyUsage'
use 'a certificate that does not say for what' 'emailProtection or codeSigning' ''
use 'a key for encryption' 'digitalSignature' \
	'keyUsage=critical,keyEncipherment
extendedKeyUsage=emailProtection'
issue boss root "$CA_EXT
extendedKeyUsage=emailProtection
$SAN"
sign_with boss
bad 'an authority signs itself' T127 'authority itself'

# --- when
issue_at gone root "$LEAF_EXT
$SAN" $((-9 * DAY)) $((-5 * DAY))
sign_with gone
bad 'expired before the commit' T133 "expired .the signer's"
bad 'expired, a commit dated before' T133 'a new commit: certificate has expired' \
	when=$((NOW - 6 * DAY))
good 'accepted before it expired' when=$((NOW - 6 * DAY)) accepted=1
issue_at early root "$LEAF_EXT
$SAN" "$DAY" $((5 * DAY))
sign_with early
bad 'not valid yet' T133 'not yet valid'
issue_at tired root "$CA_EXT" $((-9 * DAY)) $((-5 * DAY))
issue fresh tired "$LEAF_EXT
$SAN"
sign_with fresh -certfile tired.pem
bad 'an authority between that expired' T133 "an authority's"
sign_with alice
bad 'dated in the future' T125 'ahead' when=$((NOW + DAY))
echo "alice x509 email:alice@example.org - root.pem 0 $((NOW - DAY))" >pins
bad 'outside the window of the pin' T123 'outside the validity'
bad 'outside the window of the pin now' T124 'not valid now' \
	when=$((NOW - 2 * DAY)) now="$NOW"

# --- revoked
echo 'alice x509 email:alice@example.org - root.pem' >pins
echo "SHA256:$FP" >revoked
sign_with alice
bad 'revoked by the certificate' T122 "$(echo "SHA256:$FP" | tr '+/' '..')" \
	revoked=revoked
bad 'revoked: also what was accepted' T122 'certificate SHA256' \
	revoked=revoked accepted=1
sign_with deep -certfile middle.pem
good 'another certificate is not' revoked=revoked
echo "SHA256:$(openssl x509 -in middle.pem -outform DER |
	openssl dgst -sha256 -binary | openssl base64 | tr -d =)" >revoked
bad 'revoked by the authority between' T122 '1 of the chain' revoked=revoked
SERIAL=$(openssl x509 -in alice.pem -noout -serial | cut -d= -f2 |
	tr '[:upper:]' '[:lower:]')
echo "id: $SERIAL" >revoked
sign_with alice
bad 'revoked by its serial in hex' T122 "serial $SERIAL" revoked=revoked
issue small root "$LEAF_EXT
$SAN" -set_serial 4711
sign_with small
echo 'serial: 4700-4800' >revoked
bad 'revoked by its serial' T122 'serial 1267' revoked=revoked
echo "sha256:$(openssl dgst -sha256 -r payload | cut -d' ' -f1)" >revoked
bad 'denied by what was signed' T105 'signed bytes are denied' revoked=revoked

# --- what may be pinned
pinned()
{
	echo "alice x509 email:alice@example.org - $4" >pins
	bad "$1" "$2" "$3"
}
sign_with alice
cat root.key root.pem >mixed.pem
pinned 'a key beside the authority' T127 'PEM certificates alone' mixed.pem
pinned 'no certificate' T127 'PEM certificates alone|cannot be read' empty
pinned 'a person instead of an authority' T127 'CA:TRUE' alice.pem
key weakca 2048
issue weakca - "$CA_EXT"
pinned 'an authority with a short key' T117 '2048 bits' weakca.pem
sed '5s/./#/' root.pem >broken.pem
pinned 'a broken certificate' T127 'cannot be read' broken.pem

# --- gpgsm, the program that git takes when nobody says otherwise
if command -v gpgsm >/dev/null && command -v gpg-agent >/dev/null; then
	GNUPGHOME=$TMP/gnupg
	export GNUPGHOME
	mkdir -m 700 "$GNUPGHOME"
	at_exit stop_agent
	stop_agent() { gpgconf --kill all; }
	printf x >pw
	openssl pkcs12 -export -legacy -keypbe PBE-SHA1-3DES \
		-certpbe PBE-SHA1-3DES -macalg sha1 -in rsa.pem -inkey rsa.key \
		-certfile root.pem -out rsa.p12 -passout pass:x
	echo "$(openssl x509 -in root.pem -noout -fingerprint -sha1 |
		cut -d= -f2) S relax" >"$GNUPGHOME/trustlist.txt"
	sm()
	{
		gpgsm --batch --pinentry-mode loopback --passphrase-fd 3 "$@" \
			3<pw 2>>gpgsm.log
	}
	# on a busy machine the agent may not be up in time
	gpgsm_signs()
	{
		sm --import rsa.p12
		sm --disable-crl-checks -u alice@example.org --armor \
			--detach-sign --yes -o gpgsm.sig payload
	}
	wait_for 20 gpgsm_signs || diag "$(cat gpgsm.log)"
	echo 'alice x509 email:alice@example.org - root.pem' >pins
	good 'gpgsm' armor=gpgsm.sig
	run "$PINS" armor=gpgsm.sig payload=payload pins=pins flip=1
	like "$OUT" '^flipped [0-9]{4,} accepted 0 at$' \
		'A16 A17 each bit of a signature by gpgsm'
	sed '1d;$d' gpgsm.sig | openssl base64 -d >gpgsm.der
	{
		cat gpgsm.der
		printf '\000\000'
	} | armor >sig
	bad 'gpgsm and two bytes more' T126 'want DER'
	bad 'gpgsm, another commit' T118 'certificate SHA256' armor=gpgsm.sig \
		payload=changed
else
	skip 'A17 gpgsm' 'gpgsm and gpg-agent are not installed'
fi
finish
