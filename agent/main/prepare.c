/*
 * prepare.c - a pod's folders and files, and taking them away again.
 *
 *   RUN/pods/UID/    c/NAME/{config.json,overlay.json,...} etc/ term/ vol/ sub/
 *   STATE/pods/UID/  pod.json logs/ vol/ c/NAME/{upper,work}
 */
#include "agent/main/agent.h"
#include "agent/pod/bundle.h"
#include "agent/pod/volume.h"
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_BYTES_MAX (4u << 20)
#define TEXT_BYTES_MAX 65536

uint32_t prepare_base(const struct pod *p)
{
	const struct agent_pod *io = p->io;

	/* Range 0 is the image store's. */
	return (uint32_t)(io->agent->conf.userns_base +
			  ((int64_t)p->range + 1) * CONFIG_RANGE);
}

void prepare_volume_env(struct pod *p, void *volume_env)
{
	struct agent_pod *io = agent_io(p);

	*(struct volume_env *)volume_env = (struct volume_env){
		.run_fd = io->run_fd,
		.run_dir = io->run_dir,
		.disk_fd = io->disk_fd,
		.disk_dir = io->disk_dir,
		.id_base = p->has_range ? prepare_base(p) : 0,
		.fs_group = p->tpl->spec.security.fs_group,
		.objects = &io->agent->snap.want.objects,
		.host_path_prefixes =
			&io->agent->snap.want.policy.host_path_prefixes,
	};
}

int prepare_open(struct agent *a, struct pod *p, struct err *err)
{
	struct agent_pod *io = agent_io(p);
	char rel[64];
	int r;

	(void)snprintf(rel, sizeof(rel), "pods/%s", p->uid);
	io->run_dir = arena_printf(p->arena, "%s/%s", a->conf.run_dir, rel);
	io->disk_dir = arena_printf(p->arena, "%s/%s", a->conf.state_dir, rel);
	r = file_mkdirs(a->state_fd, rel, 0711, &io->disk_fd, err);
	if (r == 0 && !p->cleaned)
		r = file_mkdirs(a->run_fd, rel, 0711, &io->run_fd, err);
	return r;
}

static int put_file(int dir, const char *name, mode_t mode, const char *text,
		    size_t len, struct err *err)
{
	int fd = openat(dir, name,
			O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			0600);
	int r;

	if (fd < 0)
		return err_sys(err, errno, "make %s", name);
	r = file_write_fd(fd, text, len, err);
	if (r == 0 && fchmod(fd, mode) < 0)
		r = err_sys(err, errno, "mode of %s", name);
	(void)close(fd);
	return r;
}

static void put_hosts(const struct pod *p, struct buf *b)
{
	const struct pod_spec *s = &p->tpl->spec;

	buf_puts(b, "127.0.0.1\tlocalhost\n");
	if (p->has_ip)
		buf_printf(b, "%u.%u.%u.%u\t%s\n", p->ip >> 24,
			   p->ip >> 16 & 255, p->ip >> 8 & 255, p->ip & 255,
			   s->hostname ? s->hostname : p->name);
	for (size_t i = 0; i < s->n_host_aliases; i++) {
		buf_puts(b, s->host_aliases[i].ip);
		for (size_t k = 0; k < s->host_aliases[i].hostnames.n; k++)
			buf_printf(b, "\t%s",
				   s->host_aliases[i].hostnames.items[k]);
		buf_putc(b, '\n');
	}
}

static void put_resolver(const struct agent *a, struct buf *b)
{
	if (a->conf.nameserver[0] != '\0')
		buf_printf(b, "nameserver %s\n", a->conf.nameserver);
	else
		(void)file_read(AT_FDCWD, "/etc/resolv.conf", TEXT_BYTES_MAX, b,
				NULL);
}

static int put_etc(struct pod *p, struct err *err)
{
	struct agent_pod *io = agent_io(p);
	const char *host =
		p->tpl->spec.hostname ? p->tpl->spec.hostname : p->name;
	struct buf b;
	int etc, r = file_mkdirs(io->run_fd, "etc", 0711, &etc, err);

	if (r < 0)
		return r;
	buf_init(&b, TEXT_BYTES_MAX);
	put_hosts(p, &b);
	r = put_file(etc, "hosts", 0644, b.data, b.len, err);
	buf_reset(&b);
	buf_printf(&b, "%s\n", host);
	if (r == 0)
		r = put_file(etc, "hostname", 0644, b.data, b.len, err);
	buf_reset(&b);
	put_resolver(io->agent, &b);
	if (r == 0)
		r = put_file(etc, "resolv.conf", 0644, b.data ? b.data : "",
			     b.len, err);
	buf_release(&b);
	(void)close(etc);
	return r;
}

