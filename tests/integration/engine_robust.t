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
	"$TMP/heard" >"$TMP/hook"
chmod 755 "$TMP/hook"
program true
edit a ".hooks.prestart = [{\"path\": \"$TMP/hook\"}]"
by "exec python3 $TMP/deaf.py \$run"
is "$ST $(cat "$TMP/heard")" \
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
fails "too few descriptors are an error" 1 'Too many open files|No file descriptors' \
	sh -c "ulimit -n 8; exec $ENGINE --root $TMP/state run --bundle $TMP/a $C"
is "$(E list -q)" "" "which leaves nothing"
by 'ulimit -n 64; exec $run'
is "$ST $OUT" "0 out" "64 descriptors are enough"

exec 7<"$TMP" # and what is open on top of what is passed on
E create --bundle "$TMP/a" "$C" </dev/null >/dev/null 2>&1
exec 7<&-
is "$(readlink /proc/"$(E state "$C" | jq .pid)"/fd/* | grep -v '^pipe:' |
	sed 's/\[.*//' | sort | uniq -c | tr -s ' \n' ' ')" " 3 /dev/null 1 socket: " \
	"the first process holds nothing but its socket while it waits"
succeeds "and is started" E start "$C"
E delete --force "$C"

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

mkdir "$TMP/bare"
jq --arg r "$TMP/a/rootfs" '.root.path = $r' "$TMP/a/config.json" \
	>"$TMP/bare/other.json"
run E run --bundle "$TMP/bare" --config other.json "$C"
is "$ST $OUT" "0 out
/" "a configuration of another name"
fails "which is wanted in the bundle" 1 'other' \
	E run --bundle "$TMP/a" --config other.json "$C"
fails "a list of containers that nobody keeps" 1 'state directory .*/none' \
	"$ENGINE" --root "$TMP/none" list

# said: the warnings in ERR.
said()
{
	printf '%s\n' "$ERR" | sed -n 's/.*level=warning msg=//p' | jq -r .
}

# --- capabilities that cannot be given ----------------------------------------
bundle caps
edit caps '.process.capabilities = {
	"bounding": ["CAP_KILL", "CAP_CHOWN", "CAP_FLY"],
	"permitted": ["CAP_KILL", "CAP_CHOWN"],
	"effective": ["CAP_KILL", "CAP_SYS_ADMIN"],
	"inheritable": ["CAP_KILL", "CAP_SYS_PTRACE"],
	"ambient": ["CAP_KILL", "CAP_CHOWN"]}
	| .process.user.uid = 5'
sh_in caps 'grep ^Cap /proc/self/status | tr -s "\t\n" " "'
is "$ST $OUT" "0 CapInh: 0000000000000020 CapPrm: 0000000000000020\
 CapEff: 0000000000000020 CapBnd: 0000000000000021 CapAmb: 0000000000000020 " \
	"a container starts without them, and no set has more than asked for"
cat >"$TMP/warnings" <<'EOF'
unknown capability "CAP_FLY"
can't make effective capability CAP_SYS_ADMIN: it is not permitted
can't inherit capability CAP_SYS_PTRACE: it is not in the bounding set, or we do not have it
can't raise ambient capability CAP_CHOWN: it is not permitted and inheritable
EOF
is "$(said)" \
	"$(cat "$TMP/warnings")" "and each is told"
bundle host 'del(.linux.uidMappings, .linux.gidMappings)
	| .linux.namespaces |= map(select(.type != "user"))
	| .process.capabilities.permitted = ["CAP_KILL", "CAP_SYS_BOOT"]
	| .process.capabilities.effective = ["CAP_KILL"]
	| .process.capabilities.bounding = ["CAP_KILL", "CAP_SYS_BOOT"]
	| .process.args = ["grep", "^CapPrm", "/proc/self/status"]'
run setpriv --bounding-set -sys_boot --inh-caps -sys_boot \
	"$ENGINE" --root "$TMP/state" run --bundle "$TMP/host" "$C"
