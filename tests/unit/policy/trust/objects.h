/* Git objects in memory: trees made of paths, for tests of what reads them. */
#ifndef TESTS_UNIT_POLICY_TRUST_OBJECTS_H
#define TESTS_UNIT_POLICY_TRUST_OBJECTS_H

#include "policy/trust/approval.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/evp.h>

#define OBJECTS_MAX 4096

struct objects_mem {
	struct {
		struct commit_id id;
		char *bytes;
		size_t len;
	} items[OBJECTS_MAX];
	size_t n, reads;
};

static inline struct commit_id objects_id(const char *kind, const void *bytes,
					  size_t len)
{
	char head[64];
	int n = snprintf(head, sizeof(head), "%s %zu", kind, len) + 1;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct commit_id id;

	EVP_DigestInit_ex(ctx, EVP_sha1(), NULL);
	EVP_DigestUpdate(ctx, head, (size_t)n);
	EVP_DigestUpdate(ctx, bytes, len);
	EVP_DigestFinal_ex(ctx, id.bytes, NULL);
	EVP_MD_CTX_free(ctx);
	return id;
}

static inline struct commit_id objects_put(struct objects_mem *m,
					   const char *kind, const void *bytes,
					   size_t len)
{
	struct commit_id id = objects_id(kind, bytes, len);

	for (size_t i = 0; i < m->n; i++)
		if (commit_id_equal(&m->items[i].id, &id))
			return id;
	assert_true(m->n < OBJECTS_MAX);
	m->items[m->n].id = id;
	m->items[m->n].bytes = malloc(len + 1);
	memcpy(m->items[m->n].bytes, bytes, len);
	m->items[m->n++].len = len;
	return id;
}

static inline int objects_read(void *ctx, const struct commit_id *id,
			       const char **out, size_t *out_len,
			       struct verdict *v)
{
	struct objects_mem *m = ctx;

	m->reads++;
	for (size_t i = 0; i < m->n; i++)
		if (commit_id_equal(&m->items[i].id, id)) {
			*out = m->items[i].bytes;
			*out_len = m->items[i].len;
			return 0;
		}
	return verdict_fail(v, TCODE_MISSING, "not there");
}

static inline int objects_hash(void *ctx, const char *bytes, size_t len,
			       struct commit_id *out, struct verdict *v)
{
	(void)ctx;
	(void)v;
	*out = objects_id("tree", bytes, len);
	return 0;
}

static inline void objects_free(struct objects_mem *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->items[i].bytes);
	free(m);
}

/* One entry, appended to the bytes of a tree. */
static inline void objects_entry(struct buf *tree, const char *mode,
				 const char *name, const struct commit_id *id)
{
	buf_printf(tree, "%s %s", mode, name);
	buf_putc(tree, '\0');
	buf_put(tree, id->bytes, COMMIT_ID_BYTES);
}

/* The tree of n "path=content" lines in git's order.  "path*=": executable;
 * "path@=": a link; "dir/=": a folder without entries. */
static inline struct commit_id objects_tree(struct objects_mem *m,
					    const char *const *files, size_t n,
					    size_t skip)
{
	struct commit_id id;
	struct buf tree;

	buf_init(&tree, 1 << 20);
	for (size_t i = 0; i < n;) {
		const char *at = files[i] + skip;
		size_t len = strcspn(at, "/=");
		char name[256];
		size_t k = i + 1;

		snprintf(name, sizeof(name), "%.*s", (int)len, at);
		if (at[len] == '/' && at[len + 1] == '=') {
			id = objects_put(m, "tree", "", 0);
			objects_entry(&tree, "40000", name, &id);
		} else if (at[len] == '/') {
			while (k < n &&
			       strncmp(files[k] + skip, at, len + 1) == 0)
				k++;
			id = objects_tree(m, files + i, k - i, skip + len + 1);
			objects_entry(&tree, "40000", name, &id);
		} else {
			const char *mode = name[len - 1] == '*'	  ? "100755"
					   : name[len - 1] == '@' ? "120000"
								  : "100644";
			if (*mode == '1' && mode[5] != '4')
				name[len - 1] = '\0';
			id = objects_put(m, "blob", at + len + 1,
					 strlen(at + len + 1));
			objects_entry(&tree, mode, name, &id);
		}
		i = k;
	}
	id = objects_put(m, "tree", tree.data != NULL ? tree.data : "",
			 tree.len);
	buf_release(&tree);
	return id;
}

#define OBJECTS_TREE(m, ...)                                                   \
	objects_tree(m, (const char *const[]){__VA_ARGS__},                    \
		     sizeof((const char *const[]){__VA_ARGS__}) /              \
			     sizeof(const char *),                             \
		     0)

#endif
