#!/bin/sh
# trust_escalation.t - roles: nobody gets what they do not hold, by no detour
# (threats K25, T01), with real git and ssh-keygen.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
. "$(dirname "$0")/people_lib.sh"
. "$(dirname "$0")/rbac_lib.sh"
rbac_setup
M=$R/manifests

# --- by a role
role Role more a 'create - configmaps' >"$M/a/more.yaml"
may erin 'K25 a role of what one holds may be made'
role Role more a 'create - secrets' >"$M/a/more.yaml"
may_not erin T154 'may not give what they do not hold: create secrets in namespace a' \
	'K25 a role of more may not'
role Role more a 'get - pods/log' >"$M/a/more.yaml"
may_not erin T154 'give what they do not hold: get pods/log' \
	'K25 ... nor one that reads more'
sed -i 's/name: erin, namespace: a}/&/; /name: erin,/,/---/s/"configmaps"/"*"/' \
	"$M/roles.yaml"
may_not erin T154 'give what they do not hold: create \* in namespace a' \
	'K25 ones own role may not be widened'
sed -i '/name: erin,/,/---/s/"create","update","delete"\], apiGroups: \[""/"create"], apiGroups: [""/' \
	"$M/roles.yaml"
may erin 'K25 ... it may be narrowed'
role ClusterRole more '' 'create - configmaps' >"$M/a/more.yaml"
may_not cleo T154 'give what they do not hold: create configmaps in the cluster' \
	'K25 a ClusterRole of what one does not hold'

# --- by a binding
binding more a ClusterRole admin 'User erin@example.org' >"$M/a/more.yaml"
may_not erin T154 'give what they do not hold: \* \*\.\* in namespace a' \
	'K25 to bind a role one must hold it'
binding more a Role named 'User bob@example.org' >"$M/a/more.yaml"
may erin 'K25 ... what one holds may be given'
sed -i '/name: erin, namespace: a}/,/---/s/roleRef: .*/roleRef: {kind: ClusterRole, name: admin}/' \
	"$M/roles.yaml"
may_not erin T154 'give what they do not hold' \
	'K25 ones own binding may not name another role'
sed -i '/name: frank, namespace: a}/,/---/s/User/Group/; /name: carol, namespace: a}/,/---/s/carol@example/erin@example/' \
	"$M/roles.yaml"
may_not erin T154 'give what they do not hold' \
	'K25 nor may one step into the binding of somebody else'
binding more '' ClusterRole admin 'User cleo@example.org' >"$M/more.yaml"
may_not cleo T154 'give what they do not hold: \* \*\.\* in the cluster' \
	'K25 ... in the cluster'
binding more a ClusterRole admin 'User dave@example.org' >"$M/a/more.yaml"
may carol 'K25 the administrator of a namespace may share it'
binding more b ClusterRole admin 'User carol@example.org' >"$M/a/more.yaml"
may_not carol T154 'may not create rolebindings.* in namespace b' \
	'T01 ... not another'

# --- by both at once, or one after the other
{
	role Role more a 'create - secrets'
	binding more a Role more 'User erin@example.org'
} >"$M/a/more.yaml"
may_not erin T154 'give what they do not hold: create secrets' \
	'K25 role and binding in one commit'
role Role more a 'create - configmaps' >"$M/a/bound.yaml"
binding more a Role more 'User bob@example.org' >"$M/a/binding.yaml"
as erin "$R"
role Role more a '* - *' >"$M/a/bound.yaml"
may_not erin T154 'give what they do not hold: \* \* in namespace a' \
	'K25 a role that is bound may not be widened afterwards'
{
	role Role more a 'create - secrets'
	binding more a Role more 'User erin@example.org'
} >"$M/a/more.yaml"
as alice "$R"
object Secret a new 1 >"$M/a/new.yaml"
may erin 'roles count from the step after the one that makes them'
{
	role Role more a 'create - secrets'
	binding more a Role more 'User bob@example.org'
} >"$M/a/more.yaml"
object Secret a new 1 >"$M/a/new.yaml"
may carol '(the same commit by somebody who may do all of it)'
{
	role Role more a 'create - configmaps'
	binding more a Role more 'User bob@example.org'
} >"$M/a/more.yaml"
object Secret a new 1 >"$M/a/new.yaml"
may_not erin T154 'may not create secrets in namespace a, name new' \
	'K25 what a commit grants it cannot use itself'
role Role more a '* - *' >"$M/a/more.yaml"
as erin "$R"
rm "$M/a/more.yaml"
may_not erin T154 'give what they do not hold' \
	'K25 an escalation that is taken back is refused all the same'

