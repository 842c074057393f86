/* state.c - see state.h. */
#include "engine/state/state.h"

#include "engine/spec/spec.h"
#include "lib/file.h"
#include "lib/jsonw.h"
#include "lib/num.h"
#include "lib/sys.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_MAX_BYTES (1u << 20)
#define STATE_STAT_START 22

struct state_init {
	uint32_t pid;
	struct decode_u64 start;
};

struct state_file {
	struct state s;
};

static const struct decode_field state_table[] = {
	{.name = "id",
	 .type = DECODE_STR,
	 .offset = offsetof(struct state_file, s.id),
	 .required = true},
	{.name = "bundle",
	 .type = DECODE_STR,
	 .offset = offsetof(struct state_file, s.bundle),
	 .required = true},
	{.name = "rootfs",
	 .type = DECODE_STR,
	 .offset = offsetof(struct state_file, s.rootfs)},
	{.name = "created",
	 .type = DECODE_STR,
	 .offset = offsetof(struct state_file, s.created)},
	{.name = "ociVersion",
	 .type = DECODE_STR,
	 .offset = offsetof(struct state_file, s.version)},
	{.name = "cgroup",
	 .type = DECODE_STR,
	 .offset = offsetof(struct state_file, s.cgroup),
	 .required = true},
	{.name = "annotations",
	 .type = DECODE_MAP,
	 .offset = offsetof(struct state_file, s.annotations)},
	{.name = "poststart",
	 .type = DECODE_FLAG,
	 .offset = offsetof(struct state_file, s.poststart)},
	{.name = "poststop",
	 .type = DECODE_FLAG,
	 .offset = offsetof(struct state_file, s.poststop)},
	{.name = "unit",
	 .type = DECODE_STR,
	 .offset = offsetof(struct state_file, s.unit)},
	{.name = NULL}};

static const struct decode_field state_init_table[] = {
	{.name = "pid",
	 .type = DECODE_U32,
	 .offset = offsetof(struct state_init, pid),
	 .required = true},
	{.name = "startTime",
	 .type = DECODE_U64,
	 .offset = offsetof(struct state_init, start),
	 .required = true},
	{.name = NULL}};

int state_check_id(const char *id, struct err *err)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t len = strlen(id);
	char safe[64];
	size_t i;
	bool good = len > 0 && len <= STATE_ID_MAX &&
		    strchr(first, id[0]) != NULL && strstr(id, "..") == NULL;

	for (i = 1; good && i < len; i++)
		good = strchr(first, id[i]) != NULL ||
		       strchr("_.+-", id[i]) != NULL;
	if (good)
		return 0;
	return err_set(
		err, ERR_INPUT,
		"container id \"%s\": want letters, digits and _ . + -, "
		"1 to %d of them, the first a letter or digit, no \"..\"",
		text_safe(safe, sizeof(safe), id, len), STATE_ID_MAX);
}

int state_open_root(const char *root, bool create, int *out_fd, struct err *err)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && create)
		return file_mkdirs(AT_FDCWD, root, 0700, out_fd, err) < 0
			       ? err_wrap(err, "state directory %s", root)
			       : 0;
	if (fd < 0)
		return err_sys(err, errno, "state directory %s", root);
	*out_fd = fd;
	return 0;
}

static int state_dir(int root_fd, const char *id)
{
	return sys_open_beneath(root_fd, id, O_RDONLY | O_DIRECTORY, 0);
}

int state_claim(int root_fd, const char *id, int *out_fd, struct err *err)
{
	int fd;

	if (mkdirat(root_fd, id, 0700) < 0) {
		if (errno == EEXIST)
			return err_set(err, ERR_CONFLICT,
				       "container with given ID already "
				       "exists: \"%s\"",
				       id);
		return err_sys(err, errno, "mkdir for the state of %s", id);
	}
	fd = state_dir(root_fd, id);
	if (fd < 0) {
		int saved = errno;

		(void)unlinkat(root_fd, id, AT_REMOVEDIR);
		return err_sys(err, saved, "open the state of %s", id);
	}
	*out_fd = fd;
	return 0;
}

int state_open(int root_fd, const char *id, int *out_fd, struct err *err)
{
	int fd = state_dir(root_fd, id);

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOTFOUND,
			       "container \"%s\" does not exist", id);
	if (fd < 0)
		return err_sys(err, errno, "open the state of %s", id);
	*out_fd = fd;
	return 0;
}

int state_remove(int root_fd, const char *id, struct err *err)
{
	static const char *const files[] = {"init.json", "config.json",
					    "state.json", STATE_SOCKET};
	int dir = state_dir(root_fd, id);
	size_t i;

	if (dir < 0)
		return errno == ENOENT ? 0
				       : err_sys(err, errno, "open the state");
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlinkat(dir, files[i], 0);
	(void)close(dir);
	if (unlinkat(root_fd, id, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return file_remove_tree(root_fd, id, err);
}

/* No fsync: after a power loss there is no container to be remembered.  No
 * rename either: config.json counts only once state.json is there, and the
 * other two are one write(2) each, so that a reader finds all or nothing. */
static int state_put(int dir, const char *name, const void *bytes, size_t len,
		     struct err *err)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			0600);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "create %s", name);
	r = file_write_fd(fd, bytes, len, err);
	(void)close(fd);
	return r;
}

void state_annotations(struct jsonw *w, const struct state *s)
{
	size_t i;

	if (s->annotations.n == 0)
		return;
	jsonw_key(w, "annotations");
	jsonw_obj(w);
	for (i = 0; i + 1 < s->annotations.n; i += 2)
		jsonw_kstr(w, s->annotations.v[i], s->annotations.v[i + 1]);
	jsonw_obj_end(w);
}

