/* query.c - state, list, ps: what clients of an OCI runtime read. */
#include "engine/main/cli.h"
#include "engine/run/life.h"
#include "lib/jsonw.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define QUERY_PIDS_MAX 65536
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

static void query_one(struct jsonw *w, const struct life *l)
{
	const struct state *s = &l->state;
	bool dead = l->status == STATE_STOPPED;
	size_t i;

	jsonw_obj(w);
	jsonw_kstr(w, "ociVersion", s->version ? s->version : SPEC_VERSION);
	jsonw_kstr(w, "id", s->id);
	jsonw_kint(w, "pid", dead ? 0 : s->pid);
	jsonw_kstr(w, "status", state_status_name(l->status));
	jsonw_kstr(w, "bundle", s->bundle ? s->bundle : "");
	jsonw_kstr(w, "rootfs", s->rootfs ? s->rootfs : "");
	jsonw_kstr(w, "created", s->created ? s->created : "");
	if (l->has_spec && l->spec.annotations.n > 0) {
		jsonw_key(w, "annotations");
		jsonw_obj(w);
		for (i = 0; i + 1 < l->spec.annotations.n; i += 2)
			jsonw_kstr(w, l->spec.annotations.v[i],
				   l->spec.annotations.v[i + 1]);
		jsonw_obj_end(w);
	}
	jsonw_kstr(w, "owner", "");
	jsonw_obj_end(w);
}

int query_state(void *ctx, struct err *err)
{
	struct cli *c = ctx;
	struct jsonw w;
	struct life l;
	struct buf b;
	int r = life_open(&l, c->root, c->values.operands[0], err);

	if (r < 0)
		return r;
	(void)life_read_spec(&l, NULL);
	buf_init(&b, QUERY_OUT_BYTES);
	jsonw_init(&w, &b);
	query_one(&w, &l);
	r = query_print(&b, err);
	buf_release(&b);
	life_release(&l);
	return r;
}

static void query_row(const struct life *l, int width)
{
	const struct state *s = &l->state;

	(void)printf("%-*s   %-9d   %-9s   %s   %s   root\n", width, s->id,
		     l->status == STATE_STOPPED ? 0 : s->pid,
		     state_status_name(l->status), s->bundle ? s->bundle : "",
		     s->created ? s->created : "");
}

static int query_filter(const struct dirent *e)
{
	return state_check_id(e->d_name, NULL) == 0;
}

static int query_list_as(const struct cli *c, struct dirent **names, int n,
			 struct jsonw *w)
{
	bool quiet = opt_get(&c->values, "quiet") != NULL;
	struct life l;
	int i, width = 2;

	for (i = 0; i < n; i++)
		if ((int)strlen(names[i]->d_name) > width)
			width = (int)strlen(names[i]->d_name);
	if (!quiet && w == NULL)
		(void)printf("%-*s   %-9s   %-9s   %s   %s   OWNER\n", width,
			     "ID", "PID", "STATUS", "BUNDLE", "CREATED");
	for (i = 0; i < n; i++) {
		/* Gone meanwhile: not an error of a listing. */
		if (life_open(&l, c->root, names[i]->d_name, NULL) < 0)
			continue;
		if (quiet)
			(void)printf("%s\n", l.state.id);
		else if (w != NULL)
			query_one(w, &l);
		else
			query_row(&l, width);
		life_release(&l);
	}
	return 0;
}

int query_list(void *ctx, struct err *err)
{
	struct cli *c = ctx;
	const char *format = opt_get(&c->values, "format");
	bool json = format != NULL && strcmp(format, "json") == 0;
	bool quiet = opt_get(&c->values, "quiet") != NULL;
	struct dirent **names = NULL;
	struct jsonw w;
	struct buf b;
	int n, i, r = 0;

	if (format != NULL && !json && strcmp(format, "table") != 0)
		return err_set(err, ERR_INPUT, "--format: want table or json");
	n = scandir(c->root, &names, query_filter, alphasort);
	/* Where we keep them ourselves there may be none yet. */
	if (n < 0 && (errno != ENOENT || opt_get(&c->values, "root") != NULL))
		return err_sys(err, errno, "state directory %s", c->root);
	buf_init(&b, QUERY_OUT_BYTES);
	jsonw_init(&w, &b);
	jsonw_arr(&w);
	(void)query_list_as(c, names, n, json && !quiet ? &w : NULL);
	jsonw_arr_end(&w);
	if (json && !quiet)
		r = query_print(&b, err);
	buf_release(&b);
	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return r;
}

/* One line of `ps -ef` shape from /proc; a process that has just gone is
 * left out. */
static void query_ps_row(pid_t pid)
{
	char path[64], name[64] = "?", line[512];
	unsigned int uid = 0;
	int ppid = 0;
	size_t n = 0, i;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL) {
		(void)sscanf(line, "Name: %63[^\n]", name);
		(void)sscanf(line, "PPid: %d", &ppid);
		(void)sscanf(line, "Uid: %u", &uid);
	}
	(void)fclose(f);
	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	f = fopen(path, "re");
	if (f != NULL) {
		n = fread(line, 1, sizeof(line) - 1, f);
		(void)fclose(f);
	}
	/* The text is the container's: nothing but printable ASCII. */
	for (i = 0; i < n; i++)
		if (line[i] < ' ' || line[i] > '~')
			line[i] = i + 1 < n && line[i] == '\0' ? ' ' : '?';
	while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '?'))
		n--;
	line[n] = '\0';
	for (i = 0; name[i] != '\0'; i++)
		if (name[i] < ' ' || name[i] > '~')
			name[i] = '?';
	(void)printf("%-8u %7d %7d %s\n", uid, pid, ppid, n > 0 ? line : name);
}

int query_ps(void *ctx, struct err *err)
{
	struct cli *c = ctx;
	const char *format = opt_get(&c->values, "format");
	bool json = format != NULL && strcmp(format, "json") == 0;
	pid_t *pids = NULL;
	size_t n = 0, i;
	struct life l;
	int r;

	if (format != NULL && !json && strcmp(format, "table") != 0)
		return err_set(err, ERR_INPUT, "--format: want table or json");
	r = life_open(&l, c->root, c->values.operands[0], err);
	if (r < 0)
		return r;
	pids = arena_calloc(l.arena, QUERY_PIDS_MAX, sizeof(*pids));
	r = cgproc_pids(&l.cgroup, pids, QUERY_PIDS_MAX, &n, err);
	if (r == 0 && json) {
		(void)putchar('[');
		for (i = 0; i < n; i++)
			(void)printf("%s%d", i > 0 ? "," : "", pids[i]);
		(void)printf("]\n");
	} else if (r == 0) {
		(void)printf("%-8s %7s %7s %s\n", "UID", "PID", "PPID", "CMD");
		for (i = 0; i < n; i++)
			query_ps_row(pids[i]);
	}
	life_release(&l);
	return r;
}
