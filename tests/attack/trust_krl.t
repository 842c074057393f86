#!/bin/sh
# trust_krl.t - binary revocation lists as ssh-keygen -k writes them (threats A4,
# A5), each kind of entry, beside ssh-keygen -Q on the same files; and what a
# list may not be.  KRL_N: lists and changed lists of the comparison.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
trust_setup
build_tool trust_krl "$B/policy.a" || exit 1
N=${KRL_N:-60}
KRL=$B/tests/trust_krl

# --- keys and certificates to ask about
for K in ca ca2 bob carol dave; do
	make_key "$K"
done
make_key erin rsa 3072
# cert NAME CA SERIAL KEY
cert()
{
	cp "$TMP/$4.pub" "$TMP/$1.pub"
	ssh-keygen -q -s "$TMP/$2" -I "id-$1" -n "$4@example.org" -z "$3" \
		"$TMP/$1.pub"
	mv "$TMP/$1-cert.pub" "$TMP/$1.pub"
}
for I in 1 2 3 4 5 8 13 70 4000; do
	cert "c$I" ca "$I" bob
done
cert c0 ca 0 bob
cert cmax ca 18446744073709551615 bob
cert d5 ca2 5 carol
cd "$TMP" || exit 1
PUBS='bob.pub carol.pub dave.pub erin.pub ca.pub c0.pub c1.pub c2.pub c3.pub
c4.pub c5.pub c8.pub c13.pub c70.pub c4000.pub cmax.pub d5.pub'

# theirs LIST: as "FILE ok" and "FILE REVOKED"; empty if the list is refused
theirs()
{
	# shellcheck disable=SC2086
	ssh-keygen -Q -f "$1" $PUBS 2>/dev/null |
		sed -n 's/^\([^ ]*\) (.*): \(ok\|REVOKED\)$/\1 \2/p'
}
ours()
{
	# shellcheck disable=SC2086
	"$KRL" ask "$1" $PUBS
}
# same NAME WANTED [SSH-KEYGEN ARGUMENT...]: makes a list of $TMP/spec; both
# must say that exactly WANTED is revoked.
same()
{
	_name=$1 _want=$2
	shift 2
	rm -f list
	ssh-keygen -q -k -f list "$@" || diag "$_name: no list"
	_ours=$(ours list)
	if [ "$_ours" = "$(theirs list)" ] &&
		[ "$(printf '%s\n' "$_ours" | sed -n 's/.pub REVOKED//p' |
			tr '\n' ' ')" = "$_want" ]; then
		ok "$_name"
	else
		not_ok "$_name" "want: $_want
ours: $_ours
theirs: $(theirs list)"
	fi
}
spec()
{
	printf '%s\n' "$@" >spec
}
ALLC='c0 c1 c2 c3 c4 c5 c8 c13 c70 c4000 cmax '
same 'A4 KRL: a key takes its certificates with it' "bob $ALLC" bob.pub
same 'A4 KRL: an authority takes its certificates with it' "ca $ALLC" ca.pub
same 'A4 KRL: two keys, one of RSA' 'carol erin d5 ' erin.pub carol.pub
spec "sha1: $(cut -d' ' -f1,2 carol.pub)" "sha1: $(cut -d' ' -f1,2 erin.pub)"
same 'A4 KRL: SHA-1 of keys' 'carol erin d5 ' spec
spec "sha256: $(cut -d' ' -f1,2 carol.pub)"
same 'A4 KRL: SHA-256 of a key' 'carol d5 ' spec
spec "hash: $(ssh-keygen -lf dave.pub | cut -d' ' -f2)"
same 'A4 KRL: a fingerprint' 'dave ' spec
spec 'serial: 3' 'serial: 4000'
same 'A4 KRL: serial list, one authority' 'c3 c4000 ' -s ca.pub spec
spec 'serial: 2-8'
same 'A4 KRL: serial range' 'c2 c3 c4 c5 c8 ' -s ca.pub spec
spec 'serial: 1' 'serial: 3' 'serial: 5' 'serial: 13' 'serial: 70'
same 'A4 KRL: serial bitmap' 'c1 c3 c5 c13 c70 ' -s ca.pub spec
spec 'serial: 5'
same 'A4 KRL: the serial of another authority' 'd5 ' -s ca2.pub spec
same 'A4 KRL: a serial of any authority' 'c5 d5 ' -s none spec
spec 'serial: 18446744073709551615'
same 'A4 KRL: the highest serial' 'cmax ' -s ca.pub spec
spec 'serial: 1-18446744073709551615'
same 'A4 KRL: every serial' 'c1 c2 c3 c4 c5 c8 c13 c70 c4000 cmax ' \
	-s ca.pub spec
