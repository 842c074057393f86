/*
 * spec.c - from a pod and its images to the bundles' config.json.
 *
 * Safe when nothing is said (manifests.md 5.5): a user namespace with a range
 * of its own (D4), the default seccomp filter (D1), no_new_privs (D2), few
 * capabilities (D3).
 */
#include "agent/main/agent.h"
#include "agent/pod/bundle.h"
#include "agent/pod/env.h"
#include "agent/pod/user.h"
#include "agent/pod/volume.h"
#include "engine/engine.h"
#include "lib/sys.h"
#include "lib/text.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#define SECCOMP_BYTES_MAX (1u << 20)
#define PIDS_DEFAULT 1024
#define SANDBOX_PIDS 16
#define SHM_BYTES_TEXT "size=67108864"
#define CAPS_MAX 64
#define GROUPS_MAX 160

static size_t count(const char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

static void add_ns(struct bundle *b, const char *type, const char *path)
{
	b->ns[b->n_ns++] = (struct bundle_ns){type, path};
}

/* The bundle struct is large: it lives in an arena of the call. */
static struct bundle *new_bundle(struct arena *arena, const struct pod *p,
				 const char *name)
{
	struct bundle *b = arena_alloc(arena, sizeof(*b));
	const struct agent_pod *io = p->io;

	b->cgroup = arena_printf(arena, "%s/%s.%s",
				 io->agent->conf.cgroup_parent, p->uid, name);
	b->masked = engine_masked_here(
		arena, (unsigned int)sysconf(_SC_NPROCESSORS_CONF));
	b->n_masked = count(b->masked);
	b->read_only = engine_readonly_paths();
	b->n_read_only = count(b->read_only);
	b->cpu_request_m = b->cpu_limit_m = MANIFEST_UNSET;
	b->memory_limit = MANIFEST_UNSET;
	b->no_new_privs = true;
	b->cwd = "/";
	return b;
}

static const char *default_seccomp(struct arena *arena)
{
	struct buf b;
	const char *json;

	buf_init(&b, SECCOMP_BYTES_MAX);
	engine_seccomp_default_json(&b);
	json = b.failed ? NULL : arena_strndup(arena, b.data, b.len);
	buf_release(&b);
	return json;
}

/* The sandbox holds the pod together: it goes last.  Lowering the score takes
 * CAP_SYS_RESOURCE, which not every host's root has. */
static int sandbox_oom_score(void)
{
	uint64_t effective = 0;
	uint64_t permitted = 0;

	if (sys_capget(&effective, &permitted) < 0 ||
	    (effective >> CAP_SYS_RESOURCE & 1) == 0)
		return 0;
	return -998;
}

/* What reconcile-init calls, and the engine between filter and exec; a filter
 * of a dozen calls is also made six times faster than the containers' one. */
static const char sandbox_seccomp[] =
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":1,"
	"\"syscalls\":[{\"names\":[\"rt_sigprocmask\",\"rt_sigtimedwait\","
	"\"rt_sigreturn\",\"wait4\",\"prctl\",\"execve\",\"execveat\","
	"\"newfstatat\",\"faccessat\",\"faccessat2\",\"sendto\","
	"\"close\",\"exit\",\"exit_group\"],"
	"\"action\":\"SCMP_ACT_ALLOW\"}]}";

int spec_sandbox(struct pod *p, struct buf *out, struct err *err)
{
	static const char *const args[] = {"/init"};
	struct arena *arena = arena_new(8u << 20);
	struct bundle *b = new_bundle(arena, p, POD_SANDBOX);
	struct agent *a = agent_io(p)->agent;
	const struct pod_spec *spec = &p->tpl->spec;
	int r;

	b->root = arena_printf(arena, "%s/pause", a->conf.run_dir);
	b->read_only_root = true;
	/* Its folder is the host's: device files need a place of their own. */
	(void)bundle_mount(b, "/dev", "tmpfs", "tmpfs",
			   "nosuid,noexec,mode=755,size=64k");
	b->args = args;
	b->n_args = 1;
	b->pids = spec->share_process_namespace ? PIDS_DEFAULT : SANDBOX_PIDS;
	b->oom_score_adj = sandbox_oom_score();
	b->seccomp = sandbox_seccomp;
	b->hostname = spec->host_network ? NULL
		      : spec->hostname	 ? spec->hostname
					 : arena_strndup(arena, p->name, 63);
	if (p->has_range) {
		b->id_base = prepare_base(p);
		b->id_size = CONFIG_RANGE;
		add_ns(b, "user", NULL);
	}
	add_ns(b, "mount", NULL);
	add_ns(b, "cgroup", NULL);
	if (!spec->host_network) {
		add_ns(b, "network", NULL);
		add_ns(b, "uts", NULL);
	}
	if (!spec->host_ipc)
		add_ns(b, "ipc", NULL);
	if (!spec->host_pid)
		add_ns(b, "pid", NULL);
	r = bundle_encode(b, out, err);
	arena_free(arena);
	return r;
}

/* --- parts of a container
 * ------------------------------------------------------ */

struct maker {
	struct pod *p;
	struct pod_container *c;
	const struct image_info *image;
	struct bundle *b;
	struct arena *arena;
	struct env_list env;
	const char *home;
};

static const char *ip_text(struct arena *arena, uint32_t ip)
{
	return arena_printf(arena, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255,
			    ip >> 8 & 255, ip & 255);
}

static int make_env(struct maker *m, struct err *err)
{
	struct agent *a = agent_io(m->p)->agent;
	struct env_facts facts = {
		.name = m->p->name,
		.namespace = m->p->namespace,
		.uid = m->p->uid,
		.labels = &m->p->tpl->meta.labels,
		.annotations = &m->p->tpl->meta.annotations,
		.node_name = a->conf.name,
		.service_account = m->p->tpl->spec.service_account,
		.pod_ip = m->p->has_ip ? ip_text(m->arena, m->p->ip)
				       : ip_text(m->arena, a->gateway),
		.host_ip = ip_text(m->arena, a->gateway),
	};
	const char *hostname = m->p->tpl->spec.hostname
				       ? m->p->tpl->spec.hostname
				       : m->p->name;
	size_t n = m->image->config.env.n;
	const char **base = arena_calloc(m->arena, n + 3, sizeof(*base));

	base[0] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
		  "/sbin:/bin";
	base[1] = arena_printf(m->arena, "HOSTNAME=%s", hostname);
	base[2] = arena_printf(m->arena, "HOME=%s", m->home);
	if (n > 0)
		memcpy(base + 3, m->image->config.env.items, n * sizeof(*base));
	return env_make(m->c->spec, &a->snap.want.objects, &facts, base, n + 3,
			m->arena, &m->env, err);
}

static void expand(struct maker *m, const struct strings *in, const char **out,
		   size_t *n)
{
	for (size_t i = 0; i < in->n; i++)
		out[(*n)++] = env_expand(&m->env, in->items[i], m->arena);
}

/* command replaces ENTRYPOINT and discards CMD; args replaces CMD. */
static int make_args(struct maker *m, struct err *err)
{
	const struct container *c = m->c->spec;
	const struct image_config *i = &m->image->config;
	size_t n = 0;
	const char **args = arena_calloc(m->arena,
					 c->command.n + c->args.n +
						 i->entrypoint.n + i->cmd.n + 1,
					 sizeof(*args));

	if (c->has_command)
		expand(m, &c->command, args, &n);
	else
		for (size_t k = 0; k < i->entrypoint.n; k++)
			args[n++] = i->entrypoint.items[k];
	if (c->has_args)
		expand(m, &c->args, args, &n);
	else if (!c->has_command)
		for (size_t k = 0; k < i->cmd.n; k++)
			args[n++] = i->cmd.items[k];
	if (n == 0)
		return err_set(err, ERR_INPUT,
			       "container %s: neither the manifest nor the "
			       "image says what to run",
			       m->c->name);
	m->b->args = args;
	m->b->n_args = n;
	m->b->cwd = c->working_dir			  ? c->working_dir
		    : i->working_dir && i->working_dir[0] ? i->working_dir
							  : "/";
	return 0;
}

static int image_user(struct maker *m, struct user_ids *out, struct err *err)
{
	struct buf passwd, group;
	int r;

	buf_init(&passwd, USER_FILE_BYTES_MAX);
	buf_init(&group, USER_FILE_BYTES_MAX);
	r = user_file(m->image->lower_dirs.items, m->image->lower_dirs.n,
		      "passwd", &passwd, err);
	if (r == 0)
		r = user_file(m->image->lower_dirs.items,
			      m->image->lower_dirs.n, "group", &group, err);
	if (r == 0)
		r = user_parse(m->image->config.user ? m->image->config.user
						     : "",
			       &passwd, &group, out, err);
	if (r == 0 && out->home && out->home_len > 0 && out->home[0] == '/' &&
	    text_is_utf8(out->home, out->home_len))
		m->home = arena_strndup(m->arena, out->home, out->home_len);
	buf_release(&passwd);
	buf_release(&group);
	return r;
}

static int64_t pick(int64_t container, int64_t pod)
{
	return container != MANIFEST_UNSET ? container : pod;
}

static void add_group(uint32_t *groups, size_t *n, int64_t gid)
{
	for (size_t i = 0; i < *n; i++)
		if (groups[i] == gid)
			return;
	if (gid >= 0 && *n < GROUPS_MAX)
		groups[(*n)++] = (uint32_t)gid;
}

static int make_user(struct maker *m, struct err *err)
{
	const struct container_security *cs = &m->c->spec->security;
	const struct pod_security *ps = &m->p->tpl->spec.security;
	int64_t uid = pick(cs->run_as_user, ps->run_as_user);
	int64_t gid = pick(cs->run_as_group, ps->run_as_group);
	uint32_t *groups = arena_calloc(m->arena, GROUPS_MAX, sizeof(*groups));
	struct user_ids ids = {0};
	size_t n = 0;
	int r = 0;

	/* The image's files are only read when they are needed. */
	if (uid == MANIFEST_UNSET)
		r = image_user(m, &ids, err);
	if (r < 0)
		return err_wrap(err, "container %s", m->c->name);
	if (uid == MANIFEST_UNSET)
		uid = ids.uid;
	if (gid == MANIFEST_UNSET)
		gid = ids.gid;
	if (uid > USER_ID_MAX || gid > USER_ID_MAX)
		return err_set(err, ERR_INPUT,
			       "container %s: want ids of at most %d",
			       m->c->name, USER_ID_MAX);
	for (size_t i = 0; i < ids.n_groups; i++)
		add_group(groups, &n, ids.groups[i]);
	for (size_t i = 0; i < ps->n_supplemental_groups; i++)
		add_group(groups, &n, ps->supplemental_groups[i]);
	if (ps->fs_group != MANIFEST_UNSET)
		add_group(groups, &n, ps->fs_group);
	m->b->uid = (uint32_t)uid;
	m->b->gid = (uint32_t)gid;
	m->b->groups = groups;
	m->b->n_groups = n;
	m->c->run_uid = (uint32_t)uid;
	return 0;
}

static bool listed(const struct strings *s, const char *cap)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->items[i], "ALL") == 0 ||
		    strcmp(s->items[i], cap + 4) == 0)
			return true;
	return false;
}

