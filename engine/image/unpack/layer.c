/*
 * layer.c - see layer.h.  Runs in reconcile-unpack; hostile input.  libarchive
 * reads tar and nothing else, without filters; a warning of it refuses the
 * layer, because what it warns about is what two readers see differently.
 */
#include "engine/image/unpack/layer.h"

#include "engine/image/unpack/entry.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WHITEOUT ".wh."
#define WHITEOUT_LEN 4
#define OPAQUE ".wh..wh..opq"

/* A folder whose time is set when nothing more goes into it. */
struct folder_time {
	char *path;
	struct timespec times[2];
};

struct layer {
	struct source *source;
	const struct layer_limits *limits;
	struct layer_counts counts;
	struct tree tree;
	struct archive *tar;
	struct folder_time *folders;
	size_t n_folders, cap_folders;
	struct err *read_err; /* of the source, told apart from libarchive's */
	int read_code;
};

static la_ssize_t on_read(struct archive *a, void *ctx, const void **out)
{
	struct layer *l = ctx;
	size_t n = 0;

	l->read_code = source_read(l->source, out, &n, l->read_err);
	if (l->read_code < 0) {
		archive_set_error(a, EIO, "source failed");
		return ARCHIVE_FATAL;
	}
	return (la_ssize_t)n;
}

/* What libarchive says; or what the source under it said. */
static int tar_error(struct layer *l, struct err *err)
{
	const char *why = archive_error_string(l->tar);
	char shown[200];

	if (l->read_code < 0)
		return l->read_code;
	why = why ? why : "no reason given";
	return err_set(err, ERR_INPUT, "damaged archive: %s",
		       text_safe(shown, sizeof(shown), why, strlen(why)));
}

static int open_tar(struct layer *l, struct err *err)
{
	l->tar = archive_read_new();
	if (!l->tar)
		return err_set(err, ERR_NOMEM, "out of memory");
	if (archive_read_support_format_tar(l->tar) != ARCHIVE_OK)
		return err_set(err, ERR_SYS, "libarchive has no tar");
	if (archive_read_open(l->tar, l, NULL, on_read, NULL) != ARCHIVE_OK)
		return tar_error(l, err);
	return 0;
}

/* --- folders' times
 * ------------------------------------------------------------ */

static int remember(struct layer *l, const char *path,
		    const struct entry_attr *at, struct err *err)
{
	struct folder_time *f;

	if (l->n_folders == l->cap_folders) {
		size_t cap = l->cap_folders ? l->cap_folders * 2 : 256;

		f = reallocarray(l->folders, cap, sizeof(*f));
		if (!f)
			return err_set(err, ERR_NOMEM, "out of memory");
		l->folders = f;
		l->cap_folders = cap;
	}
	f = &l->folders[l->n_folders];
	f->path = strdup(path);
	if (!f->path)
		return err_set(err, ERR_NOMEM, "out of memory");
	memcpy(f->times, at->times, sizeof(f->times));
	l->n_folders++;
	return 0;
}

/* A folder that is one no more is passed over. */
static int set_times(struct layer *l, struct err *err)
{
	size_t i;

	for (i = l->n_folders; i-- > 0;) {
		const struct folder_time *f = &l->folders[i];
		const char *base = "";
		int dir;
		int r;

		if (!*f->path) {
			if (futimens(l->tree.root, f->times) < 0)
				return err_sys(err, errno, "set times");
			continue;
		}
		r = tree_find(&l->tree, f->path, &dir, &base, NULL);
		if (r == ERR_INPUT)
			continue;
		if (r < 0 ||
		    (utimensat(dir, base, f->times, AT_SYMLINK_NOFOLLOW) < 0 &&
		     errno != ENOENT))
			return err_sys(err, errno, "set times");
	}
	return 0;
}

/* --- entries
 * --------------------------------------------------------------------- */

static int count(struct layer *l, struct archive_entry *e, struct err *err)
{
	la_int64_t size = archive_entry_size(e);

	if (++l->counts.entries > l->limits->max_entries)
		return err_set(err, ERR_LIMIT,
			       "layer: want at most %llu entries, have more",
			       (unsigned long long)l->limits->max_entries);
	if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e))
		return 0;
	if (size < 0)
		return err_set(err, ERR_INPUT, "negative size");
	if ((uint64_t)size > l->limits->max_bytes - l->counts.bytes)
		return err_set(err, ERR_LIMIT,
			       "layer: want at most %llu bytes of files, have "
			       "more",
			       (unsigned long long)l->limits->max_bytes);
	l->counts.bytes += (uint64_t)size;
	return 0;
}

/* ".wh." may begin the last component only. */
static int check_whiteout_name(const char *path, struct err *err)
{
	const char *p = path;
	const char *slash;

	while ((slash = strchr(p, '/')) != NULL) {
		if (strncmp(p, WHITEOUT, WHITEOUT_LEN) == 0)
			return err_set(err, ERR_INPUT,
				       "something below a whiteout");
		p = slash + 1;
	}
	return 0;
}