spec 'id: id-c0' 'id: id-c13'
same 'A4 KRL: key ids of one authority' 'c0 c13 ' -s ca.pub spec
same 'A4 KRL: key ids of another authority' '' -s ca2.pub spec
same 'A4 KRL: key ids of any authority' 'c0 c13 ' -s none spec
same 'A4 KRL: certificates themselves' 'c8 ' c8.pub
same 'A4 KRL: a comment and a version, nothing else' '' -z 7
spec 'serial: 1'
ssh-keygen -q -k -f list -s ca.pub spec
spec 'id: id-d5'
ssh-keygen -q -k -u -f list -s ca2.pub spec
ssh-keygen -q -k -u -f list dave.pub
like "$(ours list | tr '\n' ' ')" \
	'dave.pub REVOKED.*c1.pub REVOKED.*d5.pub REVOKED' \
	'A4 KRL: several sections'

# --- many lists by chance, and each changed a little
SEED=$(date +%j)
diag "seed $SEED"
awk -v n="$N" -v seed="$SEED" 'BEGIN {
	srand(seed)
	for (i = 1; i <= n; i++) {
		f = "spec" i
		m = int(rand() * 6)
		printf "" >f
		for (j = 0; j < m; j++) {
			a = int(exp(rand() * 9))
			b = a + int(exp(rand() * 5))
			if (rand() < 0.5)
				print "serial: " a >f
			else if (rand() < 0.5)
				print "serial: " a "-" b >f
			else
				print "id: id-c" int(rand() * 9) >f
		}
		close(f)
	}
}'
BAD= READ=0 LESS=0 I=0
while [ "$I" -lt "$N" ]; do
	I=$((I + 1))
	case $((I % 3)) in
	0) set -- -s ca.pub "spec$I" ;;
	1) set -- -s none "spec$I" ;;
	*) set -- -s ca2.pub "spec$I" bob.pub ;;
	esac
	ssh-keygen -q -k -f list "$@" || continue
	ours list >ours.out
	theirs list >theirs.out
	cmp -s ours.out theirs.out || BAD="$BAD $I"
	"$KRL" mutate "$((SEED * 1000 + I))" <list >changed
	[ -s changed ] || continue
	if ours changed >ours.out; then
		READ=$((READ + 1))
		# Whoever can read it too must not know of more.
		theirs changed | grep REVOKED >theirs.out
		grep -vxFf ours.out theirs.out >more && BAD="$BAD changed-$I"
	elif [ "$(theirs changed | wc -l)" -gt 0 ]; then
		LESS=$((LESS + 1))
	fi
done
is "$BAD" '' "A4 KRL: $N lists and $N changed ones: nothing is missed"
diag "of $N changed lists we read $READ; $LESS are refused here alone"

# --- what is refused
# refuse NAME ERE FILE
refuse()
{
	run "$KRL" ask "$3" bob.pub
	if [ "$ST" = 3 ] && printf '%s' "$OUT" | grep -Eq "^T162 .*$2"; then
		ok "$1"
	else
		not_ok "$1" "want T162 and /$2/, have $ST: $OUT"
	fi
}
ssh-keygen -q -k -f list bob.pub
SIZE=$(wc -c <list)
I=8 WHOLE=
while [ "$I" -lt "$SIZE" ]; do
	head -c "$I" list >cut
	"$KRL" ask cut bob.pub >out && WHOLE="$WHOLE $I"
	I=$((I + 1))
done
# Cut behind the head it is a list of nothing; the comment is empty here.
is "$WHOLE" ' 44' 'A5 KRL cut short anywhere'
(cat list; printf x) >bad
refuse 'A5 KRL with a byte behind its end' 'a type and its data' bad
# patch OFFSET BYTES: list with other bytes there
patch()
{
	cp list bad
	# shellcheck disable=SC2059
	printf "$2" | dd of=bad bs=1 seek="$1" conv=notrunc 2>/dev/null
}
patch 11 '\002'
refuse 'A5 KRL of another format version' 'format version 1' bad
patch 35 '\001'
refuse 'A5 KRL with flags' 'no flags' bad
patch 44 '\004'
refuse 'A5 KRL with a signature' 'signature: want none' bad
patch 44 '\007'
refuse 'A5 KRL with an unknown section' 'section type 7 is not known' bad
head -c 44 list >head
(cat head; printf '\377\000\000\000\012\000\000\000\001x\001\000\000\000\000') >bad
refuse 'A5 KRL with a critical extension' 'none that is critical' bad
(cat head; printf '\377\000\000\000\012\000\000\000\001x\000\000\000\000\000') >bad
run "$KRL" ask bad bob.pub
is "$OUT" 'bob.pub ok' 'KRL: an extension that may be passed over'
(cat head; printf '\001\000\000\000\031\000\000\000\000\000\000\000\000'
	printf '\040\000\000\000\010\000\000\000\000\000\000\000\000') >bad
printf '\001\000\000\000\025' | dd of=bad bs=1 seek=44 conv=notrunc 2>/dev/null
refuse 'A5 KRL that revokes serial 0' 'serials from 1' bad

