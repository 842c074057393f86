#!/bin/bash
# tags.t - a fleet that follows a signed tag (threats A22, A77): the manager
# verifies the tag, the host is given it and verifies it too.
. "$(dirname "$0")/lib.sh"
need_root
need_program git ssh-keygen jq docker-registry skopeo umoci busybox openssl curl nft ip
tmpdir
. "$TOP/tests/integration/world.sh"
world_begin tags 10.79.0
BASELINE_SCOPE="$WORLD_TAG|overlay"
baseline_take
WORLD_REF=refs/tags/release

pass() { run rec --timeout 20 "$@"; }
host() { rec host list -o json | jq -r ".[0].$1"; }
host_is() { [ "$(host state)" = "$1" ]; }
host_has() { [ "$(host acceptedCommit)" = "$1" ]; }
# tag_push [KEY]: the head under a new tag, signed by alice or KEY
tag_push()
{
	git -C "$W/clone" -c user.signingkey="$W/keys/${1:-alice}.pub" \
		tag -f -s -m "release by ${1:-alice}" release >/dev/null 2>&1
	git -C "$W/clone" push -q --force origin refs/tags/release
}
config() # TEXT
{
	cat >"$W/clone/apps/all.yaml" <<-EOF
	apiVersion: apps/v1
	kind: DaemonSet
	metadata: {name: all}
	spec:
	  selector: {matchLabels: {app: all}}
	  template:
	    metadata: {labels: {app: all}}
	    spec:
	      terminationGracePeriodSeconds: 0
	      containers:
	      - name: main
	        image: $IMAGE
	        command: [/bin/sh, -c, "exec sleep 100000"]
	        env: [{name: TEXT, value: "$1"}]
	EOF
	world_commit "$1" && git -C "$W/clone" rev-parse HEAD
}

world_net 1 && world_registry && world_certs_dir || fatal "network and registry"
IMAGE=$WORLD_REGISTRY/simpleserver@$(world_image simpleserver 1.0 one) ||
	fatal "image"
world_repo
world_policy
C1=$(config one) && tag_push && world_manager || fatal "manager"
agent_join host-1 1 || fatal "token"
pass --timeout 2
# shellcheck disable=SC2154
if wait "$JOIN_host_1"; then ok "host-1 joined"; else fatal "host-1 joined"; fi
agent_start host-1
wait_for 20 host_is ready || fatal "host-1 is ready"
pass
is "$ST" 0 "a signed tag is followed" || echo "$ERR" | sed 's/^/# /'
if wait_for 20 host_has "$C1"; then
	ok "the host accepted the commit of the tag"
else
	not_ok "the host accepted the commit of the tag" \
		"$(host acceptedCommit) $(host lastRefusal)"
fi
pass
is "$ST" 0 "nothing new"

C2=$(config two)
pass
is "$ST" 0 "a commit that is not tagged is not looked at"
is "$(host acceptedCommit)" "$C1" "... and the host stays"
tag_push mallory
pass
is "$ST" 4 "A2 a tag of somebody else is refused"
is "$(host acceptedCommit)" "$C1" "... and the host stays"
git -C "$W/clone" tag -f release "$C2" >/dev/null 2>&1
git -C "$W/clone" push -q --force origin refs/tags/release
pass
is "$ST" 4 "A22 the tag's signature taken off"
like "$OUT$ERR" 'T110' "... says T110"
tag_push
pass
is "$ST" 0 "the tag moved on"
if wait_for 20 host_has "$C2"; then
	ok "and the host with it"
else
	not_ok "and the host with it" "$(host acceptedCommit) $(host lastRefusal)"
fi
tag_push
pass
is "$ST" 0 "the same commit under a new tag"
git -C "$W/clone" tag -f -s -m back release "$C1" >/dev/null 2>&1
git -C "$W/clone" push -q --force origin refs/tags/release
pass
is "$ST" 4 "A23 the tag moved back"
is "$(host acceptedCommit)" "$C2" "... and the host stays"

# --- the host after a restart judges what it has by its own record
end_pid "$(agent_pid host-1)"
agent_start host-1
tag_push
C3=$(config three) && tag_push
pass
is "$ST" 0 "after a restart of the host"
if wait_for 20 host_has "$C3"; then
	ok "the host goes on"
else
	not_ok "the host goes on" "$(host acceptedCommit) $(host lastRefusal)"
fi
world_down
baseline_check "nothing of it stays"
finish
