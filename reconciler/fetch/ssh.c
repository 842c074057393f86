/*
 * ssh.c - see ssh.h.
 *
 * What ssh and the server say on standard error is escaped and goes into one
 * error message, never to a terminal (A71).
 */
#include "reconciler/fetch/ssh.h"

#include "lib/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SSH_PROGRAM "/usr/bin/ssh"
#define ERRORS_BYTES 2048
#define OPTION_BYTES 1200
#define ERRORS_WAIT_MS 500

/* Options that no configuration file may loosen (-F none reads none). */
static const char *const fixed[] = {
	"-F",
	"none",
	"-T",
	"-x",
	"-a",
	"-oBatchMode=yes",
	"-oStrictHostKeyChecking=yes",
	"-oGlobalKnownHostsFile=/dev/null",
	"-oUpdateHostKeys=no",
	"-oIdentitiesOnly=yes",
	"-oIdentityAgent=none",
	"-oForwardAgent=no",
	"-oPermitLocalCommand=no",
	"-oProxyCommand=none",
	"-oClearAllForwardings=yes",
	"-oPreferredAuthentications=publickey",
	"-oEscapeChar=none",
	"-oLogLevel=ERROR",
	"-oServerAliveInterval=30", /* of use to a poll: between two */
	"-oServerAliveCountMax=3",
};
#define N_FIXED (sizeof(fixed) / sizeof(fixed[0]))

struct arguments {
	const char *v[N_FIXED + 16];
	char known[OPTION_BYTES], key[OPTION_BYTES], timeout[64], port[16];
	char command[URL_PATH_MAX + 32];
};

static void fill(struct arguments *a, const struct url *url,
		 const struct ssh_files *files, bool v2, int timeout_ms)
{
	size_t n = 0;

	a->v[n++] = "ssh";
	for (size_t i = 0; i < N_FIXED; i++)
		a->v[n++] = fixed[i];
	(void)snprintf(a->known, sizeof(a->known), "-oUserKnownHostsFile=%s",
		       *files->known_hosts != '\0' ? files->known_hosts
						   : "/dev/null");
	a->v[n++] = a->known;
	(void)snprintf(a->timeout, sizeof(a->timeout), "-oConnectTimeout=%d",
		       timeout_ms / 1000 + 1);
	a->v[n++] = a->timeout;
	(void)snprintf(a->key, sizeof(a->key), "-oIdentityFile=%s",
		       *files->key != '\0' ? files->key : "none");
	a->v[n++] = a->key;
	if (v2) /* a server that does not take it answers in version 0 */
		a->v[n++] = "-oSetEnv=GIT_PROTOCOL=version=2";
	if (url->port != 0) {
		(void)snprintf(a->port, sizeof(a->port), "%u", url->port);
		a->v[n++] = "-p";
		a->v[n++] = a->port;
	}
	if (*url->user != '\0') {
		a->v[n++] = "-l";
		a->v[n++] = url->user;
	}
	(void)snprintf(a->command, sizeof(a->command), "git-upload-pack '%s'",
		       url->path);
	a->v[n++] = "--";
	a->v[n++] = url->host;
	a->v[n++] = a->command;
	a->v[n] = NULL;
}

static int check_file(const char *path, const char *what, struct err *err)
{
	if (strpbrk(path, " \t\n\"'%$\\") != NULL || strlen(path) > 1000 ||
	    (*path != '\0' && *path != '/'))
		return err_set(err, ERR_INPUT,
			       "%s: want an absolute path without blanks, "
			       "quotes, %% and $",
			       what);
	if (*path != '\0' && access(path, R_OK) < 0)
		return err_set(err, ERR_INPUT, "%s %s: %s", what, path,
			       strerror(errno));
	return 0;
}

static int start(struct ssh *s, const struct arguments *a, struct err *err)
{
	struct proc_spec spec = {
		.path = SSH_PROGRAM, .argv = a->v, .die_with_parent = true};
	int data[2] = {-1, -1};
	int errors[2] = {-1, -1};
	int r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, data) < 0)
		return err_sys(err, errno, "socket to ssh");
	if (pipe2(errors, O_CLOEXEC | O_NONBLOCK) < 0) {
		r = err_sys(err, errno, "pipe to ssh");
		goto out;
	}
	spec.in = data[1];
	spec.out = data[1];
	spec.err = errors[1];
	r = proc_spawn(&spec, &s->proc, err);
	if (r < 0)
		goto out;
	s->data = data[0];
	s->errors = errors[0];
	data[0] = -1;
	errors[0] = -1;
out:
	for (int i = 0; i < 2; i++) {
		if (data[i] >= 0)
			(void)close(data[i]);
		if (errors[i] >= 0)
			(void)close(errors[i]);
	}
	return r;
}

