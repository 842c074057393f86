#!/bin/sh
# trust_content.t - what a well-signed commit may hold: tree names, links,
# bombs (threats A38..A45), manifests and the policy in force (A62).
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
trust_setup

R=$TMP/repo
new_repo "$R"
ROOT=$(head_of "$R")
BLOB=$(git -C "$R" rev-parse HEAD:manifests/config.yaml)
POLICY=$(git -C "$R" rev-parse HEAD:.reconcile)

# entry MODE NAME ID: one raw tree entry (NAME is a printf format)
entry()
{
	env printf "$1 $2\\0"
	env printf "$(echo "$3" | sed 's/../\\x&/g')"
}
# tree: standard input as a tree object of any shape
tree()
{
	git -C "$R" hash-object -t tree -w --literally --stdin
}
# commit_tree MANIFESTS-TREE: a signed commit with this tree of manifests
commit_tree()
{
	_t=$({
		entry 40000 .reconcile "$POLICY"
		entry 40000 manifests "$1"
	} | tree)
	git -C "$R" commit-tree -S -p "$ROOT" -m crafted "$_t"
}
# content NAME CODE ERE MANIFESTS-TREE
content()
{
	ask_verify "$R" "$(commit_tree "$4")" accepted="$ROOT"
	if printf '%s\n' "$OUT" | grep -q '^verdict REFUSED_MANIFEST' &&
		printf '%s\n' "$OUT" | grep -Eq "^diag $2 .*$3"; then
		ok "$1"
	else
		not_ok "$1" "want $2 with /$3/
have: $OUT $ERR"
	fi
}
accepts 'a crafted commit that is right' "$R" \
	"$(commit_tree "$(entry 100644 a.yaml "$BLOB" | tree)")" \
	accepted="$ROOT"

# --- names
for N in .. . .git .GIT .Git 'git~1' 'GIT~2' '.git ' '.git.' '.git::$INDEX' \
	'a\\\\b' 'a.' 'a ' '\001' 'a\033[31m' '.g\342\200\214it' \
	'a\342\200\256b' 'cafe\314\201.yaml' '\377\376' 'a\302\205b'; do
	content "A38 name $N" T171 'name "' "$(entry 100644 "$N" "$BLOB" | tree)"
done
content 'A38 name with a slash' T171 'slash' \
	"$(entry 100644 'a/b' "$BLOB" | tree)"
content 'A38 empty name' T175 'without a name' \
	"$(entry 100644 '' "$BLOB" | tree)"
content 'A38 name of 256 bytes' T171 '255' \
	"$(entry 100644 "$(printf 'x%.0s' $(seq 256))" "$BLOB" | tree)"
content 'A43 case clash' T172 'App.yaml' "$({
	entry 100644 App.yaml "$BLOB"
	entry 100644 app.yaml "$BLOB"
} | tree)"
content 'A43 case clash beyond ASCII' T172 'one name' "$({
	entry 100644 '\303\204.yaml' "$BLOB"
	entry 100644 '\303\244.yaml' "$BLOB"
} | tree)"
content 'A38 entries out of order' T175 'out of order' "$({
	entry 100644 b.yaml "$BLOB"
	entry 100644 a.yaml "$BLOB"
} | tree)"
content 'A38 one name twice' T175 'doubled' "$({
	entry 100644 a.yaml "$BLOB"
	entry 100644 a.yaml "$BLOB"
} | tree)"
content 'A38 unknown mode' T175 'mode' \
	"$(entry 100666 a.yaml "$BLOB" | tree)"
content 'tree that ends early' T175 'without' \
	"$(entry 100644 a.yaml "$(echo "$BLOB" | cut -c1-20)" | tree)"

# --- links and submodules
LINK=$(printf /etc/shadow | git -C "$R" hash-object -w --stdin)
content 'A39 symbolic link' T170 'symbolic link' \
	"$(entry 120000 a.yaml "$LINK" | tree)"
content 'A39 symbolic link to a folder' T170 'symbolic link' \
	"$(entry 120000 dir "$LINK" | tree)"
