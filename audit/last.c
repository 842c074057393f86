/* last.c - reading a log backwards, a window of whole lines at a time.  Every
 * byte of the file is hostile. */
#include "audit/last.h"

#include "audit/reader.h"
#include "audit/record.h"
#include "lib/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW_BYTES (2 * AUDIT_RECORD_MAX)
#define JSON_DEPTH 3

struct window {
	int fd;
	char *data;	/* WINDOW_BYTES */
	size_t len;	/* of data */
	uint64_t start; /* in the file, of data[0] */
	const char *const *types;
};

/* Quotes inside values are escaped, and members have a fixed order: these bytes
 * are nowhere but where the type is. */
static bool has_type(const struct window *w, const char *line, size_t len)
{
	char want[96];

	for (const char *const *t = w->types; *t != NULL; t++) {
		(void)snprintf(want, sizeof(want),
			       "\",\"type\":\"%s\",\"phase\":\"", *t);
		if (memmem(line, len, want, strlen(want)) != NULL)
			return true;
	}
	return false;
}

static int take(const char *line, size_t len, struct audit_last *out,
		struct err *err)
{
	struct audit_record_scan scan;
	const char *commit = NULL;
	json_t *root = NULL;
	int r = 0;

	if (audit_record_scan(line, len, &scan) &&
	    json_read(line, len, AUDIT_RECORD_MAX, JSON_DEPTH, &root, NULL) ==
		    0)
		commit = json_string_value(json_object_get(root, "commit"));
	if (commit == NULL)
		r = err_set(err, ERR_AUDIT,
			    "a line of the audit log is no entry; see "
			    "\"reconcile audit verify\"");
	if (r == 0) {
		*out = (struct audit_last){true, scan.seq, scan.time_ms, ""};
		if (strlen(commit) < sizeof(out->commit))
			(void)snprintf(out->commit, sizeof(out->commit), "%s",
				       commit);
	}
	json_decref(root);
	return r;
}

/* The lines that are whole in the window, the last one first; what is left is
 * the end of a line that begins before it. */
static int scan_window(struct window *w, struct audit_last *out,
		       struct err *err)
{
	while (w->len > 0) {
		size_t end = w->len - 1; /* a newline */
		const char *nl = memrchr(w->data, '\n', end);
		size_t at = nl == NULL ? 0 : (size_t)(nl - w->data) + 1;

		if (nl == NULL && w->start > 0)
			return 0;
		if (has_type(w, w->data + at, end - at))
			return take(w->data + at, end - at, out, err);
		w->len = at;
	}
	return 0;
}

static int fill(struct window *w, struct err *err)
{
	size_t want = WINDOW_BYTES - w->len;
	size_t done = 0;

	if (want > w->start)
		want = (size_t)w->start;
	if (want == 0)
		return err_set(err, ERR_AUDIT,
			       "the audit log has a line that is too long");
	memmove(w->data + want, w->data, w->len);
	while (done < want) {
		ssize_t n = pread(w->fd, w->data + done, want - done,
				  (off_t)(w->start - want + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(err, n < 0 ? errno : EIO,
				       "read the audit log");
		done += (size_t)n;
	}
	w->start -= want;
	w->len += want;
	return 0;
}

/* Whatever stands behind the last newline was never durable. */
static void drop_torn(struct window *w)
{
	const char *nl = memrchr(w->data, '\n', w->len);

	w->len = nl == NULL ? 0 : (size_t)(nl - w->data) + 1;
}

static int search(struct window *w, struct audit_last *out, struct err *err)
{
	bool first = true;
	int r = 0;

	while (r == 0 && !out->found && w->start > 0) {
		r = fill(w, err);
		if (r == 0 && first)
			drop_torn(w);
		first = false;
		if (r == 0)
			r = scan_window(w, out, err);
	}
	return r;
}

int audit_last(int dirfd, const char *const *types, struct audit_last *out,
	       struct err *err)
{
	struct window w = {.types = types};
	struct audit_last found = {0};
	struct stat st;
	int r = 0;

	w.fd = openat(dirfd, AUDIT_FILE_LOG,
		      O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (w.fd < 0 && errno != ENOENT)
		return err_sys(err, errno, "open the audit log");
	w.data = malloc(WINDOW_BYTES);
	if (w.data == NULL)
		r = err_set(err, ERR_NOMEM, "audit log");
	else if (w.fd >= 0 && fstat(w.fd, &st) < 0)
		r = err_sys(err, errno, "audit log");
	else if (w.fd >= 0)
		w.start = (uint64_t)st.st_size;
	if (r == 0)
		r = search(&w, &found, err);
	if (w.fd >= 0)
		(void)close(w.fd);
	free(w.data);
	if (r == 0)
		*out = found;
	return r;
}
