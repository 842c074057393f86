/*
 * ref.c - see ref.h.  Runs in the agent, in reconcile-pull and
 * wherever a manifest's image field is judged; the text is hostile.
 */
#include "engine/image/ref.h"

#include "lib/num.h"
#include "lib/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NAME_LEN_MAX 255
#define REF_LEN_MAX 680

struct span {
	const char *p;
	size_t len;
};

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* Length of the separator at p: ".", "_", "__" or any number of "-". */
static size_t separator(const char *p, size_t len)
{
	size_t n = 0;

	if (p[0] == '.')
		return 1;
	if (p[0] == '_')
		return len > 1 && p[1] == '_' ? 2 : 1;
	while (n < len && p[n] == '-')
		n++;
	return n;
}

static bool component_ok(struct span s)
{
	size_t i = 0;

	for (;;) {
		size_t start = i;
		size_t sep;

		while (i < s.len && is_lower_alnum(s.p[i]))
			i++;
		if (i == start)
			return false;
		if (i == s.len)
			return true;
		sep = separator(s.p + i, s.len - i);
		if (sep == 0)
			return false;
		i += sep;
	}
}

static bool path_ok(struct span s)
{
	while (s.len) {
		const char *slash = memchr(s.p, '/', s.len);
		size_t n = slash ? (size_t)(slash - s.p) : s.len;

		if (!component_ok((struct span){s.p, n}))
			return false;
		if (!slash)
			return true;
		s.p += n + 1;
		s.len -= n + 1;
	}
	return false;
}

static bool label_ok(const char *p, size_t len)
{
	size_t i;

	if (len == 0 || len > 63 || !is_alnum(p[0]) || !is_alnum(p[len - 1]))
		return false;
	for (i = 0; i < len; i++) {
		if (!is_alnum(p[i]) && p[i] != '-')
			return false;
	}
	return true;
}

static bool dns_ok(struct span s)
{
	while (s.len) {
		const char *dot = memchr(s.p, '.', s.len);
		size_t n = dot ? (size_t)(dot - s.p) : s.len;

		if (!label_ok(s.p, n))
			return false;
		if (!dot)
			return true;
		s.p += n + 1;
		s.len -= n + 1;
	}
	return false;
}

static bool ipv6_ok(struct span s)
{
	size_t i;

	if (s.len < 4 || s.p[0] != '[' || s.p[s.len - 1] != ']')
		return false;
	for (i = 1; i + 1 < s.len; i++) {
		if (!strchr("0123456789abcdefABCDEF:", s.p[i]))
			return false;
	}
	return true;
}

static bool domain_ok(struct span s)
{
	struct span name = s;
	const char *close = memchr(s.p, ']', s.len);
	const char *from = close ? close : s.p;
	const char *colon = memchr(from, ':', s.len - (size_t)(from - s.p));
	uint64_t port;

	if (colon) {
		name.len = (size_t)(colon - s.p);
		if (!num_parse_u64(colon + 1, s.len - name.len - 1, 65535,
				   &port) ||
		    port == 0)
			return false;
	}
	if (name.len && name.p[0] == '[')
		return ipv6_ok(name);
	return name.len <= 253 && dns_ok(name);
}

static bool tag_ok(struct span s)
{
	size_t i;

	if (s.len == 0 || s.len >= IMAGE_REF_TAG_BYTES)
		return false;
	for (i = 0; i < s.len; i++) {
		bool inner = i > 0 && (s.p[i] == '.' || s.p[i] == '-');

		if (!is_alnum(s.p[i]) && s.p[i] != '_' && !inner)
			return false;
	}
	return true;
}

static bool looks_like_domain(struct span first)
{
	return memchr(first.p, '.', first.len) ||
	       memchr(first.p, ':', first.len) ||
	       (first.len == 9 && memcmp(first.p, "localhost", 9) == 0);
}

static void copy(char *dst, struct span s)
{
	memcpy(dst, s.p, s.len);
	dst[s.len] = '\0';
}

static bool span_is(struct span s, const char *word)
{
	return s.len == strlen(word) && memcmp(s.p, word, s.len) == 0;
}

struct parts {
	struct span host, path, tag, digest;
};

