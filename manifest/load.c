/*
 * load.c - strict YAML (and JSON, its subset) through libyaml's events.
 * Runs in reconcile-verify, without privileges; every byte is hostile.
 * manifests.md 6; threats A48..A59, K07.
 *
 * Invariants: (1) depth is checked on each start event, before libyaml can
 * become quadratic; (2) the number of nodes of a document, aliases expanded,
 * is bounded before they are made; (3) a pair with a bad key never reaches the
 * tree; (4) bytes passed scan_bytes() before libyaml saw them.
 */
#include "manifest/load.h"

#include "lib/text.h"
#include "manifest/codes.h"
#include "manifest/scalar.h"
#include "manifest/scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define SCRATCH_BYTES_MAX ((size_t)1 << 30)
#define SCRATCH_RENEW_BYTES ((size_t)1 << 20)
#define QUADRATIC_MAX 16

struct frame {
	bool map;
	size_t start; /* of its children in pending */
	struct node *node;
	const char *anchor;
};

struct anchor {
	const char *name;
	const struct node *node; /* NULL while it is still open */
};

struct loader {
	const char *path;
	struct arena *arena;   /* texts */
	struct arena *scratch; /* nodes */
	struct diags *diags;
	load_document_fn *fn;
	void *arg;
	struct frame *frames; /* heap */
	size_t depth, frames_cap;
	const struct node **pending; /* heap: children of the open nodes */
	size_t n_pending, pending_cap;
	struct anchor anchors[LOAD_ANCHORS_MAX];
	size_t n_anchors;
	size_t nodes, alias_nodes, alias_bytes, documents;
	bool stop;
};

static struct manifest_pos at_mark(const struct loader *l, yaml_mark_t mark)
{
	return (struct manifest_pos){
		.path = l->path,
		.line = (unsigned int)mark.line + 1,
		.column = (unsigned int)mark.column + 1,
	};
}

static struct manifest_pos at_node(const struct loader *l, const struct node *n)
{
	return (struct manifest_pos){l->path, n->line, n->column};
}

/* A fault after which the rest of the file has no meaning. */
static void stop(struct loader *l, yaml_mark_t mark, enum code code,
		 const char *message)
{
	l->stop = true;
	diags_add(l->diags, codes_id(code), DIAG_ERROR, at_mark(l, mark), NULL,
		  NULL, "%s; the rest of the file was not read", message);
}

static void *grown(void *items, size_t *cap, size_t need, size_t size)
{
	size_t n = *cap ? *cap : 64;
	void *p;

	if (need <= *cap)
		return items;
	while (n < need)
		n *= 2;
	p = reallocarray(items, n, size);
	if (!p)
		abort();
	*cap = n;
	return p;
}

static bool key_position(const struct loader *l)
{
	const struct frame *f;

	if (l->depth == 0)
		return false;
	f = &l->frames[l->depth - 1];
	return f->map && (l->n_pending - f->start) % 2 == 0;
}

static struct node *new_node(struct loader *l, enum node_type type,
			     yaml_mark_t mark)
{
	struct node *n = arena_alloc(l->scratch, sizeof(*n));

	n->type = (uint8_t)type;
	n->line = (uint32_t)mark.line + 1;
	n->column = (uint32_t)mark.column + 1;
	n->size = 1;
	n->height = type == NODE_SCALAR ? 1 : 2;
	return n;
}

static void push(struct loader *l, const struct node *n)
{
	l->pending = grown(l->pending, &l->pending_cap, l->n_pending + 1,
			   sizeof(*l->pending));
	l->pending[l->n_pending++] = n;
}

/* One more node, or `count` of them from an alias. */
static bool count_nodes(struct loader *l, size_t count, yaml_mark_t mark)
{
	l->nodes += count;
	if (l->nodes <= LOAD_NODES_MAX)
		return true;
	stop(l, mark, CODE_NODES,
	     "want at most 20,000 values in a document, have more");
	return false;
}

