/* example.c - the config.json that `spec` writes: our defaults, a shell. */
#include "engine/example.h"
#include "engine/spec/spec.h"

#include "engine/engine.h"

#include "lib/jsonw.h"

#include <string.h>
#include <unistd.h>

static const struct example_mount {
	const char *destination, *type, *source;
	const char *options[10];
} example_mounts[] = {
	{"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}},
	{"/dev",
	 "tmpfs",
	 "tmpfs",
	 {"nosuid", "strictatime", "mode=755", "size=65536k"}},
	{"/dev/pts",
	 "devpts",
	 "devpts",
	 {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620",
	  "gid=5"}},
	{"/dev/shm",
	 "tmpfs",
	 "shm",
	 {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
	{"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}},
	{"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}},
	{"/sys/fs/cgroup",
	 "cgroup",
	 "cgroup",
	 {"nosuid", "noexec", "nodev", "relatime", "ro"}},
};

static void example_strings(struct jsonw *w, const char *key,
			    const char *const *list)
{
	jsonw_key(w, key);
	jsonw_arr(w);
	for (; *list != NULL; list++)
		jsonw_str(w, *list);
	jsonw_arr_end(w);
}

static void example_process(struct jsonw *w)
{
	static const char *const sets[] = {"bounding", "effective",
					   "permitted"};
	static const char *const args[] = {"sh", NULL};
	static const char *const env[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
		"/sbin:/bin",
		"TERM=xterm", NULL};
	size_t i;

	jsonw_key(w, "process");
	jsonw_obj(w);
	jsonw_kbool(w, "terminal", true);
	jsonw_key(w, "user");
	jsonw_obj(w);
	jsonw_kint(w, "uid", 0);
	jsonw_kint(w, "gid", 0);
	jsonw_obj_end(w);
	example_strings(w, "args", args);
	example_strings(w, "env", env);
	jsonw_kstr(w, "cwd", "/");
	jsonw_key(w, "capabilities");
	jsonw_obj(w);
	for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		example_strings(w, sets[i], engine_capabilities());
	jsonw_obj_end(w);
	jsonw_kbool(w, "noNewPrivileges", true);
	jsonw_obj_end(w);
}

/* With one id alone there is no group 5, and the cgroups are not ours. */
static bool example_leave_out(const char *word, bool rootless)
{
	return rootless && (strcmp(word, "gid=5") == 0 ||
			    strcmp(word, "/sys/fs/cgroup") == 0);
}

static void example_mount_list(struct jsonw *w, bool rootless)
{
	const char *options[11];
	size_t i, k, n;

	jsonw_key(w, "mounts");
	jsonw_arr(w);
	for (i = 0; i < sizeof(example_mounts) / sizeof(example_mounts[0]);
	     i++) {
		const struct example_mount *m = &example_mounts[i];

		if (example_leave_out(m->destination, rootless))
			continue;
		for (k = n = 0; k < 10 && m->options[k] != NULL; k++)
			if (!example_leave_out(m->options[k], rootless))
				options[n++] = m->options[k];
		options[n] = NULL;
		jsonw_obj(w);
		jsonw_kstr(w, "destination", m->destination);
		jsonw_kstr(w, "type", m->type);
		jsonw_kstr(w, "source", m->source);
		example_strings(w, "options", options);
		jsonw_obj_end(w);
	}
	jsonw_arr_end(w);
}

static void example_map(struct jsonw *w, const char *key, int64_t id)
{
	jsonw_key(w, key);
	jsonw_arr(w);
	jsonw_obj(w);
	jsonw_kint(w, "containerID", 0);
	jsonw_kint(w, "hostID", id);
	jsonw_kint(w, "size", 1);
	jsonw_obj_end(w);
	jsonw_arr_end(w);
}

static void example_ns(struct jsonw *w, const char *type)
{
	jsonw_obj(w);
	jsonw_kstr(w, "type", type);
	jsonw_obj_end(w);
}

static void example_linux(struct jsonw *w, int64_t rootless)
{
	static const char *const ns[] = {"pid", "network", "ipc",
					 "uts", "mount",   NULL};
	struct buf seccomp;
	size_t i;

	jsonw_key(w, "linux");
	jsonw_obj(w);
	if (rootless >= 0) {
		example_map(w, "uidMappings", rootless);
		example_map(w, "gidMappings", (int64_t)getegid());
	}
	jsonw_key(w, "namespaces");
	jsonw_arr(w);
	for (i = 0; ns[i] != NULL; i++)
		example_ns(w, ns[i]);
	/* On v1 the other runtimes' examples have none, and people add it. */
	if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0)
		example_ns(w, "cgroup");
	if (rootless >= 0)
		example_ns(w, "user");
	jsonw_arr_end(w);
	example_strings(w, "maskedPaths", engine_masked_paths());
	example_strings(w, "readonlyPaths", engine_readonly_paths());
	buf_init(&seccomp, 65536);
	engine_seccomp_default_json(&seccomp);
	jsonw_key(w, "seccomp");
	jsonw_raw(w, seccomp.data, seccomp.len);
	buf_release(&seccomp);
	jsonw_obj_end(w);
}

void example_config(struct buf *out, int64_t rootless)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_obj(&w);
	jsonw_kstr(&w, "ociVersion", SPEC_VERSION_MAX);
	example_process(&w);
	jsonw_key(&w, "root");
	jsonw_obj(&w);
	jsonw_kstr(&w, "path", "rootfs");
	jsonw_kbool(&w, "readonly", true);
	jsonw_obj_end(&w);
	jsonw_kstr(&w, "hostname", "container");
	example_mount_list(&w, rootless >= 0);
	example_linux(&w, rootless);
	jsonw_obj_end(&w);
}
