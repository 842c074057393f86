# lib.sh - sourced first by the suites of the emulated machine: helpers of the
# integration suites, and what a machine with pure cgroup v2 has.
# G is the tree of control groups, CG NAME the directory of the bundle NAME.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/engine-lib.sh"
[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] ||
	skip_all "needs a machine with cgroup v2 alone"
tmpdir
at_exit e_cleanup
G=/sys/fs/cgroup
C=$T_TAG-c
baseline_take

CG()
{
	printf '%s/reconcile-%s/%s' "$G" "$T_TAG" "$1"
}

# values NAME FILE...: contents of the files of a group, one line.
values()
{
	_d=$(CG "$1")
	shift
	for _f in "$@"; do
		cat "$_d/$_f"
	done 2>&1 | tr '\n' ' '
}

# key NAME FILE KEY: a number of a file of "key value" lines.
key()
{
	sed -n "s/^$3 //p" "$(CG "$1")/$2"
}
