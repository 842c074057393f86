/*
 * host.c - the engine's steps of run.h.  Runs on the host with the caller's
 * privileges; nothing in here looks into the container's tree.
 */
#include "engine/run/host.h"

#include "engine/confine/compiled.h"
#include "engine/run/child.h"
#include "engine/run/link.h"
#include "engine/run/passfd.h"
#include "engine/run/rootless.h"
#include "engine/run/self.h"
#include "engine/run/shape.h"
#include "engine/run/sysctl.h"
#include "engine/rootfs/overlay.h"
#include "engine/sys/esys.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void host_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static int host_read_overlay(struct run *r, struct err *err)
{
	struct buf b;
	int rc;

	if (r->opt.overlay == NULL)
		return 0;
	buf_init(&b, SPEC_MAX_BYTES);
	rc = file_read(AT_FDCWD, r->opt.overlay, SPEC_MAX_BYTES, &b, err);
	if (rc == 0)
		rc = overlay_read(b.data, b.len, r->arena, &r->rootfs.overlay,
				  err);
	buf_release(&b);
	return rc;
}

static bool host_mentions(const struct run *r, const char *word)
{
	return r->config.len > 0 && memmem(r->config.data, r->config.len, word,
					   strlen(word)) != NULL;
}

/* Only a user namespace can make host_cover() needless.  Where the config has
 * no word of one, we begin again before the decoding rather than after it. */
static int host_cover_early(struct run *r, struct err *err)
{
	const struct idmap none = {.n_uid = 0};

	if (host_mentions(r, "uidMappings") || host_mentions(r, "/ns/user"))
		return 0;
	if (self_cover(&none, r->opt.argv, err) < 0)
		return err->code;
	r->covered = true;
	return 0;
}

int host_check_terminal(const struct run *r, struct err *err)
{
	bool terminal = r->spec.process->terminal;

	if (terminal && r->opt.console_socket == NULL && !r->opt.foreground)
		return err_set(err, ERR_INPUT,
			       "cannot allocate a terminal when detached "
			       "without --console-socket");
	if (!terminal && r->opt.console_socket != NULL)
		return err_set(err, ERR_INPUT,
			       "--console-socket wants process.terminal");
	return 0;
}

int host_decode(struct run *r, struct err *err)
{
	int rc = state_check_id(r->opt.id, err);

	if (rc < 0)
		return rc;
	r->bundle_fd = open(r->opt.bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->bundle_fd < 0)
		return err_sys(err, errno, "bundle %s", r->opt.bundle);
	rc = file_read(r->bundle_fd,
		       r->opt.config != NULL ? r->opt.config : "config.json",
		       SPEC_MAX_BYTES, &r->config, err);
	if (rc == 0)
		rc = host_cover_early(r, err);
	if (rc == 0)
		rc = spec_read(r->config.data, r->config.len, r->arena,
			       &r->spec, err);
	if (rc == 0)
		rc = host_read_overlay(r, err);
	if (rc == 0)
		rc = sysctl_check_all(&r->spec, err);
	if (rc == 0)
		rc = shape_read(r, err);
	if (rc == 0)
		rc = host_check_terminal(r, err);
	if (rc == 0 && r->opt.rootless)
		rc = rootless_check(r, err);
	if (rc == 0 && r->opt.no_pivot &&
	    spec_ns_find(&r->spec, SPEC_NS_USER) != NULL)
		rc = err_set(err, ERR_INPUT,
			     "--no-pivot: not with a user namespace: the "
			     "host's mounts could not be taken from it");
	r->hooks_early = r->spec.hooks.prestart.n > 0 ||
			 r->spec.hooks.create_runtime.n > 0 ||
			 r->spec.hooks.create_container.n > 0;
	r->rootfs.spec = &r->spec;
	r->rootfs.no_mknod = r->opt.rootless;
	r->rootfs.no_pivot = r->opt.no_pivot;
	r->map = (struct idmap){r->spec.linux_.uid_map, r->spec.linux_.gid_map,
				r->spec.linux_.n_uid_map,
				r->spec.linux_.n_gid_map};
	return rc;
}

int host_claim(struct run *r, struct err *err)
{
	int rc = state_open_root(r->opt.root, true, &r->root_fd, err);

	if (rc == 0)
		rc = state_claim(r->root_fd, r->opt.id, &r->dir_fd, err);
	return rc;
}

void host_undo_claim(struct run *r)
{
	if (r->dir_fd < 0)
		return;
	host_close(&r->dir_fd); /* it may be descriptors that we lack */
	(void)state_remove(r->root_fd, r->opt.id, NULL);
}

int host_record(struct run *r, struct err *err)
{
	char created[CLOCK_RFC3339_BYTES], real[4096], link[32];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", r->bundle_fd);
	n = readlink(link, real, sizeof(real) - 1);
	if (n < 0)
		return err_sys(err, errno, "bundle %s", r->opt.bundle);
	real[n] = '\0';
	r->state = (struct state){
		.id = arena_strdup(r->arena, r->opt.id),
		.bundle = arena_strdup(r->arena, real),
		.rootfs = r->spec.root.path[0] == '/'
				  ? r->spec.root.path
				  : arena_printf(r->arena, "%s/%s", real,
						 r->spec.root.path),
		.cgroup = r->cgroup.path,
		.annotations = r->spec.annotations,
		.poststart = r->spec.hooks.poststart.n > 0,
		.poststop = r->spec.hooks.poststop.n > 0,
		.unit = r->scope.unit,
		.version = r->spec.version,
		.created = arena_strdup(
			r->arena, clock_rfc3339(clock_unix_ms(), created)),
	};
	if (r->hooks_early)
		r->rootfs.seen_at = r->state.rootfs;
	return state_write_intent(r->dir_fd, &r->state, r->config.data,
				  r->config.len, err);
}

