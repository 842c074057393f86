#!/bin/bash
# manager.t - the manager is killed at every step of a pass (A85, R01, R04).
# Each point has a state folder of its own: a pass that is killed there, then a
# look at what it left, then a pass that must converge.
. "$(dirname "$0")/../integration/lib.sh"
. "$TOP/tests/crash/alone.sh"
need_root
need_program strace git ssh-keygen jq sqlite3
tmpdir
alone_up 17450 || skip_all "no manager"
$R >"$TMP/first" 2>&1 || not_ok "the first pass" "$(cat "$TMP/first")"
OLD=$(git -C "$W/clone" rev-parse HEAD)
alone_commit 2
NEW=$(git -C "$W/clone" rev-parse HEAD)
PARALLEL=8

# here N: a world of this point: conf in $D.
here()
{
	D=$TMP/p$1
	mkdir -p "$D"
	cp -a "$W/manager/state" "$D/state"
	mkdir "$D/run"
	sed -e "s|^state.dir.*|state.dir = $D/state|" \
		-e "s|^run.dir.*|run.dir = $D/run|" \
		-e "s|^channel.listen.*|channel.listen = 127.0.0.1:$((17460 + $1))|" \
		"$W/manager/reconcile.conf" >"$D/conf"
	C="$BIN/reconcile --config $D/conf"
}

# logged TYPE COMMIT: the log has such an entry, durable or not yet signed.
logged()
{
	grep -q "\"type\":\"$1\".*\"commit\":\"$2\"" "$D/state/audit/log"
}

# broken: says what is wrong with the state that the killed pass left.
broken()
{
	_acc=$($C status -o json 2>"$D/status.err" | jq -r .acceptedCommit)
	case $_acc in
	"$OLD") ;;
	"$NEW")
		logged commit.accept "$NEW" ||
			echo "R04: accepted without a record"
		;;
	*) echo "the state does not open: $_acc $(cat "$D/status.err")" ;;
	esac
	_objects=$(sqlite3 "$D/state/state.db" \
		"select group_concat(hash) from object" 2>&1)
	[ "$_objects" = "$OBJECTS" ] || logged object.update "$NEW" ||
		echo "R04: changed without an intent: $_objects"
	"$BIN/reconcile-audit" --help >/dev/null
	$C audit verify >"$D/verify" 2>&1 || {
		# a torn last line is recovered by the writer, not by the reader
		tail -c 1 "$D/state/audit/log" | grep -q . ||
			echo "the log does not verify: $(cat "$D/verify")"
	}
}

# point N NAME STRACE-OPTION...: result in $TMP/rN
point()
{
	_n=$1 _name=$2
	shift 2
	here "$_n"
	strace -o /dev/null "$@" $C --timeout 20 >"$D/out" 2>&1 </dev/null
	_st=$?
	_why=$(broken)
	$C --timeout 20 >"$D/again" 2>&1 </dev/null ||
		_why="$_why; the next pass ends with $?: $(cat "$D/again")"
	[ "$($C status -o json | jq -r .appliedCommit)" = "$NEW" ] ||
		_why="$_why; not converged"
	$C audit verify >"$D/verify" 2>&1 ||
		_why="$_why; after: $(cat "$D/verify")"
	if [ -n "$_why" ]; then
		printf 'not_ok\n%s\n%s\n' "$_name" "$_why" >"$TMP/r$_n"
	elif [ "$_st" = 0 ]; then
		printf 'missed\n%s\n' "$_name" >"$TMP/r$_n"
	else
		printf 'ok\n%s\n' "$_name" >"$TMP/r$_n"
	fi
	rm -rf "$D"
}

OBJECTS=$(sqlite3 "$W/manager/state/state.db" "select group_concat(hash) from object")
cp -a "$W/manager/state" "$TMP/kept"
strace -o "$TMP/trace" $R --timeout 20 >"$TMP/first" 2>&1
is "$?" 0 "an undisturbed pass"
N_PWRITE=$(grep -c '^pwrite64' "$TMP/trace")
rm -rf "$W/manager/state"
mv "$TMP/kept" "$W/manager/state"

# --- the points ----------------------------------------------------------------
n=0
at()
{
	n=$((n + 1))
	while [ "$(jobs -rp | wc -l)" -ge "$PARALLEL" ]; do
		wait -n
	done
	point "$n" "$@" &
}

for call in fdatasync sendmsg clone ftruncate unlink connect recvmsg; do
	for i in $(seq 1 "$(grep -c "^$call" "$TMP/trace")"); do
		at "A85 R04 manager killed at its $call $i" \
			-e "inject=$call:signal=KILL:when=$i"
	done
done
for i in $(seq 1 3 "$N_PWRITE"); do
	at "A85 R04 manager killed at its pwrite64 $i" \
		-e "inject=pwrite64:signal=KILL:when=$i"
done
for i in 1 2 3 4 5 6; do
	at "A85 R01 whoever comes first is killed at a write $i" -f \
		-e "inject=write,fdatasync,fsync,renameat:signal=KILL:when=$i"
	at "A85 R01 whoever comes first is killed at an open $i" -f \
		-e "inject=openat:signal=KILL:when=$((i * 12))"
done
wait
missed=0
for i in $(seq 1 "$n"); do
	{
		read -r what
		read -r name
		why=$(cat)
	} <"$TMP/r$i"
	case $what in
	ok) ok "$name" ;;
	missed) missed=$((missed + 1)) ;;
	*) not_ok "$name" "$why" ;;
	esac
done
if [ "$missed" -le $((n / 4)) ]; then
	ok "$((n - missed)) of $n points were reached"
else
	not_ok "points were reached" "$missed of $n were not"
fi
is "$(find /proc -maxdepth 2 -name exe -lname "$BIN/reconcile-*" 2>/dev/null |
	while read -r p; do
		tr '\0' ' ' <"${p%exe}cmdline" | grep -F "$TMP"
	done)" "" "A85 no sibling outlives its manager"
finish
