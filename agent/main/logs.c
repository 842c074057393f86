/* logs.c - the tail of a container's log, for a person who asks. */
#include "agent/main/agent.h"
#include "agent/main/watch.h"
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES_MAX (1u << 20)
#define CHUNK_BYTES (256u << 10)
#define LINES_MAX 10000

/* The end of the file, at most max bytes. */
static int read_end(int fd, size_t max, struct buf *out, struct err *err)
{
	struct stat st;
	char *p;
	ssize_t n;
	off_t from;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "stat log");
	from = st.st_size > (off_t)max ? st.st_size - (off_t)max : 0;
	p = buf_reserve(out, (size_t)(st.st_size - from) + 1);
	if (!p)
		return err_set(err, ERR_NOMEM, "out of memory");
	n = pread(fd, p, (size_t)(st.st_size - from), from);
	if (n < 0)
		return err_sys(err, errno, "read log");
	buf_commit(out, (size_t)n);
	return 0;
}

static int open_log(struct agent_pod *io, const char *container)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "logs/%s.log", container);
	return openat(io->disk_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

/* Start of the last n lines. */
static const char *last_lines(const struct buf *b, unsigned int n)
{
	const char *p = b->data + b->len;

	if (p > b->data && p[-1] == '\n')
		p--;
	while (p > b->data) {
		if (p[-1] == '\n' && --n == 0)
			break;
		p--;
	}
	return p;
}

int logs_tail(struct agent_pod *io, const char *container, unsigned int n,
	      size_t max, struct buf *out)
{
	struct buf all;
	const char *p, *end;
	int fd = open_log(io, container);
	int r;

	if (fd < 0)
		return ERR_NOTFOUND;
	buf_init(&all, max * 2 + 1);
	r = read_end(fd, max, &all, NULL);
	(void)close(fd);
	p = r == 0 && all.len > 0 ? last_lines(&all, n) : NULL;
	end = p ? all.data + all.len : NULL;
	while (p && p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *to = nl ? nl : end;
		const char *text = p;

		/* time, stream and tag are ours; the rest is the line */
		for (int i = 0; i < 3 && text < to; i++) {
			const char *sp = memchr(text, ' ', (size_t)(to - text));

			text = sp ? sp + 1 : to;
		}
		buf_put(out, text, (size_t)(to - text));
		buf_putc(out, '\n');
		p = to + 1;
	}
	buf_release(&all);
	return r;
}

static void send_data(struct agent *a, uint64_t id, const char *bytes,
		      size_t len, bool last, const char *error)
{
	Channel__LogData m;
	char why[200];
	uint8_t *packed;

	channel__log_data__init(&m);
	(void)snprintf(why, sizeof(why), "%s", error);
	m.id = id;
	m.data.data = (uint8_t *)(uintptr_t)bytes;
	m.data.len = len;
	m.last = last;
	m.error = why;
	packed = malloc(channel__log_data__get_packed_size(&m));
	if (packed)
		link_send(a, CHANNEL__MSG_TYPE__MSG_LOG_DATA, packed,
			  channel__log_data__pack(&m, packed));
	free(packed);
}

static struct pod *find_pod(struct agent *a, const Channel__LogRequest *q)
{
	for (size_t i = 0; i < a->n_pods; i++)
		if (strcmp(a->pods[i]->namespace, q->namespace_) == 0 &&
		    strcmp(a->pods[i]->name, q->pod) == 0)
			return a->pods[i];
	return NULL;
}

static const char *container_of(struct pod *p, const char *name)
{
	for (size_t i = p->n_init; i < p->n && name[0] == '\0'; i++)
		return p->c[i].name;
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->c[i].spec->name, name) == 0)
			return p->c[i].name;
	return NULL;
}

void logs_answer(struct agent *a, const Channel__LogRequest *q)
{
	unsigned int lines = q->tail_lines && q->tail_lines < LINES_MAX
				     ? q->tail_lines
				     : LINES_MAX;
	struct pod *p = find_pod(a, q);
	const char *c = p ? container_of(p, q->container) : NULL;
	struct buf b;
	size_t at = 0;

	if (!c) {
		send_data(a, q->id, "", 0, true,
			  p ? "no such container" : "no such pod here");
		return;
	}
	buf_init(&b, READ_BYTES_MAX * 2);
	(void)logs_tail(agent_io(p), c, lines, READ_BYTES_MAX, &b);
	do {
		size_t n = b.len - at < CHUNK_BYTES ? b.len - at : CHUNK_BYTES;

		send_data(a, q->id, b.data ? b.data + at : "", n,
			  at + n == b.len, "");
		at += n;
	} while (at < b.len);
	buf_release(&b);
}
