#!/bin/bash
# manager.t - a manager that was taken over.  Whoever owns it owns its trust
# configuration, its state and its repository, so that is what these attacks
# change; the programs are the real ones.  Every time the host must refuse, in
# its own log and in the manager's, and keep running what it ran.
. "$(dirname "$0")/../integration/lib.sh"
need_root
need_program git ssh-keygen jq docker-registry skopeo umoci busybox openssl curl sqlite3
tmpdir
. "$TOP/tests/integration/world.sh"
world_begin evil 10.79.0
CONF=$W/manager/reconcile.conf

manifests() # REPLICAS TEXT
{
	world_policy
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
	      terminationGracePeriodSeconds: 1
	      containers:
	      - name: web
	        image: $IMAGE
	        env: [{name: SAYS, value: "$2"}]
	EOF
}

world_net 1 && world_registry && world_certs_dir || fatal "network and registry"
IMAGE=$WORLD_REGISTRY/simpleserver@$(world_image simpleserver 1.0 "signed") || fatal "image"
world_repo
manifests 2 signed
world_commit "first" && world_manager && agent_join host-1 1 || fatal "manager"
rec --timeout 2 >/dev/null 2>&1
wait "$JOIN_host_1" || fatal "join"
agent_start host-1
hosts_ready() { rec host list -o json | jq -e '.[] | select(.state == "ready")' >/dev/null; }
wait_for 20 hosts_ready || fatal "host is ready"
run rec --timeout 60
is "$ST" 0 "the honest manager converges" || fatal "converge"
uids() { rec status -o json | jq -r '.pods[].uid' | sort; }
inside() { on host-1 "$BIN/reconcile-engine" --root "$W/host-1/run/engine" list --format json | jq -r '.[] | "\(.id) \(.pid)"' | sort; }
GOOD=$(git -C "$W/clone" rev-parse HEAD)
BEFORE=$(inside)
HOSTLOG=$W/host-1/state/audit
cp -a "$W/manager" "$W/manager.good"

# attack NAME ERE: the taken-over manager makes a pass; the host refuses.
attack()
{
	_m=$(rec audit show --type host.refuse | wc -l)
	_h=$(rec audit show --log "$HOSTLOG" --type refuse | wc -l)
	[ "$_h" -gt 0 ] || _h=$(rec audit show --log "$HOSTLOG" | grep -c refuse)
	run rec --timeout 15
	is "$ST" 7 "$1: the pass fails on the host" || printf '%s\n' "$ERR" | sed 's/^/# /'
	like "$ERR" "$2" "$1: the host says why"
	_m2=$(rec audit show --type host.refuse | wc -l)
	if [ "$_m2" -gt "$_m" ]; then ok "$1: in the manager's log"; else not_ok "$1: in the manager's log" "$(rec audit show --last 5)"; fi
	_h2=$(rec audit show --log "$HOSTLOG" | grep -c refuse)
	if [ "$_h2" -gt "$_h" ]; then ok "$1: in the host's log"; else not_ok "$1: in the host's log" "$(rec audit show --log "$HOSTLOG" --last 5)"; fi
	is "$(inside)" "$BEFORE" "$1: the same containers run"
}

# honest: back to what was, for the next attack
honest()
{
	cp "$W/manager.good/reconcile.conf" "$CONF"
	cp "$W/manager.good/allowed_signers" "$W/manager/allowed_signers"
	git -C "$W/clone" reset -q --hard "$GOOD"
	git -C "$W/clone" push -q --force origin main
	rec trust anchor "$GOOD" --reason "taken back" 2>/dev/null
	run rec --timeout 60
	is "$ST" 0 "the honest manager works on" || printf '%s\n' "$ERR" | sed 's/^/# /'
	BEFORE=$(inside)
}

# A77: the manager's trust configuration gets another key
printf 'mallory@example.com namespaces="git" %s\n' "$(cut -d' ' -f1,2 "$W/keys/mallory.pub")" >>"$W/manager/allowed_signers"
manifests 2 evil
world_commit "evil" mallory
attack "A77 a commit by a key that only the manager trusts" "refuses.*T[0-9]+"
honest

# A21: a branch that alice signed, but that these hosts do not follow
sed -i 's|^repository.ref.*|repository.ref = refs/heads/dev|' "$CONF"
WORLD_REF=refs/heads/dev
manifests 2 dev
WORLD_REF=
world_commit "another branch"
git -C "$W/clone" push -q --force origin HEAD:refs/heads/dev
attack "A21 a commit of another branch" "refuses.*T[0-9]+"
honest

# A23, A26: back to an older signed commit, with the manager's ratchet wiped and anchored anew
manifests 2 newer
world_commit "newer"
run rec --timeout 60
is "$ST" 0 "a newer commit is applied"
BEFORE=$(inside)
git -C "$W/clone" reset -q --hard "$GOOD"
git -C "$W/clone" push -q --force origin main
sqlite3 "$W/manager/state/state.db" "DELETE FROM meta WHERE key IN ('accepted', 'converged');"
rec trust anchor "$GOOD" --reason "nobody will notice" 2>/dev/null
attack "A23 a roll-back with the manager's ratchet wiped and anchored anew" "refuses.*T[0-9]+"
rec audit verify >/dev/null && ok "the manager's log verifies" || not_ok "the manager's log verifies"
succeeds "the host's log verifies" rec audit verify --log "$HOSTLOG"
finish
