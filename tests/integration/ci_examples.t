#!/bin/bash
# ci_examples.t - examples/ci as it stands: the shell of the workflow, of the job
# and of the hooks, in real repositories.
. "$(dirname "$0")/lib.sh"
need_program git jq curl ssh-keygen
PYTHON=/usr/bin/python3
$PYTHON -c 'import yaml, jsonschema' 2>/dev/null || skip_all "needs python3-yaml and python3-jsonschema"
tmpdir
canary_may step.sh upload.head
CI=$TOP/examples/ci
PATH=$BIN:$PATH
HOME=$TMP/home
export PATH HOME
mkdir -p "$HOME"
git config --global user.name Alice
git config --global user.email alice@example.org
git config --global init.defaultBranch main
git config --global advice.detachedHead false
step() { $PYTHON "$TOP/tests/integration/ci_step.py" "$@"; }
check() { $PYTHON "$TOP/tests/attack/output_check.py" "$1" "$2"; }

# --- a forge, and a clone of it -----------------------------------------------------------
FORGE=$TMP/srv/org/fleet
git init -q --bare "$FORGE"
git -C "$FORGE" config uploadpack.allowAnySHA1InWant true
git clone -q "$FORGE" "$TMP/clone" 2>/dev/null
cd "$TMP/clone" || exit 1
mkdir -p .reconcile apps
cat >.reconcile/policy.yaml <<-EOF
	apiVersion: reconcile/v1alpha1
	kind: ClusterPolicy
	metadata: {name: policy}
	spec:
	  repository: {id: fleet-test, ref: refs/heads/main}
	  images: {allowedRegistries: ["registry.example"]}
EOF
web() # REPLICAS REGISTRY [EXTRA]
{
	cat >apps/web.yaml <<-EOF
	apiVersion: apps/v1
	kind: Deployment
	metadata: {name: web}
	spec:
	  replicas: $1
	  selector: {matchLabels: {app: web}}
	  template:
	    metadata: {labels: {app: web}}
	    spec:
	      containers:
	      - name: web
	        image: $2/web@sha256:$(printf x | sha256sum | cut -d' ' -f1)
	        ${3:-}
	EOF
}
commit() { git add -A && git commit -qm "$1" --no-verify && git rev-parse HEAD; }
web 2 registry.example
BASE=$(commit base)
git push -q origin main
web 3 registry.example
GOOD=$(commit good)
web 3 registry.example "imagee: typo"
BAD=$(commit bad)
git reset -q --hard "$GOOD"
web 3 evil.example
DENIED=$(commit denied)
git push -q origin "$GOOD:refs/heads/good" "$BAD:refs/heads/bad" "$DENIED:refs/heads/denied"
git reset -q --hard "$BASE"

# --- the workflow of GitHub -------------------------------------------------------------------
is "$(step audit "$CI/github.yml")" "" "the workflow: pull_request only, least permissions, no action, no secret, no expression in shell"

# job STEP JOB HEAD: a step in a folder of its own, with the runner's files
job()
{
	mkdir -p "$TMP/run"
	: >"$TMP/run.output"
	: >"$TMP/run.summary"
	step github "$CI/github.yml" "$2" "$1" \
		github.server_url="file://$TMP/srv" github.repository=org/fleet \
		github.token="$CANARY" github.event.number=7 \
		github.api_url="http://127.0.0.1:$(cat "$TMP/port" 2>/dev/null)" \
		github.event.pull_request.base.sha="$BASE" \
		github.event.pull_request.head.sha="$3" \
		needs.dry-run.outputs.status="$3" >"$TMP/step.sh" || return 99
	(cd "$TMP/run" && GITHUB_OUTPUT=$TMP/run.output \
		GITHUB_STEP_SUMMARY=$TMP/run.summary bash "$TMP/step.sh")
}
workflow() { rm -rf "$TMP/run"; job "Have reconcile" dry-run "$1" && job "Fetch both sides" dry-run "$1" && job "Dry run" dry-run "$1"; }
run workflow "$GOOD"
is "$ST $(cat "$TMP/run.output")" "0 status=0" "a good pull request: green" || diag "$ERR"
like "$OUT" "^::notice title=reconcile::.*1 to update" "its notice has the plan"
like "$(cat "$TMP/run.summary")" '~ Deployment web' "and the step summary too"
check markdown "$TMP/run.summary" >"$TMP/why" && ok "which is markdown that a comment may be" || not_ok "summary" "$(cat "$TMP/why")"
is "$(find "$TMP/run" -name web.yaml)" "" "nothing was checked out"
is "$(grep -r "$CANARY" "$TMP/run" "$TMP/run.output" "$TMP/run.summary")" "" "the token is nowhere left"
run workflow "$BAD"
is "$ST $(cat "$TMP/run.output")" "3 status=3" "a bad manifest: red"
like "$OUT" "^::error file=apps/web.yaml,line=13,col=[0-9]+,title=reconcile M201::" "with an annotation at its line"
run workflow "$DENIED"
is "$ST $(cat "$TMP/run.output")" "5 status=5" "refused by policy: red"
run job "Everybody has signed" signatures 4
is "$ST" 4 "signatures that are missing: the second check is red"
run job "Everybody has signed" signatures 0
is "$ST" 0 "none is missing: it is green"

