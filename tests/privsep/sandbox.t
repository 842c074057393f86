#!/bin/bash
# sandbox.t - every sandboxed program, as it is installed: what it has when it
# begins to read, and what becomes of it when it tries what it must not.
# tests/privsep/inject turns the first system call behind the program's own
# filter into the forbidden one.  Seen red: GUARD_OFF=GUARD_OFF_SECCOMP.
. "$(dirname "$0")/../integration/lib.sh"
need_root
INJECT=$B/tests/inject TOOL=$B/tools/channel-tool
need_program "$INJECT" "$TOOL" openssl git nm
nm -D --undefined-only "$BIN/reconcile-audit" | grep -q __asan &&
	skip_all "a sanitizer build has no filter"
tmpdir
at_exit leftovers
leftovers() { rm -f /etc/reconcile-privsep; }

mkdir -p "$TMP/blobs" "$TMP/root" "$TMP/ca" "$TMP/pki" "$TMP/link"
: >"$TMP/blob"
git init -q --bare -b main "$TMP/repo.git"
openssl genpkey -algorithm ed25519 -out "$TMP/key" 2>/dev/null
chmod 600 "$TMP/key"
"$TOOL" ca "$TMP/ca" demo && "$TOOL" server "$TMP/ca" "$TMP/pki" &&
	"$TOOL" crl "$TMP/ca" "$TMP/pki" 3600 || skip_all "no test authority"

# start PROGRAM ACT: the program as its starter starts it, with a clean
# environment; prints inject's line.
start()
{
	_act=$2
	set -- "$1"
	case $1 in
	audit)
		set -- "$_act" "$BIN/reconcile-audit" --dir "$TMP/log" \
			--key "$TMP/key" --origin test/log
		;;
	verify)
		set -- -r "verify:$TMP/repo.git" "$_act" "$BIN/reconcile-verify"
		;;
	fetch)
		set -- -r "fetch:$TMP/repo.git" "$_act" "$BIN/reconcile-fetch"
		;;
	look) # reconcile-fetch, as a daemon keeps it
		set -- -r "look:$TMP/key" "$_act" "$BIN/reconcile-fetch"
		;;
	dial)
		set -- "$_act" "$BIN/reconcile-dial" localhost 1
		;;
	pull)
		set -- -f "$TMP/blobs" "$_act" "$BIN/reconcile-pull"
		;;
	unpack)
		set -- -f "$TMP/blob" -f "$TMP/root" -m -r unpack: "$_act" \
			"$BIN/reconcile-unpack"
		;;
	net)
		set -- "$_act" "$BIN/reconcile-net"
		;;
	openpgp)
		set -- "$_act" "$BIN/reconcile-openpgp"
		;;
	channel)
		set -- "$_act" "$BIN/reconcile-channel" --socket "$TMP/sock" \
			--listen 127.0.0.1:0 --pki "$TMP/pki"
		;;
	link)
		set -- "$_act" "$BIN/reconcile-link" --dir "$TMP/link"
		;;
	esac
	env -i "$INJECT" "$@" 2>"$TMP/err"
}

# What is held: program, effective capabilities.
# CHOWN DAC_OVERRIDE FOWNER FSETID (of its own user namespace); NET_ADMIN
# SYS_ADMIN.
while read -r p caps; do
	s=$(start "$p" status | tr -s '\t\n' ' ')
	like "$s" "NoNewPrivs: 1 Seccomp: 2" \
		"reconcile-$p: no_new_privs and a filter"
	like "$s" "CapInh: 0+ CapPrm: 0*$caps CapEff: 0*$caps CapAmb: 0+ " \
		"reconcile-$p: capabilities are $caps"
done <<EOT
audit 0
verify 0
fetch 0
look 0
dial 0
pull 0
channel 0
link 0
unpack 1b
net 201000
openpgp 0
EOT
s=$(start unpack status | tr -s '\t\n' ' ')
like "$s" "Uid: 1000000 1000000" "reconcile-unpack: is nobody on the host"

