/* reader.c - reading a log file line by line; its content is hostile. */
#include "audit/reader.h"
#include "audit/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_BYTES (2 * AUDIT_RECORD_MAX)

int audit_reader_init(struct audit_reader *r, int fd, uint64_t offset,
		      struct err *err)
{
	*r = (struct audit_reader){.fd = fd, .offset = offset};
	r->data = malloc(BUFFER_BYTES);
	if (!r->data)
		return err_set(err, ERR_NOMEM, "out of memory");
	return 0;
}

void audit_reader_release(struct audit_reader *r)
{
	free(r->data);
	*r = (struct audit_reader){.fd = -1};
}

/* Moves what is unread to the front and reads more; 0 at the end of file. */
static int fill(struct audit_reader *r, struct err *err)
{
	uint64_t at = r->offset + (r->end - r->start);
	ssize_t n;

	memmove(r->data, r->data + r->start, r->end - r->start);
	r->end -= r->start;
	r->start = 0;
	do {
		n = pread(r->fd, r->data + r->end, BUFFER_BYTES - r->end,
			  (off_t)at);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, errno, "read the audit log");
	r->end += (size_t)n;
	return n > 0;
}

int audit_reader_next(struct audit_reader *r, const char **out_line,
		      size_t *out_len, struct err *err)
{
	size_t looked = 0;

	for (;;) {
		char *from = r->data + r->start;
		size_t have = r->end - r->start;
		char *eol = NULL;
		int n;

		if (have > looked)
			eol = memchr(from + looked, '\n', have - looked);
		if (!eol && have > AUDIT_RECORD_MAX)
			eol = from + AUDIT_RECORD_MAX;
		if (eol) {
			*out_line = from;
			*out_len = (size_t)(eol - from);
			r->start += *out_len + 1;
			r->offset += *out_len + 1;
			return 1;
		}
		looked = have;
		n = fill(r, err);
		if (n < 0)
			return n;
		if (n == 0) {
			r->torn = have;
			return 0;
		}
	}
}
