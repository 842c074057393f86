#!/bin/sh
# trust_show.t - `reconcile trust show` and `reconcile trust check` on real
# repositories and keys, without any configuration.
. "$(dirname "$0")/lib.sh"
need_program git
need_program ssh-keygen
need_program openssl
need_program jq
tmpdir
GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null HOME=$TMP
GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org
GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
export GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL HOME GIT_AUTHOR_NAME \
	GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
R=$TMP/repo
F=$R/.reconcile/trust.yaml

key()
{
	ssh-keygen -q -t "${2:-ed25519}" ${3:+-b "$3"} -N '' -C "$1" \
		-f "$TMP/$1"
}
pub()
{
	cut -d' ' -f1,2 "$TMP/$1.pub"
}
print_of()
{
	ssh-keygen -lf "$TMP/$1.pub" | cut -d' ' -f2
}
re_of()
{
	print_of "$1" | sed 's/[+]/[+]/g'
}
for k in alice bob carol ca forge beat; do key "$k"; done
key weak rsa 2048

# write_trust VERSION [ALICE'S KEYS [EXPIRES [REVOKED [MORE]]]]
write_trust()
{
	mkdir -p "$R/.reconcile"
	cat >"$F" <<EOF
apiVersion: reconcile/v1alpha1
kind: TrustPolicy
metadata: {name: trust}
spec:
  version: $1
  expires: "${3:-2099-01-01T00:00:00Z}"
  people:
  - name: alice@example.org
    keys:
    - ${2:-ssh: $(pub alice)}
  - name: bob@example.org
    keys:
    - sshCertificateAuthority: $(pub ca)
      principals: [bob]
  - name: carol@example.org
    keys:
    - ssh: $(pub carol)
      validAfter: "2001-01-01T00:00:00Z"
      validBefore: "2002-01-01T00:00:00Z"
    - ssh: $(pub bob)
      validAfter: "2098-01-01T00:00:00Z"
  roles:
  - {name: admins, people: [alice@example.org, bob@example.org]}
  root: {roles: [admins], threshold: 2}
  rules:
  - paths: [".reconcile/**"]
    roles: [admins]
    threshold: 2
  - paths: ["manifests/**", "*.md"]
    people: [carol@example.org]
    roles: [admins]
  - paths: ["prod/**"]
    people: [bob@example.org]
    require: [Touch, PIN]
  carriers:
  - name: forge
    keys: [{ssh: $(pub forge)}]
    accept: [Merge, Squash]
  freshness:
    maxAge: 48h
    keys: [{ssh: $(pub beat)}]
  revocations:
    asOf: "2026-11-28T00:00:00Z"
${4:-}
${5:-}
EOF
}
commit()
{
	git -C "$R" add -A
	git -C "$R" commit -q -m "$1"
}
# refuses NAME STATUS ERE CMD...: what is wrong is the result, so it is printed.
refuses()
{
	_name=$1 _st=$2 _re=$3
	shift 3
	run "$@"
	is "$ST" "$_st" "$_name"
	like "$OUT" "$_re" '... says why'
}
rec()
{
	"$BIN/reconcile" "$@"
}

# --- before the first commit, and without a repository
mkdir "$R"
write_trust 1
fails 'no repository' 3 'is in no git repository' \
	rec trust check --repo "$TMP"
cd "$TMP" || exit 1
succeeds 'a file alone' rec trust check "$F"
DIGEST=sha256:$(sha256sum "$F" | cut -d' ' -f1)
like "$OUT" "^trust.policy = $DIGEST\$" '... with the digest to pin'
git init -q -b main "$R"
cd "$R" || exit 1
succeeds 'a repository without a commit' rec trust check
like "$OUT" 'nothing before to compare with' '... says so'
like "$OUT" 'good: version 1, with none before' '... and that it is good'
refuses 'nothing to show yet' 4 'T180' rec trust show
commit first

# --- show
succeeds 'show' rec trust show
like "$OUT" "^trust.policy = $DIGEST\$" 'the digest of the file'
like "$OUT" '^version 1, expires 2099-01-01T00:00:00Z$' 'version and end'
like "$OUT" "ssh-ed25519 $(re_of alice)\$" 'a key by its fingerprint'
like "$OUT" "certificates of ssh-ed25519 $(re_of ca) as bob\$" \
	'an authority with its principals'
like "$OUT" "$(re_of carol), from 2001-.* until 2002-.*  OVER\$" \
	'a key that is over'
