/*
 * main.c - reconcile-link: a host's end of the channel to its manager.
 *
 * Descriptor 3 is a socketpair to reconcile-agent.  Holds the host's TLS key
 * and parses what the manager sends, which is hostile to it; may connect, and
 * write the files of its one folder.  See reconcile-link(8).
 */
#include "channel/link/join.h"
#include "channel/link/session.h"
#include "channel/link/store.h"
#include "channel/shape.h"
#include "channel/tls.h"
#include "channel/token.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/msg.h"
#include "lib/opt.h"
#include "lib/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { AGENT_FD = 3 };

static const struct opt options[] = {
	{"dir", 0, "DIR", "folder with the host's key and certificates"},
	{"join", 0, "TOKEN",
	 "ask the token's manager to admit this host; - reads standard input"},
	{"again", 0, NULL, "join although this host has a certificate"},
	{"log-level", 0, "LEVEL", "error, warn, info or debug"},
};

static const struct opt_command commands[] = {
	{.name = "",
	 .args = "",
	 .doc = "connect this host to its manager",
	 .opts = options,
	 .n_opts = sizeof(options) / sizeof(options[0])},
};

static const struct opt_program program = {
	.name = "reconcile-link",
	.doc = "a host's end of the channel to its manager",
	.commands = commands,
	.n_commands = 1,
};

static int confine(const char *dir, struct err *err)
{
	const struct sandbox_path paths[] = {
		{dir, true},
		{"/etc/hosts", false},
		{"/etc/host.conf", false},
		{"/etc/resolv.conf", false},
		{"/etc/nsswitch.conf", false},
		{"/etc/gai.conf", false},
		{"/run/systemd/resolve", false},
	};
	const struct sandbox profile = {
		.name = "reconcile-link",
		.allow = SANDBOX_FILE_READ | SANDBOX_FILE_WRITE |
			 SANDBOX_CONNECT,
		.paths = paths,
		.n_paths = sizeof(paths) / sizeof(paths[0]),
		.landlock = true,
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return sandbox_enter(&profile, err);
}

static bool agent_is_there(void)
{
	struct stat st;

	return fstat(AGENT_FD, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* The token's text: an argument, or the first line of standard input. */
static int read_token(const char *arg, Channel__JoinToken **out,
		      struct err *err)
{
	struct buf text;
	int r = 0;

	buf_init(&text, TOKEN_TEXT_MAX + 2);
	if (strcmp(arg, "-") == 0)
		r = file_read_fd(STDIN_FILENO, TOKEN_TEXT_MAX + 1, &text, err);
	else
		buf_puts(&text, arg);
	if (r == 0)
		r = buf_check(&text, err);
	if (r == 0) {
		while (text.len > 0 && text.data[text.len - 1] == '\n')
			text.data[--text.len] = '\0';
		r = token_decode(text.data ? text.data : "", out, err);
	}
	identity_wipe(&text);
	return r;
}

static int hand_over(const Channel__JoinReply *reply, struct err *err)
{
	struct buf packed;
	int r;

	if (!agent_is_there())
		return 0;
	buf_init(&packed, 2 << 20);
	r = shape_pack(&reply->base, &packed, err);
	if (r == 0)
		r = msg_send(AGENT_FD, CHANNEL__MSG_TYPE__MSG_JOIN_REPLY,
			     packed.data, packed.len, NULL, 0, err);
	buf_release(&packed);
	return r;
}

static int may_join(int dirfd, bool again, struct err *err)
{
	struct store old = {.key = NULL};
	struct err none = {0};
	bool valid;

	if (again || store_load(dirfd, &old, &none) < 0)
		return 0;
	valid = old.id.not_after > clock_unix_ms() / 1000;
	if (valid)
		err_set(err, ERR_CONFLICT,
			"this host has joined as %s already; --again joins "
			"anew",
			old.id.name);
	store_release(&old);
	return valid ? ERR_CONFLICT : 0;
}

static int join(const struct opt_values *v, int dirfd, struct err *err)
{
	struct join_result result = {.reply = NULL};
	Channel__JoinToken *token = NULL;
	char until[CLOCK_RFC3339_BYTES];
	int r;

	r = may_join(dirfd, opt_get(v, "again") != NULL, err);
	if (r == 0)
		r = read_token(opt_get(v, "join"), &token, err);
	if (r == 0)
		r = join_run(token, dirfd, &result, err);
	if (r == 0)
		r = hand_over(result.reply, err);
	if (r == 0)
		(void)printf("joined as %s, certificate until %s\n",
			     result.host,
			     clock_rfc3339(result.not_after * 1000, until));
	join_result_release(&result);
	token_free(token);
	return r;
}

static int run(int dirfd, struct err *err)
{
	struct store store = {.key = NULL};
	int r;

	r = store_load(dirfd, &store, err);
	if (r == ERR_NOTFOUND)
		return err_wrap(err, "this host has not joined");
	if (r < 0)
		return r;
	if (!agent_is_there()) {
		store_release(&store);
		return err_set(err, ERR_INPUT,
			       "want a socket to reconcile-agent as "
			       "descriptor 3");
	}
	if (fcntl(AGENT_FD, F_SETFL, O_NONBLOCK) < 0 ||
	    fcntl(AGENT_FD, F_SETFD, FD_CLOEXEC) < 0) {
		r = err_sys(err, errno, "descriptor 3");
		store_release(&store);
		return r;
	}
	return session_run(dirfd, AGENT_FD, &store, err);
}

static int start(const struct opt_values *v, int *out_dirfd, struct err *err)
{
	const char *dir = opt_get(v, "dir");
	const char *word = opt_get(v, "log-level");
	enum log_level level = LOG_LEVEL_INFO;
	int r;

	if (!dir)
		return err_set(err, ERR_INPUT, "want --dir");
	if (word && !log_level_parse(word, &level))
		return err_set(err, ERR_INPUT,
			       "--log-level: want error, warn, info or debug");
	log_init("reconcile-link", level);
	r = tls_start(err);
	if (r < 0)
		return r;
	*out_dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*out_dirfd < 0)
		return err_sys(err, errno, "open %s", dir);
	return confine(dir, err);
}

int main(int argc, char **argv)
{
	struct opt_values v;
	struct err err = {0};
	int dirfd = -1;
	int r;

	log_init("reconcile-link", LOG_LEVEL_INFO);
	r = opt_parse(&program, argc, argv, &v, &err);
	if (r == 0 && opt_get(&v, "help")) {
		opt_help(&program, &commands[0], stdout);
		return 0;
	}
	if (r == 0)
		r = start(&v, &dirfd, &err);
	if (r == 0)
		r = opt_get(&v, "join") ? join(&v, dirfd, &err)
					: run(dirfd, &err);
	if (r < 0)
		(void)fprintf(stderr, "reconcile-link: %s: %s\n", err_name(r),
			      err.msg);
	if (dirfd >= 0)
		(void)close(dirfd);
	return err_exit_status(r);
}
