#!/bin/bash
# fetch_daemon.t - the manager over https: a pass, a daemon's kept
# reconcile-fetch (one request a pass, one connection), what starts it again,
# what is left when it ends; the credential is nowhere (G03, G12).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../attack/trust_lib.sh"
. "$(dirname "$0")/git_server.sh"
. "$TOP/tests/crash/alone.sh"
need_root
need_program git ssh-keygen jq nginx fcgiwrap openssl curl
tmpdir
git_env
read -r PORT CHANNEL <<EOF
$(git_ports 2)
EOF
canary_may token token.kept token.new
alone_up "$CHANNEL" || skip_all "no manager"
git_server_begin
rmdir "$TMP/www" && ln -s "$W" "$TMP/www"
git_authority ca
git_certificate good ca DNS:localhost
printf 'reader:%s\n' "$(openssl passwd -apr1 "$CANARY")" >"$TMP/htpasswd"
git_server_add "$PORT" good "" "auth_basic git;
	auth_basic_user_file $TMP/htpasswd;"
git_server_start
echo "basic reader:$CANARY" >"$TMP/token"
chmod 600 "$TMP/token"
sed -i "/^repository.url/d" "$W/manager/reconcile.conf"
cat >>"$W/manager/reconcile.conf" <<EOF
repository.url = https://localhost:$PORT/fleet.git
repository.ca_file = $TMP/ca.pem
repository.server_key = $(server_key good)
repository.credential_file = $TMP/token
repository.timeout_s = 20
daemon.interval_s = 1
EOF

head_now() { git -C "$W/clone" rev-parse HEAD; }
accepted() { $R status -o json 2>/dev/null | jq -r .acceptedCommit; }
accepted_is() { [ "$(accepted)" = "$1" ]; }
requests() { grep -c "$1" "$TMP/access.log"; }
at_least() { [ "$(requests "$1")" -ge "$2" ]; }

# --- single passes
run $R
is "$ST" 0 'a pass over https' || printf '%s\n' "$ERR" | sed 's/^/# /'
is "$(accepted)" "$(head_now)" '... accepts the head'
: >"$TMP/access.log"
run $R
is "$ST" 0 'a pass with nothing new'
is "$(wc -l <"$TMP/access.log")" 1 '... is one request'
cp "$TMP/token" "$TMP/token.kept"
echo "basic reader:wrong" >"$TMP/token"
fails 'G12 a pass with a wrong credential' 3 'the server wants a credential' $R
chmod 644 "$TMP/token"
fails 'G12 a pass with one that others can read' 3 'can be read by others' $R
cat "$TMP/token.kept" >"$TMP/token"
chmod 600 "$TMP/token"

# --- a daemon
$R --daemon >"$TMP/daemon.log" 2>&1 &
DAEMON=$!
daemon_stop() { kill "$DAEMON"; }
at_exit daemon_stop
: >"$TMP/access.log"
LOOK='POST .*upload-pack 200 version=2-'
wait_for 20 at_least "$LOOK" 5 && ok 'a daemon looks in each pass' ||
	not_ok 'a daemon looks in each pass' "$(cat "$TMP/access.log" "$TMP/daemon.log")"
is "$(requests 'GET .*info/refs.* version=2-')" 1 \
	'what the server speaks is asked once'
is "$(grep "$LOOK" "$TMP/access.log" | awk '{ print $2 }' | sort -u | wc -l)" 1 \
	'all on one connection'
is "$(requests .)" "$(($(requests "$LOOK") + 1))" 'and nothing else is asked'
children() { cat "/proc/$DAEMON/task/$DAEMON/children"; }
fetch_pid()
{
	for _c in $(children); do
		[ "$(cat "/proc/$_c/comm")" != reconcile-fetch ] || echo "$_c"
	done
}
dial_pid() { tr -d ' ' <"/proc/$(fetch_pid)/task/$(fetch_pid)/children"; }
FETCH=$(fetch_pid)
DIAL=$(dial_pid)
like "$(tr '\0' ' ' <"/proc/$DIAL/cmdline")" "reconcile-dial localhost $PORT" \
	'one reconcile-fetch is kept, and its reconcile-dial'
unlike "$(cat /proc/[0-9]*/cmdline /proc/$FETCH/environ /proc/$DIAL/environ \
	"/proc/$DAEMON/environ" 2>/dev/null | tr '\0' '\n')" "$CANARY" \
	'G03 G12 the credential is in no argument and no environment'
is "$(ls -l "/proc/$FETCH/fd" | grep "$TMP" | grep -vc daemon.log)" 0 \
	'the kept one has no file open'

alone_commit 2
wait_for 20 accepted_is "$(head_now)" && ok 'a new commit is brought' ||
	not_ok 'a new commit is brought' "$(cat "$TMP/daemon.log")"
is "$(fetch_pid)" "$FETCH" '... and the kept one stays'

# what starts it again
another() { [ -n "$(fetch_pid)" ] && [ "$(fetch_pid)" != "$FETCH" ]; }
kill -9 "$FETCH"
wait_for 20 another && ok 'killed, another is started' ||
	not_ok 'killed, another is started' "$(cat "$TMP/daemon.log")"
FETCH=$(fetch_pid)
cp "$TMP/token" "$TMP/token.new"
chmod 600 "$TMP/token.new"
mv "$TMP/token.new" "$TMP/token"
wait_for 20 another && ok 'with another credential, too' ||
	not_ok 'with another credential, too' "$(cat "$TMP/daemon.log")"
FETCH=$(fetch_pid)
kill -9 "$(dial_pid)"
alone_commit 3
wait_for 20 accepted_is "$(head_now)" && ok 'a reconcile-dial that is gone' ||
	not_ok 'a reconcile-dial that is gone' "$(cat "$TMP/daemon.log")"

# the server goes and comes back
kill "$NGINX_PID"
wait "$NGINX_PID" 2>/dev/null
said() { grep -q "$1" "$TMP/daemon.log"; }
wait_for 20 said 'code=AGAIN .*fetch https://localhost' &&
	ok 'a server that is gone is said' ||
	not_ok 'a server that is gone is said' "$(cat "$TMP/daemon.log")"
nginx -p "$TMP" -c "$TMP/nginx.conf" 2>"$TMP/nginx.err" &
NGINX_PID=$!
alone_commit 4
wait_for 20 accepted_is "$(head_now)" && ok 'and one that is back is asked' ||
	not_ok 'and one that is back is asked' "$(cat "$TMP/daemon.log")"

FETCH=$(fetch_pid)
DIAL=$(dial_pid)
kill "$DAEMON"
wait "$DAEMON"
is "$?" 0 'the daemon ends'
gone() { [ ! -e "/proc/$FETCH" ] && [ ! -e "/proc/$DIAL" ]; }
wait_for 10 gone && ok 'and so do its reconcile-fetch and reconcile-dial' ||
	not_ok 'and so do its reconcile-fetch and reconcile-dial'

$R status >"$TMP/out.1" 2>&1
$R status -o json >"$TMP/out.2" 2>&1
$R audit show >"$TMP/out.3" 2>&1
$R --dry-run >"$TMP/out.4" 2>&1
is "$(grep -rl "$CANARY" "$W/manager" "$TMP/daemon.log" "$TMP/access.log" \
	"$TMP/nginx.log" "$TMP"/out.* | wc -l)" 0 \
	'G03 G12 the credential is in no state, log or output'
finish
