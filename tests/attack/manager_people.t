#!/bin/bash
# manager_people.t - a manager that was taken over, where the trust policy
# stands in git.  It owns one stolen key, its configuration, its state and its
# repository; the digest of the first policy came to the host with the token.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
. "$(dirname "$0")/people_lib.sh"
need_root
need_program git ssh-keygen jq docker-registry skopeo umoci busybox openssl curl sqlite3
tmpdir
. "$TOP/tests/integration/world.sh"
git_env
for K in $PEOPLE mallory forge clock; do
	make_key "$K"
done
REPO_ID=fleet-test
world_begin people 10.80.0
CONF=$W/manager/reconcile.conf

manifests() # TEXT
{
	world_policy
	mkdir -p "$W/clone/apps/two"
	cat >"$W/clone/apps/two/web.yaml" <<-EOF
	apiVersion: apps/v1
	kind: Deployment
	metadata: {name: web}
	spec:
	  replicas: 1
	  selector: {matchLabels: {app: web}}
	  template:
	    metadata: {labels: {app: web}}
	    spec:
	      terminationGracePeriodSeconds: 1
	      containers:
	      - name: web
	        image: $IMAGE
	        env: [{name: SAYS, value: "$1"}]
	EOF
}
push() { git -C "$W/clone" push -q --force origin main; }
policy_of() { sed -i "/^trust\./d" "$CONF"; printf 'trust.policy = %s\n' "$@" >>"$CONF"; }

world_net 1 && world_registry && world_certs_dir || fatal "network and registry"
IMAGE=$WORLD_REGISTRY/simpleserver@$(world_image simpleserver 1.0 "signed") || fatal "image"
world_repo
manifests signed
write_trust "$W/clone" 1 's|manifests/|apps/|'
FIRST=$(trust_digest "$W/clone")
as alice "$W/clone"
approve bob "$W/clone" - HEAD
as alice "$W/clone"
push
WORLD_PIN="trust.policy = $FIRST"
world_manager || fatal "manager"
agent_join host-1 1 || fatal "token"
rec --timeout 2 >/dev/null 2>&1
wait "$JOIN_host_1" || fatal "join"
agent_start host-1
hosts_ready() { rec host list -o json | jq -e '.[] | select(.state == "ready")' >/dev/null; }
wait_for 20 hosts_ready || fatal "host is ready"
run rec --timeout 60
is "$ST" 0 "manager and host begin with the trust policy that is pinned" || fatal "$ERR"
inside() { on host-1 "$BIN/reconcile-engine" --root "$W/host-1/run/engine" list --format json | jq -r '.[] | "\(.id) \(.pid)"' | sort; }
GOOD=$(head_of "$W/clone")
BEFORE=$(inside)
HOSTLOG=$W/host-1/state/audit
cp "$CONF" "$W/good.conf"

# attack NAME ERE: the taken-over manager makes a pass; the host refuses.
attack()
{
	_h=$(rec audit show --log "$HOSTLOG" | grep -c refuse)
	run rec --timeout 15
	is "$ST" 7 "$1: the pass fails on the host" || printf '%s\n' "$ERR" | sed 's/^/# /'
	like "$ERR" "$2" "$1: the host says why"
	_h2=$(rec audit show --log "$HOSTLOG" | grep -c refuse)
	if [ "$_h2" -gt "$_h" ]; then ok "$1: in the host's log"; else not_ok "$1: in the host's log" "$(rec audit show --log "$HOSTLOG" --last 5)"; fi
	is "$(inside)" "$BEFORE" "$1: the same containers run"
}
honest()
{
	cp "$W/good.conf" "$CONF"
	git -C "$W/clone" reset -q --hard "$GOOD"
	push
	rec trust anchor "$GOOD" --reason "taken back" 2>/dev/null
	run rec --timeout 60
	is "$ST" 0 "the honest manager works on" || printf '%s\n' "$ERR" | sed 's/^/# /'
	BEFORE=$(inside)
}

# one signature of two: the honest manager itself refuses
manifests half
as alice "$W/clone"
HALF=$(head_of "$W/clone")
push
run rec --timeout 15
is "$ST" 4 "one of two people: the manager refuses"
like "$ERR" 'rules\[1\]: 1 of 2 for apps/two/web.yaml .T190.' \
	'... says rule and path'
