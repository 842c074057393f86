#!/bin/sh
# The engine with callers that treat it badly: what it inherits from them, where
# they stand, what they leave closed, and many of them at once.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine-lib.sh"
need_program python3
tmpdir
at_exit e_cleanup
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
C=$T_TAG-c
bundle a

# program WORDS: the bundle's program is this script from here on.
program()
{
	jq --arg s "$1" '.process.args = ["sh", "-c", $s]' \
		"$TMP/a/config.json" >"$TMP/a/c" && mv "$TMP/a/c" \
		"$TMP/a/config.json"
}

# by SCRIPT: a shell that ends as the engine, which runs the bundle; $run.
by()
{
	run env run="$ENGINE --root $TMP/state run --bundle $TMP/a $C" \
		sh -c "$1"
}

# --- signals ----------------------------------------------------------------
cat >"$TMP/deaf.py" <<'EOF'
import os, signal, sys
for s in signal.valid_signals():
    if s not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(s, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.execv(sys.argv[1], sys.argv[1:])
EOF
program 'grep -E "^Sig(Blk|Ign)" /proc/self/status | tr -d "\t\n"'
by "exec python3 $TMP/deaf.py \$run"
is "$ST $OUT" "0 SigBlk:0000000000000000SigIgn:0000000000000000" \
	"a caller that ignores and blocks all signals: the program does not"
printf '#!/bin/sh\ngrep -E "^Sig(Blk|Ign)" /proc/self/status | tr -d "\\t\\n" >%s\n' \
	"$TMP/hooked" >"$TMP/hook"
chmod 755 "$TMP/hook"
program true
edit a ".hooks.prestart = [{\"path\": \"$TMP/hook\"}]"
by "exec python3 $TMP/deaf.py \$run"
is "$ST $(cat "$TMP/hooked")" \
	"0 SigBlk:0000000000000000SigIgn:0000000000000000" \
	"the same for a hook, and its end is seen though SIGCHLD was ignored"
# More state than a pipe holds, so that the hook is gone while it is written.
edit a '.hooks.prestart = [{"path": "/bin/true"}]
	| .annotations.long = ("x" * 200000)'
by 'exec $run'
is "$ST $ERR" "0 " "a hook that does not read its input does not end us"
edit a 'del(.hooks, .annotations)'

# --- descriptors ------------------------------------------------------------
program 'for f in 0 1 2; do
	[ "$(readlink /proc/1/fd/$f)" = /dev/null ] || exit $((f + 1))
done'
by 'exec $run <&- >&- 2>&-'
is "$ST" 0 "0, 1 and 2 closed: the program has /dev/null there"
printf 'before' >"$TMP/kept"
by 'exec $run --no-such-option 2>&- <&- >&-'
is "$ST $(cat "$TMP/kept")" "1 before" "an error without an error output"
program 'echo out'
fails "too few descriptors are an error" 1 'Too many open files' \
	sh -c "ulimit -n 8; exec $ENGINE --root $TMP/state run --bundle $TMP/a $C"
is "$(E list -q)" "" "which leaves nothing"
by 'ulimit -n 64; exec $run'
is "$ST $OUT" "0 out" "64 descriptors are enough"

# --- where the caller stands ------------------------------------------------
program 'stat -c "%a %n" / /dev /dev/null /dev/shm /new /new/deep /new/file
	umask'
touch "$TMP/source"
edit a '.mounts += [{"destination": "/new/deep", "type": "tmpfs"},
	{"destination": "/new/file", "type": "bind",
		"source": "'"$TMP/source"'", "options": ["bind"]}]'
by 'umask 077; exec $run'
first="$OUT $ST"
rm -rf "$TMP/a/rootfs/new"
by 'umask 0; exec $run'
is "$OUT $ST" "$first" "modes do not depend on the caller's umask"
like "$first" '^755 /new$' "and what was made can be entered"
is "$(stat -c %a "$TMP/state")" 700 "nor does that of the state directory"
edit a '.mounts |= map(select(.destination | startswith("/new") | not))'
program 'echo out; pwd'
mkdir "$TMP/gone"
by "cd $TMP/gone && rmdir $TMP/gone && exec \$run"
is "$ST $OUT" "0 out
/" "a caller in a removed directory"
run sh -c "cd $TMP && exec $ENGINE --root ./state run --bundle ./a/../a $C"
is "$ST $OUT" "0 out
/" "relative paths"
run env -i "$ENGINE" --root "$TMP/state" run --bundle "$TMP/a" "$C"
is "$ST $OUT" "0 out
/" "a caller without any environment"

e_cleanup
baseline_check "nothing stays"
finish
