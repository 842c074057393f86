/*
 * signers.c - see signers.h.
 *
 * Line:  principals [options] keytype base64 [comment]
 * Options: cert-authority, namespaces="...", valid-after="...",
 * valid-before="...", no-touch-required, verify-required.
 *
 * The text is copied once and cut in place: every token is NUL terminated.
 */
#include "policy/trust/signers.h"
#include "lib/arena.h"
#include "lib/encode.h"
#include "lib/pattern.h"
#include "lib/text.h"
#include "policy/trust/utc.h"

#include <stdlib.h>
#include <string.h>

struct signers {
	struct arena *own; /* freed with it; NULL: somebody else's */
	struct arena *arena;
	struct signer *items;
	size_t n;
	struct revoked revoked;
	bool *line_revoked; /* per item: its key is on the list */
};

struct ctx {
	struct signers *s;
	unsigned int line;
	bool has_namespaces;
	struct verdict *v;
};

static int bad(struct ctx *c, enum tcode code, const char *what,
	       const char *have)
{
	char shown[80];

	return verdict_fail(c->v, code, "allowed signers:%u: %s%s%s%s", c->line,
			    what, have != NULL ? " \"" : "",
			    have != NULL ? text_safe(shown, sizeof(shown), have,
						     strlen(have))
					 : "",
			    have != NULL ? "\"" : "");
}

/* Cuts the next word off *at (blanks and tabs between words). */
static char *next_word(char **at)
{
	char *word = *at + strspn(*at, " \t");
	char *end = word;
	bool quoted = false;

	while (*end != '\0' && (quoted || (*end != ' ' && *end != '\t'))) {
		if (*end == '"')
			quoted = !quoted;
		end++;
	}
	*at = end;
	if (*end != '\0') {
		*end = '\0';
		*at = end + 1;
	}
	return word;
}

static int set_time(struct ctx *c, const char *value, int64_t *out)
{
	switch (utc_parse(value, out)) {
	case UTC_OK:
		return 0;
#ifndef GUARD_OFF_LOCAL_TIME
	case UTC_LOCAL:
		return bad(c, TCODE_LOCAL_TIME,
			   "want a time in UTC that ends in Z, have", value);
#endif
	default:
		return bad(c, TCODE_SIGNERS,
			   "want YYYYMMDDZ or YYYYMMDDHHMM[SS]Z, have", value);
	}
}

static int set_namespaces(struct ctx *c, char *value)
{
	char *rest = value;
	char *item;

	while ((item = strsep(&rest, ",")) != NULL) {
		if (*item == '\0' || strpbrk(item, "*?!") != NULL)
			return bad(c, TCODE_NO_NAMESPACE,
				   "want plain names in namespaces, have",
				   item);
		if (strcmp(item, "git") == 0)
			c->has_namespaces = true;
	}
	return 0;
}

/* name="value" -> value without quotes; NULL if it has none. */
static char *option_value(char *option, const char *name)
{
	size_t n = strlen(name);
	size_t len = strlen(option);

	if (strncasecmp(option, name, n) != 0 || option[n] != '=' ||
	    option[n + 1] != '"' || len < n + 3 || option[len - 1] != '"')
		return NULL;
	option[len - 1] = '\0';
	return strchr(option + n + 2, '"') == NULL ? option + n + 2 : NULL;
}

static int set_option(struct ctx *c, char *option, struct signer *s)
{
	char *value;

	if (strcasecmp(option, "cert-authority") == 0)
		s->authority = true;
	else if (strcasecmp(option, "no-touch-required") == 0)
		s->no_touch_required = true;
	else if (strcasecmp(option, "verify-required") == 0)
		s->verify_required = true;
	else if ((value = option_value(option, "namespaces")) != NULL)
		return set_namespaces(c, value);
	else if ((value = option_value(option, "valid-after")) != NULL)
		return set_time(c, value, &s->valid_after);
	else if ((value = option_value(option, "valid-before")) != NULL)
		return set_time(c, value, &s->valid_before);
	else
		return bad(c, TCODE_SIGNERS, "unknown or malformed option",
			   option);
	return 0;
}

/* Options are parted by commas outside quotes. */
static int set_options(struct ctx *c, char *options, struct signer *s)
{
	while (*options != '\0') {
		char *end = options;
		bool quoted = false;
		bool last;
		int r;

		for (; *end != '\0' && (quoted || *end != ','); end++)
			if (*end == '"')
				quoted = !quoted;
		last = *end == '\0';
		*end = '\0';
		r = set_option(c, options, s);
		if (r < 0)
			return r;
		options = last ? end : end + 1;
	}
	return 0;
}

