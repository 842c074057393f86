/*
 * mask.c - masked and read-only paths (runtime-spec, linux.maskedPaths and
 * linux.readonlyPaths).  A file is covered by a clone of the host's /dev/null
 * that the engine has checked to be character device 1:3 (E32), a directory by
 * one read-only empty tmpfs (E39).  Runs after pivot_root.
 */
#include "engine/rootfs/rootfs.h"

#include "engine/rootfs/inroot.h"
#include "engine/rootfs/newfs.h"
#include "engine/rootfs/prepare.h"
#include "engine/sys/esys.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A mount to cover with: detached at first; once attached somewhere here it
 * can be cloned from its descriptor. */
struct mask_cover {
	int fd;
	bool attached;
};

static int mask_put(struct mask_cover *cover, int at, struct err *err)
{
	int clone = -1, rc;

	if (!cover->attached) {
		if (esys_move_mount(cover->fd, at, "") < 0)
			return err_sys(err, errno, "cover it");
		cover->attached = true;
		return 0;
	}
	rc = prepare_clone(cover->fd, "", false, &clone, err);
	if (rc < 0)
		return rc;
	if (esys_move_mount(clone, at, "") < 0)
		rc = err_sys(err, errno, "cover it");
	(void)close(clone);
	return rc;
}

static int mask_one(const struct rootfs *r, const char *path,
		    struct mask_cover *file, struct mask_cover *dir,
		    struct err *err)
{
	struct stat st;
	int at = inroot_open(r->root_fd, path, O_PATH);
	int rc = 0;

	if (at < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0; /* nothing there to be hidden */
	if (at < 0)
		return err_sys(err, errno, "open it");
	if (fstat(at, &st) < 0)
		rc = err_sys(err, errno, "stat it");
	else if (S_ISDIR(st.st_mode) && dir->fd < 0)
		rc = newfs_empty(&dir->fd, err);
	if (rc == 0)
		rc = mask_put(S_ISDIR(st.st_mode) ? dir : file, at, err);
	(void)close(at);
	return rc;
}

static int mask_readonly(const struct rootfs *r, const char *path,
			 struct err *err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	int at = inroot_open(r->root_fd, path, O_PATH);
	int tree = -1, rc;

	if (at < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (at < 0)
		return err_sys(err, errno, "open it");
	rc = prepare_clone(at, "", true, &tree, err);
	if (rc == 0 && esys_mount_setattr(tree, AT_RECURSIVE, &attr) < 0)
		rc = err_sys(err, errno, "make it read-only");
	if (rc == 0 && esys_move_mount(tree, at, "") < 0)
		rc = err_sys(err, errno, "attach it");
	if (tree >= 0)
		(void)close(tree);
	(void)close(at);
	return rc;
}

static bool mask_is_again(const struct decode_strv *paths, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(paths->v[i], paths->v[n]) == 0)
			return true;
	return false;
}

int mask_paths(struct rootfs *r, struct err *err)
{
	const struct spec_linux *l = &r->spec->linux_;
	struct mask_cover file = {.fd = r->null_fd};
	struct mask_cover dir = {.fd = -1};
	char safe[160];
	size_t i;
	int rc = 0;

	for (i = 0; i < l->readonly.n && rc == 0; i++) {
		rc = mask_readonly(r, l->readonly.v[i], err);
		if (rc < 0)
			rc = err_wrap(err, "read-only path %s",
				      text_safe(safe, sizeof(safe),
						l->readonly.v[i],
						strlen(l->readonly.v[i])));
	}
#ifndef GUARD_OFF_MASK
	for (i = 0; i < l->masked.n && rc == 0; i++) {
		if (mask_is_again(&l->masked, i))
			continue;
		rc = mask_one(r, l->masked.v[i], &file, &dir, err);
		if (rc < 0)
			rc = err_wrap(err, "masked path %s",
				      text_safe(safe, sizeof(safe),
						l->masked.v[i],
						strlen(l->masked.v[i])));
	}
#endif
	if (dir.fd >= 0)
		(void)close(dir.fd);
	return rc;
}
