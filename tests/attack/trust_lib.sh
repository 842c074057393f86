# trust_lib.sh - helpers of the suites about signatures and git stores.
# Source tests/integration/lib.sh first, then this; then call trust_setup.

# For the tools alone, which do not tidy up; the programs have a clean
# environment and are checked for leaks.
ASAN_OPTIONS=detect_leaks=0
export ASAN_OPTIONS

ASK=$B/tests/trust_ask
REF=refs/heads/main
REPO_ID=test-repository

# build_tool NAME [ARCHIVE...]: tests/attack/NAME.c -> $B/tests/NAME, if older.
build_tool()
{
	_src=$TOP/tests/attack/$1.c _out=$B/tests/$1 _new=no
	shift
	for _f in "$_src" "$@" "$B/lib.a"; do
		[ "$_out" -nt "$_f" ] || _new=yes
	done
	[ "$_new" = yes ] || return 0
	mkdir -p "$B/tests"
	${CC:-cc} -std=c17 -D_GNU_SOURCE -O1 -g -I"$TOP" -I"$B/gen" \
		${SAN:+-fsanitize=$SAN} -o "$_out" "$_src" "$@" "$B/lib.a" \
		"$B/proto.a" -lprotobuf-c -lcrypto -lz
}

# git without anybody's configuration.
git_env()
{
	GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null HOME=$TMP
	GIT_AUTHOR_NAME=Alice GIT_AUTHOR_EMAIL=alice@example.org
	GIT_COMMITTER_NAME=Alice GIT_COMMITTER_EMAIL=alice@example.org
	export GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL HOME GIT_AUTHOR_NAME \
		GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
	unset SSH_AUTH_SOCK GIT_DIR GIT_AUTHOR_DATE GIT_COMMITTER_DATE || true
}

# make_key NAME [TYPE [BITS]]
make_key()
{
	canary_may
	ssh-keygen -q -t "${2:-ed25519}" ${3:+-b "$3"} -N '' -C "$1 $CANARY" \
		-f "$TMP/$1"
}

# signer_line NAME [OPTIONS]: a line of allowed_signers for key NAME.
signer_line()
{
	printf '%s@example.org namespaces="git"%s %s\n' "$1" "${2:+,$2}" \
		"$(cut -d' ' -f1,2 "$TMP/$1.pub")"
}

# write_policy DIR [ID [REF [EXTRA]]]
write_policy()
{
	mkdir -p "$1/.reconcile"
	cat >"$1/.reconcile/policy.yaml" <<EOF
apiVersion: reconcile/v1alpha1
kind: ClusterPolicy
metadata:
  name: cluster
spec:
  repository:
    id: ${2:-$REPO_ID}
    ref: ${3:-$REF}
  manifestsPath: manifests
  images:
    allowedRegistries:
    - registry.example
    requireDigest: false
${4:-}
EOF
}

# new_repo DIR: branch main, one root commit signed by alice.
new_repo()
{
	git init -q -b main "$1"
	git -C "$1" config gpg.format ssh
	git -C "$1" config user.signingKey "$TMP/alice"
	write_policy "$1"
	mkdir -p "$1/manifests"
	write_config "$1" first
	git -C "$1" add -A
	git -C "$1" commit -q -S -m 'first'
}

# write_config DIR VALUE: a ConfigMap, so that a commit changes something.
write_config()
{
	cat >"$1/manifests/config.yaml" <<EOF
apiVersion: v1
kind: ConfigMap
metadata:
  name: config
data:
  value: "$2"
EOF
}

# change DIR VALUE [COMMIT OPTION...]: a commit on top, signed by default.
change()
{
	_dir=$1
	write_config "$1" "$2"
	shift 2
	[ $# -gt 0 ] || set -- -S
	git -C "$_dir" add -A
	git -C "$_dir" commit -q -m 'change' "$@"
}

head_of()
{
	git -C "$1" rev-parse HEAD
}

# raw_commit DIR FILE: stores a commit object of any shape, prints its id.
raw_commit()
{
	git -C "$1" hash-object -t commit -w --literally "$2"
}

# ask_verify DIR TARGET [NAME=VALUE...]: sets OUT.
ask_verify()
{
	_git=$1/.git _target=$2
	[ -d "$_git" ] || _git=$1
	shift 2
	# Later values lose against earlier ones in trust_ask.
	run "$ASK" "$BIN" verify "$@" repo="$_git" target="$_target" \
		signers="$TMP/signers" revoked="$TMP/revoked" id="$REPO_ID" \
		ref="$REF"
	[ "$ST" = 0 ] || OUT="status $ST: $OUT $ERR"
}

# accepts NAME DIR TARGET [NAME=VALUE...]
accepts()
{
	_name=$1
	shift
	ask_verify "$@"
	like "$OUT" '^verdict ACCEPTED$' "$_name"
}

# refuses NAME CODE ERE DIR TARGET [NAME=VALUE...]: the code and its message.
refuses()
{
	_name=$1 _code=$2 _ere=$3
	shift 3
	ask_verify "$@"
	if [ "$ST" = 0 ] &&
		printf '%s\n' "$OUT" | grep -q '^verdict REFUSED' &&
		printf '%s\n' "$OUT" | grep -Eq "^diag $_code .*$_ere"; then
		ok "$_name"
	else
		not_ok "$_name" "want $_code with /$_ere/
have: $OUT $ERR"
	fi
}

# signer_program NAMESPACE [TYPE [FLAGS [CERT]]]: a gpg.ssh.program for git that
# signs in another namespace, or with trust_forge and the key $TMP/forge.pem.
signer_program()
{
	cat >"$TMP/sign-program" <<EOF
#!/bin/sh
for F; do :; done
if [ -n "${2:-}" ]; then
	"$B/tests/trust_forge" sign "${2:-}" "$TMP/forge.pem" "${3:-1}" "$1" \
		sha512 ${4:+"$4"} <"\$F" >"\$F.sig"
else
	exec ssh-keygen -q -Y sign -n "$1" -f "\$6" "\$F"
fi
EOF
	chmod +x "$TMP/sign-program"
}

# forge_key TYPE NAME: a key of trust_forge as $TMP/NAME.pub and forge.pem
forge_key()
{
	"$B/tests/trust_forge" key "$1" "$TMP/forge.pem" >"$TMP/$2.pub"
	cp "$TMP/$2.pub" "$TMP/$2"
}

trust_setup()
{
	need_program git ssh-keygen cc
	tmpdir
	git_env
	build_tool trust_ask && build_tool trust_forge || exit 1
	make_key alice
	signer_line alice >"$TMP/signers"
	echo '# nothing is revoked' >"$TMP/revoked"
}
