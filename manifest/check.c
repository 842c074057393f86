/* check.c - grammars of strings; pure, every input hostile. */
#include "manifest/check.h"

#include "lib/err.h"
#include "lib/text.h"

#include <arpa/inet.h>
#include <string.h>

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"

static bool only(const char *s, const char *set)
{
	return s[strspn(s, set)] == '\0';
}

static bool ends_alnum(const char *s)
{
	size_t len = strlen(s);

	return len > 0 && strchr(ALNUM, s[0]) && strchr(ALNUM, s[len - 1]);
}

const char *check_dns_label(const char *s)
{
	return text_is_dns_label(s) ? NULL
				    : "a DNS label (a-z, 0-9, '-', at most 63)";
}

const char *check_dns_subdomain(const char *s)
{
	return text_is_dns_subdomain(s)
		       ? NULL
		       : "a DNS name (a-z, 0-9, '-', '.', at most 253)";
}

const char *check_service_name(const char *s)
{
	return text_is_dns_label(s) && s[0] >= 'a' && s[0] <= 'z'
		       ? NULL
		       : "a DNS label that starts with a letter "
			 "(a-z, 0-9, '-', at most 63)";
}

const char *check_label_key(const char *s)
{
	const char *slash = strchr(s, '/');
	const char *name = slash ? slash + 1 : s;
	char prefix[256];

	if (slash) {
		size_t n = (size_t)(slash - s);

		if (n == 0 || n >= sizeof(prefix))
			return "a key [prefix/]name with a DNS prefix";
		memcpy(prefix, s, n);
		prefix[n] = '\0';
		if (!text_is_dns_subdomain(prefix))
			return "a key [prefix/]name with a DNS prefix";
	}
	if (!ends_alnum(name) || strlen(name) > 63 || !only(name, ALNUM "-_."))
		return "a key [prefix/]name, the name of letters, digits, "
		       "'-', '_', '.', at most 63";
	return NULL;
}

const char *check_label_value(const char *s)
{
	if (!*s || (ends_alnum(s) && strlen(s) <= 63 && only(s, ALNUM "-_.")))
		return NULL;
	return "a label value (letters, digits, '-', '_', '.', at most 63, "
	       "letter or digit at both ends)";
}

const char *check_port_name(const char *s)
{
	size_t len = strlen(s);
	bool letter = strpbrk(s, "abcdefghijklmnopqrstuvwxyz") != NULL;

	if (len > 0 && len <= 15 && only(s, LOWER "-") && letter &&
	    ends_alnum(s) && !strstr(s, "--"))
		return NULL;
	return "a port name (a-z, 0-9, '-', a letter in it, at most 15)";
}

const char *check_env_name(const char *s)
{
	if (*s && strlen(s) <= 253 && only(s, ALNUM "-_.") &&
	    !(s[0] >= '0' && s[0] <= '9') && strcmp(s, ".") != 0 &&
	    strncmp(s, "..", 2) != 0)
		return NULL;
	return "a variable name (letters, digits, '-', '_', '.', no digit "
	       "first)";
}

const char *check_env_prefix(const char *s)
{
	return *s ? check_env_name(s) : NULL;
}

const char *check_config_key(const char *s)
{
	if (*s && strlen(s) <= 253 && only(s, ALNUM "-_.") &&
	    strcmp(s, ".") != 0 && strncmp(s, "..", 2) != 0)
		return NULL;
	return "a key (letters, digits, '-', '_', '.', at most 253, not '..')";
}

/* Repository path behind the optional registry: lower case components. */
static bool image_path_ok(const char *s, size_t len)
{
	size_t start = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && s[i] != '/') {
			if (!strchr(LOWER "-_.", s[i]))
				return false;
			continue;
		}
		if (i == start || !strchr(LOWER, s[start]) ||
		    !strchr(LOWER, s[i - 1]))
			return false;
		start = i + 1;
	}
	return true;
}

