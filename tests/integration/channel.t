#!/bin/sh
# channel.t - reconcile-channel and reconcile-link as real processes: joining,
# sessions, reconnecting, renewal, revocation.  The core and the agents are
# tests/tools/channel_*.c.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/channel_lib.sh"

need_channel
tmpdir
ch_pki
ch_start
core_start

# --- joining ----------------------------------------------------------------
T=$(token host-a)
join a "$T"
is "$ST:$OUT" "0:$(printf '%s\n' "$OUT" | grep '^joined as host-a, certificate until ')" \
	"T19 S01 a host joins with a token"
is "$(stat -c %a "$TMP/a/host.key" "$TMP/a/host.pem" "$TMP/a/join.pb" | sort -u)" \
	600 "its files are its own"
is "$(cat "$TMP/a/trust-root.pb")" "$(cat "$TMP/trust")" \
	"it has the trust root of the token"
like "$(openssl x509 -in "$TMP/a/host.pem" -noout -ext subjectAltName)" \
	'URI:spiffe://demo/host/host-a$' "T07 its name is one SPIFFE id"
unlike "$(cat "$TMP/ch.log" "$TMP/core.out")" "${T#rcj1.}" \
	"no log has the token"
join a "$(token host-a)"
is "$ST" 6 "a host that has joined does not join again"
like "$ERR" "CONFLICT: this host has joined as host-a already" \
	"and is told why"
printf '%s\n' "$(token host-b)" >"$TMP/token"
run sh -c "exec '$BIN/reconcile-link' --dir '$TMP/b' --join - <'$TMP/token'"
is "$ST" 0 "the token may come by standard input"

# --- sessions ----------------------------------------------------------------
agent_start a
agent_start b
soon core.out '^up host=host-a serial=[0-9a-f]{32} address=127' "T13 host-a is up"
soon core.out '^up host=host-b' "host-b is up"
soon core.out '^frame host=host-a type=1 ' "its Hello comes through"
soon a.out '^state connected=1 host=host-a' "the agent is told its name"
agent_say a report 7 1 20
soon core.out '^frame host=host-a type=2 ' "a report comes through"
core_say send host-a assign 1
soon a.out '^frame type=22 ' "an assignment comes through"
core_say burst host-a 20 1000000
packs() { [ "$(count a.out '^frame type=21 len=1000')" = 20 ]; }
if wait_for 10 packs; then
	ok "20 MB of packs arrive whole"
else
	not_ok "20 MB of packs arrive whole" "$(tail -n 3 "$TMP/core.out" "$TMP/ch.log")"
fi
is "$(count b.out '^frame type=2[12]')" 0 "A75 nothing of it at host-b"
agent_say a logdata 1 200000
soon core.out '^frame host=host-a type=6 len=200' "large data in the other direction"

# --- a core that comes and goes ------------------------------------------------
core_stop
agent_say a report 7 2 3
agent_say a refusal T01
: >"$TMP/core.out"
core_start
soon core.out '^up host=host-a' "R14 a new core is told who is connected"
is "$(sed -n '/host=host-a/p' "$TMP/core.out" | sed 's/ serial.*//; s/ len.*//' | paste -sd, -)" \
	"up host=host-a,frame host=host-a type=1,frame host=host-a type=2,frame host=host-a type=3" \
	"its last Hello, report and refusal, in this order"
run timeout 5 "$TOOL" core "$TMP/sock" "$TMP/ca" "$TMP/trust" "$TMP/book" 60
like "$ERR" "CONFLICT: another manager program is attached" \
	"a second core is sent away"

# --- reconnecting --------------------------------------------------------------
ch_stop -KILL
soon a.out '^state connected=0' "the agent is told that the manager has gone"
core_stop
: >"$TMP/core.out"
: >"$TMP/a.out"
ch_start
core_start
FROM=$(date +%s%N)
soon core.out '^up host=host-a' "R14 host-a is back after a killed channel"
diag "after $((($(date +%s%N) - FROM) / 1000000)) ms"
soon a.out '^state connected=1' "the agent is told"