is "$ST $(echo $OUT) $(said)" "0 CapPrm: 0000000000000020\
 can't permit capability CAP_SYS_BOOT: we do not have it" \
	"nor can what the engine itself lacks"

bundle inherit '.process.user.uid = 5 | .process.capabilities = {
	"bounding": ["CAP_KILL"], "inheritable": ["CAP_KILL"]}
	| .process.args = ["grep", "^CapInh", "/proc/self/status"]'
run E run --bundle "$TMP/inherit" "$C"
is "$ST $(echo $OUT)" "0 CapInh: 0000000000000020" \
	"an inheritable set alone, of another user"

# --- hooks that fail ----------------------------------------------------------
# hooked FILTER: a bundle whose poststop hooks tell that they ran.
hooked()
{
	bundle hooked '.process.args = ["sleep", "100"]
		| .hooks.poststop = [{"path": "/bin/false"}, {"path": "/bin/sh",
		"args": ["sh", "-c", "echo ran >>'"$TMP"'/poststop"]}] | '"$1"
	: >"$TMP/poststop"
}
hooked .
run E run --detach --bundle "$TMP/hooked" "$C" >/dev/null
run E --log "$TMP/log" --log-format json delete --force "$C"
is "$ST $(cat "$TMP/poststop") $(jq -r '.level + " " + .msg' "$TMP/log")" \
	"0 ran warning error running poststop hook #0: /bin/false: exit status 1" \
	"poststop: a warning, the others run, and the container is gone"
for _h in prestart createRuntime createContainer; do
	hooked '.hooks.'$_h' = [{"path": "/bin/false"}]'
	fails "$_h: an error of create" 1 "error running $_h hook #0: /bin/false: exit status 1" \
		E create --bundle "$TMP/hooked" "$C"
	is "$(cat "$TMP/poststop") $(E list -q)" "ran " "$_h: undone, then poststop"
done
for _h in startContainer poststart; do
	hooked '.hooks.'$_h' = [{"path": "/bin/false"}]'
	E create --bundle "$TMP/hooked" "$C" </dev/null >/dev/null 2>&1
	fails "$_h: an error of start" 1 "error running $_h hook #0: /bin/false: exit status 1" \
		E start "$C"
	is "$(cat "$TMP/poststop") $(E list -q)" "ran " "$_h: ended, then poststop"
done

hooked '.ociVersion = "1.2.0" | .hooks.poststart = [{"path": "/bin/false"}]'
E create --bundle "$TMP/hooked" "$C" </dev/null >/dev/null 2>&1
run E start "$C"
is "$ST" 0 "poststart: up to version 1.2 no error of start"
like "$ERR" 'level=warning msg="error running poststart hook #0' \
	"poststart: but a warning"
E delete --force "$C"

