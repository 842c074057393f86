#!/bin/sh
# exec: what the process has, where it is, how it ends, what its caller gets.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine-lib.sh"
need_program python3
tmpdir
at_exit e_cleanup
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
C=$T_TAG-c

bundle x '.process.args = ["sleep", "1000"] | .process.env += ["A=1", "B=1"]
	| .process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 55, "hard": 66}]'
cat >"$TMP/x/rootfs/etc/passwd" <<'PASSWD'
root:x:0:0:root:/home/root:/bin/sh
short:x
five:x:5:5::/home/five
nowhere:x:6:6::relative:/bin/sh
PASSWD
succeeds "create" E create --bundle "$TMP/x" "$C"
P=$(E state "$C" | jq .pid)
run E exec "$C" sh -c 'echo here'
is "$ST $OUT" "0 here" "exec in a created container"
is "$(E state "$C" | jq -r .status)" created "which stays created"
E start "$C"

# --- exit status --------------------------------------------------------------
run E exec "$C" sh -c 'exit 41'
is "$ST" 41 "status of the program"
run E exec "$C" sh -c 'kill -TERM $$; sleep 5'
is "$ST" 143 "128 and the signal"
fails "not found: 255" 255 'executable file not found in \$PATH' E exec "$C" nothing
fails "no such file: 255" 255 'no such file or directory' E exec "$C" /no/thing
fails "not executable: 255" 255 'permission denied' E exec "$C" /etc/passwd
fails "a directory: 255" 255 'permission denied' E exec "$C" /etc
fails "no command: 255" 255 'want a command or --process' E exec "$C"
fails "no container: 255" 255 'does not exist' E exec "$C-none" true
"$ENGINE" --root "$TMP/state" exec "$C" sh -c 'trap "exit 6" TERM
	echo up; while :; do sleep 0.05; done' >"$TMP/up" 2>&1 &
_pid=$!
wait_for 5 grep -q up "$TMP/up"
kill -TERM "$_pid"
ST=0
wait "$_pid" || ST=$?
is "$ST" 6 "a signal is passed on"

# --- environment, ids, limits -----------------------------------------------------
run E exec -e A=2 --env C=3 -e HOME= "$C" env
is "$(printf '%s\n' "$OUT" | grep -E '^(A|B|C|HOME)=' | sort | tr '\n' ' ')" \
	"A=2 B=1 C=3 HOME=/home/root " \
	"the last of a name counts; HOME comes from passwd"
for _u in 5:/home/five 6:/ 7:/; do
	run E exec --user "${_u%%:*}" "$C" sh -c 'echo $HOME'
	is "$OUT" "${_u#*:}" "HOME of user ${_u%%:*}"
done
run E exec -e HOME=/x "$C" sh -c 'echo $HOME'
is "$OUT" /x "HOME that is given"
mkdir -p "$TMP/x/rootfs/usr/share"
mv "$TMP/x/rootfs/etc/passwd" "$TMP/x/rootfs/usr/share/"
ln -s ../usr/share/passwd "$TMP/x/rootfs/etc/passwd"
run E exec --user 5 "$C" sh -c 'echo $HOME'
is "$OUT" /home/five "passwd that is a link in the image"
for _k in fifo link dev big; do
	rm -f "$TMP/x/rootfs/etc/passwd"
	case $_k in
	fifo) mkfifo "$TMP/x/rootfs/etc/passwd" ;;
	link) ln -s /proc/self/environ "$TMP/x/rootfs/etc/passwd" ;;
	dev) ln -s /dev/zero "$TMP/x/rootfs/etc/passwd" ;;
	big) truncate -s 3G "$TMP/x/rootfs/etc/passwd" ;;
	esac
	run timeout 5 "$ENGINE" --root "$TMP/state" exec "$C" sh -c 'echo $HOME'
	is "$ST $OUT" "0 /" "E24 passwd is a $_k: no home, no wait"
