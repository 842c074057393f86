/*
 * test_sysctl.c - E28: which names may be set, for a container with namespaces
 * of its own, with the host's, and with one that is joined by path.  Seen red
 * with GUARD_OFF_SYSCTL_JOINED.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/run/sysctl.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *const of_net[] = {
	"net.ipv4.ip_forward",
	"net.ipv4.ip_local_port_range",
	"net.ipv4.ip_local_reserved_ports",
	"net.ipv4.ip_unprivileged_port_start",
	"net.ipv4.ping_group_range",
	"net.ipv4.tcp_syncookies",
	"net.ipv4.tcp_keepalive_time",
	"net.ipv4.tcp_keepalive_intvl",
	"net.ipv4.tcp_keepalive_probes",
	"net.ipv4.tcp_fin_timeout",
	"net.ipv4.tcp_rmem",
	"net.ipv4.tcp_wmem",
	"net.ipv4.tcp_slow_start_after_idle",
	"net.ipv4.tcp_notsent_lowat",
	"net.ipv4.conf.all.rp_filter",
	"net.ipv4.conf.eth0/1.rp_filter",
	"net.ipv6.conf.all.disable_ipv6",
	"net.core.somaxconn",
	"net.netfilter.nf_conntrack_max",
	"net.unix.max_dgram_qlen",
	"net/ipv4/ip_forward",
	"net/ipv4/tcp_rmem",
	"net/ipv4/conf/eth0.1/rp_filter",
	"net/ipv6/conf/all/disable_ipv6",
	"net/core/somaxconn",
};

static const char *const of_ipc[] = {
	"kernel.msgmax",	"kernel.msgmnb",	  "kernel.msgmni",
	"kernel.sem",		"kernel.shmall",	  "kernel.shmmax",
	"kernel.shmmni",	"kernel.shm_rmid_forced", "fs.mqueue.msg_max",
	"fs.mqueue.queues_max", "kernel/shmmax",	  "fs/mqueue/msg_max",
};

static const char *const of_nobody[] = {
	"kernel.core_pattern",
	"kernel/core_pattern",
	"kernel.core_uses_pid",
	"kernel.core_pipe_limit",
	"kernel.modprobe",
	"kernel.modules_disabled",
	"kernel.hotplug",
	"kernel.poweroff_cmd",
	"kernel.sysrq",
	"kernel.panic",
	"kernel.panic_on_oops",
	"kernel.kptr_restrict",
	"kernel.dmesg_restrict",
	"kernel.perf_event_paranoid",
	"kernel.unprivileged_bpf_disabled",
	"kernel.yama.ptrace_scope",
	"kernel.randomize_va_space",
	"kernel.pid_max",
	"kernel.threads-max",
	"kernel.keys.maxkeys",
	"kernel.ns_last_pid",
	"kernel.usermodehelper.bset",
	"kernel.kexec_load_disabled",
	"kernel.printk",
	"kernel.osrelease",
	"kernel.shmmaxx",
	"kernel.shmmax.x",
	"kernel.semaphore",
	"kernel.domainnames",
	"vm.panic_on_oom",
	"vm.overcommit_memory",
	"vm.mmap_min_addr",
	"vm.drop_caches",
	"vm/drop_caches",
	"vm.swappiness",
	"fs.file-max",
	"fs.suid_dumpable",
	"fs.protected_symlinks",
	"fs.binfmt_misc.register",
	"fs.mqueues",
	"fs.mqueue",
	"debug.exception-trace",
	"dev.cdrom.info",
	"abi.vsyscall32",
	"sunrpc.rpc_debug",
	"crypto.fips_enabled",
	"nets.ipv4",
	"net",
	"user",
	"users.max_user_namespaces",
};

static const char *const no_names[] = {
	"",
	".",
	"/",
	".net.ipv4",
	"/net/ipv4",
	"net.",
	"net.ipv4.",
	"net/",
	"net..ipv4",
	"net.ipv4..ip_forward",
	"net//ipv4",
	"net.ipv4./../../kernel/core_pattern",
	"net/ipv4/../../kernel/core_pattern",
	"net.ipv4.//.//.kernel.core_pattern",
	"net.ipv4..",
	"kernel.hostname",
	"kernel/hostname",
};

struct world {
	struct spec_ns ns[4];
	struct spec spec;
};

static char net[] = "network", ipc[] = "ipc", uts[] = "uts", user[] = "user";

/* All four, n of them; the first with a path, if there is one. */
static void world(struct world *w, size_t n, char *path)
{
	memset(w, 0, sizeof(*w));
	w->ns[0] = (struct spec_ns){.type = net, .path = path};
	w->ns[1].type = ipc;
	w->ns[2].type = uts;
	w->ns[3].type = user;
	w->spec.linux_.ns = w->ns;
	w->spec.linux_.n_ns = n;
}

static void all(const struct world *w, const char *const *names, size_t n,
		int want, const char *message)
{
	struct err err = {0};
	size_t i;

	for (i = 0; i < n; i++) {
		int have = sysctl_check(&w->spec, names[i], &err);

		if (have != want ||
		    (want < 0 && strstr(err.msg, message) == NULL))
			fail_msg("%s: want %d, have %d: %s", names[i], want,
				 have, err.msg);
	}
}

static const char *const of_uts[] = {"kernel.domainname", "kernel/domainname"};
static const char *const of_user[] = {"user.max_user_namespaces",
				      "user.max_net_namespaces",
				      "user/max_inotify_watches"};

static void test_own(void **state)
{
	struct world w;

	(void)state;
	world(&w, 4, NULL);
	all(&w, of_net, COUNT(of_net), 0, "");
	all(&w, of_ipc, COUNT(of_ipc), 0, "");
	all(&w, of_uts, COUNT(of_uts), 0, "");
	all(&w, of_user, COUNT(of_user), 0, "");
	all(&w, of_nobody, COUNT(of_nobody), ERR_DENIED,
	    "not a setting of a namespace");
	all(&w, no_names, COUNT(no_names), ERR_INPUT, "linux.sysctl");
}

static void test_shared(void **state)
{
	static const char shares[] = "shares this namespace with the host";
	struct world w;

	(void)state;
	world(&w, 0, NULL);
	all(&w, of_net, COUNT(of_net), ERR_DENIED, shares);
	all(&w, of_ipc, COUNT(of_ipc), ERR_DENIED, shares);
	all(&w, of_uts, COUNT(of_uts), ERR_DENIED, shares);
	all(&w, of_user, COUNT(of_user), ERR_DENIED, shares);
	all(&w, of_nobody, COUNT(of_nobody), ERR_DENIED,
	    "not a setting of a namespace");
}

static void test_joined(void **state)
{
	static const char shares[] = "shares this namespace with the host";
	char ours[] = "/proc/self/ns/net", other[] = "/proc/self/ns/uts",
	     nothing[] = "/proc/self/ns/none";
	struct world w;

	(void)state;
	world(&w, 4, ours);
	all(&w, of_net, COUNT(of_net), ERR_DENIED, shares);
	all(&w, of_ipc, COUNT(of_ipc), 0, "");
	world(&w, 4, nothing);
	all(&w, of_net, COUNT(of_net), ERR_DENIED, shares);
	/* Any other file is another namespace, or refused when it is joined. */
	world(&w, 4, other);
	all(&w, of_net, COUNT(of_net), 0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
