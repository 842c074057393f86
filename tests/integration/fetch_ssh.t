#!/bin/sh
# fetch_ssh.t - mirroring over ssh against a real sshd on loopback: host keys
# (A66), a hostile server (A70, A71), looks on a kept connection, errors with
# their codes.
# SSHD=path names another sshd than that of the system.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../attack/trust_lib.sh"
need_root
SSHD=${SSHD:-/usr/sbin/sshd}
[ -x "$SSHD" ] || skip_all "needs $SSHD (openssh-server)"
need_program unshare setsid python3
trust_setup
canary_may authorized # has a key with its comment

R=$TMP/repo S=$TMP/store.git
new_repo "$R"
TIP=$(head_of "$R")
make_key login
make_key host
make_key otherhost
make_key stranger
cp "$TMP/login.pub" "$TMP/authorized"
PORT=$((20000 + $$ % 20000))
cat >"$TMP/sshd_config" <<EOF
ListenAddress 127.0.0.1
Port $PORT
HostKey $TMP/host
PidFile $TMP/sshd.pid
AuthorizedKeysFile $TMP/authorized
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
LogLevel QUIET
PermitUserEnvironment no
AcceptEnv GIT_PROTOCOL
EOF
# sshd wants a user of its own and a folder below /run: given in a mount
# namespace, so that the machine stays as it is.
{
	cat /etc/passwd
	grep -q '^sshd:' /etc/passwd || echo 'sshd:x:65533:65534::/:/bin/false'
} >"$TMP/passwd"
cat >"$TMP/start" <<EOF
mount --bind "$TMP/passwd" /etc/passwd || exit 1
mount -t tmpfs none /run || exit 1
mkdir -m 755 /run/sshd
exec "$SSHD" -D -f "$TMP/sshd_config"
EOF
sshd_stop()
{
	[ -s "$TMP/sshd.pid.host" ] && kill "$(cat "$TMP/sshd.pid.host")"
}
at_exit sshd_stop
unshare -m sh "$TMP/start" >"$TMP/sshd.log" 2>&1 &
echo $! >"$TMP/sshd.pid.host"
listening()
{
	ssh-keyscan -T 2 -p "$PORT" 127.0.0.1 2>/dev/null | grep -q ssh-ed25519
}
wait_for 10 listening || skip_all "sshd does not start: $(cat "$TMP/sshd.log")"

echo "[127.0.0.1]:$PORT $(cut -d' ' -f1,2 "$TMP/host.pub")" >"$TMP/known"
# mirror NAME ERE [NAME=VALUE...]
mirror()
{
	_name=$1 _ere=$2
	shift 2
	run "$ASK" "$BIN" mirror "$@" url="ssh://root@127.0.0.1:$PORT$R" \
		ref="$REF" store="$S" key="$TMP/login" hosts="$TMP/known" \
		timeout=20000
	like "$OUT" "$_ere" "$_name"
}

mirror 'mirror over ssh' "^head $TIP changed=1$"
succeeds 'git finds the store whole' git -C "$S" fsck --strict
accepts 'the mirror verifies' "$S" "$TIP"
mirror 'nothing new' "^head $TIP changed=0$"
change "$R" second
TIP=$(head_of "$R")
mirror 'one commit more' "^head $TIP changed=1$"
accepts 'and verifies' "$S" "$TIP"

mirror 'missing ref' '^error NOTFOUND .*no ref' ref=refs/heads/none
mirror 'missing repository' '^error NOTFOUND no such repository' \
	url="ssh://root@127.0.0.1:$PORT/nonexistent"
mirror 'nobody listens: try again' '^error AGAIN .*[Rr]efused' \
	url="ssh://root@127.0.0.1:1$R"
mirror 'a key that the server does not know' '^error DENIED the server refused' \
	key="$TMP/stranger"
mirror 'a key file that is not there' '^error INPUT ssh key ' \
	key="$TMP/nokey"

