#!/bin/sh
# trust_tag.t - a trust root that follows refs/tags/NAME (threat A22): the tag is
# signed by a known person and has the ref's name, then its commit is judged as
# any other.  From the mirror to the host's own judgement.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
trust_setup
REF=refs/tags/v1

R=$TMP/repo
new_repo "$R"
C1=$(head_of "$R")
tag_of()
{
	git -C "$R" rev-parse "$1"
}
# git's own opinion, of the object with this id
git_says()
{
	git -C "$R" -c gpg.ssh.allowedSignersFile="$TMP/signers" verify-tag \
		"$1" >/dev/null 2>&1 && echo good || echo bad
}
git -C "$R" tag -s -m 'release' v1
T1=$(tag_of v1)
accepts 'a signed tag of a signed commit' "$R" "$T1" snapshot=1
like "$OUT" "^commit $C1$" 'the answer is the commit'
like "$OUT" "^by $T1 OK signer=alice@example.org" 'who signed the tag is told'
like "$OUT" "^by $C1 OK signer=alice@example.org" '... and who the commit'
like "$OUT" '^snapshot [1-9]' '... with a snapshot'
is "$(git_says "$T1")" good 'git agrees'
accepts 'again, the commit accepted' "$R" "$T1" accepted="$C1"
accepts 'the accepted commit without its tag' "$R" "$C1" accepted="$C1"
accepts 'the accepted commit, looked at alone' "$R" "$C1" accepted="$C1" \
	head_only=1

# --- not that tag
refuses 'A22 a ref that points at the commit itself' T110 \
	'tag without an object' "$R" "$C1"
change "$R" second
C2=$(head_of "$R")
refuses 'A22 the same on top of an accepted commit' T110 \
	'tag without an object' "$R" "$C2" accepted="$C1"
git -C "$R" tag -s -m 'other' v2
refuses 'A22 tag renamed' T106 'refs/tags/v1, have "v2"' "$R" "$(tag_of v2)"
refuses 'A22 tag of another ref' T106 'refs/tags/v10, have "v1"' "$R" "$T1" \
	ref=refs/tags/v10
refuses 'A22 a tag where a branch is followed' T144 'is not a commit' "$R" \
	"$T1" ref=refs/heads/main
git -C "$R" tag -f -s -m 'moved' v1 >/dev/null 2>&1
T2=$(tag_of v1)
accepts 'the tag moved forward' "$R" "$T2" accepted="$C1"
refuses 'A23 the tag moved back' T140 "descendant of $C2" "$R" "$T1" \
	accepted="$C2"

# --- who signed the tag
git -C "$R" tag -f -a --no-sign -m 'unsigned' v1 >/dev/null
refuses 'A1 unsigned tag' T110 'tag has no signature' "$R" "$(tag_of v1)"
make_key mallory
git -C "$R" -c user.signingKey="$TMP/mallory" tag -f -s -m m v1 >/dev/null
refuses 'A2 tag signed by an unknown key' T120 'key SHA256' "$R" "$(tag_of v1)"
like "$OUT" "^by $(tag_of v1) T120" 'the tag is named as what is refused'
signer_program file
git -C "$R" -c gpg.ssh.program="$TMP/sign-program" tag -f -s -m ns v1 >/dev/null
refuses 'A10 tag signed for another namespace' T115 'have "file"' "$R" \
	"$(tag_of v1)"
make_key bob
{
	signer_line alice
	signer_line bob
} >"$TMP/two"
git -C "$R" -c user.signingKey="$TMP/bob" tag -f -s -m bob v1 >/dev/null
TB=$(tag_of v1)
accepts 'another person tags' "$R" "$TB" signers="$TMP/two"
cut -d' ' -f1,2 "$TMP/bob.pub" >"$TMP/bobrev"
refuses 'A4 the key of the tag is revoked' T122 'bob@example.org' "$R" "$TB" \
	signers="$TMP/two" revoked="$TMP/bobrev"
git -C "$R" cat-file tag "$TB" | sed '/BEGIN SSH/,$d' | sha256sum |
	sed 's/^\(.*\) .*/sha256:\1/; s/ *$//' >"$TMP/deny"
refuses 'A16 the tag denied by its signed bytes' T105 'sha256:' "$R" "$TB" \
	signers="$TMP/two" revoked="$TMP/deny"
NOW=$(date +%s)
when()
{
	date -u -d "@$1" +%Y%m%d%H%M%SZ
}
{
	signer_line alice
	signer_line bob "valid-before=\"$(when $((NOW + 3600)))\""
} >"$TMP/ends"
accepts 'A7 the tag while its key is valid' "$R" "$TB" signers="$TMP/ends"
refuses 'A7 a new commit under a tag whose key has expired' T124 \
	'not valid now' "$R" "$TB" signers="$TMP/ends" now=$((NOW + 7200))
