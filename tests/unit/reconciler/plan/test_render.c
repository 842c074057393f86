/* Text and JSON of plans: bytes, escaping, nothing of a Secret. */
#include "reconciler/plan/plan.h"

#include "tests/sim/make.h"

#include <jansson.h>
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
	struct buf text, json;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->a = arena_new((size_t)1 << 28);
	f->s = make_snapshot(f->a, 100);
	f->w = make_world(f->a, 2, 100, 100);
	diags_init(&f->diags, f->a, 100);
	buf_init(&f->text, 1 << 20);
	buf_init(&f->json, 1 << 20);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	buf_release(&f->text);
	buf_release(&f->json);
	arena_free(f->a);
	free(f);
	return 0;
}

static void render(struct fixture *f)
{
	struct plan_style style = {false, 120};

	buf_reset(&f->text);
	buf_reset(&f->json);
	diags_init(&f->diags, f->a, 100);
	assert_int_equal(
		plan_make(&f->s, &f->w, f->a, &f->diags, &f->plan, &f->err), 0);
	assert_int_equal(plan_render_text(&f->plan, &f->s, &f->w, &f->diags,
					  &style, &f->text, &f->err),
			 0);
	assert_int_equal(plan_render_json(&f->plan, &f->s, &f->w, &f->diags,
					  &f->json, &f->err),
			 0);
}

static void test_text(void **state)
{
	struct fixture *f = *state;
	struct object *o = make_deployment(f->a, &f->s, "shop", "web", 2, "v1");
	struct world_pin pin = {"registry.test/app:2", "sha256:00ff"};

	o->deployment.template.spec.containers[0].image = pin.image;
	f->w.pins = &pin;
	f->w.n_pins = 1;
	make_object(f->a, &f->s, MANIFEST_NAMESPACE, NULL, "shop", "n");
	make_sorted(&f->s);
	render(f);
	assert_string_equal(
		f->text.data,
		"commit 111111111111 signed by alice@example.com\n"
		"\n"
		"cluster\n"
		"  + Namespace shop  intent  app.yaml:1  signed by "
		"alice@example.com\n"
		"\n"
		"namespace shop\n"
		"  + Deployment web  intent  app.yaml:1  signed by "
		"alice@example.com\n"
		"      image app: registry.test/app:2 = sha256:00ff\n"
		"      + pod web-9becae00c6-0 on h000  intent  wave 1  start\n"
		"      + pod web-9becae00c6-1 on h001  intent  wave 1  start\n"
		"\n"
		"Plan: 2 objects to create, 0 to update, 0 to delete, 2 pods "
		"to start, 0 to stop.\n");
}

static void test_no_changes(void **state)
{
	struct fixture *f = *state;

	f->s.commit = NULL;
	render(f);
	assert_string_equal(f->text.data, "No changes.\n");
}

static void test_drift_delete_and_colour(void **state)
{
	struct fixture *f = *state;
	struct plan_style style = {true, 40};
	struct object *o = make_deployment(f->a, &f->s, "shop", "web", 1, "v1");

	make_object(f->a, &f->s, MANIFEST_CONFIGMAP, "shop", "old", "c");
	make_sorted(&f->s);
	make_applied(&f->w, &f->s);
	f->s.objects.items++;
	f->s.objects.n--;
	o = f->s.objects.items;
	make_running(f->a, &f->w, o, "web-0", 0, "h000")->phase = POD_LOST;
	render(f);
	assert_non_null(strstr(f->text.data, "  - ConfigMap old  intent\n"));
	assert_non_null(strstr(f->text.data,
			       "    Deployment web  unchanged  app.yaml:1"));
	assert_non_null(strstr(f->text.data, "- pod web-0 on h000  drift  "
					     "wave 1  lost on h000\n"));
	assert_non_null(
		strstr(f->text.data, "Deletes 50 % of the applied objects.\n"));
	assert_non_null(strstr(f->text.data, "1 pod to start, 1 to stop (2 "
					     "drift).\n"));
	buf_reset(&f->text);
	assert_int_equal(plan_render_text(&f->plan, &f->s, &f->w, &f->diags,
					  &style, &f->text, &f->err),
			 0);
	assert_non_null(strstr(f->text.data, "\033[31m-\033[0m pod web-0"));
	assert_non_null(strstr(f->text.data, "wave 1\n            lost on"));
}

static void test_json_is_json_with_the_schema(void **state)
{
	struct fixture *f = *state;
	json_error_t e;
	json_t *root, *change;

	make_deployment(f->a, &f->s, "shop", "web", 2, "v1");
	render(f);
	root = json_loadb(f->json.data, f->json.len, JSON_REJECT_DUPLICATES,
			  &e);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "schema")),
			    "reconcile.plan/v1");
	assert_int_equal(json_array_size(json_object_get(root, "changes")), 3);
	assert_int_equal(json_array_size(json_object_get(root, "images")), 1);
	change = json_array_get(json_object_get(root, "changes"), 1);
	assert_string_equal(
		json_string_value(json_object_get(change, "action")), "start");
	assert_string_equal(json_string_value(json_object_get(change, "host")),
			    "h000");
	assert_int_equal(
		json_integer_value(json_object_get(
			json_object_get(root, "summary"), "pods_start")),
		2);
	json_decref(root);
}

