#!/bin/bash
# audit.t - the audit writer is killed at every system call that it makes (R01),
# and file_replace() at every one of its own: what was acknowledged stays, what
# is replaced is whole.
. "$(dirname "$0")/../integration/lib.sh"
. "$TOP/tests/crash/writer.sh"
need_root
need_program strace openssl "$CRASH_TOOL"
tmpdir
writer_up || skip_all "no writer"
"$BIN/reconcile" audit verify --help >/dev/null || skip_all "no reader"
PARALLEL=4


writer_at none strace -o @/trace
is "$ST" 0 "five appends without disturbance"
is "$(writer_wrong)" "" "and the log is good"

point()
{
	writer_at "$1" strace -o @/trace -e "inject=$2:signal=KILL:when=$3"
	_why=$(writer_wrong)
	[ -z "$_why" ] || printf 'at %s %s: %s\n' "$2" "$3" "$_why" \
		>>"$TMP/wrong"
	grep -c '^ack' "$D/acks" >>"$TMP/acks"
	rm -rf "$D"
}

# The first calls are the loader's: every fourth of them will do.
: >"$TMP/wrong"
calls "$D/trace" | awk '/landlock_restrict/ { on = 1 }
	on || NR % 4 == 0' | grep -v '^exit_group' >"$TMP/calls"
n=0
while read -r name ordinal; do
	n=$((n + 1))
	while [ "$(jobs -rp | wc -l)" -ge "$PARALLEL" ]; do
		wait -n
	done
	point "$n" "$name" "$ordinal" &
done <"$TMP/calls"
wait
is "$(cat "$TMP/wrong")" "" "R01 killed at each of $n of its calls: nothing acknowledged is lost"
for i in 0 1 2 3 4 5; do
	like "$(sort "$TMP/acks" | uniq -c)" " $i\$" \
		"R01 some of them after $i acknowledgements"
done

# --- atomic replacement ------------------------------------------------------------
mkdir "$TMP/replace"
strace -o "$TMP/trace" "$CRASH_TOOL" replace "$TMP/replace" 3
calls "$TMP/trace" | awk '/^openat/ { on = 1 } on' | grep -v '^exit_group' \
	>"$TMP/calls"
wrong=
while read -r name ordinal; do
	printf 'old' >"$TMP/replace/file"
	(
		strace -o /dev/null -e "inject=$name:signal=KILL:when=$ordinal" \
			"$CRASH_TOOL" replace "$TMP/replace" 3
		true
	) 2>/dev/null
	size=$(stat -c %s "$TMP/replace/file")
	kinds=$(fold -w1 "$TMP/replace/file" | sort -u | wc -l)
	case $size.$kinds in
	3.* | 4096.1) ;;
	*) wrong="$wrong $name $ordinal: $size bytes of $kinds kinds" ;;
	esac
done <"$TMP/calls"
is "$wrong" "" "A86 file_replace killed at each of $(wc -l <"$TMP/calls") calls: old or new, never half"
printf 'old' >"$TMP/replace/file"
"$CRASH_TOOL" replace "$TMP/replace" 3
is "$(head -c 1 "$TMP/replace/file")" c "and it still works beside what they left"
finish
