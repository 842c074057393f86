#!/bin/sh
# trust_keys.t - every key type, hardware keys and certificates (threats A9,
# A11, A12, A13), and the allowed signers file read strictly.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
trust_setup

R=$TMP/repo
new_repo "$R"
ROOT=$(head_of "$R")

# by NAME MESSAGE: a commit signed with key NAME, on top of the root
by()
{
	git -C "$R" reset -q --hard "$ROOT"
	git -C "$R" -c user.signingKey="$TMP/$1" commit -q -S --allow-empty \
		-m "$1" 2>"$TMP/.commit" || diag "$(cat "$TMP/.commit")"
}

# --- types that are allowed
for T in ed25519 ecdsa:256 ecdsa:384 ecdsa:521 rsa:3072 rsa:4096; do
	K=$(echo "$T" | tr -d :)
	case $T in
	*:*) make_key "$K" "${T%:*}" "${T#*:}" ;;
	*) make_key "$K" "$T" ;;
	esac
	{
		signer_line alice
		signer_line "$K"
	} >"$TMP/signers"
	by "$K"
	accepts "key $T" "$R" "$(head_of "$R")" accepted="$ROOT"
	like "$OUT" "signer=$K@example.org" "key $T: the signer is named"
done
git -C "$R" cat-file commit HEAD | sed 's/^rsa4096$/Rsa4096/' >"$TMP/crafted"
refuses 'rsa: a changed message' T118 'does not match' "$R" \
	"$(raw_commit "$R" "$TMP/crafted")" accepted="$ROOT"

# --- types that are not
signer_line alice >"$TMP/signers"
for BITS in 1024 2048; do
	make_key "rsa$BITS" rsa "$BITS"
	by "rsa$BITS"
	refuses "A13 signature by RSA of $BITS bits" T117 \
		"3072 to 8192 bits, have $BITS" \
		"$R" "$(head_of "$R")" accepted="$ROOT"
	signer_line "rsa$BITS" >"$TMP/weak"
	refuses "A13 RSA of $BITS bits as a signer" T117 \
		'allowed signers:1.*3072' "$R" "$ROOT" signers="$TMP/weak"
done
if ssh-keygen -q -t dsa -N '' -f "$TMP/dsa" 2>/dev/null; then
	signer_line dsa >"$TMP/weak"
	refuses 'A13 DSA as a signer' T117 'ssh-dss' "$R" "$ROOT" \
		signers="$TMP/weak"
fi
forge_key rsa-sha1 sha1
{
	signer_line alice
	signer_line sha1
} >"$TMP/signers"
signer_program git rsa-sha1
git -C "$R" config gpg.ssh.program "$TMP/sign-program"
by sha1
refuses 'A13 ssh-rsa with SHA-1' T117 'algorithm "ssh-rsa"' \
	"$R" "$(head_of "$R")" accepted="$ROOT"

# --- hardware keys, done in software
for T in sk-ed25519 sk-ecdsa; do
	forge_key "$T" "$T"
	{
		signer_line alice
		signer_line "$T"
	} >"$TMP/signers"
	{
		signer_line alice
		signer_line "$T" verify-required
	} >"$TMP/pin"
	{
		signer_line alice
		signer_line "$T" no-touch-required
	} >"$TMP/notouch"
	signer_program git "$T" 1
	by "$T"
	TIP=$(head_of "$R")
	accepts "$T touched" "$R" "$TIP" accepted="$ROOT"
	succeeds "$T: git agrees" git -C "$R" -c \
		gpg.ssh.allowedSignersFile="$TMP/signers" -c \
		gpg.ssh.program=ssh-keygen verify-commit "$TIP"
	refuses "A12 $T without PIN where it is required" T119 'want a PIN' \
		"$R" "$TIP" accepted="$ROOT" signers="$TMP/pin"
	signer_program git "$T" 5
	by "$T"
	accepts "$T touched, with PIN" "$R" "$(head_of "$R")" accepted="$ROOT" \
		signers="$TMP/pin"
	signer_program git "$T" 0
	by "$T"
	refuses "A12 $T not touched" T119 'want the key touched' \
		"$R" "$(head_of "$R")" accepted="$ROOT"
	accepts "A12 $T not touched, where the line allows it" "$R" \
		"$(head_of "$R")" accepted="$ROOT" signers="$TMP/notouch"
done
git -C "$R" config --unset gpg.ssh.program

