/* config.c - the table of keys and what they must be.  Local, root's file. */
#include "agent/main/config.h"
#include "lib/proc.h"
#include "lib/text.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define AT(member) offsetof(struct config, member)

static const struct conf_key keys[] = {
	{"name", CONF_STRING, AT(name), "", 0, 0,
	 "Name of this host, as in its certificate; default: the first label "
	 "of the host's name."},
	{"state", CONF_PATH, AT(state_dir), "/var/lib/reconcile/agent", 0, 0,
	 "Folder of what outlives a boot."},
	{"run", CONF_PATH, AT(run_dir), "/run/reconcile/agent", 0, 0,
	 "Folder of what does not."},
	{"libexec", CONF_STRING, AT(libexec), "", 0, 0,
	 "Folder of the sibling programs; default: where this one is."},
	{"cgroup", CONF_STRING, AT(cgroup_parent), "/reconcile", 0, 0,
	 "Cgroup below which every container has its own."},
	{"bridge", CONF_STRING, AT(bridge), "rc0", 0, 0,
	 "Name of the pods' bridge, at most 15 characters."},
	{"log-level", CONF_STRING, AT(log_level), "info", 0, 0,
	 "error, warn, info or debug."},
	{"nameserver", CONF_STRING, AT(nameserver), "", 0, 0,
	 "IPv4 address written into the pods' resolv.conf; default: the "
	 "host's own file is copied."},
	{"userns-base", CONF_INT, AT(userns_base), "268435456", 65536,
	 4000000000,
	 "First host user id of the ranges of 65536 ids: the first "
	 "range is the image store's, each pod has one of its own."},
	{"userns-count", CONF_INT, AT(userns_count), "512", 1, 16384,
	 "How many ranges pods can have."},
	{"capacity-cpu", CONF_INT, AT(cpu_m), "0", 0, 1000000,
	 "Milli-CPU that pods may ask for; 0: all of the machine."},
	{"capacity-memory", CONF_INT, AT(memory), "0", 0, INT64_MAX,
	 "Bytes that pods may ask for; 0: all of the machine."},
	{"capacity-pods", CONF_INT, AT(pods), "110", 1, 1000,
	 "How many pods this host takes."},
	{"registry", CONF_LIST, AT(registries), "", 0, 0,
	 "host[:port] ca=FILE user=NAME password-file=FILE http; may repeat."},
	{"route", CONF_LIST, AT(routes), "", 0, 0,
	 "a.b.c.d/n via a.b.c.d: pods of another host; may repeat."},
};

#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static int default_name(struct config *c, struct err *err)
{
	if (gethostname(c->self, sizeof(c->self) - 1) < 0)
		return err_sys(err, errno, "host name");
	c->self[strcspn(c->self, ".")] = '\0';
	c->name = c->self;
	return 0;
}

int config_load(const char *path, struct config *out, struct arena *arena,
		struct err *err)
{
	struct config *c = out;
	int r = conf_load(path, keys, N_KEYS, c, arena, err);

	if (r == 0 && c->name[0] == '\0')
		r = default_name(c, err);
	if (r == 0 && !text_is_dns_subdomain(c->name))
		r = err_set(err, ERR_INPUT,
			    "name: want a DNS name in lower case");
	if (r == 0 && c->libexec[0] == '\0') {
		r = proc_libexec(c->libexec_found, sizeof(c->libexec_found),
				 err);
		c->libexec = c->libexec_found;
	}
	if (r == 0 && (c->bridge[0] == '\0' || strlen(c->bridge) > 15))
		r = err_set(err, ERR_INPUT, "bridge: want 1 to 15 characters");
	if (r == 0 && c->userns_base + (c->userns_count + 1) * CONFIG_RANGE >
			      (int64_t)UINT32_MAX)
		r = err_set(err, ERR_INPUT,
			    "userns-base, userns-count: the ranges end above "
			    "the largest user id");
	if (r == 0 && c->cgroup_parent[0] != '/')
		r = err_set(err, ERR_INPUT, "cgroup: want an absolute path");
	return r;
}

/* One word of a registry line. */
static int take_word(struct config_registry *reg, const char *word,
		     struct err *err)
{
	if (strncmp(word, "ca=", 3) == 0)
		reg->ca_file = word + 3;
	else if (strncmp(word, "user=", 5) == 0)
		reg->user = word + 5;
	else if (strncmp(word, "password-file=", 14) == 0)
		reg->password_file = word + 14;
	else if (strcmp(word, "http") == 0)
		reg->http = true;
	else
		return err_set(err, ERR_INPUT,
			       "registry %s: want ca=FILE, user=NAME, "
			       "password-file=FILE or http, have %s",
			       reg->host, word);
	return 0;
}

int config_registry_of(const struct config *c, const char *host,
		       struct arena *arena, struct config_registry *out,
		       struct err *err)
{
	*out = (struct config_registry){.host = host};
	for (size_t i = 0; i < c->registries.n; i++) {
		char *copy = arena_strdup(arena, c->registries.items[i]);
		char *save = NULL, *word = strtok_r(copy, " \t", &save);

		if (!word || strcmp(word, host) != 0)
			continue;
		while ((word = strtok_r(NULL, " \t", &save))) {
			int r = take_word(out, word, err);

			if (r < 0)
				return r;
		}
		return 0;
	}
	return 0;
}

void config_print_mdoc(FILE *out)
{
	conf_print_mdoc(keys, N_KEYS, out);
}
