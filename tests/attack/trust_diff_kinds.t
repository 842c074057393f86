#!/bin/sh
# trust_diff_kinds.t - the differential of G10 for the two other kinds: commits
# signed by gpg and by gpgsm, changed, before git verify-commit (which runs gpg
# and gpgsm) and before us.  What we accept git must accept.  DIFF_N a kind.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
need_program openssl gpg gpgsm gpgconf gpg-agent sqv
trust_setup
build_tool trust_mutate "$TOP/tests/attack/mutate_object.c" \
	"$TOP/tests/attack/mutate_sign.c" \
	"$TOP/tests/attack/mutate_signed.c" "$B/policy.a" || exit 1
N=${DIFF_N:-40}
SEED=${DIFF_SEED:-$(date +%j)}
GNUPGHOME=$TMP/gnupg
export GNUPGHOME
mkdir -m 700 "$GNUPGHOME"
stop_agent() { gpgconf --kill all; }
at_exit stop_agent
: >"$TMP/pw"

# --- petra has an OpenPGP key, xavier a certificate
gpg --batch --quiet --no-permission-warning --passphrase '' \
	--quick-gen-key 'petra <petra@example.org>' ed25519 sign never 2>"$TMP/log"
gpg --batch --quiet --armor --export petra >"$TMP/petra.asc"
FPR=$(gpg --with-colons --list-keys petra | awk -F: '/^fpr/ { print $10; exit }')
(
	cd "$TMP" || exit 1
	openssl req -x509 -newkey rsa:3072 -nodes -keyout ca.key -out ca.pem \
		-subj /CN=ca -days 30 -addext keyUsage=critical,keyCertSign
	openssl req -newkey rsa:3072 -nodes -keyout x.key -out x.csr -subj /CN=x
	printf '%s\n' subjectAltName=email:xavier@example.org \
		extendedKeyUsage=emailProtection keyUsage=critical,digitalSignature \
		basicConstraints=CA:FALSE >x.ext
	openssl x509 -req -in x.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
		-days 20 -extfile x.ext -out x.pem
	openssl pkcs12 -export -inkey x.key -in x.pem -certfile ca.pem \
		-passout pass: -out x.p12
	openssl x509 -in ca.pem -noout -fingerprint -sha1 |
		sed 's/.*=//; s/$/ S relax/' >"$GNUPGHOME/trustlist.txt"
	echo disable-crl-checks >"$GNUPGHOME/gpgsm.conf"
	echo allow-loopback-pinentry >"$GNUPGHOME/gpg-agent.conf"
	gpgsm --batch --pinentry-mode loopback --passphrase-fd 3 --import \
		x.p12 3<pw
) 2>>"$TMP/log"
cat >"$TMP/sign-x509" <<END
#!/bin/sh
openssl cms -sign -binary -outform PEM -signer "$TMP/x.pem" \
	-inkey "$TMP/x.key" -certfile "$TMP/ca.pem" |
	sed 's/ CMS-/ SIGNED MESSAGE-/'
echo '[GNUPG:] SIG_CREATED ' >&2
END
chmod +x "$TMP/sign-x509"

R=$TMP/repo
git init -q -b main "$R"
write_policy "$R"
indent() { sed 's/^/          /' "$1"; }
cat >"$R/.reconcile/trust.yaml" <<END
apiVersion: reconcile/v1alpha1
kind: TrustPolicy
metadata: {name: trust}
spec:
  version: 1
  expires: "2099-01-01T00:00:00Z"
  people:
  - name: petra
    keys:
    - openpgp:
        fingerprint: $FPR
        certificate: |
$(indent "$TMP/petra.asc")
  - name: xavier
    keys:
    - x509:
        authority: |
$(indent "$TMP/ca.pem")
        identity: email:xavier@example.org
  root: {people: [petra], threshold: 1}
  rules:
  - paths: ["**"]
    people: [petra, xavier]
  revocations: {asOf: "2026-11-28T00:00:00Z"}
END
mkdir -p "$R/manifests"
write_config "$R" first
git -C "$R" add -A
FIRST="signers= revoked= openpgp=1 policy=sha256:$(sha256sum \
	"$R/.reconcile/trust.yaml" | cut -c1-64)"
git -C "$R" -c gpg.format=openpgp -c user.signingKey="$FPR" commit -q -S -m one
P=$(head_of "$R")
git -C "$R" -c gpg.format=x509 -c gpg.x509.program="$TMP/sign-x509" \
	-c user.signingKey=x commit -q -S --allow-empty -m two
X=$(head_of "$R")

ours()
{
	# shellcheck disable=SC2086
	ask_verify "$R" "$1" accepted="$1" head_only=1 $FIRST
	printf '%s\n' "$OUT" | grep -q "^by $1 OK"
}
theirs()
{
	git -C "$R" verify-commit "$1" >"$TMP/git.out" 2>&1
}
# compare KIND COMMIT
compare()
{
	HOLES= BOTH=0 GITS=0 REASONS= _i=0
	git -C "$R" cat-file commit "$2" >"$TMP/c"
	while [ "$_i" -lt "$N" ]; do
		_i=$((_i + 1))
		"$B/tests/trust_mutate" change "$SEED" "$_i" <"$TMP/c" >"$TMP/m" \
			2>"$TMP/how"
		_id=$(raw_commit "$R" "$TMP/m") || continue
		[ "$_id" != "$2" ] || continue
		if ours "$_id"; then
			BOTH=$((BOTH + 1))
			theirs "$_id" || HOLES="$HOLES $_i:$(cat "$TMP/how")"
		elif theirs "$_id"; then
			GITS=$((GITS + 1))
			REASONS="$REASONS $(printf '%s\n' "$OUT" |
				sed -n "s/^by $_id \(T[0-9]*\) .*/\1/p" | head -n 1)"
		fi
	done
	is "$HOLES" '' "G10 $1: what we accept git accepts"
	# shellcheck disable=SC2086
	diag "$1: of $N git alone accepts $GITS, both $BOTH; our reasons:$(
		printf '%s\n' $REASONS | sort | uniq -c | tr '\n' ' ')"
}
for W in "OpenPGP $P" "X.509 $X"; do
	if theirs "${W#* }" && ours "${W#* }"; then
		ok "control, ${W% *}: both accept the commit as it was made"
	else
		not_ok "control, ${W% *}: both accept the commit as it was made" \
			"$(cat "$TMP/git.out") $OUT"
	fi
	compare "${W% *}" "${W#* }"
done
finish
