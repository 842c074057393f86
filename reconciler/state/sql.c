/*
 * sql.c - see sql.h.  Runs in the manager program, on its own file; statement
 * texts are constants of the program (threats L05).
 */
#include "reconciler/state/sql.h"

#include <assert.h>
#include <stdarg.h>

static int sql_fail(sqlite3 *db, int rc, struct err *err)
{
	int primary = rc & 0xff;

	if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)
		return err_set(
			err, ERR_INPUT,
			"state file is damaged (%s): restore it, or remove "
			"it and join the hosts again",
			sqlite3_errstr(rc));
	if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED)
		return err_set(err, ERR_AGAIN, "state file is busy");
	return err_set(err, ERR_SYS, "state file: %s (%s)", sqlite3_errmsg(db),
		       sqlite3_errstr(rc));
}

static int sql_vprepare(sqlite3 *db, sqlite3_stmt **out, struct err *err,
			const char *text, const char *format, va_list ap)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, text, -1, &stmt, NULL);

	for (int i = 0; rc == SQLITE_OK && format[i] != '\0'; i++) {
		assert(format[i] == 's' || format[i] == 'i');
		if (format[i] == 's')
			rc = sqlite3_bind_text(stmt, i + 1,
					       va_arg(ap, const char *), -1,
					       SQLITE_TRANSIENT);
		else
			rc = sqlite3_bind_int64(stmt, i + 1,
						va_arg(ap, int64_t));
	}
	if (rc != SQLITE_OK) {
		sqlite3_finalize(stmt);
		return sql_fail(db, rc, err);
	}
	*out = stmt;
	return 0;
}

int sql_prepare(sqlite3 *db, sqlite3_stmt **out, struct err *err,
		const char *text, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	r = sql_vprepare(db, out, err, text, format, ap);
	va_end(ap);
	return r;
}

int sql_step(sqlite3 *db, sqlite3_stmt *stmt, struct err *err)
{
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : sql_fail(db, rc, err);
}

int sql_run(sqlite3 *db, struct err *err, const char *text, const char *format,
	    ...)
{
	sqlite3_stmt *stmt = NULL;
	va_list ap;
	int r;

	va_start(ap, format);
	r = sql_vprepare(db, &stmt, err, text, format, ap);
	va_end(ap);
	if (r < 0)
		return r;
	do {
		r = sql_step(db, stmt, err);
	} while (r > 0);
	sqlite3_finalize(stmt);
	return r;
}

const char *sql_text(sqlite3_stmt *stmt, int column, struct arena *arena)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);

	return text == NULL ? NULL : arena_strdup(arena, (const char *)text);
}
