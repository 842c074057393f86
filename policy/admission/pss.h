/*
 * pss.h - the Pod Security Standards as one table, a row a check id.
 *
 * Source: the controls of Kubernetes' pod-security-admission policy code (12
 * baseline, 7 restricted check ids).  Pure; judges the defaulted pod: what is
 * unset has the safe value of deviations D1, D2 and D4 (docs/policy.md).
 */
#ifndef POLICY_ADMISSION_PSS_H
#define POLICY_ADMISSION_PSS_H

#include "manifest/types.h"
#include "policy/admission/admission.h"

/* Newest minor version of the standards that the table knows. */
#define PSS_MINOR_LATEST 37
/* pss_row.replaced: no restricted row takes its place. */
#define PSS_STAYS 1000

enum pss_scope { PSS_POD = 1, PSS_CONTAINER = 2, PSS_VOLUME = 4 };

/* What a predicate looks at: the pod, or one container or volume of it. */
struct pss_subject {
	const struct pod_spec *spec;
	const struct keyvals *annotations;
	const struct container *container; /* NULL outside PSS_CONTAINER */
	const struct volume *volume;	   /* NULL outside PSS_VOLUME */
	int minor;			   /* version judged by: 1.minor */
};

struct pss_finding {
	const char *field; /* below the subject, '/' between names */
	char have[256];	   /* escaped */
};

struct pss_row {
	const char *code;   /* "P101" */
	const char *id;	    /* check id of the standards */
	int level;	    /* enum admission_level */
	int since;	    /* minor version it came with */
	int replaced;	    /* from this minor on a restricted row stands
			       in for it at that level */
	unsigned int scope; /* enum pss_scope bits; 0: the decoder refuses
			       the field, nothing is left to judge */
	bool (*bad)(const struct pss_subject *s, struct pss_finding *f);
	const char *field; /* for people */
	const char *want;
	const char *instead; /* what to write */
};

/* All rows, in table order.  Borrowed, static. */
const struct pss_row *pss_rows(size_t *out_n);
/* Is the row in force at this level and version? */
bool pss_applies(const struct pss_row *row, int level, int minor);

#endif