like "$OUT" "$(re_of bob), from 2098-.*  NOT YET\$" 'one that is to come'
like "$OUT" '^  admins: alice@example.org, bob@example.org$' 'roles'
like "$OUT" '^  \.reconcile/trust\.yaml +2 of admins$' 'the root'
like "$OUT" '^  \.reconcile/\*\* +2 of admins$' 'a rule'
like "$OUT" '^  \*\.md +1 of admins, carol@example.org$' 'each of its paths'
like "$OUT" '^  prod/\*\* +1 of bob@example.org  by hardware key, touched, with PIN$' \
	'what it requires'
like "$OUT" '^  anything else +nobody$' 'deny by default'
like "$OUT" '^  forge: merges, squashed commits$' 'carriers'
like "$OUT" 'at most 48h old; only to say so:' 'freshness'
like "$OUT" '^revoked, as of 2026-11-28T00:00:00Z$' 'revocations'
succeeds 'show as JSON' rec trust show HEAD -o json
printf '%s' "$OUT" >"$TMP/json"
is "$(jq -r .digest "$TMP/json")" "$DIGEST" 'JSON has the digest'
is "$(jq -r .format "$TMP/json")" reconcile.trust/v1 'and its format'
is "$(jq -r '.keys[] | select(.owner == "forge") | .use + " " + .fingerprint' \
	"$TMP/json")" "carrier $(print_of forge)" 'keys'
is "$(jq -r '.policy.spec.rules[1].threshold' "$TMP/json")" 1 \
	'and the policy with its defaults'
fails 'an unknown format' 3 'want --output text or json' \
	rec trust show -o yaml
refuses 'an unknown revision' 4 'T180' rec trust show nowhere
fails 'a revision that is an option' 3 'unknown' rec trust show --nowhere
refuses 'a revision with blanks' 4 'want a name, an id' rec trust show 'a b'

# --- check: what follows
succeeds 'unchanged' rec trust check
like "$OUT" 'good: version 1, as before' '... says so'
write_trust 3
refuses 'A29 a version too far' 3 \
	'^\.reconcile/trust\.yaml:5:12: error T186: want version 2, have 3' \
	rec trust check
write_trust 1 '' 2098-01-01T00:00:00Z
refuses 'A29 changed under the same version' 3 'T186: want version 2, have 1' \
	rec trust check
write_trust 2
succeeds 'one more' rec trust check
like "$OUT" 'good: version 2 follows' '... follows'
commit second
succeeds 'a revision follows its parent' rec trust check HEAD
like "$OUT" 'good: version 2 follows' '... says so'
write_trust 1
commit 'back again'
refuses 'A29 an older one' 3 'T186: want version 3, have 1' rec trust check HEAD
succeeds 'the first has none before' rec trust check HEAD~2
like "$OUT" 'with none before' '... says so'
rm "$F"
commit 'none at all'
refuses 'a revision without one' 3 'T193.*no such plain file' \
	rec trust check HEAD
refuses 'nothing to show there' 3 'T193' rec trust show HEAD
ln -s /etc/passwd "$F"
commit 'a link'
refuses 'A39 a link is no trust policy' 3 'T193.*no such plain file' \
	rec trust show HEAD
rm "$F"
printf 'kind: nonsense\n' >"$F"
commit 'broken'
refuses 'one that does not decode' 3 'M101' rec trust show
write_trust 1
succeeds 'one after it that does' rec trust check
like "$OUT" 'warning T182: the one before does not decode' '... with a warning'

# --- check: everything that is wrong, at once
write_trust 1 "ssh: $(pub weak)
    - ssh: $(pub forge)" '' '    krl: QUJD'
refuses 'faults of keys' 3 'error T184: want RSA of 3072' rec trust check
like "$OUT" 'trust.yaml:[0-9]+:[0-9]+: error T185: SHA256:.* is a key of' 'one of two owners'
like "$OUT" 'trust.yaml:[0-9]+:[0-9]+: error T162: revocations.krl' 'a KRL that is none'
write_trust 1 '' 'tomorrow' '' '  extra: 1'
sed -i 's/roles: \[admins\]/roles: [admin]/; s/require:/requires:/' "$F"
refuses 'faults of fields' 3 'M210: /spec/expires: want a time in UTC' \
	rec trust check
like "$OUT" "M201: /spec/extra: unknown field 'extra'" 'an unknown field'
like "$OUT" "did you mean 'require'" 'a slip of the pen'
like "$OUT" "'admin' is not in spec.roles \\(fix: did you mean 'admins'" \
	'a role that is not there'
