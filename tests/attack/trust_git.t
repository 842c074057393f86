#!/bin/sh
# trust_git.t - the cases that git's own tests of signatures know (commits,
# merges, merged tags, keys with a lifetime), made anew, with git verify-commit
# and us on the same objects (threat G10).  A difference stands in the line.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
trust_setup

R=$TMP/repo
new_repo "$R"
ROOT=$(head_of "$R")
g()
{
	git -C "$R" -c gpg.ssh.allowedSignersFile="${SIGNERS:-$TMP/signers}" "$@"
}
# says NAME GIT OURS [ERE [COMMIT]]: git good or bad; we OK, or this code and words
says()
{
	_id=${5:-$(head_of "$R")}
	_theirs=bad
	g verify-commit "$_id" >/dev/null 2>&1 && _theirs=good
	ask_verify "$R" "$_id" accepted="$_id" head_only=1 \
		signers="${SIGNERS:-$TMP/signers}"
	if [ "$_theirs" = "$2" ] &&
		printf '%s\n' "$OUT" | grep -Eq "^by $_id $3 .*${4:-}"; then
		ok "G10 $1"
	else
		not_ok "G10 $1" "want git $2, we $3 /${4:-}/
have git $_theirs, we: $OUT"
	fi
}
back()
{
	git -C "$R" checkout -q -f -B main "$ROOT"
}

# --- every way to make a signed commit
says 'a root commit' good OK
change "$R" second
says 'on top' good OK
SECOND=$(head_of "$R")
git -C "$R" commit -q --amend -S -m amended
says 'amended' good OK
git -C "$R" commit -q --amend -S --allow-empty-message -m '' --no-edit
says 'no message' good OK
git -C "$R" -c user.name='Zoë Ångström' commit -q --allow-empty -S -m 'ünïcödé'
says 'UTF-8 in names and message' good OK
git -C "$R" commit -q --allow-empty -S --author='B <b@example.org>' \
	--date='2001-01-01T00:00:00+0530' -m 'another author and date'
says 'another author' good OK
T=$(git -C "$R" rev-parse 'HEAD^{tree}')
says 'commit-tree' good OK '' "$(git -C "$R" commit-tree -S -p "$ROOT" -m x "$T")"
back
git -C "$R" checkout -q -b side
change "$R" side
git -C "$R" checkout -q -b side2 "$ROOT"
echo other >"$R/other"
git -C "$R" add other
git -C "$R" commit -q -S -m other
git -C "$R" checkout -q main
git -C "$R" merge -q -S --no-ff -m merge side
says 'merge' good OK
git -C "$R" checkout -q main
echo third >"$R/third"
git -C "$R" add third
git -C "$R" commit -q -S -m third
git -C "$R" cherry-pick -S side2 >/dev/null 2>&1
says 'cherry-pick' good OK
git -C "$R" revert -S --no-edit HEAD >/dev/null
says 'revert' good OK
git -C "$R" rebase -q --force-rebase -S --onto "$ROOT" HEAD~2 >/dev/null 2>&1
says 'rebase' good OK
back
git -C "$R" commit -q --allow-empty -S -m a && A=$(head_of "$R")
git -C "$R" checkout -q -f -B b "$ROOT"
git -C "$R" commit -q --allow-empty -S -m b && P=$(head_of "$R")
back
git -C "$R" commit -q --allow-empty -S -m c
says 'octopus' good OK '' "$(git -C "$R" commit-tree -S -p "$(head_of "$R")" \
	-p "$A" -p "$P" -m octopus "$T")"
git -C "$R" -c commit.gpgSign=true commit -q --allow-empty -m config
says 'by configuration' good OK

# --- without a signature
git -C "$R" -c commit.gpgSign=true commit -q --allow-empty --no-gpg-sign -m n
says 'signing turned off' bad T110 'no signature'
git -C "$R" commit -q --allow-empty -S -m s
git -C "$R" commit -q --amend --allow-empty --no-gpg-sign -m u
says 'the signature amended away' bad T110 'no signature'
back