static void check_tag(struct loader *l, const yaml_char_t *tag,
		      yaml_mark_t mark)
{
#ifndef GUARD_OFF_YAML_TAG
	char safe[80];

	if (!tag)
		return;
	text_safe(safe, sizeof(safe), (const char *)tag,
		  strlen((const char *)tag));
	diags_add(l->diags, codes_id(CODE_TAG), DIAG_ERROR, at_mark(l, mark),
		  NULL, "delete the tag", "want no YAML tag, have '%s'", safe);
#else
	(void)l, (void)tag, (void)mark;
#endif
}

/* Anchors are open (node NULL) until the node they name is complete. */
static bool add_anchor(struct loader *l, const yaml_char_t *name,
		       const struct node *node, yaml_mark_t mark)
{
	if (!name)
		return true;
	if (l->n_anchors == LOAD_ANCHORS_MAX) {
		stop(l, mark, CODE_ALIAS_BUDGET,
		     "want at most 256 anchors in a document, have more");
		return false;
	}
	l->anchors[l->n_anchors++] = (struct anchor){
		arena_strdup(l->scratch, (const char *)name), node};
	return true;
}

static struct anchor *find_anchor(struct loader *l, const char *name)
{
	for (size_t i = l->n_anchors; i > 0; i--)
		if (strcmp(l->anchors[i - 1].name, name) == 0)
			return &l->anchors[i - 1];
	return NULL;
}

static void on_alias(struct loader *l, const yaml_event_t *e)
{
	const char *name = (const char *)e->data.alias.anchor;
	const struct anchor *a = find_anchor(l, name);
	struct node *copy;

	if (!a || !a->node) {
		char safe[80];

		l->stop = true;
		diags_add(l->diags, codes_id(CODE_ALIAS), DIAG_ERROR,
			  at_mark(l, e->start_mark), NULL, NULL, "%s '*%s'",
			  a ? "alias inside its own anchor:"
			    : "alias without an anchor before it:",
			  text_safe(safe, sizeof(safe), name, strlen(name)));
		return;
	}
	if (key_position(l)) {
		stop(l, e->start_mark, CODE_KEY_TYPE,
		     "want a string as key, have an alias");
		return;
	}
	l->alias_nodes += a->node->size;
	l->alias_bytes += a->node->bytes;
#ifndef GUARD_OFF_YAML_ALIAS
	if (l->alias_bytes > LOAD_ALIAS_BYTES_MAX) {
		stop(l, e->start_mark, CODE_ALIAS_BUDGET,
		     "want at most 1 MiB of text from aliases, have more");
		return;
	}
	if (l->alias_nodes > LOAD_ALIAS_NODES_MAX) {
		stop(l, e->start_mark, CODE_ALIAS_BUDGET,
		     "want at most 2,000 values from aliases, have more");
		return;
	}
	if (!count_nodes(l, a->node->size, e->start_mark))
		return;
	if (l->depth + a->node->height > LOAD_DEPTH_MAX + 1) {
		stop(l, e->start_mark, CODE_DEPTH,
		     "want at most 32 levels with aliases, have more");
		return;
	}
#endif
	copy = arena_memdup(l->scratch, a->node, sizeof(*copy));
	push(l, copy);
}

static void on_scalar(struct loader *l, const yaml_event_t *e)
{
	const char *text = (const char *)e->data.scalar.value;
	size_t len = e->data.scalar.length;
	bool key = key_position(l);
	struct node *n;

	check_tag(l, e->data.scalar.tag, e->start_mark);
	if (len > (key ? LOAD_KEY_BYTES_MAX : LOAD_SCALAR_BYTES_MAX)) {
		stop(l, e->start_mark, CODE_SCALAR_SIZE,
		     key ? "want a key of at most 1 KiB, have more"
			 : "want a value of at most 1 MiB, have more");
		return;
	}
	/* only escapes can bring in what scan_bytes() has not seen */
#ifndef GUARD_OFF_SCAN_CHARS
	if (e->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE &&
	    !scan_value_ok(text, len)) {
		stop(l, e->start_mark, CODE_BAD_CHAR,
		     "want text, have an escape for a control, "
		     "bidirectional or invisible character");
		return;
	}
#endif
	if (!count_nodes(l, 1, e->start_mark))
		return;
	n = new_node(l, NODE_SCALAR, e->start_mark);
	n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	n->text = arena_strndup(l->arena, text, len);
	n->n = (uint32_t)len;
	n->bytes = len;
	if (add_anchor(l, e->data.scalar.anchor, n, e->start_mark))
		push(l, n);
}

