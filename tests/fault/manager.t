#!/bin/bash
# manager.t - a pass whose calls fail one at a time, in the manager itself and in
# the two siblings that read the repository (A86, R05, R15): no crash, an error
# with its code, a state that opens, a log that verifies, and the next pass
# does the work.
. "$(dirname "$0")/../integration/lib.sh"
. "$TOP/tests/crash/alone.sh"
. "$TOP/tests/crash/writer.sh"
need_root
need_program strace git ssh-keygen jq "$B/tests/fault"
tmpdir
alone_up 17550 || skip_all "no manager"
$R >"$TMP/first" 2>&1 || not_ok "the first pass" "$(cat "$TMP/first")"
alone_commit 2
NEW=$(git -C "$W/clone" rev-parse HEAD)
PARALLEL=8
: >"$TMP/wrong"
: >"$TMP/said"

# here N PROGRAM UNDER...: a world of this point in $D, where PROGRAM runs under
# that command (@ in it is $D); the manager finds its siblings beside itself.
here()
{
	D=$TMP/p$1 _prog=$2
	shift 2
	mkdir -p "$D/bin" "$D/run"
	cp -a "$W/manager/state" "$D/state"
	ln -s "$BIN"/reconcile-* "$D/bin/"
	cp "$BIN/reconcile" "$D/bin/"
	sed -e "s|^state.dir.*|state.dir = $D/state|" \
		-e "s|^run.dir.*|run.dir = $D/run|" \
		-e "s|^channel.listen.*|channel.listen = 127.0.0.1:$((17560 + ${D##*/p}))|" \
		"$W/manager/reconcile.conf" >"$D/conf"
	C="$BIN/reconcile --config $D/conf"
	UNDER=
	case $_prog in
	reconcile) UNDER="${*//@/$D}" ;;
	*)
		rm "$D/bin/$_prog"
		{
			echo '#!/bin/sh'
			printf 'exec'
			printf " '%s'" "${@//@/$D}"
			printf ' %s/%s "$@"\n' "$BIN" "$_prog"
		} >"$D/bin/$_prog"
		chmod +x "$D/bin/$_prog"
		;;
	esac
}

point() # N PROGRAM CALL ORDINAL ERROR
{
	here "$1" "$2" "$B/tests/fault" -o @/report "$3" "$4" "$5"
	_how=--dry-run
	[ "$2" != reconcile ] || _how="--timeout 20"
	_st=0
	# shellcheck disable=SC2086
	timeout 40 $UNDER "$D/bin/reconcile" --config "$D/conf" $_how \
		>"$D/out" 2>"$D/err" </dev/null || _st=$?
	_why=
	case $(cat "$D/report" 2>/dev/null) in
	injected | missed) ;;
	*) _why="crashed: $(tr '\n' ' ' <"$D/report")" ;;
	esac
	case $_st in
	0 | 3 | 4 | 6 | 7 | 9 | 75) ;;
	*) _why="$_why; status $_st" ;;
	esac
	[ "$_st" = 0 ] || grep -Eq 'error [A-Z0-9]+: .' "$D/err" ||
		_why="$_why; no error is named: $(cat "$D/err")"
	grep -E 'error [A-Z0-9]+' "$D/err" | head -n 1 | sed "s/^/$2 $3 $5: /" \
		>>"$TMP/said"
	# shellcheck disable=SC2086
	$C $_how >"$D/again" 2>&1 </dev/null ||
		_why="$_why; the next pass ends with $?: $(cat "$D/again")"
	[ "$2" != reconcile ] ||
		[ "$($C status -o json | jq -r .appliedCommit)" = "$NEW" ] ||
		_why="$_why; not converged"
	$C audit verify >"$D/verify" 2>&1 ||
		_why="$_why; $(cat "$D/verify")"
	[ -z "$_why" ] || printf '%s %s %s %s: %s\n' "$2" "$3" "$4" "$5" "$_why" \
		>>"$TMP/wrong"
	rm -rf "$D"
}

# errors CALL: what this call may meet.
errors()
{
	case $1 in
	pwrite64 | write | ftruncate | mkdir | mkdirat | renameat | rename | link)
		echo ENOSPC EIO
		;;
	fdatasync | fsync) echo EIO ;;
	openat) echo EMFILE EIO ;;
	read | pread64) echo EIO ;;
	unlink | unlinkat | fchmod) echo EROFS ;;
	esac
}

# sweep PROGRAM EACH MARK: every EACH-th call of the program behind the first
# line of its trace that has MARK.
n=0
sweep()
{
	here 0 "$1" strace -o @/trace
	# shellcheck disable=SC2086
	$UNDER "$D/bin/reconcile" --config "$D/conf" --timeout 20 \
		>"$D/out" 2>&1 </dev/null
	calls "$D/trace" | awk -v mark="$3" '$0 ~ mark { on = 1 } on' |
		while read -r name ordinal; do
			for e in $(errors "$name"); do
				echo "$name $ordinal $e"
			done
		done | awk -v each="$2" 'NR % each == 1 || each == 1' >"$TMP/calls"
	rm -rf "$D"
	: >"$TMP/wrong"
	_from=$n
	while read -r name ordinal e; do
		n=$((n + 1))
		while [ "$(jobs -rp | wc -l)" -ge "$PARALLEL" ]; do
			wait -n
		done
		point "$n" "$1" "$name" "$ordinal" "$e" &
	done <"$TMP/calls"
	wait
	is "$(cat "$TMP/wrong")" "" \
		"A86 R05 R15 $1: $((n - _from)) calls fail, one at a time"
}

sweep reconcile-verify 1 landlock_restrict
sweep reconcile-fetch 1 landlock_restrict
sweep reconcile 3 flock
unlike "$(cat "$TMP/said")" "reconcile-fetch (write|pwrite64) .*error INPUT" \
	"R15 a full disk is not called bad input"
diag "$(sed 's/ordinal [0-9]*//' "$TMP/said" | cut -c1-150 | sort | uniq -c |
	sort -rn | head -n 20)"
finish
