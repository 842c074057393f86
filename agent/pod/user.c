/*
 * user.c - see user.h.  Runs in reconcile-agent as root over files that an
 * image made: one open function, beneath the layer, without links.
 */
#include "agent/pod/user.h"
#include "lib/file.h"
#include "lib/num.h"
#include "lib/sys.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct field {
	const char *p;
	size_t n;
};

enum { FIELDS_MAX = 7 };

/* Splits a line at ':'; returns how many fields. */
static size_t split(const char *line, size_t len, struct field f[FIELDS_MAX])
{
	const char *end = line + len;
	size_t n = 0;

	while (n < FIELDS_MAX) {
		const char *c = memchr(line, ':', (size_t)(end - line));

		f[n].p = line;
		f[n++].n = (size_t)((c ? c : end) - line);
		if (!c)
			break;
		line = c + 1;
	}
	return n;
}

static bool is(const struct field *f, const char *text, size_t n)
{
	return f->n == n && memcmp(f->p, text, n) == 0;
}

static bool id_of(const struct field *f, uint32_t *out)
{
	uint64_t v;

	if (!num_parse_u64(f->p, f->n, USER_ID_MAX, &v))
		return false;
	*out = (uint32_t)v;
	return true;
}

/* Next line of text from *at; false at the end. */
static bool next_line(const struct buf *text, size_t *at, struct field *line)
{
	const char *nl;

	if (!text->data || *at >= text->len)
		return false;
	line->p = text->data + *at;
	nl = memchr(line->p, '\n', text->len - *at);
	line->n = nl ? (size_t)(nl - line->p) : text->len - *at;
	*at += line->n + 1;
	return true;
}

/* name NULL: by uid. */
static bool find_user(const struct buf *passwd, const char *name, size_t n,
		      struct user_ids *ids)
{
	struct field line, f[FIELDS_MAX];
	uint32_t uid, gid;
	size_t at = 0;

	while (next_line(passwd, &at, &line)) {
		if (split(line.p, line.n, f) < 6 || !id_of(&f[2], &uid) ||
		    !id_of(&f[3], &gid))
			continue;
		if (name ? !is(&f[0], name, n) : uid != ids->uid)
			continue;
		ids->uid = uid;
		ids->gid = gid;
		ids->home = f[5].p;
		ids->home_len = f[5].n;
		return true;
	}
	return false;
}

static bool find_group(const struct buf *group, const char *name, size_t n,
		       uint32_t *out)
{
	struct field line, f[FIELDS_MAX];
	size_t at = 0;

	while (next_line(group, &at, &line))
		if (split(line.p, line.n, f) >= 3 && is(&f[0], name, n) &&
		    id_of(&f[2], out))
			return true;
	return false;
}

static bool listed(const struct field *members, const char *name, size_t n)
{
	const char *p = members->p, *end = p + members->n;

	while (p <= end) {
		const char *c = memchr(p, ',', (size_t)(end - p));
		size_t len = (size_t)((c ? c : end) - p);

		if (len == n && memcmp(p, name, n) == 0)
			return true;
		p += len + 1;
	}
	return false;
}

static void add_groups(const struct buf *group, const char *name, size_t n,
		       struct user_ids *ids)
{
	struct field line, f[FIELDS_MAX];
	uint32_t gid;
	size_t at = 0;

	while (next_line(group, &at, &line))
		if (split(line.p, line.n, f) >= 4 && n > 0 &&
		    listed(&f[3], name, n) && id_of(&f[2], &gid) &&
		    ids->n_groups < USER_GROUPS_MAX)
			ids->groups[ids->n_groups++] = gid;
}

/* Text that looks like a number is one, or is refused (threat E26). */
static bool looks_numeric(const char *p, size_t n)
{
	return n > 0 && ((p[0] >= '0' && p[0] <= '9') || p[0] == '+' ||
			 p[0] == '-' || p[0] == ' ');
}

static int bad(struct err *err, const char *what, const char *user)
{
	char safe[64];

	return err_set(err, ERR_INPUT, "user \"%s\" of the image: %s",
		       text_safe(safe, sizeof(safe), user, strlen(user)), what);
}

int user_parse(const char *user, const struct buf *passwd,
	       const struct buf *group, struct user_ids *out, struct err *err)
{
	const char *colon = strchr(user, ':');
	size_t n = colon ? (size_t)(colon - user) : strlen(user);
	struct field u = {user, n}, g;
	struct user_ids ids = {0};

	if (n == 0 && colon)
		return bad(err, "want a user before the colon", user);
	if (looks_numeric(user, n)) {
		if (!id_of(&u, &ids.uid))
			return bad(err, "want a decimal id of at most 65535",
				   user);
		(void)find_user(passwd, NULL, 0, &ids);
	} else if (n == 0) {
		(void)find_user(passwd, NULL, 0, &ids);
	} else {
		if (!find_user(passwd, user, n, &ids))
			return bad(err, "not in its /etc/passwd; set runAsUser",
				   user);
		add_groups(group, user, n, &ids);
	}
	if (colon) {
		g = (struct field){colon + 1, strlen(colon + 1)};
		if (g.n == 0)
			return bad(err, "want a group behind the colon", user);
		if (looks_numeric(g.p, g.n)
			    ? !id_of(&g, &ids.gid)
			    : !find_group(group, g.p, g.n, &ids.gid))
			return bad(err, "no such group", user);
	}
	*out = ids;
	return 0;
}

/* 0 read, 1 not there, 2 removed by this layer, or an error. */
static int read_regular(int etc, const char *name, struct buf *out,
			struct err *err)
{
	char path[64];
	struct stat st;
	int fd = sys_open_beneath(etc, name, O_PATH | O_NOFOLLOW, 0);
	int in, r;

	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0 || fstat(fd, &st) < 0) {
		r = err_sys(err, errno, "/etc/%s of the image", name);
	} else if (S_ISCHR(st.st_mode) && st.st_rdev == 0) {
		r = 2;
#ifndef GUARD_OFF_USER_FILE
	} else if (!S_ISREG(st.st_mode)) {
		r = err_set(err, ERR_INPUT,
			    "/etc/%s of the image: want a regular file", name);
#endif
	} else {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		in = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		r = in < 0 ? err_sys(err, errno, "open /etc/%s", name)
			   : file_read_fd(in, USER_FILE_BYTES_MAX, out, err);
		if (in >= 0)
			(void)close(in);
	}
	if (fd >= 0)
		(void)close(fd);
	return r;
}

int user_file(const char *const *layers, size_t n_layers, const char *name,
	      struct buf *out, struct err *err)
{
	int r = 1;

	for (size_t i = 0; i < n_layers && r == 1; i++) {
		int root = open(layers[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		int etc;

		if (root < 0)
			return err_sys(err, errno, "open layer");
		etc = sys_open_beneath(root, "etc", O_PATH | O_DIRECTORY, 0);
		(void)close(root);
		if (etc < 0)
			continue;
		r = read_regular(etc, name, out, err);
		(void)close(etc);
	}
	return r < 0 ? err_wrap(err, "image") : 0;
}
