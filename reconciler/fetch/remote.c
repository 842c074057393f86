/*
 * remote.c - see remote.h.
 *
 * What the server says beside the protocol (sideband text, ssh's own errors)
 * is escaped and goes into one error message, never to a terminal (A71).
 */
#include "reconciler/fetch/remote.h"
#include "lib/text.h"
#include "reconciler/fetch/bare.h"

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
};
#define N_FIXED (sizeof(fixed) / sizeof(fixed[0]))

struct arguments {
	const char *v[N_FIXED + 16];
	char known[OPTION_BYTES], key[OPTION_BYTES], timeout[64], port[16];
	char command[URL_PATH_MAX + 32];
};

static int fill(struct arguments *a, const struct url *url, const char *key,
		const char *known_hosts, int timeout_ms)
{
	size_t n = 0;

	a->v[n++] = "ssh";
	for (size_t i = 0; i < N_FIXED; i++)
		a->v[n++] = fixed[i];
	(void)snprintf(a->known, sizeof(a->known), "-oUserKnownHostsFile=%s",
		       *known_hosts != '\0' ? known_hosts : "/dev/null");
	a->v[n++] = a->known;
	(void)snprintf(a->timeout, sizeof(a->timeout), "-oConnectTimeout=%d",
		       timeout_ms / 1000 + 1);
	a->v[n++] = a->timeout;
	(void)snprintf(a->key, sizeof(a->key), "-oIdentityFile=%s",
		       *key != '\0' ? key : "none");
	a->v[n++] = a->key;
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
	return 0;
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

static int start(struct remote_ssh *s, const struct arguments *a,
		 struct err *err)
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

int remote_start(struct remote_ssh *s, const struct url *url, const char *key,
		 const char *known_hosts, struct budget *budget,
		 struct err *err)
{
	struct arguments a = {0};
	int r;

	*s = (struct remote_ssh){.data = -1, .errors = -1, .budget = budget};
	r = check_file(key, "ssh key", err);
	if (r == 0)
		r = check_file(known_hosts, "ssh known hosts", err);
	if (r < 0)
		return r;
	(void)fill(&a, url, key, known_hosts, budget_left_ms(budget));
	return start(s, &a, err);
}

void remote_release(struct remote_ssh *s)
{
	if (s->data >= 0)
		(void)close(s->data);
	if (s->errors >= 0)
		(void)close(s->errors);
	s->data = -1;
	s->errors = -1;
}

/* --- libgit2's smart subtransport over the pipes ---------------------------
 */

static struct remote_ssh *of_stream(git_smart_subtransport_stream *stream)
{
	return (struct remote_ssh *)((char *)stream -
				     offsetof(struct remote_ssh, stream));
}

static struct remote_ssh *of_sub(git_smart_subtransport *sub)
{
	return (struct remote_ssh *)((char *)sub -
				     offsetof(struct remote_ssh, sub));
}

static int wait_for(struct remote_ssh *s, short events)
{
	struct pollfd p = {.fd = s->data, .events = events};
	int n;

	do
		n = poll(&p, 1, budget_left_ms(s->budget));
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return 0;
	(void)err_set(&s->budget->why, ERR_AGAIN,
		      "the server did not answer in time");
	return -1;
}

static int on_read(git_smart_subtransport_stream *stream, char *buffer,
		   size_t len, size_t *out_n)
{
	struct remote_ssh *s = of_stream(stream);
	ssize_t n;

	*out_n = 0;
	if (wait_for(s, POLLIN) < 0)
		return -1;
	n = recv(s->data, buffer, len, 0);
	if (n < 0)
		return -1;
	*out_n = (size_t)n;
	return budget_take(s->budget, (size_t)n) < 0 ? -1 : 0;
}

static int on_write(git_smart_subtransport_stream *stream, const char *bytes,
		    size_t len)
{
	struct remote_ssh *s = of_stream(stream);

	while (len > 0) {
		ssize_t n;

		if (wait_for(s, POLLOUT) < 0)
			return -1;
		n = send(s->data, bytes, len, MSG_NOSIGNAL);
		if (n <= 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

static void on_stream_free(git_smart_subtransport_stream *stream)
{
	(void)stream;
}

static int on_action(git_smart_subtransport_stream **out,
		     git_smart_subtransport *sub, const char *url,
		     git_smart_service_t action)
{
	struct remote_ssh *s = of_sub(sub);

	(void)url;
	if (action != GIT_SERVICE_UPLOADPACK_LS &&
	    action != GIT_SERVICE_UPLOADPACK)
		return -1;
	s->stream = (git_smart_subtransport_stream){.subtransport = sub,
						    .read = on_read,
						    .write = on_write,
						    .free = on_stream_free};
	*out = &s->stream;
	return 0;
}

static int on_close(git_smart_subtransport *sub)
{
	(void)sub;
	return 0;
}

static void on_sub_free(git_smart_subtransport *sub)
{
	(void)sub;
}

static int on_new(git_smart_subtransport **out, git_transport *owner,
		  void *param)
{
	struct remote_ssh *s = param;

	(void)owner;
	s->sub = (git_smart_subtransport){
		.action = on_action, .close = on_close, .free = on_sub_free};
	*out = &s->sub;
	return 0;
}

static int on_progress(const git_indexer_progress *stats, void *payload)
{
	struct remote_ssh *s = payload;

	if (stats->total_objects > BUDGET_OBJECTS) {
		(void)err_set(&s->budget->why, ERR_LIMIT,
			      "want at most %u objects, the pack says %u",
			      BUDGET_OBJECTS, stats->total_objects);
		return GIT_EUSER;
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
static void read_errors(struct remote_ssh *s, struct buf *out)
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

static int explain(struct remote_ssh *s, const char *step, struct err *err)
{
	const git_error *e = git_error_last();
	char shown[400];
	struct buf text;
	int code = ERR_AGAIN;
	const char *what = step;

	if (s->budget->why.code != 0) {
		*err = s->budget->why;
		return err->code;
	}
	buf_init(&text, ERRORS_BYTES);
	read_errors(s, &text);
	if (text.len == 0 && e != NULL && e->message != NULL)
		buf_puts(&text, e->message);
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
		       text_safe(shown, sizeof(shown),
				 text.data != NULL ? text.data : "", text.len));
	buf_release(&text);
	return code;
}

/* --- the fetch --------------------------------------------------------------
 */

static int find_ref(git_remote *remote, const char *ref, git_oid *out,
		    struct err *err)
{
	const git_remote_head **heads = NULL;
	size_t n = 0;

	if (git_remote_ls(&heads, &n, remote) < 0)
		return bare_error(err, ERR_AGAIN, "list the server's refs");
	for (size_t i = 0; i < n; i++)
		if (strcmp(heads[i]->name, ref) == 0) {
			*out = heads[i]->oid;
			return 0;
		}
	return err_set(err, ERR_NOTFOUND, "the server has no ref %s", ref);
}

static int download(struct remote_ssh *s, git_remote *remote, const char *ref,
		    struct err *err)
{
	git_fetch_options opts;
	char spec[600];
	char *specs[] = {spec};
	git_strarray list = {specs, 1};

	(void)snprintf(spec, sizeof(spec), "+%s:" BARE_MIRROR_REF, ref);
	if (git_fetch_options_init(&opts, GIT_FETCH_OPTIONS_VERSION) < 0)
		return bare_error(err, ERR_SYS, "fetch options");
	opts.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	opts.callbacks.transfer_progress = on_progress;
	opts.callbacks.payload = s;
	if (git_remote_download(remote, &list, &opts) < 0)
		return explain(s, "receive objects", err);
	return 0;
}

int remote_fetch(struct remote_ssh *s, const char *store_path, const char *ref,
		 const git_oid *have, git_oid *out_id, struct err *err)
{
	git_repository *repo = NULL;
	git_remote *remote = NULL;
	git_oid id;
	int r;

	s->definition = (git_smart_subtransport_definition){
		.callback = on_new, .rpc = 0, .param = s};
	if (git_transport_register("ssh", git_transport_smart, &s->definition) <
		    0 ||
	    git_repository_open_bare(&repo, store_path) < 0 ||
	    git_remote_create_anonymous(&remote, repo, "ssh://server/x") < 0) {
		r = bare_error(err, ERR_SYS, store_path);
		goto out;
	}
	if (git_remote_connect(remote, GIT_DIRECTION_FETCH, NULL, NULL, NULL) <
	    0) {
		r = explain(s, "reach the server", err);
		goto out;
	}
	r = find_ref(remote, ref, &id, err);
	if (r == 0 && (have == NULL || !git_oid_equal(have, &id)))
		r = download(s, remote, ref, err);
	if (r == 0)
		*out_id = id;
out:
	git_remote_free(remote);
	git_repository_free(repo);
	return r;
}
