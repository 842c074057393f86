#!/bin/bash
# E01, E02: what a container does to processes of ours that are inside it.  They
# are held there (strace lets one call of theirs wait), not raced.  Judged is
# the host's executable and what the container got hold of, not how it is
# protected.
# Seen red: E01 GUARD_OFF_SELF, E02 GUARD_OFF_DUMPABLE.
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
PTRACE='.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE"])
	| del(.linux.seccomp)'
cp "$ENGINE" "$TMP/engine" # what is attacked; E cleans up

S()
{
	"$TMP/engine" --root "$TMP/state" "$@"
}

self_sum()
{
	stat -c '%i %Y %Z %s %a %u' "$TMP/engine"
	sha256sum <"$TMP/engine"
}

# In the container: 200 times the executable, memory and descriptors of each
# process that is not its own; then the executable is written to, when nobody
# executes it any more.
ATTACK='n=0 round=0 seen= held= got=
while [ $n -lt 200 ] && [ $round -lt 9000 ]; do
	round=$((round + 1))
	for p in /proc/[0-9]*; do
		comm= state=
		{ read -r comm <$p/comm; read -r _ _ state _ <$p/stat; } 2>/dev/null
		case $comm$state in
		sleep?|sh?|*Z|"") continue ;;
		esac
		seen=$p
		n=$((n + 1))
		if { true <$p/exe; } 2>/dev/null; then
			exec 9<$p/exe
			held=held
		fi
		{ true <$p/mem; } 2>/dev/null && got=memory
		for f in $p/fd/*; do
			[ ! -e $f ] || got=descriptors
		done
		[ ! -d $p/root/bin ] || got=root
	done
done
while [ -n "$seen" ] && [ -d $seen ]; do :; done
round=0
while [ -n "$held" ] && [ $round -lt 20 ]; do
	round=$((round + 1))
	if { echo overwritten >/proc/self/fd/9; } 2>/dev/null; then
		held=WROTE
		break
	fi
	sleep 0.02
done
[ $n -lt 200 ] || n=often
echo "seen $n $held $got" >/got.new
mv /got.new /got'

# held NAME OUTPUT-ERE COMMAND...: the container C is at work while COMMAND of
# the engine waits in setsid(), inside.
held()
{
	_name=$1 _re=$2
	shift 2
	rm -f "$TMP/self/rootfs/got"
	# No process of ours may be left: an executable in use is busy.
	E exec --detach "$C" sh -c "$ATTACK" >/dev/null 2>&1
	strace -f -qq -o /dev/null -e trace=setsid \
		-e inject=setsid:delay_enter=700000:when=1 \
		"$TMP/engine" --root "$TMP/state" "$@" >/dev/null 2>&1 </dev/null
	wait_for 20 test -e "$TMP/self/rootfs/got"
	like "$(cat "$TMP/self/rootfs/got")" "$_re" "$_name"
}

SUM=$(self_sum)
for _user in host own; do
	bundle self "$PTRACE"
	[ $_user = own ] || edit self "$NO_USER"
	printf '#!/proc/self/exe\n' >"$TMP/self/rootfs/script"
	chmod 755 "$TMP/self/rootfs/script"
	# What runs then is ours, but in the container and as its program.
	for _program in /proc/self/exe /script; do
		edit self '.process.args = ["'$_program'", "--version"]'
		run S run --bundle "$TMP/self" "$C"
	done
	edit self '.process.args = ["sleep", "1000"]'
	S create --bundle "$TMP/self" "$C" && S start "$C"
	run S exec "$C" /proc/self/exe --version
	run S exec "$C" /script --version
	is "$(self_sum)" "$SUM" "E01 /proc/self/exe as program and interpreter, ids of $_user"
	P=$(E state "$C" | jq .pid)
	bundle join "$PTRACE"' | .process.args = ["true"]
		| .linux.namespaces |= map(if .type == "pid"
			then .path = "/proc/'"$P"'/ns/pid" else . end)'
	if [ $_user = own ]; then
		edit join '.linux.namespaces |= map(if .type == "user"
			then .path = "/proc/'"$P"'/ns/user" else . end)
			| del(.linux.uidMappings, .linux.gidMappings)'
		_want='^seen often  $'
		_what="E02 nothing of it is to be had, ids of own:"
	else
		# The kernel lets the host's CAP_SYS_PTRACE look at anything.
		edit join "$NO_USER"
		_want='^seen often held '
		_what="E01 held 200 times, not written, ids of host:"
	fi
	held "$_what a joining process" "$_want" exec "$C" true
	held "$_what a first process in a joined pid namespace" "$_want" \
		run --bundle "$TMP/join" "$C-2"
	E delete --force "$C-2"
	E delete --force "$C"
	is "$(self_sum)" "$SUM" "E01 inode, times and bytes as before, ids of $_user"
done

baseline_check "the host is as it was"
finish
