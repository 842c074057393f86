#!/bin/bash
# fetch_tls.t - who the git server is (A67): nginx with certificates that are
# wrong in one way each; the pinned key.
# Seen red: GUARD_OFF_TLS_CHAIN, _TLS_NAME, _TLS_SUBJECT, _TLS_VERSION,
# _SERVER_KEY.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
. "$(dirname "$0")/../integration/git_server.sh"
trust_setup
git_server_begin
git_authority ca
git_authority stranger
R=$TMP/repo
new_repo "$R"
TIP=$(head_of "$R")
git_publish "$R" repo.git

# One row: certificate, authority, names in it, further options of openssl-x509.
PORTS=$(git_ports 16)
port_of() { eval "echo \$PORT_$1"; }
add()
{
	_cert=$1
	set -- $PORTS
	eval "PORT_$_cert=$1"
	shift
	PORTS=$*
	git_server_add "$(port_of "$_cert")" "${CERT:-$_cert}" "${LINES_OF:-}"
}
while read -r NAME CA SAN REST; do
	[ "$SAN" != - ] || SAN=
	# shellcheck disable=SC2086
	git_certificate "$NAME" "$CA" "$SAN" $REST ||
		skip_all "openssl does not make $NAME"
	add "$NAME"
done <<EOF
good ca DNS:localhost,IP:127.0.0.1
unknown stranger DNS:localhost,IP:127.0.0.1
othername ca DNS:git.example,IP:127.0.0.2
address ca IP:127.0.0.1
name ca DNS:localhost
addressasname ca DNS:127.0.0.1
nameless ca -
partial ca DNS:local*
expired ca DNS:localhost -days -1
EOF
# for clients only; not an authority, but signs
printf 'subjectAltName=DNS:localhost\nextendedKeyUsage=clientAuth\n' \
	>"$TMP/client.ext"
openssl x509 -req -in "$TMP/good.csr" -CA "$TMP/ca.pem" -CAkey "$TMP/ca.key" \
	-CAcreateserial -extfile "$TMP/client.ext" -days 30 \
	-out "$TMP/client.pem" 2>/dev/null
cp "$TMP/good.key" "$TMP/client.key"
add client
git_certificate leaf good DNS:localhost,IP:127.0.0.1
cat "$TMP/good.pem" >>"$TMP/leaf.pem"
add leaf
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$TMP/own.key" -out "$TMP/own.pem" -days 30 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost 2>/dev/null
add own
CERT=good LINES_OF="ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;" add tls11
CERT=good LINES_OF="ssl_protocols TLSv1.2;" add tls12
CERT=good LINES_OF="ssl_protocols TLSv1.3;" add tls13
git_server_start

# fetch NAME ERE ACT HOST CERTIFICATE [NAME=VALUE...]
fetch()
{
	_name=$1 _ere=$2 _act=$3 _host=$4 _port=$(port_of "$5")
	shift 5
	run "$ASK" "$BIN" "$_act" "$@" url="https://$_host:$_port/repo.git" \
		ref="$REF" store="$TMP/store.git" ca="$TMP/ca.pem" timeout=20000
	like "$OUT" "$_ere" "$_name"
}
both()
{
	_n=$1 _e=$2
	shift 2
	fetch "$_n" "$_e" mirror "$@"
	fetch "$_n, a look" "$_e" poll "$@"
}

fetch 'by name' "^head $TIP" mirror localhost good
fetch 'by address' "^head $TIP" mirror 127.0.0.1 good
fetch 'a name alone' "^head $TIP" poll localhost name
fetch 'an address alone' "^head $TIP" poll 127.0.0.1 address
fetch 'TLS 1.2' "^head $TIP" poll localhost tls12
fetch 'TLS 1.3' "^head $TIP" poll localhost tls13
fetch 'its own certificate, pinned' "^head $TIP" poll localhost own \
	ca="$TMP/own.pem"

both 'A67 an authority that is not pinned' \
	'^error TRUST .*certificate.*repository.ca_file' localhost unknown
both 'A67 an authority of the system, which is not asked' \
	'^error TRUST .*certificate' localhost good ca="$TMP/stranger.pem"
both 'A67 self-signed' '^error TRUST .*self-signed' localhost own
both 'A67 another name' '^error TRUST .*mismatch' localhost othername
both 'A67 another address' '^error TRUST .*mismatch' 127.0.0.1 othername
both 'A67 by name, an address in the certificate' '^error TRUST .*mismatch' \
	localhost address
both 'A67 by address, a name in the certificate' '^error TRUST .*mismatch' \
	127.0.0.1 name
both 'A67 by address, the address as a name' '^error TRUST .*mismatch' \
	127.0.0.1 addressasname
both 'A67 a common name alone' '^error TRUST .*mismatch' localhost nameless
both 'A67 a part of a name and a star' '^error TRUST .*mismatch' localhost \
	partial
both 'A67 expired' '^error TRUST .*expired' localhost expired
both 'A67 for clients only' '^error TRUST .*purpose' localhost client
both 'A67 signed by who is no authority' '^error TRUST .*certificate' \
	localhost leaf
both 'A67 TLS 1.1' '^error (TRUST|AGAIN) .*(version|protocol|SSL)' localhost \
	tls11

# --- the pinned key
GOOD=$(server_key good) OTHER=$(server_key own)
fetch 'A67 the pinned key' "^head $TIP" poll localhost good pin="$GOOD"
fetch 'A67 one of two' "^head $TIP" mirror localhost good pin="$OTHER;$GOOD"
both 'A67 another key' '^error TRUST .*repository.server_key' localhost good \
	pin="$OTHER"
cp "$TMP/good.pem" "$TMP/pin.pem"
for PIN in "$TMP/pin.pem" "sha256//" "sha256//x=" "$GOOD;" ";$GOOD" "$GOOD $GOOD" \
	"sha1//$GOOD" "${GOOD%=}"; do
	fetch "A67 a pin that is none: ${PIN##*/}" \
		'^error INPUT repository.server_key: want' poll localhost good \
		pin="$PIN"
done

# --- the pinned authority
: >"$TMP/empty.pem"
echo 'no certificate' >"$TMP/junk.pem"
fetch 'A67 no authority' '^error INPUT .*repository.ca_file' poll localhost \
	good ca=
fetch 'A67 an empty one' '^error INPUT .*empty' poll localhost good \
	ca="$TMP/empty.pem"
fetch 'A67 a file of something else' '^error TRUST .*' poll localhost good \
	ca="$TMP/junk.pem"
fetch 'A67 a missing one' '^error NOTFOUND .*ca_file' poll localhost good \
	ca="$TMP/none.pem"
fetch 'A67 a folder of them' '^error (INPUT|SYS) .*ca_file' poll localhost \
	good ca="$TMP"

# --- a server without TLS where TLS is spoken
cat >"$TMP/plain.py" <<'P'
import http.server, os, sys
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
with open(sys.argv[1] + "/plain.new", "w") as f:
    f.write(str(s.server_address[1]))
os.rename(sys.argv[1] + "/plain.new", sys.argv[1] + "/plain.port")
s.serve_forever()
P
python3 "$TMP/plain.py" "$TMP" 2>/dev/null &
PLAIN_PID=$!
plain_stop() { kill "$PLAIN_PID"; }
at_exit plain_stop
wait_for 10 test -s "$TMP/plain.port"
PORT_plain=$(cat "$TMP/plain.port")
both 'A67 a server without TLS' '^error TRUST .*(wrong version|SSL)' localhost \
	plain
finish