static void on_start(struct loader *l, bool map, const yaml_char_t *tag,
		     const yaml_char_t *anchor, yaml_mark_t mark)
{
	struct node *n;

	check_tag(l, tag, mark);
#ifndef GUARD_OFF_YAML_DEPTH
	if (l->depth >= LOAD_DEPTH_MAX) {
		stop(l, mark, CODE_DEPTH, "want at most 32 levels, have more");
		return;
	}
#endif
	if (key_position(l)) {
		stop(l, mark, CODE_KEY_TYPE,
		     map ? "want a string as key, have an object"
			 : "want a string as key, have a list");
		return;
	}
	if (!count_nodes(l, 1, mark))
		return;
	n = new_node(l, map ? NODE_MAP : NODE_SEQ, mark);
	l->frames = grown(l->frames, &l->frames_cap, l->depth + 1,
			  sizeof(*l->frames));
	l->frames[l->depth] = (struct frame){.map = map, .node = n};
	if (!add_anchor(l, anchor, NULL, mark))
		return;
	if (anchor)
		l->frames[l->depth].anchor = l->anchors[l->n_anchors - 1].name;
	l->frames[l->depth++].start = l->n_pending;
}

static void say_duplicate(struct loader *l, const struct node *first,
			  const struct node *second)
{
	char safe[80];

	diags_add(l->diags, codes_id(CODE_DUPLICATE_KEY), DIAG_ERROR,
		  at_node(l, second), NULL, "delete one of the two",
		  "duplicate key '%s', first at line %u column %u",
		  text_safe(safe, sizeof(safe), second->text, second->n),
		  first->line, first->column);
}

static bool same_key(const struct node *a, const struct node *b)
{
	return a->n == b->n && memcmp(a->text, b->text, a->n) == 0;
}

static int by_key(const void *pa, const void *pb)
{
	const struct node_pair *a = *(const struct node_pair *const *)pa;
	const struct node_pair *b = *(const struct node_pair *const *)pb;
	int r = strcmp(a->key->text, b->key->text);

	return r != 0 ? r : a < b ? -1 : a > b;
}

/* Sorts pointers to the pairs: 10,000 keys must not cost 10^8 compares. */
static void drop_duplicates_sorted(struct loader *l, struct node_pair *p,
				   size_t n)
{
	struct node_pair **order =
		reallocarray(NULL, n, sizeof(struct node_pair *));
	struct node_pair *kept;

	if (!order)
		abort();
	for (size_t i = 0; i < n; i++)
		order[i] = &p[i];
	qsort(order, n, sizeof(struct node_pair *), by_key);
	kept = order[0];
	for (size_t i = 1; i < n; i++) {
		if (!same_key(kept->key, order[i]->key)) {
			kept = order[i];
			continue;
		}
		say_duplicate(l, kept->key, order[i]->key);
		order[i]->value = NULL;
	}
	free(order);
}

/* The second of two equal keys loses its value, and so its place. */
static void drop_duplicates(struct loader *l, struct node_pair *p, size_t n)
{
#ifndef GUARD_OFF_YAML_DUPLICATE
	if (n > QUADRATIC_MAX) {
		drop_duplicates_sorted(l, p, n);
		return;
	}
	for (size_t i = 1; i < n; i++)
		for (size_t j = 0; j < i; j++) {
			if (!p[j].value || !same_key(p[j].key, p[i].key))
				continue;
			say_duplicate(l, p[j].key, p[i].key);
			p[i].value = NULL;
			break;
		}
#else
	(void)l, (void)p, (void)n;
#endif
}

