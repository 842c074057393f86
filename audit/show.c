/* show.c - entries for people.  Every byte of the file is hostile; whoever
 * prints what it gives escapes it (text_escape). */
#include "audit/show.h"
#include "audit/reader.h"
#include "audit/record.h"
#include "lib/json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define JSON_DEPTH 3

static bool same(const char *want, const char *have)
{
	return !want || strcmp(want, have) == 0;
}

static bool type_matches(const char *want, const char *have)
{
	size_t len = want ? strlen(want) : 0;

	if (len > 0 && want[len - 1] == '.')
		return strncmp(want, have, len) == 0;
	return same(want, have);
}

static bool matches(const struct audit_filter *f, const struct audit_entry *e)
{
	if (!f)
		return true;
	if (f->since_ms && e->time_ms < f->since_ms)
		return false;
	if (f->until_ms && e->time_ms > f->until_ms)
		return false;
	return type_matches(f->type, e->event.type) &&
	       same(f->object, e->event.object) &&
	       same(f->host, e->event.host) &&
	       same(f->change, e->event.change) &&
	       same(f->commit, e->event.commit) &&
	       same(f->actor, e->event.actor);
}

static bool in_range(const struct audit_filter *f, uint64_t seq)
{
	return !f || (seq >= f->first && (f->last == 0 || seq <= f->last));
}

static bool read_phase(const json_t *root, enum audit_phase *out)
{
	const char *text = json_string_value(json_object_get(root, "phase"));

	for (int i = AUDIT_FACT; text && i <= AUDIT_OUTCOME; i++)
		if (strcmp(text, audit_record_phase((enum audit_phase)i)) ==
		    0) {
			*out = (enum audit_phase)i;
			return true;
		}
	return false;
}

static bool read_detail(const json_t *root, struct audit_pair *pairs,
			size_t *out_n)
{
	json_t *detail = json_object_get(root, "detail"), *value;
	const char *key;
	size_t n = 0;

	if (!json_is_object(detail) ||
	    json_object_size(detail) > AUDIT_DETAIL_MAX)
		return false;
	json_object_foreach(detail, key, value)
	{
		if (!json_is_string(value))
			return false;
		pairs[n++] = (struct audit_pair){key, json_string_value(value)};
	}
	*out_n = n;
	return true;
}

static bool read_event(const json_t *root, struct audit_pair *pairs,
		       struct audit_event *out)
{
	const struct {
		const char *key;
		const char **to;
	} texts[] = {
		{"type", &out->type},	  {"actor", &out->actor},
		{"object", &out->object}, {"commit", &out->commit},
		{"host", &out->host},	  {"change", &out->change},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		*texts[i].to =
			json_string_value(json_object_get(root, texts[i].key));
		if (!*texts[i].to)
			return false;
	}
	out->detail = pairs;
	return read_phase(root, &out->phase) &&
	       read_detail(root, pairs, &out->n_detail);
}

struct show {
	const struct audit_filter *filter;
	int (*each)(void *ctx, const struct audit_entry *entry,
		    struct err *err);
	void *ctx;
	uint64_t line;
};

static int bad_line(const struct show *s, struct err *err)
{
	return err_set(err, ERR_AUDIT,
		       "line %" PRIu64 " of the audit log is no entry; see "
		       "\"reconcile audit verify\"",
		       s->line);
}

static int show_line(const struct show *s, const char *line, size_t len,
		     struct err *err)
{
	struct audit_pair pairs[AUDIT_DETAIL_MAX];
	struct audit_record_scan scan;
	struct audit_entry entry = {.line = line, .line_len = len};
	json_t *root = NULL;
	int r = 0;

	if (!audit_record_scan(line, len, &scan))
		return bad_line(s, err);
	if (!in_range(s->filter, scan.seq))
		return 0;
	if (json_read(line, len, AUDIT_RECORD_MAX, JSON_DEPTH, &root, NULL) <
		    0 ||
	    !read_event(root, pairs, &entry.event)) {
		r = bad_line(s, err);
		goto out;
	}
	entry.seq = scan.seq;
	entry.time_ms = scan.time_ms;
	if (matches(s->filter, &entry))
		r = s->each(s->ctx, &entry, err);
out:
	json_decref(root);
	return r;
}

int audit_show(int dirfd, const struct audit_filter *filter,
	       int (*each)(void *ctx, const struct audit_entry *entry,
			   struct err *err),
	       void *ctx, struct err *err)
{
	struct show s = {.filter = filter, .each = each, .ctx = ctx};
	struct audit_reader reader;
	const char *line;
	size_t len;
	int fd, r;

	fd = openat(dirfd, AUDIT_FILE_LOG,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return err_sys(err, errno, "open the audit log");
	r = audit_reader_init(&reader, fd, 0, err);
	while (r == 0) {
		r = audit_reader_next(&reader, &line, &len, err);
		if (r <= 0)
			break;
		s.line++;
		r = show_line(&s, line, len, err);
	}
	audit_reader_release(&reader);
	(void)close(fd);
	return r;
}
