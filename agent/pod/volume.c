/* volume.c - see volume.h. */
#include "agent/pod/volume.h"
#include "lib/file.h"
#include "lib/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define MOUNTS_BYTES_MAX (16u << 20)
#define ROUND_BYTES 32
#define FILE_MODE_MASK 0777

static const struct volume *find_volume(const struct pod *p, const char *name)
{
	for (size_t i = 0; i < p->tpl->spec.n_volumes; i++)
		if (strcmp(p->tpl->spec.volumes[i].name, name) == 0)
			return &p->tpl->spec.volumes[i];
	return NULL;
}

static gid_t group_of(const struct volume_env *env)
{
	return (gid_t)env->id_base +
	       (gid_t)(env->fs_group > 0 ? env->fs_group : 0);
}

/* Opens vol/NAME of base, made if missing; *out_new says which. */
static int open_volume(int base, const char *name, int *out_fd, bool *out_new,
		       struct err *err)
{
	char path[300];
	int vol, r = file_mkdirs(base, "vol", 0711, &vol, err);

	if (r < 0)
		return r;
	*out_new = mkdirat(vol, name, 0700) == 0;
	if (!*out_new && errno != EEXIST)
		r = err_sys(err, errno, "make volume %s", name);
	(void)close(vol);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "vol/%s", name);
	*out_fd = sys_open_beneath(base, path, O_RDONLY | O_DIRECTORY, 0);
	return *out_fd < 0 ? err_sys(err, errno, "open volume %s", name) : 0;
}

static int mount_tmpfs(const struct volume_env *env, const char *name,
		       int64_t limit, const char *mode, struct err *err)
{
	char target[PATH_MAX], data[160], size[40] = "";

	if (limit > 0)
		(void)snprintf(size, sizeof(size), "size=%lld,",
			       (long long)limit);
	(void)snprintf(data, sizeof(data), "%smode=%s,uid=%u,gid=%u", size,
		       mode, env->id_base, group_of(env));
	(void)snprintf(target, sizeof(target), "%s/vol/%s", env->run_dir, name);
	if (sys_mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, data) < 0)
		return err_sys(err, errno, "mount tmpfs of volume %s", name);
	return 0;
}

/* 0777 as Kubernetes has it; with fsGroup its group and setgid. */
static int dress_dir(const struct volume_env *env, int fd, struct err *err)
{
	mode_t mode = env->fs_group > 0 ? 02777 : 0777;

	if (fchown(fd, env->id_base, group_of(env)) < 0 || fchmod(fd, mode) < 0)
		return err_sys(err, errno, "give a volume to the pod");
	return 0;
}

static int make_empty(const struct volume *v, const struct volume_env *env,
		      struct err *err)
{
	bool memory = v->medium && strcmp(v->medium, "Memory") == 0;
	bool fresh;
	int fd, r;

	r = open_volume(memory ? env->run_fd : env->disk_fd, v->name, &fd,
			&fresh, err);
	if (r < 0)
		return r;
	if (fresh && memory)
		r = mount_tmpfs(env, v->name, v->size_limit,
				env->fs_group > 0 ? "2777" : "0777", err);
	else if (fresh)
		r = dress_dir(env, fd, err);
	(void)close(fd);
	return r;
}

/* hostPath of the manifest below a prefix that the signed policy allows; the
 * admission has said so, the host says it again. */
static int check_host_path(const struct volume *v, const struct volume_env *env,
			   struct err *err)
{
	const struct strings *pre = env->host_path_prefixes;
	struct stat st;

	for (size_t i = 0; pre && i < pre->n; i++) {
		size_t n = strlen(pre->items[i]);

		while (n > 1 && pre->items[i][n - 1] == '/')
			n--;
		if (strncmp(v->host_path, pre->items[i], n) != 0 ||
		    (v->host_path[n] != '\0' && v->host_path[n] != '/' &&
		     n > 1) ||
		    strstr(v->host_path, ".."))
			continue;
		if (v->host_path_type &&
		    strcmp(v->host_path_type, "DirectoryOrCreate") == 0)
			(void)mkdir(v->host_path, 0755);
		if (stat(v->host_path, &st) < 0)
			return err_sys(err, errno, "hostPath %s", v->host_path);
		return 0;
	}
	return err_set(err, ERR_DENIED,
		       "hostPath %s is below no allowed prefix", v->host_path);
}

