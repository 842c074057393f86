#!/bin/bash
# fetch_https.t - mirroring and looking over https against nginx and
# git-http-backend: credentials, one round trip a look, a kept connection and
# one that is not, an environment that lies (G11, G12), the manager's passes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../attack/trust_lib.sh"
. "$(dirname "$0")/git_server.sh"
trust_setup
git_server_begin
read -r PLAIN CLOSING OLD AUTH NONE <<EOF
$(git_ports 5)
EOF
canary_may cred .netrc "*nginx*.conf"
R=$TMP/repo
new_repo "$R"
TIP=$(head_of "$R")
git_publish "$R" repo.git
git_authority ca
git_certificate good ca DNS:localhost,IP:127.0.0.1
printf 'reader:%s\n' "$(openssl passwd -apr1 "$CANARY")" >"$TMP/htpasswd"
git_server_add "$PLAIN" good
git_server_add "$CLOSING" good "keepalive_requests 1;"
git_server_add "$OLD" good "" 'fastcgi_param HTTP_GIT_PROTOCOL "";'
git_server_add "$AUTH" good "" "
	set \$way basic;
	if (\$http_authorization = \"Bearer $CANARY\") { set \$way off; }
	auth_basic \$way;
	auth_basic_user_file $TMP/htpasswd;"
git_server_start

# fetch NAME ERE ACT PORT [NAME=VALUE...]
fetch()
{
	_name=$1 _ere=$2 _act=$3 _port=$4
	shift 4
	run "$ASK" "$BIN" "$_act" "$@" url="https://localhost:$_port/repo.git" \
		ref="$REF" store="$TMP/store.git" ca="$TMP/ca.pem" timeout=20000
	like "$OUT" "$_ere" "$_name"
	printf '%s\n%s\n' "$OUT" "$ERR" >>"$TMP/said"
}

# --- mirror
fetch 'mirror' "^head $TIP changed=1$" mirror "$PLAIN"
succeeds 'git finds the store whole' git -C "$TMP/store.git" fsck --strict
accepts 'the mirror verifies' "$TMP/store.git" "$TIP"
is "$(awk '{ print $2 }' "$TMP/access.log" | sort -u | wc -l)" 1 \
	'all of it on one connection'
: >"$TMP/access.log"
fetch 'nothing new' "^head $TIP changed=0$" mirror "$PLAIN"
is "$(wc -l <"$TMP/access.log")" 1 'nothing new is one request'
for I in 1 2 3; do
	change "$R" "more $I"
done
TIP=$(head_of "$R")
git_update "$R" repo.git
fetch 'by its address' "^head $TIP changed=1$" mirror "$PLAIN" \
	url="https://127.0.0.1:$PLAIN/repo.git"
accepts 'and verifies' "$TMP/store.git" "$TIP"
git -C "$R" tag -s -m tag v1
git -C "$R" push -q "$TMP/www/repo.git" v1
TAG=$(git -C "$R" rev-parse v1)
fetch 'A22 a tag comes with its object' "^head $TAG changed=1$" mirror "$PLAIN" \
	ref=refs/tags/v1 store="$TMP/tag.git"
is "$(git -C "$TMP/tag.git" cat-file -t "$TAG")" tag '... which is there'
fetch 'and again' "^head $TAG changed=0$" mirror "$PLAIN" ref=refs/tags/v1 \
	store="$TMP/tag.git"
fetch 'a server that closes after each request' "^head $TIP changed=1$" \
	mirror "$CLOSING" store="$TMP/closing.git"
fetch 'missing ref' '^error NOTFOUND .*no ref refs/heads/none' mirror "$PLAIN" \
	ref=refs/heads/none
fetch 'missing repository' '^error NOTFOUND no such repository .*404' mirror \
	"$PLAIN" url="https://localhost:$PLAIN/none.git"
fetch 'nobody listens: try again' '^error AGAIN .*[Rr]efused' mirror "$NONE"
fetch 'a name that is nobody: try again' '^error AGAIN nobody\.invalid: ' \
	mirror "$NONE" url="https://nobody.invalid/repo.git"

# --- look
: >"$TMP/access.log"
fetch 'look, five times' "^head $TIP changed=0$" poll "$PLAIN" repeat=5
is "$(printf '%s\n' "$OUT" | grep -c "^head $TIP")" 5 '... five answers'
is "$(grep -c 'GET .*info/refs' "$TMP/access.log")" 1 \
	'what the server speaks is asked once'
is "$(grep -c 'POST .*git-upload-pack 200 version=2-' "$TMP/access.log")" 5 \
	'each look is one request of version 2'
is "$(awk '{ print $2 }' "$TMP/access.log" | sort -u | wc -l)" 1 \
	'... on a kept connection'
: >"$TMP/access.log"
fetch 'look at a server that closes' "^head $TIP" poll "$CLOSING" repeat=4
is "$(awk '{ print $8 }' "$TMP/access.log" | tr -d '\n')" .rrrr \
	'... again with the TLS session of the first'
fetch 'look at a server without version 2' "^whole list$" poll "$OLD" repeat=3
like "$OUT" "^head $TIP" '... says the same'
git -C "$TMP/www/repo.git" branch main2 "$TIP~1"
git -C "$TMP/www/repo.git" branch mai "$TIP~2"
fetch 'names that begin alike' "^head $TIP" poll "$PLAIN"
fetch 'look for a missing ref' '^error NOTFOUND .*no ref refs/heads/ma' poll \
	"$PLAIN" ref=refs/heads/ma

# --- credentials
fetch 'G12 none where one is wanted' '^error DENIED .*credential.* 401' mirror \
	"$AUTH"
echo "basic reader:$CANARY" >"$TMP/cred"
fetch 'G12 one that others can read' '^error DENIED .*read by others' mirror \
	"$AUTH" credential="$TMP/cred"
chmod 600 "$TMP/cred"
fetch 'G12 basic' "^head $TIP" mirror "$AUTH" credential="$TMP/cred" \
	store="$TMP/basic.git"
like "$(cat "$TMP/access.log")" "^$AUTH .* reader-\$" '... the server knows who'
fetch 'G12 basic, a look' "^head $TIP" poll "$AUTH" credential="$TMP/cred"
echo "basic reader:x$CANARY" >"$TMP/cred"
fetch 'G12 a wrong one' '^error DENIED .*credential.* 401' poll "$AUTH" \
	credential="$TMP/cred"
echo "bearer $CANARY" >"$TMP/cred"
fetch 'G12 bearer' "^head $TIP" poll "$AUTH" credential="$TMP/cred"
printf 'bearer %s\r\nHost: evil\n' "$CANARY" >"$TMP/cred"
fetch 'G12 line breaks in a credential' '^error INPUT .*want one line' poll \
	"$AUTH" credential="$TMP/cred"
printf 'bearer %s\0x' "$CANARY" >"$TMP/cred"
fetch 'G12 a NUL in a credential' '^error INPUT .*want one line' poll "$AUTH" \
	credential="$TMP/cred"
: >"$TMP/cred"
fetch 'G12 an empty credential' '^error INPUT .*want one line' poll "$AUTH" \
	credential="$TMP/cred"
rm "$TMP/cred"
fetch 'G12 a missing credential' '^error NOTFOUND .*No such file' poll "$AUTH" \
	credential="$TMP/cred"
mkfifo -m 600 "$TMP/pipe"
fetch 'G12 a pipe as a credential' '^error INPUT .*not a file' poll "$AUTH" \
	credential="$TMP/pipe"
ln -s "$TMP/htpasswd" "$TMP/link"
fetch 'G12 a link as a credential' '^error SYS .*symbolic' poll "$AUTH" \
	credential="$TMP/link"
fetch 'G12 a credential in the URL' '^error INPUT .*credential_file' mirror \
	"$AUTH" url="https://reader:pw@localhost:$AUTH/repo.git"

# --- an environment that lies: a proxy, authorities, configuration
printf '[http]\n\tproxy = http://127.0.0.1:%s\n' "$NONE" >"$TMP/.gitconfig"
printf 'machine localhost login reader password %s\n' "$CANARY" >"$TMP/.netrc"
printf 'proxy = "http://127.0.0.1:%s"\n' "$NONE" >"$TMP/.curlrc"
chmod 600 "$TMP/.netrc"
set -- "http_proxy=http://127.0.0.1:$NONE" "https_proxy=http://127.0.0.1:$NONE" \
	"HTTPS_PROXY=http://127.0.0.1:$NONE" "ALL_PROXY=socks5://127.0.0.1:$NONE" \
	"SSL_CERT_FILE=$TMP/ca.pem" "SSL_CERT_DIR=$TMP" "CURL_CA_BUNDLE=$TMP/ca.pem" \
	"CURL_HOME=$TMP" "HOME=$TMP" "NETRC=$TMP/.netrc" "GIT_SSL_NO_VERIFY=1" \
	"GIT_SSL_CAINFO=$TMP/ca.pem" "GIT_PROXY_COMMAND=touch $TMP/RAN" \
	"GIT_ASKPASS=touch" "OPENSSL_CONF=$TMP/none.cnf" \
	"SSLKEYLOGFILE=$TMP/keylog" "TZ=:$TMP/tz"
E=()
for V in "$@"; do
	E+=("env=$V")
done
fetch 'G11 G12 an environment that lies: a mirror' "^head $TIP" mirror "$PLAIN" \
	store="$TMP/env.git" "${E[@]}"
fetch 'G11 G12 an environment that lies: a look' "^head $TIP" poll "$PLAIN" \
	"${E[@]}"
git_authority stranger
fetch 'G12 its authorities are not believed' '^error TRUST ' poll "$PLAIN" \
	ca="$TMP/stranger.pem" "${E[@]}"
fetch 'G12 its .netrc is not read' '^error DENIED ' poll "$AUTH" "${E[@]}"
[ ! -e "$TMP/keylog" ] && [ ! -e "$TMP/RAN" ] && ok 'G12 no keys are logged' ||
	not_ok 'G12 no keys are logged'
unlike "$(cat "$TMP/said" "$TMP/access.log" "$TMP/nginx.log")" "$CANARY" \
	'G03 G12 the credential is in no answer, message or log'
finish
