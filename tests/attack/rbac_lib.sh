# rbac_lib.sh - helpers of the suites about roles.  Source trust_lib.sh and
# people_lib.sh first; then call rbac_setup.
#
#   alice  everything, by a ClusterRoleBinding to the group admins; root
#   carol  everything in namespace a, by a RoleBinding to a ClusterRole
#   dave   everything in namespace b, by a Role and the group team-b
#   erin   writes roles and bindings in a, and ConfigMaps
#   cleo   writes ClusterRoles and their bindings, and nothing else
#   frank  ConfigMap "named" in a, by resourceNames; has a hardware key too
#   pia    the policy of the repository
#   bob    nothing
# Rules of paths let each of them change everything: only roles stop them.

PEOPLE='alice bob carol dave erin cleo frank pia'
RBAC=rbac.authorization.k8s.io

# write_rbac DIR VERSION [SED]
write_rbac()
{
	mkdir -p "$1/.reconcile"
	{
		cat <<END
apiVersion: reconcile/v1alpha1
kind: TrustPolicy
metadata: {name: trust}
spec:
  version: $2
  expires: "2099-01-01T00:00:00Z"
  authorization: RBAC
  people:
END
		for _p in $PEOPLE; do
			printf '  - name: %s@example.org\n    keys:\n' "$_p"
			printf '    - ssh: %s\n' "$(pub "$_p")"
			[ ! -e "$TMP/$_p-2.pub" ] ||
				printf '    - ssh: %s\n' "$(pub "$_p-2")"
		done
		cat <<END
  roles:
  - {name: all, people: [alice@example.org, bob@example.org, carol@example.org,
      dave@example.org, erin@example.org, cleo@example.org, frank@example.org,
      pia@example.org]}
  - {name: admins, people: [alice@example.org]}
  - {name: team-b, people: [dave@example.org]}
  - {name: cluster-admins, people: [bob@example.org]}
  root: {roles: [admins]}
  rules:
  - {paths: ["manifests/a/hw/**"], roles: [all], require: [Touch]}
  - {paths: ["manifests/a/two/**"], roles: [all], threshold: 2}
  - {paths: ["**"], roles: [all]}
  revocations: {asOf: "2026-11-28T00:00:00Z"}
END
	} | sed "${3:-}" >"$1/.reconcile/trust.yaml"
}

# role KIND NAME NAMESPACE RULE...; a RULE is "VERBS GROUPS RESOURCES [NAMES]",
# lists with commas; NAMESPACE "": of the cluster.
role()
{
	printf 'apiVersion: %s/v1\nkind: %s\nmetadata: {name: %s%s}\nrules:\n' \
		"$RBAC" "$1" "$2" "${3:+, namespace: $3}"
	shift 3
	[ $# -gt 0 ] || echo '  []'
	set -f
	for _r; do
		# shellcheck disable=SC2086 # words are wanted
		set -- $_r
		printf -- '- {verbs: [%s], apiGroups: [%s], resources: [%s]%s}\n' \
			"$(quoted "$1")" "$(quoted "$2")" "$(quoted "$3")" \
			"${4:+, resourceNames: [$4]}"
	done
	set +f
	echo ---
}

# a,b -> "a","b"; "-" is the group without a name.
quoted()
{
	printf '"%s"' "$1" | sed 's/,/","/g; s/"-"/""/g'
}

# binding NAME NAMESPACE ROLE-KIND ROLE SUBJECT...; a SUBJECT is "User NAME".
binding()
{
	printf 'apiVersion: %s/v1\nkind: %s\nmetadata: {name: %s%s}\n' "$RBAC" \
		"$([ -n "$2" ] && echo RoleBinding || echo ClusterRoleBinding)" \
		"$1" "${2:+, namespace: $2}"
	printf 'roleRef: {kind: %s, name: %s}\nsubjects:\n' "$3" "$4"
	shift 4
	for _s; do
		printf -- '- {kind: %s, name: "%s"}\n' "${_s%% *}" "${_s#* }"
	done
	echo ---
}

# object KIND NAMESPACE NAME VALUE: one of each kind, VALUE makes it another.
object()
{
	_meta="metadata: {name: $3${2:+, namespace: $2}, labels: {v: v$4}}"
	_pod="{containers: [{name: c, image: registry.example/c:$4}]}"
	_tmpl="{metadata: {labels: {app: $3-$1}}, spec: $_pod}"
	case $1 in
	Namespace) printf 'apiVersion: v1\nkind: Namespace\n%s\n' "$_meta" ;;
	ConfigMap) printf 'apiVersion: v1\nkind: ConfigMap\n%s\n' "$_meta" ;;
	Secret) printf 'apiVersion: v1\nkind: Secret\n%s\n' "$_meta" ;;
	Service)
		printf 'apiVersion: v1\nkind: Service\n%s\n' "$_meta"
		echo "spec: {selector: {app: $3}, ports: [{port: 80}]}"
		;;
	Pod) printf 'apiVersion: v1\nkind: Pod\n%s\nspec: %s\n' "$_meta" "$_pod" ;;
	Deployment | DaemonSet)
		printf 'apiVersion: apps/v1\nkind: %s\n%s\n' "$1" "$_meta"
		echo "spec: {selector: {matchLabels: {app: $3-$1}}, template: $_tmpl}"
		;;
	Job)
		printf 'apiVersion: batch/v1\nkind: Job\n%s\n' "$_meta"
		echo "spec: {template: {spec: {restartPolicy: Never, ${_pod#\{}}}"
		;;
	Role | ClusterRole)
		printf 'apiVersion: %s/v1\nkind: %s\n%s\nrules: []\n' \
			"$RBAC" "$1" "$_meta"
		;;
	RoleBinding | ClusterRoleBinding)
		printf 'apiVersion: %s/v1\nkind: %s\n%s\n' "$RBAC" "$1" "$_meta"
		echo 'roleRef: {kind: ClusterRole, name: nothing}'
		;;
	esac
}