int host_cover(struct run *r, struct err *err)
{
	if (r->covered)
		return 0;
	return self_cover(&r->map, r->opt.argv, err);
}

int host_take_sources(struct run *r, struct err *err)
{
	size_t i;
	int rc = prepare_sources(&r->rootfs, r->bundle_fd, &r->map, r->arena,
				 err);

	r->rootfs.cgroup_v2_only = r->cgroup.v2_only;
	for (i = 0; i < r->cgroup.n && rc == 0; i++)
		rc = prepare_cgroup(&r->rootfs, r->cgroup.h[i].name,
				    r->cgroup.h[i].dir, err);
	return rc;
}

int host_sources(struct run *r, struct err *err)
{
	r->inside = r->opt.rootless && rootless_is_shut_out();
	return r->inside ? 0 : host_take_sources(r, err);
}

static int host_start_socket(struct run *r, struct err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	r->start_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (r->start_fd < 0)
		return err_sys(err, errno, "socket");
	(void)snprintf(addr.sun_path, sizeof(addr.sun_path),
		       "/proc/self/fd/%d/" STATE_SOCKET, r->dir_fd);
	if (bind(r->start_fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    listen(r->start_fd, 4) < 0)
		return err_sys(err, errno, "bind " STATE_SOCKET);
	return 0;
}

/* Where the terminal's master goes: to the client, or to ourselves where we
 * stay in the foreground. */
int host_console(struct run *r, struct err *err)
{
	int pair[2];

	if (!r->spec.process->terminal)
		return 0;
	if (r->opt.console_socket != NULL)
		return passfd_connect("console-socket", r->opt.console_socket,
				      &r->console_fd, err);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, errno, "socketpair");
	r->tty_fd = pair[0];
	r->console_fd = pair[1];
	return 0;
}

int host_sockets(struct run *r, struct err *err)
{
	int rc = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, r->link) < 0)
		return err_sys(err, errno, "socketpair");
	if (!r->opt.direct)
		rc = host_start_socket(r, err);
	if (rc == 0)
		rc = host_console(r, err);
	if (rc == 0 && r->spec.linux_.seccomp != NULL) {
		r->shared = mmap(NULL, RUN_SHARED_BYTES, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (r->shared == MAP_FAILED) {
			r->shared = NULL;
			rc = err_sys(err, errno, "mmap");
		}
	}
	return rc;
}

int host_clone(struct run *r, struct err *err)
{
	int rc;

	r->child.run = child_main;
	r->child.arg = r;
	/* Born there is only who may move from where we are; and a scope still
	 * has its keeper, whom a limit of processes counts at a birth, not at a
	 * move. */
	r->child.cgroup_fd = r->opt.rootless || r->opt.systemd
				     ? -1
				     : cgroup_v2_dir(&r->cgroup);
	rc = ns_clone(&r->ns, &r->child, err);
	host_close(&r->link[1]);
	host_close(&r->start_fd);
	host_close(&r->console_fd);
	return rc;
}

void host_undo_clone(struct run *r)
{
	int status;

	host_close(&r->link[0]);
	if (r->child.pidfd < 0)
		return;
	(void)sys_pidfd_signal(r->child.pidfd, SIGKILL);
	(void)esys_waitid_pidfd(r->child.pidfd, &status, 0);
}

int host_remember(struct run *r, struct err *err)
{
	struct link_msg m;
	bool dead = false;

	r->state.pid = r->child.pid;
	r->state.start_time = state_start_time(r->child.pid, &dead);
	if (dead) { /* of something that it may have told */
		(void)sys_pidfd_signal(r->child.pidfd, SIGKILL);
		return link_want(r->link[0], LINK_READY, &m, err);
	}
	return state_write_init(r->dir_fd, r->state.pid, r->state.start_time,
				err);
}

int host_oom(struct run *r, struct err *err)
{
	const struct decode_i64 *want = &r->spec.process->oom_score_adj;
	char path[64], text[24];
	int fd, n, rc = 0;

	if (!want->set)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj",
		       r->child.pid);
	n = snprintf(text, sizeof(text), "%lld", (long long)want->v);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)n) != n)
		/* A lower one than ours is not for a user to have. */
		rc = r->opt.rootless && (errno == EACCES || errno == EPERM)
			     ? 0
			     : err_sys(err, errno, "process.oomScoreAdj %s",
				       text);
	host_close(&fd);
	return rc;
}

int host_go(struct run *r, struct err *err)
{
	return link_send(r->link[0], LINK_GO, 0, NULL, err);
}

int host_filter(struct run *r, struct err *err)
{
	int rc = compiled_filter(r->root_fd, r->spec.linux_.seccomp, &r->filter,
				 err);

	if (rc == 0 && r->filter.n > FILTER_MAX_INSNS)
		return err_set(err, ERR_LIMIT, "seccomp: %zu instructions",
			       r->filter.n);
	if (rc == 0 && r->filter.n > 0)
		memcpy(r->shared, r->filter.bpf,
		       r->filter.n * FILTER_INSN_BYTES);
	return rc;
}

int host_await(struct run *r, struct err *err)
{
	struct link_msg m;

	return link_want(r->link[0], LINK_READY, &m, err);
}

int host_ready(struct run *r, struct err *err)
{
	return link_send(r->link[0], LINK_READY,
			 (uint32_t)r->filter.n | r->filter.flags
							 << RUN_FILTER_SHIFT,
			 NULL, err);
}

int host_keep(struct run *r, struct err *err)
{
	if (r->opt.direct)
		return 0;
	return link_send(r->link[0], LINK_KEEP, 0, NULL, err);
}
