#!/bin/sh
# create is killed at its N-th system call of each kind, for all N: the next
# `delete --force` leaves no process, no cgroup, no mount, no file (R09, R10).
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/engine-lib.sh"
need_program strace
tmpdir
at_exit e_cleanup
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
bundle crash '.process.args = ["sleep", "'"$T_TAG"'00"]
	| .linux.resources.pids.limit = 10'
C=$T_TAG-c
MARK="sleep${T_TAG}00"

none_runs()
{
	! cat /proc/[0-9]*/cmdline 2>/dev/null | tr -d '\0' | grep -aq "$MARK"
}

no_cgroup()
{
	! ls -d /sys/fs/cgroup/*/reconcile-"$T_TAG"* 2>/dev/null | grep -q .
}

for _call in mkdirat renameat openat write clone3 sendto recvfrom bind \
	open_tree mount_setattr memfd_create close; do
	N=1 _left=0
	while [ "$N" -le 400 ]; do
		strace -qq -o /dev/null \
			-e "inject=$_call:signal=SIGKILL:when=$N" \
			"$ENGINE" --root "$TMP/state" create \
			--bundle "$TMP/crash" "$C" >/dev/null 2>&1
		_st=$?
		E delete --force "$C" >/dev/null 2>"$TMP/err" ||
			_left=$((_left + 1))
		[ -e "$TMP/state/$C" ] && _left=$((_left + 1))
		no_cgroup || _left=$((_left + 1))
		wait_for 5 none_runs || _left=$((_left + 1))
		[ "$_st" = 0 ] && break
		# Many calls of a kind differ little: fewer kills of those.
		N=$((N + 1 + N / 12))
	done
	is "$_left" 0 "R10 killed at $_call, up to $N of them: nothing left"
done
# What stays is compiled filters, for the next start.
is "$(ls -A "$TMP/state" | grep -v "^\.filter-..\$")" "" "no state, no marks"
baseline_check "the host is as it was"
finish