/* --- configMap and secret ---------------------------------------------------
 */

static const struct keyvals *content_of(const struct pod *p,
					const struct volume *v,
					const struct objects *objects)
{
	const struct object *o = manifest_find(
		objects,
		v->kind == VOLUME_SECRET ? MANIFEST_SECRET : MANIFEST_CONFIGMAP,
		p->namespace, v->ref_name);

	if (!o)
		return NULL;
	return v->kind == VOLUME_SECRET ? &o->secret.data : &o->configmap.data;
}

static int write_file(const struct volume_env *env, int dir, const char *path,
		      int64_t mode, const struct keyval *kv, struct err *err)
{
	char *slash = strrchr(path, '/');
	char parent[PATH_MAX];
	mode_t m = (mode_t)(mode & FILE_MODE_MASK);
	int fd, sub, r = 0;

	if (slash) {
		(void)snprintf(parent, sizeof(parent), "%.*s",
			       (int)(slash - path), path);
		r = file_mkdirs(dir, parent, 0755, &sub, err);
		if (r < 0)
			return r;
		(void)close(sub);
	}
	fd = sys_open_beneath(dir, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return err_sys(err, errno, "make %s", path);
	r = file_write_fd(fd, kv->value, kv->len, err);
	if (env->fs_group > 0)
		m |= 0040;
	if (r == 0 &&
	    (fchown(fd, env->id_base, group_of(env)) < 0 || fchmod(fd, m) < 0))
		r = err_sys(err, errno, "give %s to the pod", path);
	(void)close(fd);
	return r;
}

static int write_set(const struct volume *v, const struct volume_env *env,
		     const struct keyvals *kv, int dir, struct err *err)
{
	int r = 0;

	for (size_t i = 0; kv && r == 0 && i < kv->n && v->n_items == 0; i++)
		r = write_file(env, dir, kv->items[i].key, v->default_mode,
			       &kv->items[i], err);
	for (size_t i = 0; r == 0 && i < v->n_items; i++) {
		const struct key_to_path *it = &v->items[i];
		size_t k = 0;

		while (kv && k < kv->n &&
		       strcmp(kv->items[k].key, it->key) != 0)
			k++;
		if (kv && k < kv->n)
			r = write_file(env, dir, it->path,
				       it->mode == MANIFEST_UNSET
					       ? v->default_mode
					       : it->mode,
				       &kv->items[k], err);
		else if (!v->optional)
			r = err_set(err, ERR_NOTFOUND,
				    "volume %s: no key %s in %s", v->name,
				    it->key, v->ref_name);
	}
	return r;
}

/* Links KEY -> ..data/KEY for each first component. */
static int link_keys(int vol, int set, struct err *err)
{
	int copy = fcntl(set, F_DUPFD_CLOEXEC, 3);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;
	char to[NAME_MAX + 16];
	int r = 0;

	if (!d)
		return err_sys(err, errno, "list a volume");
	while (r == 0 && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		(void)snprintf(to, sizeof(to), "..data/%s", e->d_name);
		if (symlinkat(to, vol, e->d_name) < 0 && errno != EEXIST)
			r = err_sys(err, errno, "link %s", e->d_name);
	}
	(void)closedir(d);
	return r;
}

/* Name of the next set: one more than the one ..data points to. */
static void next_round(int vol, char now[ROUND_BYTES], char next[ROUND_BYTES])
{
	ssize_t n = readlinkat(vol, "..data", now, ROUND_BYTES - 1);
	unsigned long v = 0;

	now[n > 0 ? n : 0] = '\0';
	if (n > 2)
		v = strtoul(now + 2, NULL, 10);
	(void)snprintf(next, ROUND_BYTES, "..%lu", v + 1);
}

static int same_file(const struct volume_env *env, int set, const char *path,
		     const struct keyval *kv)
{
	struct buf b;
	bool same;

	(void)env;
	buf_init(&b, kv->len + 1);
	same = file_read(set, path, kv->len + 1, &b, NULL) == 0 &&
	       b.len == kv->len &&
	       (b.len == 0 || memcmp(b.data, kv->value, b.len) == 0);
	buf_release(&b);
	return same;
}

static size_t count_entries(int dir)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	size_t n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		(void)closedir(d);
	return n < 2 ? 0 : n - 2;
}

