/* rule_host.c - see rule_host.h. */
#include "reconciler/report/rule_host.h"

#include "agent/code.h"

#define HOST_ROW(code, name, text) {#code, text},
static const struct {
	const char *code, *title;
} rows[] = {CODE_LIST(HOST_ROW)};
#undef HOST_ROW

int rule_host(size_t i, struct arena *arena, struct rule *out)
{
	(void)arena;
	if (i >= sizeof(rows) / sizeof(rows[0]))
		return ERR_NOTFOUND;
	*out = (struct rule){
		.code = rows[i].code,
		.title = rows[i].title,
		.help = "A host says so: it judges every commit and every "
			"assignment for itself. `reconcile status` shows the "
			"host, its own log the details."};
	return 0;
}
