#!/bin/sh
# trust_kinds.t - people who sign with X.509 and OpenPGP, and a forge with
# OpenPGP, in a repository with a trust policy: real git, openssl, gpg and sqv
# (A17, A18, A32).  The formats themselves: trust_x509.t, trust_openpgp.t.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
need_program openssl gpg gpgconf gpg-agent sqv
trust_setup
make_key bob
GNUPGHOME=$TMP/gnupg
export GNUPGHOME
mkdir -m 700 "$GNUPGHOME"
stop_agent() { gpgconf --kill all; }
at_exit stop_agent
g() { gpg --batch --quiet --no-permission-warning --passphrase '' "$@" 2>>"$TMP/gpg.log"; }

# --- xavier has a certificate, petra and the forge have OpenPGP
(
	cd "$TMP" || exit 1
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout ca.key -out ca.pem -subj /CN=ca -days 30 \
		-addext keyUsage=critical,keyCertSign
	for n in xavier zoe; do
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
			-keyout $n.key -out $n.csr -subj /CN=$n
		cat >$n.ext <<-EOF
			subjectAltName=email:$n@example.org
			extendedKeyUsage=emailProtection
			keyUsage=critical,digitalSignature
			basicConstraints=CA:FALSE
			subjectKeyIdentifier=hash
			authorityKeyIdentifier=keyid
		EOF
		openssl x509 -req -in $n.csr -CA ca.pem -CAkey ca.key \
			-CAcreateserial -days 20 -extfile $n.ext -out $n.pem
	done
) 2>"$TMP/openssl.log"
for n in petra forge mallory; do
	g --quick-gen-key "$n <$n@example.org>" ed25519 sign never
	g --armor --export "<$n@example.org>" >"$TMP/$n.asc"
	g --with-colons --list-keys "<$n@example.org>" |
		awk -F: '/^fpr/ { print $10; exit }' >"$TMP/$n.fpr"
done
cat >"$TMP/sign-x509" <<-EOF
	#!/bin/sh
	for W; do :; done
	openssl cms -sign -binary -outform PEM -signer "$TMP/\$W.pem" \
		-inkey "$TMP/\$W.key" | sed 's/ CMS-/ SIGNED MESSAGE-/'
	echo '[GNUPG:] SIG_CREATED ' >&2
EOF
cat >"$TMP/sign-pgp" <<-'EOF'
	#!/bin/sh
	exec gpg --no-permission-warning "$@"
EOF
# as GitHub ends its armor
cat >"$TMP/sign-forge" <<-'EOF'
	#!/bin/sh
	gpg --no-permission-warning "$@" || exit
	echo
EOF
chmod +x "$TMP"/sign-*

# by WHO: options for git
by()
{
	case $1 in
	alice | bob) echo "-c gpg.format=ssh -c user.signingKey=$TMP/$1" ;;
	xavier | zoe) echo "-c gpg.format=x509 -c gpg.x509.program=$TMP/sign-x509 -c user.signingKey=$1" ;;
	forge) echo "-c gpg.format=openpgp -c gpg.program=$TMP/sign-forge -c user.signingKey=$(cat "$TMP/forge.fpr")" ;;
	*) echo "-c gpg.format=openpgp -c gpg.program=$TMP/sign-pgp -c user.signingKey=$(cat "$TMP/$1.fpr")" ;;
	esac
}

# as WHO DIR [OPTION...]: commits all that changed
as()
{
	_o=$(by "$1") _dir=$2
	shift 2
	git -C "$_dir" add -A
	# shellcheck disable=SC2086
	git -C "$_dir" $_o commit -q -S --allow-empty -m step "$@"
}

indent() { sed 's/^/        /' "$1"; }

write_trust()
{
	cat >"$1/.reconcile/trust.yaml" <<END
apiVersion: reconcile/v1alpha1
kind: TrustPolicy
metadata: {name: trust}
spec:
  version: ${2:-1}
  expires: "2099-01-01T00:00:00Z"
  people:
  - name: alice
    keys:
    - ssh: $(cut -d' ' -f1,2 "$TMP/alice.pub")
  - name: bob
    keys:
    - ssh: $(cut -d' ' -f1,2 "$TMP/bob.pub")
  - name: xavier
    keys:
    - x509:
        authority: |
$(indent "$TMP/ca.pem" | sed 's/^/  /')
        identity: email:xavier@example.org
  - name: petra
    keys:
    - openpgp:
        fingerprint: $(cat "$TMP/petra.fpr")
        certificate: |
$(indent "$TMP/petra.asc" | sed 's/^/  /')
  roles:
  - name: all
    people: [alice, bob, xavier, petra]
  root:
    people: [alice]
    threshold: 1
  rules:
  - paths: ["manifests/two/**"]
    roles: [all]
    threshold: 2
  - paths: ["**"]
    roles: [all]
  carriers:
  - name: github
    keys:
    - openpgp:
        fingerprint: $(cat "$TMP/forge.fpr")
        certificate: |
$(indent "$TMP/forge.asc" | sed 's/^/  /')
    accept: [Merge]
  revocations:
    asOf: "2026-11-28T00:00:00Z"
${3:-}
END
}

