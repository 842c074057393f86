/* mountopt.c - see mountopt.h. */
#include "engine/rootfs/mountopt.h"

#include "lib/text.h"

#include <linux/mount.h>
#include <string.h>

enum mountopt_what {
	MOUNTOPT_SET,
	MOUNTOPT_CLEAR,
	MOUNTOPT_ATIME,
	MOUNTOPT_REC_SET,
	MOUNTOPT_REC_CLEAR,
	MOUNTOPT_REC_ATIME,
	MOUNTOPT_PROP,
	MOUNTOPT_REC_PROP,
	MOUNTOPT_BIND,
	MOUNTOPT_RBIND,
	MOUNTOPT_IDMAP,
	MOUNTOPT_REC_IDMAP,
	MOUNTOPT_COPY_UP,
	MOUNTOPT_REMOUNT,
	MOUNTOPT_NOTHING, /* the kernel has no such switch any more */
	MOUNTOPT_FLAG,	  /* of the file system: no part of a bind mount */
};

static const struct mountopt_row {
	const char *name; /* sorted */
	enum mountopt_what what;
	uint64_t value;
} mountopt_table[] = {
	{"async", MOUNTOPT_FLAG, 0},
	{"atime", MOUNTOPT_ATIME, MOUNT_ATTR_RELATIME},
	{"bind", MOUNTOPT_BIND, 0},
	{"defaults", MOUNTOPT_NOTHING, 0},
	{"dev", MOUNTOPT_CLEAR, MOUNT_ATTR_NODEV},
	{"diratime", MOUNTOPT_CLEAR, MOUNT_ATTR_NODIRATIME},
	{"dirsync", MOUNTOPT_FLAG, 0},
	{"exec", MOUNTOPT_CLEAR, MOUNT_ATTR_NOEXEC},
	{"idmap", MOUNTOPT_IDMAP, 0},
	{"iversion", MOUNTOPT_NOTHING, 0},
	{"lazytime", MOUNTOPT_FLAG, 0},
	{"loud", MOUNTOPT_NOTHING, 0},
	{"mand", MOUNTOPT_NOTHING, 0},
	{"noatime", MOUNTOPT_ATIME, MOUNT_ATTR_NOATIME},
	{"nodev", MOUNTOPT_SET, MOUNT_ATTR_NODEV},
	{"nodiratime", MOUNTOPT_SET, MOUNT_ATTR_NODIRATIME},
	{"noexec", MOUNTOPT_SET, MOUNT_ATTR_NOEXEC},
	{"noiversion", MOUNTOPT_NOTHING, 0},
	{"nolazytime", MOUNTOPT_FLAG, 0},
	{"nomand", MOUNTOPT_NOTHING, 0},
	{"norelatime", MOUNTOPT_ATIME, MOUNT_ATTR_STRICTATIME},
	{"nostrictatime", MOUNTOPT_ATIME, MOUNT_ATTR_RELATIME},
	{"nosuid", MOUNTOPT_SET, MOUNT_ATTR_NOSUID},
	{"nosymfollow", MOUNTOPT_SET, MOUNT_ATTR_NOSYMFOLLOW},
	{"private", MOUNTOPT_PROP, MS_PRIVATE},
	{"ratime", MOUNTOPT_REC_ATIME, MOUNT_ATTR_RELATIME},
	{"rbind", MOUNTOPT_RBIND, 0},
	{"rdev", MOUNTOPT_REC_CLEAR, MOUNT_ATTR_NODEV},
	{"rdiratime", MOUNTOPT_REC_CLEAR, MOUNT_ATTR_NODIRATIME},
	{"relatime", MOUNTOPT_ATIME, MOUNT_ATTR_RELATIME},
	{"remount", MOUNTOPT_REMOUNT, 0},
	{"rexec", MOUNTOPT_REC_CLEAR, MOUNT_ATTR_NOEXEC},
	{"ridmap", MOUNTOPT_REC_IDMAP, 0},
	{"rnoatime", MOUNTOPT_REC_ATIME, MOUNT_ATTR_NOATIME},
	{"rnodev", MOUNTOPT_REC_SET, MOUNT_ATTR_NODEV},
	{"rnodiratime", MOUNTOPT_REC_SET, MOUNT_ATTR_NODIRATIME},
	{"rnoexec", MOUNTOPT_REC_SET, MOUNT_ATTR_NOEXEC},
	{"rnorelatime", MOUNTOPT_REC_ATIME, MOUNT_ATTR_STRICTATIME},
	{"rnostrictatime", MOUNTOPT_REC_ATIME, MOUNT_ATTR_RELATIME},
	{"rnosuid", MOUNTOPT_REC_SET, MOUNT_ATTR_NOSUID},
	{"rnosymfollow", MOUNTOPT_REC_SET, MOUNT_ATTR_NOSYMFOLLOW},
	{"ro", MOUNTOPT_SET, MOUNT_ATTR_RDONLY},
	{"rprivate", MOUNTOPT_REC_PROP, MS_PRIVATE},
	{"rrelatime", MOUNTOPT_REC_ATIME, MOUNT_ATTR_RELATIME},
	{"rro", MOUNTOPT_REC_SET, MOUNT_ATTR_RDONLY},
	{"rrw", MOUNTOPT_REC_CLEAR, MOUNT_ATTR_RDONLY},
	{"rshared", MOUNTOPT_REC_PROP, MS_SHARED},
	{"rslave", MOUNTOPT_REC_PROP, MS_SLAVE},
	{"rstrictatime", MOUNTOPT_REC_ATIME, MOUNT_ATTR_STRICTATIME},
	{"rsuid", MOUNTOPT_REC_CLEAR, MOUNT_ATTR_NOSUID},
	{"rsymfollow", MOUNTOPT_REC_CLEAR, MOUNT_ATTR_NOSYMFOLLOW},
	{"runbindable", MOUNTOPT_REC_PROP, MS_UNBINDABLE},
	{"rw", MOUNTOPT_CLEAR, MOUNT_ATTR_RDONLY},
	{"shared", MOUNTOPT_PROP, MS_SHARED},
	{"silent", MOUNTOPT_NOTHING, 0},
	{"slave", MOUNTOPT_PROP, MS_SLAVE},
	{"strictatime", MOUNTOPT_ATIME, MOUNT_ATTR_STRICTATIME},
	{"suid", MOUNTOPT_CLEAR, MOUNT_ATTR_NOSUID},
	{"symfollow", MOUNTOPT_CLEAR, MOUNT_ATTR_NOSYMFOLLOW},
	{"sync", MOUNTOPT_FLAG, 0},
	{"tmpcopyup", MOUNTOPT_COPY_UP, 0},
	{"unbindable", MOUNTOPT_PROP, MS_UNBINDABLE},
};

