#!/bin/sh
# Terminals: a pty carried in the foreground, one sent to --console-socket.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine-lib.sh"
need_program python3
tmpdir
at_exit e_cleanup
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
C=$T_TAG-c
PTY="python3 $TOP/tests/integration/pty.py"

# on_tty STEP... -- ARG...: the engine on a terminal.
on_tty()
{
	_steps= _n=$#
	while [ "$1" != -- ]; do
		set -- "$@" "$1"
		shift
		_n=$((_n - 1))
	done
	shift
	_n=$((_n - 1))
	set -- "$@" -- "$ENGINE" --root "$TMP/state"
	while [ "$_n" -gt 0 ]; do
		set -- "$@" "$1"
		shift
		_n=$((_n - 1))
	done
	run $PTY "$@"
}

# --- run in the foreground ------------------------------------------------------
bundle tty '.process.terminal = true | .process.args = ["sh"]'
on_tty want '# ' send 'tty; stty size; echo a$((1+1))c\r' want 'a2c\r\n' \
	send 'exit 7\r' -- run --bundle "$TMP/tty" "$C"
is "$ST" 7 "run: a shell on a terminal of the container's own ends with its status"
like "$OUT" '^/dev/pts/0' "run: the terminal is of its own devpts"
like "$OUT" '^24 80' "run: it has the size of the caller's from the beginning"
like "$OUT" '^terminal: as before' "run: the caller's terminal is as before"
is "$(E list -q)" "" "run: nothing is left"
on_tty size 50 132 want '# ' send 'stty size\r' want '50 132' size 11 22 \
	send 'sleep 0.1; stty size; exit\r' want '11 22' \
	-- run --bundle "$TMP/tty" "$C"
is "$ST" 0 "run: another size of the caller's terminal is passed on"
on_tty want '# ' \
	send 'trap "echo caught; exit 9" INT; echo go; while :; do sleep 0.05; done\r' \
	want 'go\r\n' send '\x03' want 'caught\r\n' -- run --bundle "$TMP/tty" "$C"
is "$ST" 9 "run: ^C is a byte for the container's terminal"
on_tty want '# ' send 'trap "exit 3" TERM; echo go; while :; do sleep 0.05; done\r' \
	want 'go\r\n' signal TERM -- run --bundle "$TMP/tty" "$C"
is "$ST" 3 "run: a signal from outside reaches the program"
like "$OUT" '^terminal: as before' "run: and the terminal is restored"
bundle tty '.process.terminal = true | .process.consoleSize = {"height": 7,
	"width": 9} | .process.args = ["stty", "size"]'
run E run --bundle "$TMP/tty" "$C"
is "$ST $(printf '%s' "$OUT" | tr -d '\r')" "0 7 9" \
	"run without a terminal of the caller's: consoleSize"
bundle tty '.process.terminal = true | .process.args = ["sh", "-c",
	"stty raw -echo; echo ready; head -c 100000 | wc -c; exit 4"]'
mkfifo "$TMP/in"
"$ENGINE" --root "$TMP/state" run --bundle "$TMP/tty" "$C" <"$TMP/in" \
	>"$TMP/got" &
_pid=$!
exec 9>"$TMP/in"
wait_for 5 grep -q ready "$TMP/got" # raw from here on
head -c 100000 /dev/zero | tr '\0' x >&9
ST=0
wait "$_pid" || ST=$?
exec 9>&-
is "$ST $(tr -d '\r\n' <"$TMP/got")" "4 ready100000" \
	"run: input that is no terminal is carried, more than a pty holds"
bundle tty '.process.terminal = true | .process.args = ["sh", "-c",
	"i=0; while [ $i -lt 20000 ]; do echo 0123456789abcdef; i=$((i+1)); done"]'
ST=0
OUT=$("$ENGINE" --root "$TMP/state" run --bundle "$TMP/tty" "$C" </dev/null |
	(sleep 0.3; grep -c 0123456789abcdef))
