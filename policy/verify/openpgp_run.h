/*
 * openpgp_run.h - asking reconcile-openpgp, the program that runs sqv.  In
 * reconcile-verify; started before its sandbox closes.
 */
#ifndef POLICY_VERIFY_OPENPGP_RUN_H
#define POLICY_VERIFY_OPENPGP_RUN_H

#include "lib/proc.h"
#include "policy/trust/openpgp.h"

struct openpgp_runner {
	struct proc proc;
	int sock;
	struct openpgp_run run; /* for signature_time, once it is started */
};

/* libexec NULL: see proc_libexec(). */
int openpgp_run_start(struct openpgp_runner *r, const char *libexec,
		      struct err *err);
/* No effect when it was not started. */
void openpgp_run_stop(struct openpgp_runner *r);

#endif
