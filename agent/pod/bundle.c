/* bundle.c - see bundle.h.  Pure; runs in reconcile-agent. */
#include "agent/pod/bundle.h"
#include "lib/json.h"
#include "manifest/types.h"

#include <string.h>

#define CPU_PERIOD_US 100000
#define SHARES_MIN 2
#define SHARES_PER_CPU 1024

bool bundle_mount(struct bundle *b, const char *destination, const char *source,
		  const char *type, const char *options)
{
	if (b->n_mounts == BUNDLE_MOUNTS_MAX)
		return false;
	b->mounts[b->n_mounts++] =
		(struct bundle_mount){destination, source, type, options};
	return true;
}

static void put_list(struct jsonw *w, const char *key, const char *const *items,
		     size_t n)
{
	jsonw_key(w, key);
	jsonw_arr(w);
	for (size_t i = 0; i < n; i++)
		jsonw_str(w, items[i]);
	jsonw_arr_end(w);
}

static void put_caps(struct jsonw *w, const struct bundle *b)
{
	/* Inheritable and ambient stay empty (threat E53); a user that is not
	 * root has none in effect (E54), so the engine clears those. */
	jsonw_key(w, "capabilities");
	jsonw_obj(w);
	put_list(w, "bounding", b->caps, b->n_caps);
	put_list(w, "effective", b->caps, b->uid == 0 ? b->n_caps : 0);
	put_list(w, "permitted", b->caps, b->uid == 0 ? b->n_caps : 0);
	put_list(w, "inheritable", NULL, 0);
	put_list(w, "ambient", NULL, 0);
	jsonw_obj_end(w);
}

static void put_process(struct jsonw *w, const struct bundle *b)
{
	jsonw_key(w, "process");
	jsonw_obj(w);
	jsonw_kbool(w, "terminal", false);
	jsonw_key(w, "user");
	jsonw_obj(w);
	jsonw_kint(w, "uid", b->uid);
	jsonw_kint(w, "gid", b->gid);
	jsonw_key(w, "additionalGids");
	jsonw_arr(w);
	for (size_t i = 0; i < b->n_groups; i++)
		jsonw_int(w, b->groups[i]);
	jsonw_arr_end(w);
	jsonw_obj_end(w);
	put_list(w, "args", b->args, b->n_args);
	put_list(w, "env", b->env, b->n_env);
	jsonw_kstr(w, "cwd", b->cwd);
	put_caps(w, b);
	jsonw_kbool(w, "noNewPrivileges", b->no_new_privs);
	if (b->oom_score_adj != 0)
		jsonw_kint(w, "oomScoreAdj", b->oom_score_adj);
	jsonw_obj_end(w);
}

static void put_mounts(struct jsonw *w, const struct bundle *b)
{
	jsonw_key(w, "mounts");
	jsonw_arr(w);
	for (size_t i = 0; i < b->n_mounts; i++) {
		const struct bundle_mount *m = &b->mounts[i];
		const char *p = m->options;

		jsonw_obj(w);
		jsonw_kstr(w, "destination", m->destination);
		jsonw_kstr(w, "type", m->type);
		jsonw_kstr(w, "source", m->source);
		jsonw_key(w, "options");
		jsonw_arr(w);
		while (*p) {
			size_t n = strcspn(p, ",");

			jsonw_strn(w, p, n);
			p += n + (p[n] == ',' ? 1 : 0);
		}
		jsonw_arr_end(w);
		jsonw_obj_end(w);
	}
	jsonw_arr_end(w);
}

static void put_map(struct jsonw *w, const char *key, const struct bundle *b)
{
	jsonw_key(w, key);
	jsonw_arr(w);
	jsonw_obj(w);
	jsonw_kint(w, "containerID", 0);
	jsonw_kint(w, "hostID", b->id_base);
	jsonw_kint(w, "size", b->id_size);
	jsonw_obj_end(w);
	jsonw_arr_end(w);
}

static void put_namespaces(struct jsonw *w, const struct bundle *b)
{
	jsonw_key(w, "namespaces");
	jsonw_arr(w);
	for (size_t i = 0; i < b->n_ns; i++) {
		jsonw_obj(w);
		jsonw_kstr(w, "type", b->ns[i].type);
		if (b->ns[i].path)
			jsonw_kstr(w, "path", b->ns[i].path);
		jsonw_obj_end(w);
	}
	jsonw_arr_end(w);
	if (b->id_size > 0) {
		put_map(w, "uidMappings", b);
		put_map(w, "gidMappings", b);
	}
}