#define MOUNTOPT_ROWS (sizeof(mountopt_table) / sizeof(mountopt_table[0]))

const char *mountopt_name(size_t i)
{
	return i < MOUNTOPT_ROWS ? mountopt_table[i].name : NULL;
}

static const struct mountopt_row *mountopt_find(const char *name)
{
	size_t i;

	for (i = 0; i < MOUNTOPT_ROWS; i++)
		if (strcmp(name, mountopt_table[i].name) == 0)
			return &mountopt_table[i];
	return NULL;
}

static void mountopt_attr(uint64_t set, uint64_t clear, uint64_t *in_set,
			  uint64_t *in_clear)
{
	*in_set = (*in_set & ~clear) | set;
	*in_clear = (*in_clear & ~set) | clear;
}

static void mountopt_apply(struct mountopt *o, const struct mountopt_row *row)
{
	uint64_t v = row->value;

	switch (row->what) {
	case MOUNTOPT_SET:
		mountopt_attr(v, 0, &o->set, &o->clear);
		break;
	case MOUNTOPT_CLEAR:
		mountopt_attr(0, v, &o->set, &o->clear);
		break;
	case MOUNTOPT_ATIME:
		o->set = (o->set & ~(uint64_t)MOUNT_ATTR__ATIME) | v;
		o->clear |= MOUNT_ATTR__ATIME;
		break;
	case MOUNTOPT_REC_SET:
		mountopt_attr(v, 0, &o->rec_set, &o->rec_clear);
		break;
	case MOUNTOPT_REC_CLEAR:
		mountopt_attr(0, v, &o->rec_set, &o->rec_clear);
		break;
	case MOUNTOPT_REC_ATIME:
		o->rec_set = (o->rec_set & ~(uint64_t)MOUNT_ATTR__ATIME) | v;
		o->rec_clear |= MOUNT_ATTR__ATIME;
		break;
	case MOUNTOPT_PROP:
	case MOUNTOPT_REC_PROP:
		o->propagation = v;
		o->propagation_rec = row->what == MOUNTOPT_REC_PROP;
		break;
	case MOUNTOPT_BIND:
		break;
	case MOUNTOPT_RBIND:
		o->rbind = true;
		break;
	case MOUNTOPT_IDMAP:
	case MOUNTOPT_REC_IDMAP:
		o->idmap = true;
		o->idmap_rec = row->what == MOUNTOPT_REC_IDMAP;
		break;
	case MOUNTOPT_COPY_UP:
		o->copy_up = true;
		break;
	case MOUNTOPT_REMOUNT:
		o->remount = true;
		break;
	case MOUNTOPT_NOTHING:
	case MOUNTOPT_FLAG:
		break;
	}
}

