#!/bin/bash
# canary.t - A99: a secret that a suite, a golden case or a part of the checks
# prints or leaves is found, and who did it is named.
. "$(dirname "$0")/lib.sh"
tmpdir
canary_may "suites/*"
mkdir -p "$TMP/suites/integration"
cp "$TOP/tests/integration/lib.sh" "$TMP/suites/integration/"

# suite NAME LINES: a suite of its own
suite()
{
	{
		# shellcheck disable=SC2016
		printf '. "$(dirname "$0")/lib.sh"\ntmpdir\ncanary_may "may/*"\nmkdir "$TMP/may"\n'
		printf '%s\n' "$2" 'ok one' finish
	} >"$TMP/suites/integration/$1.t"
}
runs() { RECONCILE_CANARY=$CANARY "$TOP/tests/run-suites" "$TMP/suites/integration/$1.t"; }

# shellcheck disable=SC2016
{
	suite good 'echo "$CANARY" >"$TMP/may/key"; run echo "$CANARY" >/dev/null; rm "$TMP/.said" "$TMP/.out"'
	suite prints 'echo "# $CANARY"'
	suite complains 'echo "$CANARY" >&2'
	suite leaves 'echo "x$CANARY" >"$TMP/a log"'
	suite encodes 'printf "user:%s" "$CANARY" | base64 >"$TMP/header"'
	suite forgets 'run echo "$CANARY"; run true'
	suite removes 'mkdir "$TMP/w"; echo "$CANARY" >"$TMP/w/state"; gone() { canary_look "$TMP/w"; rm -r "$TMP/w"; }; at_exit gone'
}
succeeds "where the suite put it, it may be" runs good
for s in prints complains; do
	run runs "$s"
	is "$ST" 1 "a suite that prints it fails ($s)"
	like "$OUT" "^not ok: A99: .*/$s.t printed the canary" "and is named"
	unlike "$OUT" "$CANARY" "and it is not printed again"
done
run runs leaves
is "$ST" 1 "a suite that leaves it in a file fails"
like "$OUT" "^A99: leaves left the canary in: .*/a log" "and the file is named"
run runs encodes
like "$OUT" "^A99: encodes left the canary in: .*/header" "in base64 too"
run runs forgets
like "$OUT" "^A99: forgets left the canary in: .*/.said" "in the output of a command that nobody looked at too"
run runs removes
like "$OUT" "^A99: removes left the canary in: .*/w/state" "in a folder that the suite removes too"

mkdir -p "$TMP/golden/stage/case/in"
cp "$TOP/tests/golden/run" "$TMP/golden/"
echo @CANARY@ >"$TMP/golden/stage/case/in/a"
echo 'cat a' >"$TMP/golden/stage/case/cmd"
RECONCILE_CANARY=$CANARY run "$TMP/golden/run" stage/case
is "$ST" 1 "a golden case that prints it fails"
like "$OUT" "^# stage/case: A99: the canary is printed" "and is named"
echo 'wc -l <a' >"$TMP/golden/stage/case/cmd"
RECONCILE_CANARY=$CANARY run "$TMP/golden/run" --accept stage/case
RECONCILE_CANARY=$CANARY run "$TMP/golden/run" stage/case
is "$ST" 0 "one that does not is good"

# `make check` with a make that does nothing but say the secret in one part
cat >"$TMP/make" <<'EOF'
#!/bin/sh
case $* in
*SAN=undefined*) exit 1 ;;
*B=build\ unit) echo "$RECONCILE_CANARY" ;;
esac
EOF
chmod +x "$TMP/make"
MAKE=$TMP/make B=build run "$TOP/tests/check"
is "$ST" 1 "make check: a part that prints it fails"
is "$(printf '%s\n' "$OUT" | grep -c "^not ok: A99")" 1 "make check: that part alone"
like "$OUT" '^not ok: A99: part "unit" printed the canary' "make check: and is named"
finish
