/* config.h - /etc/reconcile/agent.conf: see reconcile-agent.conf(5). */
#ifndef AGENT_MAIN_CONFIG_H
#define AGENT_MAIN_CONFIG_H

#include "lib/arena.h"
#include "lib/conf.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_RANGE 65536 /* user ids of one pod */

struct config {
	const char *name, *state_dir, *run_dir, *libexec;
	const char *cgroup_parent, *bridge, *log_level, *nameserver;
	int64_t userns_base, userns_count;
	int64_t cpu_m, memory, pods; /* 0: what the machine has */
	struct conf_list registries, routes;
	char self[256]; /* storage of a defaulted name */
	char libexec_found[4096];
};

/* One `registry` line, decoded; in the arena. */
struct config_registry {
	const char *host;			    /* "host[:port]" */
	const char *ca_file, *user, *password_file; /* NULL */
	bool http;				    /* plain; loopback only */
};

int config_load(const char *path, struct config *out, struct arena *arena,
		struct err *err);
int config_registry_of(const struct config *c, const char *host,
		       struct arena *arena, struct config_registry *out,
		       struct err *err);
void config_print_mdoc(FILE *out);

#endif
