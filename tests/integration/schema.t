#!/bin/bash
# schema.t - the JSON Schemas against the decoder: what it accepts they accept,
# and what it refuses for its shape they refuse.
. "$(dirname "$0")/lib.sh"
need_program python3
python3 -c 'import jsonschema, yaml' 2>/dev/null ||
	skip_all "needs python3-jsonschema and python3-yaml"
tmpdir
R=$BIN/reconcile

run $R schema --dir "$TMP/schema"
is "$ST" 0 "one file a kind" || diag "$ERR"
is "$(ls "$TMP/schema" | wc -l)" $(($($R explain '' 2>/dev/null | grep -c '^  ') + 1)) \
	"for every kind, and one for all"
run python3 "$TOP/tests/integration/schema_check.py" "$TMP/schema" \
	"$TOP/tests/golden/desired" "$TOP"
is "$ST" 0 "the goldens were read" || diag "$ERR"
is "$(printf '%s\n' "$OUT" | grep '^not ok')" "" \
	"what decodes validates, what was refused for its shape does not"
diag "$(printf '%s\n' "$OUT" | grep '^# ')"
set -- $(printf '%s\n' "$OUT" | sed -n 's/^counts //p')
is "$(($1 >= 35)) $(($2 >= 60))" "1 1" "and it was not nothing"
run $R schema Deployment
is "$OUT" "$(cat "$TMP/schema/deployment-apps-v1.json")" "one kind on standard output"
run $R schema
is "$OUT" "$(cat "$TMP/schema/all.json")" "or all of them"
fails "an unknown kind" 3 'unknown kind "Deploiment"' $R schema Deploiment
fails "a kind and a folder" 3 "want KIND or --dir, have both" $R schema Pod --dir "$TMP/x"
fails "a folder that cannot be" 7 "dir /proc/x" $R schema --dir /proc/x
finish
