/*
 * state.c - opening the manager's store, single values, tokens, objects.
 *
 * Runs in `reconcile` (user reconcile, no capability); input is its own file.
 */
#include "reconciler/state/state.h"
#include "reconciler/state/private.h"

#include "lib/text.h"
#include "reconciler/state/sql.h"

#include <stdlib.h>
#include <string.h>

static const char *const schema[] = {
	"CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT "
	"NULL)",
	"CREATE TABLE IF NOT EXISTS host(name TEXT PRIMARY KEY, state INTEGER "
	"NOT NULL, cordoned INTEGER NOT NULL, draining INTEGER NOT NULL, "
	"labels TEXT NOT NULL, taints TEXT NOT NULL, cpu_m INTEGER NOT NULL, "
	"memory INTEGER NOT NULL, pods_max INTEGER NOT NULL, epoch INTEGER NOT "
	"NULL, accepted TEXT, lost_since INTEGER NOT NULL, settled INTEGER NOT "
	"NULL, refusal TEXT, cidr INTEGER NOT NULL UNIQUE, serial TEXT, "
	"not_after INTEGER NOT NULL, joined INTEGER NOT NULL)",
	"CREATE TABLE IF NOT EXISTS token(id TEXT PRIMARY KEY, secret TEXT NOT "
	"NULL, host TEXT NOT NULL, expires INTEGER NOT NULL, used INTEGER NOT "
	"NULL, labels TEXT NOT NULL, taints TEXT NOT NULL)",
	"CREATE TABLE IF NOT EXISTS revoked(serial TEXT PRIMARY KEY, not_after "
	"INTEGER NOT NULL)",
	"CREATE TABLE IF NOT EXISTS pod(uid TEXT PRIMARY KEY, namespace TEXT "
	"NOT NULL, name TEXT NOT NULL, owner_kind TEXT NOT NULL, owner_name "
	"TEXT NOT NULL, template TEXT NOT NULL, idx INTEGER NOT NULL, host "
	"TEXT NOT NULL, commit_id TEXT NOT NULL, phase INTEGER NOT NULL, ready "
	"INTEGER NOT NULL, ready_ms INTEGER NOT NULL, started_ms INTEGER NOT "
	"NULL, created_ms INTEGER NOT NULL, restarts INTEGER NOT NULL, ip "
	"TEXT, reason TEXT, cpu_m INTEGER NOT NULL, memory INTEGER NOT NULL, "
	"assigned INTEGER NOT NULL DEFAULT 1, finished_ms INTEGER NOT NULL "
	"DEFAULT 0, unready_ms INTEGER NOT NULL DEFAULT 0)",
	"CREATE TABLE IF NOT EXISTS object(kind INTEGER NOT NULL, namespace "
	"TEXT, name TEXT NOT NULL, hash TEXT NOT NULL)",
	"CREATE TABLE IF NOT EXISTS service(namespace TEXT NOT NULL, name TEXT "
	"NOT NULL, ip TEXT NOT NULL UNIQUE, PRIMARY KEY(namespace, name))",
};

#define SCHEMA_VERSION "2"

/* Schema 1 knew assigned pods only, and not when they ended. */
static const char *const from_schema_1[] = {
	"ALTER TABLE pod ADD COLUMN assigned INTEGER NOT NULL DEFAULT 1",
	"ALTER TABLE pod ADD COLUMN finished_ms INTEGER NOT NULL DEFAULT 0",
	"ALTER TABLE pod ADD COLUMN unready_ms INTEGER NOT NULL DEFAULT 0",
	"UPDATE meta SET value = '2' WHERE key = 'schema'",
};

static int run_all(struct state *s, const char *const *texts, size_t n,
		   struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = sql_run(s->db, err, texts[i], "");
	return r;
}

static int state_upgrade(struct state *s, struct err *err)
{
	struct arena *arena = arena_new(4096);
	const char *version = NULL;
	int r = state_get(s, "schema", arena, &version, err);

	if (r == 0 && version != NULL && strcmp(version, "1") == 0)
		r = run_all(s, from_schema_1,
			    sizeof(from_schema_1) / sizeof(from_schema_1[0]),
			    err);
	arena_free(arena);
	return r;
}