static void put_cpu(struct jsonw *w, const struct bundle *b)
{
	int64_t shares = SHARES_MIN;

	if (b->cpu_request_m > 0)
		shares = b->cpu_request_m * SHARES_PER_CPU / 1000;
	jsonw_key(w, "cpu");
	jsonw_obj(w);
	jsonw_kint(w, "shares", shares < SHARES_MIN ? SHARES_MIN : shares);
	if (b->cpu_limit_m > 0) {
		int64_t quota = b->cpu_limit_m * CPU_PERIOD_US / 1000;

		/* the kernel's floor is 1 ms */
		jsonw_kint(w, "quota", quota < 1000 ? 1000 : quota);
		jsonw_kint(w, "period", CPU_PERIOD_US);
	}
	jsonw_obj_end(w);
}

static void put_device_rule(struct jsonw *w, bool allow, const char *access)
{
	jsonw_obj(w);
	jsonw_kbool(w, "allow", allow);
	jsonw_kstr(w, "access", access);
	jsonw_obj_end(w);
}

static void put_resources(struct jsonw *w, const struct bundle *b)
{
	jsonw_key(w, "resources");
	jsonw_obj(w);
	jsonw_key(w, "devices");
	jsonw_arr(w);
	put_device_rule(w, b->privileged, "rwm");
	jsonw_arr_end(w);
	put_cpu(w, b);
	if (b->memory_limit > 0) {
		jsonw_key(w, "memory");
		jsonw_obj(w);
		jsonw_kint(w, "limit", b->memory_limit);
		jsonw_kint(w, "swap", b->memory_limit); /* D10: no swap */
		jsonw_obj_end(w);
	}
	jsonw_key(w, "pids");
	jsonw_obj(w);
	jsonw_kint(w, "limit", b->pids);
	jsonw_obj_end(w);
	jsonw_obj_end(w);
}

static void put_linux(struct jsonw *w, const struct bundle *b)
{
	jsonw_key(w, "linux");
	jsonw_obj(w);
	put_namespaces(w, b);
	jsonw_kstr(w, "cgroupsPath", b->cgroup);
	put_resources(w, b);
	if (b->n_sysctls > 0) {
		jsonw_key(w, "sysctl");
		jsonw_obj(w);
		for (size_t i = 0; i + 1 < b->n_sysctls; i += 2)
			jsonw_kstr(w, b->sysctls[i], b->sysctls[i + 1]);
		jsonw_obj_end(w);
	}
	if (b->seccomp) {
		jsonw_key(w, "seccomp");
		jsonw_raw(w, b->seccomp, strlen(b->seccomp));
	}
	put_list(w, "maskedPaths", b->masked, b->privileged ? 0 : b->n_masked);
	put_list(w, "readonlyPaths", b->read_only,
		 b->privileged ? 0 : b->n_read_only);
	jsonw_obj_end(w);
}

int bundle_encode(const struct bundle *b, struct buf *out, struct err *err)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_obj(&w);
	jsonw_kstr(&w, "ociVersion", "1.2.0");
	jsonw_key(&w, "root");
	jsonw_obj(&w);
	jsonw_kstr(&w, "path", b->root);
	jsonw_kbool(&w, "readonly", b->read_only_root);
	jsonw_obj_end(&w);
	if (b->hostname)
		jsonw_kstr(&w, "hostname", b->hostname);
	put_process(&w, b);
	put_mounts(&w, b);
	put_linux(&w, b);
	jsonw_obj_end(&w);
	return buf_check(out, err);
}

int bundle_overlay(const char *const *lowers, size_t n, const char *upper,
		   const char *work, uint32_t lower_base, struct buf *out,
		   struct err *err)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_obj(&w);
	put_list(&w, "lower", lowers, n);
	jsonw_kstr(&w, "upper", upper);
	jsonw_kstr(&w, "work", work);
	jsonw_key(&w, "lowerIdmap");
	jsonw_obj(&w);
	jsonw_kint(&w, "hostID", lower_base);
	jsonw_kint(&w, "size", 65536);
	jsonw_obj_end(&w);
	jsonw_obj_end(&w);
	return buf_check(out, err);
}
