/*
 * readers.c - see readers.h.  What is kept comes from reconcile-verify and from
 * our own state.
 */
#include "reconciler/core/readers.h"

#include "lib/text.h"

#include <string.h>

#define KEPT "readers"
#define KEPT_BYTES ((size_t)16 << 20)

/* --- keeping -------------------------------------------------------------- */

static bool is_of_roles(enum manifest_kind kind)
{
	return kind == MANIFEST_ROLE || kind == MANIFEST_CLUSTERROLE ||
	       kind == MANIFEST_ROLEBINDING ||
	       kind == MANIFEST_CLUSTERROLEBINDING;
}

/* A snapshot of roles alone; "" when they are not in force. */
static int encode(const struct snapshot *want, struct arena *arena,
		  const char **out, struct err *err)
{
	struct snapshot kept = *want;
	struct buf text;
	int r = 0;

	*out = "";
	if (!want->rbac)
		return 0;
	kept.objects.n = 0;
	kept.objects.items = arena_calloc(arena, want->objects.n,
					  sizeof(*kept.objects.items));
	for (size_t i = 0; i < want->objects.n; i++)
		if (is_of_roles(want->objects.items[i].kind))
			kept.objects.items[kept.objects.n++] =
				want->objects.items[i];
	buf_init(&text, KEPT_BYTES);
	r = snapshot_encode(&kept, &text, err);
	if (r == 0)
		*out = arena_strndup(arena, text.data, text.len);
	buf_release(&text);
	return r;
}

int readers_note(struct core *c, const struct snapshot *want,
		 struct arena *arena, struct err *err)
{
	const char *before = NULL;
	const char *now = NULL;
	int r = state_get(c->state, KEPT, arena, &before, err);

	if (r == 0)
		r = encode(want, arena, &now, err);
	if (r < 0 || strcmp(before == NULL ? "" : before, now) == 0)
		return r;
	return state_set(c->state, KEPT, now, err);
}

/* --- reading -------------------------------------------------------------- */

static const char *principal_of(const struct core_conf *conf,
				const char *unix_user)
{
	size_t len = strlen(unix_user);

	for (size_t i = 0; i < conf->access_users.n; i++) {
		const char *entry = conf->access_users.items[i];
		size_t n = strcspn(entry, " \t");

		if (n == len && strncmp(entry, unix_user, n) == 0)
			return entry + n + strspn(entry + n, " \t");
	}
	return NULL;
}

static void find_groups(struct readers *r, struct arena *arena)
{
	const char **groups =
		arena_calloc(arena, r->kept->n_groups, sizeof(char *));

	for (size_t i = 0; i < r->kept->n_groups; i++) {
		const struct strings *people = &r->kept->groups[i].people;

		for (size_t k = 0; k < people->n; k++)
			if (strcmp(people->items[k], r->who.name) == 0)
				groups[r->who.n_groups++] =
					r->kept->groups[i].name;
	}
	r->who.groups = groups;
}

int readers_open(struct state *state, const struct core_conf *conf,
		 const char *unix_user, struct arena *arena,
		 struct readers *out, struct err *err)
{
	const char *text = NULL;
	char safe[80];
	int r = 0;

	*out = (struct readers){0};
#ifndef GUARD_OFF_READERS
	if (unix_user == NULL)
		return 0;
	r = state_get(state, KEPT, arena, &text, err);
#else
	(void)state;
	(void)unix_user;
#endif
	if (r < 0 || text == NULL || text[0] == '\0')
		return r;
	out->kept = arena_alloc(arena, sizeof(*out->kept));
	r = snapshot_decode(text, strlen(text), arena, out->kept, err);
	if (r < 0)
		return err_wrap(err, "the roles that the state keeps");
	out->who.name = principal_of(conf, unix_user);
	if (out->who.name == NULL)
		return err_set(err, ERR_DENIED,
			       "T158 roles decide what may be seen, and the "
			       "user %s is nobody to them: add \"access.user = "
			       "%s PRINCIPAL\" to reconcile.conf",
			       text_safe(safe, sizeof(safe), unix_user,
					 strlen(unix_user)),
			       safe);
	find_groups(out, arena);
	access_init(&out->access, &out->kept->objects, arena);
	out->bound = true;
	return 0;
}

bool readers_may(const struct readers *r, const struct access_ask *ask)
{
	return !r->bound || access_allows(&r->access, &r->who, ask);
}

bool readers_may_somewhere(const struct readers *r,
			   const struct access_ask *ask)
{
	struct access_ask q = *ask;

	q.namespace = "";
	if (readers_may(r, &q))
		return true; /* also when nothing is bound */
	for (size_t i = 0; i < r->kept->objects.n; i++) {
		const struct object *o = &r->kept->objects.items[i];

		if (o->kind != MANIFEST_ROLEBINDING)
			continue;
		q.namespace = o->meta.namespace;
		if (readers_may(r, &q))
			return true;
	}
	return false;
}

int readers_refuse(const struct readers *r, const struct access_ask *ask,
		   struct err *err)
{
	char who[100];
	char ns[80];

	text_safe(who, sizeof(who), r->who.name, strlen(r->who.name));
	text_safe(ns, sizeof(ns), ask->namespace, strlen(ask->namespace));
	return err_set(err, ERR_DENIED,
		       "T158 %s may not %s %s%s%s%s%s%s%s: have a role bound "
		       "that gives it, by a commit (reconcile(1), READERS)",
		       who, ask->verb, ask->resource,
		       ask->subresource[0] != '\0' ? "/" : "", ask->subresource,
		       ask->group[0] != '\0' ? "." : "", ask->group,
		       ns[0] != '\0' ? " in namespace " : "", ns);
}
