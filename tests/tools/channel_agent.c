/*
 * channel_agent.c - an agent for the suites: starts reconcile-link, prints what
 * it says, sends what lines on standard input spell (channel_words.c).  Says
 * Hello by itself whenever the link comes up; a line "auto off" ends that.
 */
#include "channel/agent.pb-c.h"
#include "channel/client.h"
#include "lib/msg.h"
#include "lib/proc.h"
#include "tests/tools/channel_tool.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int start_link(const char *link, const char *dir, struct proc *out,
		      int *out_sock, struct err *err)
{
	const char *argv[] = {"reconcile-link", "--dir", dir, NULL};
	struct proc_spec spec = {.path = link,
				 .argv = argv,
				 .n_fds = 1,
				 .in = -1,
				 .out = -1,
				 .err = 2,
				 .die_with_parent = true};
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, ERR_SYS, "socketpair");
	spec.fds = &pair[1];
	r = proc_spawn(&spec, out, err);
	(void)close(pair[1]);
	*out_sock = pair[0];
	return r;
}

static int say(int sock, int n, char **w, struct err *err)
{
	struct buf payload;
	uint16_t type;
	int r;

	buf_init(&payload, 64 << 20);
	type = channel_tool_payload(n, w, &payload);
	r = msg_send(sock, type, payload.data, payload.len, NULL, 0, err);
	buf_release(&payload);
	return r;
}

static int say_hello(int sock, struct err *err)
{
	char word[] = "hello", session[] = "7";
	char *w[] = {word, session};

	return say(sock, 2, w, err);
}

/* Prints one frame; true when the link has just come up. */
static bool show(const struct msg *m)
{
	Channel__LinkState *state;
	bool up;

	if (m->type != CHANNEL__MSG_TYPE__MSG_LINK_STATE) {
		(void)printf("frame type=%u len=%zu\n", m->type,
			     m->payload.len);
		return false;
	}
	state = channel__link_state__unpack(NULL, m->payload.len,
					    (uint8_t *)m->payload.data);
	if (!state)
		return false;
	up = state->connected;
	(void)printf("state connected=%d host=%s reason=%s\n", up, state->host,
		     state->reason);
	channel__link_state__free_unpacked(state, NULL);
	return up;
}

int channel_agent(int argc, char **argv, struct err *err)
{
	bool automatic = true;
	struct proc link;
	char line[4096];
	char *w[32];
	struct msg m;
	int sock, r;

	(void)argc;
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	r = start_link(argv[0], argv[1], &link, &sock, err);
	if (r < 0)
		return r;
	(void)printf("link pid=%d\n", (int)link.pid);
	msg_init(&m, 8 << 20);
	for (;;) {
		struct pollfd p[2] = {{.fd = sock, .events = POLLIN},
				      {.fd = 0, .events = POLLIN}};

		if (poll(p, 2, -1) < 0)
			break;
		if (p[0].revents) {
			r = msg_recv(sock, &m, 1000, err);
			if (r < 0)
				break;
			if (show(&m) && automatic)
				r = say_hello(sock, err);
		}
		if (p[1].revents) {
			int n;

			if (!fgets(line, sizeof(line), stdin))
				break;
			n = channel_tool_words(line, w, 32);
			if (n > 0 && strcmp(w[0], "quit") == 0)
				break;
			if (n > 1 && strcmp(w[0], "auto") == 0)
				automatic = strcmp(w[1], "on") == 0;
			else if (n > 0)
				r = say(sock, n, w, err);
		}
		if (r < 0)
			break;
	}
	msg_release(&m);
	(void)close(sock);
	if (proc_wait(&link, 5000, &r, err) == 0)
		(void)printf("link status=%d\n", r);
	else
		proc_kill(&link);
	return 0;
}

static int64_t now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Core and agent at once: a frame there and one back. */
static int round_trip(struct channel_client *c, int sock, const char *host,
		      struct msg *m, struct err *err)
{
	char word[] = "logdata", id[] = "1";
	char *w[] = {word, id};
	char verb[] = "assign", epoch[] = "1";
	char *there[] = {verb, epoch};
	struct buf payload;
	struct channel_event e = {.kind = 0};
	int r;

	buf_init(&payload, 4096);
	(void)channel_tool_payload(2, there, &payload);
	r = channel_client_send_host(c, host, CHANNEL__MSG_TYPE__MSG_ASSIGNMENT,
				     payload.data, payload.len, err);
	buf_release(&payload);
	if (r == 0)
		r = msg_recv(sock, m, 5000, err);
	if (r == 0)
		r = say(sock, 2, w, err);
	while (r == 0 && e.type != CHANNEL__MSG_TYPE__MSG_LOG_DATA) {
		channel_client_event_release(&e);
		r = channel_client_recv(c, 5000, &e, err);
	}
	channel_client_event_release(&e);
	return r;
}

int channel_latency(int argc, char **argv, struct err *err)
{
	int n = (int)channel_tool_number(argv[3]);
	int64_t *us = calloc((size_t)n, sizeof(*us));
	struct channel_client *c = NULL;
	struct channel_event e = {.kind = 0};
	char host[256] = "";
	struct proc link;
	struct msg m;
	int sock = -1, r;

	(void)argc;
	msg_init(&m, 8 << 20);
	r = channel_client_open(argv[0], 5000, &c, err);
	if (r == 0)
		r = start_link(argv[1], argv[2], &link, &sock, err);
	while (r == 0 && !host[0]) {
		r = channel_client_recv(c, 5000, &e, err);
		if (r == 0 && e.kind == CHANNEL_EVENT_HOST_UP)
			(void)snprintf(host, sizeof(host), "%s", e.host);
		channel_client_event_release(&e);
	}
	if (r == 0)
		r = msg_recv(sock, &m, 5000, err);
	if (r == 0)
		r = say_hello(sock, err);
	for (int i = 0; us && i < n && r == 0; i++) {
		struct timespec gap = {.tv_nsec = 10000000};
		int64_t from;

		(void)nanosleep(&gap, NULL); /* within the rates of the table */
		from = now_us();
		r = round_trip(c, sock, host, &m, err);
		us[i] = now_us() - from;
	}
	if (us && r == 0) {
		qsort(us, (size_t)n, sizeof(*us), by_size);
		(void)printf("round-trip us p50=%lld p99=%lld\n",
			     (long long)us[n / 2], (long long)us[n * 99 / 100]);
	}
	free(us);
	msg_release(&m);
	channel_client_close(c);
	if (sock >= 0) {
		(void)close(sock);
		proc_kill(&link);
	}
	return r;
}
