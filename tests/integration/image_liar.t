#!/bin/sh
# image_liar.t - what reconcile-pull does with registries that lie, stall,
# redirect or ask for credentials (threats E46, E47, E48, E10, E22, E25, E70),
# and with TLS: authorities, passwords.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/image_lib.sh"

need_root
need_userns
image_need
tmpdir
at_exit image_stop

python3 "$TOP/tests/integration/image_liar.py" "$TMP" >"$TMP/liar.out" 2>&1 &
WEB_PIDS=$!
wait_for 10 test -s "$TMP/ports" || skip_all "the liar does not start"
read -r home other <"$TMP/ports"
at=127.0.0.1:$home/case
SEEN=$TMP/seen
: >"$SEEN"
N=0

# pull CASE [option...]: into a store of its own; all that it says is kept.
pull()
{
	N=$((N + 1))
	_c=$1
	shift
	_st=0
	image ensure "$TMP/store.$N" "$BIN" "$at/$_c:v1" http=1 "$@" \
		>"$TMP/.o" 2>"$TMP/.e" || _st=$?
	cat "$TMP/.o" "$TMP/.e" >>"$SEEN"
	cat "$TMP/.o"
	cat "$TMP/.e" >&2
	return "$_st"
}

# refused NAME STATUS ERE CASE [option...]: and nothing is left.
refused()
{
	fails "$@"
}

good()
{
	succeeds "$1" pull "$2"
}

good "a good image" good
good "index: the platform without a variant" index
good "media type from the header alone" type-header-only
good "E10 labels mean nothing" labels
good "E48 a layer with urls is fetched from the registry" urls
is "$(cat "$TMP/other.log")" "" "E48 urls are never fetched"

while read -r status case want; do
	[ -n "$case" ] || continue
	fails "$case" "$status" "$want" pull "${case#*:}"
