/* own.c - see own.h. */
#include "engine/confine/own.h"

#include "lib/sys.h"

#include <errno.h>
#include <linux/capability.h>

static const struct own_row own_rows[] = {
	{CAP_CHOWN, "upper directories and nodes for the container's root"},
	{CAP_DAC_OVERRIDE, "bundles, images and cgroups of other owners"},
	{CAP_DAC_READ_SEARCH, "the same, to read"},
	{CAP_FOWNER, "modes of mount points in images of other owners"},
	{CAP_FSETID, "set-id bits of what tmpcopyup copies"},
	{CAP_KILL, "signals to processes of any user"},
	{CAP_SETGID, "id maps, groups of the process"},
	{CAP_SETUID, "id maps, user of the process"},
	{CAP_SETPCAP, "the bounding set"},
	{CAP_NET_ADMIN, "lo up, devices moved"},
	{CAP_SYS_CHROOT, "mount namespaces joined"},
	{CAP_SYS_PTRACE, "namespaces of processes to be joined"},
	{CAP_SYS_ADMIN, "namespaces, mounts, device programs, filters"},
	{CAP_SYS_NICE, "scheduler, affinity, io priority, memory policy"},
	{CAP_SYS_RESOURCE, "raised limits, oom score"},
	{CAP_SYS_TIME, "offsets of a time namespace"},
	{CAP_MKNOD, "device nodes"},
	{CAP_SETFCAP, "to map the host's root into a user namespace"},
};

#define OWN_ROWS (sizeof(own_rows) / sizeof(own_rows[0]))

const struct own_row *own_row(size_t i)
{
	return i < OWN_ROWS ? &own_rows[i] : NULL;
}

uint64_t own_set(void)
{
	uint64_t set = 0;
	size_t i;

	for (i = 0; i < OWN_ROWS; i++)
		set |= UINT64_C(1) << own_rows[i].cap;
	return set;
}

int own_narrow(struct err *err)
{
	uint64_t effective = 0, permitted = 0;

	if (sys_capget(&effective, &permitted) < 0 ||
	    sys_capset(effective & own_set(), permitted, 0) < 0)
		return err_sys(err, errno, "capabilities of the engine");
	return 0;
}
