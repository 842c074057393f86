/*
 * subjects.c - see subjects.h.  Runs in reconcile-verify, sandboxed.
 *
 * Roles may stand in a commit before authorization is RBAC: they must, because
 * the step that turns it on is the last one that they do not judge.
 */
#include "policy/verify/subjects.h"

#include "lib/text.h"
#include "policy/trust/people.h"
#include "policy/verify/files.h"

#include <string.h>

static const struct trust_spec *read_spec(const struct manifest_input *in,
					  struct arena *arena)
{
	struct objects set = {0};
	struct diags quiet;
	struct err unused = {0};

	diags_init(&quiet, arena, 8);
	if (manifest_load(in, 1, "default", arena, &quiet, &set, &unused) < 0 ||
	    quiet.n_errors > 0 || set.n != 1 ||
	    set.items[0].kind != MANIFEST_TRUSTPOLICY)
		return NULL;
	return &set.items[0].trust;
}

static void say(struct diags *diags, enum tcode code, const struct object *o,
		const char *text)
{
	diags_add(diags, verdict_name(code), DIAG_WARNING, o->pos, NULL,
		  verdict_fix(code), "%s", text);
}

static bool is_binding(const struct object *o)
{
	return o->kind == MANIFEST_ROLEBINDING ||
	       o->kind == MANIFEST_CLUSTERROLEBINDING;
}

static bool is_role(const struct object *o)
{
	return o->kind == MANIFEST_ROLE || o->kind == MANIFEST_CLUSTERROLE;
}

/* Said once, at the first of them. */
static void say_idle(const struct objects *set, struct arena *arena,
		     struct diags *diags)
{
	const struct object *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++) {
		if (!is_role(&set->items[i]) && !is_binding(&set->items[i]))
			continue;
		first = first == NULL ? &set->items[i] : first;
		n++;
	}
	if (first != NULL)
		say(diags, TCODE_ROLES_IDLE, first,
		    arena_printf(arena,
				 "%zu roles and bindings bind nobody: there is "
				 "no authorization: RBAC in the trust policy",
				 n));
}

static bool knows(const struct trust_spec *t, const struct rbac_subject *s)
{
	for (size_t i = 0; s->kind == RBAC_USER && i < t->n_people; i++)
		if (strcmp(t->people[i].name, s->name) == 0)
			return true;
	for (size_t i = 0; s->kind == RBAC_GROUP && i < t->n_roles; i++)
		if (strcmp(t->roles[i].name, s->name) == 0)
			return true;
	return false;
}

static void check_binding(const struct trust_spec *t, const struct object *o,
			  struct arena *arena, struct diags *diags)
{
	char safe[120];

	for (size_t i = 0; i < o->binding.n_subjects; i++) {
		const struct rbac_subject *s = &o->binding.subjects[i];

		if (knows(t, s))
			continue;
		say(diags, TCODE_ROLES_SUBJECT, o,
		    arena_printf(arena,
				 "%s %s: the trust policy has no such %s",
				 s->kind == RBAC_USER ? "User" : "Group",
				 text_safe(safe, sizeof(safe), s->name,
					   strlen(s->name)),
				 s->kind == RBAC_USER ? "person" : "role"));
	}
}

int subjects_check(struct store *store, const struct commit_id *tree,
		   struct arena *arena, struct diags *diags,
		   struct snapshot *io, struct verdict *v)
{
	const struct trust_spec *t = NULL;
	struct manifest_input in = {0};
	bool found = false;
	int r = files_read(store, tree, PEOPLE_PATH, arena, &found, &in, v);

	if (r < 0)
		return r;
	if (found)
		t = read_spec(&in, arena);
	io->rbac = t != NULL && strcmp(t->authorization, "RBAC") == 0;
	if (!io->rbac) {
		say_idle(&io->objects, arena, diags);
		return 0;
	}
	io->groups = t->roles;
	io->n_groups = t->n_roles;
	for (size_t i = 0; i < io->objects.n; i++)
		if (is_binding(&io->objects.items[i]))
			check_binding(t, &io->objects.items[i], arena, diags);
	return 0;
}
