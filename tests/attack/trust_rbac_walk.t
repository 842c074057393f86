#!/bin/sh
# trust_rbac_walk.t - roles: random changes by random people (T10, K25).  What a
# step is worth must not depend on where one stopped before: read anew from the
# step before it, or followed file by file from the beginning.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
. "$(dirname "$0")/people_lib.sh"
. "$(dirname "$0")/rbac_lib.sh"
rbac_setup
M=$R/manifests
SEED=${WALK_SEED:-20261128}
STEPS=${WALK_STEPS:-60}
echo "# WALK_SEED=$SEED"

next() # N: sets RND below N
{
	SEED=$(((SEED * 1103515245 + 12345) & 2147483647))
	RND=$(((SEED >> 8) % $1))
}
pick() # WORD...: sets IT
{
	next $#
	shift "$RND"
	IT=$1
}

mutate()
{
	pick a b
	_ns=$IT
	# shellcheck disable=SC2086
	pick $KINDS
	_k=$IT
	next 10
	case $RND in
	0 | 1) object "$_k" "$_ns" old "$1" >"$M/$_ns/$_k.yaml" ;;
	2) object "$_k" "$_ns" "n$1" 1 >"$M/$_ns/n$1.yaml" ;;
	3) rm -f "$M/$_ns/$_k.yaml" ;;
	4)
		[ ! -e "$M/$_ns/$_k.yaml" ] ||
			mv "$M/$_ns/$_k.yaml" "$M/$_ns/moved-$1.yaml"
		;;
	5)
		pick a b
		object "$_k" "$_ns" old "$1" >"$M/$IT/x$1.yaml"
		rm -f "$M/$_ns/$_k.yaml"
		;;
	6)
		pick 'create - configmaps' '* * *' 'update - secrets'
		role Role "r$1" "$_ns" "$IT" >"$M/$_ns/r$1.yaml"
		;;
	7)
		pick 'ClusterRole admin' 'Role erin' 'ClusterRole nothing'
		# shellcheck disable=SC2086
		binding "b$1" "$_ns" $IT "User $WHO@example.org" \
			>"$M/$_ns/b$1.yaml"
		;;
	8) echo 'broken: [' >"$M/$_ns/broken.yaml" ;;
	9)
		rm -f "$M/a/broken.yaml" "$M/b/broken.yaml"
		sed -i "/defaultNamespace/d; s/manifestsPath: .*/&\\n  defaultNamespace: $_ns/" \
			"$R/.reconcile/policy.yaml"
		;;
	esac
}

verdict() # ACCEPTED-BEFORE: sets TRUST to yes or no
{
	# shellcheck disable=SC2086
	ask_verify "$R" "$TIP" accepted="$1" $FIRST
	TRUST=yes
	case $OUT in
	'verdict REFUSED_TRUST'*) TRUST=no ;;
	'verdict '*) ;;
	*) TRUST=broken ;;
	esac
}

good=0 bad=0 differ=
I=0
while [ "$I" -lt "$STEPS" ]; do
	I=$((I + 1))
	PARENT=$(head_of "$R")
	# shellcheck disable=SC2086
	pick alice alice carol dave erin $PEOPLE
	WHO=$IT
	mutate "$I"
	as "$WHO" "$R"
	TIP=$(head_of "$R")
	verdict "$PARENT"
	ANEW=$TRUST
	verdict "$BASE"
	[ "$ANEW" = "$TRUST" ] || differ="$differ step $I by $WHO: $ANEW, $TRUST
$OUT
"
	if [ "$ANEW" = yes ]; then
		good=$((good + 1))
	else
		bad=$((bad + 1))
		git -C "$R" reset -q --hard "$PARENT"
	fi
done
is "$differ" '' 'T10 each step is worth the same wherever one stopped before'
echo "# $good steps were good, $bad were not"
if [ "$good" -ge $((STEPS / 5)) ] && [ "$bad" -ge $((STEPS / 5)) ]; then
	ok 'K25 the walk had good steps and others'
else
	not_ok 'K25 the walk had good steps and others' "$good and $bad"
fi
finish
