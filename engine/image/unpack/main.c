/*
 * reconcile-unpack - makes one image layer into files.
 *
 * Started by the image store (in reconcile-agent) with descriptor 3, frames of
 * image.proto; descriptor 4, the compressed layer; descriptor 5, an empty
 * folder.  Parses the layer (hostile), holds nothing.  First of all it enters a
 * user namespace of its own and asks its starter for the id maps, so that root
 * in the layer is an id without rights on the host; then it is chrooted into
 * the folder, keeps the four capabilities that owners and modes need in that
 * namespace, and is held to files by seccomp.  It ends after one layer.
 *
 * Exit status: that of the error's code; 0 also when the error was told.
 */
#include "engine/image/digest.h"
#include "engine/image/image.pb-c.h"
#include "engine/image/oci_type.h"
#include "engine/image/unpack/layer.h"
#include "engine/image/unpack/source.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/msg.h"
#include "lib/sandbox.h"
#include "lib/sys.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <locale.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCK_FD 3
#define BLOB_FD 4
#define ROOT_FD 5
#define REQUEST_BYTES_MAX 65536u
#define REQUEST_WAIT_MS 10000

static const struct sandbox profile = {
	.name = "reconcile-unpack",
	.allow = SANDBOX_FILE_READ | SANDBOX_FILE_WRITE | SANDBOX_OWNER,
	.landlock = false, /* chroot and openat2 below one descriptor */
	.keep_caps = 1ull << CAP_CHOWN | 1ull << CAP_DAC_OVERRIDE |
		     1ull << CAP_FOWNER | 1ull << CAP_FSETID,
	.max_memory = (size_t)1 << 30, /* zstd windows of up to 128 MiB */
	.max_files = 128,
};

/* The starter writes the maps between our first frame and its request. */
static int receive(struct msg *m, struct err *err)
{
	int r;

	if (sys_unshare(CLONE_NEWUSER) < 0)
		return err_sys(err, errno, "user namespace");
	r = msg_send(SOCK_FD, IMAGE__FRAME__FRAME_UNPACK_MAPPED, "", 0, NULL, 0,
		     err);
	if (r == 0)
		r = msg_recv(SOCK_FD, m, REQUEST_WAIT_MS, err);
	if (r == 0 && m->type != IMAGE__FRAME__FRAME_UNPACK_REQUEST)
		r = err_set(err, ERR_PROTO, "want an unpack request");
	return r;
}

static int enter(struct err *err)
{
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 ||
	    setresuid(0, 0, 0) < 0)
		return err_sys(err, errno, "become root of the namespace");
	if (fchdir(ROOT_FD) < 0)
		return err_sys(err, errno, "enter the folder");
		/* the leak checker of a sanitizer build needs /proc */
#if !defined(GUARD_OFF_IN_ROOT) && !defined(RECONCILE_SAN)
	if (chroot(".") < 0)
		return err_sys(err, errno, "chroot");
#endif
	(void)umask(0);
	return sandbox_enter(&profile, err);
}

static int unpack(const Image__UnpackRequest *q, struct layer_counts *counts,
		  uint64_t *out_bytes, struct err *err)
{
	struct source_limits in = {q->max_bytes, q->max_ratio};
	struct layer_limits limits = {
		.max_bytes = q->max_bytes,
		.max_entries = q->max_entries,
		.names = {q->max_name_bytes, q->max_depth},
	};
	const struct oci_type *type = NULL;
	struct source *s = NULL;
	int r;

	r = oci_type_want(q->media_type, OCI_ROLE_LAYER, "layer", &type, err);
	if (r == 0)
		r = digest_check(q->diff_id, "layer", err);
	if (r == 0)
		r = source_new(BLOB_FD, type->compression, &in, &s, err);
	if (r == 0)
		r = layer_unpack(s, ROOT_FD, &limits, counts, err);
	if (r == 0)
		r = source_finish(s, q->diff_id, err);
	if (r == 0 && syncfs(ROOT_FD) < 0)
		r = err_sys(err, errno, "syncfs");
	if (r == 0)
		*out_bytes = source_bytes(s);
	source_free(s);
	return r;
}

static int serve(const struct msg *m, struct err *err)
{
	Image__UnpackRequest *q = image__unpack_request__unpack(
		NULL, m->payload.len, (const uint8_t *)m->payload.data);
	struct layer_counts counts = {0};
	Image__UnpackDone done;
	uint8_t packed[128];
	int r;

	if (!q)
		return err_set(err, ERR_PROTO, "unpack request: not readable");
	image__unpack_done__init(&done);
	r = unpack(q, &counts, &done.bytes, err);
	image__unpack_request__free_unpacked(q, NULL);
	if (r < 0)
		return r;
	done.entries = counts.entries;
	done.whiteouts = counts.whiteouts;
	done.xattrs_dropped = counts.xattrs_dropped;
	return msg_send(SOCK_FD, IMAGE__FRAME__FRAME_UNPACK_DONE, packed,
			image__unpack_done__pack(&done, packed), NULL, 0, err);
}

static int report(const struct err *e)
{
	uint8_t packed[ERR_MSG_BYTES + 128];
	char name[32], text[ERR_MSG_BYTES];
	Image__Failed f;

	(void)snprintf(name, sizeof(name), "%s", err_name(e->code));
	(void)snprintf(text, sizeof(text), "%s", e->msg);
	image__failed__init(&f);
	f.code = e->code;
	f.name = name;
	f.msg = text;
	f.sys_errno = e->sys_errno;
	return msg_send(SOCK_FD, IMAGE__FRAME__FRAME_FAILED, packed,
			image__failed__pack(&f, packed), NULL, 0, NULL);
}

int main(void)
{
	struct err err = {0};
	struct msg m;
	int r;

	log_init("reconcile-unpack", LOG_LEVEL_INFO);
	/* names of PAX headers are UTF-8 */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	msg_init(&m, REQUEST_BYTES_MAX);
	r = receive(&m, &err);
	if (r == 0)
		r = enter(&err);
	if (r == 0)
		r = serve(&m, &err);
	if (r < 0 && report(&err) == 0)
		r = 0;
	if (r < 0)
		log_line(LOG_LEVEL_ERROR, "unpack.end",
			 "code=%s reason=\"%s\" hint=\"started by "
			 "reconcile-agent, of no use by hand\"",
			 err_name(r), err.msg);
	msg_release(&m);
	return err_exit_status(r);
}