static struct ssh *of(struct wire *w)
{
	return (struct ssh *)((char *)w - offsetof(struct ssh, wire));
}

static int wait_for(struct ssh *s, short events)
{
	struct pollfd p = {.fd = s->data, .events = events};
	int n;

	do
		n = poll(&p, 1, budget_left_ms(s->wire.budget));
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return 0;
	return err_set(&s->wire.budget->why, ERR_AGAIN,
		       "the server did not answer in time");
}

static int on_ask(struct wire *w, enum wire_turn turn)
{
	(void)w;
	(void)turn; /* ssh was told which version to ask for */
	return 0;
}

static int on_receive(struct wire *w, void *buffer, size_t len, size_t *out_n)
{
	struct ssh *s = of(w);
	int r = wait_for(s, POLLIN);
	ssize_t n;

	if (r < 0)
		return r;
	n = recv(s->data, buffer, len, 0);
	if (n < 0)
		return ERR_AGAIN; /* the cause is on standard error */
	*out_n = (size_t)n;
	return 0;
}

static int on_send(struct wire *w, const void *bytes, size_t len)
{
	struct ssh *s = of(w);
	const char *at = bytes;

	while (len > 0) {
		int r = wait_for(s, POLLOUT);
		ssize_t n;

		if (r < 0)
			return r;
		n = send(s->data, at, len, MSG_NOSIGNAL);
		if (n <= 0)
			return ERR_AGAIN;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* --- what went wrong -------------------------------------------------------
 */

static const struct {
	const char *part;
	int code;
	const char *what;
} causes[] = {
	{"Host key verification failed", ERR_TRUST,
	 "the server's host key is not the one in the known hosts file"},
	{"REMOTE HOST IDENTIFICATION", ERR_TRUST,
	 "the server's host key is not the one in the known hosts file"},
	{"REVOKED HOST KEY", ERR_TRUST, "the server's host key is revoked"},
	{"Permission denied", ERR_DENIED, "the server refused the key"},
	{"does not appear to be a git repository", ERR_NOTFOUND,
	 "no such repository on the server"},
	{"not found", ERR_NOTFOUND, "no such repository on the server"},
};

/* ssh's standard error, as far as it is there within a moment. */
static void read_errors(struct ssh *s, struct buf *out)
{
	struct pollfd p = {.fd = s->errors, .events = POLLIN};
	char bytes[512];
	ssize_t n;

	while (out->len < ERRORS_BYTES - sizeof(bytes) &&
	       poll(&p, 1, ERRORS_WAIT_MS) > 0) {
		n = read(s->errors, bytes, sizeof(bytes));
		if (n <= 0)
			break;
		buf_put(out, bytes, (size_t)n);
	}
}

static int on_explain(struct wire *w, const char *step, const char *said,
		      struct err *err)
{
	char shown[400];
	struct buf text;
	int code = ERR_AGAIN;
	const char *what = step;

	buf_init(&text, ERRORS_BYTES);
	read_errors(of(w), &text);
	if (text.len == 0 && said != NULL)
		buf_puts(&text, said);
	for (size_t i = 0;
	     text.data != NULL && i < sizeof(causes) / sizeof(causes[0]); i++) {
		if (strstr(text.data, causes[i].part) != NULL) {
			code = causes[i].code;
			what = causes[i].what;
			break;
		}
	}
	while (text.len > 0 && text.data[text.len - 1] <= ' ')
		text.len--;
	code = err_set(err, code, "%s: %s", what,
		       text.len > 0 ? text_safe(shown, sizeof(shown), text.data,
						text.len)
				    : "the server closed the connection");
	buf_release(&text);
	return code;
}

static void on_release(struct wire *w)
{
	struct ssh *s = of(w);

	if (s->data >= 0)
		(void)close(s->data);
	if (s->errors >= 0)
		(void)close(s->errors);
	s->data = -1;
	s->errors = -1;
}

static const struct wire_ops ops = {.ask = on_ask,
				    .send = on_send,
				    .receive = on_receive,
				    .explain = on_explain,
				    .release = on_release};

int ssh_start(struct ssh *s, const struct url *url,
	      const struct ssh_files *files, bool v2, struct budget *budget,
	      struct err *err)
{
	struct arguments a = {0};
	int r;

	*s = (struct ssh){.wire = {.ops = &ops, .budget = budget},
			  .data = -1,
			  .errors = -1};
	r = check_file(files->key, "ssh key", err);
	if (r == 0)
		r = check_file(files->known_hosts, "ssh known hosts", err);
	if (r < 0)
		return r;
	fill(&a, url, files, v2, budget_left_ms(budget));
	return start(s, &a, err);
}