# --- changed afterwards
change "$R" fudge
g cat-file commit HEAD >"$TMP/c"
# fudge NAME GIT OURS ERE SED
fudge()
{
	sed "$5" "$TMP/c" >"$TMP/f"
	says "$1" "$2" "$3" "$4" "$(raw_commit "$R" "$TMP/f")"
}
fudge 'fudged message' bad T118 'does not match' 's/^change$/changed/'
fudge 'fudged author' bad T118 'does not match' 's/^author Alice/author Mallory/'
fudge 'fudged tree' bad T118 'does not match' \
	's/^tree .*/tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904/'
fudge 'fudged parent' bad T118 'does not match' '/^parent/d'
fudge 'fudged signature' bad 'T11[348]' '.' '/^ [A-Za-z0-9]/{s/[A-Z]/a/5}'
(cat "$TMP/c"; printf '\000forged') >"$TMP/f"
says 'NUL and forged text' bad T101 'NUL' "$(raw_commit "$R" "$TMP/f")"
fudge 'gpgsig-sha256 alone' bad T111 'gpgsig-sha256' 's/^gpgsig /gpgsig-sha256 /'
fudge 'gpgsig-sha256 beside: git passes it over' good T111 'gpgsig-sha256' \
	'/^committer/a gpgsig-sha256 x'
fudge 'empty gpgsig before' bad T110 'empty' '/^committer/a gpgsig '
sed -n '/^gpgsig/,/END SSH/p' "$TMP/c" >"$TMP/good"
sed 's/U1NI/U1NJ/' "$TMP/good" >"$TMP/bad"
# two NAME GIT FIRST SECOND: both headers where the one was
two()
{
	cat "$TMP/$3" "$TMP/$4" >"$TMP/both"
	sed '/^gpgsig/,/END SSH/d' "$TMP/c" | sed "/^committer/r $TMP/both" \
		>"$TMP/f"
	says "$1" "$2" T111 'one gpgsig' "$(raw_commit "$R" "$TMP/f")"
}
two 'two equal signatures: git takes both' good good good
two 'a good and a bad signature: git takes the first' good good bad
two 'a bad and a good signature' bad bad good
{
	sed '/^gpgsig/,/END SSH/d' "$TMP/c"
	sed -n '/^gpgsig/,/END SSH/p' "$TMP/c"
} >"$TMP/f"
says 'the signature in the message' bad T110 'no signature' \
	"$(raw_commit "$R" "$TMP/f")"
{
	sed '/^gpgsig/,/END SSH/d' "$TMP/c"
	echo 'gpgsigX altered'
	sed -n '/^gpgsig/,/END SSH/p' "$TMP/c"
} >"$TMP/f"
says 'A14 a line gpgsigX and the signature in the message' bad T110 \
	'no signature' "$(raw_commit "$R" "$TMP/f")"
fudge 'OpenPGP armor around it' bad T112 'OpenPGP' 's/SSH SIG/PGP SIG/'
fudge 'X.509 armor around it' bad T112 'X.509' 's/SSH SIGNATURE/SIGNED MESSAGE/'
fudge 'armor without its end' bad T113 'END SSH' '/END SSH/d'
git -C "$R" -c i18n.commitEncoding=ISO-8859-1 commit -q --allow-empty -S \
	-m "$(printf 'caf\351')"
says 'another encoding: git signs the bytes as they are' good T103 UTF-8
back

# --- merged tags: a whole signed tag inside a merge
git -C "$R" checkout -q side
git -C "$R" tag -s -m signed stag
git -C "$R" checkout -q -B m2 "$ROOT"
git -C "$R" commit -q --allow-empty -S -m base
git -C "$R" merge -q -S --no-ff -m 'merge tag' stag
says 'merge of a signed tag' good OK
like "$(g cat-file commit HEAD)" '^mergetag object' '... has a mergetag header'
g cat-file commit HEAD >"$TMP/c"
fudge 'merged tag changed afterwards' bad T118 'does not match' \
	's/^ signed$/ forged/'
sed '/^gpgsig/,/END SSH/d; s/^ signed$/ forged/' "$TMP/c" >"$TMP/plain"
ssh-keygen -q -Y sign -n git -f "$TMP/alice" "$TMP/plain" 2>/dev/null
awk 'FNR == NR { a[n++] = $0; next } { print }
	/^committer/ { for (i = 0; i < n; i++)
		print (i ? " " : "gpgsig ") a[i] }' "$TMP/plain.sig" \
	"$TMP/plain" >"$TMP/f"
