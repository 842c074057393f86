/*
 * url.c - see url.h.
 */
#include "reconciler/fetch/url.h"
#include "lib/num.h"
#include "lib/text.h"

#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define NAME LETTERS DIGITS "._-"
#define PATH_SSH LETTERS DIGITS "._-/~+"
#define PATH_FILE PATH_SSH " @,="

static int bad(struct err *err, const char *text, const char *why)
{
	char shown[160];

	return err_set(err, ERR_INPUT, "repository URL \"%s\": %s",
		       text_safe(shown, sizeof(shown), text, strlen(text)),
		       why);
}

/* Schemes that people try, and what to say. */
static const struct {
	const char *prefix, *why;
} refused[] = {
	{"http://", "plain http can be changed on the way; use https://"},
	{"git://", "git:// has no authentication; use https:// or ssh://"},
	{"git@", "want the form ssh://git@host/path"},
	{"ext::", "commands are never run; use https://, ssh:// or file://"},
};

static bool copy_part(char *dst, size_t dst_len, const char *at, size_t len,
		      const char *allowed)
{
	if (len == 0 || len >= dst_len || at[0] == '-')
		return false;
	memcpy(dst, at, len);
	dst[len] = '\0';
	return strspn(dst, allowed) == len;
}

static bool path_ok(const char *path)
{
	for (const char *at = strchr(path, '/'); at != NULL;
	     at = strchr(at + 1, '/')) {
		if (strncmp(at, "//", 2) == 0 || at[1] == '-')
			return false;
		if (strncmp(at, "/..", 3) == 0 &&
		    (at[3] == '/' || at[3] == '\0'))
			return false;
	}
	return path[0] == '/' && path[1] != '\0';
}

/* [user@]host[:port]/path */
static int parse_remote(const char *text, const char *at, struct url *u,
			struct err *err)
{
	const char *slash = strchr(at, '/');
	const char *user = NULL;
	const char *colon = NULL;
	const char *host = at;
	uint64_t port = 0;

	if (slash == NULL)
		return bad(err, text, "want a path behind the host");
	user = memchr(at, '@', (size_t)(slash - at));
	if (user != NULL && u->kind == URL_HTTPS)
		return bad(err, text,
			   "a credential belongs into "
			   "repository.credential_file");
	if (user != NULL) {
		if (!copy_part(u->user, sizeof(u->user), at,
			       (size_t)(user - at), NAME))
			return bad(err, text,
				   "the user name is not acceptable");
		host = user + 1;
	}
	colon = memchr(host, ':', (size_t)(slash - host));
	if (!copy_part(u->host, sizeof(u->host), host,
		       (size_t)((colon != NULL ? colon : slash) - host),
		       LETTERS DIGITS ".-"))
		return bad(err, text, "the host name is not acceptable");
	if (colon != NULL &&
	    (!num_parse_u64(colon + 1, (size_t)(slash - colon - 1), 65535,
			    &port) ||
	     port == 0))
		return bad(err, text, "want a port from 1 to 65535");
	u->port = (uint16_t)port;
#ifndef GUARD_OFF_URL_PATH
	if (!copy_part(u->path, sizeof(u->path), slash, strlen(slash),
		       PATH_SSH) ||
	    !path_ok(u->path))
		return bad(err, text,
			   "want a path of letters, digits and . _ - / ~ +");
#else
	(void)copy_part(u->path, sizeof(u->path), slash, strlen(slash), "");
#endif
	return 0;
}

static const struct {
	const char *prefix;
	enum url_kind kind;
} remotes[] = {{"ssh://", URL_SSH}, {"https://", URL_HTTPS}};

static int parse_other(const char *text, struct url *u, struct err *err)
{
	for (size_t i = 0; i < sizeof(remotes) / sizeof(remotes[0]); i++) {
		size_t n = strlen(remotes[i].prefix);

		if (strncmp(text, remotes[i].prefix, n) != 0)
			continue;
		u->kind = remotes[i].kind;
		return parse_remote(text, text + n, u, err);
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (strncmp(text, refused[i].prefix,
			    strlen(refused[i].prefix)) == 0)
			return bad(err, text, refused[i].why);
	return bad(err, text,
		   "want https://host/path, ssh://user@host/path or "
		   "file:///path");
}

int url_parse(const char *text, struct url *out, struct err *err)
{
	struct url u = {0};
	int r = 0;

	if (strncmp(text, "file://", 7) == 0) {
		u.kind = URL_FILE;
		if (!copy_part(u.path, sizeof(u.path), text + 7,
			       strlen(text + 7), PATH_FILE) ||
		    !path_ok(u.path))
			return bad(err, text,
				   "want file:// and an absolute path of plain "
				   "characters");
	} else {
		r = parse_other(text, &u, err);
	}
	if (r < 0)
		return r;
	*out = u;
	return 0;
}

int url_check_ref(const char *ref, struct err *err)
{
	size_t len = strlen(ref);
	char shown[160];
	bool good = len > 5 && len < 256 && strncmp(ref, "refs/", 5) == 0 &&
		    strspn(ref, NAME "/+") == len;

	good = good && strstr(ref, "..") == NULL && strstr(ref, "//") == NULL &&
	       strstr(ref, "/.") == NULL && strstr(ref, "/-") == NULL &&
	       strstr(ref, "./") == NULL && ref[len - 1] != '/' &&
	       ref[len - 1] != '.' && strstr(ref, ".lock") == NULL;
	if (!good)
		return err_set(err, ERR_INPUT,
			       "ref \"%s\": want a full name such as "
			       "refs/heads/main",
			       text_safe(shown, sizeof(shown), ref, len));
	return 0;
}