static bool key_ok(struct loader *l, const struct node *key)
{
	char safe[80], fix[100];
	enum scalar_class c;

	if (!key->plain)
		return true;
#ifndef GUARD_OFF_YAML_MERGE
	if (strcmp(key->text, "<<") == 0) {
		diags_add(l->diags, codes_id(CODE_MERGE_KEY), DIAG_ERROR,
			  at_node(l, key), NULL, "write the fields out",
			  "want a field, have the merge key '<<'");
		return false;
	}
#endif
	c = scalar_class(key->text, key->n);
	if (c == SCALAR_STRING)
		return true;
	text_safe(safe, sizeof(safe), key->text, key->n);
	(void)snprintf(fix, sizeof(fix), "quote it: \"%s\"", safe);
	diags_add(l->diags, codes_id(CODE_KEY_TYPE), DIAG_ERROR,
		  at_node(l, key), NULL, fix,
		  "want a string as key, have %s '%s'", scalar_class_name(c),
		  safe);
	return false;
}

static void finish_map(struct loader *l, struct node *n,
		       const struct node *const *parts, size_t n_parts)
{
	struct node_pair *p = arena_calloc(l->scratch, n_parts / 2, sizeof(*p));
	size_t count = 0, kept = 0;

	for (size_t i = 0; i + 1 < n_parts; i += 2)
		if (key_ok(l, parts[i]))
			p[count++] = (struct node_pair){parts[i], parts[i + 1]};
	drop_duplicates(l, p, count);
	for (size_t i = 0; i < count; i++)
		if (p[i].value)
			p[kept++] = p[i];
	n->pairs = p;
	n->n = (uint32_t)kept;
}

static void on_end(struct loader *l)
{
	struct frame *f = &l->frames[--l->depth];
	size_t n_parts = l->n_pending - f->start;
	const struct node *const *parts =
		n_parts > 0 ? &l->pending[f->start] : NULL;
	struct node *n = f->node;

	for (size_t i = 0; i < n_parts; i++) {
		n->size += parts[i]->size;
		n->bytes += parts[i]->bytes;
		if (parts[i]->height >= n->height)
			n->height = (uint16_t)(parts[i]->height + 1);
	}
	if (f->map) {
		finish_map(l, n, parts, n_parts);
	} else if (n_parts > 0) {
		n->items = arena_memdup(l->scratch, parts,
					n_parts * sizeof(struct node *));
		n->n = (uint32_t)n_parts;
	}
	l->n_pending = f->start;
	if (f->anchor) {
		struct anchor *a = find_anchor(l, f->anchor);

		if (a)
			a->node = n;
	}
	push(l, n);
}

static void on_document_start(struct loader *l, const yaml_event_t *e)
{
	if (e->data.document_start.tag_directives.start !=
	    e->data.document_start.tag_directives.end)
		stop(l, e->start_mark, CODE_DIRECTIVE,
		     "want no %TAG directive, have one");
	if (++l->documents > LOAD_DOCUMENTS_MAX)
		stop(l, e->start_mark, CODE_DOCUMENTS,
		     "want at most 1,000 documents in a file, have more");
	if (!l->scratch || arena_used(l->scratch) > SCRATCH_RENEW_BYTES) {
		arena_free(l->scratch);
		l->scratch = arena_new(SCRATCH_BYTES_MAX);
	}
	l->n_pending = 0;
	l->n_anchors = 0;
	l->nodes = 0;
	l->alias_nodes = 0;
	l->alias_bytes = 0;
}

static void on_document_end(struct loader *l)
{
	const struct node *root = l->n_pending > 0 ? l->pending[0] : NULL;

	/* "---" with nothing behind it is no object and no mistake */
	if (root && !node_is_null(root))
		l->fn(l->arg, root);
}

