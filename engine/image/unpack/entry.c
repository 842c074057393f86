/*
 * entry.c - see entry.h.  Runs in reconcile-unpack; all of an entry is hostile.
 *
 * Attributes are set on the descriptor of what was just made, or with
 * AT_SYMLINK_NOFOLLOW, never through a name that could be a link (row E41).
 * What is in the way of an entry is removed first, as image-spec says for
 * repeated names; two folders are merged.
 */
#include "engine/image/unpack/entry.h"

#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ID_MAX 65535
#define TIME_MAX_S 15032385535LL /* what ext4 can hold: the year 2446 */
#define XATTR_NAME_MAX 255
#define XATTR_VALUE_MAX 65536
#define FOLDER_OPEN (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static struct timespec entry_time(struct archive_entry *e)
{
	long long s = archive_entry_mtime(e);
	struct timespec t = {0};

	if (!archive_entry_mtime_is_set(e) || s < 0)
		return t;
	t.tv_sec = (time_t)(s > TIME_MAX_S ? TIME_MAX_S : s);
	t.tv_nsec = archive_entry_mtime_nsec(e);
	if (t.tv_nsec < 0 || t.tv_nsec > 999999999)
		t.tv_nsec = 0;
	return t;
}

int entry_attr(struct archive_entry *e, struct entry_attr *out, struct err *err)
{
	la_int64_t uid = archive_entry_uid(e);
	la_int64_t gid = archive_entry_gid(e);

	if (uid < 0 || uid > ID_MAX || gid < 0 || gid > ID_MAX)
		return err_set(err, ERR_INPUT,
			       "want user and group ids of 0..%d, have "
			       "%lld:%lld",
			       ID_MAX, (long long)uid, (long long)gid);
	*out = (struct entry_attr){
		.uid = (uid_t)uid,
		.gid = (gid_t)gid,
		.mode = archive_entry_perm(e) & 07777,
		.times = {entry_time(e), entry_time(e)},
	};
	return 0;
}

/* --- extended attributes ----------------------------------------------------
 */

static bool xattr_allowed(const char *name)
{
#ifdef GUARD_OFF_XATTR
	return name[0] != '\0';
#else
	return strncmp(name, "user.", 5) == 0 && name[5] != '\0' &&
	       strncmp(name, "user.overlay.", 13) != 0 &&
	       strlen(name) <= XATTR_NAME_MAX;
#endif
}

static int apply_xattrs(int fd, struct archive_entry *e, uint64_t *dropped,
			struct err *err)
{
	const char *name;
	const void *value;
	size_t len;

	if (archive_entry_xattr_count(e) == 0)
		return 0;
	(void)archive_entry_xattr_reset(e);
	while (archive_entry_xattr_next(e, &name, &value, &len) == ARCHIVE_OK) {
		if (!xattr_allowed(name)) {
			(*dropped)++;
			continue;
		}
		if (len > XATTR_VALUE_MAX)
			return err_set(err, ERR_LIMIT,
				       "extended attribute: want at most %d "
				       "bytes, have %zu",
				       XATTR_VALUE_MAX, len);
		if (fsetxattr(fd, name, value, len, 0) < 0)
			return err_sys(err, errno, "set an extended attribute");
	}
	return 0;
}

int entry_apply(int fd, struct archive_entry *e, const struct entry_attr *at,
		uint64_t *dropped, struct err *err)
{
	if (fchown(fd, at->uid, at->gid) < 0)
		return err_sys(err, errno, "chown");
	/* behind chown(), which takes set-id bits away */
	if (fchmod(fd, at->mode) < 0)
		return err_sys(err, errno, "chmod");
	return apply_xattrs(fd, e, dropped, err);
}

/* --- what is in the way -----------------------------------------------------
 */

/* Makes room for a new entry; *out_whiteout: a whiteout was there. */
static int make_room(const struct entry_place *p, bool *out_whiteout,
		     struct err *err)
{
	return tree_remove(p->tree, p->dir, p->base, out_whiteout, err);
}

