/*
 * conf.h - configuration of the manager, reconcile.conf(5).
 */
#ifndef RECONCILER_CORE_CONF_H
#define RECONCILER_CORE_CONF_H

#include "lib/arena.h"
#include "lib/conf.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

struct core_conf {
	const char *repository_url, *repository_id, *repository_ref;
	const char *ssh_key, *ssh_known_hosts;		    /* "" when unused */
	const char *ca_file, *server_key, *credential_file; /* the same */
	const char *trust_policy, *trust_anchor; /* "": pinned lists */
	bool trust_openpgp;
	const char *allowed_signers, *revoked_keys; /* "" with trust_policy */
	const char *state_dir, *run_dir;
	const char *libexec;   /* "": where reconcile itself stands */
	const char *listen;    /* address:port of the channel */
	const char *advertise; /* what join tokens name; "": listen */
	const char *pod_cidr, *service_cidr;
	struct conf_list registries;   /* "host[:port] ca=FILE" */
	struct conf_list access_users; /* "UNIXUSER PRINCIPAL" */
	int64_t fetch_timeout_s;
	int64_t host_wait_s, pass_timeout_s, interval_s, cert_hours;
};

/* path NULL: RECONCILE_SYSCONF "/reconcile.conf". */
int core_conf_load(const char *path, struct arena *arena, struct core_conf *out,
		   struct err *err);
/* As above, from what is open already; fd -1: path. */
int core_conf_load_fd(int fd, const char *path, struct arena *arena,
		      struct core_conf *out, struct err *err);
/* The keys, for the man page. */
const struct conf_key *core_conf_keys(size_t *out_n);

#endif