like "$ERR" 'could sign: bob' '... and people'
like "$ERR" "reconcile trust approve --base" '... and the command'
is "$(inside)" "$BEFORE" '... and all runs on'

# A77: it forges the second: an approval in bob's name, and an anchor above it,
# so that it believes it itself
approve mallory "$W/clone" "$GOOD" "$HALF"
mv "$W"/clone/.reconcile/approvals/*/mallory@example.org \
	"$W/clone/.reconcile/approvals/$(content "$W/clone" HEAD)/bob@example.org" 2>/dev/null
as alice "$W/clone"
push
printf 'trust.anchor = %s\n' "$(head_of "$W/clone")" >>"$CONF"
attack "A77 a forged approval, anchored by the manager" "refuses.*T190"
honest

# A77, A30: a trust policy of its own, pinned and anchored by the manager
manifests evil
PEOPLE=mallory write_trust "$W/clone" 2 's|alice@|mallory@|g;s|, bob@example.org||;s|, carol@example.org, dave@example.org||;s|threshold: 2|threshold: 1|'
as mallory "$W/clone"
push
policy_of "$(trust_digest "$W/clone")"
printf 'trust.anchor = %s\n' "$(head_of "$W/clone")" >>"$CONF"
attack "A77 a trust policy that only the manager pins" "refuses.*T120"
honest

# A26: it forgets what was accepted and begins a new history by its own word
git -C "$W/clone" checkout -q --orphan new
manifests new
as alice "$W/clone"
git -C "$W/clone" branch -q -M main
push
printf 'trust.anchor = %s\n' "$(head_of "$W/clone")" >>"$CONF"
sqlite3 "$W/manager/state/state.db" "DELETE FROM meta WHERE key IN ('accepted', 'converged');"
rec trust anchor "$(head_of "$W/clone")" --reason "nobody will notice" 2>/dev/null
attack "A26 a new history, anchored by the manager" "refuses.*T140"
honest

# the second person completes it: manager and host agree
git -C "$W/clone" reset -q --hard "$HALF"
approve bob "$W/clone" "$GOOD" "$HALF"
as alice "$W/clone"
push
run rec --timeout 60
is "$ST" 0 "the second approval: manager and host apply it" || printf '%s\n' "$ERR" | sed 's/^/# /'
if [ "$(inside)" != "$BEFORE" ]; then ok '... and it runs'; else not_ok '... and it runs'; fi

# a merge by the forge, which the host makes again for itself; and an evil one
git -C "$W/clone" checkout -q -b topic
put "$W/clone" apps/topic.yaml 1
as carol "$W/clone"
git -C "$W/clone" checkout -q main
put "$W/clone" apps/main.yaml 1
as alice "$W/clone"
merge_by_forge() { git -C "$W/clone" -c user.signingKey="$TMP/forge" merge -q --no-ff -S "$@" topic >/dev/null 2>&1; }
merge_by_forge -m merge
push
run rec --timeout 60
is "$ST" 0 "a merge by the forge: manager and host apply it" || printf '%s\n' "$ERR" | sed 's/^/# /'
BEFORE=$(inside)
git -C "$W/clone" checkout -q topic
put "$W/clone" apps/topic.yaml 2
as carol "$W/clone"
git -C "$W/clone" checkout -q main
merge_by_forge --no-commit
put "$W/clone" apps/topic.yaml evil
git -C "$W/clone" add -A
git -C "$W/clone" -c user.signingKey="$TMP/forge" commit -q -S -m merge
git -C "$W/clone" push -q --force origin main
printf 'trust.anchor = %s\n' "$(head_of "$W/clone")" >>"$CONF"
rec trust anchor "$(head_of "$W/clone")" --reason "nobody will notice" 2>/dev/null
attack "A32 an evil merge, anchored by the manager" "refuses.*T147"
rec audit verify >/dev/null && ok "the manager's log verifies" || not_ok "the manager's log verifies"
succeeds "the host's log verifies" rec audit verify --log "$HOSTLOG"
finish