# --- certificates of hardware keys: the certificate and the line must both allow
# what is less than a touch; either may ask for more
make_key skca
git -C "$R" config gpg.ssh.program "$TMP/sign-program"
for T in sk-ed25519 sk-ecdsa; do
	forge_key "$T" "$T"
	for L in plain no-touch-required verify-required; do
		{
			signer_line alice
			echo "*@example.org cert-authority,namespaces=\"git\"$(
				[ "$L" = plain ] || echo ",$L") $(cut -d' ' \
				-f1,2 "$TMP/skca.pub")"
		} >"$TMP/ca-$L"
	done
	cp "$TMP/ca-plain" "$TMP/signers"
	# skcert NAME FLAGS OPTION...: a commit signed under a certificate
	skcert()
	{
		_n=$1 _f=$2
		shift 2
		cp "$TMP/$T.pub" "$TMP/skc.pub"
		ssh-keygen -q -s "$TMP/skca" -I "id-$_n" -n sk@example.org "$@" \
			"$TMP/skc.pub"
		signer_program git "$T" "$_f" "$TMP/skc-cert.pub"
		by "$T"
		TIP=$(head_of "$R")
	}
	skcert touched 1
	accepts "certificate of $T touched" "$R" "$TIP" accepted="$ROOT"
	like "$OUT" 'signer=sk@example.org' "certificate of $T: the principal"
	succeeds "certificate of $T: git agrees" git -C "$R" -c \
		gpg.ssh.allowedSignersFile="$TMP/signers" -c \
		gpg.ssh.program=ssh-keygen verify-commit "$TIP"
	refuses "A12 certificate of $T, the line asks for a PIN" T119 \
		'want a PIN' "$R" "$TIP" accepted="$ROOT" \
		signers="$TMP/ca-verify-required"
	skcert untouched 0
	refuses "A12 certificate of $T not touched" T119 'want the key touched' \
		"$R" "$TIP" accepted="$ROOT"
	refuses "A12 certificate of $T not touched, only the line allows it" \
		T119 'want the key touched' "$R" "$TIP" accepted="$ROOT" \
		signers="$TMP/ca-no-touch-required"
	skcert notouch 0 -O no-touch-required
	refuses "A12 certificate of $T not touched, only it allows it" T119 \
		'want the key touched' "$R" "$TIP" accepted="$ROOT"
	accepts "A12 certificate of $T not touched, both allow it" "$R" "$TIP" \
		accepted="$ROOT" signers="$TMP/ca-no-touch-required"
	skcert pin 1 -O verify-required
	refuses "A12 certificate of $T that asks for a PIN" T119 'want a PIN' \
		"$R" "$TIP" accepted="$ROOT"
	skcert pin 5 -O verify-required
	accepts "certificate of $T with its PIN" "$R" "$TIP" accepted="$ROOT"
	skcert option 1 -O critical:x-unknown=1
	refuses "A11 certificate of $T with an unknown critical option" T134 \
		'x-unknown' "$R" "$TIP" accepted="$ROOT"
done
git -C "$R" config --unset gpg.ssh.program

# --- certificates
make_key ca
make_key bob
CA=$(cut -d' ' -f1,2 "$TMP/ca.pub")
{
	signer_line alice
	echo "*@example.org,!eve@example.org cert-authority,namespaces=\"git\" $CA"
} >"$TMP/signers"
# cert NAME SSH-KEYGEN-OPTION...: $TMP/NAME.pub certifies bob's key
cert()
{
	_n=$1
	shift
	cp "$TMP/bob" "$TMP/$_n"
	cp "$TMP/bob.pub" "$TMP/$_n.pub"
	ssh-keygen -q -s "$TMP/ca" -I "id-$_n" "$@" "$TMP/$_n.pub"
	mv "$TMP/$_n-cert.pub" "$TMP/$_n.pub"
	{
		git -C "$R" reset -q --hard "$ROOT"
		# The certificate must be what ssh-keygen -Y sign embeds.
		git -C "$R" -c user.signingKey="$TMP/$_n.pub" commit -q -S \
			--allow-empty -m "$_n"
	} 2>"$TMP/.commit" || diag "$(cat "$TMP/.commit")"
}
cert good -n bob@example.org -z 7
TIP=$(head_of "$R")
accepts 'certificate' "$R" "$TIP" accepted="$ROOT"
like "$OUT" 'signer=bob@example.org' 'certificate: the principal is the signer'
succeeds 'certificate: git agrees' git -C "$R" -c \
	gpg.ssh.allowedSignersFile="$TMP/signers" verify-commit "$TIP"
echo 'serial: 5-9' >"$TMP/revoked"
refuses 'A4 certificate revoked by serial' T122 'serial 7' "$R" "$TIP" \
	accepted="$ROOT"
echo 'id: id-good' >"$TMP/revoked"
refuses 'A4 certificate revoked by id' T122 'serial 7' "$R" "$TIP" \
	accepted="$ROOT"
cut -d' ' -f1,2 "$TMP/ca.pub" >"$TMP/revoked"
refuses 'A4 authority revoked' T122 'certificate of key' "$R" "$TIP" \
	accepted="$ROOT"
cut -d' ' -f1,2 "$TMP/bob.pub" >"$TMP/revoked"
refuses 'A4 certified key revoked' T122 'certificate of key' "$R" "$TIP" \
	accepted="$ROOT"
