#!/bin/sh
# channel_tls.t - who must not get through the handshake of reconcile-channel,
# by OpenSSL's own client and hand-made certificates (P01 to P08, P11, A78).
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/channel_lib.sh"

need_channel
tmpdir
ch_pki
ch_start --rate 1000
core_start

# refused NAME CERT REASON [OPTION...]: no session, and the log says why.
refused()
{
	_what=$1 _c=$2 _want=$3
	shift 3
	: >"$TMP/ch.log"
	client "$_c" -ign_eof "$@" </dev/null
	if wait_for 5 has ch.log "event=channel.denied .*$_want" &&
		! has ch.log 'event=host.up'; then
		ok "$_what"
	else
		not_ok "$_what" "want denied: $_want
have: $(grep -v core "$TMP/ch.log")
$(printf '%s\n' "$OUT" | grep -i -E 'error|alert' | head -n 3)"
	fi
}

# A good one first: the same client is let in, so that what follows is refused
# for the reason that it names.
SAN=URI:spiffe://demo/host/host-a
hand good "$SAN"
"$TOOL" frame hello 7 >"$TMP/hello"
hold good "$TMP/hello"
soon core.out '^up host=host-a' "a good certificate is let in"
soon core.out '^frame host=host-a type=1' "and its Hello heard"
drop

# --- P01 -----------------------------------------------------------------------
mkdir "$TMP/otherca" "$TMP/otherpki"
"$TOOL" ca "$TMP/otherca" demo
refused "P01 no certificate" "" 'peer did not return a certificate'
CA=$TMP/otherca hand foreign "$SAN"
refused "P01 certificate of another CA" foreign 'certificate: '
openssl req -new -x509 -key "$TMP/good.key" -subj /CN=host-a -days 1 \
	-addext "subjectAltName=$SAN" -addext extendedKeyUsage=clientAuth \
	-out "$TMP/self.pem" 2>/dev/null
cp "$TMP/good.key" "$TMP/self.key"
refused "P01 self-signed certificate" self 'certificate: self-signed'
(cd "$TMP" && "$TOOL" issue ca host-a 60 900 expired >/dev/null &&
	"$TOOL" issue ca host-a 600 -90000 future >/dev/null)
refused "P01 expired certificate" expired 'certificate has expired'
refused "P01 certificate that is not valid yet" future 'certificate is not yet valid'
(cd "$TMP" && "$TOOL" issue ca host-a 600 0 revoked >revoked.serial)
"$TOOL" crl "$TMP/ca" "$TMP/pki" 3600 "$(cat "$TMP/revoked.serial")"
core_say reload
soon core.out '^reloaded ok=1' "a list with one revoked certificate is read"
refused "P01 revoked certificate" revoked 'certificate revoked'

(cd "$TMP" && "$TOOL" issue ca host-s 4 0 short >/dev/null)
hold short "$TMP/hello"
soon core.out '^up host=host-s' "P01 a certificate of 4 s"
soon core.out '^down host=host-s code=EXPIRED' "P01 its session ends with it"
drop

# --- P02 -----------------------------------------------------------------------
: >"$TMP/ch.log"
hold good "$TMP/hello" -sess_out "$TMP/session"
soon ch.log 'event=host.up' "P02 a session"
drop
OUT=$(cat "$TMP/held.out")
[ ! -s "$TMP/session" ] && ok "P02 no session to resume is given" ||
	not_ok "P02 no session to resume is given" "a session file"
unlike "$OUT" 'Post-Handshake New Session Ticket' "P02 no ticket"
like "$OUT" '^Early data was not sent|Max Early Data: 0|Early data' \
	"P06 no early data"

# --- P03 -----------------------------------------------------------------------
hand dns "DNS:host-a"
refused "P03 a DNS name" dns 'want a URI name'
hand two "$SAN,URI:spiffe://demo/host/host-b"
refused "P03 two names" two 'want one name, have 2'
hand upper "URI:spiffe://demo/host/Host-A"
refused "P03 a name that is not canonical" upper 'not canonical'
hand star "URI:spiffe://demo/host/*"
refused "P03 a wildcard" star 'not canonical'
hand manager "URI:spiffe://demo/manager"
refused "P03 the manager's name" manager "not a host's SPIFFE id"
hand domain "URI:spiffe://other/host/host-a"
refused "P04 a name of another trust domain" domain 'another trust domain'
hand cn "otherName:1.2.3.4;UTF8:host-a"
refused "P03 only a common name" cn 'want a URI name'

# --- P04 -----------------------------------------------------------------------
hand server "$SAN" serverAuth
refused "P04 a server's certificate" server 'certificate: unsu|clientAuth'
hand both "$SAN" clientAuth,serverAuth
refused "P04 a certificate for both sides" both 'not clientAuth alone'
hand code "$SAN" codeSigning
refused "P04 a code signer's certificate" code 'certificate: unsu|clientAuth'
hand aca "$SAN" clientAuth "critical,CA:TRUE"
refused "P04 a CA as a host" aca 'may be used as a CA|path length'
mkdir "$TMP/subca"
cp "$TMP/aca.pem" "$TMP/subca/ca.pem"
cp "$TMP/aca.key" "$TMP/subca/ca.key"
CA=$TMP/subca hand below "$SAN"
refused "P04 a certificate below a host's" below 'certificate: ' \
	-cert_chain "$TMP/aca.pem"

