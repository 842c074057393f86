/* test_oci_doc.c - E46, E47: indexes and manifests, good and hostile. */
#include "engine/image/oci_doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define HEX64 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define MT "application/vnd.oci.image."
#define CONFIG                                                                 \
	"\"config\":{\"mediaType\":\"" MT                                      \
	"config.v1+json\",\"digest\":\"sha256:" HEX64 "\",\"size\":2}"
#define LAYER                                                                  \
	"{\"mediaType\":\"" MT                                                 \
	"layer.v1.tar+gzip\",\"digest\":\"sha256:" HEX64 "\",\"size\":7}"
#define GOOD                                                                   \
	"{\"schemaVersion\":2,\"mediaType\":\"" MT                             \
	"manifest.v1+json\"," CONFIG ",\"layers\":[" LAYER "," LAYER "]}"
#define CHILD(os, arch, more)                                                  \
	"{\"mediaType\":\"" MT "manifest.v1+json\",\"digest\":\"sha256:" HEX64 \
	"\",\"size\":9,\"platform\":{\"os\":\"" os                             \
	"\",\"architecture\":\"" arch "\"" more "}}"

static int parse(const char *text, const char *type, struct oci_doc **out,
		 struct err *e)
{
	*out = NULL;
	return oci_doc_new(text, strlen(text), type, out, e);
}

static void good_manifest(void **state)
{
	struct oci_descriptor config, layers[OCI_DOC_LAYERS_MAX];
	struct oci_doc *d;
	struct err e = {0};
	size_t n = 0;

	(void)state;
	assert_int_equal(parse(GOOD, MT "manifest.v1+json", &d, &e), 0);
	assert_int_equal(oci_doc_role(d), OCI_ROLE_MANIFEST);
	assert_int_equal(oci_doc_manifest(d, &config, layers, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_int_equal(layers[1].size, 7);
	assert_string_equal(config.digest, "sha256:" HEX64);
	assert_int_equal(layers[0].type->compression, OCI_COMPRESSION_GZIP);
	oci_doc_free(d);
	oci_doc_free(NULL);
}

static void picks_the_platform(void **state)
{
	static const char index[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" MT "index.v1+json\","
		"\"manifests\":[" CHILD("linux", "arm64", "") "," CHILD(
			"linux", "amd64", ",\"variant\":\"v3\"") "]}";
	struct oci_descriptor got;
	struct oci_doc *d;
	struct err e = {0};

	(void)state;
	assert_int_equal(parse(index, "", &d, &e), 0);
	assert_int_equal(oci_doc_role(d), OCI_ROLE_INDEX);
	assert_int_equal(oci_doc_pick(d, "linux", "amd64", &got, &e), 0);
	assert_int_equal(got.size, 9);
	assert_int_equal(oci_doc_pick(d, "linux", "s390x", &got, &e),
			 ERR_NOTFOUND);
	assert_non_null(strstr(e.msg, "linux/arm64, linux/amd64"));
	oci_doc_free(d);
}

static void E46_refuses(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"[]", "JSON object"},
		{"{\"schemaVersion\":1}", "schemaVersion"},
		{"{\"schemaVersion\":\"2\"}", "schemaVersion"},
		{"{\"schemaVersion\":2}", "neither"},
		{"{\"schemaVersion\":2,\"layers\":[],\"manifests\":[]}",
		 "both"},
		{"{\"schemaVersion\":2,\"config\":{},\"manifests\":[]}",
		 "both"},
		{"{\"schemaVersion\":2,\"layers\":[]}",
		 "media type is missing"},
		{"{\"schemaVersion\":2,\"mediaType\":3,\"layers\":[]}",
		 "want a string"},
		{"{\"schemaVersion\":2,\"mediaType\":\"" MT
		 "index.v1+json\",\"layers\":[]}",
		 "want the media type of an image manifest"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct oci_doc *d;
		struct err e = {0};

		assert_int_equal(parse(bad[i].text, NULL, &d, &e), ERR_INPUT);
		if (!strstr(e.msg, bad[i].why))
			fail_msg("%s: %s", bad[i].text, e.msg);
	}
}

static void E47_depth(void **state)
{
	static char deep[20002];
	struct oci_doc *d;
	struct err e = {0};

	(void)state;
	memset(deep, '[', 10000);
	memset(deep + 10000, ']', 10000);
	assert_true(parse(deep, NULL, &d, &e) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_manifest),
		cmocka_unit_test(picks_the_platform),
		cmocka_unit_test(E46_refuses),
		cmocka_unit_test(E47_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