int state_write_intent(int dir, const struct state *s, const void *config,
		       size_t config_len, struct err *err)
{
	struct jsonw w;
	struct buf b;
	int r;

	buf_init(&b, STATE_MAX_BYTES);
	jsonw_init(&w, &b);
	jsonw_obj(&w);
	jsonw_kstr(&w, "ociVersion", s->version);
	jsonw_kstr(&w, "id", s->id);
	jsonw_kstr(&w, "bundle", s->bundle);
	jsonw_kstr(&w, "rootfs", s->rootfs);
	jsonw_kstr(&w, "created", s->created);
	jsonw_kstr(&w, "cgroup", s->cgroup);
	jsonw_kbool(&w, "poststart", s->poststart);
	jsonw_kbool(&w, "poststop", s->poststop);
	state_annotations(&w, s);
	jsonw_kstr(&w, "unit", s->unit);
	jsonw_obj_end(&w);
	r = buf_check(&b, err);
	if (r == 0)
		r = state_put(dir, "config.json", config, config_len, err);
	if (r == 0)
		r = state_put(dir, "state.json", b.data, b.len, err);
	buf_release(&b);
	return r;
}

int state_write_init(int dir, pid_t pid, uint64_t start_time, struct err *err)
{
	char text[96];
	int n = snprintf(text, sizeof(text), "{\"pid\":%d,\"startTime\":%llu}",
			 pid, (unsigned long long)start_time);

	return state_put(dir, "init.json", text, (size_t)n, err);
}

/* A missing or empty file leaves target as it is. */
static int state_load(int dir, const char *name,
		      const struct decode_field *table, void *target,
		      struct arena *arena, struct err *err)
{
	struct err first = {0};
	struct buf b;
	int r;

	buf_init(&b, STATE_MAX_BYTES);
	r = file_read(dir, name, STATE_MAX_BYTES, &b, &first);
	if (r == ERR_NOTFOUND || (r == 0 && b.len == 0)) {
		buf_release(&b);
		return 0;
	}
	if (r < 0)
		r = err_set(err, r, "%s", first.msg);
	if (r == 0)
		r = decode_object(b.data, b.len, table, target, arena, name,
				  err);
	buf_release(&b);
	return r;
}

int state_read(int dir, struct arena *arena, struct state *out, struct err *err)
{
	struct state_file f = {.s = {.pid = 0}};
	struct state_init init = {.pid = 0};
	int r = state_load(dir, "state.json", state_table, &f, arena, err);

	if (r == 0)
		r = state_load(dir, "init.json", state_init_table, &init, arena,
			       err);
	if (r < 0)
		return r;
	if (init.pid > INT32_MAX)
		return err_set(err, ERR_INPUT, "init.json: pid: want one");
	*out = f.s;
	out->pid = (pid_t)init.pid;
	out->start_time = init.start.v;
	return 0;
}

uint64_t state_start_time(pid_t pid, bool *out_dead)
{
	char path[32], text[1024];
	uint64_t value = 0;
	const char *at;
	ssize_t n;
	int fd, field, saved;

	*out_dead = true;
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	saved = errno;
	(void)close(fd);
	errno = saved;
	if (n <= 0)
		return 0;
	errno = ESRCH;
	text[n] = '\0';
	at = strrchr(text, ')'); /* the name may hold anything before it */
	if (at == NULL || at[1] == '\0')
		return 0;
	at += 2;
	*out_dead = *at == 'Z' || *at == 'X';
	for (field = 3; field < STATE_STAT_START && at != NULL; field++) {
		at = strchr(at, ' ');
		at = at != NULL ? at + 1 : NULL;
	}
	if (at == NULL ||
	    !num_parse_u64(at, strcspn(at, " "), UINT64_MAX, &value))
		*out_dead = true;
	return value;
}

/* A number that is a thread now, or nothing: the process has gone. */
static int state_gone(int sys_errno)
{
	errno = sys_errno == EINVAL || sys_errno == ENOENT ? ESRCH : sys_errno;
	return -1;
}

int state_pidfd(const struct state *s)
{
	bool dead = true;
	int fd, saved;

	errno = ESRCH;
	if (s->pid <= 0)
		return -1;
	fd = sys_pidfd_open(s->pid);
	if (fd < 0)
		return state_gone(errno);
#ifndef GUARD_OFF_PID_REUSE
	if (state_start_time(s->pid, &dead) != s->start_time || dead) {
		saved = errno;
		(void)close(fd);
		return state_gone(saved);
	}
#else
	(void)dead;
	(void)saved;
#endif
	return fd;
}

int state_status(int dir, const struct state *s, enum state_status *out,
		 struct err *err)
{
	int fd = state_pidfd(s);
	bool waits;

	if (s->pid <= 0) {
		*out = STATE_CREATING;
		return 0;
	}
	if (fd < 0 && errno != ESRCH)
		return err_sys(err, errno, "look at process %d", s->pid);
	if (fd < 0) {
		*out = STATE_STOPPED;
		return 0;
	}
	(void)close(fd);
	waits = faccessat(dir, STATE_SOCKET, F_OK, 0) == 0;
	if (!waits && errno != ENOENT)
		return err_sys(err, errno, "look for " STATE_SOCKET);
	*out = waits ? STATE_CREATED : STATE_RUNNING;
	return 0;
}

const char *state_status_name(enum state_status status)
{
	static const char *const names[] = {"creating", "created", "running",
					    "paused", "stopped"};

	return names[status];
}
