/* sql.h - binding and reading SQLite statements with one error idiom. */
#ifndef RECONCILER_STATE_SQL_H
#define RECONCILER_STATE_SQL_H

#include "lib/arena.h"
#include "lib/err.h"

#include <sqlite3.h>

/* Prepares and binds: format letters 's' (const char *, NULL allowed) and 'i'
 * (int64_t).  *out owned: sqlite3_finalize(). */
int sql_prepare(sqlite3 *db, sqlite3_stmt **out, struct err *err,
		const char *text, const char *format, ...);
/* Runs a statement that gives no row. */
int sql_run(sqlite3 *db, struct err *err, const char *text, const char *format,
	    ...);
/* 1: a row, 0: done, negative: failed. */
int sql_step(sqlite3 *db, sqlite3_stmt *stmt, struct err *err);
/* Text of a column in the arena; NULL for SQL NULL. */
const char *sql_text(sqlite3_stmt *stmt, int column, struct arena *arena);

#endif