static bool is_key_type(const char *word)
{
	struct wire_span name = {(const uint8_t *)word, strlen(word)};

	return pubkey_type_find(&name) != NULL ||
	       pubkey_cert_type_find(&name) != NULL ||
	       strcmp(word, "ssh-dss") == 0;
}

static int bad_key(struct verdict *v, const char *what, const char *have)
{
	char shown[80];

	return verdict_fail(
		v, TCODE_SIGNERS, "%s \"%s\"", what,
		text_safe(shown, sizeof(shown), have, strlen(have)));
}

static int read_key(const char *type, const char *b64, struct arena *arena,
		    struct signer *s, struct verdict *v)
{
	struct buf bytes;
	struct wire_span name;
	struct wire w;
	int r = 0;

	buf_init(&bytes, PUBKEY_BLOB_MAX);
	if (!encode_unbase64(&bytes, b64, strlen(b64))) {
		r = bad_key(v, "want base64 of a key, have", b64);
		goto out;
	}
	s->blob.bytes = arena_memdup(arena, bytes.data, bytes.len);
	s->blob.len = bytes.len;
	w = wire_of(&s->blob);
	if (!wire_string(&w, &name) || !wire_is(&name, type)) {
		r = bad_key(v, "the key is not of the type", type);
		goto out;
	}
	r = pubkey_parse(&s->blob, &s->key, v);
out:
	buf_release(&bytes);
	return r;
}

int signers_read_key(const char *line, struct arena *arena, struct signer *out,
		     struct verdict *v)
{
	char *rest = arena_strdup(arena, line);
	const char *type = next_word(&rest);

	return read_key(type, next_word(&rest), arena, out, v);
}

static int set_principals(struct ctx *c, char *word, struct signer *s)
{
	char *comma;

	if (*word == '\0' || *word == '"' || !text_is_utf8(word, strlen(word)))
		return bad(c, TCODE_SIGNERS, "want a principal, have", word);
	s->principals = arena_strdup(c->s->arena, word);
	comma = strchr(word, ',');
	s->name = arena_strndup(c->s->arena, word,
				comma != NULL ? (size_t)(comma - word)
					      : strlen(word));
	if (*s->name == '\0')
		return bad(c, TCODE_SIGNERS, "want a principal, have", word);
	return 0;
}

static int parse_line(struct ctx *c, char *line)
{
	struct signer s = {.line = c->line,
			   .valid_after = INT64_MIN,
			   .valid_before = INT64_MAX};
	char *rest = line;
	char *word;
	char *type;
	int r;

	c->has_namespaces = false;
	r = set_principals(c, next_word(&rest), &s);
	if (r < 0)
		return r;
	word = next_word(&rest);
	type = word;
	if (!is_key_type(word)) {
		r = set_options(c, word, &s);
		if (r < 0)
			return r;
		type = next_word(&rest);
	}
	r = read_key(type, next_word(&rest), c->s->arena, &s, c->v);
	if (r < 0)
		return verdict_wrap(c->v, "allowed signers:%u", c->line);
	c->s->items[c->s->n++] = s; /* owned by the list from here on */
#ifndef GUARD_OFF_SIGNER_NAMESPACE
	if (!c->has_namespaces)
		return bad(c, TCODE_NO_NAMESPACE,
			   "want namespaces=\"git\" before the key type of",
			   s.name);
#endif
	if (!s.authority && strpbrk(s.principals, "*?!") != NULL)
		return bad(c, TCODE_SIGNERS,
			   "a key belongs to a named person; patterns are for "
			   "cert-authority lines; have",
			   s.principals);
	if (s.valid_after >= s.valid_before)
		return bad(c, TCODE_SIGNERS,
			   "valid-after is not before "
			   "valid-before",
			   NULL);
	return 0;
}

static int parse_allowed(struct ctx *c, char *text, size_t len)
{
	struct signers *s = c->s;
	char *rest = text;
	char *line;
	size_t lines = 1;
	int r;

	if (len > SIGNERS_TEXT_MAX || memchr(text, '\0', len) != NULL)
		return bad(c, TCODE_SIGNERS, "a NUL byte, or over 4 MiB", NULL);
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	if (lines > SIGNERS_LINES_MAX)
		return bad(c, TCODE_SIGNERS, "too many lines", NULL);
	s->items = arena_calloc(s->arena, lines, sizeof(s->items[0]));
	while ((line = strsep(&rest, "\n")) != NULL) {
		size_t n = strlen(line);

		c->line++;
		if (n > 0 && line[n - 1] == '\r')
			line[--n] = '\0';
		line += strspn(line, " \t");
		if (*line == '\0' || *line == '#')
			continue;
		r = parse_line(c, line);
		if (r < 0)
			return r;
	}
	if (s->n == 0)
		return bad(c, TCODE_SIGNERS, "want at least one signer", NULL);
	return 0;
}

