/*
 * ratchet.h - whether what is remembered of the last accepted commit can be
 * believed.  Pure; the manager and each host ask it about their own memory.
 *
 * Three places say something: the ratchet, a note of the commit that it was
 * about to move to, and the audit log.  The order of an advance is note, log,
 * ratchet, so a crash leaves only the pairs that this file knows.  Anything
 * else means that one of them was taken away or put back (A26).
 */
#ifndef POLICY_TRUST_RATCHET_H
#define POLICY_TRUST_RATCHET_H

enum ratchet_says {
	RATCHET_HOLDS,
	RATCHET_BEHIND, /* killed between log and ratchet: take the log's */
	RATCHET_LOST,	/* refuse until a person says where to go on */
};

/* NULL and "" are the same: none. */
enum ratchet_says ratchet_judge(const char *accepted, const char *accepting,
				const char *logged);

#endif