/* Everything there is, for privileged: admission has allowed it. */
static const char *const all_caps[] = {
	"CAP_AUDIT_CONTROL",   "CAP_AUDIT_READ",   "CAP_AUDIT_WRITE",
	"CAP_BLOCK_SUSPEND",   "CAP_BPF",	   "CAP_CHECKPOINT_RESTORE",
	"CAP_CHOWN",	       "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",	       "CAP_FSETID",	   "CAP_IPC_LOCK",
	"CAP_IPC_OWNER",       "CAP_KILL",	   "CAP_LEASE",
	"CAP_LINUX_IMMUTABLE", "CAP_MAC_ADMIN",	   "CAP_MAC_OVERRIDE",
	"CAP_MKNOD",	       "CAP_NET_ADMIN",	   "CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",   "CAP_NET_RAW",	   "CAP_PERFMON",
	"CAP_SETFCAP",	       "CAP_SETGID",	   "CAP_SETPCAP",
	"CAP_SETUID",	       "CAP_SYSLOG",	   "CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",	       "CAP_SYS_CHROOT",   "CAP_SYS_MODULE",
	"CAP_SYS_NICE",	       "CAP_SYS_PACCT",	   "CAP_SYS_PTRACE",
	"CAP_SYS_RAWIO",       "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",  "CAP_WAKE_ALARM",   NULL};

