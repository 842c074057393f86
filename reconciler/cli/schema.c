/* schema.c - `reconcile schema`: JSON Schemas for editors and kubeconform. */
#include "reconciler/cli/cli.h"

#include "lib/file.h"
#include "lib/text.h"
#include "manifest/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define OUT_MAX ((size_t)4 << 20)

static int write_all(int dir, struct buf *out, struct err *err)
{
	char name[128];
	int r = 0;

	for (int i = 0; r == 0 && i < MANIFEST_KIND_COUNT; i++) {
		buf_reset(out);
		r = schema_kind((enum manifest_kind)i, out, err);
		schema_file_name((enum manifest_kind)i, name, sizeof(name));
		if (r == 0)
			r = file_replace(dir, name, 0644, out->data, out->len,
					 err);
	}
	buf_reset(out);
	if (r == 0)
		r = schema_all(out, err);
	return r < 0 ? r
		     : file_replace(dir, "all.json", 0644, out->data, out->len,
				    err);
}

static int write_dir(const char *path, struct buf *out, struct err *err)
{
	int dir = -1;
	int r = file_mkdirs(AT_FDCWD, path, 0755, &dir, err);

	if (r < 0)
		return err_wrap(err, "--dir %s", path);
	r = write_all(dir, out, err);
	(void)close(dir);
	return r;
}

int schema_command(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	const char *dir = opt_get(&cli->values, "dir");
	const char *word = cli_operand(cli, 0);
	enum manifest_kind kind = MANIFEST_KIND_COUNT;
	char safe[80];
	struct buf out;
	int r = 0;

	if (dir != NULL && word != NULL)
		return err_set(err, ERR_INPUT,
			       "want KIND or --dir, have both: --dir writes "
			       "all of them");
	if (word != NULL && manifest_kind_from_name(word, &kind) < 0)
		return err_set(
			err, ERR_INPUT,
			"unknown kind \"%s\"; `reconcile explain "
			"KIND` knows them",
			text_safe(safe, sizeof(safe), word, strlen(word)));
	buf_init(&out, OUT_MAX);
	if (dir != NULL)
		r = write_dir(dir, &out, err);
	else if (word != NULL)
		r = schema_kind(kind, &out, err);
	else
		r = schema_all(&out, err);
	if (r == 0 && dir == NULL)
		r = cli_print(&out, err);
	buf_release(&out);
	return r;
}