static int again(const struct entry_place *p, struct err *err)
{
	bool whiteout;

	if (errno != EEXIST)
		return err_sys(err, errno, "create");
	return make_room(p, &whiteout, err);
}

/* --- kinds ------------------------------------------------------------------
 */

static int write_all(int fd, const char *bytes, size_t len, off_t at,
		     struct err *err)
{
	while (len) {
		ssize_t n = pwrite(fd, bytes, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, errno, "write");
		bytes += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int damaged(struct archive *a, struct err *err)
{
	const char *why = archive_error_string(a);
	char shown[200];

	why = why ? why : "no reason given";
	return err_set(err, ERR_INPUT, "damaged archive: %s",
		       text_safe(shown, sizeof(shown), why, strlen(why)));
}

static int copy_data(int fd, struct archive *a, la_int64_t size,
		     struct err *err)
{
	la_int64_t end = 0;
	int r = 0;

	while (r == 0) {
		const void *bytes;
		size_t len;
		la_int64_t offset;
		int c = archive_read_data_block(a, &bytes, &len, &offset);

		if (c == ARCHIVE_EOF)
			break;
		if (c != ARCHIVE_OK)
			return damaged(a, err);
		if (offset < end || offset > size ||
		    (la_int64_t)len > size - offset)
			return err_set(err, ERR_INPUT,
				       "data outside of the entry's size");
		r = write_all(fd, bytes, len, (off_t)offset, err);
		end = offset + (la_int64_t)len;
	}
	if (r == 0 && end < size && ftruncate(fd, (off_t)size) < 0)
		r = err_sys(err, errno, "truncate");
	return r;
}

int entry_file(const struct entry_place *p, struct archive *a,
	       struct archive_entry *e, const struct entry_attr *at,
	       uint64_t *dropped, struct err *err)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(p->dir, p->base, flags, 0600);
	int r;

	if (fd < 0) {
		r = again(p, err);
		if (r < 0)
			return r;
		fd = openat(p->dir, p->base, flags, 0600);
		if (fd < 0)
			return err_sys(err, errno, "create");
	}
	r = copy_data(fd, a, archive_entry_size(e), err);
	if (r == 0)
		r = entry_apply(fd, e, at, dropped, err);
	if (r == 0 && futimens(fd, at->times) < 0)
		r = err_sys(err, errno, "set times");
	(void)close(fd);
	return r;
}

int entry_folder(const struct entry_place *p, struct archive_entry *e,
		 const struct entry_attr *at, uint64_t *dropped,
		 struct err *err)
{
	bool whiteout = false;
	struct stat st;
	int fd;
	int r = 0;

