/* refs.h - closed-world checks over a whole set (manifests.md 5.1 rule 5). */
#ifndef MANIFEST_REFS_H
#define MANIFEST_REFS_H

#include "manifest/manifest.h"

/* Objects that failed to decode are not in set, so while diags has errors an
 * absent object is not reported. */
void refs_check(const struct objects *set, struct diags *diags);

#endif