static int state_migrate(struct state *s, struct err *err)
{
	int r = state_begin(s, err);

	if (r == 0)
		r = run_all(s, schema, sizeof(schema) / sizeof(schema[0]), err);
	if (r == 0)
		r = sql_run(s->db, err,
			    "INSERT OR IGNORE INTO meta VALUES('schema', ?)",
			    "s", SCHEMA_VERSION);
	if (r == 0)
		r = state_upgrade(s, err);
	if (r == 0)
		r = state_commit(s, err);
	if (r < 0)
		state_rollback(s);
	return r;
}

static int state_check_version(struct state *s, struct err *err)
{
	struct arena *arena = arena_new(4096);
	const char *version = NULL;
	int r = state_get(s, "schema", arena, &version, err);

	if (r == 0 && (version == NULL || strcmp(version, SCHEMA_VERSION) != 0))
		r = err_set(err, ERR_INPUT,
			    "state file has schema %s, want %s: it belongs to "
			    "another version of reconcile",
			    version == NULL ? "none" : version, SCHEMA_VERSION);
	arena_free(arena);
	return r;
}

int state_open(const char *dir, bool readonly, struct state **out,
	       struct err *err)
{
	struct state *s = calloc(1, sizeof(*s));
	char path[4096];
	int flags = readonly ? SQLITE_OPEN_READONLY
			     : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	int n = snprintf(path, sizeof(path), "%s/state.db", dir);
	int rc;
	int r = 0;

	if (s == NULL)
		return err_set(err, ERR_NOMEM, "state");
	if (n < 0 || (size_t)n >= sizeof(path)) {
		free(s);
		return err_set(err, ERR_LIMIT, "state path is too long");
	}
	rc = sqlite3_open_v2(path, &s->db, flags | SQLITE_OPEN_NOFOLLOW, NULL);
	if (rc != SQLITE_OK) {
		r = err_set(err, rc == SQLITE_CANTOPEN ? ERR_NOTFOUND : ERR_SYS,
			    "open %s: %s (run `reconcile init` first?)", path,
			    sqlite3_errstr(rc));
		goto out;
	}
	(void)sqlite3_busy_timeout(s->db, 5000);
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (!readonly) {
		r = sql_run(s->db, err, "PRAGMA journal_mode=WAL", "");
		if (r == 0)
			r = sql_run(s->db, err, "PRAGMA synchronous=FULL", "");
		if (r == 0)
			r = state_migrate(s, err);
	}
	if (r == 0)
		r = state_check_version(s, err);
out:
	if (r < 0) {
		state_close(s);
		return err_wrap(err, "state");
	}
	*out = s;
	return 0;
}

void state_close(struct state *s)
{
	if (s == NULL)
		return;
	(void)sqlite3_close(s->db);
	free(s);
}

int state_begin(struct state *s, struct err *err)
{
	return sql_run(s->db, err, "BEGIN IMMEDIATE", "");
}

int state_commit(struct state *s, struct err *err)
{
	return sql_run(s->db, err, "COMMIT", "");
}

void state_rollback(struct state *s)
{
	(void)sql_run(s->db, NULL, "ROLLBACK", "");
}

int state_get(struct state *s, const char *key, struct arena *arena,
	      const char **out, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(s->db, &stmt, err,
			    "SELECT value FROM meta WHERE key = ?", "s", key);

	if (r < 0)
		return r;
	r = sql_step(s->db, stmt, err);
	if (r >= 0)
		*out = r > 0 ? sql_text(stmt, 0, arena) : NULL;
	sqlite3_finalize(stmt);
	return r < 0 ? r : 0;
}

int state_set(struct state *s, const char *key, const char *value,
	      struct err *err)
{
	return sql_run(s->db, err, "INSERT OR REPLACE INTO meta VALUES(?, ?)",
		       "ss", key, value);
}

int state_objects_set(struct state *s, const struct world_object *items,
		      size_t n, struct err *err)
{
	int r = sql_run(s->db, err, "DELETE FROM object", "");

	for (size_t i = 0; r == 0 && i < n; i++)
		r = sql_run(s->db, err, "INSERT INTO object VALUES(?,?,?,?)",
			    "isss", (int64_t)items[i].kind, items[i].namespace,
			    items[i].name, items[i].hash);
	return r;
}

int state_services_set(struct state *s, const struct world_service *items,
		       size_t n, struct err *err)
{
	int r = sql_run(s->db, err, "DELETE FROM service", "");

	for (size_t i = 0; r == 0 && i < n; i++)
		r = sql_run(s->db, err, "INSERT INTO service VALUES(?,?,?)",
			    "sss", items[i].namespace, items[i].name,
			    items[i].cluster_ip);
	return r;
}
