# world.sh - a small fleet on one machine, real from end to end: a network
# namespace with a bridge for the manager, the registry and the repository, and
# one namespace for each host.  Used by the demo, the suites and the benchmarks.
#
# Needs: B (build folder, absolute), W (an empty work folder, absolute).
# Nothing is left in the machine's own namespaces: world_down ends every process
# that was started here, by pid, and removes the namespaces.

WORLD_TAG=${WORLD_TAG:-w$$}
WORLD_NET=${WORLD_NET:-10.77.0}
WORLD_PORT=7443
WORLD_REGISTRY=$WORLD_NET.1:5443
WORLD_PIDS=
HOSTS=

lan() { nsenter --net="/run/netns/$WORLD_TAG-lan" -- "$@"; }
on() { # on HOST CMD...: in the network namespace of a host
	_h=$1
	shift
	nsenter --net="/run/netns/$WORLD_TAG-$_h" -- "$@"
}
rec() { lan "$B/bin/reconcile" --config "$W/manager/reconcile.conf" "$@"; }

# wait_for SECONDS CMD...: until CMD succeeds.
wait_for()
{
	_left=$(($1 * 20))
	shift
	while ! "$@" >/dev/null 2>&1; do
		_left=$((_left - 1))
		[ "$_left" -gt 0 ] || return 1
		sleep 0.05
	done
}

# background LOG CMD...: starts it, remembers the pid, sets BG.
background()
{
	_log=$1
	shift
	setsid "$@" >"$_log" 2>&1 </dev/null &
	BG=$!
	WORLD_PIDS="$WORLD_PIDS $BG"
}

end_pid() # PID: TERM, up to five seconds, KILL; only what we started
{
	kill -TERM "$1" 2>/dev/null || return 0
	_left=100
	while kill -0 "$1" 2>/dev/null && [ "$_left" -gt 0 ]; do
		_left=$((_left - 1))
		sleep 0.05
	done
	kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	return 0
}

world_net() # N: the bridge and N hosts
{
	ip netns add "$WORLD_TAG-lan"
	lan ip link set lo up
	lan ip link add lan0 type bridge
	lan ip addr add "$WORLD_NET.1/24" dev lan0
	lan ip link set lan0 up
	for _i in $(seq 1 "$1"); do
		ip netns add "$WORLD_TAG-host-$_i"
		HOSTS="$HOSTS host-$_i"
		lan ip link add "p$_i" type veth peer name eth0 \
			netns "$WORLD_TAG-host-$_i"
		lan ip link set "p$_i" master lan0 up
		on "host-$_i" ip link set lo up
		on "host-$_i" ip addr add "$WORLD_NET.1$_i/24" dev eth0
		on "host-$_i" ip link set eth0 up
		on "host-$_i" ip route add default via "$WORLD_NET.1"
	done
}

world_registry() # a real registry with TLS and a CA of its own
{
	mkdir -p "$W/registry/data"
	(
		cd "$W/registry" || exit 1
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
			-nodes -keyout ca.key -out ca.pem -days 2 \
			-subj "/CN=test registry authority" 2>/dev/null
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
			-keyout server.key -out server.csr -subj "/CN=registry" \
			2>/dev/null
		printf 'subjectAltName=IP:%s\nextendedKeyUsage=serverAuth\n' \
			"$WORLD_NET.1" >ext
		openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key \
			-CAcreateserial -days 2 -extfile ext -out server.pem \
			2>/dev/null
		cat >config.yml <<-EOF
		version: 0.1
		log: { level: error }
		storage: { filesystem: { rootdirectory: $W/registry/data }, delete: { enabled: true } }
		http: { addr: $WORLD_REGISTRY, tls: { certificate: $W/registry/server.pem, key: $W/registry/server.key } }
		EOF
	) || return 1
	background "$W/registry/log" nsenter --net="/run/netns/$WORLD_TAG-lan" \
		-- docker-registry serve "$W/registry/config.yml"
	wait_for 20 lan curl -sf --cacert "$W/registry/ca.pem" \
		"https://$WORLD_REGISTRY/v2/"
}

# world_image NAME TAG TEXT: an image of Debian's busybox whose web page says
# TEXT; prints its digest.
world_image()
{
	_d=$W/image/$1-$2
	mkdir -p "$_d"
	(
		cd "$_d" || exit 1
		umoci init --layout oci && umoci new --image "oci:$2" &&
			umoci unpack --image "oci:$2" bundle &&
			mkdir -p bundle/rootfs/bin bundle/rootfs/etc \
				bundle/rootfs/www bundle/rootfs/tmp &&
			chmod 1777 bundle/rootfs/tmp &&
			cp /bin/busybox bundle/rootfs/bin/ &&
			for _a in sh cat ls id httpd sleep echo wget true false \
				env hostname nc kill ps test mount touch dd stat \
				date expr seq head tail grep sync mkdir rm; do
				ln -s busybox "bundle/rootfs/bin/$_a" || exit 1
			done &&
			printf 'root:x:0:0:root:/:/bin/sh\nweb:x:1000:1000:web:/:/bin/sh\n' \
				>bundle/rootfs/etc/passwd &&
			printf 'root:x:0:\nweb:x:1000:\n' >bundle/rootfs/etc/group &&
			printf '%s\n' "$3" >bundle/rootfs/www/index.html &&
			umoci repack --image "oci:$2" bundle &&
			umoci config --image "oci:$2" --config.entrypoint /bin/httpd \
				--config.cmd=-f --config.cmd=-p --config.cmd=8080 \
				--config.cmd=-h --config.cmd=/www \
				--config.user 1000:1000 --config.env PATH=/bin &&
			umoci gc --layout oci
	) >"$_d/log" 2>&1 || return 1
	lan skopeo --insecure-policy copy --dest-cert-dir "$W/registry/certs" \
		"oci:$_d/oci:$2" "docker://$WORLD_REGISTRY/$1:$2" \
		>>"$_d/log" 2>&1 || return 1
	lan skopeo --insecure-policy inspect --cert-dir "$W/registry/certs" \
		--format '{{.Digest}}' "docker://$WORLD_REGISTRY/$1:$2"
}

