/* ratchet.c - see ratchet.h. */
#include "policy/trust/ratchet.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool same(const char *a, const char *b)
{
	return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

enum ratchet_says ratchet_judge(const char *accepted, const char *accepting,
				const char *logged)
{
	if (same(accepted, logged))
		return RATCHET_HOLDS;
	if (!same(logged, NULL) && same(accepting, logged))
		return RATCHET_BEHIND;
#ifdef GUARD_OFF_RATCHET_LOST
	return RATCHET_HOLDS;
#else
	return RATCHET_LOST;
#endif
}
