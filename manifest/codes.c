/* codes.c - the table of codes.h as data; pure. */
#include "manifest/codes.h"

#include "lib/err.h"

#include <strings.h>

#define CODES_ROW(name, code, title, help) {code, title, help},
static const struct {
	const char *id, *title, *help;
} rows[] = {CODES(CODES_ROW)};
#undef CODES_ROW

const char *codes_id(enum code c)
{
	return rows[c].id;
}

int codes_find(const char *id, enum code *out)
{
	for (int i = 0; i < CODE_COUNT; i++)
		if (strcasecmp(rows[i].id, id) == 0) {
			*out = (enum code)i;
			return 0;
		}
	return ERR_NOTFOUND;
}

const char *codes_title(enum code c)
{
	return rows[c].title;
}

const char *codes_help(enum code c)
{
	return rows[c].help;
}
