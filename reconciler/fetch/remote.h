/*
 * remote.h - a repository behind ssh as the place to mirror from.
 *
 * OpenSSH's own client makes the connection, started without a shell before the
 * sandbox closes; the git protocol is then spoken over its pipes by libgit2's
 * smart transport inside a sandbox that has no network at all.  Host keys are
 * checked strictly against the given file (A66).
 */
#ifndef RECONCILER_FETCH_REMOTE_H
#define RECONCILER_FETCH_REMOTE_H

#include "lib/err.h"
#include "lib/proc.h"
#include "reconciler/fetch/budget.h"
#include "reconciler/fetch/url.h"

#include <git2.h>
#include <git2/sys/transport.h>

struct remote_ssh {
	struct proc proc;
	int data, errors;      /* pipes to ssh; -1 */
	struct budget *budget; /* borrowed */
	git_smart_subtransport sub;
	git_smart_subtransport_stream stream;
	git_smart_subtransport_definition definition;
};

/* Before the sandbox.  key, known_hosts: absolute paths, key "" for none. */
int remote_start(struct remote_ssh *s, const struct url *url, const char *key,
		 const char *known_hosts, struct budget *budget,
		 struct err *err);
/* Inside: reads the ref; if it is not *have, also its objects into the store.
 * ERR_AGAIN (unreachable), ERR_TRUST (host key), ERR_DENIED (login),
 * ERR_NOTFOUND (repository or ref), ERR_LIMIT. */
int remote_fetch(struct remote_ssh *s, const char *store_path, const char *ref,
		 const git_oid *have, git_oid *out_id, struct err *err);
void remote_release(struct remote_ssh *s);

#endif