static int mountopt_refuse(struct err *err, const struct spec_mount *m,
			   const char *option, const char *why)
{
	char at[128], safe[128];

	return err_set(err, ERR_INPUT, "mount %s: option \"%s\": %s",
		       text_safe(at, sizeof(at), m->destination,
				 strlen(m->destination)),
		       text_safe(safe, sizeof(safe), option, strlen(option)),
		       why);
}

/* A bind mount has no file system of its own that could take them; mount(8)
 * ignores them there likewise. */
static bool mountopt_is_bind(const struct spec_mount *m)
{
	size_t i;

	if (m->type != NULL && strcmp(m->type, "bind") == 0)
		return true;
	for (i = 0; i < m->options.n; i++)
		if (strcmp(m->options.v[i], "bind") == 0 ||
		    strcmp(m->options.v[i], "rbind") == 0)
			return true;
	return false;
}

static int mountopt_check(const struct spec_mount *m, const struct mountopt *o,
			  struct err *err)
{
	if (o->bind && o->n_data > 0)
		return mountopt_refuse(err, m, o->data[0],
				       "not an option of a bind mount");
	if (o->idmap && !o->bind)
		return mountopt_refuse(err, m, "idmap",
				       "only a bind mount can be id-mapped");
	if ((m->n_uid_map > 0) != (m->n_gid_map > 0))
		return mountopt_refuse(err, m, "idmap",
				       "uidMappings and gidMappings want each "
				       "other");
	if (o->copy_up && (m->type == NULL || strcmp(m->type, "tmpfs") != 0))
		return mountopt_refuse(err, m, "tmpcopyup",
				       "only a tmpfs takes a copy");
	return 0;
}

/* What clients give to each of their mounts, tmpfs or not: a bind has the
 * mode and the size of what is bound, as with mount(8). */
static bool mountopt_is_idle(const char *opt)
{
	return strncmp(opt, "mode=", 5) == 0 || strncmp(opt, "size=", 5) == 0;
}

int mountopt_parse(const struct spec_mount *m, struct mountopt *out,
		   struct err *err)
{
	struct mountopt o = {.propagation_rec = true,
			     .bind = mountopt_is_bind(m)};
	const struct mountopt_row *row;
	size_t i;
	int r;

	for (i = 0; i < m->options.n; i++) {
		const char *opt = m->options.v[i];

		row = mountopt_find(opt);
		if (row != NULL)
			mountopt_apply(&o, row);
		if (o.bind && mountopt_is_idle(opt))
			continue;
		if (opt[0] == '\0' ||
		    (row != NULL && (row->what != MOUNTOPT_FLAG || o.bind)))
			continue;
		if (o.n_data == MOUNTOPT_DATA_MAX)
			return mountopt_refuse(err, m, opt, "too many options");
		o.data[o.n_data++] = opt;
	}
	if (m->n_uid_map + m->n_gid_map > 0)
		o.idmap = true;
	r = mountopt_check(m, &o, err);
	if (r == 0)
		*out = o;
	return r;
}

uint64_t mountopt_propagation(const char *name, bool *out_rec)
{
	const struct mountopt_row *row =
		name != NULL ? mountopt_find(name) : NULL;

	*out_rec = row != NULL && row->what == MOUNTOPT_REC_PROP;
	if (row == NULL ||
	    (row->what != MOUNTOPT_PROP && row->what != MOUNTOPT_REC_PROP))
		return 0;
	return row->value;
}
