#!/bin/bash
# fetch.t - reconcile-fetch is killed at every step in which it stores something
# (A85); the next one must find a store that is whole, and bring what is new.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../attack/trust_lib.sh"
need_program strace git
trust_setup
R=$TMP/repo
new_repo "$R"
OLD=$(head_of "$R")
mirror() # STORE
{
	run "$ASK" "$BIN" mirror url="file://$R" ref="$REF" store="$1"
}
mirror "$TMP/old.git"
like "$OUT" "^head $OLD changed=1$" 'a store to begin with'
change "$R" second
TIP=$(head_of "$R")

# What stores a pack: the calls that move and sync, each time it does so.
while read -r CALL TIMES; do
	for N in $(seq 1 "$TIMES"); do
		rm -rf "$TMP/s.git"
		cp -a "$TMP/old.git" "$TMP/s.git"
		run strace -f -o "$TMP/trace" -e "trace=$CALL" \
			-e "inject=$CALL:signal=SIGKILL:when=$N" "$ASK" "$BIN" \
			mirror url="file://$R" ref="$REF" store="$TMP/s.git"
		if ! grep -q 'killed by SIGKILL' "$TMP/trace"; then
			like "$OUT" "^head $TIP" "A85 no $CALL number $N"
			break
		fi
		_left=$(git -C "$TMP/s.git" rev-parse refs/reconcile/mirror)
		case $_left in
		"$OLD" | "$TIP") ok "A85 killed at $CALL $N: a known commit" ;;
		*) not_ok "A85 killed at $CALL $N: a known commit" "$_left" ;;
		esac
		succeeds "A85 killed at $CALL $N: whole" git -C "$TMP/s.git" \
			fsck --strict "$_left"
		mirror "$TMP/s.git"
		like "$OUT" "^head $TIP" "A85 killed at $CALL $N: the next one"
		is "$(find "$TMP/s.git/objects/incoming" -type f | wc -l)" 0 \
			"A85 killed at $CALL $N: nothing is left"
	done
done <<EOF
rename 9
renameat 9
fsync 12
unlink 3
unlinkat 3
EOF
accepts 'A85 what is there verifies' "$TMP/s.git" "$TIP"
finish
