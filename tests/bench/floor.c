/*
 * floor.c - the kernel's share of `run`: what any runtime has to ask of the
 * kernel for a container of the shape that bench-engine uses, and nothing else:
 * no JSON, no state, no rollback, no checks of hostile paths, no message for a
 * failure.  Not a runtime; a ruler.
 *
 *   floor ROOTFS FILTER|- GROUP|- PROGRAM [ARG...]
 *
 * FILTER holds raw instructions for seccomp(2).  GROUP is made in every cgroup
 * hierarchy, with limits if there is a filter too, and removed in the end.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define GROUPS_MAX 16
#define INSNS_MAX 32768

static const struct {
	const char *type, *at;
	unsigned int attr;
	const char *options[5]; /* key, value, ... */
} mounts[] = {
	{"proc", "proc", 0xe, {NULL}},
	{"tmpfs", "dev", 0x2, {"mode", "755", "size", "65536k"}},
	{"devpts", "dev/pts", 0xa, {"ptmxmode", "0666", "mode", "0620"}},
	{"tmpfs", "dev/shm", 0xe, {"mode", "1777", "size", "65536k"}},
	{"mqueue", "dev/mqueue", 0xe, {NULL}},
	{"sysfs", "sys", 0xf, {NULL}},
};
static const struct {
	const char *name;
	unsigned int major, minor;
} nodes[] = {{"dev/null", 1, 3},   {"dev/zero", 1, 5},	  {"dev/full", 1, 7},
	     {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
static const char *const links[][2] = {{"/proc/self/fd", "dev/fd"},
				       {"/proc/self/fd/0", "dev/stdin"},
				       {"/proc/self/fd/1", "dev/stdout"},
				       {"/proc/self/fd/2", "dev/stderr"},
				       {"pts/ptmx", "dev/ptmx"}};
static const char *const masks[] = {"/proc/acpi",
				    "/proc/asound",
				    "/proc/interrupts",
				    "/proc/kcore",
				    "/proc/keys",
				    "/proc/latency_stats",
				    "/proc/sched_debug",
				    "/proc/scsi",
				    "/proc/timer_list",
				    "/proc/timer_stats",
				    "/sys/devices/virtual/powercap",
				    "/sys/firmware"};
static const char *const readonly[] = {"/proc/bus", "/proc/fs", "/proc/irq",
				       "/proc/sys", "/proc/sysrq-trigger"};
static const struct {
	const char *controller, *file, *value;
} limits[] = {{"memory", "memory.limit_in_bytes", "67108864"},
	      {"memory", "memory.memsw.limit_in_bytes", "134217728"},
	      {"cpu", "cpu.cfs_period_us", "100000"},
	      {"cpu", "cpu.cfs_quota_us", "50000"},
	      {"pids", "pids.max", "100"}};
static const char *const devices[] = {"a",	   "c 1:3 rwm", "c 1:5 rwm",
				      "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm",
				      "c 5:0 rwm", "c 5:2 rwm", "c 136:* rwm"};

static char groups[GROUPS_MAX][512];
static int n_groups;
static int start[2];

static void must(long r, const char *what)
{
	if (r >= 0)
		return;
	perror(what);
	_exit(1);
}

#define MUST(call) must((long)(call), #call)

static void put(const char *dir, const char *file, const char *value)
{
	char path[512];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		perror(path);
	(void)close(fd);
}

static void groups_make(const char *group, bool limit)
{
	DIR *d = opendir("/sys/fs/cgroup");
	const struct dirent *e;
	size_t i;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		(void)snprintf(groups[n_groups], sizeof(groups[0]),
			       "/sys/fs/cgroup/%s/%s", e->d_name, group);
		if (mkdir(groups[n_groups], 0755) < 0)
			continue;
		if (access(strcat(groups[n_groups], "/cgroup.procs"), F_OK) <
		    0) {
			*strrchr(groups[n_groups], '/') = '\0';
			(void)rmdir(groups[n_groups]);
			continue; /* no hierarchy is mounted there */
		}
		*strrchr(groups[n_groups], '/') = '\0';
		for (i = 0; limit && i < sizeof(limits) / sizeof(limits[0]);
		     i++)
			if (strncmp(e->d_name, limits[i].controller,
				    strlen(limits[i].controller)) == 0 &&
			    (e->d_name[strlen(limits[i].controller)] == ',' ||
			     e->d_name[strlen(limits[i].controller)] == '\0'))
				put(groups[n_groups], limits[i].file,
				    limits[i].value);
		if (strcmp(e->d_name, "cpuset") == 0) {
			put(groups[n_groups], "cpuset.cpus", "0");
			put(groups[n_groups], "cpuset.mems", "0");
		}
		for (i = 0; strcmp(e->d_name, "devices") == 0 &&
			    i < sizeof(devices) / sizeof(devices[0]);
		     i++)
			put(groups[n_groups],
			    i == 0 ? "devices.deny" : "devices.allow",
			    devices[i]);
		n_groups++;
	}
	(void)closedir(d);
}

static int new_mount(size_t i)
{
	int fs = (int)syscall(SYS_fsopen, mounts[i].type, FSOPEN_CLOEXEC), fd;
	const char *const *o = mounts[i].options;

	MUST(fs);
	for (; o[0] != NULL; o += 2)
		MUST(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, o[0], o[1],
			     0));
	MUST(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, mounts[i].attr);
	MUST(fd);
	(void)close(fs);
	return fd;
}

static void attach(int fd, int dirfd, const char *at)
{
	MUST(syscall(SYS_move_mount, fd, "", dirfd, at,
		     MOVE_MOUNT_F_EMPTY_PATH));
	(void)close(fd);
}