says 'merged tag that is bad itself: it proves nothing, to git neither' good OK \
	'' "$(raw_commit "$R" "$TMP/f")"
back

# --- keys
make_key untrusted
git -C "$R" -c user.signingKey="$TMP/untrusted" commit -q --allow-empty -S -m u
says 'unknown key' bad T120 'nobody.s who may sign'
back
for K in expired notyet boxed; do
	make_key "$K"
done
{
	cat "$TMP/signers"
	signer_line expired 'valid-before="20000101Z"'
	signer_line notyet 'valid-after="29990101Z"'
	signer_line boxed 'valid-after="20050101Z",valid-before="20060101Z"'
} >"$TMP/lifetimes"
SIGNERS=$TMP/lifetimes
# by KEY [DATE]
by()
{
	back
	GIT_COMMITTER_DATE=${2:-} git -C "$R" -c user.signingKey="$TMP/$1" \
		commit -q --allow-empty -S -m "$1"
}
by expired
says 'expired key' bad T123 'outside the validity'
by notyet
says 'key not valid yet' bad T123 'outside the validity'
by boxed '2005-06-01T00:00:00+0000'
says 'date inside the lifetime of an expired key, accepted before' good OK
ask_verify "$R" "$(head_of "$R")" accepted="$ROOT" signers="$SIGNERS"
like "$OUT" '^by .* T124 .*not valid now' \
	'G10 the same, seen for the first time: we refuse, git does not ask'
by boxed '2007-06-01T00:00:00+0000'
says 'date behind the lifetime' bad T123 'outside the validity'
by boxed '2004-12-31T23:59:59+0000'
says 'date a second before the lifetime' bad T123 'outside the validity'
by boxed '2005-01-01T00:00:00+0000'
says 'date at the first second' good OK
by boxed '2005-12-31T23:59:59+0000'
says 'date at the last second' good OK
by boxed '2006-01-01T00:00:00+0000'
says 'date one second later: the end is not part of it here' good T123 \
	'outside the validity'
SIGNERS=
back
cut -d' ' -f1,2 "$TMP/alice.pub" >"$TMP/revoked"
ask_verify "$R" "$ROOT"
like "$OUT" '^by .* T122 ' 'G10 revoked key: we refuse'
fails 'G10 revoked key: git refuses when it is told of the file' 1 '.' git -C "$R" \
	-c gpg.ssh.allowedSignersFile="$TMP/signers" \
	-c gpg.ssh.revocationFile="$TMP/revoked" verify-commit "$ROOT"
succeeds 'G10 revoked key: git accepts when the file is gone' git -C "$R" \
	-c gpg.ssh.allowedSignersFile="$TMP/signers" \
	-c gpg.ssh.revocationFile="$TMP/nothing" verify-commit "$ROOT"
echo '# none' >"$TMP/revoked"
refuses 'A5 the file gone: we refuse' T161 'at least one line' "$R" "$ROOT" \
	revoked=

# --- what git shows is not what is there
change "$R" replaced
NEW=$(head_of "$R")
git -C "$R" commit -q --amend --no-gpg-sign -m bad
BAD=$(head_of "$R")
git -C "$R" replace "$BAD" "$NEW"
says 'replace ref: git looks at another object' good T110 'no signature' "$BAD"
git -C "$R" replace -d "$BAD" >/dev/null

# --- objects named by SHA-256
git init -q --object-format=sha256 "$TMP/sha256"
git -C "$TMP/sha256" config gpg.format ssh
git -C "$TMP/sha256" config user.signingKey "$TMP/alice"
git -C "$TMP/sha256" commit -q --allow-empty -S -m sha256
succeeds 'G10 SHA-256 repository: git accepts' git -C "$TMP/sha256" \
	-c gpg.ssh.allowedSignersFile="$TMP/signers" verify-commit HEAD
refuses 'G10 SHA-256 repository: we do not read it' T180 '40 lower-case hex' \
	"$TMP/sha256" "$(head_of "$TMP/sha256")"
finish
