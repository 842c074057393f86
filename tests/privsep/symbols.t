#!/bin/bash
# symbols.t - what the programs cannot even call: the link lists say which
# libraries, this says which parts of them; and how the executables are
# hardened (K20, E08, L01, L02, L05, L13, P10, R20).
. "$(dirname "$0")/../integration/lib.sh"
need_program nm readelf
tmpdir
ALL="reconcile reconcile-agent reconcile-audit reconcile-channel reconcile-engine reconcile-engine-systemd
	reconcile-fetch reconcile-init reconcile-link reconcile-monitor
	reconcile-net reconcile-openpgp reconcile-pull reconcile-unpack
	reconcile-verify"
STATIC=" reconcile-engine reconcile-init reconcile-monitor "
for p in $ALL; do
	[ -x "$BIN/$p" ] || skip_all "needs $p"
done
nm -D --undefined-only "$BIN/reconcile" | grep -q __asan &&
	skip_all "a sanitizer build calls everything"

# calls PROGRAM: what it takes from libraries, one name a line.  A static
# program has its libraries in it: there, what our own objects ask for.
calls()
{
	case $STATIC in
	*" $1 "*)
		case $1 in
		reconcile-init) _dirs=$B/o/engine/init ;;
		reconcile-monitor) _dirs="$B/o/engine/monitor $B/o/lib" ;;
		*)
			_dirs=$(find "$B/o/engine" -mindepth 1 -maxdepth 1 \
				-type d ! -name image ! -name monitor ! -name init \
				! -name systemd)
			_dirs="$_dirs $B/o/lib"
			;;
		esac
		# shellcheck disable=SC2086
		find $_dirs -name '*.o' -exec nm --undefined-only {} +
		;;
	*) nm -D --undefined-only "$BIN/$1" ;;
	esac | awk 'NF == 2 { print $2 }' | sed 's/@.*//' | sort -u
}

# none NAME ERE PROGRAM...: not one of these programs calls such.
none()
{
	_name=$1 _re=$2 _found=
	shift 2
	for _p in "$@"; do
		_f=$(calls "$_p" | grep -xE -- "$_re" | tr '\n' ' ')
		[ -z "$_f" ] || _found="$_found$_p: $_f
"
	done
	is "$_found" "" "$_name"
}

like "$(calls reconcile-unpack | tr '\n' ' ')" "archive_read_open" \
	"control: the list of a dynamic program is not empty"
like "$(calls reconcile-engine | tr '\n' ' ')" "clone|syscall" \
	"control: nor that of a static one"
# shellcheck disable=SC2086
none "K20 no program can start a shell or search a path for a program" \
	'system|popen|execl|execlp|execle|execvp|execvpe|wordexp|posix_spawnp' $ALL
none "E08 who works in a root of an image looks up no name, loads no library" \
	'(get|set|end)(pw|gr)(nam|uid|gid|ent).*|initgroups|getgrouplist|dlopen|iconv_open' \
	reconcile-engine reconcile-init reconcile-monitor reconcile-unpack \
	reconcile-agent
none "L13 who has privileges resolves no name" \
	'getaddrinfo.*|gethostby.*|getnameinfo|res_.*' \
	reconcile-engine reconcile-init reconcile-monitor reconcile-net \
	reconcile-agent
none "L02 nothing is checked out, filtered or cloned" \
	'git_(checkout|submodule|clone|filter|attr|rebase|apply|stash|worktree|blame|config_open)(_.*)?' \
	reconcile-fetch reconcile-verify
none "L02 nor merged by who fetches" 'git_(merge|index)(_.*)?' reconcile-fetch
is "$(calls reconcile-verify | grep -E '^git_(merge|index)' | tr '\n' ' ')" \
	"git_index_free git_index_has_conflicts git_index_write_tree_to git_merge_bases git_merge_commits git_merge_options_init " \
	"L02 the verifier merges in memory and no more"
none "L02 the verifier speaks to no remote" 'git_(remote|transport|cred|push).*' \
	reconcile-verify
is "$(calls reconcile-unpack | grep -E '^archive_(read_support|write|read_extract|read_disk)' | tr '\n' ' ')" \
	"archive_read_support_filter_gzip archive_read_support_filter_zstd archive_read_support_format_raw archive_read_support_format_tar " \
	"L01 of libarchive: tar, raw bytes, gzip and zstd; no other reader, no writer"
# shellcheck disable=SC2086
none "P10 no PKCS 7, PKCS 12, CMP, time stamps or DTLS" \
	'(PKCS7|PKCS12|TS|OSSL_CMP|DTLS)_.*|DTLSv1.*' $ALL
# shellcheck disable=SC2086
none "P10 CMS is read by the verifier alone" 'CMS_.*' \
	$(echo $ALL | tr ' ' '\n' | grep -v '^reconcile-verify$')
none "P10 the verifier makes no CMS and opens none" \
	'CMS_(sign|sign_receipt|(add|encrypt|decrypt|final|EnvelopedData|AuthEnveloped|EncryptedData|SignerInfo_sign|SignerInfo_set|RecipientInfo|compress|uncompress|digest).*)' \
	reconcile-verify
none "P10 the starter of sqv has no cryptography of its own" \
	'(EVP|X509|ASN1|BIO|OPENSSL)_.*' reconcile-openpgp
none "L05 SQLite loads no extension" \
	'sqlite3_(load_extension|enable_load_extension|auto_extension)' reconcile

# --- executables -------------------------------------------------------------------
for p in $ALL; do
	f=$BIN/$p wrong=
	readelf -hW "$f" | grep -q 'DYN (Position' || wrong="$wrong not-pie"
	readelf -lW "$f" | grep -q GNU_RELRO || wrong="$wrong no-relro"
	readelf -lW "$f" | grep GNU_STACK | grep -q ' RW ' ||
		wrong="$wrong executable-stack"
	! readelf -lW "$f" | grep LOAD | grep -q RWE || wrong="$wrong rwx-segment"
	readelf -dW "$f" | grep -qE 'BIND_NOW|NOW' || wrong="$wrong lazy"
	! readelf -dW "$f" | grep -qE 'RPATH|RUNPATH' || wrong="$wrong runpath"
	# the first process of a pod has no C library at all
	[ "$p" = reconcile-init ] || nm -D "$f" 2>/dev/null |
		grep -q __stack_chk_fail || nm "$f" | grep -q __stack_chk_fail ||
		wrong="$wrong no-stack-protector"
	is "$wrong" "" "R20 $p: PIE, RELRO, no lazy binding, no executable data"
done
finish
