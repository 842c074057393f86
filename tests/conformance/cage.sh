# cage.sh - other people's container managers in a box, so that nothing of
# them stays: mount, network, pid and cgroup namespaces of their own, with
# empty folders over those below / in which they keep things.
#
# A suite sources lib.sh, then this file, and calls `cage` with the folders to
# be covered.  It comes back inside, as pid 1 of the box; the outer process
# waits, removes the cgroups and adds the comparison of the host before and
# after.  When it is ended, all processes of the box end with it.

need_root
need_program unshare mount mountpoint ip jq busybox
ENGINE=${ENGINE:-$BIN/reconcile-engine}
[ -x "$ENGINE" ] || skip_all "needs $ENGINE"
CAGE_GROUP=reconcile-$T_TAG

# The roots of the hierarchies that are mounted, one a line.
cage_hierarchies()
{
	for _d in /sys/fs/cgroup /sys/fs/cgroup/*; do
		case $(stat -f -c %T "$_d") in
		cgroupfs | cgroup2fs)
			[ -L "$_d" ] || echo "$_d"
			;;
		esac
	done
}

# Into a group of our own in each of them.
cage_enter()
{
	for _d in $(cage_hierarchies); do
		mkdir -p "$_d/$CAGE_GROUP" || return
		for _f in cpuset.cpus cpuset.mems; do
			[ ! -e "$_d/cgroup.clone_children" ] ||
				[ ! -e "$_d/$_f" ] ||
				cat "$_d/$_f" >"$_d/$CAGE_GROUP/$_f"
		done
		echo 0 >"$_d/$CAGE_GROUP/cgroup.procs" || return
	done
}

cage_cleanup()
{
	if [ -n "${CAGE_PID:-}" ]; then
		kill -KILL "$CAGE_PID"
		wait "$CAGE_PID"
	fi
	for _d in $(cage_hierarchies); do
		[ -d "$_d/$CAGE_GROUP" ] || continue
		wait_for 5 cage_empty "$_d/$CAGE_GROUP"
		find "$_d/$CAGE_GROUP" -depth -type d -exec rmdir {} \;
	done
}

# cage_empty GROUP: no process in it or below.
cage_empty()
{
	[ -z "$(find "$1" -name cgroup.procs -exec cat {} +)" ]
}

# What is outside of our groups is not to be seen, nor what is no hierarchy.
cage_cgroups()
{
	if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
		mount --bind "/sys/fs/cgroup/$CAGE_GROUP" /sys/fs/cgroup
		mkdir /sys/fs/cgroup/init
		echo 0 >/sys/fs/cgroup/init/cgroup.procs
		return
	fi
	mkdir "$TMP/cgroup"
	mount -t tmpfs -o mode=755 none "$TMP/cgroup"
	for _d in $(cage_hierarchies); do
		mkdir "$TMP/cgroup/${_d##*/}"
		mount --bind "$_d/$CAGE_GROUP" "$TMP/cgroup/${_d##*/}"
	done
	find /sys/fs/cgroup -xdev -maxdepth 1 -type l \
		-exec cp -d {} "$TMP/cgroup/" \;
	mount --move "$TMP/cgroup" /sys/fs/cgroup
}

cage_inside()
{
	T_EXIT=
	T_TAG=$CAGE_TAG CAGE_GROUP=reconcile-$CAGE_TAG TMP=$CAGE_TMP
	trap - EXIT
	cage_cgroups
	for _d in /run "$@"; do
		[ ! -d "$_d" ] || mount -t tmpfs -o mode=755 none "$_d"
	done
	ip link set lo up
	export HOME="$TMP" TMPDIR="$TMP"
	cd "$TMP" || exit # conmon leaves a file where it was started
}

# cage FOLDER...
cage()
{
	if [ -n "${CAGE_TMP:-}" ]; then
		cage_inside "$@"
		return
	fi
	tmpdir
	at_exit cage_cleanup
	BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP|^link|^netns"}
	baseline_take
	(
		cage_enter && CAGE_TMP=$TMP CAGE_TAG=$T_TAG exec unshare \
			--mount --net --pid --cgroup --propagation private \
			--fork --kill-child --mount-proc bash "$0"
	) &
	CAGE_PID=$!
	wait "$CAGE_PID" || T_FAILED=1
	CAGE_PID=
	[ ! -r "$TMP/counted" ] || T_N=$(cat "$TMP/counted")
	cage_cleanup
	baseline_check "mounts, cgroups, namespaces, links as before"
	finish
}

# The end of what runs inside, in the place of `finish`.
cage_finish()
{
	echo "$T_N" >"$TMP/counted"
	[ "$T_FAILED" = 0 ]
	exit
}

# A busybox root in $1 with two users.
cage_root()
{
	mkdir -p "$1/bin" "$1/dev" "$1/etc" "$1/mnt" "$1/proc" "$1/root" \
		"$1/run" "$1/sys" "$1/tmp" "$1/var"
	chmod 1777 "$1/tmp"
	cp "$(command -v busybox)" "$1/bin/busybox"
	for _a in $(busybox --list); do
		[ "$_a" = busybox ] || ln -sf busybox "$1/bin/$_a"
	done
	# Pid 1 gets no signal that it does not handle.
	printf '#!/bin/sh\ntrap exit TERM\nsleep 100000 &\nwait\n' \
		>"$1/bin/pause"
	chmod 755 "$1/bin/pause"
	printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' \
		'alice:x:1000:1000::/tmp:/bin/sh' >"$1/etc/passwd"
	printf '%s\n' 'root:x:0:' 'alice:x:1000:' 'more:x:7:alice' \
		>"$1/etc/group"
}
