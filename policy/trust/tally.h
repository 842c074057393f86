/*
 * tally.h - counts distinct people for each path of a step, rule by rule, and
 * says what is missing.  Pure.
 */
#ifndef POLICY_TRUST_TALLY_H
#define POLICY_TRUST_TALLY_H

#include "policy/trust/chain.h"
#include "policy/trust/line.h"

/* One signature of a person. */
struct tally_hand {
	const struct people_person *who;
	bool touched, verified;
};

struct tally_ask {
	const struct people *people;
	const struct line_access *access; /* NULL: none */
	int64_t now;
	struct arena *scratch; /* of the step */
};

struct tally; /* in scratch */

struct tally *tally_new(const struct tally_ask *ask);
/* Counts for one path; true when its rule is met. */
bool tally_path(struct tally *t, const struct diff_change *change,
		const struct tally_hand *whole, size_t n_whole,
		const struct tally_hand *extra, size_t n_extra);
bool tally_good(const struct tally *t);

struct tally_words {
	const struct chain_place *from, *to;
	const struct verdict *merge; /* why merged commits do not count; code 0:
				      * they do, or there are none */
	bool forge;		     /* a carrier made the commit */
};

/* A requirement for each rule that was asked, in arena. */
void tally_requirements(const struct tally *t, const struct tally_words *words,
			struct arena *arena, struct line_requirement **out,
			size_t *out_n);

#endif