static int whiteout(struct layer *l, const struct entry_place *p,
		    struct err *err)
{
	const char *name = p->base + WHITEOUT_LEN;

	l->counts.whiteouts++;
	if (strcmp(p->base, OPAQUE) == 0) {
		/* overlayfs merges roots whatever they are marked with */
		if (p->base == p->path)
			return err_set(err, ERR_INPUT,
				       "opaque whiteout of the root is not "
				       "supported");
		return entry_opaque(p, err);
	}
	if (strncmp(name, WHITEOUT, WHITEOUT_LEN) == 0)
		return err_set(err, ERR_INPUT,
			       "reserved name (image-spec layer.md: .wh..wh.)");
	return entry_whiteout(p, name, err);
}

static int root_entry(struct layer *l, struct archive_entry *e,
		      const struct entry_attr *at, struct err *err)
{
	int r;

	if (archive_entry_filetype(e) != AE_IFDIR || archive_entry_hardlink(e))
		return err_set(err, ERR_INPUT, "the root is not a folder");
	r = entry_apply(l->tree.root, e, at, &l->counts.xattrs_dropped, err);
	return r < 0 ? r : remember(l, "", at, err);
}

static int by_type(struct layer *l, const struct entry_place *p,
		   struct archive_entry *e, const struct entry_attr *at,
		   struct err *err)
{
	uint64_t *dropped = &l->counts.xattrs_dropped;
	int r;

	if (archive_entry_hardlink(e))
		return entry_hardlink(p, e, err);
	switch (archive_entry_filetype(e)) {
	case AE_IFREG:
		return entry_file(p, l->tar, e, at, dropped, err);
	case AE_IFDIR:
		r = entry_folder(p, e, at, dropped, err);
		return r < 0 ? r : remember(l, p->path, at, err);
	case AE_IFLNK:
		return entry_symlink(p, e, at, err);
	case AE_IFIFO:
		return entry_fifo(p, at, err);
	case AE_IFCHR:
	case AE_IFBLK:
		return err_set(err, ERR_INPUT,
			       "device nodes are not allowed in a layer");
	default:
		return err_set(err, ERR_INPUT, "unknown kind of entry");
	}
}

static int one(struct layer *l, struct archive_entry *e, const char *name,
	       struct err *err)
{
	struct entry_place p = {.tree = &l->tree};
	struct entry_attr at;
	char path[PATH_MAX];
	int r;

	r = count(l, e, err);
	if (r == 0)
		r = tree_clean(&l->tree, name, path, err);
	if (r == 0)
		r = entry_attr(e, &at, err);
	if (r == 0 && !*path)
		return root_entry(l, e, &at, err);
	if (r == 0)
		r = check_whiteout_name(path, err);
	if (r == 0)
		r = tree_parent(&l->tree, path, &p.dir, &p.base, err);
	if (r < 0)
		return r;
	p.path = path;
	if (strncmp(p.base, WHITEOUT, WHITEOUT_LEN) == 0)
		return whiteout(l, &p, err);
	r = by_type(l, &p, e, &at, err);
	return r < 0 && l->read_code < 0 ? l->read_code : r;
}

static int all(struct layer *l, struct err *err)
{
	struct archive_entry *e;
	char shown[100];
	int r = 0;

	while (r == 0) {
		int c = archive_read_next_header(l->tar, &e);
		const char *name;

		if (c == ARCHIVE_EOF)
			break;
		if (c != ARCHIVE_OK)
			return tar_error(l, err);
		name = archive_entry_pathname(e);
		if (!name)
			return err_set(err, ERR_INPUT,
				       "entry %llu has no readable name",
				       (unsigned long long)l->counts.entries);
		r = one(l, e, name, err);
		if (r < 0 && l->read_code == 0)
			r = err_wrap(err, "entry \"%s\"",
				     text_safe(shown, sizeof(shown), name,
					       strlen(name)));
	}
	return r;
}

int layer_unpack(struct source *source, int root,
		 const struct layer_limits *limits,
		 struct layer_counts *out_counts, struct err *err)
{
	struct err read_err = {0};
	struct layer l = {
		.source = source, .limits = limits, .read_err = &read_err};
	size_t i;
	int r;

	tree_init(&l.tree, root, &limits->names);
	r = open_tar(&l, err);
	if (r == 0)
		r = all(&l, err);
	if (r == 0)
		r = set_times(&l, err);
	if (l.read_code < 0 && err)
		*err = read_err;
	if (l.tar)
		(void)archive_read_free(l.tar);
	tree_release(&l.tree);
	for (i = 0; i < l.n_folders; i++)
		free(l.folders[i].path);
	free(l.folders);
	if (r == 0)
		*out_counts = l.counts;
	return r;
}
