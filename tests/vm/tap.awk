# tap.awk - reads the second serial line of tests/vm/run: one line a suite,
# failures with their comments, and the closing line.  want: number of suites.
function close_suite(status)
{
	if (failed == 0 && (status != 0 || plan < 0 ||
			    (plan > 0 && plan != passed + skipped))) {
		failed = 1
		text = text "not ok: status " status ", plan " plan ", " \
			passed + skipped " results\n" tail
	}
	printf "%-44s %4d ok %3d failed %3d skipped\n", suite, passed, failed,
	       skipped
	printf "%s", text
	all_passed += passed
	all_failed += failed
	all_skipped += skipped
	suites++
	suite = ""
}
keep == 1 { print }
/^=== suite / {
	suite = $3
	passed = failed = skipped = bad = 0
	plan = -1
	text = tail = ""
	next
}
/^=== status / { close_suite($3); next }
suite == "" { next }
/^1\.\.[0-9]+/ {
	plan = substr($1, 4) + 0
	if (plan == 0)
		skipped++
}
/^ok .*# SKIP/ { skipped++; text = text $0 "\n"; bad = 0; next }
/^ok / { passed++; bad = 0; next }
/^not ok / { failed++; text = text $0 "\n"; bad = 1; next }
/^#E/ { tail = tail $0 "\n"; next }
/^#/ && bad { text = text $0 "\n" }
END {
	if (suite != "")
		close_suite("none")
	if (suites < want) {
		printf "%d of %d suites did not run\n", want - suites, want
		all_failed += want - suites
	}
	printf "%d passed, %d failed, %d skipped\n", all_passed, all_failed,
	       all_skipped
	exit all_failed != 0
}
