# people_lib.sh - helpers of the suites about the trust policy in git.
# Source tests/integration/lib.sh, trust_lib.sh, then this; call people_setup.

PEOPLE='alice bob carol dave'

# pub NAME: its public key, one line.
pub()
{
	cut -d' ' -f1,2 "$TMP/$1.pub"
}

# write_trust DIR VERSION [SED]: the trust policy; SED changes it.
#   alice and bob are root (both) and admins; web is alice, carol and dave.
write_trust()
{
	mkdir -p "$1/.reconcile"
	{
		cat <<END
apiVersion: reconcile/v1alpha1
kind: TrustPolicy
metadata:
  name: trust
spec:
  version: $2
  expires: "2099-01-01T00:00:00Z"
  authorization: Paths
  people:
END
		for _p in $PEOPLE; do
			cat <<END
  - name: $_p@example.org
    keys:
    - ssh: $(pub "$_p")
END
		done
		cat <<END
  roles:
  - name: admins
    people: [alice@example.org, bob@example.org]
  - name: web
    people: [alice@example.org, carol@example.org, dave@example.org]
  root:
    roles: [admins]
    threshold: 2
  rules:
  - paths: [".reconcile/**"]
    roles: [admins]
    threshold: 2
  - paths: ["manifests/two/**"]
    roles: [admins, web]
    threshold: 2
  - paths: ["manifests/**"]
    roles: [web]
  carriers:
  - name: forge
    keys:
    - ssh: $(pub forge)
    accept: [Merge, Squash]
  freshness:
    maxAge: 48h
    keys:
    - ssh: $(pub clock)
  revocations:
    asOf: "2026-11-28T00:00:00Z"
END
	} | sed "${3:-}" >"$1/.reconcile/trust.yaml"
}

trust_digest()
{
	printf 'sha256:%s' "$(sha256sum "$1/.reconcile/trust.yaml" | cut -c1-64)"
}

# as NAME DIR [COMMIT OPTION...]: commits all that changed, signed by NAME.
as()
{
	_who=$1 _dir=$2
	shift 2
	git -C "$_dir" add -A
	git -C "$_dir" -c user.signingKey="$TMP/$_who" \
		-c user.email="$_who@example.org" commit -q -S --allow-empty \
		-m "by $_who" "$@"
}

# put DIR PATH VALUE: a ConfigMap there.
put()
{
	mkdir -p "$(dirname "$1/$2")"
	cat >"$1/$2" <<END
apiVersion: v1
kind: ConfigMap
metadata:
  name: $(basename "$2" .yaml | tr / -)-$(basename "$(dirname "$2")")
data:
  value: "$3"
END
}

# content DIR REV: the tree without approvals, as git itself makes it.
content()
{
	GIT_INDEX_FILE=$TMP/content.index
	export GIT_INDEX_FILE
	rm -f "$GIT_INDEX_FILE"
	git -C "$1" read-tree "$2"
	git -C "$1" rm -rq --cached --ignore-unmatch .reconcile/approvals
	git -C "$1" write-tree
	unset GIT_INDEX_FILE
}

# statement FROM-TREE TO-TREE [ID [REF]]
statement()
{
	printf 'reconcile-approval/1\nrepository: %s\nref: %s\nfrom: %s\nto: %s\n' \
		"${3:-$REPO_ID}" "${4:-$REF}" "$1" "$2"
}

# approve NAME DIR FROM TO [NAMESPACE [ID [REF]]]: writes the file; FROM "-":
# nothing, else revisions.
approve()
{
	_to=$(content "$2" "$4")
	_from=-
	[ "$3" = - ] || _from=$(content "$2" "$3")
	mkdir -p "$2/.reconcile/approvals/$_to"
	statement "$_from" "$_to" "${6:-$REPO_ID}" "${7:-$REF}" \
		>"$TMP/statement"
	rm -f "$TMP/statement.sig"
	ssh-keygen -q -Y sign -n "${5:-reconcile-approval@v1}" -f "$TMP/$1" \
		"$TMP/statement" 2>/dev/null
	{
		cat "$TMP/statement"
		echo
		cat "$TMP/statement.sig"
	} >"$2/.reconcile/approvals/$_to/$1@example.org"
}

# new_people_repo DIR: root commit by alice, approved by bob in the second.
new_people_repo()
{
	git init -q -b main "$1"
	git -C "$1" config gpg.format ssh
	write_policy "$1"
	write_trust "$1" 1
	put "$1" manifests/config.yaml first
	put "$1" manifests/two/safe.yaml first
	as alice "$1"
	approve bob "$1" - HEAD
	as alice "$1"
}

people_setup()
{
	trust_setup
	for _k in bob carol dave mallory forge clock; do
		make_key "$_k"
	done
}
