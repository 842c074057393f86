/* code.c - the table of code.h. Pure. */
#include "agent/code.h"

#include <assert.h>

struct code_row {
	const char *id, *text;
};

#define CODE_ROW(code, name, text) {#code, text},
static const struct code_row rows[CODE_COUNT] = {CODE_LIST(CODE_ROW)};
#undef CODE_ROW

const char *code_id(enum code_id id)
{
	assert((unsigned int)id < CODE_COUNT);
	return rows[id].id;
}

const char *code_text(enum code_id id)
{
	assert((unsigned int)id < CODE_COUNT);
	return rows[id].text;
}
