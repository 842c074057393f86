/*
 * overlay.c - see overlay.h.  The layers are detached clones, id-mapped so
 * that what an unprivileged unpacker wrote as B..B+N-1 shows as the
 * container's 0..N-1; the overlay itself belongs to the container's user
 * namespace, so that its set-user-id bits and nodes mean nothing outside.
 */
#include "engine/rootfs/overlay.h"

#include "engine/rootfs/prepare.h"
#include "engine/sys/esys.h"
#include "lib/sys.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Room for ROOTFS_LOWER_MAX names; mount(2) takes one page. */
#define OVERLAY_TEXT_BYTES 4096
#define OVERLAY_FD "/proc/self/fd/%d"

struct overlay_file {
	struct decode_strv lower;
	char *upper, *work;
	struct spec_idmap *idmap;
};

static const struct decode_field overlay_idmap_table[] = {
	{.name = "hostID",
	 .type = DECODE_U32,
	 .offset = offsetof(struct spec_idmap, host_id),
	 .required = true},
	{.name = "size",
	 .type = DECODE_U32,
	 .offset = offsetof(struct spec_idmap, size),
	 .required = true},
	{.name = NULL}};

static const struct decode_field overlay_table[] = {
	{.name = "lower",
	 .type = DECODE_STRV,
	 .offset = offsetof(struct overlay_file, lower),
	 .required = true},
	{.name = "upper",
	 .type = DECODE_STR,
	 .offset = offsetof(struct overlay_file, upper),
	 .required = true},
	{.name = "work",
	 .type = DECODE_STR,
	 .offset = offsetof(struct overlay_file, work),
	 .required = true},
	{.name = "lowerIdmap",
	 .type = DECODE_PTR,
	 .offset = offsetof(struct overlay_file, idmap),
	 .size = sizeof(struct spec_idmap),
	 .sub = overlay_idmap_table},
	{.name = NULL}};

int overlay_read(const char *bytes, size_t len, struct arena *arena,
		 struct rootfs_overlay **out, struct err *err)
{
	struct rootfs_overlay *o = arena_alloc(arena, sizeof(*o));
	struct overlay_file f = {.upper = NULL};
	size_t i;
	int r;

	r = decode_object(bytes, len, overlay_table, &f, arena, "overlay", err);
	if (r < 0)
		return r;
	if (f.lower.n == 0 || f.lower.n > ROOTFS_LOWER_MAX)
		return err_set(err, ERR_INPUT,
			       "overlay: lower: want 1 to %d layers, have %zu",
			       ROOTFS_LOWER_MAX, f.lower.n);
	for (i = 0; i < f.lower.n; i++)
		if (f.lower.v[i][0] != '/')
			return err_set(err, ERR_INPUT,
				       "overlay: lower[%zu]: want an absolute "
				       "path",
				       i);
	if (f.upper[0] != '/' || f.work[0] != '/')
		return err_set(err, ERR_INPUT,
			       "overlay: upper and work: want absolute paths");
	*o = (struct rootfs_overlay){.lower = f.lower.v,
				     .n_lower = f.lower.n,
				     .upper = f.upper,
				     .work = f.work,
				     .has_idmap = f.idmap != NULL,
				     .base_fd = -1,
				     .upper_fd = -1,
				     .work_fd = -1};
	if (f.idmap != NULL)
		o->idmap = *f.idmap;
	for (i = 0; i < ROOTFS_LOWER_MAX; i++)
		o->lower_fd[i] = -1;
	*out = o;
	return 0;
}

void overlay_release(struct rootfs_overlay *o)
{
	size_t i;

	for (i = 0; i < o->n_lower; i++)
		if (o->lower_fd[i] >= 0)
			(void)close(o->lower_fd[i]);
	if (o->base_fd >= 0)
		(void)close(o->base_fd);
	if (o->upper_fd >= 0)
		(void)close(o->upper_fd);
	if (o->work_fd >= 0)
		(void)close(o->work_fd);
	o->n_lower = 0;
	o->base_fd = -1;
	o->upper_fd = -1;
	o->work_fd = -1;
}

/* Disk id B + c must show as the host id of container id c. */
static size_t overlay_shift(const struct spec_idmap *disk,
			    const struct spec_idmap *v, size_t n,
			    struct spec_idmap *out)
{
	size_t used = 0, i;

	for (i = 0; i < n && used < IDMAP_LINES_MAX; i++) {
		if (v[i].container_id >= disk->size)
			continue;
		out[used].container_id = disk->host_id + v[i].container_id;
		out[used].host_id = v[i].host_id;
		out[used].size = v[i].size;
		if (out[used].size > disk->size - v[i].container_id)
			out[used].size = disk->size - v[i].container_id;
		used++;
	}
	return used;
}

