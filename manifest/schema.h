/*
 * schema.h - JSON Schemas of the kinds, from the tables that the decoder uses,
 * for editors and for kubeconform.  Pure.
 *
 * Draft 7, because yaml-language-server reads nothing newer in full and
 * kubeconform reads it too.  Strict: what the decoder does not know is refused.
 * A schema cannot say everything: checks between fields and references are the
 * decoder's alone, so what a schema accepts may still be refused, never the
 * other way round.
 */
#ifndef MANIFEST_SCHEMA_H
#define MANIFEST_SCHEMA_H

#include "lib/buf.h"
#include "manifest/check.h"
#include "manifest/types.h"

/* One kind; a newline behind it. */
int schema_kind(enum manifest_kind kind, struct buf *out, struct err *err);
/* All of them, told apart by apiVersion and kind. */
int schema_all(struct buf *out, struct err *err);
/* "deployment-apps-v1.json", as kubeconform names them: kind, first part of the
 * group, version. */
void schema_file_name(enum manifest_kind kind, char *out, size_t len);
/* Regular expression (ECMA 262, and POSIX extended) of what check accepts;
 * NULL: none says it.  Borrowed. */
const char *schema_pattern(check_fn *check);

#endif
