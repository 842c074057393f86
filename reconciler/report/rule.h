/*
 * rule.h - every code and rule of the product with what it means, what to do
 * and an example, from the tables that their parts use.  Pure.
 */
#ifndef RECONCILER_REPORT_RULE_H
#define RECONCILER_REPORT_RULE_H

#include "lib/arena.h"
#include "lib/err.h"

#include <stddef.h>

struct rule {
	const char *code;    /* "P201"; NULL: a rule of the trust policy */
	const char *id;	     /* "imageRegistry"; NULL */
	const char *title;   /* never NULL */
	const char *help;    /* never NULL, may be "" */
	const char *fix;     /* NULL: the help says it */
	const char *example; /* NULL */
};

/* The i-th of all; ERR_NOTFOUND behind the last. */
int rule_get(size_t i, struct arena *arena, struct rule *out);
/* By code or id; ERR_NOTFOUND. */
int rule_find(const char *name, struct arena *arena, struct rule *out);
/* Nearest code or id, NULL; borrowed. */
const char *rule_nearest(const char *name, struct arena *arena);
/* All of it as text of several lines. */
const char *rule_text(const struct rule *r, struct arena *arena);

#endif
