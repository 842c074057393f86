/* authority.h - the CA and the channel's folder, open together for one act. */
#ifndef RECONCILER_CORE_AUTHORITY_H
#define RECONCILER_CORE_AUTHORITY_H

#include "channel/pki.h"
#include "lib/err.h"
#include "reconciler/core/conf.h"

struct core;

struct authority {
	struct pki *ca;
	int channel_dir;
};

int membership_open(const struct core_conf *conf, struct authority *out,
		    struct err *err);
void membership_close(struct authority *a);
/* Writes the list of revoked certificates anew, and where the fleet is attached
 * has the channel read it and end host's session with reason. */
int membership_publish(struct core *c, const struct authority *a,
		       const char *host, const char *reason, struct err *err);

#endif