# Under a trust policy: green for what is right, red for who is missing.
ssh-keygen -q -t ed25519 -N '' -C "alice $CANARY" -f "$TMP/alice"
ssh-keygen -q -t ed25519 -N '' -C "bob $CANARY" -f "$TMP/bob"
git config --global gpg.format ssh
git config --global user.signingKey "$TMP/alice"
cat >.reconcile/trust.yaml <<-EOF
	apiVersion: reconcile/v1alpha1
	kind: TrustPolicy
	metadata: {name: trust}
	spec:
	  version: 1
	  expires: "2099-01-01T00:00:00Z"
	  people:
	  - name: alice@example.org
	    keys: [{ssh: $(cut -d' ' -f1,2 "$TMP/alice.pub")}]
	  - name: bob@example.org
	    keys: [{ssh: $(cut -d' ' -f1,2 "$TMP/bob.pub")}]
	  roles:
	  - name: all
	    people: [alice@example.org, bob@example.org]
	  root: {roles: [all], threshold: 2}
	  rules:
	  - paths: ["apps/**"]
	    roles: [all]
	    threshold: 2
	  revocations: {asOf: "2026-11-28T00:00:00Z"}
EOF
UNTRUSTED=$BASE
BASE=$(git add -A && git commit -q -S -m trust --no-verify && git rev-parse HEAD)
web 4 registry.example
SIGNED=$(git add -A && git commit -q -S -m four --no-verify && git rev-parse HEAD)
git push -q --no-verify origin "$BASE:refs/heads/trusted" "$SIGNED:refs/heads/signed"
run workflow "$SIGNED"
is "$ST $(cat "$TMP/run.output")" "0 status=4" "a second person is missing: dry-run is green, and says 4" || diag "$ERR$OUT"
like "$OUT" "^::error file=apps/web.yaml,title=reconcile T190::.*bob@example.org" "with who is missing"
like "$(cat "$TMP/run.summary")" 'do: `reconcile trust approve' "and the command in the summary"
cp "$CI/pre-push" .git/hooks/
git config reconcile.branch trusted
git fetch -q origin
git checkout -q "$SIGNED"
fails "pre-push: not to the branch that hosts follow" 1 "not pushed \(exit 4\)" git push -q origin HEAD:refs/heads/trusted
succeeds "pre-push: to a branch for a pull request" git push -q origin HEAD:refs/heads/proposal
like "$ERR" "could sign: bob@example.org" "pre-push: and who has to sign is told"
rm .git/hooks/pre-push
git config --unset reconcile.branch
git checkout -q main
BASE=$UNTRUSTED
git reset -q --hard "$BASE"

# A runner without reconcile builds the named commit of the named source.
mkdir -p "$TMP/stub" "$TMP/src/packaging"
git init -q "$TMP/src"
printf '#!/bin/sh\necho deps\n' >"$TMP/src/packaging/deps"
chmod +x "$TMP/src/packaging/deps"
git -C "$TMP/src" add -A
git -C "$TMP/src" commit -qm source
printf '#!/bin/sh\n"$@"\n' >"$TMP/stub/sudo"
printf '#!/bin/sh\necho "make $*"\n' >"$TMP/stub/make"
chmod +x "$TMP/stub"/*
step github "$CI/github.yml" dry-run "Have reconcile" |
	sed "s|^export RECONCILE_SOURCE=.*|export RECONCILE_SOURCE=file://$TMP/src|
		s|^export RECONCILE_COMMIT=.*|export RECONCILE_COMMIT=$(git -C "$TMP/src" rev-parse HEAD)|" >"$TMP/build.sh"
rm -rf "$TMP/run"
mkdir "$TMP/run"
OUT=$(cd "$TMP/run" && PATH=$TMP/stub:/usr/bin:/bin bash "$TMP/build.sh" 2>&1)
is "$(echo "$OUT" | sed 's/-j.*/-jN/' | paste -sd,)" "deps,make -jN,make install" "without reconcile: deps, make, make install"