/* Numbers that nobody else has. */
static int take_numbers(struct pod *p, struct err *err)
{
	struct agent *a = agent_io(p)->agent;
	const struct pod_spec *s = &p->tpl->spec;
	int r = 0;

	if (s->host_users != TRI_TRUE && !p->has_range) {
		r = pool_take(&a->ranges, &p->range, err);
		p->has_range = r == 0;
	}
	if (r == 0 && !s->host_network && !p->has_ip) {
		uint32_t i;

		r = pool_take(&a->addresses, &i, err);
		if (r == 0) {
			p->ip = a->pod_cidr + i;
			p->has_ip = true;
		}
	}
	return r;
}

static int bundle_dir(struct pod *p, const char *name, int *out_fd,
		      struct err *err)
{
	char rel[128];

	(void)snprintf(rel, sizeof(rel), "c/%s", name);
	return file_mkdirs(agent_io(p)->run_fd, rel, 0700, out_fd, err);
}

static int put_sandbox(struct pod *p, struct err *err)
{
	struct buf b;
	int fd, r = bundle_dir(p, POD_SANDBOX, &fd, err);

	if (r < 0)
		return r;
	buf_init(&b, CONFIG_BYTES_MAX);
	r = spec_sandbox(p, &b, err);
	if (r == 0)
		r = put_file(fd, "config.json", 0600, b.data, b.len, err);
	buf_release(&b);
	(void)close(fd);
	return r;
}

int prepare_pod(struct pod *p, struct err *err)
{
	struct volume_env env;
	int r = take_numbers(p, err);

	if (r == 0) {
		prepare_volume_env(p, &env);
		r = volume_make(p, &env, err);
	}
	if (r == 0)
		r = put_etc(p, err);
	if (r == 0)
		r = put_sandbox(p, err);
	return r;
}

int prepare_layer(struct pod *p, struct pod_container *c, struct err *err)
{
	struct agent_pod *io = agent_io(p);
	char rel[128];
	int dir, r;

	(void)snprintf(rel, sizeof(rel), "c/%s", c->name);
	r = file_remove_tree(io->disk_fd, rel, err);
	if (r < 0 && r != ERR_NOTFOUND)
		return r;
	r = file_mkdirs(io->disk_fd, rel, 0711, &dir, err);
	if (r < 0)
		return r;
	if (mkdirat(dir, "upper", 0755) < 0 || mkdirat(dir, "work", 0755) < 0)
		r = err_sys(err, errno, "make the container's layer");
	(void)close(dir);
	return r;
}

/* Empty at each start; the container may write, we read at most 4 KiB. */
static int put_termination(struct pod *p, struct pod_container *c,
			   struct err *err)
{
	uid_t owner = (p->has_range ? prepare_base(p) : 0) + c->run_uid;
	int dir, fd, r;

	r = file_mkdirs(agent_io(p)->run_fd, "term", 0711, &dir, err);
	if (r < 0)
		return r;
	(void)unlinkat(dir, c->name, 0);
	fd = openat(dir, c->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    0600);
	if (fd < 0 || fchown(fd, owner, (gid_t)-1) < 0 || fchmod(fd, 0666) < 0)
		r = err_sys(err, errno, "termination message file");
	if (fd >= 0)
		(void)close(fd);
	(void)close(dir);
	return r;
}

/* Where the kernel counts kills for memory: the monitor reads it. */
static int link_memory_events(struct pod *p, struct pod_container *c, int dir,
			      struct err *err)
{
	const char *parent = agent_io(p)->agent->conf.cgroup_parent;
	char to[PATH_MAX];

	if (access("/sys/fs/cgroup/memory", F_OK) == 0)
		(void)snprintf(to, sizeof(to),
			       "/sys/fs/cgroup/memory%s/%s.%s/"
			       "memory.oom_control",
			       parent, p->uid, c->name);
	else
		(void)snprintf(to, sizeof(to),
			       "/sys/fs/cgroup%s/%s.%s/memory.events", parent,
			       p->uid, c->name);
	(void)unlinkat(dir, "memory-events", 0);
	if (symlinkat(to, dir, "memory-events") < 0)
		return err_sys(err, errno, "link memory-events");
	return 0;
}