world_certs_dir() # skopeo wants a folder with *.crt
{
	mkdir -p "$W/registry/certs"
	cp "$W/registry/ca.pem" "$W/registry/certs/ca.crt"
}

# world_begin NAME NET: for suites on lib.sh: work folder, names, and clean-up.
world_begin()
{
	W=$(mktemp -d "/var/tmp/reconcile-$1.XXXXXX") || exit 1
	chmod 755 "$W"
	WORLD_TAG=rc$1$$ WORLD_NET=$2 WORLD_REGISTRY=$2.1:5443
	at_exit world_end
}

world_end()
{
	world_down
	canary_look "$W"
	rm -rf --one-file-system -- "$W"
}

# fatal NAME: the suite cannot go on.
fatal()
{
	not_ok "$1" "$(tail -n 8 "$W"/*/*.log 2>/dev/null)"
	printf '1..%d\n' "$T_N"
	exit 1
}

# --- repository and signers --------------------------------------------------
world_repo() # an empty repository, a clone to work in, and signing keys
{
	mkdir -p "$W/keys" "$W/manager"
	[ -z "${CANARY:-}" ] || canary_may
	for _k in alice bob carol mallory; do
		ssh-keygen -q -t ed25519 -N '' -C "$_k ${CANARY:-}" \
			-f "$W/keys/$_k"
	done
	printf 'alice@example.com namespaces="git" %s\n' \
		"$(cut -d' ' -f1,2 "$W/keys/alice.pub")" \
		>"$W/manager/allowed_signers"
	printf '# none revoked\n' >"$W/manager/revoked_keys"
	git init -q --bare -b main "$W/fleet.git"
	git init -q -b main "$W/clone"
	git -C "$W/clone" remote add origin "$W/fleet.git"
	git -C "$W/clone" config user.name Alice
	git -C "$W/clone" config user.email alice@example.com
	git -C "$W/clone" config gpg.format ssh
	git -C "$W/clone" config user.signingkey "$W/keys/alice.pub"
	git -C "$W/clone" config gpg.ssh.allowedSignersFile \
		"$W/manager/allowed_signers"
}

