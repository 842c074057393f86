/*
 * events.c - events: what a container uses, read from its control groups, in
 * the form that runc gives it; and that the kernel had to kill in it for want
 * of memory.  Rows that this kernel has no file for are left out.
 */
#include "engine/main/cli.h"
#include "engine/cgroup/cgfile.h"
#include "engine/run/life.h"
#include "lib/jsonw.h"
#include "lib/num.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EVENTS_OUT_BYTES (1u << 20)
#define EVENTS_FILE_BYTES 16384
#define EVENTS_TICK 10000000ull /* ns; USER_HZ is 100 in all ABIs */
#define EVENTS_LOOK_MS 500
#define EVENTS_INTERVAL_MS 5000

/* The first row of a key whose file is there counts: v1, then v2. */
struct events_row {
	const char *key, *file;
	const char *line; /* first word of the line, NULL: the whole file */
	uint64_t times;
};

static const struct events_row events_usage[] = {
	{"total", "cpuacct.usage", NULL, 1},
	{"total", "cpu.stat", "usage_usec", 1000},
	{"kernel", "cpuacct.stat", "system", EVENTS_TICK},
	{"kernel", "cpu.stat", "system_usec", 1000},
	{"user", "cpuacct.stat", "user", EVENTS_TICK},
	{"user", "cpu.stat", "user_usec", 1000},
};
static const struct events_row events_throttling[] = {
	{"periods", "cpu.stat", "nr_periods", 1},
	{"throttledPeriods", "cpu.stat", "nr_throttled", 1},
	{"throttledTime", "cpu.stat", "throttled_time", 1},
	{"throttledTime", "cpu.stat", "throttled_usec", 1000},
};
static const struct events_row events_memory[] = {
	{"limit", "memory.limit_in_bytes", NULL, 1},
	{"limit", "memory.max", NULL, 1},
	{"usage", "memory.usage_in_bytes", NULL, 1},
	{"usage", "memory.current", NULL, 1},
	{"max", "memory.max_usage_in_bytes", NULL, 1},
	{"max", "memory.peak", NULL, 1},
	{"failcnt", "memory.failcnt", NULL, 1},
	{"failcnt", "memory.events", "max", 1},
};
static const struct events_row events_swap[] = {
	{"limit", "memory.memsw.limit_in_bytes", NULL, 1},
	{"limit", "memory.swap.max", NULL, 1},
	{"usage", "memory.memsw.usage_in_bytes", NULL, 1},
	{"usage", "memory.swap.current", NULL, 1},
	{"max", "memory.memsw.max_usage_in_bytes", NULL, 1},
	{"failcnt", "memory.memsw.failcnt", NULL, 1},
	{"failcnt", "memory.swap.events", "max", 1},
};
static const struct events_row events_cache[] = {
	{"cache", "memory.stat", "cache", 1},
	{"cache", "memory.stat", "file", 1},
};
static const struct events_row events_pids[] = {
	{"current", "pids.current", NULL, 1},
	{"limit", "pids.max", NULL, 1},
};
static const struct events_row events_oom[] = {
	{"oom", "memory.oom_control", "oom_kill", 1},
	{"oom", "memory.events", "oom_kill", 1},
};

static bool events_file(const struct cgroup *c, const char *file,
			char out[EVENTS_FILE_BYTES])
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (c->h[i].dir >= 0 &&
		    cgfile_get(c->h[i].dir, file, out, EVENTS_FILE_BYTES) >= 0)
			return true;
	return false;
}

static const char *events_line(const char *text, const char *word)
{
	size_t len = strlen(word);

	while (text != NULL) {
		if (strncmp(text, word, len) == 0 && text[len] == ' ')
			return text + len + 1;
		text = strchr(text, '\n');
		text = text != NULL ? text + 1 : NULL;
	}
	return NULL;
}

static bool events_value(const struct cgroup *c, const struct events_row *row,
			 uint64_t *out)
{
	char text[EVENTS_FILE_BYTES];
	const char *at = text;
	uint64_t v = 0;

	if (!events_file(c, row->file, text))
		return false;
	if (row->line != NULL)
		at = events_line(text, row->line);
	if (at == NULL)
		return false;
	if (strncmp(at, "max", 3) == 0)
		v = UINT64_MAX;
	else if (!num_parse_u64(at, strcspn(at, "\n"), UINT64_MAX, &v))
		return false;
	*out = v == UINT64_MAX ? v : v * row->times;
	return true;
}

static void events_number(struct jsonw *w, const char *key, uint64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)v);

	jsonw_key(w, key);
	jsonw_raw(w, text, (size_t)n);
}

static void events_rows(struct jsonw *w, const struct cgroup *c,
			const struct events_row *rows, size_t n)
{
	const char *done = NULL;
	uint64_t v;
	size_t i;

	for (i = 0; i < n; i++) {
		if (done != NULL && strcmp(done, rows[i].key) == 0)
			continue;
		if (!events_value(c, &rows[i], &v))
			continue;
		events_number(w, rows[i].key, v);
		done = rows[i].key;
	}
}