static void make_caps(struct maker *m)
{
	const struct container_security *cs = &m->c->spec->security;
	const char *const *defaults = engine_capabilities();
	const char **caps = arena_calloc(m->arena, CAPS_MAX, sizeof(*caps));
	size_t n = 0;

	for (size_t i = 0; all_caps[i]; i++) {
		bool on = cs->privileged == TRI_TRUE;

		for (size_t k = 0; defaults[k]; k++)
			on = on || strcmp(defaults[k], all_caps[i]) == 0;
		if (listed(&cs->cap_drop, all_caps[i]))
			on = false;
		if (listed(&cs->cap_add, all_caps[i]))
			on = true;
		if (on)
			caps[n++] = all_caps[i];
	}
	m->b->caps = caps;
	m->b->n_caps = n;
}

static int make_seccomp(struct maker *m, struct err *err)
{
	const struct container_security *cs = &m->c->spec->security;
	const struct seccomp_choice *s =
		cs->seccomp.type != SECCOMP_UNSET
			? &cs->seccomp
			: &m->p->tpl->spec.security.seccomp;

	if (s->type == SECCOMP_UNCONFINED ||
	    (s->type == SECCOMP_UNSET && cs->privileged == TRI_TRUE))
		return 0;
	/* Never unconfined because a profile is missing (threat E59). */
	if (s->type == SECCOMP_LOCALHOST)
		return err_set(err, ERR_NOTFOUND,
			       "container %s: seccomp profile %s: this host "
			       "has no profiles of its own",
			       m->c->name, s->localhost_profile);
	m->b->seccomp = default_seccomp(m->arena);
	return m->b->seccomp ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

static void make_security(struct maker *m)
{
	const struct container_security *cs = &m->c->spec->security;

	m->b->privileged = cs->privileged == TRI_TRUE;
	m->b->no_new_privs =
		cs->allow_privilege_escalation != TRI_TRUE && !m->b->privileged;
	m->b->read_only_root = cs->read_only_root_filesystem == TRI_TRUE;
	make_caps(m);
}

static const char *ns_path(struct maker *m, const char *name)
{
	return arena_printf(m->arena, "/proc/%d/ns/%s", m->p->sandbox_pid,
			    name);
}

static void make_namespaces(struct maker *m)
{
	const struct pod_spec *s = &m->p->tpl->spec;
	struct bundle *b = m->b;

	if (m->p->has_range)
		add_ns(b, "user", ns_path(m, "user"));
	add_ns(b, "mount", NULL);
	add_ns(b, "cgroup", NULL);
	if (!s->host_network) {
		add_ns(b, "network", ns_path(m, "net"));
		add_ns(b, "uts", ns_path(m, "uts"));
	}
	if (!s->host_ipc)
		add_ns(b, "ipc", ns_path(m, "ipc"));
	if (s->share_process_namespace)
		add_ns(b, "pid", ns_path(m, "pid"));
	else if (!s->host_pid)
		add_ns(b, "pid", NULL);
}

static const struct bundle_mount base_mounts[] = {
	{"/proc", "proc", "proc", "nosuid,noexec,nodev"},
	{"/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"},
	{"/dev/pts", "devpts", "devpts",
	 "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620"},
	{"/dev/shm", "shm", "tmpfs",
	 "nosuid,noexec,nodev,mode=1777," SHM_BYTES_TEXT},
	{"/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev"},
	{"/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro"},
	{"/sys/fs/cgroup", "cgroup", "cgroup",
	 "nosuid,noexec,nodev,relatime,ro"},
};

static bool wants_own(const struct container *c, const char *path)
{
	for (size_t i = 0; i < c->n_mounts; i++)
		if (strcmp(c->mounts[i].mount_path, path) == 0)
			return true;
	return false;
}

/* Files that we make: bound read-only unless the pod mounts its own. */
static bool add_files(struct maker *m)
{
	static const char *const names[] = {"hosts", "hostname", "resolv.conf"};
	const char *run = agent_io(m->p)->run_dir;
	const char *term = m->c->spec->termination_message_path;
	bool ok = true;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *to = arena_printf(m->arena, "/etc/%s", names[i]);

		if (!wants_own(m->c->spec, to))
			ok = ok &&
			     bundle_mount(m->b, to,
					  arena_printf(m->arena, "%s/etc/%s",
						       run, names[i]),
					  "bind", "bind,ro,nosuid,nodev");
	}
	return ok && bundle_mount(m->b, term,
				  arena_printf(m->arena, "%s/term/%s", run,
					       m->c->name),
				  "bind", "bind,rw,nosuid,nodev,noexec");
}