echo '# nothing' >"$TMP/revoked"
{
	signer_line alice
	signer_line ca
} >"$TMP/noca"
refuses 'A11 a plain signer is no authority' T120 'not a cert-authority' \
	"$R" "$TIP" accepted="$ROOT" signers="$TMP/noca"
{
	signer_line alice
	echo "bob@example.org namespaces=\"git\" $CA"
} >"$TMP/noca"
refuses 'A11 nor with the right name' T120 'not a cert-authority' \
	"$R" "$TIP" accepted="$ROOT" signers="$TMP/noca"
by ca
refuses 'A11 an authority is no signer' T120 'nobody.s who may sign' \
	"$R" "$(head_of "$R")" accepted="$ROOT"
cert nobody
refuses 'A11 certificate without principals' T132 'names no principal' \
	"$R" "$(head_of "$R")" accepted="$ROOT"
cert host -h -n bob@example.org
refuses 'A11 host certificate' T131 'want type 1' \
	"$R" "$(head_of "$R")" accepted="$ROOT"
cert past -n bob@example.org -V 20200101Z:20200201Z
refuses 'A11 expired certificate' T133 'outside the validity' \
	"$R" "$(head_of "$R")" accepted="$ROOT"
cert option -n bob@example.org -O critical:x-unknown=1
refuses 'A11 unknown critical option' T134 'x-unknown' \
	"$R" "$(head_of "$R")" accepted="$ROOT"
cert command -n bob@example.org -O force-command=/bin/true
refuses 'A11 force-command' T134 'force-command' \
	"$R" "$(head_of "$R")" accepted="$ROOT"
cert other -n bob@elsewhere.org
refuses 'A11 principal that the line does not allow' T132 'no principal of' \
	"$R" "$(head_of "$R")" accepted="$ROOT"
cert eve -n eve@example.org
refuses 'A11 principal that the line excludes' T132 'no principal of' \
	"$R" "$(head_of "$R")" accepted="$ROOT"
make_key ca2
cp "$TMP/ca" "$TMP/ca.keep"
cp "$TMP/ca2" "$TMP/ca"
cp "$TMP/ca2.pub" "$TMP/ca.pub"
cert wrongca -n bob@example.org
refuses 'A11 another authority' T120 'not a cert-authority' \
	"$R" "$(head_of "$R")" accepted="$ROOT"
for T in ecdsa:256 rsa:3072; do
	make_key "ca3${T%:*}" "${T%:*}" "${T#*:}"
	cp "$TMP/ca3${T%:*}" "$TMP/ca"
	{
		signer_line alice
		echo "* cert-authority,namespaces=\"git\" $(cut -d' ' -f1,2 \
			"$TMP/ca3${T%:*}.pub")"
	} >"$TMP/signers"
	cert "c${T%:*}" -n bob@example.org
	accepts "authority of type $T" "$R" "$(head_of "$R")" accepted="$ROOT"
done

# --- the allowed signers file: a line that does not parse is an error
KEY=$(cut -d' ' -f1,2 "$TMP/alice.pub")
# line NAME CODE ERE LINE
line()
{
	{
		echo '# comment'
		signer_line alice
		printf '%s\n' "$4"
	} >"$TMP/lines"
	refuses "signers: $1" "$2" "$3" "$R" "$ROOT" signers="$TMP/lines"
}
line 'garbage' T160 'allowed signers:3' 'what is this'
line 'no namespaces' T164 'allowed signers:3' "a@b $KEY"
line 'other namespaces' T164 'allowed signers:3' \
	"a@b namespaces=\"file\" $KEY"
line 'pattern of namespaces' T164 'plain names' "a@b namespaces=\"*\" $KEY"
line 'unknown option' T160 'x-option' "a@b namespaces=\"git\",x-option $KEY"
line 'pattern as a person' T160 'named person' \
	"*@b namespaces=\"git\" $KEY"
line 'key cut short' T160 'base64' \
	"a@b namespaces=\"git\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA"
line 'type does not fit' T160 'not of the type' \
	"a@b namespaces=\"git\" ssh-rsa ${KEY#* }"
line 'bad date' T160 'YYYYMMDDZ' \
	"a@b namespaces=\"git\",valid-after=\"20261301Z\" $KEY"
line 'empty window' T160 'not before' "a@b \
namespaces=\"git\",valid-after=\"20270101Z\",valid-before=\"20260101Z\" $KEY"
line 'A9 time without Z' T163 'ends in Z' \
	"a@b namespaces=\"git\",valid-before=\"203001010000\" $KEY"
: >"$TMP/lines"
refuses 'signers: empty' T160 'at least one signer' "$R" "$ROOT" \
	signers="$TMP/lines"
{
	printf '# comment\r\n\n  \t\n'
	printf 'alice@example.org,al \tnamespaces="git,x"\t %s a comment\r\n' \
		"$KEY"
} >"$TMP/lines"
accepts 'signers: CRLF, tabs, comment, two principals' "$R" "$ROOT" \
	signers="$TMP/lines"
finish