is "$OUT" 20000 "run: a slow reader loses nothing"
bundle tty '.process.terminal = true | .process.user.uid = 1000
	| .process.args = ["sh", "-c", "stat -c %u $(tty); echo x >/dev/tty"]'
run E run --bundle "$TMP/tty" "$C"
is "$(printf '%s' "$OUT" | tr -d '\r' | tr '\n' ' ')" "1000 x" \
	"run: the terminal belongs to the user of the program"

# --- exec -------------------------------------------------------------------------
bundle x '.process.args = ["sleep", "1000"]'
E create --bundle "$TMP/x" "$C" && E start "$C"
on_tty size 33 44 want '' -- exec -t "$C" sh -c 'tty; stty size; exit 5'
is "$ST" 5 "exec -t: exit status"
like "$OUT" '^33 44' "exec -t: the size is there before the program begins"
on_tty -- exec -t "$C" nothing
is "$ST" 255 "exec -t of nothing: 255"
like "$OUT" 'executable file not found' "exec -t of nothing: the reason"
like "$OUT" '^terminal: as before' "exec -t of nothing: the terminal is as before"
jq '.process | .terminal = true | .args = ["tty"]' "$TMP/x/config.json" >"$TMP/p"
run E exec --process "$TMP/p" "$C"
is "$(printf '%s' "$OUT" | tr -d '\r')" /dev/pts/0 "exec: terminal by --process"
run E exec -t "$C" sh -c '(sleep 3; echo late) & echo early'
is "$ST $(printf '%s' "$OUT" | tr -d '\r')" "0 early" \
	"exec -t ends with its process, whatever that left behind"
fails "exec -t -d without a socket" 255 'without --console-socket' \
	E exec -t -d "$C" true

# --- --console-socket ---------------------------------------------------------------
cat >"$TMP/recv.py" <<'PY'
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(1)
open(sys.argv[1] + ".ready", "w").close()
c, _ = s.accept()
msg, control, _, _ = c.recvmsg(64, socket.CMSG_SPACE(4))
fd = array.array("i", control[0][2])[0]
text = b""
try:
    while True:
        more = os.read(fd, 4096)
        if not more:
            break
        text += more
except OSError:
    pass
print(text.decode().replace("\r\n", "\n"), end="")
PY
receive()
{
	rm -f "$TMP/sock" "$TMP/sock.ready"
	python3 "$TMP/recv.py" "$TMP/sock" >"$TMP/got" &
	_pid=$!
	wait_for 5 test -e "$TMP/sock.ready"
}
receive
run E exec -t -d --console-socket "$TMP/sock" "$C" sh -c 'tty; echo over'
wait "$_pid"
is "$ST $(cat "$TMP/got")" "0 /dev/pts/0
over" "exec -t -d: the master is sent"
E delete --force "$C"
bundle tty '.process.terminal = true | .process.args = ["sh", "-c",
	"tty; ls -l /dev/console | cut -c1"]'
receive
run E create --bundle "$TMP/tty" --console-socket "$TMP/sock" "$C"
is "$ST" 0 "create with --console-socket"
E start "$C"
wait "$_pid"
is "$(cat "$TMP/got")" "/dev/pts/0
c" "create, start: the program's terminal is the one that was sent"
E delete --force "$C"
receive
kill "$_pid"
wait "$_pid"
fails "a socket where nobody listens" 1 'console-socket .*sock: Connection refused' \
	E create --bundle "$TMP/tty" --console-socket "$TMP/sock" "$C"
fails "create of a terminal without a socket" 1 'without --console-socket' \
	E create --bundle "$TMP/tty" "$C"
fails "run -d of a terminal without a socket" 1 'without --console-socket' \
	E run -d --bundle "$TMP/tty" "$C"
bundle tty
fails "a socket without a terminal" 1 'console-socket wants process.terminal' \
	E create --bundle "$TMP/tty" --console-socket "$TMP/sock" "$C"
is "$(E list -q)" "" "refusals leave no state"
baseline_check "mounts, cgroups, namespaces, links as before"
finish
