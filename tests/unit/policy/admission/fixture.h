/* A Pod that every level admits, and what the admission tests do with it. */
#ifndef TESTS_UNIT_POLICY_ADMISSION_FIXTURE_H
#define TESTS_UNIT_POLICY_ADMISSION_FIXTURE_H

#include "policy/admission/admission.h"
#include "tests/sim/make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct fixture {
	struct arena *a;
	struct snapshot s;
	struct diags diags;
	struct object *pod;
	struct container *c; /* its one container */
};

/* A Pod that every level admits, in namespace "shop". */
static inline int setup(void **state)
{
	static const char *all[] = {"ALL"};
	struct fixture *f = calloc(1, sizeof(*f));

	f->a = arena_new((size_t)1 << 26);
	f->s = make_snapshot(f->a, 16);
	f->pod = make_pod(f->a, &f->s, "shop", "one", "v1");
	f->c = &f->pod->pod.spec.containers[0];
	f->c->security.cap_drop = (struct strings){all, 1};
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

static inline void check(struct fixture *f)
{
	struct err err = {0};

	diags_init(&f->diags, f->a, 1000);
	assert_int_equal(admission_check(&f->s, &f->diags, &err), 0);
}

/* All codes of errors, sorted by appearance, each once: "P101 P204". */
static inline const char *codes(struct fixture *f, enum diag_severity severity)
{
	const char *text = "";

	for (size_t i = 0; i < f->diags.n; i++) {
		const struct diag *d = &f->diags.items[i];

		if (d->severity == severity && !strstr(text, d->code))
			text = arena_printf(f->a, "%s%s%s", text,
					    text[0] ? " " : "", d->code);
	}
	return text;
}

static inline const struct diag *diag_of(struct fixture *f, const char *code)
{
	size_t i = 0;

	while (i < f->diags.n && strcmp(f->diags.items[i].code, code) != 0)
		i++;
	assert_true(i < f->diags.n);
	return &f->diags.items[i];
}

static inline void label_namespace(struct fixture *f, const char *const *kv)
{
	struct object *ns = NULL;
	size_t n = 0;

	for (size_t i = 0; i < f->s.objects.n; i++)
		if (f->s.objects.items[i].kind == MANIFEST_NAMESPACE)
			ns = &f->s.objects.items[i];
	if (!ns) {
		make_object(f->a, &f->s, MANIFEST_NAMESPACE, NULL, "shop", "n");
		make_sorted(&f->s);
		ns = &f->s.objects.items[0];
		f->pod = &f->s.objects.items[1];
	}
	while (kv[2 * n])
		n++;
	ns->meta.labels.items =
		arena_calloc(f->a, n + 1, sizeof(struct keyval));
	ns->meta.labels.n = n;
	for (size_t i = 0; i < n; i++)
		ns->meta.labels.items[i] = (struct keyval){
			arena_printf(f->a, "pod-security.kubernetes.io/%s",
				     kv[2 * i]),
			kv[2 * i + 1], strlen(kv[2 * i + 1])};
}

#define LABELS(f, ...)                                                         \
	label_namespace(f, (const char *const[]){__VA_ARGS__, NULL})

static inline void add_cap(struct fixture *f, struct container *c,
			   const char *name)
{
	const char **items = arena_calloc(f->a, 1, sizeof(const char *));

	items[0] = name;
	c->security.cap_add = (struct strings){items, 1};
}

static inline void add_host_path(struct fixture *f, struct pod_spec *s,
				 const char *path)
{
	s->volumes = arena_calloc(f->a, 1, sizeof(struct volume));
	s->volumes[0] = (struct volume){
		.name = "v", .kind = VOLUME_HOSTPATH, .host_path = path};
	s->n_volumes = 1;
}

static inline void open_gates(struct fixture *f)
{
	static const char *prefixes[] = {"/srv/data"};

	f->s.policy.allow_privilege_escalation = true;
	f->s.policy.allow_host_users = true;
	f->s.policy.allow_node_name = true;
	f->s.policy.host_path_prefixes = (struct strings){prefixes, 1};
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
