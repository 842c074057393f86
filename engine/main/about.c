/* about.c - version, steps, features, spec: what the engine says of itself. */
#include "engine/main/cli.h"
#include "engine/confine/attr.h"
#include "engine/confine/caps.h"
#include "engine/confine/filter.h"
#include "engine/example.h"
#include "engine/rootfs/mountopt.h"
#include "engine/run/run.h"
#include "lib/file.h"
#include "lib/jsonw.h"
#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ABOUT_OUT_BYTES (1u << 20)

static void about_steps(void)
{
	static const char *const sides[] = {"engine", "child", "start"};
	const struct run_step *s;
	size_t i;

	for (i = 0; (s = run_step(i)) != NULL; i++)
		(void)printf("%-6s  %-16s  %-30s  %-4s  %s\n", sides[s->side],
			     s->name, s->needs, s->undo != NULL ? "undo" : "-",
			     s->why);
}

int about_plain(void *ctx, struct err *err)
{
	const struct cli *c = ctx;

	if (opt_get(&c->values, "version") != NULL) {
		(void)printf("reconcile-engine version " RECONCILE_VERSION
			     "\nspec: " SPEC_VERSION "\n");
		return 0;
	}
	if (opt_get(&c->values, "steps") != NULL) {
		about_steps();
		return 0;
	}
	return err_set(err, ERR_INPUT,
		       "want a command, have none; see \"reconcile-engine "
		       "--help\"");
}

int about_help(void *ctx, struct err *err)
{
	const struct cli *c = ctx;
	const struct opt_program *p = cli_program();
	const char *name =
		c->values.n_operands > 0 ? c->values.operands[0] : "";
	char safe[64];
	size_t i;

	for (i = 0; i < p->n_commands; i++)
		if (strcmp(p->commands[i].name, name) == 0) {
			opt_help(p, &p->commands[i], stdout);
			return 0;
		}
	return err_set(err, ERR_INPUT, "no command \"%s\"",
		       text_safe(safe, sizeof(safe), name, strlen(name)));
}

/* E11: what a checkpoint would bring back was written by the container. */
int about_refused(void *ctx, struct err *err)
{
	const struct cli *c = ctx;

	return err_set(err, ERR_INPUT,
		       "%s: this runtime does not offer it: an image of a "
		       "process is not trusted; stop the container and start "
		       "another one",
		       c->values.command->name);
}

static void about_strings(struct jsonw *w, const char *key,
			  const char *(*name)(size_t))
{
	const char *s;
	size_t i;

	jsonw_key(w, key);
	jsonw_arr(w);
	for (i = 0; (s = name(i)) != NULL; i++)
		jsonw_str(w, s);
	jsonw_arr_end(w);
}

static const char *about_ns(size_t i)
{
	return i < SPEC_NS_COUNT ? spec_ns_rows()[i].type : NULL;
}

static const char *about_hook(size_t i)
{
	static const char *const names[] = {"prestart",	       "createRuntime",
					    "createContainer", "startContainer",
					    "poststart",       "poststop"};

	return i < sizeof(names) / sizeof(names[0]) ? names[i] : NULL;
}

static void about_flag(struct jsonw *w, const char *key, const char *name,
		       bool on)
{
	jsonw_key(w, key);
	jsonw_obj(w);
	jsonw_kbool(w, name, on);
	jsonw_obj_end(w);
}

static void about_linux(struct jsonw *w)
{
	jsonw_key(w, "linux");
	jsonw_obj(w);
	about_strings(w, "namespaces", about_ns);
	about_strings(w, "capabilities", caps_name);
	jsonw_key(w, "cgroup");
	jsonw_obj(w);
	jsonw_kbool(w, "v1", true);
	jsonw_kbool(w, "v2", true);
	jsonw_kbool(w, "systemd", true);
	jsonw_kbool(w, "systemdUser", true);
	jsonw_kbool(w, "rdma", true);
	jsonw_obj_end(w);
	jsonw_key(w, "seccomp");
	jsonw_obj(w);
	jsonw_kbool(w, "enabled", true);
	about_strings(w, "actions", filter_action_name);
	about_strings(w, "operators", filter_op_name);
	about_strings(w, "archs", filter_arch_name);
	about_strings(w, "knownFlags", filter_flag_name);
	about_strings(w, "supportedFlags", filter_flag_name);
	jsonw_obj_end(w);
	about_flag(w, "apparmor", "enabled", true);
	about_flag(w, "selinux", "enabled", true);
	about_flag(w, "intelRdt", "enabled", false);
	jsonw_key(w, "memoryPolicy");
	jsonw_obj(w);
	about_strings(w, "modes", attr_memory_mode);
	about_strings(w, "flags", attr_memory_flag);
	jsonw_obj_end(w);
	about_flag(w, "netDevices", "enabled", true);
	jsonw_key(w, "mountExtensions");
	jsonw_obj(w);
	about_flag(w, "idmap", "enabled", true);
	jsonw_obj_end(w);
	jsonw_obj_end(w);
}

int about_features(void *ctx, struct err *err)
{
	struct jsonw w;
	struct buf b;
	int r;

	(void)ctx;
	buf_init(&b, ABOUT_OUT_BYTES);
	jsonw_init(&w, &b);
	jsonw_obj(&w);
	jsonw_kstr(&w, "ociVersionMin", "1.0.0");
	jsonw_kstr(&w, "ociVersionMax", SPEC_VERSION_MAX);
	about_strings(&w, "hooks", about_hook);
	about_strings(&w, "mountOptions", mountopt_name);
	about_linux(&w);
	jsonw_key(&w, "annotations");
	jsonw_obj(&w);
	jsonw_kstr(&w, "org.opencontainers.runc.checkpoint.enabled", "false");
	jsonw_kstr(&w, "io.reconcile.engine.version", RECONCILE_VERSION);
	jsonw_obj_end(&w);
	jsonw_key(&w, "potentiallyUnsafeConfigAnnotations"); /* E10: none */
	jsonw_arr(&w);
	jsonw_arr_end(&w);
	jsonw_obj_end(&w);
	r = buf_check(&b, err);
	if (r == 0)
		(void)printf("%s\n", b.data);
	buf_release(&b);
	return r;
}

int about_spec(void *ctx, struct err *err)
{
	const struct cli *c = ctx;
	const char *bundle = opt_get(&c->values, "bundle");
	/* "" for the flag, a word for the global option */
	const char *rootless = opt_get(&c->values, "rootless");
	struct buf b;
	int dir, fd = -1, r = 0;

	dir = open(bundle != NULL ? bundle : ".",
		   O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, errno, "bundle");
	buf_init(&b, ABOUT_OUT_BYTES);
	example_config(&b, rootless != NULL && rootless[0] == '\0'
				   ? (int64_t)geteuid()
				   : -1);
	r = buf_check(&b, err);
	if (r == 0)
		fd = openat(dir, "config.json",
			    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (r == 0 && fd < 0)
		r = err_sys(err, errno, "create config.json");
	if (r == 0)
		r = file_write_fd(fd, b.data, b.len, err);
	if (fd >= 0)
		(void)close(fd);
	(void)close(dir);
	buf_release(&b);
	return r;
}
