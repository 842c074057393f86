#!/bin/sh
# image_layers.t - the hostile layer corpus of image_layers.py (threats 1.7;
# E26, E38, E40-E43, E49), each archive with its expected result.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/image_lib.sh"

need_root
need_userns
need_program python3
image_build
tmpdir
python3 "$TOP/tests/attack/image_layers.py" "$IMAGE_TOOL" "$BIN" "$TMP" \
	>"$TMP/results" 2>"$TMP/errors" ||
	not_ok "the corpus runs to its end" "$(tail -n 5 "$TMP/errors")"
tab=$(printf '\t')
while IFS=$tab read -r verdict why; do
	case $verdict in
	pass\ *) ok "${verdict#* }" ;;
	*) not_ok "${verdict#* }" "$why" ;;
	esac
done <"$TMP/results"
n=$(wc -l <"$TMP/results")
[ "$n" -ge 150 ] && ok "the corpus has $n archives" ||
	not_ok "the corpus has at least 150 archives" "it has $n"
is "$(find "$TMP/store" -mindepth 2 -maxdepth 2 | wc -l)" 0 \
	"the store is as empty as before"
finish
