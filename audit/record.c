/*
 * record.c - entries as lines of canonical JSON.  Runs in the writer and in
 * whoever verifies; the values of an event and, when reading, the whole line
 * are hostile.
 */
#include "audit/record.h"
#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/json.h"
#include "lib/num.h"

#include <assert.h>
#include <string.h>

#define HEX_LEN (HASH_BYTES * 2)
/* ,"hash":"<64>"} */
#define TAIL_LEAD ",\"hash\":\""
#define TAIL_LEN (sizeof(TAIL_LEAD) - 1 + HEX_LEN + 2)
#define TIME_LEN 24

static const char *const phase_names[] = {
	[AUDIT_FACT] = "fact",
	[AUDIT_INTENT] = "intent",
	[AUDIT_OUTCOME] = "outcome",
};

const char *audit_record_phase(enum audit_phase phase)
{
	assert((size_t)phase < sizeof(phase_names) / sizeof(phase_names[0]));
	return phase_names[phase];
}

static size_t text_len(const char *text)
{
	return text ? strlen(text) : 0;
}

static bool is_word(const char *s, size_t max)
{
	size_t len = strnlen(s, max + 1);

	if (len == 0 || len > max || s[0] < 'a' || s[0] > 'z')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') ||
		      (s[i] >= '0' && s[i] <= '9') || strchr("._-", s[i])))
			return false;
	return true;
}

static int check_detail(const struct audit_event *event, struct err *err)
{
	size_t bytes = 0;

	if (event->n_detail > AUDIT_DETAIL_MAX)
		return err_set(err, ERR_INPUT,
			       "audit event: want at most %d details, have %zu",
			       AUDIT_DETAIL_MAX, event->n_detail);
	for (size_t i = 0; i < event->n_detail; i++) {
		const struct audit_pair *p = &event->detail[i];

		if (!p->key || !is_word(p->key, AUDIT_TYPE_MAX))
			return err_set(err, ERR_INPUT,
				       "audit event: key of detail %zu is not "
				       "a word",
				       i);
		for (size_t k = 0; k < i; k++)
			if (strcmp(event->detail[k].key, p->key) == 0)
				return err_set(err, ERR_INPUT,
					       "audit event: detail %s is "
					       "given twice",
					       p->key);
		bytes += strlen(p->key) + text_len(p->value);
		if (bytes > AUDIT_DETAIL_BYTES_MAX)
			return err_set(err, ERR_INPUT,
				       "audit event: want at most %d bytes of "
				       "details, have more",
				       AUDIT_DETAIL_BYTES_MAX);
	}
	return 0;
}

int audit_record_check(const struct audit_event *event, bool own,
		       struct err *err)
{
	const char *const texts[] = {event->actor, event->object, event->commit,
				     event->host, event->change};

	if (!event->type || !is_word(event->type, AUDIT_TYPE_MAX))
		return err_set(
			err, ERR_INPUT,
			"audit event: type is not a word of [a-z0-9._-]");
	if (!own && strncmp(event->type, "log.", 4) == 0)
		return err_set(err, ERR_INPUT,
			       "audit event: type %s is the writer's own",
			       event->type);
	if ((size_t)event->phase >=
	    sizeof(phase_names) / sizeof(phase_names[0]))
		return err_set(err, ERR_INPUT, "audit event: unknown phase %d",
			       (int)event->phase);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (text_len(texts[i]) > AUDIT_TEXT_MAX)
			return err_set(err, ERR_INPUT,
				       "audit event: want texts of at most %d "
				       "bytes, have %zu",
				       AUDIT_TEXT_MAX, text_len(texts[i]));
	return check_detail(event, err);
}

static void put_text(struct jsonw *w, const char *key, const char *text)
{
	jsonw_kstr(w, key, text ? text : "");
}

