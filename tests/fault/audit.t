#!/bin/bash
# audit.t - the audit writer meets a full disk, broken media, no descriptors and
# no memory at each of its calls that can say so (A86, R05, R15): never a
# crash, always a named refusal, nothing acknowledged lost, the next writer
# works.
. "$(dirname "$0")/../integration/lib.sh"
. "$TOP/tests/crash/writer.sh"
need_root
need_program strace openssl "$CRASH_TOOL" "$B/tests/fault"
tmpdir
writer_up || skip_all "no writer"
PARALLEL=4
: >"$TMP/wrong"
: >"$TMP/refused"

point() # N CALL ORDINAL ERROR
{
	writer_at "$1" "$B/tests/fault" -o @/report "$2" "$3" "$4"
	_why=$(writer_wrong)
	[ "$(cat "$D/report")" = injected ] ||
		_why="$_why; $(tr '\n' ' ' <"$D/report")"
	[ "$ST" -le 1 ] || _why="$_why; the client ends with $ST"
	_odd=$(grep -Ev '^ack [0-9]+ [0-9]+$|^refused [A-Z]+: .' "$D/acks")
	[ -z "$_odd" ] || _why="$_why; says: $_odd"
	# a failed flush is never retried as a success
	case $2 in
	fdatasync)
		_n=$(sed -n '/^refused/,$p' "$D/acks" | grep -c '^ack')
		[ "$_n" = 0 ] || _why="$_why; $_n acknowledged after a failed flush"
		[ "$ST" = 1 ] || _why="$_why; a failed flush was not told"
		;;
	esac
	[ -z "$_why" ] || printf '%s at %s %s: %s\n' "$4" "$2" "$3" "$_why" \
		>>"$TMP/wrong"
	sed -n "s/^refused/$4 $2: refused/p" "$D/acks" >>"$TMP/refused"
	rm -rf "$D"
}

writer_at none strace -o @/trace
calls "$D/trace" | awk '/landlock_restrict/ { on = 1 } on' >"$TMP/calls"
n=0
while read -r name ordinal; do
	case $name in
	pwrite64 | write | ftruncate) errors="ENOSPC EIO" ;;
	fdatasync | fsync) errors="EIO ENOSPC" ;;
	renameat | mkdirat | fchmod) errors="ENOSPC EROFS" ;;
	openat | newfstatat) errors="EMFILE EIO" ;;
	mmap | brk) errors="ENOMEM" ;;
	read | pread64 | getrandom) errors="EIO" ;;
	*) errors= ;;
	esac
	for e in $errors; do
		n=$((n + 1))
		while [ "$(jobs -rp | wc -l)" -ge "$PARALLEL" ]; do
			wait -n
		done
		point "$n" "$name" "$ordinal" "$e" &
	done
done <"$TMP/calls"
wait
is "$(cat "$TMP/wrong")" "" \
	"A86 R05 R15 $n failures of single calls: no crash, no loss, a named refusal"
for what in "ENOSPC pwrite64" "EIO fdatasync" "EIO pread64" "EMFILE openat"; do
	like "$(grep "^$what: " "$TMP/refused")" "refused AUDIT: .*[a-z]" \
		"$what is told by name"
done
like "$(grep '^ENOSPC pwrite64' "$TMP/refused")" "No space left on device" \
	"R05 a full disk is called so"
diag "$(sort "$TMP/refused" | uniq -c | sort -rn | head -n 12)"
finish
