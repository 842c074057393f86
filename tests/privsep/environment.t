#!/bin/bash
# environment.t - the environment of whoever starts the product does not reach
# its siblings, and no library of theirs reads configuration named there (E06,
# P08).
. "$(dirname "$0")/../integration/lib.sh"
need_root
need_program strace git ssh-keygen openssl
tmpdir
canary_may trace "traces/*"	# of environments, in which the canary is
W=$TMP/w
mkdir -p "$W"
. "$TOP/tests/integration/world.sh"
at_exit world_down
lan() { "$@"; }
world_repo
mkdir -p "$W/clone/.reconcile" "$TMP/trap"
cat >"$W/clone/.reconcile/policy.yaml" <<-EOF
	apiVersion: reconcile/v1alpha1
	kind: ClusterPolicy
	metadata: {name: policy}
	spec:
	  repository: {id: fleet-test, ref: refs/heads/main}
	EOF
world_commit first
cat >"$W/manager/reconcile.conf" <<-EOF
	repository.url = file://$W/fleet.git
	repository.id = fleet-test
	trust.allowed_signers = $W/manager/allowed_signers
	trust.revoked_keys = $W/manager/revoked_keys
	state.dir = $W/manager/state
	run.dir = $W/manager/run
	channel.listen = 127.0.0.1:17445
	EOF
R="$BIN/reconcile --config $W/manager/reconcile.conf"
$R init >/dev/null || skip_all "init does not work"
cat >"$TMP/trap/openssl.cnf" <<-EOF
	openssl_conf = init
	[init]
	engines = engines
	[engines]
	e = trap
	[trap]
	dynamic_path = $TMP/trap/engine.so
	EOF
printf '[core]\n\thooksPath = %s/trap\n' "$TMP" >"$TMP/trap/gitconfig"

# hostile CMD...: under strace, with everything that a library might obey.
# LD_PRELOAD names a file that is missing: the loader of each process that
# sees it complains.
hostile()
{
	rm -rf "$TMP/traces"
	mkdir "$TMP/traces"
	strace -ff -v -s 4096 -o "$TMP/traces/t" -e trace=execve,openat,open \
		-E LD_PRELOAD="$TMP/trap/preload.so" \
		-E LD_LIBRARY_PATH="$TMP/trap" -E LD_AUDIT="$TMP/trap/audit.so" \
		-E GCONV_PATH="$TMP/trap" -E BASH_ENV="$TMP/trap/rc" \
		-E ENV="$TMP/trap/rc" -E OPENSSL_CONF="$TMP/trap/openssl.cnf" \
		-E OPENSSL_MODULES="$TMP/trap" -E OPENSSL_ENGINES="$TMP/trap" \
		-E SSL_CERT_FILE="$TMP/trap/ca.pem" -E SSL_CERT_DIR="$TMP/trap" \
		-E SSLKEYLOGFILE="$TMP/trap/keys" -E TZ=":$TMP/trap/zone" \
		-E GIT_CONFIG_GLOBAL="$TMP/trap/gitconfig" -E HOME="$TMP/trap" \
		-E XDG_CONFIG_HOME="$TMP/trap" -E GIT_DIR="$TMP/trap" \
		-E GIT_SSH_COMMAND="touch $TMP/trap/ran" \
		-E GIT_OBJECT_DIRECTORY="$TMP/trap" -E CURL_HOME="$TMP/trap" \
		-E https_proxy=http://127.0.0.1:9 -E RES_OPTIONS=debug \
		-E MALLOC_TRACE="$TMP/trap/malloc" -E PATH="$TMP/trap" \
		"$@" >"$TMP/out" 2>"$TMP/err2" </dev/null
	_st=$?
	# one file a process, so that no line is cut in two
	cat "$TMP"/traces/t.* >"$TMP/trace"
	return "$_st"
}

# siblings: "program: environment" of every exec but the operator's own.
siblings()
{
	grep -F 'execve("' "$TMP/trace" | grep ' = 0$' |
		grep -v '^execve("[^"]*/reconcile", ' |
		sed 's/^execve("[^"]*\/\([^"]*\)", \[.*\], \[\(.*\)\]) = 0$/\1: \2/'
}

for c in "--dry-run" "host token host-1" "audit verify"; do
	# shellcheck disable=SC2086
	hostile $R $c
	is "$?" 0 "E06 P08 '$c' works in a hostile environment"
	is "$(siblings | grep -v ': "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"$')" \
		"" "E06 siblings of '$c' get PATH and LC_ALL and no more"
	is "$(grep -F "$TMP/trap/" "$TMP/trace" | grep -v 'execve(' |
		grep -v '\.so')" "" \
		"P08 '$c' opens no configuration that the environment names"
done
hostile $R --dry-run
like "$(siblings)" "^reconcile-fetch: " "fetch was among the siblings"
like "$(siblings)" "^reconcile-verify: " "verify was among the siblings"
hostile $R host token host-2
like "$(siblings)" "^reconcile-audit: " "audit was among the siblings"
is "$(ls "$TMP/trap" | tr '\n' ' ')" "gitconfig openssl.cnf " \
	"E06 P08 nothing ran and nothing was written"
finish