accepts 'A7 what was accepted under it stays' "$R" "$TB" accepted="$C2" \
	signers="$TMP/ends" now=$((NOW + 7200))
GIT_COMMITTER_DATE="$((NOW + 86400)) +0000" git -C "$R" tag -f -s -m f v1 \
	>/dev/null
refuses 'A8 tag from the future' T125 'more than 600 s' "$R" "$(tag_of v1)"
git -C "$R" checkout -q -b bad
change "$R" unsigned --no-gpg-sign
BAD=$(head_of "$R")
git -C "$R" tag -f -s -m 'good tag, bad commit' v1 >/dev/null
refuses 'A1 a good tag of an unsigned commit' T110 "commit $BAD: " "$R" \
	"$(tag_of v1)"
git -C "$R" checkout -q main
git -C "$R" checkout -q -b branch
write_policy "$R" "$REPO_ID" refs/heads/main
git -C "$R" commit -q -a -S -m 'for a branch'
git -C "$R" tag -f -s -m x v1 >/dev/null
git -C "$R" checkout -q main
refuses 'A21 a good tag of a commit that is for a branch' T151 \
	'have "refs/heads/main"' "$R" "$(tag_of v1)"

# --- what a tag points at
git -C "$R" tag -f -s -m "tag of a tag" v1 "$T1" >/dev/null 2>&1
refuses 'tag of a tag' T107 'have type "tag"' "$R" "$(tag_of v1)"
git -C "$R" tag -f -s -m tree v1 "$C1^{tree}" >/dev/null
refuses 'tag of a tree' T107 'have type "tree"' "$R" "$(tag_of v1)"

# --- objects that two readers may read in two ways
git -C "$R" cat-file tag "$T1" >"$TMP/t"
raw_tag()
{
	git -C "$R" hash-object -t tag -w --literally "$1"
}
# craft NAME CODE ERE SED [GIT]: T1 changed by sed; what git says of it
craft()
{
	sed "$4" "$TMP/t" >"$TMP/crafted"
	_id=$(raw_tag "$TMP/crafted")
	refuses "$1" "$2" "$3" "$R" "$_id"
	is "$(git_says "$_id")" "${5:-bad}" "$1: git says ${5:-bad}"
}
is "$(raw_tag "$TMP/t")" "$T1" 'crafting changes nothing else'
craft 'A15 second object' T101 'want header "type"' '/^object/p'
craft 'A15 another name after the first' T101 'want header "tagger"' \
	'/^tag v1/a tag v2'
craft 'A14 gpgsig-sha256 in a tag' T101 'want an empty line' \
	'/^tagger/a gpgsig-sha256 x' good
craft 'A14 unknown header in a tag' T101 'want an empty line' '/^tagger/a x y'
craft 'tag without a tagger' T101 'want header "tagger"' '/^tagger/d'
craft 'CR in a header of a tag' T101 'carriage return' 's/^tagger.*/&\r/'
craft 'date of a tag out of range' T104 'tagger' 's/^\(tagger .*> \)[0-9]*/\1999999999999/'
craft 'message of a tag changed' T118 'does not match' 's/^release/Release/'
craft 'A16 text behind the armor of a tag' T113 'nothing else' \
	'$a text' good
craft 'A16 wrapped anew' T113 'lines of 70' \
	'/BEGIN SSH/,/END SSH/s/^\(.\{64\}\)\(......\)$/\1\n\2/' good
craft 'two signatures: git reads the last' T111 'two lines' \
	'/BEGIN SSH/,/END SSH/{H;$!d;x;s/^\n//;s/.*/&\n&/}' bad
head -c -1 "$TMP/t" >"$TMP/crafted"
refuses 'A16 no newline at the end' T113 'newline at the end' "$R" \
	"$(raw_tag "$TMP/crafted")"
{
	cat "$TMP/t"
	printf '\000tail'
} >"$TMP/crafted"
refuses 'A14 NUL and a tail behind a tag' T101 'NUL' "$R" \
	"$(raw_tag "$TMP/crafted")"
# A message with the first line of another armor, signed: git takes the last.
for A in 'PGP SIGNATURE' 'PGP MESSAGE' 'SIGNED MESSAGE' 'SSH SIGNATURE'; do
	printf 'look:\n-----BEGIN %s-----\n' "$A" >"$TMP/message"
	git -C "$R" tag -f -s --cleanup=verbatim -F "$TMP/message" v1 "$C1" \
		>/dev/null
	is "$(git_says "$(tag_of v1)")" good "message with BEGIN $A: git says good"
	refuses "message with BEGIN $A: two readings" T111 'two lines' "$R" \
		"$(tag_of v1)"
