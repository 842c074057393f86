#!/bin/sh
# channel_frames.t - what a lying host, a hostile manager and a thief of a join
# token can say, and what it gets them (A73 to A76, A80, E64, K15, S01, S04).
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/channel_lib.sh"

need_channel
tmpdir
ch_pki
ch_start --rate 1000
core_start

# --- a lying host ------------------------------------------------------------------
# breaks NAME REASON WORD...: a host with a good certificate says this and its
# session is ended for that reason, with code PROTO or LIMIT.
(cd "$TMP" && "$TOOL" issue ca host-a 3600 0 good >/dev/null)
breaks()
{
	_what=$1 _want=$2
	shift 2
	"$TOOL" frame "$@" >"$TMP/said"
	: >"$TMP/core.out"
	hold good "$TMP/said"
	if wait_for 8 has core.out \
		"^down host=host-a code=(PROTO|LIMIT) .*$_want"; then
		ok "$_what"
	else
		not_ok "$_what" "want down: $_want
have: $(cat "$TMP/core.out")"
	fi
	drop
}

H="hello 7"
breaks "K15 a report before Hello" 'Report: not in this state' report 7 1
breaks "K15 a join by a host" 'JoinRequest: not in this state' header 0 7 0
breaks "K15 a manager's Welcome" 'Welcome: not from this side' header 0 20 0
breaks "K15 a manager's Assignment" 'Assignment: not from this side' $H , assign 1
breaks "K15 a manager's Pack" 'Pack: not from this side' $H , pack 0 10
breaks "K15 a CertReply" 'CertReply: not from this side' $H , header 0 23 0
breaks "K15 a JoinReply" 'JoinReply: not from this side' $H , header 0 26 0
breaks "K15 a LinkState" 'frame of unknown type 40' $H , header 0 40 0
breaks "K15 HostUp of the local socket" 'frame of unknown type 101' $H , header 0 101 0
breaks "K15 HostFrame of the local socket" 'frame of unknown type 103' $H , header 0 103 0
breaks "K15 Attach of the local socket" 'frame of unknown type 120' $H , header 0 120 0
breaks "K15 HostSend of the local socket" 'frame of unknown type 121' $H , header 0 121 0
breaks "K15 type 0" 'frame of unknown type 0' header 0 0 0
breaks "K15 type 65535" 'frame of unknown type 65535' header 0 65535 0
breaks "K15 descriptors" 'want 0 in the last header field' header 0 1 1
breaks "K15 all of them" 'want 0 in the last header field' header 0 1 65535
breaks "E64 A80 Hello of 4097 bytes" 'Hello: want at most 4096 bytes' header 4097 1 0
breaks "E64 Hello of 65535" 'Hello: want at most 4096' header 65535 1 0
breaks "E64 Hello of 65536" 'Hello: want at most 4096' header 65536 1 0
breaks "E64 Hello of 2^31-1" 'Hello: want at most 4096' header 2147483647 1 0
breaks "E64 Hello of 2^32-1" 'Hello: want at most 4096' header 4294967295 1 0
breaks "E64 a report of 2 MiB and 1" 'Report: want at most 2097152' $H , header 2097153 2 0
breaks "E64 an empty Hello" 'Hello.session: want a number above 0' header 0 1 0
breaks "A80 no protobuf" 'Hello: not a protobuf message' header 4 1 0 , bytes ffffffff
breaks "A80 a number too long" 'Hello: not packed canonically' header 3 1 0 , bytes 308700
breaks "A80 a field twice" 'Hello: not packed canonically' header 4 1 0 , bytes 30073007
breaks "A80 a text that is not UTF-8" 'Refusal.reason: want UTF-8' $H , raw 3 2a02fffe
breaks "A80 a terminal's escape" 'Refusal.reason: want UTF-8 text without control' $H , raw 3 2a021b5b
breaks "A80 a path as a pod" 'Refusal.pod: want namespace/name' $H , raw 3 1a052e2e2f2e2e
breaks "S04 a report of another session" 'Report: of another session' $H , report 8 1
breaks "S04 a report once more" 'Report: sequence did not rise' $H , report 7 1 , report 7 1
breaks "S04 an older report" 'Report: sequence did not rise' $H , report 7 5 , report 7 4
breaks "K15 a CSR that is none" 'request' $H , raw 4 0a0430020500

