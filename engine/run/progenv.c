/* progenv.c - see progenv.h. */
#include "engine/run/progenv.h"

#include "lib/file.h"
#include "lib/num.h"
#include "lib/sys.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROGENV_UID_FIELD = 2, PROGENV_HOME_FIELD = 5 };

/* Field n (from 0) of a line; NULL if it has fewer. */
static const char *progenv_field(const char *line, size_t len, int n,
				 size_t *out_len)
{
	const char *end = line + len, *colon;

	for (; n > 0; n--) {
		colon = memchr(line, ':', (size_t)(end - line));
		if (colon == NULL)
			return NULL;
		line = colon + 1;
	}
	colon = memchr(line, ':', (size_t)(end - line));
	*out_len = (size_t)((colon != NULL ? colon : end) - line);
	return line;
}

const char *progenv_home(const char *text, size_t len, uint32_t uid,
			 struct arena *arena)
{
	const char *end = text + len, *line = text;

	while (line < end) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t line_len = (size_t)((stop != NULL ? stop : end) - line);
		size_t n = 0;
		const char *f =
			progenv_field(line, line_len, PROGENV_UID_FIELD, &n);
		uint64_t id = 0;

		if (f != NULL && num_parse_u64(f, n, UINT32_MAX, &id) &&
		    id == uid) {
			f = progenv_field(line, line_len, PROGENV_HOME_FIELD,
					  &n);
			if (f == NULL || n == 0 || f[0] != '/')
				return NULL;
			return arena_strndup(arena, f, n);
		}
		line += line_len + 1;
	}
	return NULL;
}

/* The image's own file, perhaps by a link within it: no FIFO that would hold
 * us up, no file of procfs (those have no size), no more than a passwd file
 * has. */
static int progenv_open_passwd(void)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int fd;

	if (root < 0)
		return -1;
	fd = sys_open_in_root(root, "/etc/passwd", O_RDONLY | O_NONBLOCK, 0);
	(void)close(root);
	if (fd >= 0 &&
	    (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

static const char *progenv_find_home(const struct run *r)
{
	const char *home = NULL;
	int fd = progenv_open_passwd();
	struct buf b;

	if (fd < 0)
		return "/";
	buf_init(&b, PROGENV_PASSWD_MAX_BYTES);
	if (file_read_fd(fd, PROGENV_PASSWD_MAX_BYTES, &b, NULL) == 0 &&
	    b.len > 0)
		home = progenv_home(b.data, b.len, r->spec.process->user.uid,
				    r->arena);
	buf_release(&b);
	(void)close(fd);
	return home != NULL ? home : "/";
}

static bool progenv_is_last(const struct decode_strv *env, size_t i)
{
	size_t len = strcspn(env->v[i], "=") + 1;

	for (size_t k = i + 1; k < env->n; k++)
		if (strncmp(env->v[i], env->v[k], len) == 0)
			return false;
	return true;
}

char **progenv_make(const struct run *r)
{
	const struct decode_strv *env = &r->spec.process->env;
	char **out = arena_calloc(r->arena, env->n + 4, sizeof(*out));
	bool home = false;
	size_t i, n = 0;

	for (i = 0; i < env->n; i++) {
		if (!progenv_is_last(env, i) || strcmp(env->v[i], "HOME=") == 0)
			continue;
		home = home || strncmp(env->v[i], "HOME=", 5) == 0;
		out[n++] = env->v[i];
	}
	if (!home)
		out[n++] =
			arena_printf(r->arena, "HOME=%s", progenv_find_home(r));
	if (r->opt.listen_fds > 0) {
		out[n++] = arena_printf(r->arena, "LISTEN_FDS=%u",
					r->opt.listen_fds);
		out[n++] = arena_strdup(r->arena, "LISTEN_PID=1");
	}
	return out;
}
