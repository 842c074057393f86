/*
 * sqv.h - one run of /usr/bin/sqv in a process that can do nothing else.
 */
#ifndef POLICY_OPENPGP_SQV_H
#define POLICY_OPENPGP_SQV_H

#include "lib/err.h"
#include "policy/openpgp/frame.h"

#define SQV_PROGRAM "/usr/bin/sqv"
#define SQV_TIMEOUT_MS 10000

/* The bytes of a request, borrowed. */
struct sqv_request {
	struct frame_check head;
	const char *signature, *payload;
	const char *certificates[OPENPGP_CERTS_MAX];
};

/* null: /dev/null, open.  ERR_AGAIN over the time; other codes when it could
 * not be started. */
int sqv_run(const struct sqv_request *r, int null, struct openpgp_answer *out,
	    struct err *err);

/* What this program and sqv may touch. */
extern const struct sandbox sqv_starter, sqv_profile;

#endif