done
rm -f "$TMP/x/rootfs/etc/passwd"
run E exec --user 3:4 -g 8 --additional-gids 9 "$C" id -G
is "$OUT" "4 8 9" "--user and --additional-gids"
fails "--additional-gids in words" 255 'additional-gids "wheel": want a decimal' \
	E exec -g wheel "$C" id
fails "--user in words" 255 'user "root": want UID or UID:GID' \
	E exec --user root "$C" id
run E exec "$C" sh -c 'ulimit -Sn; ulimit -Hn'
is "$OUT" "55
66" "rlimits are the container's"
fails "--cwd that is relative" 255 'process.cwd: want an absolute path' \
	E exec --cwd x "$C" true
fails "--cwd that is not there" 255 'process.cwd: /new/dir: No such file' \
	E exec --cwd /new/dir "$C" pwd
many=
_i=0
while [ "$_i" -lt 150 ]; do
	many="$many -e V$_i=$_i"
	_i=$((_i + 1))
done
run E exec $many "$C" sh -c 'env | grep -c ^V'
is "$OUT" 150 "150 times --env"
run E exec "$C" sh -c 'echo $1 $2' -e --tty --help
is "$OUT" "--tty --help" "words behind the id are the program's"
run E exec --tty=false "$C" sh -c 'test -t 0; echo $?'
is "$OUT" 1 "--flag=false"

# --- capabilities, no_new_privs ------------------------------------------------------
own=$(E exec "$C" grep ^CapEff /proc/self/status | cut -f2)
run E exec --cap CAP_SYS_PTRACE "$C" grep ^Cap /proc/self/status
more=$(printf '%s\n' "$OUT" | sed -n 's/^CapEff:.//p')
is "$(printf '%x' $((0x$more ^ 0x$own)))" 80000 "--cap adds one to the container's"
is "$(printf '%s\n' "$OUT" | grep -E 'Inh|Amb' | cut -f2 | sort -u)" \
	0000000000000000 "but none that is inherited"
fails "--cap that is none" 255 'cap: unknown capability "CAP_FLY"' \
	E exec --cap CAP_FLY "$C" true
run E exec "$C" grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status
is "$OUT" "NoNewPrivs:	1
Seccomp:	2" "no_new_privs and the filter are the container's"

# --- descriptors, pid file, detached ----------------------------------------------------
E exec --preserve-fds 2 "$C" sh -c 'cat <&3; echo out >&4; ls /proc/self/fd' \
	3<<'HERE' 4>"$TMP/four" >"$TMP/out" 2>&1
three
HERE
is "$(cat "$TMP/out" "$TMP/four" | tr '\n' ' ')" "three 0 1 2 3 4 5 out " \
	"--preserve-fds passes 3 and 4, nothing else"
fails "--preserve-fds that is not open" 255 'preserve-fds: descriptor 3 is not open' \
	sh -c 'exec 3>&-; exec "$@"' sh "$ENGINE" --root "$TMP/state" exec \
	--preserve-fds 1 "$C" true
run E exec -d --pid-file "$TMP/pid" "$C" sleep 1000
E2=$(cat "$TMP/pid")
is "$ST $(tr '\0' ' ' <"/proc/$E2/cmdline")" "0 sleep 1000 " \
	"--pid-file has the pid of the new process"
like " $(E ps --format json "$C" | tr ',[]' '   ') " " $E2 " \
	"which is one of the container's"
for _n in cgroup ipc mnt net pid user uts; do
	[ "$(readlink "/proc/$E2/ns/$_n")" = "$(readlink "/proc/$P/ns/$_n")" ] ||
		not_ok "namespace $_n is the container's"
done
is "$(cut -d: -f2- "/proc/$E2/cgroup")" "$(cut -d: -f2- "/proc/$P/cgroup")" \
	"all namespaces and control groups are the container's"