static int make_mounts(struct maker *m, struct err *err)
{
	const struct container *c = m->c->spec;
	struct volume_env env;
	bool ok = true;
	int r = 0;

	for (size_t i = 0; i < sizeof(base_mounts) / sizeof(base_mounts[0]);
	     i++) {
		const struct bundle_mount *b = &base_mounts[i];

		if (strcmp(b->type, "sysfs") == 0 &&
		    m->p->tpl->spec.host_network && m->p->has_range)
			continue; /* not ours to mount in that namespace */
		ok = ok && bundle_mount(m->b, b->destination, b->source,
					b->type, b->options);
	}
	ok = ok && add_files(m);
	prepare_volume_env(m->p, &env);
	for (size_t i = 0; r == 0 && i < c->n_mounts; i++) {
		const struct volume_mount *v = &c->mounts[i];
		const char *source = NULL;

		r = volume_source(m->p, &env, m->c, i, m->arena, &source, err);
		if (r == 0)
			ok = ok &&
			     bundle_mount(m->b, v->mount_path, source, "bind",
					  v->read_only
						  ? "bind,ro,nosuid,nodev"
						  : "bind,rw,nosuid,nodev");
	}
	if (r == 0 && !ok)
		r = err_set(err, ERR_LIMIT,
			    "container %s: want at most %d "
			    "mounts",
			    m->c->name, BUNDLE_MOUNTS_MAX);
	return r;
}