static int overlay_userns(const struct rootfs_overlay *o,
			  const struct idmap *map, struct arena *arena,
			  int *out_fd, struct err *err)
{
	const struct spec_idmap self = {0, 0, UINT32_MAX};
	struct spec_idmap *uid =
		arena_calloc(arena, IDMAP_LINES_MAX, sizeof(*uid));
	struct spec_idmap *gid =
		arena_calloc(arena, IDMAP_LINES_MAX, sizeof(*gid));
	struct idmap want = {.uid = uid, .gid = gid};
	bool mapped = map->n_uid > 0;

	if (UINT32_MAX - o->idmap.host_id < o->idmap.size)
		return err_set(err, ERR_INPUT,
			       "overlay: lowerIdmap: over 4294967295");
	want.n_uid = overlay_shift(&o->idmap, mapped ? map->uid : &self,
				   mapped ? map->n_uid : 1, uid);
	want.n_gid = overlay_shift(&o->idmap, mapped ? map->gid : &self,
				   mapped ? map->n_gid : 1, gid);
	return idmap_namespace(&want, out_fd, err);
}

static int overlay_lowers(struct rootfs_overlay *o, const struct idmap *map,
			  struct arena *arena, struct err *err)
{
	struct mount_attr attr = {.attr_set =
					  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV,
				  .propagation = MS_PRIVATE};
	int userns = -1;
	size_t i;
	int r = 0;

	if (o->has_idmap) {
		r = overlay_userns(o, map, arena, &userns, err);
		if (r < 0)
			return r;
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (unsigned int)userns;
	}
	for (i = 0; i < o->n_lower && r == 0; i++) {
		r = prepare_clone(AT_FDCWD, o->lower[i], false, &o->lower_fd[i],
				  err);
		if (r == 0 && esys_mount_setattr(o->lower_fd[i], 0, &attr) < 0)
			r = err_sys(err, errno, "layer %zu: id-map it", i);
	}
	if (userns >= 0)
		(void)close(userns);
	return r;
}

/* upper and work must be reached through one mount: that of the deepest
 * directory that holds both. */
static int overlay_upper(struct rootfs_overlay *o, struct err *err)
{
	char base[4096];
	size_t same = 0, i;
	int r;

	for (i = 0; o->upper[i] != '\0' && o->upper[i] == o->work[i]; i++)
		if (o->upper[i] == '/')
			same = i + 1;
	if (same >= sizeof(base))
		return err_set(err, ERR_INPUT, "overlay: path too long");
	memcpy(base, o->upper, same);
	base[same] = '\0';
	/* Held until the overlay stands: its end would dissolve the mount. */
	r = prepare_clone(AT_FDCWD, base, false, &o->base_fd, err);
	if (r < 0)
		return r;
	o->upper_fd = sys_open_beneath(o->base_fd, o->upper + same,
				       O_RDONLY | O_DIRECTORY, 0);
	o->work_fd = sys_open_beneath(o->base_fd, o->work + same,
				      O_RDONLY | O_DIRECTORY, 0);
	if (o->upper_fd < 0 || o->work_fd < 0)
		r = err_sys(err, errno, "overlay: open upper and work");
	return r;
}

int overlay_prepare(struct rootfs_overlay *o, const struct idmap *map,
		    struct arena *arena, struct err *err)
{
	int64_t uid = 0, gid = 0;
	int r = overlay_lowers(o, map, arena, err);

	if (r == 0)
		r = overlay_upper(o, err);
	if (r < 0)
		return r;
	if (map->n_uid > 0) {
		uid = idmap_host(map->uid, map->n_uid, 0);
		gid = idmap_host(map->gid, map->n_gid, 0);
	}
	if (uid < 0 || gid < 0)
		return err_set(err, ERR_INPUT,
			       "overlay: want a mapping of container id 0");
	if (fchown(o->upper_fd, (uid_t)uid, (gid_t)gid) < 0 ||
	    fchown(o->work_fd, (uid_t)uid, (gid_t)gid) < 0)
		return err_sys(err, errno, "overlay: chown upper and work");
	return 0;
}

/* Takes the layers away again, top first (umount follows to the top): the
 * overlay has clones of its own, and what would stay here would cover the old
 * root when it has to go. */
static int overlay_unstack(size_t n, struct err *err)
{
	int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (slash < 0 || fchdir(slash) < 0)
		r = err_sys(err, errno, "overlay: open /");
	for (; n > 0 && r == 0; n--)
		if (esys_umount_here() < 0)
			r = err_sys(err, errno, "overlay: detach a layer");
	if (slash >= 0)
		(void)close(slash);
	return r;
}

