/*
 * log.c - appending to the log.  Runs in the writer only, which holds the
 * folder and the key and nothing else; the values of events are hostile.
 *
 * Invariants: (1) tree and head in memory describe exactly the first `end`
 * bytes of the file; (2) they move only after fsync has said that those bytes
 * are durable; (3) after a failed fsync nothing is ever acknowledged again: the
 * kernel may have dropped the data and would report success on a second try.
 */
#include "audit/log.h"
#include "audit/log_open.h"
#include "audit/reader.h"
#include "audit/record.h"
#include "lib/encode.h"
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define TORN_MAX ((size_t)1024 * 1024)
#define TORN_SHOWN ((size_t)16 * 1024) /* kept in the entry, as base64 */
#define WRITER "reconcile-audit"

struct audit_log {
	int dirfd; /* borrowed */
	int fd, lock;
	const struct audit_key *key; /* borrowed */
	struct audit_vkey vkey;
	struct hash *hash;
	struct audit_log_place place;
	uint64_t recovered;
	bool poisoned;
	struct err why; /* of the poison */
};

static int poison(struct audit_log *log, int sys_errno, const char *what,
		  struct err *err)
{
	log->poisoned = true;
	(void)err_sys(&log->why, sys_errno, "%s", what);
	/* take back what may not be on the disk; if even that fails, the next
	 * open finds out */
	if (ftruncate(log->fd, (off_t)log->place.end) == 0)
		(void)fsync(log->fd);
	return err_set(err, ERR_AUDIT,
		       "audit log: %s; nothing more can be recorded until the "
		       "writer is started anew",
		       log->why.msg);
}

/* Writes behind the end; what did not fit is taken back at once, so that a full
 * disk leaves the log as it was and the next try may succeed. */
static int write_lines(struct audit_log *log, const struct buf *lines,
		       struct err *err)
{
	size_t done = 0;
	int saved;