# A73: nothing in a frame names the host; all that host-a says is host-a's.
: >"$TMP/core.out"
"$TOOL" frame hello 7 , report 7 1 3 , refusal T01 >"$TMP/said"
hold good "$TMP/said"
soon core.out '^frame host=host-a type=3' "A73 a host's frames"
is "$(grep -c '^frame' "$TMP/core.out"):$(grep -c '^frame host=host-a ' "$TMP/core.out")" \
	3:3 "A73 are its own, by its certificate"
drop
soon core.out '^down host=host-a code=CLOSED' "it goes"

# A80: cut in the middle of a frame: not acted upon (P12).
: >"$TMP/core.out"
"$TOOL" frame hello 7 , report 7 1 20 | head -c 500 >"$TMP/said"
hold good "$TMP/said"
soon core.out '^frame host=host-a type=1' "P12 a report that is cut off"
drop
soon core.out '^down host=host-a code=PROTO .*closed in the middle of a frame' \
	"P12 is the end of the session"
is "$(count core.out 'type=2')" 0 "P12 and is not acted upon"

# A80: random bytes, the channel lives on.
: >"$TMP/core.out"
i=0
while [ $i -lt 20 ]; do
	head -c 3000 /dev/urandom >"$TMP/said"
	hold good "$TMP/said"
	wait_for 5 eval '[ "$(count core.out "^down")" -gt '$i' ]'
	drop
	i=$((i + 1))
done
is "$(count core.out '^down host=host-a code=(PROTO|LIMIT)')" 20 \
	"A80 20 sessions of noise are ended"
kill -0 "$CH_PID" && ok "A80 and the channel lives" || not_ok "A80 and the channel lives"

# A flood of reports ends the session, not the channel.
i=0
W=$H
while [ $i -lt 300 ]; do
	i=$((i + 1))
	W="$W , report 7 $i"
done
breaks "A80 300 reports at once" 'Report: want at most 200 a second' $W

# A host that does not read is cut at 8 MiB, and nobody else waits for it.
: >"$TMP/core.out"
"$TOOL" frame hello 7 >"$TMP/said"
hold good "$TMP/said"
soon core.out '^frame host=host-a type=1' "a host that stops reading"
kill -STOP "$HELD"
core_say force host-a 40 1000000
soon core.out '^down host=host-a code=SLOW' "R14 is cut when 8 MiB wait for it"
kill -CONT "$HELD"
drop

# --- the thief of a token ---------------------------------------------------------
T=$(token host-c)
mkdir "$TMP/c" "$TMP/d" "$TMP/e"
join c "$T"
is "$ST" 0 "S01 A76 a token is good once"
join d "$T"
is "$ST" 5 "S01 A76 and not twice"
like "$ERR" 'DENIED: the manager refuses: J05' "S01 with the manager's reason"
[ ! -e "$TMP/d/host.pem" ] && ok "S01 nothing is written" || not_ok "S01 nothing is written"
join d "$(token host-d -5)"
like "$ST:$ERR" '^5:.*J04' "S01 A76 an expired token"
ch_token=$(token host-d)
: >"$TMP/book"
join d "$ch_token"
like "$ST:$ERR" '^5:.*J01' "S01 a token that the manager does not know"
join d "${ch_token%????}AAAA"
is "$ST" 3 "S01 a token that was changed"
unlike "$ERR" "${ch_token#rcj1.}" "S01 is not in the message"

# --- a hostile manager at the join --------------------------------------------------
mkdir "$TMP/otherca" "$TMP/otherpki"
"$TOOL" ca "$TMP/otherca" demo
OTHER=$("$TOOL" token "$TMP/otherca" "$TMP/trust" host-d "127.0.0.1:$PORT" 600 "$TMP/book")
: >"$TMP/core.out"
join d "$OTHER"
is "$ST" 4 "T06 a manager with another CA than the token's"
like "$ERR" "TRUST: .*the manager's CA is not the one that the token names" \
	"T06 is named"