/* Does the set hold exactly this content (whole maps only). */
static bool is_current(const struct volume *v, const struct volume_env *env,
		       const struct keyvals *kv, int set)
{
	if (v->n_items > 0 || !kv)
		return false;
	for (size_t i = 0; i < kv->n; i++)
		if (!same_file(env, set, kv->items[i].key, &kv->items[i]))
			return false;
	return count_entries(set) == kv->n;
}

static int swap_set(const struct volume *v, const struct volume_env *env,
		    const struct keyvals *kv, int vol, struct err *err)
{
	char now[ROUND_BYTES], next[ROUND_BYTES];
	int set, old, r;

	next_round(vol, now, next);
	old = now[0] ? openat(vol, now,
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
		     : -1;
	if (old >= 0 && is_current(v, env, kv, old)) {
		(void)close(old);
		return 0;
	}
	if (old >= 0)
		(void)close(old);
	(void)file_remove_tree(vol, next, NULL);
	r = file_mkdirs(vol, next, 0755, &set, err);
	if (r < 0)
		return r;
	if (fchown(set, env->id_base, group_of(env)) < 0)
		r = err_sys(err, errno, "give a volume to the pod");
	if (r == 0)
		r = write_set(v, env, kv, set, err);
	if (r == 0) {
		(void)unlinkat(vol, "..data_tmp", 0);
		if (symlinkat(next, vol, "..data_tmp") < 0 ||
		    renameat(vol, "..data_tmp", vol, "..data") < 0)
			r = err_sys(err, errno, "swap volume %s", v->name);
	}
	if (r == 0)
		r = link_keys(vol, set, err);
	(void)close(set);
	(void)file_remove_tree(vol, r == 0 ? now : next, NULL);
	return r;
}

static bool on_tmpfs(int fd)
{
	struct statfs st;

	return fstatfs(fd, &st) == 0 && st.f_type == TMPFS_MAGIC;
}

static int make_content(const struct pod *p, const struct volume *v,
			const struct volume_env *env, struct err *err)
{
	const struct keyvals *kv = content_of(p, v, env->objects);
	bool fresh;
	int fd, r;

	if (!kv && !v->optional)
		return err_set(
			err, ERR_NOTFOUND, "volume %s: no %s %s/%s", v->name,
			v->kind == VOLUME_SECRET ? "Secret" : "ConfigMap",
			p->namespace, v->ref_name);
	r = open_volume(env->run_fd, v->name, &fd, &fresh, err);
	if (r < 0)
		return r;
	/* A secret never reaches a disk. */
	if (fresh && v->kind == VOLUME_SECRET && !on_tmpfs(fd)) {
		(void)close(fd);
		r = mount_tmpfs(env, v->name, MANIFEST_UNSET, "0755", err);
		if (r == 0)
			r = open_volume(env->run_fd, v->name, &fd, &fresh, err);
		if (r < 0)
			return r;
	}
	if (fchown(fd, env->id_base, group_of(env)) < 0 || fchmod(fd, 0755) < 0)
		r = err_sys(err, errno, "give volume %s to the pod", v->name);
	if (r == 0)
		r = swap_set(v, env, kv, fd, err);
	(void)close(fd);
	return r;
}

int volume_make(const struct pod *p, const struct volume_env *env,
		struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->tpl->spec.n_volumes; i++) {
		const struct volume *v = &p->tpl->spec.volumes[i];

		if (v->kind == VOLUME_EMPTYDIR)
			r = make_empty(v, env, err);
		else if (v->kind == VOLUME_HOSTPATH)
			r = check_host_path(v, env, err);
		else
			r = make_content(p, v, env, err);
	}
	return r;
}

int volume_update(const struct pod *p, const struct volume_env *env,
		  struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->tpl->spec.n_volumes; i++) {
		const struct volume *v = &p->tpl->spec.volumes[i];

		if (v->kind == VOLUME_CONFIGMAP || v->kind == VOLUME_SECRET)
			r = make_content(p, v, env, err);
	}
	return r;
}

/* --- mounts ------------------------------------------------------------------
 */

static const char *volume_path(const struct volume *v,
			       const struct volume_env *env,
			       struct arena *arena)
{
	if (v->kind == VOLUME_HOSTPATH)
		return v->host_path;
	if (v->kind == VOLUME_EMPTYDIR &&
	    (!v->medium || strcmp(v->medium, "Memory") != 0))
		return arena_printf(arena, "%s/vol/%s", env->disk_dir, v->name);
	return arena_printf(arena, "%s/vol/%s", env->run_dir, v->name);
}

