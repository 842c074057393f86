/*
 * image_child.c - see image_child.h.  Runs in the agent as root; what the
 * children answer is read in image_job.c.
 */
#include "engine/image/image_child.h"

#include "lib/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BYTES 65536

void image_child_init(struct image_child *c)
{
	*c = (struct image_child){.proc = {.pidfd = -1}, .sock = -1};
	buf_init(&c->in, IMAGE_CHILD_FRAME_MAX + MSG_HEADER_BYTES);
}

void image_child_release(struct image_child *c)
{
	if (c->proc.pid > 0)
		proc_kill(&c->proc);
	if (c->sock >= 0)
		(void)close(c->sock);
	buf_release(&c->in);
	image_child_init(c);
}

/* Descriptor 3 is one end of a new socketpair, fds follow it. */
static int start(struct image_child *c, const struct image_store *s,
		 const char *name, const int *fds, size_t n_fds,
		 struct err *err)
{
	const char *argv[] = {name, NULL};
	char path[PATH_MAX];
	int given[4];
	struct proc_spec spec = {
		.path = path,
		.argv = argv,
		.fds = given,
		.n_fds = n_fds + 1,
		.in = -1,
		.out = -1,
		.err = STDERR_FILENO,
		.die_with_parent = true,
	};
	int pair[2];
	size_t i;
	int r;

	(void)snprintf(path, sizeof(path), "%s/%s", s->libexec, name);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, errno, "socketpair");
	given[0] = pair[1];
	for (i = 0; i < n_fds; i++)
		given[i + 1] = fds[i];
	r = proc_spawn(&spec, &c->proc, err);
	(void)close(pair[1]);
	if (r < 0) {
		(void)close(pair[0]);
		return r;
	}
	c->sock = pair[0];
	return 0;
}

int image_child_pull(struct image_child *c, const struct image_store *s,
		     const Image__PullRequest *request, struct err *err)
{
	size_t n = image__pull_request__get_packed_size(request);
	uint8_t *bytes = malloc(n ? n : 1);
	int r;

	if (!bytes)
		return err_set(err, ERR_NOMEM, "out of memory");
	(void)image__pull_request__pack(request, bytes);
	r = start(c, s, "reconcile-pull", &s->blobs, 1, err);
	if (r == 0)
		r = msg_send(c->sock, IMAGE__FRAME__FRAME_PULL_REQUEST, bytes,
			     n, NULL, 0, err);
	explicit_bzero(bytes, n);
	free(bytes);
	return r;
}

int image_child_unpack(struct image_child *c, const struct image_store *s,
		       int blob, int fs, struct err *err)
{
	int fds[2] = {blob, fs};

	return start(c, s, "reconcile-unpack", fds, 2, err);
}

static int write_map(pid_t pid, const char *file, unsigned int base,
		     struct err *err)
{
	char path[64], map[64];
	int n, fd;
	int r = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	n = snprintf(map, sizeof(map), "0 %u %u\n", base, IMAGE_ID_COUNT);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "open %s", file);
	if (write(fd, map, (size_t)n) != n)
		r = err_sys(err, errno, "write %s", file);
	(void)close(fd);
	return r;
}

int image_child_map(struct image_child *c, const struct image_store *s,
		    const Image__UnpackRequest *request, struct err *err)
{
	uint8_t bytes[1024];
	int r;

	if (image__unpack_request__get_packed_size(request) > sizeof(bytes))
		return err_set(err, ERR_LIMIT, "unpack request is too long");
	r = write_map(c->proc.pid, "gid_map", s->gid_base, err);
	if (r == 0)
		r = write_map(c->proc.pid, "uid_map", s->uid_base, err);
	if (r < 0)
		return err_wrap(err, "user namespace of reconcile-unpack");
	return msg_send(c->sock, IMAGE__FRAME__FRAME_UNPACK_REQUEST, bytes,
			image__unpack_request__pack(request, bytes), NULL, 0,
			err);
}

int image_child_receive(struct image_child *c, struct err *err)
{
	size_t room = c->in.max - c->in.len;
	size_t want = room < RECEIVE_BYTES ? room : RECEIVE_BYTES;
	char *p = buf_reserve(&c->in, want);
	ssize_t n;

	if (!p)
		return err_set(err, ERR_NOMEM, "out of memory");
	/* no control data is asked for: the kernel closes what was passed */
	n = recv(c->sock, p, want, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return err_set(err, ERR_NOTFOUND, "sibling closed the socket");
	if (n < 0)
		return err_sys(err, errno, "receive from a sibling");
	buf_commit(&c->in, (size_t)n);
	return 0;
}

int image_child_frame(struct image_child *c, struct msg *m, bool *out_have,
		      struct err *err)
{
	const unsigned char *h = (const unsigned char *)c->in.data;
	size_t len, whole;

	*out_have = false;
	if (c->in.len < MSG_HEADER_BYTES)
		return 0;
	len = (size_t)h[0] | (size_t)h[1] << 8 | (size_t)h[2] << 16 |
	      (size_t)h[3] << 24;
	if (len > IMAGE_CHILD_FRAME_MAX || h[6] || h[7])
		return err_set(err, ERR_PROTO,
			       "frame: want at most %u bytes and no "
			       "descriptors",
			       IMAGE_CHILD_FRAME_MAX);
	whole = len + MSG_HEADER_BYTES;
	if (c->in.len < whole)
		return 0;
	m->type = (uint16_t)(h[4] | h[5] << 8);
	buf_reset(&m->payload);
	buf_put(&m->payload, c->in.data + MSG_HEADER_BYTES, len);
	memmove(c->in.data, c->in.data + whole, c->in.len - whole);
	c->in.len -= whole;
	*out_have = true;
	return buf_check(&m->payload, err);
}
