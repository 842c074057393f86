#!/bin/bash
# What a container, a hook or a joining process must not inherit from the
# caller, from the engine or from another container: E03, E04, E06, E08, E11,
# E27, E56, E70.
# Seen red: E03 GUARD_OFF_CWD, E04 GUARD_OFF_CLOSE.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/engine-lib.sh"
need_program strace
tmpdir
at_exit e_cleanup
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
C=$T_TAG-c
NO_USER='del(.linux.uidMappings, .linux.gidMappings)
	| .linux.namespaces -= [{"type": "user"}]'

# --- E03: a working directory outside -----------------------------------------
# The caller has the host's root open low and high; above 127 nothing of ours
# can be open, so of those some.
bundle e03 "$NO_USER"' | .process.args = ["sleep", "1000"]'
E create --bundle "$TMP/e03" "$C" && E start "$C"
BAD=
for _n in $(seq 0 127) $(seq 128 64 1023) 1023; do
	E exec --cwd "/proc/self/fd/$_n" "$C" pwd >"$TMP/cwd" 2>&1 \
		</dev/null 7</ 8<"$TMP" 100</ && BAD="$BAD $_n:$(cat "$TMP/cwd")"
done
is "$BAD" "" "E03 exec --cwd /proc/self/fd/N"
for _d in /proc/thread-self/fd/7 /proc/1/cwd/.. /proc/1/root/../..; do
	run E exec --cwd "$_d" "$C" ls -d /etc/passwd-of-host /proc
	unlike "$OUT" 'passwd-of-host' "E03 exec --cwd $_d stays inside"
done
E delete --force "$C"
BAD=
for _n in $(seq 0 40) $(seq 41 128 1023); do
	edit e03 '.process.args = ["pwd"] | .process.cwd = "/proc/self/fd/'"$_n"'"'
	E run --bundle "$TMP/e03" "$C" >"$TMP/cwd" 2>&1 \
		</dev/null 7</ 8<"$TMP" 100</ && BAD="$BAD $_n:$(cat "$TMP/cwd")"
done
is "$BAD" "" "E03 run with a cwd of /proc/self/fd/N"

# --- E04: descriptors -----------------------------------------------------------
bundle e04 '.process.args = ["true"]'
# closed_last COMMAND...: the last close_range() before the program is executed
# is of its process and takes all from 3 on.
closed_last()
{
	strace -f -qq -o "$TMP/trace" -e trace=close_range,execve "$ENGINE" \
		--root "$TMP/state" "$@" >/dev/null 2>&1 </dev/null
	_line=$(grep -n 'execve("/[a-z/]*/true"' "$TMP/trace" | grep ' = 0' |
		tail -n 1)
	_pid=$(printf '%s' "${_line#*:}" | cut -d' ' -f1)
	head -n "${_line%%:*}" "$TMP/trace" | grep "^$_pid .*close_range" |
		tail -n 1
}
like "$(closed_last run --bundle "$TMP/e04" "$C")" \
	'close_range\(3, (4294967295|~0U|-1), .*\) += 0' \
	"E04 run: close_range over all, right before execve"
edit e04 '.process.args = ["sleep", "1000"]'
E create --bundle "$TMP/e04" "$C" && E start "$C"
like "$(closed_last exec "$C" true)" \
	'close_range\(3, (4294967295|~0U|-1), .*\) += 0' \
	"E04 exec: close_range over all, right before execve"
E delete --force "$C"
bundle hook '.process.args = ["true"]'
for _h in prestart createRuntime createContainer poststart poststop; do
	edit hook '.hooks.'$_h' = [{"path": "/bin/sh", "args": ["sh", "-c",
		"exec >>'"$TMP"'/hooks; echo fds /proc/self/fd/*;
		tr \"\\0\" \"\\n\" </proc/self/environ"]}]'
done
edit hook '.hooks.createContainer = []'
edit hook '.process.env += ["LD_PRELOAD=/evil.so", "BASH_ENV=/evil", "GCONV_PATH=/evil"]'
E run --bundle "$TMP/hook" "$C" 7</ 8<"$TMP" </dev/null
is "$(grep '^fds' "$TMP/hooks" | sort -u)" \
	"fds /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3" \
	"E04 hooks have 0, 1 and 2"
is "$(grep -c '^fds' "$TMP/hooks") $(grep evil "$TMP/hooks")" "4 " \
	"E06 hooks without an environment have nothing of the container's"
edit hook '.hooks |= map_values(map(.env = ["ONLY=this"]))'
: >"$TMP/hooks"
E run --bundle "$TMP/hook" "$C" </dev/null
is "$(grep -v '^fds' "$TMP/hooks" | sort -u)" "ONLY=this" \
	"E06 hooks with one have that alone"