	while (done < lines->len) {
		ssize_t n =
			pwrite(log->fd, lines->data + done, lines->len - done,
			       (off_t)(log->place.end + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (done == lines->len)
		return 0;
	saved = errno;
	if (done > 0 && ftruncate(log->fd, (off_t)log->place.end) < 0)
		return poison(log, errno, "cannot take back half a batch", err);
	return err_set(err, ERR_AUDIT, "audit log: write: %s",
		       strerrordesc_np(saved));
}

static int sync_lines(struct audit_log *log, struct err *err)
{
	if (fdatasync(log->fd) == 0)
		return 0;
#ifndef GUARD_OFF_AUDIT_POISON
	return poison(log, errno, "fsync", err);
#else
	return err_set(err, ERR_AUDIT, "audit log: fsync: %s",
		       strerrordesc_np(errno));
#endif
}

/* Events to lines and the state behind them, in memory. */
static int make_lines(struct audit_log *log, const struct audit_event *events,
		      size_t n, int64_t now_ms, struct audit_log_place *after,
		      struct buf *lines, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		size_t start = lines->len;
		uint8_t leaf[AUDIT_HASH_BYTES];

		audit_record_write(lines, log->hash, &events[i],
				   after->tree.size + 1, now_ms, after->head);
		if (lines->failed)
			return err_set(err, ERR_INPUT,
				       "audit batch: want at most %zu bytes, "
				       "have more",
				       BATCH_BYTES_MAX);
		audit_merkle_leaf(log->hash, lines->data + start,
				  lines->len - start - 1, leaf);
		audit_merkle_add(&after->tree, log->hash, leaf);
	}
	after->end += lines->len;
	return 0;
}

static int append(struct audit_log *log, const struct audit_event *events,
		  size_t n, int64_t now_ms, bool own, struct err *err)
{
	struct audit_log_place after = log->place;
	struct buf lines;
	int r = 0;

	if (log->poisoned)
		return err_set(err, ERR_AUDIT,
			       "audit log: not usable since an error: %s",
			       log->why.msg);
	if (n == 0 || n > AUDIT_BATCH_MAX)
		return err_set(err, ERR_INPUT,
			       "audit batch: want 1 to %d events, have %zu",
			       AUDIT_BATCH_MAX, n);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = audit_record_check(&events[i], own, err);
	if (r < 0)
		return r;
	buf_init(&lines, BATCH_BYTES_MAX);
	r = make_lines(log, events, n, now_ms, &after, &lines, err);
	if (r == 0)
		r = write_lines(log, &lines, err);
	if (r == 0)
		r = sync_lines(log, err);
	if (r == 0)
		log->place = after;
	buf_release(&lines);
	return r;
}

int audit_log_append(struct audit_log *log, const struct audit_event *events,
		     size_t n, int64_t now_ms, uint64_t *out_first_seq,
		     struct err *err)
{
	uint64_t first = log->place.tree.size + 1;
	int r = append(log, events, n, now_ms, false, err);

	if (r == 0)
		*out_first_seq = first;
	return r;
}

struct audit_log_state audit_log_state(const struct audit_log *log)
{
	struct audit_log_state s = {
		.last_seq = log->place.tree.size,
		.recovered_bytes = log->recovered,
	};

	memcpy(s.head, log->place.head, sizeof(s.head));
	return s;
}

uint64_t audit_log_unsigned(const struct audit_log *log)
{
	return log->place.tree.size - log->place.signed_size;
}

/* --- checkpoints ---------------------------------------------------------- */

/* Both files help and are not needed: no fsync, and no error stops us. */
static void write_helpers(struct audit_log *log, const char *note, size_t len)
{
	struct buf edge;
	int fd;

	fd = openat(log->dirfd, AUDIT_FILE_HISTORY,
		    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	if (fd >= 0) {
		(void)file_write_fd(fd, note, len, NULL);
		(void)file_write_fd(fd, "\n", 1, NULL);
		(void)close(fd);
	}
	buf_init(&edge, 8192);
	audit_log_open_edge(&log->place, &edge);
	fd = openat(log->dirfd, AUDIT_FILE_EDGE,
		    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	if (fd >= 0) {
		(void)file_write_fd(fd, edge.data, edge.len, NULL);
		(void)close(fd);
	}
	buf_release(&edge);
}

int audit_log_checkpoint(struct audit_log *log, struct buf *out,
			 struct err *err)
{
	struct audit_checkpoint cp = {
		.size = log->place.tree.size,
		.has_head = true,
	};
	struct err cause = {0};
	struct buf note;
	int r;

	if (log->poisoned)
		return err_set(err, ERR_AUDIT,
			       "audit log: not usable since an error: %s",
			       log->why.msg);
	memcpy(cp.origin, log->vkey.name, sizeof(cp.origin));
	memcpy(cp.head, log->place.head, sizeof(cp.head));
	audit_merkle_root(&log->place.tree, log->hash, cp.root);
	buf_init(&note, 4096);
	r = audit_checkpoint_make(&cp, log->key, &log->vkey, &note, &cause);
	if (r == 0)
		r = file_replace(log->dirfd, AUDIT_FILE_CHECKPOINT, 0600,
				 note.data, note.len, &cause);
	if (r == 0) {
		write_helpers(log, note.data, note.len);
		log->place.signed_size = cp.size;
		buf_put(out, note.data, note.len);
		r = buf_check(out, &cause);
	}
	buf_release(&note);
	if (r < 0)
		return err_set(err, ERR_AUDIT, "audit checkpoint: %.900s",
			       cause.msg);
	return 0;
}

/* --- opening -------------------------------------------------------------- */

static int append_open(struct audit_log *log, const char *origin,
		       int64_t now_ms, struct err *err)
{
	const struct audit_pair detail[] = {{"format", "1"}};
	const struct audit_event event = {
		.type = "log.open",
		.actor = WRITER,
		.object = origin,
		.detail = detail,
		.n_detail = 1,
	};
	int r = append(log, &event, 1, now_ms, true, err);

	if (r == 0 && fsync(log->dirfd) < 0)
		r = err_sys(err, errno, "fsync of the log's folder");
	return r;
}

/* What a crash left behind the last newline is first copied, durably, then cut
 * off, then recorded; each step may be repeated after a further crash. */
static int set_torn_aside(struct audit_log *log, struct err *err)
{
	struct buf torn;
	char *p;
	int r;

	buf_init(&torn, 2 * TORN_MAX);
	r = file_read(log->dirfd, AUDIT_FILE_TORN, TORN_MAX, &torn, err);
	if (r == ERR_NOTFOUND)
		r = 0;
	p = r == 0 ? buf_reserve(&torn, log->place.torn) : NULL;
	if (r == 0 && !p)
		r = err_set(err, ERR_LIMIT, "torn tail of %zu bytes",
			    log->place.torn);
	if (r == 0 && pread(log->fd, p, log->place.torn,
			    (off_t)log->place.end) != (ssize_t)log->place.torn)
		r = err_set(err, ERR_SYS, "read the torn tail");
	if (r == 0) {
		buf_commit(&torn, log->place.torn);
		r = file_replace(log->dirfd, AUDIT_FILE_TORN, 0600, torn.data,
				 torn.len, err);
	}
	if (r == 0 && (ftruncate(log->fd, (off_t)log->place.end) < 0 ||
		       fsync(log->fd) < 0))
		r = err_sys(err, errno, "cut the torn tail");
	buf_release(&torn);
	return r;
}

static int append_recovered(struct audit_log *log, const struct buf *torn,
			    int64_t now_ms, struct err *err)
{
	size_t shown = torn->len < TORN_SHOWN ? torn->len : TORN_SHOWN;
	char bytes[24], hex[HASH_HEX];
	struct audit_pair detail[] = {
		{"bytes", bytes}, {"sha256", hex}, {"data", NULL}};
	const struct audit_event event = {
		.type = "log.recovered",
		.actor = WRITER,
		.object = log->vkey.name,
		.detail = detail,
		.n_detail = 3,
	};
	struct buf text;
	int r;

	(void)snprintf(bytes, sizeof(bytes), "%zu", torn->len);
	hash_sha256_hex(torn->data, torn->len, hex);
	buf_init(&text, 2 * TORN_SHOWN);
	encode_base64(&text, torn->data, shown);
	detail[2].value = text.data;
	r = append(log, &event, 1, now_ms, true, err);
	buf_release(&text);
	return r;
}

/* After append_open(): the first entry is always "log.open". */
static int record_torn(struct audit_log *log, int64_t now_ms, struct err *err)
{
	struct buf torn;
	int r;

	buf_init(&torn, 2 * TORN_MAX);
	r = file_read(log->dirfd, AUDIT_FILE_TORN, 2 * TORN_MAX, &torn, err);
	if (r == ERR_NOTFOUND) {
		r = 0;
		goto out;
	}
	if (r == 0 && torn.len > 0)
		r = append_recovered(log, &torn, now_ms, err);
	if (r == 0) {
		log->recovered = torn.len;
		(void)unlinkat(log->dirfd, AUDIT_FILE_TORN, 0);
	}
out:
	buf_release(&torn);
	return r;
}

static int open_files(struct audit_log *log, struct err *err)
{
	struct stat st;
	int r;

	r = file_lock(log->dirfd, AUDIT_FILE_LOCK, &log->lock, err);
	if (r < 0)
		return r;
	log->fd = openat(log->dirfd, AUDIT_FILE_LOG,
			 O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log->fd < 0)
		return err_sys(err, errno, "open the log");
	if (fstat(log->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_AUDIT, "the log is no regular file");
	return 0;
}

static int open_log(struct audit_log *log, const char *origin, int64_t now_ms,
		    struct err *err)
{
	int r;

	r = audit_key_public(log->key, AUDIT_KEY_LOG, origin, &log->vkey, err);
	if (r == 0)
		r = open_files(log, err);
	if (r == 0)
		r = audit_log_open_place(log->dirfd, log->fd, origin,
					 &log->vkey, log->hash, &log->place,
					 err);
	if (r == 0 && log->place.torn > 0)
		r = set_torn_aside(log, err);
	if (r == 0 && log->place.tree.size == 0)
		r = append_open(log, origin, now_ms, err);
	if (r == 0)
		r = record_torn(log, now_ms, err);
	return r;
}

int audit_log_open(int dirfd, const char *origin, const struct audit_key *key,
		   int64_t now_ms, struct audit_log **out, struct err *err)
{
	struct audit_log *log = calloc(1, sizeof(*log));
	struct err cause = {0};
	int r;

	if (!log)
		return err_set(err, ERR_NOMEM, "out of memory");
	log->dirfd = dirfd;
	log->fd = -1;
	log->lock = -1;
	log->key = key;
	log->hash = hash_new();
	r = open_log(log, origin, now_ms, &cause);
	if (r < 0) {
		audit_log_close(log);
		return err_set(err, ERR_AUDIT, "audit log: %.900s", cause.msg);
	}
	*out = log;
	return 0;
}

void audit_log_close(struct audit_log *log)
{
	if (!log)
		return;
	hash_free(log->hash);
	if (log->fd >= 0)
		(void)close(log->fd);
	if (log->lock >= 0)
		(void)close(log->lock);
	free(log);
}