kill -9 "$E2"
cat >"$TMP/pidfd.py" <<'PY'
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(1)
open(sys.argv[1] + ".ready", "w").close()
c, _ = s.accept()
_, control, _, _ = c.recvmsg(64, socket.CMSG_SPACE(4))
fd = array.array("i", control[0][2])[0]
for line in open("/proc/self/fdinfo/%d" % fd):
    if line.startswith("Pid:"):
        print(line.split()[1])
PY
python3 "$TMP/pidfd.py" "$TMP/sock" >"$TMP/got" &
_pid=$!
wait_for 5 test -e "$TMP/sock.ready"
run E exec -d --pidfd-socket "$TMP/sock" --pid-file "$TMP/pid" "$C" sleep 1000
wait "$_pid"
is "$ST $(cat "$TMP/got")" "0 $(cat "$TMP/pid")" "--pidfd-socket"
kill -9 "$(cat "$TMP/pid")"

# --- many at once ------------------------------------------------------------------------
_i=0
while [ "$_i" -lt 30 ]; do
	"$ENGINE" --root "$TMP/state" exec "$C" sh -c "echo $_i" &
	_i=$((_i + 1))
done >"$TMP/many" 2>&1
wait
is "$(sort -n "$TMP/many" | tr '\n' ' ')" "$(seq -s ' ' 0 29) " "30 at once"

# --- paused, stopped -------------------------------------------------------------------------
E pause "$C"
fails "in a paused one" 255 'in a paused container \(--ignore-paused' E exec "$C" true
"$ENGINE" --root "$TMP/state" exec --ignore-paused "$C" echo later >"$TMP/late" 2>&1 &
_pid=$!
sleep 0.2
is "$(cat "$TMP/late")" "" "--ignore-paused: it waits"
E resume "$C"
wait "$_pid"
is "$(cat "$TMP/late")" later "--ignore-paused: and runs after resume"

# --- sub-groups ---------------------------------------------------------------------------------
if [ -d /sys/fs/cgroup/pids ]; then
	D=/sys/fs/cgroup/pids$(sed -n 's/^[0-9]*:pids://p' "/proc/$P/cgroup")
	mkdir "$D/sub"
	run E exec --cgroup pids:sub "$C" sh -c 'grep :pids: /proc/self/cgroup'
	like "$OUT" ':pids:/sub$' "E31 --cgroup: a group below the container's"
	fails "E31 --cgroup does not lead out" 255 'cgroup: \.\./.* in pids' \
		E exec --cgroup pids:../.. "$C" true
	fails "--cgroup that is not there" 255 'cgroup: /none in pids: No such file' \
		E exec --cgroup pids:/none "$C" true
	fails "--cgroup of no controller" 255 'no group of controller "soul"' \
		E exec --cgroup soul:/sub "$C" true
	fails "two --cgroup without controllers" 255 'wants CONTROLLER:' \
		E exec --cgroup a --cgroup b "$C" true
	rmdir "$D/sub"
else
	skip "E31 --cgroup" "no cgroup v1 hierarchy of pids"
fi

# --- a container in namespaces that are not its own -------------------------------------------------
bundle y '.process.args = ["sleep", "1000"] | del(.linux.uidMappings)
	| del(.linux.gidMappings) | del(.hostname) | .linux.namespaces = [
	{"type": "user", "path": "/proc/self/ns/user"},
	{"type": "network", "path": "/proc/'"$P"'/ns/net"},
	{"type": "pid"}, {"type": "mount"}, {"type": "uts"}]'
E create --bundle "$TMP/y" "$C-2" && E start "$C-2"
run E exec "$C-2" sh -c 'readlink /proc/self/ns/net; readlink /proc/self/ns/user'
is "$OUT" "$(readlink "/proc/$P/ns/net")
$(readlink /proc/self/ns/user)" "a network that was joined by path, a user namespace that is ours"
E kill "$C" KILL
wait_for 5 status_is "$C" stopped
fails "in a stopped one" 255 'cannot exec in a container that is stopped' \
	E exec "$C" true
e_cleanup
is "$(E list -q)" "" "nothing is left"
baseline_check "mounts, cgroups, namespaces, links as before"
finish
