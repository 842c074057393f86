#!/bin/sh
# trust_policy.t - which policy judges a commit (threat A62), diagnostics all at
# once, and the untrusted mode of dry runs.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
trust_setup

R=$TMP/repo
canary_may "repo/manifests/*"
new_repo "$R"
ROOT=$(head_of "$R")

write_secret()
{
	cat >"$R/manifests/secret.yaml" <<EOF
apiVersion: v1
kind: Secret
metadata:
  name: plain
stringData:
  password: $CANARY
EOF
}
LOOSE='  secrets:
    allowPlain: true'
commit()
{
	git -C "$R" add -A
	git -C "$R" commit -q -S -m "$1"
}

# --- a commit cannot use what it allows itself
write_secret
commit 'a plain secret'
refuses 'a plain secret under the policy' 'P[0-9]+' 'manifests/secret.yaml' \
	"$R" "$(head_of "$R")" accepted="$ROOT"
like "$OUT" '^verdict REFUSED_POLICY' 'policy has its own verdict'
unlike "$OUT" "$CANARY" 'A99: the value of the secret is not told'
git -C "$R" reset -q --hard "$ROOT"
write_policy "$R" "$REPO_ID" "$REF" "$LOOSE"
write_secret
commit 'loosen and use'
refuses 'A62 a commit that loosens the policy and uses it' 'P[0-9]+' \
	'policy in force before' "$R" "$(head_of "$R")" accepted="$ROOT"
git -C "$R" reset -q --hard "$ROOT"
write_policy "$R" "$REPO_ID" "$REF" "$LOOSE"
commit 'loosen'
LOOSENED=$(head_of "$R")
accepts 'A62 loosening alone' "$R" "$LOOSENED" accepted="$ROOT"
write_secret
commit 'use'
accepts 'A62 using it in the next commit' "$R" "$(head_of "$R")" \
	accepted="$LOOSENED"
git -C "$R" reset -q --hard "$ROOT"
git -C "$R" rm -q .reconcile/policy.yaml
commit 'no policy'
refuses 'a commit without a policy' T152 'no such plain file' \
	"$R" "$(head_of "$R")" accepted="$ROOT"
write_policy "$R" "$REPO_ID" "$REF" "$LOOSE"
write_secret
commit 'policy again, looser, and used'
refuses 'A62 taking the policy away and putting a looser one back' 'P[0-9]+' \
	'policy in force before' "$R" "$(head_of "$R")" accepted="$ROOT"
git -C "$R" reset -q --hard "$ROOT"

# --- a policy that binds elsewhere, or is not one
write_policy "$R" other
commit other
refuses 'A20 the commit itself says another repository' T150 'have "other"' \
	"$R" "$(head_of "$R")" accepted="$ROOT"
like "$OUT" '^verdict REFUSED_TRUST' 'binding is a matter of trust'
git -C "$R" reset -q --hard "$ROOT"
cp "$R/manifests/config.yaml" "$R/.reconcile/policy.yaml"
commit wrong
refuses 'a policy file with something else' T152 'exactly one' \
	"$R" "$(head_of "$R")" accepted="$ROOT"
git -C "$R" reset -q --hard "$ROOT"
cp "$R/.reconcile/policy.yaml" "$R/manifests/second.yaml"
commit second
refuses 'a second policy among the manifests' T153 'manifests/second.yaml' \
	"$R" "$(head_of "$R")" accepted="$ROOT"
git -C "$R" reset -q --hard "$ROOT"

cp "$TOP/examples/trust/trust.yaml" "$R/manifests/trust.yaml"
commit 'a trust policy elsewhere'
refuses 'a trust policy among the manifests' T183 'manifests/trust.yaml' \
	"$R" "$(head_of "$R")" accepted="$ROOT"
like "$OUT" 'a TrustPolicy among the manifests' 'says what it is'
git -C "$R" reset -q --hard "$ROOT"
cp "$TOP/examples/trust/trust.yaml" "$R/.reconcile/policy.yaml"
commit 'a trust policy for the policy'
refuses 'a trust policy in the place of the policy' T152 'exactly one' \
	"$R" "$(head_of "$R")" accepted="$ROOT"
git -C "$R" reset -q --hard "$ROOT"

# --- everything wrong at once, with its place
cat >"$R/manifests/a.yaml" <<'EOF'
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
dta: {}
EOF
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: [\n' >"$R/manifests/b.yaml"
ln -s a.yaml "$R/manifests/c.yaml"
commit wrong
ask_verify "$R" "$(head_of "$R")" accepted="$ROOT" snapshot=1
like "$OUT" '^verdict REFUSED_MANIFEST' 'errors of manifests'
like "$OUT" '^diag M[0-9]+ manifests/a.yaml:5:1 .*dta' 'the first, with its place'
like "$OUT" '^diag M[0-9]+ manifests/b.yaml:' 'the second'
like "$OUT" '^diag T170 manifests/c.yaml' 'the link'
like "$OUT" '^snapshot 0' 'no snapshot of a refused commit'

# --- untrusted: revisions, unsigned commits, the same judgement
git -C "$R" reset -q --hard "$ROOT"
change "$R" unsigned --no-gpg-sign
U='mode=untrusted signers= revoked= id= ref='
# shellcheck disable=SC2086
{
	accepts 'untrusted: HEAD' "$R" HEAD $U snapshot=1
	like "$OUT" "^commit $(head_of "$R")" 'untrusted: the revision is resolved'
	like "$OUT" '^snapshot [1-9]' 'untrusted: a snapshot'
	unlike "$OUT" '^by ' 'untrusted: nobody signed'
	accepts 'untrusted: main~1' "$R" main~1 $U
	for REV in ':/x' 'HEAD@{1}' '-x' 'a..b' 'HEAD^{/x}' ''; do
		refuses "A44 untrusted: $REV" T180 'revision "' "$R" "$REV" $U
	done
	refuses 'untrusted: no such revision' T180 'none' "$R" none $U
	git -C "$R" rm -q -r manifests
	commit empty
	refuses 'untrusted: no folder of manifests' T170 'not a folder' \
		"$R" HEAD $U
	git clone -q --depth 1 "file://$R" "$TMP/shallow"
	git -C "$TMP/shallow" checkout -q HEAD
	ask_verify "$TMP/shallow" HEAD $U
	unlike "$OUT" T142 'untrusted: a shallow clone will do'
}
finish