/* Opens what subPath names inside the volume.  Only ..data of configMap and
 * secret volumes (made by us, mounted read-only) is a link. */
static int open_sub(const struct volume *v, const char *path, const char *sub,
		    const struct volume_env *env, int *out_fd, struct err *err)
{
	bool ours = v->kind == VOLUME_CONFIGMAP || v->kind == VOLUME_SECRET;
	int vol = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int made = -1, fd, e;

	if (vol < 0)
		return err_sys(err, errno, "open volume %s", v->name);
	fd = ours ? sys_open_in_root(vol, sub, O_PATH, 0)
		  : sys_open_beneath(vol, sub, O_PATH, 0);
	e = errno;
	if (fd < 0 && e == ENOENT && v->kind == VOLUME_EMPTYDIR &&
	    file_mkdirs(vol, sub, 0777, &made, NULL) == 0) {
		(void)dress_dir(env, made, NULL);
		(void)close(made);
		fd = sys_open_beneath(vol, sub, O_PATH, 0);
		e = errno;
	}
	(void)close(vol);
	if (fd < 0)
		return err_sys(err, e, "subPath %s of volume %s", sub, v->name);
	*out_fd = fd;
	return 0;
}

static int bind_sub(const struct volume_env *env, int fd, const char *name,
		    struct err *err)
{
	struct stat st;
	int sub = -1, at = -1, tree = -1, r;

	r = file_mkdirs(env->run_fd, "sub", 0711, &sub, err);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		r = err_sys(err, errno, "stat a subPath");
	else if (S_ISDIR(st.st_mode)
			 ? mkdirat(sub, name, 0700) < 0
			 : mknodat(sub, name, S_IFREG | 0600, 0) < 0)
		r = errno == EEXIST ? 0 : err_sys(err, errno, "make %s", name);
	if (r == 0) {
		at = openat(sub, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		tree = sys_clone_tree(fd);
		if (at < 0 || tree < 0 || sys_attach_tree(tree, at) < 0)
			r = err_sys(err, errno, "bind a subPath");
	}
	if (at >= 0)
		(void)close(at);
	if (tree >= 0)
		(void)close(tree);
	(void)close(sub);
	return r;
}

int volume_source(const struct pod *p, const struct volume_env *env,
		  const struct pod_container *c, size_t i, struct arena *arena,
		  const char **out, struct err *err)
{
	const struct volume_mount *m = &c->spec->mounts[i];
	const struct volume *v = find_volume(p, m->name);
	const char *path, *name;
	int fd, r;

	if (!v)
		return err_set(err, ERR_NOTFOUND, "no volume %s", m->name);
	path = volume_path(v, env, arena);
	if (!m->sub_path || m->sub_path[0] == '\0') {
		*out = path;
		return 0;
	}
	r = open_sub(v, path, m->sub_path, env, &fd, err);
	if (r < 0)
		return r;
	name = arena_printf(arena, "%s.%zu", c->name, i);
	r = bind_sub(env, fd, name, err);
	(void)close(fd);
	if (r == 0)
		*out = arena_printf(arena, "%s/sub/%s", env->run_dir, name);
	return r;
}

int volume_unmount(const char *run_dir, struct err *err)
{
	size_t n = strlen(run_dir);
	struct buf text;
	char *line, *next;
	int r, fd = open("/proc/self/mounts", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "open /proc/self/mounts");
	buf_init(&text, MOUNTS_BYTES_MAX);
	r = file_read_fd(fd, MOUNTS_BYTES_MAX, &text, err);
	(void)close(fd);
	for (line = text.data; r == 0 && line && *line; line = next) {
		char *at = strchr(line, ' '), *end;

		next = strchr(line, '\n');
		next = next ? next + 1 : line + strlen(line);
		end = at ? strchr(at + 1, ' ') : NULL;
		if (!end || end > next)
			continue;
		*end = '\0';
		if (strncmp(at + 1, run_dir, n) == 0 && at[1 + n] == '/' &&
		    sys_umount(at + 1, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 &&
		    errno != EINVAL && errno != ENOENT)
			r = err_sys(err, errno, "unmount %s", at + 1);
	}
	buf_release(&text);
	return r;
}
