#!/bin/bash
# cli.t - the command line of the manager without any host: usage, exit codes,
# refusals, two revisions, the audit log, bad input and full disks.
. "$(dirname "$0")/lib.sh"
need_root
need_program git ssh-keygen jq
tmpdir
W=$TMP/w
mkdir -p "$W"
. "$TOP/tests/integration/world.sh"
at_exit world_down
at_exit full_down
full_down() { ! mountpoint -q "$TMP/full" || umount "$TMP/full"; }
lan() { "$@"; }	# no host takes part: loopback will do
conf()
{
	cat >"$W/manager/reconcile.conf" <<-EOF
	repository.url = file://$W/fleet.git
	repository.id = fleet-test
	trust.allowed_signers = $W/manager/allowed_signers
	trust.revoked_keys = $W/manager/revoked_keys
	state.dir = $W/manager/state
	run.dir = $W/manager/run
	channel.listen = 127.0.0.1:$((10000 + $$ % 20000))
	EOF
}
R="$BIN/reconcile --config $W/manager/reconcile.conf"
DIGEST=sha256:$(printf x | sha256sum | cut -d' ' -f1)

policy()
{
	mkdir -p "$W/clone/.reconcile" "$W/clone/apps"
	cat >"$W/clone/.reconcile/policy.yaml" <<-EOF
	apiVersion: reconcile/v1alpha1
	kind: ClusterPolicy
	metadata:
	  name: policy
	spec:
	  repository:
	    id: fleet-test
	    ref: refs/heads/main
	  images:
	    allowedRegistries: ["registry.example"]
	EOF
}

web() # REPLICAS [EXTRA CONTAINER LINE]
{
	cat >"$W/clone/apps/web.yaml" <<-EOF
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
	        image: registry.example/web@$DIGEST
	        ${2:-}
	EOF
}

# --- usage ---------------------------------------------------------------------
succeeds "--help" "$BIN/reconcile" --help
like "$OUT" "host token" "help lists the commands"
succeeds "help of a command" "$BIN/reconcile" host token --help
like "$OUT" "ttl" "help of a command lists its options"
fails "an unknown command" 3 "statsu.*status" "$BIN/reconcile" statsu
fails "an unknown option" 3 "dry-rum.*dry-run" "$BIN/reconcile" --dry-rum
fails "a missing operand" 3 "INPUT" "$BIN/reconcile" host token
for s in bash zsh fish; do
	succeeds "completion for $s" "$BIN/reconcile" completion "$s"
	like "$OUT" "dry-run" "completion for $s knows the options"
done
fails "an unknown shell" 3 "bash" "$BIN/reconcile" completion tcsh
succeeds "bash accepts its completion" bash -c "source <($BIN/reconcile completion bash)"
succeeds "explain a field" "$BIN/reconcile" explain Deployment.spec.replicas
fails "explain an unknown kind" 3 "did you mean Deployment" "$BIN/reconcile" explain deploymnt.spec
succeeds "explain a policy code" "$BIN/reconcile" explain P101
succeeds "explain a trust code" "$BIN/reconcile" explain T110
succeeds "explain a code of hosts" "$BIN/reconcile" explain H103
fails "explain an unknown code" 3 "unknown code 'H999'" "$BIN/reconcile" explain H999
succeeds "help of a group of commands" "$BIN/reconcile" host --help

# --- configuration ----------------------------------------------------------------
fails "no configuration" 3 "is missing: write it, see reconcile.conf" "$BIN/reconcile" --config "$TMP/none/reconcile.conf" status
mkdir -p "$W/manager"
printf 'repository.url = file:///x\nrepositry.id = y\n' >"$W/manager/reconcile.conf"
fails "an unknown key with its place" 3 "reconcile.conf:2:1.*repositry.id" $R status
printf 'repository.url = file:///x\nrepository.id = y\nregistry = a:5000 http\n' >"$W/manager/reconcile.conf"
fails "a registry word without effect" 3 'registry: want HOST.*have "a:5000 http"' $R status
world_repo
conf
fails "no init yet" 3 "reconcile init" $R --dry-run