KINDS='ConfigMap Secret Service Pod Deployment DaemonSet Job Role RoleBinding'
WIDE='ClusterRole ClusterRoleBinding'

# resource KIND: as a refusal names it.
resource()
{
	_name=$(echo "$1" | tr '[:upper:]' '[:lower:]')s
	case $1 in
	Deployment | DaemonSet) echo "$_name.apps" ;;
	Job) echo "$_name.batch" ;;
	*Role*) echo "$_name.$RBAC" ;;
	*) echo "$_name" ;;
	esac
}

write_roles()
{
	role ClusterRole admin '' '* * *'
	role ClusterRole nothing ''
	role ClusterRole wide '' \
		"create,update,delete $RBAC clusterroles,clusterrolebindings"
	role Role team-b b '* * *'
	role Role erin a "create,update,delete $RBAC roles,rolebindings" \
		'create,update,delete - configmaps'
	role Role named a 'create,update,delete - configmaps named'
	role ClusterRole policy '' 'update reconcile clusterpolicies'
	binding pia '' ClusterRole policy 'User pia@example.org'
	printf 'apiVersion: %s/v1\nkind: ClusterRole\n' "$RBAC"
	printf 'metadata: {name: sum}\naggregationRule: '
	printf '{clusterRoleSelectors: [{matchLabels: {sum: x}}]}\n---\n'
	binding sum '' ClusterRole sum 'Group all'
	binding root '' ClusterRole admin 'Group admins'
	binding cleo '' ClusterRole wide 'User cleo@example.org'
	binding carol a ClusterRole admin 'User carol@example.org'
	binding team-b b Role team-b 'Group team-b'
	binding erin a Role erin 'User erin@example.org'
	binding frank a Role named 'User frank@example.org'
}

# new_rbac_repo DIR: one of each kind in each namespace, a file each.
new_rbac_repo()
{
	git init -q -b main "$1"
	git -C "$1" config gpg.format ssh
	write_policy "$1" '' '' '  secrets: {allowPlain: true}'
	write_rbac "$1" 1
	mkdir -p "$1/manifests/a/hw" "$1/manifests/b"
	write_roles >"$1/manifests/roles.yaml"
	for _ns in a b; do
		object Namespace '' $_ns 1 >"$1/manifests/$_ns/ns.yaml"
		for _k in $KINDS; do
			object "$_k" $_ns old 1 >"$1/manifests/$_ns/$_k.yaml"
		done
	done
	object ConfigMap a named 1 >"$1/manifests/a/named.yaml"
	object ConfigMap '' plain 1 >"$1/manifests/plain.yaml"
	as alice "$1"
}

rbac_setup()
{
	trust_setup
	for _k in bob carol dave erin cleo frank pia mallory; do
		make_key "$_k"
	done
	make_key carol-2 ecdsa
	forge_key sk-ed25519 frank-2
	R=$TMP/repo
	new_rbac_repo "$R"
	BASE=$(head_of "$R")
	FIRST="signers= revoked= policy=$(trust_digest "$R")"
}

back()
{
	git -C "$R" checkout -q main
	git -C "$R" reset -q --hard "$BASE"
	git -C "$R" clean -qfd
}

# may WHO NAME: what stands in the work tree, signed by WHO, is accepted; then
# the tree is as before.  may_not WHO CODE ERE NAME.
may()
{
	as "$1" "$R"
	# shellcheck disable=SC2086
	accepts "$2" "$R" "$(head_of "$R")" accepted="$BASE" $FIRST
	back
}
may_not()
{
	as "$1" "$R"
	# shellcheck disable=SC2086
	refuses "$4" "$2" "$3" "$R" "$(head_of "$R")" accepted="$BASE" $FIRST
	back
}
