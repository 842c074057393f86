/* spec.c - see spec.h. */
#include "engine/spec/spec.h"

#include "engine/spec/check.h"
#include "engine/spec/table.h"
#include "lib/text.h"

#include <linux/sched.h>
#include <string.h>

static const struct spec_ns_row spec_ns_table[SPEC_NS_COUNT] = {
	[SPEC_NS_USER] = {"user", "user", CLONE_NEWUSER},
	[SPEC_NS_MOUNT] = {"mount", "mnt", CLONE_NEWNS},
	[SPEC_NS_PID] = {"pid", "pid", CLONE_NEWPID},
	[SPEC_NS_NET] = {"network", "net", CLONE_NEWNET},
	[SPEC_NS_IPC] = {"ipc", "ipc", CLONE_NEWIPC},
	[SPEC_NS_UTS] = {"uts", "uts", CLONE_NEWUTS},
	[SPEC_NS_CGROUP] = {"cgroup", "cgroup", CLONE_NEWCGROUP},
	[SPEC_NS_TIME] = {"time", "time", CLONE_NEWTIME},
};

const struct spec_ns_row *spec_ns_rows(void)
{
	return spec_ns_table;
}

const struct spec_ns *spec_ns_find(const struct spec *s, enum spec_ns_kind kind)
{
	size_t i;

	for (i = 0; i < s->linux_.n_ns; i++)
		if (strcmp(s->linux_.ns[i].type, spec_ns_table[kind].type) == 0)
			return &s->linux_.ns[i];
	return NULL;
}

bool spec_is_detached(const struct spec *s)
{
	const struct spec_ns *ns = spec_ns_find(s, SPEC_NS_MOUNT);

	return ns == NULL || (ns->path != NULL && ns->path[0] != '\0');
}

static int spec_check_ns(const struct spec *s, struct err *err)
{
	unsigned int seen = 0;
	char safe[64];
	size_t i, k;

	for (i = 0; i < s->linux_.n_ns; i++) {
		const struct spec_ns *ns = &s->linux_.ns[i];

		for (k = 0; k < SPEC_NS_COUNT; k++)
			if (strcmp(ns->type, spec_ns_table[k].type) == 0)
				break;
		if (k == SPEC_NS_COUNT)
			return err_set(err, ERR_INPUT,
				       "config: linux.namespaces[%zu].type: "
				       "unknown namespace \"%s\"",
				       i,
				       text_safe(safe, sizeof(safe), ns->type,
						 strlen(ns->type)));
		if (seen & (1u << k))
			return err_set(err, ERR_INPUT,
				       "config: linux.namespaces[%zu]: %s is "
				       "there twice",
				       i, ns->type);
		seen |= 1u << k;
		if (ns->path != NULL && ns->path[0] != '\0' &&
		    ns->path[0] != '/')
			return err_set(err, ERR_INPUT,
				       "config: linux.namespaces[%zu].path: "
				       "want an absolute path",
				       i);
	}
	return 0;
}

/* What a namespace is needed for is refused without it: a host name set in
 * the host's UTS namespace would rename the host. */
static int spec_check_needs(const struct spec *s, struct err *err)
{
	bool time = spec_ns_find(s, SPEC_NS_TIME) != NULL;
	bool uts = spec_ns_find(s, SPEC_NS_UTS) != NULL;
	bool user = spec_ns_find(s, SPEC_NS_USER) != NULL;
	bool named = (s->hostname != NULL && s->hostname[0] != '\0') ||
		     (s->domainname != NULL && s->domainname[0] != '\0');

	if (named && !uts)
		return err_set(err, ERR_INPUT,
			       "config: hostname and domainname want a uts "
			       "namespace");
	if ((s->linux_.offsets.monotonic || s->linux_.offsets.boottime) &&
	    !time)
		return err_set(err, ERR_INPUT,
			       "config: linux.timeOffsets wants a time "
			       "namespace");
	if (s->linux_.n_uid_map + s->linux_.n_gid_map > 0 && !user)
		return err_set(err, ERR_INPUT,
			       "config: linux.uidMappings wants a user "
			       "namespace");
	if (user && spec_is_detached(s))
		return err_set(err, ERR_INPUT,
			       "config: linux.namespaces: a user namespace "
			       "wants a new mount namespace");
	return 0;
}

int spec_check_process(const struct spec_process *p, struct err *err)
{
	size_t i;

	if (p->args.n == 0)
		return err_set(err, ERR_INPUT,
			       "config: process.args: want at least one");
	if (p->cwd[0] != '/')
		return err_set(err, ERR_INPUT,
			       "config: process.cwd: want an absolute path");
	for (i = 0; i < p->env.n; i++)
		if (strchr(p->env.v[i], '=') == NULL)
			return err_set(err, ERR_INPUT,
				       "config: process.env[%zu]: want "
				       "NAME=VALUE",
				       i);
	if (p->user.uid == UINT32_MAX || p->user.gid == UINT32_MAX)
		return err_set(err, ERR_INPUT,
			       "config: process.user: 4294967295 is no id");
	return check_process(p, err);
}

static int spec_check(const struct spec *s, struct err *err)
{
	size_t i;
	int r;

	if (strncmp(s->version, "1.", 2) != 0)
		return err_set(
			err, ERR_INPUT,
			"config: ociVersion: want 1.x (up to " SPEC_VERSION_MAX
			")");
	if (s->root.path == NULL || s->root.path[0] == '\0')
		return err_set(err, ERR_INPUT, "config: root.path: want it");
	if (s->process == NULL)
		return err_set(err, ERR_INPUT, "config: process: want it");
	for (i = 0; i < s->n_mounts; i++)
		if (s->mounts[i].destination[0] == '\0')
			return err_set(err, ERR_INPUT,
				       "config: mounts[%zu].destination: want "
				       "a path",
				       i);
	r = spec_check_ns(s, err);
	if (r == 0)
		r = spec_check_needs(s, err);
	if (r == 0)
		r = spec_check_process(s->process, err);
	if (r == 0)
		r = check_spec(s, err);
	return r;
}

int spec_read(const char *bytes, size_t len, struct arena *arena,
	      struct spec *out, struct err *err)
{
	struct spec s = {.version = NULL};
	int r;

	r = decode_object(bytes, len, table_spec(), &s, arena, "", err);
	if (r == 0)
		r = spec_check(&s, err);
	if (r == 0)
		*out = s;
	return r;
}

int spec_read_process(const char *bytes, size_t len, struct arena *arena,
		      struct spec_process *out, struct err *err)
{
	struct spec_process p = {.terminal = false};
	int r;

	r = decode_object(bytes, len, table_process(), &p, arena, "process",
			  err);
	if (r == 0)
		r = spec_check_process(&p, err);
	if (r == 0)
		*out = p;
	return r;
}

int spec_read_resources(const char *bytes, size_t len, struct arena *arena,
			struct spec_resources *out, struct err *err)
{
	struct spec_resources res = {.devices = NULL};
	int r;

	r = decode_object(bytes, len, table_resources(), &res, arena,
			  "resources", err);
	if (r == 0)
		*out = res;
	return r;
}
