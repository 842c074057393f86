/*
 * oci_doc.c - see oci_doc.h.  Runs in reconcile-pull, which holds a registry
 * credential but no capability; every byte is the registry's: hostile.
 */
#include "engine/image/oci_doc.h"

#include "lib/buf.h"
#include "lib/json.h"
#include "lib/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct oci_doc {
	json_t *root;
	enum oci_role role;
};

static const char *get_string(const json_t *obj, const char *key)
{
	return json_string_value(json_object_get(obj, key));
}

/* schemaVersion is 2 in both families. */
static int check_schema(const json_t *root, struct err *err)
{
	json_t *v = json_object_get(root, "schemaVersion");

	if (!json_is_object(root))
		return err_set(err, ERR_INPUT, "want a JSON object");
	if (!json_is_integer(v) || json_integer_value(v) != 2)
		return err_set(err, ERR_INPUT, "want \"schemaVersion\": 2");
	return 0;
}

/* What the content looks like; a document of two shapes is refused. */
static int shape(const json_t *root, enum oci_role *out, struct err *err)
{
	bool index = json_object_get(root, "manifests") != NULL;
	bool manifest = json_object_get(root, "layers") != NULL ||
			json_object_get(root, "config") != NULL;

#ifndef GUARD_OFF_TWO_SHAPES
	if (index && manifest)
		return err_set(err, ERR_INPUT,
			       "has both \"manifests\" and \"layers\" or "
			       "\"config\": neither an index nor a manifest");
#endif
	if (!index && !manifest)
		return err_set(err, ERR_INPUT,
			       "has neither \"manifests\" nor \"layers\"");
	*out = manifest ? OCI_ROLE_MANIFEST : OCI_ROLE_INDEX;
	return 0;
}

/* mediaType of the document, Content-Type and shape must agree. */
static int check_type(const json_t *root, const char *content_type,
		      enum oci_role role, struct err *err)
{
	const char *own = get_string(root, "mediaType");
	const struct oci_type *t = NULL;
	char shown[160];
	int r;

	if (json_object_get(root, "mediaType") && !own)
		return err_set(err, ERR_INPUT, "mediaType: want a string");
	if (content_type && !*content_type)
		content_type = NULL;
	if (own && content_type && strcmp(own, content_type) != 0) {
		text_safe(shown, sizeof(shown), content_type,
			  strlen(content_type));
		return err_set(err, ERR_INPUT,
			       "Content-Type \"%s\" is not the document's "
			       "mediaType",
			       shown);
	}
	if (!own && !content_type)
		return err_set(err, ERR_INPUT, "media type is missing");
	r = oci_type_want(own ? own : content_type, role, "document", &t, err);
	return r;
}

int oci_doc_new(const char *bytes, size_t len, const char *content_type,
		struct oci_doc **out, struct err *err)
{
	const struct oci_type *t = oci_type_find(content_type);
	struct oci_doc *d = NULL;
	json_t *root = NULL;
	enum oci_role role = OCI_ROLE_REFUSED;
	int r;

	if (t && t->role == OCI_ROLE_REFUSED)
		return oci_type_want(content_type, OCI_ROLE_MANIFEST,
				     "document", &t, err);
	r = json_read(bytes, len, OCI_DOC_BYTES_MAX, OCI_DOC_DEPTH_MAX, &root,
		      err);
	if (r < 0)
		return r;
	r = check_schema(root, err);
	if (r == 0)
		r = shape(root, &role, err);
	if (r == 0)
		r = check_type(root, content_type, role, err);
	if (r < 0)
		goto out;
	d = calloc(1, sizeof(*d));
	if (!d) {
		r = err_set(err, ERR_NOMEM, "out of memory");
		goto out;
	}
	*d = (struct oci_doc){.root = root, .role = role};
	root = NULL;
	*out = d;
out:
	json_decref(root);
	return r;
}

void oci_doc_free(struct oci_doc *d)
{
	if (!d)
		return;
	json_decref(d->root);
	free(d);
}

enum oci_role oci_doc_role(const struct oci_doc *d)
{
	return d->role;
}

