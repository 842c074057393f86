/* test_engine.c - the defaults of our own pods (E36, E58). */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

/* What the defaults of containerd and docker deny, or allow only with a
 * capability, on x86-64. */
static const char denied[] =
	"_sysctl acct add_key afs_syscall bpf chroot clock_settime "
	"clone3 create_module delete_module fanotify_init "
	"finit_module fsconfig fsmount fsopen fspick "
	"get_kernel_syms get_mempolicy getpmsg init_module "
	"io_uring_setup io_uring_enter io_uring_register ioperm "
	"iopl kcmp kexec_load kexec_file_load keyctl "
	"lookup_dcookie mbind migrate_pages mount mount_setattr "
	"move_mount move_pages nfsservctl open_by_handle_at "
	"open_tree perf_event_open pidfd_getfd pivot_root "
	"process_madvise process_vm_readv process_vm_writev ptrace "
	"putpmsg query_module quotactl quotactl_fd reboot "
	"request_key security set_mempolicy "
	"set_mempolicy_home_node setdomainname sethostname setns "
	"settimeofday swapon swapoff sysfs syslog tuxcall umount2 "
	"unshare uselib userfaultfd ustat vhangup vserver ";

static bool is_denied(const char *name)
{
	const char *at = strstr(denied, name);
	size_t len = strlen(name);

	for (; at != NULL; at = strstr(at + 1, name))
		if ((at == denied || at[-1] == ' ') && at[len] == ' ')
			return true;
	return false;
}

static void test_narrow(void **state)
{
	json_t *root, *rule, *name;
	size_t i, k, n = 0;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	engine_seccomp_default_json(&b);
	root = json_loadb(b.data, b.len, 0, NULL);
	assert_non_null(root);
	json_array_foreach(json_object_get(root, "syscalls"), i, rule)
	{
		if (strcmp(json_string_value(json_object_get(rule, "action")),
			   "SCMP_ACT_ALLOW") != 0)
			continue;
		json_array_foreach(json_object_get(rule, "names"), k, name)
		{
			if (is_denied(json_string_value(name)))
				fail_msg("%s is allowed",
					 json_string_value(name));
			n++;
		}
	}
	assert_true(n > 200);
	assert_true(is_denied("mount") && is_denied("_sysctl") &&
		    is_denied("vserver") && !is_denied("sys"));
	json_decref(root);
	buf_release(&b);
}

static void test_masks(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const char *const *list = engine_masked_here(a, 2);
	size_t i, n = 0;

	(void)state;
	for (i = 0; engine_masked_paths()[i] != NULL; i++)
		assert_string_equal(list[i], engine_masked_paths()[i]);
	for (; list[i] != NULL; i++)
		n += strstr(list[i], "/thermal_throttle") != NULL;
	assert_int_equal(n, 2);
	assert_string_equal(list[i - 1],
			    "/sys/devices/system/cpu/cpu1/thermal_throttle");
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_narrow),
		cmocka_unit_test(test_masks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