# world_policy [LINE...]: .reconcile/policy.yaml; each LINE is one more field of
# its spec.  WORLD_ID and WORLD_REF: what it binds commits to.
world_policy()
{
	mkdir -p "$W/clone/.reconcile" "$W/clone/apps"
	{
		cat <<-EOF
		apiVersion: reconcile/v1alpha1
		kind: ClusterPolicy
		metadata:
		  name: policy
		spec:
		  repository:
		    id: ${WORLD_ID:-fleet-test}
		    ref: ${WORLD_REF:-refs/heads/main}
		  images:
		    allowedRegistries: ["$WORLD_REGISTRY"]
		EOF
		[ $# = 0 ] || printf '  %s\n' "$@"
	} >"$W/clone/.reconcile/policy.yaml"
}

# world_trust [VERSION]: .reconcile/trust.yaml.  alice, bob and carol may change
# apps/, two of them what is below .reconcile and apps/critical/, two of alice
# and bob who the people are.
world_trust()
{
	mkdir -p "$W/clone/.reconcile"
	{
		cat <<-EOF
		apiVersion: reconcile/v1alpha1
		kind: TrustPolicy
		metadata: {name: trust}
		spec:
		  version: ${1:-1}
		  expires: "2099-01-01T00:00:00Z"
		  people:
		EOF
		for _k in alice bob carol; do
			printf '  - name: %s@example.com\n    keys:\n    - ssh: %s\n' \
				"$_k" "$(cut -d' ' -f1,2 "$W/keys/$_k.pub")"
		done
		cat <<-EOF
		  roles:
		  - name: owners
		    people: [alice@example.com, bob@example.com]
		  - name: team
		    people: [alice@example.com, bob@example.com, carol@example.com]
		  root:
		    roles: [owners]
		    threshold: 2
		  rules:
		  - paths: [".reconcile/**", "apps/critical/**"]
		    roles: [team]
		    threshold: 2
		  - paths: ["**"]
		    roles: [team]
		  revocations:
		    asOf: "2026-01-01T00:00:00Z"
		EOF
	} >"$W/clone/.reconcile/trust.yaml"
}

# world_pin: the trust root is the trust policy of the clone, not the lists.
world_pin()
{
	WORLD_PIN="trust.policy = sha256:$(sha256sum "$W/clone/.reconcile/trust.yaml" | cut -d' ' -f1)"
}

# world_commit MESSAGE [KEY|-]: commits everything in the clone and pushes; KEY
# signs (default alice), '-' leaves it unsigned.
world_commit()
{
	git -C "$W/clone" add -A
	if [ "${2:-alice}" = - ]; then
		git -C "$W/clone" commit -q --allow-empty --no-gpg-sign -m "$1"
	else
		git -C "$W/clone" -c user.signingkey="$W/keys/${2:-alice}.pub" \
			commit -q --allow-empty -S -m "$1"
	fi || return 1
	git -C "$W/clone" push -q --force origin main
}

# --- manager and hosts --------------------------------------------------------
world_manager()
{
	mkdir -p "$W/manager/run"
	_lists="trust.allowed_signers = $W/manager/allowed_signers
	trust.revoked_keys = $W/manager/revoked_keys"
	cat >"$W/manager/reconcile.conf" <<-EOF
	repository.url = file://$W/fleet.git
	repository.id = fleet-test
	repository.ref = ${WORLD_REF:-refs/heads/main}
	${WORLD_PIN:-$_lists}
	state.dir = $W/manager/state
	run.dir = $W/manager/run
	channel.listen = $WORLD_NET.1:$WORLD_PORT
	pass.timeout_s = 60
	registry = $WORLD_REGISTRY ca=$W/registry/ca.pem
	EOF
	rec init >"$W/manager/init.log" || return 1
	world_channel
}

world_channel() # the unit that keeps the hosts connected between passes
{
	background "$W/manager/channel.log" \
		nsenter --net="/run/netns/$WORLD_TAG-lan" -- \
		"$B/bin/reconcile-channel" --socket "$W/manager/run/channel.sock" \
		--listen "$WORLD_NET.1:$WORLD_PORT" \
		--pki "$W/manager/state/channel"
	CHANNEL_PID=$BG
	wait_for 10 test -S "$W/manager/run/channel.sock"
}

agent_conf() # HOST N
{
	mkdir -p "$W/$1"
	cat >"$W/$1/agent.conf" <<-EOF
	name = $1
	state = $W/$1/state
	run = $W/$1/run
	cgroup = /reconcile-$WORLD_TAG-$1
	userns-base = $((1000000000 + $2 * 30000000))
	userns-count = 256
	registry = $WORLD_REGISTRY ca=$W/registry/ca.pem
	capacity-cpu = 8000
	capacity-memory = 8589934592
	EOF
}

agent_join() # HOST N [token options]: background join; the next pass admits it
{
	_h=$1 _n=$2
	shift 2
	agent_conf "$_h" "$_n"
	_token=$(rec host token "$_h" "$@") || return 1
	background "$W/$_h/join.log" nsenter \
		--net="/run/netns/$WORLD_TAG-$_h" -- \
		"$B/bin/reconcile-agent" --config "$W/$_h/agent.conf" join "$_token"
	eval "JOIN_$(echo "$_h" | tr - _)=$BG"
}

agent_start() # HOST
{
	background "$W/$1/agent.log" nsenter \
		--net="/run/netns/$WORLD_TAG-$1" -- \
		"$B/bin/reconcile-agent" --config "$W/$1/agent.conf"
	eval "AGENT_$(echo "$1" | tr - _)=$BG"
}

agent_pid() { eval "echo \${AGENT_$(echo "$1" | tr - _):-}"; }

agent_reset() # HOST: everything it made is gone
{
	[ -f "$W/$1/agent.conf" ] || return 0
	on "$1" "$B/bin/reconcile-agent" --config "$W/$1/agent.conf" reset \
		>"$W/$1/reset.log" 2>&1
}

world_down()
{
	for _h in $HOSTS; do
		_p=$(agent_pid "$_h")
		[ -z "$_p" ] || end_pid "$_p"
		agent_reset "$_h"
	done
	for _p in $WORLD_PIDS; do
		end_pid "$_p"
	done
	WORLD_PIDS=
	for _h in $HOSTS lan; do
		[ ! -e "/run/netns/$WORLD_TAG-$_h" ] ||
			ip netns del "$WORLD_TAG-$_h"
	done
	HOSTS=
}

# world_routes: the ways to the pods, as the operator of a network would set them
world_routes()
{
	rec host list -o json | jq -r '.[] | "\(.name) \(.podCIDR)"' |
		while read -r _h _c; do
			lan ip route replace "$_c" via "$WORLD_NET.1${_h#host-}"
		done
}

# world_up N: everything, with N hosts joined and running.
world_up()
{
	world_net "$1" && world_registry && world_certs_dir && world_repo &&
		world_manager || return 1
	for _i in $(seq 1 "$1"); do
		agent_join "host-$_i" "$_i" --ttl 600 || return 1
	done
}