#define EVENTS_GROUP(w, c, key, rows)                                          \
	do {                                                                   \
		jsonw_key((w), (key));                                         \
		jsonw_obj(w);                                                  \
		events_rows((w), (c), (rows),                                  \
			    sizeof(rows) / sizeof((rows)[0]));                 \
		jsonw_obj_end(w);                                              \
	} while (0)

/* Every line "name number" of memory.stat. */
static void events_raw(struct jsonw *w, const struct cgroup *c)
{
	char text[EVENTS_FILE_BYTES];
	char *line = text, *end, *blank;
	uint64_t v;

	jsonw_key(w, "raw");
	jsonw_obj(w);
	if (!events_file(c, "memory.stat", text))
		text[0] = '\0';
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		blank = strchr(line, ' ');
		if (blank == NULL ||
		    !num_parse_u64(blank + 1, strlen(blank + 1), UINT64_MAX,
				   &v))
			continue;
		*blank = '\0';
		events_number(w, line, v);
	}
	jsonw_obj_end(w);
}

static void events_data(struct jsonw *w, const struct cgroup *c)
{
	jsonw_obj(w);
	jsonw_key(w, "cpu");
	jsonw_obj(w);
	EVENTS_GROUP(w, c, "usage", events_usage);
	EVENTS_GROUP(w, c, "throttling", events_throttling);
	jsonw_obj_end(w);
	jsonw_key(w, "memory");
	jsonw_obj(w);
	events_rows(w, c, events_cache, 2);
	EVENTS_GROUP(w, c, "usage", events_memory);
	EVENTS_GROUP(w, c, "swap", events_swap);
	events_raw(w, c);
	jsonw_obj_end(w);
	EVENTS_GROUP(w, c, "pids", events_pids);
	jsonw_obj_end(w);
}

static int events_print(const struct life *l, const char *type, bool data,
			struct err *err)
{
	struct jsonw w;
	struct buf b;
	int r;

	buf_init(&b, EVENTS_OUT_BYTES);
	jsonw_init(&w, &b);
	jsonw_obj(&w);
	jsonw_kstr(&w, "type", type);
	jsonw_kstr(&w, "id", l->state.id);
	if (data) {
		jsonw_key(&w, "data");
		events_data(&w, &l->cgroup);
	}
	jsonw_obj_end(&w);
	r = buf_check(&b, err);
	if (r == 0 && (puts(b.data) == EOF || fflush(stdout) != 0))
		r = err_sys(err, errno, "standard output");
	buf_release(&b);
	return r;
}

/* "5s", "100ms", "1m", "2h": one number and its unit. */
static int events_interval(const char *text, int *out_ms, struct err *err)
{
	static const struct {
		const char *name;
		unsigned int ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
	size_t i, digits = text != NULL ? strspn(text, "0123456789") : 0;
	uint64_t n = 0;

	*out_ms = EVENTS_INTERVAL_MS;
	if (text == NULL)
		return 0;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(text + digits, units[i].name) == 0 &&
		    num_parse_u64(text, digits, INT32_MAX / units[i].ms, &n) &&
		    n > 0) {
			*out_ms = (int)(n * units[i].ms);
			return 0;
		}
	return err_set(err, ERR_INPUT,
		       "--interval: want a number over 0 and ms, s, m or h");
}

static uint64_t events_kills(const struct cgroup *c)
{
	uint64_t v = 0;

	if (!events_value(c, &events_oom[0], &v))
		(void)events_value(c, &events_oom[1], &v);
	return v;
}

/* Until the container's end. */
static int events_follow(const struct life *l, int interval, struct err *err)
{
	struct pollfd p = {.fd = state_pidfd(&l->state), .events = POLLIN};
	uint64_t kills = events_kills(&l->cgroup), now;
	int waited = 0, n = 0, r = 0;

	while (p.fd >= 0 && r == 0 && n <= 0) {
		int step = interval - waited < EVENTS_LOOK_MS
				   ? interval - waited
				   : EVENTS_LOOK_MS;

		n = poll(&p, 1, step);
		now = events_kills(&l->cgroup);
		for (; kills < now && r == 0; kills++)
			r = events_print(l, "oom", false, err);
		waited += step;
		if (n == 0 && r == 0 && waited >= interval) {
			r = events_print(l, "stats", true, err);
			waited = 0;
		}
	}
	if (p.fd >= 0)
		(void)close(p.fd);
	return r;
}

int events_command(void *ctx, struct err *err)
{
	struct cli *c = ctx;
	struct life l;
	int interval, r;

	r = events_interval(opt_get(&c->values, "interval"), &interval, err);
	if (r == 0)
		r = life_open(&l, c->root, c->values.operands[0], err);
	if (r < 0)
		return r;
	if (l.status == STATE_STOPPED || l.status == STATE_CREATING)
		r = err_set(err, ERR_CONFLICT, "container not running (%s)",
			    state_status_name(l.status));
	if (r == 0)
		r = cgroup_open(&l.cgroup, err);
	if (r == 0 && opt_get(&c->values, "stats") != NULL)
		r = events_print(&l, "stats", true, err);
	else if (r == 0)
		r = events_follow(&l, interval, err);
	life_release(&l);
	return r;
}