content 'A39 hidden symbolic link' T170 'symbolic link' \
	"$(entry 120000 .dir "$LINK" | tree)"
content 'A40 submodule' T170 'submodule' \
	"$(entry 160000 sub "$ROOT" | tree)"
T=$({
	entry 40000 .reconcile "$POLICY"
	entry 120000 manifests "$LINK"
} | tree)
refuses 'A39 manifestsPath is a link' T170 'not a folder' "$R" \
	"$(git -C "$R" commit-tree -S -p "$ROOT" -m x "$T")" accepted="$ROOT"
T=$({
	entry 120000 .reconcile "$LINK"
	entry 40000 manifests "$(entry 100644 a.yaml "$BLOB" | tree)"
} | tree)
refuses 'A39 policy folder is a link' T152 'no such plain file' "$R" \
	"$(git -C "$R" commit-tree -S -p "$ROOT" -m x "$T")" accepted="$ROOT"

# --- attributes, filters, other files
cat >"$R/.gitattributes" <<'EOF'
*.yaml ident filter=trap export-subst
EOF
cp "$R/.gitattributes" "$R/manifests/"
echo 'not: [a manifest' >"$R/manifests/README.md"
printf '[submodule "x"]\n\tpath = ../x\n\turl = -u./payload\n' >"$R/.gitmodules"
ln -s /etc/shadow "$R/link"
git -C "$R" add .gitattributes .gitmodules link manifests
git -C "$R" commit -q -S -m attributes
TIP=$(head_of "$R")
accepts 'A41 attributes change nothing, other files are not read' "$R" "$TIP" \
	accepted="$ROOT" snapshot=1
git -C "$R" reset -q --hard "$ROOT"
printf 'resources:\n- config.yaml\n' >"$R/manifests/kustomization.yaml"
git -C "$R" add -A
git -C "$R" commit -q -S -m k1
accepts 'kustomization with resources only' "$R" "$(head_of "$R")" \
	accepted="$ROOT"
printf 'resources:\n- config.yaml\nnamePrefix: x-\n' \
	>"$R/manifests/kustomization.yaml"
git -C "$R" commit -q -S -a -m k2
refuses 'kustomization that changes manifests' T174 'more than' "$R" \
	"$(head_of "$R")" accepted="$ROOT"
git -C "$R" reset -q --hard "$ROOT"

# --- bombs: each must be refused quickly, in little memory
bomb()
{
	_start=$(date +%s)
	content "$@"
	if [ $(($(date +%s) - _start)) -lt 10 ]; then
		ok "$1: in time"
	else
		not_ok "$1: in time"
	fi
}
BIG=$(head -c 600000000 /dev/zero | git -C "$R" hash-object -w --stdin)
bomb 'A45 zlib bomb of 600 MB as a manifest' T173 'at most' \
	"$(entry 100644 a.yaml "$BIG" | tree)"
ID=$(echo "$BLOB" | sed 's/../\\x&/g')
bomb 'A45 a million entries' T173 'at most' \
	"$(awk -v id="$ID" 'BEGIN { for (i = 0; i < 300000; i++)
		printf "100644 f%06d\\0%s", i, id }' | xargs -0 printf '%b' |
		tree)"
DEEP=$(entry 100644 a.yaml "$BLOB" | tree)
for I in $(seq 40); do
	DEEP=$(entry 40000 d "$DEEP" | tree)
done
bomb 'A45 folders 40 deep' T173 'too deeply' "$DEEP"
WIDE=$(entry 100644 a.yaml "$BLOB" | tree)
for I in 1 2 3 4 5 6 7 8; do
	WIDE=$(for N in 0 1 2 3 4 5 6 7 8 9; do
		entry 40000 "d$N" "$WIDE"
	done | tree)
done
bomb 'A45 10^8 files in eight trees' T173 'at most' "$WIDE"
refuses 'A45 a tree that is a blob' T144 'is not a tree' "$R" \
	"$(commit_tree "$BLOB")" accepted="$ROOT"
finish
