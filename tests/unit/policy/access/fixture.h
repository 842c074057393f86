/* Roles written as text, people and requests written as words. */
#ifndef TESTS_UNIT_POLICY_ACCESS_FIXTURE_H
#define TESTS_UNIT_POLICY_ACCESS_FIXTURE_H

#include "policy/access/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RBAC "apiVersion: rbac.authorization.k8s.io/v1\n"

static inline int setup(void **state)
{
	*state = arena_new((size_t)1 << 28);
	return 0;
}

static inline int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static inline struct objects load(struct arena *a, const char *yaml)
{
	struct manifest_input in = {
		.path = "a.yaml", .bytes = yaml, .len = strlen(yaml)};
	struct objects set = {0};
	struct diags diags;
	struct err err = {0};

	diags_init(&diags, a, 100);
	assert_int_equal(
		manifest_load(&in, 1, "default", a, &diags, &set, &err), 0);
	for (size_t i = 0; i < diags.n; i++)
		if (diags.items[i].severity == DIAG_ERROR)
			fail_msg("%s", diags.items[i].message);
	return set;
}

/* "a,b" -> {"a", "b"}; "-" -> {""}; "" -> nothing. */
static inline struct strings list(struct arena *a, const char *text)
{
	struct strings out = {0};
	char *rest = arena_strdup(a, text), *word;

	out.items = arena_calloc(a, strlen(text) + 1, sizeof(char *));
	while ((word = strtok_r(rest, ",", &rest)) != NULL)
		out.items[out.n++] = strcmp(word, "-") == 0 ? "" : word;
	return out;
}

/* "verbs groups resources [names]" */
static inline struct rbac_rule rule(struct arena *a, const char *text)
{
	char part[4][160] = {"", "", "", ""};

	assert_true(sscanf(text, "%159s %159s %159s %159s", part[0], part[1],
			   part[2], part[3]) >= 3);
	return (struct rbac_rule){list(a, part[0]), list(a, part[1]),
				  list(a, part[2]), list(a, part[3])};
}

/* Rules, one a line. */
static inline struct rbac_role role(struct arena *a, const char *text)
{
	struct rbac_role out = {0};
	char *copy = arena_strdup(a, text), *next = NULL;

	out.rules = arena_calloc(a, strlen(text) + 1, sizeof(*out.rules));
	for (char *line = copy; line != NULL && *line != '\0'; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		out.rules[out.n_rules++] = rule(a, line);
	}
	return out;
}

/* "name[,group...]" */
static inline struct access_who person(struct arena *a, const char *text)
{
	struct strings words = list(a, text);

	return (struct access_who){words.items[0], words.items + 1,
				   words.n - 1};
}

/* "verb group resource[/subresource] namespace [name]"; "-": empty. */
static inline struct access_ask ask(struct arena *a, const char *text)
{
	char part[5][160] = {"", "", "", "", "-"};
	char *slash;

	assert_true(sscanf(text, "%159s %159s %159s %159s %159s", part[0],
			   part[1], part[2], part[3], part[4]) >= 4);
	for (size_t i = 0; i < 5; i++)
		if (strcmp(part[i], "-") == 0)
			part[i][0] = '\0';
	slash = strchr(part[2], '/');
	if (slash != NULL)
		*slash++ = '\0';
	return (struct access_ask){
		.verb = arena_strdup(a, part[0]),
		.group = arena_strdup(a, part[1]),
		.resource = arena_strdup(a, part[2]),
		.subresource = arena_strdup(a, slash == NULL ? "" : slash),
		.namespace = arena_strdup(a, part[3]),
		.name = arena_strdup(a, part[4]),
	};
}

#endif
