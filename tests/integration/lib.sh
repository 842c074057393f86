# lib.sh - helpers of the shell suites (integration, attack, crash, privsep).
#
# Source it first:  . "$(dirname "$0")/../integration/lib.sh"
# Output is TAP, run by prove.  A suite ends with `finish`.  Everything that a
# suite makes outside its own folder is undone by functions given to
# `at_exit`, which run in reverse order, also after a failure or a signal.
#
# Variables that a caller may set:
#   B            build folder (default: build, below the top of the tree)
#   MUST_WORK=1  a skip is a failure (CI, for what CI is known to have)
#   RECONCILE_CANARY  the secret of this run, see canary_may below
#   BASELINE_SCOPE  regular expression; only baseline lines that match are
#                compared, for machines where other things run meanwhile

set -u
LC_ALL=C
export LC_ALL
TOP=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
B=${B:-build}
case $B in
/*) ;;
*) B=$TOP/$B ;;
esac
BIN=$B/bin
T_N=0
T_FAILED=0
T_EXIT=
T_NAME=$(basename "$0" .t)
CANARY=${RECONCILE_CANARY:-canary$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')}
unset RECONCILE_CANARY # what is tested has it from the test alone
CANARY_MAY=
CANARY_LEFT=
T_TAG=t$$
TMP=

# --- TAP -------------------------------------------------------------------
# ok NAME / not_ok NAME [WHY]: one result.
ok()
{
	T_N=$((T_N + 1))
	printf 'ok %d - %s\n' "$T_N" "$1"
}

not_ok()
{
	T_N=$((T_N + 1))
	T_FAILED=$((T_FAILED + 1))
	printf 'not ok %d - %s\n' "$T_N" "$1"
	if [ $# -gt 1 ]; then
		printf '%s\n' "$2" | sed 's/^/#   /'
	fi
	return 1
}

# diag TEXT: a comment in the TAP stream.
diag()
{
	printf '%s\n' "$*" | sed 's/^/# /'
}

# skip NAME WHY: counted, and a failure under MUST_WORK=1.
skip()
{
	if [ "${MUST_WORK:-0}" = 1 ]; then
		not_ok "$1" "must work here, but: $2"
		return 1
	fi
	T_N=$((T_N + 1))
	printf 'ok %d - %s # SKIP %s\n' "$T_N" "$1" "$2"
}

# skip_all WHY: the whole suite cannot run here.
skip_all()
{
	if [ "${MUST_WORK:-0}" = 1 ]; then
		printf '1..1\nnot ok 1 - %s # must work here: %s\n' \
			"$T_NAME" "$1"
		exit 1
	fi
	printf '1..0 # SKIP %s\n' "$1"
	exit 0
}

# is GOT WANT NAME: equal strings.
is()
{
	if [ "$1" = "$2" ]; then
		ok "$3"
	else
		not_ok "$3" "want: $2
have: $1"
	fi
}

# like TEXT ERE NAME: TEXT has a line that matches.
like()
{
	if printf '%s\n' "$1" | grep -Eq -- "$2"; then
		ok "$3"
	else
		not_ok "$3" "want a match of: $2
have: $1"
	fi
}

# unlike TEXT ERE NAME
unlike()
{
	if printf '%s\n' "$1" | grep -Eq -- "$2"; then
		not_ok "$3" "want no match of: $2
have: $1"
	else
		ok "$3"
	fi
}

# run CMD ARG...: sets OUT, ERR (text) and ST (status); input is /dev/null.
run()
{
	ST=0
	"$@" </dev/null >"$TMP/.out" 2>"$TMP/.err" || ST=$?
	OUT=$(cat "$TMP/.out")
	ERR=$(cat "$TMP/.err")
	[ -z "$CANARY_MAY" ] || cat "$TMP/.out" "$TMP/.err" >>"$TMP/.said"
}

# succeeds NAME CMD ARG... / fails NAME STATUS ERE CMD ARG...
# The second wants this exit status and a line of standard error that matches.
succeeds()
{
	_name=$1
	shift
	run "$@"
	if [ "$ST" = 0 ]; then
		ok "$_name"
	else
		not_ok "$_name" "status $ST: $ERR"
	fi
}

fails()
{
	_name=$1 _st=$2 _re=$3
	shift 3
	run "$@"
	if [ "$ST" = "$_st" ] && printf '%s\n' "$ERR" | grep -Eq -- "$_re"; then
		ok "$_name"
	else
		not_ok "$_name" "want status $_st and /$_re/
have status $ST: $OUT
$ERR"
	fi
}

# finish: plan line, clean-up, exit status.
finish()
{
	printf '1..%d\n' "$T_N"
	[ "$T_FAILED" = 0 ]
	exit
}

# --- clean-up --------------------------------------------------------------
# at_exit FUNCTION: called at the end, last given first.
at_exit()
{
	T_EXIT="$1 $T_EXIT"
}

t_cleanup()
{
	_st=$?
	trap - EXIT INT TERM HUP
	for _f in $T_EXIT; do
		"$_f" >/dev/null 2>&1 || true
	done
	canary_check || _st=1
	if [ -n "$TMP" ] && [ -d "$TMP" ]; then
		rm -rf --one-file-system -- "$TMP"
	fi
	exit "$_st"
}
trap t_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# tmpdir: makes $TMP, removed at the end.
tmpdir()
{
	TMP=$(mktemp -d "${TMPDIR:-/tmp}/reconcile-$T_NAME.XXXXXX") || exit 1
	chmod 755 "$TMP"
}

# --- waiting ---------------------------------------------------------------
# wait_for SECONDS CMD ARG...: polls every 20 ms; false when time is over.
wait_for()
{
	_n=$(($1 * 50))
	shift
	while ! "$@" >/dev/null 2>&1; do
		_n=$((_n - 1))
		[ "$_n" -gt 0 ] || return 1
		sleep 0.02
	done
}

# --- needs -----------------------------------------------------------------
need_root()
{
	[ "$(id -u)" = 0 ] || skip_all "needs root"
}

# need_program NAME...: each must be found in PATH or be an executable file.
need_program()
{
	for _p in "$@"; do
		command -v "$_p" >/dev/null || skip_all "needs $_p"
	done
}

need_userns()
{
	unshare -U true 2>/dev/null || skip_all "needs user namespaces"
}

# need_cgroup NAME: a v1 hierarchy of this controller, or it in cgroup2.
need_cgroup()
{
	[ -d "/sys/fs/cgroup/$1" ] ||
		grep -qw "$1" /sys/fs/cgroup/cgroup.controllers 2>/dev/null ||
		skip_all "needs the cgroup controller $1"
}

# --- host invariance (threats, rules of proof, 3) ---------------------------
# baseline_lines: what must be the same before and after, one fact a line.
baseline_lines()
{
	# Without ids and parents: they differ for equal mounts made anew.
	sed 's/^[0-9]* [0-9]* /mount /' /proc/self/mountinfo
	find /sys/fs/cgroup -mindepth 1 -type d 2>/dev/null |
		sed 's/^/cgroup /'
	ls /run/netns 2>/dev/null | sed 's/^/netns /'
	ls /sys/class/net | sed 's/^/link /'
	if command -v nft >/dev/null; then
		nft list tables 2>/dev/null | sed 's/^/nft /'
	fi
}

t_baseline()
{
	baseline_lines | grep -E -- "${BASELINE_SCOPE:-.}" | sort
}

# baseline_take: remembers; baseline_check NAME: one result, after at most 5 s
# of patience for the kernel's lazy removals.
baseline_take()
{
	t_baseline >"$TMP/.baseline"
}

t_baseline_same()
{
	t_baseline >"$TMP/.baseline.now"
	cmp -s "$TMP/.baseline" "$TMP/.baseline.now"
}

baseline_check()
{
	if wait_for 5 t_baseline_same; then
		ok "$1"
	else
		not_ok "$1" "$(diff "$TMP/.baseline" "$TMP/.baseline.now" |
			grep '^[<>]')"
	fi
}

# --- the canary ------------------------------------------------------------
# A99: $CANARY is a secret of this run: a suite gives it to the product as the
# value of a Secret, a credential or the comment of a key.  It must stand in
# nothing that is printed (run-suites looks) nor in any file that the suite
# leaves: output of `run`, logs, audit logs, plans, reports, state.
#
# canary_may PATTERN...: turns the search on; paths below $TMP (or the folder of
# canary_look) that match, as in case, and files of ssh keys are where the suite itself put it, or where it must be.
canary_may()
{
	CANARY_MAY="$CANARY_MAY " # also without a pattern
	for _p in "$@"; do
		CANARY_MAY="$CANARY_MAY $_p"
	done
}

# The word itself, in hex, and in base64 at each of three places; whole quanta.
canary_forms()
{
	printf '%s\n' "$CANARY"
	printf '%s' "$CANARY" | od -An -v -tx1 | tr -d ' \n'
	echo
	for _p in "" x xx; do
		printf '%s%s' "$_p" "$CANARY" | base64 -w0 |
			cut -c"$((${#_p} == 0 ? 1 : 5))"-20
	done
}

canary_found() # FILE FILE-BELOW: is it one where it may not be?
{
	case $(head -c 60 "$1" | tr -d '\0') in
	"-----BEGIN OPENSSH PRIVATE KEY-----"* | ssh-*" AAAA"* | \
		ecdsa-*" AAAA"* | sk-*" AAAA"*) return 1 ;;
	esac
	for _p in $CANARY_MAY; do
		# shellcheck disable=SC2254
		case $2 in $_p) return 1 ;; esac
	done
}

# canary_look DIR: remembers files below that have it; for folders that a suite
# removes itself, before it does.  $TMP is looked at in any case.
canary_look()
{
	[ -n "$CANARY_MAY" ] && [ -d "$1" ] && [ -d "$TMP" ] || return 0
	canary_forms >"$TMP/.canary"
	CANARY_LEFT=$CANARY_LEFT$(set -f
		find "$1" -xdev -type f ! -path "$TMP/.canary" -print0 |
			xargs -0 -r grep -aslFf "$TMP/.canary" |
			while read -r _f; do
				if canary_found "$_f" "${_f#"$1"/}"; then echo " $_f"; fi
			done)
}

canary_check()
{
	canary_look "$TMP"
	[ -n "$CANARY_LEFT" ] || return 0
	printf 'A99: %s left the canary in:%s\n' "$T_NAME" "$CANARY_LEFT" >&2
	return 1
}

# canary_make DIR: a tree with known bytes; canary_sum DIR: one line of its
# names, types, owners, modes, times and contents.
canary_make()
{
	mkdir -p "$1/dir/deep"
	echo canary-one >"$1/one"
	echo canary-two >"$1/dir/two"
	: >"$1/dir/deep/empty"
	ln -s one "$1/link"
	chmod 600 "$1/one"
}

canary_sum()
{
	(cd "$1" && {
		find . -printf '%p %y %m %U:%G %T@ %s %l\n' | sort
		find . -type f -print0 | sort -z | xargs -0 sha256sum
	} | sha256sum)
}