static int put_bundle(struct pod *p, struct pod_container *c, int dir,
		      enum code_id *out_code, struct err *err)
{
	struct agent_pod *io = agent_io(p);
	const struct image_info *info = &io->infos[c - p->c];
	char upper[PATH_MAX], work[PATH_MAX];
	struct buf b;
	int r;

	(void)snprintf(upper, sizeof(upper), "%s/c/%s/upper", io->disk_dir,
		       c->name);
	(void)snprintf(work, sizeof(work), "%s/c/%s/work", io->disk_dir,
		       c->name);
	buf_init(&b, CONFIG_BYTES_MAX);
	r = spec_container(p, c, &b, out_code, err);
	if (r == 0)
		r = put_file(dir, "config.json", 0600, b.data, b.len, err);
	buf_reset(&b);
	if (r == 0)
		r = bundle_overlay(
			info->lower_dirs.items, info->lower_dirs.n, upper, work,
			(uint32_t)io->agent->conf.userns_base, &b, err);
	if (r == 0)
		r = put_file(dir, "overlay.json", 0600, b.data, b.len, err);
	buf_release(&b);
	return r;
}

/* At each start, not only the first (threat K05). */
static int check_non_root(const struct pod *p, const struct pod_container *c,
			  struct err *err)
{
	int own = c->spec->security.run_as_non_root;
	int want =
		own != TRI_UNSET ? own : p->tpl->spec.security.run_as_non_root;

#ifndef GUARD_OFF_NON_ROOT
	if (want == TRI_TRUE && c->run_uid == 0)
		return err_set(err, ERR_DENIED,
			       "container %s: runAsNonRoot, but its user is "
			       "root: set runAsUser or USER in the image",
			       c->name);
#else
	(void)want;
	(void)err;
#endif
	return 0;
}

int prepare_container(struct pod *p, struct pod_container *c,
		      enum code_id *out_code, struct err *err)
{
	struct agent_pod *io = agent_io(p);
	bool known;
	int dir, r;

	r = bundle_dir(p, c->name, &dir, err);
	if (r < 0)
		return r;
	/* A restart runs the bundle of the first start, so that it works the
	 * same after the agent was started again without image or manifest. */
	known = faccessat(dir, "config.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
		faccessat(dir, "overlay.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (!known && !io->infos[c - p->c].arena) {
		c->image_ready = false; /* the agent was started in between */
		r = err_set(err, ERR_AGAIN, "image is not loaded");
	}
	if (r == 0 && !c->ever_ended)
		r = prepare_layer(p, c, err);
	if (r == 0 && !known)
		r = put_bundle(p, c, dir, out_code, err);
	if (r == 0) {
		*out_code = CODE_NON_ROOT;
		r = check_non_root(p, c, err);
	}
	if (r == 0) {
		*out_code = CODE_VOLUME;
		r = put_termination(p, c, err);
	}
	if (r == 0)
		r = link_memory_events(p, c, dir, err);
	if (r < 0 && !known) {
		(void)unlinkat(dir, "config.json", 0);
		(void)unlinkat(dir, "overlay.json", 0);
	} else if (r == 0) {
		image_info_release(&io->infos[c - p->c]);
	}
	(void)close(dir);
	return r;
}

static int remove_below(int fd, const char *name, struct err *err)
{
	int r = fd < 0 ? 0 : file_remove_tree(fd, name, err);

	return r == ERR_NOTFOUND ? 0 : r;
}

int prepare_clean(struct pod *p, struct err *err)
{
	struct agent_pod *io = agent_io(p);
	struct agent *a = io->agent;
	char rel[64];
	int r;

	(void)snprintf(rel, sizeof(rel), "pods/%s", p->uid);
	r = volume_unmount(io->run_dir, err);
	if (r == 0)
		r = remove_below(a->run_fd, rel, err);
	if (r == 0)
		r = remove_below(io->disk_fd, "c", err);
	if (r == 0)
		r = remove_below(io->disk_fd, "vol", err);
	if (r == 0 && p->stopping)
		r = remove_below(a->state_fd, rel, err);
	if (r < 0)
		return r;
	if (io->run_fd >= 0)
		(void)close(io->run_fd);
	io->run_fd = -1;
	if (p->has_range)
		pool_give(&a->ranges, p->range);
	if (p->has_ip)
		pool_give(&a->addresses, p->ip - a->pod_cidr);
	p->has_range = p->has_ip = false;
	return 0;
}

void prepare_forget(struct pod *p)
{
	char rel[64];

	(void)snprintf(rel, sizeof(rel), "pods/%s", p->uid);
	(void)remove_below(agent_io(p)->agent->state_fd, rel, NULL);
}
