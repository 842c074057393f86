#!/bin/sh
# Hooks: what each gets, where it runs, how it may fail, what it may leave.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine-lib.sh"
tmpdir
at_exit e_cleanup
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
C=$T_TAG-c

# SCRIPT=TEXT hook NAME [MEMBERS]: one hook of the bundle "h".
hook()
{
	edit h '.hooks.'"$1"' = [{"path": "/bin/sh", "args": ["sh", "-c",
		$ENV.SCRIPT], "env": ["PATH=/usr/bin:/bin", "A=b"]}
		'"${2:+ + $2}"']'
}

bundle h '.process.args = ["true"] | .annotations = {"k": "v"}'
for _h in prestart createRuntime createContainer poststart poststop; do
	SCRIPT="{ cat; echo; } >>$TMP/state.$_h; readlink /proc/self/ns/net \
		>$TMP/net.$_h; pwd >$TMP/pwd.$_h; env | sort >$TMP/env.$_h
		ls /proc/self/fd >$TMP/fd.$_h" hook "$_h"
	: >"$TMP/state.$_h"
done
SCRIPT='pwd >/pwd; cat >/state; [ -d /bin ] && [ ! -d '"$TMP"' ]' hook startContainer
chmod -R a+rwX "$TMP"
E create --bundle "$TMP/h" "$C"
P=$(E state "$C" | jq .pid)
N=$(readlink "/proc/$P/ns/net")
E start "$C"
wait_for 5 status_is "$C" stopped
E delete "$C"
for _h in prestart:created:$P createRuntime:created:$P createContainer:created:1 \
	poststart:running:$P poststop:stopped:0; do
	_n=${_h%%:*}
	is "$(jq -r '[.status, .pid, .id, .bundle, .annotations.k, .ociVersion] |
		map(tostring) | join(" ")' "$TMP/state.$_n")" \
		"$(echo "${_h#*:}" | tr : ' ') $C $TMP/h v 1.3.0" \
		"$_n: the state, once"
	is "$(cat "$TMP/pwd.$_n")" "$TMP/h" "$_n: in the bundle"
	is "$(grep -v '^_\|^PWD\|^SHLVL\|^OLDPWD' "$TMP/env.$_n" | tr '\n' ' ')" \
		"A=b PATH=/usr/bin:/bin " "$_n: its environment"
	is "$(tr '\n' ' ' <"$TMP/fd.$_n")" "0 1 2 3 " "E04 $_n: no descriptor of ours"
done
is "$(cat "$TMP/net.createContainer")" "$N" "createContainer: in the container's namespaces"
is "$(cat "$TMP/net.prestart" "$TMP/net.createRuntime" "$TMP/net.poststart" |
	sort -u)" "$(readlink /proc/self/ns/net)" "the others: in the runtime's"
is "$(cat "$TMP/h/rootfs/pwd" | tr '\n' ' ')$(jq -r .status "$TMP/h/rootfs/state")" \
	"/ created" "startContainer: in the container's root"

# --- failing -----------------------------------------------------------------------
bundle h '.process.args = ["true"]'
SCRIPT='echo out; echo "no such device" >&2; exit 5' hook createRuntime
fails "what a hook says is in the message" 1 \
	'createRuntime hook #0: /bin/sh: exit status 5: out.*no such device' \
	E run --bundle "$TMP/h" "$C"
SCRIPT='head -c 100000 /dev/zero | tr "\0" x; exit 5' hook createRuntime
fails "a talkative one does not hang" 1 'exit status 5: xxx' E run --bundle "$TMP/h" "$C"
SCRIPT='sleep 30' hook createRuntime '{"timeout": 1}'
fails "one over its time is killed" 1 'no end after 1000 ms' E run --bundle "$TMP/h" "$C"
SCRIPT='exec 0<&- 1>&- 2>&-; exit 0' hook createRuntime
succeeds "one that closes all" E run --bundle "$TMP/h" "$C"
SCRIPT='exit 0' hook createRuntime
edit h '.annotations = {"big": ("x" * 300000)}'
succeeds "one that does not read a state larger than a pipe" E run --bundle "$TMP/h" "$C"
edit h 'del(.annotations)'
SCRIPT='sleep 2 & exit 0' hook createRuntime
_t=$(date +%s)
succeeds "one that leaves a process behind" E run --bundle "$TMP/h" "$C"
[ $(($(date +%s) - _t)) -lt 2 ] && ok "which is not waited for" ||
	not_ok "which is not waited for"
edit h '.hooks.createRuntime = [{"path": "bin/sh"}]'
fails "a relative path" 1 'absolute path' E run --bundle "$TMP/h" "$C"
edit h '.hooks.createRuntime = [{"path": "/no/hook"}]'
fails "a hook that is not there" 1 '/no/hook.*No such file' E run --bundle "$TMP/h" "$C"
edit h '.hooks.createRuntime = [{"path": "/bin/true", "timeout": 0}]'
fails "a timeout of 0" 1 'timeout' E run --bundle "$TMP/h" "$C"
is "$(E list -q)" "" "failures leave nothing"
baseline_check "mounts, cgroups, namespaces, links as before"
finish