done <<'L'
7 index-none NOTFOUND: .*no manifest for linux/amd64; has linux/arm64, win\\x1b\[2J/amd64
3 E46:index-nested INPUT: .*(manifests|another index|want)
3 E46:both INPUT: .*has both "manifests" and "layers"
3 E46:neither INPUT: .*has neither "manifests" nor "layers"
3 E46:type-mismatch INPUT: .*Content-Type .* is not the document's mediaType
3 E46:type-missing INPUT: .*media type is missing
3 E46:schema1 INPUT: .*schema 1 binds no content digests
3 artifact INPUT: .*config: want the media type of an image configuration, have "application/vnd.oci.empty
3 E48:foreign INPUT: .*layers\[0\]: .*foreign layers live at URLs
3 E46:duplicate-key INPUT: .*duplicate
3 not-json INPUT: .*1:
3 E47:huge LIMIT: .*want at most 4194304 bytes
3 E47:many LIMIT: .*layers: want at most 127, have 10000
3 E47:deep LIMIT: .*
4 PL12:size-small TRUST: .*want [0-9]+ bytes, have more
4 PL12:size-large TRUST: .*want [0-9]+ bytes, have [0-9]+
3 size-negative INPUT: .*size: want an integer of at least 0
3 size-real INPUT: .*size: want an integer
4 PL12:other-bytes TRUST: .*blob: want digest sha256:
4 PL12:header-digest TRUST: .*registry says digest sha256:0000
4 PL12:diff-id TRUST: .*layer: want diff id sha256:1111.*, have sha256:
3 diff-count INPUT: .*want 1 diff_ids as the manifest has layers, have 2
7 arm NOTFOUND: .*image is for linux/arm64, want linux/amd64
3 env-bad INPUT: .*config: Env\[0\]: want NAME=value, have "NOEQUALS"
3 E22:volume-dotdot INPUT: .*Volumes: want an absolute path without
3 E25:user-newline INPUT: .*config: User: .*no control characters
3 E46:digest-0 INPUT: .*layers\[0\]: want sha256: and 64 .* have "sha256:../../../../etc/passwd"
3 E46:digest-1 INPUT: .*want sha256: and 64 lower-case
3 E46:digest-2 INPUT: .*want sha256: and 64 lower-case
3 E46:digest-3 INPUT: .*want sha256: and 64 lower-case
3 E46:digest-4 INPUT: .*have "sha1:
3 E46:digest-5 INPUT: .*want sha256: and 64 lower-case
3 E46:digest-6 INPUT: .*want a sha256 digest, have sha512
3 E46:digest-7 INPUT: .*want sha256: and 64 lower-case
3 E46:digest-8 INPUT: .*want sha256: and 64 lower-case
75 busy AGAIN: .*status 200, have 429
75 broken AGAIN: .*status 200, have 503
5 forbidden DENIED: .*status 200, have 403
75 cut AGAIN: .*127.0.0.1:
5 basic DENIED: .*wants a user name and a password, none is configured
5 scheme DENIED: .*not Basic or Bearer
3 token-http-host INPUT: .*Bearer needs a realm with https
3 token-bad INPUT: .*token answer: not strict JSON
3 redirect-loop LIMIT: .*over 5 redirects
3 E48:redirect-file INPUT: .*redirect: want an https:// URL
3 E48:redirect-user INPUT: .*redirect: credentials in the URL
L

start=$(date +%s)
fails "a stalled transfer ends" 75 'AGAIN: .*127.0.0.1:' pull stall stall=1
if [ $(($(date +%s) - start)) -lt 10 ]; then
	ok "a stalled transfer ends in time"
else
	not_ok "a stalled transfer ends in time"
fi
is "$(find "$TMP"/store.*/blobs -mindepth 1 | wc -l)" 0 "no blob is left"
is "$(find "$TMP"/store.*/layers -mindepth 1 -maxdepth 1 -name 'tmp*' | wc -l)" \
	0 "no half layer is left"

# --- credentials --------------------------------------------------------------
secret=s3cret-canary
c="user=joe pass=$secret"
# shellcheck disable=SC2086
{
	succeeds "Basic" pull basic $c
	succeeds "a redirect at home keeps the credential" pull redirect-home $c
	succeeds "E48 redirect to another host" pull redirect $c
	succeeds "token" pull token $c
	succeeds "token for a challenge that asks for more" pull token-scope $c
	fails "a refused password" 5 'DENIED: .*status 200, have 401' \
		pull again401 $c
	fails "another password" 5 'DENIED: .*status 200, have 401' \
		pull basic user=joe pass=wrong-canary
}
like "$(cat "$TMP/other.log")" '^GET /v2/other/redirect/blobs/.* auth=-$' \
	"E48 the other host was asked without Authorization"
unlike "$(cat "$TMP/other.log")" 'auth=[^-]' "E48 and never with"
like "$(cat "$TMP/home.log")" \
	'^GET /token-scope\?a=b&service=li%20ar&scope=repository%3Acase%2Ftoken-scope%3Apull auth=Basic ' \
	"the scope asked for is this repository, pull only"
unlike "$(cat "$TMP/home.log")" 'secret' "the challenge's scope is not used"
unlike "$(cat "$SEEN")" 'canary' "E70 no secret in any message"
is "$(grep -rlE 'canary' "$TMP"/store.* | wc -l)" 0 "E70 no secret in the stores"

# --- TLS ------------------------------------------------------------------------
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-keyout "$TMP/key.pem" -out "$TMP/cert.pem" -subj /CN=test \
	-addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' 2>"$TMP/.ssl"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
	-keyout "$TMP/key2.pem" -out "$TMP/other.pem" -subj /CN=test \
	-addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' 2>"$TMP/.ssl"
perl -e 'print "joe:", crypt($ARGV[0], "\$2y\$05\$abcdefghijklmnopqrstuv"), "\n"' \
	"$secret" >"$TMP/htp"
cat >"$TMP/tls.yml.in" <<Y
version: 0.1
log: { level: error }
storage: { filesystem: { rootdirectory: ./tls-data } }
http: { addr: 127.0.0.1:@PORT@, tls: { certificate: cert.pem, key: key.pem } }
auth: { htpasswd: { realm: test, path: htp } }
Y
registry_serve tls
TLS_PID=$PID
tls=$PORT
image_start
image_make
mkdir "$TMP/certs"
cp "$TMP/cert.pem" "$TMP/certs/ca.crt"
skopeo copy -q --dest-cert-dir "$TMP/certs" --dest-creds "joe:$secret" \
	"oci:$TMP/img:v1" "docker://localhost:$tls/a/b:v1"

ref=localhost:$tls/a/b:v1
ca=ca=$TMP/cert.pem
succeeds "TLS with a password" image ensure "$TMP/t" "$BIN" "$ref" "$ca" \
	user=joe pass="$secret"
like "$OUT" '^manifest=sha256:' "TLS with a password: an image"
succeeds "TLS, resolve only" image ensure "$TMP/t" "$BIN" "$ref" "$ca" \
	user=joe pass="$secret" resolve=1
fails "another authority is TRUST" 4 'TRUST: .*certificate' \
	image ensure "$TMP/t" "$BIN" "$ref" ca="$TMP/other.pem" user=joe \
	pass="$secret"
fails "the system's authorities do not know it" 4 'TRUST: .*certificate' \
	image ensure "$TMP/t" "$BIN" "$ref" user=joe pass="$secret"
fails "a wrong password is DENIED" 5 'DENIED: .*status 200, have 401' \
	image ensure "$TMP/t" "$BIN" "$ref" "$ca" user=joe pass=no
fails "no password is DENIED" 5 'DENIED: .*none is configured' \
	image ensure "$TMP/t" "$BIN" "$ref" "$ca"
fails "broken authorities are TRUST" 4 'TRUST: ' \
	image ensure "$TMP/t" "$BIN" "$ref" ca="$TMP/key.pem" user=joe \
	pass="$secret"

finish