unlike "$(cat "$TMP/core.out")" '^join' "T06 and never sees the secret"
core_say mode altered
soon core.out '^did mode' "a manager that alters the trust root"
join d "$(token host-d)"
is "$ST" 4 "A77 is refused"
like "$ERR" 'TRUST: hostile manager: the trust root that it sends is not the one' \
	"A77 and named"
core_say mode otherhost
wait_for 5 eval '[ "$(count core.out "^did mode")" = 2 ]'
join d "$(token host-d)"
like "$ST:$ERR" '^4:.*want a certificate for host-d, have other-host' \
	"T07 a certificate for another host is refused"
is "$(ls "$TMP/d")" host.key "nothing but the key was written"
core_say mode pending
wait_for 5 eval '[ "$(count core.out "^did mode")" = 3 ]'
join d "$(token host-d)"
like "$ST:$ERR" '^0:.*event=join.pending host=host-d' "a join that is decided later"

# --- a hostile server for the link ---------------------------------------------------
# It holds a host's certificate, or one of another CA, and listens as manager.
evil()
{
	rm -f "$TMP/evil.out"
	openssl s_server -accept "127.0.0.1:0" -cert "$TMP/$1.pem" \
		-key "$TMP/$1.key" -CAfile "$TMP/ca/ca.pem" -Verify 1 \
		-cert_chain "$TMP/ca/ca.pem" -alpn reconcile/1 -tls1_3 \
		>"$TMP/evil.out" 2>&1 </dev/zero &
	EVIL=$!
	wait_for 5 has evil.out 'ACCEPT 127'
	sed -n 's/^ACCEPT 127.0.0.1:\([0-9]*\).*/127.0.0.1:\1/p' "$TMP/evil.out" |
		head -n 1 >"$TMP/c/manager"
}

link_says()
{
	: >"$TMP/a.out"
	agent_start a "$TMP/c"
	soon a.out "$2" "$1"
	agent_stop a
	kill "$EVIL" 2>/dev/null
	wait "$EVIL" 2>/dev/null
}

(cd "$TMP" && "$TOOL" issue ca host-z 3600 0 zombie >/dev/null)
evil zombie
link_says "P04 a host's certificate as the manager's" \
	'connected=0 .*reason=certificate: unsu|reason=extended key usage'
CA=$TMP/otherca hand foreign URI:spiffe://demo/manager serverAuth
evil foreign
link_says "P01 a manager of another CA" 'connected=0 .*reason=certificate: '
hand named URI:spiffe://demo/host/host-z serverAuth
evil named
link_says "P03 a server with a host's name" "reason=not the manager's SPIFFE id"
hand domain URI:spiffe://other/manager serverAuth
evil domain
link_says "P03 a manager of another domain" 'reason=certificate of another trust domain'
printf '127.0.0.1:%s\n' "$PORT" >"$TMP/c/manager"
: >"$TMP/core.out"
: >"$TMP/a.out"
agent_start a "$TMP/c"
soon core.out '^up host=host-c' "the true manager is believed"
core_say send host-c assign 0
soon a.out 'connected=0 .*reason=Assignment.epoch: want a number above 0' \
	"A80 a frame of the manager that breaks its shape ends the session"
agent_say a raw 4 00
wait_for 5 has a.err "agent: frame of type 4"
like "$(cat "$TMP/a.err")" "PROTO: agent: frame of type 4" \
	"an agent that asks for a certificate itself is stopped"
agent_stop a

# --- the unix socket -----------------------------------------------------------------
is "$(stat -c %a "$TMP/sock")" 600 "T02 the core's socket is its user's"
if [ "$(id -u)" = 0 ]; then
	chmod 666 "$TMP/sock"
	chmod 755 "$TMP" "$TMP/ca"
	chmod 644 "$TMP/ca/ca.key"
	: >"$TMP/ch.log"
	core_stop
	run setpriv --reuid 65534 --regid 65534 --clear-groups \
		timeout 5 "$TOOL" core "$TMP/sock" "$TMP/ca" "$TMP/trust" \
		"$TMP/book" 60
	like "$(cat "$TMP/ch.log")" 'event=core.denied' \
		"T02 another user is refused by its credentials"
else
	skip "T02 another user is refused by its credentials" "needs root"
fi
finish
