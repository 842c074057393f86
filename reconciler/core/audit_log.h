/* audit_log.h - where the manager's audit log is, and opening it. */
#ifndef RECONCILER_CORE_AUDIT_LOG_H
#define RECONCILER_CORE_AUDIT_LOG_H

#include "lib/arena.h"
#include "lib/err.h"
#include "reconciler/core/conf.h"

struct audit_client;

const char *audit_log_dir(const struct core_conf *conf, struct arena *arena);
const char *audit_log_key(const struct core_conf *conf, struct arena *arena);
/* Name of the log: "reconcile/<repository id>/manager". */
const char *audit_log_origin(const struct core_conf *conf, struct arena *arena);
/* Text of the log's public key, for hosts and for verification. */
int audit_log_vkey(const struct core_conf *conf, struct arena *arena,
		   const char **out, struct err *err);
int audit_log_client(const struct core_conf *conf, const char *libexec,
		     struct audit_client **out, struct err *err);

#endif
