/*
 * env.h - a container's environment, command and arguments.  Pure.
 *
 * Kubernetes v1 Container.env/envFrom/command/args: envFrom first, env after
 * it and winning, `$(VAR)` of what is already defined, `$$` for a dollar sign;
 * an unknown reference stays as it is written.
 */
#ifndef AGENT_POD_ENV_H
#define AGENT_POD_ENV_H

#include "lib/arena.h"
#include "lib/err.h"
#include "manifest/manifest.h"

#define ENV_MAX 1024		 /* variables of one container */
#define ENV_BYTES_MAX (1u << 20) /* one value, expanded */

/* What fieldRef may ask for; borrowed. */
struct env_facts {
	const char *name, *namespace, *uid;
	const struct keyvals *labels, *annotations;
	const char *node_name, *service_account, *pod_ip, *host_ip;
};

struct env_list {
	const char **items; /* "NAME=value", in order, each name once */
	size_t n;
};

/* image_env: NAME=value of the image, the weakest.  Secrets end up in *out and
 * nowhere else.  ERR_NOTFOUND: ConfigMap, Secret or key is missing and not
 * optional; ERR_INPUT: a value with NUL. */
int env_make(const struct container *c, const struct objects *objects,
	     const struct env_facts *facts, const char *const *image_env,
	     size_t n_image_env, struct arena *arena, struct env_list *out,
	     struct err *err);
/* Expands $(VAR) in text by list. */
const char *env_expand(const struct env_list *list, const char *text,
		       struct arena *arena);
/* Value of a name, NULL if it is not set. */
const char *env_get(const struct env_list *list, const char *name);

#endif