# --- what hooks see and may -----------------------------------------------------
bundle see '.process.user = {"uid": 5, "gid": 6}
	| .process.env += ["ONE=two"]
	| .process.capabilities.bounding = ["CAP_KILL"]
	| .process.args = ["cat", "/tmp/seen"]
	| .hooks.startContainer = [{"path": "/bin/sh", "args": ["sh", "-c",
		"(id -u; id -g; echo $ONE; pwd; mkdir /tmp/no 2>&1;
		grep -E ^Cap\\(Eff\\|Bnd\\)\\|^NoNew\\|^Seccomp: /proc/self/status) |
		tr -s \\\\t\\\\n \\\\40 >/tmp/seen"]}]
	| .linux.seccomp.syscalls |= map(.names -= ["mkdir", "mkdirat"])'
CANARY=host run E run --bundle "$TMP/see" "$C"
is "$ST $OUT" "0 5 6 two / mkdir: can't create directory '/tmp/no': Operation not\
 permitted CapEff: 0000000000000000 CapBnd: 0000000000000020 NoNewPrivs: 1\
 Seccomp: 2 " "startContainer: no more rights than the program, and its environment"
bundle see '.process.args = ["cat", "/seen", "/see2"] | .root.readonly = false
	| .hooks.createRuntime = [{"path": "/bin/sh", "args": ["sh", "-c",
		"echo $CANARY >$0/rootfs/seen", "'"$TMP/see"'"]}]
	| .hooks.createContainer = [{"path": "/bin/sh", "args": ["sh", "-c",
		"(pwd; ls -d rootfs/proc/1/fd; echo $CANARY$A) >rootfs/see2"], "env": ["A=b"]}]'
CANARY=host run E run --bundle "$TMP/see" "$C"
is "$ST $OUT" "0 host
$TMP/see
rootfs/proc/1/fd
b" "before the pivot the root is where the config has it, mounts and all"

# --- the working directory ------------------------------------------------------
bundle cwd '.root.readonly = true | .process.cwd = "/srv/deep/er"
	| .process.user.uid = 5 | .process.args = ["sh", "-c",
	"pwd; stat -c %a:%u . /srv"]'
run E run --bundle "$TMP/cwd" "$C"
is "$ST $OUT" "0 /srv/deep/er
755:0
755:0" "one that is missing is made, also in a root that will be read-only"
mkdir "$TMP/cwd/rootfs/mine"
chown "$HOST_ID" "$TMP/cwd/rootfs/mine"
chmod 700 "$TMP/cwd/rootfs/mine"
edit cwd '.process.cwd = "/mine" | .process.args = ["sh", "-c",
	"/bin/pwd; ls . 2>&1 | tr -d \\\\047 | sed s/can.t.open.//"]'
run E run --bundle "$TMP/cwd" "$C"
is "$ST $OUT" "0 /mine
ls: .: Permission denied" \
	"the container's root goes where the user may not; he gets no right by it"
edit cwd '.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 4, "hard": 4}]
	| .process.args = ["/bin/pwd"]'
run E run --bundle "$TMP/cwd" "$C"
is "$ST $OUT" "0 /mine" "four descriptors for the program are enough for us"

# --- a terminal whose output goes elsewhere -------------------------------------
bundle tty '.process.terminal = true | .process.args = ["echo", "line"]'
run E run --bundle "$TMP/tty" "$C"
is "$ST $(od -An -c "$TMP/.out" | tr -d ' ')" '0 line\n' "its lines end as the program ends them"

# --- files that are descriptors -------------------------------------------------
bundle fd '.process.args = ["sleep", "100"]'
E run --detach --bundle "$TMP/fd" "$C" </dev/null >/dev/null 2>&1
jq '.process | .args = ["ls", "/proc/self/fd"]' "$TMP/fd/config.json" \
	>"$TMP/process"
run sh -c "exec 9<$TMP/process 8<$TMP; exec $ENGINE --root $TMP/state exec \
	--process /dev/fd/9 $C"
is "$ST $(echo $OUT)" "0 0 1 2 3" "exec reads its process from /dev/fd/9, which goes no further"
echo '{"pids": {"limit": 50}}' >"$TMP/process"
run sh -c "exec 9<$TMP/process; exec $ENGINE --root $TMP/state update \
	--resources /dev/fd/9 $C"
is "$ST" 0 "and update its resources"
E delete --force "$C"

# --- the host's devices ---------------------------------------------------------
bundle dev 'del(.linux.uidMappings, .linux.gidMappings)
	| .linux.namespaces |= map(select(.type != "user"))
	| .mounts += [{"destination": "/dev/own", "type": "bind",
		"source": "'"$TMP/nodes"'", "options": ["bind"]}]
	| .linux.devices = [{"path": "/dev/own/full", "type": "c", "major": 1,
		"minor": 7, "uid": 5, "gid": 6, "fileMode": 384}]
	| .linux.maskedPaths += ["/tmp", "/tmp"]
	| .process.args = ["grep", "-c", " /tmp ", "/proc/self/mountinfo"]'
mkdir "$TMP/nodes"
mknod -m 640 "$TMP/nodes/full" c 1 7
run E run --bundle "$TMP/dev" "$C"
is "$ST $(stat -c '%u:%g %a' "$TMP/nodes/full")" "0 0:0 640" \
	"a node that is there keeps owner and mode: it is the host's"
is "$OUT" 1 "a path masked twice is masked once"

# --- a program that only a capability opens -------------------------------------
bundle dac '.process.user = {"uid": 5, "gid": 6} | .process.args = ["/bin/own"]
	| .process.capabilities = ({} | .permitted = ["CAP_DAC_OVERRIDE"]
	| .effective = .permitted | .bounding = .permitted
	| .inheritable = .permitted | .ambient = .permitted)'
printf '#!/bin/sh\necho ran\n' >"$TMP/dac/rootfs/bin/own"
chown "$HOST_ID:$HOST_ID" "$TMP/dac/rootfs/bin/own"
chmod 700 "$TMP/dac/rootfs/bin/own"
run E run --bundle "$TMP/dac" "$C"
is "$ST $OUT" "0 ran" "with CAP_DAC_OVERRIDE"
edit dac '.process.capabilities = {}'
fails "and without" 1 'permission denied' E run --bundle "$TMP/dac" "$C"

# --- the end of a container that waits ------------------------------------------
for _s in TERM INT HUP; do
	E create --bundle "$TMP/fd" "$C" </dev/null >/dev/null 2>&1
	succeeds "kill $_s of a created one" E kill "$C" "$_s"
	wait_for 5 status_is "$C" stopped && ok "which ends it" ||
		not_ok "which ends it"
	E delete --force "$C"
done

# --- values that no table of types refuses ------------------------------------
# filter|words of the message
while IFS='|' read -r _f _m; do
	bundle bad "$_f"
	fails "refused: $_f" 1 "^reconcile-engine: INPUT: config: $_m" \
		E create --bundle "$TMP/bad" "$C"
done <<'LIST'
.hooks.poststop = [{"path": "true"}]|hooks.poststop\[0\].path: want an absolute path
.hooks.startContainer = [{"path": ""}]|hooks.startContainer\[0\].path: want an abs
.hooks.poststart = [{"path": "/x", "timeout": 0}]|hooks.poststart\[0\].timeout: want 1 to
.hooks.prestart = [{"path": "/x", "timeout": 4294967296}]|hooks.prestart\[0\].timeout: want
.linux.devices = [{"type": "x", "path": "/dev/x", "major": 1, "minor": 3}]|linux.devices\[0\].type: want c
.linux.devices = [{"type": "", "path": "/dev/x", "major": 1, "minor": 3}]|linux.devices\[0\].type: want c
.linux.devices = [{"type": "c", "path": "x", "major": 1, "minor": 3}]|linux.devices\[0\].path: want an abs
.linux.devices = [{"type": "c", "path": "/dev/x", "minor": 3}]|linux.devices\[0\].major: want it
.linux.devices = [{"type": "b", "path": "/dev/x", "major": 1, "minor": -1}]|linux.devices\[0\].minor: want it
.linux.devices = [{"type": "p", "path": "/dev/x", "fileMode": 65536}]|linux.devices\[0\].fileMode: want
.linux.devices = [{"type": "p", "path": "/dev/x", "uid": 4294967296}]|linux.devices\[0\].uid: want
.linux.maskedPaths = ["/proc/kcore", "proc"]|linux.maskedPaths\[1\]: want an absolute path
.linux.readonlyPaths = [""]|linux.readonlyPaths\[0\]: want an absolute path
.process.user.umask = 512|process.user.umask: want at most 511
.process.rlimits = [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}, {"type": "RLIMIT_CORE", "soft": 1, "hard": 1}]|process.rlimits\[1\]: the type of \[0\] again
LIST
is "$(E list -q)" "" "refusals leave no state"

e_cleanup
baseline_check "nothing stays"
finish
