/*
 * manifest-dump - what manifest/ makes of files: diagnostics on standard error,
 * canonical JSON or the text of explain on standard output.  A tool of the
 * golden tests; not installed.
 *
 *	manifest-dump [-n NAMESPACE] [-c] FILE...	canonical JSON
 *	manifest-dump -e PATH				explain
 *	manifest-dump -x CODE				explain a code
 *	manifest-dump -m				the man page
 *	manifest-dump -t				fields in
 *reconcile-trust(5)
 *
 * -c also checks references and that each object and the snapshot of all of
 * them survive encoding and decoding.  The canonical text of a Secret holds
 * its values: use made-up ones.
 */
#include "lib/file.h"
#include "manifest/manifest.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)1 << 30)
#define FILE_BYTES ((size_t)64 << 20)
#define TEXT_BYTES ((size_t)256 << 20)
#define EXIT_INPUT 3

static int fail(const struct err *err)
{
	(void)fprintf(stderr, "manifest-dump: %s\n", err->msg);
	return err_exit_status(err->code);
}

static int put(const struct buf *b, FILE *out)
{
	if (b->len > 0 && fwrite(b->data, 1, b->len, out) != b->len)
		return 1;
	return 0;
}

static int read_files(char *const *names, size_t n, struct arena *arena,
		      struct manifest_input *in, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct buf bytes;
		int r;

		buf_init(&bytes, FILE_BYTES);
		r = file_read(AT_FDCWD, names[i], FILE_BYTES, &bytes, err);
		if (r == 0)
			in[i] = (struct manifest_input){
				.path = names[i],
				.bytes = arena_strndup(
					arena, bytes.data ? bytes.data : "",
					bytes.len),
				.len = bytes.len,
			};
		buf_release(&bytes);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Every object and the snapshot must come back as they were. */
static int round_trip(const struct objects *set, struct arena *arena,
		      struct err *err)
{
	struct snapshot s = {.repository_id = "r",
			     .ref = "refs/heads/main",
			     .commit = "c",
			     .signer = "s",
			     .policy = {.repository_id = "r",
					.ref = "refs/heads/main",
					.manifests_path = ".",
					.default_namespace = "default",
					.pod_security = "baseline",
					.placement = "spread"},
			     .objects = *set};
	struct snapshot back;
	struct buf one, two;
	int r = 0;

	buf_init(&one, TEXT_BYTES);
	buf_init(&two, TEXT_BYTES);
	for (size_t i = 0; i < set->n && r == 0; i++) {
		const struct object *o = &set->items[i];
		struct object copy;

		r = manifest_from_canonical(o->canonical, o->canonical_len,
					    arena, &copy, err);
		if (r == 0 && strcmp(o->hash, copy.hash) != 0)
			r = err_set(err, ERR_INPUT, "hash of %s changed",
				    o->meta.name);
	}
	if (r == 0)
		r = snapshot_encode(&s, &one, err);
	if (r == 0)
		r = snapshot_decode(one.data, one.len, arena, &back, err);
	if (r == 0)
		r = snapshot_encode(&back, &two, err);
	if (r == 0 &&
	    (one.len != two.len || memcmp(one.data, two.data, one.len)))
		r = err_set(err, ERR_INPUT, "snapshot changed");
	buf_release(&one);
	buf_release(&two);
	return r;
}

static int dump(char *const *names, size_t n, const char *ns, bool closed,
		struct arena *arena)
{
	struct manifest_input *in = arena_calloc(arena, n, sizeof(*in));
	struct objects set = {0};
	struct diags diags;
	struct err err = {0};
	struct buf text;
	int status = 0;

	diags_init(&diags, arena, 200);
	if (read_files(names, n, arena, in, &err) < 0 ||
	    manifest_load(in, n, ns, arena, &diags, &set, &err) < 0)
		return fail(&err);
	if (closed)
		manifest_check_references(&set, &diags);
	buf_init(&text, TEXT_BYTES);
	diags_print_text(&diags, &text);
	status = put(&text, stderr);
	buf_release(&text);
	if (diags.n_errors > 0)
		return EXIT_INPUT;
	if (closed && round_trip(&set, arena, &err) < 0)
		return fail(&err);
	for (size_t i = 0; i < set.n; i++)
		(void)printf("%s\n", set.items[i].canonical);
	return status;
}

static int explain(const char *path, const char *code)
{
	struct err err = {0};
	struct buf text;
	int r, status;

	buf_init(&text, TEXT_BYTES);
	r = path ? manifest_explain(path, &text, &err)
		 : manifest_explain_code(code, &text, &err);
	status = r < 0 ? fail(&err) : put(&text, stdout);
	buf_release(&text);
	return status;
}

int main(int argc, char **argv)
{
	const char *ns = "default";
	struct arena *arena;
	bool closed = false;
	int c, status;

	while ((c = getopt(argc, argv, "n:ce:x:mt")) != -1) {
		if (c == 'n')
			ns = optarg;
		else if (c == 'c')
			closed = true;
		else if (c == 'e')
			return explain(optarg, NULL);
		else if (c == 'x')
			return explain(NULL, optarg);
		else if (c == 'm') {
			manifest_print_mdoc(stdout);
			return 0;
		} else if (c == 't') {
			manifest_print_mdoc_trust(stdout);
			return 0;
		} else
			return EXIT_INPUT;
	}
	arena = arena_new(ARENA_BYTES);
	status =
		dump(argv + optind, (size_t)(argc - optind), ns, closed, arena);
	arena_free(arena);
	return status;
}