R=$TMP/repo
git init -q -b main "$R"
write_policy "$R"
write_trust "$R"
mkdir -p "$R/manifests"
write_config "$R" first
as alice "$R"
BASE=$(head_of "$R")
FIRST="signers= revoked= policy=sha256:$(sha256sum "$R/.reconcile/trust.yaml" |
	cut -c1-64)"
ON=openpgp=1

# ok_by NAME TARGET [NAME=VALUE...] / no_by NAME CODE ERE TARGET [...]
ok_by()
{
	_n=$1 _t=$2
	shift 2
	# shellcheck disable=SC2086
	accepts "$_n" "$R" "$_t" "$@" $ON $FIRST
}
no_by()
{
	_n=$1 _c=$2 _e=$3 _t=$4
	shift 4
	# shellcheck disable=SC2086
	refuses "$_n" "$_c" "$_e" "$R" "$_t" "$@" $ON $FIRST
}
back()
{
	git -C "$R" checkout -q main
	git -C "$R" reset -q --hard "$BASE"
}

ok_by 'a policy with all three kinds' "$BASE"
write_config "$R" x509
as xavier "$R"
X=$(head_of "$R")
ok_by 'A17 a commit by X.509' "$X" accepted="$BASE"
like "$OUT" "^by $X OK signer=xavier key=SHA256:" 'A17 ... names the person'
ok_by 'A17 ... accepted, again' "$X" accepted="$X" head_only=1
write_config "$R" openpgp
as petra "$R"
P=$(head_of "$R")
ok_by 'A18 a commit by OpenPGP' "$P" accepted="$X"
like "$OUT" "^by $P OK signer=petra key=$(cat "$TMP/petra.fpr")" \
	'A18 ... names the person'
ok_by 'A18 ... accepted, again' "$P" accepted="$P" head_only=1
ok_by 'all three in one walk' "$P"
ON=
no_by 'A18 OpenPGP is off' T138 'switched off' "$P" accepted="$X"
ok_by '... which the others do not mind' "$X" accepted="$BASE"
ON=openpgp=1

# --- nobody
write_config "$R" zoe
as zoe "$R"
no_by 'A17 a certificate that names somebody else' T129 \
	'nobody is pinned as email:zoe@example.org' "$(head_of "$R")" accepted="$P"
git -C "$R" reset -q --hard "$P"
write_config "$R" mallory
as mallory "$R"
no_by 'A18 a key that is not pinned' T137 'no pinned certificate' \
	"$(head_of "$R")" accepted="$P"
git -C "$R" reset -q --hard "$P"

# --- two people, of two kinds
git -C "$R" checkout -q -b work "$P"
mkdir -p "$R/manifests/two"
cp "$R/manifests/config.yaml" "$R/manifests/two/config.yaml"
sed -i 's/name: config/name: two/' "$R/manifests/two/config.yaml"
as petra "$R"
no_by 'one of two' T190 'rules.0.: want 2 .*have petra' "$(head_of "$R")" \
	accepted="$P"
git -C "$R" checkout -q main
MERGE="merge -q --no-ff -S -m merge work"
# shellcheck disable=SC2046,SC2086
git -C "$R" $(by xavier) $MERGE
ok_by 'two people: petra the commit, xavier the merge' "$(head_of "$R")" \
	accepted="$P"
git -C "$R" reset -q --hard "$P"

# --- a forge
git -C "$R" checkout -q -b one "$P"
write_config "$R" merged
as petra "$R"
git -C "$R" checkout -q main
# shellcheck disable=SC2046
git -C "$R" $(by forge) merge -q --no-ff -S -m merge one
M=$(head_of "$R")
like "$(git -C "$R" cat-file commit HEAD | sed -n '/END PGP/{n;s/ /blank/p;}')" \
	'^blank$' 'the armor ends as on GitHub'
ok_by 'A32 a merge by a carrier with OpenPGP' "$M" accepted="$P"
like "$OUT" "^by $M OK signer=github" 'A32 ... names the forge'
write_config "$R" web
as forge "$R"
no_by 'A32 an edit by the same key' T148 'github|carrier|forge' "$(head_of "$R")" \
	accepted="$M"
git -C "$R" reset -q --hard "$M"

