/* A world of three hosts and what the tests of plans do with it. */
#ifndef TESTS_UNIT_RECONCILER_PLAN_FIXTURE_H
#define TESTS_UNIT_RECONCILER_PLAN_FIXTURE_H

#include "reconciler/plan/plan.h"

#include "reconciler/rollout/rollout.h"
#include "tests/sim/make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct fixture {
	struct arena *a;
	struct snapshot s;
	struct world w;
	struct diags diags;
	struct plan plan;
	struct err err;
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->a = arena_new((size_t)1 << 30);
	f->s = make_snapshot(f->a, 3000);
	f->w = make_world(f->a, 3, 4000, 3000);
	diags_init(&f->diags, f->a, 1000);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	arena_free(f->a);
	free(f);
	return 0;
}

static inline void step(struct fixture *f)
{
	diags_init(&f->diags, f->a, 1000);
	assert_int_equal(
		plan_step(&f->s, &f->w, f->a, &f->diags, &f->plan, &f->err), 0);
}

static inline void make_plan(struct fixture *f)
{
	diags_init(&f->diags, f->a, 1000);
	assert_int_equal(
		plan_make(&f->s, &f->w, f->a, &f->diags, &f->plan, &f->err), 0);
}

static inline size_t count(const struct plan *p, int action, int cause)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->changes[i].action == action &&
		     p->changes[i].cause == cause;
	return n;
}

static inline const struct plan_change *first(const struct plan *p, int action)
{
	size_t i = 0;

	while (i < p->n && p->changes[i].action != action)
		i++;
	assert_true(i < p->n);
	return &p->changes[i];
}

/* Deployment "web" with n running pods of another template if old. */
static inline struct object *running_web(struct fixture *f, int64_t n, bool old)
{
	struct object *o = make_deployment(f->a, &f->s, "shop", "web", n, "v1");

	for (int64_t i = 0; i < n; i++) {
		struct world_pod *p = make_running(
			f->a, &f->w, o,
			plan_pod_name(f->a, o, (unsigned int)i, NULL),
			(unsigned int)i, f->w.hosts[i % 3].name);

		if (old) {
			p->template_hash = "00000000000000aa";
			p->name = arena_printf(f->a, "web-00000000-%lld",
					       (long long)i);
		}
	}
	make_applied(&f->w, &f->s);
	if (old)
		f->w.objects[0].hash = "00000000000000bb";
	return o;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
