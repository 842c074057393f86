/*
 * conf.c - reading "key = value" files by a table.  Runs in every daemon,
 * before its sandbox; the file is the administrator's, its owner is not checked
 * here.
 */
#include "lib/conf.h"
#include "lib/file.h"
#include "lib/num.h"
#include "lib/text.h"

#include <fcntl.h>
#include <string.h>
#include <arpa/inet.h>

#define FILE_BYTES_MAX ((size_t)256 * 1024)
#define KEYS_MAX 128
#define LIST_MAX 256

struct load {
	const char *path;
	const struct conf_key *keys;
	size_t n_keys;
	unsigned char *target;
	struct arena *arena;
	int line, column;
	bool seen[KEYS_MAX];
};

static void *slot(const struct load *l, const struct conf_key *key)
{
	return l->target + key->offset;
}

static int complain(const struct load *l, const struct conf_key *key,
		    const char *want, const char *value, struct err *err)
{
	char shown[96];

	return err_set(err, ERR_INPUT, "%s:%d:%d: %s: want %s, have \"%s\"",
		       l->path, l->line, l->column, key->name, want,
		       text_safe(shown, sizeof(shown), value, strlen(value)));
}

static int set_text(const struct load *l, const struct conf_key *key,
		    const char *value, struct err *err)
{
	if (!text_is_utf8(value, strlen(value)))
		return complain(l, key, "UTF-8 text", value, err);
	*(const char **)slot(l, key) = arena_strdup(l->arena, value);
	return 0;
}

static int set_path(const struct load *l, const struct conf_key *key,
		    const char *value, struct err *err)
{
	if (value[0] != '/')
		return complain(l, key, "an absolute path", value, err);
	return set_text(l, key, value, err);
}

static int set_int(const struct load *l, const struct conf_key *key,
		   const char *value, struct err *err)
{
	char want[96];
	int64_t v;

	(void)snprintf(want, sizeof(want), "a whole number %lld..%lld",
		       (long long)key->min, (long long)key->max);
	if (!num_parse_i64(value, strlen(value), key->min, key->max, &v))
		return complain(l, key, want, value, err);
	*(int64_t *)slot(l, key) = v;
	return 0;
}

static int set_bool(const struct load *l, const struct conf_key *key,
		    const char *value, struct err *err)
{
	bool v = strcmp(value, "true") == 0;

	if (!v && strcmp(value, "false") != 0)
		return complain(l, key, "true or false", value, err);
	*(bool *)slot(l, key) = v;
	return 0;
}

static int set_list(const struct load *l, const struct conf_key *key,
		    const char *value, struct err *err)
{
	struct conf_list *list = slot(l, key);
	const char **items;

	if (value[0] == '\0') /* the default: empty */
		return 0;
	if (list->n == LIST_MAX)
		return complain(l, key, "at most 256 values", value, err);
	items = arena_calloc(l->arena, list->n + 1, sizeof(*items));
	if (list->n > 0)
		memcpy(items, list->items, list->n * sizeof(*items));
	items[list->n] = arena_strdup(l->arena, value);
	*list = (struct conf_list){.items = items, .n = list->n + 1};
	return 0;
}

static int set_cidr(const struct load *l, const struct conf_key *key,
		    const char *value, struct err *err)
{
	static const char want[] = "an IPv4 network as a.b.c.d/n";
	const char *slash = strchr(value, '/');
	char text[INET_ADDRSTRLEN];
	struct in_addr in;
	uint64_t bits;
	uint32_t host;

	if (!slash || (size_t)(slash - value) >= sizeof(text) ||
	    !num_parse_u64(slash + 1, strlen(slash + 1), 32, &bits))
		return complain(l, key, want, value, err);
	memcpy(text, value, (size_t)(slash - value));
	text[slash - value] = '\0';
	if (inet_pton(AF_INET, text, &in) != 1)
		return complain(l, key, want, value, err);
	host = bits == 32 ? 0 : UINT32_MAX >> bits;
	if (ntohl(in.s_addr) & host)
		return complain(l, key, "a network whose host bits are zero",
				value, err);
	return set_text(l, key, value, err);
}

static const struct {
	int (*set)(const struct load *l, const struct conf_key *key,
		   const char *value, struct err *err);
	const char *doc;
} types[] = {
	[CONF_STRING] = {set_text, "text"},
	[CONF_PATH] = {set_path, "absolute path"},
	[CONF_INT] = {set_int, "number"},
	[CONF_BOOL] = {set_bool, "true or false"},
	[CONF_LIST] = {set_list, "text, may repeat"},
	[CONF_CIDR] = {set_cidr, "IPv4 network"},
};

static int unknown_key(const struct load *l, const char *name, struct err *err)
{
	const char *names[KEYS_MAX];
	char shown[96];
	const char *near;

	for (size_t i = 0; i < l->n_keys; i++)
		names[i] = l->keys[i].name;
	near = text_nearest(name, names, l->n_keys);
	return err_set(err, ERR_INPUT, "%s:%d:%d: unknown key \"%s\"%s%s%s",
		       l->path, l->line, l->column,
		       text_safe(shown, sizeof(shown), name, strlen(name)),
		       near ? "; did you mean \"" : "", near ? near : "",
		       near ? "\"?" : "");
}

