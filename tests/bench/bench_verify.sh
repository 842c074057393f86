#!/bin/sh
# bench_verify.sh - commits verified a second, by pinned lists and by a trust
# policy in git, beside `git verify-commit` on a sample of the same commits in
# the same run; in processor time.  N=20000 for more commits.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../attack/trust_lib.sh"
. "$(dirname "$0")/../attack/people_lib.sh"
people_setup >/dev/null
N=${N:-10000} SAMPLE=${SAMPLE:-50} LEAST=${LEAST:-2000} TREES=${TREES:-100}
BASE_S=$(date +%s)

# Processor time of everything that this shell waited for, in ms: one core, also
# when others use the machine.
cpu_ms()
{
	times >"$TMP/times"
	sed -n '2s/[ms]/ /gp' "$TMP/times" |
		awk '{ printf "%d\n", ($1 * 60 + $2 + $3 * 60 + $4) * 1000 }'
}

# chain DIR TREES PARENT: N commits with these trees in turn; prints the last
chain()
{
	"$B/tests/trust_forge" chain "$N" "$TMP/forge.pem" "$2" "$3" \
		$((BASE_S - N - 10)) >"$TMP/pack" 2>"$TMP/tip"
	git -C "$1" index-pack --stdin <"$TMP/pack" >/dev/null
	cat "$TMP/tip"
}

# measure NAME DIR ROOT TIP [NAME=VALUE...]: sets RATE
measure()
{
	_name=$1 _repo=$2 _root=$3 _tip=$4
	shift 4
	# The fixed cost of a process and a request, to be taken off.
	cpu_ms >"$TMP/a"
	ask_verify "$_repo" "$_root" accepted="$_root" "$@"
	cpu_ms >"$TMP/b"
	ask_verify "$_repo" "$_tip" accepted="$_root" "$@"
	cpu_ms >"$TMP/c"
	_fixed=$(($(cat "$TMP/b") - $(cat "$TMP/a")))
	_all=$(($(cat "$TMP/c") - $(cat "$TMP/b")))
	case $OUT in
	*'verdict ACCEPTED'*"verified $N"*) ;;
	*)
		printf 'bench_verify: not accepted: %s\n' "$OUT" | head -5
		exit 1
		;;
	esac
	RATE=$((N * 1000 / (_all - _fixed)))
	printf '%s: %d commits/s (%d commits in %d ms; start and one commit %d ms)\n' \
		"$_name" "$RATE" "$N" "$_all" "$_fixed"
	if [ "$RATE" -lt "$LEAST" ]; then
		printf '%s: want at least %d commits/s\n' "$_name" "$LEAST"
		exit 1
	fi
}

R=$TMP/repo
new_repo "$R"
ROOT=$(head_of "$R")
rm -f "$TMP/forge" "$TMP/forge.pub"
forge_key ed25519 forge
signer_line forge >>"$TMP/signers"
TIP=$(chain "$R" "$(git -C "$R" rev-parse 'HEAD^{tree}')" "$ROOT")
measure verify "$R" "$ROOT" "$TIP"
FLAT=$RATE

# the same by a trust policy: one manifest of a hundred changes in each step
P=$TMP/people
mv "$TMP/carol.pub" "$TMP/carol.old" && cp "$TMP/forge.pub" "$TMP/carol.pub"
make_key carrier && cp "$TMP/carrier.pub" "$TMP/forge.pub"
new_people_repo "$P"
for I in $(seq 100); do
	put "$P" "manifests/app$I.yaml" "$I"
done
as alice "$P"
ROOT=$(head_of "$P")
LIST=
for I in $(seq "$TREES"); do
	put "$P" "manifests/app$((I % 100 + 1)).yaml" "changed $I"
	git -C "$P" add -A
	LIST=$LIST${LIST:+,}$(git -C "$P" write-tree)
done
git -C "$P" reset -q --hard
TIP_P=$(chain "$P" "$LIST" "$ROOT")
measure policy "$P" "$ROOT" "$TIP_P" signers= revoked= \
	policy="$(trust_digest "$P")"

git -C "$R" config gpg.ssh.allowedSignersFile "$TMP/signers"
git -C "$R" rev-list --max-count="$SAMPLE" "$TIP" >"$TMP/sample"
cpu_ms >"$TMP/a"
xargs -n1 git -C "$R" verify-commit 2>/dev/null <"$TMP/sample"
cpu_ms >"$TMP/b"
GIT=$(($(cat "$TMP/b") - $(cat "$TMP/a")))
GITRATE=$((SAMPLE * 1000 / GIT))
printf 'verify: git verify-commit %d commits/s (%d commits in %d ms); ratio %d, by policy %d\n' \
	"$GITRATE" "$SAMPLE" "$GIT" $((FLAT / GITRATE)) $((RATE / GITRATE))