# --- looks on a kept connection
poll()
{
	_name=$1 _ere=$2
	shift 2
	run "$ASK" "$BIN" poll "$@" url="ssh://root@127.0.0.1:$PORT$R" \
		ref="$REF" key="$TMP/login" hosts="$TMP/known" timeout=20000
	like "$OUT" "$_ere" "$_name"
}
# serve: a forced command instead of git, from standard input
serve()
{
	cat >"$TMP/serve"
	chmod +x "$TMP/serve"
	printf 'command="%s" %s\n' "$TMP/serve" "$(cat "$TMP/login.pub")" \
		>"$TMP/authorized"
}
poll 'look' "^head $TIP"
serve <<EOF
#!/bin/sh
echo "\$GIT_PROTOCOL" >>$TMP/served
exec git-upload-pack $R
EOF
poll 'look, five times' "^head $TIP" repeat=5
is "$(printf '%s\n' "$OUT" | grep -c "^head $TIP")" 5 '... five answers'
is "$(cat "$TMP/served")" version=2 '... of one git-upload-pack, in version 2'
unlike "$OUT" 'whole list' '... and no list of all refs'
python3 "$TOP/tests/bench/flights.py" "$PORT" "$TMP/flights" &
PROXY=$!
proxy_stop() { kill "$PROXY"; }
at_exit proxy_stop
wait_for 10 test -s "$TMP/flights"
VIA=$(cut -d' ' -f1 "$TMP/flights")
sed "s/$PORT/$VIA/" "$TMP/known" >"$TMP/known.via"
flights() { cut -d' ' -f3 "$TMP/flights"; }
"$ASK" "$BIN" poll url="ssh://root@127.0.0.1:$VIA$R" ref="$REF" \
	key="$TMP/login" hosts="$TMP/known.via" timeout=20000 repeat=7 \
	wait=400 >"$TMP/looks" 2>&1 &
LOOKS=$!
looked() { [ "$(grep -c "^head $TIP" "$TMP/looks")" -ge "$1" ]; }
wait_for 10 looked 1
ONE=$(flights)
wait_for 10 looked 6
is "$(($(flights) - ONE))" 5 'five looks more are five round trips more'
wait "$LOOKS"
poll 'look for a missing ref' '^error NOTFOUND .*no ref' ref=refs/heads/none
serve <<EOF
#!/bin/sh
unset GIT_PROTOCOL
exec git-upload-pack $R
EOF
poll 'look at a server without version 2' '^whole list$'
like "$OUT" "^head $TIP" '... says the same'
serve <<EOF
#!/bin/sh
timeout 0.5 git-upload-pack $R
EOF
poll 'a connection that the server ends' '^error AGAIN ' repeat=2 wait=1000
like "$OUT" "^head $TIP" '... after the first answer'
cp "$TMP/login.pub" "$TMP/authorized"
poll 'A66 a look at an unknown host' '^error TRUST .*host key' hosts=

# --- host keys
mirror 'A66 unknown host' '^error TRUST .*host key' hosts=
echo "[127.0.0.1]:$PORT $(cut -d' ' -f1,2 "$TMP/otherhost.pub")" \
	>"$TMP/known.other"
mirror 'A66 another host key' '^error TRUST .*host key' \
	hosts="$TMP/known.other"
{
	cat "$TMP/known"
	echo "@revoked * $(cut -d' ' -f1,2 "$TMP/host.pub")"
} >"$TMP/known.revoked"
mirror 'A66 revoked host key' '^error TRUST .*host key' \
	hosts="$TMP/known.revoked"
mirror 'the key path cannot smuggle options' '^error INPUT ssh key' \
	key="$TMP/login -oProxyCommand=id"

# --- a server that misbehaves: a forced command instead of git
serve <<'EOF'
#!/bin/sh
exec cat /dev/zero
EOF
mirror 'A70 endless bytes' '^error (LIMIT|AGAIN) ' max=1000000
poll 'A70 endless bytes, a look' '^error PROTO .*length of a line' max=1000000
serve <<'EOF'
#!/bin/sh
printf '0032want'
exec sleep 60
EOF
_start=$(date +%s)
mirror 'A70 silence' '^error AGAIN .*did not answer in time' timeout=1500
poll 'A70 silence, a look' '^error AGAIN .*did not answer in time' timeout=1500
[ $(($(date +%s) - _start)) -lt 10 ] && ok 'A70 the time budget holds' ||
	not_ok 'A70 the time budget holds'
serve <<'EOF'
#!/bin/sh
printf '\033]0;owned\007\033[31mred\r\n' >&2
exit 1
EOF
mirror 'A71 escape sequences' '^error AGAIN '
_said=$OUT
poll 'A71 escape sequences, a look' '^error AGAIN '
OUT="$_said
$OUT"
unlike "$(printf '%s' "$OUT" | tr -d '[:print:]\n' | od -c)" '033' \
	'A71 none reaches us raw'
like "$OUT" '\\x1[bB]' 'A71 they are shown escaped'
finish
