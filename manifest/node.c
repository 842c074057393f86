/*
 * node.c - small questions about a tree; pure.  The tree comes from hostile
 * bytes that the loader has already bounded.
 */
#include "manifest/node.h"

#include "manifest/scalar.h"

#include <string.h>

const struct node *node_get(const struct node *n, const char *key)
{
	if (!n || n->type != NODE_MAP)
		return NULL;
	for (uint32_t i = 0; i < n->n; i++)
		if (strcmp(n->pairs[i].key->text, key) == 0)
			return n->pairs[i].value;
	return NULL;
}

bool node_is_null(const struct node *n)
{
	return n->type == NODE_SCALAR && n->plain &&
	       scalar_class(n->text, n->n) == SCALAR_NULL;
}

const char *node_text(const struct node *n)
{
	return n && n->type == NODE_SCALAR ? n->text : NULL;
}

const char *node_kind(const struct node *n)
{
	if (n->type == NODE_SEQ)
		return "a list";
	if (n->type == NODE_MAP)
		return "an object";
	if (!n->plain)
		return "a string";
	return scalar_class_name(scalar_class(n->text, n->n));
}