/* Text that would move a cursor, start a CI command, break out of a code block
 * or of HTML. */
#define HOSTILE                                                                \
	"x\x1b[2J\x07\r\n::error::y\n##[command]z```<img>\xc2\x9b\xe2\x80\xae" \
	"@org/team\xff"

static void assert_inert(const char *text, size_t len)
{
	static const char *const never[] = {"::", "##[",  "`",	 "<img",
					    "\r", "\n::", "\n##"};

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		assert_true(c == '\n' || (c >= 0x20 && c < 0x7f));
	}
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_null(strstr(text, never[i]));
}

static void test_K18_A98_A100_A101_hostile_text_is_inert(void **state)
{
	struct fixture *f = *state;
	struct object *o =
		make_deployment(f->a, &f->s, HOSTILE, HOSTILE, 2, "v1");
	struct world_pod *p;
	size_t lines = 0;

	f->w.hosts[1].name = HOSTILE;
	o->signer = HOSTILE;
	o->pos.path = HOSTILE;
	o->deployment.template.spec.containers[0].name = HOSTILE;
	o->deployment.template.spec.containers[0].image = HOSTILE;
	f->s.signer = HOSTILE;
	f->s.ref = f->s.repository_id = HOSTILE;
	p = make_running(f->a, &f->w, o, HOSTILE, 0, HOSTILE);
	p->assigned = false;
	p->owner_kind = HOSTILE;
	p->owner_name = HOSTILE;
	p->uid = p->template_hash = HOSTILE;
	p = make_running(f->a, &f->w, o, HOSTILE, 0, "h000");
	p->phase = POD_FAILED;
	p->reason = HOSTILE;
	render(f);
	assert_true(f->plan.n_pods_stop == 2 && f->plan.n_pods_start == 2);
	assert_inert(f->text.data, f->text.len);
	assert_inert(f->json.data, f->json.len);
	for (size_t i = 0; i < f->text.len; i++)
		lines += f->text.data[i] == '\n';
	assert_in_range(lines, 10, 20);
}

/* Nothing of a Secret appears, not even a hash that a short one can be guessed
 * from. */
static void test_A99_secret_leaves_no_trace(void **state)
{
	struct fixture *f = *state;
	struct object *o =
		make_object(f->a, &f->s, MANIFEST_SECRET, "shop", "key", "s");
	const char *canary = getenv("RECONCILE_CANARY");
	struct keyval kv = {"token", canary ? canary : "canary", 0};

	kv.len = strlen(kv.value);
	o->secret.data = (struct keyvals){&kv, 1};
	o->canonical = arena_printf(f->a, "{\"data\":\"%s\"}", kv.value);
	make_applied(&f->w, &f->s);
	f->w.objects[0].hash = "feedfacefeedface";
	render(f);
	assert_int_equal(f->plan.n_objects_update, 1);
	assert_null(strstr(f->text.data, kv.value));
	assert_null(strstr(f->json.data, kv.value));
	assert_null(strstr(f->json.data, "feedface"));
	assert_null(strstr(f->json.data, o->hash));
	assert_non_null(strstr(f->json.data, "\"name\":\"key\""));
}

static void test_equal_inputs_equal_bytes(void **state)
{
	struct fixture *f = *state;
	char *first;
	size_t len;

	for (int i = 0; i < 20; i++)
		make_deployment(f->a, &f->s, "shop",
				arena_printf(f->a, "d%02d", i), i % 4, "v1");
	render(f);
	first = buf_steal(&f->json, &len);
	render(f);
	assert_int_equal(len, f->json.len);
	assert_memory_equal(first, f->json.data, len);
	free(first);
}

static void test_too_small_a_buffer_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct buf small;

	make_deployment(f->a, &f->s, "shop", "web", 2, "v1");
	render(f);
	buf_init(&small, 16);
	assert_int_equal(plan_render_text(&f->plan, &f->s, &f->w, NULL, NULL,
					  &small, &f->err),
			 ERR_LIMIT);
	assert_int_equal(
		plan_render_json(&f->plan, &f->s, &f->w, NULL, &small, &f->err),
		ERR_LIMIT);
	buf_release(&small);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_text),
		T(test_no_changes),
		T(test_drift_delete_and_colour),
		T(test_json_is_json_with_the_schema),
		T(test_K18_A98_A100_A101_hostile_text_is_inert),
		T(test_A99_secret_leaves_no_trace),
		T(test_equal_inputs_equal_bytes),
		T(test_too_small_a_buffer_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
