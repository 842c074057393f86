/* stream.c - frames in an event loop.  See stream.h. */
#include "channel/stream.h"

#include "channel/frame.h"
#include "channel/tls.h"

#include <openssl/err.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	FRAMES_PER_TURN = 64, /* then others get their turn */
	IO_AGAIN = 0,	      /* nothing now */
	IO_ENDED = -1,	      /* why is filled */
};

struct chunk {
	struct chunk *next;
	size_t len, done;
	uint8_t bytes[];
};

struct stream {
	int fd;
	SSL *ssl;
	const struct stream_ops *ops;
	void *ctx;
	struct event *in, *out;
	bool handshaken, paused, finishing, ended;
	bool busy, doomed; /* inside the loop's callback; free at its end */
	struct err why;
	struct chunk *first, **last;
	size_t queued, max_queue;
	uint8_t header[FRAME_HEADER_BYTES];
	size_t header_got;
	uint8_t *payload; /* owned; NULL before the header is whole */
	uint32_t len, got;
	uint16_t type;
};

static void on_event(evutil_socket_t fd, short what, void *arg);

int stream_new(struct event_base *base, int fd, SSL *ssl,
	       const struct stream_ops *ops, void *ctx, size_t max_queue,
	       struct stream **out, struct err *err)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s) {
		SSL_free(ssl);
		(void)close(fd);
		return err_set(err, ERR_NOMEM, "stream");
	}
	s->fd = fd;
	s->ssl = ssl;
	s->ops = ops;
	s->ctx = ctx;
	s->max_queue = max_queue;
	s->handshaken = !ssl;
	s->last = &s->first;
	s->in = event_new(base, fd, EV_READ | EV_PERSIST, on_event, s);
	s->out = event_new(base, fd, EV_WRITE, on_event, s);
	if (!s->in || !s->out || event_add(s->in, NULL) < 0) {
		stream_free(s);
		return err_set(err, ERR_NOMEM, "stream");
	}
	/* A client speaks first. */
	if (ssl)
		event_active(s->out, EV_WRITE, 0);
	*out = s;
	return 0;
}

void stream_free(struct stream *s)
{
	struct chunk *c;

	if (!s)
		return;
	s->ended = true;
	if (s->busy) {
		s->doomed = true;
		return;
	}
	if (s->in)
		event_free(s->in);
	if (s->out)
		event_free(s->out);
	while ((c = s->first)) {
		s->first = c->next;
		free(c);
	}
	free(s->payload);
	if (s->ssl && s->handshaken)
		(void)SSL_shutdown(s->ssl);
	SSL_free(s->ssl);
	ERR_clear_error();
	(void)close(s->fd);
	free(s);
}

/* --- bytes --------------------------------------------------------------- */
static int ssl_result(struct stream *s, int r)
{
	switch (SSL_get_error(s->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		return IO_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		(void)event_add(s->out, NULL);
		return IO_AGAIN;
	default:
		tls_failed(s->ssl, r, &s->why);
		return IO_ENDED;
	}
}

/* More than 0 bytes, IO_AGAIN or IO_ENDED. */
static int read_some(struct stream *s, void *to, size_t want)
{
	ssize_t n;

	if (s->ssl) {
		size_t got = 0;
		int r;

		ERR_clear_error();
		errno = 0;
		r = SSL_read_ex(s->ssl, to, want, &got);
		return r == 1 ? (int)got : ssl_result(s, r);
	}
	n = recv(s->fd, to, want, 0);
	if (n > 0)
		return (int)n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return IO_AGAIN;
	if (n < 0)
		err_sys(&s->why, errno, "read");
	else
		err_set(&s->why, ERR_NOTFOUND, "closed by the peer");
	return IO_ENDED;
}

static int write_some(struct stream *s, const void *from, size_t len)
{
	ssize_t n;

	if (s->ssl) {
		size_t done = 0;
		int r;

		ERR_clear_error();
		errno = 0;
		r = SSL_write_ex(s->ssl, from, len, &done);
		return r == 1 ? (int)done : ssl_result(s, r);
	}
	n = send(s->fd, from, len, MSG_NOSIGNAL);
	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN || errno == EINTR)
		return IO_AGAIN;
	err_sys(&s->why, errno, "write");
	return IO_ENDED;
}

/* --- sending ------------------------------------------------------------- */
static void flush(struct stream *s)
{
	struct chunk *c;

	while (s->handshaken && (c = s->first)) {
		int n = write_some(s, c->bytes + c->done, c->len - c->done);

		if (n == IO_ENDED)
			s->ended = true;
		if (n == IO_ENDED)
			return;
		if (n == IO_AGAIN) {
			(void)event_add(s->out, NULL);
			return;
		}
		c->done += (size_t)n;
		s->queued -= (size_t)n;
		if (c->done < c->len)
			continue;
		s->first = c->next;
		if (!s->first)
			s->last = &s->first;
		free(c);
	}
}