# --- by roles that sum up others
printf 'apiVersion: %s/v1\nkind: ClusterRole\nmetadata: {name: more}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {any: x}}]}\n' \
	"$RBAC" >"$M/more.yaml"
may_not cleo T154 'write an aggregationRule without the right to \* \*\.\*' \
	'K25 to say what is summed up takes everything'
role ClusterRole more '' 'create - secrets' |
	sed 's/name: more/&, labels: {sum: x}/' >"$M/more.yaml"
may_not cleo T154 'give what they do not hold: create secrets in the cluster' \
	'K25 to be summed up takes what is given'
role ClusterRole more '' "update $RBAC clusterroles" |
	sed 's/name: more/&, labels: {sum: x}/' >"$M/more.yaml"
may cleo 'K25 ... what one holds may be given to all of the sum'
sed -i 's/metadata: {name: admin}/metadata: {name: admin, labels: {sum: x}}/' \
	"$M/roles.yaml"
may_not cleo T154 'give what they do not hold: \* \*\.\*' \
	'K25 a label that adds a strong role to the sum'
role ClusterRole strong '' '* * *' |
	sed 's/name: strong/&, labels: {sum: x}/' >"$M/more.yaml"
as alice "$R"
object ConfigMap b new 1 >"$M/b/new.yaml"
may bob 'K25 ... by somebody who holds it: then all of the sum hold it'

# --- by another file, folder or namespace
git -C "$R" mv manifests/b/ConfigMap.yaml manifests/a/moved.yaml
may carol 'T01 an object that moves unchanged is not changed'
git -C "$R" mv manifests/b/ConfigMap.yaml manifests/a/moved.yaml
object ConfigMap b old 2 >"$M/a/moved.yaml"
may_not carol T154 'may not update configmaps in namespace b, name old' \
	'T01 one that moves and changes is'
git -C "$R" mv manifests/b/ConfigMap.yaml manifests/a/moved.yaml
object ConfigMap a moved 1 >"$M/a/moved.yaml"
may_not carol T154 'may not delete configmaps in namespace b, name old' \
	'T01 to take one into the own namespace deletes it in the other'
sed -i 's/namespace: a/namespace: b/; s/name: old/name: mine/' \
	"$M/a/ConfigMap.yaml"
may_not carol T154 'may not (create|delete) configmaps in namespace b, name mine' \
	'T01 to push one into the other makes it there'
{
	object ConfigMap a old 1
	echo ---
	object ConfigMap b new 1
} >"$M/a/ConfigMap.yaml"
may_not carol T154 'may not create configmaps in namespace b, name new' \
	'T01 one more document in the own file'
cat "$M/roles.yaml" >"$M/a/roles.yaml"
rm "$M/roles.yaml"
may bob 'T01 even all roles may move, unchanged'

# --- by the policy of the repository
mkdir -p "$R/other"
binding pia2 '' ClusterRole admin 'User pia@example.org' >"$R/other/x.yaml"
as pia "$R"
# shellcheck disable=SC2086
accepts 'what is not among the manifests is not an object' "$R" \
	"$(head_of "$R")" accepted="$BASE" $FIRST
sed -i 's/manifestsPath: manifests/manifestsPath: other/' \
	"$R/.reconcile/policy.yaml"
may_not pia T154 'may not (create|delete) ' \
	'K25 another manifestsPath makes and deletes objects'
sed -i 's/  manifestsPath: manifests/&\n  defaultNamespace: a/' \
	"$R/.reconcile/policy.yaml"
may_not pia T154 'may not (create configmaps in namespace a|delete configmaps in namespace default), name plain' \
	'K25 another defaultNamespace moves objects'
sed -i 's/requireDigest: false/requireDigest: false\n  maxDeletePercent: 100/' \
	"$R/.reconcile/policy.yaml"
may pia 'K25 ... other rules are the policy alone'
sed -i 's/requireDigest: false/nonsense/' "$R/.reconcile/policy.yaml"
may_not pia T155 'rules.2.: .*policy.yaml.* cannot be read' \
	'K25 a policy that does not decode takes everything'

# --- by what is deleted
split() # NAME: drops the binding of that name
{
	awk -v n="metadata: {name: $1[,}]" 'BEGIN { RS = "---\n"; ORS = RS }
		!($0 ~ n && /RoleBinding/)' \
		"$M/roles.yaml" >"$TMP/roles"
	cp "$TMP/roles" "$M/roles.yaml"
}
split carol
may_not frank T154 'may not delete rolebindings.* in namespace a, name carol' \
	'K25 the binding of others may not be deleted'
