#!/bin/sh
# trust_persons.t - people of a trust policy by each kind of key that it knows,
# in a real repository: SSH certificates, hardware keys (done in software), X.509
# by openssl, OpenPGP by gpg; windows and revocations (A4, A6, A12, A31).
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
. "$(dirname "$0")/people_lib.sh"
need_program openssl gpg gpgconf gpg-agent sqv "$BIN/reconcile-openpgp"
people_setup
make_key ca
make_key otherca
make_key over
forge_key sk-ed25519 frank
GNUPGHOME=$TMP/gnupg
export GNUPGHOME
mkdir -m 700 "$GNUPGHOME"
stop_agent() { gpgconf --kill all; }
at_exit stop_agent
cd "$TMP" || exit 1

# --- the people
gpg --batch --quiet --passphrase '' --quick-gen-key 'erin <erin@example.org>' \
	ed25519 sign never 2>gpg.log
ERIN=$(gpg --batch --with-colons --list-keys erin 2>/dev/null |
	awk -F: '/^fpr/ { print $10; exit }')
gpg --batch --armor --export erin >erin.asc 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout xca.key -out xca.pem -days 20 -subj /CN=xca \
	-addext basicConstraints=critical,CA:TRUE \
	-addext keyUsage=critical,keyCertSign 2>openssl.log
# x509 NAME SAN: NAME.pem by the authority
x509()
{
	printf '%s\n' 'basicConstraints=CA:FALSE' \
		'keyUsage=critical,digitalSignature' \
		'extendedKeyUsage=emailProtection' \
		'subjectKeyIdentifier=hash' 'authorityKeyIdentifier=keyid' \
		"subjectAltName=$2" >"$1.ext"
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$1.key" -out "$1.csr" -subj "/CN=$1" 2>>openssl.log
	openssl x509 -req -in "$1.csr" -CA xca.pem -CAkey xca.key \
		-CAcreateserial -days 10 -extfile "$1.ext" -out "$1.pem" \
		2>>openssl.log
}
x509 dave email:dave@example.org
x509 eve email:eve@example.org
# What git calls to sign by X.509: the signer is the last argument.
cat >cms-program <<END
#!/bin/sh
for S; do :; done
echo '-----BEGIN SIGNED MESSAGE-----'
openssl cms -sign -binary -outform DER -signer "$TMP/\$S.pem" \\
	-inkey "$TMP/\$S.key" | openssl base64
echo '-----END SIGNED MESSAGE-----'
echo '[GNUPG:] SIG_CREATED ' >&2
END
chmod +x cms-program

indent() { sed "s/^/          /" "$1"; }

# policy DIR VERSION [SED]
policy()
{
	mkdir -p "$1/.reconcile"
	sed "${3:-}" >"$1/.reconcile/trust.yaml" <<END
apiVersion: reconcile/v1alpha1
kind: TrustPolicy
metadata: {name: trust}
spec:
  version: $2
  expires: "2099-01-01T00:00:00Z"
  people:
  - name: alice@example.org
    keys: [{ssh: $(pub alice)}, {ssh: $(pub over), validBefore: "2020-01-01T00:00:00Z"}]
  - name: carol@example.org
    keys: [{sshCertificateAuthority: $(pub ca), principals: [carol, c.smith]}, {ssh: $(pub carol)}]
  - name: bob@example.org
    keys: [{sshCertificateAuthority: $(pub ca), principals: [bob]}]
  - name: dave@example.org
    keys:
    - x509:
        identity: email:dave@example.org
        authority: |
$(indent xca.pem)
  - name: erin@example.org
    keys:
    - openpgp:
        fingerprint: $ERIN
        certificate: |
$(indent erin.asc)
  - name: frank@example.org
    keys: [{ssh: $(pub frank), noTouchRequired: true}]
  roles:
  - name: all
    people: [alice@example.org, bob@example.org, carol@example.org, dave@example.org, erin@example.org, frank@example.org]
  root: {people: [alice@example.org]}
  rules:
  - {paths: [".reconcile/**"], people: [alice@example.org]}
  - {paths: ["manifests/touch/**"], people: [frank@example.org, alice@example.org], require: [Touch]}
  - {paths: ["manifests/pin/**"], people: [frank@example.org], require: [PIN]}
  - {paths: ["manifests/two/**"], roles: [all], threshold: 2}
  - {paths: ["manifests/**"], roles: [all]}
  revocations:
    asOf: "2026-11-28T00:00:00Z"
    keys: [] # here
END
}