static int set_key(struct load *l, const char *name, const char *value,
		   int value_column, struct err *err)
{
	for (size_t i = 0; i < l->n_keys; i++) {
		const struct conf_key *key = &l->keys[i];

		if (strcmp(key->name, name) != 0)
			continue;
		if (l->seen[i] && key->type != CONF_LIST)
			return err_set(err, ERR_INPUT,
				       "%s:%d:%d: %s is given twice", l->path,
				       l->line, l->column, name);
		if (!l->seen[i] && key->type == CONF_LIST)
			*(struct conf_list *)slot(l, key) =
				(struct conf_list){0}; /* not the default */
		l->seen[i] = true;
		l->column = value_column;
		if (value[0] == '\0' && key->type != CONF_STRING)
			return complain(l, key, types[key->type].doc, value,
					err);
		return types[key->type].set(l, key, value, err);
	}
	return unknown_key(l, name, err);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* One line, NUL terminated, writable. */
static int read_line(struct load *l, char *line, struct err *err)
{
	char *name = line, *value, *end, *equals;

	while (is_blank(*name))
		name++;
	l->column = (int)(name - line) + 1;
	if (*name == '\0' || *name == '#')
		return 0;
	equals = strchr(name, '=');
	if (!equals)
		return err_set(err, ERR_INPUT, "%s:%d:%d: want \"key = value\"",
			       l->path, l->line, l->column);
	value = equals + 1;
	for (end = equals; end > name && is_blank(end[-1]); end--)
		;
	*end = '\0';
	while (is_blank(*value))
		value++;
	for (end = value + strlen(value); end > value && is_blank(end[-1]);
	     end--)
		;
	*end = '\0';
	return set_key(l, name, value, (int)(value - line) + 1, err);
}

static int read_lines(struct load *l, char *text, size_t len, struct err *err)
{
	int r = 0;

	if (memchr(text, '\0', len))
		return err_set(err, ERR_INPUT, "%s: has a NUL byte", l->path);
	for (char *next; r == 0 && text; text = next) {
		next = strchr(text, '\n');
		if (next)
			*next++ = '\0';
		l->line++;
		r = read_line(l, text, err);
	}
	return r;
}

static int set_defaults(struct load *l, struct err *err)
{
	int r = 0;

	l->path = "default";
	for (size_t i = 0; r == 0 && i < l->n_keys; i++)
		if (l->keys[i].fallback)
			r = types[l->keys[i].type].set(
				l, &l->keys[i], l->keys[i].fallback, err);
	return r;
}

int conf_load_fd(int fd, const char *path, const struct conf_key *keys,
		 size_t n_keys, void *target, struct arena *arena,
		 struct err *err)
{
	struct load l = {
		.keys = keys,
		.n_keys = n_keys,
		.target = target,
		.arena = arena,
	};
	struct buf text;
	int r;

	buf_init(&text, FILE_BYTES_MAX);
	if (n_keys > KEYS_MAX) {
		r = err_set(err, ERR_LIMIT, "want at most %d keys", KEYS_MAX);
		goto out;
	}
	r = set_defaults(&l, err);
	if (r == 0 && fd >= 0)
		r = file_read_fd(fd, FILE_BYTES_MAX, &text, err);
	else if (r == 0 && path)
		r = file_read(AT_FDCWD, path, FILE_BYTES_MAX, &text, err);
	if (r < 0)
		goto out;
	l.path = path ? path : "configuration";
	if (text.len > 0)
		r = read_lines(&l, text.data, text.len, err);
	for (size_t i = 0; r == 0 && i < n_keys; i++)
		if (!keys[i].fallback && !l.seen[i])
			r = err_set(err, ERR_INPUT,
				    "%s: want \"%s = ...\" (%s), have nothing",
				    l.path, keys[i].name, keys[i].doc);
out:
	buf_release(&text);
	return r;
}

int conf_load(const char *path, const struct conf_key *keys, size_t n_keys,
	      void *target, struct arena *arena, struct err *err)
{
	return conf_load_fd(-1, path, keys, n_keys, target, arena, err);
}

void conf_print_mdoc(const struct conf_key *keys, size_t n_keys, FILE *out)
{
	(void)fputs(".Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < n_keys; i++) {
		const struct conf_key *k = &keys[i];

		(void)fprintf(out, ".It Cm %s Li =\n.Pq %s\n%s\n", k->name,
			      types[k->type].doc, k->doc);
		if (!k->fallback)
			(void)fputs("Required.\n", out);
		else if (k->fallback[0] != '\0')
			(void)fprintf(out, "Default:\n.Li %s .\n", k->fallback);
		if (k->type == CONF_INT)
			(void)fprintf(out, "Range: %lld to %lld.\n",
				      (long long)k->min, (long long)k->max);
	}
	(void)fputs(".El\n", out);
}
