#!/bin/sh
# trust_rbac.t - roles: who may make, change and delete which objects, with real
# git and ssh-keygen (threats T01, T02, T09, T10, K06, K25).  Each refused case
# has its allowed twin.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
. "$(dirname "$0")/people_lib.sh"
. "$(dirname "$0")/rbac_lib.sh"
rbac_setup
M=$R/manifests

# shellcheck disable=SC2086
accepts 'the first commit is judged by its own roles' "$R" "$BASE" $FIRST

# --- T01: the administrator of a namespace and the other one
# try PERSON OWN-NS NS: each verb on each kind.
try()
{
	for K in $KINDS; do
		RES=$(resource "$K")
		for VERB in create update delete; do
			case $VERB in
			create)
				NAME=new
				object "$K" "$3" new 1 >"$M/$3/new-$K.yaml"
				;;
			update)
				NAME=old
				object "$K" "$3" old 2 >"$M/$3/$K.yaml"
				;;
			delete)
				NAME=old
				rm "$M/$3/$K.yaml"
				;;
			esac
			if [ "$2" = "$3" ]; then
				may "$1" "T01 $1 may $VERB $RES in $3"
			else
				may_not "$1" T154 "$1@example.org may not $VERB $RES in namespace $3, name $NAME" \
					"T01 $1 may not $VERB $RES in $3"
			fi
		done
	done
}
try carol a a
try carol a b
try dave b b
try dave b a

# --- what belongs to the cluster
for K in $WIDE Namespace; do
	RES=$(resource "$K")
	object "$K" '' new 1 >"$M/a/new.yaml"
	may_not carol T154 "may not create $RES in the cluster, name new" \
		"T01 an administrator of a namespace may not create $RES"
done
object Namespace '' b 2 >"$M/b/ns.yaml"
may_not carol T154 'may not update namespaces in namespace b, name b' \
	'T01 ... nor change another Namespace'
object Namespace '' a 2 >"$M/a/ns.yaml"
may carol 'T10 an existing Namespace lies in itself, as in Kubernetes'
sed -i 's/requireDigest: false/requireDigest: true/' \
	"$R/.reconcile/policy.yaml"
may_not carol T154 'may not update clusterpolicies.reconcile in the cluster' \
	'T01 ... nor the policy of all'
sed -i 's/^metadata: {name: old, /&namespace: a, /; s/namespace: a, namespace/namespace/' \
	"$M/a/Role.yaml"
sed -i 's/^kind: Role$/kind: ClusterRole/' "$M/a/Role.yaml"
may_not carol T155 'may not change what cannot be read .* M203 .namespace. is not supported' \
	'K06 a kind of the cluster with a namespace is not read at all'

# --- T10: names, groups
object ConfigMap a named 2 >"$M/a/named.yaml"
may frank 'T10 resourceNames: the named one may be changed'
rm "$M/a/named.yaml"
may frank 'T10 ... and deleted'
object ConfigMap a old 2 >"$M/a/ConfigMap.yaml"
may_not frank T154 'may not update configmaps in namespace a, name old' \
	'T10 ... no other'
object ConfigMap a fresh 2 >"$M/a/fresh.yaml"
may_not frank T154 'may not create configmaps in namespace a, name fresh' \
	'T10 create cannot be limited to names'
object ConfigMap a old 2 >"$M/a/ConfigMap.yaml"
may_not bob T154 'bob@example.org may not update configmaps' \
	'K25 a group is a word: cluster-admins gives nothing by itself'
object ConfigMap a old 2 >"$M/a/ConfigMap.yaml"
as bob "$R"
# shellcheck disable=SC2086
ask_verify "$R" "$(head_of "$R")" accepted="$BASE" $FIRST
like "$OUT" 'could: alice@example.org, carol@example.org, erin@example.org;' \
	'T10 the refusal names who could by their roles'
like "$OUT" '^rule rbac [0-9a-f.]+ T154 want=1 have= could=alice@example.org,carol' \
	'T10 ... and that roles are what is missing'
back

write_rbac "$R" 2 's/cluster-admins/"system:masters"/'
may_not alice T182 'not "system:' 'K25 ... and system:masters is no group here'

# --- which files hold objects, as for what is run
for F in new.yml deep/er/new.yaml new.json; do
	mkdir -p "$(dirname "$M/a/$F")"
	case $F in
	*.json)
		printf '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new", "namespace": "a"}}' \
			>"$M/a/$F"
		;;
	*) object ConfigMap a new 1 >"$M/a/$F" ;;
	esac
	may_not bob T154 'may not create configmaps in namespace a, name new' \
		"T01 $F holds objects"
done
for F in .hidden.yaml .h/new.yaml new.YAML new.yaml.txt README.md; do
	mkdir -p "$(dirname "$M/a/$F")"
	object ConfigMap a new 1 >"$M/a/$F"
	may bob "T01 $F holds none"
done
echo 'resources: [named.yaml]' >"$M/a/kustomization.yaml"
may bob 'T01 a kustomization holds none'
ln -s named.yaml "$M/a/link.yaml"
may_not alice T170 'have a symbolic link' 'T01 a link is refused for what it is'
chmod 755 "$M/a/named.yaml"
may bob 'T01 a mode changes no object'

# --- T01: two persons, each with the roles for it
mkdir -p "$M/a/two"
object ConfigMap a pair 1 >"$M/a/two/pair.yaml"
as carol "$R"
PAIR=$(head_of "$R")
may_not carol T190 'want 2 .*have carol@example.org; could: alice@example.org, erin' \
	'T01 one of two'
as carol "$R"
# shellcheck disable=SC2086
ask_verify "$R" "$(head_of "$R")" accepted="$BASE" $FIRST
unlike "$OUT" '^rule rbac' 'T01 ... for which roles are not the reason'
git -C "$R" reset -q --hard "$PAIR"
approve bob "$R" "$BASE" "$PAIR"
may_not carol T154 'have carol@example.org; .*bob@example.org may not create' \
	'T01 the second one has no roles for it'
git -C "$R" reset -q --hard "$PAIR"
approve erin "$R" "$BASE" "$PAIR"
may carol 'T01 both have'

# --- T09: one identity, whatever the key; T02: keys of hardware
object ConfigMap a old 2 >"$M/a/ConfigMap.yaml"
may carol-2 'T09 another key of the same person has the same roles'
object ConfigMap a old 2 >"$M/a/ConfigMap.yaml"
may_not mallory T120 'SHA256:' 'T09 a key that nobody has is nobody'
hw()
{
	mkdir -p "$M/a/hw"
	rm "$M/a/named.yaml"
	object ConfigMap a named 2 >"$M/a/hw/named.yaml"
}
hw
may_not frank T190 'rules.0.: want 1 of its people for manifests/a/hw/named.yaml .touched key.' \
	'T02 a plain key where a touched one is required'
# in software: signer_program makes what a key of hardware would
signer_program git sk-ed25519 0
git -C "$R" config gpg.ssh.program "$TMP/sign-program"
hw
may_not frank-2 T119 'want the key touched' 'T02 a hardware key, not touched'
signer_program git sk-ed25519 1
hw
may frank-2 'T02 the same key, touched'
mkdir -p "$M/a/hw"
object ConfigMap a other 2 >"$M/a/hw/other.yaml"
may_not frank-2 T154 'may not create configmaps in namespace a, name other' \
	'T02 a touched key gives no roles'
git -C "$R" config --unset gpg.ssh.program
finish
