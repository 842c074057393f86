/* compiled.c - see compiled.h. */
#include "engine/confine/compiled.h"

#include "lib/buf.h"
#include "lib/file.h"

#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMPILED_MAGIC UINT64_C(0x3130544c46434552) /* "RECFLT01" */
#define COMPILED_SLOTS 64
#define COMPILED_KEY_BYTES_MAX (1u << 20)
#define COMPILED_BYTES_MAX                                                     \
	(sizeof(struct compiled_head) + COMPILED_KEY_BYTES_MAX +               \
	 (size_t)FILTER_MAX_INSNS * FILTER_INSN_BYTES)
#define COMPILED_BYTES_USUAL ((size_t)32 << 10)
#define COMPILED_KEY_BYTES_USUAL ((size_t)16 << 10)
#define COMPILED_NAME_BYTES 40
#define COMPILED_NO_TEXT UINT64_MAX

struct compiled_head {
	uint64_t magic;
	uint64_t sum; /* of the file with this member 0 */
	uint64_t key_bytes, insns, flags;
};

/* FNV-1a over words: finds what a disk or a crash did to a file.  Against
 * people stand owner and mode. */
static uint64_t compiled_sum(uint64_t sum, const void *bytes, size_t len)
{
	const char *at = bytes;
	uint64_t word;

	for (; len > 0; at += sizeof(word)) {
		size_t n = len < sizeof(word) ? len : sizeof(word);

		word = 0;
		memcpy(&word, at, n);
		sum = (sum ^ word) * UINT64_C(0x100000001b3);
		sum ^= sum >> 32;
		len -= n;
	}
	return sum;
}

static uint64_t compiled_hash(const void *bytes, size_t len)
{
	return compiled_sum(UINT64_C(0xcbf29ce484222325), bytes, len);
}

/* --- the key ------------------------------------------------------------- */

static void compiled_put(struct buf *key, uint64_t v)
{
	buf_put(key, &v, sizeof(v));
}

static void compiled_put_text(struct buf *key, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	compiled_put(key, text != NULL ? len : COMPILED_NO_TEXT);
	if (len > 0)
		buf_put(key, text, len);
}

static void compiled_put_list(struct buf *key, const struct decode_strv *v)
{
	size_t i;

	compiled_put(key, v->n);
	for (i = 0; i < v->n; i++)
		compiled_put_text(key, v->v[i]);
}

static void compiled_put_u64(struct buf *key, const struct decode_u64 *v)
{
	compiled_put(key, v->set);
	compiled_put(key, v->v);
}

static void compiled_put_call(struct buf *key, const struct spec_syscall *c)
{
	size_t i;

	compiled_put_list(key, &c->names);
	compiled_put_text(key, c->action);
	compiled_put_u64(key, &c->errno_ret);
	compiled_put(key, c->n_args);
	for (i = 0; i < c->n_args; i++) {
		compiled_put(key, c->args[i].index);
		compiled_put_u64(key, &c->args[i].value);
		compiled_put_u64(key, &c->args[i].value_two);
		compiled_put_text(key, c->args[i].op);
	}
}

/* The compiler is in our executable: another one has other keys. */
static bool compiled_key(const struct spec_seccomp *s, struct buf *key)
{
	struct stat st;
	size_t i;

	if (stat("/proc/self/exe", &st) < 0)
		return false;
	compiled_put(key, st.st_dev);
	compiled_put(key, st.st_ino);
	compiled_put(key, (uint64_t)st.st_size);
	compiled_put(key, (uint64_t)st.st_mtim.tv_sec);
	compiled_put(key, (uint64_t)st.st_mtim.tv_nsec);
	compiled_put(key, (uint64_t)st.st_ctim.tv_sec);
	compiled_put(key, (uint64_t)st.st_ctim.tv_nsec);
	compiled_put(key, seccomp_arch_native());
	compiled_put_text(key, RECONCILE_VERSION);
	compiled_put_text(key, s->default_action);
	compiled_put_u64(key, &s->default_errno);
	compiled_put_list(key, &s->archs);
	compiled_put_list(key, &s->flags);
	compiled_put(key, s->n_calls);
	for (i = 0; i < s->n_calls; i++)
		compiled_put_call(key, &s->calls[i]);
	return buf_check(key, NULL) == 0;
}

/* --- the file ------------------------------------------------------------ */

static void compiled_name(const struct buf *key, char out[COMPILED_NAME_BYTES])
{
	(void)snprintf(out, COMPILED_NAME_BYTES, ".filter-%02x",
		       (unsigned int)(compiled_hash(key->data, key->len) %
				      COMPILED_SLOTS));
}

