/* caps.c - see caps.h. */
#include "engine/confine/caps.h"

#include "engine/sys/esys.h"
#include "lib/sys.h"
#include "lib/text.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#define CAPS_MAX 64

/* By number (linux/capability.h).  Own table: libcap-ng, linked statically,
 * would bring the C library's name service with it (E08). */
static const char *const caps_names[] = {"CAP_CHOWN",
					 "CAP_DAC_OVERRIDE",
					 "CAP_DAC_READ_SEARCH",
					 "CAP_FOWNER",
					 "CAP_FSETID",
					 "CAP_KILL",
					 "CAP_SETGID",
					 "CAP_SETUID",
					 "CAP_SETPCAP",
					 "CAP_LINUX_IMMUTABLE",
					 "CAP_NET_BIND_SERVICE",
					 "CAP_NET_BROADCAST",
					 "CAP_NET_ADMIN",
					 "CAP_NET_RAW",
					 "CAP_IPC_LOCK",
					 "CAP_IPC_OWNER",
					 "CAP_SYS_MODULE",
					 "CAP_SYS_RAWIO",
					 "CAP_SYS_CHROOT",
					 "CAP_SYS_PTRACE",
					 "CAP_SYS_PACCT",
					 "CAP_SYS_ADMIN",
					 "CAP_SYS_BOOT",
					 "CAP_SYS_NICE",
					 "CAP_SYS_RESOURCE",
					 "CAP_SYS_TIME",
					 "CAP_SYS_TTY_CONFIG",
					 "CAP_MKNOD",
					 "CAP_LEASE",
					 "CAP_AUDIT_WRITE",
					 "CAP_AUDIT_CONTROL",
					 "CAP_SETFCAP",
					 "CAP_MAC_OVERRIDE",
					 "CAP_MAC_ADMIN",
					 "CAP_SYSLOG",
					 "CAP_WAKE_ALARM",
					 "CAP_BLOCK_SUSPEND",
					 "CAP_AUDIT_READ",
					 "CAP_PERFMON",
					 "CAP_BPF",
					 "CAP_CHECKPOINT_RESTORE"};

#define CAPS_KNOWN (sizeof(caps_names) / sizeof(caps_names[0]))

const char *caps_name(size_t i)
{
	return i < CAPS_KNOWN ? caps_names[i] : NULL;
}

int caps_bit(const char *name, uint64_t *out, struct err *err)
{
	char safe[64];
	size_t bit;

	for (bit = 0; bit < CAPS_KNOWN; bit++)
		if (strcmp(name, caps_names[bit]) == 0)
			break;
	if (bit == CAPS_KNOWN)
		return err_set(
			err, ERR_INPUT,
			"config: process.capabilities: unknown "
			"capability \"%s\"",
			text_safe(safe, sizeof(safe), name, strlen(name)));
	*out |= UINT64_C(1) << bit;
	return 0;
}

static int caps_set(const struct decode_strv *names, uint64_t *out,
		    struct err *err)
{
	size_t i;
	int r = 0;

	for (i = 0; i < names->n && r == 0; i++)
		r = caps_bit(names->v[i], out, err);
	return r;
}

int caps_read(const struct spec_caps *c, struct caps *out, struct err *err)
{
	struct caps caps = {0};
	int r = 0;

	if (c != NULL) {
		r = caps_set(&c->bounding, &caps.bounding, err);
		if (r == 0)
			r = caps_set(&c->effective, &caps.effective, err);
		if (r == 0)
			r = caps_set(&c->inheritable, &caps.inheritable, err);
		if (r == 0)
			r = caps_set(&c->permitted, &caps.permitted, err);
		if (r == 0)
			r = caps_set(&c->ambient, &caps.ambient, err);
	}
	if (r == 0)
		*out = caps;
	return r;
}

int caps_grant(struct caps *c, uint64_t *out_lost, struct err *err)
{
	const uint64_t asked =
		c->effective | c->permitted | c->inheritable | c->ambient;
	uint64_t have = 0;

	if (esys_capget(&have) < 0)
		return err_sys(err, errno, "capget");
	*out_lost = asked & ~have;
	c->effective &= have;
	c->permitted &= have;
	c->inheritable &= have;
	*out_lost |= c->ambient & ~(c->permitted & c->inheritable);
	c->ambient &= c->permitted & c->inheritable;
	return 0;
}

const char *caps_list(uint64_t set, struct arena *arena)
{
	const char *text = "";
	size_t i;

	for (i = 0; i < CAPS_KNOWN; i++)
		if (set & (UINT64_C(1) << i))
			text = arena_printf(arena, "%s %s", text,
					    caps_names[i]);
	return text;
}

int caps_drop_bounding(const struct caps *c, struct err *err)
{
	unsigned long i;

	for (i = 0; i < CAPS_MAX; i++) {
		if (c->bounding & (UINT64_C(1) << i))
			continue;
		if (sys_prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0) {
			if (errno == EINVAL)
				return 0; /* the kernel's last one is behind */
			return err_sys(err, errno,
				       "drop capability %lu from the bounding "
				       "set",
				       i);
		}
	}
	return 0;
}

int caps_apply(const struct caps *c, struct err *err)
{
	unsigned long i;

	if (esys_capset(c->effective, c->permitted, c->inheritable) < 0)
		return err_sys(err, errno,
			       "capset (does the engine itself have all of "
			       "these?)");
	if (sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(err, errno, "clear ambient capabilities");
	for (i = 0; i < CAPS_MAX; i++) {
		if (!(c->ambient & (UINT64_C(1) << i)))
			continue;
		if (sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) <
		    0)
			return err_sys(err, errno,
				       "raise ambient capability %lu (it must "
				       "be permitted and inheritable)",
				       i);
	}
	return 0;
}
