/* address.c - socket addresses as text.  See address.h. */
#include "channel/address.h"

#include "lib/num.h"
#include "lib/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 1024, SILENCE_MS = 15000 };

static bool numeric(const char *host)
{
	unsigned char a[16];

	return inet_pton(AF_INET, host, a) == 1 ||
	       inet_pton(AF_INET6, host, a) == 1;
}

int address_parse(const char *text, struct address *out, struct err *err)
{
	struct address a = {.host = ""};
	const char *colon = strrchr(text, ':');
	size_t host_len, port_len;
	uint64_t port;

	if (!colon)
		return err_set(err, ERR_INPUT, "want address:port");
	host_len = (size_t)(colon - text);
	port_len = strlen(colon + 1);
	if (!num_parse_u64(colon + 1, port_len, 65535, &port))
		return err_set(err, ERR_INPUT, "want a port from 0 to 65535");
	memcpy(a.port, colon + 1, port_len + 1);
	if (host_len > 2 && text[0] == '[' && text[host_len - 1] == ']') {
		text++;
		host_len -= 2;
	} else if (memchr(text, ':', host_len)) {
		return err_set(err, ERR_INPUT,
			       "want an IPv6 address in brackets");
	}
	if (host_len == 0 || host_len >= sizeof(a.host))
		return err_set(err, ERR_INPUT, "want address:port");
	memcpy(a.host, text, host_len);
	a.host[host_len] = '\0';
	if (!numeric(a.host) && !text_is_dns_subdomain(a.host))
		return err_set(
			err, ERR_INPUT,
			"want an address or a host name before the port");
	*out = a;
	return 0;
}

static int look_up(const struct address *a, int flags, struct addrinfo **out,
		   struct err *err)
{
	struct addrinfo hints = {.ai_flags = flags | AI_NUMERICSERV,
				 .ai_socktype = SOCK_STREAM};
	int r = getaddrinfo(a->host, a->port, &hints, out);

	if (r == 0)
		return 0;
	if (r == EAI_AGAIN)
		return err_set(err, ERR_AGAIN, "look up %s: %s", a->host,
			       gai_strerror(r));
	return err_set(err, ERR_NOTFOUND, "look up %s: %s", a->host,
		       gai_strerror(r));
}

int address_listen(const struct address *at, int *out_fd, struct err *err)
{
	struct addrinfo *list = NULL;
	int one = 1;
	int fd = -1;
	int r;

	if (!numeric(at->host))
		return err_set(err, ERR_INPUT,
			       "want a numeric address, have %s", at->host);
	r = look_up(at, AI_NUMERICHOST | AI_PASSIVE, &list, err);
	if (r < 0)
		return r;
	fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, list->ai_addr, list->ai_addrlen) < 0 ||
	    listen(fd, BACKLOG) < 0) {
		r = err_sys(err, errno, "listen on %s:%s", at->host, at->port);
		if (fd >= 0)
			(void)close(fd);
	} else {
		*out_fd = fd;
	}
	freeaddrinfo(list);
	return r;
}

void address_tune(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, 6},
		{IPPROTO_TCP, TCP_KEEPINTVL, 3},
		{IPPROTO_TCP, TCP_KEEPCNT, 3},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, SILENCE_MS},
	};

	/* A unix socket has none of them, and that is fine. */
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(fd, options[i].level, options[i].name,
				 &options[i].value, sizeof(int));
}

int address_dial(const struct address *to, unsigned int attempt, int *out_fd,
		 struct err *err)
{
	int flags = numeric(to->host) ? AI_NUMERICHOST : AI_ADDRCONFIG;
	struct addrinfo *list = NULL;
	const struct addrinfo *ai;
	unsigned int n = 0;
	int fd, r;

	r = look_up(to, flags, &list, err);
	if (r < 0)
		return r;
	for (ai = list; ai; ai = ai->ai_next)
		n++;
	ai = list;
	for (unsigned int i = attempt % n; i > 0; i--)
		ai = ai->ai_next;
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0);
	if (fd >= 0)
		address_tune(fd);
	if (fd < 0 || (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0 &&
		       errno != EINPROGRESS)) {
		r = err_sys(err, errno, "connect to %s:%s", to->host, to->port);
		if (fd >= 0)
			(void)close(fd);
	} else {
		*out_fd = fd;
	}
	freeaddrinfo(list);
	return r;
}

void address_text(const struct sockaddr *sa, socklen_t len,
		  char out[ADDRESS_TEXT_MAX])
{
	char host[256], port[8];

	if (getnameinfo(sa, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		(void)snprintf(out, ADDRESS_TEXT_MAX, "?");
	else
		(void)snprintf(out, ADDRESS_TEXT_MAX,
			       strchr(host, ':') ? "[%s]:%s" : "%s:%s", host,
			       port);
}
