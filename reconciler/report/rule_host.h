/* rule_host.h - the codes of hosts as rows of rule.h; apart, because their
 * names meet those of manifests.  Pure. */
#ifndef RECONCILER_REPORT_RULE_HOST_H
#define RECONCILER_REPORT_RULE_HOST_H

#include "reconciler/report/rule.h"

int rule_host(size_t i, struct arena *arena, struct rule *out);

#endif