# --- first commits ------------------------------------------------------------------
policy
web 2
world_commit "first"
succeeds "init" $R init
like "$OUT" "reconcile/fleet-test/manager\+[0-9a-f]{8}\+" "init prints the public key of the log"
fails "a second init" 6 "init" $R init
sed "s|state.dir.*|state.dir = $TMP/nowhere|" "$W/manager/reconcile.conf" >"$TMP/other.conf"
fails "status of a folder without state" 3 "init" "$BIN/reconcile" --config "$TMP/other.conf" status
succeeds "--dry-run before any host" $R --dry-run
like "$OUT" "Deployment web" "the plan names the Deployment"
like "$OUT" "signed by alice@example.com" "the plan names the signer"
A=$($R --dry-run -o json 2>/dev/null)
Bb=$($R --dry-run -o json 2>/dev/null)
is "$A" "$Bb" "equal inputs give equal bytes"
is "$(printf '%s' "$A" | jq -r '.schema, .plan.schema' | paste -sd' ')" "reconcile.report/v1 reconcile.plan/v1" "JSON has its schema, and that of the plan in it"
run $R --dry-run --detailed-exitcode
is "$ST" 2 "--detailed-exitcode: changes are pending"

D=sha256:$(printf %064d 1)
printf 'repository.url = file:///x\nrepository.id = y\ntrust.policy = %s\ntrust.allowed_signers = /a\n' "$D" >"$TMP/other.conf"
fails "a trust policy and pinned lists" 3 "trust.policy, or trust.allowed_signers .*never both" "$BIN/reconcile" --config "$TMP/other.conf" status
printf 'repository.url = file:///x\nrepository.id = y\ntrust.policy = sha256:1\n' >"$TMP/other.conf"
fails "a trust policy that is no digest" 3 "trust.policy = sha256: and 64" "$BIN/reconcile" --config "$TMP/other.conf" status
printf 'repository.url = file:///x\nrepository.id = y\ntrust.anchor = %040d\n' 1 >"$TMP/other.conf"
fails "an anchor without a trust policy" 3 "trust.anchor = 40 hex digits, beside" "$BIN/reconcile" --config "$TMP/other.conf" status
printf 'repository.url = file:///x\nrepository.id = y\ntrust.allowed_signers = a\n' >"$TMP/other.conf"
fails "lists by a relative path" 3 "absolute paths of trust.allowed_signers" "$BIN/reconcile" --config "$TMP/other.conf" status

# --- two revisions, no host, no configuration -----------------------------------------
web 4
world_commit "scale"
cd "$W/clone" || exit 1
succeeds "--from --to" "$BIN/reconcile" --dry-run --from HEAD~1 --to HEAD
like "$OUT" "2 pods to start" "from 2 to 4 replicas starts two pods"
like "$OUT" "^commit [0-9a-f]{12}, signatures not checked" "and says that it did not check signatures"
unlike "$OUT" "$(printf '\033')" "no colours without a terminal"
run "$BIN/reconcile" --dry-run --from HEAD~1 --to HEAD --detailed-exitcode
is "$ST" 2 "pending changes between revisions: exit 2"
run "$BIN/reconcile" --dry-run --from HEAD --to HEAD --detailed-exitcode
is "$ST" 0 "no change between equal revisions: exit 0"
fails "an unknown revision" 3 "no-such-rev" "$BIN/reconcile" --dry-run --from no-such-rev --to HEAD
fails "--from alone" 3 "both --from and --to" "$BIN/reconcile" --dry-run --from HEAD
cd / || exit 1
fails "no repository here" 3 "no git repository" "$BIN/reconcile" --dry-run --from A --to B --repo "$TMP"

# --- refusals ---------------------------------------------------------------------------
GOOD=$(git -C "$W/clone" rev-parse HEAD)
web 4 "imagee: typo"
printf 'a: [1\n' >"$W/clone/apps/broken.yaml"
world_commit "two mistakes"
run $R --dry-run
is "$ST" 3 "bad manifests: exit 3"
like "$OUT" "apps/web.yaml:[0-9]+:[0-9]+: error M[0-9]+.*imagee" "an unknown field with its place"
like "$OUT" "apps/broken.yaml:[0-9]+:[0-9]+: error M[0-9]+" "and the other file, at once"
git -C "$W/clone" reset -q --hard "$GOOD"
web 4 "securityContext: {privileged: true}"
world_commit "privileged"
run $R --dry-run
is "$ST" 5 "refused by policy: exit 5"
like "$OUT" "apps/web.yaml:[0-9]+:[0-9]+: error P[0-9]+.*privileged" "the rule and the place"
git -C "$W/clone" reset -q --hard "$GOOD"
world_commit "unsigned" -
run $R --dry-run
is "$ST" 4 "an unsigned commit: exit 4 (A1)"
unlike "$OUT" "stays in force" "and nothing is in force yet"
like "$OUT" "error T[0-9]+" "with its code"
git -C "$W/clone" reset -q --hard "$GOOD"
world_commit "unknown key" mallory
run $R --dry-run
is "$ST" 4 "an unknown key: exit 4 (A2)"
like "$OUT" "SHA256:" "with the key's fingerprint"
git -C "$W/clone" reset -q --hard "$GOOD"
git -C "$W/clone" push -q --force origin main
printf '' >"$W/manager/revoked_keys"
run $R --dry-run
is "$ST" 4 "an empty list of revoked keys is fatal (A5)"
printf '# none\n' >"$W/manager/revoked_keys"