# --- through the program: a signed commit and a list that names its key
R=$TMP/repo
new_repo "$R"
ROOT=$(head_of "$R")
ssh-keygen -q -k -f krl bob.pub
accepts 'A4 a KRL that names others' "$R" "$ROOT" revoked="$TMP/krl"
ssh-keygen -q -k -f krl alice.pub
refuses 'A4 revoked by a KRL' T122 'alice@example.org' "$R" "$ROOT" \
	revoked="$TMP/krl"
refuses 'A4 revoked by a KRL: also what was accepted before' T122 \
	'alice@example.org' "$R" "$ROOT" accepted="$ROOT" revoked="$TMP/krl"
head -c 60 krl >krl.cut
refuses 'A5 a KRL that is cut short' T162 'KRL: ' "$R" "$ROOT" \
	revoked="$TMP/krl.cut"
printf 'SSHKRL\n' >krl.cut
refuses 'A5 a KRL that is no more than its first word' T162 'revoked keys:1' \
	"$R" "$ROOT" revoked="$TMP/krl.cut"

# --- denied by what was signed (A16)
git -C "$R" cat-file commit HEAD >c
sed '/^gpgsig/,/END SSH/d' c | sha256sum | cut -d' ' -f1 >payload
echo "sha256:$(cat payload)" >deny
refuses 'A16 denied by its signed bytes' T105 "sha256:$(cat payload)" \
	"$R" "$ROOT" revoked="$TMP/deny"
sed '/^gpgsig/,/END SSH/d' c >plain
ssh-keygen -q -Y sign -n git -f alice -O hashalg=sha256 plain
awk 'FNR == NR { a[n++] = $0; next } { print }
	/^committer/ { for (i = 0; i < n; i++)
		print (i ? " " : "gpgsig ") a[i] }' plain.sig plain >again
AGAIN=$(raw_commit "$R" "$TMP/again")
isnt=$([ "$AGAIN" != "$ROOT" ] && echo differs)
is "$isnt" differs 'A16 signed anew: another id'
accepts 'A16 signed anew: as good as the first' "$R" "$AGAIN"
refuses 'A16 signed anew and denied' T105 "sha256:$(cat payload)" "$R" \
	"$AGAIN" revoked="$TMP/deny"
tr a-f A-F <deny >deny.upper
refuses 'A16 a digest in capitals is no digest' T162 'revoked keys:1' "$R" \
	"$ROOT" revoked="$TMP/deny.upper"

# --- the same in a trust policy
. "$TOP/tests/attack/people_lib.sh"
for K in forge clock mallory; do
	make_key "$K"
done
# policy NAME LINE: a repository whose trust policy has the line among its
# revocations; carol's commit on top.
policy()
{
	R=$TMP/$1
	git init -q -b main "$R"
	git -C "$R" config gpg.format ssh
	write_policy "$R"
	write_trust "$R" 1 "/asOf/a\\    $2"
	put "$R" manifests/config.yaml first
	as alice "$R"
	approve bob "$R" - HEAD
	as alice "$R"
	FIRST="signers= revoked= policy=$(trust_digest "$R")"
	put "$R" manifests/config.yaml second
	as carol "$R"
}
# shellcheck disable=SC2086
{
	ssh-keygen -q -k -f krl carol.pub
	policy p1 "krl: $(base64 -w0 krl)"
	refuses 'A4 KRL in a trust policy' T122 'carol@example.org' "$R" \
		"$(head_of "$R")" $FIRST
	accepts '... and who is not in it signs' "$R" \
		"$(git -C "$R" rev-parse HEAD^)" $FIRST
	head -c 60 krl >krl.cut
	policy p2 "krl: $(base64 -w0 krl.cut)"
	refuses 'A5 a KRL that is cut short, in a trust policy' T162 \
		'KRL: ' "$R" "$(head_of "$R")" $FIRST
	policy p3 'payloads: ["sha256:'"$(printf 'no such commit' | sha256sum |
		cut -c1-64)"'"]'
	GOOD=$(head_of "$R")
	accepts 'A16 another payload in a trust policy' "$R" "$GOOD" $FIRST
	# two of root deny carol's commit; whoever merges it in is refused
	DIGEST=$(git -C "$R" cat-file commit HEAD |
		sed '/^gpgsig/,/END SSH/d' | sha256sum | cut -c1-64)
	git -C "$R" checkout -q -B main "$GOOD^"
	write_trust "$R" 2 "/asOf/a\\    payloads: [\"sha256:$DIGEST\"]"
	as alice "$R"
	approve bob "$R" HEAD^ HEAD
	as alice "$R"
	accepts '... and the denial itself' "$R" "$(head_of "$R")" $FIRST
	git -C "$R" -c user.signingKey="$TMP/alice" merge -q -S --no-ff -m m \
		"$GOOD"
	refuses 'A16 denied by a trust policy, and merged' T105 "$DIGEST" \
		"$R" "$(head_of "$R")" $FIRST
}
finish