/* Keys in byte order, so that equal events give equal bytes. */
static void put_detail(struct jsonw *w, const struct audit_event *event)
{
	const struct audit_pair *sorted[AUDIT_DETAIL_MAX];

	for (size_t i = 0; i < event->n_detail; i++) {
		size_t k = i;

		for (; k > 0 &&
		       strcmp(sorted[k - 1]->key, event->detail[i].key) > 0;
		     k--)
			sorted[k] = sorted[k - 1];
		sorted[k] = &event->detail[i];
	}
	jsonw_key(w, "detail");
	jsonw_obj(w);
	for (size_t i = 0; i < event->n_detail; i++)
		put_text(w, sorted[i]->key, sorted[i]->value);
	jsonw_obj_end(w);
}

void audit_record_write(struct buf *out, struct hash *h,
			const struct audit_event *event, uint64_t seq,
			int64_t time_ms, uint8_t head[HASH_BYTES])
{
	char time[CLOCK_RFC3339_BYTES], hex[HASH_HEX];
	size_t start = out->len;
	struct jsonw w;

	encode_hex(hex, head, HASH_BYTES);
	jsonw_init(&w, out);
	w.inert = true;
	jsonw_obj(&w);
	jsonw_kint(&w, "seq", (int64_t)seq);
	put_text(&w, "time", clock_rfc3339(time_ms, time));
	put_text(&w, "prev", hex);
	put_text(&w, "type", event->type);
	put_text(&w, "phase", audit_record_phase(event->phase));
	put_text(&w, "actor", event->actor);
	put_text(&w, "object", event->object);
	put_text(&w, "commit", event->commit);
	put_text(&w, "host", event->host);
	put_text(&w, "change", event->change);
	put_detail(&w, event);
	if (out->failed)
		return;
	hash_add(h, out->data + start, out->len - start);
	hash_add(h, "}", 1);
	hash_end(h, head);
	encode_hex(hex, head, HASH_BYTES);
	put_text(&w, "hash", hex);
	jsonw_obj_end(&w);
	buf_putc(out, '\n');
}

/* --- reading what links entries ------------------------------------------- */

struct cursor {
	const char *p, *end;
};

static bool take(struct cursor *c, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(c->end - c->p) < n || memcmp(c->p, text, n) != 0)
		return false;
	c->p += n;
	return true;
}

static bool take_seq(struct cursor *c, uint64_t *out)
{
	const char *start = c->p;

	while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
		c->p++;
	return num_parse_u64(start, (size_t)(c->p - start), INT64_MAX, out) &&
	       *out > 0;
}

static bool take_time(struct cursor *c, int64_t *out_ms)
{
	char text[TIME_LEN + 1];

	if ((size_t)(c->end - c->p) < TIME_LEN)
		return false;
	memcpy(text, c->p, TIME_LEN);
	text[TIME_LEN] = '\0';
	c->p += TIME_LEN;
	return clock_parse_rfc3339(text, out_ms);
}

static bool take_hash(struct cursor *c, uint8_t out[HASH_BYTES])
{
	if ((size_t)(c->end - c->p) < HEX_LEN ||
	    !encode_unhex(out, c->p, HEX_LEN))
		return false;
	c->p += HEX_LEN;
	return true;
}

bool audit_record_scan(const char *line, size_t len,
		       struct audit_record_scan *out)
{
	struct cursor c = {line, line + len};
	struct audit_record_scan s;

	if (len >= AUDIT_RECORD_MAX || len < TAIL_LEN)
		return false;
	if (!take(&c, "{\"seq\":") || !take_seq(&c, &s.seq) ||
	    !take(&c, ",\"time\":\"") || !take_time(&c, &s.time_ms) ||
	    !take(&c, "\",\"prev\":\"") || !take_hash(&c, s.prev) ||
	    !take(&c, "\",\"type\":\""))
		return false;
	if ((size_t)(c.end - c.p) < TAIL_LEN)
		return false;
	c.p = c.end - TAIL_LEN;
	if (!take(&c, TAIL_LEAD) || !take_hash(&c, s.hash) || !take(&c, "\"}"))
		return false;
	*out = s;
	return true;
}

void audit_record_hash(struct hash *h, const char *line, size_t len,
		       uint8_t out[HASH_BYTES])
{
	assert(len >= TAIL_LEN);
	hash_add(h, line, len - TAIL_LEN);
	hash_add(h, "}", 1);
	hash_end(h, out);
}