static void mark_revoked(struct signers *s)
{
	s->line_revoked = arena_calloc(s->arena, s->n, sizeof(bool));
	for (size_t i = 0; i < s->n; i++)
		s->line_revoked[i] =
			revoked_has_key(&s->revoked, &s->items[i].blob);
}

struct signers *signers_of(struct signer *items, size_t n,
			   const struct revoked *revoked, struct arena *arena)
{
	struct signers *s = arena_alloc(arena, sizeof(*s));

	*s = (struct signers){
		.arena = arena, .items = items, .n = n, .revoked = *revoked};
	mark_revoked(s);
	return s;
}

int signers_new(const char *allowed, size_t allowed_len, const char *revoked,
		size_t revoked_len, struct signers **out, struct verdict *v)
{
	struct arena *arena = arena_new((size_t)64 << 20);
	struct signers *s = arena_alloc(arena, sizeof(*s));
	struct ctx c = {.s = s, .v = v};
	int r;

	s->own = s->arena = arena;
	if (allowed_len > SIGNERS_TEXT_MAX || revoked_len > SIGNERS_TEXT_MAX) {
		r = verdict_fail(v, TCODE_SIGNERS, "a trust file over %u bytes",
				 SIGNERS_TEXT_MAX);
		goto out;
	}
	r = parse_allowed(&c, arena_strndup(arena, allowed, allowed_len),
			  allowed_len);
	if (r < 0)
		goto out;
	revoked_init(&s->revoked, arena);
	r = revoked_add(&s->revoked, revoked, revoked_len, v);
	if (r < 0)
		goto out;
	revoked_finish(&s->revoked);
	mark_revoked(s);
	*out = s;
	s = NULL;
out:
	signers_free(s);
	return r;
}

void signers_free(struct signers *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		pubkey_release(&s->items[i].key);
	arena_free(s->own);
}

const struct signer *signers_next(const struct signers *s,
				  const struct wire_span *blob, bool authority,
				  const struct signer *prev)
{
	size_t i = prev != NULL ? (size_t)(prev - s->items) + 1 : 0;

	for (; i < s->n; i++)
		if (s->items[i].kind == ARMOR_SSH &&
		    s->items[i].authority == authority &&
		    wire_equal(&s->items[i].blob, blob))
			return &s->items[i];
	return NULL;
}

const struct signer *signers_each(const struct signers *s,
				  const struct signer *prev)
{
	size_t i = prev != NULL ? (size_t)(prev - s->items) + 1 : 0;

	return i < s->n ? &s->items[i] : NULL;
}

const struct signer *signers_next_of(const struct signers *s,
				     enum armor_kind kind,
				     const struct signer *prev)
{
	size_t i = prev != NULL ? (size_t)(prev - s->items) + 1 : 0;

	for (; i < s->n; i++)
		if (s->items[i].kind == kind)
			return &s->items[i];
	return NULL;
}

bool signers_name_fits(const struct signer *line, const struct wire_span *name)
{
	const char *at = line->principals;
	bool fits = false;

	for (;;) {
		size_t n = strcspn(at, ",");
		bool negated = at[0] == '!';

		if (pattern_name(at + negated, n - negated,
				 (const char *)name->bytes, name->len)) {
			if (negated)
				return false;
			fits = true;
		}
		if (at[n] == '\0')
			return fits;
		at += n + 1;
	}
}

bool signers_key_revoked(const struct signers *s, const struct wire_span *blob)
{
	for (size_t i = 0; i < s->n; i++)
		if (wire_equal(&s->items[i].blob, blob))
			return s->line_revoked[i];
	return revoked_has_key(&s->revoked, blob);
}

bool signers_fingerprint_revoked(const struct signers *s,
				 const char *fingerprint)
{
	return revoked_has_fingerprint(&s->revoked, fingerprint);
}

bool signers_serial_revoked(const struct signers *s, uint64_t serial,
			    const struct wire_span *id)
{
	return revoked_has_cert(&s->revoked, serial, id, NULL);
}

bool signers_cert_revoked(const struct signers *s, const struct sshcert *cert)
{
	struct wire_span key = {(const uint8_t *)cert->key_blob.data,
				cert->key_blob.len};

	return revoked_has_cert(&s->revoked, cert->serial, &cert->id,
				&cert->ca_key) ||
	       signers_key_revoked(s, &key) ||
	       signers_key_revoked(s, &cert->ca_key);
}

bool signers_payload_revoked(const struct signers *s,
			     const uint8_t digest[HASH_BYTES])
{
	return revoked_has_payload(&s->revoked, digest);
}