# Without a filter there is nothing to turn into an act.
[ "$T_FAILED" = 0 ] || finish

# Every act: its group or row, and who survives it how.  Whoever is not
# named is killed.  ENOENT of unpack: it lives in an empty root.
table()
{
	cat <<-'EOT'
	socket-inet network: pull=result link=result net=result dial=result
	socket-inet-raw network: pull=EPERM link=EPERM net=EPERM dial=EPERM
	socket-unix network: pull=result link=result net=result dial=result
	socket-netlink network: pull=EAFNOSUPPORT link=EAFNOSUPPORT net=result dial=EAFNOSUPPORT
	socket-packet network:
	socket-alg network:
	socket-vsock network:
	execve programs: net=EACCES openpgp=EACCES
	fork programs: net=result openpgp=result
	clone3 programs: pull=ENOSYS net=EINVAL openpgp=EINVAL
	new-user-namespace namespaces:
	setns namespaces: net=EINVAL
	mount namespaces:
	chroot namespaces:
	ptrace others:
	process_vm_readv others:
	pidfd_getfd others:
	kill-other others: net=result openpgp=result
	tgkill-other others: net=result openpgp=result
	bpf kernel:
	io_uring kernel:
	keyctl kernel:
	userfaultfd kernel:
	perf_event_open kernel:
	open_by_handle_at kernel:
	init_module kernel:
	kexec_load kernel:
	reboot-bad-magic kernel:
	setuid privilege: net=result openpgp=result
	capset privilege: net=EFAULT openpgp=EFAULT
	prctl-dumpable privilege: net=result openpgp=result
	second-filter privilege: net=EINVAL openpgp=EINVAL
	mprotect-exec memory: pull=ENOMEM link=ENOMEM net=ENOMEM openpgp=ENOMEM dial=ENOMEM
	mmap-exec memory: pull=result link=result net=result openpgp=result dial=result
	chown owners: unpack=ENOENT
	mknod owners: unpack=ENOENT
	ioctl-tiocsti terminal:
	unknown-number L08
	x32-getpid E60
	i386-getpid E60
	read-shadow files: audit=EACCES verify=EACCES fetch=EACCES pull=EACCES channel=EACCES link=EACCES unpack=ENOENT net=EACCES openpgp=EACCES dial=EACCES
	read-proc-1 files: audit=EACCES verify=EACCES fetch=EACCES pull=EACCES channel=EACCES link=EACCES unpack=ENOENT net=EACCES openpgp=EACCES dial=EACCES
	list-root files: audit=EACCES verify=EACCES fetch=EACCES pull=EACCES channel=EACCES link=EACCES unpack=ENOENT net=EACCES openpgp=EACCES dial=EACCES
	write-etc files: audit=EACCES fetch=EACCES pull=EACCES link=EACCES unpack=ENOENT net=EACCES
	getpid control: audit=result verify=result fetch=result look=result pull=result channel=result link=result unpack=result net=result openpgp=result dial=result
	EOT
}

while read -r act row who; do
	for p in audit verify fetch look dial pull channel link unpack net openpgp; do
		want="killed SIGSYS" text="is killed"
		for w in $who; do
			case $w in
			"$p"=result) want="result" text="works, as it must" ;;
			"$p"=*) want="errno ${w#*=}" text="gets ${w#*=}" ;;
			esac
		done
		have=$(start "$p" "$act")
		case $have in
		"$want" | "$want "[0-9]*)
			ok "$row reconcile-$p: $act $text"
			;;
		*)
			not_ok "$row reconcile-$p: $act $text" "have: $have
$(cat "$TMP/err")"
			;;
		esac
		[ "$act" != write-etc ] || rm -f /etc/reconcile-privsep
	done
done <<EOT
$(table)
EOT
finish