int stream_send(struct stream *s, uint16_t type, const void *payload,
		size_t len, struct err *err)
{
	struct chunk *c;

	if (s->ended || s->finishing)
		return 0; /* closed() says it, or has been asked for */
	if (s->queued > 0 && len + s->queued > s->max_queue)
		return err_set(err, ERR_LIMIT, "queue of %zu bytes is full",
			       s->max_queue);
	c = malloc(sizeof(*c) + FRAME_HEADER_BYTES + len);
	if (!c)
		return err_set(err, ERR_NOMEM, "frame of %zu bytes", len);
	c->next = NULL;
	c->done = 0;
	c->len = FRAME_HEADER_BYTES + len;
	frame_header(c->bytes, type, (uint32_t)len);
	if (len)
		memcpy(c->bytes + FRAME_HEADER_BYTES, payload, len);
	*s->last = c;
	s->last = &c->next;
	s->queued += c->len;
	if (s->first == c)
		flush(s);
	if (s->ended) /* tell the owner later, from the loop */
		event_active(s->out, EV_WRITE, 0);
	return 0;
}

/* --- receiving ----------------------------------------------------------- */
static int whole_frame(struct stream *s)
{
	uint8_t *payload = s->payload;
	int r;

	s->payload = NULL;
	s->header_got = 0;
	r = s->ops->frame(s->ctx, s->type, payload, s->len, &s->why);
	free(payload);
	return r;
}

static int whole_header(struct stream *s)
{
	uint16_t last;
	uint32_t len;
	int r;

	frame_split(s->header, &len, &s->type, &last);
	r = s->ops->header(s->ctx, s->header, &s->len, &s->why);
	if (r < 0)
		return r;
	assert(s->len == len);
	s->got = 0;
	s->payload = malloc(len ? len : 1);
	if (!s->payload)
		return err_set(&s->why, ERR_NOMEM, "frame of %u bytes", len);
	return len ? 0 : whole_frame(s);
}

/* One read; false when there is no more for now, or the stream has ended. */
static bool step(struct stream *s)
{
	bool header = s->header_got < FRAME_HEADER_BYTES;
	int n, r = 0;

	n = header ? read_some(s, s->header + s->header_got,
			       FRAME_HEADER_BYTES - s->header_got)
		   : read_some(s, s->payload + s->got, s->len - s->got);
	if (n == IO_ENDED) {
		s->ended = true;
		if (s->header_got > 0 && s->why.code == ERR_NOTFOUND)
			err_set(&s->why, ERR_PROTO,
				"closed in the middle of a frame");
	}
	if (n <= 0)
		return false;
	if (header) {
		s->header_got += (size_t)n;
		if (s->header_got == FRAME_HEADER_BYTES)
			r = whole_header(s);
	} else {
		s->got += (uint32_t)n;
		if (s->got == s->len)
			r = whole_frame(s);
	}
	if (r < 0)
		s->ended = true;
	return !s->ended;
}

static void receive(struct stream *s)
{
	for (int i = 0; i < 2 * FRAMES_PER_TURN; i++)
		if (s->paused || s->ended || !step(s))
			return;
	/* TLS may hold bytes that the descriptor no longer announces. */
	event_active(s->in, EV_READ, 0);
}

static void handshake(struct stream *s)
{
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_do_handshake(s->ssl);
	if (r != 1) {
		if (ssl_result(s, r) == IO_ENDED)
			s->ended = true;
		return;
	}
	s->handshaken = true;
	if (s->ops->ready && s->ops->ready(s->ctx, &s->why) < 0)
		s->ended = true;
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct stream *s = arg;
	bool had = s->queued > 0;
	struct err why;

	(void)fd;
	(void)what;
	s->busy = true;
	if (!s->ended && !s->handshaken)
		handshake(s);
	if (!s->ended && s->handshaken)
		flush(s);
	if (!s->ended && s->handshaken && !s->finishing)
		receive(s);
	if (!s->ended && had && s->queued == 0 && s->ops->drained)
		s->ops->drained(s->ctx);
	if (!s->ended && s->finishing && s->queued == 0)
		s->ended = true;
	s->busy = false;
	if (s->doomed) {
		stream_free(s);
		return;
	}
	if (s->ended) {
		(void)event_del(s->in);
		(void)event_del(s->out);
		why = s->why; /* the owner frees the stream */
		s->ops->closed(s->ctx, &why);
	}
}

void stream_pause(struct stream *s, bool pause)
{
	if (s->ended || s->paused == pause)
		return;
	s->paused = pause;
	if (pause) {
		(void)event_del(s->in);
		return;
	}
	(void)event_add(s->in, NULL);
	event_active(s->in, EV_READ, 0);
}

void stream_finish(struct stream *s)
{
	if (s->ended)
		return;
	s->finishing = true;
	(void)event_del(s->in);
	event_active(s->out, EV_WRITE, 0);
}

size_t stream_queued(const struct stream *s)
{
	return s->queued;
}