# --- an unreachable repository --------------------------------------------------------------
mv "$W/fleet.git" "$W/away.git"
run $R --dry-run
is "$ST" 75 "an unreachable repository: exit 75"
like "$ERR" "fetch file://" "an unreachable repository is named"
mv "$W/away.git" "$W/fleet.git"

# --- the pass without hosts, the audit log ---------------------------------------------------
run $R --timeout 1
like "$ERR" "cannot be placed|no host" "a pass without hosts says why it stops"
GOOD=$(git -C "$W/clone" rev-parse HEAD)
world_commit "unsigned again" -
run $R --dry-run
is "$ST" 4 "an unsigned commit on an accepted one: exit 4"
like "$OUT" "the plan of the commit that stays in force" "the plan is that of the accepted one, and the report says so"
git -C "$W/clone" reset -q --hard "$GOOD"
git -C "$W/clone" push -q --force origin main
succeeds "audit show" $R audit show
like "$OUT" "commit.accept.*by=alice@example.com" "the acceptance names the signer"
succeeds "audit verify" $R audit verify
like "$OUT" "entries good" "the log verifies"
is "$($R audit show -o json | head -n 1 | jq -r .type)" log.open "audit show -o json is one object a line"
cp -a "$W/manager/state/audit" "$TMP/bad"
N=$(wc -l <"$TMP"/bad/log)
sed -i '3s/"time":"2/"time":"3/' "$TMP/bad/log"
fails "one changed byte (A94)" 9 "entry 3\b|3:" $R audit verify --log "$TMP/bad"
cp "$W/manager/state/audit/log" "$TMP/bad/log"
sed -i '2d' "$TMP/bad/log"
fails "one removed entry (A94)" 9 "AUDIT" $R audit verify --log "$TMP/bad"
cp "$W/manager/state/audit/log" "$TMP/bad/log"
head -n $((N - 1)) "$W/manager/state/audit/log" >"$TMP/bad/log"
fails "a truncated log (A93)" 9 "AUDIT" $R audit verify --log "$TMP/bad"

# --- an unreachable registry ---------------------------------------------------------------------
sed -i 's|    allowedRegistries|    requireDigest: false\n    allowedRegistries|' "$W/clone/.reconcile/policy.yaml"
world_commit "tags are allowed"
sed -i "s|image: registry.example/web@.*|image: registry.example/web:1|" "$W/clone/apps/web.yaml"
world_commit "by tag"
run $R --timeout 0
is "$ST" 75 "an unreachable registry: exit 75"
like "$ERR" "apps/web.yaml:[0-9]+:[0-9]+: error R403.*registry.example/web:1" "the image is named, with its place"
succeeds "its code is explained" $R explain R403

# --- A84: one at a time -----------------------------------------------------------------------
exec 9<"$W/manager/state/lock"
flock -x 9
fails "A84: a second pass while one is at work" 75 "another reconcile" $R
flock -u 9
exec 9<&-

# --- A86, R05: a full disk ----------------------------------------------------------------------
mkdir "$TMP/full"
mount -t tmpfs -o size=4m tmpfs "$TMP/full"
cp -a "$W/manager/state" "$TMP/full/state"
sed -i "s|^state.dir.*|state.dir = $TMP/full/state|" "$W/manager/reconcile.conf"
head -c 4m /dev/zero >"$TMP/full/filler" 2>/dev/null
before=$(sha256sum <"$TMP/full/state/audit/log")
run $R host token host-9
if [ "$ST" != 0 ]; then ok "A86 R05: nothing is issued when the record cannot be written (exit $ST)"; else not_ok "A86 R05: full disk" "status 0: $OUT"; fi
is "$(head -c "$(stat -c %s "$W/manager/state/audit/log")" "$TMP/full/state/audit/log" | sha256sum)" "$before" "what was recorded is untouched"
conf
finish