static void on_event(struct loader *l, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		on_document_start(l, e);
		break;
	case YAML_DOCUMENT_END_EVENT:
		on_document_end(l);
		break;
	case YAML_ALIAS_EVENT:
		on_alias(l, e);
		break;
	case YAML_SCALAR_EVENT:
		on_scalar(l, e);
		break;
	case YAML_SEQUENCE_START_EVENT:
		on_start(l, false, e->data.sequence_start.tag,
			 e->data.sequence_start.anchor, e->start_mark);
		break;
	case YAML_MAPPING_START_EVENT:
		on_start(l, true, e->data.mapping_start.tag,
			 e->data.mapping_start.anchor, e->start_mark);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		on_end(l);
		break;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
		break;
	}
}

static void say_syntax(struct loader *l, const yaml_parser_t *p)
{
	const char *what = p->problem ? p->problem : "not YAML";
	bool directive =
		strstr(what, "YAML document") || strstr(what, "directive");

	diags_add(l->diags, codes_id(directive ? CODE_DIRECTIVE : CODE_SYNTAX),
		  DIAG_ERROR, at_mark(l, p->problem_mark), NULL, NULL,
		  "%s%s%s; the rest of the file was not read",
		  p->context ? p->context : "", p->context ? ", " : "", what);
}

static void parse(struct loader *l, const char *bytes, size_t len)
{
	yaml_parser_t parser;
	bool done = false;

	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)bytes,
				     len);
	while (!done && !l->stop) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			if (parser.error == YAML_MEMORY_ERROR)
				abort();
			say_syntax(l, &parser);
			break;
		}
		on_event(l, &event);
		done = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
}

static bool bytes_ok(struct loader *l, const char *bytes, size_t len)
{
	struct scan_at at = {0};
	struct manifest_pos pos = {.path = l->path};
	enum scan_result r;

	if (len > LOAD_FILE_BYTES_MAX) {
		diags_add(l->diags, codes_id(CODE_FILE_SIZE), DIAG_ERROR, pos,
			  NULL, "split the file",
			  "want at most 4 MiB in a file, have %zu bytes", len);
		return false;
	}
	r = scan_bytes(bytes, len, &at);
	if (r == SCAN_OK)
		return true;
	pos.line = at.line;
	pos.column = at.column;
	if (r == SCAN_NOT_UTF8)
		diags_add(l->diags, codes_id(CODE_NOT_UTF8), DIAG_ERROR, pos,
			  NULL, "save the file as UTF-8",
			  "want UTF-8, have a byte that is not; "
			  "the file was not read");
	else if (r == SCAN_BAD_BREAK)
		diags_add(l->diags, codes_id(CODE_LINE_BREAK), DIAG_ERROR, pos,
			  NULL, "end lines with LF",
			  "want LF or CR LF, have CR alone; "
			  "the file was not read");
	else
		diags_add(l->diags, codes_id(CODE_BAD_CHAR), DIAG_ERROR, pos,
			  NULL, "remove it, or use binaryData",
			  "want text, have the control, bidirectional or "
			  "invisible character U+%04X; the file was not read",
			  at.codepoint);
	return false;
}

void load_file(const struct manifest_input *in, const char *path,
	       struct arena *arena, struct diags *diags, load_document_fn *fn,
	       void *arg)
{
	struct loader *l = calloc(1, sizeof(*l));
	const char *bytes = in->bytes;
	size_t len = in->len;

	if (!l)
		abort();
	*l = (struct loader){.path = path,
			     .arena = arena,
			     .diags = diags,
			     .fn = fn,
			     .arg = arg};
	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		bytes += 3;
		len -= 3;
	}
	if (len > 0 && bytes_ok(l, bytes, len))
		parse(l, bytes, len);
	arena_free(l->scratch);
	free(l->pending);
	free(l->frames);
	free(l);
}
