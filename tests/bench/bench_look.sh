#!/bin/bash
# bench_look.sh - a daemon's pass with nothing new over https: CPU of all its
# processes and round trips, beside git ls-remote and git fetch against the same
# server in the same run.  Prints "NAME CPU-ms ROUND-TRIPS" lines.
# Environment: PASSES (default 20), REFS (default 1000) beside the one followed.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../attack/trust_lib.sh"
. "$(dirname "$0")/../integration/git_server.sh"
. "$TOP/tests/crash/alone.sh"
. "$TOP/tests/bench/lib.sh"
need_root
need_program git jq nginx fcgiwrap openssl python3
tmpdir
git_env
PASSES=${PASSES:-20} REFS=${REFS:-1000}
read -r PORT CHANNEL <<EOF
$(git_ports 2)
EOF
alone_up "$CHANNEL" || skip_all "no manager"
git_server_begin
rmdir "$TMP/www" && ln -s "$W" "$TMP/www"
git_authority ca
git_certificate good ca DNS:localhost
git_server_add "$PORT" good
git_server_start
python3 "$TOP/tests/bench/flights.py" "$PORT" "$TMP/flights" &
PROXY=$!
proxy_stop() { kill "$PROXY"; }
at_exit proxy_stop
wait_for 10 test -s "$TMP/flights" || exit 1
URL=https://localhost:$(cut -d' ' -f1 "$TMP/flights")/fleet.git
TIP=$(git -C "$W/clone" rev-parse HEAD)
seq "$REFS" | sed "s|.*|create refs/pull/&/head $TIP|" |
	git -C "$W/fleet.git" update-ref --stdin
sed -i "/^repository.url/d" "$W/manager/reconcile.conf"
cat >>"$W/manager/reconcile.conf" <<EOF
repository.url = $URL
repository.ca_file = $TMP/ca.pem
daemon.interval_s = 1
EOF
$R >/dev/null || exit 1

flights() { cut -d' ' -f3 "$TMP/flights"; }
CPU=/sys/fs/cgroup
[ ! -d "$CPU/cpuacct" ] || CPU=$CPU/cpuacct
CPU=$CPU/reconcile-look-$$
mkdir "$CPU" || exit 1
cpu_gone() { rmdir "$CPU"; }
at_exit cpu_gone
# used: microseconds of CPU of all in the group
used()
{
	if [ -f "$CPU/cpuacct.usage" ]; then
		echo $(($(cat "$CPU/cpuacct.usage") / 1000))
	else
		sed -n 's/^usage_usec //p' "$CPU/cpu.stat"
	fi
}
bash -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' _ "$CPU" \
	$R --daemon >"$TMP/daemon.log" 2>&1 &
DAEMON=$!
daemon_end()
{
	kill "$DAEMON"
	wait "$DAEMON"
}
at_exit daemon_end
looks() { grep -c 'POST .*version=2-' "$TMP/access.log"; }
have() { [ "$(looks)" -ge "$1" ]; }
wait_for 20 have 3 || exit 1
N0=$(looks) U0=$(used) F0=$(flights)
wait_for $((PASSES * 3)) have $((N0 + PASSES)) || exit 1
N1=$(looks) U1=$(used) F1=$(flights)
awk -v n=$((N1 - N0)) -v u=$((U1 - U0)) -v f=$((F1 - F0)) \
	'BEGIN { printf "pass %.2f %.2f\n", u / n / 1000, f / n }'

# peer NAME CMD...: the median of ten, and the flights of one.
peer()
{
	_name=$1
	shift
	"$@" >/dev/null 2>&1 || exit 1
	_f=$(flights)
	_cpu=$(for _ in $(seq 10); do usage "$@" | cut -d' ' -f1; done | median)
	echo "$_name $_cpu $((($(flights) - _f) / 10))"
}
kill "$DAEMON"
wait "$DAEMON"
peer single $R
unset GIT_SSL_CAINFO SSL_CERT_FILE SSL_CERT_DIR
export GIT_SSL_CAINFO="$TMP/ca.pem"
git clone -q --mirror "$URL" "$TMP/peer.git" || exit 1
peer ls-remote git ls-remote "$URL" refs/heads/main
peer fetch git -C "$TMP/peer.git" fetch "$URL" refs/heads/main
exit 0