# --- tags
TAG=refs/tags/v1
for w in xavier petra; do
	git -C "$R" checkout -q -B "tag-$w" "$P"
	sed -i "s#ref: .*#ref: $TAG#" "$R/.reconcile/policy.yaml"
	as alice "$R"
	# shellcheck disable=SC2046
	git -C "$R" $(by $w) tag -f -s -m release v1 >/dev/null
	ok_by "a tag signed by $w" "$(git -C "$R" rev-parse $TAG)" \
		accepted="$P" ref=$TAG
	git -C "$R" cat-file tag v1 | sed 's/^release/Release/' >"$TMP/tag"
	case $w in
	xavier) no_by 'A17 a tag that was changed' T118 'certificate SHA256' \
		"$(git -C "$R" hash-object -t tag -w "$TMP/tag")" \
		accepted="$P" ref=$TAG ;;
	petra) no_by 'A18 a tag that was changed' T137 'these bytes' \
		"$(git -C "$R" hash-object -t tag -w "$TMP/tag")" \
		accepted="$P" ref=$TAG ;;
	esac
done
git -C "$R" checkout -q main

# --- an approval is SSH
mkdir -p "$R/manifests/two"
cp "$R/manifests/config.yaml" "$R/manifests/two/config.yaml"
sed -i 's/name: config/name: two/' "$R/manifests/two/config.yaml"
as petra "$R"
TREE=$(git -C "$R" rev-parse 'HEAD^{tree}')
FROM=$(git -C "$R" rev-parse 'HEAD^^{tree}')
mkdir -p "$R/.reconcile/approvals/$TREE"
printf 'reconcile-approval/1\nrepository: %s\nref: %s\nfrom: %s\nto: %s\n' \
	"$REPO_ID" "$REF" "$FROM" "$TREE" >"$TMP/statement"
{
	cat "$TMP/statement"
	echo
	"$TMP/sign-x509" xavier <"$TMP/statement" 2>/dev/null
} >"$R/.reconcile/approvals/$TREE/xavier"
as alice "$R"
no_by 'A17 an approval by X.509 does not count' T190 'have petra' \
	"$(head_of "$R")" accepted="$M"
git -C "$R" reset -q --hard "$M"

# --- revoked
fp()
{
	openssl x509 -in "$1" -outform DER | openssl dgst -sha256 -binary |
		openssl base64 | tr -d =
}
write_trust "$R" 2 "    keys:
    - {fingerprint: \"SHA256:$(fp "$TMP/xavier.pem")\", reason: lost}
    - {fingerprint: \"$(cat "$TMP/petra.fpr")\", reason: lost}"
as alice "$R"
V2=$(head_of "$R")
ok_by 'a policy that revokes both' "$V2" accepted="$M"
write_config "$R" revoked
as xavier "$R"
no_by 'A17 a certificate that the policy revokes' T122 'certificate SHA256' \
	"$(head_of "$R")" accepted="$V2"
git -C "$R" reset -q --hard "$V2"
write_config "$R" revoked
as petra "$R"
no_by 'A18 a key that the policy revokes' T122 "$(cat "$TMP/petra.fpr")" \
	"$(head_of "$R")" accepted="$V2"
back

# --- git's own opinion of the same commits
git -C "$R" reset -q --hard "$P"
run git -C "$R" -c gpg.program="$TMP/sign-pgp" verify-commit "$P"
is "$ST" 0 'git takes the OpenPGP commit too'

# --- the manager: the configuration reaches sqv
mkdir -p "$TMP/m"
cat >"$TMP/m/conf" <<-EOF
	repository.url = file://$R/.git
	repository.id = $REPO_ID
	trust.policy = sha256:$(git -C "$R" show "$BASE:.reconcile/trust.yaml" |
	sha256sum | cut -c1-64)
	trust.openpgp = true
	state.dir = $TMP/m/state
	run.dir = $TMP/m/run
	channel.listen = 127.0.0.1:17455
EOF
sed 's/^trust.openpgp.*/trust.openpgp = false/' "$TMP/m/conf" >"$TMP/m/off"
succeeds 'a manager with OpenPGP on: init' "$BIN/reconcile" \
	--config "$TMP/m/conf" init
run "$BIN/reconcile" --config "$TMP/m/conf" --dry-run
case $ST in
0 | 2) ok 'A18 ... takes the commit by petra' ;;
*) not_ok 'A18 ... takes the commit by petra' "status $ST: $OUT $ERR" ;;
esac
run "$BIN/reconcile" --config "$TMP/m/off" --dry-run
is "$ST" 4 'A18 the same manager with OpenPGP off: exit 4'
like "$OUT" '^error T138: commit .*switched off' 'A18 ... and says so'

# --- a pull request, where no configuration is
run "$BIN/reconcile" --dry-run --repo "$R" --from "$BASE" --to "$P" -o text
is "$ST" 0 'a proposal looks at all three without a configuration'
like "$OUT" '^trust: trusted, by version 1 of the trust policy' '... and says so'
run "$BIN/reconcile" --config "$TMP/m/off" --dry-run --repo "$R" --from "$BASE" \
	--to "$P" -o text
is "$ST" 4 '... but does what a configuration says'
like "$OUT" 'T138: .*switched off' '... with the reason'
finish
