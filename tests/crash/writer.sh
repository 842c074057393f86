# writer.sh - an audit writer under strace, for crash/audit.t and fault/audit.t.
# Source tests/integration/lib.sh first and call tmpdir.

CRASH_TOOL=$B/tests/crash_tool
ORIGIN=test/log

# the public key as the reader wants it: name, id and key of the log
vkey()
{
	_pub=$(openssl pkey -in "$TMP/key" -pubout -outform DER 2>/dev/null |
		tail -c 32 | xxd -p -c 64)
	_id=$({
		printf '%s\n' "$ORIGIN"
		printf '%s' "01$_pub" | xxd -r -p
	} | sha256sum | cut -c1-8)
	printf '%s+%s+%s' "$ORIGIN" "$_id" \
		"$(printf '%s' "01$_pub" | xxd -r -p | base64 -w0)"
}
# calls FILE: "name ordinal" of each call of a trace; strace counts each by
# itself.
calls()
{
	sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$1" | awk '{ print $1, ++n[$1] }'
}

# writer_up: a key and a log of six entries, kept in $TMP/kept.
writer_up()
{
	openssl genpkey -algorithm ed25519 -out "$TMP/key" 2>/dev/null
	chmod 600 "$TMP/key"
	"$CRASH_TOOL" audit "$BIN" "$TMP/kept" "$TMP/key" "$ORIGIN" 5 \
		>"$TMP/first" || return 1
	vkey >"$TMP/vkey"
	mkdir "$TMP/points"
}

# writer_at NAME UNDER...: a point of its own in $D: five appends to a copy of
# the log by a writer that runs under this command (@ in it is $D).  Answers in
# $D/acks, status in ST.
writer_at()
{
	D=$TMP/points/$1
	shift
	mkdir -p "$D/lib"
	cp -a "$TMP/kept" "$D/log"
	{
		echo '#!/bin/sh'
		printf 'exec'
		printf " '%s'" "${@//@/$D}"
		printf ' %s/reconcile-audit "$@"\n' "$BIN"
	} >"$D/lib/reconcile-audit"
	chmod +x "$D/lib/reconcile-audit"
	ST=0
	timeout 20 "$CRASH_TOOL" audit "$D/lib" "$D/log" "$TMP/key" "$ORIGIN" 5 \
		>"$D/acks" 2>"$D/err" </dev/null || ST=$?
}

# writer_wrong: says what is wrong with the log after a point: it must open,
# take one more entry, verify, and hold what was acknowledged where it was.
writer_wrong()
{
	timeout 20 "$CRASH_TOOL" audit "$BIN" "$D/log" "$TMP/key" "$ORIGIN" 1 \
		>"$D/after" 2>&1 || echo "the next writer: $(cat "$D/after")"
	"$BIN/reconcile" audit verify --log "$D/log" \
		--key "$(cat "$TMP/vkey")" >"$D/verify" 2>&1 ||
		echo "does not verify: $(cat "$D/verify")"
	sed -n 's/^ack \([0-9]*\) \([0-9]*\)$/\1 \2/p' "$D/acks" |
		while read -r seq number; do
			sed -n "${seq}p" "$D/log/log" |
				grep -q "\"number\":\"$number\"" ||
				echo "lost: entry $seq was acknowledged as $number"
		done
}