R=$TMP/repo
git init -q -b main "$R"
git -C "$R" config gpg.format ssh
write_policy "$R"
policy "$R" 1
put "$R" manifests/config.yaml first
as alice "$R"
BASE=$(head_of "$R")
FIRST="signers= revoked= policy=$(trust_digest "$R")"

# step PATH WHO [GIT-OPTION...]: a commit that changes PATH
step()
{
	_path=$1 _by=$2
	shift 2
	put "$R" "$_path" "$_by"
	git -C "$R" add -A
	git -C "$R" -c user.signingKey="$_by" "$@" commit -q -S -m step \
		2>"$TMP/.commit" || diag "$(cat "$TMP/.commit")"
}
back()
{
	git -C "$R" reset -q --hard "$BASE"
}
# good NAME WHO [ASK...] / bad NAME CODE ERE [ASK...]; then back to the base
good()
{
	_n=$1 _who=$2
	shift 2
	# shellcheck disable=SC2086
	accepts "$_n" "$R" "$(head_of "$R")" accepted="$BASE" "$@" $FIRST
	like "$OUT" "signer=$_who@example.org" "$_n: the person is named"
	back
}
bad()
{
	_n=$1 _c=$2 _e=$3
	shift 3
	# shellcheck disable=SC2086
	refuses "$_n" "$_c" "$_e" "$R" "$(head_of "$R")" accepted="$BASE" \
		"$@" $FIRST
	back
}

# --- SSH certificates: the principal is theirs, the person is ours
# cert NAME AUTHORITY SSH-KEYGEN-OPTION...
cert()
{
	_n=$1 _ca=$2
	shift 2
	canary_may "$_n" "$_n.pub"
	cp bob "$_n"
	cp bob.pub "$_n.pub"
	ssh-keygen -q -s "$_ca" -I "id-$_n" "$@" "$_n.pub"
	mv "$_n-cert.pub" "$_n.pub"
}
cert c1 ca -n c.smith
step manifests/a.yaml "$TMP/c1.pub"
good 'a certificate' carol
cert c2 ca -n bob
step manifests/a.yaml "$TMP/c2.pub"
good 'the same authority for another person' bob
cert c3 ca -n carol@example.org
step manifests/a.yaml "$TMP/c3.pub"
bad 'A11 the name of a person is no principal of hers' T132 \
	'no principal of the certificate fits'
cert c4 otherca -n carol
step manifests/a.yaml "$TMP/c4.pub"
bad 'A11 a certificate of an authority that is not pinned' T120 'SHA256:'
step manifests/two/a.yaml "$TMP/c1.pub"
TIP=$(head_of "$R")
approve carol "$R" "$BASE" "$TIP"
git -C "$R" add -A
git -C "$R" -c user.signingKey="$TMP/carol.pub" commit -q -S -m approve
bad 'A31 her certificate and her key are one person' T190 \
	'want 2 .*have carol@example.org; could: alice@example.org, bob'

# --- hardware keys
# hardware FLAGS PATH: 0 nothing, 1 touched, 5 touched and PIN
hardware()
{
	signer_program git sk-ed25519 "$1"
	step "$2" "$TMP/frank.pub" -c gpg.ssh.program="$TMP/sign-program"
}
hardware 1 manifests/touch/a.yaml
good 'touched, where that is required' frank
hardware 5 manifests/pin/a.yaml
good 'with PIN, where that is required' frank
hardware 0 manifests/a.yaml
good 'not touched, where nothing is required' frank
hardware 0 manifests/touch/a.yaml
bad 'A12 not touched, where it is required' T190 \
	'rules\[1\]: want 1 .*have nobody; could: frank@example.org'
