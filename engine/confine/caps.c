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

static bool caps_bit(const char *name, size_t *out)
{
	for (*out = 0; *out < CAPS_KNOWN; (*out)++)
		if (strcmp(name, caps_names[*out]) == 0)
			return true;
	return false;
}

static uint64_t caps_set(const struct decode_strv *names)
{
	uint64_t set = 0;
	size_t i, bit;

	for (i = 0; i < names->n; i++)
		if (caps_bit(names->v[i], &bit))
			set |= UINT64_C(1) << bit;
	return set;
}

static bool caps_has(const struct decode_strv *names, size_t n,
		     const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(names->v[i], name) == 0)
			return true;
	return false;
}

/* Each once, though it may be in all of the sets. */
static void caps_tell_unknown(const struct spec_caps *c, const struct warn *w)
{
	const struct decode_strv *const sets[] = {&c->bounding, &c->effective,
						  &c->inheritable,
						  &c->permitted, &c->ambient};
	char safe[64];
	size_t k, i, before, bit;

	for (k = 0; k < sizeof(sets) / sizeof(sets[0]); k++)
		for (i = 0; i < sets[k]->n; i++) {
			const char *name = sets[k]->v[i];
			bool told = caps_has(sets[k], i, name);

			for (before = 0; before < k && !told; before++)
				told = caps_has(sets[before], sets[before]->n,
						name);
			if (!told && !caps_bit(name, &bit))
				warn_say(w, "unknown capability \"%s\"",
					 text_safe(safe, sizeof(safe), name,
						   strlen(name)));
		}
}

/* Leaves of *set what is in may. */
static void caps_within(uint64_t *set, uint64_t may, const char *what,
			const char *why, const struct warn *w)
{
	size_t i;

	for (i = 0; i < CAPS_KNOWN; i++)
		if (*set & ~may & (UINT64_C(1) << i))
			warn_say(w, "can't %s capability %s: %s", what,
				 caps_names[i], why);
	*set &= may;
}

void caps_read(const struct spec_caps *c, uint64_t have, const struct warn *w,
	       struct caps *out)
{
	*out = (struct caps){0};
	if (c == NULL)
		return;
	caps_tell_unknown(c, w);
	out->bounding = caps_set(&c->bounding);
	out->permitted = caps_set(&c->permitted);
	out->effective = caps_set(&c->effective);
	out->inheritable = caps_set(&c->inheritable);
	out->ambient = caps_set(&c->ambient);
	caps_within(&out->permitted, have, "permit", "we do not have it", w);
	caps_within(&out->effective, out->permitted, "make effective",
		    "it is not permitted", w);
	/* the kernel's own rules: capset(2), prctl(2) */
	caps_within(&out->inheritable, have & out->bounding, "inherit",
		    "it is not in the bounding set, or we do not have it", w);
	caps_within(&out->ambient, out->permitted & out->inheritable,
		    "raise ambient", "it is not permitted and inheritable", w);
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

	if (sys_capset(c->effective, c->permitted, c->inheritable) < 0)
		return err_sys(err, errno, "capset");
	if (sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_sys(err, errno, "clear ambient capabilities");
	for (i = 0; i < CAPS_MAX; i++) {
		if (!(c->ambient & (UINT64_C(1) << i)))
			continue;
		if (sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) <
		    0)
			return err_sys(err, errno,
				       "raise ambient capability %lu", i);
	}
	return 0;
}