done
printf 'look: -----BEGIN SSH SIGNATURE-----\n' >"$TMP/message"
git -C "$R" tag -f -s -F "$TMP/message" v1 "$C1" >/dev/null
accepts 'an armor inside a line is a text' "$R" "$(tag_of v1)"

# --- the way of a tag: mirror, pack, a host's store
git -C "$R" tag -f -s -m 'release' v1 "$C2" >/dev/null 2>&1
T=$(tag_of v1) S=$TMP/store.git H=$TMP/host.git
mirror()
{
	_name=$1 _ere=$2
	shift 2
	run "$ASK" "$BIN" mirror url="file://$R" ref="$REF" store="$S" "$@"
	like "$OUT" "$_ere" "$_name"
}
mirror 'mirror of a tag' "^head $T changed=1$"
succeeds 'git finds the mirror whole' git -C "$S" fsck --strict
accepts 'the mirror verifies' "$S" "$T"
mirror 'nothing new: no transfer' "^head $T changed=0$"
git -C "$R" tag -f -s -m 'said again' v1 "$C2" >/dev/null 2>&1
T=$(tag_of v1)
mirror 'only the tag is new' "^head $T changed=1$"
accepts 'the mirror verifies again' "$S" "$T" accepted="$C2"
run "$ASK" "$BIN" pack store="$S" want="$T" out="$TMP/p1"
like "$OUT" '^pack [1-9]' 'pack of the tag and all below'
run "$ASK" "$BIN" ingest store="$H" want="$T" in="$TMP/p1"
like "$OUT" "^head $T changed=1$" 'a host takes it'
accepts 'the host judges tag and commit by itself' "$H" "$T"
refuses 'A77 the host is not given the tag' T110 'tag without an object' \
	"$H" "$C2"
change "$R" third
git -C "$R" tag -f -s -m 'next' v1 >/dev/null 2>&1
T=$(tag_of v1) C3=$(head_of "$R")
mirror 'tag and commit are new' "^head $T changed=1$"
run "$ASK" "$BIN" pack store="$S" want="$T" have="$C2" out="$TMP/p2"
run "$ASK" "$BIN" ingest store="$H" want="$T" in="$TMP/p2"
like "$OUT" "^head $T changed=1$" 'a host takes what is new'
accepts 'and goes on' "$H" "$T" accepted="$C2"
like "$OUT" "^commit $C3$" 'to the commit of the tag'
git -C "$R" tag -f -s -m "tag of a tag" v1 "$T1" >/dev/null 2>&1
mirror 'a tag of a tag is not mirrored' '^error NOTFOUND .*not have the commit'
git -C "$R" tag -d v1 >/dev/null
mirror 'a tag that is gone' '^error NOTFOUND .*refs/tags/v1'

# --- by a trust policy: a person must tag, by the policy in force at the commit
. "$TOP/tests/attack/people_lib.sh"
for K in carol dave forge clock; do
	make_key "$K"
done
R=$TMP/people
new_people_repo "$R"
BASE=$(head_of "$R")
FIRST="signers= revoked= policy=$(trust_digest "$R")"
# tag_by KEY: v1 at the head
tag_by()
{
	git -C "$R" -c user.signingKey="$TMP/$1" tag -f -s -m "by $1" v1 \
		>/dev/null 2>&1
	tag_of v1
}
# shellcheck disable=SC2086
{
	accepts 'trust policy: a person tags' "$R" "$(tag_by carol)" $FIRST
	like "$OUT" '^by .* OK signer=carol@example.org' '... and is named'
	refuses 'trust policy: a carrier is no person' T120 'signed by a person' \
		"$R" "$(tag_by forge)" $FIRST
	refuses 'trust policy: nor is the key for freshness' T120 \
		'signed by a person' "$R" "$(tag_by clock)" $FIRST
	refuses 'trust policy: an unknown key' T120 'SHA256:' "$R" \
		"$(tag_by mallory)" $FIRST
	refuses 'trust policy: no tag' T110 'tag without an object' "$R" \
		"$BASE" $FIRST
	# two of root take carol out: she cannot tag what she is not part of
	write_trust "$R" 2 '/name: carol@/,/ssh:/d; s/carol@example.org, //'
	as alice "$R"
	approve bob "$R" HEAD^ HEAD
	as alice "$R"
	refuses 'trust policy: by the one in force at the commit' T120 \
		'SHA256:' "$R" "$(tag_by carol)" $FIRST
	accepts '... and who is still in it may' "$R" "$(tag_by dave)" $FIRST
}
finish