# --- P06, A78 ------------------------------------------------------------------
refused "P06 A78 TLS 1.2" good 'unsupported protocol|version' -tls1_2
refused "P06 group P-384 alone" good 'no suitable|handshake' -groups P-384
refused "P06 group ffdhe2048 alone" good 'no suitable|handshake' -groups ffdhe2048
refused "P06 signature algorithm RSA alone" good \
	'no suitable signature|no shared signature' -sigalgs RSA-PSS+SHA256
KEYALG='-algorithm RSA -pkeyopt rsa_keygen_bits:2048' hand rsa "$SAN"
refused "P06 an RSA certificate" rsa 'peer did not return|signature|TLS: '
KEYALG='-algorithm EC -pkeyopt ec_paramgen_curve:P-384' hand p384 "$SAN"
refused "P06 a P-384 certificate" p384 'peer did not return|key is not EC P-256|TLS: '
ALPN=h2 refused "no protocol of ours" good 'unknown application protocol'
ALPN=reconcile/1,reconcile-join/1 refused "two protocols at once" good \
	'unknown application protocol'
: >"$TMP/ch.log"
timeout 10 openssl s_client -connect "127.0.0.1:$PORT" -cert "$TMP/good.pem" \
	-key "$TMP/good.key" -ign_eof </dev/null >/dev/null 2>&1
soon ch.log 'denied .*no application protocol' "no protocol at all"

# --- joining has no other rights ---------------------------------------------------
: >"$TMP/ch.log"
ALPN=reconcile-join/1
hold "" "$TMP/hello"
soon ch.log 'denied .*Hello: not in this state of the session' \
	"K15 without a certificate there is nothing but a join"
drop
ALPN=reconcile/1
unlike "$(cat "$TMP/ch.log")" 'event=host.up' "K15 and no host is up"

# --- P05 ---------------------------------------------------------------------------
"$TOOL" crl "$TMP/ca" "$TMP/pki" -10
: >"$TMP/core.out"
core_say reload
soon core.out '^reloaded' "a list that has ended is read"
refused "P05 nobody is let in with it" good 'CRL has expired'
rm "$TMP/pki/crl.pem"
: >"$TMP/core.out"
core_say reload
soon core.out '^reloaded ok=0 .*crl.pem' "P05 a missing list is reported"
client good -ign_eof </dev/null
unlike "$(cat "$TMP/ch.log")" 'event=host.up' "P05 nobody is let in without it"
"$TOOL" crl "$TMP/ca" "$TMP/pki" 3600
: >"$TMP/core.out"
core_say reload
soon core.out '^reloaded ok=1' "a good list opens again"
hold good "$TMP/hello"
soon ch.log 'event=host.up host=host-a' "and hosts are let in"
drop

# --- P11 ---------------------------------------------------------------------------
i=0
: >"$TMP/chain.pem"
while [ $i -lt 120 ]; do
	cat "$TMP/aca.pem" >>"$TMP/chain.pem"
	i=$((i + 1))
done
refused "P11 a chain of 70 kB" good 'excessive message size|too long|TLS: ' \
	-cert_chain "$TMP/chain.pem"
: >"$TMP/ch.log"
python3 - "$PORT" <<'PY' &
import socket, sys
s = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(20)]
for c in s:
    try:
        c.recv(1)
    except OSError:
        pass
PY
SLOW=$!
soon ch.log 'denied .*handshake took too long' \
	"P11 a handshake that does not come is ended"
wait "$SLOW"
[ "$(count ch.log 'handshake took too long')" -ge 20 ] &&
	ok "P11 each of them" || not_ok "P11 each of them"

# --- P08 ---------------------------------------------------------------------------
core_stop
ch_stop
cat >"$TMP/evil.cnf" <<'CNF'
openssl_conf = a
[a]
ssl_conf = b
[b]
system_default = c
[c]
MinProtocol = TLSv1
MaxProtocol = TLSv1.2
CipherString = DEFAULT@SECLEVEL=0
CNF
export OPENSSL_CONF="$TMP/evil.cnf" SSLKEYLOGFILE="$TMP/keylog" \
	SSL_CERT_FILE="$TMP/otherca/ca.pem" SSL_CERT_DIR="$TMP/otherca"
ch_start
unset OPENSSL_CONF SSLKEYLOGFILE SSL_CERT_FILE SSL_CERT_DIR
refused "P08 a hostile environment does not bring TLS 1.2 back" good \
	'unsupported protocol|version' -tls1_2
refused "P08 nor another CA" foreign 'certificate: '
hold good "$TMP/hello"
soon ch.log 'event=host.up host=host-a' "P08 good ones still get in"
drop
[ ! -e "$TMP/keylog" ] && ok "P08 no key log" || not_ok "P08 no key log"

# --- T02, P11 ----------------------------------------------------------------------
ch_stop
ch_start --rate 2
python3 - "$PORT" >"$TMP/rate" <<'PY'
import socket, sys
refused = 0
for _ in range(20):
    c = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    c.settimeout(0.3)
    try:
        refused += c.recv(1) == b""
    except ConnectionResetError:
        refused += 1
    except TimeoutError:
        pass
print(refused)
PY
[ "$(cat "$TMP/rate")" -ge 10 ] &&
	ok "T02 P11 an address that connects too often is turned away" ||
	not_ok "T02 P11 an address that connects too often is turned away" \
		"$(cat "$TMP/rate") of 20"

# --- P10 ---------------------------------------------------------------------------
for p in reconcile-channel reconcile-link; do
	unlike "$(nm -D --undefined-only "$BIN/$p")" \
		' (CMS_|PKCS7_|PKCS12_|OSSL_CMP|TS_|DTLS)' "P10 $p imports none of them"
done
finish
