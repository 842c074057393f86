/* audit_log.c - see audit_log.h.  Writing is reconcile-audit's alone. */
#include "reconciler/core/audit_log.h"

#include "audit/client.h"
#include "audit/key.h"

const char *audit_log_dir(const struct core_conf *conf, struct arena *arena)
{
	return arena_printf(arena, "%s/audit", conf->state_dir);
}

const char *audit_log_key(const struct core_conf *conf, struct arena *arena)
{
	return arena_printf(arena, "%s/audit/log.key", conf->state_dir);
}

const char *audit_log_origin(const struct core_conf *conf, struct arena *arena)
{
	return arena_printf(arena, "reconcile/%s/manager", conf->repository_id);
}

int audit_log_vkey(const struct core_conf *conf, struct arena *arena,
		   const char **out, struct err *err)
{
	struct audit_key *key = NULL;
	struct audit_vkey vkey;
	char text[AUDIT_VKEY_BYTES];
	int r = audit_key_load(audit_log_key(conf, arena), &key, err);

	if (r < 0)
		return r;
	r = audit_key_public(key, AUDIT_KEY_LOG, audit_log_origin(conf, arena),
			     &vkey, err);
	audit_key_free(key);
	if (r < 0)
		return r;
	audit_key_format(&vkey, text);
	*out = arena_strdup(arena, text);
	return 0;
}

int audit_log_client(const struct core_conf *conf, const char *libexec,
		     struct audit_client **out, struct err *err)
{
	struct arena *arena = arena_new(1u << 16);
	int r = audit_client_open(libexec, audit_log_dir(conf, arena),
				  audit_log_key(conf, arena),
				  audit_log_origin(conf, arena), out, err);

	arena_free(arena);
	return r;
}