static bool registry_ok(const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len);
	size_t host = colon ? (size_t)(colon - s) : len;

	if (host == 0 || !strchr(ALNUM, s[0]))
		return false;
	for (size_t i = 0; i < host; i++)
		if (!strchr(ALNUM "-.", s[i]))
			return false;
	if (!colon)
		return true;
	if (host + 1 == len || len - host > 6)
		return false;
	for (size_t i = host + 1; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

/* Length of "host[:port]" in front of the first '/', 0 if there is none:
 * it has a '.' or ':' in it or is localhost, as in the OCI reference rules. */
static size_t registry_len(const char *s)
{
	size_t n = strcspn(s, "/");

	if (s[n] != '/')
		return 0;
	if (memchr(s, '.', n) || memchr(s, ':', n) ||
	    (n == 9 && memcmp(s, "localhost", 9) == 0))
		return n;
	return 0;
}

const char *check_image(const char *s)
{
	static const char want[] =
		"an image reference [registry[:port]/]path[:tag][@sha256:hex]";
	size_t reg = registry_len(s);
	const char *path = reg ? s + reg + 1 : s;
	const char *at = strchr(path, '@');
	size_t len = at ? (size_t)(at - path) : strlen(path);
	const char *tag = memchr(path, ':', len);

	if (strlen(s) > 1024 || (reg && !registry_ok(s, reg)))
		return want;
	if (at && (strncmp(at, "@sha256:", 8) != 0 || !text_is_hex(at + 8, 64)))
		return want;
	if (tag) {
		size_t n = len - (size_t)(tag - path) - 1;

		if (n == 0 || n > 128 || tag[1] == '.' || tag[1] == '-')
			return want;
		for (size_t i = 1; i <= n; i++)
			if (!strchr(ALNUM "-_.", tag[i]))
				return want;
		len = (size_t)(tag - path);
	}
	return len > 0 && image_path_ok(path, len) ? NULL : want;
}

static bool has_dotdot(const char *s)
{
	for (;;) {
		size_t n = strcspn(s, "/");

		if (n == 2 && s[0] == '.' && s[1] == '.')
			return true;
		if (!s[n])
			return false;
		s += n + 1;
	}
}

const char *check_absolute(const char *s)
{
	return s[0] == '/' && strlen(s) < 4096 && !has_dotdot(s)
		       ? NULL
		       : "an absolute path without '..'";
}

const char *check_mount_path(const char *s)
{
	return !check_absolute(s) && !strchr(s, ':')
		       ? NULL
		       : "an absolute path without '..' and ':'";
}

const char *check_relative(const char *s)
{
	return s[0] && s[0] != '/' && strlen(s) < 4096 && !has_dotdot(s)
		       ? NULL
		       : "a relative path without '..'";
}

const char *check_ipv4(const char *s)
{
	struct in_addr a;

	return inet_pton(AF_INET, s, &a) == 1 ? NULL : "an IPv4 address";
}

const char *check_ip(const char *s)
{
	struct in6_addr a;

	return inet_pton(AF_INET6, s, &a) == 1 || !check_ipv4(s)
		       ? NULL
		       : "an IP address";
}

const char *check_hostname(const char *s)
{
	return !check_ip(s) || text_is_dns_subdomain(s)
		       ? NULL
		       : "a host name or an IP address";
}

/* labels['k'] and annotations['k'] of the pod. */
static bool subscript_ok(const char *s)
{
	const char *open = strstr(s, "['");
	size_t len = strlen(s);
	char key[320];
	size_t n;

	if (!open || len < 5 || strcmp(s + len - 2, "']") != 0)
		return false;
	n = (size_t)(s + len - 2 - (open + 2));
	if (n == 0 || n >= sizeof(key))
		return false;
	memcpy(key, open + 2, n);
	key[n] = '\0';
	return !check_label_key(key);
}

const char *check_field_path(const char *s)
{
	static const char *const known[] = {
		"metadata.name", "metadata.namespace",	    "metadata.uid",
		"spec.nodeName", "spec.serviceAccountName", "status.podIP",
		"status.podIPs", "status.hostIP",	    "status.hostIPs",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(s, known[i]) == 0)
			return NULL;
	if ((strncmp(s, "metadata.labels['", 17) == 0 ||
	     strncmp(s, "metadata.annotations['", 22) == 0) &&
	    subscript_ok(s))
		return NULL;
	return "one of metadata.name, metadata.namespace, metadata.uid, "
	       "metadata.labels['key'], metadata.annotations['key'], "
	       "spec.nodeName, spec.serviceAccountName, status.podIP, "
	       "status.podIPs, status.hostIP, status.hostIPs";
}

const char *check_http_path(const char *s)
{
	if (s[0] == '/' && strlen(s) <= 2048 && !strpbrk(s, " \t\r\n"))
		return NULL;
	return "a path that starts with '/' and has no spaces";
}

const char *check_header_name(const char *s)
{
	return *s && only(s, ALNUM "!#$%&'*+-.^_`|~") && strlen(s) <= 256
		       ? NULL
		       : "an HTTP header name";
}

const char *check_nonempty(const char *s)
{
	return *s ? NULL : "a string that is not empty";
}

const char *check_percent(const char *s)
{
	size_t n = strspn(s, "0123456789");

	if (n > 0 && n <= 3 && s[n] == '%' && !s[n + 1] &&
	    (n < 3 || (strncmp(s, "100", 3) == 0)))
		return NULL;
	return "a number or a percentage from 0% to 100%";
}

const char *check_ref(const char *s)
{
	if (strncmp(s, "refs/", 5) == 0 && strlen(s) < 256 &&
	    only(s, ALNUM "-_./") && !strstr(s, "..") && !strstr(s, "//") &&
	    !strstr(s, "/.") && s[strlen(s) - 1] != '/' &&
	    s[strlen(s) - 1] != '.' && strlen(s) > 5)
		return NULL;
	return "a full ref name such as refs/heads/main";
}

const char *check_repository_id(const char *s)
{
	if (*s && strlen(s) <= 253 && only(s, ALNUM "-_./:") &&
	    strchr(ALNUM, s[0]))
		return NULL;
	return "an identifier (letters, digits, '-', '_', '.', '/', ':', at "
	       "most 253)";
}

const char *check_registry(const char *s)
{
	size_t n = strcspn(s, "/");

	if (registry_ok(s, n) && strlen(s) < 512 &&
	    (!s[n] || image_path_ok(s + n + 1, strlen(s + n + 1))))
		return NULL;
	return "a registry host[:port] or host[:port]/prefix, lower case";
}

const char *check_tree_path(const char *s)
{
	size_t len = strlen(s);

	if (strcmp(s, ".") == 0)
		return NULL;
	/* nor a hidden one: what is below .reconcile is not for hosts */
	if (!check_relative(s) && s[len - 1] != '/' && !strstr(s, "//") &&
	    s[0] != '.' && !strstr(s, "/."))
		return NULL;
	return "\".\" or a relative directory without '..', none hidden";
}
