/*
 * imagename.c - image references.  Pure; the text is hostile.
 *
 * A name without a registry means docker.io, as every client reads it; the
 * allowed list is compared with that full form, so "nginx" cannot slip past a
 * list that does not name docker.io.
 */
#include "policy/admission/imagename.h"

#include "lib/text.h"

#include <ctype.h>
#include <string.h>

#define TAG_MAX 128
#define DIGEST_PREFIX "sha256:"
#define DIGEST_HEX 64

static bool is_alnum_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* [a-z0-9]+ joined by one of '.', '_', '__' or any number of '-'. */
static bool is_component(const char *s, size_t len)
{
	size_t i = 0;

	while (i < len) {
		size_t word = i, sep;

		while (i < len && is_alnum_lower(s[i]))
			i++;
		if (i == word)
			return false;
		if (i == len)
			return true;
		sep = i;
		if (s[i] == '-')
			while (i < len && s[i] == '-')
				i++;
		else if (s[i] == '.' || s[i] == '_')
			i += s[i] == '_' && i + 1 < len && s[i + 1] == '_' ? 2
									   : 1;
		if (i == sep || i == len)
			return false;
	}
	return false;
}

static bool is_path(const char *s, size_t len)
{
	const char *end = s + len;

	for (;;) {
		const char *slash = memchr(s, '/', (size_t)(end - s));
		const char *stop = slash ? slash : end;

		if (!is_component(s, (size_t)(stop - s)))
			return false;
		if (!slash)
			return true;
		s = slash + 1;
	}
}

/* host[:port]: letters of a DNS name in lower case or an IPv4 address. */
static bool is_registry(const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len);
	size_t host = colon ? (size_t)(colon - s) : len;

	if (host == 0 || s[0] == '.' || s[0] == '-' || s[host - 1] == '.' ||
	    s[host - 1] == '-')
		return false;
	for (size_t i = 0; i < host; i++)
		if (!is_alnum_lower(s[i]) && s[i] != '.' && s[i] != '-')
			return false;
	if (!colon)
		return true;
	if (len - host - 1 == 0 || len - host - 1 > 5)
		return false;
	for (size_t i = host + 1; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

static bool is_tag(const char *s, size_t len)
{
	if (len == 0 || len > TAG_MAX || s[0] == '.' || s[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '_' &&
		    s[i] != '.' && s[i] != '-')
			return false;
	return true;
}

/* Does the part before the first '/' name a registry? */
static bool names_registry(const char *s, size_t len)
{
	return memchr(s, '.', len) || memchr(s, ':', len) ||
	       (len == 9 && memcmp(s, "localhost", 9) == 0);
}

static int set_repository(struct imagename *out, const char *name, size_t len,
			  struct err *err)
{
	const char *slash = memchr(name, '/', len);
	size_t first = slash ? (size_t)(slash - name) : 0;

	if (slash && names_registry(name, first)) {
		if (!is_registry(name, first))
			return err_set(err, ERR_INPUT,
				       "want a registry host[:port] in lower "
				       "case before the first '/'");
		if (!is_path(slash + 1, len - first - 1))
			return err_set(err, ERR_INPUT,
				       "want a repository path of lower-case "
				       "letters, digits and . _ - /");
		memcpy(out->repository, name, len);
		out->repository[len] = '\0';
		out->registry_len = first;
		return 0;
	}
	if (!is_path(name, len))
		return err_set(err, ERR_INPUT,
			       "want [registry/]path[:tag][@sha256:digest] in "
			       "lower case");
	(void)snprintf(out->repository, sizeof(out->repository),
		       "docker.io/%s%.*s", slash ? "" : "library/", (int)len,
		       name);
	out->registry_len = strlen("docker.io");
	return 0;
}

int imagename_parse(const char *image, struct imagename *out, struct err *err)
{
	struct imagename n = {.tag = NULL};
	const char *at, *slash, *colon, *end;
	size_t len = strlen(image);
	int r;

	at = strchr(image, '@');
	end = at ? at : image + len;
	if (at) {
		n.digest = at + 1;
		if (strncmp(n.digest, DIGEST_PREFIX, strlen(DIGEST_PREFIX)) !=
			    0 ||
		    !text_is_hex(n.digest + strlen(DIGEST_PREFIX), DIGEST_HEX))
			return err_set(err, ERR_INPUT,
				       "want @sha256: and 64 lower-case hex "
				       "digits");
	}
	slash = memrchr(image, '/', (size_t)(end - image));
	colon = memchr(slash ? slash : image, ':',
		       (size_t)(end - (slash ? slash : image)));
	if (colon) {
		n.tag = colon + 1;
		n.tag_len = (size_t)(end - colon - 1);
		if (!is_tag(n.tag, n.tag_len))
			return err_set(err, ERR_INPUT,
				       "want a tag of 1 to 128 letters, digits "
				       "and _ . -");
		end = colon;
	}
	if (end == image || end - image > IMAGENAME_MAX)
		return err_set(err, ERR_INPUT,
			       "want a name of 1 to %d characters",
			       IMAGENAME_MAX);
	r = set_repository(&n, image, (size_t)(end - image), err);
	if (r < 0)
		return r;
	*out = n;
	return 0;
}

bool imagename_below(const struct imagename *name, const char *entry)
{
	size_t len = strlen(entry);

	while (len > 0 && entry[len - 1] == '/')
		len--;
	if (len == 0 || strncmp(name->repository, entry, len) != 0)
		return false;
	return name->repository[len] == '\0' || name->repository[len] == '/';
}