# --- cut, second session ---------------------------------------------------------
wait_for 10 has core.out '^up host=host-b'
core_say cut host-b
soon core.out '^down host=host-b code=CUT .*reason=asked' "a host is cut"
soon core.out '^up host=host-b' "and may come back while its certificate is good"
: >"$TMP/core.out"
cp -r "$TMP/b" "$TMP/clone"
wait_for 5 has core.out code=REPLACED | "$TOOL" agent "$BIN/reconcile-link" "$TMP/clone" >/dev/null 2>&1
soon core.out '^down host=host-b code=REPLACED same=1' \
	"S03 a second session with the same certificate is reported"

# --- renewal ---------------------------------------------------------------------
agent_stop b
rm -rf "$TMP/b"
mkdir "$TMP/b"
core_stop
core_start 12
join b "$(token host-b)"
is "$ST" 0 "S03 a host with a certificate of 12 s"
OLD=$(openssl x509 -in "$TMP/b/host.pem" -noout -serial)
KEY=$(sha256sum <"$TMP/b/host.key")
: >"$TMP/core.out"
: >"$TMP/b.out"
agent_start b
soon core.out '^renew host=host-b' "it asks for the next one at two thirds of its life"
soon b.err 'event=link.renewed' "and takes it"
isnt() { [ "$1" != "$2" ] && ok "$3" || not_ok "$3" "both: $1"; }
isnt "$(openssl x509 -in "$TMP/b/host.pem" -noout -serial)" "$OLD" \
	"it has another certificate"
isnt "$(sha256sum <"$TMP/b/host.key")" "$KEY" "and another key"
agent_say b report 7 1 1
soon core.out '^frame host=host-b type=2' "the session went on"
wait_for 8 eval 'has core.out "^down host=host-b"' &&
	not_ok "S03 not dropped at the old certificate's end" ||
	ok "S03 not dropped at the old certificate's end"
: >"$TMP/core.out"
core_say cut host-b
soon core.out '^up host=host-b' "the new key and certificate connect"

# --- revocation --------------------------------------------------------------------
SERIAL=$(openssl x509 -in "$TMP/b/host.pem" -noout -serial | sed 's/.*=//' | tr A-F a-f)
"$TOOL" crl "$TMP/ca" "$TMP/pki" 3600 "$SERIAL"
: >"$TMP/core.out"
FROM=$(date +%s%N)
core_say reload
soon core.out '^down host=host-b code=REVOKED' "A79 a revoked host is cut"
MS=$((($(date +%s%N) - FROM) / 1000000))
[ "$MS" -le 1000 ] && ok "A79 within 1 s ($MS ms)" || not_ok "A79 within 1 s" "$MS ms"
soon core.out '^reloaded ok=1' "the core is told that the list was read"
soon core.out '^denied address=127.0.0.1:[0-9]+ reason=certificate: certificate revoked' \
	"P01 it does not come back"
unlike "$(cat "$TMP/core.out")" '^down host=host-a' "host-a is not touched"
soon b.out '^state connected=0 .*revoked|^state connected=0' "its agent is told"

# --- the end -----------------------------------------------------------------------
agent_stop a
has a.out '^link status=0' && ok "the link ends with its agent" ||
	not_ok "the link ends with its agent" "$(tail -n 2 "$TMP/a.out")"
ch_stop
is "$CH_ST" 0 "the channel ends cleanly on SIGTERM"
unlike "$(cat "$TMP/ch.log" "$TMP/a.err" "$TMP/b.err")" 'PRIVATE|BEGIN' \
	"no log has a key"

# --- usage ---------------------------------------------------------------------------
fails "reconcile-channel says what it wants" 3 'want --socket and --pki' \
	"$BIN/reconcile-channel"
fails "a channel without a revocation list does not start (P05)" 7 'crl.pem' \
	sh -c "rm '$TMP/pki/crl.pem'; exec '$BIN/reconcile-channel' \
	--socket '$TMP/s2' --listen 127.0.0.1:0 --pki '$TMP/pki'"
fails "reconcile-link wants its agent" 3 'descriptor 3' \
	"$BIN/reconcile-link" --dir "$TMP/a"
mkdir "$TMP/none"
fails "a host that has not joined says so" 7 'has not joined' \
	sh -c "exec '$BIN/reconcile-link' --dir '$TMP/none' 3<>/dev/null"
finish
