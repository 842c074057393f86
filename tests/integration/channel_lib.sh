# channel_lib.sh - parts of the channel's suites: a CA, a channel, a core and
# agents in $TMP.  Source lib.sh and call tmpdir first.
#
# Core: commands by `core_say`, events in $TMP/core.out.  Agents are called a
# and b; commands by `agent_say a`, what they are told in $TMP/a.out.
TOOL=$B/tools/channel-tool
CH_PID=
CORE_PID=
A_PID=
B_PID=
PORT=0

need_channel()
{
	need_program openssl "$TOOL" "$BIN/reconcile-channel" \
		"$BIN/reconcile-link"
}

# ch_pki: CA, server certificate, empty list, trust root.
ch_pki()
{
	mkdir -p "$TMP/ca" "$TMP/pki" "$TMP/a" "$TMP/b"
	"$TOOL" ca "$TMP/ca" demo &&
		"$TOOL" server "$TMP/ca" "$TMP/pki" &&
		"$TOOL" crl "$TMP/ca" "$TMP/pki" 3600 || return 1
	echo "trust root of the test" >"$TMP/trust"
	: >"$TMP/book"
	: >"$TMP/ch.log"
}

# has FILE ERE
has()
{
	grep -Eq -- "$2" "$TMP/$1"
}

# soon FILE ERE NAME: a line comes within 10 s.
soon()
{
	if wait_for 10 has "$1" "$2"; then
		ok "$3"
	else
		not_ok "$3" "want in $1: $2
have: $(tail -n 5 "$TMP/$1")"
	fi
}

# count FILE ERE
count()
{
	grep -Ec -- "$2" "$TMP/$1"
}

# ch_start [OPTION...]: on the same port again after the first time.
ch_start()
{
	"$BIN/reconcile-channel" --socket "$TMP/sock" \
		--listen "127.0.0.1:$PORT" --pki "$TMP/pki" "$@" \
		2>>"$TMP/ch.log" &
	CH_PID=$!
	_ready=$(count ch.log event=channel.ready)
	wait_for 5 eval '[ "$(count ch.log event=channel.ready)" != "$_ready" ]' ||
		has ch.log event=channel.ready
	PORT=$(sed -n 's/.*event=channel.listen address=127.0.0.1:\([0-9]*\).*/\1/p' \
		"$TMP/ch.log" | tail -n 1)
}

ch_stop()
{
	[ -z "$CH_PID" ] && return
	kill "${1:--TERM}" "$CH_PID" 2>/dev/null
	wait "$CH_PID" 2>/dev/null
	CH_ST=$?
	CH_PID=
}

# core_start [VALID_S]: validity of the certificates that it issues.
core_start()
{
	rm -f "$TMP/core.in"
	mkfifo "$TMP/core.in"
	exec 8<>"$TMP/core.in"
	"$TOOL" core "$TMP/sock" "$TMP/ca" "$TMP/trust" "$TMP/book" \
		"${1:-3600}" <"$TMP/core.in" >>"$TMP/core.out" 2>&1 8>&- &
	CORE_PID=$!
	wait_for 5 has core.out '^ready'
}

core_say()
{
	echo "$*" >&8
}

core_stop()
{
	[ -z "$CORE_PID" ] && return
	core_say quit
	wait "$CORE_PID" 2>/dev/null
	CORE_PID=
}

# token HOST [VALID_S] [MANAGER]
token()
{
	"$TOOL" token "$TMP/ca" "$TMP/trust" "$1" \
		"${3:-127.0.0.1:$PORT}" "${2:-600}" "$TMP/book"
}

# join DIR TOKEN: sets OUT ERR ST
join()
{
	run "$BIN/reconcile-link" --dir "$TMP/$1" --join "$2"
}

agent_start()
{
	rm -f "$TMP/$1.in"
	mkfifo "$TMP/$1.in"
	case $1 in
	a) exec 5<>"$TMP/a.in" ;;
	b) exec 6<>"$TMP/b.in" ;;
	esac
	"$TOOL" agent "$BIN/reconcile-link" "${2:-$TMP/$1}" <"$TMP/$1.in" \
		>>"$TMP/$1.out" 2>>"$TMP/$1.err" 5>&- 6>&- 8>&- &
	case $1 in
	a) A_PID=$! ;;
	b) B_PID=$! ;;
	esac
}

agent_say()
{
	_who=$1
	shift
	case $_who in
	a) echo "$*" >&5 ;;
	b) echo "$*" >&6 ;;
	esac
}

agent_stop()
{
	agent_say "$1" quit
	case $1 in
	a) wait "$A_PID" 2>/dev/null; A_PID= ;;
	b) wait "$B_PID" 2>/dev/null; B_PID= ;;
	esac
}

ch_clean()
{
	for _p in $A_PID $B_PID $CORE_PID $CH_PID; do
		kill "$_p" 2>/dev/null
		wait "$_p" 2>/dev/null
	done
}
at_exit ch_clean

# hand NAME SAN [EKU] [EXTRA]: a certificate of our CA with what it says, as
# $TMP/NAME.pem and .key; KEYALG for other keys.
hand()
{
	openssl genpkey ${KEYALG:--algorithm EC -pkeyopt ec_paramgen_curve:P-256} \
		-out "$TMP/$1.key" 2>/dev/null
	printf '%s\n' "basicConstraints=${4:-critical,CA:FALSE}" \
		"keyUsage=critical,digitalSignature" \
		"extendedKeyUsage=${3:-clientAuth}" \
		"subjectKeyIdentifier=hash" \
		"authorityKeyIdentifier=keyid:always" \
		"subjectAltName=$2" >"$TMP/$1.ext"
	openssl req -new -subj "/CN=host-a" -key "$TMP/$1.key" |
		openssl x509 -req -CA "${CA:-$TMP/ca}/ca.pem" \
			-CAkey "${CA:-$TMP/ca}/ca.key" -CAcreateserial \
			-CAserial "$TMP/serial" -days "${DAYS:-1}" \
			-extfile "$TMP/$1.ext" -out "$TMP/$1.pem" 2>/dev/null
}

# client CERTNAME [OPTION...]: a session by openssl's client; standard input is
# sent.  Everything it says is in OUT.
client()
{
	_cert=$1
	shift
	OUT=$(timeout 10 openssl s_client -connect "127.0.0.1:$PORT" \
		-alpn "${ALPN:-reconcile/1}" -CAfile "$TMP/pki/ca.pem" \
		${_cert:+-cert "$TMP/$_cert.pem" -key "$TMP/$_cert.key"} \
		"$@" 2>&1)
}

# hold CERTNAME FILE [OPTION...]: the same in the background, after FILE was
# sent, until `drop`; its words in $TMP/held.out.
hold()
{
	_cert=$1 _file=$2
	shift 2
	openssl s_client -connect "127.0.0.1:$PORT" \
		-alpn "${ALPN:-reconcile/1}" -CAfile "$TMP/pki/ca.pem" \
		${_cert:+-cert "$TMP/$_cert.pem" -key "$TMP/$_cert.key"} \
		-ign_eof "$@" <"$_file" >"$TMP/held.out" 2>&1 &
	HELD=$!
}

drop()
{
	kill "$HELD" 2>/dev/null
	wait "$HELD" 2>/dev/null
}