/* The type "cgroup" of a config: a tmpfs with the groups below it, read-only.
 */
static void child_groups(int root)
{
	struct mount_attr ro = {.attr_set = 0xf};
	int fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC), fd, i;
	char at[512];

	MUST(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0xe);
	(void)close(fs);
	attach(fd, root, "sys/fs/cgroup");
	for (i = 0; i < n_groups; i++) {
		(void)snprintf(at, sizeof(at), "sys/fs/cgroup/%d", i);
		MUST(mkdirat(root, at, 0755));
		fd = (int)syscall(SYS_open_tree, AT_FDCWD, groups[i],
				  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		MUST(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &ro,
			     sizeof(ro)));
		attach(fd, root, at);
	}
}

static void child_mounts(const char *rootfs)
{
	struct mount_attr private = {.propagation = 1 << 18};
	int root;
	size_t i;

	MUST(syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &private,
		     sizeof(private)));
	root = (int)syscall(SYS_open_tree, AT_FDCWD, rootfs,
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	MUST(root);
	MUST(syscall(SYS_move_mount, root, "", AT_FDCWD, "/",
		     MOVE_MOUNT_F_EMPTY_PATH));
	for (i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		if (strncmp(mounts[i].at, "dev/", 4) == 0)
			MUST(mkdirat(root, mounts[i].at, 0755));
		attach(new_mount(i), root, mounts[i].at);
	}
	child_groups(root);
	for (i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		if (mknodat(root, nodes[i].name, S_IFCHR | 0666,
			    makedev(nodes[i].major, nodes[i].minor)) < 0)
			perror(nodes[i].name);
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		MUST(symlinkat(links[i][0], root, links[i][1]));
	MUST(fchdir(root));
	MUST(syscall(SYS_pivot_root, ".", "."));
	MUST(syscall(SYS_umount2, ".", 2));
	(void)close(root);
}

static void child_masks(void)
{
	struct mount_attr ro = {.attr_set = MOUNT_ATTR_RDONLY};
	int null, fd, fs;
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(readonly) / sizeof(readonly[0]); i++) {
		fd = (int)syscall(SYS_open_tree, AT_FDCWD, readonly[i],
				  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
					  AT_RECURSIVE);
		if (fd < 0)
			continue;
		MUST(syscall(SYS_mount_setattr, fd, "",
			     AT_RECURSIVE | AT_EMPTY_PATH, &ro, sizeof(ro)));
		attach(fd, AT_FDCWD, readonly[i]);
	}
	fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	MUST(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	null = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0xf);
	for (i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		if (stat(masks[i], &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && null >= 0) {
			attach(null, AT_FDCWD, masks[i]);
			null = -1;
			continue;
		}
		fd = (int)syscall(SYS_open_tree, AT_FDCWD,
				  S_ISDIR(st.st_mode) ? "/proc/acpi"
						      : "/dev/null",
				  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		if (fd >= 0)
			attach(fd, AT_FDCWD, masks[i]);
	}
}

static void child_confine(const struct sock_fprog *filter)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{.effective = 0xfb, .permitted = 0xfb}};
	unsigned long i;

	for (i = 8; i <= 40; i++)
		(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	MUST(setresgid(0, 0, 0));
	MUST(setresuid(0, 0, 0));
	MUST(syscall(SYS_capset, &head, data));
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (filter->len > 0)
		MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter));
}

static void child(char **argv, const struct sock_fprog *filter)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	char byte;
	int s, k;

	for (k = 0; k < n_groups; k++)
		if (strstr(groups[k], "/unified/") == NULL)
			put(groups[k], "tasks", "0");
	(void)!read(start[0], &byte, 1);
	MUST(unshare(CLONE_NEWCGROUP));
	MUST(sethostname("floor", 5));
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	MUST(ioctl(s, SIOCSIFFLAGS, &lo));
	(void)close(s);
	MUST(setsid());
	MUST(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
	child_mounts(argv[1]);
	child_masks();
	child_confine(filter);
	(void)syscall(SYS_close_range, 3, ~0u, 0);
	(void)execv(argv[4], argv + 4);
	perror(argv[4]);
	_exit(1);
}

static void filter_read(const char *path, struct sock_fprog *out)
{
	static struct sock_filter insns[INSNS_MAX];
	int fd = strcmp(path, "-") == 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, insns, sizeof(insns));

	if (fd >= 0)
		(void)close(fd);
	out->filter = insns;
	out->len = (unsigned short)((size_t)n / sizeof(insns[0]));
}

int main(int argc, char **argv)
{
	struct clone_args args = {.flags = CLONE_NEWNS | CLONE_NEWPID |
					   CLONE_NEWNET | CLONE_NEWIPC |
					   CLONE_NEWUTS,
				  .exit_signal = SIGCHLD};
	struct sock_fprog filter;
	char text[16];
	int status, i;
	pid_t pid;

	if (argc < 5)
		return 2;
	filter_read(argv[2], &filter);
	if (strcmp(argv[3], "-") != 0)
		groups_make(argv[3], filter.len > 0);
	MUST(pipe2(start, O_CLOEXEC));
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	MUST(pid);
	if (pid == 0)
		child(argv, &filter);
	(void)snprintf(text, sizeof(text), "%d", pid);
	/* v1 the child enters by itself, which costs the kernel less */
	for (i = 0; i < n_groups; i++)
		if (strstr(groups[i], "/unified/") != NULL)
			put(groups[i], "cgroup.procs", text);
	MUST(write(start[1], "", 1));
	(void)waitpid(pid, &status, 0);
	for (i = 0; i < n_groups; i++)
		MUST(rmdir(groups[i]));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
