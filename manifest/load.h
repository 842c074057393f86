/*
 * load.h - hostile bytes of one file to trees, one a document (manifests.md 6).
 */
#ifndef MANIFEST_LOAD_H
#define MANIFEST_LOAD_H

#include "manifest/manifest.h"
#include "manifest/node.h"

#define LOAD_FILE_BYTES_MAX ((size_t)4 << 20)
#define LOAD_DOCUMENTS_MAX 1000
#define LOAD_DEPTH_MAX 32
#define LOAD_NODES_MAX 20000
#define LOAD_SCALAR_BYTES_MAX ((size_t)1 << 20)
#define LOAD_KEY_BYTES_MAX 1024
#define LOAD_ALIAS_NODES_MAX 2000
#define LOAD_ALIAS_BYTES_MAX ((size_t)1 << 20)
#define LOAD_ANCHORS_MAX 256

/* root is borrowed until the function returns; its texts live in the arena. */
typedef void load_document_fn(void *arg, const struct node *root);

/*
 * Calls fn for each document that is not empty, in order.  Everything wrong
 * goes to diags; after an error of syntax or a limit the rest of the file is
 * not read (and the error says so).
 */
void load_file(const struct manifest_input *in, const char *path,
	       struct arena *arena, struct diags *diags, load_document_fn *fn,
	       void *arg);

#endif