	if (mkdirat(p->dir, p->base, 0700) < 0) {
		if (errno != EEXIST)
			return err_sys(err, errno, "create");
		if (fstatat(p->dir, p->base, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(err, errno, "stat");
		if (!S_ISDIR(st.st_mode)) {
			r = make_room(p, &whiteout, err);
			if (r == 0 && mkdirat(p->dir, p->base, 0700) < 0)
				r = err_sys(err, errno, "create");
			if (r < 0)
				return r;
		}
	}
	fd = openat(p->dir, p->base, FOLDER_OPEN);
	if (fd < 0)
		return err_sys(err, errno, "open");
	/* a whiteout of this name hid the lower folder: so must the new one */
	if (whiteout)
		r = tree_set_opaque(fd, err);
	if (r == 0)
		r = entry_apply(fd, e, at, dropped, err);
	(void)close(fd);
	return r;
}

static int attr_nofollow(const struct entry_place *p,
			 const struct entry_attr *at, struct err *err)
{
	if (fchownat(p->dir, p->base, at->uid, at->gid, AT_SYMLINK_NOFOLLOW) <
	    0)
		return err_sys(err, errno, "chown");
	if (utimensat(p->dir, p->base, at->times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "set times");
	return 0;
}

int entry_symlink(const struct entry_place *p, struct archive_entry *e,
		  const struct entry_attr *at, struct err *err)
{
	const char *target = archive_entry_symlink(e);
	int r;

	if (!target || !*target)
		return err_set(err, ERR_INPUT, "symbolic link to nothing");
	if (strlen(target) >= PATH_MAX)
		return err_set(err, ERR_LIMIT,
			       "symbolic link: want at most %d bytes",
			       PATH_MAX - 1);
	if (symlinkat(target, p->dir, p->base) < 0) {
		r = again(p, err);
		if (r < 0)
			return r;
		if (symlinkat(target, p->dir, p->base) < 0)
			return err_sys(err, errno, "create");
	}
	return attr_nofollow(p, at, err);
}

/* The target's own folder, opened beside the place's, which stays valid. */
static int find_target(const struct entry_place *p, const char *path,
		       int *out_dir, const char **out_base, struct err *err)
{
	struct tree look;
	struct stat st;
	int r;

	tree_init(&look, p->tree->root, &p->tree->limits);
	r = tree_find(&look, path, out_dir, out_base, err);
	if (r < 0)
		return err_wrap(err, "hard link's target");
	if (fstatat(*out_dir, *out_base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		r = err_set(err, ERR_INPUT,
			    "hard link to what is not in this layer");
	else if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode) &&
		 !S_ISFIFO(st.st_mode))
		r = err_set(err, ERR_INPUT,
			    "hard link: want a file as its target");
	if (r < 0)
		tree_release(&look);
	return r;
}

int entry_hardlink(const struct entry_place *p, struct archive_entry *e,
		   struct err *err)
{
	const char *target = archive_entry_hardlink(e);
	char path[PATH_MAX];
	const char *base = NULL;
	int dir = -1;
	int r;

	r = tree_clean(p->tree, target, path, err);
	if (r < 0)
		return err_wrap(err, "hard link's target");
	if (!*path || strcmp(path, p->path) == 0)
		return err_set(err, ERR_INPUT, "hard link to %s",
			       *path ? "itself" : "the root");
	r = find_target(p, path, &dir, &base, err);
	if (r < 0)
		return r;
	if (linkat(dir, base, p->dir, p->base, 0) < 0) {
		r = again(p, err);
		if (r == 0 && linkat(dir, base, p->dir, p->base, 0) < 0)
			r = errno == ENOENT
				    ? err_set(err, ERR_INPUT,
					      "hard link replaces its target")
				    : err_sys(err, errno, "create");
	}
	(void)close(dir);
	return r;
}

int entry_fifo(const struct entry_place *p, const struct entry_attr *at,
	       struct err *err)
{
	int r;

	if (mkfifoat(p->dir, p->base, at->mode & 0777) < 0) {
		r = again(p, err);
		if (r < 0)
			return r;
		if (mkfifoat(p->dir, p->base, at->mode & 0777) < 0)
			return err_sys(err, errno, "create");
	}
	return attr_nofollow(p, at, err);
}

/* --- whiteouts
 * ---------------------------------------------------------------- */

int entry_opaque(const struct entry_place *p, struct err *err)
{
	int fd = openat(p->dir, ".", FOLDER_OPEN);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "open");
	r = tree_set_opaque(fd, err);
	(void)close(fd);
	return r;
}

int entry_whiteout(const struct entry_place *p, const char *name,
		   struct err *err)
{
	struct entry_place own = *p;
	struct stat st;
	int fd;
	int r;

	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(err, ERR_INPUT, "whiteout of \"%s\"", name);
	if (mknodat(p->dir, name, S_IFCHR, makedev(0, 0)) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(err, errno, "make a whiteout");
	if (fstatat(p->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "stat");
	/* whiteouts hide lower layers only: what this layer has stays */
	if (!S_ISDIR(st.st_mode))
		return 0;
	fd = openat(p->dir, name, FOLDER_OPEN);
	if (fd < 0)
		return err_sys(err, errno, "open");
	own.dir = fd;
	r = entry_opaque(&own, err);
	(void)close(fd);
	return r;
}
