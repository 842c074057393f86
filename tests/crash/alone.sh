# alone.sh - a manager without hosts, for the suites that break it: a signed
# repository with one ConfigMap, its configuration and $R, the command.
# Source tests/integration/lib.sh first and call tmpdir; then alone_up PORT.

alone_up()
{
	W=$TMP/w
	mkdir -p "$W"
	# shellcheck source=tests/integration/world.sh
	. "$TOP/tests/integration/world.sh"
	lan() { "$@"; } # no host takes part: loopback will do
	world_repo || return 1
	mkdir -p "$W/clone/.reconcile"
	cat >"$W/clone/.reconcile/policy.yaml" <<-EOF
	apiVersion: reconcile/v1alpha1
	kind: ClusterPolicy
	metadata: {name: policy}
	spec:
	  repository: {id: fleet-test, ref: refs/heads/main}
	EOF
	alone_commit 1 || return 1
	cat >"$W/manager/reconcile.conf" <<-EOF
	repository.url = file://$W/fleet.git
	repository.id = fleet-test
	trust.allowed_signers = $W/manager/allowed_signers
	trust.revoked_keys = $W/manager/revoked_keys
	state.dir = $W/manager/state
	run.dir = $W/manager/run
	channel.listen = 127.0.0.1:$1
	EOF
	R="$BIN/reconcile --config $W/manager/reconcile.conf"
	$R init >/dev/null
}

# alone_commit N: the N-th content of the ConfigMap.
alone_commit()
{
	cat >"$W/clone/settings.yaml" <<-EOF
	apiVersion: v1
	kind: ConfigMap
	metadata: {name: settings}
	data: {value: "$1"}
	EOF
	world_commit "content $1"
}

# alone_accepted: the commit that the state calls accepted.
alone_accepted()
{
	$R status -o json 2>/dev/null | jq -r .accepted
}

# alone_keep / alone_back: the state folder, saved and restored.
alone_keep()
{
	rm -rf "$TMP/kept"
	cp -a "$W/manager/state" "$TMP/kept"
}

alone_back()
{
	rm -rf "$W/manager/state"
	cp -a "$TMP/kept" "$W/manager/state"
}
