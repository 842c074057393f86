/* explain.h - the field tables as text for people. */
#ifndef MANIFEST_EXPLAIN_H
#define MANIFEST_EXPLAIN_H

#include "lib/buf.h"
#include "lib/err.h"

#include <stdio.h>

int explain_path(const char *path, struct buf *out, struct err *err);
int explain_code(const char *code, struct buf *out, struct err *err);
void explain_mdoc(FILE *out);
void explain_mdoc_trust(FILE *out);

#endif