# The upload of SARIF, to a server of ours.
$PYTHON "$TOP/tests/integration/ci_server.py" "$TMP/upload" "$TMP/port" &
SERVER=$!
server_down() { kill "$SERVER" 2>/dev/null; }
at_exit server_down
wait_for 5 test -s "$TMP/port"
rm -rf "$TMP/run"
run job "Upload SARIF" code-scanning "$DENIED"
is "$ST" 0 "the SARIF is uploaded" || diag "$ERR"
wait "$SERVER"
jq -r .sarif "$TMP/upload" | base64 -d | gzip -d >"$TMP/uploaded.sarif"
check sarif "$TMP/uploaded.sarif" >"$TMP/why" && ok "as GitHub wants it" || not_ok "upload" "$(cat "$TMP/why")"
is "$(jq -r '"\(.commit_sha) \(.ref)"' "$TMP/upload")" "$DENIED refs/pull/7/head" "for the right commit"
like "$(cat "$TMP/upload.head")" "^Authorization: Bearer $CANARY\$" "with the token in a header"

# --- the job of GitLab ----------------------------------------------------------------------------
gitlab() # HEAD
{
	rm -rf "$TMP/gl"
	git init -q "$TMP/gl"
	git -C "$TMP/gl" remote add origin "file://$FORGE"
	git -C "$TMP/gl" fetch -q origin "$1"
	step gitlab "$CI/gitlab.yml" reconcile >"$TMP/step.sh"
	(cd "$TMP/gl" && CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main CI_COMMIT_SHA=$1 \
		bash "$TMP/step.sh")
}
run gitlab "$GOOD"
is "$ST" 0 "gitlab: a good merge request" || diag "$ERR"
run gitlab "$DENIED"
is "$ST" 5 "gitlab: refused by policy"
check gitlab "$TMP/gl/reconcile.codequality.json" >"$TMP/why" &&
	check junit "$TMP/gl/reconcile.junit.xml" >>"$TMP/why" &&
	check markdown "$TMP/gl/reconcile.md" >>"$TMP/why" &&
	check json "$TMP/gl/reconcile.json" >>"$TMP/why" &&
	ok "gitlab: its reports are what they should be" || not_ok "gitlab: reports" "$(cat "$TMP/why")"
is "$(jq -r '.[0].location.path' "$TMP/gl/reconcile.codequality.json")" apps/web.yaml "gitlab: the finding has its place"
is "$(ls "$TMP/gl/apps" 2>/dev/null)" "" "gitlab: nothing was checked out"

# --- the hooks --------------------------------------------------------------------------------------
cp "$CI/pre-commit" "$CI/pre-push" .git/hooks/
web 4 registry.example
git add -A
succeeds "pre-commit: a good change is committed" git commit -qm "four"
web 4 registry.example "imagee: typo"
git add -A
web 4 registry.example
fails "pre-commit: what is staged counts, not what lies in the folder" 1 "apps/web.yaml:13:[0-9]+: error M201" git commit -qm "typo"
like "$ERR" "not committed \(exit 3\)" "pre-commit: with the status"
git add -A
web 4 evil.example
git add -A
fails "pre-commit: refused by policy" 1 "error P201" git commit -qm "evil"
git config reconcile.hooks false
succeeds "pre-commit: can be switched off" git commit -qm "evil"
git config --unset reconcile.hooks
is "$(git status --porcelain)" "" "pre-commit: index and folder are as they were"
fails "pre-push: what policy refuses is not pushed" 1 "not pushed \(exit 5\)" git push -q origin main
is "$(git -C "$FORGE" rev-parse main)" "$BASE" "pre-push: the forge has nothing of it"
fails "pre-push: nor to a new branch" 1 "not pushed \(exit 5\)" git push -q origin HEAD:refs/heads/new
git reset -q --hard HEAD~1
succeeds "pre-push: a good change is pushed" git push -q origin main
like "$ERR" "Deployment web" "pre-push: and the plan is shown"
succeeds "pre-push: a branch can be deleted" git push -q origin :refs/heads/bad
git tag v1
succeeds "pre-push: a tag is nobody's change" git push -q origin v1
rm -rf "$TMP/new"
git init -q "$TMP/new"
cp "$CI/pre-commit" "$TMP/new/.git/hooks/"
mkdir -p "$TMP/new/.reconcile"
cp .reconcile/policy.yaml "$TMP/new/.reconcile/"
git -C "$TMP/new" add -A
succeeds "pre-commit: the first commit of a repository" git -C "$TMP/new" commit -qm first
finish