/* Cuts the text at '@', at the tag's ':' and behind the domain. */
static void cut(const char *text, struct parts *out)
{
	const char *at = strchr(text, '@');
	struct span name = {text, at ? (size_t)(at - text) : strlen(text)};
	const char *slash;
	const char *colon = NULL;
	size_t i;

	*out = (struct parts){0};
	if (at)
		out->digest = (struct span){at + 1, strlen(at + 1)};
	for (i = name.len; i > 0 && name.p[i - 1] != '/'; i--) {
		if (name.p[i - 1] == ':')
			colon = name.p + i - 1;
	}
	if (colon) {
		out->tag.p = colon + 1;
		out->tag.len = name.len - (size_t)(colon + 1 - name.p);
		name.len = (size_t)(colon - name.p);
	}
	slash = memchr(name.p, '/', name.len);
	out->path = name;
	if (slash) {
		struct span first = {name.p, (size_t)(slash - name.p)};

		if (looks_like_domain(first)) {
			out->host = first;
			out->path.p = slash + 1;
			out->path.len = name.len - first.len - 1;
		}
	}
}

static int check(const struct parts *p, const char *shown, struct err *err)
{
	if (p->host.p && !domain_ok(p->host))
		return err_set(err, ERR_INPUT,
			       "image \"%s\": want host[:port] before the "
			       "first '/'",
			       shown);
	if (!path_ok(p->path) || p->host.len + 1 + p->path.len > NAME_LEN_MAX)
		return err_set(err, ERR_INPUT,
			       "image \"%s\": want a repository of lower-case "
			       "letters, digits and single . _ __ - between "
			       "them, at most %d long",
			       shown, NAME_LEN_MAX);
	if (p->tag.p && !tag_ok(p->tag))
		return err_set(err, ERR_INPUT,
			       "image \"%s\": want a tag of letters, digits, "
			       "'_', '.' and '-', at most 128 long",
			       shown);
	if (p->digest.p) {
		int r = digest_check(p->digest.p, "image reference", err);

		if (r < 0)
			return r;
	}
	return 0;
}

static void complete(const struct parts *p, struct image_ref *ref)
{
	bool hub = !p->host.p || span_is(p->host, "docker.io") ||
		   span_is(p->host, "index.docker.io");
	bool bare = hub && !memchr(p->path.p, '/', p->path.len);
	size_t at = 0;

	if (hub)
		copy(ref->host, (struct span){"docker.io", 9});
	else
		copy(ref->host, p->host);
	if (bare) {
		copy(ref->path, (struct span){"library/", 8});
		at = 8;
	}
	copy(ref->path + at, p->path);
	if (p->tag.p)
		copy(ref->tag, p->tag);
	else if (!p->digest.p)
		copy(ref->tag, (struct span){"latest", 6});
	if (p->digest.p)
		copy(ref->digest, p->digest);
}

static int too_long(const char *shown, struct err *err)
{
	return err_set(err, ERR_INPUT,
		       "image \"%s\": repository over %d characters with its "
		       "host",
		       shown, NAME_LEN_MAX);
}

int image_ref_parse(const char *text, struct image_ref *out, struct err *err)
{
	struct image_ref ref = {0};
	struct parts p;
	char shown[160];
	int r;

	if (!text || !*text)
		return err_set(err, ERR_INPUT, "image reference is empty");
	text_safe(shown, sizeof(shown), text, strlen(text));
	if (strlen(text) > REF_LEN_MAX)
		return err_set(err, ERR_INPUT,
			       "image \"%s\": over %d characters", shown,
			       REF_LEN_MAX);
	cut(text, &p);
	r = check(&p, shown, err);
	if (r < 0)
		return r;
	/* what is added in front must still fit, or the normal form would be
	 * refused itself; the first test is for the room in the struct */
	if (p.path.len + 8 >= IMAGE_REF_PATH_BYTES &&
	    !memchr(p.path.p, '/', p.path.len))
		return too_long(shown, err);
	complete(&p, &ref);
	if (strlen(ref.host) + 1 + strlen(ref.path) > NAME_LEN_MAX)
		return too_long(shown, err);
	*out = ref;
	return 0;
}

const char *image_ref_format(const struct image_ref *ref,
			     char out[IMAGE_REF_BYTES])
{
	(void)snprintf(out, IMAGE_REF_BYTES, "%s/%s%s%s%s%s", ref->host,
		       ref->path, ref->tag[0] ? ":" : "", ref->tag,
		       ref->digest[0] ? "@" : "", ref->digest);
	return out;
}

const char *image_ref_endpoint(const struct image_ref *ref)
{
	if (strcmp(ref->host, "docker.io") == 0)
		return "registry-1.docker.io";
	return ref->host;
}