static int descriptor(const json_t *obj, enum oci_role role, const char *what,
		      struct oci_descriptor *out, struct err *err)
{
	const json_t *size = json_object_get(obj, "size");
	const char *digest = get_string(obj, "digest");
	struct oci_descriptor d = {0};
	int r;

	if (!json_is_object(obj))
		return err_set(err, ERR_INPUT, "%s: want an object", what);
	r = oci_type_want(get_string(obj, "mediaType"), role, what, &d.type,
			  err);
	if (r < 0)
		return r;
	r = digest_check(digest, what, err);
	if (r < 0)
		return r;
	if (!json_is_integer(size) || json_integer_value(size) < 0)
		return err_set(err, ERR_INPUT,
			       "%s: size: want an integer of at least 0", what);
	memcpy(d.digest, digest, DIGEST_BYTES);
	d.size = (uint64_t)json_integer_value(size);
	*out = d;
	return 0;
}

static bool string_is(const json_t *obj, const char *key, const char *want)
{
	const char *have = get_string(obj, key);

	return have && strcmp(have, want) == 0;
}

static int none_found(const json_t *list, const char *os, const char *arch,
		      struct err *err)
{
	struct buf names;
	const json_t *e;
	size_t i;
	int r;

	buf_init(&names, 400);
	json_array_foreach((json_t *)(uintptr_t)list, i, e)
	{
		const json_t *p = json_object_get(e, "platform");
		const char *o = get_string(p, "os");
		const char *a = get_string(p, "architecture");
		char shown[64];

		if (!o || !a || names.len > 300)
			continue;
		buf_puts(&names, names.len ? ", " : "");
		buf_puts(&names, text_safe(shown, sizeof(shown), o, strlen(o)));
		buf_puts(&names, "/");
		buf_puts(&names, text_safe(shown, sizeof(shown), a, strlen(a)));
	}
	r = err_set(err, ERR_NOTFOUND,
		    "index has no manifest for %s/%s; has %s", os, arch,
		    names.len ? names.data : "no platform at all");
	buf_release(&names);
	return r;
}

int oci_doc_pick(const struct oci_doc *d, const char *os, const char *arch,
		 struct oci_descriptor *out, struct err *err)
{
	const json_t *list = json_object_get(d->root, "manifests");
	const json_t *best = NULL;
	size_t i;

	if (!json_is_array(list))
		return err_set(err, ERR_INPUT, "manifests: want a list");
	if (json_array_size(list) > OCI_DOC_ENTRIES_MAX)
		return err_set(err, ERR_LIMIT,
			       "manifests: want at most %d entries, have %zu",
			       OCI_DOC_ENTRIES_MAX, json_array_size(list));
	for (i = 0; i < json_array_size(list); i++) {
		const json_t *e = json_array_get(list, i);
		const json_t *p = json_object_get(e, "platform");

		if (!string_is(p, "os", os) ||
		    !string_is(p, "architecture", arch))
			continue;
		if (!json_object_get(p, "variant")) {
			best = e;
			break;
		}
		if (!best)
			best = e;
	}
	if (!best)
		return none_found(list, os, arch, err);
	return descriptor(best, OCI_ROLE_MANIFEST, "manifests", out, err);
}

int oci_doc_manifest(const struct oci_doc *d, struct oci_descriptor *out_config,
		     struct oci_descriptor *out_layers, size_t *out_n,
		     struct err *err)
{
	const json_t *layers = json_object_get(d->root, "layers");
	size_t n = json_array_size(layers);
	char what[32];
	size_t i;
	int r;

	if (!json_is_array(layers))
		return err_set(err, ERR_INPUT, "layers: want a list");
	if (n > OCI_DOC_LAYERS_MAX)
		return err_set(err, ERR_LIMIT,
			       "layers: want at most %d, have %zu",
			       OCI_DOC_LAYERS_MAX, n);
	r = descriptor(json_object_get(d->root, "config"), OCI_ROLE_CONFIG,
		       "config", out_config, err);
	for (i = 0; r == 0 && i < n; i++) {
		(void)snprintf(what, sizeof(what), "layers[%zu]", i);
		r = descriptor(json_array_get(layers, i), OCI_ROLE_LAYER, what,
			       &out_layers[i], err);
	}
	if (r == 0)
		*out_n = n;
	return r;
}
