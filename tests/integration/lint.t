#!/bin/bash
# lint.t - files of a work tree before they are committed.
. "$(dirname "$0")/lib.sh"
need_program git jq
tmpdir
R="$BIN/reconcile lint"
cd "$TMP" || exit 1
mkdir -p repo/.reconcile repo/apps repo/docs
cat >repo/.reconcile/policy.yaml <<EOF
apiVersion: reconcile/v1alpha1
kind: ClusterPolicy
metadata: {name: policy}
spec:
  repository: {id: lint-test, ref: refs/heads/main}
  manifestsPath: apps
  images: {allowedRegistries: [registry.example]}
EOF
pod() # NAME IMAGE [MORE]
{
	cat <<-EOF
	apiVersion: v1
	kind: Pod
	metadata: {name: $1}
	spec:
	  containers:
	  - {name: main, image: $2${3:-}}
	EOF
}
# finds NAME STATUS ERE CMD...: the status, and a line of standard output
finds()
{
	_name=$1 _st=$2 _re=$3
	shift 3
	run "$@"
	is "$ST" "$_st" "$_name" || diag "$OUT $ERR"
	like "$OUT" "$_re" "$_name: what it says"
}
DIGEST=registry.example/web@sha256:$(printf x | sha256sum | cut -d' ' -f1)
pod good "$DIGEST" >repo/apps/good.yaml
echo 'not: a manifest' >repo/docs/values.yaml

finds "a good file" 0 "^2 files, 0 errors.$" $R repo/apps/good.yaml
finds "a whole tree: what is outside manifestsPath is nobody's business" 0 " 0 errors" $R repo
finds "from inside" 0 " 0 errors" sh -c "cd repo && $R ."
finds "a file by its name is judged" 3 "repo/docs/values.yaml:1:1: error M101" $R repo/docs/values.yaml

printf 'spec: {x: y\n' >repo/apps/a.yaml
pod typo "$DIGEST" | sed 's/containers/container/' >repo/apps/b.yaml
pod foreign "docker.io/library/busybox@sha256:$(printf y | sha256sum | cut -d' ' -f1)" >repo/apps/c.yaml
finds "all faults at once: syntax" 3 "repo/apps/a.yaml:[0-9:]+ error M004" $R repo/apps
like "$OUT" "repo/apps/b.yaml:5:3: error M201: .*did you mean 'containers'" "a typo"
like "$OUT" "repo/apps/c.yaml:[0-9:]+ error P2[0-9]+" "policy"
run $R -o json repo/apps
is "$ST $(printf '%s' "$OUT" | jq -r '.schema, .files, (.diagnostics | length > 2)' | tr '\n' ' ')" \
	"3 reconcile.lint/v1 5 true " "as JSON"
rm repo/apps/a.yaml repo/apps/b.yaml
finds "only policy refuses" 5 "error P2" $R repo/apps
rm repo/apps/c.yaml

pod uses "$DIGEST" ", envFrom: [{configMapRef: {name: settings}}]" >repo/apps/d.yaml
finds "a reference out of some files is a warning" 0 \
	"d.yaml.*warning M301.*among the files given" $R repo/apps/d.yaml
finds "out of the whole tree it is an error" 3 "^apps/d.yaml:.* error M301" $R repo
rm repo/apps/d.yaml

ln -s /etc/passwd repo/apps/link.yaml
finds "A39 a link is an error" 3 "repo/apps/link.yaml.* error T170" $R repo/apps
unlike "$OUT" root: "A39 and nothing of what it points to is read"
fails "A39 a link by name" 3 "link.yaml" $R repo/apps/link.yaml
rm repo/apps/link.yaml
mkfifo repo/apps/pipe.yaml
finds "a pipe" 3 "pipe.yaml.* error T170" timeout 20 $R repo/apps
rm repo/apps/pipe.yaml
echo 'resources: [a]' >repo/apps/kustomization.yaml
finds "a kustomization is not passed over in silence" 0 "kustomization.yaml.* note T174" $R repo/apps
rm repo/apps/kustomization.yaml

cp repo/.reconcile/policy.yaml repo/apps/other.yaml
finds "a policy outside its place" 3 "apps/other.yaml.* error T153" $R repo/apps
rm repo/apps/other.yaml
echo 'kind: TrustPolicy' >repo/.reconcile/trust.yaml
finds "the trust policy is looked at with the whole" 3 "^.reconcile/trust.yaml:.*error" $R repo
rm repo/.reconcile/trust.yaml
sed -i 's/allowedRegistries/allowedRegistry/' repo/.reconcile/policy.yaml
finds "a policy that does not decode" 3 "policy.yaml:[0-9:]+ error M201" $R repo/apps/good.yaml
rm -r repo/.reconcile
finds "no policy, which is said" 0 "no .reconcile/policy.yaml above judges them" $R repo/apps
fails "no such path" 3 "repo/none" $R repo/none
fails "no path" 3 "want" $R
printf 'a: "\\033[31mred"\n' >"repo/apps/$(printf 'e\033sc.yaml')"
run $R repo/apps
unlike "$OUT$ERR" "$(printf '\033')" "a hostile name and text are inert"
finish