/* In this order; the code says which of them failed. */
static const struct {
	int (*make)(struct maker *m, struct err *err);
	enum code_id code;
} parts[] = {
	{make_user, CODE_USER},	    {make_env, CODE_ENV},
	{make_args, CODE_ENV},	    {make_seccomp, CODE_PROFILE},
	{make_mounts, CODE_VOLUME},
};

int spec_container(struct pod *p, struct pod_container *c, struct buf *out,
		   enum code_id *out_code, struct err *err)
{
	struct arena *arena = arena_new(32u << 20);
	struct maker m = {
		.p = p,
		.c = c,
		.image = &agent_io(p)->infos[c - p->c],
		.b = new_bundle(arena, p, c->name),
		.arena = arena,
		.home = "/",
	};
	const struct resources *res = &c->spec->resources;
	int r = 0;

	m.b->root =
		"rootfs"; /* named by the specification; the overlay is it */
	m.b->pids = PIDS_DEFAULT;
	m.b->cpu_request_m = res->cpu_request_m;
	m.b->cpu_limit_m = res->cpu_limit_m;
	m.b->memory_limit = res->memory_limit;
	m.b->oom_score_adj = res->memory_limit > 0 ? 100 : 1000;
	make_security(&m);
	make_namespaces(&m);
	for (size_t i = 0; r == 0 && i < sizeof(parts) / sizeof(parts[0]);
	     i++) {
		*out_code = parts[i].code;
		r = parts[i].make(&m, err);
	}
	m.b->env = m.env.items;
	m.b->n_env = m.env.n;
	if (r == 0)
		r = bundle_encode(m.b, out, err);
	arena_free(arena);
	return r;
}
