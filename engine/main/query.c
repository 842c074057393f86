/* query.c - state and list: what clients of an OCI runtime read. */
#include "engine/main/cli.h"
#include "engine/run/life.h"
#include "lib/jsonw.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define QUERY_OUT_BYTES (16u << 20)

static int query_print(const struct buf *b, struct err *err)
{
	int r = buf_check(b, err);

	if (r < 0)
		return r;
	if (fwrite(b->data, 1, b->len, stdout) != b->len ||
	    putchar('\n') == EOF)
		return err_sys(err, errno, "standard output");
	return 0;
}

/* Of a creation that died early there is no more than its folder. */
static const char *query_text(const char *text)
{
	return text != NULL ? text : "";
}

static pid_t query_pid(const struct life *l)
{
	return l->status == STATE_STOPPED ? 0 : l->state.pid;
}

/* No user is looked up: the name of root, the number of anyone else. */
static const char *query_owner(const struct life *l, char out[16])
{
	struct stat st;

	out[0] = '\0';
	if (fstat(l->dir_fd, &st) == 0)
		(void)snprintf(out, 16, st.st_uid == 0 ? "root" : "#%u",
			       st.st_uid);
	return out;
}

static void query_one(struct jsonw *w, const struct life *l, const char *owner)
{
	const struct state *s = &l->state;

	jsonw_obj(w);
	jsonw_kstr(w, "ociVersion", s->version ? s->version : SPEC_VERSION);
	jsonw_kstr(w, "id", s->id);
	jsonw_kint(w, "pid", query_pid(l));
	jsonw_kstr(w, "status", state_status_name(l->status));
	jsonw_kstr(w, "bundle", query_text(s->bundle));
	jsonw_kstr(w, "rootfs", query_text(s->rootfs));
	jsonw_kstr(w, "created", query_text(s->created));
	state_annotations(w, s);
	jsonw_kstr(w, "owner", owner);
	jsonw_obj_end(w);
}

int query_state(void *ctx, struct err *err)
{
	struct cli *c = ctx;
	struct jsonw w;
	struct life l;
	struct buf b;
	char owner[16];
	int r = life_look(&l, c->root, c->values.operands[0], err);

	if (r < 0)
		return r;
	buf_init(&b, QUERY_OUT_BYTES);
	jsonw_init(&w, &b);
	query_one(&w, &l, query_owner(&l, owner));
	r = query_print(&b, err);
	buf_release(&b);
	life_release(&l);
	return r;
}

static int query_filter(const struct dirent *e)
{
	return state_check_id(e->d_name, NULL) == 0;
}

static void query_head(struct dirent **names, int n, int *out_width)
{
	int i, width = 12;

	for (i = 0; i < n; i++)
		if ((int)strlen(names[i]->d_name) > width)
			width = (int)strlen(names[i]->d_name);
	(void)printf("%-*s   %-9s   %-9s   %s   %s   OWNER\n", width, "ID",
		     "PID", "STATUS", "BUNDLE", "CREATED");
	*out_width = width;
}

static void query_row(const struct life *l, const char *owner, int width)
{
	const struct state *s = &l->state;

	(void)printf("%-*s   %-9d   %-9s   %s   %s   %s\n", width, s->id,
		     query_pid(l), state_status_name(l->status),
		     query_text(s->bundle), query_text(s->created), owner);
}

/* w NULL: a table. */
static void query_rows(const struct cli *c, struct dirent **names, int n,
		       struct jsonw *w)
{
	char owner[16];
	struct life l;
	int i, width = 0;

	if (w == NULL)
		query_head(names, n, &width);
	for (i = 0; i < n; i++) {
		struct err err = {0};
		int r = life_look(&l, c->root, names[i]->d_name, &err);

		/* Gone meanwhile: not an error of a listing.  One that cannot
		 * be read does not hide the others. */
		if (r < 0 && r != ERR_NOTFOUND) {
			(void)err_wrap(&err, "%s", names[i]->d_name);
			log_error(&c->log, &err);
		}
		if (r < 0)
			continue;
		(void)query_owner(&l, owner);
		if (w != NULL)
			query_one(w, &l, owner);
		else
			query_row(&l, owner, width);
		life_release(&l);
	}
}

static int query_names(struct dirent **names, int n, struct err *err)
{
	int i;

	for (i = 0; i < n; i++)
		if (puts(names[i]->d_name) == EOF)
			return err_sys(err, errno, "standard output");
	return 0;
}

static int query_json(const struct cli *c, struct dirent **names, int n,
		      struct err *err)
{
	struct jsonw w;
	struct buf b;
	int r;

	buf_init(&b, QUERY_OUT_BYTES);
	jsonw_init(&w, &b);
	jsonw_arr(&w);
	query_rows(c, names, n, &w);
	jsonw_arr_end(&w);
	r = query_print(&b, err);
	buf_release(&b);
	return r;
}

int query_list(void *ctx, struct err *err)
{
	struct cli *c = ctx;
	const char *format = opt_get(&c->values, "format");
	bool json = format != NULL && strcmp(format, "json") == 0;
	struct dirent **names = NULL;
	int n, i, r = 0;

	if (format != NULL && !json && strcmp(format, "table") != 0)
		return err_set(err, ERR_INPUT, "--format: want table or json");
	n = scandir(c->root, &names, query_filter, alphasort);
	/* Where we keep them ourselves there may be none yet. */
	if (n < 0 && (errno != ENOENT || opt_get(&c->values, "root") != NULL))
		return err_sys(err, errno, "state directory %s", c->root);
	if (opt_get(&c->values, "quiet") != NULL)
		r = query_names(names, n, err);
	else if (json)
		r = query_json(c, names, n, err);
	else
		query_rows(c, names, n, NULL);
	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return r;
}