/* overlayfs takes only layers that are mounted where its maker may mount: all
 * go on top of each other on "/". */
static int overlay_stack(const struct rootfs_overlay *o, struct err *err)
{
	int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	size_t i;
	int r = 0;

	if (slash < 0)
		return err_sys(err, errno, "open /");
	for (i = 0; i < o->n_lower && r == 0; i++)
		r = esys_move_mount(o->lower_fd[i], slash, "");
	if (r == 0)
		r = esys_move_mount(o->base_fd, slash, "");
	if (r < 0)
		r = err_sys(err, errno, "overlay: attach the layers");
	(void)close(slash);
	return r;
}

/* Layers by descriptor: Linux 6.13.  *out_fd stays -1, with 0, where the kernel
 * does not know that and nothing was made. */
static int overlay_by_fd(const struct rootfs_overlay *o, int *out_fd,
			 struct err *err)
{
	int fs = esys_fsopen("overlay"), fd = -1, r;
	size_t i;

	if (fs < 0)
		return err_sys(err, errno, "fsopen overlay");
	r = esys_fsconfig(fs, FSCONFIG_SET_FD, "lowerdir+", NULL,
			  o->lower_fd[0]);
	if (r < 0 && (errno == EOPNOTSUPP || errno == EINVAL)) {
		(void)close(fs);
		return 0;
	}
	for (i = 1; i < o->n_lower && r == 0; i++)
		r = esys_fsconfig(fs, FSCONFIG_SET_FD, "lowerdir+", NULL,
				  o->lower_fd[i]);
	if (r == 0)
		r = esys_fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0);
	if (r == 0)
		r = esys_fsconfig(fs, FSCONFIG_SET_FD, "upperdir", NULL,
				  o->upper_fd);
	if (r == 0)
		r = esys_fsconfig(fs, FSCONFIG_SET_FD, "workdir", NULL,
				  o->work_fd);
	if (r == 0)
		r = esys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	fd = r == 0 ? esys_fsmount(fs, MOUNT_ATTR_NODEV) : -1;
	if (fd < 0)
		r = prepare_fs_fail(fs, errno, "overlay", err);
	(void)close(fs);
	if (r == 0)
		*out_fd = fd;
	return r;
}

/* mount(2)'s text names each layer by our descriptor; no path of the host and
 * nothing that a config wrote goes into it. */
static int overlay_text(const struct rootfs_overlay *o, char *out, size_t len,
			struct err *err)
{
	size_t used, i;
	int n = snprintf(out, len,
			 "userxattr,upperdir=" OVERLAY_FD ",workdir=" OVERLAY_FD
			 ",lowerdir=",
			 o->upper_fd, o->work_fd);

	for (i = 0, used = (size_t)n; i < o->n_lower; i++, used += (size_t)n) {
		n = snprintf(out + used, len - used, "%s" OVERLAY_FD,
			     i > 0 ? ":" : "", o->lower_fd[i]);
		if (n < 0 || (size_t)n >= len - used)
			return err_set(err, ERR_LIMIT,
				       "overlay: too many layers");
	}
	return 0;
}

/* Linux 5.19 to 6.12.  mount(2) attaches what it makes: on top of "/", from
 * where a detached clone is taken; its own is left to overlay_unstack. */
static int overlay_by_text(const struct rootfs_overlay *o, int *out_fd,
			   struct err *err)
{
	char text[OVERLAY_TEXT_BYTES];
	int r = overlay_text(o, text, sizeof(text), err);

	if (r < 0)
		return r;
	if (chdir("/") < 0)
		return err_sys(err, errno, "overlay: chdir /");
	if (esys_mount_here("overlay", ESYS_MOUNT_NODEV, text) < 0)
		return err_sys(err, errno,
			       "overlay: mount (wants Linux 5.19; the kernel's "
			       "log has the reason)");
	/* ".." of "/" is "/" with all that is mounted there. */
	return prepare_clone(AT_FDCWD, "/..", false, out_fd, err);
}

int overlay_make(struct rootfs_overlay *o, int *out_fd, struct err *err)
{
	size_t stacked = o->n_lower + 1;
	int fd = -1;
	int r = overlay_stack(o, err);

	if (r == 0)
		r = overlay_by_fd(o, &fd, err);
	if (r == 0 && fd < 0) {
		r = overlay_by_text(o, &fd, err);
		stacked++;
	}
	if (r < 0)
		return r;
	r = overlay_unstack(stacked, err);
	overlay_release(o);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	*out_fd = fd;
	return 0;
}