# --- E08: modules of the image -----------------------------------------------------
bundle e08 '.process.user = {"uid": 7, "gid": 7} | .process.args = ["true"]'
mkdir -p "$TMP/e08/rootfs/lib/x86_64-linux-gnu" "$TMP/e08/rootfs/usr/lib/gconv"
for _f in lib/libnss_files.so.2 lib/libnss_evil.so.2 lib/ld-linux-x86-64.so.2 \
	lib/x86_64-linux-gnu/libc.so.6 usr/lib/gconv/gconv-modules \
	etc/ld.so.preload etc/ld.so.cache etc/nsswitch.conf etc/locale.alias; do
	echo evil >"$TMP/e08/rootfs/$_f"
done
strace -f -qq -o "$TMP/trace" -e trace=openat,open,openat2,execve "$ENGINE" \
	--root "$TMP/state" run --bundle "$TMP/e08" "$C" >/dev/null 2>&1
like "$(cat "$TMP/trace")" 'execve\(.*/true"' "E08 control: the program was run"
unlike "$(sed 's/execve.*//' "$TMP/trace")" \
	'"[^"]*(\.so|gconv|nsswitch|locale)[^"]*"' \
	"E08 no module, no name service of the image is opened"

# --- E11, E27 ----------------------------------------------------------------------
for _c in checkpoint restore; do
	fails "E11 $_c is not offered" 1 'does not offer' E $_c "$C"
done
for _t in .. . ../x a/../../b -rf %2f/ "$(printf 'a\nb')" "$(printf '%010240d' 0)"
do
	run E create --bundle "$TMP/e04" -- "$_t"
	[ "$ST" = 1 ] && ! ls -A "$TMP/state" | grep -qv '^\.filter-..$' &&
		ok "E27 id \"$(printf %.12s "$_t" | tr '\n' _)\"" ||
		not_ok "E27 id \"$(printf %.12s "$_t" | tr '\n' _)\"" "$ST $ERR"
done

# --- E56: environments of many containers at once -------------------------------------
mkdir "$TMP/out"
for _i in 1 2 3 4 5 6 7 8; do
	bundle "e56-$_i" '.process.env = ["SECRET=s'$_i's"] | .process.args =
		["sh", "-c", "tr \"\\0\" \"\\n\" </proc/1/environ | grep SECRET"]'
done
for _i in 1 2 3 4 5 6 7 8; do
	(for _r in $(seq 25); do
		SECRET=host$_i E run --bundle "$TMP/e56-$_i" "$C-$_i" </dev/null
	done >"$TMP/out/$_i" 2>&1) &
	_pids="${_pids:-} $!"
done
# shellcheck disable=SC2086
wait $_pids
for _i in 1 2 3 4 5 6 7 8; do
	echo "$(wc -l <"$TMP/out/$_i") $(sort -u "$TMP/out/$_i")"
done >"$TMP/e56"
is "$(cat "$TMP/e56")" "$(for _i in 1 2 3 4 5 6 7 8; do
	echo "25 SECRET=s${_i}s"; done)" \
	"E56 200 starts, eight at a time: each has its own environment"

# --- E70: a secret in env and arguments ----------------------------------------------
bundle e70 '.process.env += ["TOKEN=canary-of-e70"]
	| .process.args = ["sh", "-c", "sleep 1000; : canary-of-e70"]'
E --debug --log "$TMP/log" create --bundle "$TMP/e70" --pid-file "$TMP/e70.pid" \
	"$C" >"$TMP/said" 2>&1
for _c in state ps "kill --all"; do
	E --debug --log "$TMP/log" $_c "$C" >>"$TMP/said" 2>&1
done
E --debug --log "$TMP/log" start "$C" >>"$TMP/said" 2>&1
E --debug --log "$TMP/log" list >>"$TMP/said" 2>&1
unlike "$(cat "$TMP/log" "$TMP/said" 2>/dev/null)" canary-of-e70 \
	"E70 not in logs and not in what is printed"
is "$(grep -rl canary-of-e70 "$TMP/state" | sed 's,.*/,,')" config.json \
	"E70 the copy of the config alone has it"
is "$(stat -c '%a %u' "$TMP/state/$C" "$TMP/state/$C/config.json" | tr '\n' ' ')" \
	"700 0 600 0 " "E70 and is root's alone"
E delete --force "$C"
edit e70 '.process.args = ["/nowhere", "canary-of-e70"]'
run E --debug --log "$TMP/log" run --bundle "$TMP/e70" "$C"
unlike "$OUT $ERR $(cat "$TMP/log")" canary-of-e70 "E70 nor is it told when it fails"
is "$(grep -rl canary-of-e70 "$TMP/state")" "" "E70 nothing of it stays"

baseline_check "the host is as it was"
finish
