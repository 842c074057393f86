/*
 * membership.h - the life of a host from token to revocation (threats T19, S01,
 * S03).  Every transition is in the audit log before it takes effect.
 *
 *   token -> REQUESTED --join--> JOINED --first report--> READY <--> LOST
 *                                   \------- revoke -------+-------> REVOKED
 */
#ifndef RECONCILER_CORE_MEMBERSHIP_H
#define RECONCILER_CORE_MEMBERSHIP_H

#include "reconciler/core/core.h"

#include "channel/agent.pb-c.h"

struct membership_token {
	const char *host;
	int64_t ttl_s;	       /* 1 .. 86400 */
	struct keyvals labels; /* checked by the caller's parser */
	struct taint *taints;
	size_t n_taints;
};

/* Folders below the state folder: the CA's own, and the channel's. */
const char *membership_ca_dir(const struct core_conf *conf, struct arena *a);
const char *membership_channel_dir(const struct core_conf *conf,
				   struct arena *a);
/* First time: CA, server certificate, empty revocation list, audit key.
 * ERR_CONFLICT when there is one already. */
int membership_init(const struct core_conf *conf, struct err *err);
/* Renews server certificate and revocation list when due. */
int membership_maintain(struct core *c, struct err *err);
/* Issues a single-use token; *out in arena, its text is a secret. */
int membership_token(struct core *c, const struct membership_token *want,
		     struct arena *arena, const char **out, struct err *err);
/* Renews the certificate of a connected host. */
int membership_renew(struct core *c, const char *host,
		     const Channel__CertRequest *request, struct err *err);
/* Revokes for good: certificate, session, and its pods go elsewhere. */
int membership_revoke(struct core *c, const char *host, const char *reason,
		      struct err *err);

#endif