split carol
may erin 'K25 ... but by whom roles let delete bindings, as in Kubernetes'
split team-b
may_not carol T154 'may not delete rolebindings.* in namespace b, name team-b' \
	'T01 ... in their namespace'

# --- by what is referred to
object Secret b only-b 1 >"$M/b/only.yaml"
as alice "$R"
object Pod a thief 1 | sed 's/image: [^}]*/&, envFrom: [{secretRef: {name: only-b}}]/' \
	>"$M/a/thief.yaml"
may_not carol M301 'names Secret only-b, which is not in the commit' \
	'K25 A65 a pod cannot name the Secret of another namespace'

# --- by what cannot be read
echo 'kind: [' >"$M/a/broken.yaml"
may_not erin T155 'cannot be read .*M004' \
	'K25 a manifest that does not decode takes everything'
echo 'kind: [' >"$M/a/ConfigMap.yaml"
as alice "$R"
object ConfigMap a old 1 >"$M/a/ConfigMap.yaml"
may_not carol T155 'cannot be read' 'K25 ... to mend it too'
echo 'kind: [' >"$M/a/ConfigMap.yaml"
as alice "$R"
object ConfigMap a old 1 >"$M/a/ConfigMap.yaml"
may alice 'K25 ... who may do everything may'
echo 'kind: [' >>"$M/roles.yaml"
as alice "$R"
object ConfigMap b old 2 >"$M/b/ConfigMap.yaml"
may_not dave T154 'may not update configmaps in namespace b' \
	'K25 roles in a file that does not decode are not in force'

# --- who else vouches
object ConfigMap a old 2 >"$M/a/ConfigMap.yaml"
as bob "$R"
ONE=$(head_of "$R")
approve carol "$R" "$BASE" "$ONE"
may bob 'T10 an approval counts by the roles of who approves'
object ConfigMap a old 2 >"$M/a/ConfigMap.yaml"
as bob "$R"
approve dave "$R" "$BASE" HEAD
may_not bob T154 'may not update configmaps in namespace a' \
	'T10 ... and not without'
object ConfigMap a old 2 >"$M/a/ConfigMap.yaml"
as bob "$R"
object Secret a old 2 >"$M/a/Secret.yaml"
as bob "$R"
approve carol "$R" "$BASE" HEAD
may bob 'T10 several steps joined by one approval, by the roles before them'
git -C "$R" checkout -q -b side
object ConfigMap a old 2 >"$M/a/ConfigMap.yaml"
as carol "$R"
git -C "$R" checkout -q main
object ConfigMap b old 2 >"$M/b/ConfigMap.yaml"
as dave "$R"
git -C "$R" -c user.signingKey="$TMP/bob" merge -q --no-ff -S -m merge side
# shellcheck disable=SC2086
accepts 'T10 a merge: each commit by the roles of its signer' "$R" \
	"$(head_of "$R")" accepted="$BASE" $FIRST
back
git -C "$R" branch -q -D side

# --- the way through broken glass, and where roles begin
split root
as alice "$R"
LOCKED=$(head_of "$R")
object ConfigMap b old 2 >"$M/b/ConfigMap.yaml"
may_not alice T154 'may not update configmaps in namespace b' \
	'K25 who gives the last role away has none'
git -C "$R" reset -q --hard "$LOCKED"
write_rbac "$R" 2 's/authorization: RBAC/authorization: Paths/'
as alice "$R"
object ConfigMap b old 2 >"$M/b/ConfigMap.yaml"
as alice "$R"
# shellcheck disable=SC2086
accepts 'K25 root mends it, by its threshold and the trust policy alone' "$R" \
	"$(head_of "$R")" accepted="$BASE" $FIRST
like "$OUT" '^diag T156 .*bind nobody' 'T156 roles that are not in force are told'
write_rbac "$R" 3
as alice "$R"
PATHS=$(head_of "$R")
object ConfigMap a old 3 >"$M/a/ConfigMap.yaml"
as dave "$R"
# shellcheck disable=SC2086
refuses 'roles count from the step after the one that turns them on' T154 \
	'dave@example.org may not update configmaps in namespace a' "$R" \
	"$(head_of "$R")" accepted="$PATHS" $FIRST
back
binding typo a Role named 'User nobody@example.org' 'Group web' \
	>"$M/a/typo.yaml"
may carol 'a subject that nobody is'
like "$OUT" '^diag T157 .*User nobody@example.org: the trust policy has no such person' \
	'T157 ... is told'
like "$OUT" '^diag T157 .*Group web: the trust policy has no such role' \
	'T157 ... groups too'
finish
