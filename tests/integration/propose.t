#!/bin/bash
# propose.t - a pull request under a trust policy: who has to sign, what they
# sign, what happens; from nothing to complete, with real git and ssh-keygen.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/attack/trust_lib.sh"
. "$TOP/tests/attack/people_lib.sh"
need_program jq
people_setup
canary_may "repo/manifests/*"
R=$TMP/repo
new_people_repo "$R"
BASE=$(git -C "$R" rev-parse HEAD)

# propose [HEAD [OPTION...]]: the report as text in OUT, as JSON in $TMP/json
propose()
{
	_to=${1:-HEAD}
	[ $# = 0 ] || shift
	run "$BIN/reconcile" --dry-run --repo "$R" --from "$BASE" --to "$_to" \
		-o text -o json="$TMP/json" "$@"
}
q() { jq -r "$1" "$TMP/json"; }
rewind() { git -C "$R" reset -q --hard "$BASE"; }

# --- nothing to ask for --------------------------------------------------------------
put "$R" manifests/config.yaml second
as carol "$R"
propose
is "$ST" 0 "one of the role signed: exit 0" || diag "$OUT$ERR"
like "$OUT" "^trust: trusted, by version 1 of the trust policy" "trust says so, and by which policy"
like "$OUT" "^  met +rules\[2\]: 1 of 1 for manifests/config.yaml" "the rule and its path"
like "$OUT" "^      signed: carol@example.org" "who counts"
is "$(q '.verdict | "\(.trust) \(.exit)"')" "met 0" "the same in JSON"
is "$(q .plan.summary.objects_update)" 1 "and the plan"
propose HEAD --detailed-exitcode
is "$ST" 2 "--detailed-exitcode: changes are pending"

propose "$BASE"
is "$ST" 0 "nothing changes: exit 0"
like "$OUT" "^trust: trusted" "and that is trusted"

# --- a second person is missing --------------------------------------------------------
rewind
put "$R" manifests/two/safe.yaml second
as carol "$R"
propose
is "$ST" 4 "a second person is missing: exit 4" || diag "$OUT$ERR"
like "$OUT" "^trust: 0 of 1 requirements met" "how many requirements are met"
like "$OUT" "^  missing  rules\[1\]: 1 of 2 for manifests/two/safe.yaml" "what is missing"
like "$OUT" "could sign: .*alice@example.org.*" "who could sign"
like "$OUT" "do: reconcile trust approve" "and the command that does it"
like "$OUT" "^Plan: .*1 to update" "the plan is there all the same"
is "$(q '.trust.requirements[0] | "\(.met) \(.threshold) \(.have | join(",")) \(.code)"')" \
	"false 2 carol@example.org T190" "the same in JSON"
is "$(q '[.findings[] | select(.severity == "error")] | length')" 1 "one finding, not two"
approve dave "$R" "$BASE" HEAD
as mallory "$R"
propose
is "$ST" 4 "an approval in a commit of a stranger: exit 4"
like "$OUT" "T120: .*key" "the stranger's commit is named with its code"
git -C "$R" reset -q --soft HEAD~1
as carol "$R"
propose
is "$ST" 0 "with the approval: exit 0" || diag "$OUT$ERR"
like "$OUT" "signed: carol@example.org, dave@example.org" "both count"

# --- everything at once ------------------------------------------------------------------
rewind
put "$R" manifests/two/safe.yaml third
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndtaa: {}\n' >"$R/manifests/bad.yaml"
as dave "$R"
propose
is "$ST" 3 "a bad manifest goes before missing trust: exit 3"
like "$OUT" "^  missing  rules\[1\]" "what is missing is said all the same"
like "$OUT" "^manifests/bad.yaml:4:1: error M201" "with the finding of the manifest"
like "$OUT" "^No plan: the manifests cannot be read in whole" "and why there is no plan"
rewind
put "$R" manifests/two/safe.yaml fourth
mkdir -p "$R/manifests/x"
printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers: [{name: c, image: evil.example/x}]\n' >"$R/manifests/x/pod.yaml"
as dave "$R"
propose
is "$ST" 5 "policy goes before missing trust: exit 5"
like "$OUT" "^  missing  rules\[1\]" "what is missing is said all the same"
like "$OUT" "^manifests/x/pod.yaml:5:[0-9]+: error P201" "with the finding of policy"
like "$OUT" "^  \+ Pod p" "and the plan, with what is refused in it"

# --- the trust policy itself, RBAC of the branch ---------------------------------------------
rewind
write_trust "$R" 2
as alice "$R"
propose
is "$ST" 4 "the trust policy by one of root: exit 4"
like "$OUT" "^  missing  root: 1 of 2 for .reconcile/trust.yaml" "root decides"
like "$OUT" "could sign: bob@example.org" "and who of root could sign"
propose HEAD -o github="$TMP/github" -o sarif="$TMP/sarif" -o gitlab="$TMP/gitlab" -o junit="$TMP/junit" -o markdown="$TMP/markdown"
like "$(cat "$TMP/github")" '^::error file=.reconcile/trust.yaml,title=reconcile T190::root: .*bob@example.org' "github: an annotation at the file"
is "$(jq -r '.[0] | "\(.check_name) \(.severity) \(.location.path)"' "$TMP/gitlab")" "T190 critical .reconcile/trust.yaml" "gitlab: critical"
is "$(jq -r '.runs[0].results[0] | "\(.ruleId) \(.level)"' "$TMP/sarif")" "T190 error" "sarif: an error"
like "$(jq -r '.runs[0].tool.driver.rules[0].help.text' "$TMP/sarif")" "fix: " "sarif: with help from explain"
like "$(cat "$TMP/junit")" '<testcase classname="trust" name="T190 .reconcile/trust.yaml".*<failure type="T190"' "junit: a failure of the suite trust"
like "$(cat "$TMP/markdown")" '^- \*\*missing\*\* `T190` `root`: `.reconcile/trust.yaml`; 1 of 2 signed: `alice@example.org`' "markdown: what is missing"
like "$(cat "$TMP/markdown")" '^  - 1 more must sign of `bob@example.org`' "markdown: and who"

# --- history -------------------------------------------------------------------------------------
rewind
put "$R" manifests/config.yaml fifth
as carol "$R" --no-gpg-sign
put "$R" manifests/config.yaml sixth
as carol "$R"
propose
is "$ST" 4 "A3 A102: an unsigned commit below a signed one: exit 4"
like "$OUT" "commit $(git -C "$R" rev-parse --short=12 HEAD~1)" "it is named"
like "$OUT" "T110: " "with its code"
# --- BASE went on meanwhile ----------------------------------------------------------------------
rewind
put "$R" manifests/new.yaml one
as carol "$R"
git -C "$R" branch -q change
rewind
put "$R" manifests/config.yaml elsewhere
as carol "$R"
FIRST=$BASE
BASE=$(git -C "$R" rev-parse HEAD)
propose change
is "$ST" 0 "HEAD beside BASE: exit 0" || diag "$OUT$ERR"
like "$OUT" "judged as merged into it" "judged as it would be merged"
is "$(q '.plan.changes[] | "\(.action) \(.name)"')" "create new-manifests" "the plan is that of the merge: nothing of BASE is taken back"
git -C "$R" checkout -q change
put "$R" manifests/config.yaml clash
as carol "$R"
propose change
is "$ST" 4 "HEAD that does not merge into BASE: exit 4"
like "$OUT" "^error T140: HEAD does not merge into BASE" "and why"
git -C "$R" checkout -q main
BASE=$FIRST
rewind
git -C "$R" rm -q .reconcile/trust.yaml
git -C "$R" commit -qm "no policy" --no-gpg-sign
BASE=$(git -C "$R" rev-parse HEAD)
git -C "$R" checkout -q -b plain
put "$R" manifests/new.yaml one
git -C "$R" add -A
git -C "$R" commit -qm plain --no-gpg-sign
git -C "$R" checkout -q main
put "$R" manifests/config.yaml elsewhere
git -C "$R" commit -qam on --no-gpg-sign
BASE=$(git -C "$R" rev-parse HEAD)
propose plain
is "$ST" 0 "without a trust policy: exit 0"
like "$OUT" "^trust: not judged" "and the report says that nothing judged trust"
is "$(q '.plan.changes[] | "\(.action) \(.name)"')" "create new-manifests" "the plan is that of the merge, too"
BASE=$FIRST
rewind
git -C "$R" checkout -q --orphan other
as alice "$R"
propose
is "$ST" 4 "a history that does not begin at the base: exit 4" || diag "$OUT$ERR"
like "$OUT" "^error T140: HEAD does not merge into BASE" "and why"
like "$OUT" "^(Plan:|No changes)" "what it holds is compared all the same"
finish