hardware 1 manifests/pin/a.yaml
bad 'A12 touched, where a PIN is required' T190 'rules\[2\]: want 1'
step manifests/touch/a.yaml "$TMP/alice.pub"
bad 'A12 a key that is no hardware, where it is required' T190 \
	'have nobody; could: frank@example.org'

# --- X.509 and OpenPGP
CMS="-c gpg.format=x509 -c gpg.x509.program=$TMP/cms-program"
PGP='-c gpg.format=openpgp'
# shellcheck disable=SC2086
{
	step manifests/a.yaml dave $CMS
	good 'A17 X.509' dave
	step manifests/a.yaml eve $CMS
	bad 'A17 X.509 of somebody else by the same authority' T129 \
		'nobody is pinned as email:eve@example.org'
	step manifests/touch/a.yaml dave $CMS
	bad 'X.509 shows no touch' T190 'rules\[1\]'
	step manifests/a.yaml "$ERIN" $PGP
	good 'A18 OpenPGP' erin openpgp=1
	step manifests/a.yaml "$ERIN" $PGP
	bad 'OpenPGP, where it is not turned on' T138 'switched off'
}

# --- windows
step manifests/a.yaml "$TMP/over.pub"
bad 'A6 a key that is over' T12[34] 'alice@example.org'
GIT_COMMITTER_DATE='2019-06-01T00:00:00Z'
export GIT_COMMITTER_DATE
step manifests/a.yaml "$TMP/over.pub"
unset GIT_COMMITTER_DATE
bad 'A7 ... also dated back' T124 'not valid now'

# --- revoked in the policy: by the next step it counts for nothing
# revoke NAME FINGERPRINT GIT-OPTION...: revoked, then used
revoke()
{
	_fp=$1
	shift
	back
	policy "$R" 2 "s|keys: \\[\\] # here|keys: [{fingerprint: \"$_fp\"}]|"
	as alice "$R"
	step manifests/a.yaml "$@"
}
print_of() { ssh-keygen -lf "$TMP/$1.pub" | cut -d' ' -f2; }
revoke "$(print_of carol)" "$TMP/carol.pub"
bad 'A4 a revoked key' T122 'carol@example.org'
revoke "$(print_of ca)" "$TMP/c1.pub"
bad 'A4 a revoked authority takes its certificates with it' T122 'certificate'
# shellcheck disable=SC2086
{
	revoke "$ERIN" "$ERIN" $PGP
	bad 'A4 a revoked OpenPGP certificate' T122 "$ERIN" openpgp=1
	revoke "SHA256:$(openssl x509 -in dave.pem -outform DER |
		openssl dgst -sha256 -binary | openssl base64 | tr -d =)" dave $CMS
	bad 'A4 a revoked X.509 certificate' T122 'SHA256:'
}
# A commit on a branch is denied by what was signed, however it is signed again.
back
step manifests/a.yaml "$TMP/carol.pub"
DENIED=$(git -C "$R" cat-file commit HEAD |
	sed '/^gpgsig /d; /^ /d' | sha256sum | cut -c1-64)
git -C "$R" branch -f side
back
policy "$R" 2 "s|keys: \\[\\] # here|payloads: [\"sha256:$DENIED\"]|"
as alice "$R"
git -C "$R" -c user.signingKey="$TMP/alice" merge -q --no-ff -S -m merge side
bad 'A16 a merged commit that the policy denies' T105 "$DENIED"

# --- a proposal says all that is wrong with the policy, at its place
back
policy "$R" 2 's/people: .alice@example.org, bob/people: [alice@example.or, bob/; s/PIN/Pin/'
as alice "$R"
ask_verify "$R" HEAD mode=proposal accepted="$BASE" signers= revoked= id= ref=
like "$OUT" '^verdict REFUSED_MANIFEST' 'a broken policy is a fault of its author'
like "$OUT" "^diag M309 .reconcile/trust.yaml:[0-9]+:[0-9]+ 'alice@example.or' is not" \
	'... with its place'
like "$OUT" '^diag M208 .reconcile/trust.yaml:.*have string .Pin' '... and the next'
like "$OUT" '^by .* T182 ' '... and trust says so too'
finish