refuses 'the same as JSON' 3 '"acceptable":false' rec trust check -o json
printf '%s' "$OUT" | jq -e '.diagnostics | length > 5' >"$TMP/n"
is "$(cat "$TMP/n")" true 'with all of them'
write_trust 1 '' '' "    keys: [{fingerprint: \"$(print_of carol)\", reason: \"::error::lost\"}]"
succeeds 'A4 a revoked key in the list is warned of' rec trust check
like "$OUT" 'warning T122: this key of carol@example.org is revoked' '... so'
commit 'revoked'
succeeds 'show what is revoked' rec trust show
like "$OUT" "$(re_of carol), .*REVOKED\$" 'the key'
like "$OUT" "^  $(re_of carol)  :.x3aerror::lost\$" 'the reason, as no command of a CI runner (A100)'
write_trust 1 '' '' "    keys: [{fingerprint: \"$(print_of alice)\"}]"
refuses 'A4 a root that nobody could meet' 3 \
	'T187: root: want 2 people whose keys are not revoked, have 1' \
	rec trust check
write_trust 2 '' 2001-01-01T00:00:00Z
succeeds 'an end that has passed is no fault of the text' rec trust check
commit 'over'
succeeds 'show it' rec trust show
like "$OUT" 'expires 2001-01-01T00:00:00Z  EXPIRED' '... as over'

# --- what would cost hours to compare is refused in seconds
write_trust 2
awk '/^  rules:/ {
	print
	while (length(a) < 1500) a = a "a"
	for (i = 0; i < 1500; i++)
		print "  - {paths: [\"*" a i "b\"], roles: [admins]}"
	next
} { print }' "$F" >"$TMP/many"
refuses 'patterns that nobody could compare' 3 'M216: /spec/rules: want patterns' \
	timeout 30 "$BIN/reconcile" trust check "$TMP/many"

# --- pins of X.509
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$TMP/x.key" -out "$TMP/x.pem" -days 3650 -subj /CN=ca \
	-addext basicConstraints=critical,CA:TRUE \
	-addext keyUsage=critical,keyCertSign 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$TMP/y.key" -out "$TMP/y.pem" -days 3650 -subj /CN=leaf \
	-addext basicConstraints=critical,CA:FALSE 2>/dev/null
x509()
{
	printf 'x509:\n        identity: email:alice@example.org\n'
	printf '        issuer: https://accounts.example.org\n'
	printf '        authority: |\n'
	sed 's/^/          /' "$1"
}
write_trust 3 "$(x509 "$TMP/x.pem")"
succeeds 'A17 an authority that is pinned' rec trust check "$F" --repo "$R"
commit 'x509'
succeeds 'show it' rec trust show
like "$OUT" 'x509 email:alice@example.org issued by https://accounts' \
	'by its identity and issuer'
write_trust 1 "$(x509 "$TMP/y.pem")"
refuses 'A17 a certificate that is no authority' 3 'T184: authority: want basicConstraints CA:TRUE' \
	rec trust check

# --- the example works
cd "$TMP" || exit 1
succeeds 'examples/trust is good' rec trust check "$TOP/examples/trust/trust.yaml"
like "$OUT" '^good: version 1' '... says so'

# --- of what a manager accepted
R=$TMP/fleet
F=$R/.reconcile/trust.yaml
git init -q -b main "$R"
write_trust 1 '' '' '' '' && sed -i 's/threshold: 2/threshold: 1/' "$F"
printf '%s\n' 'apiVersion: reconcile/v1alpha1' 'kind: ClusterPolicy' \
	'metadata: {name: policy}' 'spec:' '  repository:' \
	'    {id: fleet-test, ref: refs/heads/main}' >"$R/.reconcile/policy.yaml"
git -C "$R" config gpg.format ssh
git -C "$R" config user.signingKey "$TMP/alice.pub"
git -C "$R" config commit.gpgSign true
cat >"$TMP/conf" <<EOF
repository.url = file://$R
repository.id = fleet-test
trust.policy = sha256:$(sha256sum "$F" | cut -d' ' -f1)
state.dir = $TMP/state
run.dir = $TMP/run
channel.listen = 127.0.0.1:7999
EOF
commit first
cd "$TMP" || exit 1
succeeds 'a manager' rec --config "$TMP/conf" init
fails 'nothing accepted yet' 3 'nothing was accepted yet' \
	rec --config "$TMP/conf" trust show
succeeds 'a pass' rec --config "$TMP/conf"
write_trust 2 && sed -i 's/threshold: 2/threshold: 1/; s/48h/49h/' "$F"
commit second
succeeds 'what it accepted, not what came since' \
	rec --config "$TMP/conf" trust show
like "$OUT" '^version 1,' '... is in force'
like "$OUT" 'at most 48h old' '... and shown'
succeeds 'another pass' rec --config "$TMP/conf"
succeeds 'the next version' rec --config "$TMP/conf" trust show
like "$OUT" '^version 2,' '... is in force then'
finish