/* Nobody but us may have put anything there. */
static bool compiled_folder_ok(int root_fd)
{
	struct stat st;

#ifdef GUARD_OFF_COMPILED_OWNER
	return true;
#endif
	return fstat(root_fd, &st) == 0 && st.st_uid == geteuid() &&
	       (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static bool compiled_file_ok(int fd)
{
	struct stat st;

#ifdef GUARD_OFF_COMPILED_OWNER
	return true;
#endif
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       st.st_uid == geteuid() && st.st_nlink == 1 &&
	       (st.st_mode & 07777) == 0600;
}

static bool compiled_fits(const struct buf *file, const struct buf *key,
			  struct compiled_head *out)
{
	size_t head = sizeof(*out);
	struct compiled_head zero;

	if (file->len < head)
		return false;
	memcpy(out, file->data, head);
	if (out->magic != COMPILED_MAGIC || out->key_bytes != key->len ||
	    out->insns == 0 || out->insns > FILTER_MAX_INSNS ||
	    out->flags > UINT32_MAX ||
	    file->len != head + key->len + out->insns * FILTER_INSN_BYTES)
		return false;
#ifndef GUARD_OFF_COMPILED_KEY
	if (memcmp(file->data + head, key->data, key->len) != 0)
		return false;
#endif
#ifndef GUARD_OFF_COMPILED_SUM
	zero = *out;
	zero.sum = 0;
	if (compiled_sum(compiled_hash(&zero, head), file->data + head,
			 file->len - head) != out->sum)
		return false;
#else
	(void)zero;
#endif
	return true;
}

static bool compiled_read(int root_fd, const char *name, const struct buf *key,
			  struct filter *out)
{
	struct compiled_head head = {0};
	struct buf file;
	bool good;
	int fd = openat(root_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return false;
	buf_init(&file, COMPILED_BYTES_MAX);
	(void)buf_reserve(&file, COMPILED_BYTES_USUAL);
	good = compiled_file_ok(fd) &&
	       file_read_fd(fd, COMPILED_BYTES_MAX, &file, NULL) == 0 &&
	       compiled_fits(&file, key, &head);
	(void)close(fd);
	if (good) {
		size_t len = head.insns * FILTER_INSN_BYTES;
		void *bpf = malloc(len);

		good = bpf != NULL;
		if (good) {
			memcpy(bpf, file.data + file.len - len, len);
			*out = (struct filter){
				.bpf = bpf,
				.n = head.insns,
				.flags = (unsigned int)head.flags};
		}
	}
	buf_release(&file);
	return good;
}

static int compiled_encode(const struct buf *key, const struct filter *f,
			   struct buf *out)
{
	struct compiled_head head = {.magic = COMPILED_MAGIC,
				     .key_bytes = key->len,
				     .insns = f->n,
				     .flags = f->flags};
	int r;

	buf_put(out, &head, sizeof(head));
	buf_put(out, key->data, key->len);
	buf_put(out, f->bpf, f->n * FILTER_INSN_BYTES);
	r = buf_check(out, NULL);
	if (r < 0)
		return r;
	head.sum =
		compiled_sum(compiled_hash(&head, sizeof(head)),
			     out->data + sizeof(head), out->len - sizeof(head));
	memcpy(out->data, &head, sizeof(head));
	return 0;
}

/* A file of its own in place of the old one; no rename, as half a file does not
 * have the sum of a whole one, whoever else writes or dies meanwhile. */
static void compiled_write(int root_fd, const char *name, const struct buf *key,
			   const struct filter *f)
{
	struct buf file;
	int fd;

	(void)unlinkat(root_fd, name, 0);
	fd = openat(root_fd, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	buf_init(&file, COMPILED_BYTES_MAX);
	if (compiled_encode(key, f, &file) == 0 &&
	    file_write_fd(fd, file.data, file.len, NULL) == 0)
		(void)fchmod(fd, 0600);
	(void)close(fd);
	buf_release(&file);
}

int compiled_filter(int root_fd, const struct spec_seccomp *s,
		    struct filter *out, struct err *err)
{
	char name[COMPILED_NAME_BYTES];
	struct buf key;
	bool keep;
	int r = 0;

	if (s == NULL || !compiled_folder_ok(root_fd))
		return filter_compile(s, out, err);
	buf_init(&key, COMPILED_KEY_BYTES_MAX);
	(void)buf_reserve(&key, COMPILED_KEY_BYTES_USUAL);
	keep = compiled_key(s, &key);
	if (keep)
		compiled_name(&key, name);
	if (!keep || !compiled_read(root_fd, name, &key, out)) {
		r = filter_compile(s, out, err);
		if (r == 0 && keep && out->n > 0 && out->n <= FILTER_MAX_INSNS)
			compiled_write(root_fd, name, &key, out);
	}
	buf_release(&key);
	return r;
}
